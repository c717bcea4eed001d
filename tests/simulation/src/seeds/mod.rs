//! Stories from seeds, very many of them: each is a scenario, played to its end and held against what must come of it.
//!
//! | module | is |
//! | --- | --- |
//! | [`scenario`], `destination`, `settings`, `troubles` | a scenario, as data |
//! | `generate` | how a scenario follows from its seed |
//! | `stage`, `stored` | plays it, and finds what it stored |
//! | `verdict` | how each upload must end |
//! | `invariants` | what holds in every story |
//! | `excuses` | ends that no fault names, each with its reason, and counted |
//! | `story` | what happened, to be compared and to be read |
//! | [`runner`] | many seeds on all cores |

mod destination;
mod excuses;
mod generate;
mod invariants;
mod panics;
pub mod runner;
pub mod scenario;
mod settings;
mod stage;
mod stored;
mod story;
mod troubles;
mod verdict;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

pub use self::destination::Destination;
pub use self::excuses::RARE as RARE_EXCUSES;
pub use self::scenario::Scenario;
pub use self::settings::ServerSettings;
use self::stage::{EndGuard, Stage};

/// The outcome of one seed.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What is wrong with it, if anything is.
    pub failure: Option<String>,
    /// The excuses without which something would be wrong.
    pub excuses: BTreeSet<&'static str>,
    /// The same for the same story.
    pub hash: u64,
    /// How many requests were sent.
    pub requests: usize,
    /// How many of its uploads succeeded at last, and how many there were.
    pub succeeded: (usize, usize),
    /// How many pages there were.
    pub pages: u32,
    /// The story, where it was asked for or something is wrong.
    pub story: Option<String>,
}

/// Plays one seed. `real`: with real bytes. `verbose`: with its story, whatever comes of it.
pub fn play(seed: u64, real: bool, verbose: bool) -> Outcome {
    let stage = Stage::new(Scenario::of(seed, real));
    let _guard = EndGuard(stage.clone());
    let judged = catch_unwind(AssertUnwindSafe(|| {
        stage.play()?;
        verdict::judge(&stage)
    }));
    let (excuses, broken) = match judged {
        Ok(Ok(excuses)) => (excuses, None),
        Ok(Err(broken)) => (BTreeSet::new(), Some(broken)),
        Err(panic) => {
            let words = panics::take().unwrap_or_else(|| format!("{:?}", panic.downcast_ref::<&str>()));
            (BTreeSet::new(), Some(format!("panicked: {words}")))
        }
    };
    let world = &stage.world;
    let histories = stage.histories.borrow();
    let succeeded = histories.iter().filter(|history| matches!(history.result(), Some(Ok(_)))).count();
    let story = (verbose || broken.is_some()).then(|| format!("{}\n{}", stage.scenario.title(), story::text(world)));
    Outcome {
        failure: broken.map(|broken| format!("seed {seed}: {broken}")),
        excuses,
        hash: story::hash(world),
        requests: world.log().records.len(),
        succeeded: (succeeded, histories.len()),
        pages: world.pages(),
        story,
    }
}
