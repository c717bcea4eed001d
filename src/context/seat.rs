//! An upload's seat among the active uploads: as many as there are slots for requests, so that a thousand files don't open a thousand
//! sessions that expire while they wait.

use std::cell::{Cell, RefCell};

use crate::sync::semaphore::{Permit, Semaphore};

/// The seat of one upload. Dropping it frees the seat.
#[derive(Debug)]
pub struct Seat {
    seats: Semaphore,
    taken: RefCell<Option<Permit>>,
    /// Whether it is free only for a while, also where whoever lent it is gone.
    lent: Cell<bool>,
}

impl Seat {
    /// Creates a seat that isn't acquired yet.
    pub fn new(seats: Semaphore) -> Self {
        Self { seats, taken: RefCell::default(), lent: Cell::default() }
    }

    /// Waits for a seat.
    pub async fn acquire(&self) {
        let permit = self.seats.acquire().await;
        self.taken.replace(Some(permit));
    }

    /// Whether another upload has a seat.
    pub fn has_neighbours(&self) -> bool {
        self.seats.taken() > usize::from(self.taken.borrow().is_some())
    }

    /// Frees the seat.
    pub fn release(&self) {
        self.taken.take();
        self.lent.set(false);
    }

    /// Frees the seat, if it is taken, until [`Self::take_back`].
    pub fn lend(&self) {
        if self.taken.take().is_some() {
            self.lent.set(true);
        }
    }

    /// Waits for the seat, if it was lent.
    pub async fn take_back(&self) {
        if self.lent.get() {
            self.acquire().await;
            self.lent.set(false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::FutureExt;

    #[test]
    fn a_seat_is_free_again_when_it_is_released_or_dropped() {
        let seats = Semaphore::new(1);
        let (first, second) = (Seat::new(seats.clone()), Seat::new(seats.clone()));
        assert!(first.acquire().now_or_never().is_some() && second.acquire().now_or_never().is_none());
        assert!(second.has_neighbours() && !first.has_neighbours());
        first.release();
        assert!(second.acquire().now_or_never().is_some());
        drop(second);
        assert_eq!(seats.taken(), 0);
    }

    #[test]
    fn a_seat_that_was_lent_is_taken_back_and_one_that_was_released_is_not() {
        let seats = Semaphore::new(1);
        let seat = Seat::new(seats.clone());
        assert!(seat.acquire().now_or_never().is_some());
        seat.lend();
        // Whoever lent it may be gone, and somebody else lends it once more.
        seat.lend();
        assert_eq!(seats.taken(), 0);
        assert!(seat.take_back().now_or_never().is_some());
        assert_eq!(seats.taken(), 1);
        seat.release();
        assert!(seat.take_back().now_or_never().is_some());
        assert_eq!(seats.taken(), 0);
    }
}
