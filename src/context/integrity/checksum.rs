//! Checksums as S3 says and takes them: base64 of a CRC64NVME or of a SHA-256.
//!
//! Source: AWS S3 User Guide, "Checking object integrity": since December 2024 the store computes the CRC64NVME of every upload by
//! itself, and says it in its answers to parts and to completing; AWS S3 API Reference, UploadPart, CompleteMultipartUpload.

use super::crc64;
use crate::http::Response;
use crate::model::plan::Plan;
use crate::model::session::Receipt;
use crate::util::base64;

/// The header with a CRC64NVME.
pub(crate) const CRC64: &str = "x-amz-checksum-crc64nvme";
/// The header with a SHA-256.
pub(crate) const SHA256: &str = "x-amz-checksum-sha256";

/// A CRC64NVME as S3 writes it.
pub(crate) fn of_crc64(crc: u64) -> String {
    base64::encode(&crc.to_be_bytes())
}

/// The CRC64NVME in a text; None for anything else.
fn to_crc64(text: &str) -> Option<u64> {
    base64::decode(text)?.try_into().ok().map(u64::from_be_bytes)
}

/// Whether a text is a CRC64NVME.
pub(crate) fn is_crc64(text: &str) -> bool {
    to_crc64(text).is_some()
}

/// What the store says in an answer to a part whose checksum is `own`: the same kind of checksum. Without one, a CRC64NVME.
pub(crate) fn said<'a>(response: &'a Response, own: Option<&str>) -> Option<&'a str> {
    let is_crc = own.is_none_or(is_crc64);
    response.header(if is_crc { CRC64 } else { SHA256 }).filter(|said| !is_crc || is_crc64(said))
}

/// The CRC64NVME of the whole file by those of its parts, which are in order; None if one is missing.
pub(crate) fn combined<J>(plan: &Plan, receipts: &[Receipt<J>]) -> Option<String> {
    let mut whole = 0;
    for (at, part) in plan.parts().iter().enumerate() {
        let crc = to_crc64(receipts.get(at)?.checksum.as_deref()?)?;
        whole = crc64::combined(whole, crc, part.range.len());
    }
    Some(of_crc64(whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_make_the_whole_files_checksum() {
        let plan = Plan::equal(9, 6).unwrap();
        let receipts = [(1, b"123456".as_slice()), (2, b"789")].map(|(number, bytes)| Receipt::<()> {
            checksum: Some(of_crc64(crc64::of(bytes))),
            ..Receipt::new(number, None)
        });
        assert_eq!(combined(&plan, &receipts).as_deref(), Some("rosUhgp5mIg="));
        assert_eq!(combined(&plan, &receipts[..1]), None);
        let mut other = receipts.clone();
        other[1].checksum = Some("no CRC".into());
        assert_eq!(combined(&plan, &other), None);
    }

    #[test]
    fn only_a_checksum_of_the_same_kind_is_compared() {
        let answer =
            |name: &str, value: &str| Response { headers: vec![(name.into(), value.into())], ..Response::default() };
        let crc = "rosUhgp5mIg=";
        assert_eq!(said(&answer(CRC64, crc), None), Some(crc));
        assert_eq!(said(&answer(CRC64, crc), Some(crc)), Some(crc));
        assert_eq!(said(&answer(CRC64, "garbage"), Some(crc)), None);
        let sha = base64::encode(&[7; 32]);
        assert_eq!(said(&answer(SHA256, &sha), Some(crc)), None);
        assert_eq!(said(&answer(SHA256, &sha), Some(&sha)), Some(sha.as_str()));
        assert_eq!(said(&answer(CRC64, crc), Some(&sha)), None);
    }
}
