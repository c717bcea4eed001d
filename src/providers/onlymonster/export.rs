//! Step 6 of the guide, `POST /export`: hands the stored object over to the vault's processing.

use super::call_once::OnceCall;
use super::options::Options;
use super::record::Record;
use super::session::OnlymonsterSession;
use crate::error::{Result, Step};
use crate::http::Response;
use crate::json::{Json, JsonBuilder};
use crate::providers::shared::reply;

/// The call for a stored object of that ETag. It returns the record's id.
pub(super) fn export<J: Json>(
    session: &OnlymonsterSession,
    etag: &str,
    options: &Options,
    fan_id: Option<&str>,
) -> OnceCall<J> {
    // Assumed: that the key is sent too.
    let mut body = vec![
        ("key", (&session.key).into()),
        ("e_tag", etag.into()),
        ("get_url", (&session.get_url).into()),
        ("export_type", (&options.export_type).into()),
    ];
    if let Some(fan_id) = fan_id {
        body.push(("export_fan_id", fan_id.into()));
    }
    let body = J::build(&JsonBuilder::Object(body));
    OnceCall { step: Step::Export, path: "/export", body, read: read::<J>, shown: Record::exported_id }
}

fn read<J: Json>(response: &Response) -> Result<String> {
    let record: Record = reply::read::<J, _>(Step::Export, response)?;
    Ok(record.id.0)
}
