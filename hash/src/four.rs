//! Four words at once: a vector where the target is WebAssembly, with the instructions named, since LLVM doesn't find all of them.

use std::ops::{Add, BitAnd, BitOr, BitXor, Not};

/// Four words.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Four(Vector);

#[cfg(target_arch = "wasm32")]
type Vector = std::arch::wasm32::v128;
#[cfg(not(target_arch = "wasm32"))]
type Vector = [u32; 4];

#[cfg(target_arch = "wasm32")]
mod operations {
    use super::Vector;
    use std::arch::wasm32::{u32x4, u32x4_extract_lane, u32x4_shl, u32x4_shr, u32x4_shuffle};
    pub(super) use std::arch::wasm32::{
        u32x4_add as add, u32x4_splat as splat, v128_and as and, v128_not as not, v128_or as or, v128_xor as xor,
    };

    #[inline(always)]
    pub(super) fn new([a, b, c, d]: [u32; 4]) -> Vector {
        u32x4(a, b, c, d)
    }

    #[inline(always)]
    pub(super) fn lanes(vector: Vector) -> [u32; 4] {
        [
            u32x4_extract_lane::<0>(vector),
            u32x4_extract_lane::<1>(vector),
            u32x4_extract_lane::<2>(vector),
            u32x4_extract_lane::<3>(vector),
        ]
    }

    #[inline(always)]
    pub(super) fn rotate_left(vector: Vector, bits: u32) -> Vector {
        or(u32x4_shl(vector, bits), u32x4_shr(vector, 32 - bits))
    }

    #[inline(always)]
    pub(super) fn transpose([a, b, c, d]: [Vector; 4]) -> [Vector; 4] {
        let (ab_low, ab_high) = (u32x4_shuffle::<0, 4, 1, 5>(a, b), u32x4_shuffle::<2, 6, 3, 7>(a, b));
        let (cd_low, cd_high) = (u32x4_shuffle::<0, 4, 1, 5>(c, d), u32x4_shuffle::<2, 6, 3, 7>(c, d));
        [
            u32x4_shuffle::<0, 1, 4, 5>(ab_low, cd_low),
            u32x4_shuffle::<2, 3, 6, 7>(ab_low, cd_low),
            u32x4_shuffle::<0, 1, 4, 5>(ab_high, cd_high),
            u32x4_shuffle::<2, 3, 6, 7>(ab_high, cd_high),
        ]
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod operations {
    use super::Vector;
    use std::array::from_fn;

    pub(super) fn new(words: [u32; 4]) -> Vector {
        words
    }

    pub(super) fn lanes(vector: Vector) -> [u32; 4] {
        vector
    }

    pub(super) fn splat(word: u32) -> Vector {
        [word; 4]
    }

    pub(super) fn add(one: Vector, other: Vector) -> Vector {
        from_fn(|lane| one[lane].wrapping_add(other[lane]))
    }

    pub(super) fn and(one: Vector, other: Vector) -> Vector {
        from_fn(|lane| one[lane] & other[lane])
    }

    pub(super) fn or(one: Vector, other: Vector) -> Vector {
        from_fn(|lane| one[lane] | other[lane])
    }

    pub(super) fn xor(one: Vector, other: Vector) -> Vector {
        from_fn(|lane| one[lane] ^ other[lane])
    }

    pub(super) fn not(vector: Vector) -> Vector {
        vector.map(|word| !word)
    }

    pub(super) fn rotate_left(vector: Vector, bits: u32) -> Vector {
        vector.map(|word| word.rotate_left(bits))
    }

    pub(super) fn transpose(rows: [Vector; 4]) -> [Vector; 4] {
        from_fn(|column| from_fn(|row| rows[row][column]))
    }
}

impl Four {
    #[inline(always)]
    pub(crate) fn new(words: [u32; 4]) -> Self {
        Self(operations::new(words))
    }

    #[inline(always)]
    pub(crate) fn splat(word: u32) -> Self {
        Self(operations::splat(word))
    }

    #[inline(always)]
    pub(crate) fn lanes(self) -> [u32; 4] {
        operations::lanes(self.0)
    }

    #[inline(always)]
    pub(crate) fn rotate_left(self, bits: u32) -> Self {
        Self(operations::rotate_left(self.0, bits))
    }

    /// The first words of all rows, then the second ones, and so on.
    #[inline(always)]
    pub(crate) fn transpose(rows: [Self; 4]) -> [Self; 4] {
        operations::transpose(rows.map(|row| row.0)).map(Self)
    }
}

macro_rules! operators {
    ($($trait:ident $function:ident $operation:ident),*) => {$(
        impl $trait for Four {
            type Output = Self;
            #[inline(always)]
            fn $function(self, other: Self) -> Self {
                Self(operations::$operation(self.0, other.0))
            }
        }
    )*};
}
operators!(Add add add, BitAnd bitand and, BitOr bitor or, BitXor bitxor xor);

impl Not for Four {
    type Output = Self;
    #[inline(always)]
    fn not(self) -> Self {
        Self(operations::not(self.0))
    }
}
