//! The caller's options. The package's face has checked them.

use crate::context::rate_limit::Rate;
use crate::error::Result;
use crate::json::decoded;
use crate::platform::Platform;
use crate::providers::setup::Setup;
use crate::providers::shared::api::Access;
use crate::util::text;

/// The guide's limit for a token, in requests a second.
const REQUESTS_PER_SECOND: f64 = 3.0;
/// The default time limit of polling. The guide: "up to several minutes is sufficient"; the caller may say otherwise. (A choice.)
const POLL_TIMEOUT_MS: u64 = 15 * 60_000;
/// When a state counts as stuck. The guide: "far longer than expected"; the caller may say otherwise. (A choice.)
const STUCK_AFTER_MS: u64 = 3 * 60_000;

decoded! {
    struct GivenOptions {
        base_url: Option<String> = "baseUrl",
        account_id: String = "accountId",
        export_type: String = "exportType",
        export_fan_id: Option<String> = "exportFanId",
        fan_link: Option<String> = "fanLink",
        poll_timeout_ms: Option<u64> = "pollTimeoutMs",
        stuck_after_ms: Option<u64> = "stuckAfterMs",
        requests_per_second: Option<f64> = "requestsPerSecond",
        strip_etag_quotes: Option<bool> = "stripEtagQuotes",
        token: Option<String> = "token",
        dangerously_expose_secrets: Option<bool> = "dangerouslyExposeSecrets",
    }
}

/// What the caller chose for uploads to Onlymonster.
#[derive(Debug)]
pub(super) struct Options {
    /// Onlymonster's own id of the account: digits.
    pub(super) account_id: String,
    /// "post" or "message".
    pub(super) export_type: String,
    /// The fan whom a message is for.
    pub(super) export_fan_id: Option<String>,
    /// The link of that fan's profile, to be resolved.
    pub(super) fan_link: Option<String>,
    /// The time limit of polling.
    pub(super) poll_timeout_ms: u64,
    /// When a state counts as stuck.
    pub(super) stuck_after_ms: u64,
    /// The rate limit of the token.
    pub(super) rate: Rate,
    /// Whether ETags go to Onlymonster without their quotes.
    pub(super) strip_etag_quotes: bool,
}

impl Options {
    /// Reads the options, and what gives access to the API.
    ///
    /// # Errors
    /// `invalid-options`.
    pub(super) fn read<P: Platform>(options: &P::Json, setup: &Setup<'_, P>) -> Result<(Self, Access)> {
        let given: GivenOptions = setup.options(options)?;
        let access = Access {
            base_url: given.base_url,
            key: given.token,
            exposed: given.dangerously_expose_secrets == Some(true),
        };
        let options = Self {
            account_id: given.account_id,
            export_type: given.export_type,
            export_fan_id: given.export_fan_id,
            fan_link: given.fan_link,
            poll_timeout_ms: given.poll_timeout_ms.unwrap_or(POLL_TIMEOUT_MS),
            stuck_after_ms: given.stuck_after_ms.unwrap_or(STUCK_AFTER_MS),
            rate: Rate::per_second(given.requests_per_second.unwrap_or(REQUESTS_PER_SECOND)),
            strip_etag_quotes: given.strip_etag_quotes == Some(true),
        };
        Ok((options, access))
    }

    /// A part's ETag, as finish and export get it.
    pub(super) fn etag_for_api<'a>(&self, etag: &'a str) -> &'a str {
        if self.strip_etag_quotes { text::trim_matches(etag, b'"') } else { etag }
    }
}
