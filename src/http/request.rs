//! The two kinds of request.

use super::Url;
use crate::error::{Code, Result, Step, UploadError};
use crate::model::file::{ContentType, FileBody};
use crate::util::text;

/// An HTTP method that the engine uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// GET
    Get,
    /// HEAD
    Head,
    /// PUT
    Put,
    /// POST
    Post,
    /// DELETE
    Delete,
}

impl Method {
    /// The method on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Head => "HEAD",
            Method::Put => "PUT",
            Method::Post => "POST",
            Method::Delete => "DELETE",
        }
    }
}

/// A request's body.
#[derive(Clone, Debug)]
pub enum Body<J, B> {
    /// Nothing.
    Empty,
    /// A JSON value; serialised after `beforeRequest` may have changed it.
    Json(J),
    /// XML, small.
    Xml(String),
    /// A range of the file.
    File(FileBody<B>),
    /// A form with the whole file as its last field.
    Form {
        /// The other fields, before the file.
        fields: Vec<(String, String)>,
        /// The name of the file's field.
        file_field: String,
        /// The file.
        file: FileBody<B>,
        /// Its name in the form.
        filename: String,
    },
}

impl<J, B> Body<J, B> {
    /// How many bytes of the file it has.
    pub fn file_len(&self) -> u64 {
        match self {
            Body::File(file) | Body::Form { file, .. } => file.range.len(),
            _ => 0,
        }
    }
}

/// A request to a provider's API or to the proxy before it.
#[derive(Clone, Debug)]
pub struct ApiRequest<J, B> {
    /// What it is for.
    pub step: Step,
    /// Its method.
    pub method: Method,
    /// Its absolute URL.
    pub url: String,
    /// Its headers, the vendor's keys among them where the caller exposes them.
    pub headers: Vec<(String, String)>,
    /// What it carries.
    pub body: Body<J, B>,
    /// Whether `headers` hold a vendor's key: such a request must not follow a redirect.
    pub has_credentials: bool,
    /// Whether the body must not arrive twice: the transport must report whether it was sent to its end.
    pub must_not_repeat: bool,
}

/// A request to a presigned URL, or of a form whose policy was signed. It carries only what was signed.
#[derive(Clone, Debug)]
pub struct StoreRequest<J, B> {
    step: Step,
    method: Method,
    url: Url,
    headers: Vec<(String, String)>,
    body: Body<J, B>,
    must_not_repeat: bool,
}

impl<J, B> StoreRequest<J, B> {
    /// A request to `url` with the values of the headers that it signed, from a page of the origin `page`.
    ///
    /// Where the URL lists its signed headers (SigV4), `headers` must give a value for each and name no other; `content-type`
    /// is filled in from a file's body. Where it lists none, `headers` go as they are.
    ///
    /// # Errors
    /// `plan-mismatch` for a URL that isn't https (see [`Url::is_safe_from`]), one that was signed for an empty body where there is
    /// one, a signed header without a value, or a header that isn't signed.
    pub fn new(
        page: &str,
        step: Step,
        method: Method,
        url: Url,
        mut headers: Vec<(String, String)>,
        mut body: Body<J, B>,
    ) -> Result<Self> {
        let mismatch = |what: &str, name: &str, hint: &str| {
            Err(UploadError::new(Code::PlanMismatch, text::fill(what, &[&name])).at(step).hint(hint))
        };
        if !url.is_safe_from(page) {
            return mismatch(
                "A presigned URL must be https, but is {}.",
                &url.without_query(),
                "Presign the URL for https: it is a secret. Behind docker compose presign for the address that the browser uses, such as http://localhost:9000.",
            );
        }
        if let Some(name) = url.signed_for_empty_body().filter(|_| body.file_len() > 0) {
            return mismatch(
                "The URL was presigned for an empty body: its {} is the checksum of zero bytes, so the store would refuse the file.",
                name,
                "Where you presign URLs, create the AWS SDK's client with requestChecksumCalculation: \"WHEN_REQUIRED\".",
            );
        }
        for (name, _) in &mut headers {
            name.make_ascii_lowercase();
        }
        headers.retain(|(name, _)| name != "host" && name != "content-length");
        if let Some((name, _)) = headers.iter().find(|(name, value)| !header_is_valid(name, value)) {
            return mismatch(
                "The header \"{}\" is invalid: its name must be an HTTP token, and its value must have no control characters.",
                name,
                "Correct it in the plan's `headers`.",
            );
        }
        let signed = url.signed_headers();
        if let Some(signed) = &signed
            && let Some((name, _)) = headers.iter().find(|(name, _)| !signed.contains(name))
        {
            return mismatch(
                "The plan has the header {}, which the presigned URL doesn't sign.",
                name,
                "Sign the header when you presign the URL, or remove it from the plan's `headers`.",
            );
        }
        if let Body::File(file) = &mut body {
            let header = headers.iter().position(|(name, _)| name == "content-type");
            let header = header.map(|index| headers.swap_remove(index).1);
            let own = std::mem::replace(&mut file.content_type, ContentType::Absent);
            file.content_type = signed_type(signed.as_deref(), header, own);
        }
        let has_value = |name: &String| {
            name == "content-length"
                || headers.iter().any(|(given, _)| given == name)
                || (name == "content-type"
                    && matches!(&body, Body::File(file) if file.content_type != ContentType::Absent))
        };
        if let Some(name) = signed.iter().flatten().find(|name| !has_value(name)) {
            return mismatch(
                "The presigned URL signs the header {}, but the plan's `headers` have no value for it.",
                name,
                "Add the value to the plan's `headers`, or presign the URL without that header.",
            );
        }
        Ok(Self { step, method, url, headers, body, must_not_repeat: false })
    }

