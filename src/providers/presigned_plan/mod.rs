//! A plan that the application's own server makes: any vendor, any presigner. The page sends the bytes and keeps no key.

mod given;
mod urls;

use std::cell::{Cell, RefCell};
use std::marker::PhantomData;
use std::pin::pin;
use std::rc::Rc;

use futures::FutureExt;

use self::given::{Given, Have, Manner, Signed};
use self::urls::{Target, Urls};
use super::shared::listed::{Listed, reconcile};
use super::shared::store;
use super::{Setup, in_doubt};
use crate::context::{Context, Idempotency};
use crate::engine::record::Resumed;
use crate::error::{Code, Result, Retry, Step, UploadError};
use crate::http::{Body, Request, Response, StoreRequest, Url};
use crate::json::IdText;
use crate::json::{self, Decode, Fill, Made};
use crate::model::events::Outcome;
use crate::model::plan::{Part, Plan};
use crate::model::session::{Phase, Session};
use crate::platform::{Hook, Platform};
use crate::provider::{Provider, Receipt};
use crate::sync::semaphore::Semaphore;
use crate::sync::timeout::timeout;
use crate::util::text;

/// How long the application is given to hear that its plan won't be used.
const GIVE_UP_MS: u64 = 10_000;

/// The dialect of the application's own functions.
///
/// Of a [`Session`] it uses `given`, the plan as it came, and `multipart`, `upload_id`, `key` and `expires_at`.
#[derive(Debug)]
pub struct PlanProvider<P: Platform> {
    signs: bool,
    state: RefCell<Rc<State>>,
    /// `list` failed for a plan that was kept, so the plan may be gone.
    unlisted: Cell<bool>,
    platform: PhantomData<P>,
}

/// What is known of one plan.
#[derive(Debug)]
struct State {
    manner: Manner,
    urls: RefCell<Urls>,
    /// One call to `sign` at a time; whoever waits finds what it brought.
    turn: Semaphore,
}

impl State {
    fn new(manner: Manner) -> Self {
        Self { manner, urls: RefCell::default(), turn: Semaphore::new(1) }
    }
}

impl<P: Platform> PlanProvider<P> {
    /// The provider with the caller's functions.
    ///
    /// # Errors
    /// `invalid-options` without `open`.
    pub fn new(_options: &P::Json, setup: &Setup<'_, P>) -> Result<Self> {
        if !setup.platform.has(Hook::Open) {
            return Err(UploadError::new(Code::InvalidOptions, "`open` is missing.")
                .hint("Give a function that gets the plan for a file from your server."));
        }
        Ok(Self {
            signs: setup.platform.has(Hook::SignParts),
            state: RefCell::new(Rc::new(State::new(Manner::default()))),
            unlisted: Cell::default(),
            platform: PhantomData,
        })
    }

    /// Tells the application that the plan it made can't be used, if it wants to hear that.
    async fn give_up(&self, cx: &Context<P>, plan: P::Json) {
        if cx.platform.has(Hook::Abort) {
            // What comes of it changes nothing here, and nobody waits for long.
            let telling = pin!(cx.hook(Hook::Abort, vec![plan], Step::Abort, Idempotency::Unsafe));
            let _ = timeout(telling, cx.platform.sleep(GIVE_UP_MS).as_mut()).await;
        }
    }

    /// Checks the plan that the application made.
    fn take_over(&self, cx: &Context<P>, json: P::Json) -> Result<Session<P>> {
        let bad = |why: &str, hint: &str| UploadError::new(Code::PlanMismatch, why).at(Step::Init).hint(hint);
        let mut given = Given::default();
        json::fill(&cx.platform, Some(&json), &mut given).map_err(|why| {
            bad(&text::concat(&["`open` gave no plan: ", &why]), "The type UploadPlan names its members.")
        })?;
        let (plan, manner) = given
            .checked(cx.file.size, cx.platform.has(Hook::Complete))
            .map_err(|why| bad(&why, "The parts must cover the file exactly; `byteRange.end` is the last byte's."))?;
        let state = Rc::new(State::new(manner));
        self.learn_plan(cx, &state, &plan)?;
        let expires_at = state.manner.expires_at;
        self.state.replace(state);
        let mut session = Session::new(plan, given.upload_id.is_some());
        session.upload_id = given.upload_id;
        session.key = given.key;
        session.expires_at = expires_at;
        session.given = Some(json);
        Ok(session)
    }

