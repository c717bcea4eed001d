//! The application's own server for the provider `plan`: plans uploads into the store, and keeps the keys.

use partway_models::checksum::Checksum;
use partway_models::clock::iso8601;
use partway_models::store::{Claims, Operation, Reply, State, step};
use partway_models::wire::Headers;
use serde_json::{Value, json};

use crate::servers::BUCKET;

/// How the server plans.
#[derive(Clone, Debug)]
pub struct Backend {
    /// Bytes in a part but the last.
    pub part_size: u64,
    /// Files below this go by one PUT, without an `uploadId`.
    pub single_below: u64,
    /// How many parts have their URL from the start.
    pub first_urls: usize,
    /// How long a URL holds, in seconds.
    pub expires_s: u64,
    /// Whether the plan says when it ends.
    pub says_expiry: bool,
    /// Whether `complete` passes the store's checksum of the whole on.
    pub says_checksum: bool,
    /// Headers that its URLs sign.
    pub headers: Vec<(String, String)>,
    /// Members that go into every plan.
    pub extra: Value,
    /// The host of every other part, if it isn't the store's own.
    pub second_host: Option<&'static str>,
    /// Parts that the next call of `sign` leaves out.
    pub leaves_out: Vec<u64>,
    count: u64,
}

impl Default for Backend {
    fn default() -> Self {
        Self {
            part_size: 5 << 20,
            single_below: 5 << 20,
            first_urls: 2,
            expires_s: 900,
            says_expiry: true,
            says_checksum: true,
            headers: Vec::new(),
            extra: json!({}),
            second_host: None,
            leaves_out: Vec::new(),
            count: 0,
        }
    }
}

type Answer = Result<Value, String>;

impl Backend {
    /// `open`.
    ///
    /// # Errors
    /// The store's refusal, in words.
    pub fn open(&mut self, store: &mut State, file: &Value, now: u64) -> Answer {
        self.count += 1;
        let size = file["size"].as_u64().ok_or("open without a size")?;
        let key = format!("plans/{}-{}", self.count, file["name"].as_str().ok_or("open without a name")?);
        let single = size < self.single_below;
        let upload_id = match single {
            true => None,
            false => match act(
                store,
                Operation::CreateMultipartUpload {
                    bucket: BUCKET.into(),
                    key: key.clone(),
                    content_type: file["type"].as_str().map(Into::into),
                    headers: Vec::new(),
                    algorithm: None,
                },
                now,
            )? {
                Reply::Created { upload_id } => Some(upload_id),
                other => return Err(format!("create gave {other:?}")),
            },
        };
        let each = if single { size.max(1) } else { self.part_size };
        let parts: Vec<Value> = (0..size.div_ceil(each))
            .map(|index| {
                let (start, end) = (index * each, size.min((index + 1) * each));
                let mut part = json!({
                    "partNumber": index + 1,
                    "byteRange": { "start": start, "end": end - 1 },
                });
                if (index as usize) < self.first_urls {
                    part["uploadUrl"] = json!(self.url(store, &key, upload_id.as_deref(), index + 1, now));
                }
                part
            })
            .collect();
        let mut plan = json!({ "key": key, "parts": parts });
        if let Some(upload_id) = upload_id {
            plan["uploadId"] = json!(upload_id);
        }
        if self.says_expiry {
            plan["expiresAt"] = json!(iso8601(now + self.expires_s * 1000));
        }
        if !self.headers.is_empty() {
            plan["headers"] = self.headers_json();
        }
        for (name, value) in self.extra.as_object().into_iter().flatten() {
            plan[name] = value.clone();
        }
        Ok(plan)
    }

    fn headers_json(&self) -> Value {
        self.headers.iter().map(|(name, value)| (name.clone(), json!(value))).collect()
    }

    fn url(&self, store: &State, key: &str, upload_id: Option<&str>, number: u64, now: u64) -> String {
        let query: Vec<_> = upload_id
            .map(|id| vec![("partNumber".into(), number.to_string()), ("uploadId".into(), id.into())])
            .unwrap_or_default();
        let headers: Headers = self.headers.iter().cloned().collect();
        let host = self.second_host.filter(|_| number.is_multiple_of(2)).unwrap_or(&store.config.endpoint);
        store.presign_for(host, "PUT", BUCKET, key, &query, &headers, self.expires_s, now)
    }

