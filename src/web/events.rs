//! Events as plain JavaScript objects.

use wasm_bindgen::JsValue;

use super::js::{Plain, number, upload_error};
use super::platform::WebPlatform;
use crate::error::{Code, UploadError, Vendor};
use crate::model::events::{Event, SentPart, UploadResult};
use crate::model::progress::Progress;

/// The event's type and its detail.
pub(super) fn told(event: Event<WebPlatform>) -> (&'static str, JsValue) {
    match event {
        Event::Status(status) => ("status", status.as_str().into()),
        Event::Progress(moment) => ("progress", progress(&moment)),
        Event::Part(sent) => ("part", part(&sent)),
        Event::Complete(done) => ("complete", result(*done)),
        Event::Error(failure) => ("error", error(&failure)),
    }
}

fn progress(progress: &Progress) -> JsValue {
    let parts = Plain::new()
        .with("total", progress.parts_total)
        .with("done", progress.parts_done)
        .with("inFlight", progress.parts_in_flight);
    Plain::new()
        .with("sent", number(progress.sent))
        .with("total", number(progress.total))
        .with("fraction", progress.fraction)
        .with("rate", nullable(progress.rate))
        .with("eta", nullable(progress.eta))
        .with("parts", parts)
        .with("processing", nullable(progress.processing))
        .into()
}

fn nullable(value: Option<impl Into<JsValue>>) -> JsValue {
    value.map_or(JsValue::NULL, Into::into)
}

fn part(part: &SentPart) -> JsValue {
    Plain::new()
        .with("partNumber", part.number)
        .with("start", number(part.range.start))
        .with("end", number(part.range.last()))
        .with("etag", nullable(part.etag.as_deref()))
        .with("attempts", part.attempts)
        .with("verified", part.verified)
        .into()
}

fn result(result: UploadResult<WebPlatform>) -> JsValue {
    let outcome = result.outcome;
    Plain::new()
        .with("provider", result.provider)
        .with_some("mediaUploadId", outcome.media_upload_id)
        .with_some("mediaId", outcome.media_id)
        .with_some("mediaItem", outcome.media_item)
        .with_some("reusable", outcome.reusable)
        .with_some("media", outcome.media)
        .with_some("etag", outcome.etag)
        .with_some("key", outcome.key)
        .with_some("location", outcome.location)
        .with("bytes", number(result.bytes))
        .with("parts", result.parts)
        .with("attempts", result.attempts)
        .with("elapsedMs", number(result.elapsed_ms))
        .with("verified", result.verified)
        .with("alreadyThere", outcome.already_there)
        .with_some("linksExpireAt", outcome.links_expire_at)
        .into()
}

/// An error as the face takes it. An `UploadError` that the application threw on purpose is passed on as it is.
pub(super) fn error(error: &UploadError) -> JsValue {
    let cause = error.cause.as_ref().and_then(|cause| cause.0.downcast_ref::<JsValue>());
    if let Some(thrown) = cause.filter(|thrown| error.code == Code::Application && upload_error(thrown).is_some()) {
        return thrown.clone();
    }
    Plain::new()
        .with("code", error.code.as_str())
        .with("message", &error.message)
        .with_some("hint", error.hint.as_deref())
        .with_some("step", error.step.map(|step| step.as_str()))
        .with_some("status", error.status)
        .with_some("partNumber", error.part_number)
        .with_some("vendor", error.vendor.as_ref().map(vendor))
        .with("retryable", error.retryable)
        .with_some("cause", cause)
        .into()
}

fn vendor(vendor: &Vendor) -> Plain {
    Plain::new()
        .with_some("code", vendor.code.as_deref())
        .with_some("message", vendor.message.as_deref())
        .with_some("requestId", vendor.request_id.as_deref())
}
