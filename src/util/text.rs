//! Formatting and searching text, in few bytes of download: the standard library's are optimised for speed, and each use is compiled
//! separately.

/// Formats a template, replacing each `{}` by one of the values. A wrong number of values doesn't compile.
macro_rules! text {
    ($template:literal $(, $value:expr)* $(,)?) => {{
        const { assert!($crate::util::text::placeholders($template) == <[&str]>::len(&[$(stringify!($value)),*])) };
        $crate::util::text::fill($template, &[$(&$value),*])
    }};
}

/// Counts the `{}` in a template.
pub(crate) const fn placeholders(template: &str) -> usize {
    let (bytes, mut at, mut count) = (template.as_bytes(), 1, 0);
    while at < bytes.len() {
        if bytes[at - 1] == b'{' && bytes[at] == b'}' {
            count += 1;
        }
        at += 1;
    }
    count
}

/// Concatenates texts.
pub(crate) fn concat(pieces: &[&str]) -> String {
    join(pieces, "")
}

/// Joins texts with a separator between them.
pub(crate) fn join<T: AsRef<str>>(items: &[T], separator: &str) -> String {
    let mut joined = String::new();
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            joined.push_str(separator);
        }
        joined.push_str(item.as_ref());
    }
    joined
}

/// The first position of a pattern in a text.
pub(crate) fn find(text: &str, pattern: &str) -> Option<usize> {
    text.as_bytes().windows(pattern.len()).position(|window| window == pattern.as_bytes())
}

/// Whether a text contains a pattern.
pub(crate) fn contains(text: &str, pattern: &str) -> bool {
    find(text, pattern).is_some()
}

/// Splits a text at the first delimiter.
pub(crate) fn split_once<'a>(text: &'a str, delimiter: &str) -> Option<(&'a str, &'a str)> {
    let at = find(text, delimiter)?;
    Some((text.get(..at)?, text.get(at + delimiter.len()..)?))
}

/// The text before the first delimiter; the whole text if it has none.
pub(crate) fn before<'a>(text: &'a str, delimiter: &str) -> &'a str {
    split_once(text, delimiter).map_or(text, |(head, _)| head)
}

/// Splits a text at every delimiter.
pub(crate) fn split<'a>(mut text: &'a str, delimiter: &str) -> Vec<&'a str> {
    let mut pieces = Vec::new();
    while let Some((piece, rest)) = split_once(text, delimiter) {
        pieces.push(piece);
        text = rest;
    }
    pieces.push(text);
    pieces
}

/// The last position of an ASCII character in a text.
pub(crate) fn rfind(text: &str, character: u8) -> Option<usize> {
    text.as_bytes().iter().rposition(|byte| *byte == character)
}

/// Removes every occurrence of an ASCII character from both ends of a text.
pub(crate) fn trim_matches(mut text: &str, character: u8) -> &str {
    while text.as_bytes().first() == Some(&character) {
        text = &text[1..];
    }
    trim_end_matches(text, character)
}

/// Removes every occurrence of an ASCII character from the end of a text.
pub(crate) fn trim_end_matches(mut text: &str, character: u8) -> &str {
    while text.as_bytes().last() == Some(&character) {
        text = &text[..text.len() - 1];
    }
    text
}

/// A value that [`text!`] can format.
pub(crate) trait Display {
    /// Appends the value to a text.
    fn append_to(&self, text: &mut String);
}

impl Display for str {
    fn append_to(&self, text: &mut String) {
        text.push_str(self);
    }
}

impl Display for String {
    fn append_to(&self, text: &mut String) {
        text.push_str(self);
    }
}

impl<T: Display + ?Sized> Display for &T {
    fn append_to(&self, text: &mut String) {
        (**self).append_to(text);
    }
}

impl Display for u64 {
    fn append_to(&self, text: &mut String) {
        if *self >= 10 {
            (*self / 10).append_to(text);
        }
        text.push(char::from(b'0' + (*self % 10) as u8));
    }
}

impl Display for u32 {
    fn append_to(&self, text: &mut String) {
        u64::from(*self).append_to(text);
    }
}

impl Display for u16 {
    fn append_to(&self, text: &mut String) {
        u64::from(*self).append_to(text);
    }
}

impl Display for usize {
    fn append_to(&self, text: &mut String) {
        (*self as u64).append_to(text);
    }
}

/// Formats a template that isn't a literal: each `{}` is replaced by the next value.
pub(crate) fn fill(template: &str, values: &[&dyn Display]) -> String {
    let mut text = String::new();
    let mut rest = template;
    for value in values {
        let (head, tail) = split_once(rest, "{}").unwrap_or((rest, ""));
        text.push_str(head);
        value.append_to(&mut text);
        rest = tail;
    }
    text.push_str(rest);
    text
}

/// A number in decimal digits.
pub(crate) fn number(number: u64) -> String {
    let mut text = String::new();
    number.append_to(&mut text);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_and_joins() {
        assert_eq!(concat(&["a", "", "b"]), "ab");
        assert_eq!(join(&["", "a", "b"], "/"), "/a/b");
        assert_eq!(text!("{} of {}: {}", 0_u64, u64::MAX, "{}"), "0 of 18446744073709551615: {}");
        assert_eq!((text!("a"), placeholders("{}{{}"), placeholders("{")), ("a".into(), 2, 0));
        assert_eq!((number(0), number(1_234_567_890)), ("0".into(), "1234567890".into()));
    }

    #[test]
    fn searches_as_the_standard_library_does() {
        assert_eq!((find("abcabc", "ca"), find("ab", "abc")), (Some(2), None));
        assert_eq!(split_once("https://x://y", "://"), Some(("https", "x://y")));
        assert_eq!((split_once("é, 1", ", "), split_once("", "://")), (Some(("é", "1")), None));
        assert_eq!((before("a;b;c", ";"), before("a", ";"), before("", ";")), ("a", "a", ""));
        assert_eq!((split("a&&b&", "&"), split("", "&")), (vec!["a", "", "b", ""], vec![""]));
        assert_eq!((rfind("a:b:c", b':'), rfind("a", b':')), (Some(3), None));
        assert_eq!(
            (trim_matches("\"\"é\"", b'"'), trim_matches("\"", b'"'), trim_end_matches("a//", b'/')),
            ("é", "", "a")
        );
    }
}
