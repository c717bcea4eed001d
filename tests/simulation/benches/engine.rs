//! What the engine costs a part: uploads without faults in virtual time, so that nothing is waited for.
//!
//! It includes what the simulation does for a part: the line, the store's model, and a log of the requests. So figures count as
//! differences between two versions, and between few parts and many.

use divan::counter::ItemsCount;
use divan::{AllocProfiler, Bencher};
use partway_simulation::World;
use partway_simulation::servers::STORE;
use serde_json::{Value, json};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

const PART: u64 = 5 << 20;

/// As S3's limit has it, and what most files have.
const PARTS: [u64; 3] = [100, 1_000, 10_000];

#[divan::bench(args = PARTS, sample_size = 1, sample_count = 10)]
fn as_it_comes(bencher: Bencher, parts: u64) {
    uploads(bencher, parts, json!({}));
}

#[divan::bench(args = PARTS, sample_size = 1, sample_count = 10)]
fn integrity_and_resume_off(bencher: Bencher, parts: u64) {
    uploads(bencher, parts, json!({ "integrity": "off", "resume": false }));
}

fn uploads(bencher: Bencher, parts: u64, options: Value) {
    let provider = json!({
        "name": "s3", "endpoint": STORE, "bucket": "media", "region": "us-east-1", "forcePathStyle": true, "key": "a/b.mp4",
        "partSize": PART,
    });
    bencher.counter(ItemsCount::new(parts)).bench_local(|| {
        let world = World::new(1);
        let upload = world.upload(provider.clone(), options.clone(), &world.file("clip.mp4", parts * PART));
        world.run();
        world.stored(&upload);
        assert_eq!(world.count("store:UploadPart"), usize::try_from(parts).expect("few enough"));
    });
}
