//! What stands at the other end of an upload, as plain state machines: three vendor APIs and an S3 store.
//!
//! Each model is a function `step(request, state, now)` over plain data that is `Send`. None of them opens a socket,
//! reads a clock or draws a random number: the time comes in as milliseconds since the epoch, identifiers come from
//! counters and a seed. The sandbox puts HTTP before them, native tests and simulations call them directly, so that
//! all of these meet the very same server.
//!
//! ```
//! use partway_models::{ofauth, wire::Request};
//! let mut vault = ofauth::State::new(ofauth::Config::default());
//! let request = Request::new("POST", "/v2/access/uploads/init");
//! assert_eq!(ofauth::step(&request, &mut vault, 0).status, 401);
//! ```
//!
//! | module | is |
//! | --- | --- |
//! | [`wire`] | requests and answers without a socket |
//! | [`content`] | bytes that were sent: held, on disk, or only told about |
//! | [`sigv4`] | AWS Signature Version 4 in the query string, made and checked |
//! | [`store`] | the S3 model, typed and as REST |
//! | [`bucket`] | what a vendor needs of a store, so that any store will do |
//! | [`ofauth`], [`onlymonster`], [`apifansly`] | the vendors |

pub mod apifansly;
pub mod bucket;
pub mod clock;
pub mod content;
pub mod encoding;
mod ids;
mod json;
pub mod ofauth;
pub mod onlymonster;
mod s3_error;
pub mod settings;
pub mod sigv4;
pub mod store;
pub mod wire;
pub mod xml;
