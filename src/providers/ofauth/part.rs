//! `PUT uploadUrl`: one part, or the whole file.

use super::session::OfauthSession;
use super::urls::classify_part;
use crate::context::Context;
use crate::error::{Code, Result, Step, UploadError};
use crate::http::{Body, Method, Request, Response, UrlKind};
use crate::json::{Json, decode, decoded};
use crate::model::plan::Part;
use crate::model::session::{Receipt, Session};
use crate::platform::{Platform, RequestOf};
use crate::providers::shared::api::Api;
use crate::providers::shared::presigned;

decoded! {
    struct PartReply {
        part_number: Option<u32> = "partNumber",
        etag: Option<String> = "etag",
    }
}

/// The request that sends a part.
///
/// # Errors
/// Those of [`classify_part`] and [`presigned::put_part`].
pub(super) async fn request<P: Platform>(
    api: &Api,
    cx: &Context<P>,
    session: &Session<OfauthSession>,
    part: &Part,
) -> Result<RequestOf<P>> {
    match classify_part(api, &cx.platform, part)? {
        (UrlKind::Api(url), _) => {
            api.wait_for_rate_limit(cx).await;
            let mut request = api.request_to(Step::Part, Method::Put, url);
            request.body = Body::File(cx.file().body(part.range, Some(cx.file().known_type())));
            if !session.multipart {
                api.add_key(cx, &mut request);
            }
            Ok(Request::Api(request))
        }
        (UrlKind::Presigned, url) => presigned::put_part(cx, part, url),
    }
}

/// Reads the answer to a part. `restored`: an earlier page may have sent the part too.
///
/// # Errors
/// What the vendor's refusal means; `server` for an answer that isn't the API's.
pub(super) fn receipt<P: Platform>(
    api: &Api,
    cx: &Context<P>,
    session: &Session<OfauthSession>,
    part: &Part,
    response: &Response,
    restored: bool,
) -> Result<Receipt<P::Json>> {
    api.answered(cx, response);
    let is_presigned = || matches!(classify_part(api, &cx.platform, part), Ok((UrlKind::Presigned, _)));
    if !response.ok() {
        let error = api.refusal(response, cx.platform.now()).at(Step::Part);
        return Err(match error.code {
            // An earlier page may have sent it without receiving the answer.
            Code::Conflict if restored && !session.multipart => error.answer_lost(true),
            Code::Unauthorized | Code::Forbidden if is_presigned() => error.hint(
                "The request had no keys, because the part's URL leads to an origin that isn't trusted. Map the URL onto your proxy with `mapUrl`, or name its origin in `trustedOrigins`.",
            ),
            _ => error,
        });
    }
    let header = response.header("etag").map(str::to_owned);
    let json = P::Json::parse(&response.body);
    // A proxy may drop the body, but a body that is present must be the API's.
    if json.is_none() && !response.body.trim_ascii().is_empty() && !is_presigned() {
        let message = text!("The answer to the part must be JSON, but is something else.{}", response.attribution());
        return Err(UploadError::new(Code::Server, message)
            .at(Step::Part)
            .hint("Check that `baseUrl` leads to OFAuth, and that nothing between answers in its place.")
            .answer_lost(true));
    }
    if !session.multipart {
        return Ok(Receipt { reply: json, ..Receipt::new(part.number, header) });
    }
    let reply = json.as_ref().and_then(|json| decode::<_, PartReply>(json).ok());
    if let Some(number) = reply.as_ref().and_then(|reply| reply.part_number).filter(|number| *number != part.number) {
        let message = text!("The answer's `partNumber` must be {}, but is {}.", part.number, number);
        return Err(UploadError::new(Code::Server, message).at(Step::Part));
    }
    Ok(Receipt::new(part.number, reply.and_then(|reply| reply.etag).or(header)))
}