    /// Takes over the plan's own URLs, each of them tried for whether it can be sent to.
    fn learn_plan(&self, cx: &Context<P>, state: &State, plan: &Plan) -> Result<()> {
        let now = cx.platform.now();
        for part in plan.parts() {
            let Some(text) = &part.url else {
                if self.signs {
                    continue;
                }
                return Err(UploadError::new(
                    Code::InvalidOptions,
                    "A part has no `uploadUrl`, and there is no `sign`.",
                )
                .at(Step::Init)
                .part(part.number)
                .hint("Give a URL for every part, or `sign`, which is asked for them."));
            };
            let url = resolve(&cx.platform, text, part.number)?;
            state.urls.borrow_mut().learn(part.number, url, None, state.manner.expires_at, now);
            self.request(cx, state, part).map_err(|error| error.part(part.number))?;
        }
        Ok(())
    }

    /// The request for a part whose address is known.
    fn request(&self, cx: &Context<P>, state: &State, part: &Part) -> Result<StoreRequest<P>> {
        let urls = state.urls.borrow();
        let Some(Target { url, headers, .. }) = urls.known(part.number) else {
            return Err(mismatch("The part has no address."));
        };
        let headers = headers.as_ref().unwrap_or(&state.manner.headers).clone();
        // Sent only where the URL signed the type and nobody named another.
        let body = Body::File(cx.file.body(part.range, Some(cx.file.known_type())));
        StoreRequest::new(&cx.platform.origin(), Step::Part, state.manner.method, url.clone(), headers, body)
    }

    /// Sees to it that a part has a good address.
    async fn signed(&self, cx: &Context<P>, session: &Session<P>, state: &State, number: u32) -> Result<()> {
        let good = || state.urls.borrow().is_good(number, cx.platform.now());
        if good() || !self.signs {
            return Ok(());
        }
        let _turn = state.turn.acquire().await;
        if good() {
            return Ok(());
        }
        let mut asked = state.urls.borrow().batch(&session.plan, Some(number), cx.platform.now());
        while !asked.is_empty() {
            let arguments = sign_arguments(&cx.platform, session, &asked);
            let json = cx.hook(Hook::SignParts, arguments, Step::Sign, Idempotency::Safe).await.map_err(|error| {
                // Neither function knows the plan: it is taken for gone.
                if self.unlisted.get() && error.code == Code::Application { error.retry(Retry::Restart) } else { error }
            })?;
            asked = learn_signed(&cx.platform, state, &json, &asked)?;
        }
        Ok(())
    }

    /// Asks for the next addresses while the present ones are sent to. What fails here is asked for when it is needed.
    fn sign_ahead(&self, cx: &Context<P>, session: &Session<P>, state: &Rc<State>) {
        let platform = &cx.platform;
        if !self.signs {
            return;
        }
        let asked = state.urls.borrow().ahead(&session.plan, platform.now());
        if asked.is_empty() {
            return;
        }
        let Some(turn) = state.turn.acquire().now_or_never() else { return };
        let mut answer = platform.call(Hook::SignParts, sign_arguments(platform, session, &asked));
        let mut deadline = platform.sleep(cx.call_ms());
        let (own, state) = (platform.clone(), Rc::downgrade(state));
        platform.spawn(
            async move {
                // One that never answers must not keep others from asking.
                let answer = timeout(answer.as_mut(), deadline.as_mut()).await;
                if let (Some(Ok(json)), Some(state)) = (answer, state.upgrade()) {
                    let _ = learn_signed(&own, &state, &json, &asked);
                }
                drop(turn);
            }
            .boxed_local(),
        );
    }

    fn state(&self) -> Rc<State> {
        self.state.borrow().clone()
    }
}

fn mismatch(message: impl Into<String>) -> UploadError {
    UploadError::new(Code::PlanMismatch, message).at(Step::Sign)
}

fn resolve<P: Platform>(platform: &P, text: &str, number: u32) -> Result<Url> {
    // Without a scheme it would be a path of the page's own server.
    let absolute = platform.resolve(text).filter(|_| text::contains(text, "://"));
    absolute.ok_or_else(|| {
        mismatch("An `uploadUrl` is no address.")
            .part(number)
            .hint("Give absolute https URLs, as the presigner made them.")
    })
}

