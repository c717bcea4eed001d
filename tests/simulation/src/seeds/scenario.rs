//! What a seed says: which file goes where, what goes wrong meanwhile, and what must come of it.

use partway::error::Code;
use partway::platform::PageEvent;
use serde_json::{Value, json};

use super::knobs::Knobs;
use super::troubles::{self, Trouble};
use crate::core::Line;
use crate::environment::{Cut, Network};
use crate::fault::Rule;
use crate::rng::Rng;
use crate::servers::{STORE, STORE_TWO};
use crate::storage::StorageBehavior;
use crate::world::World;

pub(crate) const KIB: u64 = 1 << 10;
pub(crate) const MIB: u64 = 1 << 20;

/// The five.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// OFAuth.
    Ofauth,
    /// Onlymonster.
    Onlymonster,
    /// apifansly.
    Apifansly,
    /// A store with temporary credentials.
    S3,
    /// The application's own plan.
    Plan,
}

/// What must come of it, by construction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Class {
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
pub struct Wish {
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
pub struct Turn {
    /// After so many things have happened (see [`World::at_milestone`]) ...
    pub milestone: u32,
    /// ... and so many milliseconds.
    pub delay_ms: u64,
    /// What.
    pub what: What,
}

/// What happens.
#[derive(Clone, Debug)]
pub enum What {
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
    /// The page is gone; later another one goes on.
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
        /// In which way.
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
    Event(PageEvent),
    /// The file is changed on disk.
    Spoil {
        /// Whose.
        upload: usize,
    },
    /// The file's bytes come no more.
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
    /// What it follows from.
    pub seed: u64,
    /// Where to.
    pub who: Who,
    /// What must come of it.
    pub class: Class,
    /// Options of the uploader.
    pub options: Value,
    /// Whether sessions are kept.
    pub resume: bool,
    /// The uploads.
    pub wishes: Vec<Wish>,
    /// What goes wrong with requests.
    pub(crate) troubles: Vec<Trouble>,
    /// What else happens.
    pub turns: Vec<Turn>,
    /// The line.
    pub line: Line,
    /// How far the servers' clocks are ahead.
    pub skew_ms: i64,
    /// The database.
    pub storage: StorageBehavior,
    /// Whether the browser says that there is no network, from the beginning to the end.
    pub denied: bool,
    /// How many reads of the first file come to an end, where not all do.
    pub reads: Option<u32>,
    /// Settings of the servers.
    pub knobs: Knobs,
    /// Whether files have real bytes.
    pub real: bool,
}

/// A choice by weight.
pub(crate) fn pick<T: Clone>(rng: &Rng, choices: &[(u64, T)]) -> T {
    let total: u64 = choices.iter().map(|(weight, _)| weight).sum();
    let mut at = rng.between(0, total);
    for (weight, choice) in choices {
        if at < *weight {
            return choice.clone();
        }
        at -= weight;
    }
    choices[0].1.clone()
}

pub(crate) fn chance(rng: &Rng, percent: u64) -> bool {
    rng.between(0, 100) < percent
}

impl Scenario {
    /// What a seed says. `real`: with bytes, so with small files.
    pub fn of(seed: u64, real: bool) -> Self {
        let rng = &Rng::new(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ 0x5ce9_a210);
        let who =
            pick(rng, &[(1, Who::Ofauth), (1, Who::Onlymonster), (1, Who::Apifansly), (1, Who::S3), (1, Who::Plan)]);
        let kind = rng.between(0, 100);
        let attempts = pick(rng, &[(6, 8), (1, 6), (1, 10)]);
        let resume = chance(rng, 85);
        let integrity = pick(rng, &[(6, "auto"), (2, "off"), (1, "require")]);
        let integrity = if integrity == "require" && !matches!(who, Who::S3 | Who::Plan | Who::Onlymonster) {
            "auto"
        } else {
            integrity
        };
        let knobs = Knobs::of(rng, who, (60..90).contains(&kind));
        let uploads = pick(rng, &[(12, 1), (3, 2), (1, 3)]);
        let direct = who != Who::S3 && who != Who::Plan && chance(rng, 12);
        let wishes = (0..uploads).map(|index| wish(rng, who, &knobs, index, direct, (seed, real))).collect::<Vec<_>>();
        let mut options = json!({
            "concurrency": rng.between(1, 7),
            "integrity": integrity,
            "retry": { "attempts": attempts },
        });
        if chance(rng, 8) {
            options["idempotencyKeys"] = json!(!direct && chance(rng, 50));
        }
        let keyed = !direct && options["idempotencyKeys"] != json!(false);
        let mut scenario = Self {
            seed,
            who,
            class: Class::Calm,
            options,
            resume,
            wishes,
            troubles: Vec::new(),
            turns: Vec::new(),
            line: Line {
                latency: pick(rng, &[(4, (5, 40)), (1, (0, 3)), (2, (50, 400))]),
                bytes_per_ms: pick(rng, &[(1, 1_000), (3, 5_000), (2, 50_000)]),
                reports: chance(rng, 60),
                tells_each_ms: 1_000,
                ..Line::default()
            },
            skew_ms: pick(rng, &[(9, 0), (1, 40_000), (1, -40_000), (1, 7_500_000), (1, -7_500_000)]),
            storage: StorageBehavior::default(),
            denied: false,
            reads: None,
            knobs,
            real,
        };
        let surroundings =
            troubles::Surroundings { who, keyed, integrity: integrity != "off", multi: scenario.is_multi() };
        match kind {
            0..12 => {}
            12..60 => scenario.passing(rng, &surroundings, attempts),
            60..90 => scenario.storm(rng, &surroundings),
            _ => {
                let (trouble, codes) = troubles::doom(rng, &surroundings);
                scenario.troubles.push(trouble);
                scenario.wishes.truncate(1);
                scenario.skew_ms = 0;
                scenario.class = Class::Doomed(codes);
            }
        }
        // What came to the scenarios later is drawn last, so that the rest of each stays what it was.
        scenario.surround(rng);
        scenario
    }

