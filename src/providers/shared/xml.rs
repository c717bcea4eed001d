//! The subset of XML that S3's answers use: the text of elements right below the root. Anything else yields None or no text, and
//! nothing here fails.

use crate::util::text;

/// One step through a document.
#[derive(Debug, PartialEq, Eq)]
enum Token<'a> {
    Open(&'a str),
    Close,
    /// `<name/>`.
    Whole(&'a str),
    /// Characters with entities in them.
    Text(&'a str),
    /// Characters as they are: CDATA.
    Raw(&'a str),
}

struct Tokens<'a>(&'a str);

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            if self.0.is_empty() {
                return None;
            }
            if !self.0.starts_with('<') {
                let end = text::find(self.0, "<").unwrap_or(self.0.len());
                return Some(Token::Text(self.take(end, 0)));
            }
            if self.0.starts_with("<!--") {
                self.past("-->")?;
            } else if self.0.starts_with("<![CDATA[") {
                return Some(Token::Raw(self.past("]]>")?.get(9..)?));
            } else if self.0.starts_with("<?") {
                self.past("?>")?;
            } else if self.0.starts_with("<!") {
                self.past(">")?;
            } else {
                let tag = self.past(">")?.get(1..)?;
                if tag.starts_with('/') {
                    return Some(Token::Close);
                }
                let end = tag.bytes().position(|byte| byte.is_ascii_whitespace() || byte == b'/');
                let name = &tag[..end.unwrap_or(tag.len())];
                let local = text::rfind(name, b':').map_or(name, |at| &name[at + 1..]);
                return Some(if tag.ends_with('/') { Token::Whole(local) } else { Token::Open(local) });
            }
        }
    }
}

impl<'a> Tokens<'a> {
    /// The text before `end`; both are consumed.
    fn past(&mut self, end: &str) -> Option<&'a str> {
        let Some(at) = text::find(self.0, end) else {
            self.0 = "";
            return None;
        };
        Some(self.take(at, end.len()))
    }

    fn take(&mut self, len: usize, gap: usize) -> &'a str {
        let (head, tail) = self.0.split_at(len);
        self.0 = tail.get(gap..).unwrap_or("");
        head
    }
}

/// The name of the root element, without a prefix.
pub(crate) fn root(xml: &str) -> Option<&str> {
    Tokens(xml).find_map(|token| match token {
        Token::Open(name) | Token::Whole(name) => Some(name),
        _ => None,
    })
}

/// The text of the first element of that name right below the root; None where the document has none, or is cut short before
/// its end.
pub(crate) fn child(xml: &str, name: &str) -> Option<String> {
    let (mut depth, mut text) = (0_u32, None);
    for token in Tokens(xml) {
        match token {
            Token::Open(tag) => {
                depth = depth.saturating_add(1);
                if depth == 2 && text.is_none() && tag == name {
                    text = Some(String::new());
                }
            }
            Token::Whole(tag) if depth == 1 && tag == name => return Some(String::new()),
            Token::Whole(_) => (),
            Token::Close => {
                if depth == 2 && text.is_some() {
                    return text.map(|text| text.trim_ascii().into());
                }
                depth = depth.checked_sub(1)?;
            }
            Token::Text(piece) if depth == 2 => text.iter_mut().for_each(|text| decode(piece, text)),
            Token::Raw(piece) if depth == 2 => text.iter_mut().for_each(|text| text.push_str(piece)),
            Token::Text(_) | Token::Raw(_) => (),
        }
    }
    None
}

