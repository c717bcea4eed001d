//! Whether a part's ETag proves that its bytes arrived, and how it is found out where an ETag looks like an MD5 and is none.

use super::etag::{Verdict, is_md5, same, verdict};
use super::stores::Etags;
use crate::context::Context;
use crate::error::{Code, Result, Retry, Step, UploadError};
use crate::http::{Request, Response};
use crate::model::settings::Integrity;
use crate::platform::{Platform, RequestOf};
use crate::sync::semaphore::Permit;

/// What is known of a part's ETag before the answer comes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked(Etags);

/// Looks at the request for a part: which store it goes to, and whether it asks for encryption itself. (AWS takes that as a signed
/// header only, also with a presigned URL.)
pub(crate) fn asked<P: Platform>(cx: &Context<P>, key: Option<&str>, request: &RequestOf<P>) -> Asked {
    let (url, etags) = match request {
        Request::Store(request) => (Some(request.url().clone()), Etags::told(request.headers())),
        Request::Api(request) => (cx.platform.resolve(&request.url), Etags::Unknown),
    };
    if let Some(url) = url {
        cx.etags.store.get_or_init(|| cx.shared.stores.of(&url, key));
    }
    Asked(etags)
}

impl Asked {
    /// Adds what the answer says.
    pub(crate) fn answered<P: Platform>(self, cx: &Context<P>, response: &Response) {
        let told = Etags::told(&response.headers);
        if told == Etags::Opaque && self.0 != Etags::Opaque {
            set_opaque(cx);
        }
        let known = told.or(self.0);
        if known != Etags::Unknown {
            cx.etags.etags.set(known);
        }
    }
}

/// What an answer proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// These bytes arrived.
    Verified,
    /// Nothing.
    None,
    /// Other bytes arrived, or the ETag is no MD5.
    Doubtful,
}

/// Holds a part's ETag against the MD5 of its bytes. `plain`: the answer says that it arrived.
///
/// # Errors
/// `integrity-mismatch` for other bytes, and where the caller requires a proof that there can't be.
pub(crate) fn judge<P: Platform>(
    cx: &Context<P>,
    etag: Option<&str>,
    md5: Option<[u8; 16]>,
    plain: bool,
) -> Result<Proof> {
    cx.etags.unlike.set(!etag.is_some_and(is_md5));
    match (verdict(etag, md5), cx.etags.etags()) {
        (Verdict::Same, _) => {
            cx.etags.are_md5s();
            if let Some(store) = cx.etags.store.get() {
                store.set_matched();
            }
            Ok(Proof::Verified)
        }
        (Verdict::Differs, Etags::Md5s) => Err(damaged()),
        (Verdict::Differs, Etags::Unknown) => Ok(Proof::Doubtful),
        (Verdict::Differs | Verdict::Unknown, _) if plain => unproven(cx).map(|()| Proof::None),
        _ => Ok(Proof::None),
    }
}

/// One part's doubt about its ETag.
///
/// The bytes are sent once more: with KMS and customer keys the same bytes get another ETag each time, so two different ETags that
/// are both no MD5 of them tell of encryption, the same one twice of damage. One part of a store does so at a time; the others
/// wait for what comes of it.
#[derive(Debug, Default)]
pub(crate) struct Doubt {
    asking: Option<Asking>,
}

#[derive(Debug)]
struct Asking {
    wrong: String,
    _turn: Permit,
}

impl Doubt {
    /// What becomes of a part that was answered: true where it is verified, false where it isn't and needn't be; None where it is
    /// to be sent once more.
    ///
    /// # Errors
    /// `integrity-mismatch`.
    pub(crate) async fn settle<P: Platform>(
        &mut self,
        cx: &Context<P>,
        proof: Proof,
        etag: Option<&str>,
    ) -> Result<Option<bool>> {
        let asked = self.asking.take();
        let (Proof::Doubtful, Some(etag), Some(store)) = (proof, etag, cx.etags.store.get()) else {
            return Ok(Some(proof == Proof::Verified));
        };
        if let Some(asked) = asked {
            if same(&asked.wrong, etag) {
                cx.etags.are_md5s();
                return Err(damaged());
            }
            set_opaque(cx);
            return unproven(cx).map(|()| Some(false));
        }
        let turn = store.turn().acquire().await;
        match cx.etags.etags() {
            Etags::Unknown => {
                self.asking = Some(Asking { wrong: etag.into(), _turn: turn });
                Ok(None)
            }
            Etags::Md5s => Err(damaged()),
            Etags::Opaque => unproven(cx).map(|()| Some(false)),
        }
    }

    /// True while the others wait for what comes of this part.
    pub(crate) fn is_asking(&self) -> bool {
        self.asking.is_some()
    }

    /// True where the store has the bytes of an earlier try, and refused to take them again: a condition was signed into the URL.
    pub(crate) fn is_refused(&self, error: &UploadError) -> bool {
        self.asking.is_some() && error.status == Some(412)
    }
}

/// Remembers it for the store, and says it once where uploads go on.
fn set_opaque<P: Platform>(cx: &Context<P>) {
    if let Some(store) = cx.etags.store.get() {
        store.set_opaque(&cx.platform, cx.settings.integrity == Integrity::Auto);
    }
    cx.etags.etags.set(Etags::Opaque);
}

/// What is due for a part that can't be verified.
///
/// # Errors
/// `integrity-mismatch` where a proof is required.
pub(crate) fn unproven<P: Platform>(cx: &Context<P>) -> Result<()> {
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

/// Other bytes arrived.
fn damaged() -> UploadError {
    UploadError::new(Code::IntegrityMismatch, "The ETag of the stored part isn't the MD5 of the part's bytes.")
        .at(Step::Part)
        .hint("A proxy or an extension may change the bytes. If the store's ETags aren't MD5s, set `integrity` to \"off\".")
}
