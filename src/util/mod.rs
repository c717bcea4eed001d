//! What the standard library has too, in fewer bytes of download. Nothing in here is about uploads.

#[macro_use]
pub mod broken;
#[macro_use]
pub(crate) mod text;

pub mod base64;
pub mod hex;
pub mod ordered;
pub mod time;
