//! Straight to S3 with temporary credentials.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use futures::FutureExt;
use serde_json::json;

use super::{SEVERAL_PARTS, options};
use crate::destination::Destination;
use crate::runner::Test;
use crate::stage::{MIB, Stage};

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::new("s3: headers of the caller are signed, on the PUT and on create", |stage| {
            headers(stage).boxed_local()
        }),
        Test::new("s3: ifNoneMatch keeps what is there", |stage| if_none_match(stage).boxed_local()),
        Test::new("s3: parts are spread over the endpoints", |stage| endpoints(stage).boxed_local()),
        Test::new("s3: expired credentials are fetched again", |stage| credentials_expire(stage).boxed_local()),
        Test::new("s3: uploads of an uploader share credentials", |stage| credentials_shared(stage).boxed_local()),
        Test::new("s3: a complete that answers 200 with an error", |stage| error_in_200(stage).boxed_local()),
        Test::new("s3: a bucket that encrypts with KMS", |stage| encrypted(stage).boxed_local()),
        Test::new("s3: a bucket with KMS is proven by the store's CRC64NVME", |stage| proven(stage).boxed_local()),
        Test::new("s3: a byte that changes on the way is found by the store's checksum", |stage| {
            flipped(stage).boxed_local()
        }),
        Test::new("s3: the store checks each part", |stage| checked(stage).boxed_local()),
        Test::new("s3: odd names", |stage| odd_names(stage).boxed_local()),
        Test::new("s3: getCredentials() of the page throws", |stage| no_credentials(stage).boxed_local()),
        Test::new("s3: what the result says", |stage| result_fields(stage).boxed_local()),
    ]
}

async fn headers(stage: &Stage) -> Result<()> {
    let (large, small) = (stage.file("large.bin", SEVERAL_PARTS)?, stage.file("small.bin", MIB)?);
    let page = stage.page().await?;
    page.pick(&[&large, &small]).await?;
    let mut options = options(stage, Destination::S3)?;
    options["provider"]["headers"] = json!({ "x-amz-meta-title": "Sun & sea", "cache-control": "max-age=60" });
    for (number, file) in [&large, &small].into_iter().enumerate() {
        let report = page.upload(json!({ "file": number, "options": options })).await?;
        stage.arrived(Destination::S3, report.done()?, file).await?;
    }
    let log = stage.log().await?;
    for route in ["store:CreateMultipartUpload", "store:PutObject"] {
        let sent = log.of(route);
        ensure!(sent.len() == 1, "{} of {route}", sent.len());
        let value = |name: &str| sent[0].headers.get(name).map(String::as_str);
        ensure!(value("x-amz-meta-title") == Some("Sun & sea"), "{route}: {:?}", sent[0].headers);
        ensure!(value("cache-control") == Some("max-age=60"), "{route}: {:?}", sent[0].headers);
        let signed = sent[0].parameter("X-Amz-SignedHeaders").unwrap_or_default();
        ensure!(signed.contains("x-amz-meta-title") && signed.contains("cache-control"), "{route} signed {signed}");
    }
    for part in log.of("store:UploadPart") {
        ensure!(!part.headers.contains_key("x-amz-meta-title"), "metadata on a part: {part:?}");
    }
    Ok(())
}

/// The ETags say nothing; the store's own checksum of each part, or of the whole, does.
async fn proven(stage: &Stage) -> Result<()> {
    let large = stage.file("large.bin", SEVERAL_PARTS)?;
    let mut options = options(stage, Destination::S3)?;
    options["integrity"] = json!("require");
    for checksums in ["all", "complete"] {
        stage.sandbox.vendors(json!({ "store": { "encryption": "aws:kms", "checksums": checksums } })).await?;
        let page = stage.page().await?;
        page.pick(&[&large]).await?;
        let report = page.upload(json!({ "file": 0, "options": options })).await?;
        let result = report.done()?;
        stage.arrived(Destination::S3, result, &large).await?;
        let proof = &result["proof"];
        ensure!(result["verified"] == json!(true) && proof["by"] == json!("crc64nvme"), "{checksums}: {result}");
        ensure!(proof["parts"] == result["parts"] && result["attempts"] == result["parts"], "{checksums}: {result}");
        ensure!(proof["value"].as_str().is_some_and(|value| value.len() == 12), "{checksums}: {result}");
    }
    Ok(())
}

