//! What all entries share: the script that shows uploads and takes files in, and the one that keeps sessions. The entries for frameworks
//! that stand on the first, and the double for applications' tests.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::{copy, copy_face, recreate, write};
use crate::process;

/// What shows uploads and takes files in. The entries import it when they are loaded.
pub(super) const VIEW: &str = "view.js";

/// What keeps sessions. The entries import it with the first file.
pub(super) const SESSIONS: &str = "sessions.js";

/// The entries for frameworks, by the names that their users import.
pub(super) const FRAMEWORKS: [&str; 3] = ["react", "vue", "svelte"];

/// The double for tests.
const TESTING: &str = "testing";

/// In the place of the module that differs between the entries.
const TESTING_ENTRY: &str = "export * from \"./testing/entry.ts\";\n";

/// Makes the scripts that all entries share, and their declarations for the compiler, which aren't published.
pub(super) fn put(face: &Path, scratch: &Path, tools: &Path, dist: &Path) -> Result<()> {
    let folder = sources(face, scratch)?;
    for (sources, script) in [("view", VIEW), ("sessions", SESSIONS)] {
        esbuild(&folder, tools, &format!("{sources}/index.ts"), &dist.join(script), &["--format=esm"])?;
        write(&dist.join(format!("{sources}.d.ts")), format!("export * from \"../{sources}/index.ts\";\n"))?;
    }
    Ok(())
}

/// Puts the entries that have no engine into `stage`, each for `import` and for `require`.
pub(super) fn entries(face: &Path, dist: &Path, scratch: &Path, stage: &Path, tools: &Path) -> Result<()> {
    let folder = sources(face, scratch)?;
    write(&folder.join("entry.ts"), TESTING_ENTRY)?;
    recreate(&folder.join("dist"))?;
    copy(&dist.join(VIEW), &folder.join("dist").join(VIEW))?;
    for script in [VIEW, SESSIONS] {
        copy(&dist.join(script), &stage.join("dist").join(script))?;
    }
    for name in FRAMEWORKS.into_iter().chain([TESTING]) {
        let source = format!("{name}.ts");
        for (format, extension, view) in
            [("--format=esm", "js", Some("--external:./dist/view.js")), ("--format=cjs", "cjs", None)]
        {
            let externals = FRAMEWORKS.map(|framework| format!("--external:{framework}"));
            let mut arguments: Vec<&str> = externals.iter().map(String::as_str).collect();
            arguments.extend(view);
            // As for the other entries: a way of listing exports that `import` of Node's finds.
            arguments.extend((extension == "cjs").then_some("--platform=node"));
            arguments.push(format);
            // Beside `dist`: what stays a file is imported by its way from there.
            let script = format!("{name}.{extension}");
            esbuild(&folder, tools, &source, &folder.join(&script), &arguments)?;
            copy(&folder.join(&script), &stage.join(&script))?;
        }
        for extension in ["d.ts", "d.cts"] {
            copy(&face.join(format!("{name}.d.ts")), &stage.join(format!("{name}.{extension}")))?;
        }
    }
    Ok(())
}

/// What a framework's entry takes of the shared script comes with it: a bundler leaves out the rest.
pub(super) fn with_its_view(name: &str, stage: &Path, scratch: &Path, tools: &Path) -> Result<PathBuf> {
    let output = scratch.join(format!("{name}.whole.js"));
    let externals = FRAMEWORKS.map(|framework| format!("--external:{framework}"));
    let arguments: Vec<&str> = externals.iter().map(String::as_str).chain(["--format=esm"]).collect();
    esbuild(stage, tools, &format!("{name}.js"), &output, &arguments)?;
    Ok(output)
}

/// The face's sources, in a folder of their own.
fn sources(face: &Path, scratch: &Path) -> Result<PathBuf> {
    let folder = scratch.join("views");
    recreate(&folder)?;
    copy_face(face, &folder)?;
    Ok(folder)
}

fn esbuild(folder: &Path, tools: &Path, source: &str, output: &Path, arguments: &[&str]) -> Result<()> {
    process::run(
        Command::new(tools.join("node_modules/.bin/esbuild"))
            .current_dir(folder)
            .args([source, "--bundle", "--minify", "--target=es2022", "--legal-comments=none", "--log-level=error"])
            .args(arguments)
            .arg(format!("--outfile={}", output.display())),
    )
}
