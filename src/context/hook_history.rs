//! Which of the application's functions have worked, and which the console was told of.

use std::cell::Cell;
use std::rc::Rc;

use crate::platform::Hook;

/// What is known of the application's functions, for all uploads of an uploader. Clones are the same history.
#[derive(Clone, Debug, Default)]
pub struct HookHistory(Rc<[Cell<u16>; 2]>);

impl HookHistory {
    /// Notes that one has worked.
    pub(super) fn worked(&self, hook: Hook) {
        self.add(0, hook);
    }

    /// Whether it has.
    pub(super) fn has_worked(&self, hook: Hook) -> bool {
        self.0[0].get() & 1 << hook as u16 != 0
    }

    /// Notes that the console is told of its failures. False where it was told before.
    pub(super) fn warned(&self, hook: Hook) -> bool {
        self.add(1, hook)
    }

    fn add(&self, set: usize, hook: Hook) -> bool {
        let before = self.0[set].get();
        self.0[set].set(before | 1 << hook as u16);
        before != self.0[set].get()
    }
}