/// What a function of the application is given: the plan as it came, and a list.
fn arguments<P: Platform>(platform: &P, session: &Session<P>, list: Vec<Made<'_>>) -> Vec<P::Json> {
    let mut arguments: Vec<P::Json> = session.given.iter().cloned().collect();
    arguments.push(platform.encode(&Made::List(list)));
    arguments
}

fn sign_arguments<P: Platform>(platform: &P, session: &Session<P>, numbers: &[u32]) -> Vec<P::Json> {
    arguments(platform, session, numbers.iter().map(|number| (*number).into()).collect())
}

/// Takes over what `sign` gave for the parts that were asked for; gives the numbers of those that it left out.
///
/// # Errors
/// `plan-mismatch` for what is no list of addresses, and for a part that was left out before.
fn learn_signed<P: Platform>(platform: &P, state: &State, json: &P::Json, asked: &[u32]) -> Result<Vec<u32>> {
    let mut signed: Vec<Signed> = Vec::new();
    json::fill(platform, Some(json), &mut signed).map_err(|why| {
        mismatch(text::concat(&["`sign` gave what is no list of addresses: ", &why]))
            .hint("Let it give [{ partNumber, uploadUrl, headers? }].")
    })?;
    let now = platform.now();
    let mut missing = asked.to_vec();
    for part in signed {
        if asked.contains(&part.part_number) {
            let url = resolve(platform, &part.upload_url, part.part_number)?;
            let headers = part.headers.map(|headers| headers.0);
            state.urls.borrow_mut().learn(part.part_number, url, headers, None, now);
            missing.retain(|number| *number != part.part_number);
        }
    }
    for number in &missing {
        if state.urls.borrow_mut().leave_out(*number) {
            return Err(mismatch("`sign` left the part out, and again when it was asked for once more.")
                .part(*number)
                .hint("Let it give { partNumber, uploadUrl } for every number that it is asked for."));
        }
    }
    Ok(missing)
}

/// A member of what `complete` gave; one of another type is reported and left out, since the file is stored by now.
fn member<P: Platform, T: Decode>(platform: &P, object: &P::Json, name: &str) -> Option<T> {
    let mut member = T::default();
    fits(platform, object, name, &mut member).then_some(member)
}

fn fits<P: Platform>(platform: &P, object: &P::Json, name: &str, member: &mut dyn Fill<P>) -> bool {
    let Some(value) = platform.member(object, name) else { return false };
    match json::fill(platform, Some(&value), member) {
        Ok(()) => true,
        Err(why) => {
            platform.warn(&text::concat(&["What `complete` gave as `", name, "` is left out: ", &why]));
            false
        }
    }
}

impl<P: Platform> Provider<P> for PlanProvider<P> {
    fn can_renew(&self) -> bool {
        self.signs
    }

    async fn open(&self, cx: &Context<P>) -> Result<Session<P>> {
        self.unlisted.set(false);
        let info = cx.file_info(cx.file.known_type());
        let json = cx.hook(Hook::Open, vec![info], Step::Init, Idempotency::Unsafe).await?;
        let session = self.take_over(cx, json.clone());
        if session.is_err() {
            self.give_up(cx, json).await;
        }
        session
    }

    async fn part_request(
        &self,
        cx: &Context<P>,
        session: &Session<P>,
        part: &Part,
        renew: bool,
    ) -> Result<Request<P>> {
        let state = self.state();
        if renew && self.signs {
            state.urls.borrow_mut().forget(part.number);
        }
        self.signed(cx, session, &state, part.number).await?;
        state.urls.borrow_mut().take(part.number);
        self.sign_ahead(cx, session, &state);
        self.request(cx, &state, part).map(Request::Store)
    }

    fn receipt(&self, cx: &Context<P>, _session: &Session<P>, part: &Part, response: &Response) -> Result<Receipt<P>> {
        store::receipt(&cx.platform, part, response, self.state().manner.etags_required)
    }

    fn keeps_urls(&self) -> bool {
        !self.signs
    }

