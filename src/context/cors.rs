//! The CORS rules that buckets and proxies need, ready to paste, and the error if an ETag can't be read because one is missing.

use super::Context;
use crate::error::{Code, Step, UploadError};
use crate::http::{Request, Url};
use crate::platform::{Platform, RequestOf};
use crate::util::text;

/// The methods for presigned PUTs.
pub(crate) const PRESIGNED: &[&str] = &["PUT"];
/// The methods for a page that creates, completes and aborts uploads itself.
pub(crate) const DIRECT: &[&str] = &["PUT", "POST", "GET", "HEAD", "DELETE"];

/// The headers that the page reads in a store's answers.
const EXPOSED: &[&str] = &[
    "ETag",
    "Retry-After",
    "Date",
    "x-amz-request-id",
    "x-amz-version-id",
    "x-amz-server-side-encryption",
    "x-amz-checksum-crc64nvme",
    "x-amz-checksum-type",
];
/// The headers that the page reads in an API's answers.
const API_EXPOSED: &[&str] = &[
    "ETag",
    "Retry-After",
    "Date",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "X-RateLimit-Retry-After",
];

/// A bucket's CORS rule for a page, as JSON (AWS, "Elements of a CORS configuration"). `extra_headers` are those that requests
/// have beyond the content type and `x-amz-*`, `extra_exposed` those that the page reads beyond the usual ones.
pub(crate) fn rule(origin: &str, methods: &[&str], extra_headers: &[&str], extra_exposed: &[&str]) -> String {
    let mut headers = vec!["content-type", "x-amz-*"];
    headers.extend(extra_headers);
    text!(
        "[{\"AllowedOrigins\": [{}], \"AllowedMethods\": [{}], \"AllowedHeaders\": [{}], \
         \"ExposeHeaders\": [{}], \"MaxAgeSeconds\": 7200}]",
        list(&[origin]),
        list(methods),
        list(&headers),
        list(&[EXPOSED, extra_exposed].concat())
    )
}

/// What to do if a server answers a request and the page can't read the answer.
pub(crate) fn hint<P: Platform>(cx: &Context<P>, request: &RequestOf<P>, url: &Url) -> String {
    let page = cx.platform.origin();
    let hint = match request {
        Request::Store(request) => {
            let names = request.headers().iter().map(|(name, _)| name.as_str());
            let own: Vec<&str> = names.filter(|name| *name != "content-type" && !name.starts_with("x-amz-")).collect();
            bucket_hint(
                &cx.cors_rule.clone().unwrap_or_else(|| self::rule(&page, &[request.method().as_str()], &own, &[])),
                url,
            )
        }
        Request::Api(request) => {
            let mut names = vec!["content-type"];
            names.extend(request.headers.iter().map(|(name, _)| name.as_str()));
            api_hint(&page, &url.origin, &text::join(&names, ", "))
        }
    };
    text::concat(&[&hint, " A proxy or an extension that blocks the request looks the same to a page."])
}

fn bucket_hint(rule: &str, url: &Url) -> String {
    let set_rule = text!("Set this CORS rule on the bucket: {}", rule);
    let Some(bucket) = aws_bucket(url) else {
        // Garage 2, for example.
        let without_headers = ". Some stores send errors without CORS headers: if the rule is set, check the keys, their permissions and the clocks.";
        return text::concat(&[&set_rule, without_headers]);
    };
    // The preflight is answered by a redirect to the right region, which no page can see.
    let other_region = "{}. If the rule is set, the bucket may be in another region than the URL says: \
        `aws s3api get-bucket-location --bucket {}` or the S3 console shows its region (null means us-east-1).";
    text::fill(other_region, &[&set_rule, &bucket])
}

fn api_hint(page: &str, origin: &str, headers: &str) -> String {
    text!(
        "Make {} answer OPTIONS requests with 204, and send with every response Access-Control-Allow-Origin: {}, \
         Access-Control-Allow-Methods: GET, POST, PUT, Access-Control-Allow-Headers: {} (and what `beforeRequest` adds), \
         Access-Control-Expose-Headers: {}, and, if you use `credentials: \"include\"`, Access-Control-Allow-Credentials: true.",
        origin,
        page,
        headers,
        text::join(API_EXPOSED, ", ")
    )
}

