//! HeadObject.

use crate::context::Context;
use crate::context::integrity::{Etags, as_strong};
use crate::error::{Result, Step};
use crate::http::foreign::says_html;
use crate::http::{Method, Response};
use crate::model::settings::RetrySettings;
use crate::platform::Platform;
use crate::providers::s3::checksum::Algorithm;
use crate::providers::s3::client::{Operation, S3Client};
use crate::util::time::parse_http;

/// What is known of the object under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ObjectHead {
    pub(crate) size: Option<u64>,
    pub(crate) etag: Option<String>,
    /// How long ago it was written, in milliseconds by the store's clock.
    pub(crate) age_ms: Option<u64>,
    /// What the answer says of the store's ETags.
    pub(crate) etags: Etags,
    /// The object's checksum, where it was asked for and the page may read it.
    pub(crate) checksum: Option<String>,
    /// Whether the answer may be a web page's: it has no ETag and the content type of one.
    pub(crate) may_be_a_page: bool,
}

/// Looks at the object under a key, with as many attempts as given. `checksum` is the algorithm of the checksum that is asked for: the
/// store may refuse that alone (AWS S3 API Reference, HeadObject, "x-amz-checksum-mode": with KMS it needs kms:Decrypt), so a refusal is
/// followed by a look without it.
///
/// # Errors
/// `session-expired` with the status 404 where the key has no object; those of [`S3Client::call`].
pub(crate) async fn head_object<P: Platform>(
    client: &S3Client,
    cx: &Context<P>,
    key: &str,
    step: Step,
    attempts: u32,
    checksum: Option<Algorithm>,
) -> Result<ObjectHead> {
    let retry = RetrySettings { attempts, ..cx.settings.retry };
    // In the query, as presigners write it: a header would need the CORS rule's permission.
    let query: &[_] = if checksum.is_some() { &[("x-amz-checksum-mode", "ENABLED")] } else { &[] };
    let looks = |query| async move { client.call(cx, &Operation::new(step, Method::Head, key, query), &retry).await };
    let response = match looks(query).await {
        Err(error) if checksum.is_some() && error.status.is_some_and(|status| status != 404) => looks(&[]).await,
        response => response,
    }?;
    let mut head = ObjectHead::read(&response, cx.server_now());
    head.checksum = checksum.and_then(|algorithm| response.header(algorithm.header())).map(String::from);
    Ok(head)
}

impl ObjectHead {
    /// Reads a 2xx answer, at a time of the servers' clock.
    fn read(response: &Response, server_now: u64) -> Self {
        let date = |name| response.header(name).and_then(parse_http);
        let now = date("date").unwrap_or(server_now);
        let etag = response.header("etag");
        Self {
            size: response.header("content-length").and_then(|text| text.trim_ascii().parse().ok()),
            etag: etag.map(as_strong),
            age_ms: date("last-modified").map(|at| now.saturating_sub(at)),
            etags: Etags::from_headers(&response.headers),
            checksum: None,
            may_be_a_page: etag.is_none() && says_html(response.header("content-type")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[(&str, &str)]) -> ObjectHead {
        let headers = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        ObjectHead::read(&Response { status: 200, headers, ..Response::default() }, 784_111_787_000)
    }

    #[test]
    fn an_answer_is_read_as_far_as_the_page_may() {
        let head = read(&[("content-length", " 10 "), ("etag", "W/\"a\""), ("content-type", "text/html")]);
        assert_eq!((head.size, head.etag.as_deref(), head.may_be_a_page), (Some(10), Some("\"a\""), false));
        assert_eq!((head.age_ms, head.etags), (None, Etags::Unknown));
        let page = read(&[("content-length", "-1"), ("content-type", "text/html; charset=utf-8")]);
        assert_eq!((page.size, page.etag, page.may_be_a_page), (None, None, true));
        assert_eq!(read(&[("x-amz-server-side-encryption", "aws:kms")]).etags, Etags::Opaque);
    }

    #[test]
    fn its_age_is_by_the_stores_own_clock() {
        let written = ("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(read(&[written]).age_ms, Some(10_000));
        assert_eq!(read(&[written, ("date", "Sun, 06 Nov 1994 08:49:40 GMT")]).age_ms, Some(3_000));
        assert_eq!(read(&[written, ("date", "Sun, 06 Nov 1994 08:49:30 GMT")]).age_ms, Some(0));
    }
}
