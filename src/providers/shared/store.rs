//! What a store's answer to a presigned request means, the same for every provider that sends bytes to S3.

use super::reply::Meaning;
use super::xml;
use crate::context::cors;
use crate::error::{Code, Result, Step, UploadError, Vendor};
use crate::http::Response;
use crate::model::plan::Part;
use crate::model::session::Receipt;
use crate::util::text;

/// Reads the answer to a part that went to a presigned URL.
///
/// # Errors
/// `etag-not-exposed` for a hidden ETag where one is `required`, else what the [`refusal`] means.
pub(crate) fn receipt<J>(
    part: &Part,
    response: &Response,
    page_origin: &str,
    now: u64,
    required: bool,
) -> Result<Receipt<J>> {
    if !response.ok() {
        return Err(refusal(response, now).at(Step::Part));
    }
    let etag = response.header("etag").filter(|etag| !etag.is_empty()).map(String::from);
    if etag.is_none() && required {
        return Err(cors::etag_hidden(page_origin));
    }
    Ok(Receipt { number: part.number, etag, reply: None })
}

/// What a store means by an answer that isn't 2xx, or by a 200 with an error in its body.
///
/// Codes: AWS S3 API Reference, "Error responses"; for a URL that lapsed R2 says `ExpiredRequest`, Google Cloud Storage 400
/// `ExpiredToken`, Garage 400 "Date is too old", Azure 403 `AuthenticationFailed` with a detail.
pub(crate) fn refusal(response: &Response, now: u64) -> UploadError {
    let vendor = words(response);
    let code = vendor.code.as_deref().unwrap_or("");
    let message = vendor.message.as_deref().unwrap_or("");
    let meaning = if lapsed(code, message) || (code == "AuthenticationFailed" && azure_lapsed(response)) {
        &EXPIRED
    } else {
        Meaning::of(MEANINGS, code, if response.ok() { 500 } else { response.status })
    };
    meaning.error(response, vendor, now)
}

/// The store's own words.
pub(crate) fn words(response: &Response) -> Vendor {
    let is_error = xml::root(&response.body) == Some("Error");
    let member = |name: &str| xml::child(&response.body, name).filter(|text| is_error && !text.is_empty());
    Vendor {
        code: member("Code"),
        message: member("Message"),
        request_id: response.header("x-amz-request-id").map(Into::into).or_else(|| member("RequestId")),
    }
}

/// True where the URL lapsed, or the credentials behind it did.
fn lapsed(code: &str, message: &str) -> bool {
    match code {
        "ExpiredRequest" | "ExpiredToken" | "TokenRefreshRequired" => true,
        "AccessDenied" => text::contains(message, "has expired"),
        _ => text::contains(message, "Date is too old"),
    }
}

/// True where Azure says that a shared access signature is not valid at this time (Azure Storage, "Troubleshoot 403 errors"). A
/// clock that is behind looks the same.
fn azure_lapsed(response: &Response) -> bool {
    const SAYS: &str = "Signature not valid in the specified time frame";
    ["AuthenticationErrorDetail", "Message"]
        .iter()
        .any(|name| xml::child(&response.body, name).is_some_and(|text| text::contains(&text, SAYS)))
}

const EXPIRED: Meaning =
    Meaning::restart(Code::UrlExpired, "The presigned URL has expired, or the credentials behind it have.").hint(
        "Sign URLs for longer than the upload takes, or let them be signed anew. A clock that is off looks the same.",
    );

