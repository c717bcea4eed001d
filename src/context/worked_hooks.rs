//! Which of the application's functions have worked.

use std::cell::Cell;
use std::rc::Rc;

use crate::platform::Hook;

/// Which of the application's functions have worked. Clones are the same set.
#[derive(Clone, Debug, Default)]
pub struct WorkedHooks(Rc<Cell<u16>>);

impl WorkedHooks {
    /// Notes that one has.
    pub(super) fn add(&self, hook: Hook) {
        self.0.set(self.0.get() | 1 << hook as u16);
    }

    /// Whether it has.
    pub(super) fn has(&self, hook: Hook) -> bool {
        self.0.get() & 1 << hook as u16 != 0
    }
}
