//! The line that all uploads of the page share: which requests are on it, when it last moved, and how much it carries.
//!
//! Bytes leave a browser at the speed of whatever stands next to it: socket buffers, a proxy that takes a body whole and passes it
//! on slowly. So bytes that left say nothing of the line's rate. Bytes that were *answered* do.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// What a line is taken to carry until something was answered: bytes a second. 256 kbit/s, the uplink of early ADSL. (A choice.)
pub const SLOWEST_LINE: u64 = 32 * 1024;

/// A line may become so many times slower than it was measured before requests on it are given up. (A choice: others use it too,
/// and connections don't share it evenly.)
const FADES: u64 = 2;

/// A smaller body measures latency, not bandwidth. (A choice.)
const MEASURABLE: u64 = 256 * 1024;

/// The rate is measured over so many answers, the latest. (A choice: more than the six requests that run at once by default, so
/// that a burst of first answers is held against the time that all of them took; few, so that it follows a line that changes.)
const SAMPLES: usize = 8;

/// Requests at once take at most about so long on a line that was measured. (A choice: what a lost connection costs at most.)
const ROUND_MS: u64 = 120_000;

/// So many requests run at once however slow the line: one goes on while the other waits for its answer. (A choice.)
const FEWEST: usize = 2;

/// Bytes of one body that may lie between the browser and the server after they left. (A choice: proxies buffer uploads of
/// megabytes; one that takes gigabytes writes them to a disk, and has a fast line itself.)
const BUFFERED: u64 = 64 << 20;

/// No line is taken to be slower, however often it proved slower than thought: what isn't answered then hangs. 64 kbit/s, one channel
/// of ISDN. (A choice.)
const DEAD_LINE: u64 = 8 * 1024;

/// The line of the page. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub struct Line(Rc<State>);

#[derive(Debug, Default)]
struct State {
    /// Requests with bytes of files that weren't answered yet, in the order in which they began.
    flying: RefCell<Vec<Flying>>,
    /// How many began so far.
    begun: Cell<u64>,
    /// When bytes last left, or an answer came.
    moved_at: Cell<u64>,
    /// A transport told of bytes in the midst of a body: silence means something.
    tells: Cell<bool>,
    samples: RefCell<Vec<Sample>>,
    /// Bytes a second, as of the last answer. None until there was one.
    rate: Cell<Option<u64>>,
    /// Bytes a second that requests are granted time for, where that isn't half of the rate: one was given up for want of time.
    granted: Cell<Option<u64>>,
    /// Requests before this one are known to have met a line that is slower than thought.
    failed_at: Cell<u64>,
}

#[derive(Debug)]
struct Flying {
    number: u64,
    size: u64,
    /// All of its bytes have left, and lie in buffers or at the server.
    whole: bool,
    mark: Rc<Cell<Mark>>,
}

impl Flying {
    /// Another one came. Where no request has ended since this one's mark, the two share the line from there on, and it counts
    /// although its answer may come first.
    fn meets(&self, number: u64, size: u64) {
        let mark = self.mark.get();
        if mark.together {
            let ahead = mark.ahead.saturating_add(size.min(most(self.size)));
            self.mark.set(Mark { ahead, next: number + 1, ..mark });
        }
    }

    fn parts(&self) {
        self.mark.set(Mark { together: false, ..self.mark.get() });
    }
}

/// So much of another request counts at most for one of that size: connections share a line, and each gets its turn.
fn most(size: u64) -> u64 {
    size.max(BUFFERED)
}

/// A request that was answered.
#[derive(Clone, Copy, Debug)]
struct Sample {
    began: u64,
    ended: u64,
    size: u64,
}

impl Line {
    /// Puts a request with so many bytes of a file on the line.
    pub fn enter(&self, size: u64, now: u64) -> Place {
        let number = self.0.begun.get();
        self.0.begun.set(number + 1);
        let place = Place { line: self.clone(), number, size, began: now, mark: Rc::default() };
        if size > 0 {
            let mut flying = self.0.flying.borrow_mut();
            for request in flying.iter() {
                request.meets(number, size);
            }
            flying.push(Flying { number, size, whole: false, mark: place.mark.clone() });
        }
        place.set_mark(now);
        place
    }

    /// How many requests of that size the line carries at once, as far as it was measured.
    pub fn fits(&self, size: u64) -> usize {
        let Some(rate) = self.0.rate.get() else { return usize::MAX };
        let count = rate.saturating_mul(ROUND_MS / 1000) / size.max(1);
        usize::try_from(count).unwrap_or(usize::MAX).max(FEWEST)
    }

