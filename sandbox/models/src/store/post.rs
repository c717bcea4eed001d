//! PostObject: a form that a signed policy allows (AWS S3 API Reference, "POST Object" and "POST Policy").

use serde_json::Value;

use super::documents::quoted;
use super::operation::{Operation, Reply};
use super::state::State;
use super::step::step;
use crate::content::Content;
use crate::s3_error::StoreError;
use crate::sigv4;
use crate::wire::{Body, FormField, FormValue, Request, Response};
use crate::xml;

/// Fields that a policy needn't name.
const FREE: [&str; 3] = ["x-amz-signature", "policy", "file"];

/// A form: its fields before the file, and the file. What comes after it is ignored.
struct Form {
    fields: Vec<(String, String)>,
    file: Content,
    filename: String,
}

impl Form {
    fn read(request: &Request) -> Result<Self, StoreError> {
        let malformed = || {
            StoreError::new(
                400,
                "MalformedPOSTRequest",
                "The body of your POST request is not well-formed multipart/form-data.",
            )
        };
        let Body::Form(given) = &request.body else { return Err(malformed()) };
        let mut fields = Vec::new();
        for FormField { name, filename, value, .. } in given {
            let name = name.to_ascii_lowercase();
            if name == "file" {
                let file = match value {
                    FormValue::Content(content) => content.clone(),
                    FormValue::Bytes(bytes) => Content::bytes(bytes.clone()),
                };
                return Ok(Self { fields, file, filename: filename.clone().unwrap_or_default() });
            }
            let FormValue::Bytes(bytes) = value else { return Err(malformed()) };
            fields.push((name, String::from_utf8(bytes.clone()).map_err(|_| malformed())?));
        }
        Err(StoreError::invalid_argument("POST requires exactly one file upload per request.")
            .with("ArgumentName", "file")
            .with("ArgumentValue", "0"))
    }

    fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Checks every condition, and that every field has one.
    fn check(&self, bucket: &str, conditions: &[Value]) -> Result<(), StoreError> {
        let denied =
            |what: String| Err(StoreError::new(403, "AccessDenied", &format!("Invalid according to Policy: {what}")));
        let mut named = vec!["bucket".to_string()];
        for condition in conditions {
            if !self.holds(bucket, condition, &mut named)? {
                return denied(format!("Policy Condition failed: {condition}"));
            }
        }
        let free = |name: &str| FREE.contains(&name) || name.starts_with("x-ignore-");
        match self.fields.iter().find(|(name, _)| !free(name) && !named.contains(name)) {
            Some((name, _)) => denied(format!("Extra input fields: {name}")),
            None => Ok(()),
        }
    }

    fn holds(&self, bucket: &str, condition: &Value, named: &mut Vec<String>) -> Result<bool, StoreError> {
        let invalid = || StoreError::new(400, "InvalidPolicyDocument", "Invalid Policy: Invalid 'conditions' value.");
        let value_of = |name: &str| if name == "bucket" { Some(bucket) } else { self.field(name) };
        if let Some(members) = condition.as_object() {
            let mut all = true;
            for (name, expected) in members {
                let name = name.to_ascii_lowercase();
                all &= value_of(&name) == Some(expected.as_str().ok_or_else(invalid)?);
                named.push(name);
            }
            return Ok(all);
        }
        let [kind, first, second] = condition.as_array().map(Vec::as_slice).ok_or_else(invalid)? else {
            return Err(invalid());
        };
        if kind == "content-length-range" {
            let (least, most) = (first.as_u64().ok_or_else(invalid)?, second.as_u64().ok_or_else(invalid)?);
            return self.fits(least, most).map(|()| true);
        }
        let name = first.as_str().and_then(|name| name.strip_prefix('$')).ok_or_else(invalid)?.to_ascii_lowercase();
        let (value, expected) = (value_of(&name), second.as_str().ok_or_else(invalid)?);
        named.push(name);
        match kind.as_str() {
            Some("eq") => Ok(value == Some(expected)),
            Some("starts-with") => Ok(value.is_some_and(|value| value.starts_with(expected))),
            _ => Err(invalid()),
        }
    }

    fn fits(&self, least: u64, most: u64) -> Result<(), StoreError> {
        let size = self.file.size;
        let (code, message) = match size {
            _ if size > most => ("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size"),
            _ if size < least => ("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size"),
            _ => return Ok(()),
        };
        Err(StoreError::new(400, code, message).with("ProposedSize", size.to_string()))
    }
}

/// Answers a form: 204 with headers, or as `success_action_status` and `success_action_redirect` say.
pub(super) fn post(request: &Request, state: &mut State, now: u64) -> Result<Response, StoreError> {
    let form = Form::read(request)?;
    let stored = store(request, &form, state, now);
    if stored.is_err() {
        state.discard([form.file]);
    }
    stored
}

fn store(request: &Request, form: &Form, state: &mut State, now: u64) -> Result<Response, StoreError> {
    let bucket = request.segments().first().cloned().unwrap_or_default();
    let secret_of = |key: &str, token: Option<&str>| state.authorize(key, token, now);
    let conditions = sigv4::verify_policy(|name| form.field(name), &state.config.region, &secret_of, now)?;
    form.check(&bucket, &conditions)?;
    let key = form.field("key").ok_or_else(|| {
        StoreError::invalid_argument(
            "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields.",
        )
    })?;
    let key = key.replace("${filename}", &form.filename);
    let operation = Operation::PutObject {
        bucket: bucket.clone(),
        key: key.clone(),
        content: form.file.clone(),
        content_type: form.field("content-type").map(str::to_string),
        headers: form.fields.iter().filter(|(name, _)| name.starts_with("x-amz-meta-")).cloned().collect(),
        if_none_match: false,
        content_md5: None,
        checksum: None,
    };
    let Reply::Put { etag, .. } = step(operation, state, now)? else { unreachable!("PutObject has another reply") };
    let (etag, location) = (quoted(&etag), state.location(&bucket, &key));
    let answer = |status: u16| Response::empty(status).with_header("etag", &etag).with_header("location", &location);
    if let Some(redirect) = form.field("success_action_redirect") {
        return Ok(Response::empty(303).with_header("location", redirect));
    }
    Ok(match form.field("success_action_status") {
        Some("200") => answer(200),
        Some("201") => {
            let inner = [("Location", &location), ("Bucket", &bucket), ("Key", &key), ("ETag", &etag)]
                .map(|(name, text)| xml::element(name, text));
            let body =
                format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<PostResponse>{}</PostResponse>", inner.concat());
            let headers = answer(201).headers;
            let response = Response::xml(201, body);
            headers.iter().fold(response, |response, (name, value)| response.with_header(name, value))
        }
        _ => answer(204),
    })
}
