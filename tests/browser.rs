//! The browser's side of the engine, in a real browser: what `WebPlatform` makes of files, requests and the application's
//! functions, and whole uploads through the exported classes. The server is a `fetch` of the test's own.
#![cfg(target_arch = "wasm32")]

use wasm_bindgen_test::wasm_bindgen_test_configure;

#[path = "browser/answers.rs"]
mod answers;
#[path = "browser/before_request.rs"]
mod before_request;
#[path = "browser/bodies.rs"]
mod bodies;
#[path = "browser/hostile.rs"]
mod hostile;
#[path = "browser/policy.rs"]
mod policy;
#[path = "browser/stores.rs"]
mod stores;
#[path = "browser/support.rs"]
mod support;
#[path = "browser/uploads.rs"]
mod uploads;
#[path = "browser/values.rs"]
mod values;
#[path = "browser/xhr.rs"]
mod xhr;

wasm_bindgen_test_configure!(run_in_browser);
