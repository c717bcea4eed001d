//! The XML documents of S3's REST API.

use crate::encoding::hex;
use crate::xml;

/// A result element in S3's namespace; `inner` is XML.
pub(super) fn result(root: &str, inner: &str) -> String {
    xml::with_head(&format!("<{root} xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{inner}</{root}>"))
}

/// The parts of a `CompleteMultipartUpload` document; `None` if the text is no such document.
pub(super) fn read_complete(text: &[u8]) -> Option<Vec<(u32, String)>> {
    let text = std::str::from_utf8(text).ok()?;
    let document = roxmltree::Document::parse(text).ok()?;
    let root = document.root_element();
    if root.tag_name().name() != "CompleteMultipartUpload" {
        return None;
    }
    let mut parts = Vec::new();
    for node in root.children().filter(roxmltree::Node::is_element) {
        if node.tag_name().name() != "Part" {
            return None;
        }
        let field = |name: &str| {
            let mut found = node.children().filter(|n| n.tag_name().name() == name);
            let text = found.next()?.text()?.trim().to_string();
            found.next().is_none().then_some(text)
        };
        parts.push((field("PartNumber")?.parse().ok()?, field("ETag")?));
    }
    (!parts.is_empty()).then_some(parts)
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
        assert_eq!(read_complete(good), Some(expected));
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
