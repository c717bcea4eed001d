//! Files and folders that come into a drop zone. Chromium drags them from the desktop, by its own events. No driver of the other engines
//! can: there a script dispatches drops and pastes, with files that were picked from the disk. A DataTransfer that a script makes takes
//! files alone, and only Chromium's driver picks folders, so that folders are tested in Chromium.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use futures::FutureExt;
use serde_json::{Value, json};
use thirtyfour::By;

use super::options;
use crate::browser::{Browser, Engine};
use crate::destination::Destination;
use crate::files;
use crate::page::Page;
use crate::runner::Test;
use crate::stage::Stage;

/// What came of all files that came in, once they are at their end.
const ENDED: &str = "
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

/// Dispatches a drop or a paste of the picked files, and tells whether the zone took it.
const DISPATCH: &str = r#"
    const { files } = document.querySelector("input#files");
    const common = { bubbles: true, cancelable: true };
    const fill = (transfer) => [...files].forEach((file) => transfer.items.add(file));
    if (args[0] === "paste") {
        const paste = new ClipboardEvent("paste", { ...common, clipboardData: new DataTransfer() });
        // Firefox gives the event another one than it got.
        fill(paste.clipboardData);
        return !document.body.dispatchEvent(paste);
    }
    const dataTransfer = new DataTransfer();
    fill(dataTransfer);
    const child = window.zone.element.firstChild;
    const dispatch = (type) => !child.dispatchEvent(new DragEvent(type, { ...common, dataTransfer }));
    return ["dragenter", "dragover", "drop"].map(dispatch).at(-1);
"#;

/// More than Chromium lists at once.
const MANY: usize = 250;

pub(super) fn tests() -> Vec<Test> {
    let in_each = Engine::ALL.map(|engine| {
        let name = format!("drop zone: files that are dropped, pasted and picked arrive, in {}", engine.name());
        Test::new(name, move |stage| each_way(stage, engine).boxed_local())
    });
    let in_chromium = [
        Test::new("drop zone: a folder that is dropped arrives whole, each file under its path", |stage| {
            folder(stage).boxed_local()
        }),
        Test::new("drop zone: files over it show once, and load the engine", |stage| over(stage).boxed_local()),
    ];
    in_chromium.into_iter().chain(in_each).collect()
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
    const input = (id, properties) => Object.assign(document.createElement("input"), { type: "file", id, ...properties });
    zone.append(input("inside", { multiple: true }), input("folder", { webkitdirectory: true }));
    window.zone = { element: zone, over: [], rejected: [], files: [], uploads };
    createDropzone(zone, {
        onFiles(files) {
            window.zone.files.push(...files);
            uploads.add(files);
        },
        onReject: (rejected) => window.zone.rejected.push(...rejected),
        onDrag: (over) => window.zone.over.push(over),
        paste: true,
    });
"#;

async fn zone<'a>(stage: &'a Stage) -> Result<Page<'a>> {
    zone_in(stage, &stage.browser).await
}

async fn zone_in<'a>(stage: &Stage, browser: &'a Browser) -> Result<Page<'a>> {
    let page = stage.page_in(browser).await?;
    page.script(ZONE, vec![options(stage, Destination::S3)?]).await?;
    Ok(page)
}

/// Waits until all that came in arrived.
async fn ended(page: &Page<'_>) -> Result<Value> {
    let found = page.script(ENDED, vec![]).await?;
    ensure!(found["errors"] == json!([]), "{}", found["errors"]);
    ensure!(found["rejected"] == json!([]), "{}", found["rejected"]);
    Ok(found)
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
    let found = ended(&page).await?;
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

/// Picks a file or a folder in an input of the zone.
async fn pick(browser: &Browser, input: &str, path: &Path) -> Result<()> {
    let input = browser.driver.find(By::Id(input)).await?;
    input.send_keys(path.to_string_lossy()).await?;
    Ok(())
}

async fn each_way(stage: &Stage, engine: Engine) -> Result<()> {
    let browser = Browser::start(engine).await?;
    let outcome = each_way_in(stage, &browser).await;
    browser.close().await;
    outcome
}

async fn each_way_in(stage: &Stage, browser: &Browser) -> Result<()> {
    let desktop = tempfile::tempdir()?;
    let album = desktop.path().join("album");
    fs::create_dir_all(album.join("summer"))?;
    let photo = files::random(&album.join("summer"), "photo.bin", 70_000)?;
    let page = zone_in(stage, browser).await?;
    let mut sent = Vec::new();
    for kind in ["drop", "paste"] {
        let files = ["one", "two"].map(|name| stage.file(&format!("{kind}-{name}.bin"), 300_000));
        let [one, two] = files;
        let files = [one?, two?];
        page.script("document.querySelector('input#files').value = ''", vec![]).await?;
        page.pick(&[&files[0], &files[1]]).await?;
        let is_taken = page.script(DISPATCH, vec![json!(kind)]).await?;
        ensure!(is_taken == true, "the {kind} was left to the browser");
        sent.extend(files);
    }
    let over = page.script("return window.zone.over", vec![]).await?;
    ensure!(over == json!([true, false]), "the drag showed as {over}");
    let picked = stage.file("picked.bin", 300_000)?;
    pick(browser, "inside", &picked.path).await?;
    sent.push(picked);
    let takes_folders = browser.engine == Engine::Chromium;
    if takes_folders {
        pick(browser, "folder", &album).await?;
    }
    let came = "while (window.zone.files.length < args[0]) await new Promise((resolve) => setTimeout(resolve, 10))";
    page.script(came, vec![json!(sent.len() + usize::from(takes_folders))]).await?;
    ended(&page).await?;
    for file in &sent {
        stage.sandbox.holds(Destination::S3, &file.name, file).await?;
    }
    if takes_folders {
        stage.sandbox.holds(Destination::S3, "album/summer/photo.bin", &photo).await?;
    }
    let noise = page.noise().await?;
    ensure!(noise.is_empty(), "the page has uncaught errors: {noise:?}");
    Ok(())
}
