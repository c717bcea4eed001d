//! The dialects of the remote APIs, one file each, and the one list of them.

use std::future::ready;

use futures::FutureExt;

use crate::engine::events::Outcome;
use crate::engine::job::Job;
use crate::engine::record::Resumed;
use crate::engine::session::Session;
use crate::error::{Code, Result, Step, UploadError};
use crate::http::{Body, Method, Request, Response, StoreRequest, Url};
use crate::json::{self, Fill};
use crate::plan::Part;
use crate::platform::Platform;
use crate::source::Accept;
use crate::text;

mod api;
pub(crate) mod cors;
mod listed;
mod poll;
mod reply;
mod store;

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
    fn check<'a>(&'a self, job: &'a Job<P>, outcome: &'a mut Outcome<P>) -> impl Future<Output = Result<bool>> + 'a {
        let _ = (job, outcome);
        ready(Ok(false))
    }

    /// Opens the upload.
    fn open<'a>(&'a self, job: &'a Job<P>) -> impl Future<Output = Result<Session<P>>> + 'a;

    /// The request that sends a part; `renew` asks for another URL than the last one, which expired.
    fn part_request<'a>(
        &'a self,
        job: &'a Job<P>,
        session: &'a Session<P>,
        part: &'a Part,
        renew: bool,
    ) -> impl Future<Output = Result<Request<P>>> + 'a;

    /// Reads the answer to a part, whatever its status.
    fn receipt(&self, job: &Job<P>, session: &Session<P>, part: &Part, response: &Response) -> Result<Receipt<P>>;

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
    /// With [`Retry::Anew`](crate::error::Retry::Anew) where the session is gone.
    fn restore<'a>(&'a self, job: &'a Job<P>, resumed: &'a mut Resumed<P>) -> impl Future<Output = Result<()>> + 'a {
        let _ = (job, resumed);
        ready(Ok(()))
    }

    /// Puts the parts together, and fills in what came of it; `parts` are in order. `again`: an earlier page may have done so, and
    /// never heard of it.
    fn complete<'a>(
        &'a self,
        job: &'a Job<P>,
        session: &'a Session<P>,
        parts: &'a [Receipt<P>],
        again: bool,
        outcome: &'a mut Outcome<P>,
    ) -> impl Future<Output = Result<()>> + 'a;

    /// Sees the vendor's processing through, and fills in what came of it.
    fn settle<'a>(
        &'a self,
        job: &'a Job<P>,
        session: &'a Session<P>,
        outcome: &'a mut Outcome<P>,
    ) -> impl Future<Output = Result<()>> + 'a {
        let _ = (job, session, outcome);
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
    fn abort<'a>(&'a self, job: &'a Job<P>, session: &'a Session<P>) -> impl Future<Output = bool> + 'a {
        let _ = (job, session);
        ready(true)
    }
}

