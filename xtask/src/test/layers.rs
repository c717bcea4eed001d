//! The structure that ARCHITECTURE.md claims, read from the sources: layers use only those before them, and no files import each other in
//! a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::counts::Counts;
use crate::paths;

/// The crate's layers: each may use those before it. Those of one row don't know each other.
const LAYERS: [&[&str]; 11] = [
    &["util"],
    &["sync"],
    &["error"],
    &["json"],
    &["model"],
    &["http"],
    &["platform"],
    &["context"],
    &["provider"],
    &["providers", "engine"],
    &["web"],
];

/// Where files must not import each other in a circle.
const CRATES: [&str; 4] = ["src", "sandbox/src", "sandbox/models/src", "tests/bench/src"];
const SCRIPTS: [&str; 1] = ["pkg"];

/// Checks everything; what is wrong is printed.
pub(super) fn check() -> Result<Counts> {
    let mut counts = Counts::default();
    let mut report = |what: &str, wrong: Vec<String>| {
        for line in &wrong {
            println!("{what}: {line}");
        }
        counts = counts + Counts::one(wrong.is_empty());
    };
    report("src", upward_imports(&Crate::read(&paths::root().join("src"))?));
    for folder in CRATES {
        report(folder, circles(&Crate::read(&paths::root().join(folder))?.imports()));
    }
    for folder in SCRIPTS {
        report(folder, circles(&script_imports(&paths::root().join(folder))?));
    }
    Ok(counts)
}

/// A file's imports, by its name within the folder.
type Imports = BTreeMap<String, BTreeSet<String>>;

/// The modules of a crate and their files.
struct Crate {
    /// By path, such as `context::integrity`; the root is empty.
    modules: BTreeMap<String, (String, String)>,
}

impl Crate {
    fn read(root: &Path) -> Result<Self> {
        let mut modules = BTreeMap::new();
        for file in files(root, "rs")? {
            let name = file.strip_prefix(root)?.to_string_lossy().into_owned();
            let module = name.trim_end_matches(".rs").trim_end_matches("/mod").replace('/', "::");
            if module.split("::").any(|part| part == "tests") {
                continue;
            }
            let module = if matches!(module.as_str(), "lib" | "main" | "mod") { String::new() } else { module };
            let text = fs::read_to_string(&file).with_context(|| name.clone())?;
            // A binary beside the library has a root of its own, which nothing imports.
            let module = if name == "main.rs" { "main".into() } else { module };
            modules.insert(module, (name, code(&text)));
        }
        Ok(Self { modules })
    }

    /// The deepest module that a path leads into.
    fn resolve(&self, path: &str) -> Option<&str> {
        let mut path = path;
        loop {
            if let Some((module, _)) = self.modules.get_key_value(path) {
                return Some(module);
            }
            path = path.rsplit_once("::").map_or("", |(parent, _)| parent);
            if path.is_empty() {
                return self.modules.contains_key("").then_some("");
            }
        }
    }

    fn imports(&self) -> Imports {
        let mut imports = Imports::new();
        for (module, (file, text)) in &self.modules {
            let targets = used_paths(text, module).into_iter().filter_map(|path| self.resolve(&path).map(String::from));
            let files = targets.filter(|target| target != module).map(|target| self.modules[&target].0.clone());
            imports.insert(file.clone(), files.collect());
        }
        imports
    }
}

/// Imports of a layer that isn't before the file's own.
fn upward_imports(source: &Crate) -> Vec<String> {
    let rank = |module: &str| {
        let top = module.split("::").next().unwrap_or_default();
        LAYERS.iter().position(|row| row.contains(&top)).map(|rank| (rank, top.to_owned()))
    };
    let mut wrong = Vec::new();
    for (module, (file, text)) in &source.modules {
        if module.is_empty() {
            continue;
        }
        let Some(own) = rank(module) else {
            wrong.push(format!("{file} is in no layer"));
            continue;
        };
        let used: BTreeSet<String> = used_paths(text, module).into_iter().collect();
        for path in used {
            if let Some(other) = rank(&path)
                && (other.0 > own.0 || (other.0 == own.0 && other.1 != own.1))
            {
                wrong.push(format!("{file} ({}) uses crate::{path}, which isn't before it", own.1));
            }
        }
    }
    wrong
}

