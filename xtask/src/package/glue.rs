//! Makes wasm-bindgen's glue survive a crash of the wasm.
//!
//! Every call into the wasm goes through a guard, which sees what no panic hook sees: an overflow of the stack, and running out of
//! memory. The places are found by their text, each exactly as often as expected, so that another wasm-bindgen fails the build
//! instead of shipping an unguarded glue.

use anyhow::{Result, ensure};

const GUARD: &str = include_str!("guard.js");
const GUARD_TYPES: &str = include_str!("guard.d.ts");

/// wasm-bindgen-cli-support 0.2.130, `generate_web_loading` and `generate_reinit_wrappers`: the two places where an instance
/// becomes the current one.
const EXPORTS: [(&str, &str); 2] = [
    ("wasm = instance.exports;", "wasm = __partway_guard(instance.exports);"),
    ("wasm = wasmInstance.exports;", "wasm = __partway_guard(wasmInstance.exports);"),
];

/// `expose_make_mut_closure` and `expose_make_closure`: a timer or an answer that comes for a dead instance does nothing, and one
/// in which the instance dies ends quietly. The hook has told it already; an exception would reach the page's error log once more.
const STALE_CHECK: &str = "if (state.instance !== __wbg_instance_id) {";
const STALE_CLOSURE: &str = "throw new Error('Cannot invoke closure from previous WASM instance');";
const CLOSURE_CALLS: [(&str, &str); 2] = [
    ("return f(a, state.b, ...args);", "return __partway_outlive(state, () => f(a, state.b, ...args));"),
    ("return f(state.a, state.b, ...args);", "return __partway_outlive(state, () => f(state.a, state.b, ...args));"),
];

/// Requests that would go on sending for nobody.
const REQUESTS: [&str; 2] = ["new AbortController()", "new XMLHttpRequest()"];

/// What the guard starts an instance by.
const START: [&str; 2] = ["function __wbg_finalize_init(instance, module) {", "function __wbg_get_imports() {"];

/// The number that tells instances apart; the guard raises it.
const INSTANCE_ID: &str = "let __wbg_instance_id = 0;";

/// `expose_text_processing`: made at import, where some test runners' DOMs have none. The guard makes them when an instance starts.
/// Every browser that runs the wasm has `encodeInto`.
const TEXTS: [(&str, &str); 3] = [
    (
        "let cachedTextDecoder = new TextDecoder('utf-8', { ignoreBOM: true });\ncachedTextDecoder.decode();\n",
        "let cachedTextDecoder;\n",
    ),
    ("const cachedTextEncoder = new TextEncoder();\n", "let cachedTextEncoder;\n"),
    ("if (!('encodeInto' in cachedTextEncoder)) {", "if (false) {"),
];

/// `generate_class`: a method that is there where the browser has `Symbol.dispose` (ES2026).
const DISPOSE: &str = "    [Symbol.dispose](): void;\n";

/// Puts the guard in.
pub(super) fn patch(glue: &str) -> Result<String> {
    let mut patched = glue.to_owned();
    for (from, to) in EXPORTS.into_iter().chain(TEXTS) {
        expect(&patched, from, 1)?;
        patched = patched.replace(from, to);
    }
    for part in [INSTANCE_ID, START[0], START[1]] {
        expect(&patched, part, 1)?;
    }
    expect(&patched, ".exports", EXPORTS.len())?;
    let closures = patched.matches(STALE_CHECK).count();
    ensure!(closures > 0, "the glue makes no closures that know their instance");
    expect(&patched, STALE_CLOSURE, closures)?;
    patched = patched.replace(STALE_CLOSURE, "return;");
    let calls: usize = CLOSURE_CALLS.iter().map(|(from, _)| patched.matches(from).count()).sum();
    ensure!(
        calls == closures,
        "the glue makes {closures} kinds of closures, and calls {calls}: xtask/src/package/glue.rs must follow"
    );
    for (from, to) in CLOSURE_CALLS {
        patched = patched.replace(from, to);
    }
    for request in REQUESTS {
        expect(&patched, request, 1)?;
        patched = patched.replace(request, &format!("__partway_track({request})"));
    }
    patched.push_str(GUARD);
    Ok(patched)
}

