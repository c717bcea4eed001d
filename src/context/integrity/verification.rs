//! Verifies parts by their ETags and by the store's checksums, and finds out whether ETags that look like MD5s are MD5s.

use super::etag::{Verdict, is_md5, same, verdict};
use super::stores::Etags;
use crate::context::Context;
use crate::error::{Code, Result, Retry, Step, UploadError};
use crate::http::{Request, Response};
use crate::model::settings::Integrity;
use crate::platform::{Platform, RequestOf};
use crate::sync::semaphore::Permit;

/// What a part's request says about the ETag of its answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ExpectedEtag(Etags);

/// Reads from a part's request which store it goes to, and whether it asks for encryption itself. (AWS accepts that as a signed header
/// only, also with a presigned URL.)
pub(crate) fn expected_etag<P: Platform>(cx: &Context<P>, key: Option<&str>, request: &RequestOf<P>) -> ExpectedEtag {
    let (url, etags) = match request {
        Request::Store(request) => (Some(request.url().clone()), Etags::from_headers(request.headers())),
        Request::Api(request) => (cx.platform.resolve(&request.url), Etags::Unknown),
    };
    if let Some(url) = url {
        cx.etags.store.get_or_init(|| cx.shared.stores.of(&url, key));
    }
    ExpectedEtag(etags)
}

impl ExpectedEtag {
    /// Adds what the answer's headers say.
    pub(crate) fn learn<P: Platform>(self, cx: &Context<P>, response: &Response) {
        let answered = Etags::from_headers(&response.headers);
        if answered == Etags::Opaque && self.0 != Etags::Opaque {
            set_opaque(cx);
        }
        let known = answered.or(self.0);
        if known != Etags::Unknown {
            cx.etags.etags.set(known);
        }
    }
}

/// Whether an answer verifies its part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verification {
    /// The store has these bytes.
    Verified,
    /// The answer says nothing about the bytes.
    Unverified,
    /// The store has other bytes, or the ETag isn't an MD5.
    Suspicious,
}

/// What is known of a part's bytes, by the file and by the store.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Evidence<'a> {
    pub(crate) etag: Option<&'a str>,
    pub(crate) md5: Option<[u8; 16]>,
    /// The store's checksum of the part.
    pub(crate) said: Option<&'a str>,
    /// The same of the part's bytes in the file.
    pub(crate) own: Option<&'a str>,
    /// Whether the answer is 2xx.
    pub(crate) is_success: bool,
}

/// Compares a part's ETag with the MD5 of its bytes, and the store's checksum with theirs.
///
/// # Errors
/// `integrity-mismatch` for other bytes, and if the caller requires a verification that isn't possible.
pub(crate) fn verify<P: Platform>(cx: &Context<P>, evidence: Evidence<'_>) -> Result<Verification> {
    let Evidence { etag, md5, said, own, is_success } = evidence;
    let known = &cx.etags;
    known.last_was_no_md5.set(!etag.is_some_and(is_md5));
    known.last_had_no_checksum.set(said.is_none());
    let verdict = verdict(etag, md5);
    if verdict == Verdict::Same {
        known.set_md5s();
        if let Some(store) = known.store.get() {
            store.set_matched();
        }
        return Ok(Verification::Verified);
    }
    if let (Some(said), Some(own)) = (said, own) {
        if said != own && !broken!(UncheckedPart) {
            return Err(other_checksum());
        }
        // The bytes are right, so the ETag isn't their MD5.
        if verdict == Verdict::Differs && known.etags() == Etags::Unknown {
            set_opaque(cx);
        }
        return Ok(Verification::Verified);
    }
    match (verdict, known.etags()) {
        (Verdict::Differs, Etags::Md5s) => Err(other_md5()),
        (Verdict::Differs, Etags::Unknown) => Ok(Verification::Suspicious),
        _ if is_success => unverified(cx).map(|()| Verification::Unverified),
        _ => Ok(Verification::Unverified),
    }
}

