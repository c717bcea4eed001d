//! Reads a server's answer: a 2xx answer as a typed value, any other as an error.

use crate::error::{Code, Result, Retry, Step, UploadError, Vendor};
use crate::http::Response;
use crate::json::{Decode, Json, decode_member};
use crate::util::text;

/// Reads a 2xx answer.
///
/// # Errors
/// `server`, with `answer_lost`: the call took effect, but its answer is unusable.
pub(crate) fn read<J: Json, T: Decode<J>>(step: Step, response: &Response) -> Result<T> {
    let json: J = parse(step, response)?;
    decode(step, response, &json)
}

/// Parses a 2xx answer as JSON.
///
/// # Errors
/// Those of [`read`].
pub(crate) fn parse<J: Json>(step: Step, response: &Response) -> Result<J> {
    J::parse(&response.body).ok_or_else(|| unreadable(step, response, "it isn't JSON"))
}

/// Decodes the JSON of a 2xx answer.
///
/// # Errors
/// Those of [`read`].
pub(crate) fn decode<J: Json, T: Decode<J>>(step: Step, response: &Response, json: &J) -> Result<T> {
    T::decode(Some(json)).map_err(|mismatch| unreadable(step, response, &mismatch.message()))
}

/// Decodes a member of the JSON of a 2xx answer.
///
/// # Errors
/// Those of [`read`].
pub(crate) fn member<J: Json, T: Decode<J>>(step: Step, response: &Response, json: &J, name: &str) -> Result<T> {
    decode_member(json, name).map_err(|mismatch| unreadable(step, response, &mismatch.message()))
}

fn unreadable(step: Step, response: &Response, why: &str) -> UploadError {
    let message = text!("The server's answer must be the documented JSON: {}.{}", why, response.attribution());
    UploadError::new(Code::Server, message).at(step).status(response.status).retry(Retry::Never).answer_lost(true)
}

/// The code, message and request id of a vendor's error.
///
/// OFAuth publishes three shapes: `{error, type, requestId, actionRequired}`, `{error, code, details}` and `{message, code, details}`
/// (OFAuth, API reference and SDKs); apifansly has `{statusCode, message}`. Members that aren't strings are ignored.
pub(crate) fn vendor_words<J: Json>(response: &Response) -> Vendor {
    words::<J>(response, &["message", "error", "details"])
}

/// The same, with the message in the first of these members that is a text.
pub(crate) fn words<J: Json>(response: &Response, messages: &[&str]) -> Vendor {
    let body = J::parse(&response.body);
    let member = |name: &&str| {
        let member = body.as_ref()?.member(name)?;
        String::decode(Some(&member)).ok().filter(|words| !words.is_empty())
    };
    let first = |names: &[&str]| names.iter().find_map(member);
    let header = |name: &&str| response.header(name).map(Into::into);
    Vendor {
        code: first(&["code", "type"]),
        message: first(messages),
        request_id: first(&["requestId"]).or_else(|| ["x-request-id", "x-amz-request-id"].iter().find_map(header)),
    }
}

/// A rule that maps answers other than 2xx to an error, by their code or else by their status.
pub(crate) struct Meaning {
    code: Code,
    again: Again,
    what: &'static str,
    hint: &'static str,
    codes: &'static [&'static str],
    statuses: &'static [u16],
}

/// Whether to retry: [`Retry`] without the time that a server asks to wait.
#[derive(Clone, Copy)]
enum Again {
    Never,
    Later,
    Restart,
}

impl Meaning {
    /// An error that the same request would meet again.
    pub(crate) const fn never(code: Code, what: &'static str) -> Self {
        Self { code, again: Again::Never, what, hint: "", codes: &[], statuses: &[] }
    }

    /// An error that may be over when the request is retried.
    pub(crate) const fn again(code: Code, what: &'static str) -> Self {
        Self { again: Again::Later, ..Self::never(code, what) }
    }

    /// An error that only a new session can resolve.
    pub(crate) const fn restart(code: Code, what: &'static str) -> Self {
        Self { again: Again::Restart, ..Self::never(code, what) }
    }

