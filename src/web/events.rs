//! Events as plain JavaScript objects.

use wasm_bindgen::JsValue;

use super::js::ObjectBuilder;
use super::js::object::number;
use super::js::thrown::upload_error;
use crate::error::{Code, UploadError, Vendor};
use crate::model::events::{Event, Proof, SentPart, UploadResult};
use crate::model::progress::Progress;

/// The event's type and its detail.
pub(super) fn to_js(event: Event<JsValue>) -> (&'static str, JsValue) {
    match event {
        Event::Status(status) => ("status", status.as_str().into()),
        Event::Progress(progress) => ("progress", progress_to_js(&progress)),
        Event::Part(part) => ("part", part_to_js(&part)),
        Event::Complete(result) => ("complete", result_to_js(*result)),
        Event::Error(error) => ("error", error_to_js(&error)),
    }
}

fn progress_to_js(progress: &Progress) -> JsValue {
    let parts = ObjectBuilder::new()
        .with("total", progress.parts_total)
        .with("done", progress.parts_done)
        .with("inFlight", progress.parts_in_flight);
    ObjectBuilder::new()
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

fn part_to_js(part: &SentPart) -> JsValue {
    ObjectBuilder::new()
        .with("partNumber", part.number)
        .with("start", number(part.range.start))
        .with("end", number(part.range.last()))
        .with("etag", nullable(part.etag.as_deref()))
        .with("attempts", part.attempts)
        .with("verified", part.verified)
        .into()
}

fn result_to_js(result: UploadResult<JsValue>) -> JsValue {
    let outcome = result.outcome;
    ObjectBuilder::new()
        .with("provider", result.provider)
        .with_some("mediaUploadId", outcome.media_upload_id)
        .with_some("mediaId", outcome.media_id)
        .with_some("mediaItem", outcome.media_item)
        .with_some("reusable", outcome.reusable)
        .with_some("media", outcome.media)
        .with_some("etag", outcome.etag)
        .with_some("key", outcome.key)
        .with_some("location", outcome.location)
        .with_some("status", outcome.status)
        .with("bytes", number(result.bytes))
        .with("parts", result.parts)
        .with("attempts", result.attempts)
        .with("elapsedMs", number(result.elapsed_ms))
        .with("verified", result.verified)
        .with("alreadyThere", outcome.already_there)
        .with_some("linksExpireAt", outcome.links_expire_at)
        .with("proof", nullable(outcome.proof.map(proof_to_js)))
        .into()
}

fn proof_to_js(proof: Proof) -> ObjectBuilder {
    ObjectBuilder::new().with("by", proof.by.as_str()).with("value", proof.value).with("parts", proof.parts)
}

/// An error for the face. An `UploadError` that the application threw itself is passed on as it is.
pub(super) fn error_to_js(error: &UploadError) -> JsValue {
    let cause = error.cause.as_ref().and_then(|cause| cause.0.downcast_ref::<JsValue>());
    if let Some(thrown) = cause.filter(|thrown| error.code == Code::Application && upload_error(thrown).is_some()) {
        return thrown.clone();
    }
    ObjectBuilder::new()
        .with("code", error.code.as_str())
        .with("message", &error.message)
        .with_some("hint", error.hint.as_deref())
        .with_some("step", error.step.map(|step| step.as_str()))
        .with_some("status", error.status)
        .with_some("partNumber", error.part_number)
        .with_some("vendor", error.vendor.as_ref().map(vendor_to_js))
        .with("retryable", error.retryable)
        .with_some("cause", cause)
        .into()
}

fn vendor_to_js(vendor: &Vendor) -> ObjectBuilder {
    ObjectBuilder::new()
        .with_some("code", vendor.code.as_deref())
        .with_some("message", vendor.message.as_deref())
        .with_some("requestId", vendor.request_id.as_deref())
}
