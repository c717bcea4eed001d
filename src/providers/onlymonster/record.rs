//! The records of uploads that Onlymonster lists, and what their states mean.

use super::session::OnlymonsterSession;
use crate::context::notices::Notice;
use crate::error::{Code, Result, Step, UploadError, Vendor};
use crate::json::{IdText, decoded};

decoded! {
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

/// The members of a record once the file is in the vault.
#[derive(Debug)]
pub(super) struct Exported {
    /// The media's id in the vault.
    pub(super) media_id: String,
    /// The object's key, where the record has it.
    pub(super) key: Option<String>,
    /// The object's ETag, where the record has it.
    pub(super) etag: Option<String>,
}

impl Record {
    /// Whether its state is one that only an export leads to. (Assumed: the guide's seven states are those after an export.)
    pub(super) fn was_exported(&self) -> bool {
        const STATES: [&str; 7] =
            ["uploaded", "processing", "processed", "exporting", "exported", "failed", "unprocessable"];
        self.status.as_deref().is_some_and(|status| STATES.contains(&status))
    }

    /// The record's id, as an export returns it, if the record shows that the export took effect.
    pub(super) fn exported_id(&self) -> Option<String> {
        self.was_exported().then(|| self.id.0.clone())
    }

    /// The object's ETag, as a finish returns it, if the record shows that the finish took effect.
    pub(super) fn finished_etag(&self) -> Option<String> {
        self.metadata.as_ref()?.e_tag.clone().filter(|etag| !etag.is_empty())
    }

    /// What its state means, by the guide's "Status state machine": the file is in the vault, an error, or None while the client
    /// keeps polling.
    pub(super) fn judge(&self) -> Result<Option<Exported>> {
        let ended = |code: Code, what: &str, hint: &str| {
            let words = Vendor { code: self.status.clone(), message: None, request_id: Some(self.id.0.clone()) };
            Err(UploadError::new(code, what).at(Step::Status).hint(hint).vendor(words))
        };
        match (self.status.as_deref(), &self.media_id) {
            (Some("exported"), Some(media_id)) => {
                let metadata = self.metadata.as_ref();
                Ok(Some(Exported {
                    media_id: media_id.0.clone(),
                    key: metadata.and_then(|metadata| metadata.key.clone()),
                    etag: metadata.and_then(|metadata| metadata.e_tag.clone()),
                }))
            }
            (Some("failed"), _) => ended(
                Code::ProcessingFailed,
                "Onlymonster failed to process the file.",
                "A failed upload can't be retried: upload the file again.",
            ),
            (Some("unprocessable"), _) => ended(
                Code::Unprocessable,
                "Onlymonster can't use the file: it is corrupt, or of a type that Onlymonster doesn't support.",
                "Repair or convert the file before uploading it again.",
            ),
            _ => Ok(None),
        }
    }

    /// Whether it is the record of a session's upload: by its id, else by the store's key.
    pub(super) fn is_of(&self, session: &OnlymonsterSession) -> bool {
        let key = self.metadata.as_ref().and_then(|metadata| metadata.key.as_ref());
        session.record_id().is_some_and(|id| id == self.id.0) || key == Some(&session.key)
    }

    /// Whether a notice is about this record's upload, or doesn't say which one it is about.
    pub(super) fn is_meant_by(&self, notice: &Notice) -> bool {
        match notice.media_upload_id.as_ref().or(notice.id.as_ref()) {
            Some(id) => *id == self.id,
            None => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(status: Option<&str>) -> Record {
        Record { id: IdText("1".into()), status: status.map(Into::into), media_id: None, metadata: None }
    }

    #[test]
    fn only_states_that_an_export_leads_to_prove_one() {
        assert!(record(Some("uploaded")).was_exported());
        assert!(!record(Some("started")).was_exported());
        assert!(!record(None).was_exported());
    }

    #[test]
    fn each_state_means_what_the_guide_says() {
        for status in [None, Some("uploaded"), Some("processing"), Some("processed"), Some("exporting"), Some("new")] {
            assert!(record(status).judge().unwrap().is_none(), "{status:?}");
        }
        let code = |status| record(Some(status)).judge().unwrap_err().code;
        assert_eq!((code("failed"), code("unprocessable")), (Code::ProcessingFailed, Code::Unprocessable));
        assert!(record(Some("exported")).judge().unwrap().is_none(), "the media id is still to come");
        let exported = Record { media_id: Some(IdText("9".into())), ..record(Some("exported")) };
        assert_eq!(exported.judge().unwrap().unwrap().media_id, "9");
    }

    #[test]
    fn a_record_is_a_sessions_by_its_id_or_its_key() {
        let session =
            |key: &str, id: Option<&str>| OnlymonsterSession::new(key.into(), "g".into(), None, id.map(Into::into));
        let with_key =
            |key: &str| Record { metadata: Some(Metadata { key: Some(key.into()), e_tag: None }), ..record(None) };
        assert!(record(None).is_of(&session("k", Some("1"))));
        assert!(!record(None).is_of(&session("k", Some("2"))));
        assert!(!record(None).is_of(&session("k", None)));
        assert!(with_key("k").is_of(&session("k", None)));
        assert!(!with_key("l").is_of(&session("k", None)));
    }
}
