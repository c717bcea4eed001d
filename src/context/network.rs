//! Waiting for the network.

use std::pin::pin;

use super::Context;
use crate::error::Step;
use crate::http::{ApiRequest, Body, Method, Request};
use crate::model::events::Status;
use crate::platform::Platform;
use crate::sync::timeout::timeout;

/// How often the browser is asked again, in case its event never fires.
const RECHECK_MS: u64 = 30_000;

impl<P: Platform> Context<P> {
    /// Whether there may be a network: the browser reports one, or was wrong before.
    pub fn is_online(&self) -> bool {
        self.shared.connectivity.is_likely(self.platform.online())
    }

    /// Waits while the browser reports no network: until it reports one, an answer proves it wrong, it is time to try nevertheless, or
    /// the upload is paused. Returns whether it reported none.
    ///
    /// The first request is a probe of the page's own server: any answer shows that there is a network, and failures count again.
    /// `costly`: the caller's request must not fail for lack of a network, since it is sent once or counted; it waits until the probe is
    /// answered.
    pub async fn wait_for_network(&self, costly: bool) -> bool {
        if self.is_online() {
            return false;
        }
        let before = self.reporter.status();
        self.reporter.set_status(Status::Waiting);
        while !self.is_online() && !self.pause.is_paused() {
            let wait = self.shared.connectivity.until_try(self.platform.now());
            let wait = if broken!(OfflineForbids) { RECHECK_MS } else { wait };
            if wait > 0 {
                let mut waited = pin!(self.wait(wait.min(RECHECK_MS), false));
                timeout(waited.as_mut(), pin!(self.shared.connectivity.refuted())).await;
            } else {
                let (mut probe, mut paused) = (pin!(self.probe_own_server()), pin!(self.pause.paused()));
                let probed = timeout(probe.as_mut(), paused.as_mut()).await;
                if probed == Some(false) || !costly {
                    break;
                }
            }
        }
        self.reporter.end_waiting(before);
        true
    }

    /// Sends a HEAD request to the page's own server; [`Context::send`] notes an answer. Returns false if the page has no server.
    async fn probe_own_server(&self) -> bool {
        let mut url = self.platform.origin();
        if !url.starts_with("http") {
            return false;
        }
        // No cache and no service worker has an answer to this.
        url.push_str("/?partway=");
        url.push_str(&self.random_id());
        let (headers, body) = (Vec::new(), Body::Empty);
        let request = ApiRequest {
            step: Step::Check,
            method: Method::Head,
            url,
            headers,
            body,
            has_credentials: false,
            must_not_repeat: false,
        };
        drop(self.send(Request::Api(request), false, 0, |_| ()).await);
        true
    }
}
