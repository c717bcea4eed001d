//! What really arrived: size and SHA-256 of an object, read back from where it is kept.

use std::io::{self, Read};
use std::sync::Arc;

use hyper::Response;
use partway_models::content::Reader;
use partway_models::encoding::{hex, percent_decode};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::answer;
use crate::body::Payload;
use crate::routes::Who;
use crate::sandbox::Sandbox;

/// Answers `GET /objects/{destination}/{id}/sha256`; `path` begins with the destination.
pub(crate) async fn handle(sandbox: &Arc<Sandbox>, path: &str) -> Response<Payload> {
    let parts: Vec<_> = path.split('/').collect();
    let [destination, id, "sha256"] = parts[..] else {
        return answer::error(404, "objects are at /objects/{destination}/{id}/sha256, the id URL-encoded");
    };
    let Some(id) = percent_decode(id) else {
        return answer::error(400, format!("{id} isn't URL-encoded"));
    };
    let (sandbox, destination) = (sandbox.clone(), destination.to_owned());
    let found = tokio::task::spawn_blocking(move || {
        let found = open(&sandbox, &destination, &id)?;
        found.map(|mut object| digest(&mut object)).transpose().map_err(|error| (500, error.to_string()))
    });
    match found.await {
        Ok(Ok(Some((sha256, size)))) => answer::json(200, &json!({ "sha256": sha256, "size": size })),
        Ok(Ok(None)) => answer::error(404, "nothing is there"),
        Ok(Err((status, message))) => answer::error(status, message),
        Err(error) => answer::error(500, error.to_string()),
    }
}

type Object = Box<dyn Read + Send>;

fn open(sandbox: &Sandbox, destination: &str, id: &str) -> Result<Option<Object>, (u16, String)> {
    let who = match destination {
        "ofauth" => Who::Ofauth,
        "apifansly" => Who::Apifansly,
        "onlymonster" => Who::Onlymonster,
        "s3" | "plan" => Who::Store,
        other => return Err((404, format!("no destination is called {other:?}"))),
    };
    let key = match who {
        Who::Store => Some(id.to_owned()),
        Who::Onlymonster => sandbox.vendors.onlymonster_key(id),
        Who::Ofauth | Who::Apifansly => {
            let contents = sandbox.vendors.contents(who, id);
            return Ok(contents.map(|pieces| Box::new(Reader::new(&pieces)) as Object));
        }
    };
    let Some(key) = key else { return Ok(None) };
    sandbox.store.read(&key, sandbox.clock.now()).map_err(|error| (502, error.to_string()))
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
