//! CRC64NVME, sixteen bytes at a time.
//!
//! Source: NVM Express NVM Command Set Specification 1.0d, "64b CRC Definition". The way: Kounavis and Berry, "A Systematic Approach to
//! Building High Performance Software-based CRC Generators" (slicing).

/// The polynomial, its highest power in the lowest bit.
const POLYNOMIAL: u64 = 0x9a6c_9329_ac4b_c9b5;

/// Bytes that are looked up at once.
const SLICES: usize = 16;

/// What each byte contributes to the CRC, by how many bytes follow it.
#[derive(Debug)]
pub struct Tables(Box<[[u64; 256]; SLICES]>);

impl Default for Tables {
    fn default() -> Self {
        let mut tables = Box::new([[0; 256]; SLICES]);
        for byte in 0..256 {
            tables[0][byte] = (0..8).fold(byte as u64, |crc, _| (crc >> 1) ^ if crc & 1 == 1 { POLYNOMIAL } else { 0 });
        }
        for slice in 1..SLICES {
            for byte in 0..256 {
                let crc = tables[slice - 1][byte];
                tables[slice][byte] = (crc >> 8) ^ tables[0][(crc & 0xff) as usize];
            }
        }
        Self(tables)
    }
}

impl Tables {
    /// The CRC of a message whose beginning has the CRC `crc`, and that `bytes` follow. The CRC of no bytes is 0.
    pub fn update(&self, crc: u64, bytes: &[u8]) -> u64 {
        let tables = &*self.0;
        let (chunks, rest) = bytes.as_chunks::<SLICES>();
        let mut crc = !crc;
        for chunk in chunks {
            let (low, high) = (crc ^ u64_at(chunk, 0), u64_at(chunk, 8));
            let look_up = |number: u64, above: usize| {
                (0..8).fold(0, |sum, byte| sum ^ tables[above + 7 - byte][(number >> (8 * byte)) as u8 as usize])
            };
            crc = look_up(low, 8) ^ look_up(high, 0);
        }
        for byte in rest {
            crc = (crc >> 8) ^ tables[0][(crc as u8 ^ byte) as usize];
        }
        !crc
    }
}

#[inline(always)]
fn u64_at(chunk: &[u8; SLICES], at: usize) -> u64 {
    u64::from_le_bytes(std::array::from_fn(|index| chunk[at + index]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn is_crc64nvme() {
        let tables = Tables::default();
        // CRC catalogue, "CRC-64/NVME", check; NVM Command Set Specification, "64b CRC Test Cases".
        assert_eq!(tables.update(0, b"123456789"), 0xae8b_1486_0a79_9888);
        assert_eq!(tables.update(0, b""), 0);
        assert_eq!(tables.update(0, &[0; 4096]), 0x6482_d367_eb22_b64e);
        assert_eq!(tables.update(0, &[0xff; 4096]), 0xc0dd_ba73_02ec_a3ac);
    }

    proptest! {
        #[test]
        fn pieces_are_as_the_whole(pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..100), 0..8)) {
            let tables = Tables::default();
            let crc = pieces.iter().fold(0, |crc, piece| tables.update(crc, piece));
            prop_assert_eq!(crc, crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, &pieces.concat()));
        }
    }
}
