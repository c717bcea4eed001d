//! The signature itself: canonical request, string to sign, signing key.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::encoding::{hex, percent_decode, percent_encode, percent_encode_path};
use crate::wire::Headers;

/// The only algorithm that S3 supports.
pub(super) const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// The payload hash of a request whose body is not signed.
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// The canonical request (AWS S3 API Reference, "Authenticating Requests: Using Query Parameters").
pub(super) fn canonical_request(
    method: &str,
    path: &str,
    query: &[(String, String)],
    headers: &Headers,
    signed: &[String],
) -> String {
    let path = percent_decode(path).unwrap_or_else(|| path.to_string());
    let mut pairs: Vec<String> = query
        .iter()
        .filter(|(name, _)| name != "X-Amz-Signature")
        .map(|(name, value)| format!("{}={}", percent_encode(name), percent_encode(value)))
        .collect();
    pairs.sort();
    let lines = signed.iter().map(|name| {
        let values: Vec<String> = headers.get_all(name).map(squeeze).collect();
        format!("{name}:{}\n", values.join(","))
    });
    let payload = match headers.get("x-amz-content-sha256") {
        Some(hash) if signed.iter().any(|name| name == "x-amz-content-sha256") => hash,
        _ => UNSIGNED,
    };
    format!(
        "{method}\n{}\n{}\n{}\n{}\n{payload}",
        percent_encode_path(&path),
        pairs.join("&"),
        lines.collect::<String>(),
        signed.join(";")
    )
}

/// Trims a header value and reduces runs of spaces to one.
fn squeeze(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The signature of a canonical request.
pub(super) fn sign(secret: &str, scope: &str, date: &str, canonical: &str) -> String {
    let hash = hex(&Sha256::digest(canonical.as_bytes()));
    sign_text(secret, scope, &format!("{ALGORITHM}\n{date}\n{scope}\n{hash}"))
}

/// The signature of a text.
pub(super) fn sign_text(secret: &str, scope: &str, text: &str) -> String {
    let seed = format!("AWS4{secret}").into_bytes();
    let key = scope.split('/').fold(seed, |key, part| mac(&key, part));
    hex(&mac(&key, text))
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    // HMAC accepts keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { unreachable!("HMAC refused a key") };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_values_are_squeezed() {
        assert_eq!(squeeze("  a   b \t c "), "a b c");
    }
}
