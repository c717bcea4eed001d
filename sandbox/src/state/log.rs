//! The request log: requests in their order, how each ended, and how many ran at once.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as MapEntry;
use std::sync::{Arc, Mutex};

use hyper::HeaderMap;
use serde::Serialize;

use crate::state::clock::Clock;

/// How many requests are kept; the oldest are dropped first. (A choice: more than any trial sends.)
const CAPACITY: usize = 50_000;

/// Headers whose values are secrets.
const SECRET_HEADERS: &[&str] = &[
    "apikey",
    "authorization",
    "cookie",
    "proxy-authorization",
    "x-amz-security-token",
    "x-api-key",
    "x-om-auth-token",
];

/// Query parameters whose values are secrets: the two ways to sign an S3 URL.
const SECRET_PARAMETERS: &[&str] =
    &["x-amz-signature", "x-amz-security-token", "x-amz-credential", "signature", "awsaccesskeyid"];

/// One request.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Counts from 1.
    pub n: u64,
    /// `<service>:<call>`.
    pub route: String,
    /// HTTP method.
    pub method: String,
    /// The path as it was sent.
    pub path: String,
    /// The query as it was sent, its secrets redacted.
    pub query: String,
    /// Status of the response; null while the request runs, and if no response was sent.
    pub status: Option<u16>,
    /// How many bytes of the body arrived.
    pub bytes: u64,
    /// Headers, their secrets redacted.
    pub headers: BTreeMap<String, String>,
    /// Its `Idempotency-Key`.
    pub idempotency_key: Option<String>,
    /// Whether the response is a replay of an earlier one, for a repeated `Idempotency-Key`.
    pub copy: bool,
    /// The faults that hit the request.
    pub faults: Vec<&'static str>,
    /// The server's clock when the request arrived.
    pub started_ms: u64,
    /// The server's clock when the request was answered or lost; null while it runs.
    pub ended_ms: Option<u64>,
}

#[derive(Debug, Default)]
struct Inner {
    next: u64,
    entries: BTreeMap<u64, Entry>,
    in_flight: BTreeMap<String, (u64, u64)>,
    /// The last number before the log was cleared: requests up to it no longer count as running.
    cleared: u64,
}

/// All requests since the start, or since the log was cleared.
#[derive(Debug)]
pub struct Log {
    inner: Mutex<Inner>,
    clock: Arc<Clock>,
}

/// The response to `GET /control/log`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// In the order of their arrival.
    pub requests: Vec<Entry>,
    /// The most that ran at once, for each route.
    pub max_in_flight: BTreeMap<String, u64>,
}

impl Log {
    /// An empty log.
    pub fn new(clock: Arc<Clock>) -> Self {
        Self { inner: Mutex::default(), clock }
    }

    /// Adds a request that has arrived. It ends when the handle is dropped.
    pub fn begin(
        self: &Arc<Self>,
        route: &str,
        method: &hyper::Method,
        uri: &hyper::Uri,
        headers: &HeaderMap,
    ) -> LogHandle {
        let mut inner = self.inner.lock().expect("log");
        inner.next += 1;
        let n = inner.next;
        let idempotency_key =
            headers.get("idempotency-key").map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let entry = Entry {
            n,
            route: route.to_owned(),
            method: method.to_string(),
            path: uri.path().to_owned(),
            query: uri.query().map(redact_query).unwrap_or_default(),
            status: None,
            bytes: 0,
            headers: redact_headers(headers),
            idempotency_key,
            copy: false,
            faults: Vec::new(),
            started_ms: self.clock.now(),
            ended_ms: None,
        };
        inner.entries.insert(n, entry);
        if inner.entries.len() > CAPACITY {
            inner.entries.pop_first();
        }
        let (now, most) = inner.in_flight.entry(route.to_owned()).or_default();
        *now += 1;
        *most = (*most).max(*now);
        LogHandle { log: self.clone(), n, route: route.to_owned() }
    }

    /// The whole log.
    pub fn report(&self) -> Report {
        let inner = self.inner.lock().expect("log");
        Report {
            requests: inner.entries.values().cloned().collect(),
            max_in_flight: inner.in_flight.iter().map(|(route, (_, most))| (route.clone(), *most)).collect(),
        }
    }

