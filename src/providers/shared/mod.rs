//! What several providers have in common.

pub(crate) mod api;
pub(crate) mod errors;
pub(crate) mod listed;
pub(crate) mod outcome;
pub(crate) mod poll;
pub(crate) mod presigned;
pub(crate) mod reply;
pub(crate) mod store;
pub(crate) mod xml;
