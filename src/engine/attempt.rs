//! One attempt at a part: the request, the answer, the receipt, and the comparison of the ETag with the bytes' MD5.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use super::file_check::still_readable;
use super::run::Run;
use crate::context::Context;
use crate::context::integrity::{self, Evidence, Verdict, Verification, checksum};
use crate::error::{Code, Result, Retry, Step, UploadError};
use crate::http::presigned::Expiry;
use crate::http::{Request, Response};
use crate::model::plan::Part;
use crate::model::session::{AnySession, Receipt};
use crate::model::settings::Integrity;
use crate::platform::{Digests, Platform, Wanted};
use crate::util::hex::hex;

/// What the answer to a part says.
pub(super) struct Answered<J> {
    pub(super) receipt: Receipt<J>,
    pub(super) verification: Verification,
    /// The MD5 of the bytes that were sent, in hexadecimal digits, if it is saved with the part.
    pub(super) md5: Option<String>,
}

/// Sends the part once, reads the answer, and compares the bytes with the ETag. `renew` requests a new URL, `stalls` is how often the
/// part timed out before.
///
/// # Errors
/// The reason why the part isn't uploaded.
pub(super) async fn attempt_part<P: Platform>(
    run: &Run<P>,
    session: &dyn AnySession<P::Json>,
    part: &Part,
    renew: bool,
    stalls: u32,
) -> Result<Answered<P::Json>> {
    let cx = &run.cx;
    run.pace.wait(&cx.platform, part.range.len()).await;
    let request = run.provider.part_request(cx, session, part, renew).await?;
    let expected_etag = integrity::expected_etag(cx, session.object_key(), &request);
    let must_not_repeat = request.must_not_repeat() && !broken!(SecondForm);
    let expiry = match &request {
        Request::Store(request) => {
            let session_ends = session.expires_at().filter(|_| !run.capabilities.renews_urls);
            request.url().expiry().or(session_ends)
        }
        Request::Api(_) => Expiry::default(),
    };
    cx.reporter.count_attempt();
    run.tail.began(part.number, cx.platform.now());
    cx.reporter.measure(|meter| meter.started(part.number));
    let long_running = must_not_repeat || run.part_completes(session);
    let sending = cx.send(request, long_running, stalls, |sent| {
        run.committed.set(must_not_repeat && sent >= part.range.len());
        let now = cx.platform.now();
        cx.reporter.measure(|meter| meter.sent(part.number, sent, now));
    });
    let (compared, saves_md5) = (run.wanted(), run.saves_md5s(session));
    let wanted = Wanted { md5: compared.md5 || saves_md5, ..compared };
    let hashing = integrity::digests_of(cx, part.range, wanted);
    let (mut sending, mut hashing) = (pin!(sending), pin!(hashing));
    let mut hashed = None;
    let answer = poll_fn(|context| {
        let answer = sending.as_mut().poll(context);
        if answer.is_pending()
            && hashed.is_none()
            && let Poll::Ready(digests) = hashing.as_mut().poll(context)
        {
            hashed = Some(digests);
        }
        answer
    })
    .await;
    // A provider may accept an answer that isn't 2xx: a later step finds out whether the part is uploaded.
    let is_success = answer.as_ref().is_ok_and(Response::ok);
    let answer = answer.map_err(|error| expired_or(cx, error, expiry, session.began_at()));
    if cx.settings.integrity != Integrity::Off
        && let Ok(response) = &answer
    {
        expected_etag.learn(cx, response);
    }
    let mut said = None;
    let receipt = answer.and_then(|response| {
        let receipt = run.provider.receipt(cx, session, part, &response)?;
        said = checksum::said(&response, receipt.checksum.as_deref()).map(String::from);
        Ok(receipt)
    });
    let receipt = receipt.map_err(|error| match error.code {
        Code::UrlExpired if run.capabilities.renews_urls => error.retry(Retry::Later(None)),
        _ if must_not_repeat => error.or_unknown(),
        Code::Network | Code::Forbidden => {
            let began_at = session.began_at();
            let clocks = [cx.platform.now(), cx.server_now()];
            error.url_may_be_expired(clocks.iter().any(|now| expiry.may_be_expired(*now, began_at)))
        }
        _ => error,
    })?;
    run.tail.answered(part.number, cx.platform.now());
    let receipt = Receipt { etag: receipt.etag.as_deref().map(integrity::as_strong), ..receipt };
    let etag = receipt.etag.as_deref();
    let has_md5 = compared.md5 && etag.is_some_and(integrity::is_md5);
    let verifiable = has_md5 || (compared.crc64 && (said.is_some() || cx.etags.checksum_follows()));
    let digests = match hashed {
        Some(digests) => digests,
        None if verifiable || saves_md5 => hashing.await,
        None => Ok(None),
    };
    // A read that timed out only matters if there is something to compare, and so does a part that could not be read for hashing.
    let digests = match digests {
        Err(error) if verifiable => return Err(error.at(Step::Part)),
        digests => digests.unwrap_or_default(),
    };
    if verifiable && digests.is_none() {
        still_readable(cx, part.range).await?;
    }
    let Digests { md5, crc64 } = digests.unwrap_or_default();
    let saved = md5.filter(|_| saves_md5).map(|md5| hex(&md5));
    let md5 = md5.filter(|_| compared.md5);
    let own = receipt.checksum.clone().or(crc64.map(checksum::of_crc64));
    let evidence = Evidence { etag, md5, said: said.as_deref(), own: own.as_deref(), is_success };
    let verified = integrity::verify(cx, evidence);
    if matches!(verified, Ok(Verification::Verified) | Err(_)) {
        cx.digests.forget(part.range);
    }
    let verification = match verified {
        // Only a second copy would tell why the ETag is another one.
        Ok(Verification::Suspicious) if must_not_repeat => {
            integrity::unverified(cx).map(|()| Verification::Unverified)?
        }
        Err(error) if must_not_repeat => return Err(error.retry(Retry::Never)),
        verification => verification?,
    };
    // What an MD5 proved needs no other proof.
    let checksum = own.filter(|_| integrity::verdict(etag, md5) != Verdict::Same);
    Ok(Answered { receipt: Receipt { checksum, ..receipt }, verification, md5: saved })
}

/// A store may refuse an expired URL without CORS headers, which looks like a lost connection. A URL that had expired before it was
/// received only shows that this machine's clock is off.
fn expired_or<P: Platform>(cx: &Context<P>, error: UploadError, expiry: Expiry, began_at: u64) -> UploadError {
    let expired = expiry.at.is_some_and(|at| cx.is_past(at, began_at));
    if error.code == Code::Network && expired && cx.is_online() {
        let lost = error.answer_lost;
        return UploadError::new(Code::UrlExpired, "The presigned URL has expired.").at(Step::Part).answer_lost(lost);
    }
    error
}
