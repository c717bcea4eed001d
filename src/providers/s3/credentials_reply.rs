//! What the application's `getCredentials` returned: a set of credentials in this package's spelling or in STS's, or something else, which
//! the error describes. No value is ever shown.

use super::sigv4::Key;
use crate::error::{Code, Result, Step, UploadError};
use crate::json::{Json, Kind};
use crate::util::time::parse_iso;

/// The members, and how STS spells them (AWS STS API Reference, "Credentials").
const ID: [&str; 2] = ["accessKeyId", "AccessKeyId"];
const SECRET: [&str; 2] = ["secretAccessKey", "SecretAccessKey"];
const TOKEN: [&str; 2] = ["sessionToken", "SessionToken"];
const EXPIRATION: [&str; 2] = ["expiration", "Expiration"];
/// The members that STS's answers wrap them in.
const WRAPPERS: [&str; 2] = ["Credentials", "credentials"];

/// A number above this is an epoch in milliseconds, any other one in seconds: 10^11 s is the year 5138. (A choice.)
const IN_MS: f64 = 1e11;
/// The most members that an error lists, and the most bytes of each name. (Choices.)
const MAX_NAMES: usize = 8;
const MAX_NAME: usize = 40;

const SHAPE: &str = "Return { accessKeyId, secretAccessKey, sessionToken?, expiration? }, or STS's answer.";

/// A set of credentials, and when it expires, where the application says so.
#[derive(Debug)]
pub(super) struct CredentialsReply {
    pub(super) key: Key,
    pub(super) expires_at: Option<u64>,
}

/// Reads what `getCredentials` returned.
///
/// # Errors
/// `invalid-options`, with what was found.
pub(super) fn read<J: Json>(answer: &J) -> Result<CredentialsReply> {
    let wrapped = member(answer, WRAPPERS).filter(|inner| matches!(inner.kind(), Kind::Object));
    let object = wrapped.as_ref().unwrap_or(answer);
    let token = member(object, TOKEN);
    let bad_token = token.is_some_and(|token| !matches!(token.kind(), Kind::String(_)));
    let (Some(id), Some(secret), false) = (filled(object, ID), filled(object, SECRET), bad_token) else {
        return Err(unusable(object, bad_token));
    };
    let expires_at = member(object, EXPIRATION).and_then(|at| moment(&at));
    Ok(CredentialsReply { key: Key { id, secret, session_token: filled(object, TOKEN) }, expires_at })
}

/// The first of the members that is present.
fn member<J: Json>(object: &J, names: [&str; 2]) -> Option<J> {
    names.iter().find_map(|name| object.member(name))
}

/// The same, where it is a string that isn't empty.
fn filled<J: Json>(object: &J, names: [&str; 2]) -> Option<String> {
    match member(object, names)?.kind() {
        Kind::String(text) if !text.is_empty() => Some(text),
        _ => None,
    }
}

/// A moment as ISO 8601 (a `Date` is read as that) or as an epoch. It is advice, so one that can't be read is ignored.
fn moment<J: Json>(at: &J) -> Option<u64> {
    match at.kind() {
        Kind::String(text) => parse_iso(&text),
        Kind::Number(number) if number >= IN_MS => Some(number as u64),
        Kind::Number(number) if number > 0.0 => Some((number * 1000.0) as u64),
        _ => None,
    }
}

/// The error for anything that isn't a set of credentials.
fn unusable<J: Json>(found: &J, bad_token: bool) -> UploadError {
    let (what, hint) = match found.kind() {
        Kind::Null => ("nothing".into(), "Return what your server answered."),
        Kind::Bool(_) => ("a boolean".into(), SHAPE),
        Kind::Number(_) => ("a number".into(), SHAPE),
        Kind::List(_) | Kind::LongList => ("a list".into(), SHAPE),
        Kind::String(text) => describe_text(&text),
        Kind::Object if found.member("arrayBuffer").is_some() => {
            ("a Response".into(), "Return its JSON: `return (await fetch(...)).json()`.")
        }
        Kind::Object if bad_token => (text!("{}; `sessionToken` must be text", describe_object(found)), SHAPE),
        Kind::Object => (describe_object(found), SHAPE),
    };
    UploadError::new(Code::InvalidOptions, text!("`getCredentials` must return credentials, but gave {}.", what))
        .at(Step::Sign)
        .hint(hint)
}

