//! A network that is gone for a while: connections are cut, and new ones come to nothing.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// Whether clients reach the server.
#[derive(Debug)]
pub(crate) struct Network {
    until: watch::Sender<Option<Instant>>,
}

impl Default for Network {
    fn default() -> Self {
        Self { until: watch::channel(None).0 }
    }
}

impl Network {
    /// Loses it for so long, from now; for no time at all: it is there again.
    pub(crate) fn lose(&self, length: Duration) {
        self.until.send_replace((!length.is_zero()).then(|| Instant::now() + length));
    }

    /// Whether it is lost now.
    pub(crate) fn is_lost(&self) -> bool {
        self.until.borrow().is_some_and(|until| Instant::now() < until)
    }

    /// Tells when it is lost, by the moment at which it comes back.
    pub(crate) fn watch(&self) -> watch::Receiver<Option<Instant>> {
        self.until.subscribe()
    }
}
