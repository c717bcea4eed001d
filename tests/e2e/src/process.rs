//! Programs that this one starts, and ends again whatever happens.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// A child process. Dropping it ends the process and all that descend from it, each by its id.
pub(crate) struct Process {
    name: &'static str,
    child: Child,
}

impl Process {
    /// Starts `command` and waits until `ready` makes something of a line of its standard output.
    ///
    /// What it prints after that is read and dropped, so that it never blocks; its standard input stays open for as
    /// long as the process is wanted.
    pub(crate) async fn start<T>(
        name: &'static str,
        command: &mut Command,
        ready: impl Fn(&str) -> Option<T>,
    ) -> Result<(Self, T)> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("could not start {name}"))?;
        let output = child.stdout.take().context("no standard output")?;
        let mut lines = BufReader::new(output).lines();
        let process = Self { name, child };
        let found = timeout(Duration::from_secs(60), async {
            while let Some(line) = lines.next_line().await? {
                if let Some(found) = ready(&line) {
                    return Ok(found);
                }
            }
            bail!("{name} ended before it was ready")
        })
        .await
        .with_context(|| format!("{name} was not ready within a minute"))??;
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok((process, found))
    }

    /// Lets the process end by itself, now that its standard input closes; ends it by force after a while.
    pub(crate) async fn close(mut self) {
        drop(self.child.stdin.take());
        if timeout(Duration::from_secs(10), self.child.wait()).await.is_err() {
            eprintln!("{} did not end by itself", self.name);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let Some(id) = self.child.id() else {
            return;
        };
        for descendant in descendants(id) {
            if let Some(pid) = Pid::from_raw(descendant.cast_signed()) {
                // It may have ended meanwhile.
                let _ = kill_process(pid, Signal::KILL);
            }
        }
        let _ = self.child.start_kill();
    }
}

/// The processes that `root` started, and those that they started.
fn descendants(root: u32) -> Vec<u32> {
    let parents: Vec<(u32, u32)> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|id| Some((id, parent(id)?)))
        .collect();
    let mut found = vec![root];
    let mut next = 0;
    while next < found.len() {
        let parent = found[next];
        found.extend(parents.iter().filter(|(_, its_parent)| *its_parent == parent).map(|(id, _)| *id));
        next += 1;
    }
    found.split_off(1)
}

fn parent(id: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name, in brackets, may hold anything; state and parent follow it.
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_a_process_started() {
        let mut child = std::process::Command::new("sleep").arg("30").spawn().expect("sleep starts");
        let found = descendants(std::process::id());
        child.kill().expect("it runs");
        child.wait().expect("it ended");
        assert!(found.contains(&child.id()));
    }
}
