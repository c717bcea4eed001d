//! The page that people use: by keyboard, with faults on, with its buttons.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures::FutureExt;
use serde_json::{Value, json};
use thirtyfour::prelude::*;
use tokio::time::sleep;

use super::{SEVERAL_PARTS, quick};
use crate::check;
use crate::destination::Destination;
use crate::files::Picked;
use crate::runner::Test;
use crate::stage::Stage;

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::new("page: by keyboard alone, with a pause on the way", |stage| keyboard(stage).boxed_local()),
        Test::new("page: an error with its hint, and then again", |stage| try_again(stage).boxed_local()),
        Test::new("page: cancel", |stage| cancel(stage).boxed_local()),
        Test::new("page: all destinations at once", |stage| several(stage).boxed_local()),
    ]
}

async fn open(stage: &Stage) -> Result<&WebDriver> {
    let driver = &stage.browser.driver;
    driver.goto(format!("{}/", stage.sandbox.at.app)).await?;
    Ok(driver)
}

async fn choose_file(stage: &Stage, file: &Picked) -> Result<()> {
    let input = stage.browser.driver.find(By::Css("input#files")).await?;
    input.send_keys(file.path.to_string_lossy()).await?;
    Ok(())
}

/// Presses Tab until the element with focus is what `wanted` selects.
async fn tab_to(driver: &WebDriver, wanted: &str) -> Result<()> {
    for _ in 0..40 {
        driver.action_chain().send_keys(Key::Tab).perform().await?;
        let script = "return document.activeElement.matches(arguments[0])";
        if driver.execute(script, vec![json!(wanted)]).await?.json() == &json!(true) {
            return Ok(());
        }
    }
    anyhow::bail!("Tab never reaches {wanted}")
}

async fn press(driver: &WebDriver, key: impl AsRef<str>) -> Result<()> {
    driver.action_chain().send_keys(key.as_ref()).perform().await?;
    Ok(())
}

/// Waits until the upload has this status.
async fn status(driver: &WebDriver, file: &Picked, wanted: &str) -> Result<WebElement> {
    let deadline = Instant::now() + Duration::from_secs(60);
    let selector = format!(".upload[data-name=\"{}\"]", file.name);
    loop {
        let upload = driver.find(By::Css(&*selector)).await;
        let now = match &upload {
            Ok(upload) => upload.attr("data-status").await?,
            Err(_) => None,
        };
        if let (Ok(upload), Some(true)) = (upload, now.as_deref().map(|now| now == wanted)) {
            return Ok(upload);
        }
        ensure!(Instant::now() < deadline, "{} is {now:?}, not {wanted:?}", file.name);
        sleep(Duration::from_millis(30)).await;
    }
}

/// Delays the answers to parts until a test has done its work.
async fn held(stage: &Stage) -> Result<()> {
    stage.sandbox.faults(json!([{ "route": "store:UploadPart", "effect": { "kind": "latency", "ms": 25_000 } }])).await
}

