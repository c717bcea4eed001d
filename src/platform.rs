//! Everything that the engine needs from its surroundings, as one trait: the package implements it for browsers, the tests for a
//! simulation.

use futures::future::LocalBoxFuture;
use std::fmt::Debug;
use std::rc::Rc;

use crate::error::{Cause, Result, Step, UploadError};
use crate::http::foreign::Foreign;
use crate::http::{ApiRequest, Body, Request, Response, StoreRequest, Url};
use crate::json::Json;
use crate::model::file::SourceFile;
use crate::model::plan::ByteRange;
use crate::util::text;

/// Why no answer was received.
#[derive(Clone, Debug)]
pub enum SendFailure {
    /// The connection failed.
    Network {
        /// Whether the whole body was sent by then; None if the transport can't know.
        body_sent: Option<bool>,
    },
    /// A redirect led to another URL: the answer, if there is one, isn't the destination's.
    Redirected(Foreign),
    /// The request was never sent: the application's `beforeRequest` threw, or the browser refused it.
    Refused(UploadError),
}

/// A function of the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hook {
    /// s3: the object's key for a file.
    Key,
    /// s3: temporary credentials.
    Credentials,
    /// plan: makes the plan.
    Open,
    /// plan: URLs for parts.
    SignParts,
    /// plan: lists the parts that the store has.
    ListParts,
    /// plan: completes the upload.
    Complete,
    /// plan: aborts the upload.
    Abort,
    /// form: the fields beside the file.
    Fields,
    /// form: reads the server's reply. Its second argument has the headers as a list of pairs, which the platform gives as `Headers`.
    Parse,
    /// form: judges the reply to a poll.
    Job,
    /// The uploader's: gives what is sent in the file's place. It is called by [`Platform::transform`].
    Transform,
}

impl Hook {
    /// The function's name in the provider's options.
    pub const fn as_str(self) -> &'static str {
        match self {
            Hook::Key => "key",
            Hook::Credentials => "getCredentials",
            Hook::Open => "open",
            Hook::SignParts => "sign",
            Hook::ListParts => "list",
            Hook::Complete => "complete",
            Hook::Abort => "abort",
            Hook::Fields => "fields",
            Hook::Parse => "parse",
            Hook::Job => "job",
            Hook::Transform => "transform",
        }
    }

    /// Whether it is made for the page alone, without a request to the application's server.
    pub const fn is_local(self) -> bool {
        matches!(self, Hook::Key | Hook::Parse | Hook::Job)
    }
}

/// What a function of the application threw.
#[derive(Clone, Debug)]
pub struct HookFailure {
    /// Its message, for the error that wraps it.
    pub message: String,
    /// `retryable` of an `UploadError` that it threw on purpose; None for anything else.
    pub upload_error: Option<bool>,
    /// What kind of exception it is.
    pub kind: Thrown,
    /// The value itself.
    pub cause: Option<Cause>,
}

/// What kind of exception was thrown, which decides whether another call may succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thrown {
    /// Any other: a failed network throws these too.
    Anything,
    /// A programming error, which the next call would repeat.
    Mistake,
    /// A parse error: the answer isn't JSON, most likely an HTML page that describes an error.
    NotJson,
    /// An `UploadError` with the code `session-expired`, thrown on purpose.
    SessionExpired,
}

/// Messages of a TypeError that mean a programming error, in V8, SpiderMonkey and JavaScriptCore. Any other TypeError may be `fetch`'s
/// for a failed network, whose messages vary, and are translated in JavaScriptCore.
const MISTAKES: [&str; 8] = [
    "is not a function",
    "is not a constructor",
    "not iterable",
    "not an object",
    "undefined",
    " null",
    "assignment to const",
    "Failed to execute",
];

