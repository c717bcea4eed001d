//! What everything in a world shares.

use std::cell::{Cell, RefCell};

use crate::executor::Executor;
use crate::fault::Script;
use crate::hooks::Hooks;
use crate::log::Log;
use crate::rng::Rng;
use crate::servers::Servers;

/// The line between the page and all servers.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// One way, in milliseconds, from and to.
    pub latency: (u64, u64),
    /// Of each connection, upwards.
    pub bytes_per_ms: u64,
    /// Whether the transport tells of bytes going out (XMLHttpRequest does, fetch doesn't).
    pub reports: bool,
}

impl Default for Line {
    fn default() -> Self {
        Self { latency: (10, 60), bytes_per_ms: 5_000, reports: true }
    }
}

/// What everything in a world shares.
pub(crate) struct Core {
    pub(crate) executor: Executor,
    /// The page's random numbers.
    pub(crate) chance: Rng,
    /// The network's.
    pub(crate) weather: Rng,
    pub(crate) line: Cell<Line>,
    /// How far the servers' clocks are ahead of the page's.
    pub(crate) skew_ms: Cell<i64>,
    pub(crate) script: RefCell<Script>,
    pub(crate) servers: RefCell<Servers>,
    pub(crate) hooks: RefCell<Hooks>,
    pub(crate) log: RefCell<Log>,
}

impl Core {
    /// What a server's clock shows.
    pub(crate) fn server_now(&self) -> u64 {
        self.executor.now().saturating_add_signed(self.skew_ms.get())
    }

    /// Waits for one way of the line.
    pub(crate) async fn travel(&self) {
        let (low, high) = self.line.get().latency;
        let ms = self.weather.between(low, high + 1);
        self.executor.sleep_until(self.executor.now() + ms).await;
    }

    pub(crate) fn violate(&self, sentence: String) {
        self.log.borrow_mut().violations.push(sentence);
    }
}
