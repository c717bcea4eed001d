//! Mutants: each rule that is broken on purpose makes a seed fail within some thousand.

use partway::util::broken::{Mutant, set};
use partway_simulation::seeds::play;

/// The number of seeds within which every mutant is found.
const ENOUGH: u64 = 15_000;

/// Plays seeds with a rule broken until one fails, and returns that failure's message.
#[track_caller]
fn caught(mutant: Mutant) -> String {
    set(Some(mutant));
    let found = (1..=ENOUGH).find_map(|seed| play(seed, false, false).failure.map(|failure| (seed, failure)));
    set(None);
    let Some((seed, failure)) = found else { panic!("{mutant:?} went unseen through {ENOUGH} seeds") };
    assert!(!failure.contains("panicked"), "seen as a panic only: {failure}");
    let sound = play(seed, false, false).failure;
    assert_eq!(sound, None, "seed {seed} fails without it too");
    println!("{mutant:?} is seen with {failure}");
    failure
}

#[test]
fn a_lost_part_that_counts_as_one_that_arrived() {
    caught(Mutant::LostPart);
}

#[test]
fn a_blind_second_export() {
    let failure = caught(Mutant::SecondExport);
    assert!(failure.contains("is there") || failure.contains("after it took effect"), "{failure}");
}

#[test]
fn a_form_that_may_have_arrived_and_is_sent_again() {
    caught(Mutant::SecondForm);
}

#[test]
fn a_session_that_is_gone_and_is_resumed() {
    caught(Mutant::NoRestart);
}

#[test]
fn a_slot_that_is_never_released() {
    caught(Mutant::SlotLeak);
}

#[test]
fn progress_that_falls() {
    let failure = caught(Mutant::FallingProgress);
    assert!(failure.contains("progress fell"), "{failure}");
}

#[test]
fn parts_that_are_sent_again_after_a_crash() {
    let failure = caught(Mutant::ForgottenParts);
    assert!(failure.contains("a part that was kept is sent again"), "{failure}");
}

#[test]
fn a_record_of_a_later_version_that_is_read() {
    let failure = caught(Mutant::NewerRecord);
    assert!(failure.contains("can't be read is resumed"), "{failure}");
}

#[test]
fn what_is_done_and_still_kept() {
    let failure = caught(Mutant::KeptForever);
    assert!(failure.contains("still kept"), "{failure}");
}

#[test]
fn a_sign_in_page_that_counts_as_an_answer() {
    caught(Mutant::SignedIn);
}

#[test]
fn parts_with_the_deadline_of_one_alone() {
    let failure = caught(Mutant::AloneOnTheLine);
    assert!(failure.contains("attempts for"), "{failure}");
}

#[test]
fn a_browser_that_forbids_what_it_should_delay() {
    caught(Mutant::OfflineForbids);
}

#[test]
fn a_read_without_an_end() {
    caught(Mutant::EndlessRead);
}

#[test]
fn a_worker_without_an_end() {
    caught(Mutant::EndlessDigest);
}

#[test]
fn a_store_that_is_hammered() {
    let failure = caught(Mutant::Hammering);
    assert!(failure.contains("were refused"), "{failure}");
}

#[test]
fn a_form_that_a_later_page_does_not_know_of() {
    caught(Mutant::UnsavedForm);
}

#[test]
fn a_host_that_refuses_and_gets_parts_all_the_same() {
    let failure = caught(Mutant::DeadHost);
    assert!(failure.contains("a host that refuses"), "{failure}");
}

#[test]
fn a_part_that_counts_whatever_the_store_says_of_it() {
    let failure = caught(Mutant::UncheckedPart);
    assert!(failure.contains("damaged bytes are proven"), "{failure}");
}

#[test]
fn a_part_that_is_adopted_whatever_the_store_lists_of_it() {
    caught(Mutant::UncheckedList);
}

#[test]
fn an_object_that_counts_whatever_the_store_says_of_it() {
    let failure = caught(Mutant::UncheckedObject);
    assert!(failure.contains("damaged bytes are proven"), "{failure}");
}

#[test]
fn parts_of_two_outputs_in_one_object() {
    let failure = caught(Mutant::MixedOutputs);
    assert!(failure.contains("isn't the file"), "{failure}");
}

#[test]
fn every_mutant_has_its_test() {
    let source = include_str!("mutants.rs");
    for mutant in Mutant::ALL {
        assert!(source.contains(&format!("caught(Mutant::{mutant:?})")), "{mutant:?}");
    }
}
