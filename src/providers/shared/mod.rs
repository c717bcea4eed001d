//! What several providers have in common.

pub(crate) mod api;
pub(crate) mod cors;
pub(crate) mod listed;
pub(crate) mod poll;
pub(crate) mod reply;
pub(crate) mod store;