/// Where parts' answers have a checksum the part is sent again; else the object is there before it is known, and stays.
async fn flipped(stage: &Stage) -> Result<()> {
    let large = stage.file("large.bin", SEVERAL_PARTS)?;
    let options = options(stage, Destination::S3)?;
    for checksums in ["all", "complete"] {
        stage.sandbox.vendors(json!({ "store": { "encryption": "aws:kms", "checksums": checksums } })).await?;
        let flip = json!([{ "route": "store:UploadPart", "skip": 1, "times": 1, "effect": { "kind": "flip" } }]);
        stage.sandbox.faults(flip).await?;
        let page = stage.page().await?;
        page.pick(&[&large]).await?;
        let report = page.upload(json!({ "file": 0, "options": options })).await?;
        if checksums == "all" {
            let result = report.done()?;
            stage.arrived(Destination::S3, result, &large).await?;
            let more = result["attempts"].as_u64().unwrap_or_default() - result["parts"].as_u64().unwrap_or_default();
            ensure!(more == 1 && result["proof"]["by"] == json!("crc64nvme"), "{result}");
        } else {
            let error = report.failed("integrity-mismatch")?;
            let hint = error.hint.as_deref().unwrap_or_default();
            ensure!(error.step.as_deref() == Some("complete") && hint.contains("stands under its key"), "{error:?}");
            let log = stage.log().await?;
            ensure!(
                log.of("store:AbortMultipartUpload").is_empty() && log.of("store:DeleteObject").is_empty(),
                "deleted"
            );
        }
    }
    Ok(())
}

/// A part whose bytes don't have the checksum that is signed with it is refused, and sent again.
async fn checked(stage: &Stage) -> Result<()> {
    let (large, small) = (stage.file("large.bin", SEVERAL_PARTS)?, stage.file("small.bin", MIB)?);
    stage.sandbox.vendors(json!({ "store": { "checksums": "all" } })).await?;
    for checksum in ["sha256", "crc64nvme"] {
        let mut options = options(stage, Destination::S3)?;
        options["provider"]["checksum"] = json!(checksum);
        let flip = |route: &str| json!({ "route": route, "times": 1, "effect": { "kind": "flip" } });
        stage.sandbox.faults(json!([flip("store:UploadPart"), flip("store:PutObject")])).await?;
        let page = stage.page().await?;
        page.pick(&[&large, &small]).await?;
        for (number, file) in [&large, &small].into_iter().enumerate() {
            let report = page.upload(json!({ "file": number, "options": options })).await?;
            let result = report.done()?;
            stage.arrived(Destination::S3, result, file).await?;
            ensure!(result["proof"]["by"] == json!(checksum), "{checksum}: {result}");
        }
    }
    Ok(())
}

/// Its ETags look like MD5s but aren't. The header says so where it is exposed; else one part is sent twice, once in a page.
async fn encrypted(stage: &Stage) -> Result<()> {
    let (large, small) = (stage.file("large.bin", SEVERAL_PARTS)?, stage.file("small.bin", MIB)?);
    let options = options(stage, Destination::S3)?;
    for (knobs, verified, more) in [
        (json!({ "encryption": "AES256" }), true, 0),
        (json!({ "encryption": "aws:kms" }), false, 0),
        (json!({ "encryption": null, "opaqueEtags": true }), false, 1),
    ] {
        stage.sandbox.vendors(json!({ "store": knobs })).await?;
        let page = stage.page().await?;
        page.pick(&[&large, &small]).await?;
        let mut attempts = 0;
        for (number, file) in [&large, &small].into_iter().enumerate() {
            let report = page.upload(json!({ "file": number, "options": options })).await?;
            let result = report.done()?;
            stage.arrived(Destination::S3, result, file).await?;
            ensure!(result["verified"] == json!(verified), "{knobs}: {result}");
            attempts += result["attempts"].as_u64().unwrap_or_default() - result["parts"].as_u64().unwrap_or_default();
        }
        ensure!(attempts == more, "{knobs}: {attempts} parts were sent twice");
        let mut required = options.clone();
        required["integrity"] = json!("require");
        let report = page.upload(json!({ "file": 1, "options": required })).await?;
        if verified {
            report.done()?;
        } else {
            let error = report.failed("integrity-mismatch")?;
            ensure!(error.message.contains("SSE-KMS") && error.retryable == Some(false), "{error:?}");
        }
    }
    Ok(())
}

