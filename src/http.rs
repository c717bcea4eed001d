//! Requests and answers, and the one place that says who may get which headers.
//!
//! There are two kinds of request and no third: an [`ApiRequest`] goes to an origin that may have the provider's headers, a
//! [`StoreRequest`] goes to a presigned URL and carries what was signed, nothing else.

use crate::error::{Code, Result, Step, UploadError};
use crate::plan::ByteRange;
use crate::platform::Platform;
use crate::text;
use crate::time;

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

/// An absolute, normalised URL, as the platform's own parser gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// The whole of it.
    pub href: String,
    /// Scheme, host and port: `https://api.example`.
    pub origin: String,
    /// The path, percent-encoded, dot segments resolved.
    pub path: String,
    /// The query without its `?`, percent-encoded; empty where there is none.
    pub query: String,
}

impl Url {
    /// Without its query, for messages: a presigned URL's query is a secret.
    pub fn without_query(&self) -> String {
        text::fill("{}{}", &[&self.origin, &self.path])
    }

    /// True for https, and for plain http on this very machine.
    pub fn is_safe(&self) -> bool {
        let Some(host) = self.origin.strip_prefix("http://") else {
            return self.origin.starts_with("https://");
        };
        let name = match text::last(host, b':') {
            Some(colon) if !host.ends_with(']') => &host[..colon],
            _ => host,
        };
        name == "localhost"
            || name == "[::1]"
            || name.ends_with(".localhost")
            || name.strip_prefix("127.").is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
    }

    /// True where a page of that origin may send to it: a safe address, or one of the page's own origin, which is plain http where
    /// the page itself came so (an intranet). A page that came by https never sends by http.
    pub fn is_safe_from(&self, page: &str) -> bool {
        self.is_safe() || (page.starts_with("http://") && self.origin == page)
    }

    /// True where browsers block a request to it, since the page of that origin came by https (W3C, "Mixed Content").
    pub fn is_mixed_content(&self, page: &str) -> bool {
        page.starts_with("https:") && self.origin.starts_with("http:") && !self.is_safe()
    }

    /// The decoded value of a query parameter, its name compared without regard to case; None for one that isn't ASCII.
    pub fn query_value(&self, name: &str) -> Option<String> {
        percent_decode(self.encoded_value(name)?)
    }

    fn encoded_value(&self, name: &str) -> Option<&str> {
        for pair in text::pieces(&self.query, "&") {
            let (key, value) = text::cut(pair, "=").unwrap_or((pair, ""));
            if key.eq_ignore_ascii_case(name) {
                return Some(value);
            }
        }
        None
    }

    /// The header names that a SigV4 URL signed, lower case, without `host`; None where it isn't such a URL.
    ///
    /// Source: AWS, "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)".
    pub fn signed_headers(&self) -> Option<Vec<String>> {
        let encoded = self.encoded_value("X-Amz-SignedHeaders")?;
        // What can't be decoded names no header that anybody could send, so that no value fits.
        let list = percent_decode(encoded).unwrap_or_else(|| encoded.into());
        let mut names = Vec::new();
        for name in text::pieces(&list, ";") {
            if name != "host" {
                names.push(name.to_ascii_lowercase());
            }
        }
        Some(names)
    }

    /// The `content-type` header for a request to this URL: where it was signed, or where the URL doesn't say what was.
    pub fn type_header(&self, content_type: &str) -> Vec<(String, String)> {
        let taken = self.signed_headers().is_none_or(|names| names.iter().any(|name| name == "content-type"));
        if taken && !content_type.is_empty() { vec![("content-type".into(), content_type.into())] } else { Vec::new() }
    }
}

/// Percent-encodes a path segment: all but the unreserved characters (RFC 3986, 2.3).
///
/// ```
/// assert_eq!(partway::http::encode_segment("upload:a/b"), "upload%3Aa%2Fb");
/// ```
pub fn encode_segment(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push_str(&crate::integrity::hex(&[byte]).to_ascii_uppercase());
        }
    }
    encoded
}

/// The text behind a percent-encoding; None where it isn't ASCII, as everything is that a presigner writes.
fn percent_decode(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut decoded = String::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let byte = match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                at += 2;
                (high * 16 + low) as u8
            }
            (b'+', ..) => b' ',
            _ => byte,
        };
        at += 1;
        decoded.push(byte.is_ascii().then(|| char::from(byte))?);
    }
    Some(decoded)
}

