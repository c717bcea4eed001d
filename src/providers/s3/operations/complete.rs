//! CompleteMultipartUpload.

use crate::context::Context;
use crate::error::{Result, Step};
use crate::http::Method;
use crate::model::session::Receipt;
use crate::platform::Platform;
use crate::providers::s3::checksum::Algorithm;
use crate::providers::s3::client::{Operation, Reply, S3Client};
use crate::providers::shared::xml;
use crate::util::text;

/// A completed object.
#[derive(Debug, Default)]
pub(crate) struct Completed {
    /// Its ETag.
    pub(crate) etag: Option<String>,
    /// Its checksum, as the store computed it.
    pub(crate) checksum: Option<String>,
}

/// The result of completing an upload.
#[derive(Debug)]
pub(crate) struct Completion {
    /// The object, as the store says.
    pub(crate) result: Result<Completed>,
    /// Whether a try may have taken effect without a usable answer.
    pub(crate) maybe_effective: bool,
}

/// Completes an upload; `parts` are in order. `headers` are the condition and the checksum of the whole, if there are any. It isn't
/// repeated where it is unknown whether it took effect.
pub(crate) async fn complete_multipart_upload<P: Platform>(
    client: &S3Client,
    cx: &Context<P>,
    key: &str,
    upload_id: &str,
    headers: &[(String, String)],
    parts: &[Receipt<P::Json>],
) -> Completion {
    let mut headers = headers.to_vec();
    headers.push(("content-type".into(), "application/xml".into()));
    let algorithm = client.target.checksum;
    let (query, body) = ([("uploadId", upload_id)], body(parts, algorithm));
    let operation = Operation {
        headers: &headers,
        xml: &body,
        reply: Reply::Element("ETag"),
        completes: true,
        ..Operation::new(Step::Complete, Method::Post, key, &query)
    };
    let answer = client.execute(cx, &operation, &cx.settings.retry).await;
    Completion {
        result: answer.result.map(|response| Completed {
            etag: xml::child(&response.body, "ETag"),
            checksum: xml::child(&response.body, algorithm.unwrap_or(Algorithm::Crc64Nvme).element()),
        }),
        maybe_effective: answer.maybe_effective,
    }
}

/// The list of the parts, each with the checksum that it was sent with.
fn body<J>(parts: &[Receipt<J>], algorithm: Option<Algorithm>) -> String {
    let mut body = String::from("<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for part in parts {
        body.push_str("<Part><PartNumber>");
        body.push_str(&text::number(part.number.into()));
        body.push_str("</PartNumber><ETag>");
        if let Some(etag) = &part.etag {
            xml::escape(etag, &mut body);
        }
        body.push_str("</ETag>");
        if let (Some(algorithm), Some(checksum)) = (algorithm, &part.checksum) {
            let name = algorithm.element();
            body.push_str(&text::concat(&["<", name, ">", checksum, "</", name, ">"]));
        }
        body.push_str("</Part>");
    }
    body.push_str("</CompleteMultipartUpload>");
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_has_every_part_with_its_etag() {
        let receipt = |number, etag: &str| Receipt::<()> {
            checksum: Some("AAAAAAAAAAA=".into()),
            ..Receipt::new(number, Some(etag.into()))
        };
        let parts = [receipt(1, "\"a\""), receipt(2, "<&>")];
        let body = body(&parts, None);
        assert!(!body.contains("Checksum"), "{body}");
        let checked = super::body(&parts, Some(Algorithm::Crc64Nvme));
        let rows = xml::rows(&checked, "Part", ["PartNumber", "ChecksumCRC64NVME"]).unwrap();
        assert_eq!(rows[1], ["2", "AAAAAAAAAAA="]);
        let rows = xml::rows(&body, "Part", ["PartNumber", "ETag"]).unwrap();
        assert_eq!(rows, [["1", "\"a\""].map(String::from), ["2", "<&>"].map(String::from)]);
        assert_eq!(xml::root(&body), Some("CompleteMultipartUpload"));
    }
}