async fn if_none_match(stage: &Stage) -> Result<()> {
    let first = stage.file("first.bin", MIB)?;
    let (other, large) = (stage.file("other.bin", MIB)?, stage.file("large.bin", SEVERAL_PARTS)?);
    let page = stage.page().await?;
    page.pick(&[&first, &other, &large]).await?;
    let mut options = options(stage, Destination::S3)?;
    options["provider"]["key"] = json!("e2e/one place.bin");
    options["provider"]["ifNoneMatch"] = json!(true);
    let report = page.upload(json!({ "file": 0, "options": options })).await?;
    let result = report.done()?.clone();
    stage.arrived(Destination::S3, &result, &first).await?;
    for number in [1, 2] {
        let report = page.upload(json!({ "file": number, "options": options })).await?;
        let error = report.failed("conflict")?;
        ensure!(error.step.as_deref() == Some("check") && error.retryable == Some(false), "{error:?}");
    }
    ensure!(stage.log().await?.of("store:UploadPart").is_empty(), "found before the first byte");
    // Credentials that may not read objects find the conflict at the end.
    let refused = json!({ "kind": "status", "status": 403 });
    stage.sandbox.faults(json!([{ "route": "store:HeadObject", "effect": refused }])).await?;
    for number in [1, 2] {
        let report = page.upload(json!({ "file": number, "options": options })).await?;
        let error = report.failed("conflict")?;
        ensure!(error.status == Some(412) && error.retryable == Some(false), "{error:?}");
    }
    // Objects have times in whole seconds: the same bytes can be told from this upload's own only some seconds later. On the
    // store's clock these have passed.
    stage.sandbox.break_with(json!({ "seed": 7, "skewMs": 5_000, "faults": [] })).await?;
    let report = page.upload(json!({ "file": 0, "options": options })).await?;
    report.failed("conflict")?;
    stage.arrived(Destination::S3, &result, &first).await
}

async fn endpoints(stage: &Stage) -> Result<()> {
    stage.sandbox.faults(json!([{ "route": "store:UploadPart", "effect": { "kind": "latency", "ms": 100 } }])).await?;
    let file = stage.file("spread.bin", SEVERAL_PARTS)?;
    let page = stage.page().await?;
    page.pick(&[&file]).await?;
    let options = options(stage, Destination::S3)?;
    ensure!(options["provider"]["endpoints"].as_array().is_some_and(|all| all.len() == 2), "{options}");
    let report = page.upload(json!({ "options": options })).await?;
    stage.arrived(Destination::S3, report.done()?, &file).await?;
    let log = stage.log().await?;
    let hosts = |route: &str| -> BTreeSet<String> {
        log.of(route).iter().filter_map(|one| one.headers.get("host").cloned()).collect()
    };
    ensure!(hosts("store:UploadPart").len() == 2, "parts went to {:?}", hosts("store:UploadPart"));
    ensure!(hosts("store:C*").len() == 1, "control calls went to {:?}", hosts("store:C*"));
    Ok(())
}

async fn credentials_shared(stage: &Stage) -> Result<()> {
    let file = stage.file("shared.mp4", 300_000)?;
    let page = stage.page().await?;
    page.pick(&[&file]).await?;
    let shared = json!({ "uploader": "shared", "options": options(stage, Destination::S3)? });
    for _ in 0..3 {
        let report = page.upload(shared.clone()).await?;
        stage.arrived(Destination::S3, report.done()?, &file).await?;
    }
    let asked = stage.log().await?.of("credentials").len();
    ensure!(asked == 1, "credentials were asked for {asked} times");
    let mut own = shared;
    own["upload"] = json!({ "provider": { "key": "e2e/its own" } });
    let report = page.upload(own).await?;
    stage.arrived(Destination::S3, report.done()?, &file).await?;
    let asked = stage.log().await?.of("credentials").len();
    ensure!(asked == 1, "one with a key of its own shares the credentials too: {asked}");
    Ok(())
}

