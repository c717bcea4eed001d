//! One request under the watch of a clock: what moves no byte for too long is given up.

use std::cell::Cell;
use std::rc::Rc;

use futures::future::{Either, select};
use futures::pin_mut;

use crate::error::{Code, Result, UploadError};
use crate::http::{Request, Response};
use crate::platform::{OnSent, Platform, SendFailure};

/// The slowest line that a request is granted time for, where the transport tells nothing of its progress: bytes a second.
/// 256 kbit/s, the uplink of early ADSL. (A choice.)
const SLOWEST_LINE: u64 = 32 * 1024;

/// How long a server may work on a body that it has whole, before its answer begins: S3's complete and a vendor that forwards
/// gigabytes take minutes ("several minutes", AWS S3 API Reference, CompleteMultipartUpload).
const ANSWER_MS: u64 = 10 * 60_000;

/// Sends a request and waits for its answer, as long as it makes sense.
///
/// Where the transport tells of bytes going out, `stall_ms` without one gives the request up; where it doesn't, the time that
/// its size takes on a slow line is granted on top. `patient` grants a server minutes for the answer.
///
/// # Errors
/// `network`, `stalled`, or what refused the request before it left. `answer_lost` says whether it may have taken effect.
pub async fn send<P: Platform>(
    platform: &P,
    request: Request<P>,
    stall_ms: u64,
    patient: bool,
    on_sent: OnSent,
) -> Result<Response> {
    let size = request.body().file_len();
    let step = request.step();
    // When the last byte moved, and how many had by then; None until the transport told of any.
    let moved: Rc<Cell<Option<(u64, u64)>>> = Rc::default();
    let started = platform.now();
    let watched = {
        let (moved, platform) = (moved.clone(), platform.clone());
        Rc::new(move |bytes| {
            if moved.get().is_none_or(|(_, before)| bytes > before) {
                moved.set(Some((platform.now(), bytes)));
            }
            on_sent(bytes);
        })
    };
    let deadline = || match moved.get() {
        Some((at, bytes)) if bytes < size => at + stall_ms,
        Some((at, _)) => at + stall_ms.max(ANSWER_MS),
        None if size > 0 => started + stall_ms.max(ANSWER_MS) + size * 1000 / SLOWEST_LINE,
        None if patient => started + stall_ms.max(ANSWER_MS),
        None => started + stall_ms,
    };
    let answer = platform.send(request, watched);
    let watchdog = async {
        loop {
            let left = deadline().saturating_sub(platform.now());
            if left == 0 {
                break;
            }
            // Progress moves the deadline either way, so look again at least once in a stall's time.
            platform.sleep(left.min(stall_ms.max(1))).await;
        }
    };
    pin_mut!(watchdog);
    match select(answer, watchdog).await {
        Either::Left((Ok(response), _)) => Ok(response),
        Either::Left((Err(SendFailure::Refused(error)), _)) => Err(error.at(step)),
        Either::Left((Err(SendFailure::Network { body_sent }), _)) => Err(UploadError::new(
            Code::Network,
            "The connection was lost, or the browser was not allowed to make the request.",
        )
        .at(step)
        .hint("Where it never works: check the address and the server's CORS rule.")
        .answer_lost(body_sent != Some(false))),
        Either::Right(_) => {
            let whole = moved.get().is_none_or(|(_, bytes)| bytes >= size);
            Err(UploadError::new(Code::Stalled, "The connection stood still and was given up.")
                .at(step)
                .answer_lost(whole))
        }
    }
}
