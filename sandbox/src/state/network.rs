//! A network that is offline for a while: open connections are reset, and requests on new ones too.

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
    /// Takes the network offline for `length` from now; zero brings it back online.
    pub(crate) fn set_offline(&self, length: Duration) {
        self.until.send_replace((!length.is_zero()).then(|| Instant::now() + length));
    }

    /// Whether the network is offline now.
    pub(crate) fn is_offline(&self) -> bool {
        self.until.borrow().is_some_and(|until| Instant::now() < until)
    }

    /// Notified at each change, with the time at which the network is back online.
    pub(crate) fn watch(&self) -> watch::Receiver<Option<Instant>> {
        self.until.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn it_is_back_online_after_its_time() {
        let network = Network::default();
        assert!(!network.is_offline());
        network.set_offline(Duration::from_secs(2));
        tokio::time::advance(Duration::from_millis(1_999)).await;
        assert!(network.is_offline());
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(!network.is_offline());
        network.set_offline(Duration::from_secs(2));
        network.set_offline(Duration::ZERO);
        assert!(!network.is_offline());
    }
}
