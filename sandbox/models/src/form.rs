//! An application's own server: it takes a form with a file, and may process it as a job that pages poll.

mod config;
mod state;

#[cfg(test)]
mod tests;

pub use config::{Config, Reply};
pub use state::{State, Taken};

use serde_json::json;

use crate::content::Content;
use crate::wire::{Body, FormField, FormValue, Request, Response};

/// The route of a request, for faults and logs.
pub fn route(request: &Request) -> &'static str {
    match (request.method.as_str(), request.segments().first().map(String::as_str)) {
        ("POST" | "PUT", Some("upload")) => "form:upload",
        ("GET", Some("jobs")) => "form:status",
        _ => "form:unknown",
    }
}

/// Answers one request. `now` is in milliseconds since the epoch.
pub fn step(request: &Request, state: &mut State, now: u64) -> Response {
    if request.header("x-form-key") != Some(state.config.key.as_str()) {
        return Response::json(401, &json!({ "detail": "Sign in first" }));
    }
    match route(request) {
        "form:upload" => upload(request, state, now).unwrap_or_else(|refusal| refusal),
        "form:status" => status(request, state, now),
        _ => Response::json(404, &json!({ "detail": "Not Found" })),
    }
}

fn upload(request: &Request, state: &mut State, now: u64) -> Result<Response, Response> {
    let refusal = |status: u16, detail: &str| Response::json(status, &json!({ "detail": detail }));
    let Body::Form(given) = &request.body else { return Err(refusal(400, "The body must be multipart/form-data")) };
    // A page that sets this header itself sends no boundary.
    if !request
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("multipart/form-data;") && kind.contains("boundary="))
    {
        return Err(refusal(400, "Missing boundary"));
    }
    let Some((file, before)) = given.split_last().filter(|(file, _)| file.filename.is_some()) else {
        return Err(refusal(422, "The file must be the last field"));
    };
    let mut fields = Vec::new();
    for FormField { name, filename, value, .. } in before {
        match value {
            FormValue::Bytes(bytes) if filename.is_none() => {
                fields.push((name.clone(), String::from_utf8_lossy(bytes).into_owned()));
            }
            _ => return Err(refusal(422, "There must be one file")),
        }
    }
    if file.name != state.config.file_field {
        return Err(refusal(422, &format!("Unexpected file {}", file.name)));
    }
    let content = match &file.value {
        FormValue::Content(content) => content.clone(),
        FormValue::Bytes(bytes) => Content::bytes(bytes.clone()),
    };
    if content.size > state.config.max_bytes {
        return Err(refusal(413, "Payload Too Large"));
    }
    let taken = Taken {
        fields,
        name: file.filename.clone().unwrap_or_default(),
        kind: file.content_type.clone(),
        content,
        queued_at: now,
    };
    let id = state.take(taken);
    Ok(match state.config.reply {
        Reply::Json => Response::json(201, &json!({ "mediaId": id, "key": format!("files/{id}") })),
        Reply::Text => Response { body: format!("stored as {id}").into_bytes(), ..Response::empty(200) }
            .with_header("content-type", "text/plain"),
        Reply::Nothing => Response::empty(204).with_header("x-id", &id),
        Reply::Job => Response::json(202, &json!({ "job": format!("{}/jobs/{id}", state.config.base_path), "id": id })),
    })
}

/// What a job says of itself: a quarter of its time it waits.
fn status(request: &Request, state: &State, now: u64) -> Response {
    let id = request.segments().get(1).cloned().unwrap_or_default();
    let Some(taken) = state.taken(&id) else {
        return Response::json(404, &json!({ "detail": "There is no such job" }));
    };
    let (passed, takes) = (now.saturating_sub(taken.queued_at), state.config.processing_ms);
    Response::json(
        200,
        &match () {
            () if passed >= takes && state.config.fails => {
                json!({ "state": "failed", "error": "The file can't be played" })
            }
            () if passed >= takes => {
                json!({ "state": "completed", "progress": 1, "result": { "mediaId": id, "key": format!("files/{id}") } })
            }
            () if passed < takes / 4 => json!({ "state": "waiting" }),
            () => json!({ "state": "active", "progress": passed as f64 / takes as f64 }),
        },
    )
}
