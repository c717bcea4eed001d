//! Which origins may get a provider's headers.

use super::Url;
use crate::util::text;

/// Which origins may have the provider's headers, and how a vendor's URL becomes one under `baseUrl`.
#[derive(Clone, Debug)]
pub struct Origins {
    /// The provider's `baseUrl`, resolved.
    pub base: Url,
    /// Further origins that the caller trusts.
    pub trusted: Vec<String>,
    /// The vendor's own origins, as its documents name them.
    pub vendor: &'static [&'static str],
    /// The path under which the vendor's API lies.
    pub api_path: &'static str,
}

/// Where a URL that a reply named leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UrlKind {
    /// To an origin that gets the provider's headers.
    Api(String),
    /// Anywhere else: taken as presigned, gets nothing.
    Presigned,
}

impl Origins {
    /// Decides for a URL that a reply named and that the caller's `mapUrl` left alone.
    ///
    /// A URL of the vendor's own, below its API, goes to the same path and query under `baseUrl`. One that is under the base's
    /// origin, or a trusted one, keeps its address. `text` is the URL as the reply gave it, and is what an address that is
    /// kept looks like on the wire.
    pub fn classify(&self, url: &Url, text: &str) -> UrlKind {
        if self.trusts(url) {
            return UrlKind::Api(text.into());
        }
        if self.vendor.contains(&url.origin.as_str()) && url.path.starts_with(self.api_path) {
            return UrlKind::Api(self.join(&url.path, &url.query));
        }
        UrlKind::Presigned
    }

    /// Whether a URL that the caller's `mapUrl` gave may have the provider's headers.
    pub fn trusts(&self, url: &Url) -> bool {
        url.origin == self.base.origin || self.trusted.contains(&url.origin)
    }

    /// A path of the API under `baseUrl`.
    pub fn join(&self, path: &str, query: &str) -> String {
        let base = text!("{}{}", self.base.origin, self.base.path);
        let mark = if query.is_empty() { "" } else { "?" };
        text!("{}{}{}{}", text::trim_end_matches(&base, b'/'), path, mark, query)
    }
}
