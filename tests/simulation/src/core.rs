//! What everything in a world shares.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures::FutureExt;

use crate::bottleneck::Bottleneck;
use crate::capacity::Load;
use crate::environment::Environment;
use crate::executor::{Executor, Page};
use crate::fault::Script;
use crate::hashing::Hashing;
use crate::hooks::Hooks;
use crate::log::Log;
use crate::rng::Rng;
use crate::servers::Servers;
use crate::storage::Storage;
use crate::transform::Transforming;

/// The line between the page and all servers.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    /// One way, in milliseconds, from and to.
    pub latency: (u64, u64),
    /// Of each connection, upwards.
    pub bytes_per_ms: u64,
    /// Of all connections together, behind the buffer of each; None: they share nothing.
    pub shared_bytes_per_ms: Option<u64>,
    /// Bytes that a connection takes before the shared line has carried them: socket buffers, a relay.
    pub buffer: u64,
    /// Requests to one host that run at once; others wait in the browser. None: any number.
    pub connections: Option<usize>,
    /// Whether requests share a connection, and the page can tell (HTTP/2 with `Timing-Allow-Origin`).
    pub multiplexed: bool,
    /// Whether the transport tells of bytes going out (XMLHttpRequest does, fetch doesn't).
    pub reports: bool,
    /// How often it tells, in milliseconds (`upload.onprogress`, XMLHttpRequest standard: 50).
    pub tells_each_ms: u64,
    /// How likely a request that left whole arrives though the page let go of it.
    pub ghosts: f64,
}

impl Default for Line {
    fn default() -> Self {
        Self {
            latency: (10, 60),
            bytes_per_ms: 5_000,
            shared_bytes_per_ms: None,
            buffer: 0,
            connections: None,
            multiplexed: false,
            reports: true,
            tells_each_ms: 50,
            ghosts: 0.0,
        }
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
    /// Milliseconds from one frame of the page to the next.
    pub(crate) frame_ms: Cell<u64>,
    /// The page came by plain http.
    pub(crate) plain: Cell<bool>,
    pub(crate) bottleneck: Bottleneck,
    pub(crate) load: Load,
    /// How far the servers' clocks are ahead of the page's.
    pub(crate) skew_ms: Cell<i64>,
    pub(crate) script: RefCell<Script>,
    pub(crate) servers: RefCell<Servers>,
    pub(crate) hooks: RefCell<Hooks>,
    pub(crate) log: RefCell<Log>,
    pub(crate) environment: Environment,
    pub(crate) storage: Storage,
    pub(crate) hashing: Hashing,
    pub(crate) transforming: Transforming,
    /// The page that lives; those before it are gone.
    pub(crate) page: Cell<Page>,
    pub(crate) milestones: Cell<u32>,
    /// How often something let the page do something else.
    pub(crate) yields: Cell<u32>,
    pub(crate) plans: RefCell<Vec<Plan>>,
}

/// Something that is done so many milliseconds after a milestone.
pub(crate) struct Plan {
    pub(crate) milestone: u32,
    pub(crate) delay_ms: u64,
    pub(crate) act: Box<dyn FnOnce()>,
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

    /// Something happened that a story can be told by: a request left, took effect, was answered; something was kept.
    pub(crate) fn pass_milestone(self: &Rc<Self>) {
        self.milestones.set(self.milestones.get() + 1);
        if self.plans.borrow().is_empty() {
            return;
        }
        let now = self.milestones.get();
        let due: Vec<Plan> = self.plans.borrow_mut().extract_if(.., |plan| plan.milestone <= now).collect();
        for plan in due {
            let (executor, at) = (self.executor.clone(), self.executor.now() + plan.delay_ms);
            // In a task of its own: what passed the milestone is in the middle of something.
            self.executor.spawn(
                async move {
                    executor.sleep_until(at).await;
                    (plan.act)();
                }
                .boxed_local(),
            );
        }
    }

    pub(crate) fn violate(&self, sentence: String) {
        self.log.borrow_mut().violations.push(sentence);
    }
}