/// Bytes of the file, named by range: the platform slices, the engine never sees them.
#[derive(Clone, Debug)]
pub struct FileBody<P: Platform> {
    /// The whole file.
    pub blob: P::Blob,
    /// The file's size in bytes.
    pub size: u64,
    /// What goes out.
    pub range: ByteRange,
    /// The `Content-Type` that must go with it; None sends none.
    pub content_type: Option<String>,
    /// True where the receiver takes any content type, so that the file itself may be the body.
    pub any_type: bool,
}

/// What a request carries.
#[derive(Clone, Debug)]
pub enum Body<P: Platform> {
    /// Nothing.
    Empty,
    /// A JSON value; serialised after `beforeRequest` had its word.
    Json(P::Json),
    /// XML, small.
    Xml(String),
    /// A range of the file.
    File(FileBody<P>),
    /// A form with the whole file in the field `file`.
    Form {
        /// The other fields, before the file.
        fields: Vec<(&'static str, String)>,
        /// The file.
        file: FileBody<P>,
        /// Its name in the form.
        filename: String,
    },
}

impl<P: Platform> Body<P> {
    /// The bytes of the file in it.
    pub fn file_len(&self) -> u64 {
        match self {
            Body::File(file) | Body::Form { file, .. } => file.range.len(),
            _ => 0,
        }
    }
}

/// A request to a provider's API or to the proxy before it.
#[derive(Clone, Debug)]
pub struct ApiRequest<P: Platform> {
    /// What it is for.
    pub step: Step,
    /// Its method.
    pub method: Method,
    /// Its absolute URL.
    pub url: String,
    /// Its headers, the vendor's keys among them where the caller exposes them.
    pub headers: Vec<(&'static str, String)>,
    /// What it carries.
    pub body: Body<P>,
    /// True where `headers` hold a vendor's key: such a request must not follow a redirect.
    pub keyed: bool,
    /// True for a body that must not arrive twice: the transport must tell whether it went out whole.
    pub once: bool,
}

/// A request to a presigned URL: what was signed, and nothing else.
#[derive(Clone, Debug)]
pub struct StoreRequest<P: Platform> {
    step: Step,
    method: Method,
    url: Url,
    headers: Vec<(String, String)>,
    body: Body<P>,
}

impl<P: Platform> StoreRequest<P> {
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
        mut body: Body<P>,
    ) -> Result<Self> {
        let mismatch = |what: &str, name: &str, hint: &str| {
            Err(UploadError::new(Code::PlanMismatch, text::fill(what, &[&name])).at(step).hint(hint))
        };
        if !url.is_safe_from(page) {
            return mismatch(
                "{} is not an https address.",
                &url.without_query(),
                "Presigned URLs are secrets: sign them for https.",
            );
        }
        if let Some(name) = url.signed_for_nothing().filter(|_| body.file_len() > 0) {
            return mismatch(
                "The URL was signed for an empty body: its {} is that of no bytes, so the store would refuse the file.",
                name,
                "Where it is signed, make the AWS SDK's client with requestChecksumCalculation: \"WHEN_REQUIRED\".",
            );
        }
        for (name, _) in &mut headers {
            name.make_ascii_lowercase();
        }
        headers.retain(|(name, _)| name != "host" && name != "content-length");
        if let Some((name, _)) = headers.iter().find(|(name, value)| !header_is_valid(name, value)) {
            return mismatch("The header \"{}\" can't be sent.", name, "Check the plan's `headers`.");
        }
        let signed = url.signed_headers();
        if let Some(signed) = &signed
            && let Some((name, _)) = headers.iter().find(|(name, _)| !signed.contains(name))
        {
            return mismatch(
                "The header {} isn't signed by the URL it would go to.",
                name,
                "Name the header when the URL is signed, or leave it out of the plan's `headers`.",
            );
        }
        if let Body::File(file) = &mut body {
            let wanted = signed.as_ref().is_some_and(|names| names.iter().any(|name| name == "content-type"));
            match headers.iter().position(|(name, _)| name == "content-type") {
                Some(given) => file.content_type = Some(headers.swap_remove(given).1),
                None if !wanted => file.content_type = None,
                None => {}
            }
            file.any_type = signed.is_some() && !wanted;
        }
        let carried = |name: &String| {
            name == "content-length"
                || headers.iter().any(|(given, _)| given == name)
                || (name == "content-type" && matches!(&body, Body::File(file) if file.content_type.is_some()))
        };
        if let Some(name) = signed.iter().flatten().find(|name| !carried(name)) {
            return mismatch(
                "The URL signs the header {}, and the plan gives it no value.",
                name,
                "Give the value in the plan's `headers`, or sign the URL without that header.",
            );
        }
        Ok(Self { step, method, url, headers, body })
    }

