//! An uploader in a world: how the page's face starts uploads with the engine.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use partway::context::shared::SharedState;
use partway::context::slots::MOST;
use partway::engine::start::Start;
use partway::engine::uploader::Uploader as Engine;
use partway::model::settings::{Concurrency, Settings};
use partway::providers;
use partway::providers::setup::{ProviderCache, Setup};
use serde_json::Value;

use crate::core::Core;
use crate::executor::Page;
use crate::file::File;
use crate::handle::{Handle, Place};
use crate::platform::SimPlatform;
use crate::storage::SavedSession;

/// How an upload begins.
#[derive(Clone, Debug)]
pub enum Beginning {
    /// From nothing.
    New,
    /// With what was kept.
    Kept(SavedSession),
    /// With what was kept, to give it up.
    Discard(SavedSession),
}

/// An uploader in a world.
pub struct Uploader {
    engine: Rc<Engine>,
    settings: Settings,
    slots: usize,
    id: usize,
    page: Page,
    core: Rc<Core>,
    shared: SharedState,
    /// What stands for the function that its credentials come from: `getCredentials` of its first upload.
    credentials: OnceCell<Value>,
    cache: ProviderCache,
    handles: Rc<RefCell<Vec<Handle>>>,
}

impl Uploader {
    /// An uploader with those settings in the page that lives; `id` is its number in the world.
    pub(crate) fn new(
        id: usize,
        settings: Settings,
        core: Rc<Core>,
        shared: SharedState,
        handles: Rc<RefCell<Vec<Handle>>>,
    ) -> Self {
        Self {
            engine: Rc::new(Engine::new(settings.clone(), shared.clone())),
            slots: most_slots(&settings),
            settings,
            id,
            page: core.page.get(),
            core,
            shared,
            credentials: OnceCell::new(),
            cache: ProviderCache::default(),
            handles,
        }
    }

    /// The engine behind it.
    pub(crate) fn engine(&self) -> Rc<Engine> {
        self.engine.clone()
    }

    /// Starts an upload that keeps nothing.
    pub fn upload(&self, provider: Value, file: &File) -> Handle {
        self.begin(provider, file, None, Beginning::New)
    }

    /// Starts an upload, or goes on with one, whose session is kept under that name.
    pub fn begin(&self, provider: Value, file: &File, session: Option<u64>, beginning: Beginning) -> Handle {
        self.begin_ranked(provider, file, session, beginning, 0.0)
    }

    /// Starts an upload of that priority, which keeps nothing.
    pub fn upload_ranked(&self, provider: Value, file: &File, priority: f64) -> Handle {
        self.begin_ranked(provider, file, None, Beginning::New, priority)
    }

    fn begin_ranked(
        &self,
        provider: Value,
        file: &File,
        session: Option<u64>,
        beginning: Beginning,
        priority: f64,
    ) -> Handle {
        let stored = |kept: SavedSession| partway::engine::record::SavedSession {
            record: kept.record.unwrap_or(Value::Null),
            parts: kept.parts.into_values().collect(),
        };
        let start = match beginning {
            Beginning::New => Start::New,
            Beginning::Kept(kept) => Start::Saved(stored(kept)),
            Beginning::Discard(kept) => Start::Discard(stored(kept)),
        };
        let number = self.handles.borrow().len();
        let source = provider["getCredentials"].clone();
        let platform = SimPlatform {
            core: self.core.clone(),
            upload: number,
            uploader: self.id,
            page: self.page,
            file: Some(file.clone()),
            session,
            options: Rc::new(provider.clone()),
            shares_credentials: *self.credentials.get_or_init(|| source.clone()) == source,
        };
        let setup = Setup { platform: &platform, settings: &self.settings, shared: &self.shared, cache: &self.cache };
        let made = providers::create(provider["name"].as_str().unwrap_or(""), &provider, &setup);
        let lane = format!("uploader {}", self.id);
        let place = Place { number, page: self.page, session, lane: (lane, self.slots) };
        let handle = Handle::new(place, self.core.clone(), file.clone(), provider);
        let upload = self.engine.start(platform, file.source(), made, handle.sink(), start, priority);
        handle.started(upload);
        self.handles.borrow_mut().push(handle.clone());
        handle
    }

    /// Stops everything here.
    pub fn close(&self) {
        self.engine.close();
    }
}

/// The most slots that an uploader may ever have.
fn most_slots(settings: &Settings) -> usize {
    match settings.concurrency {
        Concurrency::Auto => MOST,
        Concurrency::AtMost(count) => count,
    }
}
