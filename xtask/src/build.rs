//! What has to be built before something can be shown or tested.

use anyhow::Result;

use crate::process;

/// The packages of the workspace whose tests run natively, together; xtask and the simulation have groups of their own.
///
/// Cargo settles the features of shared crates by what is built together, and compiles them again for another choice: so
/// the choice is made here, once.
pub(crate) const NATIVE: [&str; 12] = [
    "--package",
    "partway",
    "--package",
    "partway-models",
    "--package",
    "partway-sandbox",
    "--package",
    "partway-webdriver",
    "--package",
    "partway-e2e",
    "--package",
    "partway-bench",
];

/// Builds the sandbox and the program that drives a browser, and nothing that only tests need.
pub(crate) fn servers() -> Result<()> {
    process::run(process::cargo().args(["build", "--package", "partway-sandbox", "--package", "partway-e2e"]))
}

/// Builds the program that measures. The target's work is the kernel's, so that a build without optimisation does.
pub(crate) fn bench() -> Result<()> {
    process::run(process::cargo().args(["build", "--package", "partway-bench"]))
}

/// Builds the sandbox and the program that drives a browser, with the crates that native tests were built with.
pub(crate) fn servers_for_tests() -> Result<()> {
    process::run(process::cargo().args(["test", "--no-run"]).args(NATIVE))
}
