//! How a scenario follows from its seed. Draws are made in a fixed order: one more draw in the middle changes every scenario.

use partway::error::Code;
use partway::model::file::SMALL;
use partway::platform::PageEvent;
use partway_models::form::Reply;
use partway_models::store::Checksums;
use serde_json::json;

use super::destination::Destination;
use super::scenario::{Damage, Expectation, Incident, Occurrence, PlannedUpload, Scenario};
use super::settings::{ServerSettings, Told};
use super::troubles;
use crate::capacity::Capacity;
use crate::core::Line;
use crate::environment::{Cut, Network};
use crate::hashing::HashWorkers;
use crate::rng::Rng;
use crate::servers::{BadHost, FORMS as FORMS_ORIGIN, STORE, STORE_TWO};
use crate::storage::StorageBehavior;
use crate::transform::{Output, Transform};

/// What proofs are drawn by: a draw of its own, so that they leave rare stories what they are.
const PROOFS: u64 = 1;
/// What `transform` is drawn by, likewise.
const TRANSFORMS: u64 = 3;
/// What forms are drawn by, likewise: they take the place of some of apifansly's.
const FORMS: u64 = 2;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

impl Scenario {
    /// What a seed says. `real`: with bytes, so with small files.
    pub fn of(seed: u64, real: bool) -> Self {
        let rng = &Rng::new(seed.wrapping_mul(0x2545_f491_4f6c_dd1d) ^ 0x5ce9_a210);
        let destination = rng.pick(&[
            (1, Destination::Ofauth),
            (1, Destination::Onlymonster),
            (1, Destination::Apifansly),
            (1, Destination::S3),
            (1, Destination::Plan),
        ]);
        let forms = &Rng::new(seed ^ FORMS);
        let destination = match destination {
            Destination::Apifansly => {
                forms.pick(&[(1, Destination::Apifansly), (1, Destination::Form), (1, Destination::Policy)])
            }
            other => other,
        };
        let kind = rng.between(0, 100);
        let attempts = rng.pick(&[(6, 8), (1, 6), (1, 10)]);
        let resume = rng.chance(85);
        let integrity = rng.pick(&[(6, "auto"), (2, "off"), (1, "require")]);
        let integrity = if integrity == "require"
            && !matches!(destination, Destination::S3 | Destination::Plan | Destination::Onlymonster)
        {
            "auto"
        } else {
            integrity
        };
        let servers = ServerSettings::of(rng, destination, (60..90).contains(&kind));
        let uploads = rng.pick(&[(12, 1), (3, 2), (1, 3)]);
        let direct = destination != Destination::S3 && destination != Destination::Plan && rng.chance(12);
        let mut uploads = (0..uploads)
            .map(|index| planned_upload(rng, destination, &servers, index, direct, (seed, real)))
            .collect::<Vec<_>>();
        let mut options = json!({
            "concurrency": rng.between(1, 7),
            "integrity": integrity,
            "retry": { "attempts": attempts },
        });
        if rng.chance(8) {
            options["idempotencyKeys"] = json!(!direct && rng.chance(50));
        }
        let keyed = !direct && options["idempotencyKeys"] != json!(false);
        let mut servers = servers;
        if destination == Destination::Form {
            fill_in_the_form(forms, direct, &mut servers, &mut uploads);
        }
        let polls = servers.form_reply == Reply::Job;
        let repeats = uploads[0].provider["repeatable"] == json!(true);
        let mut scenario = Self {
            seed,
            destination,
            expectation: Expectation::Calm,
            options,
            resume,
            uploads,
            troubles: Vec::new(),
            occurrences: Vec::new(),
            line: Line {
                latency: rng.pick(&[(4, (5, 40)), (1, (0, 3)), (2, (50, 400))]),
                bytes_per_ms: rng.pick(&[(1, 1_000), (3, 5_000), (2, 50_000)]),
                reports: rng.chance(60),
                tells_each_ms: 1_000,
                ..Line::default()
            },
            skew_ms: rng.pick(&[(9, 0), (1, 40_000), (1, -40_000), (1, 7_500_000), (1, -7_500_000)]),
            storage: StorageBehavior::default(),
            denied: false,
            hash_workers: HashWorkers::default(),
            transform: None,
            reads: None,
            servers,
            real,
        };
        let surroundings = troubles::Surroundings {
            destination,
            keyed,
            polls,
            repeats,
            integrity: integrity != "off",
            multi: scenario.is_multi(),
        };
        match kind {
            0..12 => {}
            12..60 => scenario.passing(rng, &surroundings, attempts),
            60..90 => scenario.storm(rng, &surroundings),
            _ => {
                let (trouble, codes) = troubles::doom(rng, &surroundings);
                scenario.troubles.push(trouble);
                scenario.uploads.truncate(1);
                scenario.skew_ms = 0;
                scenario.expectation = Expectation::Doomed(codes);
            }
        }
        // What came to the scenarios later is drawn last, so that the rest of each stays what it was.
        scenario.surround(rng);
        scenario
    }

