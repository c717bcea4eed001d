//! What all uploads of the page share.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::backoff::Backoffs;
use super::connectivity::Connectivity;
use super::hosts::Hosts;
use super::integrity::Stores;
use super::rate_limit::RateLimiters;
use super::reach::Reach;
use super::uplink::Uplink;

/// What all uploads of the page share. Clones share it too.
#[derive(Clone, Debug, Default)]
pub struct SharedState {
    /// The APIs' rate limiters.
    pub rate_limiters: RateLimiters,
    /// The stores' back-offs.
    pub backoffs: Backoffs,
    /// What is known of the stores' ETags.
    pub stores: Stores,
    /// The uplink that all requests use.
    pub uplink: Uplink,
    /// The stores' hosts.
    pub hosts: Hosts,
    /// Whether there is a network.
    pub connectivity: Connectivity,
    /// Which origins' answers the page can read.
    pub reach: Reach,
    /// Workers that hash made no progress: what is left is hashed on the page.
    pub workers_hang: Rc<Cell<bool>>,
    /// What the page was warned of already.
    pub warned: Rc<RefCell<Vec<&'static str>>>,
}
