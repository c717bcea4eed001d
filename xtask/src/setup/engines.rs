//! Firefox and WebKit with their WebDriver servers, beside Chromium.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use super::apt;
use crate::{paths, process};

/// Where both engines and their drivers are.
pub(crate) struct Engines {
    firefox: PathBuf,
    geckodriver: PathBuf,
    mini_browser: PathBuf,
    webkit_driver: PathBuf,
    xvfb: PathBuf,
}

impl Engines {
    /// As the program that drives them takes them.
    pub(crate) fn name_to(&self, command: &mut Command) {
        command
            .env("FIREFOX", &self.firefox)
            .env("GECKODRIVER", &self.geckodriver)
            .env("MINIBROWSER", &self.mini_browser)
            .env("WEBKITWEBDRIVER", &self.webkit_driver)
            .env("XVFB", &self.xvfb);
    }
}

/// Finds all; what isn't there is installed where that can be done.
pub(crate) fn ensure() -> Result<Engines> {
    let firefox = found(
        "FIREFOX",
        || named(&["firefox-esr", "firefox"]),
        || apt::install("Firefox", &["firefox-esr"]),
        "Install Firefox (Debian, as root: `apt-get install firefox-esr`), or name it: FIREFOX=/path/to/firefox",
    )?;
    let geckodriver = found(
        "GECKODRIVER",
        || own_geckodriver().or_else(|| named(&["geckodriver"])),
        install_geckodriver,
        "Install geckodriver (`cargo install geckodriver --locked`), or name it: GECKODRIVER=/path/to/geckodriver",
    )?;
    let webkit = || apt::install("WebKit's test browser", &["webkit2gtk-driver", "xvfb"]);
    let by_hand = "Install WebKitGTK's driver and test browser, and Xvfb (Debian, as root: `apt-get install webkit2gtk-driver xvfb`), or name them: WEBKITWEBDRIVER=, MINIBROWSER=, XVFB=";
    Ok(Engines {
        firefox,
        geckodriver,
        webkit_driver: found("WEBKITWEBDRIVER", || named(&["WebKitWebDriver"]), webkit, by_hand)?,
        mini_browser: found("MINIBROWSER", mini_browser, webkit, by_hand)?,
        xvfb: found("XVFB", || named(&["Xvfb"]), webkit, by_hand)?,
    })
}

fn found(
    variable: &str,
    find: impl Fn() -> Option<PathBuf>,
    install: impl Fn() -> Result<()>,
    by_hand: &'static str,
) -> Result<PathBuf> {
    if let Some(path) = env::var_os(variable) {
        return Ok(PathBuf::from(path));
    }
    if let Some(path) = find() {
        return Ok(path);
    }
    install().context(by_hand)?;
    find().context(by_hand)
}

fn named(programs: &[&str]) -> Option<PathBuf> {
    programs.iter().find_map(|name| paths::find_in_path(name))
}

/// It is on no search path: distributions put it beside WebKit's own processes.
fn mini_browser() -> Option<PathBuf> {
    let of_triplets = fs::read_dir("/usr/lib").into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
    let folders = [PathBuf::from("/usr/libexec"), PathBuf::from("/usr/lib")].into_iter().chain(of_triplets);
    folders.map(|folder| folder.join("webkit2gtk-4.1/MiniBrowser")).find(|path| path.is_file())
}

/// Mozilla publishes its driver as a crate too, so that Cargo alone has it on every system; this version suits Firefox 128 and later.
const GECKODRIVER: &str = "0.37.1";

fn geckodriver_folder() -> PathBuf {
    paths::root().join("target/tools").join(format!("geckodriver-{GECKODRIVER}"))
}

fn own_geckodriver() -> Option<PathBuf> {
    let program = geckodriver_folder().join("bin").join(format!("geckodriver{}", env::consts::EXE_SUFFIX));
    program.is_file().then_some(program)
}

fn install_geckodriver() -> Result<()> {
    let folder = geckodriver_folder();
    let build = folder.join("build");
    // A debug build: it passes messages on, and is there in half the time.
    process::run(
        process::cargo()
            .args(["install", "geckodriver", "--locked", "--debug", "--version"])
            .arg(format!("={GECKODRIVER}"))
            .arg("--root")
            .arg(&folder)
            .env("CARGO_TARGET_DIR", &build)
            .env("CARGO_PROFILE_DEV_DEBUG", "0"),
    )?;
    remove(&build)
}

fn remove(folder: &Path) -> Result<()> {
    if folder.is_dir() {
        fs::remove_dir_all(folder).with_context(|| format!("could not remove {}", folder.display()))?;
    }
    Ok(())
}
