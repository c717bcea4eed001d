//! What can go wrong, as one type: a code, what happened, what to do, and whether another try is worth it.

use std::any::Any;
use std::fmt;
use std::rc::Rc;

/// The error's name in the public face; [`Code::as_str`] gives the text that JavaScript sees.
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $retryable:literal;)*) => {
        /// Why an upload ended without its result.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// Every code, in the order of the documentation's table.
            pub const ALL: &'static [Code] = &[$(Code::$name,)*];

            /// The code as JavaScript sees it.
            ///
            /// ```
            /// assert_eq!(partway::error::Code::PlanMismatch.as_str(), "plan-mismatch");
            /// ```
            pub const fn as_str(self) -> &'static str {
                match self { $(Code::$name => $text,)* }
            }

            /// True where the same upload may well succeed later.
            pub const fn retryable(self) -> bool {
                match self { $(Code::$name => $retryable,)* }
            }
        }
    };
}

codes! {
    /// An option has the wrong shape or value.
    InvalidOptions = "invalid-options", false;
    /// The file may not go there: its type, its size, or it is empty. Said before a byte is sent.
    FileRejected = "file-rejected", false;
    /// The file on disk is no longer the one that was picked.
    FileChanged = "file-changed", false;
    /// The file can't be read at all.
    FileUnreadable = "file-unreadable", false;
    /// 401.
    Unauthorized = "unauthorized", false;
    /// 403 for another reason than an expired URL.
    Forbidden = "forbidden", false;
    /// 429 to the end, or a wait that the server asked for and that is too long.
    RateLimited = "rate-limited", true;
    /// 413: the server's word.
    TooLarge = "too-large", false;
    /// 415: the server's word.
    UnsupportedType = "unsupported-type", false;
    /// The server refuses the request as it is.
    BadRequest = "bad-request", false;
    /// The parts don't cover the file exactly, or can't be sent as the plan says.
    PlanMismatch = "plan-mismatch", false;
    /// The vendor's upload is gone.
    SessionExpired = "session-expired", true;
    /// The store's URL lapsed and can't be renewed.
    UrlExpired = "url-expired", true;
    /// The store's CORS rule hides the ETag.
    EtagNotExposed = "etag-not-exposed", false;
    /// The store has other bytes than the file.
    IntegrityMismatch = "integrity-mismatch", true;
    /// No answer came.
    Network = "network", true;
    /// No byte moved for too long.
    Stalled = "stalled", true;
    /// The server failed, or said something that makes no sense.
    Server = "server", true;
    /// A call that must not be repeated got no answer: it may have taken effect.
    OutcomeUnknown = "outcome-unknown", false;
    /// The vendor took the bytes and failed to process them.
    ProcessingFailed = "processing-failed", true;
    /// The vendor can't use this file.
    Unprocessable = "unprocessable", false;
    /// The vendor was still processing when the caller's bound passed.
    ProcessingTimeout = "processing-timeout", true;
    /// Another tab or upload has this session.
    AlreadyRunning = "already-running", true;
    /// The key exists, or two wrote at once.
    Conflict = "conflict", false;
    /// A function of the application threw or rejected.
    Application = "application", false;
    /// The caller cancelled.
    Cancelled = "cancelled", false;
    /// A bug, or no memory left.
    Internal = "internal", true;
}

/// What the engine was doing, in the words of the public face.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Before anything is opened: is the file fit, and is it there already?
    Check,
    /// Opening the upload.
    Init,
    /// Resolving a fan's link.
    VerifyFan,
    /// Sending bytes.
    Part,
    /// Putting the parts together.
    Complete,
    /// Handing the stored object over to the vendor's processing.
    Export,
    /// Asking how far the processing is.
    Status,
    /// Nudging a processing that is stuck.
    Retry,
    /// Listing what the server has.
    List,
    /// Telling the server that nothing more comes.
    Abort,
    /// Getting credentials or signed URLs.
    Sign,
}

