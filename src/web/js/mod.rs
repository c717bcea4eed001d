//! Bindings to JavaScript, for windows and workers alike: objects, promises, timers, globals, URLs.

pub(super) mod abort;
pub(super) mod globals;
pub(super) mod handler;
pub(super) mod object;
pub(super) mod promise;
mod signal;
pub(super) mod thrown;
pub(super) mod timer;
pub(super) mod url;

pub(super) use handler::Handler;
pub(super) use object::ObjectBuilder;
pub(super) use promise::Outcome;
pub(super) use signal::Signal;
