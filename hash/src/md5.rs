//! MD5 (RFC 1321) of several messages at once: one block of each, word by word in the lanes of vectors.

use std::hint::black_box;
use std::ops::{Add, BitAnd, BitOr, BitXor, Not};

use crate::four::Four;

/// Bytes of a block.
const BLOCK: usize = 64;

/// RFC 1321, 3.3: the state at the beginning.
const INITIAL: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];

/// RFC 1321, 3.4: the integer part of 2^32 * abs(sin(i)), for i from 1 to 64.
const SINES: [u32; 64] = [
    0xd76a_a478,
    0xe8c7_b756,
    0x2420_70db,
    0xc1bd_ceee,
    0xf57c_0faf,
    0x4787_c62a,
    0xa830_4613,
    0xfd46_9501,
    0x6980_98d8,
    0x8b44_f7af,
    0xffff_5bb1,
    0x895c_d7be,
    0x6b90_1122,
    0xfd98_7193,
    0xa679_438e,
    0x49b4_0821,
    0xf61e_2562,
    0xc040_b340,
    0x265e_5a51,
    0xe9b6_c7aa,
    0xd62f_105d,
    0x0244_1453,
    0xd8a1_e681,
    0xe7d3_fbc8,
    0x21e1_cde6,
    0xc337_07d6,
    0xf4d5_0d87,
    0x455a_14ed,
    0xa9e3_e905,
    0xfcef_a3f8,
    0x676f_02d9,
    0x8d2a_4c8a,
    0xfffa_3942,
    0x8771_f681,
    0x6d9d_6122,
    0xfde5_380c,
    0xa4be_ea44,
    0x4bde_cfa9,
    0xf6bb_4b60,
    0xbebf_bc70,
    0x289b_7ec6,
    0xeaa1_27fa,
    0xd4ef_3085,
    0x0488_1d05,
    0xd9d4_d039,
    0xe6db_99e5,
    0x1fa2_7cf8,
    0xc4ac_5665,
    0xf429_2244,
    0x432a_ff97,
    0xab94_23a7,
    0xfc93_a039,
    0x655b_59c3,
    0x8f0c_cc92,
    0xffef_f47d,
    0x8584_5dd1,
    0x6fa8_7e4f,
    0xfe2c_e6e0,
    0xa301_4314,
    0x4e08_11a1,
    0xf753_7e82,
    0xbd3a_f235,
    0x2ad7_d2bb,
    0xeb86_d391,
];

/// RFC 1321, 3.4: bits by which the four rounds rotate.
const ROTATIONS: [[u32; 4]; 4] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];

/// The same word of as many messages as it has lanes.
trait Word:
    Copy + Add<Output = Self> + BitAnd<Output = Self> + BitOr<Output = Self> + BitXor<Output = Self> + Not<Output = Self>
{
    fn splat(word: u32) -> Self;
    fn rotate_left(self, bits: u32) -> Self;
}

/// One word, whose sums wrap.
#[derive(Clone, Copy)]
struct One(u32);

macro_rules! one {
    ($($trait:ident $function:ident $operation:ident),*) => {$(
        impl $trait for One {
            type Output = Self;
            #[inline(always)]
            fn $function(self, other: Self) -> Self {
                One(self.0.$operation(other.0))
            }
        }
    )*};
}
one!(Add add wrapping_add, BitAnd bitand bitand, BitOr bitor bitor, BitXor bitxor bitxor);

impl Not for One {
    type Output = Self;
    #[inline(always)]
    fn not(self) -> Self {
        One(!self.0)
    }
}

impl Word for One {
    #[inline(always)]
    fn splat(word: u32) -> Self {
        One(word)
    }
    #[inline(always)]
    fn rotate_left(self, bits: u32) -> Self {
        One(self.0.rotate_left(bits))
    }
}

impl Word for Four {
    #[inline(always)]
    fn splat(word: u32) -> Self {
        Four::splat(word)
    }
    #[inline(always)]
    fn rotate_left(self, bits: u32) -> Self {
        Four::rotate_left(self, bits)
    }
}