    /// True where requests with bytes of files are on the line, and nothing moved since that time: a small request that began then may
    /// have waited for one of their connections, of which browsers have six for a host (HTTP/1.1), or for a line that stands still.
    pub fn stood_still(&self, since: u64) -> bool {
        !self.0.flying.borrow().is_empty() && self.0.moved_at.get() < since
    }

    /// Milliseconds that all which is on the line now may take before a small request has its turn.
    pub fn drain_ms(&self) -> u64 {
        self.time_for(self.unanswered(BUFFERED, 0, false))
    }

    /// Bytes on the line of requests from that number on, each counted up to `most`. `whole`: only of those that have left whole.
    #[inline(never)] // It stands in four places.
    fn unanswered(&self, most: u64, from: u64, whole: bool) -> u64 {
        let flying = self.0.flying.borrow();
        let mut bytes: u64 = 0;
        for request in flying.iter().filter(|request| request.number >= from && (request.whole || !whole)) {
            bytes = bytes.saturating_add(request.size.min(most));
        }
        bytes
    }

    /// Bytes a second that requests are granted time for.
    fn granted(&self) -> u64 {
        let measured = || self.0.rate.get().map_or(SLOWEST_LINE, |rate| rate / FADES);
        self.0.granted.get().unwrap_or_else(measured).max(1)
    }

    /// Milliseconds that so many bytes may take.
    fn time_for(&self, bytes: u64) -> u64 {
        bytes.saturating_mul(1000) / self.granted()
    }

    /// Measures the rate, at an answer: what was answered lately, by the time during which any of it was under way.
    ///
    /// All of these bytes went over the line in that time, and maybe others too: the line carries at least as much. Time between
    /// requests doesn't count. Nothing else changes the rate: if it fell while nothing is answered, deadlines would recede for
    /// ever.
    fn measure(&self, sample: Sample) {
        let mut samples = self.0.samples.borrow_mut();
        if samples.len() == SAMPLES {
            samples.remove(0);
        }
        samples.push(sample);
        let bytes: u64 = samples.iter().map(|sample| sample.size).sum();
        self.0.rate.set(Some(bytes.saturating_mul(1000) / covered(&samples).max(1)));
        self.0.granted.set(None);
    }
}

/// Milliseconds during which at least one of them was under way.
fn covered(samples: &[Sample]) -> u64 {
    let mut total = 0;
    // Few enough to look for the next one each time.
    let mut until = 0;
    loop {
        let next = samples.iter().filter(|sample| sample.ended > until).min_by_key(|sample| sample.began.max(until));
        let Some(next) = next else { return total };
        total += next.ended - next.began.max(until);
        until = next.ended;
    }
}

/// When something last moved for a request, and what was before it on the line by then.
#[derive(Clone, Copy, Debug, Default)]
struct Mark {
    at: u64,
    /// Bytes that weren't answered then, its own among them.
    ahead: u64,
    /// Requests from this number on came later.
    next: u64,
    /// No request has ended since then.
    together: bool,
}

/// A request's place on the line; given up when it is dropped.
#[derive(Debug)]
pub struct Place {
    line: Line,
    number: u64,
    size: u64,
    began: u64,
    mark: Rc<Cell<Mark>>,
}

impl Place {
    /// So many bytes of this request have left now.
    pub fn moved(&self, bytes: u64, now: u64) {
        let whole = bytes >= self.size;
        if bytes > 0 {
            self.line.0.moved_at.set(now);
        }
        if bytes > 0 && !whole {
            self.line.0.tells.set(true);
        }
        for request in self.line.0.flying.borrow_mut().iter_mut().filter(|request| request.number == self.number) {
            request.whole = whole;
        }
        self.set_mark(now);
    }

    fn set_mark(&self, now: u64) {
        let ahead = self.line.unanswered(most(self.size), 0, false);
        self.mark.set(Mark { at: now, ahead, next: self.line.0.begun.get(), together: true });
    }

    /// When this request last moved, or began.
    pub fn moved_at(&self) -> u64 {
        self.mark.get().at
    }

    /// True where a transport of this page told of bytes in the midst of a body. One that only says so at the beginning may be a
    /// service worker's, which tells of none.
    pub fn line_tells(&self) -> bool {
        self.line.0.tells.get()
    }

    /// Until when nothing needs to move on the line, but for the time that is granted anyway: since anything last moved, this
    /// request's beginning included, buffers drain, and nobody tells of that.
    pub fn silent_until(&self) -> u64 {
        let draining = self.line.unanswered(BUFFERED, 0, true);
        self.moved_at().max(self.line.0.moved_at.get()).saturating_add(self.line.time_for(draining))
    }

