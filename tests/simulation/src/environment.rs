//! The network as a whole, and the machine: whether there is a network, and events that hit all requests at once.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use partway::platform::PageEvent;

/// Whether there is a network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Network {
    /// There is.
    #[default]
    Up,
    /// There is no network, and the browser knows.
    Gone,
    /// Nothing comes through, and requests hang; the browser takes itself for online.
    Silent,
    /// Nothing comes through, and requests fail after a while; the browser takes itself for online.
    Failing,
}

/// How a request under way ends when the network goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// It fails.
    Reset,
    /// It hangs for ever.
    Silence,
}

/// The state of both, shared by everything in a world.
#[derive(Debug, Default)]
pub(crate) struct Environment {
    network: Cell<Network>,
    /// The browser says that it is offline, though there is a network (`navigator.onLine` beside a virtual adapter).
    denied: Cell<bool>,
    cuts: Signal<Cut>,
    stirs: Signal<PageEvent>,
}

impl Environment {
    pub(crate) fn network(&self) -> Network {
        self.network.get()
    }

    /// What the browser says.
    pub(crate) fn online(&self) -> bool {
        !self.denied.get() && self.network() != Network::Gone
    }

    /// Has the browser say that there is no network, or the truth again.
    pub(crate) fn deny(&self, denies: bool) {
        if self.denied.replace(denies) && self.online() {
            self.stirs.give(PageEvent::Online);
        }
    }

    /// Changes the network. What is under way is cut where it goes; the page hears of it where it comes back to a browser that
    /// knew.
    pub(crate) fn turn(&self, network: Network, cut: Cut) {
        let before = self.network.replace(network);
        if network != Network::Up {
            self.cuts.give(cut);
        } else if before == Network::Gone && self.online() {
            self.stirs.give(PageEvent::Online);
        }
    }

    /// Cuts what is under way.
    pub(crate) fn cut(&self, cut: Cut) {
        self.cuts.give(cut);
    }

    /// Stirs the page.
    pub(crate) fn stir(&self, stir: PageEvent) {
        self.stirs.give(stir);
    }

    /// Resolves at the next cut.
    pub(crate) fn next_cut(&self) -> Next<Cut> {
        self.cuts.next()
    }

    /// Resolves at the next stir.
    pub(crate) fn next_stir(&self) -> Next<PageEvent> {
        self.stirs.next()
    }
}

/// Something that happens again and again, to all who wait for it.
#[derive(Debug)]
struct Signal<T: Copy>(Rc<Shared<T>>);

#[derive(Debug)]
struct Shared<T: Copy> {
    count: Cell<u64>,
    latest: Cell<Option<T>>,
    waiting: RefCell<BTreeMap<u64, Waker>>,
    names: Cell<u64>,
}

impl<T: Copy> Default for Signal<T> {
    fn default() -> Self {
        Self(Rc::new(Shared {
            count: Cell::default(),
            latest: Cell::new(None),
            waiting: RefCell::default(),
            names: Cell::default(),
        }))
    }
}

impl<T: Copy> Signal<T> {
    fn give(&self, value: T) {
        self.0.latest.set(Some(value));
        self.0.count.set(self.0.count.get() + 1);
        let waiting = self.0.waiting.take();
        waiting.into_values().for_each(Waker::wake);
    }

    fn next(&self) -> Next<T> {
        Next { shared: self.0.clone(), seen: self.0.count.get(), name: None }
    }
}

/// Resolves the next time that something happens, counted from when this was made. Dropping it ends the wait.
#[derive(Debug)]
pub(crate) struct Next<T: Copy> {
    shared: Rc<Shared<T>>,
    seen: u64,
    name: Option<u64>,
}

impl<T: Copy> Future for Next<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let shared = self.shared.clone();
        if let Some(value) = shared.latest.get().filter(|_| shared.count.get() > self.seen) {
            return Poll::Ready(value);
        }
        let name = *self.name.get_or_insert_with(|| {
            shared.names.set(shared.names.get() + 1);
            shared.names.get()
        });
        shared.waiting.borrow_mut().insert(name, context.waker().clone());
        Poll::Pending
    }
}

impl<T: Copy> Drop for Next<T> {
    fn drop(&mut self) {
        if let Some(name) = self.name {
            self.shared.waiting.borrow_mut().remove(&name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[test]
    fn the_next_time_counts_and_no_earlier_one() {
        let environment = Environment::default();
        environment.stir(PageEvent::Visible);
        let mut next = environment.next_stir();
        assert!((&mut next).now_or_never().is_none());
        environment.turn(Network::Gone, Cut::Reset);
        assert!((&mut next).now_or_never().is_none());
        environment.turn(Network::Up, Cut::Reset);
        assert_eq!(next.now_or_never(), Some(PageEvent::Online));
    }

    #[test]
    fn a_network_that_goes_cuts_what_is_under_way() {
        let environment = Environment::default();
        let cut = environment.next_cut();
        environment.turn(Network::Silent, Cut::Silence);
        assert_eq!(cut.now_or_never(), Some(Cut::Silence));
        assert!(environment.next_cut().now_or_never().is_none());
    }
}
