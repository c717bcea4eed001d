//! A server for trials and tests of uploads, in one process on loopback: the vendors' APIs, an S3 store,
//! the proxies and the backend that a customer would write, and a network that breaks on demand.
//!
//! ```text
//! server      listeners, one origin each
//! connection  one connection: kept alive, closed, reset
//! exchange    one request and its response: CORS, log, faults
//! handlers/   what each call does: page, control, vendors (own origin, or proxied), plan, credentials, s3
//! state/      what all handlers share: clock, faults, log, settings, models. It knows no handler.
//! bucket/     the embedded store, or an existing one
//! ```
//!
//! The responses of a vendor or the store are decided by `partway-models`; what goes wrong on the way, by
//! [`faults`]. [`start`] runs the server in a test's own process, the binary `partway-sandbox` as a child.

mod bucket;
mod connection;
mod convert;
mod cors;
mod exchange;
mod handlers;
pub mod options;
mod request_body;
mod response;
mod response_body;
mod routes;
mod server;
mod state;
mod target;

pub use server::{Running, start};
pub use state::addresses::Addresses;
pub use state::{faults, log};