    /// The line, the browser's word about the network, and reads.
    fn surround(&mut self, rng: &Rng) {
        let calm = self.class == Class::Calm;
        if chance(rng, if calm { 60 } else { 15 }) {
            self.slow_down(rng);
        }
        let goes = |turn: &Turn| matches!(turn.what, What::Offline { network: Network::Gone, .. });
        self.denied = chance(rng, 8) && !self.turns.iter().any(goes);
        if calm && chance(rng, 8) {
            // It is read twice before anything is opened.
            self.reads = Some(rng.between(0, 2) as u32);
            self.wishes.truncate(1);
            self.class = Class::Doomed(vec![Code::FileUnreadable]);
        }
        if self.class == Class::Storm && chance(rng, 8) {
            let upload = rng.between(0, self.wishes.len() as u64) as usize;
            self.turn(rng, What::Hang { upload });
        }
    }

    /// A line that all connections share, behind buffers. Not slower than what a line is granted before anything of it is known, nor
    /// so slow that signatures run out.
    fn slow_down(&mut self, rng: &Rng) {
        let total: u64 = self.wishes.iter().map(|wish| wish.size).sum();
        let tries = 2 + self.troubles.len() as u64;
        let rate = pick(rng, &[(4, 40), (2, 125), (1, 1_000)]).max(total * tries / 2_700_000);
        self.line.shared_bytes_per_ms = Some(rate);
        self.line.bytes_per_ms = 100_000;
        self.line.buffer = pick(rng, &[(1, 0), (1, 64 * KIB), (1, 256 * KIB), (2, 4 * MIB), (1, 64 * MIB)]);
        self.line.connections = pick(rng, &[(2, None), (1, Some(6)), (1, Some(2))]);
        self.knobs.credentials_ms = 3_600_000;
    }

    /// Whether the first upload goes in parts.
    fn is_multi(&self) -> bool {
        let size = self.wishes[0].size;
        match self.who {
            Who::Ofauth if self.knobs.headers_layout => size > self.knobs.part_size,
            Who::Ofauth => size > self.knobs.threshold,
            Who::Apifansly => false,
            _ => size >= self.knobs.threshold,
        }
    }

    fn milestone(&self, rng: &Rng) -> u32 {
        pick(rng, &[(3, rng.between(0, 12) as u32), (4, rng.between(0, 45) as u32), (1, rng.between(0, 200) as u32)])
    }

    fn turn(&mut self, rng: &Rng, what: What) {
        let milestone = self.milestone(rng);
        let delay_ms = pick(rng, &[(3, 0), (2, rng.between(0, 50)), (1, rng.between(0, 3_000))]);
        self.turns.push(Turn { milestone, delay_ms, what });
    }

