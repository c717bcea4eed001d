//! The target over real sockets: what each protocol gets, and what a line does.

use std::io::{Read, Write};

use super::*;

struct Client(TcpStream);

#[derive(Debug)]
struct Reply {
    status: u16,
    head: String,
    body: String,
}

impl Reply {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

impl Client {
    fn new(address: &str) -> Self {
        Self(TcpStream::connect(address.trim_start_matches("http://")).expect("connected"))
    }

    fn try_send(&mut self, start: &str, headers: &[(&str, &str)], body: &[u8]) -> io::Result<Reply> {
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head = format!("{start} HTTP/1.1\r\nhost: store\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
        self.0.write_all(head.as_bytes())?;
        self.0.write_all(body)?;
        let mut read = Vec::new();
        while !read.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.0.read_exact(&mut byte)?;
            read.push(byte[0]);
        }
        let head = String::from_utf8(read).expect("text");
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        let mut reply = Reply { status, head, body: String::new() };
        let length = reply.header("content-length").map_or(0, |length| length.parse().expect("a number"));
        let mut body = vec![0; length];
        self.0.read_exact(&mut body)?;
        reply.body = String::from_utf8(body).expect("text");
        Ok(reply)
    }

    fn send(&mut self, start: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        self.try_send(start, headers, body).expect("answered")
    }
}

struct Stage {
    target: Arc<Target>,
    store: String,
    file: Vec<u8>,
}

const SIZE: u64 = 200_000;

fn stage(shape: Shape) -> Stage {
    let content = Arc::new(Content::new(7));
    let folder =
        std::env::temp_dir().join(format!("partway-bench-{}-{:?}", std::process::id(), thread::current().id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    content.write(&folder.join("file"), SIZE).expect("written");
    let file = std::fs::read(folder.join("file")).expect("read");
    std::fs::remove_dir_all(&folder).expect("removed");
    let (target, addresses) = Target::start(content, Pages::new(vec![]), 1).expect("started");
    target.begin(shape, 1);
    Stage { target, store: addresses.stores[0].clone(), file }
}

fn md5(bytes: &[u8]) -> String {
    use md5::{Digest, Md5};
    Md5::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn an_upload_in_parts_gets_true_md5s_and_is_complete_where_all_parts_are_named() {
    let stage = stage(Shape::default());
    let mut client = Client::new(&stage.store);
    let created = client.send("POST /bucket/name?uploads", &[], b"");
    assert!(created.body.contains("<UploadId>upload-1</UploadId>"), "{created:?}");
    let mut named = String::new();
    for (number, part) in (1..).zip(stage.file.chunks(70_001)) {
        let put = client.send(&format!("PUT /bucket/name?partNumber={number}&uploadId=upload-1"), &[], part);
        let etag = format!("\"{}\"", md5(part));
        assert_eq!((put.status, put.header("etag")), (200, Some(etag.as_str())));
        assert!(put.header("access-control-expose-headers").is_some_and(|exposed| exposed.contains("ETag")));
        named.push_str(&format!(
            "<Part><PartNumber>{number}</PartNumber><ETag>{}</ETag></Part>",
            etag.replace('"', "&quot;")
        ));
    }
    let listed = client.send("GET /bucket/name?uploadId=upload-1", &[], b"");
    assert_eq!(listed.body.matches("<Part>").count(), 3);
    let too_few = named.rsplit_once("<Part>").expect("several").0.to_owned();
    assert_eq!(client.send("POST /bucket/name?uploadId=upload-1", &[], too_few.as_bytes()).status, 400);
    let wrong = named.replace(&md5(&stage.file[..70_001]), &md5(b""));
    assert_eq!(client.send("POST /bucket/name?uploadId=upload-1", &[], wrong.as_bytes()).status, 400);
    let complete = client.send("POST /bucket/name?uploadId=upload-1", &[], named.as_bytes());
    assert_eq!(complete.status, 200);
    let arrived = stage.target.arrived();
    assert_eq!((arrived.stored, arrived.objects, arrived.counts.bytes), (SIZE, 1, SIZE));
    assert_eq!((arrived.counts.requests, arrived.counts.connections), (8, 1));
    assert_eq!(arrived.refused.len(), 2);
}

#[test]
fn a_single_put_is_an_object_and_foreign_bytes_are_refused() {
    let stage = stage(Shape::default());
    let mut client = Client::new(&stage.store);
    assert_eq!(client.send("PUT /bucket/one", &[], &stage.file[..1000]).status, 200);
    assert_eq!(client.send("PUT /bucket/none", &[], b"").status, 200);
    assert_eq!(client.send("PUT /bucket/other", &[], b"none of the bench's files").status, 400);
    let arrived = stage.target.arrived();
    assert_eq!((arrived.stored, arrived.objects, arrived.refused.len()), (1000, 2, 1));
}

#[test]
fn tus_goes_on_from_its_offset_and_puts_pieces_together() {
    let stage = stage(Shape::default());
    let mut client = Client::new(&stage.store);
    let tus = ("tus-resumable", "1.0.0");
    let half = 100_000;
    let mut pieces = Vec::new();
    for part in stage.file.chunks(half) {
        let length = half.to_string();
        let created = client.send("POST /tus", &[tus, ("upload-length", &length), ("upload-concat", "partial")], b"");
        assert_eq!(created.status, 201);
        let place = created.header("location").expect("a place").to_owned();
        let patch = |client: &mut Client, from: usize, to: usize| {
            client.send(&format!("PATCH {place}"), &[tus, ("upload-offset", &from.to_string())], &part[from..to])
        };
        assert_eq!(patch(&mut client, 0, 60_000).header("upload-offset"), Some("60000"));
        assert_eq!(patch(&mut client, 0, 1000).status, 409, "not where it stands");
        let head = client.send(&format!("HEAD {place}"), &[tus], b"");
        assert_eq!(head.header("upload-offset"), Some("60000"));
        assert_eq!(patch(&mut client, 60_000, half).status, 204);
        pieces.push(format!("{}{place}", stage.store));
    }
    let concat = format!("final;{}", pieces.join(" "));
    assert_eq!(client.send("POST /tus", &[tus, ("upload-concat", &concat)], b"").status, 201);
    let arrived = stage.target.arrived();
    assert_eq!((arrived.stored, arrived.objects), (SIZE, 1));
    assert_eq!(arrived.counts.bytes, SIZE + 2 * 1000, "what came in vain is counted");
}

#[test]
fn a_preflight_allows_what_it_asks_for_and_is_counted_apart() {
    let stage = stage(Shape::default());
    let asked = [("access-control-request-headers", "content-type,x-amz-date")];
    let reply = Client::new(&stage.store).send("OPTIONS /bucket/name", &asked, b"");
    assert_eq!(reply.status, 204);
    assert_eq!(reply.header("access-control-allow-headers"), Some("content-type,x-amz-date"));
    let counts = stage.target.arrived().counts;
    assert_eq!((counts.preflights, counts.requests), (1, 0));
}

#[test]
fn the_same_requests_are_refused_and_reset_in_every_run() {
    let stage = stage(Shape { faults: true, ..Shape::default() });
    let run = || {
        stage.target.begin(Shape { faults: true, ..Shape::default() }, 3);
        let mut client = Client::new(&stage.store);
        let statuses: Vec<Option<u16>> = (0..200)
            .map(|number| {
                let reply = client.try_send(&format!("PUT /bucket/{number}"), &[], &stage.file[..70_000]);
                let status = reply.as_ref().ok().map(|reply| reply.status);
                if status == Some(503) {
                    assert_eq!(reply.expect("answered").header("retry-after"), Some("1"));
                } else if status.is_none() {
                    client = Client::new(&stage.store);
                }
                status
            })
            .collect();
        let counts = stage.target.arrived().counts;
        let count = |wanted: Option<u16>| statuses.iter().filter(|status| **status == wanted).count() as u64;
        assert_eq!((count(Some(503)), count(None)), (counts.busy, counts.resets));
        assert!(counts.busy > 0 && counts.resets > 0, "{counts:?}");
        statuses
    };
    assert_eq!(run(), run());
}

#[test]
fn a_line_with_a_rate_takes_the_time_that_its_bytes_need() {
    // No wall clock is asserted but a lower bound: 130,000 bytes beyond the first stride at 1 MB/s, and two latencies.
    let stage = stage(Shape { per_connection: Some(1_000_000), latency_ms: 20, ..Shape::default() });
    let start = Instant::now();
    assert_eq!(Client::new(&stage.store).send("PUT /bucket/one", &[], &stage.file).status, 200);
    assert!(start.elapsed() >= Duration::from_millis(200 + 40));
}
