//! A scenario: which files go where, what goes wrong meanwhile, and how the uploads must end.

use partway::error::Code;
use partway::platform::PageEvent;
use serde_json::Value;

use super::destination::Destination;
use super::settings::ServerSettings;
use super::troubles::Trouble;
use crate::core::Line;
use crate::environment::{Cut, Network};
use crate::fault::Rule;
use crate::hashing::HashWorkers;
use crate::storage::StorageBehavior;
use crate::transform::Transform;
use crate::world::World;

/// How it must end, by construction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// Nothing goes wrong: it succeeds, and nothing is sent twice.
    Calm,
    /// What goes wrong passes, and less often than there are attempts: it succeeds.
    Passing,
    /// Whatever may happen happens: it ends, with a code that what happened explains.
    Storm,
    /// Something goes wrong for good: it ends with one of these.
    Doomed(Vec<Code>),
}

/// One upload.
#[derive(Clone, Debug)]
pub struct PlannedUpload {
    /// The file's name.
    pub name: String,
    /// Its size.
    pub size: u64,
    /// The provider's options.
    pub provider: Value,
    /// When it begins.
    pub after_ms: u64,
}

/// Something that happens to the page or its surroundings.
#[derive(Clone, Debug)]
pub struct Occurrence {
    /// After so many things have happened (see [`World::at_milestone`]) ...
    pub milestone: u32,
    /// ... and so many milliseconds.
    pub delay_ms: u64,
    /// What.
    pub incident: Incident,
}

/// What happens.
#[derive(Clone, Debug)]
pub enum Incident {
    /// The user pauses, and goes on later.
    Pause {
        /// Which upload.
        upload: usize,
        /// For how long.
        ms: u64,
    },
    /// The user cancels.
    Cancel {
        /// Which upload.
        upload: usize,
    },
    /// The page crashes; later another one resumes.
    Crash {
        /// For how long.
        away_ms: u64,
        /// Whether what was to be kept is kept.
        written: bool,
        /// What the record looks like then.
        record: Damage,
        /// What the user does with it.
        discards: bool,
    },
    /// The network is gone for a while.
    Offline {
        /// The state of the network.
        network: Network,
        /// What becomes of requests under way.
        cut: Cut,
        /// For how long.
        ms: u64,
    },
    /// The machine sleeps.
    Nap {
        /// For how long.
        ms: u64,
        /// What becomes of requests under way.
        cut: Cut,
        /// What the page hears of it.
        stir: Option<PageEvent>,
    },
    /// The page hears of something that was nothing.
    PageEvent(PageEvent),
    /// The file is changed on disk.
    Spoil {
        /// Whose.
        upload: usize,
    },
    /// Reads of the file hang from now on.
    Hang {
        /// Whose.
        upload: usize,
    },
}

/// What happened to a kept record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// Nothing.
    None,
    /// A later version of Partway wrote it.
    Newer,
    /// It is no record.
    Garbage,
    /// A member is missing.
    Torn(u64),
}

/// All of it.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The seed that it follows from.
    pub seed: u64,
    /// Where to.
    pub destination: Destination,
    /// How it must end.
    pub expectation: Expectation,
    /// Options of the uploader.
    pub options: Value,
    /// Whether sessions are kept.
    pub resume: bool,
    /// The uploads.
    pub uploads: Vec<PlannedUpload>,
    /// What goes wrong with requests.
    pub(crate) troubles: Vec<Trouble>,
    /// What else happens.
    pub occurrences: Vec<Occurrence>,
    /// The line.
    pub line: Line,
    /// How far the servers' clocks are ahead.
    pub skew_ms: i64,
    /// The database.
    pub storage: StorageBehavior,
    /// Whether the browser says that there is no network, from the beginning to the end.
    pub denied: bool,
    /// The workers that hash.
    pub hash_workers: HashWorkers,
    /// The application's `transform`.
    pub transform: Option<Transform>,
    /// How many reads of the first file come to an end, where not all do.
    pub reads: Option<u32>,
    /// Settings of the servers.
    pub servers: ServerSettings,
    /// Whether files have real bytes.
    pub real: bool,
}
impl Scenario {
    /// Whether the first upload goes in parts.
    pub(super) fn is_multi(&self) -> bool {
        let size = self.uploads[0].size;
        match self.destination {
            Destination::Ofauth if self.servers.headers_layout => size > self.servers.part_size,
            Destination::Ofauth => size > self.servers.threshold,
            Destination::Apifansly | Destination::Form | Destination::Policy => false,
            _ => size >= self.servers.threshold,
        }
    }

    /// Whether an expired URL makes the upload restart, which it does once.
    pub(super) fn renews(&self) -> bool {
        match self.destination {
            Destination::Onlymonster => true,
            Destination::Plan => !self.servers.signs,
            _ => false,
        }
    }

    /// Whether URLs expire while a few answers hang.
    pub(crate) fn short_urls(&self) -> bool {
        self.servers.url_expires_s < 900
    }

    /// Sets a world up for it.
    pub fn prepare(&self, world: &World) {
        world.line(|line| *line = self.line);
        world.skew(self.skew_ms);
        world.storage(self.storage);
        world.says_offline(self.denied);
        world.hash_workers(self.hash_workers);
        world.transform(self.transform);
        self.servers.apply(world);
        for trouble in &self.troubles {
            world.rule(trouble.rule.clone());
        }
    }

    /// What of it can be in a sentence.
    pub fn title(&self) -> String {
        let files: Vec<String> = self.uploads.iter().map(|upload| format!("{} bytes", upload.size)).collect();
        let mut lines = vec![
            format!(
                "{:?}, {:?}: {}; options {}; resume {}",
                self.destination,
                self.expectation,
                files.join(", "),
                self.options,
                self.resume
            ),
            format!("  {:?}, servers {} ms ahead, {:?}", self.line, self.skew_ms, self.storage),
            format!(
                "  the browser denies the network: {}, reads: {:?}, hashing: {:?}, transform: {:?}",
                self.denied, self.reads, self.hash_workers, self.transform
            ),
            format!("  {:?}", self.servers),
        ];
        lines.extend(self.uploads.iter().map(|upload| format!("  {} after {} ms", upload.provider, upload.after_ms)));
        let rule = |rule: &Rule| {
            format!("{} x{:?} p{} after {}: {:?}", rule.route, rule.times, rule.probability, rule.skip, rule.fault)
        };
        lines.extend(self.troubles.iter().map(|trouble| format!("  trouble: {}", rule(&trouble.rule))));
        lines.extend(self.occurrences.iter().map(|occurrence| {
            format!(
                "  turn: {:?} {} ms after milestone {}",
                occurrence.incident, occurrence.delay_ms, occurrence.milestone
            )
        }));
        lines.join("\n")
    }
}
