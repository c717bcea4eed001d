//! The names of all calls, `<service>:<call>`, as faults and the log know them.

use hyper::Method;

/// Every call that faults can be set on.
pub(crate) const ALL: &[&str] = &[
    "ofauth:check",
    "ofauth:init",
    "ofauth:part",
    "ofauth:single",
    "ofauth:complete",
    "onlymonster:list",
    "onlymonster:verify-fan",
    "onlymonster:start",
    "onlymonster:finish",
    "onlymonster:export",
    "onlymonster:retry",
    "apifansly:upload",
    "apifansly:status",
    "store:PutObject",
    "store:CreateMultipartUpload",
    "store:UploadPart",
    "store:CompleteMultipartUpload",
    "store:AbortMultipartUpload",
    "store:ListParts",
    "store:HeadObject",
    "store:GetObject",
    "plan:open",
    "plan:sign",
    "plan:list",
    "plan:complete",
    "plan:abort",
    "credentials",
];

/// Whether `pattern` (a name, or the beginning of one and `*`) means `route`.
pub(crate) fn matches(pattern: &str, route: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => route.starts_with(beginning),
        None => pattern == route,
    }
}

/// A vendor or the store: who a call is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Service {
    /// OFAuth.
    Ofauth,
    /// Onlymonster.
    Onlymonster,
    /// apifansly.
    Apifansly,
    /// The S3 store.
    Store,
}

impl Service {
    /// As it stands before the colon.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ofauth => "ofauth",
            Self::Onlymonster => "onlymonster",
            Self::Apifansly => "apifansly",
            Self::Store => "store",
        }
    }

    /// The name of the call that a request makes; `<service>:other` for one that isn't in the list.
    pub(crate) fn route(self, method: &Method, path: &str, query: &str) -> &'static str {
        match self {
            Self::Ofauth => ofauth(method, path),
            Self::Onlymonster => onlymonster(method, path),
            Self::Apifansly => apifansly(method, path),
            Self::Store => store(method, path, query),
        }
    }
}

fn ofauth(method: &Method, path: &str) -> &'static str {
    let Some(call) = path.strip_prefix("/v2/access/uploads/") else { return "ofauth:other" };
    match (method.as_str(), call) {
        ("POST", "init") => "ofauth:init",
        ("POST", "check") => "ofauth:check",
        ("POST", "complete") => "ofauth:complete",
        ("PUT", part) if part.contains("/parts/") => "ofauth:part",
        ("PUT", single) if !single.contains('/') => "ofauth:single",
        _ => "ofauth:other",
    }
}

fn onlymonster(method: &Method, path: &str) -> &'static str {
    let Some((_, call)) = path.split_once("/vault/medias/uploads") else { return "onlymonster:other" };
    match (method.as_str(), call.trim_matches('/')) {
        ("GET", "") => "onlymonster:list",
        ("POST", "fans/verify") => "onlymonster:verify-fan",
        ("POST", "start") => "onlymonster:start",
        ("POST", "finish") => "onlymonster:finish",
        ("POST", "export") => "onlymonster:export",
        ("POST", retry) if retry.ends_with("/retry") => "onlymonster:retry",
        _ => "onlymonster:other",
    }
}

fn apifansly(method: &Method, path: &str) -> &'static str {
    match (method.as_str(), path.starts_with("/api/fansly/")) {
        ("POST", true) if path.ends_with("/media/upload") => "apifansly:upload",
        ("GET", true) if path.ends_with("/status") => "apifansly:status",
        _ => "apifansly:other",
    }
}

fn store(method: &Method, path: &str, query: &str) -> &'static str {
    let has = |name: &str| query.split('&').any(|pair| pair.split('=').next() == Some(name));
    let in_bucket = path.trim_start_matches('/').split_once('/').is_some_and(|(_, key)| !key.is_empty());
    match (method.as_str(), in_bucket, has("uploadId")) {
        ("PUT", true, true) => "store:UploadPart",
        ("PUT", true, false) => "store:PutObject",
        ("POST", true, true) => "store:CompleteMultipartUpload",
        ("POST", true, false) if has("uploads") => "store:CreateMultipartUpload",
        ("DELETE", true, true) => "store:AbortMultipartUpload",
        ("GET", true, true) => "store:ListParts",
        ("GET", true, false) => "store:GetObject",
        ("HEAD", true, false) => "store:HeadObject",
        _ => "store:other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_have_names() {
        let base = "/api/v0/accounts/1001/vault/medias/uploads";
        for (service, method, path, query, route) in [
            (Service::Ofauth, Method::PUT, "/v2/access/uploads/upload%3A1/parts/2", "", "ofauth:part"),
            (Service::Ofauth, Method::PUT, "/v2/access/uploads/upload%3A1", "", "ofauth:single"),
            (Service::Ofauth, Method::GET, "/v2/access/posts", "", "ofauth:other"),
            (Service::Onlymonster, Method::GET, base, "offset=0", "onlymonster:list"),
            (Service::Onlymonster, Method::POST, &format!("{base}/7/retry"), "", "onlymonster:retry"),
            (Service::Apifansly, Method::GET, "/api/fansly/media/upload/9/status", "", "apifansly:status"),
            (Service::Store, Method::PUT, "/bucket/a/b", "partNumber=1&uploadId=x", "store:UploadPart"),
            (Service::Store, Method::PUT, "/bucket/a/b", "X-Amz-Date=1", "store:PutObject"),
            (Service::Store, Method::POST, "/bucket/a", "uploads=&X-Amz-Date=1", "store:CreateMultipartUpload"),
            (Service::Store, Method::GET, "/bucket", "", "store:other"),
        ] {
            assert_eq!(service.route(&method, path, query), route, "{method} {path}");
            assert!(route.ends_with(":other") || ALL.contains(&route), "{route}");
        }
    }

    #[test]
    fn a_star_ends_a_pattern() {
        assert!(matches("*", "credentials") && matches("store:*", "store:UploadPart"));
        assert!(!matches("store:*", "plan:open") && !matches("store", "store:UploadPart"));
    }
}
