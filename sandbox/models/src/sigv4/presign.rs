//! Presigned URLs.

use super::signature::{ALGORITHM, canonical_request, sign};
use crate::clock::amz_date;
use crate::encoding::percent_encode;
use crate::wire::Headers;

/// The keys that sign a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The access key, which is part of the URL.
    pub access_key: String,
    /// The secret key, which is never sent.
    pub secret_key: String,
    /// The session token of temporary credentials, which is part of the query.
    pub session_token: Option<String>,
}

/// The request that a URL is signed for.
#[derive(Clone, Copy, Debug)]
pub struct Target<'a> {
    /// The method: `GET`, `PUT` ...
    pub method: &'a str,
    /// Scheme, host, and the port if it isn't the scheme's default.
    pub endpoint: &'a str,
    /// The path, percent-encoded.
    pub path: &'a str,
    /// The query parameters without those of the signature, decoded.
    pub query: &'a [(String, String)],
    /// The signed headers besides `host`; the request must have exactly these values.
    pub headers: &'a Headers,
}

/// A URL for `target` that is valid for `expires_s` seconds from `now` on.
pub fn presign(credentials: &Credentials, region: &str, target: &Target<'_>, expires_s: u64, now: u64) -> String {
    let endpoint = target.endpoint.trim_end_matches('/');
    let host = endpoint.split_once("://").map_or(endpoint, |(_, host)| host);
    let mut headers = target.headers.clone();
    headers.insert("host", host);
    let signed = signed_names(&headers);

    let date = amz_date(now);
    let scope = format!("{}/{region}/s3/aws4_request", &date[..8]);
    let mut query = target.query.to_vec();
    let mut add = |name: &str, value: &str| query.push((name.to_string(), value.to_string()));
    add("X-Amz-Algorithm", ALGORITHM);
    add("X-Amz-Credential", &format!("{}/{scope}", credentials.access_key));
    add("X-Amz-Date", &date);
    add("X-Amz-Expires", &expires_s.to_string());
    add("X-Amz-SignedHeaders", &signed.join(";"));
    if let Some(token) = &credentials.session_token {
        add("X-Amz-Security-Token", token);
    }
    let canonical = canonical_request(target.method, target.path, &query, &headers, &signed);
    let signature = sign(&credentials.secret_key, &scope, &date, &canonical);
    query.push(("X-Amz-Signature".to_string(), signature));
    let query = query.iter().map(|(name, value)| format!("{}={}", percent_encode(name), percent_encode(value)));
    let query: Vec<String> = query.collect();
    format!("{endpoint}{}?{}", target.path, query.join("&"))
}

fn signed_names(headers: &Headers) -> Vec<String> {
    let mut names: Vec<String> = headers.iter().map(|(name, _)| name.to_string()).collect();
    names.sort();
    names.dedup();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example of AWS S3 API Reference, "Authenticating Requests: Using Query Parameters".
    #[test]
    fn the_published_vector() {
        let credentials = Credentials {
            access_key: "AKIAIOSFODNN7EXAMPLE".to_string(),
            secret_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_string(),
            session_token: None,
        };
        let target = Target {
            method: "GET",
            endpoint: "https://examplebucket.s3.amazonaws.com",
            path: "/test.txt",
            query: &[],
            headers: &Headers::new(),
        };
        let may_24_2013 = 1_369_353_600_000;
        let url = presign(&credentials, "us-east-1", &target, 86_400, may_24_2013);
        assert_eq!(
            url,
            "https://examplebucket.s3.amazonaws.com/test.txt\
             ?X-Amz-Algorithm=AWS4-HMAC-SHA256\
             &X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request\
             &X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host\
             &X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
        );
    }
}
