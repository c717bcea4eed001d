//! The file, and whether a destination accepts it.

use std::cell::OnceCell;

use crate::error::{Code, Result, Step, UploadError};
use crate::model::plan::ByteRange;
use crate::model::settings::AcceptSetting;
use crate::util::text;

/// A file of at most so many bytes is small: it is read at most once, whole. Where its request may be repeated, that is beside the
/// sending; else before anything is opened for it, and what is hashed and sent is then the copy in memory, which no change of the file
/// reaches. (A choice: as much as is hashed at a time on the page's own thread.)
pub const SMALL: u64 = 256 << 10;

/// A file: what the engine knows of it, and the platform's handle to its bytes.
#[derive(Clone, Debug)]
pub struct SourceFile<B> {
    /// Its name, extension included.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its media type, as the browser gave it or the caller corrected it; may be empty.
    pub content_type: String,
    /// The picked file itself.
    pub blob: B,
    /// A copy of all its bytes in memory, once there is one.
    pub copy: OnceCell<B>,
}

impl<B: Clone> SourceFile<B> {
    /// Its bytes: the copy in memory, or else the file.
    pub fn bytes(&self) -> &B {
        self.copy.get().unwrap_or(&self.blob)
    }

    /// Its media type, guessed from the name if the browser had none; empty if that fails too.
    pub fn known_type(&self) -> &str {
        if self.content_type.is_empty() { guess_type(&self.name).unwrap_or("") } else { &self.content_type }
    }

    /// A range of it as a body.
    pub fn body(&self, range: ByteRange, content_type: Option<&str>) -> FileBody<B> {
        FileBody { blob: self.bytes().clone(), range, content_type: ContentType::of(content_type) }
    }
}

/// A range of the file as a body: the platform slices the file, the engine never sees the bytes.
#[derive(Clone, Debug)]
pub struct FileBody<B> {
    /// The whole file, or the copy of it in memory.
    pub blob: B,
    /// The bytes that are sent.
    pub range: ByteRange,
    /// The `Content-Type` that is sent with it.
    pub content_type: ContentType,
}

/// The `Content-Type` of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContentType {
    /// Exactly this one.
    Exactly(String),
    /// None.
    Absent,
    /// The server accepts any or none, so that the file itself, which has its own, may be the body.
    Any,
}

impl ContentType {
    /// Exactly that type; an empty one is absent.
    pub fn of(content_type: Option<&str>) -> Self {
        match content_type {
            None | Some("") => Self::Absent,
            Some(content_type) => Self::Exactly(content_type.into()),
        }
    }
}

/// What a destination accepts: media types, and the most bytes by type.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Accept {
    /// Patterns as in `<input accept>`; empty accepts everything.
    pub types: Vec<String>,
    /// The most bytes by pattern; the narrowest pattern wins.
    pub max_bytes: Vec<(String, u64)>,
}

impl Accept {
    /// A rule from constants.
    pub fn of(types: &[&str], max_bytes: &[(&str, u64)]) -> Self {
        Self {
            types: types.iter().map(|text| (*text).into()).collect(),
            max_bytes: max_bytes.iter().map(|(pattern, max)| ((*pattern).into(), *max)).collect(),
        }
    }

    /// Checks a file; options given by the caller override the provider's limits.
    ///
    /// # Errors
    /// `file-rejected`, with what is accepted.
    pub fn check(&self, setting: &AcceptSetting, name: &str, content_type: &str, size: u64) -> Result<()> {
        if setting.off {
            return Ok(());
        }
        let types = setting.types.as_ref().unwrap_or(&self.types);
        let max_bytes = setting.max_bytes.as_ref().unwrap_or(&self.max_bytes);
        let reject = |message: String, hint: String| {
            Err(UploadError::new(Code::FileRejected, message).at(Step::Check).hint(hint))
        };
        if !types.is_empty() && !types.iter().any(|p| rank(p, name, content_type).is_some()) {
            let accepted = text::join(types, ", ");
            if content_type.is_empty() {
                return reject(
                    text!(
                        "The media type of \"{}\" is unknown: the browser gives none, and the name has no known extension.",
                        name
                    ),
                    text!("Pass `contentType`. Accepted types: {}.", accepted),
                );
            }
            return reject(
                text!("\"{}\" has the type {}, which isn't accepted.", name, content_type),
                text!("Accepted types: {}. To accept others, set `accept.types`.", accepted),
            );
        }
        let (mut narrowest, mut most) = (0, u64::MAX);
        for (pattern, max) in max_bytes {
            match rank(pattern, name, content_type) {
                Some(rank) if rank >= narrowest => (narrowest, most) = (rank, *max),
                _ => {}
            }
        }
        if size > most {
            return reject(
                text!("\"{}\" has {} bytes, more than the limit of {}.", name, size, most),
                "Pick a smaller file, or set another limit as `accept.maxBytes`.".into(),
            );
        }
        Ok(())
    }
}

