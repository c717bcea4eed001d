//! `POST /uploads/check`: whether the vault has the file already.

use std::future::poll_fn;

use super::media;
use super::vendor::CHECK;
use crate::context::Context;
use crate::context::calls::Idempotency;
use crate::context::integrity::{combined, md5_of};
use crate::error::{Result, Step};
use crate::http::{Body, Method};
use crate::json::{Json, JsonBuilder, decoded};
use crate::model::events::{Outcome, Proof, ProofBy};
use crate::model::plan::Plan;
use crate::platform::Platform;
use crate::providers::shared::api::Api;
use crate::providers::shared::reply;
use crate::sync::in_flight::InFlight;
use crate::util::hex::hex;
use crate::util::text;

/// Parts that are hashed at once: as many as a worker has lanes for. (A choice.)
const AT_ONCE: usize = 4;
/// Bytes a second that a line is assumed to carry until something was measured: 100 Mbit/s. (A choice: the slower the line is, the longer
/// hashing may take, and the more it saves.)
const USUAL_RATE: u64 = 12_500_000;
/// Hashing may take this share of the time that sending would. (A choice: most files aren't there.)
const SHARE: u64 = 10;

decoded! {
    struct CheckReply {
        exists: bool = "exists",
    }
}

/// Looks the file up by the ETag that uploading it in parts of that size would give. A failed check is ignored: the check only saves
/// time.
///
/// # Errors
/// Those of [`md5_of`].
pub(super) async fn check<P: Platform>(api: &Api, cx: &Context<P>, part_size: u64) -> Result<Option<Outcome<P::Json>>> {
    let expected = expected_etag(cx, part_size).await.map_err(|error| error.at(Step::Check))?;
    let Some((value, parts)) = expected else { return Ok(None) };
    let mut request = api.request(Step::Check, Method::Post, CHECK, "");
    let etag = text::concat(&["\"", &value, "\""]);
    let body = JsonBuilder::Object(vec![("etag", (&etag).into()), ("size", cx.file().size.into())]);
    request.body = Body::Json(P::Json::build(&body));
    let Ok(response) = api.call(cx, request, Idempotency::BestEffort).await else { return Ok(None) };
    let Ok(json) = reply::parse::<P::Json>(Step::Check, &response) else { return Ok(None) };
    let Ok(reply) = reply::decode::<_, CheckReply>(Step::Check, &response, &json) else { return Ok(None) };
    let proof = Some(Proof { by: ProofBy::EtagMd5, value, parts });
    let outcome = Outcome { proof, ..media::outcome(None, Some(&json)) };
    Ok(Some(outcome).filter(|outcome| reply.exists && outcome.media_id.is_some()))
}

/// The ETag of the file in parts of that size, and how many they are; None if hashing takes too long, or the file can't be read.
async fn expected_etag<P: Platform>(cx: &Context<P>, part_size: u64) -> Result<Option<(String, u32)>> {
    let size = cx.file().size;
    let Ok(plan) = Plan::equal(size, part_size) else { return Ok(None) };
    let (parts, began_at) = (plan.parts(), cx.platform.now());
    let mut etags = vec![None; parts.len()];
    for some in parts.chunks(AT_ONCE) {
        let mut in_flight = InFlight::default();
        for part in some {
            in_flight.push(part.number, md5_of(cx, part.range));
        }
        while !in_flight.is_empty() {
            let (number, md5) = poll_fn(|context| in_flight.poll_completed(context)).await;
            let Some(md5) = md5? else { return Ok(None) };
            etags[number as usize - 1] = Some(hex(&md5));
        }
        let hashed = some.last().map_or(size, |part| part.range.end);
        let may_take_ms = hashed.saturating_mul(1000) / (cx.measured_rate().unwrap_or(USUAL_RATE).max(1) * SHARE);
        if hashed < size && cx.platform.now().saturating_sub(began_at) > may_take_ms {
            return Ok(None);
        }
    }
    let etag = match etags.as_slice() {
        [whole] => whole.clone(),
        etags => combined(etags.iter().map(|etag| etag.as_deref())),
    };
    Ok(etag.map(|etag| (etag, parts.len() as u32)))
}
