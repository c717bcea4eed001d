//! Symbolic bytes: a file's number, an offset and a size in place of them, and the digests that follow from these.

use std::sync::LazyLock;

use crc_fast::CrcAlgorithm::Crc64Nvme;

/// How many bytes of symbolic content one window has; the last one of a range may have fewer.
pub const SYMBOLIC_WINDOW: u64 = 1 << 18;

/// The bytes that represent a window: `size` bytes of file number `file`, from `start` on. Their CRC64NVME is the window's.
pub fn symbolic_window(file: u64, start: u64, size: u64) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (slot, number) in bytes.chunks_exact_mut(8).zip([file, start, size]) {
        slot.copy_from_slice(&number.to_le_bytes());
    }
    // A CRC is linear: eight more bytes lead from any CRC to any other.
    let differs = symbolic_crc64(file, start, size) ^ crc_fast::checksum(Crc64Nvme, &bytes);
    let last = (0..64).fold(differs, |crc, _| over_x(crc));
    bytes[24..].copy_from_slice(&last.to_le_bytes());
    bytes
}

/// The CRC64NVME of a range. It follows from the ends of the range, in such a way that the CRCs of adjacent ranges combine to that of both.
pub(crate) fn symbolic_crc64(file: u64, start: u64, size: u64) -> u64 {
    let at = |offset: u64| scattered(file ^ scattered(offset));
    at(start.saturating_add(size)) ^ shifted(at(start), size)
}

/// A number that looks like chance (SplitMix64).
fn scattered(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// CRC64NVME's polynomial, its highest power in the lowest bit (NVM Command Set Specification, "64b CRC Definition").
const POLYNOMIAL: u64 = 0x9a6c_9329_ac4b_c9b5;

/// A CRC times x^(8 * bytes), modulo the polynomial: what it contributes where so many bytes follow.
fn shifted(crc: u64, bytes: u64) -> u64 {
    /// x^8, x^16, x^32, ...
    static POWERS: LazyLock<[u64; 64]> = LazyLock::new(|| {
        let mut power = 1 << (63 - 8);
        std::array::from_fn(|_| {
            let square = product(power, power);
            std::mem::replace(&mut power, square)
        })
    });
    (0..64).filter(|bit| bytes >> bit & 1 == 1).fold(crc, |crc, bit| product(crc, POWERS[bit]))
}

fn product(one: u64, mut other: u64) -> u64 {
    let mut product = 0;
    for bit in (0..64).rev() {
        product ^= other & (one >> bit & 1).wrapping_neg();
        other = (other >> 1) ^ (POLYNOMIAL & (other & 1).wrapping_neg());
    }
    product
}

/// Divides by x.
fn over_x(crc: u64) -> u64 {
    let carry = crc >> 63;
    ((crc ^ (POLYNOMIAL & carry.wrapping_neg())) << 1) | carry
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adjacent_ranges_combine() {
        for (first, second) in [(0, 0), (1, 0), (0, 7), (5 << 20, 3), ((1 << 18) + 1, 1 << 40)] {
            let combined = crc_fast::checksum_combine(
                Crc64Nvme,
                symbolic_crc64(7, 11, first),
                symbolic_crc64(7, 11 + first, second),
                second,
            );
            assert_eq!(combined, symbolic_crc64(7, 11, first + second), "{first} {second}");
        }
        assert_eq!(symbolic_crc64(7, 11, 0), 0);
        assert_ne!(symbolic_crc64(7, 11, 1), symbolic_crc64(8, 11, 1));
        assert_ne!(symbolic_crc64(7, 11, 1), symbolic_crc64(7, 12, 1));
    }

    #[test]
    fn a_window_has_the_crc_of_what_it_represents() {
        for (file, start, size) in [(0, 0, 1), (3, 1 << 18, 1 << 18), (u64::MAX, 9, 9)] {
            let window = symbolic_window(file, start, size);
            assert_eq!(crc_fast::checksum(Crc64Nvme, &window), symbolic_crc64(file, start, size));
            assert_ne!(window, symbolic_window(file, start + 1, size));
        }
    }
}
