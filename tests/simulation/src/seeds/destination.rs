//! The destinations of scenarios.

/// Where the files of a scenario go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// OFAuth.
    Ofauth,
    /// Onlymonster.
    Onlymonster,
    /// apifansly.
    Apifansly,
    /// A store with temporary credentials.
    S3,
    /// The application's own plan.
    Plan,
    /// The application's own server, by a form.
    Form,
    /// A store, by a form that a policy allows.
    Policy,
}
