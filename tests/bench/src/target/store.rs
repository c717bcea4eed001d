//! What was sent in one run, and the answers: S3's calls for an upload in parts, single PUTs, and tus.

use std::collections::{BTreeMap, HashMap};

use super::http::{Answer, Head};

/// What the target saw and holds.
#[derive(Debug, Default)]
pub(crate) struct Store {
    /// Uploads in parts and of tus that aren't complete, by their ids.
    open: HashMap<String, Open>,
    /// Bytes of each object that is complete.
    objects: HashMap<String, u64>,
    created: u64,
    /// Answers that nobody should get from this target.
    pub(crate) refused: Vec<String>,
}

#[derive(Debug, Default)]
struct Open {
    key: String,
    /// Bytes of each part that was stored.
    parts: BTreeMap<u64, (u64, String)>,
    /// What tus was told that there will be.
    length: u64,
}

/// What a request is about.
#[derive(Debug, PartialEq)]
pub(crate) enum Call {
    /// Carries bytes of a file.
    Bytes,
    /// Carries text, or nothing.
    Text,
}

impl Store {
    /// Bytes of all objects that are complete.
    pub(crate) fn stored(&self) -> u64 {
        self.objects.values().sum()
    }

    /// How many they are.
    pub(crate) fn objects(&self) -> usize {
        self.objects.len()
    }

    /// Answers a request whose body has the MD5 that the content says.
    pub(crate) fn bytes(&mut self, head: &Head, md5: &str) -> Answer {
        let etag = format!("\"{md5}\"");
        let length = head.length();
        match (head.method.as_str(), head.parameter("uploadId")) {
            ("PUT", Some(id)) => {
                let part = head.parameter("partNumber").and_then(|number| number.parse().ok());
                match (self.open.get_mut(id), part) {
                    (Some(open), Some(part)) => {
                        open.parts.insert(part, (length, etag.clone()));
                        Answer::new(200).with("etag", etag)
                    }
                    _ => self.refuse(404, format!("no upload {id:?}, or no part number")),
                }
            }
            ("PUT", None) => {
                self.objects.insert(head.path.clone(), length);
                Answer::new(200).with("etag", etag)
            }
            ("PATCH", _) => self.patch(head, length),
            ("POST", _) => self.create_tus(head, length),
            (method, _) => self.refuse(400, format!("a {method} with bytes of a file")),
        }
    }

    /// Answers a request with text or nothing in it.
    pub(crate) fn text(&mut self, head: &Head, body: &str) -> Answer {
        let id = head.parameter("uploadId");
        match (head.method.as_str(), id) {
            ("HEAD", None) if is_tus(head) => self.tus_offset(head),
            ("POST", None) if head.parameter("uploads").is_some() => self.create(&head.path),
            ("POST", None) if is_tus(head) => self.create_tus(head, 0),
            ("POST", Some(id)) => self.complete(id, body),
            ("GET", Some(id)) => self.list(id),
            ("DELETE", Some(id)) => {
                self.open.remove(id);
                Answer::new(204)
            }
            (method, _) => self.refuse(400, format!("{method} {}?{}", head.path, head.query)),
        }
    }

    fn create(&mut self, path: &str) -> Answer {
        self.created += 1;
        let id = format!("upload-{}", self.created);
        self.open.insert(id.clone(), Open { key: path.to_owned(), ..Open::default() });
        let (bucket, key) = bucket_and_key(path);
        Answer::xml(format!(
            "<InitiateMultipartUploadResult><Bucket>{bucket}</Bucket><Key>{key}</Key><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
        ))
    }

    /// Holds the parts that are named against those that are there.
    fn complete(&mut self, id: &str, body: &str) -> Answer {
        let Some(open) = self.open.get(id) else {
            return self.refuse(404, format!("no upload {id:?}"));
        };
        let named: Vec<u64> =
            between(body, "<PartNumber>", "</PartNumber>").filter_map(|one| one.parse().ok()).collect();
        let there: Vec<u64> = open.parts.keys().copied().collect();
        if named != there {
            let (named, there) = (named.len(), there.len());
            return self.refuse(400, format!("complete names {named} parts in some order, and {there} are there"));
        }
        let etags = between(body, "<ETag>", "</ETag>").map(|etag| etag.replace("&quot;", "\"").replace("&#34;", "\""));
        for (etag, (part, (_, its))) in etags.zip(&open.parts) {
            if etag.trim_matches('"') != its.trim_matches('"') {
                let told = format!("part {part} has the ETag {its}, and complete says {etag}");
                return self.refuse(400, told);
            }
        }
        let (key, size) = (open.key.clone(), open.parts.values().map(|(size, _)| size).sum());
        let count = open.parts.len();
        self.open.remove(id);
        self.objects.insert(key.clone(), size);
        let (bucket, name) = bucket_and_key(&key);
        Answer::xml(format!(
            "<CompleteMultipartUploadResult><Location>http://store{key}</Location><Bucket>{bucket}</Bucket><Key>{name}</Key><ETag>&quot;00000000000000000000000000000000-{count}&quot;</ETag></CompleteMultipartUploadResult>"
        ))
    }

