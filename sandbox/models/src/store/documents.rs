//! The XML documents of S3's REST API.

use std::collections::BTreeMap;

use crate::checksum::Algorithm;
use crate::encoding::hex;
use crate::xml;

/// An ETag as headers and documents have it.
pub(super) fn quoted(etag: &str) -> String {
    format!("\"{etag}\"")
}

/// A result element in S3's namespace; `inner` is XML.
pub(super) fn result(root: &str, inner: &str) -> String {
    xml::with_head(&format!("<{root} xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{inner}</{root}>"))
}

/// A `CompleteMultipartUpload` document.
#[derive(Debug, PartialEq)]
pub(super) struct Completion {
    /// Part numbers and ETags.
    pub(super) parts: Vec<(u32, String)>,
    /// The checksums of those parts that have one.
    pub(super) checksums: BTreeMap<u32, String>,
}

/// Reads a `CompleteMultipartUpload` document; `None` if the text is none.
pub(super) fn read_complete(text: &[u8]) -> Option<Completion> {
    let text = std::str::from_utf8(text).ok()?;
    let document = roxmltree::Document::parse(text).ok()?;
    let root = document.root_element();
    if root.tag_name().name() != "CompleteMultipartUpload" {
        return None;
    }
    let (mut parts, mut checksums) = (Vec::new(), BTreeMap::new());
    for node in root.children().filter(roxmltree::Node::is_element) {
        if node.tag_name().name() != "Part" {
            return None;
        }
        let field = |name: &str| {
            let mut found = node.children().filter(|n| n.tag_name().name() == name);
            let text = found.next()?.text()?.trim().to_string();
            found.next().is_none().then_some(text)
        };
        let number = field("PartNumber")?.parse().ok()?;
        parts.push((number, field("ETag")?));
        if let Some(value) = Algorithm::ALL.into_iter().find_map(|algorithm| field(algorithm.element())) {
            checksums.insert(number, value);
        }
    }
    (!parts.is_empty()).then_some(Completion { parts, checksums })
}

/// A request id of S3: 16 upper-case hexadecimal digits.
pub(super) fn request_id(number: u64) -> String {
    hex(&number.to_be_bytes()).to_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_parts_or_refuses() {
        let good = br#"<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
            <Part><PartNumber>1</PartNumber><ETag>&quot;a&quot;</ETag></Part>
            <Part><ETag>b</ETag><PartNumber>2</PartNumber></Part></CompleteMultipartUpload>"#;
        let expected = vec![(1, "\"a\"".to_string()), (2, "b".to_string())];
        assert_eq!(read_complete(good).map(|completion| completion.parts), Some(expected));
        for bad in [
            "",
            "{}",
            "<CompleteMultipartUpload/>",
            "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>",
            "<CompleteMultipartUpload><Part><PartNumber>x</PartNumber><ETag>a</ETag></Part></CompleteMultipartUpload>",
            "<CompleteMultipartUpload><Piece/></CompleteMultipartUpload>",
            "<Complete><Part><PartNumber>1</PartNumber><ETag>a</ETag></Part></Complete>",
            "<CompleteMultipartUpload><Part>",
        ] {
            assert_eq!(read_complete(bad.as_bytes()), None, "{bad}");
        }
    }
}
