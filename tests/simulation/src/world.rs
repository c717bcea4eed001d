//! A world: a page with its uploads, a line, servers, and a clock that nobody waits for.

use std::cell::{Cell, Ref, RefCell, RefMut};
use std::rc::Rc;

use futures::FutureExt;
use partway::engine::pace::Paces;
use partway::engine::uploader;
use partway::json::Decode;
use partway::providers::{AnyProvider, Context};
use partway::settings::Settings;
use partway::source::Source;
use serde_json::{Value, json};

use crate::check;
use crate::core::{Core, Line};
use crate::executor::Executor;
use crate::fault::{Fault, Rule, Script};
use crate::file::File;
use crate::handle::Handle;
use crate::hooks::Hooks;
use crate::log::{Log, Record};
use crate::platform::SimPlatform;
use crate::rng::Rng;
use crate::servers::Servers;

/// 2026-04-29T10:00:00Z: some time that the samples in the vendors' documents are near to.
const BEGINNING: u64 = 1_777_456_800_000;
/// No story that ends takes longer than this.
const TOO_LONG_MS: u64 = 14 * 24 * 3_600_000;

/// A world. Everything in it follows from its seed.
pub struct World {
    pub(crate) core: Rc<Core>,
    paces: Paces,
    uploaders: Cell<usize>,
    handles: Rc<RefCell<Vec<Handle>>>,
    files: Cell<u64>,
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
                skew_ms: Cell::default(),
                script: RefCell::new(Script::default()),
                servers: RefCell::new(Servers::new(seed)),
                hooks: RefCell::default(),
                log: RefCell::default(),
            }),
            paces: Paces::default(),
            uploaders: Cell::default(),
            handles: Rc::default(),
            files: Cell::default(),
        }
    }

    /// A symbolic file with a number of its own; its type is that of the name's extension.
    pub fn file(&self, name: &str, size: u64) -> File {
        self.files.set(self.files.get() + 1);
        File::symbolic(self.files.get(), name, partway::source::guess_type(name).unwrap_or(""), size)
    }

    /// A file of real bytes that follow from the seed.
    pub fn real_file(&self, name: &str, size: usize) -> File {
        self.files.set(self.files.get() + 1);
        let rng = Rng::new(self.files.get());
        let bytes: Vec<u8> = std::iter::repeat_with(|| rng.next().to_le_bytes()).flatten().take(size).collect();
        File::real(name, partway::source::guess_type(name).unwrap_or(""), bytes)
    }

    /// Changes the line.
    pub fn line(&self, change: impl FnOnce(&mut Line)) {
        let mut line = self.core.line.get();
        change(&mut line);
        self.core.line.set(line);
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
        let rule = Rule { route: route.into(), skip, times: times.into(), probability, fault };
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
        let platform = SimPlatform { core: self.core.clone(), upload: 0, uploader: 0, options: Rc::default() };
        let settings = Settings::decode(&platform, Some(&merged)).unwrap_or_else(|error| panic!("options: {error:?}"));
        Uploader {
            inner: uploader::Uploader::new(settings.clone(), self.paces.clone()),
            slots: settings.concurrency.0,
            settings,
            id: self.uploaders.get(),
            core: self.core.clone(),
            paces: self.paces.clone(),
            handles: self.handles.clone(),
        }
    }

    /// One file by an uploader of its own.
    pub fn upload(&self, provider: Value, options: Value, file: &File) -> Handle {
        self.uploader(options).upload(provider, file)
    }

    /// Runs the world to its end, and checks what must hold for any story.
    ///
    /// # Panics
    /// Where an upload never ends, or a rule is broken.
    #[track_caller]
    pub fn run(&self) {
        let idle = self.core.executor.run(Some(self.core.executor.now() + TOO_LONG_MS));
        assert!(idle, "the story goes on for weeks: {:#?}", self.handles.borrow());
        check::story(self, &self.handles.borrow());
    }

    /// Runs the world for a while.
    pub fn run_for(&self, ms: u64) {
        let until = self.core.executor.now() + ms;
        self.core.executor.run(Some(until));
        self.core.executor.pass(until);
    }
}

/// An uploader in a world.
pub struct Uploader {
    inner: uploader::Uploader,
    settings: Settings,
    slots: usize,
    id: usize,
    core: Rc<Core>,
    paces: Paces,
    handles: Rc<RefCell<Vec<Handle>>>,
}

impl Uploader {
    /// Starts an upload.
    pub fn upload(&self, provider: Value, file: &File) -> Handle {
        let number = self.handles.borrow().len();
        let platform = SimPlatform {
            core: self.core.clone(),
            upload: number,
            uploader: self.id,
            options: Rc::new(provider.clone()),
        };
        let context = Context { platform: &platform, settings: &self.settings, paces: &self.paces };
        let made = AnyProvider::new(provider["name"].as_str().unwrap_or(""), &provider, &context);
        let source =
            Source { name: file.name.clone(), size: file.size(), content_type: file.kind.clone(), blob: file.clone() };
        let lane = format!("uploader {}", self.id);
        let handle = Handle::new(number, self.core.clone(), file.clone(), provider, (lane, self.slots));
        let upload = self.inner.start(platform, source, made, handle.sink());
        handle.started(upload);
        self.handles.borrow_mut().push(handle.clone());
        handle
    }

    /// Stops everything here.
    pub fn close(&self) {
        self.inner.close();
    }
}
