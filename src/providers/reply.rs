//! Reading what a server said: typed where it is JSON, and as an error where it refuses.

use crate::error::{Code, Result, Retry, Step, UploadError, Vendor};
use crate::http::Response;
use crate::json::{self, Decode, Fill};
use crate::platform::Platform;
use crate::text;

/// An answer's JSON: what the provider reads of it, and the whole.
#[derive(Clone, Debug)]
pub(crate) struct Reply<P: Platform, T> {
    /// The members that the provider knows.
    pub(crate) value: T,
    /// All of it.
    pub(crate) json: P::Json,
}

/// Decodes a 2xx answer.
///
/// # Errors
/// `server`, with `answer_lost`: the call took effect, and nothing usable came back.
pub(crate) fn read<P: Platform, T: Decode>(platform: &P, step: Step, response: &Response) -> Result<Reply<P, T>> {
    let mut value = T::default();
    let json = fill(platform, step, response, &mut value)?;
    Ok(Reply { value, json })
}

fn fill<P: Platform>(platform: &P, step: Step, response: &Response, value: &mut dyn Fill<P>) -> Result<P::Json> {
    let read = match platform.parse(&response.body) {
        Some(json) => json::fill(platform, Some(&json), value).map(|()| json),
        None => Err("it isn't JSON".into()),
    };
    read.map_err(|why| {
        UploadError::new(Code::Server, text::fill("The server's answer makes no sense: {}.", &[&why]))
            .at(step)
            .status(response.status)
            .retry(Retry::Never)
            .answer_lost(true)
    })
}

/// The vendor's own words in an answer that isn't 2xx.
///
/// OFAuth publishes three shapes: `{error, type, requestId, actionRequired}`, `{error, code, details}` and `{message, code, details}`
/// (OFAuth, API reference and SDKs); apifansly has `{statusCode, message}`. A member that is no text is passed over.
pub(crate) fn vendor_words<P: Platform>(platform: &P, response: &Response) -> Vendor {
    let body = platform.parse(&response.body);
    let text = |name: &str| {
        let member = platform.member(body.as_ref()?, name)?;
        let text: String = json::decode(platform, &member).ok()?;
        // A page of HTML in a JSON string helps nobody.
        (!text.is_empty()).then(|| text.chars().take(500).collect::<String>())
    };
    Vendor {
        code: text("code").or_else(|| text("type")),
        message: text("message").or_else(|| text("error")).or_else(|| text("details")),
        request_id: text("requestId")
            .or_else(|| response.header("x-request-id").map(Into::into))
            .or_else(|| response.header("x-amz-request-id").map(Into::into)),
    }
}

/// What a status means that isn't 2xx, with the vendor's words. The status decides whether another try is worth it.
pub(crate) fn refusal<P: Platform>(platform: &P, response: &Response) -> UploadError {
    let vendor = vendor_words(platform, response);
    let status = response.status;
    let wish = response.wait_ms(platform.now());
    let (code, what) = match status {
        401 => (Code::Unauthorized, "The server doesn't know who is asking."),
        403 => (Code::Forbidden, "The server refuses."),
        404 | 410 => (Code::SessionExpired, "The server doesn't know this upload (any more)."),
        409 => (Code::Conflict, "The server says that this conflicts with something."),
        413 => (Code::TooLarge, "The server takes no file of this size."),
        415 => (Code::UnsupportedType, "The server takes no file of this type."),
        408 | 425 => (Code::Network, "The server gave the request up."),
        429 => (Code::RateLimited, "The server takes no more requests for a while."),
        400..=499 => (Code::BadRequest, "The server refuses the request as it is."),
        500..=599 => (Code::Server, "The server failed."),
        _ => (Code::Server, "The server answered with a status that makes no sense here."),
    };
    let message = match &vendor.message {
        Some(words) => text::fill("{} It says: {}", &[&what, &words]),
        None => what.into(),
    };
    let mut error = UploadError::new(code, message).status(status).answer_lost(status >= 500);
    error = match code {
        Code::RateLimited | Code::Network | Code::Server => error.retry(Retry::Later(wish)),
        Code::Unauthorized => {
            error.hint("Check the session or key that the proxy (or `beforeRequest`) adds to this request.")
        }
        _ => error,
    };
    error.vendor(vendor)
}
