//! Why an upload failed, as one type: a code, what happened, what to do about it, and whether to try again.

use std::any::Any;
use std::fmt;
use std::rc::Rc;

/// Each code: its text in JavaScript, whether the caller may try again, and what it means, in the words of the table in
/// `pkg/README.md`.
macro_rules! codes {
    ($($name:ident = $text:literal, $retryable:literal, $meaning:literal;)*) => {
        /// Why an upload ended without its result.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $(#[doc = $meaning] $name,)* }

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

            /// Whether the same upload may succeed later.
            pub const fn retryable(self) -> bool {
                match self { $(Code::$name => $retryable,)* }
            }

            /// What the code means, in a sentence, as the documentation's table says it.
            ///
            /// ```
            /// assert_eq!(partway::error::Code::Forbidden.meaning(), "The server answered 403.");
            /// ```
            pub const fn meaning(self) -> &'static str {
                match self { $(Code::$name => $meaning,)* }
            }
        }
    };
}

codes! {
    InvalidOptions = "invalid-options", false, "An option is wrong; `new Uploader` throws it, or `done` rejects with it.";
    FileRejected = "file-rejected", false, "The file's type or size isn't accepted, or it is empty (only `s3` and `form` take empty files); no byte was sent.";
    FileChanged = "file-changed", false, "The file on disk has changed, or `resume()` got another one.";
    FileUnreadable = "file-unreadable", false, "The file can't be read, or reading it doesn't end (a cloud drive, a network share).";
    Unauthorized = "unauthorized", false, "The server answered 401, or the credentials have expired and no new ones came.";
    Forbidden = "forbidden", false, "The server answered 403.";
    RateLimited = "rate-limited", true, "The server asked to slow down, for longer than is worth waiting.";
    TooLarge = "too-large", false, "The server answered 413.";
    UnsupportedType = "unsupported-type", false, "The server answered 415.";
    BadRequest = "bad-request", false, "The server doesn't accept the request.";
    PlanMismatch = "plan-mismatch", false, "The plan's parts aren't the file, or its URLs can't be sent to.";
    SessionExpired = "session-expired", true, "The destination no longer knows the upload.";
    UrlExpired = "url-expired", true, "A presigned URL expired, and there is no other.";
    EtagNotExposed = "etag-not-exposed", false, "The bucket's CORS rule hides the ETag; `hint` is the rule to paste.";
    IntegrityMismatch = "integrity-mismatch", true, "The store has other bytes than were sent.";
    Network = "network", true, "No answer came, or something between answered in the destination's place.";
    Stalled = "stalled", true, "Nothing moved, in every attempt.";
    Server = "server", true, "The server failed, or its answer makes no sense.";
    OutcomeUnknown = "outcome-unknown", false, "A call that must not be repeated may have taken effect.";
    ProcessingFailed = "processing-failed", true, "The vendor has the bytes and couldn't process them.";
    Unprocessable = "unprocessable", false, "The vendor can't use this file.";
    ProcessingTimeout = "processing-timeout", true, "The vendor was still processing after `pollTimeoutMs`.";
    AlreadyRunning = "already-running", true, "`resume()` or `discard()` of an upload that runs, here or in another tab.";
    Conflict = "conflict", false, "The key exists (412), or two clients wrote at once (409).";
    Application = "application", false, "A function of yours threw; `cause` is what it threw.";
    Cancelled = "cancelled", false, "You cancelled the upload, or closed the Uploader.";
    Internal = "internal", true, "A fault of Partway's, no memory left, or an environment that can't upload.";
}

/// What the engine was doing, in the words of the public face.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Checking the file before the upload is opened, and whether the destination already has it.
    Check,
    /// Opening the upload.
    Init,
    /// Resolving a fan's link.
    VerifyFan,
    /// Sending bytes.
    Part,
    /// Completing the upload: the destination assembles the parts.
    Complete,
    /// Passing the stored object to the vendor's processing.
    Export,
    /// Polling the vendor's processing.
    Status,
    /// Restarting a processing that is stuck.
    Retry,
    /// Listing what the destination has.
    List,
    /// Aborting the upload at the destination.
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

/// Whether the engine tries again. It is a property of the error: nothing else decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The same request would fail the same way.
    Never,
    /// The same request may succeed, no sooner than the server asked for (milliseconds from now).
    Later(Option<u64>),
    /// The session is lost: only a new one can succeed.
    Restart,
}

/// What the vendor says about a failure.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vendor {
    /// The vendor's code.
    pub code: Option<String>,
    /// The vendor's message.
    pub message: Option<String>,
    /// The request id that the vendor's support asks for.
    pub request_id: Option<String>,
}

/// The value that an application's function threw, passed to the caller unchanged.
#[derive(Clone)]
pub struct Cause(pub Rc<dyn Any>);

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cause(..)")
    }
}

