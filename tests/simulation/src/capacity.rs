//! How many parts a store takes at once, and in a second; beyond that it refuses them.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use partway_models::wire::Response;

/// What a store takes.
#[derive(Clone, Debug)]
pub struct Capacity {
    /// Parts that it reads at once.
    pub at_once: usize,
    /// Parts in a second.
    pub per_second: usize,
    /// How long it asks to wait, in seconds.
    pub retry_after: Option<&'static str>,
}

/// The load on the stores.
#[derive(Debug, Default)]
pub(crate) struct Load {
    pub(crate) capacity: RefCell<Option<Capacity>>,
    reading: Rc<Cell<usize>>,
    taken_at: RefCell<Vec<u64>>,
}

impl Load {
    /// A part begins to arrive.
    pub(crate) fn enter(&self) -> Reading {
        self.reading.set(self.reading.get() + 1);
        Reading(self.reading.clone())
    }

    /// The refusal of a part that has arrived; None where there is room for it.
    pub(crate) fn refusal(&self, now: u64) -> Option<Response> {
        let capacity = self.capacity.borrow();
        let capacity = capacity.as_ref()?;
        let mut taken_at = self.taken_at.borrow_mut();
        taken_at.retain(|at| now - at < 1_000);
        if self.reading.get() <= capacity.at_once && taken_at.len() < capacity.per_second {
            taken_at.push(now);
            return None;
        }
        let mut response = Response::empty(503);
        response.body =
            b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>".to_vec();
        Some(match capacity.retry_after {
            Some(seconds) => response.with_header("retry-after", seconds),
            None => response,
        })
    }
}

/// A part that arrives, until it is dropped.
#[derive(Debug)]
pub(crate) struct Reading(Rc<Cell<usize>>);

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_refuses_what_is_too_much_at_once_or_in_a_second() {
        let load = Load::default();
        let one = load.enter();
        assert!(load.refusal(0).is_none(), "a store without a limit");
        load.capacity.replace(Some(Capacity { at_once: 1, per_second: 2, retry_after: Some("1") }));
        assert!(load.refusal(0).is_none());
        let two = load.enter();
        assert_eq!(load.refusal(0).map(|refusal| refusal.status), Some(503), "two at once");
        drop(two);
        assert!(load.refusal(0).is_none() && load.refusal(999).is_some(), "three in a second");
        assert!(load.refusal(1_000).is_none());
        drop(one);
    }
}
