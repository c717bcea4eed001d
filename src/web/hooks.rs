//! The application's functions.

use std::rc::Rc;

use wasm_bindgen::JsValue;

use super::js::{function, list, member, message, outcome, text, upload_error};
use super::options::Page;
use super::outgoing::failed;
use crate::error::{Cause, Code, Result, Step, UploadError};
use crate::platform::{Hook, HookFailure, Thrown};

/// True where the provider's options hold that function, or for [`Hook::Key`] a text.
pub(super) fn has(provider: &JsValue, hook: Hook) -> bool {
    match member(provider, hook.as_str()) {
        Some(value) => value.is_function() || (hook == Hook::Key && value.is_string()),
        None => false,
    }
}

/// Calls a function of the provider's options, and waits for what it gives.
pub(super) async fn call(
    provider: JsValue,
    hook: Hook,
    arguments: Vec<JsValue>,
) -> std::result::Result<JsValue, HookFailure> {
    outcome(given(&provider, hook, &arguments)).await.map_err(|thrown| {
        let message = message(&thrown);
        HookFailure {
            kind: Thrown::of(&text(&thrown, "name").unwrap_or_default(), &message),
            message,
            upload_error: upload_error(&thrown),
            cause: Some(Cause(Rc::new(thrown))),
        }
    })
}

/// What the function gives or throws at once; a text in its place is given as it is.
fn given(provider: &JsValue, hook: Hook, arguments: &[JsValue]) -> std::result::Result<JsValue, JsValue> {
    match (function(provider, hook.as_str()), hook) {
        (Some(function), _) => function.apply(provider, &list(arguments)),
        (None, Hook::Key) => Ok(text(provider, hook.as_str()).into()),
        (None, _) => Ok(JsValue::UNDEFINED),
    }
}

/// The caller's `mapUrl` on a URL; None where there is none.
pub(super) fn map_url(page: &Page, url: &str, step: Step) -> Option<Result<String>> {
    let mapped = page.map_url.as_ref()?.call2(&JsValue::UNDEFINED, &url.into(), &step.as_str().into());
    Some(match mapped {
        Ok(mapped) => mapped.as_string().or_else(|| text(&mapped, "href")).ok_or_else(|| {
            UploadError::new(Code::InvalidOptions, "`mapUrl` gave no URL.")
                .hint("It must return the URL as text, and not a promise of it; the one it was given, where it changes nothing.")
        }),
        Err(thrown) => Err(failed("mapUrl", thrown)),
    })
}
