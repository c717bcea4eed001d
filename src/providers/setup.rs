//! The inputs that a provider is built from.

#[cfg(feature = "ofauth")]
use std::cell::Cell;
#[cfg(feature = "ofauth")]
use std::rc::Rc;

#[cfg(feature = "s3")]
use super::s3::credentials::SharedCredentials;
use crate::context::shared::SharedState;
use crate::error::{Code, Result, UploadError};
use crate::json::{Decode, Mismatch};
use crate::model::settings::Settings;
use crate::platform::Platform;

/// What all uploads of one uploader share of their providers.
#[derive(Clone, Debug, Default)]
pub struct ProviderCache {
    /// The credentials for a store.
    #[cfg(feature = "s3")]
    pub(super) credentials: SharedCredentials,
    /// The size of OFAuth's parts, as its last plan had it.
    #[cfg(feature = "ofauth")]
    pub(super) ofauth_part_size: Rc<Cell<Option<u64>>>,
}

/// The inputs that a provider is built from, beside its own options.
#[derive(Debug)]
pub struct Setup<'a, P: Platform> {
    /// What the engine runs on.
    pub platform: &'a P,
    /// The uploader's options.
    pub settings: &'a Settings,
    /// What all uploads of the page share.
    pub shared: &'a SharedState,
    /// What all uploads of the uploader share.
    pub cache: &'a ProviderCache,
}

impl<P: Platform> Setup<'_, P> {
    /// Decodes a provider's own options.
    ///
    /// # Errors
    /// `invalid-options`.
    pub fn options<T: Decode<P::Json>>(&self, options: &P::Json) -> Result<T> {
        T::decode(Some(options)).map_err(unusable_options)
    }
}

fn unusable_options(mismatch: Mismatch) -> UploadError {
    UploadError::new(Code::InvalidOptions, text!("The provider's options can't be used: {}.", mismatch.message()))
        .hint("The package's types describe each option.")
}
