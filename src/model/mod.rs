//! The data of an upload: a file, a plan of its parts, a session, and the events.

pub mod events;
pub mod file;
pub mod plan;
pub mod progress;
pub mod session;
pub mod settings;
