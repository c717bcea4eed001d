//! Whether a server can be reached: a request that needs no CORS rule, and whose answer no page may read.

use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AbortController, Response, ResponseType};

use super::fetch::page_fetch;
use crate::web::js::ObjectBuilder;
use crate::web::js::abort::AbortGuard;
use crate::web::js::object::tag;
use crate::web::js::promise::outcome;

/// Whether some server answers at an origin. The request carries nothing of the page's, and follows redirects, since a request of this
/// mode can't do otherwise (Fetch Standard, "main fetch").
pub(in crate::web) async fn is_answered(origin: String) -> bool {
    let Ok(controller) = AbortController::new() else { return false };
    let init = ObjectBuilder::new()
        .with("method", "HEAD")
        .with("mode", "no-cors")
        .with("credentials", "omit")
        .with("cache", "no-store")
        .with("referrerPolicy", "no-referrer")
        .with("signal", controller.signal());
    let _guard = AbortGuard(Some(controller));
    let init = JsValue::from(init);
    let Ok(request) = web_sys::Request::new_with_str_and_init(&origin, init.unchecked_ref()) else { return false };
    match outcome(page_fetch(&request)).await {
        // An answer that the page's service worker made proves nothing.
        Ok(answer) => {
            tag(&answer) == "[object Response]" && answer.unchecked_into::<Response>().type_() == ResponseType::Opaque
        }
        Err(_) => false,
    }
}
