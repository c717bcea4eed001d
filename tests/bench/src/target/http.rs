//! As much of HTTP/1.1 as browsers speak to a store: requests with a Content-Length, answers with one, connections that are kept.

use std::io::{self, Read, Write};
use std::net::TcpStream;

use rustix::net::{RecvFlags, recv};

/// The largest head of a request. (A choice: signatures and metadata take a few kilobytes.)
const HEAD: usize = 64 * 1024;

/// How much is taken of a socket at once where nothing paces it. (A choice: what a socket's buffer holds.)
const GULP: usize = 4 << 20;

/// The largest body that is read as text: a list of 10,000 parts takes 1.5 MB.
const TEXT: u64 = 4 << 20;

/// The head of a request.
#[derive(Debug, Default)]
pub(crate) struct Head {
    pub(crate) method: String,
    /// Without the query.
    pub(crate) path: String,
    pub(crate) query: String,
    /// By their names in lower case.
    headers: Vec<(String, String)>,
}

impl Head {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(its, _)| its == name).map(|(_, value)| value.as_str())
    }

    /// A header's value as a number.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.header(name)?.parse().ok()
    }

    /// A parameter of the query; one without a value is empty.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query
            .split('&')
            .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
            .find(|(its, _)| *its == name)
            .map(|(_, value)| value)
    }

    /// Bytes of the body.
    pub(crate) fn length(&self) -> u64 {
        self.number("content-length").unwrap_or(0)
    }
}

/// An answer.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn new(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn xml(text: String) -> Self {
        Self { status: 200, headers: vec![("content-type", "application/xml".to_owned())], body: text.into_bytes() }
    }
}

/// One connection, and what was read of it beyond what was asked for.
pub(crate) struct Connection {
    stream: TcpStream,
    read: Vec<u8>,
    gulp: Vec<u8>,
}

impl Connection {
    pub(crate) fn new(stream: TcpStream) -> Self {
        Self { stream, read: Vec::new(), gulp: Vec::new() }
    }

    /// The next request's head; `None` where the client has closed the connection.
    pub(crate) fn head(&mut self) -> io::Result<Option<Head>> {
        loop {
            if let Some((head, taken)) = parse(&self.read)? {
                self.read.drain(..taken);
                return Ok(Some(head));
            }
            if self.read.len() > HEAD {
                return Err(wrong("a request's head is larger than 64 KiB"));
            }
            let mut buffer = [0; 16 * 1024];
            let count = self.stream.read(&mut buffer)?;
            if count == 0 {
                return Ok(None);
            }
            self.read.extend_from_slice(&buffer[..count]);
        }
    }

    /// A body as text.
    pub(crate) fn text(&mut self, length: u64) -> io::Result<String> {
        if length > TEXT {
            return Err(wrong("a body that should be text is larger than 4 MiB"));
        }
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let mut body: Vec<u8> = self.read.drain(..self.read.len().min(length)).collect();
        let had = body.len();
        body.resize(length, 0);
        self.stream.read_exact(&mut body[had..])?;
        String::from_utf8(body).map_err(|_| wrong("a body that should be text is none"))
    }

    /// The first bytes of a body, up to `count`; they stay unread.
    pub(crate) fn peek(&mut self, count: usize) -> io::Result<&[u8]> {
        while self.read.len() < count {
            let mut buffer = [0; 4096];
            let got = self.stream.read(&mut buffer)?;
            if got == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.read.extend_from_slice(&buffer[..got]);
        }
        Ok(&self.read[..count])
    }

    /// Throws bytes of a body away, at most `most`, and gives how many they were: none are copied out of the kernel.
    pub(crate) fn discard(&mut self, most: u64) -> io::Result<u64> {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        if !self.read.is_empty() {
            let taken = self.read.len().min(most);
            self.read.drain(..taken);
            return Ok(taken as u64);
        }
        let most = most.min(GULP);
        if self.gulp.len() < most {
            self.gulp.resize(most, 0);
        }
        // tcp(7): "the MSG_TRUNC flag causes the received bytes of data to be discarded".
        let (_, count) = recv(&self.stream, &mut self.gulp[..most], RecvFlags::TRUNC)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(count as u64)
    }

