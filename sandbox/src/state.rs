//! All that the listeners share. Nothing in here knows a handler.

pub(crate) mod addresses;
pub(crate) mod clock;
pub mod faults;
pub(crate) mod idempotency;
pub mod log;
pub(crate) mod network;
pub(crate) mod plans;
pub(crate) mod rate;
pub(crate) mod settings;
pub(crate) mod spool;
pub(crate) mod vendors;

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

use crate::bucket::{Embedded, External, Store};
use crate::options::Options;
use addresses::Addresses;
use clock::Clock;
use faults::Faults;
use idempotency::IdempotencyStore;
use log::Log;
use network::Network;
use plans::Plans;
use settings::Settings;
use spool::Spool;
use vendors::Vendors;

/// The server's state.
pub(crate) struct State {
    /// The options that the server was started with.
    pub options: Options,
    /// The server's clock.
    pub clock: Arc<Clock>,
    /// The faults in force.
    pub faults: Faults,
    /// Whether clients reach the server.
    pub network: Network,
    /// The request log.
    pub log: Arc<Log>,
    /// Where large bodies are written to.
    pub spool: Arc<Spool>,
    /// The bucket of the plan backend, Onlymonster and the S3 destination.
    pub store: Store,
    /// The vendors' models.
    pub vendors: Arc<Vendors>,
    /// The plans that the plan backend has opened.
    pub plans: Plans,
    /// The proxies' responses to calls that must not take effect twice.
    pub idempotency: IdempotencyStore,
    settings: Mutex<Settings>,
    addresses: Addresses,
}

impl State {
    /// A state without uploads.
    ///
    /// # Errors
    /// The data folder can't be written, or the system gives no random bytes.
    pub(crate) fn new(options: Options, addresses: Addresses, data: &Path) -> io::Result<Self> {
        let settings = Settings::new(&addresses.store, seed()?);
        let clock = Arc::new(Clock::default());
        let store = match &options.s3 {
            Some(existing) => Store::External(External::new(existing.clone())),
            None => Store::Embedded(Embedded::new(settings.store.clone())),
        };
        Ok(Self {
            options,
            faults: Faults::default(),
            network: Network::default(),
            log: Arc::new(Log::new(clock.clone())),
            vendors: Arc::new(Vendors::new(&settings, store.clone())),
            plans: Plans::default(),
            idempotency: IdempotencyStore::default(),
            settings: Mutex::new(settings),
            clock,
            spool: Arc::new(Spool::new(data)?),
            store,
            addresses,
        })
    }

    /// A copy of the settings.
    pub(crate) fn settings(&self) -> Settings {
        self.settings.lock().expect("settings").clone()
    }

    /// Changes some settings, or none if one of the changes is invalid.
    ///
    /// # Errors
    /// The message names the invalid change.
    pub(crate) fn change_settings(&self, changes: &Value) -> Result<(), String> {
        let mut settings = self.settings.lock().expect("settings");
        let changed = settings.with_changes(changes)?;
        self.vendors.configure(&changed);
        if let Store::Embedded(store) = &self.store {
            store.state().config = changed.store.clone();
        }
        *settings = changed;
        Ok(())
    }

    /// Clears everything but the faults, and restores the initial settings.
    pub(crate) fn reset(&self) -> io::Result<()> {
        let mut settings = self.settings.lock().expect("settings");
        *settings = Settings::new(&self.addresses.store, seed()?);
        self.vendors.reset(&settings);
        if let Store::Embedded(store) = &self.store {
            *store.state() = partway_models::store::State::new(settings.store.clone());
        }
        drop(settings);
        self.network.set_offline(Duration::ZERO);
        self.plans.clear();
        self.idempotency.clear();
        self.log.clear();
        self.spool.clear()
    }
}

/// The seed that identifiers are derived from. It differs at each start and reset, so that an identifier
/// that a page has saved before names nothing afterwards.
fn seed() -> io::Result<u64> {
    let mut seed = [0; 4];
    getrandom::fill(&mut seed).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(u64::from(u32::from_le_bytes(seed)))
}
