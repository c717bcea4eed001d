//! What was sent, as little of it as a model needs: size, MD5, and where the bytes are, if they are anywhere.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use md5::{Digest, Md5};

use crate::encoding::hex;

/// A run of bytes that came in one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    /// How many.
    pub size: u64,
    /// Their MD5. Symbolic content has one that follows from file, start and size.
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
    /// Nowhere: they are said to be those of a file, known by a number, from `start` on.
    Symbolic {
        /// Which file.
        file: u64,
        /// The first byte's place in it.
        start: u64,
    },
}

impl Content {
    /// Bytes held in memory.
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

    /// `size` bytes of file number `file` from `start` on, without the bytes. The MD5 is that of [`symbolic_window`] after
    /// [`symbolic_window`], so that whoever reads the file in such windows finds the same one.
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

    /// The bytes `start..end` (half open). `None` past the end, and for content on disk, which isn't cut.
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

    /// The bytes, where they are in memory.
    pub fn held(&self) -> Option<&[u8]> {
        match &self.source {
            Source::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The MD5 in hexadecimal: what S3 gives as ETag of a part and of a single PUT, without the quotes
    /// (AWS S3 API Reference, "Object": without SSE-KMS and SSE-C).
    pub fn etag(&self) -> String {
        hex(&self.md5)
    }
}

/// Bytes of symbolic content that are read at a time, the last ones of a range apart.
pub const SYMBOLIC_WINDOW: u64 = 1 << 20;

/// What stands for `size` bytes of file number `file` from `start` on, where somebody reads them.
pub fn symbolic_window(file: u64, start: u64, size: u64) -> [u8; 24] {
    let mut bytes = [0; 24];
    for (place, number) in bytes.chunks_exact_mut(8).zip([file, start, size]) {
        place.copy_from_slice(&number.to_le_bytes());
    }
    bytes
}

/// How many bytes the pieces have together.
pub fn total_size(pieces: &[Content]) -> u64 {
    pieces.iter().map(|piece| piece.size).sum()
}

/// The ETag of a multipart object, without quotes: MD5 of the parts' binary MD5s, a dash, and their number.
pub fn multipart_etag(parts: &[Content]) -> String {
    let mut hash = Md5::new();
    for part in parts {
        hash.update(part.md5);
    }
    format!("{}-{}", hex(&hash.finalize()), parts.len())
}

/// An unbroken range of one symbolic file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tile {
    /// Which file.
    pub file: u64,
    /// The first byte's place in it.
    pub start: u64,
    /// How many bytes.
    pub size: u64,
}

/// What the pieces are together, where they are symbolic, of one file, and each begins where the one before ends.
/// Empty pieces among others are passed over.
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

/// Reads pieces one after the other, as one stream. Symbolic ones can't be read: that is an error of kind `Unsupported`.
pub struct Reader {
    pieces: VecDeque<Content>,
    current: Option<Box<dyn Read + Send>>,
}

impl Reader {
    /// From the first byte of the first piece on.
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
        let held = Content::bytes(b"hello".to_vec());
        assert_eq!(held.etag(), "5d41402abc4b2a76b9719d911017c592");
        let path = std::env::temp_dir().join(format!("partway-content-{}", std::process::id()));
        std::fs::write(&path, b"hello").unwrap();
        let on_disk = Content::file(&path).unwrap();
        assert_eq!((on_disk.size, on_disk.md5), (5, held.md5));
        let mut text = String::new();
        let mut reader = Reader::new(&[held.clone(), on_disk.clone(), held.slice(1, 3).unwrap()]);
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "hellohelloel");
        assert!(on_disk.slice(0, 1).is_none());
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn multipart_etag_is_that_of_s3() {
        // `printf a | openssl md5 -binary`, the same of b, both through `openssl md5`
        let parts = [Content::bytes(*b"a"), Content::bytes(*b"b")];
        assert_eq!(multipart_etag(&parts), "96e024ba2074fe77e8e965ba43a704be-2");
    }

    #[test]
    fn symbolic_md5_follows_from_the_range() {
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
    fn pieces_tile_or_they_do_not() {
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