    /// `sign`.
    ///
    /// # Errors
    /// What is wrong with the call.
    pub fn sign(&mut self, store: &State, plan: &Value, numbers: &Value, now: u64) -> Answer {
        let key = plan["key"].as_str().ok_or("sign without a key")?;
        let left_out = std::mem::take(&mut self.leaves_out);
        let numbers = numbers.as_array().ok_or("sign without part numbers")?;
        let numbers = numbers.iter().map(|number| number.as_u64().ok_or("a part number is none"));
        let numbers = numbers.collect::<Result<Vec<_>, _>>()?;
        Ok(numbers
            .into_iter()
            .filter(|number| !left_out.contains(number))
            .map(|number| {
                let url = self.url(store, key, plan["uploadId"].as_str(), number, now);
                json!({ "partNumber": number, "uploadUrl": url })
            })
            .collect())
    }

    /// `list`.
    ///
    /// # Errors
    /// The store's refusal, in words.
    pub fn list(&self, store: &mut State, plan: &Value, now: u64) -> Answer {
        let listed = act(
            store,
            Operation::ListParts {
                bucket: BUCKET.into(),
                key: text(plan, "key"),
                upload_id: text(plan, "uploadId"),
                max_parts: None,
                part_number_marker: None,
            },
            now,
        )?;
        let Reply::Parts(page) = listed else { return Err("list gave no parts".into()) };
        let part = |part: &partway_models::store::PartInfo| json!({ "partNumber": part.part_number, "size": part.size, "etag": part.etag });
        Ok(page.parts.iter().map(part).collect())
    }

    /// `complete`.
    ///
    /// # Errors
    /// The store's refusal, in words.
    pub fn complete(&self, store: &mut State, plan: &Value, parts: &Value, now: u64) -> Answer {
        if plan["uploadId"].is_null() {
            let (bucket, key) = (BUCKET.into(), text(plan, "key"));
            let reply = act(store, Operation::HeadObject { bucket, key }, now)?;
            let Reply::Head(info) = reply else { return Err("head gave no object".into()) };
            let answer = json!({ "key": text(plan, "key"), "etag": parts[0]["etag"] });
            return Ok(self.with_checksum(answer, info.checksum));
        }
        let mut list = Vec::new();
        for part in parts.as_array().ok_or("complete without parts")? {
            let number = part["partNumber"].as_u64().ok_or("a part without a number")?;
            let etag = part["etag"].as_str().ok_or("a part without an ETag")?;
            list.push((number as u32, etag.trim_matches('"').to_string()));
        }
        let reply = act(
            store,
            Operation::CompleteMultipartUpload {
                bucket: BUCKET.into(),
                key: text(plan, "key"),
                upload_id: text(plan, "uploadId"),
                parts: list,
                if_none_match: false,
                claims: Claims::default(),
            },
            now,
        )?;
        match reply {
            Reply::Completed { etag, location, checksum } => {
                let answer = json!({ "key": text(plan, "key"), "etag": etag, "location": location });
                Ok(self.with_checksum(answer, checksum))
            }
            other => Err(format!("complete gave {other:?}")),
        }
    }

    /// What `complete` gives, with the store's own checksum where the backend passes it on.
    fn with_checksum(&self, mut answer: Value, checksum: Option<Checksum>) -> Value {
        if let Some(checksum) = checksum.filter(|_| self.says_checksum) {
            answer["checksumCRC64NVME"] = json!(checksum.value);
        }
        answer
    }

    /// `abort`.
    ///
    /// # Errors
    /// The store's refusal, in words.
    pub fn abort(&self, store: &mut State, plan: &Value, now: u64) -> Answer {
        let (bucket, key) = (BUCKET.into(), text(plan, "key"));
        let operation = match plan["uploadId"].is_null() {
            // Whatever arrived by the one PUT.
            true => Operation::DeleteObject { bucket, key },
            false => Operation::AbortMultipartUpload { bucket, key, upload_id: text(plan, "uploadId") },
        };
        act(store, operation, now)?;
        Ok(Value::Null)
    }
}

fn act(store: &mut State, operation: Operation, now: u64) -> Result<Reply, String> {
    step(operation, store, now).map_err(|error| error.to_string())
}

fn text(plan: &Value, name: &str) -> String {
    plan[name].as_str().unwrap_or("").into()
}