/// Mixes a block into the state: of each of `V` vectors, whose operations don't wait for each other's.
#[inline(always)]
fn mix<W: Word, const V: usize>(state: &mut [[W; 4]; V], words: &[[W; 16]; V], sines: &[u32; 64]) {
    let before = *state;
    macro_rules! step {
        ($round:literal, $step:literal, $function:expr, $index:expr) => {{
            const AT: usize = $round * 16 + $step;
            for (state, words) in state.iter_mut().zip(words) {
                let [a, b, c, d] = *state;
                let function: fn(W, W, W, W) -> W = $function;
                // What doesn't depend on the step before comes first.
                let sum = function(a + (words[$index % 16] + W::splat(sines[AT])), b, c, d);
                *state = [d, b + sum.rotate_left(ROTATIONS[$round][$step % 4]), b, c];
            }
        }};
    }
    macro_rules! round {
        ($round:literal, $function:expr, $index:expr) => {
            round!($round, $function, $index, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
        };
        ($round:literal, $function:expr, $index:expr, $($step:literal),*) => {
            $(step!($round, $step, $function, $index($step));)*
        };
    }
    round!(0, |sum, b, c, d| sum + (d ^ (b & (c ^ d))), |i: usize| i);
    // The two have no bit in common, so that their sum is what RFC 1321 has as "or".
    round!(1, |sum, b, c, d| (sum + (c & !d)) + (b & d), |i: usize| 5 * i + 1);
    round!(2, |sum, b, c, d| sum + (b ^ (c ^ d)), |i: usize| 3 * i + 5);
    round!(3, |sum, b, c, d| sum + (c ^ (b | !d)), |i: usize| 7 * i);
    for (state, before) in state.iter_mut().zip(before) {
        for (word, before) in state.iter_mut().zip(before) {
            *word = *word + before;
        }
    }
}

/// The MD5 of one message, as far as it came.
#[derive(Clone, Debug)]
pub struct Md5 {
    state: [u32; 4],
    len: u64,
    /// The beginning of a block.
    rest: [u8; BLOCK],
}

impl Default for Md5 {
    fn default() -> Self {
        Self { state: INITIAL, len: 0, rest: [0; BLOCK] }
    }
}

impl Md5 {
    /// Adds bytes to the message.
    pub fn update(&mut self, bytes: &[u8]) {
        let blocks = self.complete(bytes);
        self.mix(blocks);
    }

    /// The MD5 of the message.
    pub fn finish(mut self) -> [u8; 16] {
        let bits = self.len.wrapping_mul(8);
        let rest = self.rest_len();
        // RFC 1321, 3.1 and 3.2: a one, and zeros up to the length, which ends a block.
        let mut padding = [0; 2 * BLOCK];
        padding[0] = 0x80;
        let end = if rest < BLOCK - 8 { BLOCK } else { 2 * BLOCK } - rest;
        padding[end - 8..end].copy_from_slice(&bits.to_le_bytes());
        self.update(&padding[..end]);
        let mut md5 = [0; 16];
        for (bytes, word) in md5.chunks_exact_mut(4).zip(self.state) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        md5
    }

    fn rest_len(&self) -> usize {
        (self.len % BLOCK as u64) as usize
    }

    /// Completes the block that was begun, and gives the whole blocks after it; what remains begins another.
    fn complete<'a>(&mut self, mut bytes: &'a [u8]) -> &'a [[u8; BLOCK]] {
        let begun = self.rest_len();
        self.len = self.len.wrapping_add(bytes.len() as u64);
        if begun > 0 {
            let (head, tail) = bytes.split_at(bytes.len().min(BLOCK - begun));
            self.rest[begun..begun + head.len()].copy_from_slice(head);
            if begun + head.len() < BLOCK {
                return &[];
            }
            self.mix(&[self.rest]);
            bytes = tail;
        }
        let (blocks, rest) = bytes.as_chunks();
        self.rest[..rest.len()].copy_from_slice(rest);
        blocks
    }

    fn mix(&mut self, blocks: &[[u8; BLOCK]]) {
        let mut state = [self.state.map(One)];
        for block in blocks {
            mix(&mut state, &[std::array::from_fn(|index| One(word(block, index)))], &SINES);
        }
        self.state = state[0].map(|word| word.0);
    }
}

