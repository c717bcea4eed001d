//! `POST completeUrl`: completes an upload in parts. The server knows the parts, so no list is sent.

use super::media;
use crate::context::Context;
use crate::context::calls::Idempotency;
use crate::error::{Result, Step};
use crate::http::{Body, Method};
use crate::json::{Json, JsonBuilder, decoded};
use crate::model::events::Outcome;
use crate::platform::Platform;
use crate::providers::shared::api::Api;
use crate::providers::shared::reply;

decoded! {
    struct CompleteReply {
        media_upload_id: Option<String> = "mediaUploadId",
    }
}

/// Completes an upload in parts. `unknown`: an earlier call may have completed it, but its answer was lost.
///
/// # Errors
/// What the vendor's refusal means; `outcome-unknown` if the upload may be completed nevertheless.
pub(super) async fn complete<P: Platform>(
    api: &Api,
    cx: &Context<P>,
    url: &str,
    upload_id: &str,
    unknown: bool,
) -> Result<Outcome<P::Json>> {
    let mut request = api.request_to(Step::Complete, Method::Post, url.into());
    request.body = Body::Json(P::Json::build(&JsonBuilder::Object(vec![("mediaUploadId", upload_id.into())])));
    // Whether it may be repeated is not published; the session's id is its key (assumed).
    let answer = api.call(cx, request, Idempotency::ByKey).await;
    let read = answer.and_then(|response| {
        let json = reply::parse::<P::Json>(Step::Complete, &response)?;
        let reply: CompleteReply = reply::decode(Step::Complete, &response, &json)?;
        Ok((json, reply))
    });
    let (json, reply) = read.map_err(|error| {
        let lost = error.answer_lost || unknown;
        error.answer_lost(lost).or_unknown()
    })?;
    let upload_id = reply.media_upload_id.unwrap_or_else(|| upload_id.into());
    Ok(media::outcome(Some(upload_id), Some(&json)))
}