/// For each element of that name right below the root, the texts of its children with those names, empty where it has none;
/// None where the document is cut short before its end.
pub(crate) fn rows<const N: usize>(xml: &str, element: &str, names: [&str; N]) -> Option<Vec<[String; N]>> {
    let (mut depth, mut rows, mut column) = (0_u32, Vec::new(), None);
    let mut inside = false;
    for token in Tokens(xml) {
        match token {
            Token::Open(tag) => {
                depth = depth.saturating_add(1);
                if depth == 2 && tag == element {
                    inside = true;
                    rows.push([const { String::new() }; N]);
                } else if depth == 3 && inside {
                    column = names.iter().position(|name| *name == tag);
                }
            }
            Token::Close => {
                depth = depth.checked_sub(1)?;
                match depth {
                    0 => return Some(rows),
                    1 => inside = false,
                    2 => column = None,
                    _ => (),
                }
            }
            Token::Whole(_) => (),
            Token::Text(_) | Token::Raw(_) if depth != 3 => (),
            Token::Text(piece) | Token::Raw(piece) => {
                if let (Some(column), Some(row)) = (column, rows.last_mut()) {
                    if matches!(token, Token::Raw(_)) {
                        row[column].push_str(piece)
                    } else {
                        decode(piece, &mut row[column])
                    }
                }
            }
        }
    }
    None
}

/// The longest reference, `&#x10FFFF;`, and some zeros. A longer one isn't a reference: a search to the end for each
/// ampersand would take quadratic time.
const REFERENCE: usize = 16;

