//! Saves the session of one upload, so that a later page can continue it. It never fails an upload: if storage fails, the upload
//! continues without.

use std::cell::Cell;

use crate::platform::Platform;
use crate::sync::timeout::timeout;

/// The timeout for storage. (A choice: opening a database may hang, and no upload should.)
const DEADLINE_MS: u64 = 3_000;

/// The saved session of one upload.
#[derive(Debug, Default)]
pub(super) struct SessionStore {
    /// Whether a record is saved.
    has_record: Cell<bool>,
    /// Whether storage may hold anything of this upload, a record that is being written included.
    touched: Cell<bool>,
    /// Whether storage failed: then nothing more is saved.
    broken: Cell<bool>,
}

impl SessionStore {
    /// Notes that an earlier page saved a record.
    pub(super) fn found(&self) {
        self.has_record.set(true);
        self.touched.set(true);
    }

    /// Whether a record is saved, so that a later page could continue.
    pub(super) fn has_record(&self) -> bool {
        self.has_record.get()
    }

    /// Saves a record, and waits until it is saved. If that fails, the former record is out of date and is dropped.
    pub(super) async fn save<P: Platform>(&self, platform: &P, record: P::Json) {
        if self.broken.get() {
            return;
        }
        self.touched.set(true);
        let saved = timeout(platform.keep(record).as_mut(), platform.sleep(DEADLINE_MS).as_mut()).await;
        if saved == Some(true) {
            self.has_record.set(true);
        } else {
            self.broken.set(true);
            self.forget(platform);
        }
    }

    /// Saves a part beside the record.
    pub(super) fn save_part<P: Platform>(&self, platform: &P, number: u32, part: impl FnOnce() -> P::Json) {
        if self.has_record.get() {
            platform.keep_part(number, part());
        }
    }

    /// Drops the record and its parts, if there may be any.
    pub(super) fn forget<P: Platform>(&self, platform: &P) {
        if broken!(KeptForever) {
            return;
        }
        self.has_record.set(false);
        if self.touched.get() {
            platform.forget();
        }
    }
}
