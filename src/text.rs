//! Text put together and looked through, in few bytes: the standard library's searches and formatting are made for speed, and each
//! use of them is compiled anew.

/// One text from several.
pub(crate) fn join(pieces: &[&str]) -> String {
    let mut whole = String::new();
    for piece in pieces {
        whole.push_str(piece);
    }
    whole
}

/// One text from several, with something between them.
pub(crate) fn list<T: AsRef<str>>(items: &[T], between: &str) -> String {
    let mut whole = String::new();
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            whole.push_str(between);
        }
        whole.push_str(item.as_ref());
    }
    whole
}

/// Where a part of a text begins.
pub(crate) fn find(text: &str, part: &str) -> Option<usize> {
    text.as_bytes().windows(part.len()).position(|window| window == part.as_bytes())
}

/// True where a text has that part.
pub(crate) fn has(text: &str, part: &str) -> bool {
    find(text, part).is_some()
}

/// What is before a mark and what is behind it.
pub(crate) fn cut<'a>(text: &'a str, mark: &str) -> Option<(&'a str, &'a str)> {
    let at = find(text, mark)?;
    Some((text.get(..at)?, text.get(at + mark.len()..)?))
}

/// What is before a mark; all of it where there is none.
pub(crate) fn until<'a>(text: &'a str, mark: &str) -> &'a str {
    cut(text, mark).map_or(text, |(head, _)| head)
}

/// What is between the marks.
pub(crate) fn pieces<'a>(mut text: &'a str, mark: &str) -> Vec<&'a str> {
    let mut pieces = Vec::new();
    while let Some((piece, rest)) = cut(text, mark) {
        pieces.push(piece);
        text = rest;
    }
    pieces.push(text);
    pieces
}

/// Where a letter of ASCII stands last.
pub(crate) fn last(text: &str, letter: u8) -> Option<usize> {
    text.as_bytes().iter().rposition(|byte| *byte == letter)
}

/// A text without what begins or ends it, both a letter of ASCII, however often.
pub(crate) fn bare(mut text: &str, letter: u8) -> &str {
    while text.as_bytes().first() == Some(&letter) {
        text = &text[1..];
    }
    end_bare(text, letter)
}

/// A text without the letter of ASCII that ends it, however often.
pub(crate) fn end_bare(mut text: &str, letter: u8) -> &str {
    while text.as_bytes().last() == Some(&letter) {
        text = &text[..text.len() - 1];
    }
    text
}

/// What can be put into a text.
pub(crate) trait Piece {
    /// Adds it to the text.
    fn put(&self, text: &mut String);
}

impl Piece for str {
    fn put(&self, text: &mut String) {
        text.push_str(self);
    }
}

impl Piece for String {
    fn put(&self, text: &mut String) {
        text.push_str(self);
    }
}

impl<T: Piece + ?Sized> Piece for &T {
    fn put(&self, text: &mut String) {
        (**self).put(text);
    }
}

impl Piece for u64 {
    fn put(&self, text: &mut String) {
        if *self >= 10 {
            (*self / 10).put(text);
        }
        text.push(char::from(b'0' + (*self % 10) as u8));
    }
}

impl Piece for u32 {
    fn put(&self, text: &mut String) {
        u64::from(*self).put(text);
    }
}

impl Piece for usize {
    fn put(&self, text: &mut String) {
        (*self as u64).put(text);
    }
}

/// The template with each `{}` replaced by the next piece.
pub(crate) fn fill(template: &str, pieces: &[&dyn Piece]) -> String {
    let mut text = String::new();
    let mut rest = template;
    for piece in pieces {
        let (head, tail) = cut(rest, "{}").unwrap_or((rest, ""));
        text.push_str(head);
        piece.put(&mut text);
        rest = tail;
    }
    text.push_str(rest);
    text
}

/// A number in digits.
pub(crate) fn number(number: u64) -> String {
    let mut text = String::new();
    number.put(&mut text);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn puts_together() {
        assert_eq!(join(&["a", "", "b"]), "ab");
        assert_eq!(list(&["", "a", "b"], "/"), "/a/b");
        assert_eq!(fill("{} of {}: {}", &[&0_u64, &u64::MAX, &"{}"]), "0 of 18446744073709551615: {}");
        assert_eq!((number(0), number(1_234_567_890)), ("0".into(), "1234567890".into()));
    }

    #[test]
    fn looks_through() {
        assert_eq!((find("abcabc", "ca"), find("ab", "abc")), (Some(2), None));
        assert_eq!(cut("https://x://y", "://"), Some(("https", "x://y")));
        assert_eq!((cut("é, 1", ", "), cut("", "://")), (Some(("é", "1")), None));
        assert_eq!((until("a;b;c", ";"), until("a", ";"), until("", ";")), ("a", "a", ""));
        assert_eq!((pieces("a&&b&", "&"), pieces("", "&")), (vec!["a", "", "b", ""], vec![""]));
        assert_eq!((last("a:b:c", b':'), last("a", b':')), (Some(3), None));
        assert_eq!((bare("\"\"é\"", b'"'), bare("\"", b'"'), end_bare("a//", b'/')), ("é", "", "a"));
    }
}
