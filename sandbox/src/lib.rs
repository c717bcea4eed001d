//! A server for trials and tests of uploads, in one process on loopback: the vendors' APIs, an S3 store,
//! the proxies and the backend that a customer would write, and a network that breaks on demand.
//!
//! ```text
//! connection -> exchange -> app: page, config.json, objects, control
//!                  |        vendors (own origin, or proxied with keys and idempotency) -> models
//!                  |        s3 (s3s in front: protocol and signatures)                 -> models
//!              faults, log  plan, credentials
//! ```
//!
//! What a vendor or the store answers is decided by `partway-models`; what goes wrong on the way, by
//! [`faults`]. [`start`] runs it in a test's own process, the binary `partway-sandbox` as a child.

mod answer;
mod app;
mod body;
mod bucket;
mod clock;
mod connection;
mod control;
mod cors;
mod credentials;
mod exchange;
pub mod faults;
mod files;
mod idempotency;
mod knobs;
pub mod log;
mod network;
mod objects;
pub mod options;
mod plan;
mod rate;
mod routes;
mod s3;
mod sandbox;
mod server;
mod spool;
mod vendors;
mod wire;

pub use server::{Addresses, Running, start};
