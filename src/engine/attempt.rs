//! One attempt at a part: the request, the answer, the receipt, and the comparison of the ETag with the bytes' MD5.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use super::file_check::still_readable;
use super::run::Run;
use crate::context::Context;
use crate::context::integrity::{self, Verification};
use crate::error::{Code, Result, Retry, Step, UploadError};
use crate::http::presigned::Expiry;
use crate::http::{Request, Response};
use crate::model::plan::Part;
use crate::model::session::{AnySession, Receipt};
use crate::model::settings::Integrity;
use crate::platform::Platform;

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
) -> Result<(Receipt<P::Json>, Verification)> {
    let cx = &run.cx;
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
    let hashing = async {
        let useless = cx.settings.integrity == Integrity::Auto && cx.etags.hashing_is_useless();
        if useless || !run.verifies() {
            return Ok(None);
        }
        integrity::md5_of(cx, part.range).await
    };
    let (mut sending, mut hashing) = (pin!(sending), pin!(hashing));
    let mut hashed = None;
    let answer = poll_fn(|context| {
        let answer = sending.as_mut().poll(context);
        if answer.is_pending()
            && hashed.is_none()
            && let Poll::Ready(md5) = hashing.as_mut().poll(context)
        {
            hashed = Some(md5);
        }
        answer
    })
    .await;
    run.committed.set(false);
    // A provider may accept an answer that isn't 2xx: a later step finds out whether the part is uploaded.
    let is_success = answer.as_ref().is_ok_and(Response::ok);
    let answer = answer.map_err(|error| expired_or(cx, error, expiry, session.began_at()));
    if run.verifies()
        && let Ok(response) = &answer
    {
        expected_etag.learn(cx, response);
    }
    let receipt = answer.and_then(|response| run.provider.receipt(cx, session, part, &response));
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
    let receipt = Receipt { etag: receipt.etag.as_deref().map(integrity::as_strong), ..receipt };
    let verifiable = receipt.etag.as_deref().is_some_and(integrity::is_md5);
    let md5 = match hashed {
        Some(md5) => md5,
        None if verifiable => hashing.await,
        None => Ok(None),
    };
    // A read that timed out only matters if there is an ETag to compare.
    let md5 = if verifiable { md5.map_err(|error| error.at(Step::Part))? } else { None };
    if verifiable && md5.is_none() && run.verifies() {
        // The part could not be read for hashing.
        still_readable(cx, part.range).await?;
    }
    let verification = integrity::verify(cx, receipt.etag.as_deref(), md5, is_success)?;
    Ok((receipt, verification))
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