/// Finds out why a part's ETag isn't the MD5 of its bytes, by sending them once more.
///
/// With KMS and customer keys the same bytes get another ETag each time: two different ETags show encryption, the same one twice shows
/// damage. One part of a store is sent again at a time; the others wait for the result.
#[derive(Debug, Default)]
pub(crate) struct EtagCheck {
    resend: Option<Resend>,
}

#[derive(Debug)]
struct Resend {
    first_etag: String,
    _permit: Permit,
}

impl EtagCheck {
    /// Whether a part that was answered is verified; None if it must be sent once more to find out.
    ///
    /// # Errors
    /// `integrity-mismatch`.
    pub(crate) async fn resolve<P: Platform>(
        &mut self,
        cx: &Context<P>,
        verification: Verification,
        etag: Option<&str>,
    ) -> Result<Option<bool>> {
        let resend = self.resend.take();
        let (Verification::Suspicious, Some(etag), Some(store)) = (verification, etag, cx.etags.store.get()) else {
            return Ok(Some(verification == Verification::Verified));
        };
        if let Some(resend) = resend {
            if same(&resend.first_etag, etag) {
                cx.etags.set_md5s();
                return Err(other_md5());
            }
            set_opaque(cx);
            return unverified(cx).map(|()| Some(false));
        }
        let permit = store.resend_permit().await;
        match cx.etags.etags() {
            Etags::Unknown => {
                self.resend = Some(Resend { first_etag: etag.into(), _permit: permit });
                Ok(None)
            }
            Etags::Md5s => Err(other_md5()),
            Etags::Opaque => unverified(cx).map(|()| Some(false)),
        }
    }

    /// Whether this part is sent again while the others wait for the result.
    pub(crate) fn is_resending(&self) -> bool {
        self.resend.is_some()
    }

    /// Whether the store has the bytes of the first attempt and refuses them a second time, by a condition that is signed into the URL.
    pub(crate) fn is_resend_refused(&self, error: &UploadError) -> bool {
        self.resend.is_some() && error.status == Some(412)
    }
}

/// Remembers that the store's ETags aren't MD5s.
fn set_opaque<P: Platform>(cx: &Context<P>) {
    if let Some(store) = cx.etags.store.get() {
        store.set_opaque();
    }
    cx.etags.etags.set(Etags::Opaque);
}

/// Accepts a part that can't be verified, or not before the upload is complete.
///
/// # Errors
/// `integrity-mismatch` if the caller requires verification.
pub(crate) fn unverified<P: Platform>(cx: &Context<P>) -> Result<()> {
    if cx.settings.integrity != Integrity::Require || cx.etags.checksum_follows() {
        return Ok(());
    }
    let (what, hint) = match cx.etags.etags() {
        Etags::Opaque => (
            "The part can't be verified: the store encrypts with KMS or customer keys (SSE-KMS, SSE-C), so its ETags aren't MD5s.",
            "Expose x-amz-checksum-crc64nvme by the bucket's CORS rule, if the store computes it as AWS does; else use \
             `integrity: \"auto\"` for this bucket.",
        ),
        _ => (
            "The part can't be verified: its ETag can't be read, or isn't an MD5.",
            "Add ETag to `ExposeHeaders` of the bucket's CORS rule, or use `integrity: \"auto\"` for stores whose ETags aren't MD5s.",
        ),
    };
    Err(UploadError::new(Code::IntegrityMismatch, what).at(Step::Part).retry(Retry::Never).retryable(false).hint(hint))
}

/// The error if the store has other bytes, by its ETag.
fn other_md5() -> UploadError {
    UploadError::new(Code::IntegrityMismatch, "The ETag of the stored part isn't the MD5 of the part's bytes.")
        .at(Step::Part)
        .hint("A proxy or an extension may change the bytes. If the store's ETags aren't MD5s, set `integrity` to \"off\".")
}

/// The same, by its checksum.
fn other_checksum() -> UploadError {
    UploadError::new(Code::IntegrityMismatch, "The store's checksum of the part isn't that of the part's bytes.")
        .at(Step::Part)
        .hint("A proxy or an extension may change the bytes.")
}
