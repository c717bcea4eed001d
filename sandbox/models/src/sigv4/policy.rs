//! Policies of forms: signing, as a backend does it, and verification.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::presign::Credentials;
use super::signature::{ALGORITHM, sign_text};
use super::verify::SecretOf;
use crate::clock::{amz_date, iso8601, parse_iso8601};
use crate::s3_error::StoreError;

/// The fields of a form that may be sent for `expires_s` seconds from `now` on, under `conditions` and those of the signature itself (AWS S3
/// API Reference, "Creating an HTML Form (Using AWS Signature Version 4)").
pub fn sign_policy(
    credentials: &Credentials,
    region: &str,
    conditions: &[Value],
    expires_s: u64,
    now: u64,
) -> Vec<(String, String)> {
    let date = amz_date(now);
    let scope = format!("{}/{region}/s3/aws4_request", &date[..8]);
    let mut fields = vec![
        ("x-amz-algorithm".to_string(), ALGORITHM.to_string()),
        ("x-amz-credential".to_string(), format!("{}/{scope}", credentials.access_key)),
        ("x-amz-date".to_string(), date),
    ];
    if let Some(token) = &credentials.session_token {
        fields.push(("x-amz-security-token".to_string(), token.clone()));
    }
    let own = fields.iter().map(|(name, value)| json!({ name: value }));
    let conditions: Vec<Value> = conditions.iter().cloned().chain(own).collect();
    let policy = json!({ "expiration": iso8601(now + expires_s * 1_000), "conditions": conditions });
    let policy = STANDARD.encode(policy.to_string());
    fields.push(("x-amz-signature".to_string(), sign_text(&credentials.secret_key, &scope, &policy)));
    fields.push(("policy".to_string(), policy));
    fields
}

/// Verifies the signature and the expiration of a form's policy, and gives its conditions. `field` gives a field by its name in lower case.
///
/// # Errors
/// Those of S3: `AccessDenied`, `InvalidArgument`, `InvalidPolicyDocument`, `SignatureDoesNotMatch`, and those of the key.
pub fn verify_policy<'a>(
    field: impl Fn(&str) -> Option<&'a str>,
    region: &str,
    secret_of: &SecretOf<'_>,
    now: u64,
) -> Result<Vec<Value>, StoreError> {
    let policy = field("policy").ok_or_else(|| StoreError::new(403, "AccessDenied", "Access Denied"))?;
    let needed = |name: &str| {
        field(name).ok_or_else(|| {
            StoreError::invalid_argument(&format!("Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the fields."))
        })
    };
    if needed("x-amz-algorithm")? != ALGORITHM {
        return Err(StoreError::invalid_argument("X-Amz-Algorithm only supports \"AWS4-HMAC-SHA256\""));
    }
    let (credential, date) = (needed("x-amz-credential")?, needed("x-amz-date")?);
    let malformed = || {
        StoreError::invalid_argument(
            "The Credential is mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".",
        )
    };
    let (access_key, scope) = credential.split_once('/').ok_or_else(malformed)?;
    if date.get(..8).is_none_or(|day| scope != format!("{day}/{region}/s3/aws4_request")) {
        return Err(malformed());
    }
    let secret = secret_of(access_key, field("x-amz-security-token"))?;
    if sign_text(&secret, scope, policy) != needed("x-amz-signature")? {
        return Err(StoreError::new(
            403,
            "SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
        ));
    }
    let invalid = |why: &str| StoreError::new(400, "InvalidPolicyDocument", &format!("Invalid Policy: {why}."));
    let json = STANDARD.decode(policy).map_err(|_| invalid("Invalid Base64"))?;
    let json: Value = serde_json::from_slice(&json).map_err(|_| invalid("Invalid JSON"))?;
    let ends =
        json["expiration"].as_str().and_then(parse_iso8601).ok_or_else(|| invalid("Invalid 'expiration' value"))?;
    if now >= ends {
        return Err(StoreError::new(403, "AccessDenied", "Invalid according to Policy: Policy expired."));
    }
    json["conditions"].as_array().cloned().ok_or_else(|| invalid("Invalid 'conditions' value: must be a List"))
}
