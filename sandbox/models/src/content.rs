//! Uploaded bytes, reduced to what a model needs: size, digests, and where the bytes are, if they are kept.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crc_fast::CrcAlgorithm::Crc64Nvme;
use md5::{Digest, Md5};
use sha2::Sha256;

use crate::encoding::hex;
use crate::symbolic::{SYMBOLIC_WINDOW, symbolic_crc64, symbolic_window};

/// The bytes of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// The number of bytes.
    pub size: u64,
    /// Their MD5. That of symbolic content is derived from file, start and size.
    pub md5: [u8; 16],
    /// Where they are.
    pub source: Source,
}

/// Where the bytes of a [`Content`] are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// In memory.
    Bytes(Arc<[u8]>),
    /// In a file of their own.
    File(PathBuf),
    /// Not kept: they count as those of the file with this number, from `start` on.
    Symbolic {
        /// The number of the file.
        file: u64,
        /// The offset of the first byte in the file.
        start: u64,
    },
}

impl Content {
    /// Content that is kept in memory.
    pub fn bytes(bytes: impl Into<Arc<[u8]>>) -> Self {
        let bytes = bytes.into();
        Content { size: bytes.len() as u64, md5: Md5::digest(&bytes).into(), source: Source::Bytes(bytes) }
    }

    /// A file on disk, read once for its size and MD5.
    pub fn file(path: impl AsRef<Path>) -> io::Result<Self> {
        let mut file = std::fs::File::open(&path)?;
        let mut hash = Md5::new();
        let mut buffer = vec![0; 1 << 16];
        let mut size = 0;
        loop {
            let read = file.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            hash.update(&buffer[..read]);
            size += read as u64;
        }
        Ok(Content { size, md5: hash.finalize().into(), source: Source::File(path.as_ref().to_path_buf()) })
    }

    /// Content without its bytes: `size` bytes of file number `file`, from `start` on. Its MD5 is that of one
    /// [`symbolic_window`] after the other, so that a client that reads the file in such windows computes the same MD5.
    pub fn symbolic(file: u64, start: u64, size: u64) -> Self {
        let mut hash = Md5::new();
        let (mut at, end) = (start, start.saturating_add(size));
        while at < end {
            let next = at.saturating_add(SYMBOLIC_WINDOW).min(end);
            hash.update(symbolic_window(file, at, next - at));
            at = next;
        }
        Content { size, md5: hash.finalize().into(), source: Source::Symbolic { file, start } }
    }

    /// The CRC64NVME of the bytes, read where they are. Those of symbolic content are such that the CRCs of adjacent ranges combine to
    /// that of both.
    ///
    /// # Errors
    /// Those of reading a file.
    pub fn crc64(&self) -> io::Result<u64> {
        match &self.source {
            Source::Bytes(bytes) => Ok(crc_fast::checksum(Crc64Nvme, bytes)),
            Source::Symbolic { file, start } => Ok(symbolic_crc64(*file, *start, self.size)),
            Source::File(path) => {
                let (mut file, mut crc) = (std::fs::File::open(path)?, crc_fast::Digest::new(Crc64Nvme));
                let mut buffer = vec![0; 1 << 16];
                loop {
                    match file.read(&mut buffer)? {
                        0 => return Ok(crc.finalize()),
                        read => crc.update(&buffer[..read]),
                    }
                }
            }
        }
    }

    /// The bytes `start..end` (half open). `None` if that is past the end, or if the content is on disk.
    pub fn slice(&self, start: u64, end: u64) -> Option<Self> {
        if start > end || end > self.size {
            return None;
        }
        match &self.source {
            Source::Bytes(bytes) => Some(Content::bytes(&bytes[start as usize..end as usize])),
            Source::File(_) => None,
            Source::Symbolic { file, start: base } => Some(Content::symbolic(*file, base + start, end - start)),
        }
    }