impl Step {
    /// The step as JavaScript sees it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Step::Check => "check",
            Step::Init => "init",
            Step::VerifyFan => "verify-fan",
            Step::Part => "part",
            Step::Complete => "complete",
            Step::Export => "export",
            Step::Status => "status",
            Step::Retry => "retry",
            Step::List => "list",
            Step::Abort => "abort",
            Step::Sign => "sign",
        }
    }
}

/// Whether another try is worth it. A property of the error: nothing else decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The same request would fail the same way.
    Never,
    /// The same request may succeed, no sooner than the server wished (milliseconds from now).
    Later(Option<u64>),
    /// The session is gone: only a new one can succeed.
    Restart,
}

/// The vendor's own words about a failure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vendor {
    /// Its code.
    pub code: Option<String>,
    /// Its message.
    pub message: Option<String>,
    /// What its support asks for.
    pub request_id: Option<String>,
}

/// The value that an application's function threw, carried to the caller untouched.
#[derive(Clone)]
pub struct Cause(pub Rc<dyn Any>);

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cause(..)")
    }
}

/// What an [`UploadError`] holds.
#[derive(Clone, Debug)]
pub struct Details {
    /// Its name.
    pub code: Code,
    /// What happened, in a sentence. Never a key, a signature or the query of a URL.
    pub message: String,
    /// What to do about it, in a sentence.
    pub hint: Option<String>,
    /// What was being done.
    pub step: Option<Step>,
    /// The HTTP status, where a server answered.
    pub status: Option<u16>,
    /// The part, where it was about one.
    pub part_number: Option<u32>,
    /// The vendor's own words.
    pub vendor: Option<Vendor>,
    /// Whether the engine tries again.
    pub retry: Retry,
    /// Whether the caller may try again.
    pub retryable: bool,
    /// True where the request may have taken effect though no usable answer came.
    pub answer_lost: bool,
    /// True where the request may have waited behind others that hang: its failure tells nothing of its server.
    pub held: bool,
    /// True where the request's URL may have expired, by this machine's clock or by the URL's own span.
    pub url_over: bool,
    /// True where no answer came that the page may read: the connection failed, or the browser kept the answer from the page.
    pub unanswered: bool,
    /// What an application's function threw.
    pub cause: Option<Cause>,
}

/// Why an upload, or one step of it, failed.
///
/// ```
/// use partway::error::{Code, Retry, Step, UploadError};
/// let error = UploadError::new(Code::Network, "The connection was lost.").at(Step::Part).part(3);
/// assert_eq!(error.retry, Retry::Later(None));
/// assert!(error.retryable);
/// ```
#[derive(Clone, Debug)]
pub struct UploadError(Box<Details>);

impl std::ops::Deref for UploadError {
    type Target = Details;
    fn deref(&self) -> &Details {
        &self.0
    }
}

/// Bytes of a message, and of the vendor's words in it, at most: what a server says may be in both, and is for people to read. (A
/// choice: a page of HTML helps nobody.)
const MESSAGE: usize = 1_500;
const WORDS: usize = 500;

/// The text, cut where it is longer.
fn clipped(mut text: String, most: usize) -> String {
    if text.len() > most {
        text.truncate(text.floor_char_boundary(most));
        text.shrink_to_fit();
        text.push('…');
    }
    text
}

