//! Reads the file under a deadline: a read from a cloud drive, or from a network share that hangs, may never end.

use std::pin::Pin;

use futures::future::LocalBoxFuture;

use super::Context;
use super::watchdog::SLEPT_MS;
use crate::error::{Code, Result, Step, UploadError};
use crate::model::file::SMALL;
use crate::model::plan::ByteRange;
use crate::platform::Platform;
use crate::sync::timeout::timeout;

impl<P: Platform> Context<P> {
    /// Whether the file is small.
    pub fn is_small(&self) -> bool {
        self.file().size <= SMALL
    }

    /// Reads the whole file into memory. Returns whether it can be read.
    ///
    /// # Errors
    /// Those of [`Context::read`].
    pub async fn copy(&self) -> Result<bool> {
        let file = self.file();
        let copy = self.until_read(self.platform.copy(&file.blob)).await?;
        Ok(copy.is_some_and(|copy| file.copy.set(copy).is_ok()))
    }

    /// Reads bytes of the file; None if it can't be read (any more).
    ///
    /// # Errors
    /// `file-unreadable`, if no bytes are read for `stallMs`.
    pub async fn read(&self, range: ByteRange) -> Result<Option<Vec<u8>>> {
        self.until_read(self.platform.read(self.file().bytes(), range)).await
    }

    async fn until_read<T>(&self, mut bytes: LocalBoxFuture<'static, Option<T>>) -> Result<Option<T>> {
        if broken!(EndlessRead) {
            return Ok(bytes.await);
        }
        self.until_stalled(bytes.as_mut(), |_| 0).await.ok_or_else(|| {
            UploadError::new(
                Code::FileUnreadable,
                text!("The file could not be read: no bytes came for {} seconds.", (self.settings.stall_ms / 1000)),
            )
            .hint(
                "A cloud drive may not have downloaded the file yet, or a network share doesn't answer: open the file once, or \
                 copy it to this device, then try again.",
            )
            .retryable(true)
        })
    }

    /// What bytes of the file become; None if `progress` doesn't change for `stallMs`.
    pub(super) async fn until_stalled<T>(
        &self,
        mut result: Pin<&mut dyn Future<Output = T>>,
        progress: fn(&P) -> u64,
    ) -> Option<T> {
        let stall_ms = self.settings.stall_ms;
        loop {
            let before = progress(&self.platform);
            let timer_due_at = self.platform.now().saturating_add(stall_ms);
            if let Some(result) = timeout(result.as_mut(), self.platform.sleep(stall_ms).as_mut()).await {
                return Some(result);
            }
            // Nothing is read while the machine sleeps.
            let slept = self.platform.now().saturating_sub(timer_due_at) > SLEPT_MS;
            if !slept && progress(&self.platform) == before {
                return None;
            }
        }
    }
}

/// The error if the file has changed since it was picked.
pub(crate) fn file_changed() -> UploadError {
    UploadError::new(Code::FileChanged, "The file was changed, moved or removed during the upload.")
        .at(Step::Part)
        .hint("Pick the file again.")
}