    async fn restore(&self, cx: &Context<P>, resumed: &mut Resumed<P>) -> Result<()> {
        let in_doubt = || in_doubt(Step::Complete, "The page was left while the file was put together.");
        let gone = |why: &str| Err(UploadError::new(Code::SessionExpired, why).at(Step::List));
        let Some(given) = resumed.session.given.clone() else { return gone("The plan was not kept.") };
        let before = &resumed.session;
        let begun_at = before.begun_at;
        let same = |session: &Session<P>| {
            session.plan.cuts_like(&before.plan)
                && session.multipart == before.multipart
                && session.upload_id == before.upload_id
                && session.key == before.key
        };
        let Some(mut session) = self.take_over(cx, given).ok().filter(same) else {
            return gone("The plan that was kept can't be used any more.");
        };
        session.begun_at = begun_at;
        resumed.session = session;
        let lapsed = resumed.session.expires_at.is_some_and(|at| cx.is_past(at, begun_at));
        let complete = resumed.phase == Phase::Completing && cx.platform.has(Hook::Complete);
        if lapsed && !self.signs && !complete {
            return gone("The plan's URLs have expired.");
        }
        // What goes by one PUT has no parts to be listed.
        if !resumed.session.multipart || !cx.platform.has(Hook::ListParts) {
            return if complete { Err(in_doubt()) } else { Ok(()) };
        }
        let list =
            cx.hook(Hook::ListParts, resumed.session.given.iter().cloned().collect(), Step::List, Idempotency::Safe);
        let json = match list.await {
            Ok(json) => json,
            // The application's server says that there is no such upload any more, or that it can't tell.
            Err(_) if complete => return Err(in_doubt()),
            // A refused look tells nothing of the upload: what was kept counts.
            Err(error) if error.code == Code::Application => {
                if resumed.arrived.len() == resumed.session.plan.parts().len() {
                    // Nothing is left to be sent by which the store could tell that it is gone.
                    return Err(error.retry(Retry::Restart));
                }
                self.unlisted.set(true);
                cx.platform
                    .warn(&text::concat(&[&error.message, " What this browser remembers of the upload counts."]));
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let mut listed: Vec<Have> = Vec::new();
        if let Err(why) = json::fill(&cx.platform, Some(&json), &mut listed) {
            if complete {
                return Err(in_doubt());
            }
            cx.platform.warn(&text::concat(&[
                "`list` has to give [{ partNumber, size, etag }], and gave something else: ",
                &why,
                " What this browser remembers of the upload counts.",
            ]));
            return Ok(());
        }
        let listed =
            listed.into_iter().map(|part| Listed { number: part.part_number, size: part.size, etag: part.etag });
        reconcile(cx, resumed, listed.collect(), self.etag_is_md5()).await?;
        // All parts lie there still: nothing was put together.
        if complete && resumed.arrived.len() < resumed.session.plan.parts().len() {
            return Err(in_doubt());
        }
        Ok(())
    }

    async fn complete(
        &self,
        cx: &Context<P>,
        session: &Session<P>,
        parts: &[Receipt<P>],
        _again: bool,
        outcome: &mut Outcome<P>,
    ) -> Result<()> {
        let platform = &cx.platform;
        if let ([part], false) = (parts, session.multipart) {
            outcome.etag = part.etag.clone();
            outcome.location = self.state().urls.borrow().known(part.number).map(|target| target.url.without_query());
        }
        if !platform.has(Hook::Complete) || session.given.is_none() {
            return Ok(());
        }
        let done = parts
            .iter()
            .map(|part| Made::Object(vec![("partNumber", part.number.into()), ("etag", part.etag.as_ref().into())]));
        let arguments = arguments(platform, session, done.collect());
        let json = cx.hook(Hook::Complete, arguments, Step::Complete, Idempotency::Unsafe).await?;
        let text = |name| member::<P, String>(platform, &json, name);
        let id = |name| member::<P, IdText>(platform, &json, name).map(|id| id.0);
        outcome.media_upload_id = id("mediaUploadId");
        outcome.media_id = id("mediaId");
        outcome.media_item = id("mediaItem");
        outcome.reusable = member(platform, &json, "reusable");
        outcome.media = platform.member(&json, "media");
        outcome.links_expire_at = text("linksExpireAt");
        for (known, name) in
            [(&mut outcome.etag, "etag"), (&mut outcome.key, "key"), (&mut outcome.location, "location")]
        {
            if let Some(told) = text(name) {
                *known = Some(told);
            }
        }
        Ok(())
    }

    async fn abort(&self, cx: &Context<P>, session: &Session<P>) -> bool {
        let Some(given) = session.given.as_ref().filter(|_| cx.platform.has(Hook::Abort)) else { return true };
        cx.hook(Hook::Abort, vec![given.clone()], Step::Abort, Idempotency::Safe).await.is_ok()
    }
}