impl Thrown {
    /// Classifies an exception by its `name` and `message`.
    pub fn of(name: &str, message: &str) -> Self {
        match name {
            "SyntaxError" => Self::NotJson,
            "ReferenceError" => Self::Mistake,
            "TypeError" if MISTAKES.iter().any(|words| text::contains(message, words)) => Self::Mistake,
            _ => Self::Anything,
        }
    }
}

/// Called with the number of the body's bytes that were sent so far.
pub type OnSent = Rc<dyn Fn(u64)>;

/// An event after which stalled requests are checked at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageEvent {
    /// The network changed: requests in flight over the old one are most likely lost.
    Online,
    /// The page is visible again, and its timers are no longer delayed.
    Visible,
}

/// A request with a platform's own values in it.
pub type RequestOf<P> = Request<<P as Platform>::Json, <P as Platform>::Blob>;
/// A request to an API with a platform's own values in it.
pub type ApiRequestOf<P> = ApiRequest<<P as Platform>::Json, <P as Platform>::Blob>;
/// A request to a presigned URL with a platform's own values in it.
pub type StoreRequestOf<P> = StoreRequest<<P as Platform>::Json, <P as Platform>::Blob>;
/// A body with a platform's own values in it.
pub type BodyOf<P> = Body<<P as Platform>::Json, <P as Platform>::Blob>;

/// Which digests are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// MD5.
    pub md5: bool,
    /// CRC64NVME.
    pub crc64: bool,
}

impl Wanted {
    /// The MD5 alone.
    pub const MD5: Self = Self { md5: true, crc64: false };
}

/// Digests of the same bytes, as far as they were computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digests {
    /// MD5.
    pub md5: Option<[u8; 16]>,
    /// CRC64NVME.
    pub crc64: Option<u64>,
}

/// What the engine runs on. Cloning is cheap and gives the same platform.
///
/// Dropping a future that a method returned aborts its operation.
pub trait Platform: Clone + Debug + 'static {
    /// A JSON value.
    type Json: Json;
    /// A file or a part of one, opaque to the engine.
    type Blob: Clone + Debug + 'static;

    /// Milliseconds since 1970 by this machine's clock.
    fn now(&self) -> u64;
    /// A random number, 0 ≤ n < 1.
    fn random(&self) -> f64;
    /// Resolves after that many milliseconds.
    fn sleep(&self, ms: u64) -> LocalBoxFuture<'static, ()>;
    /// Resolves when the page shows its next frame; a tenth of a second later at most, where it shows none.
    fn next_frame(&self) -> LocalBoxFuture<'static, ()>;
    /// Resolves in another task, so that the page can do something else in between.
    fn next_task(&self) -> LocalBoxFuture<'static, ()>;
    /// Runs a task to its end.
    fn spawn(&self, task: LocalBoxFuture<'static, ()>);
    /// Warns about something that the application should fix and that stops nothing.
    fn warn(&self, message: &str);

    /// Whether there may be a network: false only if the platform knows that there is none.
    fn online(&self) -> bool;
    /// Resolves at the next [`PageEvent`] from now on.
    fn next_page_event(&self) -> LocalBoxFuture<'static, PageEvent>;

    /// Saves the record of this upload's session in place of the former one. Resolves once it is saved; false if it can't be.
    fn keep(&self, record: Self::Json) -> LocalBoxFuture<'static, bool>;
    /// Saves an uploaded part beside the record. Nothing waits for it: a part that wasn't saved is sent again.
    fn keep_part(&self, number: u32, part: Self::Json);
    /// Drops the record and its parts.
    fn forget(&self);

    /// Parses a URL, relative to the page; None if it is invalid.
    fn resolve(&self, url: &str) -> Option<Url>;
    /// The page's own origin.
    fn origin(&self) -> String;

    /// Sends one request and reads the whole answer. `on_sent` is called as bytes are sent, if the transport reports them.
    fn send(
        &self,
        request: RequestOf<Self>,
        on_sent: OnSent,
    ) -> LocalBoxFuture<'static, std::result::Result<Response, SendFailure>>;

    /// Whether a request to that URL, which was just answered, is known to have shared its connection with others (HTTP/2, HTTP/3).
    fn is_multiplexed(&self, url: &str) -> bool;

    /// Whether any server answers at an origin, with any status. The request needs no CORS rule, carries no secret, and goes to the
    /// origin's root. False proves nothing.
    fn probe(&self, origin: &str) -> LocalBoxFuture<'static, bool>;

    /// Reads a whole file into memory; None if it can't be read.
    fn copy(&self, blob: &Self::Blob) -> LocalBoxFuture<'static, Option<Self::Blob>>;
    /// Reads bytes of a file; None if it can't be read, or no longer.
    fn read(&self, blob: &Self::Blob, range: ByteRange) -> LocalBoxFuture<'static, Option<Vec<u8>>>;

    /// Computes digests of a file's bytes away from the page's thread; None if nothing can, or if the bytes can't be read there.
    fn digest(&self, blob: &Self::Blob, range: ByteRange, wanted: Wanted) -> LocalBoxFuture<'static, Option<Digests>>;
    /// A number that changes as long as anything that [`Platform::digest`] was called for makes progress.
    fn digest_progress(&self) -> u64;

    /// Whether this upload's credentials come from the same function as the uploader's.
    fn shares_credentials(&self) -> bool;
    /// Whether the application provides that function (or, for [`Hook::Key`], a string).
    fn has(&self, hook: Hook) -> bool;
    /// Calls a function of the application.
    fn call(
        &self,
        hook: Hook,
        arguments: Vec<Self::Json>,
    ) -> LocalBoxFuture<'static, std::result::Result<Self::Json, HookFailure>>;
    /// Calls the application's `transform` for this upload's file; None: the file itself is sent.
    fn transform(&self) -> LocalBoxFuture<'static, std::result::Result<Option<SourceFile<Self::Blob>>, HookFailure>>;
    /// The caller's `mapUrl`; None where there is none.
    fn map_url(&self, url: &str, step: Step) -> Option<Result<String>>;
}

