//! Requests and responses as the models see them: parsed and complete.

mod headers;

pub use headers::Headers;

use crate::content::Content;
use crate::encoding::{parse_query, percent_decode};

/// A request, after its HTTP was parsed.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The method: `GET`, `PUT` ...
    pub method: String,
    /// The path as it was sent: percent-encoded, without the query.
    pub path: String,
    /// The decoded query parameters, in their order.
    pub query: Vec<(String, String)>,
    /// The headers as they were sent. The store needs `host` among them.
    pub headers: Headers,
    /// The body.
    pub body: Body,
}

impl Request {
    /// A request without headers and body. `target` is a path with an optional query, or a whole URL, whose host then
    /// becomes the `host` header.
    ///
    /// ```
    /// use partway_models::wire::Request;
    /// let request = Request::new("PUT", "https://store.test/b/key?partNumber=1");
    /// assert_eq!(request.path, "/b/key");
    /// assert_eq!(request.query("partNumber"), Some("1"));
    /// assert_eq!(request.header("Host"), Some("store.test"));
    /// ```
    pub fn new(method: &str, target: &str) -> Self {
        let mut headers = Headers::new();
        let rest = match target.split_once("://") {
            Some((_, rest)) => {
                let end = rest.find(['/', '?']).unwrap_or(rest.len());
                headers.insert("host", &rest[..end]);
                &rest[end..]
            }
            None => target,
        };
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        Request {
            method: method.to_string(),
            path: if path.is_empty() { "/" } else { path }.to_string(),
            query: parse_query(query),
            headers,
            body: Body::Empty,
        }
    }

    /// Sets a header, and removes others of that name.
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Sets the body.
    pub fn with_body(mut self, body: Body) -> Self {
        self.body = body;
        self
    }

    /// Sets a JSON body and its content type.
    pub fn with_json(self, value: &serde_json::Value) -> Self {
        self.with_header("content-type", "application/json").with_body(Body::Text(value.to_string().into_bytes()))
    }

    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)
    }

    /// The first query parameter of that name.
    pub fn query(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The decoded segments of the path, without empty ones at its ends.
    pub(crate) fn segments(&self) -> Vec<String> {
        self.path
            .trim_matches('/')
            .split('/')
            .map(|segment| percent_decode(segment).unwrap_or_else(|| segment.to_string()))
            .collect()
    }

    /// The content type without its parameters, in lower case; empty if there is none.
    pub(crate) fn media_type(&self) -> String {
        let value = self.header("content-type").unwrap_or("");
        let essence = value.split(';').next().unwrap_or("");
        essence.trim().to_ascii_lowercase()
    }
}

/// The body of a request.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Body {
    /// No body.
    #[default]
    Empty,
    /// JSON or XML, which the model parses.
    Text(Vec<u8>),
    /// File bytes, of which only size and MD5 matter.
    Content(Content),
    /// `multipart/form-data`, parsed.
    Form(Vec<FormField>),
}

impl Body {
    /// Whether the body has no bytes. A form always has some.
    pub fn is_empty(&self) -> bool {
        match self {
            Body::Empty => true,
            Body::Text(bytes) => bytes.is_empty(),
            Body::Content(content) => content.size == 0,
            Body::Form(_) => false,
        }
    }

    /// The body as file bytes; `None` for a form.
    pub fn to_content(&self) -> Option<Content> {
        match self {
            Body::Empty => Some(Content::bytes(Vec::new())),
            Body::Text(bytes) => Some(Content::bytes(bytes.clone())),
            Body::Content(content) => Some(content.clone()),
            Body::Form(_) => None,
        }
    }

    /// The body as text; `None` for a form, or for bytes that aren't in memory.
    pub fn to_text(&self) -> Option<Vec<u8>> {
        match self {
            Body::Empty => Some(Vec::new()),
            Body::Text(bytes) => Some(bytes.clone()),
            Body::Content(content) => content.held().map(<[u8]>::to_vec),
            Body::Form(_) => None,
        }
    }
}

/// One part of a form.
#[derive(Clone, Debug, PartialEq)]
pub struct FormField {
    /// The `name` of its content disposition.
    pub name: String,
    /// The `filename`, if it is a file.
    pub filename: Option<String>,
    /// The part's own `Content-Type`.
    pub content_type: Option<String>,
    /// The value.
    pub value: FormValue,
}

/// The value of a form field.
#[derive(Clone, Debug, PartialEq)]
pub enum FormValue {
    /// The text of a field.
    Bytes(Vec<u8>),
    /// The content of a file.
    Content(Content),
}

/// A response.
#[derive(Clone, Debug, PartialEq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The headers without `Date`, `Content-Length` and CORS, which the server adds.
    pub headers: Headers,
    /// The body; empty for HEAD and 204.
    pub body: Vec<u8>,
}

impl Response {
    /// A response without headers and body.
    pub fn empty(status: u16) -> Self {
        Response { status, headers: Headers::new(), body: Vec::new() }
    }

    /// A JSON response.
    pub fn json(status: u16, value: &serde_json::Value) -> Self {
        let mut response = Response::empty(status).with_header("content-type", "application/json");
        response.body = value.to_string().into_bytes();
        response
    }

    /// An XML response.
    pub fn xml(status: u16, text: String) -> Self {
        let mut response = Response::empty(status).with_header("content-type", "application/xml");
        response.body = text.into_bytes();
        response
    }

    /// Sets a header, and removes others of that name.
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)
    }

    /// The body as JSON; `Null` if it is none.
    pub fn json_body(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or(serde_json::Value::Null)
    }

    /// The body as text; invalid UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_split() {
        let request = Request::new("GET", "http://127.0.0.1:80/a%2Fb/c?x=1%3A2");
        assert_eq!(request.header("host"), Some("127.0.0.1:80"));
        assert_eq!(request.path, "/a%2Fb/c");
        assert_eq!(request.segments(), ["a/b", "c"]);
        assert_eq!(request.query("x"), Some("1:2"));
        assert_eq!(Request::new("GET", "http://h?x=1").path, "/");
    }

    #[test]
    fn media_type_is_without_parameters() {
        let request = Request::new("POST", "/").with_header("Content-Type", "Application/JSON; charset=utf-8");
        assert_eq!(request.media_type(), "application/json");
        assert_eq!(Request::new("POST", "/").media_type(), "");
    }
}