impl UploadError {
    /// An error with the retry behaviour that its code has by itself.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self::of(code, message.into())
    }

    fn of(code: Code, message: String) -> Self {
        let retry = match code {
            Code::Network | Code::Stalled | Code::Server | Code::RateLimited | Code::IntegrityMismatch => {
                Retry::Later(None)
            }
            Code::SessionExpired | Code::UrlExpired => Retry::Restart,
            _ => Retry::Never,
        };
        Self(Box::new(Details {
            code,
            message: clipped(message, MESSAGE),
            hint: None,
            step: None,
            status: None,
            part_number: None,
            vendor: None,
            retry,
            retryable: code.retryable(),
            answer_lost: matches!(code, Code::Network | Code::Stalled),
            held: false,
            url_over: false,
            unanswered: false,
            cause: None,
        }))
    }

    /// Says what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Says what was being done, unless that is known already.
    #[must_use]
    #[inline(never)] // It stands in some fifty places.
    pub fn at(mut self, step: Step) -> Self {
        self.0.step.get_or_insert(step);
        self
    }

    /// Says which part it was about.
    #[must_use]
    pub fn part(mut self, number: u32) -> Self {
        self.0.part_number = Some(number);
        self
    }

    /// Carries the HTTP status.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    /// Carries the vendor's own words, each cut after some lines.
    #[must_use]
    pub fn vendor(mut self, vendor: Vendor) -> Self {
        if vendor != Vendor::default() {
            let clip = |words: Option<String>| words.map(|words| clipped(words, WORDS));
            let Vendor { code, message, request_id } = vendor;
            self.0.vendor = Some(Vendor { code: clip(code), message: clip(message), request_id: clip(request_id) });
        }
        self
    }

    /// Overrides whether the engine tries again.
    #[must_use]
    pub fn retry(mut self, retry: Retry) -> Self {
        self.0.retry = retry;
        self
    }

    /// Overrides whether the caller may try again.
    #[must_use]
    pub fn retryable(mut self, retryable: bool) -> Self {
        self.0.retryable = retryable;
        self
    }

    /// Says whether the request may have taken effect.
    #[must_use]
    pub fn answer_lost(mut self, lost: bool) -> Self {
        self.0.answer_lost = lost;
        self
    }

    /// Says whether the request may have waited behind others that hang.
    #[must_use]
    pub fn held(mut self, held: bool) -> Self {
        self.0.held = held;
        self
    }

    /// Says whether the request's URL may have expired.
    #[must_use]
    pub fn url_over(mut self, over: bool) -> Self {
        self.0.url_over = over;
        self
    }

    /// Says that no answer came that the page may read.
    #[must_use]
    pub fn unanswered(mut self) -> Self {
        self.0.unanswered = true;
        self
    }

    /// The same where no answer was lost; else `outcome-unknown`: it was about something that may have taken effect.
    #[must_use]
    pub fn or_unknown(self) -> Self {
        if !self.answer_lost {
            return self;
        }
        let message =
            text!("The upload may have succeeded: no usable answer was received ({}). {}", self.code.as_str(), self.message);
        self.renamed(Code::OutcomeUnknown, message)
            .hint("Check whether the file is at the destination before you upload it again: a second upload may store or bill it twice.")
    }

    /// The same failure as another error: what was being done, the status, the part and the vendor's words stay.
    #[must_use]
    pub fn renamed(mut self, code: Code, message: impl Into<String>) -> Self {
        let mut renamed = Self::new(code, message);
        (renamed.0.step, renamed.0.status, renamed.0.part_number) = (self.step, self.status, self.part_number);
        renamed.0.vendor = self.0.vendor.take();
        renamed
    }

    /// Carries what an application's function threw.
    #[must_use]
    pub fn cause(mut self, cause: Option<Cause>) -> Self {
        self.0.cause = cause;
        self
    }
}

impl fmt::Display for UploadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.message)
    }
}

impl std::error::Error for UploadError {}

/// The result of anything that an upload does.
pub type Result<T> = std::result::Result<T, UploadError>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_and_an_unknown_outcome_is_never_retryable() {
        let mut names: Vec<_> = Code::ALL.iter().map(|code| code.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Code::ALL.len());
        assert!(!Code::OutcomeUnknown.retryable());
    }

    #[test]
    fn what_a_server_says_at_length_is_cut() {
        let long = "é".repeat(1_000_000);
        let words = Vendor { message: Some(long.clone()), ..Vendor::default() };
        let error = UploadError::new(Code::Server, ["x", &long].concat()).vendor(words);
        assert!(error.message.starts_with("xé") && error.message.ends_with("é…") && error.message.len() < 1_600);
        assert!(error.vendor.as_ref().unwrap().message.as_ref().unwrap().len() < 1_100);
        assert_eq!(UploadError::new(Code::Server, "short").message, "short");
    }

    #[test]
    fn the_step_that_is_known_first_stays() {
        let error = UploadError::new(Code::Server, "x").at(Step::Sign).at(Step::Part);
        assert_eq!(error.step, Some(Step::Sign));
    }
}
