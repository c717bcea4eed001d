//! The checksum that each part is sent with, so that the store checks it, where the caller asks for that.
//!
//! Source: AWS S3 User Guide, "Checking object integrity for data uploads": a SHA-256 of an object in parts is composite, and completing
//! names that of each part; a CRC64NVME is of the full object, and completing may name it.

use sha2::{Digest, Sha256};

use crate::context::Context;
use crate::context::integrity::{checksum, digests_of, read_windows};
use crate::context::reading::file_changed;
use crate::error::{Result, Step};
use crate::json::{Decode, FirstMismatch, Json, Kind};
use crate::model::plan::{ByteRange, Plan};
use crate::model::session::Receipt;
use crate::platform::{Platform, Wanted};
use crate::util::base64::{decode, encode};
use crate::util::text;

/// An algorithm of the option `checksum`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Algorithm {
    Sha256,
    Crc64Nvme,
}

impl<J: Json> Decode<J> for Algorithm {
    fn read(json: Option<&J>, mismatch: &mut FirstMismatch) -> Self {
        match Kind::of(json) {
            Kind::String(value) if value == "sha256" => Self::Sha256,
            Kind::String(value) if value == "crc64nvme" => Self::Crc64Nvme,
            _ => {
                mismatch.note("\"sha256\" or \"crc64nvme\"", json);
                Self::Sha256
            }
        }
    }
}

impl Algorithm {
    /// The header with a value.
    pub(super) const fn header(self) -> &'static str {
        match self {
            Self::Sha256 => checksum::SHA256,
            Self::Crc64Nvme => checksum::CRC64,
        }
    }

    /// The XML element with a value.
    pub(super) const fn element(self) -> &'static str {
        match self {
            Self::Sha256 => "ChecksumSHA256",
            Self::Crc64Nvme => "ChecksumCRC64NVME",
        }
    }

    /// The headers with which an upload in parts is created.
    pub(super) fn of_upload(self) -> [(String, String); 2] {
        let (name, kind) = match self {
            Self::Sha256 => ("SHA256", "COMPOSITE"),
            Self::Crc64Nvme => ("CRC64NVME", "FULL_OBJECT"),
        };
        [("x-amz-checksum-algorithm".into(), name.into()), ("x-amz-checksum-type".into(), kind.into())]
    }

    /// The checksum of a range of the file.
    ///
    /// # Errors
    /// Those of [`Context::read`]; `file-changed` if it can't be read any more.
    pub(super) async fn of_range<P: Platform>(self, cx: &Context<P>, range: ByteRange) -> Result<String> {
        let value = match self {
            Self::Sha256 => sha256(cx, range).await,
            Self::Crc64Nvme => {
                let digests = digests_of(cx, range, Wanted { md5: false, crc64: true }).await;
                digests.map(|digests| Some(checksum::of_crc64(digests?.crc64?)))
            }
        };
        value.map_err(|error| error.at(Step::Part))?.ok_or_else(file_changed)
    }

    /// The checksum of the whole object by those of its parts, as the store says it; None if one is missing.
    pub(super) fn of_object<J>(self, plan: &Plan, multipart: bool, parts: &[Receipt<J>]) -> Option<String> {
        match self {
            Self::Crc64Nvme => checksum::combined(plan, parts),
            Self::Sha256 if multipart => composite(parts),
            Self::Sha256 => parts.first()?.checksum.clone(),
        }
    }
}

/// The SHA-256 of a range of the file; None if it can't be read.
async fn sha256<P: Platform>(cx: &Context<P>, range: ByteRange) -> Result<Option<String>> {
    let mut hash = Sha256::new();
    let is_read = read_windows(cx, range, |_, bytes| hash.update(bytes)).await?;
    Ok(is_read.then(|| encode(&hash.finalize())))
}

/// The SHA-256 of the parts' SHA-256s, and how many they are.
fn composite<J>(parts: &[Receipt<J>]) -> Option<String> {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(decode(part.checksum.as_deref()?)?);
    }
    Some(text::concat(&[encode(&hash.finalize()).as_str(), "-", &text::number(parts.len() as u64)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_composite_checksum_is_of_the_parts_digests() {
        // The parts and the value of ceph/s3-tests, "test_multipart_checksum_sha256": 5 MiB each of "A", "B" and "C".
        let part = |letter: u8| Receipt::<()> {
            checksum: Some(encode(&Sha256::digest(vec![letter; 5 << 20]))),
            ..Receipt::new(1, None)
        };
        let parts = [part(b'A'), part(b'B'), part(b'C')];
        assert_eq!(parts[2].checksum.as_deref(), Some("Vw7oB/nKQ5xWb3hNgbyfkvDiivl+U+/Dft48nfJfDow="));
        assert_eq!(composite(&parts).as_deref(), Some("uWBwpe1dxI4Vw8Gf0X9ynOdw/SS6VBzfWm9giiv1sf4=-3"));
        assert_eq!(composite(&[part(b'A'), Receipt::new(2, None)]), None);
    }
}
