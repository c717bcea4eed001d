//! Whether a server is there: a request that needs no CORS rule, and whose answer no page may read.

use wasm_bindgen::JsCast;
use web_sys::{AbortController, Response, ResponseType};

use super::fetch::{Guard, page_fetch};
use super::js::{Plain, outcome, tag};

/// True where some server answers at an origin. It sends nothing of the page's; a redirect is followed, since a request of this
/// mode can't do otherwise (Fetch Standard, "main fetch").
pub(super) async fn answers(origin: String) -> bool {
    let Ok(controller) = AbortController::new() else { return false };
    let init = Plain::new()
        .with("method", "HEAD")
        .with("mode", "no-cors")
        .with("credentials", "omit")
        .with("cache", "no-store")
        .with("referrerPolicy", "no-referrer")
        .with("signal", controller.signal());
    let _guard = Guard(Some(controller));
    let init = wasm_bindgen::JsValue::from(init);
    let Ok(request) = web_sys::Request::new_with_str_and_init(&origin, init.unchecked_ref()) else { return false };
    match outcome(page_fetch(&request)).await {
        // One that the page's service worker made up proves nothing.
        Ok(answer) => {
            tag(&answer) == "[object Response]" && answer.unchecked_into::<Response>().type_() == ResponseType::Opaque
        }
        Err(_) => false,
    }
}
