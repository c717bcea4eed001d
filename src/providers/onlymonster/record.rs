//! The records of uploads that Onlymonster lists, and what they say.

use crate::context::Notice;
use crate::error::{Code, Result, Step, UploadError, Vendor as Words};
use crate::json::IdText;
use crate::json::decoded;
use crate::model::events::Outcome;
use crate::model::session::Session;
use crate::platform::Platform;

decoded! {
    pub(super) struct List {
        pub(super) items: Vec<Record> = "items",
    }

    #[derive(Debug)]
    pub(super) struct Record {
        pub(super) id: IdText = "id",
        pub(super) status: Option<String> = "status",
        pub(super) media_id: Option<IdText> = "media_id",
        pub(super) metadata: Option<Metadata> = "metadata",
    }

    #[derive(Debug)]
    pub(super) struct Metadata {
        pub(super) key: Option<String> = "key",
        pub(super) e_tag: Option<String> = "e_tag",
    }
}

impl Record {
    /// True where its status is one that only an export leads to.
    pub(super) fn was_exported(&self) -> bool {
        const STATES: [&str; 7] =
            ["uploaded", "processing", "processed", "exporting", "exported", "failed", "unprocessable"];
        self.status.as_deref().is_some_and(|status| STATES.contains(&status))
    }
}

/// What a record's status means: an outcome, an error, or that it goes on.
pub(super) fn judge<P: Platform>(record: &Record, outcome: &mut Outcome<P>) -> Result<bool> {
    let ended = |code: Code, what: &str, hint: &str| {
        let words = Words { code: record.status.clone(), message: None, request_id: Some(record.id.0.clone()) };
        Err(UploadError::new(code, what).at(Step::Status).hint(hint).vendor(words))
    };
    match record.status.as_deref() {
        Some("exported") => {
            outcome.media_id = record.media_id.as_ref().map(|id| id.0.clone());
            if let Some(metadata) = &record.metadata {
                for (known, told) in [(&mut outcome.key, &metadata.key), (&mut outcome.etag, &metadata.e_tag)] {
                    if told.is_some() {
                        known.clone_from(told);
                    }
                }
            }
            Ok(outcome.media_id.is_some())
        }
        Some("failed") => ended(
            Code::ProcessingFailed,
            "Onlymonster failed to process the file.",
            "Such an upload can't be taken up again: send the file anew.",
        ),
        Some("unprocessable") => ended(
            Code::Unprocessable,
            "Onlymonster can't use the file: it is corrupt, or of a kind that it doesn't support.",
            "Don't send it again as it is.",
        ),
        _ => Ok(false),
    }
}

/// What finish or export would have given, where a record shows that it was done: the object's ETag, or the record's id.
pub(super) fn shown(record: &Record, step: Step) -> Option<String> {
    match step {
        Step::Export => record.was_exported().then(|| record.id.0.clone()),
        _ => record.metadata.as_ref()?.e_tag.clone().filter(|etag| !etag.is_empty()),
    }
}

/// True where a record is of a session's upload: by its id, else by the store's key.
pub(super) fn is_of<P: Platform>(record: &Record, session: &Session<P>) -> bool {
    let key = record.metadata.as_ref().and_then(|metadata| metadata.key.as_ref());
    session.record_id.as_ref().is_some_and(|id| *id == record.id.0) || (key.is_some() && key == session.key.as_ref())
}

/// True where a notice is about a record's upload, or doesn't say about which.
pub(super) fn is_about(notice: &Notice, record: &Record) -> bool {
    match notice.media_upload_id.as_ref().or(notice.id.as_ref()) {
        Some(id) => *id == record.id,
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_states_that_an_export_leads_to_prove_one() {
        let record = |status: Option<&str>| Record {
            id: IdText("1".into()),
            status: status.map(Into::into),
            media_id: None,
            metadata: None,
        };
        assert!(record(Some("uploaded")).was_exported());
        assert!(!record(Some("started")).was_exported());
        assert!(!record(None).was_exported());
    }
}