async fn credentials_expire(stage: &Stage) -> Result<()> {
    let fault = json!({ "route": "store:UploadPart", "skip": 1, "times": 1, "effect": { "kind": "status", "status": 400, "body": "<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>" } });
    stage.sandbox.faults(json!([fault])).await?;
    let file = stage.file("token.bin", SEVERAL_PARTS)?;
    let page = stage.page().await?;
    page.pick(&[&file]).await?;
    let report = page.upload(json!({ "options": options(stage, Destination::S3)? })).await?;
    stage.arrived(Destination::S3, report.done()?, &file).await?;
    let asked = report.calls.iter().filter(|call| *call == "getCredentials").count();
    ensure!(asked == 2, "credentials were asked for {asked} times");
    Ok(())
}

async fn error_in_200(stage: &Stage) -> Result<()> {
    let fault = json!({ "route": "store:CompleteMultipartUpload", "times": 1, "effect": { "kind": "status", "status": 200, "headers": { "content-type": "application/xml" }, "body": "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n   \n<Error><Code>InternalError</Code><Message>We encountered an internal error. Please try again.</Message></Error>" } });
    stage.sandbox.faults(json!([fault])).await?;
    let file = stage.file("twohundred.bin", SEVERAL_PARTS)?;
    let page = stage.page().await?;
    page.pick(&[&file]).await?;
    let report = page.upload(json!({ "options": options(stage, Destination::S3)? })).await?;
    stage.arrived(Destination::S3, report.done()?, &file).await?;
    let completes = stage.log().await?.of("store:CompleteMultipartUpload").len();
    ensure!(completes == 2, "completed {completes} times");
    Ok(())
}

async fn odd_names(stage: &Stage) -> Result<()> {
    let page = stage.page().await?;
    for key in ["e2e/a b+c&d=e?f#g.bin", "e2e/ümläut/日本語.bin", "e2e/it's (100%) ~ok~ *!.bin"] {
        let mut options = options(stage, Destination::S3)?;
        options["provider"]["key"] = json!(key);
        let file = json!({ "text": "odd", "name": "odd.bin" });
        let report = page.upload(json!({ "file": file, "options": options })).await?;
        ensure!(report.done()?["key"] == key, "the key came back as {}", report.done()?["key"]);
        let stored = stage.sandbox.stored("s3", key).await?;
        ensure!(stored.is_some_and(|stored| stored.size == 3), "nothing of 3 bytes is stored as {key}");
    }
    Ok(())
}

async fn no_credentials(stage: &Stage) -> Result<()> {
    let page = stage.page().await?;
    let what = json!({
        "file": { "text": "abc", "name": "a.bin" },
        "options": options(stage, Destination::S3)?,
        "alter": { "throws": "getCredentials" },
    });
    let report = page.upload(what).await?;
    let error = report.failed("application")?;
    ensure!(error.cause.as_deref() == Some("getCredentials of the page threw"), "{error:?}");
    ensure!(stage.log().await?.of("store:*").is_empty(), "something was sent without credentials");
    Ok(())
}

async fn result_fields(stage: &Stage) -> Result<()> {
    let file = stage.file("fields.bin", SEVERAL_PARTS)?;
    let page = stage.page().await?;
    page.pick(&[&file]).await?;
    let report = page.upload(json!({ "options": options(stage, Destination::S3)? })).await?;
    let result = report.done()?;
    let parts = report.parts.len();
    let etag = result["etag"].as_str().unwrap_or_default();
    ensure!(etag.trim_matches('"').ends_with(&format!("-{parts}")), "the ETag of {parts} parts is {etag:?}");
    let key = Destination::S3.id(result)?;
    ensure!(key.starts_with("e2e/") && key.ends_with("-fields.bin"), "the key is {key}");
    ensure!(report.parts.iter().all(|part| part.etag.is_some()), "parts without an ETag: {:?}", report.parts);
    Ok(())
}