/// Decodes the five named entities and character references; leaves anything else as it is.
fn decode(mut piece: &str, text: &mut String) {
    while let Some(at) = text::find(piece, "&") {
        let (head, tail) = piece.split_at(at);
        text.push_str(head);
        let entity = tail.bytes().take(REFERENCE).position(|byte| byte == b';').map_or("", |end| &tail[1..end]);
        let letter = match entity {
            "lt" => Some('<'),
            "gt" => Some('>'),
            "amp" => Some('&'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => reference(entity),
        };
        match (letter, tail.get(entity.len() + 2..)) {
            (Some(letter), Some(rest)) => {
                text.push(letter);
                piece = rest;
            }
            _ => {
                text.push('&');
                piece = &tail[1..];
            }
        }
    }
    text.push_str(piece);
}

/// The letter that a character reference stands for: `#x41` or `#65`.
fn reference(entity: &str) -> Option<char> {
    let digits = entity.strip_prefix('#')?;
    let (digits, radix) = match digits.strip_prefix('x') {
        Some(digits) => (digits, 16),
        None => (digits, 10),
    };
    char::from_u32(u32::from_str_radix(digits, radix).ok()?)
}

/// Adds text to a document, with what XML would misread written as entities.
pub(crate) fn escape(text: &str, xml: &mut String) {
    for letter in text.chars() {
        match letter {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            other => xml.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_rows() {
        let list = "<ListPartsResult><PartNumber>9</PartNumber><Part><ETag>&quot;a&quot;</ETag><Size>5</Size>\
            <Owner><Size>7</Size></Owner><PartNumber>1</PartNumber></Part><Part/><Part><PartNumber>2</PartNumber></Part></ListPartsResult>";
        let rows = rows(list, "Part", ["PartNumber", "Size", "ETag"]).unwrap();
        assert_eq!(rows, [["1", "5", "\"a\""].map(String::from), ["2", "", ""].map(String::from)]);
        assert_eq!(super::rows(&list[..list.len() - 5], "Part", ["Size"]), None);
    }
    use proptest::prelude::*;

    #[test]
    fn reads_what_stores_send() {
        let xml = "\n  \n<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- <Code>no</Code> -->\
            <s3:Error xmlns:s3=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Deep><Code>Deeper</Code></Deep>\
            <Code> SlowDown </Code><Code>Second</Code><Message>a &lt;b&gt; &amp;amp; &#x41;&#66; &bogus; &#xD800; &</Message>\
            <Raw a='/'><![CDATA[<&amp;>]]></Raw><Empty/></s3:Error>";
        assert_eq!(root(xml), Some("Error"));
        assert_eq!(child(xml, "Code").as_deref(), Some("SlowDown"));
        assert_eq!(child(xml, "Message").as_deref(), Some("a <b> &amp; AB &bogus; &#xD800; &"));
        assert_eq!(child(xml, "Raw").as_deref(), Some("<&amp;>"));
        assert_eq!(child(xml, "Empty").as_deref(), Some(""));
        assert_eq!(child(xml, "Error"), None);
        assert_eq!(child(xml, "Other"), None);
    }

    #[test]
    fn what_is_cut_short_gives_nothing() {
        for xml in [
            "",
            "<",
            "</",
            "<Error",
            "<Error><Code>Slow",
            "<Error><Code>Slow</Co",
            "</a></b>",
            "<!--",
            "<![CDATA[",
            "<?",
        ] {
            assert_eq!(child(xml, "Code"), None, "{xml}");
        }
        assert_eq!(root("plain text"), None);
    }

    #[test]
    fn what_is_escaped_comes_back() {
        let mut xml = String::from("<a><b>");
        escape("\"<&>'\"", &mut xml);
        xml.push_str("</b></a>");
        assert_eq!(child(&xml, "b").as_deref(), Some("\"<&>'\""));
    }

    #[test]
    fn a_reference_that_does_not_end_is_text() {
        for text in
            ["&", "&&&&", "&#x", "&lt", "&#x0000000000000041;", "&#;", "&;", "&#x110000;", "&\u{1F600};", "a&b;c"]
        {
            assert_eq!(child(&["<a><b>", text, "</b></a>"].concat(), "b").as_deref(), Some(text));
        }
        assert_eq!(child("<a><b>&#x0000041;&#65;</b></a>", "b").as_deref(), Some("AA"));
    }

    proptest! {
        #[test]
        fn rows_are_what_the_document_says(
            list in proptest::collection::vec(("[0-9]{1,5}", "[a-z&<>\"]{0,6}"), 0..20),
            noise in "(<!-- <Part> -->|<x><Part><Size>0</Size></Part></x>|<Part2/>|\n)?",
        ) {
            let mut xml = String::from("<?xml version=\"1.0\"?><List>");
            for (size, etag) in &list {
                xml.push_str(&format!("{noise}<Part><Size>{size}</Size>{noise}<ETag>"));
                escape(etag, &mut xml);
                xml.push_str("</ETag></Part>");
            }
            xml.push_str("</List>");
            let rows = rows(&xml, "Part", ["Size", "ETag"]).unwrap();
            prop_assert_eq!(rows, list.into_iter().map(|(size, etag)| [size, etag]).collect::<Vec<_>>());
        }

        #[test]
        fn a_list_that_is_damaged_gives_no_more_rows_than_it_names(at in 0usize..200, gone in 0usize..40, new in "[<>/&;PartSize1]{0,20}") {
            let xml = "<List><Part><Size>1</Size></Part><Part><Size>&lt;</Size></Part><Other/><Part><ETag><![CDATA[x]]></ETag></Part></List>";
            let (from, to) = (at.min(xml.len()), (at + gone).min(xml.len()));
            let xml = [&xml[..from], &new, &xml[to..]].concat();
            let most = xml.matches("Part").count();
            prop_assert!(rows(&xml, "Part", ["Size", "ETag"]).is_none_or(|rows| rows.len() <= most));
            let _ = (root(&xml), child(&xml, "Part"));
        }

        #[test]
        fn no_text_panics(text in "[<>/!?&;#x\\[\\]CDATA\\-a-c:\" \u{1F600}]{0,60}") {
            let _ = (root(&text), child(&text, "a"), rows(&text, "a", ["b", "c"]));
        }

        #[test]
        fn any_text_comes_back(text in "\\PC*") {
            let mut xml = String::from("<a><b>");
            escape(&text, &mut xml);
            xml.push_str("</b></a>");
            let back = child(&xml, "b");
            prop_assert_eq!(back.as_deref(), Some(text.trim_ascii()));
        }
    }
}
