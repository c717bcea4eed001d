//! Checks of headers that a server of the store shares, whatever parses its protocol.

use base64::Engine;

use super::config::Checksums;
use crate::checksum::{Algorithm, Checksum};
use crate::content::Content;
use crate::s3_error::StoreError;
use crate::wire::{Headers, Request};

/// The digest in a `Content-MD5` header (RFC 1864).
///
/// # Errors
/// `InvalidDigest` if the value is not the base64 of 16 bytes.
pub fn parse_content_md5(value: &str) -> Result<[u8; 16], StoreError> {
    let decoded = base64::engine::general_purpose::STANDARD.decode(value).ok();
    let digest = decoded.and_then(|bytes| bytes.try_into().ok());
    digest.ok_or_else(|| StoreError::new(400, "InvalidDigest", "The Content-MD5 you specified was invalid."))
}

/// Refuses checksums that this store doesn't know: all of them where it has none, else those of other algorithms. The exception is the
/// CRC32 of an empty body, which newer AWS SDKs sign into a URL: the store only checks that the body is empty.
///
/// # Errors
/// `NotImplemented` for a checksum, `BadDigest` if that CRC32 comes with a body.
pub fn check_checksums(request: &Request, known: Checksums, body_is_empty: bool) -> Result<(), StoreError> {
    let known: Vec<&str> = match known {
        Checksums::Off => Vec::new(),
        _ => ["x-amz-checksum-algorithm", "x-amz-checksum-type", "x-amz-checksum-mode"]
            .into_iter()
            .chain(Algorithm::ALL.map(Algorithm::header))
            .collect(),
    };
    let in_query = request.query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in request.headers.iter().chain(in_query) {
        let name = name.to_ascii_lowercase();
        if name == "x-amz-checksum-crc32" && value == "AAAAAA==" {
            if !body_is_empty {
                return Err(StoreError::bad_digest("The CRC32 you specified did not match the calculated checksum."));
            }
        } else if name == "x-amz-checksum-mode" {
            // A store that knows no checksums reads past it.
        } else if name.starts_with("x-amz-checksum-") && !known.contains(&name.as_str()) {
            return Err(StoreError::not_implemented(
                "A header you provided implies functionality that is not implemented",
            )
            .with("Header", name));
        }
    }
    Ok(())
}

/// The checksum in the headers of a body, if there is one.
///
/// # Errors
/// `InvalidRequest` for more than one, and for a value that can't be one.
pub fn read_checksum(headers: &Headers) -> Result<Option<Checksum>, StoreError> {
    let mut found = Algorithm::ALL
        .into_iter()
        .filter_map(|algorithm| Some(Checksum { algorithm, value: headers.get(algorithm.header())?.to_string() }));
    let (first, second) = (found.next(), found.next());
    if second.is_some() {
        return Err(StoreError::invalid_request(
            "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.",
        ));
    }
    match first {
        Some(checksum) if !checksum.algorithm.takes(&checksum.value) => {
            Err(StoreError::invalid_request(&format!("Value for {} header is invalid.", checksum.algorithm.header())))
        }
        first => Ok(first),
    }
}

/// The algorithm that `x-amz-checksum-algorithm` and `x-amz-checksum-type` of a CreateMultipartUpload name (AWS S3 API Reference).
///
/// # Errors
/// `InvalidRequest` for a type without an algorithm, for another algorithm than the store's, and for a type that the algorithm hasn't.
pub fn read_algorithm(algorithm: Option<&str>, kind: Option<&str>) -> Result<Option<Algorithm>, StoreError> {
    let Some(name) = algorithm else {
        return match kind {
            None => Ok(None),
            Some(_) => Err(StoreError::invalid_request(
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
            )),
        };
    };
    let Some(known) = Algorithm::ALL.into_iter().find(|known| known.name().eq_ignore_ascii_case(name)) else {
        return Err(StoreError::invalid_request("Checksum algorithm provided is unsupported by this store."));
    };
    match kind {
        Some(kind) if kind != known.kind() => Err(StoreError::invalid_request(&format!(
            "The {kind} checksum type cannot be used with the {} checksum algorithm.",
            known.name().to_ascii_lowercase()
        ))),
        _ => Ok(Some(known)),
    }
}

/// Compares a body with the checksum that came with it.
///
/// # Errors
/// `BadDigest` if they differ.
pub(super) fn check_body(content: &Content, claim: Option<&Checksum>) -> Result<(), StoreError> {
    match claim {
        Some(claim) if claim.algorithm.of_body(content).as_ref() != Some(&claim.value) => Err(StoreError::bad_digest(
            &format!("The {} you specified did not match the calculated checksum.", claim.algorithm.name()),
        )),
        _ => Ok(()),
    }
}
