//! One upload's surroundings: what its steps share, and the one way in which they call an API or the application.

pub mod backoff;
pub mod integrity;
pub mod line;
pub mod network;
pub mod rate_limit;
pub mod reach;
pub mod reading;
pub mod retry;
pub mod shared;
pub mod watchdog;

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Poll, Waker};

use crate::context::integrity::Known;
use crate::context::rate_limit::RateLimiter;
use crate::context::reach::Contact;
use crate::context::retry::RetryLoop;
use crate::context::shared::SharedState;
use crate::context::watchdog::{ANSWER_MS, Patience};
use crate::engine::store::SessionStore;
use crate::error::{Code, Result, Retry, Step, UploadError};
use crate::http::{ApiRequest, Request, Response};
use crate::json::IdText;
use crate::json::{Decode, Made, Reader};
use crate::model::events::{Event, EventSink, Status};
use crate::model::file::SourceFile;
use crate::model::progress::Meter;
use crate::model::session::Session;
use crate::model::settings::{RetrySettings, Settings};
use crate::platform::{Hook, HookFailure, PageEvent, Platform, Thrown};
use crate::providers::AnyProvider;
use crate::sync::pause::PauseToken;
use crate::sync::semaphore::{Permit, Semaphore};
use crate::sync::timeout::timeout;
use crate::util::hex::hex;
use crate::util::text;
use crate::util::time::parse_http;

/// Whether a call may be made again after its answer was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idempotency {
    /// It changes nothing, or changes it only once.
    Safe,
    /// It may, and isn't worth it: one attempt.
    BestEffort,
    /// It may, and it must not take effect twice: it carries an `Idempotency-Key`, the same for every copy.
    ByKey,
    /// It may not: the error comes back with `answer_lost`. It carries an `Idempotency-Key` too, for the copies that a browser
    /// makes by itself.
    Unsafe,
}

/// A call to a provider's API.
#[derive(Debug)]
pub struct Call<P: Platform> {
    /// What is sent.
    pub request: ApiRequest<P>,
    /// Whether it may be made again.
    pub repeat: Idempotency,
    /// The pace that it keeps.
    pub pace: Option<RateLimiter>,
    /// True where the server may work on it for minutes.
    pub patient: bool,
    /// What an answer that isn't 2xx means.
    pub refuse: fn(&P, &Response) -> UploadError,
}

/// A status that the application learnt elsewhere.
#[derive(Clone, Debug, Default)]
pub struct Notice {
    /// The status, as the vendor names it.
    pub status: String,
    /// The media id, where it is known.
    pub media_id: Option<IdText>,
    /// The upload that it is about, in a webhook's payload.
    pub media_upload_id: Option<IdText>,
    /// The upload that it is about, in a record of the list.
    pub id: Option<IdText>,
}

/// A webhook's payload, the whole of what the webhook sent (Onlymonster, "Webhooks": `{type, payload}`), or a record of the list.
impl Decode for Notice {
    fn read<P: Platform>(&mut self, reader: &mut Reader<'_, P>, json: Option<&P::Json>) {
        let whole = reader.object(json);
        let payload = reader.member(whole, "payload");
        let object = payload.as_ref().or(whole);
        reader.field(object, "status", &mut self.status);
        reader.field(object, "media_id", &mut self.media_id);
        reader.field(object, "media_upload_id", &mut self.media_upload_id);
        reader.field(object, "id", &mut self.id);
    }
}

