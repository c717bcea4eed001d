//! Ids, which some servers write as numbers and others as text.

/// An id, kept as text whatever it was on the wire. A number that JSON can't carry exactly is refused where it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdText(pub String);