/// After so many items of a long list the page may do something else. (A choice, measured: decoding so many parts takes 3 ms on a desktop
/// machine; a phone is some times slower.)
const AT_ONCE: usize = 256;

/// Lets the page do something else, each time that another 256 items of a long list are done.
pub async fn yield_after<P: Platform>(platform: &P, done: usize) {
    if done.is_multiple_of(AT_ONCE) {
        platform.next_task().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_told_from_networks_that_failed() {
        for (name, message) in [
            ("TypeError", "Cannot read properties of undefined (reading 'url')"),
            ("TypeError", "can't access property \"url\", answer is null"),
            ("TypeError", "undefined is not an object (evaluating 'answer.url')"),
            ("TypeError", "api.sign is not a function"),
            ("TypeError", "Failed to execute 'fetch' on 'Window': Failed to parse URL from http://"),
            ("ReferenceError", "tokne is not defined"),
        ] {
            assert_eq!(Thrown::of(name, message), Thrown::Mistake, "{message}");
        }
        for (name, message) in [
            ("TypeError", "Failed to fetch"),
            ("TypeError", "network error"),
            ("TypeError", "NetworkError when attempting to fetch resource."),
            ("TypeError", "Error in body stream"),
            ("TypeError", "Load failed"),
            ("TypeError", "Die Netzwerkverbindung wurde unterbrochen."),
            ("TypeError", "fetch failed"),
            ("TypeError", "terminated"),
            ("Error", "the answer was undefined"),
            ("AbortError", "signal is aborted without reason"),
            ("", ""),
        ] {
            assert_eq!(Thrown::of(name, message), Thrown::Anything, "{message}");
        }
        assert_eq!(Thrown::of("SyntaxError", "The string did not match the expected pattern."), Thrown::NotJson);
    }
}
