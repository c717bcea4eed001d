//! Large bodies are written to files, while their size and MD5 are computed.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Body;
use md5::{Digest, Md5};
use partway_models::content::{Content, Source};

use crate::response_body::BodyError;

/// The size of one write. (A choice.)
const PIECE: usize = 256 * 1024;

static ZEROS: [u8; PIECE] = [0; PIECE];

/// The longest body that stays in memory. (A choice.)
const IN_MEMORY: usize = 16 * 1024;

/// The folder that bodies are written to.
#[derive(Debug)]
pub(crate) struct Spool {
    folder: PathBuf,
    next: AtomicU64,
}

/// A file that is removed when it is dropped, unless it is kept.
#[derive(Debug)]
struct TempFile {
    path: PathBuf,
    kept: bool,
}

impl Drop for TempFile {
    fn drop(&mut self) {
        if !self.kept {
            // A file that can't be removed stays in the data folder, where it does no harm.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// A body that was received. Its file is removed when it is dropped, unless it is kept.
#[derive(Debug)]
pub(crate) struct Spooled {
    content: Content,
    file: Option<TempFile>,
}

impl Spooled {
    /// The body.
    pub(crate) fn content(&self) -> Content {
        self.content.clone()
    }

    /// Keeps the file.
    pub(crate) fn keep(mut self) {
        if let Some(file) = &mut self.file {
            file.kept = true;
        }
    }
}

struct Writing {
    hash: Md5,
    size: u64,
    pending: Vec<u8>,
    file: Option<(File, TempFile)>,
}

impl Spool {
    /// A spool in `folder`, which is created if it doesn't exist.
    ///
    /// # Errors
    /// The folder can't be created.
    pub(crate) fn new(folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        Ok(Self { folder: folder.to_owned(), next: AtomicU64::new(0) })
    }

    /// Removes all files of this process, and no others.
    ///
    /// # Errors
    /// A file can't be removed.
    pub(crate) fn clear(&self) -> io::Result<()> {
        let own = format!("{}-", std::process::id());
        for entry in std::fs::read_dir(&self.folder)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(&own) {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// Receives a body.
    ///
    /// # Errors
    /// The connection broke, or the disk is full.
    pub(crate) async fn receive<B>(self: &Arc<Self>, mut body: B) -> Result<Spooled, BodyError>
    where
        B: Body<Data = Bytes> + Unpin,
        B::Error: Into<BodyError>,
    {
        let mut writing = Writing { hash: Md5::new(), size: 0, pending: Vec::new(), file: None };
        while let Some(frame) = body.frame().await {
            if let Ok(data) = frame.map_err(Into::into)?.into_data() {
                writing.pending.extend_from_slice(&data);
            }
            if writing.pending.len() >= PIECE {
                let spool = self.clone();
                writing = tokio::task::spawn_blocking(move || {
                    spool.write(&mut writing)?;
                    io::Result::Ok(writing)
                })
                .await??;
            }
        }
        let spool = self.clone();
        Ok(tokio::task::spawn_blocking(move || spool.finish(writing)).await??)
    }

    fn write(&self, writing: &mut Writing) -> io::Result<()> {
        let file = match &mut writing.file {
            Some((file, _)) => file,
            none => {
                let n = self.next.fetch_add(1, Ordering::Relaxed);
                let path = self.folder.join(format!("{}-{n:08}", std::process::id()));
                let file = File::create_new(&path)?;
                &mut none.insert((file, TempFile { path, kept: false })).0
            }
        };
        for piece in writing.pending.chunks(PIECE) {
            // Zeros are skipped, so that a sparse file of gigabytes stays sparse.
            if piece == &ZEROS[..piece.len()] {
                file.seek(SeekFrom::Current(piece.len() as i64))?;
            } else {
                file.write_all(piece)?;
            }
        }
        writing.hash.update(&writing.pending);
        writing.size += writing.pending.len() as u64;
        writing.pending.clear();
        Ok(())
    }

    fn finish(&self, mut writing: Writing) -> io::Result<Spooled> {
        let source = if writing.file.is_none() && writing.pending.len() <= IN_MEMORY {
            writing.hash.update(&writing.pending);
            writing.size = writing.pending.len() as u64;
            Source::Bytes(std::mem::take(&mut writing.pending).into())
        } else {
            self.write(&mut writing)?;
            if let Some((file, _)) = &writing.file {
                file.set_len(writing.size)?;
            }
            Source::File(writing.file.as_ref().map(|(_, file)| file.path.clone()).unwrap_or_default())
        };
        let content = Content { size: writing.size, md5: writing.hash.finalize().into(), source };
        Ok(Spooled { content, file: writing.file.map(|(_, file)| file) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::response_body::full;

    #[tokio::test]
    async fn small_bodies_stay_in_memory_and_large_ones_are_files_until_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Arc::new(Spool::new(folder.path()).unwrap());
        let small = spool.receive(full("hello")).await.unwrap().content();
        assert!(matches!(&small.source, Source::Bytes(bytes) if **bytes == *b"hello"));
        assert_eq!(small.md5, <[u8; 16]>::from(Md5::digest("hello")));

        let bytes: Vec<u8> = (0..600_000_u32).map(|n| (n % 251) as u8).collect();
        let kept = spool.receive(full(bytes.clone())).await.unwrap();
        let Source::File(path) = kept.content().source else { panic!("no file") };
        assert_eq!((kept.content().size, kept.content().md5), (600_000, Md5::digest(&bytes).into()));
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
        kept.keep();
        assert!(path.exists());

        let mut sparse = vec![0; 3 * PIECE];
        sparse[PIECE + 7] = 1;
        let written = spool.receive(full(sparse.clone())).await.unwrap();
        let Source::File(path) = written.content().source else { panic!("no file") };
        assert_eq!(
            (std::fs::read(&path).unwrap(), written.content().md5),
            (sparse.clone(), Md5::digest(&sparse).into())
        );

        let dropped = spool.receive(full(bytes)).await.unwrap();
        let Source::File(path) = dropped.content().source else { panic!("no file") };
        drop(dropped);
        assert!(!path.exists());
    }
}
