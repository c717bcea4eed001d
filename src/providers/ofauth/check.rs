//! `POST /uploads/check`: whether the vault has the file already.

use super::media;
use super::vendor::{CHECK, PART_SIZE};
use crate::context::Context;
use crate::context::calls::Idempotency;
use crate::context::integrity;
use crate::error::{Result, Step};
use crate::http::{Body, Method};
use crate::json::{Json, JsonBuilder, decoded};
use crate::model::events::Outcome;
use crate::model::plan::ByteRange;
use crate::platform::Platform;
use crate::providers::shared::api::Api;
use crate::providers::shared::reply;
use crate::util::hex::hex;
use crate::util::text;

decoded! {
    struct CheckReply {
        exists: bool = "exists",
    }
}

/// Looks the file up by its ETag, which is known before init for a file of one part. A failed check is ignored: the check only saves
/// time.
///
/// # Errors
/// Those of [`integrity::md5_of`].
pub(super) async fn check<P: Platform>(api: &Api, cx: &Context<P>) -> Result<Option<Outcome<P::Json>>> {
    if cx.file.size > PART_SIZE {
        return Ok(None);
    }
    let whole = ByteRange::new(0, cx.file.size);
    let md5 = integrity::md5_of(cx, whole).await.map_err(|error| error.at(Step::Check))?;
    let Some(md5) = md5 else { return Ok(None) };
    let mut request = api.request(Step::Check, Method::Post, CHECK, "");
    let etag = text::concat(&["\"", &hex(&md5), "\""]);
    let body = JsonBuilder::Object(vec![("etag", (&etag).into()), ("size", cx.file.size.into())]);
    request.body = Body::Json(P::Json::build(&body));
    let Ok(response) = api.call(cx, request, Idempotency::BestEffort).await else { return Ok(None) };
    let Ok(json) = reply::parse::<P::Json>(Step::Check, &response) else { return Ok(None) };
    let Ok(reply) = reply::decode::<_, CheckReply>(Step::Check, &response, &json) else { return Ok(None) };
    let outcome = media::outcome(None, Some(&json));
    Ok(Some(outcome).filter(|outcome| reply.exists && outcome.media_id.is_some()))
}
