//! Requests and responses, and the rules for which origins may get which headers.
//!
//! There are two kinds of request and no third: an [`ApiRequest`] goes to an origin that may get the provider's headers, a
//! [`StoreRequest`] goes to a presigned URL and carries only what was signed.

pub mod foreign;
mod origins;
pub mod presigned;
mod request;
mod response;
mod url;

pub use origins::{Origins, UrlKind};
pub(crate) use request::address;
pub use request::{ApiRequest, Body, Method, Request, StoreRequest};
pub use response::{Response, reset_in};
pub use url::{Url, encode_segment};
