//! The destinations.

use anyhow::{Context, Result};
use serde_json::{Value, json};

/// A destination, by the name of its provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    Ofauth,
    Onlymonster,
    Apifansly,
    S3,
    Plan,
    Form,
}

impl Destination {
    pub(crate) const ALL: [Self; 6] =
        [Self::Ofauth, Self::Onlymonster, Self::Apifansly, Self::S3, Self::Plan, Self::Form];

    /// The destination of this name.
    pub(crate) fn named(name: &str) -> Result<Self> {
        let named = Self::ALL.into_iter().find(|destination| destination.name() == name);
        named.with_context(|| format!("no destination is called {name:?}"))
    }

    /// Its name as the provider, in the page's list and among the sandbox's objects.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ofauth => "ofauth",
            Self::Onlymonster => "onlymonster",
            Self::Apifansly => "apifansly",
            Self::S3 => "s3",
            Self::Plan => "plan",
            Self::Form => "form",
        }
    }

    /// The route that carries a large file's bytes.
    pub(crate) fn bytes_route(self) -> &'static str {
        match self {
            Self::Ofauth => "ofauth:part",
            Self::Apifansly => "apifansly:upload",
            Self::Form => "form:upload",
            Self::Onlymonster | Self::S3 | Self::Plan => "store:UploadPart",
        }
    }

    /// The route that carries a small file's bytes.
    pub(crate) fn small_route(self) -> &'static str {
        match self {
            Self::Ofauth => "ofauth:single",
            Self::Apifansly => "apifansly:upload",
            Self::Form => "form:upload",
            Self::Onlymonster | Self::S3 => "store:PutObject",
            Self::Plan => "store:*",
        }
    }

    /// Whether a large file is sent in several requests.
    pub(crate) fn has_parts(self) -> bool {
        !matches!(self, Self::Apifansly | Self::Form)
    }

    /// Whether a part that is late is sent a second time beside the first.
    pub(crate) fn repeats_late_parts(self) -> bool {
        matches!(self, Self::S3 | Self::Plan)
    }

    /// The id in an upload's result that `GET /objects/…` knows the stored file by.
    pub(crate) fn id(self, result: &Value) -> Result<&str> {
        let field = match self {
            Self::Ofauth => "mediaUploadId",
            Self::Onlymonster | Self::Apifansly | Self::Form => "mediaId",
            Self::S3 | Self::Plan => "key",
        };
        result[field].as_str().with_context(|| format!("no {field} in the result: {result}"))
    }

    /// The provider's options, as the sandbox hands them to the page.
    pub(crate) fn provider(self, config: &Value) -> Result<Value> {
        config["destinations"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|destination| &destination["provider"])
            .find(|provider| provider["name"] == json!(self.name()))
            .cloned()
            .with_context(|| format!("no {} in /config.json: {config}", self.name()))
    }
}