    /// Milliseconds, from when this request last moved, that the line may take for all that was before it then and that came
    /// since. `whole`: its bytes have all left, and lie in buffers.
    pub fn drain_ms(&self, whole: bool) -> u64 {
        self.line.time_for(self.due(whole))
    }

    /// Bytes that the line has to carry until this request is answered, from when it last moved.
    fn due(&self, whole: bool) -> u64 {
        if broken!(AloneOnTheLine) {
            return self.size;
        }
        let mark = self.mark.get();
        let most = if whole { BUFFERED } else { most(self.size) };
        let own = if whole { self.size.saturating_sub(BUFFERED) } else { 0 };
        mark.ahead.saturating_sub(own).saturating_add(self.line.unanswered(most, mark.next, false))
    }

    /// An answer came. `took`: the server took the bytes, and nothing but the line made it take that long.
    pub fn answered(&self, took: bool, now: u64) {
        if self.size == 0 {
            return;
        }
        self.line.0.moved_at.set(now);
        if took && self.size >= MEASURABLE && now >= self.began {
            self.line.measure(Sample { began: self.began, ended: now, size: self.size });
        }
    }

    /// Its connection was lost, so that another one is free for whoever waits for it in the browser's queue.
    pub fn lost(&self, now: u64) {
        if self.size > 0 {
            self.line.0.moved_at.set(now);
        }
    }

