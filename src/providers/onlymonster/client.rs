//! Requests to one account's uploads.

use super::options::Options;
use crate::context::Context;
use crate::context::calls::Idempotency;
use crate::error::{Result, Step};
use crate::http::{ApiRequest, Body, Method, Response};
use crate::platform::{ApiRequestOf, Platform};
use crate::providers::setup::Setup;
use crate::providers::shared::api::{Access, Api, Vendor};
use crate::providers::shared::reply::refusal;

const VENDOR: Vendor = Vendor {
    origins: &["https://omapi.onlymonster.ai"],
    api_path: "/api/v0/",
    key_header: "x-om-auth-token",
    key_option: "token",
};

/// Onlymonster's API, at `/api/v0/accounts/{account_id}/vault/medias/uploads`.
#[derive(Debug)]
pub(super) struct Client {
    api: Api,
    uploads: String,
}

impl Client {
    /// The API for an account.
    ///
    /// # Errors
    /// Those of [`Api::new`].
    pub(super) fn new<P: Platform>(setup: &Setup<'_, P>, options: &Options, access: Access) -> Result<Self> {
        let token = access.key.clone();
        let mut api = Api::new(setup, &VENDOR, access, refusal::<P::Json>)?;
        // The limit is the token's. Behind a proxy the page can't tell tokens apart, so the proxy counts as one token.
        let name = text!("onlymonster {} {}", api.origins.base.href, token.as_deref().unwrap_or(""));
        api.rate_limiter = Some(setup.shared.rate_limiters.of(&name, Some(options.rate)));
        Ok(Self { api, uploads: text!("/api/v0/accounts/{}/vault/medias/uploads", options.account_id) })
    }

    /// A GET of the list.
    pub(super) fn get_list<J, B>(&self, query: &str) -> ApiRequest<J, B> {
        self.api.request(Step::List, Method::Get, &self.uploads, query)
    }

    /// A POST to a path below the uploads.
    pub(super) fn post<J, B>(&self, step: Step, path: &str, body: Body<J, B>) -> ApiRequest<J, B> {
        ApiRequest { body, ..self.api.request(step, Method::Post, &text!("{}{}", self.uploads, path), "") }
    }

    /// Makes a call.
    pub(super) async fn call<P: Platform>(
        &self,
        cx: &Context<P>,
        request: ApiRequestOf<P>,
        idempotency: Idempotency,
    ) -> Result<Response> {
        self.api.call(cx, request, idempotency).await
    }
}