    /// Draws the line, `navigator.onLine` and reads.
    fn surround(&mut self, rng: &Rng) {
        let calm = self.expectation == Expectation::Calm;
        if rng.chance(if calm { 60 } else { 15 }) {
            self.slow_down(rng);
        }
        let goes =
            |occurrence: &Occurrence| matches!(occurrence.incident, Incident::Offline { network: Network::Gone, .. });
        self.denied = rng.chance(8) && !self.occurrences.iter().any(goes);
        if calm && rng.chance(8) {
            self.uploads.truncate(1);
            // It is read before anything is opened: a small one once, and any other twice.
            let most = if self.uploads[0].size > SMALL { 1 } else { 0 };
            self.reads = Some(most.min(rng.between(0, 2) as u32));
            self.expectation = Expectation::Doomed(vec![Code::FileUnreadable]);
        }
        if self.expectation == Expectation::Storm && rng.chance(8) {
            let upload = rng.between(0, self.uploads.len() as u64) as usize;
            self.add(rng, Incident::Hang { upload });
        }
        let jobs = rng.between(0, 12) as u32;
        self.hash_workers = rng.pick(&[
            (6, HashWorkers::Work),
            (1, HashWorkers::EndAfter(0)),
            (1, HashWorkers::EndAfter(jobs)),
            (1, HashWorkers::HangAfter(jobs)),
        ]);
        self.burden(rng);
    }

    /// Draws how much the stores take, and whether both hosts of one work. In stories that must succeed nothing else goes wrong with
    /// requests then: each refusal costs an attempt.
    fn burden(&mut self, rng: &Rng) {
        let (limited, broken) = (rng.chance(15), rng.chance(20));
        let mut limited =
            limited && matches!(self.destination, Destination::S3 | Destination::Plan | Destination::Onlymonster);
        let mut broken = broken && self.destination == Destination::S3;
        match self.expectation {
            Expectation::Calm | Expectation::Passing if limited || broken => {
                limited &= !broken;
                self.troubles.clear();
                self.expectation = Expectation::Passing;
            }
            // The first host may become unreadable in a storm: then none is left.
            Expectation::Storm => broken = false,
            _ => (limited, broken) = (false, false),
        }
        if limited {
            // Eight attempts outlast it, six may not.
            let down = rng.chance(50) && self.options["retry"]["attempts"] != json!(6);
            self.servers.down_ms = down.then(|| rng.between(3_000, 15_000));
            self.servers.capacity = Some(Capacity {
                at_once: if down { 0 } else { rng.between(1, 4) as usize },
                per_second: rng.pick(&[(2, 1_000), (1, 2), (1, 10)]),
                retry_after: rng.pick(&[(2, None), (2, Some("1")), (1, Some("4"))]),
            });
        }
        if broken {
            for upload in &mut self.uploads {
                upload.provider["endpoints"] = json!([STORE, STORE_TWO]);
            }
            self.servers.bad_host =
                Some(rng.pick(&[(2, BadHost::Refuses), (1, BadHost::Forbidden), (1, BadHost::Gone)]));
        }
        self.choose_proofs(&Rng::new(self.seed ^ PROOFS));
        self.choose_transform(&Rng::new(self.seed ^ TRANSFORMS));
    }

