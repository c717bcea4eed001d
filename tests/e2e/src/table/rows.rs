//! The rows, in the order in which they are printed.

mod answers;
mod broken;
mod changed;
mod control;
mod foreign;
mod hashing;
mod once;
mod resumed;
mod spell;
mod stalled;
mod underway;
mod unreadable;

use anyhow::Result;
use futures::FutureExt;
use futures::future::LocalBoxFuture;

use super::case::{Case, Ending};

/// A row of the table.
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) run: for<'a> fn(Case<'a>) -> LocalBoxFuture<'a, Result<Ending>>,
}

macro_rules! rows {
    ($($name:literal => $run:path,)*) => {
        &[$(Row { name: $name, run: |case| $run(case).boxed_local() },)*]
    };
}

/// All rows.
pub(super) const ALL: &[Row] = rows! {
    "reset before it took effect" => broken::reset_before,
    "reset midway in the body" => broken::reset_midway,
    "reset after it took effect" => broken::reset_after,
    "503 with Retry-After" => answers::unavailable,
    "429" => answers::too_many,
    "stall before the body" => stalled::before_the_body,
    "stall within the body" => stalled::within_the_body,
    "stall before the answer" => stalled::before_the_answer,
    "expired URL" => answers::expired,
    "hidden ETag" => answers::hidden_etag,
    "redirect to a sign-in page" => foreign::redirected,
    "sign-in page in place of the answer" => foreign::in_place,
    "no CORS rule" => unreadable::no_rule,
    "forbidden by the page's own policy" => unreadable::forbidden,
    "lost answer: begin" => once::begin,
    "lost answer: finish" => once::finish,
    "lost answer: what is paid for" => once::paid,
    "kept connection dies" => once::kept,
    "offline spell" => spell::silent,
    "offline, and the browser says so" => spell::told,
    "paused midway and resumed" => control::paused,
    "cancelled midway" => control::cancelled,
    "reloaded midway" => resumed::reloaded,
    "killed midway" => resumed::killed,
    "file changed midway" => changed::changed,
    "hashed in a worker" => hashing::in_a_worker,
    "hashed in a worker of its file" => hashing::of_its_file,
    "hashed in a worker that the page names" => hashing::of_a_named_file,
    "hashed on the page" => hashing::on_the_page,
};
