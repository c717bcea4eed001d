//! The CORS rule that a bucket needs, ready to paste, and the error for a page that can't read an ETag for want of it.

use crate::error::{Code, Step, UploadError};
use crate::platform::Platform;
use crate::text;

/// What a page needs of a presigned PUT.
pub(crate) const PRESIGNED: &[&str] = &["PUT"];
/// What a page needs that opens, completes and gives up uploads by itself.
pub(crate) const DIRECT: &[&str] = &["PUT", "POST", "GET", "HEAD", "DELETE"];

/// A bucket's CORS rule for a page, as JSON (AWS, "Elements of a CORS configuration"). `extra_headers` are those that requests
/// carry beyond the content type and `x-amz-*`.
pub(crate) fn rule(origin: &str, methods: &[&str], extra_headers: &[&str]) -> String {
    let mut headers = vec!["content-type", "x-amz-*"];
    headers.extend(extra_headers);
    text::fill(
        "[{\"AllowedOrigins\": [{}], \"AllowedMethods\": [{}], \"AllowedHeaders\": [{}], \
         \"ExposeHeaders\": [\"ETag\", \"Retry-After\", \"Date\", \"x-amz-request-id\"], \"MaxAgeSeconds\": 7200}]",
        &[&list(&[origin]), &list(methods), &list(&headers)],
    )
}

/// The error for a part whose ETag the page can't read, where parts were sent to presigned URLs.
pub(crate) fn etag_hidden<P: Platform>(platform: &P) -> UploadError {
    hidden(&rule(&platform.origin(), PRESIGNED, &[]))
}

/// The same, with another rule.
pub(crate) fn hidden(rule: &str) -> UploadError {
    UploadError::new(
        Code::EtagNotExposed,
        "The store took the part, and its CORS rule keeps the ETag from this page; without it the parts can't be put together.",
    )
    .at(Step::Part)
    .hint(text::fill("Set this CORS rule on the bucket: {}", &[&rule]))
}

/// The items of a list of texts, as JSON.
fn list(items: &[&str]) -> String {
    let mut json = String::new();
    for item in items {
        json.push_str(if json.is_empty() { "\"" } else { ", \"" });
        for letter in item.chars() {
            if matches!(letter, '"' | '\\') {
                json.push('\\');
            }
            json.push(letter);
        }
        json.push('"');
    }
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_is_the_one_to_paste() {
        assert_eq!(
            rule("https://app.example", PRESIGNED, &[]),
            "[{\"AllowedOrigins\": [\"https://app.example\"], \"AllowedMethods\": [\"PUT\"], \
             \"AllowedHeaders\": [\"content-type\", \"x-amz-*\"], \
             \"ExposeHeaders\": [\"ETag\", \"Retry-After\", \"Date\", \"x-amz-request-id\"], \"MaxAgeSeconds\": 7200}]"
        );
        let direct = rule("a\"b\\c", DIRECT, &["if-none-match"]);
        assert!(direct.contains("[\"a\\\"b\\\\c\"]"), "{direct}");
        assert!(direct.contains("[\"PUT\", \"POST\", \"GET\", \"HEAD\", \"DELETE\"]"), "{direct}");
        assert!(direct.contains("\"x-amz-*\", \"if-none-match\"]"), "{direct}");
    }
}
