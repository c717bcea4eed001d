//! Firefox, by geckodriver.

use std::env;
use std::process::Stdio;

use anyhow::Result;
use serde_json::json;
use thirtyfour::Capabilities;
use tokio::process::Command;

use super::{Launch, Profile};
use crate::process::Process;

/// GECKODRIVER and FIREFOX name the programs, where they aren't on the search path.
pub(super) async fn launch(profile: &Profile) -> Result<Launch> {
    let program = env::var_os("GECKODRIVER").unwrap_or_else(|| "geckodriver".into());
    // Firefox logs every service that it can't reach.
    let (driver, port) =
        Process::start("geckodriver", Command::new(program).arg("--port=0").stderr(Stdio::null()), port).await?;
    let mut options = json!({
        "args": ["-headless", "-profile", profile.path()],
        // The system's proxy would get requests that are meant for this machine.
        "prefs": { "network.proxy.type": 0, "browser.shell.checkDefaultBrowser": false },
    });
    if let Some(firefox) = env::var_os("FIREFOX") {
        options["binary"] = json!(firefox.to_string_lossy());
    }
    let mut capabilities = Capabilities::new();
    capabilities.set("browserName", "firefox")?;
    capabilities.set("moz:firefoxOptions", options)?;
    Ok(Launch { url: format!("http://127.0.0.1:{port}"), capabilities, processes: vec![driver] })
}

/// In "1795244111377 geckodriver INFO Listening on 127.0.0.1:43609"
fn port(line: &str) -> Option<u16> {
    let (_, address) = line.split_once("geckodriver\tINFO\tListening on ")?;
    address.trim().rsplit_once(':')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::port;

    #[test]
    fn reads_the_port_of_the_driver() {
        assert_eq!(port("1795244111377\tgeckodriver\tINFO\tListening on 127.0.0.1:43609"), Some(43609));
        assert_eq!(port("1795244115876\tMarionette\tINFO\tListening on port 39527"), None);
    }
}