    fn passing(&mut self, rng: &Rng, surroundings: &troubles::Surroundings, attempts: u32) {
        self.class = Class::Passing;
        let budget = rng.between(0, u64::from(attempts.min(8)) - 3);
        let mut anew = self.renews();
        for _ in 0..budget {
            let trouble = troubles::passing(rng, surroundings, anew);
            anew &= !trouble.begins_anew;
            self.troubles.push(trouble);
        }
        // URLs that can't be renewed mustn't lapse too.
        let lapses = !matches!(self.who, Who::S3 | Who::Plan) || self.renews();
        for _ in 0..pick(rng, &[(4, 0), (4, 1), (2, 2)]) {
            let upload = rng.between(0, self.wishes.len() as u64) as usize;
            let cut = pick(rng, &[(1, Cut::Reset), (1, Cut::Silence)]);
            let what = match rng.between(0, 10) {
                0..2 => What::Pause { upload, ms: rng.between(1, if lapses { 90_000 } else { 7_200_000 }) },
                2..6 => What::Crash {
                    away_ms: pick(rng, &[(3, rng.between(1_000, 5_000)), (1, rng.between(1_000, 900_000))]),
                    written: chance(rng, 50),
                    record: Damage::None,
                    discards: false,
                },
                6..8 => match rng.between(0, 3) {
                    0 => What::Offline { network: Network::Gone, cut, ms: rng.between(1, 400_000) },
                    1 => What::Offline { network: Network::Silent, cut, ms: rng.between(1, 20_000) },
                    _ => What::Offline { network: Network::Failing, cut, ms: rng.between(1, 800) },
                },
                8 => What::Nap {
                    ms: rng.between(1_000, if lapses { 300_000 } else { 10_000_000 }),
                    cut,
                    stir: pick(rng, &[(1, None), (1, Some(PageEvent::Visible)), (1, Some(PageEvent::Online))]),
                },
                _ => What::Event(pick(rng, &[(1, PageEvent::Visible), (1, PageEvent::Online)])),
            };
            self.turn(rng, what);
        }
        if chance(rng, 10) {
            let upload = rng.between(0, self.wishes.len() as u64) as usize;
            self.turn(rng, What::Cancel { upload });
        }
        self.line.ghosts = pick(rng, &[(2, 0.0), (1, 0.5)]);
        self.storage = storage_behavior(rng);
    }

    /// Whether a URL that lapsed means an upload that begins anew, which it does once.
    fn renews(&self) -> bool {
        match self.who {
            Who::Onlymonster => true,
            Who::Plan => !self.knobs.signs,
            _ => false,
        }
    }

    fn storm(&mut self, rng: &Rng, surroundings: &troubles::Surroundings) {
        self.class = Class::Storm;
        for _ in 0..rng.between(1, 6) {
            let mut trouble = troubles::any(rng, surroundings);
            trouble.rule.probability = pick(rng, &[(1, 0.05), (2, 0.2), (1, 0.6)]);
            trouble.rule.times = pick(rng, &[(1, None), (2, Some(12))]);
            self.troubles.push(trouble);
        }
        for _ in 0..rng.between(0, 4) {
            let upload = rng.between(0, self.wishes.len() as u64) as usize;
            let cut = pick(rng, &[(1, Cut::Reset), (1, Cut::Silence)]);
            let what = match rng.between(0, 12) {
                0 => What::Pause { upload, ms: rng.between(1, 8_000_000) },
                1..6 => What::Crash {
                    away_ms: pick(rng, &[(3, rng.between(1_000, 5_000)), (1, rng.between(1_000, 9_000_000))]),
                    written: chance(rng, 50),
                    record: pick(
                        rng,
                        &[(8, Damage::None), (1, Damage::Newer), (1, Damage::Garbage), (1, Damage::Torn(rng.next()))],
                    ),
                    discards: chance(rng, 8),
                },
                6..8 => What::Offline {
                    network: pick(rng, &[(1, Network::Gone), (1, Network::Silent), (1, Network::Failing)]),
                    cut,
                    ms: rng.between(1, 4_000_000),
                },
                8 => What::Nap {
                    ms: rng.between(1_000, 20_000_000),
                    cut,
                    stir: pick(rng, &[(1, None), (1, Some(PageEvent::Visible)), (1, Some(PageEvent::Online))]),
                },
                9 => What::Event(pick(rng, &[(1, PageEvent::Visible), (1, PageEvent::Online)])),
                10 => What::Spoil { upload },
                _ => What::Cancel { upload },
            };
            self.turn(rng, what);
        }
        self.line.ghosts = pick(rng, &[(1, 0.0), (2, 0.5)]);
        self.storage = storage_behavior(rng);
    }

    /// Whether URLs lapse while a few answers hang.
    pub(crate) fn short_urls(&self) -> bool {
        self.knobs.url_expires_s < 900
    }

    /// Sets a world up for it.
    pub fn prepare(&self, world: &World) {
        world.line(|line| *line = self.line);
        world.skew(self.skew_ms);
        world.storage(self.storage);
        world.says_offline(self.denied);
        self.knobs.turn(world);
        for trouble in &self.troubles {
            world.rule(trouble.rule.clone());
        }
    }