    /// The bytes, if they are in memory.
    pub fn held(&self) -> Option<&[u8]> {
        match &self.source {
            Source::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The SHA-256 of the bytes, read where they are. That of symbolic content is of one [`symbolic_window`] after the other.
    ///
    /// # Errors
    /// Those of reading a file.
    pub fn sha256(&self) -> io::Result<[u8; 32]> {
        let mut hash = Sha256::new();
        if let Source::Symbolic { file, start } = self.source {
            let (mut at, end) = (start, start.saturating_add(self.size));
            while at < end {
                let next = at.saturating_add(SYMBOLIC_WINDOW).min(end);
                hash.update(symbolic_window(file, at, next - at));
                at = next;
            }
            return Ok(hash.finalize().into());
        }
        let (mut reader, mut buffer) = (Reader::new(std::slice::from_ref(self)), vec![0; 1 << 16]);
        loop {
            match reader.read(&mut buffer)? {
                0 => return Ok(hash.finalize().into()),
                read => hash.update(&buffer[..read]),
            }
        }
    }

    /// The same content with one byte changed: what arrives over a line that damages it. Of a file on disk it stays as it is.
    pub fn damaged(&self) -> Self {
        match &self.source {
            Source::Bytes(bytes) if !bytes.is_empty() => {
                let mut bytes = bytes.to_vec();
                let middle = bytes.len() / 2;
                bytes[middle] ^= 1;
                Content::bytes(bytes)
            }
            Source::Symbolic { file, start } => Content::symbolic(*file ^ DAMAGED, *start, self.size),
            Source::Bytes(_) | Source::File(_) => self.clone(),
        }
    }

    /// The MD5 in hexadecimal: S3's ETag of a part and of a single PUT, without quotes
    /// (AWS S3 API Reference, "Object": without SSE-KMS and SSE-C).
    pub fn etag(&self) -> String {
        hex(&self.md5)
    }
}

/// Set in the number of a symbolic file whose bytes were damaged on the way: another file.
const DAMAGED: u64 = 1 << 63;

/// The total size of the pieces.
pub fn total_size(pieces: &[Content]) -> u64 {
    pieces.iter().map(|piece| piece.size).sum()
}

/// The ETag of a multipart object, without quotes: the MD5 of the parts' binary MD5s, a dash, and the number of parts.
pub fn multipart_etag(parts: &[Content]) -> String {
    let mut hash = Md5::new();
    for part in parts {
        hash.update(part.md5);
    }
    format!("{}-{}", hex(&hash.finalize()), parts.len())
}

/// A contiguous range of one symbolic file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tile {
    /// The number of the file.
    pub file: u64,
    /// The offset of the first byte in the file.
    pub start: u64,
    /// The number of bytes.
    pub size: u64,
}

/// The range that the pieces form, if they are symbolic, of one file, and contiguous.
/// Empty pieces are skipped.
pub fn tile(pieces: &[Content]) -> Option<Tile> {
    let mut whole: Option<Tile> = None;
    for piece in pieces {
        let Source::Symbolic { file, start } = piece.source else {
            return None;
        };
        match &mut whole {
            Some(tile) if piece.size == 0 && tile.file == file => {}
            Some(tile) if tile.size == 0 || (tile.file == file && tile.start.checked_add(tile.size) == Some(start)) => {
                if tile.size == 0 {
                    *tile = Tile { file, start, size: 0 };
                }
                tile.size += piece.size;
            }
            Some(_) => return None,
            None => {
                whole = Some(Tile { file, start, size: piece.size });
            }
        }
    }
    whole
}

/// Reads the pieces as one stream. Reading symbolic content is an error of kind `Unsupported`.
pub struct Reader {
    pieces: VecDeque<Content>,
    current: Option<Box<dyn Read + Send>>,
}

impl Reader {
    /// A reader at the first byte of the first piece.
    pub fn new(pieces: &[Content]) -> Self {
        Reader { pieces: pieces.iter().cloned().collect(), current: None }
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if let Some(current) = &mut self.current {
                let read = current.read(buffer)?;
                if read > 0 {
                    return Ok(read);
                }
                self.current = None;
            }
            let Some(next) = self.pieces.pop_front() else {
                return Ok(0);
            };
            self.current = Some(match next.source {
                Source::Bytes(bytes) => Box::new(io::Cursor::new(bytes)),
                Source::File(path) => Box::new(std::fs::File::open(path)?.take(next.size)),
                Source::Symbolic { .. } => {
                    let message = "symbolic content has no bytes to read";
                    return Err(io::Error::new(io::ErrorKind::Unsupported, message));
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn md5_of_bytes_and_of_a_file_agree() {
        let in_memory = Content::bytes(b"hello".to_vec());
        assert_eq!(in_memory.etag(), "5d41402abc4b2a76b9719d911017c592");
        let path = std::env::temp_dir().join(format!("partway-content-{}", std::process::id()));
        std::fs::write(&path, b"hello").unwrap();
        let on_disk = Content::file(&path).unwrap();
        assert_eq!((on_disk.size, on_disk.md5), (5, in_memory.md5));
        let mut text = String::new();
        let mut reader = Reader::new(&[in_memory.clone(), on_disk.clone(), in_memory.slice(1, 3).unwrap()]);
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "hellohelloel");
        assert!(on_disk.slice(0, 1).is_none());
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn multipart_etag_is_that_of_s3() {
        // Computed by `printf a | openssl md5 -binary`, the same of b, both through `openssl md5`.
        let parts = [Content::bytes(*b"a"), Content::bytes(*b"b")];
        assert_eq!(multipart_etag(&parts), "96e024ba2074fe77e8e965ba43a704be-2");
    }

    #[test]
    fn symbolic_md5_is_derived_from_the_range() {
        let whole = Content::symbolic(7, 0, 100);
        assert_eq!(whole.slice(10, 30), Some(Content::symbolic(7, 10, 20)));
        assert_ne!(Content::symbolic(7, 0, 10).md5, Content::symbolic(8, 0, 10).md5);
        assert_ne!(Content::symbolic(7, 0, 10).md5, Content::symbolic(7, 1, 10).md5);
        assert_eq!(whole.slice(10, 101), None);
        assert_eq!(whole.slice(11, 10), None);
        let read = Reader::new(&[whole]).read(&mut [0; 4]);
        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::Unsupported);
    }

    #[test]
    fn symbolic_md5_is_that_of_its_windows() {
        let windows = [symbolic_window(7, 5, SYMBOLIC_WINDOW), symbolic_window(7, 5 + SYMBOLIC_WINDOW, 9)];
        assert_eq!(Content::symbolic(7, 5, SYMBOLIC_WINDOW + 9).md5, Content::bytes(windows.concat()).md5);
        assert_eq!(Content::symbolic(7, 5, 0).etag(), "d41d8cd98f00b204e9800998ecf8427e");
    }

    #[test]
    fn crcs_of_bytes_and_of_a_file_agree() {
        assert_eq!(Content::bytes(*b"123456789").crc64().unwrap(), 0xae8b_1486_0a79_9888);
        let path = std::env::temp_dir().join(format!("partway-content-crc-{}", std::process::id()));
        std::fs::write(&path, b"123456789").unwrap();
        assert_eq!(Content::file(&path).unwrap().crc64().unwrap(), 0xae8b_1486_0a79_9888);
        std::fs::remove_file(path).unwrap();
        assert_eq!(Content::symbolic(7, 5, 9).crc64().unwrap(), symbolic_crc64(7, 5, 9));
    }

    #[test]
    fn only_contiguous_pieces_form_a_range() {
        let s = Content::symbolic;
        let cases = [
            (vec![s(1, 0, 4), s(1, 4, 6)], Some((1, 0, 10))),
            (vec![s(1, 3, 4)], Some((1, 3, 4))),
            (vec![s(1, 0, 4), s(1, 5, 5)], None),
            (vec![s(1, 4, 6), s(1, 0, 4)], None),
            (vec![s(1, 0, 4), s(1, 0, 4)], None),
            (vec![s(1, 0, 4), s(2, 4, 6)], None),
            (vec![s(1, 0, 4), Content::bytes(*b"x")], None),
            (vec![s(1, 0, 0)], Some((1, 0, 0))),
            (vec![s(1, 0, 4), s(1, 9, 0), s(1, 4, 1)], Some((1, 0, 5))),
            (vec![], None),
        ];
        for (pieces, expected) in cases {
            let got = tile(&pieces).map(|t| (t.file, t.start, t.size));
            assert_eq!(got, expected, "{pieces:?}");
        }
    }
}
