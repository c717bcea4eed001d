//! `POST /uploads/init`: the request, and the plan and session in its reply.

use super::session::OfauthSession;
use super::urls::{classify, classify_part, may_go, unusable};
use super::vendor::{COMPLETE, INIT, UPLOADS};
use crate::context::Context;
use crate::context::calls::Idempotency;
use crate::error::{Code, Result, Step, UploadError};
use crate::http::{Body, Method, Response, UrlKind, encode_segment};
use crate::json::{Json, JsonBuilder, decoded};
use crate::model::plan::{ByteRange, Part, Plan};
use crate::model::session::Session;
use crate::platform::Platform;
use crate::providers::shared::api::Api;
use crate::providers::shared::{presigned, reply};
use crate::util::time;

decoded! {
    struct InitReply {
        media_upload_id: String = "mediaUploadId",
        upload_type: Option<String> = "uploadType",
        total_parts: Option<u64> = "totalParts",
        expires_at: Option<String> = "expiresAt",
        parts: Option<Vec<InitPart>> = "parts",
        complete_url: Option<String> = "completeUrl",
    }

    struct InitPart {
        part_number: u32 = "partNumber",
        upload_url: String = "uploadUrl",
        byte_range: InclusiveRange = "byteRange",
    }

    /// `end` is the last byte.
    struct InclusiveRange {
        start: u64 = "start",
        end: u64 = "end",
    }
}

/// Opens an upload session. One that is never used costs nothing, so init may be repeated.
///
/// # Errors
/// `file-rejected` without a content type, what the vendor's refusal means, `plan-mismatch` for a reply that no byte should be sent by.
pub(super) async fn init<P: Platform>(
    api: &Api,
    cx: &Context<P>,
    vault_upload: Option<&P::Json>,
) -> Result<Session<OfauthSession>> {
    let content_type = cx.file().known_type();
    if content_type.is_empty() {
        let message = text!("OFAuth needs a content type, but the type of \"{}\" is unknown.", cx.file().name);
        return Err(UploadError::new(Code::FileRejected, message).at(Step::Check).hint("Pass `contentType`."));
    }
    let mut request = api.request(Step::Init, Method::Post, INIT, "");
    let body = P::Json::build(&JsonBuilder::Object(vec![
        ("filename", (&cx.file().name).into()),
        ("size", cx.file().size.into()),
        ("contentType", content_type.into()),
    ]));
    request.body = Body::Json(match vault_upload {
        Some(vault_upload) => body.with("vaultUpload", vault_upload.clone()),
        None => body,
    });
    let response = api.call(cx, request, Idempotency::ByKey).await?;
    let reply: InitReply = reply::read::<P::Json, _>(Step::Init, &response)?;
    session(api, cx, reply, &response)
}

/// The session that a reply describes: by its body, else by its headers.
fn session<P: Platform>(
    api: &Api,
    cx: &Context<P>,
    reply: InitReply,
    response: &Response,
) -> Result<Session<OfauthSession>> {
    let InitReply { media_upload_id, upload_type, total_parts, expires_at, parts, complete_url } = reply;
    // The id becomes a path segment, and a segment of dots would lead to another path.
    if matches!(media_upload_id.as_str(), "" | "." | "..") {
        return Err(unusable(&text!("`mediaUploadId` must be an id, but is \"{}\".", media_upload_id)));
    }
    let size = cx.file().size;
    let (plan, multipart) = match parts.filter(|parts| !parts.is_empty()) {
        Some(parts) => {
            if let Some(total) = total_parts.filter(|total| *total != parts.len() as u64) {
                return Err(unusable(&text!(
                    "`parts` must have `totalParts` ({}) items, but has {}.",
                    total,
                    parts.len()
                )));
            }
            let multipart = is_multipart(upload_type.as_deref(), parts.len(), complete_url.is_some())
                .map_err(|why| unusable(&why))?;
            (plan_of_parts(size, parts).map_err(|why| unusable(&why))?, multipart)
        }
        None => {
            let plan = plan_of_headers(size, response)?;
            let single = plan.parts().len() == 1;
            (with_urls(plan, &media_upload_id, |path| api.origins.join(path, "")), !single)
        }
    };
    if !multipart && plan.parts().len() != 1 {
        let message = text!("An upload of `uploadType` \"single\" must have one part, but has {}.", plan.parts().len());
        return Err(unusable(&message));
    }
    let complete_url = match (multipart, complete_url) {
        (false, _) => None,
        (true, None) => Some(api.origins.join(COMPLETE, "")),
        (true, Some(url)) => Some(trusted_complete_url(api, cx, &url)?),
    };
    check_urls(api, cx, &plan)?;
    let state = OfauthSession { upload_id: media_upload_id, complete_url };
    let expires_at = expires_at.as_deref().and_then(time::parse_iso);
    Ok(Session { expires_at, ..Session::new(plan, multipart, state) })
}

