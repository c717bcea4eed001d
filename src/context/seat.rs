//! An upload's seat among the active uploads: as many as there are slots for requests, so that a thousand files don't open a thousand
//! sessions that expire while they wait.

use std::cell::RefCell;

use crate::sync::semaphore::{Permit, Semaphore};

/// The seat of one upload. Dropping it frees the seat.
#[derive(Debug)]
pub struct Seat {
    seats: Semaphore,
    taken: RefCell<Option<Permit>>,
}

impl Seat {
    /// Creates a seat that isn't acquired yet.
    pub fn new(seats: Semaphore) -> Self {
        Self { seats, taken: RefCell::default() }
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

    /// Frees the seat. Returns whether it was taken.
    pub fn release(&self) -> bool {
        self.taken.take().is_some()
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
        assert!(first.release() && !first.release());
        assert!(second.acquire().now_or_never().is_some());
        drop(second);
        assert_eq!(seats.taken(), 0);
    }
}
