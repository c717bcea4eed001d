//! The engine: from a picked file to its outcome, the same for every destination, on any [`Platform`](crate::platform::Platform).

pub mod record;
pub mod send;
pub mod steps;
pub mod store;
pub mod uploader;
