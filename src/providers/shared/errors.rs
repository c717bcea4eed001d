//! Errors that several providers give.

use crate::error::{Code, Step, UploadError};

/// The error for a vendor's plan that no byte may be sent by, and why.
pub(crate) fn unusable_plan(vendor: &str, why: &str) -> UploadError {
    UploadError::new(Code::PlanMismatch, text!("{}'s plan can't be used. {}", vendor, why))
        .at(Step::Init)
        .hint(text!("Nothing was sent. Try again; if it fails again, report it to {}.", vendor))
}

/// An error with the vendor's words from another one.
pub(crate) fn with_words(error: UploadError, other: &UploadError) -> UploadError {
    match &other.vendor {
        Some(words) => error.vendor(words.clone()),
        None => error,
    }
}

/// The error for a saved session that can't be continued.
pub(crate) fn incomplete_session() -> UploadError {
    UploadError::new(Code::SessionExpired, "The saved session is incomplete, so the upload starts again.")
        .at(Step::Init)
}

/// The error when the page was left while a call may have taken effect.
pub(crate) fn outcome_unknown(step: Step, what: &str) -> UploadError {
    UploadError::new(Code::OutcomeUnknown, "").at(step).unknown(text!("The upload may have succeeded. {}", what))
}
