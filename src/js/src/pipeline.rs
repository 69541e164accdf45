//! The pipeline without the network: bytes of an event stream in, deltas and one whole reply out.

use crate::batch::Batch;
use crate::convert;
use crate::options::reply_options;
use sluicegate::reply::{Cause, End, Reader};
use wasm_bindgen::prelude::*;

/// Reads one stream of which the caller has the bytes.
#[wasm_bindgen]
pub struct ReplyStream {
    input: Vec<u8>,
    reader: Reader,
    batch: Batch,
    end: Option<End>,
}

#[wasm_bindgen]
impl ReplyStream {
    /// A reader at the start of a stream. Options: `{thinkTags}`.
    #[wasm_bindgen(constructor)]
    pub fn new(options: JsValue) -> Result<ReplyStream, JsValue> {
        let options = reply_options(options).map_err(|error| convert::error_to_js(&error))?;
        Ok(ReplyStream { input: Vec::new(), reader: Reader::new(options), batch: Batch::new(), end: None })
    }

    /// The address of the batch header (see `batch.rs`).
    pub fn header(&self) -> u32 {
        self.batch.address()
    }

    /// Makes room for a chunk of `len` bytes and gives the address to which JavaScript copies it.
    pub fn reserve(&mut self, len: usize) -> u32 {
        if self.input.len() < len {
            self.input.resize(len.next_power_of_two(), 0);
        }
        self.input.as_ptr() as usize as u32
    }

    /// Reads the `len` bytes that were copied in. Gives the number of deltas, now readable.
    pub fn feed(&mut self, len: usize) -> u32 {
        self.batch.deltas.clear();
        if self.end.is_none() {
            let chunk = self.input.get(..len).unwrap_or_default();
            if let Err(error) = self.reader.feed(chunk, &mut self.batch.deltas) {
                self.finish_with(Cause::Failed(error));
            }
        }
        self.batch.publish()
    }

    /// The end of the stream: the last deltas are now readable.
    pub fn finish(&mut self) -> u32 {
        self.batch.deltas.clear();
        if self.end.is_none() {
            let (cause, _) = self.reader.feed_end(&mut self.batch.deltas);
            self.finish_with(cause);
        }
        self.batch.publish()
    }

    fn finish_with(&mut self, cause: Cause) {
        self.end = Some(self.reader.assembler_mut().finish(cause, &mut self.batch.deltas));
    }

    /// The reply so far.
    pub fn reply(&self) -> JsValue {
        convert::reply_to_js(self.reader.assembler().reply(), self.end.as_ref(), None)
    }

    /// What ended the stream, if that was not a success.
    pub fn error(&self) -> JsValue {
        match self.end.as_ref() {
            Some(end) => convert::failure_to_js(end, None, &JsValue::UNDEFINED),
            None => JsValue::UNDEFINED,
        }
    }
}
