//! MD5 and CRC64NVME of several parts of a file at once, compiled for speed: what the package's workers run.
//!
//! The engine has an MD5 of its own, compiled for size, for pages that have no worker.

pub mod crc64;
mod four;
#[cfg(target_arch = "wasm32")]
pub mod lanes;
pub mod md5;
