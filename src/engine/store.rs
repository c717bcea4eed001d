//! Keeping the session of one upload, so that a later page can go on with it. An upload never fails by it: where nothing can be
//! kept, it goes on without.

use std::cell::Cell;

use crate::platform::Platform;
use crate::sync::timeout::timeout;

/// So long is storage waited for. (A choice: opening a database may hang, and no upload should.)
const DEADLINE_MS: u64 = 3_000;

/// What one upload keeps.
#[derive(Debug, Default)]
pub struct SessionStore {
    /// A record is kept.
    holds: Cell<bool>,
    /// Nothing more is kept: storage failed.
    broken: Cell<bool>,
}

impl SessionStore {
    /// Something was kept before this page: the upload goes on with it.
    pub fn found(&self) {
        self.holds.set(true);
    }

    /// Keeps a record, and waits until it is kept. Where that fails, what was kept before is out of date, and dropped.
    pub async fn keep<P: Platform>(&self, platform: &P, record: P::Json) {
        if self.broken.get() {
            return;
        }
        let kept = timeout(platform.keep(record).as_mut(), platform.sleep(DEADLINE_MS).as_mut()).await;
        if kept == Some(true) {
            self.holds.set(true);
        } else {
            self.broken.set(true);
            self.forget(platform);
        }
    }

    /// Keeps a part beside the record.
    pub fn part<P: Platform>(&self, platform: &P, number: u32, part: impl FnOnce() -> P::Json) {
        if self.holds.get() && !self.broken.get() {
            platform.keep_part(number, part());
        }
    }

    /// Drops all that is kept.
    pub fn forget<P: Platform>(&self, platform: &P) {
        if broken!(KeptForever) {
            return;
        }
        self.holds.set(false);
        platform.forget();
    }

    /// True where a later page could go on.
    pub fn holds(&self) -> bool {
        self.holds.get()
    }
}
