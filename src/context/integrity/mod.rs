//! Proof that what was uploaded is what was picked: the file's MD5s against the store's ETags.
//!
//! Bodies never pass through here: the file is read a second time, in small windows, while the browser sends it.

pub mod digests;
mod etag;
pub mod known;
mod md5;
mod proof;
mod stores;

pub use etag::{Verdict, bare, is_md5, verdict};
pub(crate) use etag::{is_of_md5s, same, strong};
pub use md5::{md5_of, sample};
pub(crate) use proof::{Doubt, Proof, asked, judge, unproven};
pub use stores::{Etags, Store, Stores};
