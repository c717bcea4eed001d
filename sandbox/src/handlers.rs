//! What each call does, found by its [`Target`].

mod app;
mod control;
mod credentials;
mod files;
mod multipart;
mod objects;
mod plan;
mod policy;
mod s3;
mod vendors;

use std::sync::Arc;

use hyper::Response;
use hyper::body::Incoming;
use hyper::http::request::Parts;

use crate::bucket::Store;
use crate::request_body::RequestBody;
use crate::response;
use crate::response_body::ResponseBody;
use crate::state::State;
use crate::state::log::LogHandle;
use crate::target::Target;

/// The handlers, over the state that they share.
pub(crate) struct Handlers {
    state: Arc<State>,
    /// The S3 server of the embedded store; `None` with an existing store, which has its own.
    s3: Option<s3::Server>,
}

impl Handlers {
    /// Handlers over `state`.
    pub(crate) fn new(state: Arc<State>) -> Self {
        let s3 = match &state.store {
            Store::Embedded(store) => Some(s3::Server::new(store, &state)),
            Store::External(_) => None,
        };
        Self { state, s3 }
    }

    /// Answers a call that the log shows and that faults can hit.
    pub(crate) async fn call(
        &self,
        target: Target,
        parts: Parts,
        body: RequestBody,
        entry: &Arc<LogHandle>,
    ) -> Response<ResponseBody> {
        match target {
            Target::Store => match &self.s3 {
                Some(server) => server.handle(&self.state, parts, body, entry.number()).await,
                None => response::error(404, "this sandbox runs with an existing store (--s3-endpoint); call that"),
            },
            Target::Vendor { service, path, proxied } => {
                vendors::handle(&self.state, vendors::Call { service, path, proxied }, parts, body, entry).await
            }
            Target::Plan(call) => plan::handle(&self.state, &call, &parts, body).await,
            Target::Credentials => credentials::handle(&self.state, &parts),
            Target::Policy => policy::handle(&self.state, &parts, body).await,
            Target::App => response::error(404, "there is no such call"),
        }
    }

    /// Answers a request for the page, its files, objects or the control API.
    pub(crate) async fn app(&self, parts: Parts, body: Incoming) -> Response<ResponseBody> {
        app::handle(&self.state, parts, body).await
    }
}