    fn list(&mut self, id: &str) -> Answer {
        let Some(open) = self.open.get(id) else {
            return self.refuse(404, format!("no upload {id:?}"));
        };
        let parts: String = open
            .parts
            .iter()
            .map(|(part, (size, etag))| {
                let etag = etag.replace('"', "&quot;");
                format!("<Part><PartNumber>{part}</PartNumber><ETag>{etag}</ETag><Size>{size}</Size></Part>")
            })
            .collect();
        Answer::xml(format!("<ListPartsResult><IsTruncated>false</IsTruncated>{parts}</ListPartsResult>"))
    }

    fn create_tus(&mut self, head: &Head, length: u64) -> Answer {
        if !is_tus(head) {
            return self.refuse(400, format!("POST {} with bytes of a file", head.path));
        }
        self.created += 1;
        let id = format!("{}/{}", head.path, self.created);
        let location = |answer: Answer| Answer { status: 201, ..answer }.with("location", id.clone());
        if let Some(pieces) = head.header("upload-concat").and_then(|concat| concat.strip_prefix("final;")) {
            return match self.concatenate(&id, pieces) {
                Some(answer) => location(answer),
                None => self.refuse(400, format!("{pieces:?} aren't all there")),
            };
        }
        let open = Open { key: id.clone(), length: head.number("upload-length").unwrap_or(0), ..Open::default() };
        self.open.insert(id.clone(), open);
        location(self.append(&id, length))
    }

    /// Makes one object of several; the pieces are named by their URLs.
    fn concatenate(&mut self, id: &str, pieces: &str) -> Option<Answer> {
        let paths: Vec<String> = pieces.split_whitespace().map(path_of).map(str::to_owned).collect();
        let size = paths.iter().map(|path| self.objects.get(path)).sum::<Option<u64>>()?;
        self.objects.retain(|key, _| !paths.contains(key));
        self.objects.insert(id.to_owned(), size);
        Some(Answer::new(201).with("tus-resumable", "1.0.0"))
    }

    fn patch(&mut self, head: &Head, length: u64) -> Answer {
        let there = self.open.get(&head.path).map(Open::size);
        if there.is_none() || there != head.number("upload-offset") {
            return self
                .refuse(409, format!("PATCH at {:?}, and {there:?} bytes are there", head.header("upload-offset")));
        }
        self.append(&head.path, length)
    }

    fn append(&mut self, id: &str, length: u64) -> Answer {
        let Some(open) = self.open.get_mut(id) else {
            return self.refuse(404, format!("no upload {id:?}"));
        };
        let number = open.parts.len() as u64 + 1;
        open.parts.insert(number, (length, String::new()));
        let size = open.size();
        if size == open.length {
            self.open.remove(id);
            self.objects.insert(id.to_owned(), size);
        }
        Answer::new(204).with("upload-offset", size.to_string()).with("tus-resumable", "1.0.0")
    }

    fn tus_offset(&mut self, head: &Head) -> Answer {
        let done = self.objects.get(&head.path).map(|size| (*size, *size));
        let Some((size, length)) = self.open.get(&head.path).map(|open| (open.size(), open.length)).or(done) else {
            return self.refuse(404, format!("no upload {:?}", head.path));
        };
        Answer::new(200)
            .with("upload-offset", size.to_string())
            .with("upload-length", length.to_string())
            .with("tus-resumable", "1.0.0")
    }

    /// Adds what arrived of a PATCH whose connection was lost, as servers of tus do.
    pub(crate) fn cut_off(&mut self, head: &Head, arrived: u64) {
        if head.method == "PATCH" && arrived > 0 {
            self.append(&head.path, arrived);
        }
    }

    fn refuse(&mut self, status: u16, why: String) -> Answer {
        self.refused.push(why);
        Answer::new(status)
    }
}

impl Open {
    fn size(&self) -> u64 {
        self.parts.values().map(|(size, _)| size).sum()
    }
}

/// Whether its body is bytes of a file, to be thrown away.
pub(crate) fn call(head: &Head) -> Call {
    let bytes = match head.method.as_str() {
        "PUT" | "PATCH" => true,
        "POST" => is_tus(head) && head.length() > 0,
        _ => false,
    };
    if bytes { Call::Bytes } else { Call::Text }
}

/// What a request with bytes of a file carries, in words that are the same for whoever sends it.
pub(crate) fn piece(head: &Head) -> String {
    match (head.parameter("partNumber"), head.header("upload-offset")) {
        (Some(number), _) => number.to_owned(),
        (None, Some(offset)) => format!("{} from {offset}", head.path),
        (None, None) => head.path.clone(),
    }
}

fn is_tus(head: &Head) -> bool {
    head.header("tus-resumable").is_some()
}

/// A URL's path, or the path itself.
fn path_of(url: &str) -> &str {
    match url.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("", |at| &rest[at..]),
        None => url,
    }
}

fn bucket_and_key(path: &str) -> (&str, &str) {
    path.trim_start_matches('/').split_once('/').unwrap_or((path, ""))
}

fn between<'a>(text: &'a str, open: &'a str, close: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(open).skip(1).filter_map(move |after| after.split_once(close).map(|(inside, _)| inside))
}