async fn keyboard(stage: &Stage) -> Result<()> {
    quick(stage).await?;
    held(stage).await?;
    let file = stage.file("keyboard.bin", 2 * SEVERAL_PARTS)?;
    let driver = open(stage).await?;
    check::choose(&stage.browser, Destination::Ofauth).await?;
    driver.execute("document.activeElement.blur()", vec![]).await?;
    tab_to(driver, "select#destination").await?;
    press(driver, "S3").await?;
    let chosen = driver.execute("return document.querySelector('#destination').value", vec![]).await?;
    ensure!(chosen.json() == "s3", "typing S3 chose {}", chosen.json());
    // The key opens a dialog of the system's, so the file is picked by the driver.
    tab_to(driver, "input#files").await?;
    choose_file(stage, &file).await?;
    status(driver, &file, "sending").await?;
    tab_to(driver, ".upload [data-do=pause]").await?;
    press(driver, " ").await?;
    status(driver, &file, "paused").await?;
    stage.sandbox.faults(json!([])).await?;
    let focus = "return document.activeElement.closest('.upload') !== null";
    ensure!(driver.execute(focus, vec![]).await?.json() == &json!(true), "the focus was lost with the pause");
    let resumes = "return document.activeElement.matches('[data-do=resume]')";
    if driver.execute(resumes, vec![]).await?.json() != &json!(true) {
        tab_to(driver, ".upload [data-do=resume]").await?;
    }
    press(driver, " ").await?;
    let upload = status(driver, &file, "done").await?;
    let result = upload.attr("data-result").await?.context("no data-result")?;
    let result: Value = serde_json::from_str(&result)?;
    stage.arrived(Destination::S3, &result, &file).await?;
    let shown = upload.text().await?;
    ensure!(shown.contains(Destination::S3.id(&result)?), "the key is not shown: {shown}");
    tab_to(driver, ".upload .outcome button").await?;
    let bar = driver
        .execute("return [...document.querySelectorAll('[role=progressbar]')].every((bar) => bar.ariaLabel)", vec![]);
    ensure!(bar.await?.json() == &json!(true), "a bar without a name");
    Ok(())
}

async fn try_again(stage: &Stage) -> Result<()> {
    quick(stage).await?;
    stage.sandbox.faults(json!([{ "route": "store:UploadPart", "effect": { "kind": "hide-etag" } }])).await?;
    let file = stage.file("again.bin", SEVERAL_PARTS)?;
    let driver = open(stage).await?;
    check::choose(&stage.browser, Destination::S3).await?;
    choose_file(stage, &file).await?;
    let upload = status(driver, &file, "failed").await?;
    let error: Value = serde_json::from_str(&upload.attr("data-error").await?.context("no data-error")?)?;
    ensure!(error["code"] == "etag-not-exposed", "{error}");
    let rule = upload.find(By::Css(".outcome .rule pre")).await?.text().await?;
    let rule: Value = serde_json::from_str(&rule).with_context(|| format!("the rule shown is no JSON: {rule}"))?;
    ensure!(rule.to_string().contains("ExposeHeaders"), "{rule}");
    stage.sandbox.faults(json!([])).await?;
    upload.find(By::Css("[data-do=again]")).await?.click().await?;
    let upload = status(driver, &file, "done").await?;
    ensure!(upload.attr("data-error").await?.is_none(), "the old error is still there");
    let result: Value = serde_json::from_str(&upload.attr("data-result").await?.context("no data-result")?)?;
    stage.arrived(Destination::S3, &result, &file).await
}

async fn cancel(stage: &Stage) -> Result<()> {
    quick(stage).await?;
    held(stage).await?;
    let file = stage.file("cancel.bin", SEVERAL_PARTS)?;
    let driver = open(stage).await?;
    check::choose(&stage.browser, Destination::S3).await?;
    choose_file(stage, &file).await?;
    let upload = status(driver, &file, "sending").await?;
    upload.find(By::Css("[data-do=cancel]")).await?.click().await?;
    status(driver, &file, "cancelled").await?;
    let log = stage.log().await?;
    ensure!(log.of("store:AbortMultipartUpload").iter().any(|one| one.status == Some(204)), "the store was not told");
    Ok(())
}

async fn several(stage: &Stage) -> Result<()> {
    quick(stage).await?;
    let driver = open(stage).await?;
    let mut sent = Vec::new();
    for destination in Destination::ALL {
        let file = stage.file(&format!("several-{}.mp4", destination.name()), SEVERAL_PARTS)?;
        check::choose(&stage.browser, destination).await?;
        choose_file(stage, &file).await?;
        sent.push((destination, file));
    }
    for (destination, file) in &sent {
        let result = check::done(driver, &file.name).await?;
        stage.arrived(*destination, &result, file).await?;
    }
    Ok(())
}
