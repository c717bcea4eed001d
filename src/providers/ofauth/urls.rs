//! The URLs in init's reply: which ones get OFAuth's headers, and which ones may be called at all.

use super::vendor::VENDOR;
use crate::error::{Code, Result, Step, UploadError};
use crate::http::{Url, UrlKind};
use crate::model::plan::Part;
use crate::platform::Platform;
use crate::providers::shared::api::Api;
use crate::providers::shared::errors::{incomplete_session, unusable_plan};
use crate::providers::shared::presigned::absolute_url;
use crate::util::text;

#[cfg(doc)]
use crate::http::Origins;

/// The error for a reply that no byte may be sent by.
pub(super) fn unusable(why: &str) -> UploadError {
    unusable_plan("OFAuth", why)
}

/// Classifies the URL that the reply has in `field`: the caller's `mapUrl` decides, else [`Origins::classify`].
///
/// # Errors
/// `plan-mismatch` for what isn't an absolute URL, `invalid-options` where `mapUrl` returned no URL, and the error that it threw.
pub(super) fn classify<P: Platform>(
    api: &Api,
    platform: &P,
    step: Step,
    field: &str,
    text: &str,
) -> Result<(UrlKind, Url)> {
    if let Some(mapped) = platform.map_url(text, step) {
        let mapped = mapped.map_err(|error| error.at(step))?;
        let url = platform.resolve(&mapped).ok_or_else(|| {
            UploadError::new(Code::InvalidOptions, text!("`mapUrl` must return a URL, but returned \"{}\".", mapped))
                .at(step)
        })?;
        let kind = if api.origins.trusts(&url) { UrlKind::Api(mapped) } else { UrlKind::Presigned };
        return Ok((kind, url));
    }
    let url = absolute_url(platform, text).ok_or_else(|| {
        unusable(&text!("`{}` must be an absolute http or https URL, but is \"{}\".", field, text::before(text, "?")))
    })?;
    Ok((api.origins.classify(&url, text), url))
}

/// Classifies the URL of a part.
///
/// # Errors
/// Those of [`classify`].
pub(super) fn classify_part<P: Platform>(api: &Api, platform: &P, part: &Part) -> Result<(UrlKind, Url)> {
    let url = part.url.as_deref().ok_or_else(incomplete_session)?;
    classify(api, platform, Step::Part, "uploadUrl", url)
}

/// Whether a part may be sent there: to the API, or to a presigned URL. The vendor's own origin outside of its API is neither.
pub(super) fn may_go<P: Platform>(platform: &P, kind: &UrlKind, url: &Url) -> bool {
    *kind != UrlKind::Presigned
        || (url.is_safe_from(&platform.origin()) && !VENDOR.origins.contains(&url.origin.as_str()))
}
