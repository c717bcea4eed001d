//! Rules of the engine that tests break on purpose, one at a time, to prove that the simulation notices. Behind the feature `mutants`,
//! which no release has.

#[cfg(feature = "mutants")]
pub use mutants::{Mutant, set};

/// Whether a rule is broken on purpose; always false without the feature `mutants`.
#[cfg(feature = "mutants")]
macro_rules! broken {
    ($rule:ident) => {
        $crate::util::broken::is($crate::util::broken::Mutant::$rule)
    };
}
#[cfg(not(feature = "mutants"))]
macro_rules! broken {
    ($rule:ident) => {
        false
    };
}

#[cfg(feature = "mutants")]
pub(crate) use mutants::is;

#[cfg(feature = "mutants")]
mod mutants {
    use std::cell::Cell;

    /// A rule that is broken.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Mutant {
        /// A part whose connection was lost counts as one that arrived.
        LostPart,
        /// An export whose answer was lost is made again, and the list isn't asked.
        SecondExport,
        /// A form that may have arrived is sent again.
        SecondForm,
        /// A session that is gone is not replaced by a new one.
        NoRestart,
        /// A slot isn't given back after a part failed.
        SlotLeak,
        /// Progress falls with a part that is sent again.
        FallingProgress,
        /// What had arrived before a crash is sent again.
        ForgottenParts,
        /// A record of a later version is read as if it were of this one.
        NewerRecord,
        /// What is done is kept.
        KeptForever,
        /// A sign-in page counts as the destination's answer.
        SignedIn,
        /// Each of the parts that share a line gets the time that it would need alone.
        AloneOnTheLine,
        /// Where the browser says that there is no network, nothing is tried.
        OfflineForbids,
        /// A read is waited for without end.
        EndlessRead,
    }

    impl Mutant {
        /// All of them.
        pub const ALL: [Mutant; 13] = [
            Mutant::LostPart,
            Mutant::SecondExport,
            Mutant::SecondForm,
            Mutant::NoRestart,
            Mutant::SlotLeak,
            Mutant::FallingProgress,
            Mutant::ForgottenParts,
            Mutant::NewerRecord,
            Mutant::KeptForever,
            Mutant::SignedIn,
            Mutant::AloneOnTheLine,
            Mutant::OfflineForbids,
            Mutant::EndlessRead,
        ];
    }

    thread_local! {
        static BROKEN: Cell<Option<Mutant>> = const { Cell::new(None) };
    }

    /// Breaks a rule on this thread, or none.
    pub fn set(mutant: Option<Mutant>) {
        BROKEN.set(mutant);
    }

    /// True where that rule is broken.
    pub(crate) fn is(mutant: Mutant) -> bool {
        BROKEN.get() == Some(mutant)
    }
}
