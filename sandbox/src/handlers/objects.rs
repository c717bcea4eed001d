//! What really arrived: size and SHA-256 of a stored object.

use std::io::{self, Read};
use std::sync::Arc;

use hyper::Response;
use partway_models::content::Reader;
use partway_models::encoding::{hex, percent_decode};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::response;
use crate::response_body::ResponseBody;
use crate::routes::Service;
use crate::state::State;

/// Answers `GET /objects/{destination}/{id}/sha256`; `path` begins with the destination.
pub(crate) async fn handle(state: &Arc<State>, path: &str) -> Response<ResponseBody> {
    let parts: Vec<_> = path.split('/').collect();
    let [destination, id, "sha256"] = parts[..] else {
        return response::error(404, "the path must be /objects/{destination}/{id}/sha256, with the id URL-encoded");
    };
    let Some(id) = percent_decode(id) else {
        return response::error(400, format!("the id must be URL-encoded, not {id:?}"));
    };
    let (state, destination) = (state.clone(), destination.to_owned());
    let found = tokio::task::spawn_blocking(move || {
        let found = open(&state, &destination, &id)?;
        found.map(|mut object| digest(&mut object)).transpose().map_err(|error| (500, error.to_string()))
    });
    match found.await {
        Ok(Ok(Some((sha256, size)))) => response::json(200, &json!({ "sha256": sha256, "size": size })),
        Ok(Ok(None)) => response::error(404, "there is no such object"),
        Ok(Err((status, message))) => response::error(status, message),
        Err(error) => response::error(500, error.to_string()),
    }
}

type Object = Box<dyn Read + Send>;

fn open(state: &State, destination: &str, id: &str) -> Result<Option<Object>, (u16, String)> {
    let service = match destination {
        "ofauth" => Service::Ofauth,
        "apifansly" => Service::Apifansly,
        "onlymonster" => Service::Onlymonster,
        // Ids of the application's own server are numbers, and keys have a folder.
        "form" if !id.contains('/') => Service::Form,
        "s3" | "plan" | "form" => Service::Store,
        other => {
            return Err((
                404,
                format!(
                    "there is no destination {other:?}; there are ofauth, onlymonster, apifansly, s3, plan and form"
                ),
            ));
        }
    };
    let key = match service {
        Service::Store => Some(id.to_owned()),
        Service::Onlymonster => state.vendors.onlymonster_key(id),
        Service::Ofauth | Service::Apifansly | Service::Form => {
            let contents = state.vendors.contents(service, id);
            return Ok(contents.map(|pieces| Box::new(Reader::new(&pieces)) as Object));
        }
    };
    let Some(key) = key else { return Ok(None) };
    state.store.read(&key, state.clock.now()).map_err(|error| (502, error.to_string()))
}

fn digest(object: &mut Object) -> io::Result<(String, u64)> {
    let (mut hash, mut size, mut buffer) = (Sha256::new(), 0, vec![0; 256 * 1024]);
    loop {
        let read = object.read(&mut buffer)?;
        if read == 0 {
            return Ok((hex(&hash.finalize()), size));
        }
        hash.update(&buffer[..read]);
        size += read as u64;
    }
}
