//! Bytes as hexadecimal digits.

/// Bytes as lower-case hexadecimal digits.
///
/// ```
/// assert_eq!(partway::util::hex::hex(&[0, 0xAB]), "00ab");
/// ```
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        for half in [byte >> 4, byte & 15] {
            text.push(char::from(DIGITS[usize::from(half)]));
        }
    }
    text
}
