//! Partway: an upload engine for web pages.
//!
//! A file goes one way, and nothing calls back up:
//!
//! ```text
//! upload(file) -> Uploader -> steps::run_steps
//!    check      type, size, one byte readable; is it there already?
//!    open       the provider opens the upload            -> Session with its Plan
//!    send       Semaphore -> part -> sign if needed -> slice -> PUT -> ETag -> verify
//!    complete   the provider puts the parts together
//!    settle     the provider sees the processing through -> Outcome
//! callbacks <- events <-
//! ```
//!
//! Each layer uses only those before it: [`util`], [`sync`], [`error`], [`json`], [`model`], [`http`], [`platform`], [`context`],
//! [`provider`], then [`providers`] and [`engine`], which don't know each other, then `web`, the browser's side, on `wasm32` only.
//! All others compile and are tested natively. The npm package in `pkg/` puts its JavaScript face on it.

// A build for one destination uses a part of what they share.
#![cfg_attr(
    not(all(
        feature = "ofauth",
        feature = "onlymonster",
        feature = "apifansly",
        feature = "s3",
        feature = "plan",
        feature = "form"
    )),
    allow(dead_code, unused_imports)
)]

#[macro_use]
pub mod util;

pub mod context;
pub mod engine;
pub mod error;
pub mod http;
pub mod json;
pub mod model;
pub mod platform;
pub mod provider;
pub mod providers;
pub mod sync;
#[cfg(target_arch = "wasm32")]
pub mod web;

/// Smaller in the download than the standard library's allocator, by 2 KB with brotli; as quick for blocks of any size.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();
