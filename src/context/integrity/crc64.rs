//! CRC64NVME, S3's checksum of a whole object, and of parts that together make one.
//!
//! Source: NVM Express NVM Command Set Specification 1.0d, "64b CRC Definition"; AWS S3 User Guide, "Checking object integrity".

/// The polynomial, its highest power in the lowest bit.
const POLYNOMIAL: u64 = 0x9a6c_9329_ac4b_c9b5;

/// The CRC of bytes.
///
/// ```
/// use partway::context::integrity::crc64;
/// assert_eq!(crc64::of(b"123456789"), 0xae8b_1486_0a79_9888);
/// ```
pub fn of(bytes: &[u8]) -> u64 {
    // Computed each time: in the wasm it would be 2 KB that don't compress.
    let mut table = [0; 256];
    for (byte, entry) in (0..).zip(&mut table) {
        *entry = (0..8).fold(byte, |crc, _| times_x(crc));
    }
    !bytes.iter().fold(!0, |crc: u64, byte| (crc >> 8) ^ table[(crc as u8 ^ byte) as usize])
}

/// The CRC of bytes whose beginning has the CRC `first`, and whose last `len` bytes have the CRC `second`.
///
/// ```
/// use partway::context::integrity::crc64;
/// assert_eq!(crc64::combined(crc64::of(b"1234"), crc64::of(b"56789"), 5), crc64::of(b"123456789"));
/// ```
pub fn combined(first: u64, second: u64, len: u64) -> u64 {
    // To append a byte is to multiply by x^8, modulo the polynomial.
    let (mut shifted, mut power, mut left) = (first, 1 << (63 - 8), len);
    while left > 0 {
        if left & 1 == 1 {
            shifted = product(shifted, power);
        }
        power = product(power, power);
        left >>= 1;
    }
    shifted ^ second
}

/// Multiplies by x, which is the second highest bit.
fn times_x(factor: u64) -> u64 {
    (factor >> 1) ^ if factor & 1 == 1 { POLYNOMIAL } else { 0 }
}

/// The product modulo the polynomial.
fn product(one: u64, mut other: u64) -> u64 {
    let mut product = 0;
    for bit in (0..64).rev() {
        if one >> bit & 1 == 1 {
            product ^= other;
        }
        other = times_x(other);
    }
    product
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn is_s3s_checksum() {
        // AWS SDKs' and crc-catalogue's vectors: CRC-64/NVME, check; no bytes; 4096 zeros and ones (NVM Command Set, "64b CRC Test Cases").
        assert_eq!(of(b"123456789"), 0xae8b_1486_0a79_9888);
        assert_eq!(of(b""), 0);
        assert_eq!(of(&[0; 4096]), 0x6482_d367_eb22_b64e);
        assert_eq!(of(&[0xff; 4096]), 0xc0dd_ba73_02ec_a3ac);
    }

    proptest! {
        #[test]
        fn parts_together_have_the_crc_of_the_whole(
            bytes in proptest::collection::vec(any::<u8>(), 0..2_000),
            at in any::<proptest::sample::Index>(),
        ) {
            let (first, second) = bytes.split_at(at.index(bytes.len() + 1));
            prop_assert_eq!(combined(of(first), of(second), second.len() as u64), of(&bytes));
        }

        #[test]
        fn any_length_can_be_appended(first in any::<u64>(), second in any::<u64>(), third in any::<u64>(), b in any::<u64>(), c in 0..u64::MAX) {
            let b = b.min(u64::MAX - c);
            let left = combined(combined(first, second, b), third, c);
            let right = combined(first, combined(second, third, c), b + c);
            prop_assert_eq!(left, right);
        }
    }
}
