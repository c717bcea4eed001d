//! The command line of the end-to-end tests, without a browser.

use std::collections::BTreeSet;
use std::process::{Command, Output};

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_partway-e2e")).args(arguments).output().expect("it starts")
}

fn printed(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("it prints text")
}

#[test]
fn every_test_has_a_name_of_its_own() {
    let output = run(&["list"]);
    assert!(output.status.success());
    let names = printed(&output);
    let all: Vec<&str> = names.lines().collect();
    let different: BTreeSet<&str> = all.iter().copied().collect();
    assert_eq!(all.len(), different.len());
    for destination in ["ofauth", "onlymonster", "apifansly", "s3", "plan", "form"] {
        assert!(all.iter().any(|name| name.starts_with(&format!("{destination}: "))), "nothing for {destination}");
    }
}

#[test]
fn help_names_the_commands() {
    let help = printed(&run(&["--help"]));
    for command in ["check", "run", "list"] {
        assert!(help.contains(&format!("partway-e2e {command}")), "{command} is not in the help");
    }
}

#[test]
fn what_it_does_not_know_is_an_error() {
    for wrong in [["chek"], ["--fast"]] {
        let output = run(&wrong);
        assert!(!output.status.success());
        assert!(String::from_utf8_lossy(&output.stderr).contains(wrong[0]), "{wrong:?} is not named");
    }
}

#[test]
fn words_that_no_name_has_are_an_error() {
    let output = run(&["run", "no test is called so"]);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("no test is called so"));
}
