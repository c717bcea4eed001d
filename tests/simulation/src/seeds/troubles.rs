//! What goes wrong with requests: which faults a call of which provider may meet, and what each may lead to.

use std::rc::Rc;

use partway::error::Code;
use partway_models::wire::Response;

use super::destination::Destination;
use crate::fault::{Fault, Rule};
use crate::rng::Rng;

/// One of them.
#[derive(Clone, Debug)]
pub(crate) struct Trouble {
    /// When it happens, and what.
    pub(crate) rule: Rule,
    /// Whether it makes the upload restart, which it does once.
    pub(crate) restarts: bool,
    /// Codes that it may end an upload with, where it happens too often.
    pub(crate) codes: Vec<Code>,
}

/// What a choice depends on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Surroundings {
    /// The provider.
    pub(crate) destination: Destination,
    /// Whether calls that must not be repeated carry keys, and somebody minds them.
    pub(crate) keyed: bool,
    /// Whether a server of the application's own names a job.
    pub(crate) polls: bool,
    /// Whether a form may arrive twice.
    pub(crate) repeats: bool,
    /// Whether ETags are checked.
    pub(crate) integrity: bool,
    /// Whether the file goes in parts.
    pub(crate) multi: bool,
}

/// A kind of call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// JSON with a vendor; may be repeated, or is reconciled.
    Call,
    /// A function of the application that may be called again.
    Hook,
    /// A function of the application that is called once.
    HookOnce,
    /// A part for a store.
    Part,
    /// XML with a store.
    Xml,
    /// A part for a vendor.
    VendorPart,
    /// The form, which is sent once.
    Form,
}

