//! The engine accepts the options that the package's face accepts: both are tested with the same list.

use std::path::Path;

use partway::context::shared::SharedState;
use partway::json::Decode;
use partway::model::settings::Settings;
use partway::providers;
use partway::providers::setup::{ProviderCache, Setup};
use partway_simulation::World;
use partway_simulation::platform::SimPlatform;
use serde_json::Value;

#[test]
fn every_option_that_the_face_takes_is_taken() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../options/taken.json");
    let all: Vec<Value> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert!(all.len() > 30);
    let world = World::new(1);
    for options in all {
        let provider = &options["provider"];
        let platform = SimPlatform::with_options(&world, provider.clone());
        let settings = Settings::decode(Some(&options)).unwrap_or_else(|why| panic!("{options}: {}", why.message()));
        let (shared, cache) = (SharedState::default(), ProviderCache::default());
        let setup = Setup { platform: &platform, settings: &settings, shared: &shared, cache: &cache };
        if let Err(error) = providers::create(provider["name"].as_str().unwrap(), provider, &setup) {
            panic!("{provider}: {error:?}");
        }
    }
}
