//! The request log: what came, in which order, how it ended, and how much of it ran at once.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as MapEntry;
use std::sync::{Arc, Mutex};

use hyper::HeaderMap;
use serde::Serialize;

use crate::clock::Clock;

/// Older requests make room for newer ones beyond this.
const KEPT: usize = 50_000;

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
    /// `<who>:<call>`.
    pub route: String,
    /// HTTP method.
    pub method: String,
    /// Path as it was sent.
    pub path: String,
    /// Query as it was sent, without its secrets.
    pub query: String,
    /// Status of the answer; null while there is none, and where none was sent.
    pub status: Option<u16>,
    /// Bytes of the body that arrived.
    pub bytes: u64,
    /// Headers, without their secrets.
    pub headers: BTreeMap<String, String>,
    /// Its `Idempotency-Key`.
    pub idempotency_key: Option<String>,
    /// True where an earlier request's answer was given again.
    pub copy: bool,
    /// Faults that hit it.
    pub faults: Vec<&'static str>,
    /// The server's clock when it came.
    pub started_ms: u64,
    /// The server's clock when it was answered or lost; null while it runs.
    pub ended_ms: Option<u64>,
}

#[derive(Debug, Default)]
struct Inner {
    next: u64,
    entries: BTreeMap<u64, Entry>,
    in_flight: BTreeMap<String, (u64, u64)>,
    /// Requests from before a clearing aren't counted out again after it.
    cleared: u64,
}

/// All requests since the start or the last clearing.
#[derive(Debug)]
pub struct Log {
    inner: Mutex<Inner>,
    clock: Arc<Clock>,
}

/// What `GET /control/log` answers.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// In the order of their coming.
    pub requests: Vec<Entry>,
    /// The most that ran at once, for each route.
    pub max_in_flight: BTreeMap<String, u64>,
}

impl Log {
    /// An empty log.
    pub fn new(clock: Arc<Clock>) -> Self {
        Self { inner: Mutex::default(), clock }
    }

    /// Notes a request that has come. It has ended when the handle is dropped.
    pub fn begin(
        self: &Arc<Self>,
        route: &str,
        method: &hyper::Method,
        uri: &hyper::Uri,
        headers: &HeaderMap,
    ) -> Logged {
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
        if inner.entries.len() > KEPT {
            inner.entries.pop_first();
        }
        let (now, most) = inner.in_flight.entry(route.to_owned()).or_default();
        *now += 1;
        *most = (*most).max(*now);
        Logged { log: self.clone(), n, route: route.to_owned() }
    }

    /// Everything noted.
    pub fn report(&self) -> Report {
        let inner = self.inner.lock().expect("log");
        Report {
            requests: inner.entries.values().cloned().collect(),
            max_in_flight: inner.in_flight.iter().map(|(route, (_, most))| (route.clone(), *most)).collect(),
        }
    }

    /// Forgets all. The numbers go on counting; requests still running are no longer counted.
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

/// A request in the log, while it runs.
#[derive(Debug)]
pub struct Logged {
    log: Arc<Log>,
    n: u64,
    route: String,
}

impl Logged {
    /// Its number.
    pub fn number(&self) -> u64 {
        self.n
    }

    /// More of its body has come.
    pub fn add_bytes(&self, bytes: u64) {
        self.log.change(self.n, |entry| entry.bytes += bytes);
    }

    /// Which faults hit it.
    pub fn set_faults(&self, faults: Vec<&'static str>) {
        self.log.change(self.n, |entry| entry.faults = faults);
    }

    /// An earlier request's answer is given again.
    pub fn set_copy(&self) {
        self.log.change(self.n, |entry| entry.copy = true);
    }

    /// The answer goes out.
    pub fn set_status(&self, status: u16) {
        self.log.change(self.n, |entry| entry.status = Some(status));
    }
}

impl Drop for Logged {
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
    let mut shown = BTreeMap::<String, String>::new();
    for (name, value) in headers {
        let value = if SECRET_HEADERS.contains(&name.as_str()) {
            "***".into()
        } else {
            String::from_utf8_lossy(value.as_bytes())
        };
        match shown.entry(name.as_str().to_owned()) {
            MapEntry::Vacant(vacant) => {
                vacant.insert(value.into_owned());
            }
            MapEntry::Occupied(mut seen) => {
                seen.get_mut().push_str(", ");
                seen.get_mut().push_str(&value);
            }
        }
    }
    shown
}

fn redact_query(query: &str) -> String {
    let shown = query.split('&').map(|pair| match pair.split_once('=') {
        Some((name, _)) if SECRET_PARAMETERS.contains(&name.to_ascii_lowercase().as_str()) => format!("{name}=***"),
        _ => pair.to_owned(),
    });
    shown.collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begin(log: &Arc<Log>, uri: &str) -> Logged {
        let mut headers = HeaderMap::new();
        headers.insert("x-api-key", "k".parse().unwrap());
        headers.insert("content-type", "video/mp4".parse().unwrap());
        log.begin("store:UploadPart", &hyper::Method::PUT, &uri.parse().unwrap(), &headers)
    }

    #[test]
    fn secrets_stay_out_and_the_rest_is_kept() {
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
