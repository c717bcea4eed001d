//! Whose turn it is among those that wait.

use std::cell::Cell;
use std::rc::Rc;

/// An upload's place in the queue: before those of a lower priority, and behind those of the same that came earlier. Clones are the same
/// one.
#[derive(Clone, Debug, Default)]
pub struct Rank(Rc<Cell<(u32, f64)>>);

impl Rank {
    /// The place of a priority.
    pub fn new(priority: f64) -> Self {
        Self(Rc::new(Cell::new((0, priority))))
    }

    /// Moves it to the front; `turn` is higher than any before.
    pub(super) fn move_to_front(&self, turn: u32) {
        self.0.set((turn, self.0.get().1));
    }

    /// Whether its turn comes before the other's, whoever came first.
    pub(super) fn precedes(&self, other: &Self) -> bool {
        self.0.get() > other.0.get()
    }
}
