//! All that the listeners share.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use s3s::service::S3Service;
use serde_json::Value;

use crate::bucket::{Embedded, External, Store};
use crate::clock::Clock;
use crate::faults::Faults;
use crate::idempotency::Answers;
use crate::knobs::Knobs;
use crate::log::Log;
use crate::network::Network;
use crate::options::Options;
use crate::plan::Plans;
use crate::s3;
use crate::server::Addresses;
use crate::spool::Spool;
use crate::vendors::Vendors;

/// The server's state.
pub(crate) struct Sandbox {
    /// How it was started.
    pub options: Options,
    /// Its clock.
    pub clock: Arc<Clock>,
    /// Its faults.
    pub faults: Faults,
    /// Whether it can be reached.
    pub network: Network,
    /// Its log.
    pub log: Arc<Log>,
    /// Where bodies go.
    pub spool: Arc<Spool>,
    /// The bucket of plan, Onlymonster and s3.
    pub store: Store,
    /// The embedded store as an S3 server; none where the store is elsewhere.
    pub s3: Option<(Embedded, S3Service)>,
    /// The vendors' models.
    pub vendors: Arc<Vendors>,
    /// Plans that were made.
    pub plans: Plans,
    /// Answers of the proxies to calls that must not take effect twice.
    pub answers: Answers,
    knobs: Mutex<Knobs>,
    addresses: Addresses,
}

impl Sandbox {
    /// Everything empty.
    ///
    /// # Errors
    /// The data folder can't be written, or the system gives no random bytes.
    pub(crate) fn new(options: Options, addresses: Addresses, data: &Path) -> io::Result<Self> {
        let knobs = Knobs::new(&addresses.store, seed()?);
        let clock = Arc::new(Clock::default());
        let spool = Arc::new(Spool::new(data)?);
        let (store, s3) = match &options.s3 {
            Some(existing) => (Store::External(External::new(existing.clone())), None),
            None => {
                let store = Embedded::new(knobs.store.clone());
                let service = s3::service(store.clone(), spool.clone(), clock.clone());
                (Store::Embedded(store.clone()), Some((store, service)))
            }
        };
        Ok(Self {
            options,
            faults: Faults::default(),
            network: Network::default(),
            log: Arc::new(Log::new(clock.clone())),
            vendors: Arc::new(Vendors::new(&knobs, store.clone())),
            plans: Plans::default(),
            answers: Answers::default(),
            knobs: Mutex::new(knobs),
            clock,
            spool,
            store,
            s3,
            addresses,
        })
    }

    /// Puts the CORS rule on an existing bucket; says on standard error where it couldn't.
    pub(crate) async fn prepare_store(&self) {
        let (Store::External(store), now) = (&self.store, self.clock.now()) else { return };
        let (name, store) = (store.location(), store.clone());
        let put = tokio::task::spawn_blocking(move || store.put_cors(now)).await;
        match put {
            Ok(Ok(())) => eprintln!("partway-sandbox: put the CORS rule on {}/{}", name.endpoint, name.name),
            Ok(Err(error)) => eprintln!(
                "partway-sandbox: could not put a CORS rule on {}/{} ({error}). Pages can only upload to it if it \
                 has one: methods PUT, POST, GET, HEAD, DELETE; any header; ETag exposed",
                name.endpoint, name.name
            ),
            Err(error) => eprintln!("partway-sandbox: {error}"),
        }
    }

    /// The settings.
    pub(crate) fn knobs(&self) -> Knobs {
        self.knobs.lock().expect("knobs").clone()
    }

    /// The settings that a page may see.
    pub(crate) fn knobs_shown(&self) -> Value {
        self.knobs().shown()
    }

    /// Changes some settings, or none where one of them is wrong.
    ///
    /// # Errors
    /// Says which is wrong.
    pub(crate) fn turn_knobs(&self, changes: &Value) -> Result<(), String> {
        let mut knobs = self.knobs.lock().expect("knobs");
        let turned = knobs.turned(changes)?;
        self.vendors.configure(&turned);
        if let Some((store, _)) = &self.s3 {
            store.state().config = turned.store.clone();
        }
        *knobs = turned;
        Ok(())
    }

    /// Forgets everything but the faults; settings are what they were at the start.
    pub(crate) fn reset(&self) -> io::Result<()> {
        let mut knobs = self.knobs.lock().expect("knobs");
        *knobs = Knobs::new(&self.addresses.store, seed()?);
        self.vendors.replace(&knobs);
        if let Some((store, _)) = &self.s3 {
            *store.state() = partway_models::store::State::new(knobs.store.clone());
        }
        drop(knobs);
        self.network.lose(Duration::ZERO);
        self.plans.clear();
        self.answers.clear();
        self.log.clear();
        self.spool.clear()
    }
}

/// Identifiers follow from it: never the same, so that what a page kept of an earlier run names nothing now.
fn seed() -> io::Result<u64> {
    let mut seed = [0; 4];
    getrandom::fill(&mut seed).map_err(|error| io::Error::other(error.to_string()))?;
    Ok(u64::from(u32::from_le_bytes(seed)))
}
