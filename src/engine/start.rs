//! How an upload starts.

use super::record::SavedSession;

/// How an upload starts.
#[derive(Clone, Debug)]
pub enum Start<J> {
    /// From nothing.
    New,
    /// From a session that an earlier page saved; where that can't be read, from nothing.
    Saved(SavedSession<J>),
    /// Not at all: the destination is told that nothing more comes of a saved session, which is then forgotten.
    Discard(SavedSession<J>),
}
