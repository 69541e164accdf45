//! The pipeline without the network: bytes of an event stream in, deltas and one whole reply out.

use crate::batch::Batch;
use crate::convert::{self, ReplyOptions};
use sluicegate::reply::{Assembler, Cause, End};
use sluicegate::sse::{Decoder, Item, Options};
use wasm_bindgen::prelude::*;

/// Reads one stream of which the caller has the bytes.
#[wasm_bindgen]
pub struct ReplyStream {
    input: Vec<u8>,
    decoder: Decoder,
    assembler: Assembler,
    batch: Batch,
    end: Option<End>,
}

#[wasm_bindgen]
impl ReplyStream {
    /// A reader at the start of a stream. Options: `{thinkTags}`.
    #[wasm_bindgen(constructor)]
    pub fn new(options: JsValue) -> Result<ReplyStream, JsValue> {
        let options = convert::from_js::<ReplyOptions>(options).and_then(|options| options.to_core());
        let options = options.map_err(|error| convert::error_to_js(&error))?;
        let decoder = Decoder::new(Options { max_event: options.limits.event, lenient: true });
        Ok(ReplyStream { input: Vec::new(), decoder, assembler: Assembler::new(options), batch: Batch::new(), end: None })
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
    pub fn feed(&mut self, len: usize) -> Result<u32, JsValue> {
        self.batch.deltas.clear();
        let mut input = self.input.get(..len).unwrap_or_default();
        if self.end.is_none() {
            let failed = loop {
                match self.decoder.next_item(&mut input) {
                    Ok(None) => break None,
                    Ok(Some(Item::Event(event))) => {
                        let read = self.assembler.handle_data(&event.event_type, &event.data, &mut self.batch.deltas);
                        if let Err(error) = read {
                            break Some(error);
                        }
                    }
                    Ok(Some(_)) => {}
                    Err(error) => break Some(error),
                }
            };
            if let Some(error) = failed {
                self.end = Some(self.assembler.finish(Cause::Failed(error), &mut self.batch.deltas));
            }
        }
        Ok(self.batch.publish())
    }

    /// The end of the stream: the last deltas are now readable. Throws what ended it, if it is not a success.
    pub fn finish(&mut self) -> u32 {
        self.batch.deltas.clear();
        if self.end.is_none() {
            let mut cause = Cause::Eof;
            if let Some(Item::Event(event)) = self.decoder.finish() {
                cause = match self.assembler.handle_data(&event.event_type, &event.data, &mut self.batch.deltas) {
                    Ok(_) => Cause::Unterminated,
                    Err(_) => Cause::Eof,
                };
            }
            self.end = Some(self.assembler.finish(cause, &mut self.batch.deltas));
        }
        self.batch.publish()
    }

    /// The reply so far.
    pub fn reply(&self) -> Result<JsValue, JsValue> {
        convert::reply_to_js(self.assembler.reply(), self.end.as_ref(), None, None)
    }

    /// What ended the stream, if that was not a success.
    pub fn error(&self) -> Result<JsValue, JsValue> {
        match self.end.as_ref() {
            Some(end) if end.error.is_some() => convert::failure_to_js(end, None, &JsValue::UNDEFINED),
            _ => Ok(JsValue::UNDEFINED),
        }
    }
}
