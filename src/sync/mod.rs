//! Waiting and waking within one thread. Nothing in here is about uploads.

pub mod in_flight;
pub mod mailbox;
pub mod pause;
pub mod rank;
pub mod semaphore;
pub mod timeout;