    /// Draws what a store's ETags are and which checksums it says, and damage on the way to it.
    fn choose_proofs(&mut self, rng: &Rng) {
        let to_store = matches!(
            self.destination,
            Destination::S3 | Destination::Plan | Destination::Onlymonster | Destination::Policy
        );
        let edited = self.troubles.iter().any(|trouble| trouble.codes.contains(&Code::IntegrityMismatch));
        if !to_store || edited || matches!(self.expectation, Expectation::Doomed(_)) || !rng.chance(40) {
            return;
        }
        self.servers.kms = rng.pick(&[(2, None), (1, Some(Told::Yes)), (1, Some(Told::No))]);
        self.servers.checksums = rng.pick(&[(1, Checksums::Off), (1, Checksums::Complete), (1, Checksums::All)]);
        if self.destination == Destination::S3 && self.servers.checksums != Checksums::Off && rng.chance(30) {
            let checksum = rng.pick(&[(1, "sha256"), (1, "crc64nvme")]);
            self.uploads.iter_mut().for_each(|upload| upload.provider["checksum"] = checksum.into());
        }
        // Where a store refuses, each attempt counts.
        let spare = self.expectation == Expectation::Storm
            || (self.servers.capacity.is_none() && self.servers.bad_host.is_none());
        if self.expectation != Expectation::Calm && spare && rng.chance(60) {
            self.troubles.push(troubles::damage(rng, self.destination, self.is_multi()));
        }
    }

    /// Draws whether something else is sent in the files' place. Reads that hang are those of the picked file, which isn't read then.
    fn choose_transform(&mut self, rng: &Rng) {
        if self.reads.is_some() || !rng.chance(20) {
            return;
        }
        let output = rng.pick(&[(2, Output::Same), (2, Output::Fresh), (1, Output::Picked)]);
        self.transform = Some(Transform { output, ms: rng.pick(&[(1, 1), (2, 300), (1, 20_000)]) });
    }

    /// A line that all connections share, behind buffers. Not slower than what a line is granted before anything of it is known, nor
    /// so slow that signatures run out.
    fn slow_down(&mut self, rng: &Rng) {
        let total: u64 = self.uploads.iter().map(|upload| upload.size).sum();
        let tries = 2 + self.troubles.len() as u64;
        let rate = rng.pick(&[(4, 40), (2, 125), (1, 1_000)]).max(total * tries / 2_700_000);
        self.line.shared_bytes_per_ms = Some(rate);
        self.line.bytes_per_ms = 100_000;
        self.line.buffer = rng.pick(&[(1, 0), (1, 64 * KIB), (1, 256 * KIB), (2, 4 * MIB), (1, 64 * MIB)]);
        self.line.connections = rng.pick(&[(2, None), (1, Some(6)), (1, Some(2))]);
        self.servers.credentials_ms = 3_600_000;
    }

    fn milestone(&self, rng: &Rng) -> u32 {
        rng.pick(&[(3, rng.between(0, 12) as u32), (4, rng.between(0, 45) as u32), (1, rng.between(0, 200) as u32)])
    }

    fn add(&mut self, rng: &Rng, incident: Incident) {
        let milestone = self.milestone(rng);
        let delay_ms = rng.pick(&[(3, 0), (2, rng.between(0, 50)), (1, rng.between(0, 3_000))]);
        self.occurrences.push(Occurrence { milestone, delay_ms, incident });
    }

