//! The dialects of the remote APIs, one file or folder each, and the one list of them.

#[cfg(feature = "apifansly")]
pub mod apifansly;
#[cfg(any(feature = "apifansly", feature = "form"))]
pub mod form;
#[cfg(feature = "ofauth")]
pub mod ofauth;
#[cfg(feature = "onlymonster")]
pub mod onlymonster;
#[cfg(feature = "plan")]
pub mod presigned_plan;
#[cfg(feature = "s3")]
pub mod s3;
pub mod setup;
pub(crate) mod shared;

use self::setup::Setup;
use crate::error::{Code, Result, UploadError};
use crate::platform::Platform;
use crate::provider::DynProvider;

/// The provider of that name, with its options for one file. Each provider has a crate feature of its name.
///
/// # Errors
/// `invalid-options`, for a name that isn't in the list or options that the provider can't work with.
pub fn create<P: Platform>(name: &str, options: &P::Json, setup: &Setup<'_, P>) -> Result<Box<dyn DynProvider<P>>> {
    // The functions of a plan are the platform's to call.
    let _ = options;
    Ok(match name {
        #[cfg(feature = "ofauth")]
        "ofauth" => Box::new(ofauth::Ofauth::new(options, setup)?),
        #[cfg(feature = "onlymonster")]
        "onlymonster" => Box::new(onlymonster::Onlymonster::new(options, setup)?),
        #[cfg(feature = "apifansly")]
        "apifansly" => Box::new(form::Form(Box::new(apifansly::Apifansly::new(options, setup)?))),
        #[cfg(feature = "s3")]
        "s3" => Box::new(s3::S3::new(options, setup)?),
        #[cfg(feature = "plan")]
        "plan" => Box::new(presigned_plan::PresignedPlan::new(setup)),
        #[cfg(feature = "form")]
        "form" => Box::new(form::Form(Box::new(form::own::Own::new(options, setup)?))),
        _ => {
            return Err(UploadError::new(
                Code::InvalidOptions,
                text!("There is no provider \"{}\" in this entry.", name),
            )
            .hint("`partway` has all providers; an entry like `partway/s3` has its own alone."));
        }
    })
}