    /// The PUT of a part to a URL that a vendor presigned. It carries the file's content type if the URL signs it, or doesn't list its
    /// signed headers.
    ///
    /// # Errors
    /// Those of [`StoreRequest::new`].
    pub fn put_part(page: &str, url: Url, file: FileBody<B>) -> Result<Self> {
        let takes_type = url.signed_headers().is_none_or(|names| names_type(&names));
        let headers = match &file.content_type {
            ContentType::Exactly(own) if takes_type => vec![("content-type".into(), own.clone())],
            _ => Vec::new(),
        };
        Self::new(page, Step::Part, Method::Put, url, headers, Body::File(file))
    }

    /// The same, where the body must not arrive twice: the transport must report whether it was sent to its end.
    #[must_use]
    pub fn once(self, must_not_repeat: bool) -> Self {
        Self { must_not_repeat, ..self }
    }

    /// What it is for.
    pub fn step(&self) -> Step {
        self.step
    }
    /// Its method.
    pub fn method(&self) -> Method {
        self.method
    }
    /// Its URL.
    pub fn url(&self) -> &Url {
        &self.url
    }
    /// Its headers, except for the file's content type, which the body has.
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }
    /// What it carries.
    pub fn body(&self) -> &Body<J, B> {
        &self.body
    }
}

/// Decides the content type of a file that goes to a presigned URL: `signed` are the headers that the URL signs, where it says so,
/// `header` is what the request's headers give, `own` is the file's.
fn signed_type(signed: Option<&[String]>, header: Option<String>, own: ContentType) -> ContentType {
    match (header, signed) {
        (Some(header), _) => ContentType::Exactly(header),
        (None, Some(names)) if names_type(names) => own,
        (None, Some(_)) => ContentType::Any,
        // A type that wasn't signed would break the signature.
        (None, None) => ContentType::Absent,
    }
}

fn names_type(headers: &[String]) -> bool {
    headers.iter().any(|name| name == "content-type")
}

/// Whether a browser accepts the header: a token for a name, no control characters in the value.
fn header_is_valid(name: &str, value: &str) -> bool {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(token) && value.bytes().all(|byte| byte >= 32 && byte != 127)
}

/// A request of either kind.
#[derive(Clone, Debug)]
pub enum Request<J, B> {
    /// A request to a provider's API.
    Api(ApiRequest<J, B>),
    /// A request to a presigned URL.
    Store(StoreRequest<J, B>),
}

impl<J, B> Request<J, B> {
    /// What it is for.
    pub fn step(&self) -> Step {
        match self {
            Request::Api(request) => request.step,
            Request::Store(request) => request.step,
        }
    }

    /// Its URL, as it is written.
    pub fn href(&self) -> &str {
        match self {
            Request::Api(request) => &request.url,
            Request::Store(request) => &request.url.href,
        }
    }

    /// Its URL as messages name it: without what may be a secret.
    pub fn address(&self) -> String {
        address(self.href())
    }

    /// What it carries.
    pub fn body(&self) -> &Body<J, B> {
        match self {
            Request::Api(request) => &request.body,
            Request::Store(request) => &request.body,
        }
    }

    /// Whether its body must not arrive twice.
    pub fn must_not_repeat(&self) -> bool {
        match self {
            Request::Api(request) => request.must_not_repeat,
            Request::Store(request) => request.must_not_repeat,
        }
    }
}

