//! Errors that only this provider gives.

use crate::error::{Code, Step, UploadError};
use crate::providers::shared::errors::with_words;

/// An option that no request can be made with: what was expected and found, and what to do.
pub(super) fn invalid_option(message: impl Into<String>, hint: &str) -> UploadError {
    UploadError::new(Code::InvalidOptions, message).hint(hint)
}

/// The object may be stored, and it can't be found out.
pub(super) fn outcome_unknown(error: &UploadError) -> UploadError {
    let unknown = UploadError::new(Code::OutcomeUnknown, text!("The object may be stored: {}", error.message))
        .at(Step::Complete)
        .hint(
            "Look under the key before sending the file again. With credentials that may read the object, Partway looks \
             itself.",
        );
    let unknown = with_words(unknown, error);
    match error.status {
        Some(status) => unknown.status(status),
        None => unknown,
    }
}
