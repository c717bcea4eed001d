//! The suites, one function each.

use std::cell::OnceCell;
use std::env;
use std::process::Command;

use anyhow::{Result, anyhow};

use super::counts::{self, Counts};
use crate::setup::browser::Browser;
use crate::{bench, build, package, paths, process, setup, simulate};

/// A kind of test.
pub(crate) struct Suite {
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) run: fn(&Ground) -> Result<Outcome>,
}

/// What came of one suite.
pub(crate) struct Outcome {
    pub(crate) counts: Counts,
    /// The runner's own verdict, which covers what its counts don't: a crash, or a program that doesn't compile.
    pub(crate) success: bool,
}

/// In the order in which they run: what is quick to fail comes first.
pub(crate) const SUITES: &[Suite] = &[
    Suite { name: "fmt", about: "rustfmt has nothing to change", run: fmt },
    Suite {
        name: "layers",
        about: "layers use only those before them, and no files import each other in a circle",
        run: layers,
    },
    Suite { name: "clippy", about: "no warning in the whole workspace, natively", run: clippy },
    Suite { name: "clippy-wasm", about: "no warning in partway, for wasm", run: clippy_wasm },
    Suite { name: "doc", about: "rustdoc without a warning, natively and for wasm", run: doc },
    Suite { name: "native", about: "cargo test: engine, providers, models, sandbox, xtask", run: native },
    Suite { name: "simulation", about: "the engine in virtual time, against the sandbox's models", run: simulation },
    Suite { name: "seeds", about: "20,000 stories from seeds, and rules broken on purpose", run: seeds },
    Suite { name: "wasm", about: "tests/browser.rs by wasm-bindgen-test in Chromium", run: wasm },
    Suite { name: "package", about: "the npm package: its files, types and sizes, and bundlers", run: package_tests },
    Suite { name: "e2e", about: "real files through a real Chromium to the sandbox, bytes compared", run: e2e },
    Suite {
        name: "bench",
        about: "the bench, with small files and no rivals: all arrives, nothing is timed",
        run: bench,
    },
    Suite { name: "table", about: "every fault at every destination, in Chromium, Firefox and WebKit", run: table },
];

/// What several suites stand on; each thing is made once, when the first suite asks, and is asked again if it failed.
pub(crate) struct Ground {
    /// Given on to the runner of a suite that is run alone.
    pub(crate) arguments: Vec<String>,
    /// Whether the fault table is run whole, and tests that are slow and rarely break too.
    full: bool,
    wasm_target: OnceCell<()>,
    linters: OnceCell<()>,
    browser: OnceCell<Browser>,
    packed: OnceCell<()>,
    built: OnceCell<()>,
    crash_package: OnceCell<package::Built>,
    servers: OnceCell<()>,
}

impl Ground {
    pub(crate) fn new(arguments: Vec<String>, full: bool) -> Self {
        Self {
            arguments,
            full,
            wasm_target: OnceCell::new(),
            linters: OnceCell::new(),
            browser: OnceCell::new(),
            packed: OnceCell::new(),
            built: OnceCell::new(),
            crash_package: OnceCell::new(),
            servers: OnceCell::new(),
        }
    }

    fn wasm_target(&self) -> Result<&()> {
        once(&self.wasm_target, setup::toolchain::wasm_target)
    }

    fn linters(&self) -> Result<&()> {
        once(&self.linters, setup::toolchain::linters)
    }

    fn browser(&self) -> Result<&Browser> {
        once(&self.browser, setup::browser::ensure)
    }

    fn packed(&self) -> Result<&()> {
        self.wasm_target()?;
        once(&self.packed, || {
            package::run(&package::Options { crash: false, skip_pack: false, names: false }).map(drop)
        })
    }

    /// The package without its tarball's checks: one that is too large works all the same, and says so in its own suite.
    fn built(&self) -> Result<&()> {
        if let Ok(packed) = self.packed() {
            return Ok(packed);
        }
        once(&self.built, || package::run(&package::Options { crash: false, skip_pack: true, names: false }).map(drop))
    }

    fn crash_package(&self) -> Result<&package::Built> {
        self.wasm_target()?;
        once(&self.crash_package, || package::run(&package::Options { crash: true, skip_pack: true, names: false }))
    }

    fn servers(&self) -> Result<&()> {
        once(&self.servers, build::servers_for_tests)
    }
}

fn once<T>(cell: &OnceCell<T>, make: impl FnOnce() -> Result<T>) -> Result<&T> {
    if cell.get().is_none() {
        let made = make()?;
        let _ = cell.set(made);
    }
    cell.get().ok_or_else(|| anyhow!("made, and not there"))
}

fn fmt(ground: &Ground) -> Result<Outcome> {
    ground.linters()?;
    check(process::cargo().args(["fmt", "--all", "--check", "--", "--color", "never"]))
}

fn layers(_: &Ground) -> Result<Outcome> {
    let counts = super::layers::check()?;
    Ok(Outcome { success: counts.failed == 0, counts })
}

fn clippy(ground: &Ground) -> Result<Outcome> {
    ground.linters()?;
    check(process::cargo().args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--all-features",
        "--",
        "--deny",
        "warnings",
    ]))
}

fn clippy_wasm(ground: &Ground) -> Result<Outcome> {
    ground.linters()?;
    ground.wasm_target()?;
    check(
        process::cargo()
            .args(["clippy", "--package", "partway", "--all-features"])
            .args(["--target", "wasm32-unknown-unknown"])
            .args(["--lib", "--test", "browser"])
            .args(["--", "--deny", "warnings"]),
    )
}

