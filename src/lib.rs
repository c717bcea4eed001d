//! Partway: an upload engine for web pages.
//!
//! A file goes one way, and nothing calls back up:
//!
//! ```text
//! upload(file) -> Uploader -> upload::run
//!    check      type, size, one byte readable; is it there already?
//!    open       the provider opens the upload            -> Session with its Plan
//!    send       Slots -> part -> sign if needed -> slice -> PUT -> ETag -> verify
//!    complete   the provider puts the parts together
//!    settle     the provider sees the processing through -> Outcome
//! callbacks <- events <-
//! ```
//!
//! [`engine`] is that way; [`providers`] are the dialects of the remote APIs; [`platform`] is all that they need from the world.
//! Both compile and are tested natively. The browser's side, `web`, is there on `wasm32` only; the npm package in `pkg/` puts its
//! JavaScript face on it.

pub mod engine;
pub mod error;
pub mod foreign;
pub mod http;
pub mod id;
pub mod integrity;
pub mod json;
#[cfg(feature = "mutants")]
pub mod mutants;
pub mod numbered;
pub mod plan;
pub mod platform;
pub mod presigned;
pub mod providers;
pub mod settings;
pub mod source;
mod text;
pub mod time;
#[cfg(target_arch = "wasm32")]
pub mod web;

/// Smaller in the download than the standard library's allocator, by 2 KB with brotli; as quick for blocks of any size.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();
