//! The browser's side: [`WebPlatform`], and the classes that the package's face calls.

#[cfg(feature = "crash-test")]
mod crash;
mod events;
mod exports;
pub mod file_bytes;
mod file_source;
mod hasher;
mod hooks;
mod js;
mod json;
mod options;
mod page_events;
mod platform;
mod transport;
mod upload_functions;

pub use exports::{Engine, StartOptions, Task, emit_page_event, media_type, version};
pub use file_source::FileSource;
pub use hasher::Hasher;
pub use options::UploaderOptions;
pub use platform::WebPlatform;
pub use upload_functions::UploadFunctions;
