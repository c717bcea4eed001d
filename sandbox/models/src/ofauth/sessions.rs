//! The calls of a session: check, parts, single and complete.

use serde_json::{Value, json};

use super::config::EtagPlace;
use super::errors::ApiError;
use super::media;
use super::session::{Done, Session};
use super::state::State;
use crate::content::{Content, multipart_etag};
use crate::json::Fields;
use crate::wire::{Request, Response};

/// Checks whether the connection's vault has a file with this ETag and size. That the ETag is the MD5, or the combined one
/// of a multipart upload, is assumed.
pub(super) fn check(request: &Request, connection: &str, state: &mut State) -> Result<Response, ApiError> {
    let (etag, size) = Fields::read(request, |fields| Ok((fields.text("etag")?, fields.positive("size")?)))
        .map_err(ApiError::bad_request)?;
    let etag = etag.trim_matches('"');
    let known = state.sessions.values().find(|session| {
        let matches = |done: &Done| done.etag.eq_ignore_ascii_case(etag);
        session.connection == connection && session.size == size && session.done.as_ref().is_some_and(matches)
    });
    let mut answer = json!({ "exists": known.is_some() });
    if let Some(media) = known.and_then(|session| media::of(session, &state.config)) {
        answer["media"] = media;
    }
    Ok(Response::json(200, &answer))
}

impl State {
    /// The session of a connection, if it hasn't expired. A completed session doesn't expire.
    fn session(&mut self, id: &str, connection: &str, now: u64) -> Result<&mut Session, ApiError> {
        let (gone, inactivity) = (self.config.gone_status, self.config.inactivity_ms);
        let session = self
            .sessions
            .get_mut(id)
            .filter(|session| session.connection == connection)
            .ok_or_else(|| ApiError::new(404, "UPLOAD_NOT_FOUND", "No such upload session"))?;
        let idle = now.saturating_sub(session.touched);
        let expired = now >= session.expires || inactivity.is_some_and(|limit| idle >= limit);
        if session.done.is_none() && expired {
            let message = "The upload session has expired; start a new one";
            return Err(ApiError::new(gone, "UPLOAD_SESSION_EXPIRED", message));
        }
        session.touched = now;
        Ok(session)
    }
}

/// The content of a PUT, if it is what init announced.
fn content_of(request: &Request, session: &Session, expected: u64) -> Result<Content, ApiError> {
    let sent = request.header("content-type").unwrap_or("");
    if sent != session.content_type {
        let message = format!("Content-Type must be {}, as in the call of init, not {sent:?}", session.content_type);
        return Err(ApiError::bad_request(&message));
    }
    let content = request.body.to_content();
    let content = content.ok_or_else(|| ApiError::bad_request("The body must be the file bytes"))?;
    if content.size != expected {
        let message = format!("The body must have {} bytes, not {}", expected, content.size);
        return Err(ApiError::bad_request(&message));
    }
    Ok(content)
}

/// Stores a part. Before complete, a part may be uploaded again (OFAuth guide, "Retry failed chunks").
pub(super) fn put_part(
    request: &Request,
    connection: &str,
    id: &str,
    number: &str,
    state: &mut State,
    now: u64,
) -> Result<Response, ApiError> {
    let etag_place = state.config.etag;
    let session = state.session(id, connection, now)?;
    if session.single {
        return Err(ApiError::bad_request("This upload is single: PUT the whole file to its uploadUrl"));
    }
    let total = session.total_parts();
    let number: u64 = number
        .parse()
        .ok()
        .filter(|number| (1..=total).contains(number))
        .ok_or_else(|| ApiError::bad_request(format!("Part numbers of this upload are 1 to {total}")))?;
    if session.done.is_some() {
        return Err(completed_before());
    }
    let (start, end) = session.range(number);
    let content = content_of(request, session, end - start)?;
    let etag = format!("\"{}\"", content.etag());
    session.parts.insert(number, content);
    let mut answer = json!({ "mediaUploadId": id, "partNumber": number });
    if etag_place != EtagPlace::Header {
        answer["etag"] = json!(etag);
    }
    let response = Response::json(200, &answer);
    Ok(match etag_place {
        EtagPlace::Body => response,
        _ => response.with_header("etag", &etag),
    })
}

/// Stores a whole file and completes it (OFAuth guide, "Single-part uploads auto-complete").
pub(super) fn put_single(
    request: &Request,
    connection: &str,
    id: &str,
    state: &mut State,
    now: u64,
) -> Result<Response, ApiError> {
    let session = state.session(id, connection, now)?;
    if !session.single {
        return Err(ApiError::bad_request("This upload is multipart: PUT each part to its uploadUrl"));
    }
    let content = content_of(request, session, session.size)?;
    if session.done.is_none() {
        let etag = content.etag();
        finish(id, etag, vec![content], state);
        return answer(id, state);
    }
    let same = session.done.as_ref().is_some_and(|done| done.contents[0].md5 == content.md5);
    repeated(id, same, state)
}

/// Completes an upload from the parts that the server has (OFAuth guide, "Complete Upload").
pub(super) fn complete(request: &Request, connection: &str, state: &mut State, now: u64) -> Result<Response, ApiError> {
    let id = Fields::read(request, |fields| fields.text("mediaUploadId")).map_err(ApiError::bad_request)?;
    let session = state.session(&id, connection, now)?;
    if session.single {
        return Err(ApiError::bad_request("Single-part uploads complete by themselves: do not call complete"));
    }
    if session.done.is_some() {
        return repeated(&id, true, state);
    }
    let total = session.total_parts();
    let missing: Vec<String> =
        (1..=total).filter(|number| !session.parts.contains_key(number)).map(|number| number.to_string()).collect();
    if !missing.is_empty() {
        let message = format!("Parts {} have not been uploaded", missing.join(", "));
        return Err(ApiError::bad_request(&message));
    }
    let contents: Vec<Content> = std::mem::take(&mut session.parts).into_values().collect();
    finish(&id, multipart_etag(&contents), contents, state);
    answer(&id, state)
}

fn repeated(id: &str, same: bool, state: &State) -> Result<Response, ApiError> {
    if state.config.repeatable && same { answer(id, state) } else { Err(completed_before()) }
}

fn completed_before() -> ApiError {
    ApiError::new(409, "UPLOAD_COMPLETED", "The upload is completed already")
}

fn finish(id: &str, etag: String, contents: Vec<Content>, state: &mut State) {
    let media_id = state.add_media(id);
    if let Some(session) = state.sessions.get_mut(id) {
        session.done = Some(Done { media_id, etag, contents, consumed: false });
    }
}

fn answer(id: &str, state: &State) -> Result<Response, ApiError> {
    let mut answer: Value = json!({ "mediaUploadId": id });
    let session = state.sessions.get(id);
    if let Some(media) = session.and_then(|session| media::of(session, &state.config)) {
        answer["media"] = media;
    }
    Ok(Response::json(200, &answer))
}