    /// It was given up because the line is slower than thought: whoever is on it gets twice the time that this one had, until
    /// something is answered. True where that is news; requests that were on their way together find it out together.
    pub fn failed(&self, whole: bool, now: u64) -> bool {
        let state = &self.line.0;
        let news = self.size > 0 && self.number >= state.failed_at.get();
        if news {
            state.failed_at.set(state.begun.get());
            let had = self.due(whole).saturating_mul(1000) / now.saturating_sub(self.moved_at()).max(1);
            let granted = self.line.granted();
            // Where it was measured to be slow, it is.
            state.granted.set(Some((granted.min(had) / 2).max(granted.min(DEAD_LINE))));
            // It is another line than it was.
            state.samples.take();
        }
        news
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut flying = self.line.0.flying.borrow_mut();
        flying.retain(|request| request.number != self.number);
        flying.iter().for_each(Flying::parts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    /// Requests of 5 MiB that began together, and were answered one by one.
    fn burst(line: &Line, began: u64, answers: &[u64]) {
        let places: Vec<_> = answers.iter().map(|_| line.enter(5 * MIB, began)).collect();
        for (place, at) in places.iter().zip(answers) {
            place.answered(true, *at);
        }
    }

    fn rate(line: &Line) -> u64 {
        line.0.rate.get().unwrap()
    }

    #[test]
    fn a_burst_of_answers_is_held_against_the_time_that_all_of_them_took() {
        let line = Line::default();
        burst(&line, 1_000, &[252_000, 252_010, 252_020, 252_030, 252_040, 252_050]);
        assert!((120_000..=130_000).contains(&rate(&line)), "{}", rate(&line));
        assert_eq!((line.fits(5 * MIB), line.fits(MIB), line.fits(1 << 40)), (2, 14, FEWEST));
    }

    #[test]
    fn time_between_requests_does_not_count() {
        let line = Line::default();
        burst(&line, 0, &[10_000]);
        burst(&line, 3_600_000, &[3_610_000]);
        assert_eq!(rate(&line), 5 * MIB / 10);
        // Nor does it count twice where requests overlap.
        burst(&line, 3_605_000, &[3_620_000]);
        assert_eq!(rate(&line), 15 * MIB / 30);
    }

    #[test]
    fn it_follows_a_line_that_changes() {
        let line = Line::default();
        for round in 0..10 {
            burst(&line, round * 1_000, &[round * 1_000 + 1_000]);
        }
        assert_eq!(rate(&line), 5 * MIB);
        for round in 1..9 {
            burst(&line, round * 100_000, &[round * 100_000 + 50_000]);
        }
        assert_eq!(rate(&line), 5 * MIB / 50);
    }

    #[test]
    fn small_bodies_and_refusals_measure_nothing() {
        let line = Line::default();
        let (small, refused, back) = (line.enter(MEASURABLE - 1, 0), line.enter(MIB, 0), line.enter(MIB, 9_000));
        small.answered(true, 5_000);
        refused.answered(false, 5_000);
        // The clock was set back.
        back.answered(true, 5_000);
        assert_eq!((line.0.rate.get(), line.0.moved_at.get()), (None, 5_000));
        assert_eq!(line.fits(8 * MIB), usize::MAX);
    }

    #[test]
    fn every_request_has_the_time_that_all_of_them_need() {
        let line = Line::default();
        let places: Vec<_> = (0..6).map(|_| line.enter(MIB, 0)).collect();
        assert_eq!(places[5].drain_ms(false), 6 * MIB * 1000 / SLOWEST_LINE);
        // One that came later shares the line too; and what is answered was before it all the same.
        let late = line.enter(2 * MIB, 0);
        assert_eq!(places[0].drain_ms(false), 8 * MIB * 1000 / SLOWEST_LINE);
        drop(late);
        assert_eq!(places[0].drain_ms(false), 8 * MIB * 1000 / SLOWEST_LINE);
        // One that came after an answer doesn't: whoever hangs would be waited for as long as others come and go.
        drop(line.enter(2 * MIB, 0));
        assert_eq!(places[0].drain_ms(false), 8 * MIB * 1000 / SLOWEST_LINE);
        drop(places);
        assert_eq!(line.drain_ms(), 0);
        assert_eq!(line.enter(0, 0).drain_ms(false), 0);
    }

    #[test]
    fn what_moves_begins_to_count_anew() {
        let line = Line::default();
        let (first, second) = (line.enter(MIB, 0), line.enter(MIB, 0));
        drop(first);
        second.moved(1, 40_000);
        assert_eq!((second.moved_at(), second.drain_ms(false)), (40_000, MIB * 1000 / SLOWEST_LINE));
        let third = line.enter(MIB, 50_000);
        third.moved(1, 60_000);
        assert_eq!((second.moved_at(), second.silent_until()), (40_000, 60_000));
        // What has left drains, and nobody tells of that.
        third.moved(MIB, 61_000);
        assert_eq!(second.silent_until(), 61_000 + MIB * 1000 / SLOWEST_LINE);
        drop(third);
        assert_eq!(second.silent_until(), 61_000);
    }

    #[test]
    fn time_in_the_queue_behind_what_is_lost_is_no_stall() {
        let line = Line::default();
        let (first, queued, call) = (line.enter(MIB, 0), line.enter(MIB, 0), line.enter(0, 0));
        queued.moved(0, 10);
        first.lost(400_000);
        drop(first);
        assert_eq!(queued.silent_until(), 400_000);
        call.lost(500_000);
        assert_eq!(queued.silent_until(), 400_000);
    }

    #[test]
    fn a_body_of_gigabytes_lies_in_no_buffer() {
        let line = Line::default();
        let place = line.enter(3 << 30, 0);
        assert_eq!(place.drain_ms(false), (3 << 30) * 1000 / SLOWEST_LINE);
        assert_eq!(place.drain_ms(true), BUFFERED * 1000 / SLOWEST_LINE);
        // A small one beside it waits for its turn, not for all of it.
        let small = line.enter(MIB, 0);
        assert_eq!(small.drain_ms(true), (BUFFERED + MIB) * 1000 / SLOWEST_LINE);
    }

    #[test]
    fn a_line_that_proved_slower_gives_all_of_them_more_time_until_it_answers() {
        let line = Line::default();
        burst(&line, 0, &[1_000]);
        let (first, second) = (line.enter(5 * MIB, 2_000), line.enter(5 * MIB, 2_000));
        assert_eq!(first.drain_ms(false), 4_000);
        // Both had half a minute on top.
        assert_eq!((first.failed(false, 36_000), second.failed(false, 36_000)), (true, false), "found out together");
        assert_eq!(second.drain_ms(false), 68_000);
        drop(first);
        let again = line.enter(5 * MIB, 36_000);
        assert!(again.failed(false, 164_000) && !second.failed(false, 164_000));
        assert_eq!(again.drain_ms(false), 256_000);
        // What is answered then is measured by itself.
        again.answered(true, 136_000);
        assert_eq!((rate(&line), line.granted()), (5 * MIB / 100, 5 * MIB / 200));
    }

    #[test]
    fn no_line_is_taken_for_dead_that_was_measured() {
        let line = Line::default();
        for wait in [190_000, 400_000, 1_000_000, 2_000_000] {
            assert!(line.enter(5 * MIB, 0).failed(false, wait));
        }
        assert_eq!(line.granted(), DEAD_LINE);
        line.enter(MIB, 0).answered(true, 1_048_576);
        assert_eq!(line.granted(), 500);
        assert!(line.enter(MIB, 0).failed(false, 5_000_000));
        assert_eq!(line.granted(), 500);
    }
}
