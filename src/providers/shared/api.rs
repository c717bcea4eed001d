//! What the vendors' APIs have in common: a base URL, keys that only some origins may have, a rate limit, JSON.

use std::cell::RefCell;

use crate::context::Context;
use crate::context::calls::{Call, Idempotency};
use crate::context::rate_limit::RateLimiter;
use crate::error::{Code, Result, Step, UploadError};
use crate::http::{ApiRequest, Body, Method, Origins, Response, address};
use crate::platform::{ApiRequestOf, Platform};
use crate::providers::setup::Setup;
use crate::util::text;

/// The vendor's side of an [`Api`]: constants from its documents.
pub(crate) struct Vendor {
    /// Its own origins; the first serves its API.
    pub(crate) origins: &'static [&'static str],
    /// The path prefix of its API.
    pub(crate) api_path: &'static str,
    /// The header that carries its key.
    pub(crate) key_header: &'static str,
    /// The option that holds its key.
    pub(crate) key_option: &'static str,
}

/// The caller's side of an [`Api`].
pub(crate) struct Access {
    /// The base URL of the API for this page: usually a proxy.
    pub(crate) base_url: Option<String>,
    /// The vendor's key, if the page has it.
    pub(crate) key: Option<String>,
    /// Whether the caller set `dangerouslyExposeSecrets`.
    pub(crate) exposed: bool,
}

/// An API as one upload sees it.
#[derive(Debug)]
pub(crate) struct Api {
    pub(crate) origins: Origins,
    headers: Vec<(String, String)>,
    has_credentials: bool,
    pub(crate) rate_limiter: Option<RateLimiter>,
    /// The `Idempotency-Key` of a part that is a call by itself, until an answer to it comes.
    part_key: RefCell<Option<String>>,
    refusal: fn(&Response, u64) -> UploadError,
}

impl Api {
    /// The API of a vendor for a caller. The key, if there is one, goes with every request to it.
    ///
    /// # Errors
    /// `invalid-options` for a key without `dangerouslyExposeSecrets`, and for a `baseUrl` that isn't safe.
    pub(crate) fn new<P: Platform>(
        setup: &Setup<'_, P>,
        vendor: &Vendor,
        access: Access,
        refusal: fn(&Response, u64) -> UploadError,
    ) -> Result<Self> {
        if access.key.is_some() && !access.exposed {
            return Err(UploadError::new(
                Code::InvalidOptions,
                text!("`{}` is in the page, where every visitor can read it.", vendor.key_option),
            )
            .hint("Keep it on your server and give `baseUrl`, or say `dangerouslyExposeSecrets: true` for a trial."));
        }
        let base = access.base_url.as_deref().unwrap_or(vendor.origins[0]);
        let mut api = Self::at(setup, "baseUrl", base, refusal)?;
        (api.origins.vendor, api.origins.api_path) = (vendor.origins, vendor.api_path);
        if let Some(key) = access.key {
            api.add_key_header(vendor.key_header.into(), key);
        }
        Ok(api)
    }

    /// An API at the address that an option gives.
    ///
    /// # Errors
    /// `invalid-options` for an address that isn't safe.
    pub(crate) fn at<P: Platform>(
        setup: &Setup<'_, P>,
        option: &str,
        address: &str,
        refusal: fn(&Response, u64) -> UploadError,
    ) -> Result<Self> {
        let page = setup.platform.origin();
        let Some(base) = setup.platform.resolve(address).filter(|url| url.is_safe_from(&page)) else {
            let found = text::before(address, "?");
            return Err(UploadError::new(
                Code::InvalidOptions,
                text!("`{}` (\"{}\") is neither an https address nor one of the page's own origin.", option, found),
            )
            .hint("Give a path of the page's own server, or an https URL."));
        };
        Ok(Self {
            has_credentials: false,
            headers: Vec::new(),
            origins: Origins { base, trusted: setup.settings.trusted_origins.clone(), vendor: &[], api_path: "" },
            rate_limiter: None,
            part_key: RefCell::default(),
            refusal,
        })
    }

    /// Adds a header that every request carries and that is a key: such a request follows no redirect.
    pub(crate) fn add_key_header(&mut self, name: String, key: String) {
        self.has_credentials = true;
        self.headers.push((name, key));
    }

    /// Adds a header that every request carries and that is no secret.
    pub(crate) fn add_header(&mut self, name: String, value: String) {
        self.headers.push((name, value));
    }

    /// A request to a path of the API.
    pub(crate) fn request<J, B>(&self, step: Step, method: Method, path: &str, query: &str) -> ApiRequest<J, B> {
        self.request_to(step, method, self.origins.join(path, query))
    }

    /// A request to a URL that may have the provider's headers.
    pub(crate) fn request_to<J, B>(&self, step: Step, method: Method, url: String) -> ApiRequest<J, B> {
        ApiRequest {
            step,
            method,
            url,
            headers: self.headers.clone(),
            body: Body::Empty,
            has_credentials: self.has_credentials,
            must_not_repeat: false,
        }
    }

    /// Makes a call, under the vendor's rate limit and with its rules for errors.
    pub(crate) async fn call<P: Platform>(
        &self,
        cx: &Context<P>,
        request: ApiRequestOf<P>,
        idempotency: Idempotency,
    ) -> Result<Response> {
        let (step, url) = (request.step, request.url.clone());
        let long_running = step == Step::Complete;
        let (rate_limiter, refusal) = (self.rate_limiter.clone(), self.refusal);
        cx.call(Call { request, idempotency, rate_limiter, long_running, refusal }).await.map_err(|error| {
            // Nothing is open yet, so a 404 is about the URL, as a 405 is, and not about an upload.
            let early = matches!(step, Step::Check | Step::Init | Step::VerifyFan | Step::List);
            if !early || (error.code != Code::SessionExpired && error.status != Some(405)) {
                return error;
            }
            let status = error.status.unwrap_or_default();
            let message = text!("The API has nothing for this request. {} answered {}.", address(&url), status);
            error.renamed(Code::BadRequest, message).hint("Check `baseUrl`, the account, and the proxy's routes.")
        })
    }

    /// Waits until the rate limit allows one more request. A part that goes to the API isn't held to the limit while it is sent.
    pub(crate) async fn wait_for_rate_limit<P: Platform>(&self, cx: &Context<P>) {
        if let Some(limiter) = &self.rate_limiter {
            drop(limiter.acquire(&cx.platform).await);
        }
    }

    /// Adds an `Idempotency-Key` to a part that is a call by itself: retries carry the same key.
    pub(crate) fn add_key<P: Platform>(&self, cx: &Context<P>, request: &mut ApiRequestOf<P>) {
        if cx.sends_keys(&request.url) {
            let key = self.part_key.borrow_mut().get_or_insert_with(|| cx.random_id()).clone();
            request.headers.push(("idempotency-key".into(), key));
        }
    }

    /// Learns from the answer to a part.
    pub(crate) fn answered<P: Platform>(&self, cx: &Context<P>, response: &Response) {
        self.part_key.take();
        if let Some(limiter) = &self.rate_limiter {
            limiter.learn(response, cx.platform.now());
        }
    }

    /// What an answer that isn't 2xx means to this vendor.
    pub(crate) fn refusal(&self, response: &Response, now: u64) -> UploadError {
        (self.refusal)(response, now)
    }
}