/// The calls of a provider: a weight, the route, and its kind. The first is one that is made whatever happens.
fn routes(surroundings: &Surroundings) -> Vec<(u64, (&'static str, Kind))> {
    let multi = surroundings.multi;
    let bytes = if multi { "store:UploadPart" } else { "store:PutObject" };
    match surroundings.destination {
        Destination::Ofauth => vec![
            (2, ("ofauth:init", Kind::Call)),
            (4, (if multi { "ofauth:part" } else { "ofauth:single" }, Kind::VendorPart)),
            (1, ("ofauth:check", Kind::Call)),
            (2 * u64::from(multi), ("ofauth:complete", Kind::Call)),
        ],
        Destination::Onlymonster => vec![
            (2, ("onlymonster:start", Kind::Call)),
            (4, (bytes, Kind::Part)),
            (2 * u64::from(multi), ("onlymonster:finish", Kind::Call)),
            (3, ("onlymonster:export", Kind::Call)),
            (1, ("onlymonster:list", Kind::Call)),
        ],
        Destination::Apifansly => vec![(3, ("apifansly:upload", Kind::Form)), (2, ("apifansly:status", Kind::Call))],
        Destination::Form => vec![
            (3, ("form:upload", if surroundings.repeats { Kind::VendorPart } else { Kind::Form })),
            (2 * u64::from(surroundings.polls), ("form:status", Kind::Call)),
        ],
        Destination::Policy => vec![(4, ("store:PostObject", Kind::Part)), (2, ("form:fields", Kind::Hook))],
        Destination::S3 => vec![
            (2, ("credentials", Kind::Hook)),
            (4, (bytes, Kind::Part)),
            (2 * u64::from(multi), ("store:CreateMultipartUpload", Kind::Xml)),
            (3 * u64::from(multi), ("store:CompleteMultipartUpload", Kind::Xml)),
            (1, ("store:HeadObject", Kind::Xml)),
            (1, ("store:ListParts", Kind::Xml)),
        ],
        Destination::Plan => vec![
            (1, ("plan:open", Kind::HookOnce)),
            (4, (bytes, Kind::Part)),
            (2, ("plan:sign", Kind::Hook)),
            (1, ("plan:list", Kind::Hook)),
            (2, ("plan:complete", Kind::HookOnce)),
        ],
    }
}

fn trouble(route: &str, skip: u64, fault: Fault, codes: &[Code]) -> Trouble {
    let rule = Rule { route: route.into(), skip: skip as u32, times: Some(1), probability: 1.0, fault };
    Trouble { rule, restarts: false, codes: codes.to_vec() }
}

/// A part whose bytes are changed on the way to the store.
pub(crate) fn damage(rng: &Rng, destination: Destination, multi: bool) -> Trouble {
    let route = match destination {
        Destination::Policy => "store:PostObject",
        _ if multi => "store:UploadPart",
        _ => "store:PutObject",
    };
    trouble(route, rng.between(0, 4), Fault::Flip, &[Code::IntegrityMismatch])
}

/// A trouble that passes, on a call that may be repeated or reconciled. `may_restart`: it may cost the session.
pub(crate) fn passing(rng: &Rng, surroundings: &Surroundings, may_restart: bool) -> Trouble {
    loop {
        let (route, kind) = rng.pick(&routes(surroundings));
        let skip = rng.pick(&[(3, 0), (1, rng.between(0, 6))]);
        let Some((fault, codes)) = transient(rng, (route, kind), surroundings) else { continue };
        let expired = matches!(&fault, Fault::Answer { response, .. } if response.status == 403);
        let renewable = matches!(surroundings.destination, Destination::S3 | Destination::Policy);
        if expired && !(renewable || may_restart) {
            continue;
        }
        let mut made = trouble(route, skip, fault, &codes);
        made.restarts = expired && !renewable;
        return made;
    }
}

/// Any trouble at all.
pub(crate) fn any(rng: &Rng, surroundings: &Surroundings) -> Trouble {
    let (route, kind) = rng.pick(&routes(surroundings));
    let (fault, codes) = match transient(rng, (route, kind), surroundings).filter(|_| !rng.chance(25)) {
        Some(transient) => transient,
        None => rough(rng, kind, surroundings),
    };
    trouble(route, rng.between(0, 4), fault, &codes)
}

/// An answer that is given in place of the true one, though it took effect.
fn instead(response: Response) -> Fault {
    Fault::Edit(Rc::new(move |answer: &mut Response| *answer = response.clone()))
}

fn busy(rng: &Rng) -> (Fault, Vec<Code>) {
    let upload = rng.pick(&[(2, None), (1, Some("0")), (2, Some("2")), (1, Some("40"))]);
    let status = rng.pick(&[(2, 429), (3, 503), (1, 500), (1, 502), (1, 408)]);
    let fault = Fault::status(status);
    let fault = match upload {
        Some(seconds) if status == 429 || status == 503 => fault.with("retry-after", seconds),
        _ => fault,
    };
    (
        fault,
        vec![match status {
            429 => Code::RateLimited,
            408 => Code::Network,
            _ => Code::Server,
        }],
    )
}

/// Somebody between answers, before the request took effect or after.
fn portal(rng: &Rng) -> Fault {
    match rng.between(0, 4) {
        0 => Fault::Redirect,
        1 => Fault::portal(true),
        2 => Fault::portal(false),
        _ => match Fault::portal(true) {
            Fault::Answer { response, .. } => instead(response),
            other => other,
        },
    }
}

/// A fault that another try mends, and what it is called where no other try is left.
fn transient(rng: &Rng, (route, kind): (&str, Kind), surroundings: &Surroundings) -> Option<(Fault, Vec<Code>)> {
    let lost = vec![Code::Network];
    let hung = vec![Code::Stalled];
    let slow = || (Fault::Latency(rng.between(100, 20_000)), Vec::new());
    let store_says = |status: u16, code: &str| {
        Fault::answer(status, &format!("<Error><Code>{code}</Code><Message>as scripted</Message></Error>"))
    };
    let has_body = route != "store:HeadObject";
    Some(match kind {
        Kind::Call => match rng.between(0, 10) {
            9 => (portal(rng), lost),
            0 => (Fault::ResetBefore, lost),
            1 => (Fault::ResetAfter, lost),
            2 => (Fault::StallInBody, hung),
            3 => (Fault::StallAnswer, hung),
            4 | 5 => busy(rng),
            6 => (instead(Response::empty(502)), vec![Code::Server]),
            7 if surroundings.keyed => (Fault::Twice, Vec::new()),
            _ => slow(),
        },
        Kind::Hook => match rng.between(0, 4) {
            0 => (Fault::ResetBefore, vec![Code::Application]),
            1 => (Fault::ResetAfter, vec![Code::Application]),
            2 => (Fault::status(503), vec![Code::Application]),
            _ => slow(),
        },
        Kind::HookOnce => slow(),
        Kind::Part | Kind::VendorPart => match rng.between(0, 13) {
            12 => (portal(rng), lost),
            0 => (Fault::ResetBefore, lost),
            1 => (Fault::ResetInBody, lost),
            2 => (Fault::ResetAfter, lost),
            3 => (Fault::StallInBody, hung),
            4 => (Fault::StallAnswer, hung),
            5 => busy(rng),
            6 if kind == Kind::Part => (store_says(503, "SlowDown").with("retry-after", "1"), vec![Code::RateLimited]),
            7 if kind == Kind::Part => (store_says(400, "RequestTimeout"), lost),
            8 if kind == Kind::Part => match surroundings.destination {
                // Where the refusal can't be read it looks like a lost connection, which is retried.
                Destination::S3 => (Fault::expired(), vec![Code::UrlExpired, Code::Network]),
                _ => (readable_expiry(surroundings), vec![Code::UrlExpired]),
            },
            9 if kind == Kind::Part => (Fault::Answer { response: Response::empty(503), readable: false }, lost),
            10 if kind == Kind::Part && surroundings.integrity && surroundings.multi => {
                let other = |answer: &mut Response| {
                    if answer.status == 200 {
                        answer.headers.insert("etag", "\"0123456789abcdef0123456789abcdef\"");
                    }
                };
                (Fault::Edit(Rc::new(other)), vec![Code::IntegrityMismatch])
            }
            11 if surroundings.keyed || surroundings.multi => (Fault::Twice, Vec::new()),
            _ => slow(),
        },
        Kind::Xml => match rng.between(0, 9) {
            8 if has_body => (portal(rng), lost),
            0 => (Fault::ResetBefore, lost),
            1 => (Fault::ResetAfter, lost),
            2 => (Fault::StallInBody, hung),
            3 => (Fault::StallAnswer, hung),
            4 => (store_says(503, "SlowDown"), vec![Code::RateLimited]),
            // An answer that began well (AWS, CompleteMultipartUpload).
            5 if has_body => (store_says(200, "InternalError"), vec![Code::Server]),
            6 => busy(rng),
            _ => slow(),
        },
        // Whether it arrived is open after some of them: that is an end too, and no second form.
        Kind::Form => match rng.between(0, 8) {
            7 => (portal(rng), vec![Code::OutcomeUnknown]),
            0 => (Fault::ResetInBody, lost),
            1 => (Fault::StallInBody, hung),
            4 => (Fault::ResetAfter, vec![Code::OutcomeUnknown]),
            5 => (instead(Response::empty(502)), vec![Code::OutcomeUnknown]),
            2 => (Fault::status(429).with("x-ratelimit-retry-after", "3"), vec![Code::RateLimited]),
            3 if surroundings.keyed => (Fault::Twice, Vec::new()),
            _ => slow(),
        },
    })
}

fn readable_expiry(surroundings: &Surroundings) -> Fault {
    let message = match surroundings.destination {
        Destination::Policy => "Invalid according to Policy: Policy expired.",
        _ => "Request has expired",
    };
    Fault::answer(403, &format!("<Error><Code>AccessDenied</Code><Message>{message}</Message></Error>"))
}

/// A fault that may well end an upload.
fn rough(rng: &Rng, kind: Kind, surroundings: &Surroundings) -> (Fault, Vec<Code>) {
    let garbled = || Fault::body(rng.pick(&[(1, ""), (1, "<html>busy</html>"), (1, "{\"a\":"), (1, "[]"), (1, "{}")]));
    // There is nothing that could have expired.
    let by_form = matches!(surroundings.destination, Destination::Form | Destination::Policy);
    let not_found = if by_form { Code::BadRequest } else { Code::SessionExpired };
    match kind {
        Kind::Call => match rng.between(0, 4) {
            0 => (
                garbled(),
                vec![Code::Server, Code::Network, Code::OutcomeUnknown, Code::PlanMismatch, Code::BadRequest],
            ),
            1 => (Fault::status(404), vec![Code::SessionExpired, Code::BadRequest, Code::OutcomeUnknown]),
            2 => (Fault::status(403), vec![Code::Forbidden, Code::OutcomeUnknown]),
            _ => (Fault::status(429).with("retry-after", "3600"), vec![Code::RateLimited]),
        },
        Kind::Hook | Kind::HookOnce => match rng.between(0, 4) {
            0 => (Fault::ResetBefore, vec![Code::Application]),
            1 => (Fault::ResetAfter, vec![Code::Application, Code::OutcomeUnknown]),
            2 => (Fault::StallAnswer, vec![Code::Application, Code::Stalled, Code::OutcomeUnknown]),
            _ => (Fault::StallInBody, vec![Code::Application, Code::Stalled, Code::OutcomeUnknown]),
        },
        Kind::Part | Kind::Xml => match rng.between(0, 4) {
            0 => (readable_expiry(surroundings), vec![Code::UrlExpired, Code::Unauthorized]),
            1 => (Fault::status(404), vec![not_found]),
            2 => (Fault::HideEtag, vec![Code::EtagNotExposed, Code::IntegrityMismatch]),
            _ => (Fault::status(429).with("retry-after", "3600"), vec![Code::RateLimited]),
        },
        Kind::VendorPart => match rng.between(0, 3) {
            0 => (Fault::status(404), vec![not_found, Code::OutcomeUnknown]),
            // A refusal that can't be read doesn't say that the session has expired.
            1 if surroundings.repeats => (garbled(), vec![Code::Application, Code::Network]),
            1 => (garbled(), vec![Code::Server, Code::Network, Code::OutcomeUnknown, Code::BadRequest]),
            _ => (Fault::status(429).with("retry-after", "3600"), vec![Code::RateLimited, Code::OutcomeUnknown]),
        },
        Kind::Form => match rng.between(0, 5) {
            0 => (Fault::ResetBefore, vec![Code::OutcomeUnknown]),
            1 => (Fault::ResetAfter, vec![Code::OutcomeUnknown]),
            2 => (Fault::StallAnswer, vec![Code::OutcomeUnknown]),
            3 => (Fault::status(502), vec![Code::OutcomeUnknown]),
            // The application's `parse` throws.
            _ if surroundings.destination == Destination::Form => {
                (garbled(), vec![Code::Application, Code::OutcomeUnknown])
            }
            _ => (garbled(), vec![Code::OutcomeUnknown]),
        },
    }
}

/// A trouble that stays, on a call that is made whatever happens; and what an upload must end with.
pub(crate) fn doom(rng: &Rng, surroundings: &Surroundings) -> (Trouble, Vec<Code>) {
    let every = routes(surroundings);
    let certain: Vec<_> =
        every.into_iter().take(2).filter(|(weight, (_, kind))| *weight > 0 && *kind != Kind::Hook).collect();
    let (route, kind) = rng.pick(&certain);
    let refusals = [
        (1, (Fault::status(401), vec![Code::Unauthorized])),
        (1, (Fault::status(403), vec![Code::Forbidden])),
        (1, (Fault::status(413), vec![Code::TooLarge])),
        (1, (Fault::status(415), vec![Code::UnsupportedType])),
        (1, (Fault::status(400), vec![Code::BadRequest])),
    ];
    let unknown_too = |code: Code| vec![code, Code::OutcomeUnknown];
    let failures = [
        (1, (Fault::ResetBefore, unknown_too(Code::Network))),
        (1, (Fault::ResetInBody, vec![Code::Network])),
        (1, (Fault::StallInBody, vec![Code::Stalled])),
        (1, (Fault::StallAnswer, unknown_too(Code::Stalled))),
        (1, (Fault::status(500), unknown_too(Code::Server))),
        (1, (Fault::status(429), vec![Code::RateLimited])),
        (1, (Fault::status(429).with("retry-after", "3600"), vec![Code::RateLimited])),
    ];
    let (fault, codes) = match kind {
        Kind::Call => rng.pick(&[&refusals[..], &failures[..]].concat()),
        Kind::Part | Kind::Xml => {
            let special = [(1, (readable_expiry(surroundings), vec![Code::UrlExpired, Code::Unauthorized]))];
            rng.pick(&[&refusals[..], &failures[..], &special[..]].concat())
        }
        Kind::VendorPart | Kind::Form => rng.pick(&[&refusals[..], &failures[..]].concat()),
        Kind::Hook | Kind::HookOnce => (Fault::ResetBefore, vec![Code::Application]),
    };
    // A transport that doesn't tell leaves it open whether what ends an upload went out, and so does a body too small to tell
    // of.
    let unclear = kind == Kind::Form || (kind == Kind::VendorPart && !surroundings.multi);
    let codes = if unclear { [codes, vec![Code::OutcomeUnknown]].concat() } else { codes };
    // What is there already is asked about until the bound.
    let polls = matches!(route, "apifansly:status" | "form:status");
    let codes = if polls { [codes, vec![Code::ProcessingTimeout]].concat() } else { codes };
    let mut made = trouble(route, 0, fault, &codes);
    made.rule.times = None;
    (made, codes)
}