/// What the steps of one upload share.
pub struct Context<P: Platform> {
    /// What the engine runs on.
    pub platform: P,
    /// The uploader's options.
    pub settings: Rc<Settings>,
    /// The file.
    pub file: SourceFile<P>,
    /// When the upload was asked for.
    pub begun: u64,
    /// Its destination.
    pub provider: AnyProvider<P>,
    /// Where the upload waits.
    pub pause: PauseToken,
    /// Part requests of all uploads.
    pub slots: Semaphore,
    /// The page's paces.
    pub shared: SharedState,
    /// What is kept for a later page.
    pub keeper: SessionStore,
    /// What was opened, for whoever has to give it up.
    pub session: Cell<Option<Rc<Session<P>>>>,
    /// The file's MD5, where a step needed it.
    pub md5: Cell<Option<[u8; 16]>>,
    /// What tells the file from another one under its name, as it was when the upload began.
    pub sample: Cell<[u8; 16]>,
    /// What is known of the store's ETags.
    pub etags: Known,
    admission: Semaphore,
    place: Cell<Option<Permit>>,
    sink: EventSink<P>,
    status: Cell<Status>,
    meter: RefCell<Meter>,
    reported_at: Cell<u64>,
    attempts: Cell<u32>,
    /// Parts that arrived in this page.
    arrived: Cell<u32>,
    /// The servers' clock before this machine's, in milliseconds.
    ahead: Cell<i64>,
    /// A request that must not be sent twice is out whole.
    committed: Cell<bool>,
    /// The application's functions that gave something, as bits.
    worked: Cell<u8>,
    notices: RefCell<Vec<Notice>>,
    listener: Cell<Option<Waker>>,
}

/// Byte progress is told at most so often.
const PROGRESS_MS: u64 = 100;
/// Clocks that differ by less are one: `Date` has whole seconds, and an answer was on its way.
const SKEW_MS: u64 = 30_000;
/// So often a function is called that read something else as JSON and never worked: a gateway's page passes in a second, a wrong
/// address doesn't. (A choice.)
const UNREADABLE_ATTEMPTS: u32 = 3;

impl<P: Platform> Context<P> {
    /// The surroundings of a new upload.
    pub fn new(
        platform: P,
        settings: Rc<Settings>,
        file: SourceFile<P>,
        provider: AnyProvider<P>,
        (slots, admission): (Semaphore, Semaphore),
        shared: SharedState,
        sink: EventSink<P>,
    ) -> Self {
        let begun = platform.now();
        Self {
            meter: RefCell::new(Meter::new(file.size)),
            platform,
            settings,
            file,
            begun,
            provider,
            pause: PauseToken::default(),
            slots,
            shared,
            keeper: SessionStore::default(),
            session: Cell::default(),
            md5: Cell::default(),
            sample: Cell::default(),
            etags: Known::default(),
            admission,
            place: Cell::default(),
            sink,
            status: Cell::new(Status::Queued),
            reported_at: Cell::default(),
            attempts: Cell::default(),
            arrived: Cell::default(),
            ahead: Cell::default(),
            committed: Cell::default(),
            worked: Cell::default(),
            notices: RefCell::default(),
            listener: Cell::default(),
        }
    }

    /// Tells where the upload is, if that is news.
    pub fn status(&self, status: Status) {
        if self.status.replace(status) != status {
            self.emit(Event::Status(status));
        }
    }

    /// Where the upload is.
    pub(super) fn status_now(&self) -> Status {
        self.status.get()
    }

    /// Tells anything.
    pub fn emit(&self, event: Event<P>) {
        (self.sink)(event);
    }

    /// Waits for a place among the uploads that are at work.
    pub async fn acquire_seat(&self) {
        let place = self.admission.acquire().await;
        self.place.set(Some(place));
    }

    /// Gives the place up: what remains needs no bandwidth.
    pub fn release_seat(&self) {
        drop(self.place.take());
    }

    /// Waits while the upload is paused; others may work in its place.
    pub async fn wait_while_paused(&self) {
        if !self.pause.is_paused() {
            return;
        }
        let before = self.status.get();
        let place = self.place.take();
        let admitted = place.is_some();
        self.status(Status::Paused);
        drop(place);
        while self.pause.is_paused() {
            self.pause.open().await;
            if admitted {
                self.acquire_seat().await;
                if self.pause.is_paused() {
                    self.release_seat();
                }
            }
        }
        self.status(before);
    }

