//! What start's reply describes: the parts, and where they go.

use crate::context::Context;
use crate::error::Result;
use crate::json::IdText;
use crate::json::decoded;
use crate::model::plan::{ByteRange, Part, Plan};
use crate::model::session::Session;
use crate::platform::Platform;
use crate::providers::{presigned_put, unusable};
use crate::util::ordered;
use crate::util::text;

/// S3's least size of a part that isn't the last (AWS, "Amazon S3 multipart upload limits").
const LEAST_PART: u64 = 5 << 20;

decoded! {
    /// Both shapes of the reply; which members are there decides.
    pub(super) struct StartReply {
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
        /// Not documented; if it comes, it wins over the rule.
        size: Option<u64> = "size",
    }
}

/// The session that a reply to start describes.
pub(super) fn session<P: Platform>(cx: &Context<P>, reply: StartReply) -> Result<Session<P>> {
    let mismatch = |what: String| unusable("Onlymonster", &what);
    let size = cx.file.size;
    let (plan, upload_id) = match (reply.upload_id, reply.parts.filter(|parts| !parts.is_empty()), reply.put_url) {
        (Some(upload_id), Some(parts), _) => (plan(size, parts), Some(upload_id)),
        (_, _, Some(put_url)) => {
            let part = Part { number: 1, range: ByteRange::new(0, size), url: Some(put_url) };
            (Plan::checked(size, vec![part]), None)
        }
        _ => return Err(mismatch("It has neither `put_url` nor `upload_id` and `parts`.".into())),
    };
    let plan = plan.map_err(mismatch)?;
    if let Some(number) = unsendable(&cx.platform, &plan) {
        return Err(mismatch(text!("Part {} has no https address.", number)));
    }
    for part in plan.parts() {
        if let Some(url) = part.url.as_deref().and_then(|url| cx.platform.resolve(url)) {
            presigned_put(cx, part, url).map_err(|error| error.part(part.number))?;
        }
    }
    let session = Session::new(plan, upload_id.is_some());
    let (key, get_url) = (Some(reply.key), Some(reply.get_url));
    Ok(Session { upload_id, key, record_id: reply.id.map(|id| id.0), get_url, ..session })
}

/// The plan for parts whose sizes the vendor doesn't give.
///
/// `max(ceil(S / N), 5 MiB)` for each, the last one takes the rest: equal parts, none below S3's minimum; fewer where that
/// suffices. (The rule is Partway's own; Onlymonster publishes none.)
fn plan(size: u64, mut parts: Vec<StartPart>) -> std::result::Result<Plan, String> {
    ordered::sort(&mut parts, |part| part.id);
    let count = parts.len() as u64;
    let each = size.div_ceil(count.max(1)).max(LEAST_PART);
    let sized = parts.iter().all(|part| part.size.is_some());
    let mut at = 0;
    let mut planned = Vec::with_capacity(parts.len());
    for part in parts {
        if at >= size && !sized {
            break;
        }
        let end = match part.size.filter(|_| sized) {
            Some(given) => at.saturating_add(given),
            None => (at + each).min(size),
        };
        planned.push(Part { number: part.id, range: ByteRange::new(at, end), url: Some(part.put_url) });
        at = end;
    }
    Plan::checked(size, planned)
}

/// The first part whose address no file should go to.
pub(super) fn unsendable<P: Platform>(platform: &P, plan: &Plan) -> Option<u32> {
    let mut parts = plan.parts().iter();
    let part = parts.find(|part| {
        // A relative one would lead to the page's own server.
        let url = part.url.as_deref().filter(|url| text::contains(url, "://")).and_then(|url| platform.resolve(url));
        !url.is_some_and(|url| url.is_safe_from(&platform.origin()))
    })?;
    Some(part.number)
}