/// Every path that a file uses, from the crate's root.
fn used_paths(text: &str, module: &str) -> Vec<String> {
    let parent = module.rsplit_once("::").map_or("", |(parent, _)| parent);
    let join = |base: &str, rest: &str| if base.is_empty() { rest.to_owned() } else { format!("{base}::{rest}") };
    let mut paths = Vec::new();
    for path in written_paths(text) {
        let path = path.as_str();
        if let Some(rest) = path.strip_prefix("crate::") {
            paths.push(rest.to_owned());
        } else if let Some(rest) = path.strip_prefix("self::") {
            paths.push(join(module, rest));
        } else if let Some(rest) = path.strip_prefix("super::") {
            let (mut base, mut rest) = (parent, rest);
            while let Some(further) = rest.strip_prefix("super::") {
                (base, rest) = (base.rsplit_once("::").map_or("", |(parent, _)| parent), further);
            }
            paths.push(join(base, rest));
        }
    }
    paths
}

/// Paths that begin with `crate`, `self` or `super`, those in braces one by one.
fn written_paths(text: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for start in ["crate::", "self::", "super::"] {
        let mut from = 0;
        while let Some(at) = text[from..].find(start).map(|at| at + from) {
            from = at + start.len();
            let before = text[..at].chars().next_back();
            if before.is_some_and(|before| before.is_alphanumeric() || matches!(before, '_' | ':' | '$')) {
                continue;
            }
            expand(&mut text[at..].chars().peekable(), String::new(), &mut paths);
        }
    }
    paths
}

fn expand(letters: &mut std::iter::Peekable<std::str::Chars<'_>>, mut path: String, paths: &mut Vec<String>) {
    while let Some(&letter) = letters.peek() {
        if letter == '{' && path.ends_with("::") {
            letters.next();
            loop {
                while letters.next_if(|letter| letter.is_whitespace() || *letter == ',').is_some() {}
                if letters.next_if_eq(&'}').is_some() || letters.peek().is_none() {
                    return;
                }
                let length = paths.len();
                expand(letters, path.clone(), paths);
                if paths.len() == length {
                    return;
                }
                // A name after `as`.
                while letters.next_if(|letter| !matches!(letter, ',' | '}')).is_some() {}
            }
        }
        if !(letter.is_alphanumeric() || matches!(letter, '_' | ':' | '*')) {
            break;
        }
        path.push(letter);
        letters.next();
    }
    let path = path.trim_end_matches("::self").trim_end_matches("::*").trim_end_matches(':').to_owned();
    paths.push(path);
}

/// The code of a file: without comments, strings, and the tests at its end.
fn code(text: &str) -> String {
    let mut code = String::new();
    let tests =
        text.find("#[cfg(test)]\nmod ").or_else(|| text.find("#[cfg(test)]\npub(super) mod ")).unwrap_or(text.len());
    for line in text[..tests].lines() {
        code.push_str(line.split("//").next().unwrap_or_default());
        code.push('\n');
    }
    code
}

