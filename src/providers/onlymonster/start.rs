//! Step 3 of the guide, `POST /start`: reserves a key and returns presigned URLs.

use super::client::Client;
use super::list::UploadList;
use super::session::OnlymonsterSession;
use crate::context::Context;
use crate::context::calls::Idempotency;
use crate::context::retry::RetryLoop;
use crate::error::{Result, Retry, Step};
use crate::http::Body;
use crate::json::{IdText, Json, JsonBuilder, decoded};
use crate::model::plan::{ByteRange, Part, Plan};
use crate::model::session::Session;
use crate::platform::Platform;
use crate::providers::shared::errors::unusable_plan;
use crate::providers::shared::presigned::{absolute_url, put_part};
use crate::providers::shared::reply;
use crate::util::ordered;

/// S3's minimum size of a part that isn't the last (AWS, "Amazon S3 multipart upload limits").
const MIN_PART_SIZE: u64 = 5 << 20;

decoded! {
    /// Both variants of the reply: its members decide which one it is, not the file's size.
    struct StartReply {
        put_url: Option<String> = "put_url",
        upload_id: Option<String> = "upload_id",
        parts: Option<Vec<StartPart>> = "parts",
        get_url: String = "get_url",
        key: String = "key",
        id: Option<IdText> = "id",
    }

    struct StartPart {
        id: u32 = "id",
        put_url: String = "put_url",
        /// Not documented. Where it is given, it replaces the computed size.
        size: Option<u64> = "size",
    }
}

/// Starts an upload.
pub(super) async fn start<P: Platform>(
    client: &Client,
    list: &UploadList,
    cx: &Context<P>,
) -> Result<Session<OnlymonsterSession>> {
    // Assumed from a record's metadata.
    let body = P::Json::build(&JsonBuilder::Object(vec![
        ("name", (&cx.file().name).into()),
        ("size", cx.file().size.into()),
        ("content_type", cx.file().known_type().into()),
    ]));
    let mut retries = RetryLoop::default();
    loop {
        let request = client.post(Step::Init, "/start", Body::Json(body.clone()));
        let answer = client.call(cx, request, Idempotency::Unsafe).await;
        let error = match answer.and_then(|response| reply::read::<P::Json, _>(Step::Init, &response)) {
            Ok(reply) => return session(cx, reply),
            Err(error) if error.answer_lost && matches!(error.retry, Retry::Later(_)) => error,
            Err(error) => return Err(error),
        };
        // A record has no PUT URLs, and an upload that was never exported has no vault entry: so a second start is right, whatever
        // the list shows. Reading the list shows whether the API answers again.
        let listed = list.find(client, cx, &|_| true).await;
        retries.backoff(cx, listed.err().unwrap_or(error), &cx.settings.retry).await?;
    }
}

/// The session that a reply describes.
fn session<P: Platform>(cx: &Context<P>, reply: StartReply) -> Result<Session<OnlymonsterSession>> {
    let unusable = |why: String| unusable_plan("Onlymonster", &why);
    let size = cx.file().size;
    let (plan, upload_id) = match (reply.upload_id, reply.parts.filter(|parts| !parts.is_empty()), reply.put_url) {
        (Some(upload_id), Some(parts), _) => (multipart_plan(size, parts), Some(upload_id)),
        (_, _, Some(put_url)) => {
            let part = Part { number: 1, range: ByteRange::new(0, size), url: Some(put_url) };
            (Plan::checked(size, vec![part]), None)
        }
        _ => {
            return Err(unusable("Its reply must have `put_url`, or `upload_id` and `parts`, but has neither.".into()));
        }
    };
    let plan = plan.map_err(unusable)?;
    if let Some(number) = part_with_unsafe_url(&cx.platform, &plan) {
        return Err(unusable(text!("The `put_url` of part {} must be an https URL, but isn't.", number)));
    }
    for part in plan.parts() {
        if let Some(url) = part.url.as_deref().and_then(|url| cx.platform.resolve(url)) {
            put_part(cx, part, url).map_err(|error| error.part(part.number))?;
        }
    }
    let multipart = upload_id.is_some();
    let state = OnlymonsterSession::new(reply.key, reply.get_url, upload_id, reply.id.map(|id| id.0));
    Ok(Session::new(plan, multipart, state))
}

/// The plan for parts whose sizes the vendor doesn't give.
///
/// Each has `max(ceil(S / N), 5 MiB)`, and the last one the rest: equal parts, none below S3's minimum, and fewer than N where that
/// suffices. (A choice: Onlymonster publishes no rule.)
fn multipart_plan(size: u64, mut parts: Vec<StartPart>) -> std::result::Result<Plan, String> {
    ordered::sort(&mut parts, |part| part.id);
    let count = parts.len() as u64;
    let part_size = size.div_ceil(count.max(1)).max(MIN_PART_SIZE);
    let has_sizes = parts.iter().all(|part| part.size.is_some());
    let mut at = 0;
    let mut planned = Vec::with_capacity(parts.len());
    for part in parts {
        if at >= size && !has_sizes {
            break;
        }
        let end = match part.size.filter(|_| has_sizes) {
            Some(given) => at.saturating_add(given),
            None => (at + part_size).min(size),
        };
        planned.push(Part { number: part.id, range: ByteRange::new(at, end), url: Some(part.put_url) });
        at = end;
    }
    Plan::checked(size, planned)
}

/// The number of the first part whose URL is unsafe.
pub(super) fn part_with_unsafe_url<P: Platform>(platform: &P, plan: &Plan) -> Option<u32> {
    let mut parts = plan.parts().iter();
    let part = parts.find(|part| {
        let url = part.url.as_deref().and_then(|url| absolute_url(platform, url));
        !url.is_some_and(|url| url.is_safe_from(&platform.origin()))
    })?;
    Some(part.number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parts(sizes: &[Option<u64>]) -> Vec<StartPart> {
        let part = |(index, size): (usize, &Option<u64>)| StartPart {
            id: index as u32 + 1,
            put_url: String::new(),
            size: *size,
        };
        sizes.iter().enumerate().map(part).collect()
    }

    #[test]
    fn sizes_that_the_reply_gives_hold() {
        let plan = multipart_plan(10, parts(&[Some(3), Some(7)])).unwrap();
        assert_eq!(plan.parts().iter().map(|part| part.range.len()).collect::<Vec<_>>(), [3, 7]);
        assert!(multipart_plan(10, parts(&[Some(3), Some(8)])).is_err());
        assert!(multipart_plan(10, parts(&[Some(u64::MAX), Some(u64::MAX)])).is_err());
    }

    proptest! {
        #[test]
        fn parts_without_sizes_are_equal_and_not_below_the_minimum(size in 1u64..1 << 40, count in 1usize..200) {
            let plan = multipart_plan(size, parts(&vec![None; count])).unwrap();
            let (last, rest) = plan.parts().split_last().unwrap();
            prop_assert!(plan.parts().len() <= count);
            for part in rest {
                prop_assert_eq!(part.range.len(), plan.parts()[0].range.len());
                prop_assert!(part.range.len() >= MIN_PART_SIZE);
            }
            prop_assert!(last.range.len() <= plan.parts()[0].range.len());
        }
    }
}