    /// What it is for.
    pub fn step(&self) -> Step {
        self.step
    }
    /// Its method.
    pub fn method(&self) -> Method {
        self.method
    }
    /// Where it goes.
    pub fn url(&self) -> &Url {
        &self.url
    }
    /// Its headers, but for the file's content type, which the body carries.
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }
    /// What it carries.
    pub fn body(&self) -> &Body<P> {
        &self.body
    }
}

/// True where a browser takes the header: a token for a name, no control characters in the value.
fn header_is_valid(name: &str, value: &str) -> bool {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(token) && value.bytes().all(|byte| byte >= 32 && byte != 127)
}

/// One of the two kinds.
#[derive(Clone, Debug)]
pub enum Request<P: Platform> {
    /// To a provider's API.
    Api(ApiRequest<P>),
    /// To a presigned URL.
    Store(StoreRequest<P>),
}

impl<P: Platform> Request<P> {
    /// What it is for.
    pub fn step(&self) -> Step {
        match self {
            Request::Api(request) => request.step,
            Request::Store(request) => request.step,
        }
    }

    /// What it carries.
    pub fn body(&self) -> &Body<P> {
        match self {
            Request::Api(request) => &request.body,
            Request::Store(request) => &request.body,
        }
    }

    /// True where it must not arrive twice.
    pub fn once(&self) -> bool {
        matches!(self, Request::Api(request) if request.once)
    }
}

/// What a server answered: headers that the page may read, and the body as text.
#[derive(Clone, Debug, Default)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Readable headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

impl Response {
    /// True for 200 to 299.
    pub fn ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// A header's value, if the page may read it.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// How long the server wishes to be left alone, in milliseconds from `now`.
    ///
    /// What it [asks for](Self::retry_after_ms), else `X-RateLimit-Reset` where nothing remains (see [`reset_in`]), taken for the end
    /// of the server's window: to wait for it is safe whatever the server counts. Where it is known to mean something else, see
    /// [`Self::token_ms`].
    pub fn wait_ms(&self, now: u64) -> Option<u64> {
        // One that has passed, where nothing is left, only tells that the clocks differ.
        self.retry_after_ms(now).or_else(|| self.reset_ms(now).filter(|ms| *ms > 0))
    }

    /// `Retry-After` in seconds or as a date (RFC 9110, 10.2.3), else `X-RateLimit-Retry-After` in seconds (apifansly, "Rate
    /// limits"), as milliseconds from `now`.
    pub fn retry_after_ms(&self, now: u64) -> Option<u64> {
        let seconds = |text: &str| {
            let seconds: u64 = text.trim_ascii().parse().ok()?;
            (seconds <= u64::from(u32::MAX)).then(|| seconds * 1000)
        };
        if let Some(value) = self.header("retry-after") {
            let date = || time::parse_http(value).map(|at| at.saturating_sub(self.clock(now)));
            return seconds(value).or_else(date);
        }
        self.header("x-ratelimit-retry-after").and_then(seconds)
    }

    /// How long a token bucket takes for one more token, in milliseconds: by `X-RateLimit-Limit`, which is what a minute brings, else
    /// the `usual` one; never longer than until `X-RateLimit-Reset`, when the bucket is full again.
    pub fn token_ms(&self, usual: u64, now: u64) -> u64 {
        let limit = self.header("x-ratelimit-limit").and_then(|value| value.trim_ascii().parse::<u64>().ok());
        let token = limit.filter(|limit| *limit > 0).map_or(usual, |limit| 60_000_u64.div_ceil(limit));
        self.reset_ms(now).filter(|ms| *ms > 0).map_or(token, |full| token.min(full))
    }

    /// `X-RateLimit-Reset` as milliseconds from this answer (see [`reset_in`]).
    pub fn reset_ms(&self, now: u64) -> Option<u64> {
        reset_in(self.header("x-ratelimit-reset")?, self.clock(now))
    }

    /// When the server answered, by its own clock, where its `Date` can be read; else `now`, by this machine's.
    fn clock(&self, now: u64) -> u64 {
        self.header("date").and_then(time::parse_http).unwrap_or(now)
    }
}

