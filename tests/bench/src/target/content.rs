//! What all files hold, so that the target knows the MD5 of what it is sent without hashing it.
//!
//! Every file is one block of random bytes over and over. The first bytes of a body tell where in the block it begins, and with its
//! length that is all that its MD5 depends on.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use md5::{Digest, Md5};

use super::random::SplitMix;

/// Bytes in the block. (A choice: the smallest part of any case, so that most parts begin where the block does.)
const BLOCK: usize = 64 * 1024;

/// How many bytes tell where in the block a body begins.
pub(crate) const WINDOW: usize = 8;

/// The block, and the MD5s that were asked for.
pub(crate) struct Content {
    block: Vec<u8>,
    starts: HashMap<[u8; WINDOW], usize>,
    known: Mutex<HashMap<(usize, u64), String>>,
}

impl Content {
    /// The block that this seed makes.
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = SplitMix::new(seed);
        let block: Vec<u8> = (0..BLOCK / 8).flat_map(|_| random.next().to_le_bytes()).collect();
        let starts = (0..BLOCK).map(|start| (window(&block, start), start)).collect();
        Self { block, starts, known: Mutex::default() }
    }

    /// Writes a file of this size, unless it is there.
    pub(crate) fn write(&self, path: &Path, size: u64) -> Result<()> {
        if fs::metadata(path).is_ok_and(|found| found.len() == size) {
            return Ok(());
        }
        let written = || -> std::io::Result<()> {
            let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
            self.pieces(0, size, |piece| file.write_all(piece))?;
            file.flush()
        };
        written().with_context(|| format!("could not write {}", path.display()))
    }

    /// Where in the block a body begins that begins with these bytes; `None` where it is no file of the bench's.
    pub(crate) fn start(&self, first: &[u8]) -> Option<usize> {
        if first.len() < WINDOW {
            return (0..BLOCK).find(|start| window(&self.block, *start).starts_with(first));
        }
        self.starts.get(&first[..WINDOW]).copied()
    }

    /// The MD5 of so many bytes from there, in hexadecimal digits: hashed when it is first asked for, and known then.
    pub(crate) fn md5(&self, start: usize, length: u64) -> String {
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(md5) = known().get(&(start, length)) {
            return md5.clone();
        }
        let mut hash = Md5::new();
        let hashed: Result<(), std::convert::Infallible> = self.pieces(start, length, |piece| {
            hash.update(piece);
            Ok(())
        });
        let Ok(()) = hashed;
        let md5: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        known().insert((start, length), md5.clone());
        md5
    }

    fn pieces<E>(&self, start: usize, length: u64, mut each: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        let (mut at, mut left) = (start, length);
        while left > 0 {
            let piece = &self.block[at..];
            let piece = &piece[..piece.len().min(usize::try_from(left).unwrap_or(usize::MAX))];
            each(piece)?;
            left -= piece.len() as u64;
            at = 0;
        }
        Ok(())
    }
}

/// Beyond the end the block begins again.
fn window(block: &[u8], start: usize) -> [u8; WINDOW] {
    std::array::from_fn(|index| block[(start + index) % block.len()])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_md5_of_any_piece_of_a_file_by_its_first_bytes_and_its_length() {
        let content = Content::new(7);
        let folder = std::env::temp_dir().join(format!("partway-bench-content-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let path = folder.join("file");
        content.write(&path, 200_000).expect("written");
        let file = fs::read(&path).expect("read");
        fs::remove_dir_all(&folder).expect("removed");
        assert_eq!(file.len(), 200_000);
        for (from, to) in [(0, 200_000), (65_536, 131_072), (70_001, 199_999), (131_071, 131_080), (65_532, 65_545)] {
            let piece = &file[from..to];
            let start = content.start(piece).expect("found");
            let md5: String = Md5::digest(piece).iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(content.md5(start, piece.len() as u64), md5, "{from} to {to}");
        }
        assert_eq!(content.start(b"something else"), None);
        assert_eq!(content.md5(0, 0), "d41d8cd98f00b204e9800998ecf8427e");
    }

    #[test]
    fn every_place_in_the_block_begins_in_its_own_way() {
        assert_eq!(Content::new(7).starts.len(), BLOCK);
    }
}
