//! Answers from between the page and the destination: a proxy's sign-in page, a captive portal, the login of the page's own server.
//!
//! Their status is often 200. They prove neither that the request reached the destination, nor that it didn't.

use crate::error::{Code, UploadError};
use crate::http::Response;
use crate::util::text;

/// What is known of an answer that isn't the destination's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Foreign {
    /// Its status; None if the browser hides it, as it does for a redirect that isn't followed.
    pub status: Option<u16>,
    /// Whether it is a web page.
    pub page: bool,
    /// Whether it was, or came after, a redirect.
    pub redirected: bool,
    /// The origin that the redirect led to, if it is known.
    pub to: Option<String>,
}

impl Foreign {
    /// Recognises an answer that claims success and isn't the destination's: no API and no store answers with a web page.
    pub fn of(response: &Response) -> Option<Self> {
        let foreign = response.ok() && is_page(response);
        foreign.then(|| Self { status: Some(response.status), page: true, ..Self::default() })
    }

    /// The error for this answer. It is retried, since signing in resolves it; whether the request took effect is unknown.
    ///
    /// It has no status, which would count as the destination's.
    pub fn error(&self) -> UploadError {
        let mut facts = String::new();
        if let Some(status) = self.status {
            facts.push_str(", status ");
            facts.push_str(&text::number(status.into()));
        }
        if self.page {
            facts.push_str(", an HTML page");
        }
        if let Some(origin) = &self.to {
            facts.push_str(", redirected to ");
            facts.push_str(origin);
        } else if self.redirected {
            facts.push_str(", a redirect, which Partway does not follow");
        }
        let facts = facts.get(1..).unwrap_or_default();
        UploadError::new(Code::Network, text::concat(&["Something other than the destination answered:", facts, "."]))
            .hint("It may be the sign-in page of a proxy, of the network, or of your own server. Sign in there, and try again.")
    }
}

/// What an HTML page begins with, without its `<`.
const BEGINS: [&str; 2] = ["!doctype html", "html"];
/// The same, where the content type says that it is one: pages that are sloppy, and no root of an S3 answer.
const BEGINS_SLOPPY: [&str; 6] = ["head", "body", "script", "meta", "title", "center"];

/// Whether an answer is a web page. The content type alone says too little: small stores and frameworks give `text/html` to an empty answer, to
/// XML, and to a plain "OK" (Flask's and Express's default).
fn is_page(response: &Response) -> bool {
    let Some(tag) = content(&response.body).strip_prefix('<') else { return false };
    let begins = |names: &[&str]| {
        names.iter().any(|name| {
            let after = tag.as_bytes().get(name.len()).copied().unwrap_or(b'>');
            tag.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
                && !after.is_ascii_alphanumeric()
        })
    };
    begins(&BEGINS) || (says_html(response.header("content-type")) && begins(&BEGINS_SLOPPY))
}

/// Whether a content type is that of a web page.
pub(crate) fn says_html(content_type: Option<&str>) -> bool {
    let kind = content_type.unwrap_or("").trim_ascii().to_ascii_lowercase();
    kind.starts_with("text/html") || kind.starts_with("application/xhtml")
}

/// The text from its root element on: without a byte order mark, white space, an XML declaration and comments.
fn content(text: &str) -> &str {
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text).trim_ascii_start();
    loop {
        let end = match rest {
            _ if rest.starts_with("<?") => "?>",
            _ if rest.starts_with("<!--") => "-->",
            _ => return rest,
        };
        match text::split_once(rest, end) {
            Some((_, after)) => rest = after.trim_ascii_start(),
            None => return rest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn answer(kind: &str, body: &str) -> Response {
        Response {
            status: 200,
            headers: vec![("content-type".into(), kind.into())],
            body: body.into(),
            ..Response::default()
        }
    }

    #[test]
    fn a_web_page_is_no_answer_of_a_destination() {
        for (kind, body, foreign) in [
            ("text/html", "<!DOCTYPE html><html><body>Sign in</body></html>", true),
            ("", "\u{feff}\r\n <HTML lang=\"en\">", true),
            ("text/plain", "<!-- portal --><!doctype html>", true),
            ("application/xhtml+xml", "<?xml version=\"1.0\"?>\n<!DOCTYPE html PUBLIC \"x\"><html/>", true),
            ("text/html; charset=utf-8", "<head><meta http-equiv=refresh></head>", true),
            ("text/html", "<script>location = '/login'</script>", true),
            // Stores and small servers that give the type of a page to everything.
            ("text/html; charset=utf-8", "", false),
            ("text/html", "OK", false),
            ("text/html", "{\"mediaUploadId\": \"u\"}", false),
            ("text/html", "<?xml version=\"1.0\"?><CompleteMultipartUploadResponse/>", false),
            ("text/html", "<Title>x</Title>", true),
            ("application/xml", "<ListPartsResult><title>x</title></ListPartsResult>", false),
            ("application/xml", "<htmlx>", false),
            ("application/json", "\"<html>\"", false),
            ("", "", false),
        ] {
            assert_eq!(Foreign::of(&answer(kind, body)).is_some(), foreign, "{kind} {body}");
        }
    }

    #[test]
    fn a_refusal_is_judged_by_its_status() {
        let refusal = Response { status: 403, ..answer("text/html", "<html>") };
        assert_eq!(Foreign::of(&refusal), None);
    }

    #[test]
    fn the_error_says_what_answered_and_that_it_passes() {
        let to = Some("https://login.example".into());
        let error = Foreign { status: Some(200), page: true, redirected: true, to }.error();
        assert!(error.message.ends_with("status 200, an HTML page, redirected to https://login.example."), "{error}");
        assert_eq!((error.code, error.status, error.answer_lost, error.retryable), (Code::Network, None, true, true));
        assert!(!error.no_readable_answer);
        let hidden = Foreign { redirected: true, ..Foreign::default() }.error();
        assert!(hidden.message.contains("a redirect, which Partway does not follow"), "{hidden}");
    }

    proptest! {
        #[test]
        fn any_answer_is_judged(kind in "\\PC{0,20}", body in "(<?[!?]?[-a-zA-Z ]{0,20}\\PC{0,20}|\\PC{0,40})") {
            let _ = Foreign::of(&answer(&kind, &body));
        }
    }
}