/// Adds what the guard exports to the glue's declarations, and removes what browsers needn't have.
pub(super) fn patch_types(types: &str) -> String {
    without_dispose(types) + GUARD_TYPES
}

/// Removes from declarations what browsers needn't have.
pub(super) fn without_dispose(types: &str) -> String {
    types.replace(DISPOSE, "")
}

fn expect(glue: &str, text: &str, times: usize) -> Result<()> {
    let found = glue.matches(text).count();
    ensure!(
        found == times,
        "wasm-bindgen's glue has `{text}` {found} times, not {times}: its version changed, and xtask/src/package/glue.rs must follow"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const GLUE: &str = "
let cachedTextDecoder = new TextDecoder('utf-8', { ignoreBOM: true });
cachedTextDecoder.decode();
const cachedTextEncoder = new TextEncoder();
if (!('encodeInto' in cachedTextEncoder)) {}
let __wbg_instance_id = 0;
function makeMutClosure(arg0, arg1, f) {
    if (state.instance !== __wbg_instance_id) {
        throw new Error('Cannot invoke closure from previous WASM instance');
    }
    try {
        return f(a, state.b, ...args);
    } finally {}
}
const fetching = () => new AbortController();
const sending = () => new XMLHttpRequest();
function __wbg_reset_state() { wasm = wasmInstance.exports; }
function __wbg_get_imports() {}
function __wbg_finalize_init(instance, module) { wasm = instance.exports; }
";

    #[test]
    fn guards_both_ways_in_and_silences_stale_closures() {
        let patched = patch(GLUE).unwrap();
        assert!(patched.contains("wasm = __partway_guard(instance.exports);"));
        assert!(patched.contains("wasm = __partway_guard(wasmInstance.exports);"));
        assert!(patched.contains("export function onFatal("));
        assert!(!patched.contains("throw new Error('Cannot invoke"));
        assert!(patched.contains("__partway_track(new AbortController())"));
        let (glue, guard) = patched.split_once("export async function start").unwrap();
        assert!(!glue.contains("new Text") && guard.contains("new TextDecoder") && guard.contains("new TextEncoder"));
        assert!(patched.contains("return __partway_outlive(state, () => f(a, state.b, ...args));"));
    }

    #[test]
    fn declares_what_the_guard_exports() {
        let types = patch_types("export class Task {\n    free(): void;\n    [Symbol.dispose](): void;\n}\n");
        assert!(types.starts_with("export class Task {\n    free(): void;\n}\n"), "{types}");
        for name in ["start", "onFatal"] {
            assert!(
                types.contains(&format!("export function {name}(")) && GUARD.contains(&format!("function {name}(")),
                "{name}"
            );
        }
    }

    #[test]
    fn another_glue_fails_loudly() {
        for (from, to) in [
            ("wasm = instance.exports;", "wasm = x;"),
            ("wasm = wasmInstance.exports;", "wasm = instance.exports;"),
            ("let __wbg_instance_id = 0;", ""),
            ("cachedTextDecoder.decode();", ""),
            ("const cachedTextEncoder", "let cachedTextEncoder"),
            ("'encodeInto' in", "'encode' in"),
            ("function __wbg_get_imports() {", "function imports() {"),
            ("state.instance !== ", "state.inst !== "),
            ("new XMLHttpRequest()", "new Other()"),
            ("f(a, state.b, ...args)", "f(a, state.b, args)"),
            ("throw new Error('Cannot invoke", "throw new TypeError('Cannot invoke"),
            ("function makeMutClosure", "const more = wasm.exports; function makeMutClosure"),
        ] {
            let error = patch(&GLUE.replace(from, to)).expect_err(from).to_string();
            assert!(error.contains("glue"), "{error}");
        }
    }
}
