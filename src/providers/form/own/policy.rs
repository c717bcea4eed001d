//! The policy by which a bucket takes a form.

use crate::util::text;

/// A form that is for a bucket, since a policy allows it.
#[derive(Debug)]
pub(super) struct Policy {
    /// The object's key, if the page can know it.
    pub(super) key: Option<String>,
}

impl Policy {
    /// None for the fields of any other form. (AWS S3 API Reference, "POST Object": `policy` and `x-amz-signature`, or `signature` with
    /// version 2; Google Cloud Storage, "POST Object": `policy` and `x-goog-signature`.)
    pub(super) fn of(fields: &[(String, String)]) -> Option<Self> {
        let find = |is: fn(&str) -> bool| fields.iter().find(|(name, _)| is(&name.to_ascii_lowercase()));
        find(|name| name == "policy").and(find(|name| name.ends_with("signature")))?;
        // The store replaces what is in braces.
        let key = find(|name| name == "key").filter(|(_, key)| !text::contains(key, "${"));
        Some(Self { key: key.map(|(_, key)| key.clone()) })
    }
}
