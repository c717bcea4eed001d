//! What the application's `getCredentials` gave: a set of credentials, in our spelling or in STS's, or something else, of which the
//! error says what it is. No value is ever shown.

use super::sigv4::Key;
use crate::error::{Code, Step, UploadError};
use crate::json::Value;
use crate::platform::Platform;
use crate::util::text;
use crate::util::time::parse_iso;

/// The members, and how STS spells them (AWS STS API Reference, "Credentials").
const ID: [&str; 2] = ["accessKeyId", "AccessKeyId"];
const SECRET: [&str; 2] = ["secretAccessKey", "SecretAccessKey"];
const TOKEN: [&str; 2] = ["sessionToken", "SessionToken"];
const EXPIRATION: [&str; 2] = ["expiration", "Expiration"];
/// In what STS's answers wrap them.
const WRAPPERS: [&str; 2] = ["Credentials", "credentials"];

/// A number above this is an epoch in milliseconds, any other one in seconds: 10^11 s is the year 5138. (A choice.)
const IN_MS: f64 = 1e11;
/// So many members are named, each so far. (A choice.)
const NAMES: usize = 8;
const NAME: usize = 40;

const SHAPE: &str = "It has to give { accessKeyId, secretAccessKey, sessionToken?, expiration? }, or what STS answers.";

/// A set of credentials, and when it ends, where that is said.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) key: Key,
    pub(super) expires_at: Option<u64>,
}

/// Reads what `getCredentials` gave.
///
/// # Errors
/// `invalid-options`, with what was found.
pub(super) fn read<P: Platform>(platform: &P, answer: &P::Json) -> Result<Given, UploadError> {
    let wrapped = WRAPPERS.iter().find_map(|name| platform.member(answer, name));
    let object = wrapped.as_ref().filter(|inner| matches!(platform.value(inner), Value::Object)).unwrap_or(answer);
    let text = |names: [&str; 2]| {
        let member = names.iter().find_map(|name| platform.member(object, name))?;
        match platform.value(&member) {
            Value::Text(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    };
    let token = TOKEN.iter().find_map(|name| platform.member(object, name));
    let odd = token.is_some_and(|token| !matches!(platform.value(&token), Value::Text(_)));
    let (Some(id), Some(secret), false) = (text(ID), text(SECRET), odd) else {
        return Err(unusable(platform, object, odd));
    };
    let expires_at =
        EXPIRATION.iter().find_map(|name| platform.member(object, name)).and_then(|at| moment(platform, &at));
    Ok(Given { key: Key { id, secret, session_token: text(TOKEN) }, expires_at })
}

/// A moment as ISO 8601 (a `Date` is read as that) or as an epoch; it is advice, so that one that can't be read is none.
fn moment<P: Platform>(platform: &P, at: &P::Json) -> Option<u64> {
    match platform.value(at) {
        Value::Text(text) => parse_iso(&text),
        Value::Number(number) if number >= IN_MS => Some(number as u64),
        Value::Number(number) if number > 0.0 => Some((number * 1000.0) as u64),
        _ => None,
    }
}

/// The error for what is no set of credentials.
fn unusable<P: Platform>(platform: &P, found: &P::Json, odd_token: bool) -> UploadError {
    let (what, hint) = match platform.value(found) {
        Value::Nothing => ("nothing".into(), "Return what your server answered."),
        Value::Flag(_) => ("true or false".into(), SHAPE),
        Value::Number(_) => ("a number".into(), SHAPE),
        Value::List(_) | Value::Long => ("a list".into(), SHAPE),
        Value::Text(text) => kind_of_text(&text),
        Value::Object if platform.member(found, "arrayBuffer").is_some() => {
            ("a Response".into(), "Return its JSON: `return (await fetch(...)).json()`.")
        }
        Value::Object if odd_token => {
            (text::concat(&[&members(platform, found), "; `sessionToken` must be text"]), SHAPE)
        }
        Value::Object => (members(platform, found), SHAPE),
    };
    UploadError::new(Code::InvalidOptions, text::concat(&["`getCredentials` gave ", &what, "."]))
        .at(Step::Sign)
        .hint(hint)
}

fn kind_of_text(text: &str) -> (String, &'static str) {
    let text = text.trim_ascii();
    if text.starts_with('<') {
        return (
            "text that begins as HTML or XML does".into(),
            "Check the address of your credentials endpoint: a login page, a 404 page or the app's own page may have answered.",
        );
    }
    if text.starts_with('{') {
        return ("JSON as text".into(), "Parse it: JSON.parse(), or `response.json()` in place of `response.text()`.");
    }
    ("text".into(), SHAPE)
}

/// The names of an object's members, and which one may have been meant for one that is missing or no text.
fn members<P: Platform>(platform: &P, object: &P::Json) -> String {
    let names = platform.names(object);
    if names.is_empty() {
        return "an object without members".into();
    }
    let mut told = String::from("{ ");
    for (at, name) in names.iter().take(NAMES).enumerate() {
        told.push_str(if at > 0 { ", " } else { "" });
        told.push_str(&name[..name.floor_char_boundary(NAME)]);
    }
    told.push_str(if names.len() > NAMES { ", … }" } else { " }" });
    for [wanted, of_sts] in [ID, SECRET] {
        if names.iter().any(|name| name == wanted || name == of_sts) {
            let member = [wanted, of_sts].iter().find_map(|name| platform.member(object, name));
            if !member.is_some_and(|member| matches!(platform.value(&member), Value::Text(text) if !text.is_empty())) {
                told.push_str(&text::concat(&["; `", wanted, "` must be text, and not empty"]));
            }
            continue;
        }
        told.push_str(&text::concat(&["; `", wanted, "` is missing"]));
        if let Some(like) = names.iter().find(|name| plain(name) == plain(wanted)) {
            told.push_str(&text::concat(&[": did you mean it by `", &like[..like.floor_char_boundary(NAME)], "`?"]));
        }
    }
    told
}

/// A name without case, underscores and hyphens, and without the `AWS` that environment variables begin with.
fn plain(name: &str) -> String {
    let mut plain = String::new();
    for byte in name.bytes().filter(u8::is_ascii_alphanumeric) {
        plain.push(char::from(byte.to_ascii_lowercase()));
    }
    plain.strip_prefix("aws").map(Into::into).unwrap_or(plain)
}
