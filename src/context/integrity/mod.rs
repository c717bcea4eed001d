//! Verifies that the store has the bytes of the file, by comparing the parts' MD5s with their ETags, or their CRC64NVMEs with the store's.
//!
//! Bodies never pass through here: the file is read a second time, in small windows, while the browser sends it.

pub(crate) mod checksum;
pub mod crc64;
pub mod digests;
mod etag;
mod hashing;
pub mod known;
mod proof;
mod stores;
mod verification;

pub use etag::{Verdict, is_md5, normalized, verdict};
pub(crate) use etag::{as_strong, is_of_md5s, same};
pub(crate) use hashing::read_windows;
pub use hashing::{digests_of, md5_of, sample};
pub(crate) use proof::{Receipts, combined, prove, unprovable, unproven};
pub use stores::{Etags, Store, Stores};
pub(crate) use verification::{EtagCheck, Evidence, Verification, expected_etag, unverified, verify};
