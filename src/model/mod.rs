//! What an upload is made of: a file, a plan of its parts, a session, and what is told of them.

pub mod events;
pub mod file;
pub mod plan;
pub mod progress;
pub mod session;
pub mod settings;