/// How specific a matching pattern is: 3 for an extension, 2 for a type, 1 for a kind, 0 for anything; None if it doesn't match.
fn rank(pattern: &str, name: &str, content_type: &str) -> Option<u8> {
    let pattern = pattern.trim_ascii().to_ascii_lowercase();
    let essence = text::before(content_type, ";").trim_ascii().to_ascii_lowercase();
    if pattern == "*/*" || pattern == "*" {
        return Some(0);
    }
    if pattern.starts_with('.') {
        return name.to_ascii_lowercase().ends_with(&pattern).then_some(3);
    }
    if let Some(kind) = pattern.strip_suffix('*') {
        return (kind.ends_with('/') && essence.starts_with(kind)).then_some(1);
    }
    (pattern == essence).then_some(2)
}

/// The media type of a name's extension, for the formats that the vendors publish (OFAuth guide, "Supported Formats"), and their
/// common spellings.
///
/// ```
/// assert_eq!(partway::model::file::guess_type("clip.MOV"), Some("video/quicktime"));
/// assert_eq!(partway::model::file::guess_type("notes"), None);
/// ```
pub fn guess_type(name: &str) -> Option<&'static str> {
    let extension = &name[text::rfind(name, b'.')? + 1..];
    TYPES.iter().find(|(known, _)| known.eq_ignore_ascii_case(extension)).map(|(_, kind)| *kind)
}

const TYPES: [(&str, &str); 11] = [
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("png", "image/png"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
    ("mp4", "video/mp4"),
    ("m4v", "video/mp4"),
    ("mov", "video/quicktime"),
    ("qt", "video/quicktime"),
    ("mp3", "audio/mpeg"),
    ("m4a", "audio/mp4"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_and_sizes_as_an_input_element_reads_them() {
        let accept = Accept::of(&["video/mp4", "image/*", ".mov"], &[("*/*", 10), ("image/*", 5), ("image/png", 7)]);
        for (name, kind, size, fits) in [
            ("a.mp4", "video/mp4", 10, true),
            ("a.mp4", "video/mp4; codecs=avc1", 10, true),
            ("a.mp4", "video/mp4", 11, false),
            ("a.gif", "image/gif", 6, false),
            ("a.png", "IMAGE/PNG", 7, true),
            ("a.png", "image/png", 8, false),
            ("A.MOV", "", 1, true),
            ("a.txt", "text/plain", 1, false),
            ("a", "", 1, false),
        ] {
            assert_eq!(accept.check(&AcceptSetting::default(), name, kind, size).is_ok(), fits, "{name} {kind} {size}");
        }
    }

    #[test]
    fn an_unknown_type_hints_at_the_option() {
        let error = Accept::of(&["image/*"], &[]).check(&AcceptSetting::default(), "a", "", 1).unwrap_err();
        assert!(error.hint.as_deref().unwrap().contains("contentType"));
    }

    #[test]
    fn the_callers_members_replace_the_vendors_one_by_one() {
        let vendor = Accept::of(&["image/*"], &[("*/*", 5)]);
        let setting = AcceptSetting { types: Some(vec!["text/*".into()]), ..AcceptSetting::default() };
        assert!(vendor.check(&setting, "a", "text/plain", 5).is_ok());
        assert!(vendor.check(&setting, "a", "text/plain", 6).is_err());
        let off = AcceptSetting { off: true, ..AcceptSetting::default() };
        assert!(vendor.check(&off, "a", "x/y", 1 << 60).is_ok());
    }
}
