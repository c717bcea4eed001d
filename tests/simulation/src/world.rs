//! A world: a page with its uploads, a line, servers, and a virtual clock.

use std::cell::{Cell, Ref, RefCell, RefMut};
use std::rc::Rc;

use futures::FutureExt;
use partway::context::shared::SharedState;
use partway::engine::uploader::Uploader as Engine;
use partway::json::Decode;
use partway::model::settings::Settings;
use partway::platform::{PageEvent, Wanted};
use serde_json::{Value, json};

use crate::bottleneck::Bottleneck;
use crate::capacity::{Capacity, Load};
use crate::check;
use crate::core::{Core, Line, Plan};
use crate::environment::{Cut, Environment, Network};
use crate::executor::{Executor, Page};
use crate::fault::{Fault, Rule, Script};
use crate::file::File;
use crate::handle::Handle;
use crate::hashing::{HashWorkers, Hashing};
use crate::hooks::Hooks;
use crate::log::{Log, Record};
use crate::rng::Rng;
use crate::servers::Servers;
use crate::storage::{SavedSession, Storage, StorageBehavior};
use crate::transform::{Transform, Transforming};
use crate::uploader::Uploader;

/// 2026-04-29T10:00:00Z: some time that the samples in the vendors' documents are near to.
const BEGINNING: u64 = 1_777_456_800_000;
/// No story that ends takes longer than this.
const TOO_LONG_MS: u64 = 14 * 24 * 3_600_000;

/// A world. Everything in it follows from its seed.
pub struct World {
    pub(crate) core: Rc<Core>,
    pub(crate) shared: RefCell<SharedState>,
    /// The uploaders of the page that lives.
    pub(crate) engines: RefCell<Vec<Rc<Engine>>>,
    uploaders: Cell<usize>,
    handles: Rc<RefCell<Vec<Handle>>>,
    files: Cell<u64>,
    sessions: Cell<u64>,
}

impl World {
    /// A world in which nothing has happened.
    pub fn new(seed: u64) -> Self {
        Self {
            core: Rc::new(Core {
                executor: Executor::new(BEGINNING),
                chance: Rng::new(seed),
                weather: Rng::new(seed ^ 0x5eed),
                line: Cell::default(),
                bottleneck: Bottleneck::default(),
                load: Load::default(),
                skew_ms: Cell::default(),
                frame_ms: Cell::new(1),
                plain: Cell::default(),
                script: RefCell::new(Script::default()),
                servers: RefCell::new(Servers::new(seed)),
                hooks: RefCell::default(),
                log: RefCell::default(),
                environment: Environment::default(),
                storage: Storage::default(),
                hashing: Hashing::default(),
                transforming: Transforming::default(),
                page: Cell::new(1),
                milestones: Cell::default(),
                yields: Cell::default(),
                plans: RefCell::default(),
            }),
            shared: RefCell::default(),
            engines: RefCell::default(),
            uploaders: Cell::default(),
            handles: Rc::default(),
            files: Cell::default(),
            sessions: Cell::default(),
        }
    }

    /// A symbolic file with a number of its own; its type is that of the name's extension.
    pub fn file(&self, name: &str, size: u64) -> File {
        self.files.set(self.files.get() + 1);
        File::symbolic(self.files.get(), name, partway::model::file::guess_type(name).unwrap_or(""), size)
    }

    /// A file of real bytes that follow from the seed.
    pub fn real_file(&self, name: &str, size: usize) -> File {
        self.files.set(self.files.get() + 1);
        let rng = Rng::new(self.files.get());
        let mut bytes = vec![0; size];
        for chunk in bytes.chunks_mut(8) {
            let random = rng.next().to_le_bytes();
            chunk.copy_from_slice(&random[..chunk.len()]);
        }
        File::real(name, partway::model::file::guess_type(name).unwrap_or(""), bytes)
    }

    /// Changes the line.
    pub fn line(&self, change: impl FnOnce(&mut Line)) {
        let mut line = self.core.line.get();
        change(&mut line);
        self.core.line.set(line);
    }

    /// The stores take no more than this from now on; None: any number of parts.
    pub fn capacity(&self, capacity: impl Into<Option<Capacity>>) {
        self.core.load.capacity.replace(capacity.into());
    }

    /// The stores take any number again after a while.
    pub fn mend_capacity_after(&self, ms: u64) {
        let core = self.core.clone();
        self.after(ms, move || _ = core.load.capacity.take());
    }

    /// The page shows a frame every so many milliseconds; each millisecond unless told, so that tests can wait for any progress.
    pub fn frames(&self, ms: u64) {
        self.core.frame_ms.set(ms);
    }

