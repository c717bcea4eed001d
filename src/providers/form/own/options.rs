//! The options.

use super::reply::refusal;
use crate::error::{Code, Result, UploadError};
use crate::http::Method;
use crate::json::{StringMap, decoded};
use crate::platform::{Hook, Platform};
use crate::providers::form::dialect::Target;
use crate::providers::setup::Setup;
use crate::providers::shared::api::Api;

/// The name of the file's field. S3 takes no other name (AWS S3 API Reference, "POST Object"), and Dropzone's and Uppy's default is the
/// same.
const FILE_FIELD: &str = "file";

/// Headers of a request that are no keys, so that it may go by a transport that follows redirects.
const PLAIN_HEADERS: [&str; 2] = ["accept", "x-requested-with"];

decoded! {
    struct Given {
        url: String = "url",
        method: Option<String> = "method",
        file_field: Option<String> = "fileField",
        headers: Option<StringMap> = "headers",
        repeatable: Option<bool> = "repeatable",
    }

    struct Fields {
        fields: Option<StringMap> = "fields",
    }
}

/// The options, checked.
#[derive(Debug)]
pub(super) struct Options {
    pub(super) target: Target,
    /// The fields beside the file; None where a function gives them.
    pub(super) fields: Option<Vec<(String, String)>>,
    pub(super) parses: bool,
    pub(super) judges: bool,
}

impl Options {
    /// Reads and checks the options.
    ///
    /// # Errors
    /// `invalid-options`.
    pub(super) fn read<P: Platform>(json: &P::Json, setup: &Setup<'_, P>) -> Result<Self> {
        let given: Given = setup.options(json)?;
        let has = |hook| setup.platform.has(hook);
        let fields = if has(Hook::Fields) {
            None
        } else {
            let Fields { fields } = setup.options(json)?;
            Some(fields.unwrap_or_default().0)
        };
        let mut api = Api::at(setup, "url", &given.url, refusal::<P::Json>)?;
        for (name, value) in given.headers.unwrap_or_default().0 {
            if name.eq_ignore_ascii_case("content-type") {
                return Err(UploadError::new(
                    Code::InvalidOptions,
                    "`headers` must not have Content-Type: the browser writes it, with the form's boundary.",
                )
                .hint("Leave it out."));
            }
            if PLAIN_HEADERS.iter().any(|plain| name.eq_ignore_ascii_case(plain)) {
                api.add_header(name, value);
            } else {
                api.add_key_header(name, value);
            }
        }
        Ok(Self {
            target: Target {
                method: if given.method.as_deref() == Some("PUT") { Method::Put } else { Method::Post },
                url: api.origins.base.href.clone(),
                api,
                file_field: given.file_field.unwrap_or_else(|| FILE_FIELD.into()),
                repeatable: given.repeatable == Some(true),
                cadence: setup.options(json)?,
            },
            fields,
            parses: has(Hook::Parse),
            judges: has(Hook::Job),
        })
    }
}
