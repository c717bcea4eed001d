//! Waiting for the network.

use std::pin::pin;

use super::Context;
use crate::error::Step;
use crate::http::{ApiRequest, Body, Method, Request};
use crate::model::events::Status;
use crate::platform::Platform;
use crate::sync::timeout::timeout;

/// The browser is asked again this often, should its event never come.
const LOOK_MS: u64 = 30_000;

impl<P: Platform> Context<P> {
    /// True unless the browser says that there is no network, and nothing has proved it wrong.
    pub fn is_online(&self) -> bool {
        self.shared.connectivity.is_there(self.platform.online())
    }

    /// Waits while the browser says that there is no network: until it says otherwise, an answer proves it wrong, it is time to try
    /// all the same, or the upload is paused. True where it said so.
    ///
    /// What is tried first is a look at the page's own server: an answer, whichever, shows that there is a network, and failures count
    /// again. `costly`: what waits must not fail for want of a network, since it is called once or counted; it waits on unless the look
    /// was answered.
    pub async fn wait_for_network(&self, costly: bool) -> bool {
        if self.is_online() {
            return false;
        }
        let before = self.reporter.status();
        self.reporter.set_status(Status::Waiting);
        while !self.is_online() && !self.pause.is_paused() {
            let wait = self.shared.connectivity.until_try(self.platform.now());
            let wait = if broken!(OfflineForbids) { LOOK_MS } else { wait };
            if wait > 0 {
                let mut waited = pin!(self.wait(wait.min(LOOK_MS), false));
                timeout(waited.as_mut(), pin!(self.shared.connectivity.refuted())).await;
            } else {
                let (mut look, mut paused) = (pin!(self.look()), pin!(self.pause.paused()));
                let looked = timeout(look.as_mut(), paused.as_mut()).await;
                if looked == Some(false) || !costly {
                    break;
                }
            }
        }
        self.reporter.end_waiting(before);
        true
    }

    /// Asks the page's own server for nothing; [`Context::send`] draws the conclusion from an answer. False for a page that has none.
    async fn look(&self) -> bool {
        let mut url = self.platform.origin();
        if !url.starts_with("http") {
            return false;
        }
        // Neither a cache nor a service worker has an answer to this.
        url.push_str("/?partway=");
        url.push_str(&self.random_id());
        let (headers, body) = (Vec::new(), Body::Empty);
        let request =
            ApiRequest { step: Step::Check, method: Method::Head, url, headers, body, keyed: false, once: false };
        drop(self.send(Request::Api(request), false, 0, |_| ()).await);
        true
    }
}
