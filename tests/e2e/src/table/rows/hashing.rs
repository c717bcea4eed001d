//! Where parts are hashed: in a worker of the package's own, however it may be started, and else on the page.

use anyhow::{Result, ensure};
use serde_json::json;

use super::super::case::{Case, Ending};
use crate::workers::{Seen, WATCH};

/// `args[0]` becomes the page's policy.
const POLICY: &str = "
    const meta = document.createElement('meta');
    meta.httpEquiv = 'Content-Security-Policy';
    meta.content = args[0];
    document.head.append(meta);";

/// What was seen of an upload.
struct Upload {
    seen: Seen,
    ending: Ending,
    /// How many parts the upload had that were compared with their ETags.
    verified: usize,
}

async fn upload(case: Case<'_>, policy: Option<&str>, own: Option<&str>) -> Result<Upload> {
    let (page, file) = case.page().await?;
    page.script(WATCH, vec![]).await?;
    if let Some(policy) = policy {
        page.script(POLICY, vec![json!(policy)]).await?;
    }
    let mut options = case.options()?;
    if let Some(own) = own {
        options["workerUrl"] = json!(own);
    }
    let report = page.upload(json!({ "options": options })).await?;
    let seen = serde_json::from_value(page.script("return seen;", vec![]).await?)?;
    let verified = report.parts.iter().filter(|part| part.verified).count();
    let ended = case.ended(report, file).await?;
    // The vendor that takes a form says nothing of its bytes.
    ensure!((verified > 1) == case.destination.has_parts(), "{verified} parts were verified");
    Ok(Upload { seen, ending: ended.arrived(0).await?, verified })
}

/// Without a policy it is the worker of text.
pub(super) async fn in_a_worker(case: Case<'_>) -> Result<Ending> {
    let Upload { seen, ending, verified } = upload(case, None, None).await?;
    seen.is_hashed_by(|url| url.starts_with("blob:"), verified)?;
    Ok(ending)
}

/// A policy that allows the package's file alone.
pub(super) async fn of_its_file(case: Case<'_>) -> Result<Ending> {
    let Upload { seen, ending, verified } = upload(case, Some("worker-src 'self'"), None).await?;
    seen.is_hashed_by(|url| url.ends_with("/dist/hash_worker.js"), verified)?;
    Ok(ending)
}

/// A file that the application names.
pub(super) async fn of_a_named_file(case: Case<'_>) -> Result<Ending> {
    let url = format!("{}/pkg/dist/hash_worker.js?own", case.stage.sandbox.at.app);
    let Upload { seen, ending, verified } = upload(case, Some("worker-src 'self'"), Some(&url)).await?;
    seen.is_hashed_by(|started| started == url, verified)?;
    ensure!(seen.workers.iter().all(|worker| worker.url == url), "another way was tried: {:?}", seen.workers);
    Ok(ending)
}

/// A policy that allows no worker: the page hashes, and the console says what to do.
pub(super) async fn on_the_page(case: Case<'_>) -> Result<Ending> {
    let Upload { seen, ending, verified } = upload(case, Some("worker-src 'none'"), None).await?;
    ensure!(seen.digests(|_| true) == 0, "a worker started: {:?}", seen.workers);
    ensure!(seen.fallbacks() == usize::from(verified > 0), "the console said {seen:?}");
    Ok(ending)
}
