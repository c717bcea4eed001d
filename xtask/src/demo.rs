//! `cargo xtask demo`: the page with the sandbox behind it, to look at or to have checked.

use std::io::{BufRead, BufReader};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};
use clap::Args;

use crate::{build, package, paths, process, setup};

/// What `demo` takes.
#[derive(Args)]
pub(crate) struct Options {
    /// Uploads a real file to each destination in a headless Chromium, compares what is stored, and ends
    #[arg(long)]
    check: bool,

    /// The page's port; the stores and vendors take the ones after it (0: any that are free)
    #[arg(long, default_value_t = 8787, conflicts_with = "check")]
    port: u16,

    #[command(flatten)]
    store: Store,
}

/// An existing store, instead of the sandbox's own.
#[derive(Args)]
struct Store {
    /// The address of an S3 store to use instead of the sandbox's own, such as http://127.0.0.1:3900
    #[arg(
        long,
        value_name = "URL",
        requires_all = ["s3_bucket", "s3_access_key"]
    )]
    s3_endpoint: Option<String>,

    /// Its bucket; it has to be there, with a CORS rule that lets the page in
    #[arg(long, value_name = "NAME", requires = "s3_endpoint")]
    s3_bucket: Option<String>,

    /// Its region
    #[arg(long, value_name = "NAME", requires = "s3_endpoint")]
    s3_region: Option<String>,

    /// The id of a key that may read and write the bucket
    #[arg(long, value_name = "ID", requires = "s3_endpoint")]
    s3_access_key: Option<String>,

    /// The secret of that key; or in the environment, as PARTWAY_S3_SECRET_KEY
    #[arg(long, value_name = "SECRET", requires = "s3_endpoint")]
    s3_secret_key: Option<String>,
}

impl Store {
    /// As the sandbox takes them.
    fn arguments(&self) -> Vec<String> {
        [
            ("--s3-endpoint", &self.s3_endpoint),
            ("--s3-bucket", &self.s3_bucket),
            ("--s3-region", &self.s3_region),
            ("--s3-access-key", &self.s3_access_key),
            ("--s3-secret-key", &self.s3_secret_key),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some([name.to_owned(), value.clone()?]))
        .flatten()
        .collect()
    }
}

/// Builds what is needed, then shows or checks it.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    setup::toolchain::wasm_target()?;
    let browser = options.check.then(setup::browser::ensure).transpose()?;
    package::run(&package::Options { crash: false, skip_pack: true, names: false })?;
    build::servers()?;
    match browser {
        Some(browser) => check(options, &browser),
        None => show(options),
    }
}

fn check(options: &Options, browser: &setup::browser::Browser) -> Result<ExitCode> {
    let mut command = Command::new(paths::program("partway-e2e")?);
    command
        .arg("check")
        .args(options.store.arguments())
        .env("CHROMIUM", &browser.chromium)
        .env("CHROMEDRIVER", &browser.driver)
        .current_dir(paths::root())
        .stdin(Stdio::null());
    let status = command.status().context("could not start the check of the page")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn show(options: &Options) -> Result<ExitCode> {
    let mut command = Command::new(paths::program("partway-sandbox")?);
    command
        .args(["--port", &options.port.to_string(), "--exit-with-parent"])
        .arg("--root")
        .arg(paths::root())
        .args(options.store.arguments())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    // Ctrl-C ends this program; the sandbox sees its standard input close and tidies up before it ends.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let mut sandbox = command.spawn().context("could not start the sandbox")?;
    // `wait` would close it, and the sandbox end.
    let input = sandbox.stdin.take();
    let mut output = BufReader::new(sandbox.stdout.take().context("no standard output")?);
    let mut ready = String::new();
    output.read_line(&mut ready)?;
    let Some(address) = app_address(&ready) else {
        let status = sandbox.wait()?;
        bail!("the sandbox did not start ({status}); its message stands above");
    };
    println!("The page: {address}/");
    println!("Ctrl-C ends it.");
    let status = sandbox.wait()?;
    drop(input);
    if !status.success() {
        bail!("the sandbox ended ({status}): `{}`", process::shown(&command));
    }
    Ok(ExitCode::SUCCESS)
}

/// The page's address in the line of JSON that the sandbox prints when it is ready.
fn app_address(ready: &str) -> Option<&str> {
    let (_, after) = ready.split_once("\"app\":\"")?;
    after.split('"').next()
}

#[cfg(test)]
mod tests {
    use super::app_address;

    #[test]
    fn finds_the_address_of_the_page() {
        let line = "{\"app\":\"http://127.0.0.1:8787\",\"store\":\"http://127.0.0.1:8788\"}\n";
        assert_eq!(app_address(line), Some("http://127.0.0.1:8787"));
        assert_eq!(app_address(""), None);
    }
}
