//! Some seeds, so that `cargo test` alone finds what is broken; `cargo xtask simulate` plays many more.

use partway_simulation::seeds::runner::{Run, run};
use partway_simulation::seeds::{RARE_EXCUSES, play};

const SOME: Run = Run { from: 1, count: 300, real: false, verbose: false, most_failures: 3, rare: false };

#[test]
fn some_hundred_seeds() {
    let sum = run(SOME, &|line| println!("{line}"));
    let failures: Vec<_> = sum.failures.values().filter_map(|told| told.failure.as_deref()).collect();
    assert!(failures.is_empty(), "{failures:#?}");
    assert_eq!(sum.played, 300);
    assert!(sum.crashes > 20 && sum.uploads.0 > 250, "they are no stories: {sum:?}");
}

#[test]
fn some_with_real_bytes() {
    let sum = run(Run { count: 10, real: true, ..SOME }, &|line| println!("{line}"));
    assert!(sum.failures.is_empty(), "{:#?}", sum.failures.keys());
}

#[test]
fn the_same_seed_tells_the_same_story() {
    for seed in 1..40 {
        let (first, second) = (play(seed, false, true), play(seed, false, true));
        assert_eq!(first.story, second.story);
        assert_eq!(first.hash, second.hash);
    }
    assert_ne!(play(1, false, false).hash, play(2, false, false).hash);
}

#[test]
fn rare_excuses_are_needed_by_their_seeds() {
    for (name, seeds) in RARE_EXCUSES {
        let needs = |seed: &u64| play(*seed, false, false).excuses.contains(name);
        assert!(seeds.iter().any(needs), "no seed of {seeds:?} needs {name:?} any more");
    }
}

#[test]
fn seeds_that_failed_once() {
    for seed in [
        1_009_264,
        1_062_640,
        1_078_294,
        1_138_742,
        1_272_936,
        1_323_705,
        1_534_933,
        1_770_221,
        800_350_252,
        2_026_056_264,
        2_026_364_540,
        2_027_295_630,
        2_028_156_393,
        2_028_196_553,
        2_028_963_568,
        2_029_458_528,
        2_029_836_020,
        2_030_218_659,
        2_030_912_633,
        3_102_622_126,
        3_104_416_481,
        4_701_484_500,
        4_701_661_599,
    ] {
        let told = play(seed, false, false);
        assert_eq!(told.failure, None, "seed {seed}");
    }
}
