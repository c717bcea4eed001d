//! Files to upload, on disk.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

const CHUNK: usize = 1 << 20;

/// A file on disk, and what must be stored once all of it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Picked {
    pub(crate) path: PathBuf,
    pub(crate) name: String,
    pub(crate) size: u64,
    pub(crate) sha256: String,
}

/// `size` random bytes.
pub(crate) fn random(folder: &Path, name: &str, size: u64) -> Result<Picked> {
    write(folder, name, size, |chunk| getrandom::fill(chunk).context("no random bytes"))
}

/// A sparse file, which reads as zeros.
pub(crate) fn sparse(folder: &Path, name: &str, size: u64) -> Result<Picked> {
    let path = folder.join(name);
    File::create(&path)
        .and_then(|file| file.set_len(size))
        .with_context(|| format!("could not write {}", path.display()))?;
    Ok(Picked { path, name: name.to_owned(), size, sha256: hash_of_zeros(size)? })
}

/// Cached, since hashing so much takes a while.
fn hash_of_zeros(size: u64) -> Result<String> {
    static KNOWN: Mutex<BTreeMap<u64, String>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(hash) = known.get(&size) {
        return Ok(hash.clone());
    }
    let mut hash = Sha256::new();
    let zeros = vec![0; CHUNK];
    let mut left = size;
    while left > 0 {
        let now = left.min(CHUNK as u64);
        hash.update(&zeros[..usize::try_from(now)?]);
        left -= now;
    }
    let hash = hex(&hash.finalize());
    known.insert(size, hash.clone());
    Ok(hash)
}

fn write(folder: &Path, name: &str, size: u64, fill: impl Fn(&mut [u8]) -> Result<()>) -> Result<Picked> {
    let path = folder.join(name);
    let mut file = BufWriter::new(File::create(&path).with_context(|| format!("could not write {}", path.display()))?);
    let mut hash = Sha256::new();
    let mut chunk = vec![0; CHUNK];
    let mut left = size;
    while left > 0 {
        let now = usize::try_from(left.min(CHUNK as u64))?;
        fill(&mut chunk[..now])?;
        hash.update(&chunk[..now]);
        file.write_all(&chunk[..now])?;
        left -= now as u64;
    }
    file.flush()?;
    Ok(Picked { path, name: name.to_owned(), size, sha256: hex(&hash.finalize()) })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_of_a_sparse_file_is_that_of_its_zeros() {
        let folder = tempfile::tempdir().expect("a folder");
        let sparse = sparse(folder.path(), "sparse", 3).expect("written");
        assert_eq!(sparse.size, 3);
        assert_eq!(sparse.sha256, "709e80c88487a2411e1ee4dfb9f22a861492d20c4765150c0c794abd70f8147c");
        assert_eq!(std::fs::read(sparse.path).expect("read"), [0, 0, 0]);
    }

    #[test]
    fn random_files_have_the_size_asked_for_and_differ() {
        let folder = tempfile::tempdir().expect("a folder");
        let one = random(folder.path(), "one", 100_000).expect("written");
        let two = random(folder.path(), "two", 100_000).expect("written");
        assert_eq!(std::fs::metadata(&one.path).expect("there").len(), 100_000);
        assert_ne!(one.sha256, two.sha256);
    }
}
