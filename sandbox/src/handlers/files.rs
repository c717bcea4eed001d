//! Static files: the page, the package, and the folder of `--serve`.

use std::path::{Component, Path, PathBuf};

use hyper::Response;
use hyper::header::{CACHE_CONTROL, HeaderValue};
use partway_models::encoding::percent_decode;

use crate::options::Options;
use crate::response;
use crate::response_body::ResponseBody;

/// Serves the file at a URL's path; for a folder, its `index.html`.
pub(crate) async fn serve(options: &Options, path: &str) -> Response<ResponseBody> {
    let Some(mut file) = locate(options, path) else {
        return response::error(404, format!("there is no file at {path}"));
    };
    if tokio::fs::metadata(&file).await.is_ok_and(|found| found.is_dir()) {
        if !path.ends_with('/') {
            let mut response = response::empty(308);
            if let Ok(location) = HeaderValue::from_str(&format!("{path}/")) {
                response.headers_mut().insert("location", location);
            }
            return response;
        }
        file.push("index.html");
    }
    match tokio::fs::read(&file).await {
        Ok(bytes) => {
            let mut response = response::with_type(200, mime(&file), bytes);
            response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
            response
        }
        Err(error) => response::error(404, format!("there is no file at {path} ({}: {error})", file.display())),
    }
}

fn locate(options: &Options, path: &str) -> Option<PathBuf> {
    let path = percent_decode(path).filter(|path| !path.contains('\0'))?;
    let path = path.strip_prefix('/')?;
    let (folder, rest) = match (path.strip_prefix("pkg/"), path.strip_prefix("extra/")) {
        (Some(rest), _) => (options.root.join("pkg"), rest),
        (_, Some(rest)) => (options.serve.clone()?, rest),
        _ => (options.root.join("www"), path),
    };
    let rest = Path::new(rest);
    let inside = rest.components().all(|part| matches!(part, Component::Normal(_)));
    inside.then(|| folder.join(rest))
}

fn mime(file: &Path) -> &'static str {
    match file.extension().and_then(|extension| extension.to_str()).unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "wasm" => "application/wasm",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "gif" => "image/gif",
        "ico" => "image/x-icon",
        "mp4" => "video/mp4",
        "woff2" => "font/woff2",
        "webmanifest" => "application/manifest+json",
        "txt" | "md" | "ts" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_in_their_folders() {
        let options = Options { root: "/r".into(), serve: Some("/e".into()), ..Options::default() };
        let at = |path: &str| locate(&options, path).map(|file| file.display().to_string());
        assert_eq!(at("/").as_deref(), Some("/r/www/"));
        assert_eq!(at("/a%20b.js").as_deref(), Some("/r/www/a b.js"));
        assert_eq!(at("/pkg/dist/x.wasm").as_deref(), Some("/r/pkg/dist/x.wasm"));
        assert_eq!(at("/extra/t/i.html").as_deref(), Some("/e/t/i.html"));
        for outside in ["/../Cargo.toml", "/pkg/%2e%2e/Cargo.toml", "/pkg//etc/passwd", "/%00", "/%zz", "x"] {
            assert_eq!(at(outside), None, "{outside}");
        }
    }
}
