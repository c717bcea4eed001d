//! Verifies parts by their ETags, and finds out whether ETags that look like MD5s are MD5s.

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

/// Compares a part's ETag with the MD5 of its bytes. `is_success`: the answer is 2xx.
///
/// # Errors
/// `integrity-mismatch` for other bytes, and if the caller requires a verification that isn't possible.
pub(crate) fn verify<P: Platform>(
    cx: &Context<P>,
    etag: Option<&str>,
    md5: Option<[u8; 16]>,
    is_success: bool,
) -> Result<Verification> {
    cx.etags.last_was_no_md5.set(!etag.is_some_and(is_md5));
    match (verdict(etag, md5), cx.etags.etags()) {
        (Verdict::Same, _) => {
            cx.etags.set_md5s();
            if let Some(store) = cx.etags.store.get() {
                store.set_matched();
            }
            Ok(Verification::Verified)
        }
        (Verdict::Differs, Etags::Md5s) => Err(damaged()),
        (Verdict::Differs, Etags::Unknown) => Ok(Verification::Suspicious),
        (Verdict::Differs | Verdict::Unknown, _) if is_success => unverified(cx).map(|()| Verification::Unverified),
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
                return Err(damaged());
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
            Etags::Md5s => Err(damaged()),
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

/// Remembers that the store's ETags aren't MD5s, and warns once if uploads continue without verification.
fn set_opaque<P: Platform>(cx: &Context<P>) {
    if let Some(store) = cx.etags.store.get() {
        store.set_opaque(&cx.platform, cx.settings.integrity == Integrity::Auto);
    }
    cx.etags.etags.set(Etags::Opaque);
}

/// Accepts a part that can't be verified.
///
/// # Errors
/// `integrity-mismatch` if the caller requires verification.
pub(crate) fn unverified<P: Platform>(cx: &Context<P>) -> Result<()> {
    if cx.settings.integrity != Integrity::Require {
        return Ok(());
    }
    let (what, hint) = match cx.etags.etags() {
        Etags::Opaque => (
            "The part can't be verified: the store encrypts with KMS or customer keys (SSE-KMS, SSE-C), so its ETags aren't MD5s.",
            "Use `integrity: \"auto\"` for this bucket, or let it encrypt with SSE-S3 (AES256), whose ETags are MD5s.",
        ),
        _ => (
            "The part can't be verified: its ETag can't be read, or isn't an MD5.",
            "Add ETag to `ExposeHeaders` of the bucket's CORS rule, or use `integrity: \"auto\"` for stores whose ETags aren't MD5s.",
        ),
    };
    Err(UploadError::new(Code::IntegrityMismatch, what).at(Step::Part).retry(Retry::Never).retryable(false).hint(hint))
}

/// The error if the store has other bytes.
fn damaged() -> UploadError {
    UploadError::new(Code::IntegrityMismatch, "The ETag of the stored part isn't the MD5 of the part's bytes.")
        .at(Step::Part)
        .hint("A proxy or an extension may change the bytes. If the store's ETags aren't MD5s, set `integrity` to \"off\".")
}