/// `X-RateLimit-Reset` as milliseconds from `now`, a minute at most.
///
/// Its unit is published nowhere (assumed): above 10^12 an epoch in milliseconds, above 10^9 one in seconds, else seconds from
/// now.
///
/// ```
/// use partway::http::reset_in;
/// assert_eq!(reset_in("2", 1_700_000_000_000), Some(2_000));
/// assert_eq!(reset_in("1700000003", 1_700_000_000_000), Some(3_000));
/// assert_eq!(reset_in("soon", 0), None);
/// ```
pub fn reset_in(value: &str, now: u64) -> Option<u64> {
    let number: u64 = text::until(value.trim_ascii(), ".").parse().ok()?;
    let wait = if number > 1_000_000_000_000 {
        number.saturating_sub(now)
    } else if number > 1_000_000_000 {
        (number * 1000).saturating_sub(now)
    } else {
        number * 1000
    };
    Some(wait.min(60_000))
}

/// Which origins may have the provider's headers, and how a vendor's URL becomes one under `baseUrl`.
#[derive(Clone, Debug)]
pub struct Origins {
    /// The provider's `baseUrl`, resolved.
    pub base: Url,
    /// Further origins that the caller trusts.
    pub trusted: Vec<String>,
    /// The vendor's own origins, as its documents name them.
    pub vendor: &'static [&'static str],
    /// The path under which the vendor's API lies.
    pub api_path: &'static str,
}

/// Where a URL that a reply named leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// To an origin that gets the provider's headers.
    Api(String),
    /// Anywhere else: taken as presigned, gets nothing.
    Presigned,
}

impl Origins {
    /// Decides for a URL that a reply named and that the caller's `mapUrl` left alone.
    ///
    /// A URL of the vendor's own, below its API, goes to the same path and query under `baseUrl`. One that is under the base's
    /// origin, or a trusted one, keeps its address. `text` is the URL as the reply gave it, and is what an address that is
    /// kept looks like on the wire.
    pub fn place(&self, url: &Url, text: &str) -> Place {
        if self.trusts(url) {
            return Place::Api(text.into());
        }
        if self.vendor.contains(&url.origin.as_str()) && url.path.starts_with(self.api_path) {
            return Place::Api(self.join(&url.path, &url.query));
        }
        Place::Presigned
    }

    /// True where a URL that the caller's `mapUrl` gave may have the provider's headers.
    pub fn trusts(&self, url: &Url) -> bool {
        url.origin == self.base.origin || self.trusted.contains(&url.origin)
    }

