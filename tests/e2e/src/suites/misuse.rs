//! Misuse is reported at once, with an error that helps; listeners that throw change nothing.

use anyhow::{Context, Result, ensure};
use futures::FutureExt;
use serde_json::json;

use super::{SEVERAL_PARTS, options, quick};
use crate::destination::Destination;
use crate::runner::Test;
use crate::stage::{MIB, Stage};

/// Options of the constructor, and a word that its error must contain.
const CONSTRUCTOR: &[(&str, &str)] = &[
    ("undefined", "options"),
    ("{}", "provider"),
    ("{ provider: { name: 'dropbox' } }", "dropbox"),
    ("{ provider: { name: 'ofauth' } }", "baseUrl"),
    ("{ provider: { name: 'ofauth', baseUrl: '/api/ofauth', apiKey: 'k' } }", "dangerouslyExposeSecrets"),
    (
        "{ provider: { name: 'onlymonster', baseUrl: '/a', accountId: '1', exportType: 'post', token: 't' } }",
        "dangerouslyExposeSecrets",
    ),
    ("{ provider: { name: 'apifansly', baseUrl: '/a', accountId: '1', apiKey: 'k' } }", "dangerouslyExposeSecrets"),
    ("{ provider: { name: 'onlymonster', baseUrl: '/a', accountId: 1001, exportType: 'post' } }", "accountId"),
    ("{ provider: { name: 'onlymonster', baseUrl: '/a', accountId: '1001' } }", "exportType"),
    ("{ provider: { name: 's3', bucket: 'b', region: 'r', key: 'k' } }", "getCredentials"),
    ("{ provider: { name: 'plan' } }", "open"),
    ("{ provider: { name: 'ofauth', baseUrl: '/a' }, concurency: 3 }", "concurrency"),
    ("{ provider: { name: 'ofauth', baseUrl: '/a' }, concurrency: 0 }", "concurrency"),
    ("{ provider: { name: 'ofauth', baseUrl: '/a' }, retry: { attempts: 0 } }", "attempts"),
    ("{ provider: { name: 'ofauth', baseUrl: '/a' }, transport: 'websocket' }", "transport"),
    ("{ provider: { name: 'ofauth', baseUrl: '/a' }, transport: 'xhr', fetch: () => {} }", "fetch"),
    ("{ provider: { name: 'ofauth', baseUrl: '/a' }, trustedOrigins: ['cdn.example'] }", "trustedOrigins"),
];

/// Arguments of `upload()` of an uploader for S3, and the code that its `done` rejects with.
const UPLOAD: &[(&str, &str)] = &[
    ("'a path'", "invalid-options"),
    ("undefined", "invalid-options"),
    ("file, { onProgres: () => {} }", "invalid-options"),
    ("file, { provider: { bukket: 'b' } }", "invalid-options"),
    ("file, { provider: { name: 'plan' } }", "invalid-options"),
    ("file, { signal: {} }", "invalid-options"),
];

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::new("wrong options are refused by the constructor", |stage| constructor(stage).boxed_local()),
        Test::new("wrong options of one upload reject its promise", |stage| upload(stage).boxed_local()),
        Test::new("a file of a type that the vendor doesn't take", |stage| wrong_type(stage).boxed_local()),
        Test::new("listeners that throw change nothing", |stage| listeners(stage).boxed_local()),
        Test::new("nobody listens to a failure, and no rejection is left over", |stage| silent(stage).boxed_local()),
        Test::new("beforeRequest that throws ends the upload", |stage| before_request(stage).boxed_local()),
        Test::new("version and load()", |stage| version(stage).boxed_local()),
        Test::new("a policy that lets the wasm's file not be fetched", |stage| policy(stage).boxed_local()),
        Test::new("importing does nothing", |stage| import_only(stage).boxed_local()),
    ]
}

async fn constructor(stage: &Stage) -> Result<()> {
    let page = stage.page().await?;
    for (options, word) in CONSTRUCTOR {
        let error = page.refused(options).await?.with_context(|| format!("accepted: {options}"))?;
        ensure!(error.is_upload_error && error.code.as_deref() == Some("invalid-options"), "{options}: {error:?}");
        let said = format!("{} {}", error.message, error.hint.unwrap_or_default());
        ensure!(said.contains(word), "{options}: {word:?} is not in {said:?}");
    }
    ensure!(stage.log().await?.requests.is_empty(), "a constructor sent something");
    Ok(())
}

async fn upload(stage: &Stage) -> Result<()> {
    let page = stage.page().await?;
    let options = options(stage, Destination::S3)?;
    for (arguments, code) in UPLOAD {
        let script = format!(
            "const {{ Uploader, UploadError }} = await import('partway');
             const file = new File(['abc'], 'a.txt');
             const uploader = new Uploader({{ ...args[0], provider: {{ ...args[0].provider, key: 'k', getCredentials: async () => ({{}}) }} }});
             const error = await uploader.upload({arguments}).done.then(() => null, (error) => error);
             return error instanceof UploadError ? [error.code, error.message] : ['other', String(error)];"
        );
        let ended = page.script(&script, vec![options.clone()]).await?;
        ensure!(ended[0] == *code, "upload({arguments}) ended with {ended}");
    }
    ensure!(stage.log().await?.requests.is_empty(), "something was sent");
    Ok(())
}