fn script_imports(root: &Path) -> Result<Imports> {
    let mut imports = Imports::new();
    let mut scripts = files(root, "ts")?;
    scripts.extend(files(root, "js")?);
    for file in &scripts {
        let name = file.strip_prefix(root)?.to_string_lossy().into_owned();
        if name.starts_with("dist/") || name.ends_with(".d.ts") {
            continue;
        }
        let text = fs::read_to_string(file)?;
        let folder = file.parent().unwrap_or(root);
        let mut targets = BTreeSet::new();
        for quoted in text.split(['"', '\'']).skip(1).step_by(2).filter(|quoted| quoted.starts_with('.')) {
            let target = normal(&folder.join(quoted));
            let found = scripts.iter().find(|script| script.with_extension("") == target.with_extension(""));
            if let Some(found) = found {
                targets.insert(found.strip_prefix(root)?.to_string_lossy().into_owned());
            }
        }
        targets.remove(&name);
        imports.insert(name, targets);
    }
    Ok(imports)
}

/// A path without `.` and `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => {
                normal.pop();
            }
            std::path::Component::CurDir => {}
            part => normal.push(part),
        }
    }
    normal
}

/// One circle for each group of files that import each other in one.
fn circles(imports: &Imports) -> Vec<String> {
    let mut left: BTreeSet<&String> = imports.keys().collect();
    let mut circles = Vec::new();
    while let Some(start) = left.pop_first() {
        if let Some(circle) = way(imports, start, start) {
            for file in &circle {
                left.remove(file);
            }
            circles.push(format!("{} -> {start}", circle.join(" -> ")));
        }
    }
    circles
}

/// The shortest way from one file by its imports to another.
fn way(imports: &Imports, from: &str, to: &str) -> Option<Vec<String>> {
    let mut ways = vec![vec![from.to_owned()]];
    let mut seen = BTreeSet::new();
    let mut at = 0;
    while at < ways.len() {
        let way = ways[at].clone();
        for next in imports.get(way.last()?).into_iter().flatten() {
            if next == to {
                return Some(way);
            }
            if seen.insert(next) {
                ways.push([way.clone(), vec![next.clone()]].concat());
            }
        }
        at += 1;
    }
    None
}

/// The files under a folder with that extension, in order.
fn files(folder: &Path, extension: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(files: &[(&str, &str)]) -> Crate {
        let module = |name: &str| name.trim_end_matches("::mod").to_owned();
        Crate { modules: files.iter().map(|(name, text)| (module(name), ((*name).into(), code(text)))).collect() }
    }

    #[test]
    fn an_import_upwards_is_found() {
        let fine = [("json", "use crate::util::text;"), ("engine::send", "use crate::{context::Context, json};")];
        assert_eq!(upward_imports(&source(&fine)), [""; 0]);
        for (name, text) in [
            ("context::retry", "use crate::engine::run::Run;"),
            ("json", "fn f() { crate::web::now() }"),
            ("providers::s3", "use crate::{error::Result, engine::{run, send}};"),
            ("engine::run", "use crate::providers::create;"),
            ("nowhere", ""),
        ] {
            assert!(!upward_imports(&source(&[(name, text)])).is_empty(), "{name}: {text}");
        }
    }

    #[test]
    fn comments_and_tests_import_nothing() {
        let text = "// crate::web\n/// [`crate::web`]\n#[cfg(test)]\nmod tests {\n use crate::web; }";
        assert_eq!(upward_imports(&source(&[("json", text)])), [""; 0]);
    }

    #[test]
    fn a_circle_is_found_however_it_is_written() {
        let there = ("a::mod", "mod b; pub use self::b::B;");
        for back in ["use super::A;", "use crate::a::{A, c};", "fn f(a: &super::A) {}"] {
            let circle = circles(&source(&[there, ("a::b", back)]).imports());
            assert_eq!(circle.len(), 1, "{back}");
        }
        let none = source(&[("a::mod", "mod b; mod c;"), ("a::b", "use super::c::C;"), ("a::c", "")]);
        assert_eq!(circles(&none.imports()), [""; 0]);
    }

    #[test]
    fn paths_in_braces_are_taken_one_by_one() {
        assert_eq!(
            written_paths("use crate::{a::{self, B}, c::D as E, f};"),
            ["crate::a", "crate::a::B", "crate::c::D", "crate::f"]
        );
    }
}
