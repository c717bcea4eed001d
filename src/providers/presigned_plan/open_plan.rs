//! A plan that is being sent: its decoded members, and its parts' URLs.

use std::cell::RefCell;

use futures::FutureExt;
use futures::future::LocalBoxFuture;

use super::session::PlanSession;
use super::upload_plan::{PartList, PlanPart, SendOptions, UploadPlan};
use super::urls::{PartUrl, Urls};
use crate::context::Context;
use crate::error::{Code, Result, Step, UploadError};
use crate::http::{Body, StoreRequest, Url};
use crate::json::{Json, Kind, Mismatch, decode};
use crate::model::plan::Part;
use crate::model::session::{Session, UploadedPart};
use crate::platform::{Hook, Platform, StoreRequestOf, yield_after};
use crate::providers::shared::presigned::absolute_url;
use crate::sync::semaphore::Semaphore;
use crate::util::text;

/// A plan that is being sent.
#[derive(Debug)]
pub(super) struct OpenPlan {
    pub(super) options: SendOptions,
    pub(super) urls: RefCell<Urls>,
    /// Single-flight: concurrent parts share the result of one call to `sign`.
    pub(super) signing: Semaphore,
}

/// The most members of a plan that an error names. (A choice: a line.)
const NAMED: usize = 10;
/// The most bytes of a path in an error. (A choice: a line.)
const SHOWN: usize = 80;

/// A plan that was checked, as the engine sends it and as it is kept.
pub(super) type Adopted<J> = (Session<PlanSession<J>>, OpenPlan);

/// Checks the plan that the application made. `signs`: whether the application has a `sign`, which makes missing URLs.
///
/// # Errors
/// `plan-mismatch` for a plan that can't be sent, `invalid-options` for a part without a URL if there is no `sign`.
pub(super) fn adopt<P: Platform>(
    cx: &Context<P>,
    plan_json: P::Json,
    signs: bool,
) -> LocalBoxFuture<'_, Result<Adopted<P::Json>>> {
    // Woven into the futures of its callers it is larger.
    adopted(cx, plan_json, signs).boxed_local()
}

async fn adopted<P: Platform>(cx: &Context<P>, plan_json: P::Json, signs: bool) -> Result<Adopted<P::Json>> {
    let PartList(items) = decode(&plan_json).map_err(|why| mistyped(&why, &plan_json))?;
    let mut parts = Vec::with_capacity(items.len());
    for item in items {
        parts.push(PlanPart::of(&item).map_err(|why| mistyped(&why, &plan_json))?);
        yield_after(&cx.platform, parts.len()).await;
    }
    let (session, open) = checked(cx, plan_json, parts, signs)?;
    for (part, done) in session.plan.parts().iter().zip(1..) {
        open.learn_url(cx, part, signs)?;
        yield_after(&cx.platform, done).await;
    }
    Ok((session, open))
}

/// The plan with its decoded parts, whose URLs aren't known yet.
fn checked<P: Platform>(
    cx: &Context<P>,
    plan_json: P::Json,
    parts: Vec<PlanPart>,
    signs: bool,
) -> Result<Adopted<P::Json>> {
    let upload_plan: UploadPlan = decode(&plan_json).map_err(|why| mistyped(&why, &plan_json))?;
    let (plan, options) = upload_plan
        .checked(cx.file().size, cx.platform.has(Hook::Complete), parts)
        .map_err(|why| unusable(why, "Let the parts cover the file exactly; `byteRange.end` is the last byte."))?;
    let open = OpenPlan { options, urls: RefCell::default(), signing: Semaphore::new(1) };
    let UploadPlan { upload_id, key, .. } = upload_plan;
    let (multipart, expires_at) = (upload_id.is_some(), open.options.expires_at);
    let state = PlanSession::new(plan_json, upload_id, key, !signs);
    Ok((Session { expires_at, ..Session::new(plan, multipart, state) }, open))
}

fn unusable(why: String, hint: &str) -> UploadError {
    UploadError::new(Code::PlanMismatch, why).at(Step::Init).hint(hint)
}

fn mistyped<J: Json>(mismatch: &Mismatch, plan_json: &J) -> UploadError {
    let names = match plan_json.kind() {
        Kind::Object => plan_json.names(),
        _ => Vec::new(),
    };
    let got = match &names[..] {
        [] => String::new(),
        names => text!("; got the members: {}", text::join(&names[..names.len().min(NAMED)], ", ")),
    };
    let why = text!("`open` must return an UploadPlan: {}{}.", mismatch.message(), got);
    unusable(why, "Expected: { uploadId?, key?, parts: [{ partNumber, byteRange: { start, end }, uploadUrl? }] }.")
}

impl OpenPlan {
    /// Stores the plan's own URL of a part, and checks that it is safe.
    fn learn_url<P: Platform>(&self, cx: &Context<P>, part: &Part, signs: bool) -> Result<()> {
        let Some(text) = &part.url else {
            if signs {
                return Ok(());
            }
            let message = text!("Part {} must have an `uploadUrl`, since there is no `sign`.", part.number);
            return Err(UploadError::new(Code::InvalidOptions, message)
                .at(Step::Init)
                .part(part.number)
                .hint("Give a URL for every part, or `sign`, which is asked for them."));
        };
        let url = resolve(&cx.platform, Step::Init, text, part.number)?;
        self.urls.borrow_mut().learn(part.number, url, None, self.options.expires_at, cx.platform.now());
        self.request(cx, part).map_err(|error| error.part(part.number)).map(drop)
    }

    /// Marks the parts that an earlier page uploaded: they need no URLs.
    pub(super) fn take_uploaded<J>(&self, uploaded: &[UploadedPart<J>]) {
        let mut urls = self.urls.borrow_mut();
        uploaded.iter().for_each(|uploaded| urls.take(uploaded.part.number));
    }

    /// The request for a part whose URL is known.
    ///
    /// # Errors
    /// Those of [`StoreRequest::new`].
    pub(super) fn request<P: Platform>(&self, cx: &Context<P>, part: &Part) -> Result<StoreRequestOf<P>> {
        let urls = self.urls.borrow();
        let Some(PartUrl { url, headers, .. }) = urls.known(part.number) else {
            return Err(mismatch("The part must have a URL, but neither the plan nor `sign` gave one."));
        };
        let headers = headers.as_ref().unwrap_or(&self.options.headers).clone();
        // The file's type is sent only where the URL signed the header and the plan gives no other type.
        let body = Body::File(cx.file().body(part.range, Some(cx.file().known_type())));
        StoreRequest::new(&cx.platform.origin(), Step::Part, self.options.method, url.clone(), headers, body)
    }
}

/// The error for unusable URLs.
pub(super) fn mismatch(message: impl Into<String>) -> UploadError {
    UploadError::new(Code::PlanMismatch, message).at(Step::Sign)
}

/// A part's `uploadUrl`, parsed.
///
/// # Errors
/// `plan-mismatch` for what isn't an absolute URL.
pub(super) fn resolve<P: Platform>(platform: &P, step: Step, text: &str, number: u32) -> Result<Url> {
    absolute_url(platform, text).ok_or_else(|| {
        // A URL's query may be a secret; a path isn't.
        let is_path = text.starts_with('/') && !text.starts_with("//");
        let path = text::before(text::before(text, "?"), "#");
        let found = if is_path { text!("\"{}\"", path.get(..SHOWN).unwrap_or(path)) } else { "something else".into() };
        UploadError::new(Code::PlanMismatch, text!("`uploadUrl` must be an absolute URL, but is {}.", found))
            .at(step)
            .part(number)
            .hint("Give https URLs as the presigner made them.")
    })
}