macro_rules! providers {
    ($($(#[$doc:meta])* $variant:ident = $module:ident::$provider:ident, $name:literal;)*) => {
        $(pub mod $module;)*

        /// Any provider: the one list. Each is there if the crate's feature of its name is on.
        #[derive(Debug)]
        pub enum AnyProvider<P: Platform> { $($(#[$doc])* #[cfg(feature = $name)] $variant($module::$provider<P>),)* }

        impl<P: Platform> AnyProvider<P> {
            /// The provider that `name` names, with its options for one file.
            ///
            /// # Errors
            /// `invalid-options`, for a name that isn't in the list or options that the provider can't work with.
            pub fn new(name: &str, options: &P::Json, context: &Context<'_, P>) -> Result<Self> {
                match name {
                    $(#[cfg(feature = $name)] $name => $module::$provider::new(options, context).map(Self::$variant),)*
                    _ => Err(UploadError::new(Code::InvalidOptions, text::fill("There is no provider \"{}\" here.", &[&name]))
                        .hint("`partway` has all of them; an entry like `partway/s3` has its own alone.")),
                }
            }

            /// The provider's name.
            pub fn name(&self) -> &'static str {
                match self { $(#[cfg(feature = $name)] Self::$variant(_) => $name,)* }
            }
        }

        impl<P: Platform> Provider<P> for AnyProvider<P> {
            fn accept(&self) -> Accept {
                match self { $(#[cfg(feature = $name)] Self::$variant(provider) => provider.accept(),)* }
            }
            fn takes_empty(&self) -> bool {
                match self { $(#[cfg(feature = $name)] Self::$variant(provider) => provider.takes_empty(),)* }
            }
            fn etag_is_md5(&self) -> bool {
                match self { $(#[cfg(feature = $name)] Self::$variant(provider) => provider.etag_is_md5(),)* }
            }
            fn can_renew(&self) -> bool {
                match self { $(#[cfg(feature = $name)] Self::$variant(provider) => provider.can_renew(),)* }
            }
            fn cors_rule(&self, platform: &P) -> Option<String> {
                match self { $(#[cfg(feature = $name)] Self::$variant(provider) => provider.cors_rule(platform),)* }
            }
            fn processes(&self) -> bool {
                match self { $(#[cfg(feature = $name)] Self::$variant(provider) => provider.processes(),)* }
            }
            fn part_completes(&self, session: &Session<P>) -> bool {
                match self { $(#[cfg(feature = $name)] Self::$variant(provider) => provider.part_completes(session),)* }
            }
            // Boxed: else the states of every provider's future are woven into those of the engine's, which weighs more. Boxed by
            // plain functions: async ones would be futures around the boxes.
            fn check<'a>(&'a self, job: &'a Job<P>, outcome: &'a mut Outcome<P>) -> impl Future<Output = Result<bool>> + 'a {
                match self { $(#[cfg(feature = $name)] Self::$variant(provider) => provider.check(job, outcome).boxed_local(),)* }
            }
            fn open<'a>(&'a self, job: &'a Job<P>) -> impl Future<Output = Result<Session<P>>> + 'a {
                match self { $(#[cfg(feature = $name)] Self::$variant(provider) => provider.open(job).boxed_local(),)* }
            }
            fn part_request<'a>(&'a self, job: &'a Job<P>, session: &'a Session<P>, part: &'a Part, renew: bool) -> impl Future<Output = Result<Request<P>>> + 'a {
                match self { $(#[cfg(feature = $name)] Self::$variant(provider) => provider.part_request(job, session, part, renew).boxed_local(),)* }
            }
            fn receipt(&self, job: &Job<P>, session: &Session<P>, part: &Part, response: &Response) -> Result<Receipt<P>> {
                match self { $(#[cfg(feature = $name)] Self::$variant(provider) => provider.receipt(job, session, part, response),)* }
            }
            fn resumes(&self) -> bool {
                match self { $(#[cfg(feature = $name)] Self::$variant(provider) => provider.resumes(),)* }
            }
            fn keeps_urls(&self) -> bool {
                match self { $(#[cfg(feature = $name)] Self::$variant(provider) => provider.keeps_urls(),)* }
            }
            fn restore<'a>(&'a self, job: &'a Job<P>, resumed: &'a mut Resumed<P>) -> impl Future<Output = Result<()>> + 'a {
                match self { $(#[cfg(feature = $name)] Self::$variant(provider) => provider.restore(job, resumed).boxed_local(),)* }
            }
            fn complete<'a>(
                &'a self,
                job: &'a Job<P>,
                session: &'a Session<P>,
                parts: &'a [Receipt<P>],
                again: bool,
                outcome: &'a mut Outcome<P>,
            ) -> impl Future<Output = Result<()>> + 'a {
                match self { $(#[cfg(feature = $name)] Self::$variant(provider) => provider.complete(job, session, parts, again, outcome).boxed_local(),)* }
            }
            fn settle<'a>(&'a self, job: &'a Job<P>, session: &'a Session<P>, outcome: &'a mut Outcome<P>) -> impl Future<Output = Result<()>> + 'a {
                match self { $(#[cfg(feature = $name)] Self::$variant(provider) => provider.settle(job, session, outcome).boxed_local(),)* }
            }
            fn completed_before(&self, session: &Session<P>, error: &UploadError) -> bool {
                match self { $(#[cfg(feature = $name)] Self::$variant(provider) => provider.completed_before(session, error),)* }
            }
            fn abort<'a>(&'a self, job: &'a Job<P>, session: &'a Session<P>) -> impl Future<Output = bool> + 'a {
                match self { $(#[cfg(feature = $name)] Self::$variant(provider) => provider.abort(job, session).boxed_local(),)* }
            }
        }
    };
}

impl<P: Platform> AnyProvider<P> {
    /// True where something is left to be done once all parts are there: put together, exported, processed.
    pub fn goes_on_after(&self, session: &Session<P>) -> bool {
        session.multipart || session.given.is_some() || self.processes()
    }
}

/// What a provider is made from, beside its own options.
#[derive(Debug)]
pub struct Context<'a, P: Platform> {
    /// What the engine runs on.
    pub platform: &'a P,
    /// The uploader's options.
    pub settings: &'a crate::settings::Settings,
    /// The page's paces.
    pub paces: &'a crate::engine::pace::Paces,
    /// The uploader's credentials for a store.
    pub credentials: &'a s3::SharedCredentials,
}

impl<P: Platform> Context<'_, P> {
    /// Decodes a provider's own options, as they were `given`.
    ///
    /// # Errors
    /// `invalid-options`.
    pub fn options(&self, given: &P::Json, options: &mut dyn Fill<P>) -> Result<()> {
        json::fill(self.platform, Some(given), options).map_err(|why| {
            let message = text::fill("The provider's options can't be read: {}", &[&why]);
            UploadError::new(Code::InvalidOptions, message).hint("The package's types say what each option is.")
        })
    }
}

/// A vendor's plan that no byte should be sent by, and why.
fn unusable(vendor: &str, why: &str) -> UploadError {
    UploadError::new(Code::PlanMismatch, text::fill("{}'s plan can't be used. {}", &[&vendor, &why]))
        .at(Step::Init)
        .hint(text::fill("Nothing was sent. Try again; if it stays so, report it to {}.", &[&vendor]))
}

/// An error with the vendor's words from another one.
fn with_words(error: UploadError, other: &UploadError) -> UploadError {
    match &other.vendor {
        Some(words) => error.vendor(words.clone()),
        None => error,
    }
}

/// What was kept of an upload can't be gone on with.
fn not_whole() -> UploadError {
    UploadError::new(Code::SessionExpired, "The upload was not kept whole.").at(Step::Init)
}

/// The page was left while something may have taken effect.
fn in_doubt(step: Step, what: &str) -> UploadError {
    UploadError::new(Code::Network, what).at(step).answer_lost(true).or_unknown()
}

/// The request that puts a part where a presigned URL leads.
fn presigned_put<P: Platform>(job: &Job<P>, part: &Part, url: Url) -> Result<Request<P>> {
    let content_type = job.source.known_type();
    let headers = url.type_header(content_type);
    let body = Body::File(job.source.body(part.range, Some(content_type)));
    StoreRequest::new(&job.platform.origin(), Step::Part, Method::Put, url, headers, body).map(Request::Store)
}

providers! {
    /// The OnlyFans vault through OFAuth.
    Ofauth = ofauth::Ofauth, "ofauth";
    /// The OnlyFans vault through Onlymonster.
    Onlymonster = onlymonster::Onlymonster, "onlymonster";
    /// Fansly through apifansly.
    Apifansly = apifansly::Apifansly, "apifansly";
    /// An S3-compatible store with temporary credentials.
    S3 = s3::S3, "s3";
    /// A plan that the application's own server makes.
    Plan = plan::PlanProvider, "plan";
}