    /// Sends an answer.
    pub(crate) fn answer(&mut self, answer: &Answer) -> io::Result<()> {
        let mut text = format!("HTTP/1.1 {} {}\r\n", answer.status, reason(answer.status)).into_bytes();
        for (name, value) in &answer.headers {
            text.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        // RFC 9110, 8.6: no Content-Length in a 204.
        if answer.status != 204 {
            text.extend_from_slice(format!("content-length: {}\r\n", answer.body.len()).as_bytes());
        }
        text.extend_from_slice(b"\r\n");
        text.extend_from_slice(&answer.body);
        self.stream.write_all(&text)
    }

    /// Closes it by a reset.
    pub(crate) fn reset(self) {
        // Where that fails it closes in the usual way, and the answer is lost all the same.
        let _ = rustix::net::sockopt::set_socket_linger(&self.stream, Some(std::time::Duration::ZERO));
    }
}

/// A head, and how many bytes it took; `None` where more has to come.
fn parse(bytes: &[u8]) -> io::Result<Option<(Head, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; 96];
    let mut request = httparse::Request::new(&mut headers);
    let taken = match request.parse(bytes).map_err(|error| wrong(&error.to_string()))? {
        httparse::Status::Partial => return Ok(None),
        httparse::Status::Complete(taken) => taken,
    };
    let target = request.path.unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let value = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let head = Head {
        method: request.method.unwrap_or_default().to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: request.headers.iter().map(|one| (one.name.to_ascii_lowercase(), value(one.value))).collect(),
    };
    if head.header("transfer-encoding").is_some() {
        return Err(wrong("a body without a Content-Length"));
    }
    Ok(Some((head, taken)))
}

fn wrong(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        404 => "Not Found",
        409 => "Conflict",
        503 => "Slow Down",
        _ => "Bad Request",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn pair() -> (TcpStream, Connection) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let client = TcpStream::connect(listener.local_addr().expect("an address")).expect("connected");
        (client, Connection::new(listener.accept().expect("accepted").0))
    }

    #[test]
    fn reads_requests_one_after_the_other_on_one_connection() {
        let (mut client, mut connection) = pair();
        client
            .write_all(b"PUT /a/b?partNumber=3&uploads HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n01234")
            .expect("sent");
        let head = connection.head().expect("read").expect("a request");
        assert_eq!((head.method.as_str(), head.path.as_str()), ("PUT", "/a/b"));
        assert_eq!(
            (head.parameter("partNumber"), head.parameter("uploads"), head.parameter("x")),
            (Some("3"), Some(""), None)
        );
        assert_eq!(head.length(), 10);
        assert_eq!(connection.peek(3).expect("read"), b"012");
        client.write_all(b"56789POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nok").expect("sent");
        let mut left = 10;
        while left > 0 {
            left -= connection.discard(left).expect("thrown away");
        }
        let head = connection.head().expect("read").expect("a request");
        assert_eq!(connection.text(head.length()).expect("text"), "ok");
        drop(client);
        assert!(connection.head().expect("read").is_none());
    }

    #[test]
    fn an_answer_has_its_length_unless_it_can_have_no_body() {
        let (mut client, mut connection) = pair();
        connection.answer(&Answer::new(200).with("etag", "\"1\"")).expect("sent");
        connection.answer(&Answer::new(204)).expect("sent");
        drop(connection);
        let mut text = String::new();
        client.read_to_string(&mut text).expect("read");
        assert_eq!(text, "HTTP/1.1 200 OK\r\netag: \"1\"\r\ncontent-length: 0\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n");
    }

    #[test]
    fn a_reset_is_one() {
        let (mut client, connection) = pair();
        connection.reset();
        let error = client.read(&mut [0; 1]).expect_err("reset");
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }
}
