//! The servers that an upload talks to, as plain state machines: three vendor APIs, an application's own server and an S3 store.
//!
//! Each model is a function `step(request, state, now)` over plain data that is `Send`. None of them opens a socket, reads
//! a clock or draws a random number: the time is an argument, in milliseconds since the epoch, and identifiers are derived
//! from counters and a seed. The sandbox serves the models over HTTP, native tests and simulations call them directly, so
//! that all of them meet the same server.
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
//! | [`wire`] | requests and responses without a socket |
//! | [`content`] | uploaded bytes: in memory, on disk, or symbolic |
//! | [`checksum`] | their checksums, as S3 has them |
//! | [`sigv4`] | AWS Signature Version 4 in the query string: presigned URLs and their verification |
//! | [`store`] | the S3 model, by typed operations and as REST |
//! | [`bucket`] | what a vendor needs of a store |
//! | [`ofauth`], [`onlymonster`], [`apifansly`] | the vendors |
//! | [`form`] | an application's own server, which takes forms |
//! | [`settings`] | changes of a model's settings by JSON |
//! | [`encoding`], [`clock`], [`xml`] | formats that requests and responses share |

pub mod apifansly;
pub mod bucket;
pub mod checksum;
pub mod clock;
pub mod content;
pub mod encoding;
pub mod form;
mod ids;
mod json;
pub mod ofauth;
pub mod onlymonster;
mod s3_error;
pub mod settings;
pub mod sigv4;
pub mod store;
pub mod symbolic;
pub mod wire;
pub mod xml;