/// Whether the upload is completed by a call: `uploadType` says so, and not the number of parts, which counts where it is absent.
fn is_multipart(upload_type: Option<&str>, parts: usize, completes: bool) -> Result<bool, String> {
    match upload_type {
        Some("multipart") => Ok(true),
        Some("single") => Ok(false),
        Some(other) => Err(text!("`uploadType` must be \"single\" or \"multipart\", but is \"{}\".", other)),
        None => Ok(parts > 1 || completes),
    }
}

/// The plan in the reply's body.
fn plan_of_parts(size: u64, parts: Vec<InitPart>) -> Result<Plan, String> {
    let mut planned = Vec::with_capacity(parts.len());
    for part in parts {
        let InclusiveRange { start, end } = part.byte_range;
        let Some(range) = ByteRange::from_inclusive(start, end) else {
            return Err(text!("`byteRange` of part {} ends before it starts: {} to {}.", part.part_number, start, end));
        };
        planned.push(Part { number: part.part_number, range, url: Some(part.upload_url) });
    }
    Plan::checked(size, planned)
}

/// The plan in the reply's headers, which older versions of the API have instead of `parts`; without URLs.
fn plan_of_headers(size: u64, response: &Response) -> Result<Plan> {
    let header = |name: &str| response.header(name).and_then(|value| value.trim_ascii().parse::<u64>().ok());
    let (Some(total), Some(part_size)) = (header("x-ofauth-upload-total-parts"), header("x-ofauth-upload-part-size"))
    else {
        return Err(unusable("The reply must have `parts` or layout headers, but the page can read neither.")
            .hint("Let the proxy expose x-ofauth-upload-total-parts and x-ofauth-upload-part-size by CORS."));
    };
    let plan = Plan::equal(size, part_size).map_err(|why| unusable(&why))?;
    let parts = plan.parts().len() as u64;
    if parts != total {
        let message = text!(
            "x-ofauth-upload-total-parts must be {} for {} bytes in parts of {}, but is {}.",
            parts,
            size,
            part_size,
            total
        );
        return Err(unusable(&message));
    }
    Ok(plan)
}

/// The same plan with the URLs that the reference names: one for a single part, else one for each part. `join` makes a URL from a
/// path.
fn with_urls(mut plan: Plan, upload_id: &str, join: impl Fn(&str) -> String) -> Plan {
    let id = encode_segment(upload_id);
    let single = plan.parts().len() == 1;
    for part in plan.parts_mut() {
        let path = if single { text!("{}{}", UPLOADS, id) } else { text!("{}{}/parts/{}", UPLOADS, id, part.number) };
        part.url = Some(join(&path));
    }
    plan
}

/// The reply's `completeUrl`, as it is called: it gets the keys.
fn trusted_complete_url<P: Platform>(api: &Api, cx: &Context<P>, url: &str) -> Result<String> {
    match classify(api, &cx.platform, Step::Complete, "completeUrl", url)? {
        (UrlKind::Api(url), _) => Ok(url),
        (UrlKind::Presigned, url) => {
            let message =
                text!("`completeUrl` must lead to OFAuth's API or a trusted origin, but leads to {}.", url.origin);
            Err(unusable(&message)
                .hint("Map the URL onto your proxy with `mapUrl`, or name its origin in `trustedOrigins`."))
        }
    }
}

