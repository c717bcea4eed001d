//! A world for uploads, natively and in virtual time: the engine and its providers as they are shipped, and at the other end the
//! very models that the sandbox serves.
//!
//! Everything in a [`World`] follows from its seed: the page's random numbers, the line's latency, the servers' ids. Time jumps
//! from wake-up to wake-up, so that an hour of polling takes no time, and a file of 6 GiB is a number and a size.
//!
//! ```
//! use partway_simulation::{Fault, World};
//! use serde_json::json;
//!
//! let world = World::new(7);
//! world.fault("ofauth:init", 0, 1, Fault::status(503));
//! let file = world.file("clip.mp4", 3 << 20);
//! let upload = world.upload(json!({ "name": "ofauth", "baseUrl": "/api/ofauth" }), json!({}), &file);
//! world.run();
//! assert_eq!(world.stored(&upload).parts, 1);
//! assert_eq!(world.count("ofauth:init"), 2);
//! ```
//!
//! [`World::run`] checks what must hold in any story: every upload ends, once; progress never falls; no more requests at once
//! than there are slots; no secret goes to a foreign origin; nothing goes to a presigned URL that it didn't sign.
//! A test adds what its own story is about.
//!
//! | module | is |
//! | --- | --- |
//! | [`world`], [`uploader`], [`handle`] | what tests hold |
//! | [`executor`] | tasks and the clock |
//! | [`platform`] | the engine's platform |
//! | `network`, [`wiring`] | a request on its way, and the browser's rules for it |
//! | `bottleneck` | what all connections share |
//! | [`capacity`] | how much a store takes |
//! | [`fault`] | the script of what goes wrong |
//! | [`servers`], [`backend`], [`hooks`] | proxies, vendors, stores, and the application's functions |
//! | [`log`], [`check`] | what was sent, and what must hold |
//! | [`environment`], [`storage`] | the network and the machine as a whole; what a page keeps |
//! | [`hashing`] | workers that compute digests |
//! | [`seeds`] | stories from seeds, very many of them |

pub mod backend;
mod bottleneck;
pub mod capacity;
pub mod check;
mod core;
pub mod environment;
pub mod executor;
pub mod fault;
pub mod file;
pub mod handle;
pub mod hashing;
pub mod hooks;
pub mod log;
mod network;
pub mod platform;
pub mod rng;
pub mod seeds;
pub mod servers;
pub mod storage;
pub mod transform;
pub mod uploader;
pub mod wiring;
pub mod world;

pub use crate::core::Line;
pub use capacity::Capacity;
pub use fault::Fault;
pub use file::File;
pub use handle::Handle;
pub use hashing::HashWorkers;
pub use transform::Transform;
pub use uploader::Uploader;
pub use world::World;
