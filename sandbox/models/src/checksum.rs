//! Checksums of what a store holds, as S3 computes them, says them and takes them.
//!
//! Sources: AWS S3 User Guide, "Checking object integrity" and "Checking object integrity for data uploads"; AWS S3 API Reference,
//! "Checksum", CreateMultipartUpload, UploadPart, CompleteMultipartUpload.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crc_fast::CrcAlgorithm;
use sha2::{Digest, Sha256};

use crate::content::Content;

/// An algorithm that the store knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// CRC-64/NVME: always of the full object.
    Crc64Nvme,
    /// SHA-256: of a multipart object always composite.
    Sha256,
}

impl Algorithm {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Crc64Nvme, Self::Sha256];

    /// The name in `x-amz-checksum-algorithm`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Crc64Nvme => "CRC64NVME",
            Self::Sha256 => "SHA256",
        }
    }

    /// The header with its value.
    pub fn header(self) -> &'static str {
        match self {
            Self::Crc64Nvme => "x-amz-checksum-crc64nvme",
            Self::Sha256 => "x-amz-checksum-sha256",
        }
    }

    /// The XML element with its value.
    pub fn element(self) -> &'static str {
        match self {
            Self::Crc64Nvme => "ChecksumCRC64NVME",
            Self::Sha256 => "ChecksumSHA256",
        }
    }

    /// The value of `x-amz-checksum-type` for a multipart object.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Crc64Nvme => "FULL_OBJECT",
            Self::Sha256 => "COMPOSITE",
        }
    }

    fn digest_len(self) -> usize {
        match self {
            Self::Crc64Nvme => 8,
            Self::Sha256 => 32,
        }
    }

    /// Whether a text is a value of it: the base64 of as many bytes as a digest has.
    pub fn takes(self, value: &str) -> bool {
        STANDARD.decode(value).is_ok_and(|bytes| bytes.len() == self.digest_len())
    }

    /// The value of one body; None for bytes that can't be read.
    pub fn of_body(self, content: &Content) -> Option<String> {
        Some(STANDARD.encode(match self {
            Self::Crc64Nvme => content.crc64().ok()?.to_be_bytes().to_vec(),
            Self::Sha256 => content.sha256().ok()?.to_vec(),
        }))
    }

    /// The value of an object that was put together of these parts: of all bytes, or the digest of the parts' digests and their number.
    pub fn of_parts(self, parts: &[Content]) -> Option<String> {
        match self {
            Self::Crc64Nvme => {
                let mut crc = 0;
                for part in parts {
                    crc = crc_fast::checksum_combine(CrcAlgorithm::Crc64Nvme, crc, part.crc64().ok()?, part.size);
                }
                Some(STANDARD.encode(crc.to_be_bytes()))
            }
            Self::Sha256 => {
                let mut hash = Sha256::new();
                for part in parts {
                    hash.update(part.sha256().ok()?);
                }
                Some(format!("{}-{}", STANDARD.encode(hash.finalize()), parts.len()))
            }
        }
    }
}

/// A value with its algorithm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checksum {
    /// The algorithm.
    pub algorithm: Algorithm,
    /// The value in base64; of a composite one with the number of parts behind it.
    pub value: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_check_value_and_its_text() {
        let content = Content::bytes(b"123456789".to_vec());
        assert_eq!(content.crc64().unwrap(), 0xae8b_1486_0a79_9888, "the catalogue's check of CRC-64/NVME");
        assert_eq!(Algorithm::Crc64Nvme.of_body(&content).as_deref(), Some("rosUhgp5mIg="));
        assert!(Algorithm::Crc64Nvme.takes("rosUhgp5mIg=") && !Algorithm::Sha256.takes("rosUhgp5mIg="));
    }

    #[test]
    fn the_crc_of_parts_is_that_of_the_whole() {
        let whole: Vec<u8> = (0..1000_u32).map(|n| (n % 251) as u8).collect();
        let parts =
            [&whole[..7], &whole[7..7], &whole[7..500], &whole[500..]].map(|part| Content::bytes(part.to_vec()));
        let algorithm = Algorithm::Crc64Nvme;
        assert_eq!(algorithm.of_parts(&parts), algorithm.of_body(&Content::bytes(whole)));
    }

    #[test]
    fn a_composite_value_names_the_number_of_parts() {
        let parts = ["a", "b"].map(|text| Content::bytes(text.as_bytes().to_vec()));
        let mut hash = Sha256::new();
        for text in ["a", "b"] {
            hash.update(Sha256::digest(text));
        }
        let expected = format!("{}-2", STANDARD.encode(hash.finalize()));
        assert_eq!(Algorithm::Sha256.of_parts(&parts), Some(expected));
    }
}