    /// What of it can be in a sentence.
    pub fn title(&self) -> String {
        let files: Vec<String> = self.wishes.iter().map(|wish| format!("{} bytes", wish.size)).collect();
        let mut lines = vec![
            format!(
                "{:?}, {:?}: {}; options {}; resume {}",
                self.who,
                self.class,
                files.join(", "),
                self.options,
                self.resume
            ),
            format!("  {:?}, servers {} ms ahead, {:?}", self.line, self.skew_ms, self.storage),
            format!("  the browser denies the network: {}, reads: {:?}", self.denied, self.reads),
            format!("  {:?}", self.knobs),
        ];
        lines.extend(self.wishes.iter().map(|wish| format!("  {} after {} ms", wish.provider, wish.after_ms)));
        let rule = |rule: &Rule| {
            format!("{} x{:?} p{} after {}: {:?}", rule.route, rule.times, rule.probability, rule.skip, rule.fault)
        };
        lines.extend(self.troubles.iter().map(|trouble| format!("  trouble: {}", rule(&trouble.rule))));
        lines.extend(
            self.turns
                .iter()
                .map(|turn| format!("  turn: {:?} {} ms after milestone {}", turn.what, turn.delay_ms, turn.milestone)),
        );
        lines.join("\n")
    }
}

fn storage_behavior(rng: &Rng) -> StorageBehavior {
    StorageBehavior {
        latency: pick(rng, &[(4, (1, 5)), (1, (20, 300))]),
        full_after: pick(rng, &[(9, None), (1, Some(rng.between(0, 6)))]),
        slow: pick(rng, &[(9, None), (1, Some((rng.between(1, 5), rng.between(500, 9_000))))]),
    }
}

/// One file and its way; its size is near to where something changes, as a rule.
fn wish(rng: &Rng, who: Who, knobs: &Knobs, index: u64, direct: bool, (seed, real): (u64, bool)) -> Wish {
    let part = knobs.part_size;
    let parts = match rng.between(0, 1_000) {
        0..650 => rng.between(1, 5),
        650..998 => rng.between(1, 12),
        _ if real => 3,
        _ => rng.between(40, if who == Who::S3 { 1_100 } else { 200 }),
    };
    let edge = pick(
        rng,
        &[(2, part * parts), (2, part * parts + 1), (2, part * parts - 1), (3, part * parts - rng.between(0, part))],
    );
    let size = pick(rng, &[(5, edge), (2, rng.between(1, 64 * KIB)), (1, 1)]).max(1);
    // Bytes cost time, so most files of them are small.
    let most = pick(rng, &[(3, 64 * KIB), (2, 5 * MIB + 1), (1, 11 * MIB)]) + rng.between(0, 1 << 16);
    let size = if real { size.min(most) } else { size };
    let mut provider = match who {
        Who::Ofauth => json!({ "name": "ofauth", "baseUrl": "/api/ofauth" }),
        Who::Onlymonster => {
            json!({ "name": "onlymonster", "baseUrl": "/api/onlymonster", "accountId": "1001", "exportType": "post" })
        }
        Who::Apifansly => json!({ "name": "apifansly", "baseUrl": "/api/apifansly", "accountId": "2002" }),
        Who::S3 => json!({
            "name": "s3", "endpoint": STORE, "bucket": "media", "region": "us-east-1", "forcePathStyle": true,
            "key": format!("s{seed}/file {index}.mp4"), "partSize": part, "multipartThreshold": knobs.threshold,
        }),
        Who::Plan => json!({ "name": "plan" }),
    };
    if direct {
        provider.as_object_mut().map(|members| members.remove("baseUrl"));
        provider["dangerouslyExposeSecrets"] = json!(true);
        match who {
            Who::Ofauth => {
                provider["apiKey"] = json!("ofauth-key");
                provider["connectionId"] = json!("conn_sandbox");
            }
            Who::Onlymonster => provider["token"] = json!("onlymonster-token"),
            _ => provider["apiKey"] = json!("apifansly-key"),
        }
    }
    match who {
        Who::S3 if chance(rng, 20) => provider["endpoints"] = json!([STORE, STORE_TWO]),
        Who::S3 if chance(rng, 15) => provider["ifNoneMatch"] = json!(true),
        Who::Ofauth if chance(rng, 20) => provider["skipExisting"] = json!(false),
        Who::Onlymonster if chance(rng, 15) => provider["fanLink"] = json!("https://onlyfans.com/alice"),
        _ => {}
    }
    let after_ms = if index == 0 { 0 } else { pick(rng, &[(1, 0), (1, rng.between(0, 4_000))]) };
    Wish { name: format!("clip {index}.mp4"), size, provider, after_ms }
}
