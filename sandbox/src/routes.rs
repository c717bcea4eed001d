//! Routes: the names of calls, `<service>:<call>`, for faults and the log.

use hyper::Method;
use partway_models::encoding::parse_query;
use partway_models::wire::{Body, Headers, Request};
use partway_models::{apifansly, form, ofauth, onlymonster, store};

/// The routes that faults can be set on.
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
    "form:upload",
    "form:status",
    "store:PutObject",
    "store:PostObject",
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
    "policy",
];

/// Whether `pattern` (a route, or the beginning of one and `*`) matches `route`.
pub(crate) fn matches(pattern: &str, route: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => route.starts_with(beginning),
        None => pattern == route,
    }
}

/// A vendor or the store.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Service {
    /// OFAuth.
    Ofauth,
    /// Onlymonster.
    Onlymonster,
    /// apifansly.
    Apifansly,
    /// The application's own server that takes forms.
    Form,
    /// The S3 store.
    Store,
}

impl Service {
    /// The part of its routes before the colon.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ofauth => "ofauth",
            Self::Onlymonster => "onlymonster",
            Self::Apifansly => "apifansly",
            Self::Form => "form",
            Self::Store => "store",
        }
    }

    /// The route of a request; `<service>:unknown` if it is none of the service's calls.
    pub(crate) fn route(self, method: &Method, path: &str, query: &str, content_type: &str) -> &'static str {
        let request = Request {
            method: method.to_string(),
            path: path.to_owned(),
            query: parse_query(query),
            headers: [("content-type", content_type)].into_iter().collect::<Headers>(),
            body: Body::Empty,
        };
        match self {
            Self::Ofauth => ofauth::route(&request),
            Self::Onlymonster => onlymonster::route(&request),
            Self::Apifansly => apifansly::route(&request),
            Self::Form => form::route(&request),
            // Addresses are path style: `/bucket/key`.
            Self::Store => match path.trim_start_matches('/').split_once('/') {
                Some((_, key)) if !key.is_empty() => store::route(&request),
                // A form names its key in a field.
                _ if store::route(&request) == "store:PostObject" => "store:PostObject",
                _ => "store:unknown",
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_have_routes() {
        let base = "/api/v0/accounts/1001/vault/medias/uploads";
        let multipart = "multipart/form-data; boundary=x";
        assert_eq!(Service::Store.route(&Method::POST, "/bucket/", "", multipart), "store:PostObject");
        assert_eq!(Service::Form.route(&Method::POST, "/upload", "", multipart), "form:upload");
        for (service, method, path, query, route) in [
            (Service::Ofauth, Method::PUT, "/v2/access/uploads/upload%3A1/parts/2", "", "ofauth:part"),
            (Service::Ofauth, Method::PUT, "/v2/access/uploads/upload%3A1", "", "ofauth:single"),
            (Service::Ofauth, Method::GET, "/v2/access/posts", "", "ofauth:unknown"),
            (Service::Onlymonster, Method::GET, base, "offset=0", "onlymonster:list"),
            (Service::Onlymonster, Method::POST, &format!("{base}/7/retry"), "", "onlymonster:retry"),
            (Service::Apifansly, Method::GET, "/api/fansly/media/upload/9/status", "", "apifansly:status"),
            (Service::Store, Method::PUT, "/bucket/a/b", "partNumber=1&uploadId=x", "store:UploadPart"),
            (Service::Store, Method::PUT, "/bucket/a/b", "X-Amz-Date=1", "store:PutObject"),
            (Service::Store, Method::POST, "/bucket/a", "uploads=&X-Amz-Date=1", "store:CreateMultipartUpload"),
            (Service::Store, Method::GET, "/bucket/a", "prefix=http://b", "store:GetObject"),
            (Service::Store, Method::GET, "/bucket", "", "store:unknown"),
            (Service::Store, Method::GET, "/bucket/", "", "store:unknown"),
        ] {
            assert_eq!(service.route(&method, path, query, ""), route, "{method} {path}");
            assert!(route.ends_with(":unknown") || ALL.contains(&route), "{route}");
        }
    }

    #[test]
    fn a_star_matches_the_rest_of_a_route() {
        assert!(matches("*", "credentials") && matches("store:*", "store:UploadPart"));
        assert!(!matches("store:*", "plan:open") && !matches("store", "store:UploadPart"));
    }
}
