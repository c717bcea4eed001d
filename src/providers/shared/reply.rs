//! Reading what a server said: typed where it is JSON, and as an error where it refuses.

use crate::error::{Code, Result, Retry, Step, UploadError, Vendor};
use crate::http::Response;
use crate::json::{Decode, Json};

/// Reads a 2xx answer.
///
/// # Errors
/// `server`, with `answer_lost`: the call took effect, and nothing usable came back.
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

fn unreadable(step: Step, response: &Response, why: &str) -> UploadError {
    UploadError::new(Code::Server, text!("The server's answer can't be used: {}.", why))
        .at(step)
        .status(response.status)
        .retry(Retry::Never)
        .answer_lost(true)
}

/// The vendor's own words in an answer that isn't 2xx.
///
/// OFAuth publishes three shapes: `{error, type, requestId, actionRequired}`, `{error, code, details}` and `{message, code, details}`
/// (OFAuth, API reference and SDKs); apifansly has `{statusCode, message}`. A member that is no string is passed over.
pub(crate) fn vendor_words<J: Json>(response: &Response) -> Vendor {
    let body = J::parse(&response.body);
    let member = |name: &&str| {
        let member = body.as_ref()?.member(name)?;
        String::decode(Some(&member)).ok().filter(|words| !words.is_empty())
    };
    let first = |names: &[&str]| names.iter().find_map(member);
    let header = |name: &&str| response.header(name).map(Into::into);
    Vendor {
        code: first(&["code", "type"]),
        message: first(&["message", "error", "details"]),
        request_id: first(&["requestId"]).or_else(|| ["x-request-id", "x-amz-request-id"].iter().find_map(header)),
    }
}

/// What answers mean that aren't 2xx: those with certain codes, or else with certain statuses.
pub(crate) struct Meaning {
    code: Code,
    again: Again,
    what: &'static str,
    hint: &'static str,
    codes: &'static [&'static str],
    statuses: &'static [u16],
}

/// Whether another try is worth it: [`Retry`] without the server's wish.
#[derive(Clone, Copy)]
enum Again {
    Never,
    Later,
    Restart,
}

impl Meaning {
    /// The same request would fail the same way.
    pub(crate) const fn never(code: Code, what: &'static str) -> Self {
        Self { code, again: Again::Never, what, hint: "", codes: &[], statuses: &[] }
    }

    /// The same request may succeed.
    pub(crate) const fn again(code: Code, what: &'static str) -> Self {
        Self { again: Again::Later, ..Self::never(code, what) }
    }

    /// Only a new session can succeed.
    pub(crate) const fn restart(code: Code, what: &'static str) -> Self {
        Self { again: Again::Restart, ..Self::never(code, what) }
    }

    /// What to do about it.
    pub(crate) const fn hint(self, hint: &'static str) -> Self {
        Self { hint, ..self }
    }

    /// The codes that mean it, whatever the status.
    pub(crate) const fn codes(self, codes: &'static [&'static str]) -> Self {
        Self { codes, ..self }
    }

    /// The statuses that mean it without a code; 400 and 500 stand for all of theirs that aren't named.
    pub(crate) const fn statuses(self, statuses: &'static [u16]) -> Self {
        Self { statuses, ..self }
    }

    /// What a code or else a status means; the last of them where nothing else fits.
    pub(crate) fn of(meanings: &'static [Self], code: &str, status: u16) -> &'static Self {
        let by_status = |status: u16| meanings.iter().find(|meaning| meaning.statuses.contains(&status));
        let by_code = meanings.iter().find(|meaning| meaning.codes.contains(&code));
        let found = by_code.or_else(|| by_status(status)).or_else(|| by_status(status / 100 * 100));
        found.unwrap_or(&meanings[meanings.len() - 1])
    }

    /// The error that it is for an answer, with the vendor's words.
    pub(crate) fn error(&self, response: &Response, vendor: Vendor, now: u64) -> UploadError {
        let mut error = UploadError::new(self.code, self.what).status(response.status).vendor(vendor);
        if let Some(words) = error.vendor.as_ref().and_then(|vendor| vendor.message.as_ref()) {
            let message = text!("{} It says: {}", self.what, words);
            error = error.renamed(self.code, message);
        }
        if !self.hint.is_empty() {
            error = error.hint(self.hint);
        }
        let retry = match self.again {
            Again::Never => Retry::Never,
            Again::Later => Retry::Later(response.wait_ms(now)),
            Again::Restart => Retry::Restart,
        };
        // An answer that began well and ended with an error is a failure of the server's (AWS, CompleteMultipartUpload).
        error.retry(retry).answer_lost(response.ok() || response.status >= 500)
    }
}

const MEANINGS: &[Meaning] = &[
    Meaning::never(Code::Unauthorized, "The server doesn't know who is asking.")
        .hint("Check the session or key that the proxy (or `beforeRequest`) adds to this request.")
        .statuses(&[401]),
    Meaning::never(Code::Forbidden, "The server refuses.").statuses(&[403]),
    Meaning::restart(Code::SessionExpired, "The server doesn't know this upload (any more).").statuses(&[404, 410]),
    Meaning::never(Code::Conflict, "The server says that this conflicts with something.").statuses(&[409]),
    Meaning::never(Code::TooLarge, "The server takes no file of this size.").statuses(&[413]),
    Meaning::never(Code::UnsupportedType, "The server takes no file of this type.").statuses(&[415]),
    Meaning::again(Code::Network, "The server gave the request up.").statuses(&[408, 425]),
    Meaning::again(Code::RateLimited, "The server takes no more requests for a while.").statuses(&[429]),
    Meaning::never(Code::BadRequest, "The server refuses the request as it is.").statuses(&[400]),
    Meaning::again(Code::Server, "The server failed.").statuses(&[500]),
    Meaning::again(Code::Server, "The server answered with a status that makes no sense here."),
];

/// What a status means that isn't 2xx, with the vendor's words. The status decides whether another try is worth it.
pub(crate) fn refusal<J: Json>(response: &Response, now: u64) -> UploadError {
    Meaning::of(MEANINGS, "", response.status).error(response, vendor_words::<J>(response), now)
}
