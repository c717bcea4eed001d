//! Plays a scenario: pages that come and go, their uploads, and what happens around them.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use partway::error::UploadError;
use partway::model::events::UploadResult;
use serde_json::{Value, json};

use super::scenario::{Damage, Incident, Scenario};
use crate::environment::{Cut, Network};
use crate::file::File;
use crate::handle::Handle;
use crate::rng::Rng;
use crate::storage::{SavedSession, StorageBehavior};
use crate::transform::{Output, Transform};
use crate::uploader::{Beginning, Uploader};
use crate::world::World;

/// No story that ends takes more polls. (An upload in 1,100 parts takes some 60,000.)
const MOST_POLLS: u64 = 500_000;

/// A world with a scenario in it.
pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) scenario: Scenario,
    pub(crate) histories: RefCell<Vec<History>>,
    uploader: RefCell<Option<Uploader>>,
    rng: Rng,
    /// True between two pages.
    away: Cell<bool>,
}

/// One file and all its uploads, one after the other.
#[derive(Clone, Debug)]
pub(crate) struct History {
    pub(crate) file: File,
    pub(crate) provider: Value,
    pub(crate) session: Option<u64>,
    pub(crate) attempts: Vec<Attempt>,
    /// The user cancelled it while it ran.
    pub(crate) cancelled: bool,
    /// The file was changed while it ran.
    pub(crate) spoiled: bool,
    /// The file's bytes came no more.
    pub(crate) hung: bool,
}

/// One upload of a file.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) handle: Handle,
    /// The saved session that it resumes; None for a new upload.
    pub(crate) kept: Option<SavedSession>,
    pub(crate) discards: bool,
    /// The saved session can't be read, so that it is a new upload after all.
    pub(crate) damaged: bool,
    /// `transform` may make other bytes than were sent, so that it may be a new upload.
    pub(crate) restarts: bool,
}

impl History {
    pub(crate) fn last(&self) -> Option<&Attempt> {
        self.attempts.last()
    }

    pub(crate) fn result(&self) -> Option<Result<UploadResult<Value>, UploadError>> {
        self.last()?.handle.result()
    }

    fn is_open(&self) -> bool {
        self.last().is_some_and(|attempt| attempt.handle.result().is_none())
    }

    /// How many times it was begun from nothing, each of which may store the file.
    pub(crate) fn beginnings(&self) -> usize {
        self.attempts.iter().filter(|attempt| attempt.kept.is_none() || attempt.damaged || attempt.restarts).count()
    }
}

impl Stage {
    pub(crate) fn new(scenario: Scenario) -> Rc<Self> {
        let world = World::new(scenario.seed);
        world.core.executor.bound(MOST_POLLS);
        scenario.prepare(&world);
        let histories = scenario.uploads.iter().map(|upload| History {
            file: match scenario.real {
                true => world.real_file(&upload.name, upload.size as usize),
                false => world.file(&upload.name, upload.size),
            },
            provider: upload.provider.clone(),
            session: scenario.resume.then(|| world.session()),
            attempts: Vec::new(),
            cancelled: false,
            spoiled: false,
            hung: false,
        });
        let mut histories: Vec<History> = histories.collect();
        if let (Some(reads), Some(first)) = (scenario.reads, histories.first_mut()) {
            first.hung = true;
            first.file.hang_after(Some(reads));
        }
        let histories = RefCell::new(histories);
        let rng = Rng::new(scenario.seed ^ 0x57a9e);
        Rc::new(Self { world, scenario, histories, uploader: RefCell::default(), rng, away: Cell::new(false) })
    }

    /// Plays it to its end.
    pub(crate) fn play(self: &Rc<Self>) -> Result<(), String> {
        self.open_page();
        for (index, upload) in self.scenario.uploads.iter().enumerate() {
            let stage = self.clone();
            match upload.after_ms {
                0 => self.start(index, Beginning::New, false),
                ms => self.world.after(ms, move || {
                    if !stage.away.get() && stage.histories.borrow()[index].attempts.is_empty() {
                        stage.start(index, Beginning::New, false);
                    }
                }),
            }
        }
        for occurrence in self.scenario.occurrences.clone() {
            let stage = self.clone();
            self.world
                .at_milestone(occurrence.milestone, occurrence.delay_ms, move || stage.happen(occurrence.incident));
        }
        self.world.try_run()
    }

    /// The application tries again, when nothing goes wrong any more, what `wanted` says; gives whether there was anything.
    pub(crate) fn try_again(self: &Rc<Self>, wanted: impl Fn(&History) -> bool) -> Result<bool, String> {
        self.world.mend();
        self.world.capacity(None);
        self.world.servers().bad_hosts.clear();
        self.world.core.plans.take();
        self.world.network(Network::Up, Cut::Reset);
        self.world.storage(StorageBehavior::default());
        self.histories.borrow().iter().for_each(|history| history.file.hang_after(None));
        let again: Vec<usize> = self
            .histories
            .borrow()
            .iter()
            .enumerate()
            .filter(|(_, history)| wanted(history))
            .map(|(index, _)| index)
            .collect();
        for index in &again {
            self.note(&format!("the application tries file {index} again"));
            let beginning = self.kept(*index).map_or(Beginning::New, Beginning::Kept);
            self.start(*index, beginning, false);
        }
        self.world.try_run()?;
        Ok(!again.is_empty())
    }

    fn note(&self, text: &str) {
        self.world.note(text);
    }

    fn open_page(&self) {
        self.uploader.replace(Some(self.world.uploader(self.scenario.options.clone())));
    }

