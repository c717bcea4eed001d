//! What all uploads of the page share.

use super::backoff::Backoffs;
use super::connectivity::Connectivity;
use super::integrity::Stores;
use super::line::Line;
use super::rate_limit::RateLimiters;
use super::reach::Reach;

/// What all uploads of the page share. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct SharedState {
    /// The APIs' rate limiters.
    pub rate_limiters: RateLimiters,
    /// The stores' back-offs.
    pub backoffs: Backoffs,
    /// What is known of the stores' ETags.
    pub stores: Stores,
    /// The line that everything goes over.
    pub line: Line,
    /// What is known of the network beyond the browser's word.
    pub connectivity: Connectivity,
    /// Which origins' answers the page can read.
    pub reach: Reach,
}
