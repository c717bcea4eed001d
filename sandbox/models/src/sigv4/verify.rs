//! Verification of query signatures.

use super::signature::{ALGORITHM, canonical_request, sign};
use crate::clock::{iso8601, parse_amz_date};
use crate::s3_error::StoreError;
use crate::wire::{Headers, Request};

/// The longest validity of a URL: seven days.
pub const MAX_EXPIRES_S: u64 = 604_800;

/// How far a request's date may be ahead of the server's clock: fifteen minutes.
const MAX_SKEW_MS: u64 = 15 * 60_000;

/// Headers that a browser adds, or that HTTP needs: they may be sent unsigned.
const BROWSER_OWN: [&str; 20] = [
    "accept",
    "accept-charset",
    "accept-encoding",
    "accept-language",
    "cache-control",
    "connection",
    "content-length",
    "dnt",
    "expect",
    "host",
    "keep-alive",
    "origin",
    "pragma",
    "priority",
    "referer",
    "te",
    "transfer-encoding",
    "upgrade-insecure-requests",
    "user-agent",
    "range",
];

/// Headers of S3 that need no signature (AWS S3 API Reference, PutObject).
const FREE: [&str; 8] = [
    "content-type",
    "content-md5",
    "content-disposition",
    "content-encoding",
    "content-language",
    "expires",
    "if-match",
    "if-none-match",
];

/// A query signature, parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuerySignature {
    /// The access key that signed the request.
    pub access_key: String,
    /// The session token of temporary credentials.
    pub session_token: Option<String>,
    /// The names of the signed headers, in lower case.
    pub signed_headers: Vec<String>,
    /// The signing time, in milliseconds since the epoch.
    pub signed_at: u64,
    /// How many seconds the signature is valid.
    pub expires_s: u64,
    date: String,
    scope: String,
    value: String,
}

