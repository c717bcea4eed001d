use crate::encoding::hex;

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\r' => out.push_str("&#13;"),
            _ => out.push(c),
        }
    }
    out
}

pub(super) fn element(name: &str, text: &str) -> String {
    format!("<{name}>{}</{name}>", escape(text))
}

pub(super) fn document(root: &str, elements: &[(&str, &str)]) -> String {
    let inner = elements.iter().map(|(name, text)| element(name, text));
    format!("{HEAD}<{root}>{}</{root}>", inner.collect::<String>())
}

/// A result, in S3's namespace; `inner` is XML already.
pub(super) fn result(root: &str, inner: &str) -> String {
    format!("{HEAD}<{root} xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">{inner}</{root}>")
}

/// The parts of a `CompleteMultipartUpload` document; `None` where it isn't one.
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

/// S3's request ids are 16 upper-case hexadecimal digits.
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

    #[test]
    fn text_is_escaped() {
        assert_eq!(element("Key", "a&<b>\""), "<Key>a&amp;&lt;b&gt;&quot;</Key>");
    }
}