const MEANINGS: &[Meaning] = &[
    Meaning::again(Code::RateLimited, "The store takes no more requests for a while.")
        .codes(&["SlowDown", "ThrottlingException", "TooManyRequests"])
        .statuses(&[429]),
    Meaning::again(Code::Server, "The store failed.")
        .codes(&["InternalError", "ServiceUnavailable", "Busy"])
        .statuses(&[500]),
    Meaning::never(Code::Server, "The store failed.").statuses(&[501, 505, 507]),
    Meaning::again(Code::Network, "The store got only some of the bytes.").codes(&["RequestTimeout", "IncompleteBody"]),
    Meaning::again(Code::Network, "The store gave the request up.").statuses(&[408, 425]),
    Meaning::again(Code::Conflict, "The store is busy with another call for this key.").codes(&["OperationAborted"]),
    Meaning::again(Code::IntegrityMismatch, "The store got other bytes than were signed for.").codes(&[
        "BadDigest",
        "XAmzContentSHA256Mismatch",
        "XAmzContentChecksumMismatch",
    ]),
    Meaning::never(Code::Forbidden, "The store's clock and the signer's differ too much.")
        .hint("Set the clock of the machine that signs.")
        .codes(&["RequestTimeTooSkewed"]),
    Meaning::never(Code::Forbidden, "The store finds another signature.")
        .hint("The secret key or the region is wrong, or the URL was signed for another method, other headers or another content type.")
        .codes(&["SignatureDoesNotMatch"]),
    Meaning::never(Code::Forbidden, "The store refuses.")
        .hint(
            "Check what the key that signs may do. Needed are s3:PutObject, s3:AbortMultipartUpload and \
             s3:ListMultipartUploadParts; with SSE-KMS, kms:GenerateDataKey and kms:Decrypt too. s3:GetObject is optional: it lets \
             Partway look whether the object is stored.",
        )
        .codes(&["AccessDenied", "AllAccessDisabled"])
        .statuses(&[403]),
    Meaning::never(Code::Forbidden, "The store doesn't know the key that signed.")
        .hint("Check the credentials and the endpoint.")
        .codes(&["InvalidAccessKeyId", "InvalidToken"]),
    Meaning::never(Code::BadRequest, "The store wants the request signed or sent otherwise.")
        .hint("Check the region and the endpoint.")
        .codes(&[
            "AuthorizationHeaderMalformed",
            "AuthorizationQueryParametersError",
            "PermanentRedirect",
            "TemporaryRedirect",
        ]),
    Meaning::never(Code::BadRequest, "There is no such bucket.")
        .hint("Check the bucket's name, the region and the endpoint.")
        .codes(&["NoSuchBucket"]),
    Meaning::restart(Code::SessionExpired, "The store doesn't know this upload (any more).")
        .codes(&["NoSuchUpload"])
        .statuses(&[404, 410]),
    Meaning::never(Code::TooLarge, "The store takes nothing of this size.")
        .hint("AWS takes 5 GiB in one request; send larger files in parts.")
        .codes(&["EntityTooLarge"])
        .statuses(&[413]),
    Meaning::never(Code::PlanMismatch, "A part is smaller than the store takes.")
        .hint("AWS takes parts from 5 MiB; only the last may be smaller.")
        .codes(&["EntityTooSmall"]),
    Meaning::restart(Code::IntegrityMismatch, "The store has other parts than it confirmed.")
        .codes(&["InvalidPart", "InvalidPartOrder"]),
    Meaning::never(Code::Conflict, "The key exists already.")
        .hint("Use another key, or leave the condition out to replace the object.")
        .codes(&["PreconditionFailed"])
        .statuses(&[412]),
    // AWS S3 API Reference, PutObject, "If-None-Match": "On a 409 failure, retry the upload."
    Meaning::again(Code::Conflict, "Somebody else wrote the same key at the same time.")
        .hint("Start a new upload.")
        .codes(&["ConditionalRequestConflict"]),
    Meaning::never(Code::Conflict, "The store says that this conflicts with something.").statuses(&[409]),
    Meaning::never(Code::BadRequest, "The store doesn't know something in the request.")
        .hint("Check the `headers`.")
        .codes(&["NotImplemented"]),
    Meaning::never(Code::Unauthorized, "The store doesn't know who is asking.")
        .hint("Check what signs the URL.")
        .statuses(&[401]),
    Meaning::never(Code::UnsupportedType, "The store takes nothing of this type.").statuses(&[415]),
    Meaning::never(Code::BadRequest, "The store refuses the request as it is.").statuses(&[400]),
    Meaning::never(Code::Server, "The store's answer makes no sense."),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Retry;

    fn answer(status: u16, code: &str, message: &str) -> Response {
        let body = format!(
            "<?xml version=\"1.0\"?>\n<Error><Code>{code}</Code><Message>{message}</Message><RequestId>4442587FB7D0A2F9</RequestId></Error>"
        );
        Response { status, body, ..Response::default() }
    }

    #[test]
    fn every_code_and_what_becomes_of_it() {
        let later = Retry::Later(None);
        for (status, code, message, expected, retry) in [
            (403, "AccessDenied", "Request has expired", Code::UrlExpired, Retry::Restart),
            (400, "ExpiredRequest", "", Code::UrlExpired, Retry::Restart),
            (400, "InvalidRequest", "Bad request: Date is too old", Code::UrlExpired, Retry::Restart),
            (
                403,
                "AuthenticationFailed",
                "Signature not valid in the specified time frame",
                Code::UrlExpired,
                Retry::Restart,
            ),
            (403, "AuthenticationFailed", "Server failed to authenticate the request.", Code::Forbidden, Retry::Never),
            (400, "ExpiredToken", "The provided token has expired.", Code::UrlExpired, Retry::Restart),
            (403, "AccessDenied", "Access Denied", Code::Forbidden, Retry::Never),
            (403, "SignatureDoesNotMatch", "", Code::Forbidden, Retry::Never),
            (403, "RequestTimeTooSkewed", "", Code::Forbidden, Retry::Never),
            (503, "SlowDown", "Please reduce your request rate.", Code::RateLimited, later),
            (400, "RequestTimeout", "", Code::Network, later),
            (500, "InternalError", "", Code::Server, later),
            (502, "", "", Code::Server, later),
            (504, "", "", Code::Server, later),
            (507, "XMinioStorageFull", "", Code::Server, Retry::Never),
            (200, "InternalError", "", Code::Server, later),
            (400, "BadDigest", "", Code::IntegrityMismatch, later),
            (400, "EntityTooLarge", "", Code::TooLarge, Retry::Never),
            (400, "EntityTooSmall", "", Code::PlanMismatch, Retry::Never),
            (404, "NoSuchUpload", "", Code::SessionExpired, Retry::Restart),
            (400, "InvalidPart", "", Code::IntegrityMismatch, Retry::Restart),
            (404, "NoSuchBucket", "", Code::BadRequest, Retry::Never),
            (412, "PreconditionFailed", "", Code::Conflict, Retry::Never),
            (409, "ConditionalRequestConflict", "", Code::Conflict, later),
            (429, "", "", Code::RateLimited, later),
            (301, "PermanentRedirect", "", Code::BadRequest, Retry::Never),
            (302, "", "", Code::Server, Retry::Never),
        ] {
            let error = refusal(&answer(status, code, message), 0);
            assert_eq!((error.code, error.retry), (expected, retry), "{status} {code}");
            assert_eq!(error.vendor.as_ref().unwrap().request_id.as_deref(), Some("4442587FB7D0A2F9"));
        }
    }

    #[test]
    fn azures_detail_tells_an_expiry_from_a_wrong_signature() {
        let says = |detail: &str| {
            let body = format!(
                "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>AuthenticationFailed</Code><Message>Server failed to \
                 authenticate the request.\nTime:2019-12-19T13:54:43.5404807Z</Message><AuthenticationErrorDetail>{detail}\
                 </AuthenticationErrorDetail></Error>"
            );
            refusal(&Response { status: 403, body, ..Response::default() }, 0).code
        };
        let lapsed = "Signature not valid in the specified time frame: Start [Wed, 18 Dec 2019 14:25:14 GMT] - Expiry [Wed, 18 Dec 2019 \
                      22:25:14 GMT] - Current [Thu, 19 Dec 2019 13:54:43 GMT]";
        assert_eq!(says(lapsed), Code::UrlExpired);
        assert_eq!(says("Signature did not match. String to sign used was w"), Code::Forbidden);
    }

    #[test]
    fn the_stores_wish_and_words_are_kept() {
        let mut response = answer(503, "SlowDown", "Please reduce your request rate.");
        response.headers = vec![("retry-after".into(), "3".into()), ("x-amz-request-id".into(), "header".into())];
        let error = refusal(&response, 0);
        assert_eq!(error.retry, Retry::Later(Some(3_000)));
        assert!(error.message.contains("reduce your request rate"), "{error}");
        let vendor = error.vendor.as_ref().unwrap();
        assert_eq!((vendor.code.as_deref(), vendor.request_id.as_deref()), (Some("SlowDown"), Some("header")));
    }

    #[test]
    fn a_body_that_is_no_error_says_nothing() {
        let page = Response { status: 403, body: "<html><Code>x</Code></html>".into(), ..Response::default() };
        let error = refusal(&page, 0);
        assert_eq!((error.code, error.vendor.is_none()), (Code::Forbidden, true));
    }
}
