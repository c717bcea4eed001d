//! The server's answers: as a value for the application's functions, as an error, and as S3 writes them.

use crate::error::{Code, UploadError, Vendor};
use crate::http::Response;
use crate::json::{Json, JsonBuilder};
use crate::model::events::Outcome;
use crate::providers::shared::reply::{Meaning, refusal_in, words};
use crate::providers::shared::{store, xml};
use crate::util::text;

/// The members in which servers of one's own have their message: `detail` and `title` are those of problem details (RFC 9457).
const MESSAGES: [&str; 5] = ["message", "error", "detail", "details", "title"];

/// The body as JSON; as text, if it isn't JSON.
pub(super) fn value<J: Json>(response: &Response) -> J {
    J::parse(&response.body).unwrap_or_else(|| J::build(&JsonBuilder::String(&response.body)))
}

/// Status and headers as the application's `parse` gets them.
pub(super) fn head<J: Json>(response: &Response) -> J {
    let headers = response.headers.iter().map(|(name, value)| JsonBuilder::List(vec![name.into(), value.into()]));
    J::build(&JsonBuilder::Object(vec![
        ("status", u32::from(response.status).into()),
        ("headers", JsonBuilder::List(headers.collect())),
    ]))
}

/// What S3 says of the object in its answer to a form: as XML with `success_action_status` 201, else in headers (AWS S3 API Reference,
/// "POST Object").
pub(super) fn object<J>(response: &Response) -> Outcome<J> {
    let is_s3 = xml::root(&response.body) == Some("PostResponse");
    let member = |name| xml::child(&response.body, name).filter(|text| is_s3 && !text.is_empty());
    let header = |name| response.header(name).map(String::from);
    Outcome {
        etag: member("ETag").or_else(|| header("etag")),
        key: member("Key"),
        location: member("Location").or_else(|| header("location")),
        ..Outcome::default()
    }
}

/// What S3 answers with another status than it means (AWS S3 API Reference, "Error responses").
const OF_CODES: &[Meaning] = &[
    Meaning::never(Code::TooLarge, "The file is larger than the policy allows.").codes(&["EntityTooLarge"]),
    Meaning::again(Code::RateLimited, "The store has too many requests (rate limit).").codes(&["SlowDown"]),
    Meaning::again(Code::Network, "The store expected more bytes than it received.").codes(&["RequestTimeout"]),
];

const EXPIRED: Meaning =
    Meaning::never(Code::UrlExpired, "The policy, or the credentials that signed it, have expired.")
        .hint("Give `fields` as a function that asks your server for a policy, so that each attempt has its own, and sign it for longer \
               than sending the file takes.");

const NOT_FOUND: Meaning = Meaning::never(Code::BadRequest, "The server has nothing at this address.")
    .hint("Check `url`, its method, what `parse` gives as `poll`, and the server's routes.");

/// The error for an answer that isn't 2xx.
pub(super) fn refusal<J: Json>(response: &Response, now: u64) -> UploadError {
    let words = said::<J>(response);
    let code = words.code.as_deref().unwrap_or("");
    let expired =
        code == "ExpiredToken" || words.message.as_deref().is_some_and(|said| text::contains(said, "Policy expired"));
    let meaning = match response.status {
        _ if expired => Some(&EXPIRED),
        404 | 405 | 410 => Some(&NOT_FOUND),
        _ => Meaning::of_code(OF_CODES, code),
    };
    match meaning {
        Some(meaning) => meaning.error(response, words, now),
        None => refusal_in(response, words, now),
    }
}

