//! The engine: from a picked file to its outcome, the same for every destination, on any [`Platform`](crate::platform::Platform).
//!
//! [`uploader`] starts uploads and hands out a [`handle`] to each. The `supervisor` runs one to its end and outlives it. `steps` are
//! those of one file: check, open, `send` its parts (each by one or more `attempt`s), complete, settle. `store` saves the session for a
//! later page, in the form of [`record`].

mod attempt;
mod file_check;
pub mod handle;
mod late;
mod pace;
mod prepare;
pub mod record;
mod run;
mod send;
pub mod start;
mod steps;
mod store;
mod supervisor;
mod tail;
pub mod uploader;
