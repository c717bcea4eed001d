//! The opening of a session.

use serde_json::{Value, json};

use super::config::Layout;
use super::errors::ApiError;
use super::session::{Session, Vault};
use super::state::State;
use crate::clock::iso8601;
use crate::encoding::percent_encode;
use crate::json::Fields;
use crate::wire::{Request, Response};

/// The guide's "Supported Formats", as media types.
const IMAGES: [&str; 4] = ["image/jpeg", "image/png", "image/gif", "image/webp"];
const VIDEOS: [&str; 2] = ["video/mp4", "video/quicktime"];
/// MP3 and M4A have several media types.
const AUDIO: [&str; 5] = ["audio/mpeg", "audio/mp3", "audio/mp4", "audio/m4a", "audio/x-m4a"];

struct InitRequest {
    size: u64,
    content_type: String,
    vault: Option<Vault>,
}

fn read(fields: &mut Fields) -> Result<InitRequest, String> {
    fields.text("filename")?;
    Ok(InitRequest {
        size: fields.positive("size")?,
        content_type: fields.text("contentType")?,
        vault: fields.take("vaultUpload").map(vault).transpose()?,
    })
}

fn vault(value: Value) -> Result<Vault, String> {
    let mut fields = Fields::in_value(value, "vaultUpload")?;
    match fields.take("mode") {
        None => {}
        Some(Value::String(mode)) if mode == "message" => {}
        Some(_) => return Err("vaultUpload.mode must be \"message\"".to_string()),
    }
    let user_id = fields.optional_text("userId")?;
    fields.done()?;
    Ok(Vault { user_id })
}

/// Opens a session. Fields that the OpenAPI doesn't have are refused (assumed: stricter than published).
pub(super) fn init(request: &Request, connection: &str, state: &mut State, now: u64) -> Result<Response, ApiError> {
    let sent = Fields::read(request, read).map_err(ApiError::bad_request)?;
    let config = &state.config;
    let part_size = config.part_size.max(1);
    let media_type = sent.content_type.split(';').next().unwrap_or("").trim();
    let limit = match media_type {
        image if IMAGES.contains(&image) => config.image_max,
        video if VIDEOS.contains(&video) => config.video_max,
        audio if AUDIO.contains(&audio) => config.audio_max,
        other => {
            let message = format!("Unsupported file type {other}");
            return Err(ApiError::new(415, "UNSUPPORTED_MEDIA_TYPE", &message));
        }
    };
    if sent.size > limit {
        let message = format!("The file must have at most {limit} bytes, not {}", sent.size);
        return Err(ApiError::new(413, "FILE_TOO_LARGE", &message));
    }
    let single = sent.size <= config.single_max;
    let session = Session {
        connection: connection.to_string(),
        size: sent.size,
        content_type: sent.content_type,
        vault: sent.vault,
        single,
        // A single upload has one part, whose size may be larger: the field means "Maximum bytes per part".
        part_size: match single {
            true => part_size.max(sent.size),
            false => part_size,
        },
        created: now,
        expires: now + config.session_ms,
        touched: now,
        parts: Default::default(),
        done: None,
    };
    let id = format!("upload:{}", state.ids.uuid());
    let response = answer(&id, &session, state);
    state.sessions.insert(id, session);
    Ok(response)
}

fn answer(id: &str, session: &Session, state: &State) -> Response {
    let base = format!("{}/v2/access/uploads", state.config.public_base);
    let total = session.total_parts();
    let url = |number: u64| match session.single {
        true => format!("{base}/{}", percent_encode(id)),
        false => format!("{base}/{}/parts/{number}", percent_encode(id)),
    };
    let parts = (1..=total).map(|number| {
        let (start, end) = session.range(number);
        json!({
            "partNumber": number,
            "uploadUrl": url(number),
            "byteRange": { "start": start, "end": end - 1 },
        })
    });
    let body = match state.config.layout {
        Layout::Headers => json!({ "mediaUploadId": id }),
        Layout::Body => {
            let mut body = json!({
                "mediaUploadId": id,
                "uploadType": if session.single { "single" } else { "multipart" },
                "totalParts": total,
                "partSize": session.part_size,
                "expiresAt": iso8601(session.expires),
                "parts": parts.collect::<Vec<Value>>(),
            });
            if !session.single {
                body["completeUrl"] = json!(format!("{base}/complete"));
            }
            body
        }
    };
    Response::json(200, &body)
        .with_header("x-ofauth-upload-total-parts", &total.to_string())
        .with_header("x-ofauth-upload-part-size", &session.part_size.to_string())
}
