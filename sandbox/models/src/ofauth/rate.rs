//! The rate limit of each connection.

use std::collections::BTreeMap;

use super::config::{Config, ResetUnit};
use crate::wire::Response;

/// The cost of one request. A bucket gains `rate_per_minute` in each millisecond, so that a minute (60,000 ms)
/// brings as many requests.
const COST: u64 = 60_000;

/// The token bucket of one connection.
#[derive(Clone, Debug)]
struct Tokens {
    level: u64,
    at: u64,
}

/// The token buckets of all connections.
#[derive(Clone, Debug, Default)]
pub(super) struct RateLimits(BTreeMap<String, Tokens>);

impl RateLimits {
    /// Takes a token from the connection's bucket; `false` if it is empty.
    pub(super) fn acquire(&mut self, config: &Config, connection: &str, now: u64) -> bool {
        let tokens = self.refill(config, connection, now);
        let allowed = tokens.level >= COST;
        if allowed {
            tokens.level -= COST;
        }
        allowed
    }

    fn refill(&mut self, config: &Config, connection: &str, now: u64) -> &mut Tokens {
        let (rate, full) = (config.rate_per_minute, config.burst.saturating_mul(COST));
        let new = Tokens { level: full, at: now };
        let tokens = self.0.entry(connection.to_string()).or_insert(new);
        let passed = now.saturating_sub(tokens.at);
        tokens.level = full.min(tokens.level.saturating_add(passed.saturating_mul(rate)));
        tokens.at = now.max(tokens.at);
        tokens
    }

    /// Adds `X-RateLimit-*`, which every response has. `Limit` is the rate per minute (assumed), `Reset` the time at which
    /// the bucket is full again (OFAuth, "Rate limiting").
    pub(super) fn add_headers(&mut self, config: &Config, response: Response, connection: &str, now: u64) -> Response {
        let (rate, burst) = (config.rate_per_minute, config.burst);
        let level = self.refill(config, connection, now).level;
        let wait = burst.saturating_mul(COST).saturating_sub(level).div_ceil(rate.max(1));
        let reset = match config.reset_unit {
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
