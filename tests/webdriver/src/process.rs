//! Child processes, which are ended whatever happens.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{sleep, timeout};

/// A child process. Dropping it ends the process and all that descend from it, each by its id.
pub struct Process {
    name: &'static str,
    child: Child,
}

impl Process {
    /// Starts `command` and waits up to a minute until `ready` returns a value for a line of its standard output.
    ///
    /// What it prints after that is read and dropped, so that it never blocks; its standard input stays open for as
    /// long as the process is wanted.
    pub async fn start<T>(
        name: &'static str,
        command: &mut Command,
        ready: impl Fn(&str) -> Option<T>,
    ) -> Result<(Self, T)> {
        Self::start_within(Duration::from_secs(60), name, command, ready).await
    }

    /// As [`Self::start`], for a process that needs another time.
    pub async fn start_within<T>(
        patience: Duration,
        name: &'static str,
        command: &mut Command,
        ready: impl Fn(&str) -> Option<T>,
    ) -> Result<(Self, T)> {
        let mut process = Self::spawn(name, command.stdout(Stdio::piped()))?;
        let output = process.child.stdout.take().context("no standard output")?;
        let mut lines = BufReader::new(output).lines();
        let found = timeout(patience, async {
            while let Some(line) = lines.next_line().await? {
                if let Some(found) = ready(&line) {
                    return Ok(found);
                }
            }
            bail!("{name} ended before it was ready")
        })
        .await
        .with_context(|| format!("{name} was not ready within {} s", patience.as_secs()))??;
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok((process, found))
    }

    /// Starts `command`, which doesn't report when it is ready.
    pub fn spawn(name: &'static str, command: &mut Command) -> Result<Self> {
        let child = command
            .stdin(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("could not start {name}"))?;
        Ok(Self { name, child })
    }

    /// The processes that it started, and those that they started.
    pub fn descendants(&self) -> Vec<u32> {
        self.child.id().map(descendants).unwrap_or_default()
    }

    /// Ends the process and all that descend from it by SIGKILL, and waits until they are gone.
    pub async fn kill(mut self) -> Result<()> {
        let Some(id) = self.child.id() else {
            return Ok(());
        };
        let descendants = descendants(id);
        for one in &descendants {
            kill(*one);
        }
        self.child.kill().await?;
        let gone = timeout(Duration::from_secs(10), async {
            while descendants.iter().any(|one| runs(*one)) {
                sleep(Duration::from_millis(5)).await;
            }
        });
        gone.await.with_context(|| format!("what {} started does not end", self.name))
    }

    /// Closes the standard input, so that the process ends by itself, and kills it after a while.
    pub async fn close(mut self) {
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
            kill(descendant);
        }
        let _ = self.child.start_kill();
    }
}

fn kill(id: u32) {
    if let Some(pid) = Pid::from_raw(id.cast_signed()) {
        // It may have ended meanwhile.
        let _ = kill_process(pid, Signal::KILL);
    }
}

/// Whether a process still runs; one that ended may stay in the list until its parent reaps it.
fn runs(id: u32) -> bool {
    let state = stat(id).and_then(|fields| fields.chars().next());
    state.is_some_and(|state| !matches!(state, 'Z' | 'X'))
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
    stat(id)?.split_whitespace().nth(1)?.parse().ok()
}

/// The system's record of a process: its state, its parent and more.
fn stat(id: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name, in brackets, may hold anything; state and parent follow it.
    let (_, after_name) = stat.rsplit_once(')')?;
    Some(after_name.trim_start().to_owned())
}

/// Runs a program to its end, or until it is told to end. What it started ends when its owner is dropped, as it is then.
///
/// # Errors
/// The program's own; that it was interrupted or told to end.
pub fn run<T>(program: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            outcome = program => outcome,
            _ = tokio::signal::ctrl_c() => bail!("interrupted"),
            _ = terminate.recv() => bail!("told to end"),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_a_process_started() {
        let mut child = std::process::Command::new("sleep").arg("30").spawn().expect("sleep starts");
        let found = descendants(std::process::id());
        child.kill().expect("it runs");
        assert!(found.contains(&child.id()));
        // Killed and not yet reaped: it runs no more.
        while runs(child.id()) {
            std::thread::yield_now();
        }
        child.wait().expect("it ended");
        assert!(!runs(child.id()));
    }
}
