//! What a browser keeps on the disk.

use std::path::Path;

use anyhow::{Context, Result};
use tempfile::TempDir;

/// A folder for a browser's profile. It outlives the browser's process, and goes when it is dropped.
pub struct Profile(TempDir);

impl Profile {
    /// An empty profile.
    pub fn new() -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("partway-profile-").tempdir();
        Ok(Self(folder.context("no folder for the browser's profile")?))
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}