    /// A path of the API under `baseUrl`.
    pub fn join(&self, path: &str, query: &str) -> String {
        let base = text::fill("{}{}", &[&self.base.origin, &self.base.path]);
        let mark = if query.is_empty() { "" } else { "?" };
        text::fill("{}{}{}{}", &[&text::end_bare(&base, b'/'), &path, &mark, &query])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn url(query: String) -> Url {
        Url { href: String::new(), origin: "https://s3.example".into(), path: "/".into(), query }
    }

    fn answer(headers: &[(&str, &str)]) -> Response {
        let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Response { headers, ..Response::default() }
    }

    #[test]
    fn a_wish_is_read_as_it_was_meant_or_not_at_all() {
        let now = 784_111_777_000;
        for (name, value, wait) in [
            ("retry-after", "7", Some(7_000)),
            ("Retry-After", " 7 ", Some(7_000)),
            ("retry-after", "Sun, 06 Nov 1994 08:49:40 GMT", Some(3_000)),
            ("retry-after", "Sun, 06 Nov 1994 08:49:30 GMT", Some(0)),
            ("retry-after", "4294967295", Some(4_294_967_295_000)),
            ("retry-after", "4294967296", None),
            ("retry-after", "-1", None),
            ("retry-after", "1.5", None),
            ("retry-after", "", None),
            ("x-ratelimit-retry-after", "2", Some(2_000)),
            ("x-ratelimit-reset", "2.7", Some(2_000)),
            ("x-ratelimit-reset", "18446744073709551615", Some(60_000)),
            ("x-ratelimit-reset", "18446744073709551616", None),
            ("x-ratelimit-reset", "784111779", Some(60_000)),
        ] {
            assert_eq!(answer(&[(name, value)]).wait_ms(now), wait, "{name}: {value}");
        }
    }

    #[test]
    fn points_in_time_are_held_against_the_servers_clock() {
        let date = ("date", "Fri, 01 Nov 2024 00:00:00 GMT");
        for (name, value) in [("retry-after", "Fri, 01 Nov 2024 00:00:03 GMT"), ("x-ratelimit-reset", "1730419203")] {
            for now in [0, 1_730_419_200_000, 1_784_111_777_000] {
                assert_eq!(answer(&[date, (name, value)]).wait_ms(now), Some(3_000), "{name} at {now}");
            }
        }
    }

    #[test]
    fn signed_names_that_no_header_has_are_names_all_the_same() {
        let names = |query: &str| url(query.into()).signed_headers();
        for (query, signed) in [
            ("X-Amz-SignedHeaders=host", Some(vec![])),
            ("x-amz-signedheaders=host%3BContent-Type", Some(vec!["content-type"])),
            ("X-Amz-SignedHeaders=%EF%BF%BChost", Some(vec!["%ef%bf%bchost"])),
            ("X-Amz-Date=1", None),
        ] {
            assert_eq!(names(query), signed.map(|names| names.into_iter().map(String::from).collect()), "{query}");
        }
    }

    #[test]
    fn only_https_and_this_machine_are_safe() {
        for (origin, safe) in [
            ("https://s3.example", true),
            ("http://localhost:9000", true),
            ("http://a.localhost", true),
            ("http://127.0.0.1:1", true),
            ("http://[::1]:9000", true),
            ("http://s3.example", false),
            ("http://127.0.0.1.evil.example", false),
            ("http://localhost.evil.example", false),
            ("http://notlocalhost", false),
            ("http://[::2]", false),
            ("ftp://localhost", false),
            ("null", false),
            ("", false),
        ] {
            assert_eq!(Url { origin: origin.into(), ..url(String::new()) }.is_safe(), safe, "{origin}");
        }
    }

    #[test]
    fn a_page_by_plain_http_may_send_to_its_own_origin() {
        let own = Url { origin: "http://intranet.example:8080".into(), ..url(String::new()) };
        for (page, safe) in [
            ("http://intranet.example:8080", true),
            ("http://intranet.example", false),
            ("https://intranet.example:8080", false),
            ("http://evil.example", false),
            ("null", false),
            ("", false),
        ] {
            assert_eq!(own.is_safe_from(page), safe, "{page}");
        }
        assert!(url(String::new()).is_safe_from("http://intranet.example"));
        for origin in ["null", "", "ftp://a.example"] {
            assert!(!Url { origin: origin.into(), ..url(String::new()) }.is_safe_from(origin), "{origin}");
        }
    }

    #[test]
    fn plain_http_is_blocked_on_a_page_that_came_by_https() {
        let to = |origin: &str| Url { origin: origin.into(), ..url(String::new()) };
        for (origin, page, blocked) in [
            ("http://store.example", "https://app.example", true),
            ("http://store.example", "http://app.example", false),
            ("https://store.example", "https://app.example", false),
            // Browsers let this machine's own addresses pass, Safari aside.
            ("http://127.0.0.1:9000", "https://app.example", false),
        ] {
            assert_eq!(to(origin).is_mixed_content(page), blocked, "{origin} on {page}");
        }
    }

    proptest! {
        #[test]
        fn any_query_can_be_asked(query in "[a-zA-Z0-9%&=+;:X\\-\u{e9}]{0,80}", name in "\\PC{0,10}") {
            let url = url(query);
            let _ = (url.query_value(&name), url.signed_headers(), url.expires_at(), url.type_header("a/b"));
        }

        #[test]
        fn what_is_encoded_comes_back(name in "[a-zA-Z-]{1,10}", value in "([ -~]{0,30}|\\PC{0,30})") {
            let url = url(format!("a=1&{name}={}&b", encode_segment(&value)));
            prop_assume!(!matches!(name.to_ascii_lowercase().as_str(), "a" | "b"));
            prop_assert_eq!(url.query_value(&name.to_ascii_uppercase()), value.is_ascii().then_some(value));
        }

        #[test]
        fn an_expiry_is_after_what_it_counts_from(date in "(20[0-9]{6}T[0-9]{6}Z|\\PC{0,20})", seconds in "[0-9]{0,25}") {
            let url = url(format!("X-Amz-Date={}&X-Amz-Expires={seconds}", encode_segment(&date)));
            if let Some(at) = url.expires_at() {
                prop_assert!(at >= time::parse_amz(&date).unwrap());
            }
        }

        #[test]
        fn any_header_is_a_wait_or_none(
            name in "(retry-after|x-ratelimit-retry-after|x-ratelimit-reset)",
            value in "([0-9]{0,25}|[0-9.eE+-]{0,12}|[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT|\\PC{0,20})",
            now: u64,
        ) {
            let wait = answer(&[(&name, &value)]).wait_ms(now);
            prop_assert!(wait.is_none_or(|ms| ms <= 253_402_400_000_000), "{wait:?}");
            prop_assert!(reset_in(&value, now).is_none_or(|ms| ms <= 60_000));
        }
    }
}