/// The code and the message of a refusal: S3's XML, JSON, or a text that is neither.
fn said<J: Json>(response: &Response) -> Vendor {
    let body = response.body.trim_ascii();
    if xml::root(body) == Some("Error") {
        return store::words(response);
    }
    let words = words::<J>(response, &MESSAGES);
    if body.is_empty() || words.message.is_some() || body.starts_with(['<', '{', '[', '"']) {
        return words;
    }
    Vendor { message: Some(body.into()), ..words }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Retry;
    use serde_json::{Value, json};

    fn answer(status: u16, body: &str) -> Response {
        Response { status, body: body.into(), ..Response::default() }
    }

    #[test]
    fn what_is_not_json_is_text() {
        for (body, expected) in [
            ("{\"a\":1}", json!({ "a": 1 })),
            ("null", json!(null)),
            ("", json!("")),
            ("stored", json!("stored")),
            ("<a/>", json!("<a/>")),
            ("{\"a\":", json!("{\"a\":")),
        ] {
            assert_eq!(value::<Value>(&answer(200, body)), expected);
        }
    }

    #[test]
    fn parse_gets_status_and_headers() {
        let headers = vec![("etag".into(), "\"a\"".into()), ("x-id".into(), "7".into())];
        let response = Response { headers, ..answer(201, "") };
        assert_eq!(head::<Value>(&response), json!({ "status": 201, "headers": [["etag", "\"a\""], ["x-id", "7"]] }));
    }

    #[test]
    fn s3_names_the_object_in_xml_or_headers() {
        let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<PostResponse><Location>https://b.s3.example/a%20b</Location>\
            <Bucket>b</Bucket><Key>a b</Key><ETag>\"d41d8cd98f00b204e9800998ecf8427e\"</ETag></PostResponse>";
        let object: Outcome<Value> = object(&answer(201, xml));
        assert_eq!(object.key.as_deref(), Some("a b"));
        assert_eq!(object.location.as_deref(), Some("https://b.s3.example/a%20b"));
        assert_eq!(object.etag.as_deref(), Some("\"d41d8cd98f00b204e9800998ecf8427e\""));
        let headers = vec![("etag".into(), "\"e\"".into()), ("location".into(), "https://b.s3.example/k".into())];
        let object: Outcome<Value> = super::object(&Response { headers, ..answer(204, "") });
        assert_eq!((object.etag.as_deref(), object.key), (Some("\"e\""), None));
        assert_eq!(object.location.as_deref(), Some("https://b.s3.example/k"));
        let other: Outcome<Value> = super::object(&answer(200, "<Other><Key>k</Key></Other>"));
        assert_eq!(other.key, None);
    }

    #[test]
    fn a_refusal_has_the_servers_own_words() {
        let later = Retry::Later(None);
        for (status, body, code, retry, said) in [
            (401, "{\"message\":\"log in\"}", Code::Unauthorized, Retry::Never, Some("log in")),
            (403, "{\"detail\":\"CSRF token missing\"}", Code::Forbidden, Retry::Never, Some("CSRF token missing")),
            (413, "", Code::TooLarge, Retry::Never, None),
            (415, "<html>no</html>", Code::UnsupportedType, Retry::Never, None),
            (422, "{\"title\":\"not a video\",\"status\":422}", Code::BadRequest, Retry::Never, Some("not a video")),
            (422, " the name is taken\n", Code::BadRequest, Retry::Never, Some("the name is taken")),
            (429, "", Code::RateLimited, later, None),
            (503, "busy", Code::Server, later, Some("busy")),
            (404, "{\"error\":\"Not Found\"}", Code::BadRequest, Retry::Never, Some("Not Found")),
            (405, "", Code::BadRequest, Retry::Never, None),
            (400, "{\"error\":{\"a\":1}}", Code::BadRequest, Retry::Never, None),
        ] {
            let error = refusal::<Value>(&answer(status, body), 0);
            assert_eq!((error.code, error.retry, error.status), (code, retry, Some(status)), "{status} {body}");
            assert_eq!(error.vendor.as_ref().and_then(|vendor| vendor.message.as_deref()), said, "{status} {body}");
            assert!(said.is_none_or(|said| error.message.ends_with(said)), "{error}");
        }
    }

    #[test]
    fn a_buckets_refusal_is_read_by_its_code() {
        for (status, code, message, expected, retry) in [
            (400, "EntityTooLarge", "Your proposed upload exceeds the maximum", Code::TooLarge, Retry::Never),
            (400, "EntityTooSmall", "Your proposed upload is smaller", Code::BadRequest, Retry::Never),
            (403, "AccessDenied", "Invalid according to Policy: Policy expired.", Code::UrlExpired, Retry::Never),
            (400, "ExpiredToken", "The provided token has expired.", Code::UrlExpired, Retry::Never),
            (
                403,
                "AccessDenied",
                "Invalid according to Policy: Policy Condition failed",
                Code::Forbidden,
                Retry::Never,
            ),
            (403, "SignatureDoesNotMatch", "", Code::Forbidden, Retry::Never),
            (503, "SlowDown", "Please reduce your request rate.", Code::RateLimited, Retry::Later(None)),
            (400, "RequestTimeout", "", Code::Network, Retry::Later(None)),
        ] {
            let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{message}</Message></Error>");
            let error = refusal::<Value>(&answer(status, &body), 0);
            assert_eq!((error.code, error.retry), (expected, retry), "{status} {code}");
            assert_eq!(error.vendor.as_ref().unwrap().code.as_deref(), Some(code));
            assert!(error.message.ends_with(message), "{error}");
        }
    }

    #[test]
    fn a_long_text_of_a_server_is_cut() {
        let error = refusal::<Value>(&answer(500, &"no ".repeat(1_000_000)), 0);
        assert!(error.message.len() < 2_000 && error.vendor.as_ref().unwrap().message.as_ref().unwrap().len() < 600);
    }
}
