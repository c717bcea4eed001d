//! A sandbox, as a child process or in the test's own, and a plain HTTP client of it.
#![allow(dead_code, missing_docs, unreachable_pub)] // each test file uses its own part of this

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use partway_models::encoding::percent_encode;
use partway_models::sigv4::{self, Credentials, Target};
use partway_models::wire::Headers;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A sandbox that ends with the test.
pub struct Sandbox {
    /// `None` for a sandbox in the test's own process.
    child: Option<Child>,
    pub addresses: Value,
    agent: ureq::Agent,
    _folder: Option<tempfile::TempDir>,
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let Some(child) = &mut self.child else { return };
        // Closing its standard input ends it; a child that hangs is killed.
        drop(child.stdin.take());
        for _ in 0..100 {
            if matches!(child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = child.kill();
        let _ = child.wait();
    }
}

pub fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_partway-sandbox"));
    command.arg("--exit-with-parent").stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

/// Starts a sandbox whose root has a page and a package.
pub fn start() -> Sandbox {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("www/index.html", "<title>page</title>"),
        ("www/app.js", "export {}"),
        ("pkg/dist/x.wasm", "\0asm"),
        ("extra/a b.txt", "extra"),
        ("Cargo.toml", "secret"),
    ] {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let root = folder.path().to_owned();
    let mut command = command();
    command.arg("--root").arg(&root).arg("--serve").arg(root.join("extra"));
    Sandbox::spawn(command, Some(folder))
}

/// Starts a sandbox with these options.
pub fn start_with(options: &[&str]) -> Sandbox {
    let mut command = command();
    command.args(options);
    Sandbox::spawn(command, None)
}

/// A whole response.
#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Response {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// Everything that a page can read.
    pub fn everything(&self) -> String {
        format!("{:?} {}", self.headers, self.text())
    }
}

impl Sandbox {
    fn spawn(mut command: Command, folder: Option<tempfile::TempDir>) -> Self {
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let addresses = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        let mut sandbox = Self::in_process(addresses);
        (sandbox.child, sandbox._folder) = (Some(child), folder);
        sandbox
    }

    /// A client of a sandbox that runs in the test's own process.
    pub fn in_process(addresses: Value) -> Self {
        // No pool: each test decides on its connections.
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_idle_connections(0)
            .max_redirects(0)
            .timeout_global(Some(Duration::from_secs(60)))
            .build();
        Self { child: None, addresses, agent: config.into(), _folder: None }
    }

    pub fn origin(&self, who: &str) -> &str {
        self.addresses[who].as_str().unwrap()
    }

    pub fn process(&mut self) -> &mut Child {
        self.child.as_mut().expect("a child process")
    }

