//! What a worker calls: lanes, each of which hashes one message in windows.

use js_sys::Uint8Array;
use wasm_bindgen::prelude::*;

use crate::crc64::Tables;
use crate::md5::{LANES, Md5, update_all};

/// Messages that are hashed at once.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Lanes {
    lanes: Vec<Lane>,
    tables: Tables,
}

/// One message, and the bytes of it that aren't hashed yet.
#[derive(Debug)]
struct Lane {
    md5: Option<Md5>,
    crc64: Option<u64>,
    window: Vec<u8>,
    filled: usize,
}

#[wasm_bindgen]
impl Lanes {
    /// Lanes whose windows have so many bytes.
    #[wasm_bindgen(constructor)]
    pub fn new(window: usize) -> Self {
        let lane = || Lane { md5: None, crc64: None, window: vec![0; window], filled: 0 };
        Self { lanes: (0..LANES).map(|_| lane()).collect(), tables: Tables::default() }
    }

    /// How many there are.
    #[wasm_bindgen(getter)]
    pub fn count(&self) -> usize {
        self.lanes.len()
    }

    /// Begins a message.
    pub fn begin(&mut self, lane: usize, md5: bool, crc64: bool) {
        if let Some(lane) = self.lanes.get_mut(lane) {
            (lane.md5, lane.crc64, lane.filled) = (md5.then(Md5::default), crc64.then_some(0), 0);
        }
    }

    /// Adds bytes to a lane's window, as many as fit. Gives how many more fit.
    pub fn fill(&mut self, lane: usize, bytes: &Uint8Array) -> usize {
        let Some(lane) = self.lanes.get_mut(lane) else { return 0 };
        let free = lane.window.get_mut(lane.filled..).unwrap_or_default();
        let len = free.len().min(bytes.length() as usize);
        bytes.subarray(0, len as u32).copy_to(&mut free[..len]);
        lane.filled += len;
        free.len() - len
    }

    /// Hashes what is in the windows, which are empty afterwards.
    pub fn hash(&mut self) {
        for lane in &mut self.lanes {
            if let Some(crc64) = &mut lane.crc64 {
                *crc64 = self.tables.update(*crc64, &lane.window[..lane.filled]);
            }
        }
        let mut messages: Vec<_> = self
            .lanes
            .iter_mut()
            .filter_map(|Lane { md5, window, filled, .. }| {
                let bytes = &window[..std::mem::take(filled)];
                Some((md5.as_mut()?, bytes))
            })
            .collect();
        update_all(&mut messages);
    }

    /// Ends a message: the 16 bytes of its MD5, then the 8 of its CRC64NVME, the highest first; zeros in place of what wasn't wanted.
    pub fn end(&mut self, lane: usize) -> Vec<u8> {
        let (md5, crc64) = match self.lanes.get_mut(lane) {
            Some(lane) => (lane.md5.take().map(Md5::finish), lane.crc64.take()),
            None => (None, None),
        };
        [md5.unwrap_or_default().as_slice(), &crc64.unwrap_or_default().to_be_bytes()].concat()
    }
}
