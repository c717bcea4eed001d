//! Identifiers.

use md5::{Digest, Md5};

use crate::encoding::hex;

/// Identifiers, derived from a seed and a counter: the same run gives the same ones.
#[derive(Clone, Debug)]
pub(crate) struct Ids {
    seed: u64,
    next: u64,
}

impl Ids {
    pub(crate) fn new(seed: u64) -> Self {
        Ids { seed, next: 0 }
    }

    /// 1, 2, 3 ...
    pub(crate) fn count(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// 32 hexadecimal digits.
    pub(crate) fn token(&mut self) -> String {
        let number = self.count();
        let mut hash = Md5::new();
        hash.update(self.seed.to_le_bytes());
        hash.update(number.to_le_bytes());
        hex(&hash.finalize())
    }

    /// In the form of a version 4 UUID.
    pub(crate) fn uuid(&mut self) -> String {
        let t = self.token();
        format!("{}-{}-4{}-a{}-{}", &t[..8], &t[8..12], &t[13..16], &t[17..20], &t[20..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_and_are_derived_from_the_seed() {
        let (mut a, mut b, mut c) = (Ids::new(1), Ids::new(1), Ids::new(2));
        let first = a.uuid();
        assert_eq!(first.len(), 36);
        assert_eq!(first, b.uuid());
        assert_ne!(first, c.uuid());
        assert_ne!(first, a.uuid());
    }
}
