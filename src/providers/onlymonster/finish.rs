//! Step 5 of the guide, `POST /finish`: completes a multipart upload.

use super::call_once::OnceCall;
use super::record::Record;
use crate::error::{Result, Step};
use crate::http::Response;
use crate::json::{Json, JsonBuilder, decoded};
use crate::providers::shared::reply;

decoded! {
    struct FinishReply {
        e_tag: String = "e_tag",
    }
}

/// The call for parts of these numbers and ETags. It returns the object's ETag.
pub(super) fn finish<J: Json>(key: &str, upload_id: &str, parts: &[(u32, &str)]) -> OnceCall<J> {
    let parts = parts
        .iter()
        .map(|(number, etag)| JsonBuilder::Object(vec![("part", (*number).into()), ("e_tag", (*etag).into())]));
    // Assumed: that the key and the upload id are sent too.
    let body = J::build(&JsonBuilder::Object(vec![
        ("key", key.into()),
        ("upload_id", upload_id.into()),
        ("parts", JsonBuilder::List(parts.collect())),
    ]));
    OnceCall { step: Step::Complete, path: "/finish", body, read: read::<J>, shown: Record::finished_etag }
}

fn read<J: Json>(response: &Response) -> Result<String> {
    let reply: FinishReply = reply::read::<J, _>(Step::Complete, response)?;
    Ok(reply.e_tag)
}
