//! What goes wrong, by a script: on which call, how often, and in which way.

use std::fmt;
use std::rc::Rc;

use partway_models::wire::Response;

use crate::rng::Rng;

/// One way in which a request goes wrong.
#[derive(Clone)]
pub enum Fault {
    /// This is answered instead, and nothing takes effect.
    Answer {
        /// The answer.
        response: Response,
        /// Whether a page of another origin may read it.
        readable: bool,
    },
    /// The connection dies after the whole request was read; nothing takes effect.
    ResetBefore,
    /// The connection dies in the middle of the body.
    ResetInBody,
    /// The request takes effect, and its answer is lost.
    ResetAfter,
    /// Bytes stop in the middle of the body, for ever.
    StallInBody,
    /// The request takes effect, and the answer never comes.
    StallAnswer,
    /// The answer takes so many milliseconds more.
    Latency(u64),
    /// The request takes so many milliseconds more until it arrives, after all of it has left.
    Late(u64),
    /// The ETag isn't exposed to the page.
    HideEtag,
    /// The true answer, changed.
    Edit(Rc<dyn Fn(&mut Response)>),
    /// A redirect to another server, which answers 200; nothing takes effect.
    Redirect,
    /// A byte of the body is changed on the way: the server receives, and stores, other bytes.
    Flip,
    /// The browser sends the request twice by itself, as Chromium does when a kept connection dies before the answer.
    Twice,
}

impl Fault {
    /// A status without more, readable by the page.
    pub fn status(status: u16) -> Self {
        Self::Answer { response: Response::empty(status), readable: true }
    }

    /// A status with a body, readable by the page.
    pub fn answer(status: u16, body: &str) -> Self {
        let mut response = Response::empty(status);
        response.body = body.as_bytes().to_vec();
        Self::Answer { response, readable: true }
    }

    /// An answered fault with one more header.
    ///
    /// # Panics
    /// On a fault that answers nothing.
    #[must_use]
    pub fn with(self, name: &str, value: &str) -> Self {
        match self {
            Self::Answer { response, readable } => {
                Self::Answer { response: response.with_header(name, value), readable }
            }
            other => panic!("{other:?} has no headers"),
        }
    }

    /// A sign-in page in place of the answer, as a captive portal or a proxy gives it.
    pub fn portal(readable: bool) -> Self {
        let Self::Answer { response, .. } = Self::answer(200, "<!DOCTYPE html><html><body>Sign in</body></html>")
        else {
            return Self::Redirect;
        };
        let response = response.with_header("content-type", "text/html; charset=utf-8");
        Self::Answer { response, readable }
    }

    /// A store's refusal of an expired URL: 403 without CORS headers (AWS S3).
    pub fn expired() -> Self {
        let body = "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>";
        let mut response = Response::empty(403);
        response.body = body.as_bytes().to_vec();
        Self::Answer { response, readable: false }
    }

    /// The true answer with another body.
    pub fn body(body: &str) -> Self {
        let body = body.as_bytes().to_vec();
        Self::Edit(Rc::new(move |response| response.body = body.clone()))
    }

    /// The true answer with its JSON changed.
    pub fn json(change: impl Fn(&mut serde_json::Value) + 'static) -> Self {
        Self::Edit(Rc::new(move |response| {
            let mut value = response.json_body();
            change(&mut value);
            response.body = value.to_string().into_bytes();
        }))
    }

    /// Faults of one kind exclude each other; those of different kinds come together.
    fn kind(&self) -> u8 {
        match self {
            Self::Latency(_) | Self::Late(_) => 1,
            Self::HideEtag => 2,
            Self::Edit(_) => 3,
            Self::Flip => 4,
            _ => 0,
        }
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer { response, .. } => write!(f, "Answer({})", response.status),
            Self::ResetBefore => f.write_str("ResetBefore"),
            Self::ResetInBody => f.write_str("ResetInBody"),
            Self::ResetAfter => f.write_str("ResetAfter"),
            Self::StallInBody => f.write_str("StallInBody"),
            Self::StallAnswer => f.write_str("StallAnswer"),
            Self::Latency(ms) => write!(f, "Latency({ms})"),
            Self::Late(ms) => write!(f, "Late({ms})"),
            Self::HideEtag => f.write_str("HideEtag"),
            Self::Edit(_) => f.write_str("Edit"),
            Self::Redirect => f.write_str("Redirect"),
            Self::Flip => f.write_str("Flip"),
            Self::Twice => f.write_str("Twice"),
        }
    }
}

/// A fault of the script, and when it happens.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The call's name, or its beginning and `*`.
    pub route: String,
    /// Calls that pass before it happens.
    pub skip: u32,
    /// How often it happens; None for always.
    pub times: Option<u32>,
    /// How likely it is each time.
    pub probability: f64,
    /// What happens.
    pub fault: Fault,
}

/// The script.
#[derive(Debug, Default)]
pub struct Script(Vec<Rule>);

impl Script {
    /// Adds to it.
    pub fn add(&mut self, rule: Rule) {
        self.0.push(rule);
    }

    /// Empties it.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// What happens to the next request of that name: at most one fault of each kind, the first in the script.
    pub fn draw(&mut self, route: &str, rng: &Rng) -> Vec<Fault> {
        let mut drawn: Vec<Fault> = Vec::new();
        for rule in &mut self.0 {
            let taken = drawn.iter().any(|fault| fault.kind() == rule.fault.kind());
            if taken || !matches(&rule.route, route) || rule.times == Some(0) {
                continue;
            }
            if rule.skip > 0 {
                rule.skip -= 1;
                continue;
            }
            if rule.probability < 1.0 && rng.unit() >= rule.probability {
                continue;
            }
            rule.times = rule.times.map(|times| times - 1);
            drawn.push(rule.fault.clone());
        }
        drawn
    }
}

fn matches(pattern: &str, route: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => route.starts_with(beginning),
        None => pattern == route,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(route: &str, skip: u32, times: Option<u32>, fault: Fault) -> Rule {
        Rule { route: route.into(), skip, times, probability: 1.0, fault }
    }

    #[test]
    fn skips_counts_and_ends() {
        let (mut script, rng) = (Script::default(), Rng::new(1));
        script.add(rule("store:*", 1, Some(2), Fault::ResetBefore));
        script.add(rule("store:UploadPart", 0, None, Fault::HideEtag));
        let drawn = |script: &mut Script, route: &str| format!("{:?}", script.draw(route, &rng));
        assert_eq!(drawn(&mut script, "plan:open"), "[]");
        assert_eq!(drawn(&mut script, "store:UploadPart"), "[HideEtag]");
        assert_eq!(drawn(&mut script, "store:UploadPart"), "[ResetBefore, HideEtag]");
        assert_eq!(drawn(&mut script, "store:PutObject"), "[ResetBefore]");
        assert_eq!(drawn(&mut script, "store:PutObject"), "[]");
    }
}
