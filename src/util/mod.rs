//! What the standard library has too, in fewer bytes of download; nothing in here knows what an upload is.

#[macro_use]
pub mod broken;
#[macro_use]
pub(crate) mod text;

pub mod hex;
pub mod ordered;
pub mod time;
