//! What the page's own policy forbids, and the results of probes.

use partway::error::{Code, Retry};
use partway::http::{Body, Method, Request};
use partway::platform::{Platform, RequestOf, SendFailure};
use partway::web::WebPlatform;
use wasm_bindgen_test::wasm_bindgen_test;

use super::support::{answered, api, js, of, options, platform, send};

const STORE: &str = "https://store.example";

/// A platform whose requests fail, and whose page reports a violation one task later.
fn violating(violation: &str) -> WebPlatform {
    platform(&options(&format!(
        "const told = {{effectiveDirective: 'connect-src', violatedDirective: 'connect-src', documentURI: location.href,
            originalPolicy: 'connect-src none', disposition: 'enforce', blockedURI: '{STORE}/key', statusCode: 0, {violation}}};
         setTimeout(() => document.dispatchEvent(new SecurityPolicyViolationEvent('securitypolicyviolation', {{bubbles: true, ...told}})));
         throw new TypeError('Failed to fetch')"
    )))
}

fn get(url: &str) -> RequestOf<WebPlatform> {
    Request::Api(api(Method::Get, url, Body::Empty))
}

#[wasm_bindgen_test]
async fn a_policy_that_forbids_a_request_is_named_though_it_tells_late() {
    for violation in ["", &format!("blockedURI: '{STORE}'"), "effectiveDirective: 'default-src'"] {
        let (answer, _) = send(&violating(violation), get(&format!("{STORE}/key?signature=secret"))).await;
        let Err(SendFailure::Refused(error)) = answer else { panic!("{violation}: {answer:?}") };
        assert_eq!((error.code, error.retry, error.retryable), (Code::Network, Retry::Never, false), "{violation}");
        assert!(!error.answer_lost && error.message.contains("Content-Security-Policy"), "{error:?}");
        let hint = error.hint.as_deref().unwrap();
        assert!(hint.contains(&format!("connect-src 'self' {STORE}")) && !hint.contains("secret"), "{hint}");
    }
}

#[wasm_bindgen_test]
async fn what_is_reported_only_or_about_something_else_forbids_nothing() {
    for violation in [
        "disposition: 'report'",
        "blockedURI: 'https://store.example.evil/key'",
        "blockedURI: 'https://other.example/key'",
        "blockedURI: 'inline'",
        "blockedURI: ''",
        "effectiveDirective: 'img-src'",
    ] {
        let (answer, _) = send(&violating(violation), get(&format!("{STORE}/key"))).await;
        assert!(matches!(answer, Err(SendFailure::Network { .. })), "{violation}: {answer:?}");
    }
}

#[wasm_bindgen_test]
async fn an_answer_is_an_answer_whatever_the_policy_says_of_others() {
    let fine = options(
        "const told = {effectiveDirective: 'connect-src', disposition: 'enforce', blockedURI: 'https://store.example/other'};
         document.dispatchEvent(new SecurityPolicyViolationEvent('securitypolicyviolation', {bubbles: true, ...told}));
         return new Response('ok')",
    );
    assert_eq!(answered(&platform(&fine), get(&format!("{STORE}/key"))).await.status, 200);
}

#[wasm_bindgen_test]
async fn a_probe_that_comes_to_nothing_says_nothing() {
    // No server listens there; the end-to-end tests have servers that do.
    for origin in ["http://127.0.0.1:47999", "no address"] {
        assert!(!platform(&js("{}")).probe(origin).await, "{origin}");
    }
    let own = options("return new Response()");
    assert!(!platform(&own).probe(STORE).await, "a fetch of the caller's own goes over another network");
    assert_eq!(of(&own, "$.seen.length"), 0);
}
