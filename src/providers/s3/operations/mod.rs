//! The operations of S3 that an upload needs, in AWS's words, one file each (AWS S3 API Reference). Those that carry bytes of the file
//! give the signed request, which the engine sends; all others are sent here and give a typed reply.

mod abort;
mod complete;
mod create;
mod head;
mod list_parts;
mod put_object;
mod upload_part;

pub(super) use abort::abort_multipart_upload;
pub(super) use complete::{Completed, Completion, complete_multipart_upload};
pub(super) use create::create_multipart_upload;
pub(super) use head::head_object;
pub(super) use list_parts::{has_parts, list_parts};
pub(super) use put_object::put_object;
pub(super) use upload_part::upload_part;
