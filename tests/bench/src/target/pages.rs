//! The page's own origin: files of a few folders.

use std::path::{Path, PathBuf};

use super::http::{Answer, Head};

/// Folders, by the beginning of the path that they are served under; the first that fits counts.
pub(crate) struct Pages(Vec<(&'static str, PathBuf)>);

impl Pages {
    pub(crate) fn new(folders: Vec<(&'static str, PathBuf)>) -> Self {
        Self(folders)
    }

    pub(super) fn answer(&self, head: &Head) -> Answer {
        let file = self.file(&head.path).and_then(|path| Some((std::fs::read(&path).ok()?, kind(&path))));
        match file {
            Some((body, kind)) => Answer { status: 200, headers: vec![("content-type", kind.to_owned())], body }
                .with("cache-control", "no-store"),
            None => Answer::new(404),
        }
    }

    fn file(&self, path: &str) -> Option<PathBuf> {
        if path.split('/').any(|part| part == "..") {
            return None;
        }
        let (folder, rest) = self.0.iter().find_map(|(start, folder)| Some((folder, path.strip_prefix(start)?)))?;
        Some(folder.join(rest))
    }
}

fn kind(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript",
        Some("wasm") => "application/wasm",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serves_files_of_its_folders_and_nothing_above_them() {
        let pages = Pages::new(vec![("/pkg/", PathBuf::from("/somewhere/pkg")), ("/", PathBuf::from("/page"))]);
        assert_eq!(pages.file("/pkg/index.js"), Some(PathBuf::from("/somewhere/pkg/index.js")));
        assert_eq!(pages.file("/index.html"), Some(PathBuf::from("/page/index.html")));
        assert_eq!(pages.file("/pkg/../secret"), None);
    }
}
