//! How an upload starts.

use super::record::SavedSession;

/// How an upload starts.
#[derive(Clone, Debug)]
pub enum Start<J> {
    /// From nothing.
    New,
    /// From a session that an earlier page saved, or from nothing if it can't be read.
    Saved(SavedSession<J>),
    /// Not at all: a saved session is aborted at the destination, and then dropped.
    Discard(SavedSession<J>),
}