/// The fields of an [`UploadError`].
#[derive(Clone, Debug)]
pub struct Details {
    /// The code.
    pub code: Code,
    /// What happened, in a sentence. Never a key, a signature or the query of a URL.
    pub message: String,
    /// What to do about it, in a sentence.
    pub hint: Option<String>,
    /// The step that failed.
    pub step: Option<Step>,
    /// The HTTP status, if the server answered.
    pub status: Option<u16>,
    /// The number of the part, if it was about one.
    pub part_number: Option<u32>,
    /// What the vendor says.
    pub vendor: Option<Vendor>,
    /// Whether the engine tries again.
    pub retry: Retry,
    /// Whether the caller may try again.
    pub retryable: bool,
    /// Whether the request may have taken effect although no usable answer was received.
    pub answer_lost: bool,
    /// Whether the request may have been queued behind others that stalled: its failure then says nothing about its server.
    pub queued_behind_stalled: bool,
    /// Whether the request's URL may have expired, by this machine's clock or by the URL's own lifetime.
    pub url_may_be_expired: bool,
    /// Whether no readable answer was received: the connection failed, or the browser kept the answer from the page.
    pub no_readable_answer: bool,
    /// What the application's function threw.
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

/// The most bytes of a message, and of each text of the vendor's: a server's reply may be in both, and people read them. (A choice: a
/// page of HTML helps nobody.)
const MAX_MESSAGE: usize = 1_500;
const MAX_VENDOR_TEXT: usize = 500;

/// Truncates a text to `max` bytes.
fn truncated(mut text: String, max: usize) -> String {
    if text.len() > max {
        text.truncate(text.floor_char_boundary(max));
        text.shrink_to_fit();
        text.push('…');
    }
    text
}

impl UploadError {
    /// Creates an error with the default retry behaviour of its code.
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
            message: truncated(message, MAX_MESSAGE),
            hint: None,
            step: None,
            status: None,
            part_number: None,
            vendor: None,
            retry,
            retryable: code.retryable(),
            answer_lost: matches!(code, Code::Network | Code::Stalled),
            queued_behind_stalled: false,
            url_may_be_expired: false,
            no_readable_answer: false,
            cause: None,
        }))
    }

    /// Sets the hint: what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Adds a sentence to the message.
    #[must_use]
    pub(crate) fn adding(mut self, sentence: &str) -> Self {
        self.0.message.push_str(sentence);
        self
    }

    /// Sets the step, unless it is set already.
    #[must_use]
    #[inline(never)] // It has some fifty callers.
    pub fn at(mut self, step: Step) -> Self {
        self.0.step.get_or_insert(step);
        self
    }

    /// Sets the part's number.
    #[must_use]
    pub fn part(mut self, number: u32) -> Self {
        self.0.part_number = Some(number);
        self
    }

    /// Sets the HTTP status.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.0.status = Some(status);
        self
    }

    /// Sets what the vendor says, each text truncated to a few lines.
    #[must_use]
    pub fn vendor(mut self, vendor: Vendor) -> Self {
        if vendor != Vendor::default() {
            let clip = |text: Option<String>| text.map(|text| truncated(text, MAX_VENDOR_TEXT));
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

    /// Sets whether the request may have taken effect.
    #[must_use]
    pub fn answer_lost(mut self, lost: bool) -> Self {
        self.0.answer_lost = lost;
        self
    }

    /// Whether another host may take what this one refused.
    pub fn concerns_host(&self) -> bool {
        self.retry == Retry::Never && matches!(self.code, Code::Network | Code::Forbidden)
    }

    /// Sets whether the request may have been queued behind others that stalled.
    #[must_use]
    pub fn queued_behind_stalled(mut self, queued: bool) -> Self {
        self.0.queued_behind_stalled = queued;
        self
    }

    /// Sets whether the request's URL may have expired.
    #[must_use]
    pub fn url_may_be_expired(mut self, expired: bool) -> Self {
        self.0.url_may_be_expired = expired;
        self
    }

    /// Sets that no readable answer was received.
    #[must_use]
    pub fn no_readable_answer(mut self) -> Self {
        self.0.no_readable_answer = true;
        self
    }

    /// Returns `outcome-unknown` if the request may have taken effect, else the error unchanged.
    #[must_use]
    pub fn or_unknown(self) -> Self {
        if !self.answer_lost {
            return self;
        }
        let message = text!(
            "The upload may have succeeded: no usable answer was received ({}). {}",
            self.code.as_str(),
            self.message
        );
        self.unknown(message)
    }

    /// Replaces code and message: the upload may have taken effect.
    pub(crate) fn unknown(self, message: String) -> Self {
        self.renamed(Code::OutcomeUnknown, message)
            .hint("Check whether the file is at the destination before you upload it again: a second upload may store or bill it twice.")
    }

    /// Replaces code and message; the step, the status, the part and what the vendor says are kept.
    #[must_use]
    pub fn renamed(mut self, code: Code, message: impl Into<String>) -> Self {
        let mut renamed = Self::new(code, message);
        (renamed.0.step, renamed.0.status, renamed.0.part_number) = (self.step, self.status, self.part_number);
        renamed.0.vendor = self.0.vendor.take();
        renamed
    }

    /// Sets what the application's function threw.
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
pub type Result<T, E = UploadError> = std::result::Result<T, E>;

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
    fn long_texts_of_a_server_are_truncated() {
        let long = "é".repeat(1_000_000);
        let vendor = Vendor { message: Some(long.clone()), ..Vendor::default() };
        let error = UploadError::new(Code::Server, ["x", &long].concat()).vendor(vendor);
        assert!(error.message.starts_with("xé") && error.message.ends_with("é…") && error.message.len() < 1_600);
        assert!(error.vendor.as_ref().unwrap().message.as_ref().unwrap().len() < 1_100);
        assert_eq!(UploadError::new(Code::Server, "short").message, "short");
    }

    #[test]
    fn the_first_step_is_kept() {
        let error = UploadError::new(Code::Server, "x").at(Step::Sign).at(Step::Part);
        assert_eq!(error.step, Some(Step::Sign));
    }
}
