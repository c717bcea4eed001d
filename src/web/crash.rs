//! Crashes on purpose, for the tests of what the package does about them: an upload whose file's name asks for it crashes after its
//! first part. Only with the feature `crash-test`, which no release has.

use std::hint::black_box;
use std::rc::Rc;

use wasm_bindgen::JsValue;

use crate::model::events::{Event, EventSink};

/// The sink, which crashes after the first part where the file's name asks for it.
pub(super) fn midway(name: &str, sink: EventSink<JsValue>) -> EventSink<JsValue> {
    let crash: fn() = match name {
        _ if name.contains("crash-panic") => panic,
        _ if name.contains("crash-stack") => overflow,
        _ if name.contains("crash-oom") => exhaust,
        _ => return sink,
    };
    Rc::new(move |event| {
        let midway = matches!(event, Event::Part(_));
        sink(event);
        if midway {
            crash();
        }
    })
}

fn panic() {
    panic!("a panic that was asked for");
}

fn overflow() {
    black_box(deeper(black_box(1)));
}

/// Each call needs its own frame: the result is worked on after the inner call, in a way that can't be folded into a loop.
#[inline(never)]
fn deeper(level: u64) -> u64 {
    if level == u64::MAX { level } else { deeper(level + 1).rotate_left(7) ^ level.wrapping_mul(level) }
}

fn exhaust() {
    let mut hoard = Vec::new();
    loop {
        hoard.push(black_box(Vec::<u8>::with_capacity(64 << 20)));
    }
}
