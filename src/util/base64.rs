//! Base64 (RFC 4648, 4), as S3 writes checksums.

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Bytes as base64.
///
/// ```
/// assert_eq!(partway::util::base64::encode(b"light w"), "bGlnaHQgdw==");
/// ```
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let at = |index: usize| u32::from(three.get(index).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for digit in 0..4 {
            let number = bits >> (18 - 6 * digit) & 63;
            text.push(if digit as usize > three.len() { '=' } else { char::from(DIGITS[number as usize]) });
        }
    }
    text
}

/// The bytes of a text in base64; None if it is none.
///
/// ```
/// assert_eq!(partway::util::base64::decode("bGlnaHQgdw=="), Some(b"light w".to_vec()));
/// assert_eq!(partway::util::base64::decode("bGlnaHQgdw"), None);
/// ```
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for four in text.as_bytes().chunks(4) {
        let padding = four.iter().rev().take_while(|digit| **digit == b'=').count();
        let mut bits = 0;
        for digit in four.iter().take(4 - padding) {
            bits = bits << 6 | DIGITS.iter().position(|known| known == digit)? as u32;
        }
        if four.len() < 4 || padding > 2 {
            return None;
        }
        bits <<= 6 * padding;
        bytes.extend(bits.to_be_bytes()[1..].iter().take(3 - padding));
    }
    // Padding is at the end, and what it cuts off is zero.
    (encode(&bytes) == text).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_vectors_of_the_rfc() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(encode(bytes.as_bytes()), text);
            assert_eq!(decode(text).as_deref(), Some(bytes.as_bytes()));
        }
        for text in ["=", "====", "Zg=", "Z===", "Zg==Zg==", "Zh==", "Zm9v\n", "Zm-_"] {
            assert_eq!(decode(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_come_back_and_any_text_can_be_asked(bytes: Vec<u8>, text in "\\PC{0,20}") {
            prop_assert_eq!(decode(&encode(&bytes)), Some(bytes));
            prop_assert!(decode(&text).is_none_or(|bytes| encode(&bytes) == text));
        }
    }
}
