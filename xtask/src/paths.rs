//! Where things are.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the repository")
}

/// The folder that Cargo put this program into, where it puts the workspace's other programs too.
pub(crate) fn programs() -> Result<PathBuf> {
    let this = env::current_exe().context("the path of this program")?;
    Ok(this.parent().context("this program has no folder")?.to_owned())
}

/// A program of the workspace, built by [`crate::build::servers`].
pub(crate) fn program(name: &str) -> Result<PathBuf> {
    Ok(programs()?.join(format!("{name}{}", env::consts::EXE_SUFFIX)))
}

/// The program called `name` on the search path.
pub(crate) fn find_in_path(name: &str) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH")?)
        .map(|folder| folder.join(format!("{name}{}", env::consts::EXE_SUFFIX)))
        .find(|path| path.is_file())
}
