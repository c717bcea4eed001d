//! A `multipart/form-data` body: files are written to disk, fields are read into memory.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame};
use partway_models::wire::{FormField, FormValue};

use crate::request_body::RequestBody;
use crate::response_body::BodyError;
use crate::state::spool::{Spool, Spooled};

/// How many bytes all fields without a file name may have together. (A choice.)
const FIELDS_LIMIT: usize = 1024 * 1024;

/// Reads a whole form.
///
/// # Errors
/// The body is no form, its fields are too long, or the connection broke.
pub(super) async fn read(
    content_type: &str,
    body: RequestBody,
    spool: &Arc<Spool>,
) -> Result<(Vec<FormField>, Vec<Spooled>), BodyError> {
    let boundary = multer::parse_boundary(content_type)?;
    let mut form = multer::Multipart::new(body.into_data_stream(), boundary);
    let (mut fields, mut files, mut room) = (Vec::new(), Vec::new(), FIELDS_LIMIT);
    while let Some(field) = form.next_field().await? {
        let name = field.name().unwrap_or_default().to_owned();
        let filename = field.file_name().map(str::to_owned);
        let content_type = field.content_type().map(ToString::to_string);
        let value = if filename.is_some() {
            let file = spool.receive(File(field)).await?;
            let content = file.content();
            files.push(file);
            FormValue::Content(content)
        } else {
            let text = http_body_util::Limited::new(File(field), room).collect().await?.to_bytes();
            room -= text.len();
            FormValue::Bytes(text.to_vec())
        };
        fields.push(FormField { name, filename, content_type, value });
    }
    Ok((fields, files))
}

/// The content of a field, as a body.
struct File(multer::Field<'static>);

impl Body for File {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        use futures_core::Stream;
        let piece = ready!(Pin::new(&mut self.0).poll_next(cx));
        Poll::Ready(piece.map(|piece| piece.map(Frame::data).map_err(Into::into)))
    }
}
