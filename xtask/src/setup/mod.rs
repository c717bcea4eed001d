//! Puts what a fresh machine lacks where it belongs, or says how.

pub(crate) mod browser;
pub(crate) mod npm;
pub(crate) mod toolchain;