fn doc(ground: &Ground) -> Result<Outcome> {
    ground.wasm_target()?;
    let native =
        check(process::cargo().args(["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "--deny warnings"))?;
    let wasm = check(
        process::cargo()
            .args(["doc", "--package", "partway", "--no-deps"])
            .args(["--target", "wasm32-unknown-unknown"])
            .env("RUSTDOCFLAGS", "--deny warnings"),
    )?;
    Ok(Outcome { counts: native.counts + wasm.counts, success: native.success && wasm.success })
}

fn native(ground: &Ground) -> Result<Outcome> {
    // xtask by itself: built together with the others, its crates would get other features, and be compiled again.
    let xtask = cargo_test(&["--package", "xtask"], &ground.arguments)?;
    let others = cargo_test(&build::NATIVE, &ground.arguments)?;
    Ok(Outcome { counts: xtask.counts + others.counts, success: xtask.success && others.success })
}

fn simulation(ground: &Ground) -> Result<Outcome> {
    cargo_test(&["--package", "partway-simulation"], &ground.arguments)
}

fn seeds(ground: &Ground) -> Result<Outcome> {
    let play = |count: &str, option: &str| {
        let mut command = simulate::program();
        check(command.args(["--seeds", count, option]))
    };
    let (symbolic, real) = (play("20000", "--every-excuse")?, play("400", "--bytes")?);
    // A build of its own: what is broken on purpose is in no other.
    let mutants = ["--release", "--package", "partway-simulation", "--features", "mutants", "--test", "mutants"];
    let mutants = cargo_test(&mutants, &ground.arguments)?;
    Ok(Outcome {
        counts: symbolic.counts + real.counts + mutants.counts,
        success: symbolic.success && real.success && mutants.success,
    })
}

fn wasm(ground: &Ground) -> Result<Outcome> {
    ground.wasm_target()?;
    let browser = ground.browser()?;
    let runner = format!(
        "target.wasm32-unknown-unknown.runner=[{:?}, \"wasm-test-runner\"]",
        env::current_exe()?.to_string_lossy()
    );
    let run = process::tee(
        process::cargo()
            .args(["test", "--package", "partway", "--test", "browser"])
            .args(["--target", "wasm32-unknown-unknown", "--config", &runner])
            .arg("--")
            .args(&ground.arguments)
            .env("CHROMEDRIVER", &browser.driver)
            .env("WASM_BINDGEN_TEST_WEBDRIVER_JSON", paths::root().join("tests/webdriver.json"))
            .env("WASM_BINDGEN_TEST_TIMEOUT", "300")
            .env("WASM_BINDGEN_TEST_DRIVER_TIMEOUT", "60"),
    )?;
    Ok(Outcome { counts: counts::of_cargo_test(&run.text), success: run.success })
}

fn package_tests(ground: &Ground) -> Result<Outcome> {
    ground.packed()?;
    let folder = paths::root().join("tests/package");
    if folder.join("package-lock.json").is_file() {
        setup::npm::ensure(&folder)?;
    } else {
        setup::npm::node()?;
    }
    closing(Command::new("node").arg("tests/package/run.mjs").args(&ground.arguments).current_dir(paths::root()))
}

fn e2e(ground: &Ground) -> Result<Outcome> {
    let browser = ground.browser()?;
    let engines = setup::engines::ensure()?;
    ground.built()?;
    let crash = ground.crash_package()?;
    ground.servers()?;
    for folder in ["tests/package", "tests/readme"] {
        setup::npm::ensure(&paths::root().join(folder))?;
    }
    let mut command = Command::new(paths::program("partway-e2e")?);
    command
        .arg("run")
        .args(ground.full.then_some("--full"))
        .args(&ground.arguments)
        .env("CHROMIUM", &browser.chromium)
        .env("CHROMEDRIVER", &browser.driver)
        .env("PARTWAY_CRASH_PACKAGE", &crash.folder)
        .current_dir(paths::root());
    engines.name_to(&mut command);
    closing(&mut command)
}

fn bench(ground: &Ground) -> Result<Outcome> {
    let browser = ground.browser()?;
    ground.built()?;
    let success = bench::check(browser)?;
    Ok(Outcome { counts: Counts::one(success), success })
}

fn table(ground: &Ground) -> Result<Outcome> {
    let browser = ground.browser()?;
    let engines = setup::engines::ensure()?;
    ground.built()?;
    ground.servers()?;
    let mut command = Command::new(paths::program("partway-e2e")?);
    command
        .arg("table")
        .args(ground.full.then_some("--full"))
        .args(&ground.arguments)
        .env("CHROMIUM", &browser.chromium)
        .env("CHROMEDRIVER", &browser.driver)
        .current_dir(paths::root());
    engines.name_to(&mut command);
    closing(&mut command)
}

/// A run that either finds something or doesn't.
fn check(command: &mut Command) -> Result<Outcome> {
    let success = process::tee(command)?.success;
    Ok(Outcome { counts: Counts::one(success), success })
}

fn cargo_test(packages: &[&str], arguments: &[String]) -> Result<Outcome> {
    let run = process::tee(process::cargo().args(["test", "--no-fail-fast"]).args(packages).arg("--").args(arguments))?;
    Ok(Outcome { counts: counts::of_cargo_test(&run.text), success: run.success })
}

/// A run that ends with `N passed, N failed`.
fn closing(command: &mut Command) -> Result<Outcome> {
    let run = process::tee(command)?;
    Ok(Outcome { counts: counts::of_closing_line(&run.text), success: run.success })
}
