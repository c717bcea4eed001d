//! An object's bytes, read from disk while they are sent.

use std::io::{self, Read};
use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use partway_models::content::{Content, Reader};
use tokio::sync::mpsc;

/// The size of one read. (A choice.)
const PIECE: usize = 256 * 1024;

struct Pieces {
    pieces: mpsc::Receiver<io::Result<Bytes>>,
    left: u64,
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.pieces.poll_recv(cx).map(|piece| {
            let piece = piece?;
            if let Ok(bytes) = &piece {
                self.left -= bytes.len() as u64;
            }
            Some(piece.map(Frame::data))
        })
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// A body of the bytes of `range`.
pub(super) fn body(contents: &[Content], range: Range<u64>) -> s3s::Body {
    let (sender, pieces) = mpsc::channel(2);
    let (mut reader, left) = (Reader::new(contents), range.end - range.start);
    tokio::task::spawn_blocking(move || {
        let read = || {
            io::copy(&mut (&mut reader).take(range.start), &mut io::sink())?;
            let mut reader = reader.take(left);
            loop {
                let mut piece = Vec::with_capacity(PIECE);
                (&mut reader).take(PIECE as u64).read_to_end(&mut piece)?;
                // A failed send means that the client has disconnected.
                if piece.is_empty() || sender.blocking_send(Ok(piece.into())).is_err() {
                    return io::Result::Ok(());
                }
            }
        };
        if let Err(error) = read() {
            let _ = sender.blocking_send(Err(error));
        }
    });
    s3s::Body::http_body(Pieces { pieces, left })
}
