//! The hosts of the page's stores: how busy each is, and which fail while another works.

use std::cell::{RefCell, RefMut};
use std::rc::Rc;

/// So often in a row a host may fail while another one works. (A choice: connections are lost everywhere, a host that is gone loses all.)
const MAX_STRIKES: u32 = 3;

/// What is known of every host. Clones are the same registry.
#[derive(Clone, Debug, Default)]
pub struct Hosts(Rc<RefCell<Vec<(String, Host)>>>);

#[derive(Clone, Copy, Debug, Default)]
struct Host {
    /// Parts that are sent to it now.
    running: usize,
    /// It failed, and no other has worked since.
    failed: bool,
    /// How often it failed while another one worked, in a row.
    strikes: u32,
    /// It refused a part, or the page may not send anything to it.
    refused: bool,
}

impl Hosts {
    fn of(&self, origin: &str) -> RefMut<'_, Host> {
        let mut hosts = self.0.borrow_mut();
        let at = hosts.iter().position(|(other, _)| other == origin).unwrap_or_else(|| {
            hosts.push((origin.into(), Host::default()));
            hosts.len() - 1
        });
        RefMut::map(hosts, |hosts| &mut hosts[at].1)
    }

    /// Counts a part that is sent to a host, until the result is dropped.
    pub(super) fn begin(&self, origin: &str) -> Running {
        self.of(origin).running += 1;
        Running { hosts: self.clone(), origin: origin.into() }
    }

    /// Notes that a host took a request. Those that failed meanwhile aren't the network's fault.
    pub(super) fn worked(&self, origin: &str) {
        for (other, host) in &mut *self.0.borrow_mut() {
            if other == origin {
                *host = Host { running: host.running, ..Host::default() };
            } else if host.failed {
                (host.failed, host.strikes) = (false, host.strikes + 1);
            }
        }
    }

    /// Notes that a request to a host failed: mostly the connection was lost, or it timed out.
    pub(super) fn failed(&self, origin: &str) {
        self.of(origin).failed = true;
    }

    /// Notes that a host refuses, or that the page forbids requests to it.
    pub fn refused(&self, origin: &str) {
        self.of(origin).refused = true;
    }

    /// Whether a host is to be used as long as there is one that works.
    pub fn is_good(&self, origin: &str) -> bool {
        let host = self.of(origin);
        !host.refused && host.strikes < MAX_STRIKES
    }

    /// How many of them are used.
    pub fn count_good<'a>(&self, origins: impl Iterator<Item = &'a str>) -> usize {
        origins.filter(|origin| self.is_good(origin)).count()
    }

    /// Has all of them used again: where none works, none is to blame.
    pub fn forgive<'a>(&self, origins: impl Iterator<Item = &'a str>) {
        for origin in origins {
            let mut host = self.of(origin);
            (host.refused, host.strikes) = (false, 0);
        }
    }

    /// The index of the host for the next request: a good one, if possible another than `last`, with the fewest parts under way. The list
    /// is looked through from `turn` on.
    pub fn pick(&self, origins: &[&str], turn: usize, last: Option<usize>) -> usize {
        let cost = |at: &usize| {
            let origin = origins[*at];
            (!self.is_good(origin) || broken!(DeadHost), last == Some(*at), self.of(origin).running)
        };
        let order = (0..origins.len()).map(|at| (at + turn) % origins.len());
        order.min_by_key(cost).unwrap_or_default()
    }
}

/// A part under way to a host.
#[derive(Debug)]
pub(super) struct Running {
    hosts: Hosts,
    origin: String,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.hosts.of(&self.origin).running -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: [&str; 2] = ["https://a.example", "https://b.example"];

    #[test]
    fn parts_go_where_the_fewest_are() {
        let hosts = Hosts::default();
        assert_eq!((hosts.pick(&TWO, 0, None), hosts.pick(&TWO, 3, None)), (0, 1));
        let running = hosts.begin(TWO[0]);
        assert_eq!(hosts.pick(&TWO, 0, None), 1);
        assert_eq!(hosts.pick(&TWO, 0, Some(1)), 0, "a retry goes elsewhere");
        drop(running);
        assert_eq!(hosts.pick(&TWO, 0, None), 0);
    }

    #[test]
    fn a_host_that_fails_while_another_works_is_left_out() {
        let hosts = Hosts::default();
        for strikes in 0..MAX_STRIKES {
            assert_eq!(hosts.count_good(TWO.into_iter()), 2, "{strikes}");
            (0..9).for_each(|_| hosts.failed(TWO[0]));
            hosts.worked(TWO[1]);
        }
        assert_eq!((hosts.count_good(TWO.into_iter()), hosts.pick(&TWO, 0, Some(1))), (1, 1));
        hosts.worked(TWO[0]);
        assert_eq!(hosts.count_good(TWO.into_iter()), 2);
    }

    #[test]
    fn a_network_that_fails_is_nobodys_fault() {
        let hosts = Hosts::default();
        for _ in 0..9 {
            TWO.iter().for_each(|origin| hosts.failed(origin));
        }
        hosts.worked(TWO[0]);
        assert_eq!(hosts.count_good(TWO.into_iter()), 2);
    }

    #[test]
    fn where_all_refuse_none_is_left_out() {
        let hosts = Hosts::default();
        hosts.refused(TWO[0]);
        assert_eq!((hosts.count_good(TWO.into_iter()), hosts.pick(&TWO, 0, Some(1))), (1, 1));
        hosts.refused(TWO[1]);
        assert_eq!((hosts.count_good(TWO.into_iter()), hosts.pick(&TWO, 0, None)), (0, 0));
        hosts.forgive(TWO.into_iter());
        assert_eq!(hosts.count_good(TWO.into_iter()), 2);
    }
}