    /// Sends one request. A path is one of the app.
    pub fn request(&self, method: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> Result<Response, String> {
        let url = if url.starts_with('/') { format!("{}{url}", self.origin("app")) } else { url.to_owned() };
        let mut request = ureq::http::Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(body).unwrap();
        let sent = self.agent.configure_request(request).allow_non_standard_methods(true).build();
        let mut response = self.agent.run(sent).map_err(|error| error.to_string())?;
        let headers = response.headers().iter();
        let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
        let status = response.status().as_u16();
        let limit = response.body_mut().with_config().limit(1 << 30);
        let body = limit.read_to_vec().map_err(|error| error.to_string())?;
        Ok(Response { status, headers, body })
    }

    pub fn get(&self, url: &str) -> Response {
        self.request("GET", url, &[], b"").unwrap()
    }

    pub fn put(&self, url: &str, body: &[u8]) -> Response {
        self.request("PUT", url, &[], body).unwrap()
    }

    pub fn post(&self, url: &str, body: &Value) -> Response {
        self.post_with(url, &[], body)
    }

    pub fn post_with(&self, url: &str, headers: &[(&str, &str)], body: &Value) -> Response {
        let headers: Vec<_> = headers.iter().copied().chain([("content-type", "application/json")]).collect();
        self.request("POST", url, &headers, body.to_string().as_bytes()).unwrap()
    }

    /// Sets the faults, which must be valid.
    pub fn faults(&self, faults: &Value) {
        let response = self.request("PUT", "/control/faults", &[], faults.to_string().as_bytes()).unwrap();
        assert_eq!(response.status, 200, "{}", response.text());
    }

    /// Sets a fault that hits once.
    pub fn fault(&self, route: &str, effect: Value) {
        self.faults(&json!({ "faults": [{ "route": route, "times": 1, "effect": effect }] }));
    }

    pub fn settings(&self, settings: &Value) {
        let response = self.post("/control/vendors", settings);
        assert_eq!(response.status, 200, "{}", response.text());
    }

    /// Waits until the log has a request of the route that passes `check`, and returns it.
    pub fn wait_for(&self, route: &str, check: impl Fn(&Value) -> bool) -> Value {
        eventually(route, || self.logged(route).into_iter().rev().find(&check))
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        assert_eq!(self.request("DELETE", "/control/faults", &[], b"").unwrap().status, 204);
    }

    /// Sends requests, and waits for their responses: none of them is blocked by an earlier one.
    pub fn overtake(&self) {
        for n in 0..20 {
            let url = self.sign(&self.credentials(), "PUT", &format!("overtaking-{n}"), &[]);
            assert_eq!(self.put(&url, b"x").status, 200);
        }
    }

    /// The logged requests of a route.
    pub fn logged(&self, route: &str) -> Vec<Value> {
        let log = self.get("/control/log").json();
        log["requests"].as_array().unwrap().iter().filter(|entry| entry["route"] == route).cloned().collect()
    }

    pub fn sha256(&self, destination: &str, id: &str) -> Response {
        self.get(&format!("/objects/{destination}/{}/sha256", percent_encode(id)))
    }

    /// Compares the stored object with the bytes that were sent.
    pub fn assert_stored(&self, destination: &str, id: &str, bytes: &[u8]) {
        let found = self.sha256(destination, id);
        assert_eq!(found.status, 200, "{}", found.text());
        assert_eq!(found.json(), json!({ "sha256": sha256(bytes), "size": bytes.len() }));
    }

    pub fn credentials(&self) -> Credentials {
        let given = self.post("/api/credentials", &json!({})).json();
        Credentials {
            access_key: given["accessKeyId"].as_str().unwrap().into(),
            secret_key: given["secretAccessKey"].as_str().unwrap().into(),
            session_token: given["sessionToken"].as_str().map(str::to_owned),
        }
    }

    /// A URL of the store, signed now.
    pub fn sign(&self, credentials: &Credentials, method: &str, key: &str, query: &[(&str, &str)]) -> String {
        self.sign_at(credentials, method, key, query, &[], now(), 300)
    }

    #[allow(clippy::too_many_arguments)] // a signature has that many parts
    pub fn sign_at(
        &self,
        credentials: &Credentials,
        method: &str,
        key: &str,
        query: &[(&str, &str)],
        headers: &[(&str, &str)],
        at: u64,
        expires_s: u64,
    ) -> String {
        let provider = self.get("/config.json").json()["destinations"][3]["provider"].clone();
        let bucket = provider["bucket"].as_str().unwrap();
        let path = format!("/{bucket}/{}", partway_models::encoding::percent_encode_path(key));
        let query: Vec<_> = query.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        let headers: Headers = headers.iter().copied().collect();
        let endpoint = self.origin("store");
        let target = Target { method, endpoint, path: &path, query: &query, headers: &headers };
        sigv4::presign(credentials, provider["region"].as_str().unwrap(), &target, expires_s, at)
    }
}

/// Polls until `check` returns a value. The polls are limited in number, so that a test fails instead of hanging.
pub fn eventually<T>(what: &str, mut check: impl FnMut() -> Option<T>) -> T {
    for _ in 0..6_000 {
        if let Some(value) = check() {
            return value;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("{what}: it never happened");
}

pub fn now() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    u64::try_from(since.as_millis()).unwrap()
}

pub fn sha256(bytes: &[u8]) -> String {
    partway_models::encoding::hex(&Sha256::digest(bytes))
}

/// Pseudo-random bytes.
pub fn bytes(size: usize, seed: u8) -> Vec<u8> {
    let mut state = u64::from(seed) + 1;
    (0..size)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        })
        .collect()
}

/// The text of an XML element.
pub fn element(xml: &str, name: &str) -> String {
    let after = xml.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("no {name} in {xml}")).1;
    after.split_once("</").unwrap().0.replace("&quot;", "\"")
}

/// A connection for requests that are written by hand.
pub fn connect(origin: &str) -> TcpStream {
    let stream = TcpStream::connect(origin.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// The head of a request whose body has this length.
pub fn head(method: &str, target: &str, origin: &str, length: usize) -> String {
    let host = origin.trim_start_matches("http://");
    format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n")
}

/// Reads to the end of the connection.
pub fn read_all(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Sends a request and reads one response, by its `Content-Length`. The connection stays open.
pub fn exchange(stream: &mut TcpStream, request: &[u8]) -> std::io::Result<String> {
    stream.write_all(request)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        head += &line;
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(head + &String::from_utf8_lossy(&body))
}

pub fn target_of(url: &str) -> &str {
    let rest = url.trim_start_matches("http://");
    &rest[rest.find('/').unwrap()..]
}
