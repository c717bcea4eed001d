//! Waiting and waking within one thread; nothing in here knows what an upload is.

pub mod in_flight;
pub mod mailbox;
pub mod pause;
pub mod semaphore;
pub mod timeout;
