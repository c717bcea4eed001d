//! Completes an upload. If the answer doesn't show whether that succeeded, the object under the key does.

use super::checksum::Algorithm;
use super::client::{S3Client, is_outcome_open};
use super::errors::outcome_unknown;
use super::operations::{Completed, Completion, complete_multipart_upload, head_object};
use super::session::S3Session;
use super::stored_object::{Expected, Match, StoredObject};
use crate::context::Context;
use crate::context::integrity::{Etags, combined};
use crate::context::retry::RetryLoop;
use crate::error::{Code, Result, Retry, Step};
use crate::http::foreign::says_html;
use crate::model::plan::ByteRange;
use crate::model::session::{Receipt, Session};
use crate::platform::Platform;
use crate::util::hex::hex;

/// Attempts at a HEAD that only improves an error or a result. (A choice.)
pub(super) const FEW_ATTEMPTS: u32 = 2;

/// An upload whose parts are all uploaded.
pub(super) struct Completing<'a, P: Platform> {
    pub(super) client: &'a S3Client,
    pub(super) cx: &'a Context<P>,
    pub(super) session: &'a Session<S3Session>,
    /// In order.
    pub(super) parts: &'a [Receipt<P::Json>],
}

/// The result of a HEAD of the object.
struct Look {
    verdict: Match,
    object: Completed,
    /// What is known of the store's ETags.
    etags: Etags,
}

impl<P: Platform> Completing<'_, P> {
    /// Completes the upload. If it is unknown whether that took effect, and the object doesn't exist, it is repeated. `headers` are the
    /// condition, where there is one.
    pub(super) async fn complete_multipart_upload(&self, upload_id: &str, headers: &[(String, String)]) -> Completion {
        let Self { client, cx, session, parts } = self;
        let mut retries = RetryLoop::default();
        let mut maybe_effective = false;
        loop {
            let tried = complete_multipart_upload(client, cx, &session.state.key, upload_id, headers, parts).await;
            maybe_effective |= tried.maybe_effective;
            let error = match tried.result {
                Err(error) if matches!(error.retry, Retry::Later(_)) && is_outcome_open(&error) => error,
                result => return Completion { result, maybe_effective },
            };
            let look = self.look(FEW_ATTEMPTS, false).await;
            if look.verdict == Match::Ours {
                return Completion { result: Ok(look.object), maybe_effective };
            }
            if let Err(error) = retries.backoff(cx, error, &cx.settings.retry).await {
                return Completion { result: Err(error), maybe_effective };
            }
        }
    }

    /// The result of completing, after an error was checked against the stored object: that one, if it is this upload's.
    pub(super) async fn confirm_stored(&self, completion: Completion) -> Result<Completed> {
        let Completion { result, maybe_effective } = completion;
        let error = match result {
            Ok(object) => return Ok(object),
            Err(error) => error,
        };
        let gone = self.session.state.upload_id.is_some() && error.code == Code::SessionExpired;
        let exists = error.status == Some(412);
        if !(gone || exists || maybe_effective) {
            return Err(error);
        }
        let attempts = if error.answer_lost { FEW_ATTEMPTS } else { self.cx.settings.retry.attempts };
        let look = self.look(attempts, exists).await;
        // It has the size, and was written since this upload began. An ETag of an unknown kind proves nothing against it.
        if look.verdict == Match::Unknown && look.etags == Etags::Unknown && look.object.etag.is_some() {
            return Err(outcome_unknown(&error));
        }
        match look.verdict {
            Match::Ours => Ok(look.object),
            Match::Unknown if gone || maybe_effective => Err(outcome_unknown(&error)),
            _ => Err(error),
        }
    }

    /// Looks at the object under the key. `must_be_new`: one with the same bytes that was written before doesn't match.
    async fn look(&self, attempts: u32, must_be_new: bool) -> Look {
        let Self { client, cx, session, parts } = self;
        let S3Session { key, upload_id } = &session.state;
        // It proves something where every part has one too.
        let has_own = parts.iter().all(|part| part.checksum.is_some());
        let checksum = has_own.then(|| client.target.checksum.unwrap_or(Algorithm::Crc64Nvme));
        let head = match head_object(client, cx, key, Step::Complete, attempts, checksum).await {
            Ok(head) => head,
            Err(error) => {
                let verdict = if error.status == Some(404) { Match::Other } else { Match::Unknown };
                return Look { verdict, object: Completed::default(), etags: Etags::Unknown };
            }
        };
        let etags = head.etags.or(cx.etags.likely());
        // The answer to a HEAD has no body by which a sign-in page could be known: one that may be a page's proves nothing.
        let page = head.may_be_a_page && !says_html(Some(cx.file().known_type()));
        let stored = StoredObject { size: head.size.filter(|_| !page), etag: head.etag, age_ms: head.age_ms };
        let expected = Expected {
            size: cx.file().size,
            etag: match upload_id {
                Some(_) => combined(parts.iter().map(|part| part.etag.as_deref())),
                None => cx.digests.of(ByteRange::new(0, cx.file().size)).md5.map(|md5| hex(&md5)),
            },
            etags: if client.target.etags_are_md5s() { etags } else { Etags::Opaque },
            began_ms_ago: cx.platform.now().saturating_sub(session.began_at),
            must_be_new,
        };
        let verdict = stored.compare(&expected);
        Look { verdict, object: Completed { etag: stored.etag, checksum: head.checksum }, etags }
    }
}
