//! What proves, once the destination has the file, that it has the file's bytes.

use md5::{Digest, Md5};

use super::etag::{is_md5, is_of_md5s, normalized, same};
use super::stores::Etags;
use super::{checksum, digests_of, md5_of};
use crate::context::Context;
use crate::error::{Code, Result, Retry, Step, UploadError};
use crate::model::events::{Outcome, Proof, ProofBy};
use crate::model::plan::Plan;
use crate::model::session::Receipt;
use crate::model::settings::Integrity;
use crate::platform::{Platform, Wanted};
use crate::util::hex::hex;
use crate::util::text;

/// The receipts of a file's parts, in order, and what they are receipts for.
#[derive(Debug)]
pub(crate) struct Receipts<'a, J> {
    pub(crate) plan: &'a Plan,
    /// Whether the parts were assembled at the end.
    pub(crate) multipart: bool,
    pub(crate) parts: Vec<Receipt<J>>,
    /// Whether every part was verified.
    pub(crate) verified: bool,
}

/// What proves that the destination has the file's bytes, by its answers to the parts and to completing.
///
/// # Errors
/// `integrity-mismatch` if the object's checksum differs from the file's; those of [`Context::read`].
pub(crate) async fn prove<P: Platform>(
    cx: &Context<P>,
    receipts: &mut Receipts<'_, P::Json>,
    outcome: &Outcome<P::Json>,
) -> Result<Option<Proof>> {
    let Receipts { plan, multipart, parts, verified } = receipts;
    let by_md5 = *verified && parts.iter().all(|part| part.checksum.is_none());
    // What isn't a checksum says nothing.
    let said = outcome.checksum.as_deref().filter(|said| outcome.own_checksum.is_some() || checksum::is_crc64(said));
    let proof = |by, value| Some(Proof { by, value, parts: plan.parts().len() as u32 });
    if cx.settings.integrity == Integrity::Off && outcome.own_checksum.is_none() {
        return Ok(None);
    }
    if by_md5 {
        return Ok(etag_of(parts, *multipart).and_then(|etag| proof(ProofBy::EtagMd5, etag)));
    }
    if parts.len() != plan.parts().len() {
        return Ok(None);
    }
    if said.is_none() {
        cx.etags.no_checksum_came();
    } else if outcome.own_checksum.is_none() {
        read_missing(cx, plan, parts).await?;
    }
    let (by, own) = match &outcome.own_checksum {
        Some(own) => (ProofBy::Sha256, Some(own.clone())),
        None => (ProofBy::Crc64Nvme, checksum::combined(plan, parts)),
    };
    match (own, said) {
        (Some(own), Some(said)) if own != said && !broken!(UncheckedObject) => Err(damaged_object()),
        (Some(own), said) if said.is_some() || *verified => Ok(proof(by, own)),
        _ => by_objects_etag(cx, plan, *multipart, outcome).await.map(|etag| proof(ProofBy::EtagMd5, etag?)),
    }
}

/// Computes the CRC64NVMEs that no answer asked for, by reading those parts of the file once more.
async fn read_missing<P: Platform>(cx: &Context<P>, plan: &Plan, receipts: &mut [Receipt<P::Json>]) -> Result<()> {
    for (part, receipt) in plan.parts().iter().zip(receipts) {
        if receipt.checksum.is_none() {
            let wanted = Wanted { md5: false, crc64: true };
            let crc = digests_of(cx, part.range, wanted).await?.and_then(|digests| digests.crc64);
            receipt.checksum = crc.map(checksum::of_crc64);
        }
    }
    Ok(())
}

/// The object's ETag, if it is what S3 makes of the file's MD5s: where the caller requires a proof, and an earlier page's are lost.
async fn by_objects_etag<P: Platform>(
    cx: &Context<P>,
    plan: &Plan,
    multipart: bool,
    outcome: &Outcome<P::Json>,
) -> Result<Option<String>> {
    let etag = outcome.etag.as_deref().filter(|etag| is_of_md5s(etag));
    let required = cx.settings.integrity == Integrity::Require && cx.etags.etags() != Etags::Opaque;
    let Some(etag) = etag.filter(|_| required) else { return Ok(None) };
    let mut receipts = Vec::new();
    for part in plan.parts() {
        let md5 = md5_of(cx, part.range).await?;
        receipts.push(Receipt::<()>::new(part.number, md5.map(|md5| hex(&md5))));
    }
    Ok(etag_of(&receipts, multipart).filter(|own| same(own, etag)))
}

