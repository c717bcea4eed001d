//! Step 1 of the guide, "List uploads": finding an upload's record.

use std::cell::Cell;

use super::client::Client;
use super::record::Record;
use super::session::OnlymonsterSession;
use crate::context::Context;
use crate::context::calls::Idempotency;
use crate::error::{Result, Step};
use crate::json::decoded;
use crate::model::session::Session;
use crate::platform::Platform;
use crate::providers::shared::reply;

/// Records requested at once. (A choice: the vendor publishes no limit.)
const PAGE_SIZE: usize = 50;
/// Records requested at once after more were refused: what a sibling endpoint takes at most.
const SMALL_PAGE_SIZE: usize = 10;
/// Pages read at most. (A choice.)
const MAX_PAGES: usize = 100;

decoded! {
    struct ListReply {
        items: Vec<Record> = "items",
    }
}

/// The account's list of uploads, as one upload reads it.
#[derive(Debug)]
pub(super) struct UploadList {
    /// The offset of the page that had the record last.
    found_at: Cell<usize>,
    page_size: Cell<usize>,
    /// Whether a presigned URL of this upload has expired. The list hides its record then, unless asked with `expired=true`.
    urls_expired: Cell<bool>,
}

impl UploadList {
    /// A list that hasn't been read yet.
    pub(super) fn new() -> Self {
        Self { found_at: Cell::default(), page_size: Cell::new(PAGE_SIZE), urls_expired: Cell::default() }
    }

    /// Makes the list include uploads with expired URLs from now on.
    pub(super) fn include_expired(&self) {
        self.urls_expired.set(true);
    }

    /// Whether the URL that the export sends back has expired, for which the vendor refuses it. If so, the list includes uploads with
    /// expired URLs from now on.
    pub(super) fn check_get_url<P: Platform>(&self, cx: &Context<P>, session: &Session<OnlymonsterSession>) -> bool {
        let expired = cx.platform.resolve(&session.state.get_url).is_some_and(|url| {
            // By the URL's own time to live too, whatever the clocks say.
            let lives = url.query_value("X-Amz-Expires").and_then(|seconds| seconds.parse::<u64>().ok());
            let age = cx.platform.now().saturating_sub(session.began_at);
            lives.is_some_and(|seconds| age >= seconds.saturating_mul(1000))
                || url.expires_at().is_some_and(|at| cx.is_past(at, session.began_at))
        });
        if expired {
            self.include_expired();
        }
        expired
    }

    /// The record of a session, if the list has one.
    pub(super) async fn find_session<P: Platform>(
        &self,
        client: &Client,
        cx: &Context<P>,
        session: &Session<OnlymonsterSession>,
    ) -> Result<Option<Record>> {
        let is_match = |record: &Record| record.is_of(&session.state);
        let expired_before = self.check_get_url(cx, session);
        let found = self.find(client, cx, &is_match).await?;
        if found.is_none() && !expired_before && self.check_get_url(cx, session) {
            // The URL expired while the list was read, which hid the record.
            return self.find(client, cx, &is_match).await;
        }
        Ok(found)
    }

    /// The first record that matches.
    ///
    /// A page with fewer records than were asked for isn't the last one: the server may cap them. The last page is empty, or repeats
    /// the one before it, from a server that doesn't page. The rate limit covers these requests too, so reading begins with the page
    /// that had the record last, and only then comes what is before that page.
    pub(super) async fn find<P: Platform>(
        &self,
        client: &Client,
        cx: &Context<P>,
        is_match: &dyn Fn(&Record) -> bool,
    ) -> Result<Option<Record>> {
        let expired = if self.urls_expired.get() { "&expired=true" } else { "" };
        let start = self.found_at.get();
        let (mut offset, mut end, mut previous): (_, _, Vec<Record>) = (start, usize::MAX, Vec::new());
        for _ in 0..MAX_PAGES {
            let limit = self.page_size.get();
            let request = client.get_list(&text!("offset={}&limit={}{}", offset, limit, expired));
            let response = match client.call(cx, request, Idempotency::Safe).await {
                Err(error) if error.status == Some(400) && limit > SMALL_PAGE_SIZE => {
                    self.page_size.set(SMALL_PAGE_SIZE);
                    continue;
                }
                answer => answer?,
            };
            let ListReply { mut items } = reply::read::<P::Json, _>(Step::List, &response)?;
            if let Some(at) = items.iter().position(is_match) {
                self.found_at.set(offset);
                return Ok(Some(items.swap_remove(at)));
            }
            let has_new = items.iter().any(|record| !previous.iter().any(|other| other.id == record.id));
            offset += items.len();
            // A server that returns more than was requested doesn't page either.
            if has_new && items.len() <= limit && offset < end {
                previous = items;
            } else if start > 0 && end > start {
                (offset, end, previous) = (0, start, Vec::new());
            } else {
                break;
            }
        }
        Ok(None)
    }
}
