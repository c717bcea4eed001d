//! Percent encoding, query strings and hexadecimal, in the exact forms that signatures need.

/// Encodes everything but RFC 3986's unreserved characters, as SigV4 requires for query names and values
/// (AWS S3 API Reference, "Authenticating Requests: Using Query Parameters", `UriEncode`).
pub fn percent_encode(text: &str) -> String {
    encode(text, false)
}

/// Like [`percent_encode`], but keeps `/`: for object keys and paths.
pub fn percent_encode_path(text: &str) -> String {
    encode(text, true)
}

fn encode(text: &str, keep_slash: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for &byte in text.as_bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(byte as char);
            }
            b'/' if keep_slash => out.push('/'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Decodes `%XX`. `None` if an escape is invalid or the result isn't UTF-8.
pub fn percent_decode(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let high = (bytes.next()? as char).to_digit(16)?;
            let low = (bytes.next()? as char).to_digit(16)?;
            out.push((high * 16 + low) as u8);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

/// Parses a query string (without `?`) into decoded pairs, in their order; `+` is a space. A pair that can't be decoded is
/// kept as it is.
pub fn parse_query(query: &str) -> Vec<(String, String)> {
    let decode = |text: &str| {
        let text = text.replace('+', " ");
        percent_decode(&text).unwrap_or(text)
    };
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| match pair.split_once('=') {
            Some((name, value)) => (decode(name), decode(value)),
            None => (decode(pair), String::new()),
        })
        .collect()
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_all_but_the_unreserved() {
        assert_eq!(percent_encode("a/b c+é~_-."), "a%2Fb%20c%2B%C3%A9~_-.");
        assert_eq!(percent_encode_path("a/b c"), "a/b%20c");
    }

    #[test]
    fn decodes_what_it_encodes() {
        let text = "upload:550e8400 +/é";
        assert_eq!(percent_decode(&percent_encode(text)).as_deref(), Some(text));
        for broken in ["%", "%2", "%zz", "%FF"] {
            assert_eq!(percent_decode(broken), None, "{broken}");
        }
    }

    #[test]
    fn query_pairs_keep_their_order() {
        let pairs = parse_query("uploads&b=1%2F2&a=x+y&&c=");
        let expected = [("uploads", ""), ("b", "1/2"), ("a", "x y"), ("c", "")];
        let expected: Vec<_> = expected.iter().map(|(a, b)| (a.to_string(), b.to_string())).collect();
        assert_eq!(pairs, expected);
    }
}
