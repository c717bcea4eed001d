//! Where parts are hashed: in a worker of the package's own, however it may be started, and else on the page.

use anyhow::{Result, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::case::{Case, Ending};

/// Notes the workers that the page starts, and the digests that each gives. `args[0]` becomes the page's policy, if it is a text.
const WATCH: &str = "
    window.workers = [];
    const Native = Worker;
    window.Worker = class extends Native {
        constructor(...given) {
            const one = { url: String(given[0]), digests: 0 };
            workers.push(one);
            super(...given);
            this.addEventListener('message', ({ data }) => (one.digests += data.digests ? 1 : 0));
        }
    };
    window.warned = [];
    const warn = console.warn;
    console.warn = (...line) => { warned.push(line.join(' ')); warn(...line); };
    if (args[0]) {
        const meta = document.createElement('meta');
        meta.httpEquiv = 'Content-Security-Policy';
        meta.content = args[0];
        document.head.append(meta);
    }";

/// A worker that the page started.
#[derive(Debug, Deserialize)]
struct Started {
    url: String,
    digests: usize,
}

/// What was seen of an upload.
struct Seen {
    workers: Vec<Started>,
    warned: Vec<String>,
    ending: Ending,
    /// How many parts the upload had that were compared with their ETags.
    verified: usize,
}

impl Seen {
    /// How many digests came from the workers whose address fits.
    fn digests(&self, fits: impl Fn(&str) -> bool) -> usize {
        self.workers.iter().filter(|worker| fits(&worker.url)).map(|worker| worker.digests).sum()
    }

    /// Each part was hashed once, by those workers.
    fn is_hashed_by(&self, digests: usize) -> Result<()> {
        let all = digests == self.verified && self.fallbacks() == 0;
        ensure!(all, "{digests} digests, {:?} {:?}", self.workers, self.warned);
        Ok(())
    }

    fn fallbacks(&self) -> usize {
        self.warned.iter().filter(|line| line.contains("hashed on the page itself")).count()
    }
}

async fn upload(case: Case<'_>, policy: Option<&str>, own: Option<&str>) -> Result<Seen> {
    let (page, file) = case.page().await?;
    page.script(WATCH, vec![json!(policy)]).await?;
    let mut options = case.options()?;
    if let Some(own) = own {
        options["workerUrl"] = json!(own);
    }
    let report = page.upload(json!({ "options": options })).await?;
    let found: Value = page.script("return [workers, warned];", vec![]).await?;
    let (workers, warned) = serde_json::from_value(found)?;
    let verified = report.parts.iter().filter(|part| part.verified).count();
    let ended = case.ended(report, file).await?;
    // The vendor that takes a form says nothing of its bytes.
    ensure!((verified > 1) == case.destination.has_parts(), "{verified} parts were verified");
    Ok(Seen { workers, warned, ending: ended.arrived(0).await?, verified })
}

/// Without a policy it is the worker of text.
pub(super) async fn in_a_worker(case: Case<'_>) -> Result<Ending> {
    let seen = upload(case, None, None).await?;
    let digests = seen.digests(|url| url.starts_with("blob:"));
    seen.is_hashed_by(digests)?;
    Ok(seen.ending)
}

/// A policy that allows the package's file alone.
pub(super) async fn of_its_file(case: Case<'_>) -> Result<Ending> {
    let seen = upload(case, Some("worker-src 'self'"), None).await?;
    let digests = seen.digests(|url| url.ends_with("/dist/hash_worker.js"));
    seen.is_hashed_by(digests)?;
    Ok(seen.ending)
}

/// A file that the application names.
pub(super) async fn of_a_named_file(case: Case<'_>) -> Result<Ending> {
    let url = format!("{}/pkg/dist/hash_worker.js?own", case.stage.sandbox.at.app);
    let seen = upload(case, Some("worker-src 'self'"), Some(&url)).await?;
    let digests = seen.digests(|started| started == url);
    seen.is_hashed_by(digests)?;
    ensure!(seen.workers.iter().all(|worker| worker.url == url), "another way was tried: {:?}", seen.workers);
    Ok(seen.ending)
}

/// A policy that allows no worker: the page hashes, and the console says what to do.
pub(super) async fn on_the_page(case: Case<'_>) -> Result<Ending> {
    let seen = upload(case, Some("worker-src 'none'"), None).await?;
    ensure!(seen.digests(|_| true) == 0, "a worker started: {:?}", seen.workers);
    ensure!(seen.fallbacks() == usize::from(seen.verified > 0), "the console said {:?}", seen.warned);
    Ok(seen.ending)
}