#[inline(always)]
fn word(block: &[u8; BLOCK], index: usize) -> u32 {
    block.as_chunks().0.get(index).map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

/// The words of four blocks, each with the same one of the other blocks.
#[inline(always)]
fn transposed(blocks: [&[u8; BLOCK]; 4]) -> [Four; 16] {
    let mut words = [Four::splat(0); 16];
    for (row, words) in words.chunks_exact_mut(4).enumerate() {
        let rows = blocks.map(|block| Four::new(std::array::from_fn(|at| word(block, 4 * row + at))));
        words.copy_from_slice(&Four::transpose(rows));
    }
    words
}

/// Messages that are hashed at once, at most.
pub const LANES: usize = 8;

/// Adds bytes to several messages at once.
pub fn update_all(messages: &mut [(&mut Md5, &[u8])]) {
    for group in messages.chunks_mut(LANES) {
        let mut work: Vec<_> = group.iter_mut().map(|(md5, bytes)| (md5.complete(bytes), &mut **md5)).collect();
        loop {
            work.retain(|(blocks, _)| !blocks.is_empty());
            match work.len() {
                0 => break,
                1 => {
                    let (blocks, md5) = &mut work[0];
                    md5.mix(blocks);
                    break;
                }
                2..=4 => mix_lanes::<1>(&mut work),
                _ => mix_lanes::<2>(&mut work),
            }
        }
    }
}

/// Mixes as many blocks into each message as the shortest has, in `V` vectors. Lanes beyond the messages repeat the first one.
fn mix_lanes<const V: usize>(work: &mut [(&[[u8; BLOCK]], &mut Md5)]) {
    let count = work.iter().map(|(blocks, _)| blocks.len()).min().unwrap_or(0);
    let lane = |vector: usize, lane: usize| if 4 * vector + lane < work.len() { 4 * vector + lane } else { 0 };
    // As constants they would be added last, which the next step has to wait for, and a vector would be put together for each.
    let sines = black_box(&SINES);
    let mut state: [[Four; 4]; V] = std::array::from_fn(|vector| {
        std::array::from_fn(|word| Four::new(std::array::from_fn(|at| work[lane(vector, at)].1.state[word])))
    });
    let lanes: [[&[[u8; BLOCK]]; 4]; V] =
        std::array::from_fn(|vector| std::array::from_fn(|at| &work[lane(vector, at)].0[..count]));
    for at in 0..count {
        let words: [[Four; 16]; V] = std::array::from_fn(|vector| transposed(lanes[vector].map(|lane| &lane[at])));
        mix(&mut state, &words, sines);
    }
    for (index, (blocks, md5)) in work.iter_mut().enumerate() {
        md5.state = state[index / 4].map(|word| word.lanes()[index % 4]);
        *blocks = &blocks[count..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use md5::Digest;
    use proptest::collection::vec;
    use proptest::prelude::*;

    fn hex(bytes: [u8; 16]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn of_all(messages: &[&[u8]]) -> Vec<[u8; 16]> {
        let mut md5s = vec![Md5::default(); messages.len()];
        update_all(&mut md5s.iter_mut().zip(messages.iter().copied()).collect::<Vec<_>>());
        md5s.into_iter().map(Md5::finish).collect()
    }

    /// RFC 1321, A.5.
    const VECTORS: [(&str, &str); 7] = [
        ("", "d41d8cd98f00b204e9800998ecf8427e"),
        ("a", "0cc175b9c0f1b6a831c399e269772661"),
        ("abc", "900150983cd24fb0d6963f7d28e17f72"),
        ("message digest", "f96b697d7cb7938d525a2f31aaf161d0"),
        ("abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"),
        ("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", "d174ab98d277d9f5a5611c2c9f419d9f"),
        (
            "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
            "57edf4a22be3c955ac49da2e2107b67a",
        ),
    ];

    #[test]
    fn is_md5() {
        for (message, md5) in VECTORS {
            let mut alone = Md5::default();
            alone.update(message.as_bytes());
            assert_eq!(hex(alone.finish()), md5, "{message}");
        }
        let together = of_all(&VECTORS.map(|(message, _)| message.as_bytes()));
        assert_eq!(together.into_iter().map(hex).collect::<Vec<_>>(), VECTORS.map(|(_, md5)| md5.to_owned()));
    }

    /// The padding begins in the last block or needs another one.
    #[test]
    fn any_length_ends() {
        let bytes: Vec<u8> = (0..=255).cycle().take(1_000).collect();
        for len in 0..bytes.len() {
            let mut md5 = Md5::default();
            md5.update(&bytes[..len]);
            assert_eq!(md5.finish(), <[u8; 16]>::from(md5::Md5::digest(&bytes[..len])), "{len}");
        }
    }

    proptest! {
        /// Messages of different lengths, each in pieces of different lengths.
        #[test]
        fn many_at_once_are_each_as_alone(
            messages in vec(vec(vec(any::<u8>(), 0..300), 0..6), 0..20),
            doubled in any::<bool>(),
        ) {
            let mut md5s = vec![Md5::default(); messages.len()];
            for piece in 0..6 {
                let pieces = messages.iter().map(|message| message.get(piece).map_or(&[][..], |piece| piece));
                update_all(&mut md5s.iter_mut().zip(pieces.clone()).collect::<Vec<_>>());
                if doubled {
                    md5s.iter_mut().zip(pieces).for_each(|(md5, piece)| md5.update(piece));
                }
            }
            for (md5, message) in md5s.into_iter().zip(messages) {
                let whole: Vec<u8> =
                    message.iter().flat_map(|piece| if doubled { piece.repeat(2) } else { piece.clone() }).collect();
                prop_assert_eq!(md5.finish(), <[u8; 16]>::from(md5::Md5::digest(&whole)));
            }
        }
    }
}