    /// Sets what to do about it.
    pub(crate) const fn hint(self, hint: &'static str) -> Self {
        Self { hint, ..self }
    }

    /// Sets the codes that it covers, whatever the status.
    pub(crate) const fn codes(self, codes: &'static [&'static str]) -> Self {
        Self { codes, ..self }
    }

    /// Sets the statuses that it covers where no rule has the code; 400 and 500 stand for all 4xx and 5xx that no rule names.
    pub(crate) const fn statuses(self, statuses: &'static [u16]) -> Self {
        Self { statuses, ..self }
    }

    /// Finds the rule for a code, or else for a status; the last rule is the default.
    pub(crate) fn of(meanings: &'static [Self], code: &str, status: u16) -> &'static Self {
        let by_status = |status: u16| meanings.iter().find(|meaning| meaning.statuses.contains(&status));
        let found =
            Self::of_code(meanings, code).or_else(|| by_status(status)).or_else(|| by_status(status / 100 * 100));
        found.unwrap_or(&meanings[meanings.len() - 1])
    }

    /// Finds the rule for a code alone.
    pub(crate) fn of_code(meanings: &'static [Self], code: &str) -> Option<&'static Self> {
        meanings.iter().find(|meaning| meaning.codes.contains(&code))
    }

    /// The error for an answer: what it means, who answered, and the vendor's own message.
    pub(crate) fn error(&self, response: &Response, vendor: Vendor, now: u64) -> UploadError {
        let mut message = text::concat(&[self.what, &response.attribution()]);
        if let Some(words) = &vendor.message {
            message.push_str(" It says: ");
            message.push_str(words);
        }
        let mut error = UploadError::new(self.code, message).status(response.status).vendor(vendor);
        if !self.hint.is_empty() {
            error = error.hint(self.hint);
        }
        let retry = match self.again {
            Again::Never => Retry::Never,
            Again::Later => Retry::Later(response.wait_ms(now)),
            Again::Restart => Retry::Restart,
        };
        // A 200 with an error in its body is a failure of the server (AWS, CompleteMultipartUpload).
        error.retry(retry).answer_lost(response.ok() || response.status >= 500)
    }
}

const MEANINGS: &[Meaning] = &[
    Meaning::never(Code::Unauthorized, "The server expects authentication, but the request has none that is valid.")
        .hint("Check the session or key that the proxy (or `beforeRequest`) adds to this request.")
        .statuses(&[401]),
    Meaning::never(Code::Forbidden, "The server denies access.").statuses(&[403]),
    Meaning::restart(Code::SessionExpired, "The server doesn't know this upload: it has ended, or was never opened.")
        .statuses(&[404, 410]),
    Meaning::never(Code::Conflict, "The server reports a conflict (409).").statuses(&[409]),
    Meaning::never(Code::TooLarge, "The file is larger than the server accepts.").statuses(&[413]),
    Meaning::never(Code::UnsupportedType, "The server doesn't accept files of this type.").statuses(&[415]),
    Meaning::again(Code::Network, "The server timed out while it waited for the request.").statuses(&[408, 425]),
    Meaning::again(Code::RateLimited, "The server has too many requests (rate limit).").statuses(&[429]),
    Meaning::never(Code::BadRequest, "The server says that the request is invalid.").statuses(&[400]),
    Meaning::again(Code::Server, "The server failed with an internal error.").statuses(&[500]),
    Meaning::again(Code::Server, "The server answered with an unexpected status."),
];

/// The error for a status other than 2xx, with the vendor's own message. The status decides whether to retry.
pub(crate) fn refusal<J: Json>(response: &Response, now: u64) -> UploadError {
    refusal_in(response, vendor_words::<J>(response), now)
}

/// The same, in words that were read already.
pub(crate) fn refusal_in(response: &Response, vendor: Vendor, now: u64) -> UploadError {
    Meaning::of(MEANINGS, "", response.status).error(response, vendor, now)
}
