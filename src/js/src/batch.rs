//! A batch of deltas as JavaScript reads it: one crossing per network chunk, no object built on this side.
//!
//! JavaScript keeps the address of [`Batch::header`] and reads, through a view on wasm's memory:
//! `[address of the numbers, count of records, address of the text, bytes of the text, 1 if the text is ASCII]`. Each record is six
//! numbers: kind, choice, index, and the lengths of id, name and text in UTF-16 units.

use sluicegate::reply::{Deltas, Notice};
use wasm_bindgen::prelude::*;

const HEADER: usize = 5;
/// Numbers per record.
const RECORD: usize = 6;

/// The current batch, at a fixed address.
pub(crate) struct Batch {
    pub(crate) deltas: Deltas,
    header: Box<[u32; HEADER]>,
    numbers: Vec<u32>,
}

impl Batch {
    pub(crate) fn new() -> Self {
        Batch { deltas: Deltas::new(), header: Box::new([0; HEADER]), numbers: Vec::new() }
    }

    /// The header's address in wasm's memory; it stays the same as long as the batch lives.
    pub(crate) fn address(&self) -> u32 {
        self.header.as_ptr() as usize as u32
    }

    /// Makes the deltas readable from JavaScript, until the next call on this batch. Gives their count.
    pub(crate) fn publish(&mut self) -> u32 {
        self.numbers.clear();
        let text = self.deltas.text();
        let ascii = text.is_ascii();
        let mut at = 0usize;
        for record in self.deltas.records() {
            let mut length = |bytes: u32| {
                let end = at + bytes as usize;
                let units = if ascii { bytes } else { utf16_len(text.get(at..end).unwrap_or_default()) };
                at = end;
                units
            };
            let (id, name, len) = (length(record.id_len), length(record.name_len), length(record.len));
            let numbers: [u32; RECORD] = [record.kind as u32, record.choice, record.index, id, name, len];
            self.numbers.extend_from_slice(&numbers);
        }
        *self.header = [
            self.numbers.as_ptr() as usize as u32,
            self.deltas.len() as u32,
            text.as_ptr() as usize as u32,
            text.len() as u32,
            u32::from(ascii),
        ];
        self.deltas.len() as u32
    }
}

fn utf16_len(text: &str) -> u32 {
    text.chars().map(|c| c.len_utf16() as u32).sum()
}

/// The codes of notices, by their number in a record.
#[wasm_bindgen(js_name = noticeCodes)]
#[allow(unreachable_pub)] // wasm-bindgen wants it public
pub fn notice_codes() -> Vec<String> {
    Notice::ALL.iter().map(|notice| notice.code().to_owned()).collect()
}
