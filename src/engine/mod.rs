//! The engine: from a picked file to its outcome, the same for every destination, on any [`Platform`](crate::platform::Platform).

pub mod events;
pub mod flight;
pub mod gate;
pub mod job;
pub mod keep;
pub mod line;
pub mod online;
pub mod pace;
pub mod progress;
pub mod race;
pub mod reach;
pub mod reading;
pub mod record;
pub mod retry;
pub mod send;
pub mod session;
pub mod slots;
pub mod throttle;
pub mod upload;
pub mod uploader;
pub mod watch;
