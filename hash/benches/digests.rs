//! How fast the hashes are natively: `cargo bench --package partway-hash`.

use divan::Bencher;
use divan::counter::BytesCount;
use md5::Digest;
use partway_hash::crc64::Tables;
use partway_hash::md5::{Md5, update_all};

/// As a worker's windows.
const WINDOW: usize = 256 << 10;

fn main() {
    divan::main();
}

#[divan::bench(args = [1, 2, 4, 5, 8])]
fn md5_lanes(bencher: Bencher<'_, '_>, lanes: usize) {
    let windows: Vec<Vec<u8>> = (0..lanes).map(|lane| vec![lane as u8; WINDOW]).collect();
    bencher.counter(BytesCount::new(lanes * WINDOW)).bench_local(|| {
        let mut md5s = vec![Md5::default(); lanes];
        let mut messages: Vec<_> = md5s.iter_mut().zip(&windows).map(|(md5, bytes)| (md5, &bytes[..])).collect();
        update_all(&mut messages);
        md5s
    });
}

#[divan::bench]
fn md5_of_the_engine(bencher: Bencher<'_, '_>) {
    let window = vec![1; WINDOW];
    bencher.counter(BytesCount::new(WINDOW)).bench_local(|| md5::Md5::digest(&window));
}

#[divan::bench]
fn crc64(bencher: Bencher<'_, '_>) {
    let (tables, window) = (Tables::default(), vec![1; WINDOW]);
    bencher.counter(BytesCount::new(WINDOW)).bench_local(|| tables.update(0, &window));
}
