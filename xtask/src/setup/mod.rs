//! Puts what a fresh machine lacks where it belongs, or says how.

mod apt;
pub(crate) mod browser;
pub(crate) mod engines;
pub(crate) mod npm;
pub(crate) mod toolchain;