    fn passing(&mut self, rng: &Rng, surroundings: &troubles::Surroundings, attempts: u32) {
        self.expectation = Expectation::Passing;
        let budget = rng.between(0, u64::from(attempts.min(8)) - 3);
        let mut may_restart = self.renews();
        for _ in 0..budget {
            let trouble = troubles::passing(rng, surroundings, may_restart);
            may_restart &= !trouble.restarts;
            self.troubles.push(trouble);
        }
        // URLs that can't be signed again mustn't expire too.
        let expires = !matches!(self.destination, Destination::S3 | Destination::Plan) || self.renews();
        for _ in 0..rng.pick(&[(4, 0), (4, 1), (2, 2)]) {
            let upload = rng.between(0, self.uploads.len() as u64) as usize;
            let cut = rng.pick(&[(1, Cut::Reset), (1, Cut::Silence)]);
            let incident = match rng.between(0, 10) {
                0..2 => Incident::Pause { upload, ms: rng.between(1, if expires { 90_000 } else { 7_200_000 }) },
                2..6 => Incident::Crash {
                    away_ms: rng.pick(&[(3, rng.between(1_000, 5_000)), (1, rng.between(1_000, 900_000))]),
                    written: rng.chance(50),
                    record: Damage::None,
                    discards: false,
                },
                6..8 => match rng.between(0, 3) {
                    0 => Incident::Offline { network: Network::Gone, cut, ms: rng.between(1, 400_000) },
                    1 => Incident::Offline { network: Network::Silent, cut, ms: rng.between(1, 20_000) },
                    _ => Incident::Offline { network: Network::Failing, cut, ms: rng.between(1, 800) },
                },
                8 => Incident::Nap {
                    ms: rng.between(1_000, if expires { 300_000 } else { 10_000_000 }),
                    cut,
                    stir: rng.pick(&[(1, None), (1, Some(PageEvent::Visible)), (1, Some(PageEvent::Online))]),
                },
                _ => Incident::PageEvent(rng.pick(&[(1, PageEvent::Visible), (1, PageEvent::Online)])),
            };
            self.add(rng, incident);
        }
        if rng.chance(10) {
            let upload = rng.between(0, self.uploads.len() as u64) as usize;
            self.add(rng, Incident::Cancel { upload });
        }
        self.line.ghosts = rng.pick(&[(2, 0.0), (1, 0.5)]);
        self.storage = storage_behavior(rng);
    }

    fn storm(&mut self, rng: &Rng, surroundings: &troubles::Surroundings) {
        self.expectation = Expectation::Storm;
        for _ in 0..rng.between(1, 6) {
            let mut trouble = troubles::any(rng, surroundings);
            trouble.rule.probability = rng.pick(&[(1, 0.05), (2, 0.2), (1, 0.6)]);
            trouble.rule.times = rng.pick(&[(1, None), (2, Some(12))]);
            self.troubles.push(trouble);
        }
        for _ in 0..rng.between(0, 4) {
            let upload = rng.between(0, self.uploads.len() as u64) as usize;
            let cut = rng.pick(&[(1, Cut::Reset), (1, Cut::Silence)]);
            let incident = match rng.between(0, 12) {
                0 => Incident::Pause { upload, ms: rng.between(1, 8_000_000) },
                1..6 => Incident::Crash {
                    away_ms: rng.pick(&[(3, rng.between(1_000, 5_000)), (1, rng.between(1_000, 9_000_000))]),
                    written: rng.chance(50),
                    record: rng.pick(&[
                        (8, Damage::None),
                        (1, Damage::Newer),
                        (1, Damage::Garbage),
                        (1, Damage::Torn(rng.next())),
                    ]),
                    discards: rng.chance(8),
                },
                6..8 => Incident::Offline {
                    network: rng.pick(&[(1, Network::Gone), (1, Network::Silent), (1, Network::Failing)]),
                    cut,
                    ms: rng.between(1, 4_000_000),
                },
                8 => Incident::Nap {
                    ms: rng.between(1_000, 20_000_000),
                    cut,
                    stir: rng.pick(&[(1, None), (1, Some(PageEvent::Visible)), (1, Some(PageEvent::Online))]),
                },
                9 => Incident::PageEvent(rng.pick(&[(1, PageEvent::Visible), (1, PageEvent::Online)])),
                10 => Incident::Spoil { upload },
                _ => Incident::Cancel { upload },
            };
            self.add(rng, incident);
        }
        self.line.ghosts = rng.pick(&[(1, 0.0), (2, 0.5)]);
        self.storage = storage_behavior(rng);
    }
}

fn storage_behavior(rng: &Rng) -> StorageBehavior {
    StorageBehavior {
        latency: rng.pick(&[(4, (1, 5)), (1, (20, 300))]),
        full_after: rng.pick(&[(9, None), (1, Some(rng.between(0, 6)))]),
        slow: rng.pick(&[(9, None), (1, Some((rng.between(1, 5), rng.between(500, 9_000))))]),
    }
}

