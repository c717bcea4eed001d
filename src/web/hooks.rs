//! The application's functions.

use std::rc::Rc;

use js_sys::Function;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::Headers;

use super::file_bytes::FileBytes;
use super::file_source::FileSource;
use super::js::Outcome;
use super::js::object::{self, function, list, member, text};
use super::js::promise::outcome;
use super::js::thrown::{message, upload_error};
use super::options::BrowserOptions;
use crate::error::{Cause, Code, Result, Step, UploadError};
use crate::model::file::SourceFile;
use crate::platform::{Hook, HookFailure, Thrown};

/// Whether the provider's options have that function, or for [`Hook::Key`] a string.
pub(super) fn has(provider: &JsValue, hook: Hook) -> bool {
    match member(provider, hook.as_str()) {
        Some(value) => value.is_function() || (hook == Hook::Key && value.is_string()),
        None => false,
    }
}

/// That function of the provider's options.
pub(super) fn of(provider: &JsValue, hook: Hook) -> Option<Function> {
    function(provider, hook.as_str())
}

/// Calls a function of the provider's options, and waits for its result.
pub(super) async fn call(
    provider: JsValue,
    hook: Hook,
    arguments: Vec<JsValue>,
) -> std::result::Result<JsValue, HookFailure> {
    outcome(call_once(&provider, hook, &arguments)).await.map_err(failure)
}

/// What the application's `transform` makes of a file; None: the file itself.
pub(super) async fn transform(
    result: impl Future<Output = Outcome>,
) -> std::result::Result<Option<SourceFile<FileBytes>>, HookFailure> {
    Ok(result.await.map_err(failure)?.unchecked_ref::<FileSource>().read())
}

fn failure(thrown: JsValue) -> HookFailure {
    let (message, upload_error) = (message(&thrown), upload_error(&thrown));
    HookFailure {
        kind: match text(&thrown, "code") {
            Some(code) if upload_error.is_some() && code == Code::SessionExpired.as_str() => Thrown::SessionExpired,
            _ => Thrown::of(&text(&thrown, "name").unwrap_or_default(), &message),
        },
        message,
        upload_error,
        cause: Some(Cause(Rc::new(thrown))),
    }
}

/// What the function returns or throws, which may be a promise; for [`Hook::Key`] the string, if it is one.
fn call_once(provider: &JsValue, hook: Hook, arguments: &[JsValue]) -> Outcome {
    if let (Hook::Parse, Some(response)) = (hook, arguments.get(1)) {
        let pairs = member(response, "headers").unwrap_or_default();
        object::set(response, "headers", &Headers::new_with_str_sequence_sequence(&pairs)?.into());
    }
    match (of(provider, hook), hook) {
        (Some(function), _) => function.apply(provider, &list(arguments)),
        (None, Hook::Key) => Ok(text(provider, hook.as_str()).into()),
        (None, _) => Ok(JsValue::UNDEFINED),
    }
}

/// Maps a URL with the caller's `mapUrl`; None if there is no such function.
pub(super) fn map_url(options: &BrowserOptions, url: &str, step: Step) -> Option<Result<String>> {
    let mapped = options.map_url.as_ref()?.call2(&JsValue::UNDEFINED, &url.into(), &step.as_str().into());
    Some(match mapped {
        Ok(mapped) => mapped.as_string().or_else(|| text(&mapped, "href")).ok_or_else(|| {
            UploadError::new(
                Code::InvalidOptions,
                "`mapUrl` must return a URL, as a string or an object with `href`, but returned something else.",
            )
            .hint("Return the URL itself, not a promise of it, and the URL as it was passed where nothing changes.")
        }),
        Err(thrown) => Err(failed("mapUrl", thrown)),
    })
}

/// The error for a function of the application that threw.
pub(super) fn failed(function: &str, thrown: JsValue) -> UploadError {
    UploadError::new(Code::Application, text!("The application's `{}` failed: {}", function, message(&thrown)))
        .hint("See `cause` for the exception.")
        .answer_lost(false)
        .cause(Some(Cause(Rc::new(thrown))))
}
