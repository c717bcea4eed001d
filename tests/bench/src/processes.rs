//! What the browser's processes take, by /proc.

use std::collections::HashMap;
use std::fs;

use serde::Serialize;

/// Seconds of processor time, by process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Cpu {
    pub(crate) browser: f64,
    pub(crate) renderer: f64,
    pub(crate) network: f64,
    /// Storage, GPU and the rest.
    pub(crate) others: f64,
}

/// Which process it is.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Browser,
    Renderer,
    Network,
    Other,
}

/// The processes at one moment.
#[derive(Debug, Default)]
pub(crate) struct Sample {
    cpu: HashMap<u32, (Kind, f64)>,
    /// Bytes of each renderer that are its own: anonymous and shared memory, without files.
    memory: HashMap<u32, u64>,
}

impl Sample {
    /// Looks at these processes; one that has ended meanwhile is left out.
    pub(crate) fn take(ids: &[u32]) -> Self {
        let mut sample = Self::default();
        for &id in ids {
            let Some(kind) = fs::read(format!("/proc/{id}/cmdline")).ok().and_then(|line| kind(&line)) else {
                continue;
            };
            if let Some(seconds) = fs::read_to_string(format!("/proc/{id}/stat")).ok().and_then(|stat| seconds(&stat)) {
                sample.cpu.insert(id, (kind, seconds));
            }
            if kind == Kind::Renderer {
                sample.memory.extend(own_memory(id).map(|bytes| (id, bytes)));
            }
        }
        sample
    }

    /// The processor time since `earlier`.
    pub(crate) fn cpu_since(&self, earlier: &Self) -> Cpu {
        let mut cpu = Cpu::default();
        for (id, (kind, seconds)) in &self.cpu {
            let before = earlier.cpu.get(id).map_or(0.0, |(_, before)| *before);
            *match kind {
                Kind::Browser => &mut cpu.browser,
                Kind::Renderer => &mut cpu.renderer,
                Kind::Network => &mut cpu.network,
                Kind::Other => &mut cpu.others,
            } += seconds - before;
        }
        cpu
    }

    /// The renderers there.
    pub(crate) fn renderers(&self) -> Vec<u32> {
        self.memory.keys().copied().collect()
    }

    /// By how much the renderer that grew most has grown in `later`.
    pub(crate) fn growth(&self, later: &HashMap<u32, u64>) -> u64 {
        later
            .iter()
            .map(|(id, bytes)| bytes.saturating_sub(self.memory.get(id).copied().unwrap_or(*bytes)))
            .max()
            .unwrap_or(0)
    }
}

/// Bytes of its own that each of these renderers has now.
pub(crate) fn memory(renderers: &[u32]) -> HashMap<u32, u64> {
    renderers.iter().filter_map(|&id| Some((id, own_memory(id)?))).collect()
}

/// By the words that it was started with, which end with zeros or, where the process has written them anew, with spaces.
fn kind(line: &[u8]) -> Option<Kind> {
    let line = String::from_utf8_lossy(line);
    let word = |word: &str| line.split(['\0', ' ']).any(|one| one == word);
    if line.is_empty() || line.contains("chromedriver") {
        None
    } else if word("--type=renderer") {
        Some(Kind::Renderer)
    } else if word("--utility-sub-type=network.mojom.NetworkService") {
        Some(Kind::Network)
    } else if line.contains("--type=") || line.contains("crashpad") {
        Some(Kind::Other)
    } else {
        Some(Kind::Browser)
    }
}

/// Fields 14 and 15 of proc_pid_stat(5), in the 100 ticks a second that Linux reports on every architecture that browsers run on.
fn seconds(stat: &str) -> Option<f64> {
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let (user, system): (u64, u64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some((user + system) as f64 / 100.0)
}

fn own_memory(id: u32) -> Option<u64> {
    own(&fs::read_to_string(format!("/proc/{id}/status")).ok()?)
}

/// proc_pid_status(5).
fn own(status: &str) -> Option<u64> {
    let field = |name: &str| -> Option<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix(" kB")?.trim().parse().ok()
    };
    Some((field("RssAnon:")? + field("RssShmem:")?) * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_processes_by_their_words() {
        assert_eq!(kind(b"/usr/lib/chromium/chromium\0--headless=new\0"), Some(Kind::Browser));
        assert_eq!(kind(b"/usr/lib/chromium/chromium --type=renderer --lang=en"), Some(Kind::Renderer));
        let network = b"/usr/lib/chromium/chromium --type=utility --utility-sub-type=network.mojom.NetworkService --x";
        assert_eq!(kind(network), Some(Kind::Network));
        assert_eq!(kind(b"/usr/lib/chromium/chromium\0--type=zygote\0"), Some(Kind::Other));
        assert_eq!(kind(b""), None);
    }

    #[test]
    fn reads_times_and_memory_of_this_process() {
        let stat = "7 (a (b) c) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0";
        assert_eq!(seconds(stat), Some(3.0));
        assert_eq!(own("Name:\tx\nRssAnon:\t    100 kB\nRssFile:\t 7 kB\nRssShmem:\t      20 kB\n"), Some(120 * 1024));
        assert!(own_memory(std::process::id()).is_some_and(|bytes| bytes > 0));
    }

    #[test]
    fn counts_what_was_used_between_two_moments() {
        let at = |seconds: f64, bytes: u64| Sample {
            cpu: [(1, (Kind::Renderer, seconds)), (2, (Kind::Network, 2.0 * seconds))].into(),
            memory: [(1, bytes)].into(),
        };
        let cpu = at(3.0, 0).cpu_since(&at(1.0, 0));
        assert_eq!(cpu, Cpu { renderer: 2.0, network: 4.0, ..Cpu::default() });
        assert_eq!(at(0.0, 100).growth(&[(1, 175), (9, 5000)].into()), 75, "a renderer that wasn't there has no start");
    }
}