/// The ETag that S3 makes of parts whose ETags are MD5s.
fn etag_of<J>(receipts: &[Receipt<J>], multipart: bool) -> Option<String> {
    if multipart {
        return combined(receipts.iter().map(|receipt| receipt.etag.as_deref()));
    }
    receipts.first()?.etag.as_deref().filter(|etag| is_md5(etag)).map(|etag| normalized(etag).to_ascii_lowercase())
}

/// The ETag of an object made of parts: the MD5 of their MD5s, and how many they are; None where a part's ETag is no MD5.
/// (AWS S3 User Guide, "Checking object integrity", multipart.)
pub(crate) fn combined<'a>(etags: impl Iterator<Item = Option<&'a str>>) -> Option<String> {
    let (mut hash, mut count) = (Md5::new(), 0_u32);
    for etag in etags {
        let etag = normalized(etag.filter(|etag| is_md5(etag))?);
        for pair in etag.as_bytes().chunks_exact(2) {
            let digit = |at: usize| char::from(pair[at]).to_digit(16);
            hash.update([(digit(0)? * 16 + digit(1)?) as u8]);
        }
        count += 1;
    }
    Some(text::concat(&[hex(&hash.finalize()).as_str(), "-", &text::number(count.into())]))
}

/// The error if the caller requires a proof of a destination that gives none.
pub(crate) fn unprovable() -> UploadError {
    UploadError::new(
        Code::InvalidOptions,
        "`integrity` is \"require\", but this destination returns no ETags or checksums to verify parts with.",
    )
    .hint("Set `integrity` to \"auto\" or \"off\".")
}

/// The hint of an error that comes once the object exists.
const STANDS: &str =
    "The object stands under its key, and nothing was deleted: whether to delete it is your application's decision.";

/// The error if the object isn't made of the file's bytes.
fn damaged_object() -> UploadError {
    UploadError::new(Code::IntegrityMismatch, "The store's checksum of the whole object isn't that of the file.")
        .at(Step::Complete)
        .retry(Retry::Never)
        .hint(STANDS)
}

/// The error if the caller requires a proof and there is none.
pub(crate) fn unproven() -> UploadError {
    UploadError::new(
        Code::IntegrityMismatch,
        "The upload is complete, but nothing proves that the destination has the file's bytes: it gave neither MD5s as ETags nor a checksum.",
    )
    .at(Step::Complete)
    .retry(Retry::Never)
    .retryable(false)
    .hint(text::concat(&[STANDS, " Expose x-amz-checksum-crc64nvme by the bucket's CORS rule, or use `integrity: \"auto\"`."]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MD5: &str = "\"d41d8cd98f00b204e9800998ecf8427e\"";

    #[test]
    fn parts_make_the_objects_etag() {
        let etag = combined([Some(MD5), Some("D41D8CD98F00B204E9800998ECF8427E")].into_iter());
        assert_eq!(etag.as_deref(), Some("5873dd45edd01f09c1ef2e7819369e8e-2"));
        assert_eq!(combined([Some(MD5), None].into_iter()), None);
        assert_eq!(combined([Some("\"opaque\"")].into_iter()), None);
        let altered = ["W/\"d41d8cd98f00b204e9800998ecf8427e\"", "\"d41d8cd98f00b204e9800998ecf8427e-gzip\""];
        assert_eq!(combined(altered.map(Some).into_iter()), etag);
    }

    #[test]
    fn an_object_of_one_request_has_its_own_md5() {
        let receipts = [Receipt::<()>::new(1, Some(MD5.to_uppercase()))];
        assert_eq!(etag_of(&receipts, false).as_deref(), Some("d41d8cd98f00b204e9800998ecf8427e"));
        assert!(etag_of(&receipts, true).is_some_and(|etag| etag.ends_with("-1")));
    }

    proptest! {
        #[test]
        fn only_md5s_are_combined(etag in proptest::option::of("(\"?[0-9a-fA-F]{32}(-[0-9]{1,5})?\"?|\\PC{0,40})")) {
            prop_assert_eq!(combined([etag.as_deref()].into_iter()).is_some(), etag.is_some_and(|etag| is_md5(&etag)));
        }
    }
}
