//! Waiting for promises.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::Promise;
use wasm_bindgen::JsValue;

use super::handler::Handler;
use super::signal::Signal;

/// What JavaScript returned or threw.
pub(in crate::web) type Outcome = Result<JsValue, JsValue>;

/// Waits for a promise; any other value is its own result.
pub(in crate::web) fn settled(value: &JsValue) -> Signal<Outcome> {
    let outcome = Signal::new();
    // The promise may settle after its waiter is gone: the handlers own each other until one of them runs.
    let handlers = Rc::new(Cell::new(None));
    let handler = |as_outcome: fn(JsValue) -> Outcome| {
        let (outcome, handlers) = (outcome.clone(), handlers.clone());
        Handler::new(move |value| {
            handlers.take();
            outcome.set(as_outcome(value));
        })
    };
    let (fulfilled, rejected) = (handler(Ok), handler(Err));
    let _ = Promise::resolve(value).then2(&fulfilled, &rejected);
    handlers.set(Some((fulfilled, rejected)));
    outcome
}

/// Waits for what a function returned, if it didn't throw.
pub(in crate::web) fn outcome(called: Outcome) -> Signal<Outcome> {
    called.map_or_else(|thrown| Signal::ready(Err(thrown)), |value| settled(&value))
}
