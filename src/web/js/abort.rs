//! Aborting what JavaScript does for a future that is dropped.

use web_sys::AbortController;

/// Aborts its request when it is dropped. Without a reason: the browser's own is an `Error`, which is what wrappers expect.
pub(in crate::web) struct AbortGuard(pub(in crate::web) Option<AbortController>);

impl Drop for AbortGuard {
    fn drop(&mut self) {
        if let Some(controller) = self.0.take() {
            controller.abort();
        }
    }
}
