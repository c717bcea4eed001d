//! The background processing of an export.

use super::config::{End, Stage};

/// The background processing of one export. Its state depends on the time alone: each of the four stages before the end
/// takes a quarter of the total (assumed; the guide says that timing isn't observable).
#[derive(Clone, Debug)]
pub(super) struct Pipeline {
    pub(super) began: u64,
    pub(super) takes_ms: u64,
    pub(super) stuck: Option<Stage>,
    pub(super) retried: Option<u64>,
    pub(super) end: End,
}

const STAGES: [&str; 4] = ["uploaded", "processing", "processed", "exporting"];

impl Pipeline {
    /// The status at a time, and when it began.
    pub(super) fn status(&self, now: u64) -> (&'static str, u64) {
        let offset = |stage: u64| self.takes_ms * stage / 4;
        let mut base = self.began;
        if let Some(stuck) = self.stuck {
            let stuck = match stuck {
                Stage::Uploaded => 0,
                Stage::Processed => 2,
            };
            let reached = self.began + offset(stuck);
            if now >= reached {
                match self.retried {
                    // A retried record begins its stage again.
                    Some(retried) if now >= retried => base = retried - offset(stuck),
                    _ => return (STAGES[stuck as usize], reached),
                }
            }
        }
        let passed = now.saturating_sub(base);
        if passed >= self.takes_ms {
            let end = match self.end {
                End::Exported => "exported",
                End::Failed => "failed",
                End::Unprocessable => "unprocessable",
            };
            return (end, base + self.takes_ms);
        }
        let stage = (0..4).rev().find(|stage| passed >= offset(*stage));
        let stage = stage.unwrap_or(0);
        (STAGES[stage as usize], base + offset(stage))
    }

    /// `/retry`: lets a stuck record proceed. `false` if the status allows no retry (guide, "Step 8 — Retry export").
    pub(super) fn retry(&mut self, now: u64) -> bool {
        let (status, _) = self.status(now);
        let stuck = match status {
            "uploaded" => Stage::Uploaded,
            "processed" => Stage::Processed,
            _ => return false,
        };
        if self.stuck == Some(stuck) && self.retried.is_none() {
            self.retried = Some(now);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pipeline(stuck: Option<Stage>, end: End) -> Pipeline {
        Pipeline { began: 1_000, takes_ms: 400, stuck, retried: None, end }
    }

    #[test]
    fn stages_follow_each_other() {
        let free = pipeline(None, End::Exported);
        for (now, expected) in [
            (1_000, ("uploaded", 1_000)),
            (1_099, ("uploaded", 1_000)),
            (1_100, ("processing", 1_100)),
            (1_200, ("processed", 1_200)),
            (1_300, ("exporting", 1_300)),
            (1_399, ("exporting", 1_300)),
            (1_400, ("exported", 1_400)),
            (9_000, ("exported", 1_400)),
        ] {
            assert_eq!(free.status(now), expected, "{now}");
        }
        assert_eq!(pipeline(None, End::Failed).status(1_400).0, "failed");
        let corrupt = pipeline(None, End::Unprocessable);
        assert_eq!(corrupt.status(1_400).0, "unprocessable");
        let mut at_once = pipeline(None, End::Exported);
        at_once.takes_ms = 0;
        assert_eq!(at_once.status(1_000).0, "exported");
    }

    #[test]
    fn a_stuck_one_waits_for_its_retry() {
        let mut queued = pipeline(Some(Stage::Uploaded), End::Exported);
        assert_eq!(queued.status(90_000), ("uploaded", 1_000));
        assert!(queued.retry(90_000));
        assert!(queued.retry(90_050), "idempotent while it is queued");
        assert_eq!(queued.status(90_099), ("uploaded", 90_000));
        assert_eq!(queued.status(90_100), ("processing", 90_100));
        assert!(!queued.retry(90_100));
        assert_eq!(queued.status(90_400).0, "exported");

        let mut ready = pipeline(Some(Stage::Processed), End::Exported);
        assert!(ready.retry(1_050), "accepted in uploaded, without effect");
        assert_eq!(ready.status(1_150).0, "processing");
        assert!(!ready.retry(1_150));
        assert_eq!(ready.status(90_000), ("processed", 1_200));
        assert!(ready.retry(90_000));
        assert_eq!(ready.status(90_099).0, "processed");
        assert_eq!(ready.status(90_100).0, "exporting");
        assert_eq!(ready.status(90_200).0, "exported");
        assert!(!ready.retry(90_200));
    }
}
