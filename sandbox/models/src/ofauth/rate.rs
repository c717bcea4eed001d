use super::{ResetUnit, State};
use crate::wire::Response;

/// What one request costs, in parts that a millisecond brings `rate_per_minute` of.
const COST: u64 = 60_000;

/// A token bucket, of one connection.
#[derive(Clone, Debug)]
pub(super) struct Tokens {
    level: u64,
    at: u64,
}

impl State {
    /// Takes a token from the connection's bucket; false where there is none.
    pub(super) fn spend(&mut self, connection: &str, now: u64) -> bool {
        let tokens = self.refill(connection, now);
        let allowed = tokens.level >= COST;
        if allowed {
            tokens.level -= COST;
        }
        allowed
    }

    fn refill(&mut self, connection: &str, now: u64) -> &mut Tokens {
        let (rate, full) = (self.config.rate_per_minute, self.config.burst.saturating_mul(COST));
        let new = Tokens { level: full, at: now };
        let tokens = self.tokens.entry(connection.to_string()).or_insert(new);
        let passed = now.saturating_sub(tokens.at);
        tokens.level = full.min(tokens.level.saturating_add(passed.saturating_mul(rate)));
        tokens.at = now.max(tokens.at);
        tokens
    }

    /// `X-RateLimit-*`, on every answer. `Limit` is what a minute brings (assumed), `Reset` when full capacity is back (OFAuth,
    /// "Rate limiting").
    pub(super) fn rate_headers(&mut self, response: Response, connection: &str, now: u64) -> Response {
        let (rate, burst) = (self.config.rate_per_minute, self.config.burst);
        let level = self.refill(connection, now).level;
        let wait = burst.saturating_mul(COST).saturating_sub(level).div_ceil(rate.max(1));
        let reset = match self.config.reset_unit {
            ResetUnit::EpochSeconds => (now + wait).div_ceil(1_000),
            ResetUnit::EpochMillis => now + wait,
            ResetUnit::Seconds => wait.div_ceil(1_000),
        };
        response
            .with_header("x-ratelimit-limit", &rate.to_string())
            .with_header("x-ratelimit-remaining", &(level / COST).to_string())
            .with_header("x-ratelimit-reset", &reset.to_string())
    }
}