    /// Waits, and says so where a server wished it and nothing else is on its way. A wait of the engine's own is over as soon as
    /// something tells that the network is there, or the upload is paused.
    pub async fn wait(&self, ms: u64, wished: bool) {
        let before = self.status.get();
        if wished && ms >= 1_000 && self.is_idle() {
            self.status(Status::Waiting);
        }
        let (mut clock, mut paused) = (self.platform.sleep(ms), pin!(self.pause.paused()));
        let mut next_page_event = self.platform.next_page_event();
        poll_fn(|context| {
            if clock.as_mut().poll(context).is_ready() {
                return Poll::Ready(());
            }
            if wished {
                return Poll::Pending;
            }
            if paused.as_mut().poll(context).is_ready() {
                return Poll::Ready(());
            }
            while let Poll::Ready(stir) = next_page_event.as_mut().poll(context) {
                if stir == PageEvent::Online {
                    return Poll::Ready(());
                }
                next_page_event = self.platform.next_page_event();
            }
            Poll::Pending
        })
        .await;
        if wished {
            self.waited(before);
        }
    }

    /// Parts wait side by side: the first one that goes on ends the wait.
    pub(super) fn waited(&self, before: Status) {
        if self.status.get() == Status::Waiting {
            self.status(if before == Status::Waiting { Status::Sending } else { before });
        }
    }

    /// True while a request that must not be sent twice has gone out whole, and its answer is due.
    pub fn is_committed(&self) -> bool {
        self.committed.get()
    }

    /// Says whether that is so.
    pub fn commit(&self, committed: bool) {
        self.committed.set(committed);
    }

    /// True where no part is on its way.
    pub fn is_idle(&self) -> bool {
        self.meter.borrow().is_idle()
    }

    /// Counts a part request.
    pub fn count_attempt(&self) {
        self.attempts.set(self.attempts.get() + 1);
    }

    /// Counts a part that arrived.
    pub fn count_arrival(&self) {
        self.arrived.set(self.arrived.get() + 1);
        self.slots.went_well();
    }

    /// Parts that arrived in this page.
    pub fn arrived(&self) -> u32 {
        self.arrived.get()
    }

    /// The time by the servers' clock, as far as their answers let it be known.
    pub fn server_now(&self) -> u64 {
        self.platform.now().saturating_add_signed(self.ahead.get())
    }

    /// True where that moment of the servers' clock has passed. One that had passed before `begun_at`, by a clock that nobody
    /// corrects, only tells that the clock is off.
    pub fn is_past(&self, at: u64, begun_at: u64) -> bool {
        at <= self.server_now() && (self.ahead.get() != 0 || at > begun_at)
    }

    /// Part requests so far.
    pub fn attempts(&self) -> u32 {
        self.attempts.get()
    }

    /// Changes the meter, and tells of it: at once, or at most every 100 ms.
    pub fn measure(&self, at_once: bool, change: impl FnOnce(&mut Meter, u64)) {
        let now = self.platform.now();
        change(&mut self.meter.borrow_mut(), now);
        if at_once || now.saturating_sub(self.reported_at.get()) >= PROGRESS_MS {
            self.report(now);
        }
    }

    fn report(&self, now: u64) {
        self.reported_at.set(now);
        let progress = self.meter.borrow_mut().progress(now);
        self.emit(Event::Progress(progress));
    }

