//! Compares ETags, ignoring what proxies add to them.
//!
//! A proxy that compresses makes an ETag weak (`W/"…"`, nginx) or adds the coding to it: `-gzip` and `-br` (Apache,
//! mod_deflate `DeflateAlterETag`, mod_brotli `BrotliAlterETag`), `--gzip` (Jetty, `GzipHandler`), `;gzip` (older proxies).

use crate::util::hex::hex;
use crate::util::text;

/// Content codings that proxies add to ETags.
const CODINGS: [&str; 4] = ["gzip", "br", "deflate", "zstd"];

/// The text of an ETag without `W/` and quotes, and without a coding after an ETag of S3's form.
///
/// ```
/// use partway::context::integrity::normalized;
/// for etag in ["\"d41d8cd98f00b204e9800998ecf8427e-2\"", "W/\"d41d8cd98f00b204e9800998ecf8427e-2--gzip\""] {
///     assert_eq!(normalized(etag), "d41d8cd98f00b204e9800998ecf8427e-2");
/// }
/// ```
pub fn normalized(etag: &str) -> &str {
    let etag = etag.trim_ascii();
    let strong = etag.strip_prefix("W/").or_else(|| etag.strip_prefix("w/")).unwrap_or(etag);
    let etag = text::trim_matches(strong, b'"').trim_ascii();
    without_coding(etag).unwrap_or(etag)
}

/// The ETag as the store accepts it: unchanged, or strong if a proxy changed it.
///
/// S3 refuses a weak ETag in the list of a CompleteMultipartUpload with `InvalidPart`, and never sends one itself.
pub(crate) fn as_strong(etag: &str) -> String {
    let text = normalized(etag);
    if text::trim_matches(etag.trim_ascii(), b'"') == text {
        return etag.into();
    }
    text::concat(&["\"", text, "\""])
}

/// Whether two ETags are equal, ignoring what proxies add.
pub(crate) fn same(one: &str, other: &str) -> bool {
    normalized(one).eq_ignore_ascii_case(normalized(other))
}

/// Whether an ETag looks like an MD5.
pub fn is_md5(etag: &str) -> bool {
    md5_like(normalized(etag))
}

/// Whether an ETag looks like an MD5, or like the ETag of a multipart upload.
pub(crate) fn is_of_md5s(etag: &str) -> bool {
    md5_like(text::before(normalized(etag), "-"))
}

/// Whether a text is 32 hexadecimal digits.
fn md5_like(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// An ETag of S3's form without the coding after it; None if it has none. The `-2` of an object of two parts is no coding.
fn without_coding(etag: &str) -> Option<&str> {
    let before = CODINGS.iter().find_map(|coding| etag.strip_suffix(coding))?;
    let before = before.strip_suffix(';').or_else(|| before.strip_suffix("--")).or_else(|| before.strip_suffix('-'))?;
    // Some proxies add the coding within the quotes, some after them.
    let before = text::trim_end_matches(before, b'"');
    let (md5, parts) = text::split_once(before, "-").unwrap_or((before, ""));
    (md5_like(md5) && parts.bytes().all(|byte| byte.is_ascii_digit())).then_some(before)
}

/// The result of comparing an ETag with an MD5.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The bytes are the same.
    Same,
    /// The bytes differ.
    Differs,
    /// Not comparable: the ETag isn't an MD5 or is missing, or the bytes weren't hashed.
    Unknown,
}

/// Compares an ETag with an MD5.
///
/// ```
/// use partway::context::integrity::{Verdict, verdict};
/// let md5 = *b"\xd4\x1d\x8c\xd9\x8f\x00\xb2\x04\xe9\x80\x09\x98\xec\xf8\x42\x7e";
/// assert_eq!(verdict(Some("\"d41d8cd98f00b204e9800998ecf8427e\""), Some(md5)), Verdict::Same);
/// assert_eq!(verdict(Some("\"abc-2\""), Some(md5)), Verdict::Unknown);
/// ```
pub fn verdict(etag: Option<&str>, md5: Option<[u8; 16]>) -> Verdict {
    let (Some(etag), Some(md5)) = (etag.filter(|etag| is_md5(etag)), md5) else { return Verdict::Unknown };
    if same(etag, &hex(&md5)) { Verdict::Same } else { Verdict::Differs }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MD5: &str = "d41d8cd98f00b204e9800998ecf8427e";

    #[test]
    fn what_proxies_add_to_an_etag_is_removed() {
        for carried in [MD5.into(), format!("{MD5}-2"), format!("{MD5}-10000")] {
            for form in [
                "X",
                "\"X\"",
                " \"X\" ",
                "W/\"X\"",
                "w/\"X\"",
                "W/X",
                "\"X-gzip\"",
                "\"X--gzip\"",
                "\"X;gzip\"",
                "\"X-br\"",
                "\"X-zstd\"",
                "\"X-deflate\"",
                "\"X\"-gzip",
                "W/\"X-gzip\"",
                "W/\"X;gzip\"",
            ] {
                let etag = form.replace('X', &carried);
                assert_eq!(normalized(&etag), carried, "{etag}");
                assert!(same(&etag, &carried) && is_of_md5s(&etag), "{etag}");
                let sent = as_strong(&etag);
                assert!(sent == etag || sent == format!("\"{carried}\""), "{sent}");
                assert!(!sent.starts_with('W') && !sent.contains("gzip"), "{sent}");
            }
        }
    }

    #[test]
    fn other_etags_are_unchanged() {
        for etag in ["opaque-gzip", "\"0x8D4BCC2E4835CD0\"", "\"abc-2\"", "", "\"", "W/", "\"-gzip\"", "gzip"] {
            assert!(!is_md5(etag) && !is_of_md5s(etag), "{etag}");
        }
        assert_eq!(normalized("\"opaque-gzip\""), "opaque-gzip");
        assert_eq!(as_strong("\"opaque-gzip\""), "\"opaque-gzip\"");
        assert_eq!(as_strong("W/\"opaque\""), "\"opaque\"");
        assert_eq!(normalized(&format!("\"{MD5}-2x-gzip\"")), format!("{MD5}-2x-gzip"));
        assert!(!same("\"a\"", "\"b\"") && same("\"A\"", "a"));
    }

    proptest! {
        #[test]
        fn any_text_can_be_asked(etag in "(W/)?\"?(\\PC{0,40}|[0-9a-f]{32}(-[0-9]{1,5})?)(-gzip|;gzip|--br)?\"?(-gzip)?") {
            let carried = normalized(&etag);
            // A text of quotes and prefixes in another order than an ETag's carries more of them.
            prop_assume!(normalized(carried) == carried);
            prop_assert!(etag.contains(carried));
            prop_assert!(same(&as_strong(&etag), carried));
            prop_assert!(!is_md5(&etag) || carried.len() == 32);
        }
    }
}
