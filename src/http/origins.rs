//! Which origins may get a provider's headers.

use super::Url;
use crate::util::text;

/// The origins that may get the provider's headers, and the mapping of a vendor's URLs to `baseUrl`.
#[derive(Clone, Debug)]
pub struct Origins {
    /// The provider's `baseUrl`, resolved.
    pub base: Url,
    /// Further origins that the caller trusts.
    pub trusted: Vec<String>,
    /// The vendor's own origins, as its documents name them.
    pub vendor: &'static [&'static str],
    /// The path prefix of the vendor's API.
    pub api_path: &'static str,
}

/// The kind of a URL from a reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UrlKind {
    /// Its origin gets the provider's headers.
    Api(String),
    /// Any other URL counts as presigned, and gets no headers of the provider.
    Presigned,
}

impl Origins {
    /// Classifies a URL from a reply, where the caller has no `mapUrl`.
    ///
    /// A URL of the vendor's API is mapped to the same path and query under `baseUrl`. A URL of the base's origin, or of a trusted one,
    /// is unchanged: `text`, the URL as the reply has it, goes on the wire.
    pub fn classify(&self, url: &Url, text: &str) -> UrlKind {
        if self.trusts(url) {
            return UrlKind::Api(text.into());
        }
        if self.vendor.contains(&url.origin.as_str()) && url.path.starts_with(self.api_path) {
            return UrlKind::Api(self.join(&url.path, &url.query));
        }
        UrlKind::Presigned
    }

    /// Whether a URL's origin may get the provider's headers.
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
