//! JSON: values that the platform parsed, and the typed structs that are decoded from them.

mod decode;
#[cfg(not(target_arch = "wasm32"))]
mod native;
mod value;

pub(crate) use decode::decoded;
pub use decode::{Decode, FirstMismatch, IdText, Items, Mismatch, Object, StringMap, decode, decode_member};
pub use value::{Json, JsonBuilder, Kind, MAX_ITEMS};