    /// The page came by plain http, from the same server.
    pub fn by_plain_http(&self) {
        self.core.plain.set(true);
    }

    /// Sets the servers' clocks ahead of the page's (or behind).
    pub fn skew(&self, ms: i64) {
        self.core.skew_ms.set(ms);
    }

    /// Lets the calls named `route` (or by its beginning and `*`) go wrong: after `skip` that pass, `times` times (None: always).
    pub fn fault(&self, route: &str, skip: u32, times: impl Into<Option<u32>>, fault: Fault) {
        self.chance_of_fault(route, 1.0, skip, times, fault);
    }

    /// The same, each time with a probability.
    pub fn chance_of_fault(
        &self,
        route: &str,
        probability: f64,
        skip: u32,
        times: impl Into<Option<u32>>,
        fault: Fault,
    ) {
        self.rule(Rule { route: route.into(), skip, times: times.into(), probability, fault });
    }

    /// Adds to the script of what goes wrong.
    pub fn rule(&self, rule: Rule) {
        self.core.script.borrow_mut().add(rule);
    }

    /// Nothing goes wrong any more.
    pub fn mend(&self) {
        self.core.script.borrow_mut().clear();
    }

    /// The servers, to set them up or to look into them.
    pub fn servers(&self) -> RefMut<'_, Servers> {
        self.core.servers.borrow_mut()
    }

    /// The application's functions.
    pub fn hooks(&self) -> RefMut<'_, Hooks> {
        self.core.hooks.borrow_mut()
    }

    /// What was sent so far.
    pub fn log(&self) -> Ref<'_, Log> {
        self.core.log.borrow()
    }

    /// The requests of a name (or of its beginning and `*`), in order.
    pub fn sent(&self, route: &str) -> Vec<Record> {
        let fits = |name: &str| match route.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => name == route,
        };
        self.log().records.iter().filter(|record| fits(record.route)).cloned().collect()
    }

    /// The same where there must be one at least, for checks of each of them.
    ///
    /// # Panics
    /// Where there is none.
    #[track_caller]
    pub fn some_sent(&self, name: &str) -> Vec<Record> {
        let sent = self.sent(name);
        assert!(!sent.is_empty(), "no {name} was sent");
        sent
    }

    /// How many requests of that name were sent.
    pub fn count(&self, route: &str) -> usize {
        self.sent(route).len()
    }

    /// How many took effect.
    pub fn effects(&self, route: &str) -> u32 {
        self.sent(route).iter().map(|record| record.effects).sum()
    }

    /// Milliseconds since the world began.
    pub fn elapsed(&self) -> u64 {
        self.core.executor.now() - BEGINNING
    }

    /// Does something later.
    pub fn after(&self, ms: u64, action: impl FnOnce() + 'static) {
        let (executor, at) = (self.core.executor.clone(), self.core.executor.now() + ms);
        self.core.executor.spawn(
            async move {
                executor.sleep_until(at).await;
                action();
            }
            .boxed_local(),
        );
    }

    /// An uploader. `options` are those of the public face; hashing is off unless they say otherwise, since a symbolic file
    /// has no bytes to hash.
    ///
    /// # Panics
    /// Where the options can't be read.
    pub fn uploader(&self, options: Value) -> Uploader {
        self.uploaders.set(self.uploaders.get() + 1);
        let mut merged = json!({ "integrity": "off" });
        for (name, value) in options.as_object().into_iter().flatten() {
            merged[name] = value.clone();
        }
        let settings = Settings::decode(Some(&merged)).unwrap_or_else(|error| panic!("options: {error:?}"));
        let (id, shared) = (self.uploaders.get(), self.shared.borrow().clone());
        let uploader = Uploader::new(id, settings, self.core.clone(), shared, self.handles.clone());
        self.engines.borrow_mut().push(uploader.engine());
        uploader
    }

    /// One file by an uploader of its own.
    pub fn upload(&self, provider: Value, options: Value, file: &File) -> Handle {
        self.uploader(options).upload(provider, file)
    }

    /// A name for a session that is kept beyond its page.
    pub fn session(&self) -> u64 {
        self.sessions.set(self.sessions.get() + 1);
        self.sessions.get()
    }

    /// How the page's database behaves.
    pub fn storage(&self, behavior: StorageBehavior) {
        self.core.storage.behavior.set(behavior);
    }

    /// How the workers behave that compute digests.
    pub fn hash_workers(&self, workers: HashWorkers) {
        self.core.hashing.workers.set(workers);
    }

    /// The application's `transform`; None: it has none.
    pub fn transform(&self, transform: Option<Transform>) {
        self.core.transforming.transform.set(transform);
    }

    /// How often `transform` gave something.
    pub fn transforms(&self) -> usize {
        self.core.transforming.calls()
    }

    /// What may be sent of a picked file: everything that `transform` gave for it, or the file itself.
    pub fn sent_files(&self, picked: &File) -> Vec<File> {
        self.core.transforming.sent(picked)
    }

    /// How often something let the page do something else in between.
    pub fn yields(&self) -> u32 {
        self.core.yields.get()
    }

    /// How many windows they have hashed.
    pub fn hashed_windows(&self) -> u64 {
        self.core.hashing.progress.get()
    }

    /// The digests that they were asked for.
    pub fn digests_asked(&self) -> Vec<Wanted> {
        self.core.hashing.asked.borrow().clone()
    }

    /// What is kept of a session; None where there is no record.
    pub fn kept(&self, session: u64) -> Option<SavedSession> {
        self.core.storage.kept(session)
    }

    /// How often the page asked its database to write or to remove something.
    pub fn writes(&self) -> u64 {
        self.core.storage.writes()
    }

    /// Changes what is kept of a session.
    pub fn change_kept(&self, session: u64, change: impl FnOnce(&mut SavedSession)) {
        self.core.storage.change(session, change);
    }

    /// Ends the page at this very moment, as a crash does: nothing more of it runs. What it had asked its database to keep is
    /// `written` all the same, or lost. The world lives on, and so does what was kept.
    pub fn crash(&self, written: bool) {
        let page = self.core.page.get();
        self.core.storage.crash(page, written);
        self.core.page.set(page + 1);
        self.core.executor.end_page(page);
        self.shared.replace(SharedState::default());
        self.engines.take();
    }

    /// The network is another from now on; what is under way is cut where it goes.
    pub fn network(&self, network: Network, cut: Cut) {
        self.core.environment.turn(network, cut);
    }

    /// The browser says that there is no network, whatever there is; or says the truth again, which the page hears of.
    pub fn says_offline(&self, says: bool) {
        self.core.environment.deny(says);
    }

    /// The machine sleeps: its clock jumps, and what was under way is cut, unless its connections outlive the sleep.
    pub fn nap(&self, ms: u64, cut: impl Into<Option<Cut>>) {
        if let Some(cut) = cut.into() {
            self.core.environment.cut(cut);
        }
        self.core.executor.pass(self.core.executor.now() + ms);
    }

    /// Stirs the page.
    pub fn stir(&self, stir: PageEvent) {
        self.core.environment.stir(stir);
    }

    /// Does something so many milliseconds after so many things have happened: requests that left, took effect and were
    /// answered, and writes that were kept.
    pub fn at_milestone(&self, milestone: u32, delay_ms: u64, act: impl FnOnce() + 'static) {
        self.core.plans.borrow_mut().push(Plan { milestone, delay_ms, act: Box::new(act) });
    }

    /// Every upload that was started, those of pages that are gone too.
    pub fn handles(&self) -> Vec<Handle> {
        self.handles.borrow().clone()
    }

    /// Writes into the log what else happens.
    pub fn note(&self, text: &str) {
        self.core.log.borrow_mut().notes.push((self.core.executor.now(), text.into()));
    }

    /// How many pages there were.
    pub fn pages(&self) -> u32 {
        self.core.page.get()
    }

    /// When it began, in milliseconds since 1970.
    pub fn beginning(&self) -> u64 {
        BEGINNING
    }

    /// Lets go of everything that is still under way. A world that is dropped does so by itself, unless its own tasks hold it.
    pub fn end(&self) {
        self.core.plans.take();
        self.core.page.set(Page::MAX);
        self.core.executor.end_all();
        self.handles.take();
        let _ = self.core.script.take();
    }

    /// Runs the world to its end, and checks what must hold for any story.
    ///
    /// # Panics
    /// Where an upload never ends, or a rule is broken.
    #[track_caller]
    pub fn run(&self) {
        if let Err(broken) = self.try_run() {
            panic!("{broken}\n{:#?}", self.handles.borrow());
        }
    }

    /// The same, with what is broken as a sentence.
    ///
    /// # Errors
    /// An upload never ends, or a rule is broken.
    pub fn try_run(&self) -> Result<(), String> {
        if !self.core.executor.run(Some(self.core.executor.now() + TOO_LONG_MS)) {
            return Err("the story goes on for weeks".into());
        }
        check::story(self, &self.handles.borrow())
    }

    /// Runs the world for a while.
    pub fn run_for(&self, ms: u64) {
        let until = self.core.executor.now() + ms;
        self.core.executor.run(Some(until));
        self.core.executor.pass(until);
    }
}

impl Drop for World {
    /// Tasks hold the world that they are in.
    fn drop(&mut self) {
        self.end();
    }
}