/// Checks every URL before the first byte is sent.
fn check_urls<P: Platform>(api: &Api, cx: &Context<P>, plan: &Plan) -> Result<()> {
    for part in plan.parts() {
        let (kind, url) = classify_part(api, &cx.platform, part).map_err(|error| error.part(part.number))?;
        if !may_go(&cx.platform, &kind, &url) {
            return Err(unusable(&text!(
                "`uploadUrl` of part {} must lead to OFAuth's API or another https origin, but leads to {}.",
                part.number,
                url.origin
            )));
        }
        if kind == UrlKind::Presigned {
            presigned::put_part(cx, part, url).map_err(|error| error.part(part.number))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::decode;
    use serde_json::json;

    fn headers(total: &str, part_size: &str) -> Response {
        let headers = vec![
            ("x-ofauth-upload-total-parts".into(), total.into()),
            ("x-ofauth-upload-part-size".into(), part_size.into()),
        ];
        Response { headers, ..Response::default() }
    }

    fn part(number: u32, start: u64, end: u64) -> InitPart {
        let json = json!({ "partNumber": number, "uploadUrl": "https://api.ofauth.com/x", "byteRange": { "start": start, "end": end } });
        decode(&json).unwrap()
    }

    #[test]
    fn the_last_byte_of_a_range_is_in_it() {
        let plan = plan_of_parts(10, vec![part(1, 0, 4), part(2, 5, 9)]).unwrap();
        assert_eq!(plan.parts()[1].range, ByteRange::new(5, 10));
        assert_eq!(plan.parts()[0].url.as_deref(), Some("https://api.ofauth.com/x"));
    }

    #[test]
    fn the_guides_sample_cannot_be() {
        // OFAuth's guide: 1,024,000 bytes declared, two parts to byte 6,825,498.
        let parts = vec![part(1, 0, 5_242_879), part(2, 5_242_880, 6_825_498)];
        assert!(plan_of_parts(1_024_000, parts).is_err());
        assert!(plan_of_parts(10, vec![part(1, 9, 0)]).unwrap_err().contains("ends before"));
    }

    #[test]
    fn the_type_decides_before_the_number_of_parts() {
        for (upload_type, parts, completes, multipart) in [
            (Some("multipart"), 1, false, Some(true)),
            (Some("single"), 2, true, Some(false)),
            (Some("streamed"), 1, false, None),
            (None, 1, false, Some(false)),
            (None, 1, true, Some(true)),
            (None, 2, false, Some(true)),
        ] {
            assert_eq!(is_multipart(upload_type, parts, completes).ok(), multipart, "{upload_type:?} {parts}");
        }
    }

    #[test]
    fn headers_describe_equal_parts() {
        let plan = plan_of_headers(12, &headers(" 3 ", "5")).unwrap();
        assert_eq!(plan.parts().iter().map(|part| part.range.len()).collect::<Vec<_>>(), [5, 5, 2]);
        for (total, part_size) in [("2", "5"), ("3", "0"), ("three", "5"), ("", "")] {
            assert_eq!(
                plan_of_headers(12, &headers(total, part_size)).unwrap_err().code,
                Code::PlanMismatch,
                "{total}"
            );
        }
        let hidden = plan_of_headers(12, &Response::default()).unwrap_err();
        assert!(hidden.hint.as_ref().is_some_and(|hint| hint.contains("x-ofauth-upload-part-size")), "{hidden:?}");
    }

    #[test]
    fn urls_are_the_references() {
        let urls = |size| {
            let plan = with_urls(Plan::equal(size, 5).unwrap(), "upload:a/b", |path| path.into());
            plan.parts().iter().map(|part| part.url.clone().unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(urls(5), ["/v2/access/uploads/upload%3Aa%2Fb"]);
        assert_eq!(urls(6), ["/v2/access/uploads/upload%3Aa%2Fb/parts/1", "/v2/access/uploads/upload%3Aa%2Fb/parts/2"]);
    }
}
