//! The bucket behind the plan backend, Onlymonster and the S3 destination: embedded, or an existing one.

mod embedded;
mod external;
mod location;
mod store;

pub(crate) use embedded::{Embedded, remove_files};
pub(crate) use external::External;
pub(crate) use store::Store;