    /// Removes all entries. Numbers continue; requests that are still running no longer count.
    pub fn clear(&self) {
        let mut inner = self.inner.lock().expect("log");
        inner.entries.clear();
        inner.in_flight.clear();
        inner.cleared = inner.next;
    }

    fn change(&self, n: u64, change: impl FnOnce(&mut Entry)) {
        if let MapEntry::Occupied(mut entry) = self.inner.lock().expect("log").entries.entry(n) {
            change(entry.get_mut());
        }
    }
}

/// A running request in the log.
#[derive(Debug)]
pub struct LogHandle {
    log: Arc<Log>,
    n: u64,
    route: String,
}

impl LogHandle {
    /// Its number.
    pub fn number(&self) -> u64 {
        self.n
    }

    /// Adds bytes of the body that have arrived.
    pub fn add_bytes(&self, bytes: u64) {
        self.log.change(self.n, |entry| entry.bytes += bytes);
    }

    /// Sets the faults that hit the request.
    pub fn set_faults(&self, faults: Vec<&'static str>) {
        self.log.change(self.n, |entry| entry.faults = faults);
    }

    /// Marks the response as a replay of an earlier one.
    pub fn set_replayed(&self) {
        self.log.change(self.n, |entry| entry.copy = true);
    }

    /// Sets the status of the response.
    pub fn set_status(&self, status: u16) {
        self.log.change(self.n, |entry| entry.status = Some(status));
    }
}

impl Drop for LogHandle {
    fn drop(&mut self) {
        let now = self.log.clock.now();
        let mut inner = self.log.inner.lock().expect("log");
        if let Some(entry) = inner.entries.get_mut(&self.n) {
            entry.ended_ms = Some(now);
        }
        if self.n > inner.cleared
            && let Some((running, _)) = inner.in_flight.get_mut(&self.route)
        {
            *running -= 1;
        }
    }
}

fn redact_headers(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut redacted = BTreeMap::<String, String>::new();
    for (name, value) in headers {
        let value = if SECRET_HEADERS.contains(&name.as_str()) {
            "***".into()
        } else {
            String::from_utf8_lossy(value.as_bytes())
        };
        match redacted.entry(name.as_str().to_owned()) {
            MapEntry::Vacant(vacant) => {
                vacant.insert(value.into_owned());
            }
            MapEntry::Occupied(mut seen) => {
                seen.get_mut().push_str(", ");
                seen.get_mut().push_str(&value);
            }
        }
    }
    redacted
}

fn redact_query(query: &str) -> String {
    let redacted = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if SECRET_PARAMETERS.contains(&name.to_ascii_lowercase().as_str()) => format!("{name}=***"),
        _ => pair.to_owned(),
    });
    redacted.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(log: &Arc<Log>, uri: &str) -> LogHandle {
        let mut headers = HeaderMap::new();
        headers.insert("x-api-key", "k".parse().unwrap());
        headers.insert("content-type", "video/mp4".parse().unwrap());
        log.begin("store:UploadPart", &hyper::Method::PUT, &uri.parse().unwrap(), &headers)
    }

    #[test]
    fn secrets_are_redacted_and_the_rest_is_kept() {
        let log = Arc::new(Log::new(Arc::default()));
        begin(&log, "/b/k?partNumber=1&X-Amz-Signature=feed&X-Amz-Credential=AK%2F1").set_status(200);
        let entry = &log.report().requests[0];
        assert_eq!(entry.query, "partNumber=1&X-Amz-Signature=***&X-Amz-Credential=***");
        assert_eq!((entry.headers["x-api-key"].as_str(), entry.headers["content-type"].as_str()), ("***", "video/mp4"));
        assert_eq!((entry.status, entry.ended_ms.is_some()), (Some(200), true));
    }

    #[test]
    fn the_most_at_once_is_counted() {
        let log = Arc::new(Log::new(Arc::default()));
        let (one, two) = (begin(&log, "/a"), begin(&log, "/b"));
        drop(one);
        let three = begin(&log, "/c");
        assert_eq!(log.report().max_in_flight["store:UploadPart"], 2);
        log.clear();
        drop((two, three));
        drop(begin(&log, "/d"));
        let report = log.report();
        assert_eq!((report.max_in_flight["store:UploadPart"], report.requests[0].n), (1, 4));
    }
}
