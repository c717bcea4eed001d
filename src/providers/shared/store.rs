//! Interprets a store's answer to a presigned request. All providers that send bytes to S3 share it.

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
    Ok(Receipt::new(part.number, etag))
}

/// What a store means by an answer that isn't 2xx, or by a 200 with an error in its body.
///
/// Codes: AWS S3 API Reference, "Error responses"; for an expired URL R2 says `ExpiredRequest`, Google Cloud Storage 400
/// `ExpiredToken`, Garage 400 "Date is too old", Azure 403 `AuthenticationFailed` with a detail.
pub(crate) fn refusal(response: &Response, now: u64) -> UploadError {
    let vendor = words(response);
    let code = vendor.code.as_deref().unwrap_or("");
    let message = vendor.message.as_deref().unwrap_or("");
    let meaning = if is_expired(code, message) || (code == "AuthenticationFailed" && is_expired_at_azure(response)) {
        &EXPIRED
    } else {
        Meaning::of(MEANINGS, code, if response.ok() { 500 } else { response.status })
    };
    meaning.error(response, vendor, now)
}

/// The code, message and request id of the store's error.
pub(crate) fn words(response: &Response) -> Vendor {
    let is_error = xml::root(&response.body) == Some("Error");
    let member = |name: &str| xml::child(&response.body, name).filter(|text| is_error && !text.is_empty());
    Vendor {
        code: member("Code"),
        message: member("Message"),
        request_id: response.header("x-amz-request-id").map(Into::into).or_else(|| member("RequestId")),
    }
}

/// Whether the error says that the URL, or the credentials that signed it, have expired.
fn is_expired(code: &str, message: &str) -> bool {
    match code {
        "ExpiredRequest" | "ExpiredToken" | "TokenRefreshRequired" => true,
        "AccessDenied" => text::contains(message, "has expired"),
        _ => text::contains(message, "Date is too old"),
    }
}

/// Whether Azure says that a shared access signature is not valid at this time (Azure Storage, "Troubleshoot 403 errors"). It says
/// the same where a clock is slow.
fn is_expired_at_azure(response: &Response) -> bool {
    const SAYS: &str = "Signature not valid in the specified time frame";
    ["AuthenticationErrorDetail", "Message"]
        .iter()
        .any(|name| xml::child(&response.body, name).is_some_and(|text| text::contains(&text, SAYS)))
}

const EXPIRED: Meaning =
    Meaning::restart(Code::UrlExpired, "The presigned URL, or the credentials that signed it, have expired.").hint(
        "Sign URLs for longer than the upload takes, or give a function that renews them. A wrong clock has the same effect.",
    );

