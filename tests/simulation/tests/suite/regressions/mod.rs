//! Failures that seeds and long runs found, each as a test of its own, with shared helpers.

mod network;
mod refusals;
mod sessions;
mod urls;

use partway_simulation::uploader::Beginning;
use partway_simulation::{Fault, File, Handle, Uploader, World};
use serde_json::{Value, json};

const HOUR: u64 = 3_600_000;

fn ofauth() -> Value {
    json!({ "name": "ofauth", "baseUrl": "/api/ofauth", "skipExisting": false })
}

fn onlymonster() -> Value {
    json!({ "name": "onlymonster", "baseUrl": "/api/onlymonster", "accountId": "1001", "exportType": "post" })
}

fn apifansly() -> Value {
    json!({ "name": "apifansly", "baseUrl": "/api/apifansly", "accountId": "2002" })
}

fn s3() -> Value {
    crate::s3::with(json!({}))
}

fn plan() -> Value {
    json!({ "name": "plan" })
}

/// One upload whose session is saved.
pub(crate) fn begin(world: &World, provider: Value, size: u64) -> (Uploader, Handle, u64, File) {
    let (uploader, session, file) = (world.uploader(json!({})), world.session(), world.file("clip.mp4", size));
    let upload = uploader.begin(provider, &file, Some(session), Beginning::New);
    (uploader, upload, session, file)
}

/// The next page resumes the upload from its saved session.
pub(crate) fn resume(world: &World, upload: &Handle, session: u64, file: &File) -> Handle {
    let kept = world.kept(session).expect("a session was saved");
    world.uploader(json!({})).begin(upload.provider().clone(), file, Some(session), Beginning::Kept(kept))
}

/// Runs the world until a condition holds, and not a millisecond longer.
pub(crate) fn run_until(world: &World, what: &str, holds: impl Fn() -> bool) {
    while !holds() {
        assert!(world.elapsed() < HOUR, "{what} never holds");
        world.run_for(1);
    }
}

/// Runs the world until a request of that name has taken effect.
pub(crate) fn run_until_effect(world: &World, route: &str) {
    run_until(world, &format!("an effect of {route}"), || world.effects(route) > 0);
}

/// S3's refusal where a permission is missing.
fn refusal() -> Fault {
    let body = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
    Fault::answer(403, body).with("content-type", "application/xml")
}
