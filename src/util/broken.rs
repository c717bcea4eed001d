//! Rules of the engine that tests break on purpose, one at a time, to prove that the simulation notices. The feature `mutants` enables
//! them; no release has it.

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
        /// A part whose connection was lost counts as uploaded.
        LostPart,
        /// An export whose answer was lost is repeated without looking it up in the list.
        SecondExport,
        /// A form that the server may have received is sent again.
        SecondForm,
        /// A session that is lost isn't replaced by a new one.
        NoRestart,
        /// A slot isn't released after a part failed.
        SlotLeak,
        /// Progress falls when a part is sent again.
        FallingProgress,
        /// Parts that were uploaded before a crash are sent again.
        ForgottenParts,
        /// A record of a later version is read like one of this version.
        NewerRecord,
        /// The record of a finished upload is kept.
        KeptForever,
        /// A sign-in page counts as the destination's answer.
        SignedIn,
        /// Each of the parts that share the uplink gets the time that it would need alone.
        AloneOnTheLine,
        /// While the browser reports no network, nothing is tried.
        OfflineForbids,
        /// A read has no deadline.
        EndlessRead,
        /// A worker that hashes has no deadline.
        EndlessDigest,
        /// A store that refuses most requests gets them all the same.
        Hammering,
        /// A small file's session isn't saved, although its request must not be repeated.
        UnsavedForm,
        /// Parts go on to a host that refuses all of them.
        DeadHost,
        /// A part counts as verified whatever checksum the store says of it.
        UncheckedPart,
        /// A part counts as uploaded whatever checksum the store lists of it.
        UncheckedList,
        /// An object counts as proven whatever checksum the store says of it.
        UncheckedObject,
        /// An upload goes on, whatever `transform` makes of the parts that were sent.
        MixedOutputs,
    }

    impl Mutant {
        /// Every mutant.
        pub const ALL: [Mutant; 21] = [
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
            Mutant::EndlessDigest,
            Mutant::Hammering,
            Mutant::UnsavedForm,
            Mutant::DeadHost,
            Mutant::UncheckedPart,
            Mutant::UncheckedList,
            Mutant::UncheckedObject,
            Mutant::MixedOutputs,
        ];
    }

    thread_local! {
        static BROKEN: Cell<Option<Mutant>> = const { Cell::new(None) };
    }

    /// Breaks a rule on this thread, or none.
    pub fn set(mutant: Option<Mutant>) {
        BROKEN.set(mutant);
    }

    /// Whether that rule is broken.
    pub(crate) fn is(mutant: Mutant) -> bool {
        BROKEN.get() == Some(mutant)
    }
}