async fn wrong_type(stage: &Stage) -> Result<()> {
    let page = stage.page().await?;
    for destination in [Destination::Ofauth] {
        let options = options(stage, destination)?;
        let file = json!({ "text": "hello", "name": "notes.txt", "type": "text/plain" });
        let report = page.upload(json!({ "file": file, "options": options })).await?;
        report.failed("file-rejected")?;
        ensure!(stage.log().await?.requests.is_empty(), "something was sent");
        let mut lenient = options;
        lenient["accept"] = json!({ "types": ["video/*"], "maxBytes": 3 });
        let file = json!({ "text": "hello", "name": "a.mp4", "type": "video/mp4" });
        let report = page.upload(json!({ "file": file, "options": lenient })).await?;
        report.failed("file-rejected")?;
    }
    Ok(())
}

async fn listeners(stage: &Stage) -> Result<()> {
    quick(stage).await?;
    for destination in [Destination::S3, Destination::Apifansly] {
        let file = stage.file("thrown.mp4", SEVERAL_PARTS)?;
        let page = stage.page().await?;
        page.pick(&[&file]).await?;
        let what = json!({ "options": options(stage, destination)?, "listeners": { "throws": true } });
        let report = page.upload(what).await?;
        stage.arrived(destination, report.done()?, &file).await?;
        let noise = page.noise().await?;
        ensure!(noise.iter().any(|line| line.contains("a listener of the page threw")), "it was kept quiet: {noise:?}");
        ensure!(!noise.iter().any(|line| line.contains("rejection")), "{noise:?}");
    }
    Ok(())
}

async fn silent(stage: &Stage) -> Result<()> {
    let page = stage.page().await?;
    let code = page
        .script(
            "const { Uploader } = await import('partway');
             const uploader = new Uploader(args[0]);
             const upload = uploader.upload(new File(['abc'], 'a.txt', { type: 'text/plain' }));
             await new Promise((go) => upload.addEventListener('error', go));
             const event = await new Promise((go) => setTimeout(go, 200)).then(() => upload.status);
             return event;",
            vec![options(stage, Destination::Ofauth)?],
        )
        .await?;
    ensure!(code == "failed", "the status is {code}");
    Ok(())
}

async fn before_request(stage: &Stage) -> Result<()> {
    quick(stage).await?;
    let file = stage.file("before.mp4", MIB)?;
    let page = stage.page().await?;
    page.pick(&[&file]).await?;
    let what = json!({
        "options": options(stage, Destination::Apifansly)?,
        "alter": { "beforeRequest": { "throws": true } },
    });
    let report = page.upload(what).await?;
    let error = report.failed("application")?;
    ensure!(error.cause.as_deref() == Some("beforeRequest of the page threw"), "{error:?}");
    ensure!(stage.log().await?.requests.is_empty(), "something was sent");
    Ok(())
}

async fn version(stage: &Stage) -> Result<()> {
    let page = stage.page().await?;
    let version = page.script("await window.e2e.load(); return window.e2e.version", vec![]).await?;
    ensure!(version == env!("CARGO_PKG_VERSION"), "the version is {version}");
    Ok(())
}

async fn policy(stage: &Stage) -> Result<()> {
    let page = stage.page().await?;
    let asked = page
        .script(
            "const policy = document.createElement('meta');
             policy.httpEquiv = 'Content-Security-Policy';
             policy.content = \"connect-src 'none'\";
             document.head.append(policy);
             const warned = [];
             console.warn = (line) => warned.push(line);
             await window.e2e.load();
             const names = performance.getEntriesByType('resource').map((entry) => entry.name);
             return [names.filter((name) => name.includes('inline')).length, warned.length, warned[0]];",
            vec![],
        )
        .await?;
    ensure!(asked[0] == 1 && asked[1] == 1, "the copy was not loaded, or nothing said so: {asked}");
    ensure!(asked[2].as_str().is_some_and(|line| line.contains("Content-Security-Policy")), "{asked}");
    Ok(())
}

async fn import_only(stage: &Stage) -> Result<()> {
    let page = stage.page().await?;
    let loaded =
        page.script("return performance.getEntriesByType('resource').map((entry) => entry.name)", vec![]).await?;
    let names = loaded.to_string();
    ensure!(names.contains("/pkg/index.js"), "the package was not loaded: {names}");
    ensure!(!names.contains(".wasm") && !names.contains("inline"), "the wasm was loaded at import: {names}");
    Ok(())
}
