//! Files and folders that are dragged from the desktop, by the browser's own events.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use futures::FutureExt;
use serde_json::json;

use super::options;
use crate::destination::Destination;
use crate::files;
use crate::page::Page;
use crate::runner::Test;
use crate::stage::Stage;

/// More than Chromium lists at once.
const MANY: usize = 250;

pub(super) fn tests() -> Vec<Test> {
    vec![
        Test::new("drop zone: a folder that is dropped arrives whole, each file under its path", |stage| {
            folder(stage).boxed_local()
        }),
        Test::new("drop zone: files over it show once, and load the engine", |stage| over(stage).boxed_local()),
    ]
}

/// A drop zone with children in the upper half of the page, whose files are uploaded under their paths.
const ZONE: &str = r#"
    const { createDropzone, createUploads, Uploader } = await import("/pkg/index.js");
    const { withFunctions } = await import("/extra/provider.js");
    const zone = document.createElement("div");
    zone.style = "position: fixed; inset: 0 0 50% 0; display: grid; grid-template-columns: 1fr 1fr";
    zone.append(document.createElement("p"), document.createElement("p"));
    document.body.append(zone);
    const options = withFunctions(args[0], {}, { calls: [] });
    options.provider.key = ({ name, relativePath }) => relativePath || name;
    const uploads = createUploads(new Uploader(options));
    window.zone = { over: [], rejected: [], files: [], uploads };
    createDropzone(zone, {
        onFiles(files) {
            window.zone.files.push(...files);
            uploads.add(files);
        },
        onReject: (rejected) => window.zone.rejected.push(...rejected),
        onDrag: (over) => window.zone.over.push(over),
    });
"#;

async fn zone<'a>(stage: &'a Stage) -> Result<Page<'a>> {
    let page = stage.page().await?;
    page.script(ZONE, vec![options(stage, Destination::S3)?]).await?;
    Ok(page)
}

/// Dispatches a drag of files from outside of the browser, at a place of the page.
async fn drag(stage: &Stage, kind: &str, (x, y): (u64, u64), paths: &[&Path]) -> Result<()> {
    let paths: Vec<_> = paths.iter().map(|path| path.to_string_lossy()).collect();
    let data = json!({ "items": [], "files": paths, "dragOperationsMask": 1 });
    let event = json!({ "type": kind, "x": x, "y": y, "data": data });
    stage.browser.driver.cdp().send_raw("Input.dispatchDragEvent", event).await?;
    Ok(())
}

async fn folder(stage: &Stage) -> Result<()> {
    let desktop = tempfile::tempdir()?;
    let album = desktop.path().join("album");
    fs::create_dir_all(album.join("summer/empty"))?;
    for index in 0..MANY {
        fs::write(album.join(format!("summer/{index}.txt")), format!("photo {index}"))?;
    }
    fs::write(album.join(".DS_Store"), "Finder's")?;
    // A link to the folder that it lies in would never end.
    symlink(&album, album.join("summer/again"))?;
    let cover = files::random(&album, "cover.bin", 70_000)?;
    let loose = files::random(desktop.path(), "loose.bin", 5)?;

    let page = zone(stage).await?;
    for kind in ["dragEnter", "dragOver", "drop"] {
        drag(stage, kind, (60, 60), &[&album, &loose.path]).await?;
    }
    let ended = "
        const { uploads } = window.zone;
        await new Promise((resolve) => {
            const look = () => {
                const { files } = uploads.getSnapshot().progress;
                const all = window.zone.files.length;
                if (all > 0 && files.done + files.failed === all) resolve();
            };
            uploads.subscribe(look);
            look();
        });
        const { uploads: views } = uploads.getSnapshot();
        return {
            paths: views.map(({ result }) => result?.key).sort(),
            errors: views.flatMap(({ error }) => error?.message ?? []),
            handles: window.zone.files.filter(({ file }) => file.kind === 'file').length,
            rejected: window.zone.rejected,
        };";
    let found = page.script(ended, vec![]).await?;
    ensure!(found["errors"] == json!([]), "{}", found["errors"]);
    ensure!(found["rejected"] == json!([]), "{}", found["rejected"]);
    let mut expected: Vec<String> = (0..MANY).map(|index| format!("album/summer/{index}.txt")).collect();
    expected.extend(["album/cover.bin".to_owned(), "loose.bin".to_owned()]);
    expected.sort();
    ensure!(found["paths"] == json!(expected), "other files than those that were dropped: {}", found["paths"]);
    ensure!(found["handles"] == json!(MANY + 2), "only {} have handles, to go on after a reload", found["handles"]);
    stage.sandbox.holds(Destination::S3, "album/cover.bin", &cover).await?;
    stage.sandbox.holds(Destination::S3, "loose.bin", &loose).await
}

async fn over(stage: &Stage) -> Result<()> {
    let file = stage.file("over.bin", 5)?;
    let page = zone(stage).await?;
    let loaded = "return performance.getEntriesByType('resource').filter(({ name }) => name.endsWith('.wasm')).length";
    ensure!(page.script(loaded, vec![]).await? == 0, "the engine was loaded before files came near");
    let size = page.script("return [innerWidth, innerHeight]", vec![]).await?;
    let [width, height] = [0, 1].map(|index| size[index].as_u64());
    let (right, below) = (width.context("no width")? - 60, height.context("no height")? - 60);
    drag(stage, "dragEnter", (60, 60), &[&file.path]).await?;
    for x in [60, right, 60] {
        drag(stage, "dragOver", (x, 60), &[&file.path]).await?;
    }
    let seen = page.script("return window.zone.over", vec![]).await?;
    ensure!(seen == json!([true]), "from child to child: {seen}");
    drag(stage, "dragOver", (60, below), &[&file.path]).await?;
    let seen = page.script("return window.zone.over", vec![]).await?;
    ensure!(seen == json!([true, false]), "beside it: {seen}");
    drag(stage, "drop", (60, below), &[&file.path]).await?;
    let files = page.script("return window.zone.files.length", vec![]).await?;
    ensure!(files == 0, "a drop beside it came in");
    let wait = "while (!performance.getEntriesByType('resource').some(({ name }) => name.endsWith('.wasm')))
                    await new Promise((resolve) => setTimeout(resolve, 10));";
    page.script(wait, vec![]).await?;
    Ok(())
}
