//! The faults that hit one request.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::plan::{Effect, ResetWhen, StallWhen};
use crate::state::rate::Rate;

/// A `status` fault that hit.
#[derive(Clone, Debug)]
pub struct StatusFault {
    /// The HTTP status.
    pub status: u16,
    /// Headers of the response.
    pub headers: BTreeMap<String, String>,
    /// Body of the response.
    pub body: String,
    /// Whether spaces follow the body without end.
    pub endless: bool,
    /// Whether the response has CORS headers.
    pub cors: bool,
}

/// A `bandwidth` fault that hit.
#[derive(Clone, Debug)]
pub struct Bandwidth {
    /// Bytes per second.
    pub bytes_per_second: u64,
    /// How many bytes are read at once.
    pub buffer_bytes: u64,
    /// The shared rate; `None` for that of the connection.
    pub(crate) shared: Option<Arc<Rate>>,
}

/// The faults that hit one request.
#[derive(Clone, Debug, Default)]
pub struct Hits {
    /// The response instead of the real one.
    pub status: Option<StatusFault>,
    /// When the connection is reset.
    pub reset: Option<ResetWhen>,
    /// When the request stalls.
    pub stall: Option<StallWhen>,
    /// The delay in milliseconds.
    pub latency_ms: Option<u64>,
    /// The throttling of the request's body.
    pub bandwidth: Option<Bandwidth>,
    /// Whether the response is that of an expired URL.
    pub expired: bool,
    /// Whether CORS hides the ETag.
    pub hide_etag: bool,
    /// Whether the response has no CORS headers.
    pub no_cors: bool,
    /// Whether a byte of the body is changed.
    pub flip: bool,
}

impl Hits {
    /// The names of the faults, for the log.
    pub fn names(&self) -> Vec<&'static str> {
        let reset = self.reset.map(|when| match when {
            ResetWhen::Before => "reset:before",
            ResetWhen::Body => "reset:body",
            ResetWhen::After => "reset:after",
        });
        let stall = self.stall.map(|when| match when {
            StallWhen::Start => "stall:start",
            StallWhen::Body => "stall:body",
            StallWhen::Answer => "stall:answer",
        });
        [
            self.status.as_ref().map(|_| "status"),
            reset,
            stall,
            self.latency_ms.map(|_| "latency"),
            self.bandwidth.as_ref().map(|_| "bandwidth"),
            self.expired.then_some("expired"),
            self.hide_etag.then_some("hide-etag"),
            self.no_cors.then_some("no-cors"),
            self.flip.then_some("flip"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    /// Whether a fault of the same kind has hit already.
    pub(super) fn has(&self, effect: &Effect) -> bool {
        match effect {
            Effect::Status { .. } => self.status.is_some(),
            Effect::Reset { .. } => self.reset.is_some(),
            Effect::Stall { .. } => self.stall.is_some(),
            Effect::Latency { .. } => self.latency_ms.is_some(),
            Effect::Bandwidth { .. } => self.bandwidth.is_some(),
            Effect::Expired {} => self.expired,
            Effect::HideEtag {} => self.hide_etag,
            Effect::NoCors {} => self.no_cors,
            Effect::Flip {} => self.flip,
        }
    }

    /// Adds a fault.
    pub(super) fn add(&mut self, effect: &Effect, shared_rate: &Arc<Rate>) {
        match effect {
            Effect::Status { status, headers, body, endless, cors } => {
                let (headers, body) = (headers.clone(), body.clone());
                self.status = Some(StatusFault { status: *status, headers, body, endless: *endless, cors: *cors });
            }
            Effect::Reset { when } => self.reset = Some(*when),
            Effect::Stall { when } => self.stall = Some(*when),
            Effect::Latency { ms } => self.latency_ms = Some(*ms),
            Effect::Bandwidth { bytes_per_second, shared, buffer_bytes } => {
                let (bytes_per_second, buffer_bytes) = (*bytes_per_second, *buffer_bytes);
                self.bandwidth =
                    Some(Bandwidth { bytes_per_second, buffer_bytes, shared: shared.then(|| shared_rate.clone()) });
            }
            Effect::Expired {} => self.expired = true,
            Effect::HideEtag {} => self.hide_etag = true,
            Effect::NoCors {} => self.no_cors = true,
            Effect::Flip {} => self.flip = true,
        }
    }
}
