//! The dialects of the remote APIs, one file or folder each, and the one list of them.

use futures::FutureExt;

use crate::context::Context;
use crate::engine::record::Resumed;
use crate::error::{Code, Result, Step, UploadError};
use crate::http::{Body, Method, Request, Response, StoreRequest, Url};
use crate::json::{self, Fill};
use crate::model::events::Outcome;
use crate::model::file::Accept;
use crate::model::plan::Part;
use crate::model::session::Session;
use crate::platform::Platform;
use crate::provider::{Provider, Receipt};

pub mod apifansly;
pub mod ofauth;
pub mod onlymonster;
pub mod presigned_plan;
pub mod s3;
pub(crate) mod shared;

macro_rules! providers {
    ($($(#[$doc:meta])* $variant:ident = $module:ident::$provider:ident, $name:literal;)*) => {
        /// Any provider: the one list. Each is there if the crate's feature of its name is on.
        #[derive(Debug)]
        pub enum AnyProvider<P: Platform> { $($(#[$doc])* #[cfg(feature = $name)] $variant($module::$provider<P>),)* }

        impl<P: Platform> AnyProvider<P> {
            /// The provider that `name` names, with its options for one file.
            ///
            /// # Errors
            /// `invalid-options`, for a name that isn't in the list or options that the provider can't work with.
            pub fn new(name: &str, options: &P::Json, setup: &Setup<'_, P>) -> Result<Self> {
                match name {
                    $(#[cfg(feature = $name)] $name => $module::$provider::new(options, setup).map(Self::$variant),)*
                    _ => Err(UploadError::new(Code::InvalidOptions, text!("There is no provider \"{}\" here.", name))
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
            fn check<'a>(&'a self, cx: &'a Context<P>, outcome: &'a mut Outcome<P>) -> impl Future<Output = Result<bool>> + 'a {
                match self { $(#[cfg(feature = $name)] Self::$variant(provider) => provider.check(cx, outcome).boxed_local(),)* }
            }
            fn open<'a>(&'a self, cx: &'a Context<P>) -> impl Future<Output = Result<Session<P>>> + 'a {
                match self { $(#[cfg(feature = $name)] Self::$variant(provider) => provider.open(cx).boxed_local(),)* }
            }
            fn part_request<'a>(&'a self, cx: &'a Context<P>, session: &'a Session<P>, part: &'a Part, renew: bool) -> impl Future<Output = Result<Request<P>>> + 'a {
                match self { $(#[cfg(feature = $name)] Self::$variant(provider) => provider.part_request(cx, session, part, renew).boxed_local(),)* }
            }
            fn receipt(&self, cx: &Context<P>, session: &Session<P>, part: &Part, response: &Response) -> Result<Receipt<P>> {
                match self { $(#[cfg(feature = $name)] Self::$variant(provider) => provider.receipt(cx, session, part, response),)* }
            }
            fn resumes(&self) -> bool {
                match self { $(#[cfg(feature = $name)] Self::$variant(provider) => provider.resumes(),)* }
            }
            fn keeps_urls(&self) -> bool {
                match self { $(#[cfg(feature = $name)] Self::$variant(provider) => provider.keeps_urls(),)* }
            }
            fn restore<'a>(&'a self, cx: &'a Context<P>, resumed: &'a mut Resumed<P>) -> impl Future<Output = Result<()>> + 'a {
                match self { $(#[cfg(feature = $name)] Self::$variant(provider) => provider.restore(cx, resumed).boxed_local(),)* }
            }
            fn complete<'a>(
                &'a self,
                cx: &'a Context<P>,
                session: &'a Session<P>,
                parts: &'a [Receipt<P>],
                again: bool,
                outcome: &'a mut Outcome<P>,
            ) -> impl Future<Output = Result<()>> + 'a {
                match self { $(#[cfg(feature = $name)] Self::$variant(provider) => provider.complete(cx, session, parts, again, outcome).boxed_local(),)* }
            }
            fn settle<'a>(&'a self, cx: &'a Context<P>, session: &'a Session<P>, outcome: &'a mut Outcome<P>) -> impl Future<Output = Result<()>> + 'a {
                match self { $(#[cfg(feature = $name)] Self::$variant(provider) => provider.settle(cx, session, outcome).boxed_local(),)* }
            }
            fn completed_before(&self, session: &Session<P>, error: &UploadError) -> bool {
                match self { $(#[cfg(feature = $name)] Self::$variant(provider) => provider.completed_before(session, error),)* }
            }
            fn abort<'a>(&'a self, cx: &'a Context<P>, session: &'a Session<P>) -> impl Future<Output = bool> + 'a {
                match self { $(#[cfg(feature = $name)] Self::$variant(provider) => provider.abort(cx, session).boxed_local(),)* }
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
pub struct Setup<'a, P: Platform> {
    /// What the engine runs on.
    pub platform: &'a P,
    /// The uploader's options.
    pub settings: &'a crate::model::settings::Settings,
    /// The page's paces.
    pub shared: &'a crate::context::shared::SharedState,
    /// The uploader's credentials for a store.
    pub credentials: &'a s3::SharedCredentials,
}

impl<P: Platform> Setup<'_, P> {
    /// Decodes a provider's own options, as they were `given`.
    ///
    /// # Errors
    /// `invalid-options`.
    pub fn options(&self, given: &P::Json, options: &mut dyn Fill<P>) -> Result<()> {
        json::fill(self.platform, Some(given), options).map_err(|why| {
            let message = text!("The provider's options can't be read: {}", why);
            UploadError::new(Code::InvalidOptions, message).hint("The package's types say what each option is.")
        })
    }
}

/// A vendor's plan that no byte should be sent by, and why.
fn unusable(vendor: &str, why: &str) -> UploadError {
    UploadError::new(Code::PlanMismatch, text!("{}'s plan can't be used. {}", vendor, why))
        .at(Step::Init)
        .hint(text!("Nothing was sent. Try again; if it stays so, report it to {}.", vendor))
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
fn presigned_put<P: Platform>(cx: &Context<P>, part: &Part, url: Url) -> Result<Request<P>> {
    let content_type = cx.file.known_type();
    let headers = url.type_header(content_type);
    let body = Body::File(cx.file.body(part.range, Some(content_type)));
    StoreRequest::new(&cx.platform.origin(), Step::Part, Method::Put, url, headers, body).map(Request::Store)
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
    Plan = presigned_plan::PlanProvider, "plan";
}
