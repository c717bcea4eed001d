//! What a request asks for, by the listener that it came to and its path.

use hyper::http::request::Parts;

use crate::routes::Service;

/// Which listener a request came to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Listener {
    /// The app's origin: page, proxies, backends, control.
    App,
    /// A vendor's or the store's own origin.
    Of(Service),
}

/// What a request asks for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Target {
    /// A vendor's API.
    Vendor {
        /// Which vendor.
        service: Service,
        /// The path as the vendor knows it.
        path: String,
        /// Whether the request comes through the customer's proxy, which adds the keys.
        proxied: bool,
    },
    /// The store.
    Store,
    /// A call of the plan backend.
    Plan(String),
    /// Temporary credentials.
    Credentials,
    /// The fields of a form for the bucket.
    Policy,
    /// Everything else of the app: not logged, and not hit by faults.
    App,
}

impl Target {
    /// The target of a request for `path` that came to `listener`.
    pub(crate) fn of(listener: Listener, path: &str) -> Self {
        let vendor = |service, path: &str, proxied| Self::Vendor { service, path: path.to_owned(), proxied };
        match listener {
            Listener::Of(Service::Store) => Self::Store,
            Listener::Of(service) => vendor(service, path, false),
            Listener::App => {
                for service in [Service::Ofauth, Service::Onlymonster, Service::Apifansly, Service::Form] {
                    let rest = path.strip_prefix("/api/").and_then(|path| path.strip_prefix(service.name()));
                    if let Some(rest) = rest.filter(|rest| rest.starts_with('/')) {
                        return vendor(service, rest, true);
                    }
                }
                match path.strip_prefix("/api/plan/") {
                    Some(call) => Self::Plan(call.to_owned()),
                    None if path == "/api/credentials" => Self::Credentials,
                    None if path == "/api/policy" => Self::Policy,
                    None => Self::App,
                }
            }
        }
    }

    /// The route that faults and the log know the request by; `None` if it is neither logged nor hit.
    pub(crate) fn route(&self, parts: &Parts) -> Option<String> {
        let (method, query) = (&parts.method, parts.uri.query().unwrap_or_default());
        let kind = parts.headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        match self {
            Self::Vendor { service, path, .. } => Some(service.route(method, path, query, kind).to_owned()),
            Self::Store => Some(Service::Store.route(method, parts.uri.path(), query, kind).to_owned()),
            Self::Plan(call) => Some(format!("plan:{call}")),
            Self::Credentials => Some("credentials".into()),
            Self::Policy => Some("policy".into()),
            Self::App => None,
        }
    }

    /// The part of its routes before the colon.
    pub(crate) fn service_name(&self) -> &'static str {
        match self {
            Self::Vendor { service, .. } => service.name(),
            Self::Store => Service::Store.name(),
            Self::Plan(_) => "plan",
            Self::Credentials => "credentials",
            Self::Policy => "policy",
            Self::App => "app",
        }
    }
}
