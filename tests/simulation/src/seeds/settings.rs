//! How the servers of a scenario are set up.

use partway::platform::Hook;
use partway_models::form;
use partway_models::ofauth::Layout;
use partway_models::store::Checksums;

use super::destination::Destination;
use crate::capacity::Capacity;
use crate::rng::Rng;
use crate::servers::{BadHost, STORE_TWO};
use crate::world::World;

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// Settings of the servers.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    pub(crate) part_size: u64,
    pub(crate) threshold: u64,
    part_count: Option<u32>,
    pub(crate) url_expires_s: u64,
    processing_ms: u64,
    pub(crate) headers_layout: bool,
    first_urls: usize,
    pub(crate) credentials_ms: u64,
    lists: bool,
    pub(crate) signs: bool,
    completes: bool,
    /// What the application's own server answers to a form.
    pub(crate) form_reply: form::Reply,
    /// What the stores take; None: any number of parts.
    pub(crate) capacity: Option<Capacity>,
    /// It takes everything again after this time.
    pub(crate) down_ms: Option<u64>,
    /// How the store's second host doesn't work; None where it does.
    pub(crate) bad_host: Option<BadHost>,
    /// Whether ETags are none of MD5s, and whether the page is told so.
    pub(crate) kms: Option<Told>,
    /// Which checksums the store says by itself.
    pub(crate) checksums: Checksums,
}

/// What the page is told of encryption with KMS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// Each answer says it.
    Yes,
    /// The CORS rule hides it.
    No,
}

impl ServerSettings {
    pub(crate) fn of(rng: &Rng, destination: Destination, wild: bool) -> Self {
        let small = rng.pick(&[(2, MIB), (1, 256 * KIB)]);
        let (part_size, threshold) = match destination {
            Destination::Ofauth => (small, rng.pick(&[(2, small), (1, 64 * KIB)])),
            Destination::Apifansly | Destination::Form | Destination::Policy => (small, u64::MAX),
            Destination::Onlymonster => (5 * MIB, rng.pick(&[(2, 5 * MIB), (1, 1), (1, 64 * MIB)])),
            Destination::S3 => {
                (rng.pick(&[(3, 5 * MIB), (1, 8 * MIB)]), rng.pick(&[(2, 5 * MIB), (1, 0), (1, 16 * MIB)]))
            }
            Destination::Plan => (5 * MIB, rng.pick(&[(2, 5 * MIB), (1, 0)])),
        };
        Self {
            part_size,
            threshold,
            part_count: rng.pick(&[(3, None), (1, Some(rng.between(1, 30) as u32))]),
            url_expires_s: if wild { rng.pick(&[(3, 3_600), (1, 120)]) } else { 3_600 },
            processing_ms: rng.pick(&[(2, 4_000), (1, 0), (1, 45_000)]),
            headers_layout: rng.chance(15),
            first_urls: rng.pick(&[(2, 2), (1, 0), (1, 100_000)]),
            credentials_ms: rng.pick(&[(3, 3_600_000), (1, 300_000)]),
            lists: rng.chance(80),
            signs: rng.chance(85),
            completes: true,
            form_reply: form::Reply::Job,
            capacity: None,
            down_ms: None,
            bad_host: None,
            kms: None,
            checksums: Checksums::Off,
        }
    }

    pub(crate) fn apply(&self, world: &World) {
        world.capacity(self.capacity.clone());
        if let Some(ms) = self.down_ms {
            world.mend_capacity_after(ms);
        }
        {
            let mut servers = world.servers();
            servers.bad_hosts.extend(self.bad_host.map(|bad| (STORE_TWO, bad)));
            let ofauth = &mut servers.ofauth.config;
            (ofauth.part_size, ofauth.single_max) = (self.part_size, self.threshold.min(self.part_size));
            if self.headers_layout {
                // One part in headers is a single one, whatever it is.
                (ofauth.layout, ofauth.single_max) = (Layout::Headers, self.part_size);
            }
            let onlymonster = &mut servers.onlymonster.config;
            onlymonster.multipart_threshold = self.threshold;
            (onlymonster.part_count, onlymonster.url_expires_s) = (self.part_count, self.url_expires_s);
            onlymonster.processing_ms = self.processing_ms;
            servers.apifansly.config.processing_ms = self.processing_ms;
            servers.form.config.processing_ms = self.processing_ms;
            servers.form.config.reply = self.form_reply;
            let backend = &mut servers.backend;
            (backend.part_size, backend.single_below) = (self.part_size, self.threshold);
            backend.expires_s = self.url_expires_s;
            // Without `sign` the plan has every URL from the start.
            backend.first_urls = if self.signs { self.first_urls } else { usize::MAX };
            let encryption = self.kms.map(|_| "aws:kms".to_string());
            (servers.store.config.encryption, servers.vault.config.encryption) = (encryption.clone(), encryption);
            (servers.store.config.checksums, servers.vault.config.checksums) = (self.checksums, self.checksums);
            if let (Some(Told::No), Some(exposes)) = (self.kms, &mut servers.bucket_cors.exposes) {
                exposes.retain(|name| name != "x-amz-server-side-encryption");
            }
        }
        let mut hooks = world.hooks();
        hooks.credentials_ms = Some(self.credentials_ms);
        for (gives, hook) in
            [(self.lists, Hook::ListParts), (self.signs, Hook::SignParts), (self.completes, Hook::Complete)]
        {
            if !gives {
                hooks.absent.insert(hook);
            }
        }
    }
}
