//! Sending one request: after the back-off of its store, under a deadline; the answer updates what is known of the server.

use std::cell::Cell;

use super::Context;
use super::backoff::Load;
use super::contact::Contact;
use super::deadline::Limits;
use super::watchdog;
use crate::error::{Code, Result, UploadError};
use crate::http::{Request, Response};
use crate::platform::{Platform, RequestOf};

impl<P: Platform> Context<P> {
    /// Sends a request once. `long_running`: the server may work on it for minutes. `stalls` is how often it timed out before.
    /// `on_bytes` is called with the bytes that have been sent.
    ///
    /// # Errors
    /// Those of [`watchdog::send`].
    pub fn send<'a>(
        &'a self,
        request: RequestOf<P>,
        long_running: bool,
        stalls: u32,
        on_bytes: impl FnMut(u64) + 'a,
    ) -> impl Future<Output = Result<Response>> + 'a {
        let limits = Limits { stall_ms: self.settings.stall_ms, long_running, stalls };
        self.send_boxed(request, limits, Box::new(on_bytes))
    }

    /// The same for every `on_bytes`, so that it is compiled once.
    async fn send_boxed(
        &self,
        request: RequestOf<P>,
        limits: Limits,
        mut on_bytes: Box<dyn FnMut(u64) + '_>,
    ) -> Result<Response> {
        let (contact, address) = (Contact::of(self, &request), request.address());
        let backoff = match &request {
            Request::Store(request) => Some(self.shared.backoffs.of(&request.url().origin)),
            Request::Api(_) => None,
        };
        let size = request.body().file_len();
        let auto = self.auto_slots.as_ref().filter(|auto| size > 0 && auto.wants_protocol());
        let protocol_of = auto.map(|auto| (auto, request.href().to_string()));
        let sent_at = loop {
            let now = self.platform.now();
            let contact_wait = contact.as_ref().map_or(0, |contact| contact.wait(self, now));
            let wait = backoff.as_ref().map_or(0, |backoff| backoff.wait(now)).max(contact_wait);
            if wait == 0 {
                break now;
            }
            self.platform.sleep(wait).await;
        };
        let host = match &request {
            Request::Store(request) => Some(request.url().origin.clone()),
            Request::Api(_) => None,
        };
        let running = host.as_ref().filter(|_| size > 0).map(|host| self.shared.hosts.begin(host));
        let offline = !self.platform.online();
        let sent = Cell::new(0);
        let on_bytes = Box::new(|bytes| {
            sent.set(bytes);
            on_bytes(bytes);
        });
        let mut watchdog = watchdog::send(&self.platform, request, limits, &self.shared.uplink, on_bytes);
        let answer = (&mut watchdog).await;
        if watchdog.found_slow() {
            self.slots.halve();
        }
        drop((watchdog, running));
        let answer = answer.map_err(|error| {
            let foreign = error.code == Code::Network && !error.no_readable_answer;
            let error = if foreign { error.adding(&text!(" The request went to {}.", address)) } else { error };
            let queued = size == 0 && error.code == Code::Stalled && self.shared.uplink.is_stalled_since(sent_at);
            error.queued_behind_stalled(queued)
        });
        let answer = match contact {
            Some(contact) => contact.learn(self, answer, sent_at, sent.get() > 0).await,
            None => answer,
        };
        if let Some(host) = host {
            self.learn_host(&host, answer.as_ref());
        }
        let response = Response { address, ..answer? };
        let now = self.platform.now();
        if offline && !self.platform.online() {
            self.shared.connectivity.refute();
        }
        self.clock.learn_from(&response, sent_at, now);
        if let Some((auto, href)) = protocol_of {
            auto.learn_protocol(self.platform.is_multiplexed(&href));
        }
        if size > 0 {
            self.slots.set_cap(self.shared.uplink.max_concurrency(size));
        }
        match backoff.map(|backoff| backoff.learn(&response, now)) {
            Some(Load::Overloaded) => self.slots.halve(),
            Some(Load::Busy) => self.slots.ease(),
            _ => {}
        }
        Ok(response)
    }

    /// Notes what the result of a request says of its host.
    fn learn_host(&self, host: &str, answer: std::result::Result<&Response, &UploadError>) {
        let hosts = &self.shared.hosts;
        match answer {
            Ok(response) if response.ok() => hosts.worked(host),
            // What else it answers, its provider judges.
            Ok(_) => {}
            // The page's policy forbids it, or its answers can't be read.
            Err(error) if error.concerns_host() => hosts.refused(host),
            Err(_) => hosts.failed(host),
        }
    }
}
