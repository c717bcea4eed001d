//! A server between the page and the destination answers: a proxy's sign-in page, a captive portal.

use anyhow::Result;
use serde_json::{Value, json};

use super::super::case::{Case, Ended, Ending};
use super::broken;
use crate::destination::Destination;

const PAGE: &str = "<!DOCTYPE html><html><body>Sign in</body></html>";

/// The transport that reports progress follows it, and gets a 200.
pub(super) async fn redirected(case: Case<'_>) -> Result<Ending> {
    let at = &case.stage.sandbox.at;
    let (portal, route) = match case.destination {
        Destination::Apifansly => (&at.ofauth, "ofauth:*"),
        _ => (&at.apifansly, "apifansly:*"),
    };
    let headers = json!({ "location": format!("{portal}/sign-in") });
    let faults = json!([
        case.on_bytes(json!({ "skip": 1, "times": 1, "effect": { "kind": "status", "status": 302, "headers": headers } })),
        { "route": route, "effect": page() },
    ]);
    ended(case.upload(faults, |_| {}).await?).await
}

/// With CORS headers, or from the page's own origin.
pub(super) async fn in_place(case: Case<'_>) -> Result<Ending> {
    let fault = case.on_bytes(json!({ "skip": 1, "times": 1, "effect": page() }));
    ended(case.upload(json!([fault]), |_| {}).await?).await
}

fn page() -> Value {
    json!({ "kind": "status", "status": 200, "headers": { "content-type": "text/html" }, "body": PAGE })
}

/// A part is sent again; whether a form arrived is unknown.
async fn ended(ended: Ended<'_>) -> Result<Ending> {
    match ended.case.destination {
        Destination::Apifansly | Destination::Form => broken::unknown(&ended),
        _ => broken::repeated(&ended).await,
    }
}