/// Draws what the application's own server is and answers, and whether it takes a form twice.
fn fill_in_the_form(rng: &Rng, direct: bool, servers: &mut ServerSettings, uploads: &mut [PlannedUpload]) {
    let (reply, parse) = rng.pick(&[(2, (Reply::Job, "job")), (1, (Reply::Json, "id"))]);
    servers.form_reply = reply;
    let repeatable = rng.chance(30);
    for PlannedUpload { provider, .. } in uploads {
        provider["parse"] = json!(parse);
        provider["repeatable"] = json!(repeatable);
        provider["fields"] = json!({ "album": "7" });
        if direct {
            provider["url"] = json!(format!("{FORMS_ORIGIN}/upload"));
            provider["headers"] = json!({ "x-form-key": "form-key" });
        }
    }
}

/// One file and its destination. Most sizes are near to where something changes.
fn planned_upload(
    rng: &Rng,
    destination: Destination,
    servers: &ServerSettings,
    index: u64,
    direct: bool,
    (seed, real): (u64, bool),
) -> PlannedUpload {
    let part = servers.part_size;
    let parts = match rng.between(0, 1_000) {
        0..650 => rng.between(1, 5),
        650..998 => rng.between(1, 12),
        _ if real => 3,
        _ => rng.between(40, if destination == Destination::S3 { 1_100 } else { 200 }),
    };
    let edge = rng.pick(&[
        (2, part * parts),
        (2, part * parts + 1),
        (2, part * parts - 1),
        (3, part * parts - rng.between(0, part)),
    ]);
    let size = rng.pick(&[(5, edge), (2, rng.between(1, 64 * KIB)), (1, 1)]).max(1);
    // Bytes cost time, so most files of them are small.
    let most = rng.pick(&[(3, 64 * KIB), (2, 5 * MIB + 1), (1, 11 * MIB)]) + rng.between(0, 1 << 16);
    let size = if real { size.min(most) } else { size };
    let mut provider = match destination {
        Destination::Ofauth => json!({ "name": "ofauth", "baseUrl": "/api/ofauth" }),
        Destination::Onlymonster => {
            json!({ "name": "onlymonster", "baseUrl": "/api/onlymonster", "accountId": "1001", "exportType": "post" })
        }
        Destination::Apifansly => json!({ "name": "apifansly", "baseUrl": "/api/apifansly", "accountId": "2002" }),
        Destination::S3 => json!({
            "name": "s3", "endpoint": STORE, "bucket": "media", "region": "us-east-1", "forcePathStyle": true,
            "key": format!("s{seed}/file {index}.mp4"), "partSize": part, "multipartThreshold": servers.threshold,
        }),
        Destination::Plan => json!({ "name": "plan" }),
        Destination::Form => json!({ "name": "form", "url": "/api/form/upload" }),
        Destination::Policy => json!({
            "name": "form", "url": format!("{STORE}/media"), "repeatable": true, "fields": format!("s{seed}/file {index}.mp4"),
        }),
    };
    if direct && !matches!(destination, Destination::Form | Destination::Policy) {
        provider.as_object_mut().map(|members| members.remove("baseUrl"));
        provider["dangerouslyExposeSecrets"] = json!(true);
        match destination {
            Destination::Ofauth => {
                provider["apiKey"] = json!("ofauth-key");
                provider["connectionId"] = json!("conn_sandbox");
            }
            Destination::Onlymonster => provider["token"] = json!("onlymonster-token"),
            _ => provider["apiKey"] = json!("apifansly-key"),
        }
    }
    match destination {
        Destination::S3 if rng.chance(20) => provider["endpoints"] = json!([STORE, STORE_TWO]),
        Destination::S3 if rng.chance(15) => provider["ifNoneMatch"] = json!(true),
        Destination::Ofauth if rng.chance(20) => provider["skipExisting"] = json!(false),
        Destination::Onlymonster if rng.chance(15) => provider["fanLink"] = json!("https://onlyfans.com/alice"),
        _ => {}
    }
    let after_ms = if index == 0 { 0 } else { rng.pick(&[(1, 0), (1, rng.between(0, 4_000))]) };
    PlannedUpload { name: format!("clip {index}.mp4"), size, provider, after_ms }
}