    /// Sends a request once: not before its store may be asked again, under the watch of a clock, and learns from the answer.
    /// `patient` grants the server minutes for it, `stalls` how often it was given up before; `on_bytes` hears of the bytes that have
    /// gone out.
    ///
    /// # Errors
    /// Those of [`watchdog::send`].
    pub fn send<'a>(
        &'a self,
        request: Request<P>,
        patient: bool,
        stalls: u32,
        on_bytes: impl FnMut(u64) + 'a,
    ) -> impl Future<Output = Result<Response>> + 'a {
        let patience = Patience { stall_ms: self.settings.stall_ms, patient, stalls };
        self.send_telling(request, patience, Box::new(on_bytes))
    }

    async fn send_telling(
        &self,
        request: Request<P>,
        patience: Patience,
        mut on_bytes: Box<dyn FnMut(u64) + '_>,
    ) -> Result<Response> {
        let contact = Contact::of(self, &request);
        let throttle = match &request {
            Request::Store(request) => Some(self.shared.backoffs.of(&request.url().origin)),
            Request::Api(_) => None,
        };
        let size = request.body().file_len();
        let started = loop {
            let now = self.platform.now();
            let held = contact.as_ref().map_or(0, |contact| contact.wait(self, now));
            let wait = throttle.as_ref().map_or(0, |throttle| throttle.wait(now)).max(held);
            if wait == 0 {
                break now;
            }
            self.platform.sleep(wait).await;
        };
        let offline = !self.platform.online();
        let sent = Cell::new(0);
        let on_bytes = Box::new(|bytes| {
            sent.set(bytes);
            on_bytes(bytes);
        });
        let mut watch = watchdog::send(&self.platform, request, patience, &self.shared.line, on_bytes);
        let answer = (&mut watch).await;
        if watch.found_slow() {
            self.slots.ease_off();
        }
        drop(watch);
        let answer = answer.map_err(|error| {
            let held = size == 0 && error.code == Code::Stalled && self.shared.line.stood_still(started);
            error.held(held)
        });
        let response = match contact {
            Some(contact) => contact.learn(self, answer, started, sent.get() > 0).await?,
            None => answer?,
        };
        let now = self.platform.now();
        if offline && !self.platform.online() {
            self.shared.connectivity.refute();
        }
        // An answer that was long on its way, or came before the machine slept, tells of another time.
        if now.saturating_sub(started) <= SKEW_MS
            && let Some(theirs) = response.header("date").and_then(parse_http)
        {
            self.ahead.set(if theirs.abs_diff(now) > SKEW_MS { theirs as i64 - now as i64 } else { 0 });
        }
        if size > 0 {
            self.slots.cap(self.shared.line.fits(size));
        }
        if throttle.is_some_and(|throttle| throttle.learn(&response, now)) {
            self.slots.ease_off();
        }
        Ok(response)
    }

    /// Calls a provider's API, again and again as far as that is right.
    ///
    /// # Errors
    /// The last attempt's; with `answer_lost` where the call may have taken effect.
    pub async fn call(&self, call: Call<P>) -> Result<Response> {
        let step = call.request.step;
        let mut key = None;
        let mut retries = RetryLoop::default();
        let mut unsure = false;
        loop {
            self.wait_while_paused().await;
            let mut request = call.request.clone();
            if matches!(call.repeat, Idempotency::ByKey | Idempotency::Unsafe) && self.sends_keys(&request.url) {
                let key = key.get_or_insert_with(|| self.random_id()).clone();
                request.headers.push(("idempotency-key", key));
            }
            let turn = match &call.pace {
                Some(pace) => Some(pace.turn(&self.platform).await),
                None => None,
            };
            let answer = self.send(Request::Api(request), call.patient, retries.stalls(), |_| ()).await;
            drop(turn);
            let error = match answer {
                Ok(response) => {
                    if let Some(pace) = &call.pace {
                        pace.learn(&response, self.platform.now());
                    }
                    if response.ok() {
                        return Ok(response);
                    }
                    // An answer came: a copy would be a new call.
                    key = None;
                    (call.refuse)(&self.platform, &response).at(step)
                }
                Err(error) => error,
            };
            // A refusal after a lost answer may only say that the first call had worked.
            unsure |= error.answer_lost;
            let error = error.answer_lost(unsure);
            if call.repeat == Idempotency::BestEffort || (call.repeat == Idempotency::Unsafe && error.answer_lost) {
                return Err(error);
            }
            retries.backoff(self, error, &self.settings.retry).await?;
        }
    }

    /// True where a call to that URL carries an `Idempotency-Key`: as told, else where the page's own server gets it, since a
    /// foreign one's CORS rule would have to allow the header.
    pub fn sends_keys(&self, url: &str) -> bool {
        self.settings
            .idempotency_keys
            .unwrap_or_else(|| self.platform.resolve(url).is_some_and(|url| url.origin == self.platform.origin()))
    }

    /// 128 random bits.
    pub fn random_id(&self) -> String {
        let mut bits = [0; 16];
        for four in bits.chunks_exact_mut(4) {
            four.copy_from_slice(&((self.platform.random() * 4_294_967_296.0) as u32).to_be_bytes());
        }
        hex(&bits)
    }

    /// The file, as an application's function sees it.
    pub fn file_info(&self, content_type: &str) -> P::Json {
        self.platform.encode(&Made::Object(vec![
            ("name", (&self.file.name).into()),
            ("size", self.file.size.into()),
            ("type", content_type.into()),
        ]))
    }

    /// Calls a function of the application; again, where that is right. One that gives nothing for too long is given up: after
    /// `stallMs`, and the time of what is on the line, where it may be called again, else after minutes.
    ///
    /// # Errors
    /// `application` with what it threw as the cause; `stalled`.
    pub async fn hook(&self, hook: Hook, arguments: Vec<P::Json>, step: Step, repeat: Idempotency) -> Result<P::Json> {
        let mut retries = RetryLoop::default();
        let freely = repeat == Idempotency::Safe;
        let stall_ms = self.settings.stall_ms;
        let mut unreadable = false;
        loop {
            self.wait_while_paused().await;
            // It will ask its own server: where there is no network it isn't called in vain.
            if hook != Hook::Key && self.wait_for_network(true).await && self.pause.is_paused() {
                continue;
            }
            let deadline = if freely { self.call_ms() } else { stall_ms.max(ANSWER_MS) };
            let (mut answer, mut clock) = (self.platform.call(hook, arguments.clone()), self.platform.sleep(deadline));
            let error = match timeout(answer.as_mut(), clock.as_mut()).await {
                Some(Ok(value)) => {
                    self.worked.set(self.worked.get() | 1 << hook as u8);
                    return Ok(value);
                }
                Some(Err(failure)) => {
                    unreadable |= failure.kind == Thrown::NotJson;
                    failed(hook, failure, freely)
                }
                None => UploadError::new(
                    Code::Stalled,
                    text!("The application's `{}` gave nothing for {} seconds.", hook.as_str(), (deadline / 1000)),
                )
                .hint("Let it reject when its server doesn't answer."),
            }
            .at(step);
            drop((answer, clock));
            let error = if freely { error } else { error.retry(Retry::Never) };
            // Its attempts are used up here: whoever asked must not multiply them.
            let retry = match self.settings.retry {
                retry if unreadable && !self.worked(hook) => {
                    RetrySettings { attempts: retry.attempts.min(UNREADABLE_ATTEMPTS), ..retry }
                }
                retry => retry,
            };
            let again = retries.backoff(self, error, &retry).await;
            again.map_err(|error| error.retry(Retry::Never))?;
        }
    }

    /// True where a function of the application has worked before. Credentials are shared: parts can't go without them.
    fn worked(&self, hook: Hook) -> bool {
        self.worked.get() & 1 << hook as u8 != 0 || (hook == Hook::Credentials && self.attempts() > 0)
    }

    /// Milliseconds that a function of the application may take: its request shares the line with all that is on it.
    pub fn call_ms(&self) -> u64 {
        self.settings.stall_ms.saturating_add(self.shared.line.drain_ms())
    }

    /// Takes a status that the application learnt elsewhere.
    pub fn notify(&self, notice: Notice) {
        self.notices.borrow_mut().push(notice);
        let listener = self.listener.take();
        if let Some(waker) = listener {
            waker.wake();
        }
    }

    /// The next status that the application brings.
    pub fn notice(&self) -> impl Future<Output = Notice> {
        poll_fn(move |context| {
            let mut notices = self.notices.borrow_mut();
            if notices.is_empty() {
                self.listener.set(Some(context.waker().clone()));
                return Poll::Pending;
            }
            Poll::Ready(notices.remove(0))
        })
    }
}

/// What a function of the application threw, as the error of its upload. `freely` where it may be called again.
fn failed(hook: Hook, failure: HookFailure, freely: bool) -> UploadError {
    let (what, hint) = match failure.kind {
        Thrown::NotJson => (
            "The application's `{}` read something as JSON that is none, most likely an HTML page: {}",
            "Check the URL that it asks, and `response.ok` before `response.json()`.",
        ),
        Thrown::Mistake => ("The application's `{}` has a mistake: {}", "`cause` has what it threw."),
        Thrown::Anything => ("The application's `{}` failed: {}", "`cause` has what it threw."),
    };
    let again = failure.upload_error.unwrap_or(freely && failure.kind != Thrown::Mistake);
    UploadError::new(Code::Application, text::fill(what, &[&hook.as_str(), &failure.message]))
        .hint(hint)
        .retryable(failure.upload_error.unwrap_or(false))
        .retry(if again { Retry::Later(None) } else { Retry::Never })
        .cause(failure.cause)
}
