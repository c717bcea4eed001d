//! What the engine asks of a destination: the trait that each provider implements.

use std::future::ready;

use crate::context::Context;
use crate::engine::record::Resumed;
use crate::error::{Result, UploadError};
use crate::http::{Request, Response};
use crate::model::events::Outcome;
use crate::model::file::Accept;
use crate::model::plan::Part;
use crate::model::session::Session;
use crate::platform::Platform;

/// What a provider read from the answer to a part.
#[derive(Clone, Debug)]
pub struct Receipt<P: Platform> {
    /// The part's number.
    pub number: u32,
    /// The ETag as it came.
    pub etag: Option<String>,
    /// The answer's JSON, where it has more to say.
    pub reply: Option<P::Json>,
}

/// The dialect of one remote API. A value belongs to one upload, so it may keep what it learns.
///
/// What a step is given lives as long as its future: so [`AnyProvider`] can hand the futures on in boxes, with no future of its own
/// around them.
pub trait Provider<P: Platform>: Sized {
    /// What the vendor takes, unless the caller says otherwise.
    fn accept(&self) -> Accept {
        Accept::default()
    }

    /// True where an empty file can be stored.
    fn takes_empty(&self) -> bool {
        false
    }

    /// True where a part's ETag may be the MD5 of its bytes.
    fn etag_is_md5(&self) -> bool {
        true
    }

    /// True where an expired URL can be had anew without a new session.
    fn can_renew(&self) -> bool {
        false
    }

    /// The CORS rule that the provider's bucket needs for this page, as JSON; None where it follows from the request.
    fn cors_rule(&self, platform: &P) -> Option<String> {
        let _ = platform;
        None
    }

    /// True where the vendor processes what it has, after the bytes are there.
    fn processes(&self) -> bool {
        false
    }

    /// True where the answer to a part is the end of the upload, so that a lost one leaves the outcome unknown.
    fn part_completes(&self, session: &Session<P>) -> bool {
        let _ = session;
        false
    }

    /// Looks whether the destination has the file already; true, with the outcome filled in, where it has.
    fn check<'a>(&'a self, cx: &'a Context<P>, outcome: &'a mut Outcome<P>) -> impl Future<Output = Result<bool>> + 'a {
        let _ = (cx, outcome);
        ready(Ok(false))
    }

    /// Opens the upload.
    fn open<'a>(&'a self, cx: &'a Context<P>) -> impl Future<Output = Result<Session<P>>> + 'a;

    /// The request that sends a part; `renew` asks for another URL than the last one, which expired.
    fn part_request<'a>(
        &'a self,
        cx: &'a Context<P>,
        session: &'a Session<P>,
        part: &'a Part,
        renew: bool,
    ) -> impl Future<Output = Result<Request<P>>> + 'a;

    /// Reads the answer to a part, whatever its status.
    fn receipt(&self, cx: &Context<P>, session: &Session<P>, part: &Part, response: &Response) -> Result<Receipt<P>>;

    /// True where a session whose parts were being sent can be gone on with later.
    fn resumes(&self) -> bool {
        true
    }

    /// True where the parts' URLs can't be had again, so that they are kept with the session.
    fn keeps_urls(&self) -> bool {
        false
    }

    /// Takes up a session that an earlier page kept: asks the destination what it has of it, where it can be asked, and puts
    /// right which parts have arrived.
    ///
    /// # Errors
    /// With [`Retry::Restart`](crate::error::Retry::Restart) where the session is gone.
    fn restore<'a>(&'a self, cx: &'a Context<P>, resumed: &'a mut Resumed<P>) -> impl Future<Output = Result<()>> + 'a {
        let _ = (cx, resumed);
        ready(Ok(()))
    }

    /// Puts the parts together, and fills in what came of it; `parts` are in order. `again`: an earlier page may have done so, and
    /// never heard of it.
    fn complete<'a>(
        &'a self,
        cx: &'a Context<P>,
        session: &'a Session<P>,
        parts: &'a [Receipt<P>],
        again: bool,
        outcome: &'a mut Outcome<P>,
    ) -> impl Future<Output = Result<()>> + 'a;

    /// Sees the vendor's processing through, and fills in what came of it.
    fn settle<'a>(
        &'a self,
        cx: &'a Context<P>,
        session: &'a Session<P>,
        outcome: &'a mut Outcome<P>,
    ) -> impl Future<Output = Result<()>> + 'a {
        let _ = (cx, session, outcome);
        ready(Ok(()))
    }

    /// True where an error in sending parts says that an earlier page completed the upload: then it is completed again, which
    /// tells what came of it.
    fn completed_before(&self, session: &Session<P>, error: &UploadError) -> bool {
        let _ = (session, error);
        false
    }

    /// Tells the destination that nothing more comes, where it can be told. False where it could not be told, and may keep what
    /// it has.
    fn abort<'a>(&'a self, cx: &'a Context<P>, session: &'a Session<P>) -> impl Future<Output = bool> + 'a {
        let _ = (cx, session);
        ready(true)
    }
}