/// The bucket's name in a URL of AWS: before the host or at the path's beginning; None for any other store.
///
/// Source: AWS S3 User Guide, "Virtual hosting of general purpose buckets".
fn aws_bucket(url: &Url) -> Option<&str> {
    let (_, host) = text::split_once(&url.origin, "://")?;
    let (service, _) = text::split_once(host, ".amazonaws.com")?;
    let by_path = || text::before(url.path.strip_prefix('/').unwrap_or(&url.path), "/");
    let name = match text::split_once(service, ".s3") {
        Some((bucket, _)) => bucket,
        None if service.starts_with("s3") => by_path(),
        None => return None,
    };
    Some(name)
}

/// The error for a part whose ETag the page can't read, after presigned PUTs.
pub(crate) fn etag_hidden(page_origin: &str) -> UploadError {
    hidden(&rule(page_origin, PRESIGNED, &[], &[]))
}

/// The same, with another rule.
pub(crate) fn hidden(rule: &str) -> UploadError {
    UploadError::new(
        Code::EtagNotExposed,
        "The store accepted the part, but its CORS rule doesn't expose the ETag, which is needed to complete the upload.",
    )
    .at(Step::Part)
    .hint(text!("Set this CORS rule on the bucket: {}", rule))
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
    fn the_hint_for_aws_names_the_region_too() {
        let url = |origin: &str, path: &str| Url {
            href: String::new(),
            origin: origin.into(),
            path: path.into(),
            query: String::new(),
        };
        for (origin, path, bucket) in [
            ("https://media.s3.eu-west-1.amazonaws.com", "/clip.mp4", Some("media")),
            ("https://media.s3-accelerate.amazonaws.com", "/clip.mp4", Some("media")),
            ("https://my.media.s3.amazonaws.com", "/clip.mp4", Some("my.media")),
            ("https://s3.eu-west-1.amazonaws.com", "/media/clip.mp4", Some("media")),
            ("https://s3.cn-north-1.amazonaws.com.cn", "/media/clip.mp4", Some("media")),
            ("https://store.example", "/media/clip.mp4", None),
            ("https://x.execute-api.eu-west-1.amazonaws.com", "/media", None),
        ] {
            let url = url(origin, path);
            assert_eq!(aws_bucket(&url), bucket, "{origin}{path}");
            let hint = bucket_hint("[]", &url);
            assert_eq!(hint.contains("get-bucket-location --bucket media"), bucket == Some("media"), "{hint}");
        }
    }

    #[test]
    fn the_hint_for_an_api_names_what_it_must_allow() {
        let hint = api_hint("https://app.example", "https://proxy.example", "content-type, x-connection-id");
        for word in [
            "Make https://proxy.example answer OPTIONS",
            "Access-Control-Allow-Origin: https://app.example",
            "Access-Control-Allow-Headers: content-type, x-connection-id (",
            "Access-Control-Allow-Methods: GET, POST, PUT",
            "X-RateLimit-Reset",
        ] {
            assert!(hint.contains(word), "{word} is not in {hint}");
        }
    }

    #[test]
    fn the_rule_can_be_pasted() {
        assert_eq!(
            rule("https://app.example", PRESIGNED, &[], &[]),
            "[{\"AllowedOrigins\": [\"https://app.example\"], \"AllowedMethods\": [\"PUT\"], \
             \"AllowedHeaders\": [\"content-type\", \"x-amz-*\"], \
             \"ExposeHeaders\": [\"ETag\", \"Retry-After\", \"Date\", \"x-amz-request-id\", \"x-amz-version-id\", \
             \"x-amz-server-side-encryption\", \"x-amz-checksum-crc64nvme\", \"x-amz-checksum-type\"], \"MaxAgeSeconds\": 7200}]"
        );
        let direct = rule("a\"b\\c", DIRECT, &["if-none-match"], &["x-amz-checksum-sha256"]);
        assert!(direct.contains("[\"a\\\"b\\\\c\"]"), "{direct}");
        assert!(direct.contains("[\"PUT\", \"POST\", \"GET\", \"HEAD\", \"DELETE\"]"), "{direct}");
        assert!(direct.contains("\"x-amz-*\", \"if-none-match\"]"), "{direct}");
        assert!(direct.contains("\"x-amz-checksum-sha256\"]"), "{direct}");
    }

    #[test]
    fn the_packages_readme_has_the_rule_for_s3() {
        let dense = |text: &str| text.split_whitespace().collect::<String>();
        let rule = rule("https://app.example", DIRECT, &["if-none-match"], &[]);
        assert!(dense(include_str!("../../pkg/README.md")).contains(&dense(&rule)), "{rule}");
    }
}