/// The most bytes of an address in a message. (A choice: two lines; what is longer is the name of a file.)
const SHOWN: usize = 200;

/// A URL as messages name it: without user name, query and fragment, which may be secrets.
pub(crate) fn address(url: &str) -> String {
    let url = text::before(text::before(url, "?"), "#");
    let (scheme, rest) = text::split_once(url, "://").unwrap_or(("", url));
    let path = text::find(rest, "/").unwrap_or(rest.len());
    let host = text::rfind(&rest[..path], b'@').map_or(0, |at| at + 1);
    let shown = rest.floor_char_boundary(SHOWN.max(path).min(rest.len()));
    let (mark, cut) = (if scheme.is_empty() { "" } else { "://" }, if shown < rest.len() { "…" } else { "" });
    text::concat(&[scheme, mark, &rest[host..shown], cut])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::plan::ByteRange;

    #[test]
    fn an_address_has_nothing_that_may_be_a_secret() {
        let long = "é".repeat(500);
        for (url, shown) in [
            ("https://store.example/a/b%20c?X-Amz-Signature=secret", "https://store.example/a/b%20c"),
            ("https://store.example/a#secret", "https://store.example/a"),
            ("https://store.example?secret=/@", "https://store.example"),
            ("https://user:secret@api.example:8443/v1/@me", "https://api.example:8443/v1/@me"),
            ("/api/upload?token=secret", "/api/upload"),
            ("", ""),
        ] {
            assert_eq!(address(url), shown);
        }
        let cut = address(&format!("https://store.example/{long}"));
        assert!(cut.len() < 220 && cut.starts_with("https://store.example/é") && cut.ends_with("é…"), "{cut}");
        let host = format!("https://{}.example/a", "h".repeat(300));
        assert_eq!(address(&host), format!("{}…", &host[..host.len() - 2]));
    }

    fn url(query: &str) -> Url {
        let (origin, path) = ("https://store.example".into(), "/key".into());
        Url {
            href: crate::util::text::concat(&["https://store.example/key?", query]),
            origin,
            path,
            query: query.into(),
        }
    }

    fn file(content_type: &str) -> FileBody<()> {
        FileBody { blob: (), range: ByteRange::new(0, 5), content_type: ContentType::of(Some(content_type)) }
    }

    fn type_of(request: StoreRequest<(), ()>) -> ContentType {
        assert!(request.headers().iter().all(|(name, _)| name != "content-type"), "the body carries the type");
        match request.body() {
            Body::File(file) => file.content_type.clone(),
            body => panic!("{body:?}"),
        }
    }

    const HOST: &str = "X-Amz-SignedHeaders=host";
    const TYPE: &str = "X-Amz-SignedHeaders=content-type%3Bhost";
    const UNKNOWN: &str = "Expires=1&Signature=s";

    #[test]
    fn a_file_goes_with_the_type_that_was_signed() {
        let png = || ContentType::Exactly("image/png".into());
        let mp4 = || ContentType::Exactly("video/mp4".into());
        for (query, header, own, expected) in [
            (HOST, None, "video/mp4", Some(ContentType::Any)),
            (HOST, Some("image/png"), "video/mp4", None),
            (TYPE, None, "video/mp4", Some(mp4())),
            (TYPE, Some("image/png"), "video/mp4", Some(png())),
            (TYPE, Some("image/png"), "", Some(png())),
            (TYPE, None, "", None),
            (UNKNOWN, None, "video/mp4", Some(ContentType::Absent)),
            (UNKNOWN, Some("image/png"), "video/mp4", Some(png())),
        ] {
            let headers = header.map(|value| ("Content-Type".into(), value.into())).into_iter().collect();
            let request = StoreRequest::new("", Step::Part, Method::Put, url(query), headers, Body::File(file(own)));
            assert_eq!(request.ok().map(type_of), expected, "{query} {header:?} {own}");
        }
    }

    #[test]
    fn a_vendors_url_that_does_not_say_what_it_signs_gets_the_files_type() {
        for (query, own, expected) in [
            (HOST, "video/mp4", Some(ContentType::Any)),
            (TYPE, "video/mp4", Some(ContentType::Exactly("video/mp4".into()))),
            (TYPE, "", None),
            (UNKNOWN, "video/mp4", Some(ContentType::Exactly("video/mp4".into()))),
            (UNKNOWN, "", Some(ContentType::Absent)),
        ] {
            let request = StoreRequest::<(), ()>::put_part("", url(query), file(own));
            assert_eq!(request.ok().map(type_of), expected, "{query} {own}");
        }
    }
}
