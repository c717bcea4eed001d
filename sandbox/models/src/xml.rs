//! Writing XML.

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// Escapes the characters that have a meaning in XML.
pub(crate) fn escape(text: &str) -> String {
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

/// An element that contains `text`.
pub(crate) fn element(name: &str, text: &str) -> String {
    format!("<{name}>{}</{name}>", escape(text))
}

/// A document whose root has these elements.
pub fn document(root: &str, elements: &[(&str, &str)]) -> String {
    let inner: String = elements.iter().map(|(name, text)| element(name, text)).collect();
    with_head(&format!("<{root}>{inner}</{root}>"))
}

/// A document with this root element.
pub(crate) fn with_head(root: &str) -> String {
    format!("{HEAD}{root}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped() {
        assert_eq!(element("Key", "a&<b>\""), "<Key>a&amp;&lt;b&gt;&quot;</Key>");
    }
}