impl QuerySignature {
    /// Parses the query parameters of a signature.
    pub fn of(request: &Request, region: &str) -> Result<Self, StoreError> {
        let bad = |message: &str| StoreError::new(400, "AuthorizationQueryParametersError", message);
        let names = [
            "X-Amz-Algorithm",
            "X-Amz-Credential",
            "X-Amz-Signature",
            "X-Amz-Date",
            "X-Amz-SignedHeaders",
            "X-Amz-Expires",
        ];
        if !names.iter().any(|name| request.query(name).is_some()) {
            return Err(StoreError::new(403, "AccessDenied", "Access Denied"));
        }
        let value = |name: &str| {
            let mut found = request.query.iter().filter(|(n, _)| n == name);
            let missing = || {
                bad(
                    "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.",
                )
            };
            let (_, value) = found.next().ok_or_else(missing)?;
            match found.next() {
                None => Ok(value.clone()),
                Some(_) => Err(bad(&format!("{name} must be sent once"))),
            }
        };
        if value(names[0])? != ALGORITHM {
            return Err(bad("X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\""));
        }
        let date = value("X-Amz-Date")?;
        let signed_at = parse_amz_date(&date)
            .ok_or_else(|| bad("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""))?;
        let expires_s: u64 = value("X-Amz-Expires")?.parse().map_err(|_| bad("X-Amz-Expires should be a number"))?;
        if expires_s > MAX_EXPIRES_S {
            return Err(bad(
                "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds",
            ));
        }
        let credential = value("X-Amz-Credential")?;
        let (access_key, scope) = credential.split_once('/').ok_or_else(|| {
            bad("Error parsing the X-Amz-Credential parameter; the Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".")
        })?;
        if scope != format!("{}/{region}/s3/aws4_request", &date[..8]) {
            return Err(bad(&format!(
                "Error parsing the X-Amz-Credential parameter; expecting the scope \"{}/{region}/s3/aws4_request\", not \"{scope}\"",
                &date[..8]
            ))
            .with("Region", region));
        }
        let signed_headers = value("X-Amz-SignedHeaders")?;
        let signed_headers: Vec<String> = signed_headers.split(';').map(str::to_string).collect();
        let sorted = signed_headers.windows(2).all(|pair| pair[0] < pair[1]);
        let lower = signed_headers.iter().all(|name| !name.is_empty() && *name == name.to_ascii_lowercase());
        if !sorted || !lower || !signed_headers.iter().any(|name| name == "host") {
            return Err(bad("X-Amz-SignedHeaders must name host, in lower case, sorted, each once"));
        }
        Ok(QuerySignature {
            access_key: access_key.to_string(),
            session_token: request.query("X-Amz-Security-Token").map(str::to_string),
            signed_headers,
            signed_at,
            expires_s,
            date,
            scope: scope.to_string(),
            value: value("X-Amz-Signature")?,
        })
    }
}

/// Returns the secret of an access key with its session token, or the error of an invalid one.
pub type SecretOf<'a> = dyn Fn(&str, Option<&str>) -> Result<String, StoreError> + 'a;

/// Verifies the query signature of a request: time, key, signature, and that no unsigned header is present.
///
/// Codes and statuses: AWS S3 API Reference, "Error responses".
pub fn verify(
    request: &Request,
    region: &str,
    secret_of: &SecretOf<'_>,
    now: u64,
) -> Result<QuerySignature, StoreError> {
    if request.headers.contains("authorization") {
        return Err(StoreError::invalid_argument(
            "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified",
        )
        .with("ArgumentName", "Authorization"));
    }
    let signature = QuerySignature::of(request, region)?;
    if signature.signed_at > now + MAX_SKEW_MS {
        return Err(StoreError::new(
            403,
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large.",
        )
        .with("RequestTime", signature.date.clone())
        .with("ServerTime", iso8601(now))
        .with("MaxAllowedSkewMilliseconds", MAX_SKEW_MS.to_string()));
    }
    let ends = signature.signed_at + signature.expires_s * 1_000;
    if now >= ends {
        return Err(StoreError::new(403, "AccessDenied", "Request has expired")
            .with("X-Amz-Expires", signature.expires_s.to_string())
            .with("Expires", iso8601(ends))
            .with("ServerTime", iso8601(now)));
    }
    let secret = secret_of(&signature.access_key, signature.session_token.as_deref())?;
    let canonical =
        canonical_request(&request.method, &request.path, &request.query, &request.headers, &signature.signed_headers);
    if sign(&secret, &signature.scope, &signature.date, &canonical) != signature.value {
        return Err(StoreError::new(
            403,
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
        )
        .with("AWSAccessKeyId", signature.access_key)
        .with("CanonicalRequest", canonical));
    }
    let stray = stray_headers(&request.headers, &signature.signed_headers);
    let unsigned: Vec<&str> = stray.iter().map(String::as_str).filter(|name| name.starts_with("x-amz-")).collect();
    if !unsigned.is_empty() {
        return Err(StoreError::new(
            403,
            "AccessDenied",
            "There were headers present in the request which were not signed",
        )
        .with("HeadersNotSigned", unsigned.join(", ")));
    }
    if !stray.is_empty() {
        // Stricter than S3, which ignores such headers: what a page sends to a vendor or to its own backend
        // must not be sent to a store.
        return Err(StoreError::new(
            400,
            "InvalidRequest",
            "There are headers that neither the signature nor S3 knows",
        )
        .with("HeadersNotSigned", stray.join(", ")));
    }
    Ok(signature)
}

/// The headers that must not be on a presigned request: neither signed, nor a browser's own, nor free of signatures in S3.
/// Vendor keys, cookies and tokens are among them, and every `x-amz-*`.
pub fn stray_headers(headers: &Headers, signed: &[String]) -> Vec<String> {
    headers
        .iter()
        .map(|(name, _)| name)
        .filter(|name| {
            !signed.iter().any(|s| s == name)
                && !BROWSER_OWN.contains(name)
                && !FREE.contains(name)
                && !name.starts_with("sec-")
        })
        .map(str::to_string)
        .collect()
}