    pub(crate) fn kept(&self, index: usize) -> Option<SavedSession> {
        self.world.kept(self.histories.borrow()[index].session?)
    }

    fn start(&self, index: usize, beginning: Beginning, damaged: bool) {
        let (provider, file, session) = {
            let histories = self.histories.borrow();
            let history = &histories[index];
            (history.provider.clone(), history.file.clone(), history.session)
        };
        let (kept, discards) = match &beginning {
            Beginning::New => (None, false),
            Beginning::Kept(kept) => (Some(kept.clone()), false),
            Beginning::Discard(kept) => (Some(kept.clone()), true),
        };
        let handle = match self.uploader.borrow().as_ref() {
            Some(uploader) => uploader.begin(provider, &file, session, beginning),
            None => return,
        };
        let restarts = matches!(self.scenario.transform, Some(Transform { output: Output::Fresh, .. }));
        self.histories.borrow_mut()[index].attempts.push(Attempt { handle, kept, discards, damaged, restarts });
    }

    fn handle(&self, upload: usize) -> Option<Handle> {
        let histories = self.histories.borrow();
        histories[upload].last().filter(|attempt| !attempt.handle.is_gone()).map(|attempt| attempt.handle.clone())
    }

    fn happen(self: &Rc<Self>, incident: Incident) {
        let stage = self.clone();
        let live = |upload| self.handle(upload).filter(|handle| handle.result().is_none());
        match incident {
            Incident::Pause { upload, ms } => {
                let Some(handle) = live(upload) else { return };
                self.note(&format!("pause file {upload}"));
                handle.pause();
                self.world.after(ms, move || {
                    stage.note(&format!("resume file {upload}"));
                    handle.resume();
                });
            }
            Incident::Cancel { upload } => {
                let Some(handle) = live(upload) else { return };
                self.note(&format!("cancel file {upload}"));
                self.histories.borrow_mut()[upload].cancelled = true;
                handle.cancel();
            }
            Incident::Spoil { upload } => {
                if live(upload).is_none() {
                    return;
                }
                self.note(&format!("file {upload} is changed on disk"));
                let mut histories = self.histories.borrow_mut();
                histories[upload].spoiled = true;
                histories[upload].file.spoil();
            }
            Incident::Hang { upload } => {
                if live(upload).is_none() {
                    return;
                }
                self.note(&format!("the bytes of file {upload} come no more"));
                let mut histories = self.histories.borrow_mut();
                histories[upload].hung = true;
                histories[upload].file.hang_after(Some(0));
            }
            Incident::PageEvent(stir) => self.world.stir(stir),
            Incident::Offline { network, cut, ms } => {
                self.note(&format!("the network is {network:?}"));
                self.world.network(network, cut);
                self.world.after(ms, move || {
                    stage.note("the network is back");
                    stage.world.network(Network::Up, cut);
                });
            }
            Incident::Nap { ms, cut, stir } => {
                self.note(&format!("the machine sleeps for {ms} ms"));
                self.world.nap(ms, cut);
                if let Some(stir) = stir {
                    self.world.after(self.rng.between(1, 100), move || stage.world.stir(stir));
                }
            }
            Incident::Crash { away_ms, written, record, discards } => {
                if self.away.get() || !self.histories.borrow().iter().any(History::is_open) {
                    return;
                }
                self.note(&format!(
                    "the page crashes; what was being kept is {}",
                    if written { "kept" } else { "lost" }
                ));
                self.away.set(true);
                self.world.crash(written);
                self.world.after(away_ms, move || stage.return_to(record, discards));
            }
        }
    }

    /// The next page, and what it finds.
    fn return_to(&self, damage: Damage, discards: bool) {
        self.note("the next page");
        self.away.set(false);
        self.open_page();
        let count = self.histories.borrow().len();
        for index in 0..count {
            let (begun, open) = {
                let histories = self.histories.borrow();
                (histories[index].last().is_some(), histories[index].is_open())
            };
            let mut kept = self.kept(index);
            // What ended is left alone, unless its record outlived the page: then the user sees it among the unfinished ones.
            let found = !open && begun && kept.is_some() && self.rng.between(0, 2) == 0;
            if begun && !open && !found {
                continue;
            }
            let damaged = kept.as_mut().is_some_and(|kept| self.damage(index, kept, damage));
            let beginning = match kept {
                Some(kept) if discards => {
                    self.histories.borrow_mut()[index].cancelled = true;
                    Beginning::Discard(kept)
                }
                Some(kept) => Beginning::Kept(kept),
                None => Beginning::New,
            };
            self.start(index, beginning, damaged);
        }
    }

    /// Damages the saved session; tells whether it can't be read any more.
    fn damage(&self, index: usize, kept: &mut SavedSession, damage: Damage) -> bool {
        let Some(record) = &mut kept.record else { return false };
        match damage {
            Damage::None => return false,
            Damage::Newer => record["version"] = json!(2),
            Damage::Garbage => *record = json!({ "a": [1, null] }),
            Damage::Torn(number) => {
                let Some(members) = record.as_object_mut().filter(|members| !members.is_empty()) else { return true };
                let at = (number % members.len() as u64) as usize;
                let name = members.keys().nth(at).cloned().unwrap_or_default();
                members.remove(&name);
            }
        }
        self.note(&format!("the record of file {index} is damaged: {damage:?}"));
        true
    }
}

/// Lets go of the world, whatever happened: its tasks hold the stage that holds it.
pub(crate) struct EndGuard(pub(crate) Rc<Stage>);

impl Drop for EndGuard {
    fn drop(&mut self) {
        self.0.world.end();
    }
}