fn describe_text(text: &str) -> (String, &'static str) {
    let text = text.trim_ascii();
    if text.starts_with('<') {
        return (
            "text that begins as HTML or XML does".into(),
            "Check the URL of your credentials endpoint: a login page, a 404 page or the app's own page may have answered.",
        );
    }
    if text.starts_with('{') {
        return ("JSON as text".into(), "Parse it: JSON.parse(), or `response.json()` in place of `response.text()`.");
    }
    ("text".into(), SHAPE)
}

/// The names of an object's members, and which one may have been meant for one that is missing or isn't text.
fn describe_object<J: Json>(object: &J) -> String {
    let names = object.names();
    if names.is_empty() {
        return "an object without members".into();
    }
    let mut description = String::from("{ ");
    for (at, name) in names.iter().take(MAX_NAMES).enumerate() {
        description.push_str(if at > 0 { ", " } else { "" });
        description.push_str(clip(name));
    }
    description.push_str(if names.len() > MAX_NAMES { ", … }" } else { " }" });
    for spellings in [ID, SECRET] {
        let expected = spellings[0];
        if names.iter().any(|name| spellings.contains(&name.as_str())) {
            if filled(object, spellings).is_none() {
                description.push_str(&text!("; `{}` must be text, and not empty", expected));
            }
            continue;
        }
        description.push_str(&text!("; `{}` is missing", expected));
        if let Some(similar) = names.iter().find(|name| plain(name) == plain(expected)) {
            description.push_str(&text!(": did you mean it by `{}`?", clip(similar)));
        }
    }
    description
}

fn clip(name: &str) -> &str {
    &name[..name.floor_char_boundary(MAX_NAME)]
}

/// A name without case, underscores and hyphens, and without the `AWS` that environment variables begin with.
fn plain(name: &str) -> String {
    let mut plain = String::new();
    for byte in name.bytes().filter(u8::is_ascii_alphanumeric) {
        plain.push(char::from(byte.to_ascii_lowercase()));
    }
    plain.strip_prefix("aws").map(Into::into).unwrap_or(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn both_spellings_are_read() {
        for answer in [
            json!({ "accessKeyId": "a", "secretAccessKey": "s", "sessionToken": "t", "expiration": 1_000_000 }),
            json!({ "AccessKeyId": "a", "SecretAccessKey": "s", "SessionToken": "t", "Expiration": 1_000_000_000_000_u64 }),
            json!({ "Credentials": {
                "AccessKeyId": "a", "SecretAccessKey": "s", "SessionToken": "t", "Expiration": "2001-09-09T01:46:40Z",
            }}),
        ] {
            let CredentialsReply { key, expires_at } = read(&answer).unwrap();
            assert!(key == Key { id: "a".into(), secret: "s".into(), session_token: Some("t".into()) });
            assert!(matches!(expires_at, Some(1_000_000_000 | 1_000_000_000_000)), "{expires_at:?}");
        }
        let without = read(&json!({ "accessKeyId": "a", "secretAccessKey": "s", "expiration": "soon" })).unwrap();
        assert_eq!((without.key.session_token, without.expires_at), (None, None));
    }

    #[test]
    fn anything_else_is_described_and_never_shown() {
        for (answer, words) in [
            (json!(null), "gave nothing"),
            (json!(true), "a boolean"),
            (json!("topsecret"), "gave text"),
            (json!([{ "accessKeyId": "topsecret" }]), "a list"),
            (
                json!({ "accessKeyId": "topsecret", "secretAccessKey": "" }),
                "`secretAccessKey` must be text, and not empty",
            ),
            (
                json!({ "accessKeyId": "topsecret", "secretAccessKey": "topsecret", "sessionToken": 7 }),
                "`sessionToken` must be text",
            ),
            (json!({ "AWS_ACCESS_KEY_ID": "topsecret", "SecretAccessKey": "topsecret" }), "by `AWS_ACCESS_KEY_ID`?"),
        ] {
            let error = read(&answer).unwrap_err();
            assert!(error.message.contains(words), "{}", error.message);
            assert!(error.code == Code::InvalidOptions && !format!("{error:?}").contains("topsecret"), "{error:?}");
        }
    }
}
