//! ListParts.

use crate::context::Context;
use crate::error::{Result, Step};
use crate::http::Method;
use crate::model::plan::MAX_PARTS;
use crate::platform::Platform;
use crate::providers::s3::checksum::Algorithm;
use crate::providers::s3::client::{Operation, Reply, S3Client};
use crate::providers::shared::listed::Listed;
use crate::providers::shared::xml;

/// Pages of the list that are read: 10,000 parts, a hundred on each page at the least.
const MAX_PAGES: u32 = 100;

/// The parts that the store has, over all pages of its list (1,000 parts each). Each may have the checksum that the upload was created
/// with; where that is none, AWS computes a CRC64NVME (AWS S3 API Reference, "Part").
///
/// # Errors
/// Those of [`S3Client::call`].
pub(crate) async fn list_parts<P: Platform>(
    client: &S3Client,
    cx: &Context<P>,
    key: &str,
    upload_id: &str,
) -> Result<Vec<Listed>> {
    let checksum = client.target.checksum.unwrap_or(Algorithm::Crc64Nvme).element();
    let mut marker = String::from("0");
    let mut listed = Vec::new();
    for _ in 0..MAX_PAGES {
        let query = [("part-number-marker", marker.as_str()), ("uploadId", upload_id)];
        let page = list(client, cx, key, &query).await?;
        let rows = xml::rows(&page, "Part", ["PartNumber", "Size", "ETag", checksum]).unwrap_or_default();
        for [number, size, etag, checksum] in rows {
            if let (Ok(number), Ok(size)) = (number.parse(), size.parse()) {
                let checksum = (!checksum.is_empty()).then_some(checksum);
                listed.push(Listed { number, size, etag, checksum });
            }
        }
        if listed.len() as u64 > MAX_PARTS {
            break;
        }
        let next = xml::child(&page, "NextPartNumberMarker").filter(|next| *next != marker);
        let truncated = xml::child(&page, "IsTruncated").is_some_and(|truncated| truncated == "true");
        match next.filter(|_| truncated) {
            Some(next) => marker = next,
            None => break,
        }
    }
    Ok(listed)
}

/// Whether the store has any part.
///
/// # Errors
/// Those of [`S3Client::call`].
pub(crate) async fn has_parts<P: Platform>(
    client: &S3Client,
    cx: &Context<P>,
    key: &str,
    upload_id: &str,
) -> Result<bool> {
    let page = list(client, cx, key, &[("max-parts", "1"), ("uploadId", upload_id)]).await?;
    Ok(xml::child(&page, "Part").is_some())
}

/// One page of the list, as XML.
async fn list<P: Platform>(client: &S3Client, cx: &Context<P>, key: &str, query: &[(&str, &str)]) -> Result<String> {
    let operation = Operation { reply: Reply::PartList, ..Operation::new(Step::List, Method::Get, key, query) };
    Ok(client.call(cx, &operation, &cx.settings.retry).await?.body)
}
