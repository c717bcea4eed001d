//! Checks of headers that a server of the store shares, whatever parses its protocol.

use base64::Engine;

use crate::s3_error::StoreError;
use crate::wire::Request;

/// The digest in a `Content-MD5` header (RFC 1864).
///
/// # Errors
/// `InvalidDigest` if the value is not the base64 of 16 bytes.
pub fn parse_content_md5(value: &str) -> Result<[u8; 16], StoreError> {
    let decoded = base64::engine::general_purpose::STANDARD.decode(value).ok();
    let digest = decoded.and_then(|bytes| bytes.try_into().ok());
    digest.ok_or_else(|| StoreError::new(400, "InvalidDigest", "The Content-MD5 you specified was invalid."))
}

/// Refuses checksums other than `Content-MD5`, which this store doesn't implement. The exception is the CRC32 of an empty
/// body, which newer AWS SDKs sign into a URL: the store only checks that the body is empty.
///
/// # Errors
/// `NotImplemented` for a checksum, `BadDigest` if that CRC32 comes with a body.
pub fn check_checksums(request: &Request, body_is_empty: bool) -> Result<(), StoreError> {
    let in_query = request.query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in request.headers.iter().chain(in_query) {
        if name == "x-amz-checksum-crc32" && value == "AAAAAA==" {
            if !body_is_empty {
                return Err(StoreError::bad_digest("The CRC32 you specified did not match the calculated checksum."));
            }
        } else if name.starts_with("x-amz-checksum-") {
            return Err(StoreError::not_implemented(
                "A header you provided implies functionality that is not implemented",
            )
            .with("Header", name));
        }
    }
    Ok(())
}