const MEANINGS: &[Meaning] = &[
    Meaning::again(Code::RateLimited, "The store has too many requests (rate limit).")
        .codes(&["SlowDown", "ThrottlingException", "TooManyRequests"])
        .statuses(&[429]),
    Meaning::again(Code::Server, "The store failed with an internal error.")
        .codes(&["InternalError", "ServiceUnavailable", "Busy"])
        .statuses(&[500]),
    Meaning::never(Code::Server, "The store can't process the request: it is not supported, or the store is full.").statuses(&[501, 505, 507]),
    Meaning::again(Code::Network, "The store expected more bytes than it received.").codes(&["RequestTimeout", "IncompleteBody"]),
    Meaning::again(Code::Network, "The store timed out while it waited for the request.").statuses(&[408, 425]),
    Meaning::again(Code::Conflict, "The store is processing another request for the same key.").codes(&["OperationAborted"]),
    Meaning::again(Code::IntegrityMismatch, "The store received bytes whose checksum differs from the request's.").codes(&[
        "BadDigest",
        "XAmzContentSHA256Mismatch",
        "XAmzContentChecksumMismatch",
    ]),
    Meaning::never(Code::Forbidden, "The request was signed with a clock that differs too much from the store's.")
        .hint("Set the clock of the machine that signs.")
        .codes(&["RequestTimeTooSkewed"]),
    Meaning::never(Code::Forbidden, "The store computed another signature than the request has.")
        .hint("The secret key or the region is wrong, or the URL was signed for another method, other headers or another content type.")
        .codes(&["SignatureDoesNotMatch"]),
    Meaning::never(Code::Forbidden, "The store denies access.")
        .hint(
            "Check what the key that signs may do. Needed are s3:PutObject, s3:AbortMultipartUpload and \
             s3:ListMultipartUploadParts; with SSE-KMS, kms:GenerateDataKey and kms:Decrypt too. s3:GetObject is optional: it lets \
             Partway look whether the object is stored.",
        )
        .codes(&["AccessDenied", "AllAccessDisabled"])
        .statuses(&[403]),
    Meaning::never(Code::Forbidden, "The store doesn't know the access key, or its session token, that signed the request.")
        .hint("Check the credentials and the endpoint.")
        .codes(&["InvalidAccessKeyId", "InvalidToken"]),
    Meaning::never(Code::BadRequest, "The store expects another region or endpoint than the request was signed for.")
        .hint("Check the region and the endpoint.")
        .codes(&[
            "AuthorizationHeaderMalformed",
            "AuthorizationQueryParametersError",
            "PermanentRedirect",
            "TemporaryRedirect",
        ]),
    Meaning::never(Code::BadRequest, "The bucket doesn't exist.")
        .hint("Check the bucket's name, the region and the endpoint.")
        .codes(&["NoSuchBucket"]),
    Meaning::restart(Code::SessionExpired, "The store doesn't know this upload: it was completed, aborted or never opened.")
        .codes(&["NoSuchUpload"])
        .statuses(&[404, 410]),
    Meaning::never(Code::TooLarge, "The request is larger than the store accepts.")
        .hint("AWS takes 5 GiB in one request; send larger files in parts.")
        .codes(&["EntityTooLarge"])
        .statuses(&[413]),
    Meaning::never(Code::PlanMismatch, "A part is smaller than the store accepts.")
        .hint("AWS takes parts from 5 MiB; only the last may be smaller.")
        .codes(&["EntityTooSmall"]),
    Meaning::restart(Code::IntegrityMismatch, "The store has other parts than the ETags that it confirmed.")
        .codes(&["InvalidPart", "InvalidPartOrder"]),
    Meaning::never(Code::Conflict, "The key exists already.")
        .hint("Use another key, or leave the condition out to replace the object.")
        .codes(&["PreconditionFailed"])
        .statuses(&[412]),
    // AWS S3 API Reference, PutObject, "If-None-Match": "On a 409 failure, retry the upload."
    Meaning::again(Code::Conflict, "Another client wrote the same key at the same time.")
        .hint("Start a new upload.")
        .codes(&["ConditionalRequestConflict"]),
    Meaning::never(Code::Conflict, "The store reports a conflict (409).").statuses(&[409]),
    Meaning::never(Code::BadRequest, "The store doesn't support a header or feature of the request.")
        .hint("Check the `headers` and `checksum`.")
        .codes(&["NotImplemented"]),
    Meaning::never(Code::Unauthorized, "The store expects a signed request, but found no valid signature.")
        .hint("Check what signs the URL.")
        .statuses(&[401]),
    Meaning::never(Code::UnsupportedType, "The store doesn't accept this media type.").statuses(&[415]),
    Meaning::never(Code::BadRequest, "The store says that the request is invalid.").statuses(&[400]),
    Meaning::never(Code::Server, "The store answered with an unexpected status."),
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
        let expired = "Signature not valid in the specified time frame: Start [Wed, 18 Dec 2019 14:25:14 GMT] - Expiry [Wed, 18 Dec 2019 \
                      22:25:14 GMT] - Current [Thu, 19 Dec 2019 13:54:43 GMT]";
        assert_eq!(says(expired), Code::UrlExpired);
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
