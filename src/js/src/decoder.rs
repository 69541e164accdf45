//! Bytes to events for JavaScript: what `sluicegate/sse` is made of.

use crate::convert;
use js_sys::{Array, JsString};
use sluicegate::sse::{Decoder, Item, Options};
use wasm_bindgen::prelude::*;

/// An event stream decoder. Events come out as a flat array: type, data, id, type, data, id, ….
#[wasm_bindgen]
pub struct EventDecoder {
    decoder: Decoder,
}

#[wasm_bindgen]
impl EventDecoder {
    /// `max_event` in bytes; `lenient`: whether an unfinished last block is delivered.
    #[wasm_bindgen(constructor)]
    pub fn new(max_event: usize, lenient: bool) -> EventDecoder {
        EventDecoder { decoder: Decoder::new(Options { max_event, lenient }) }
    }

    /// Decodes a chunk. Comments go to `comments`, reconnection times to `retries`, where given.
    pub fn feed(&mut self, chunk: &[u8], events: &Array, comments: &Array, retries: &Array) -> Result<(), JsValue> {
        let mut input = chunk;
        loop {
            let (event_type, data) = match self.decoder.next_item(&mut input) {
                Ok(None) => return Ok(()),
                Ok(Some(Item::Comment(text))) => {
                    comments.push(&JsString::from(String::from_utf8_lossy(text).as_ref()));
                    continue;
                }
                Ok(Some(Item::Retry(millis))) => {
                    retries.push(&JsValue::from_f64(millis as f64));
                    continue;
                }
                Ok(Some(Item::Event(event))) => {
                    (JsString::from(event.event_type.as_ref()), JsString::from(event.data.as_ref()))
                }
                Err(error) => return Err(convert::error_to_js(&error)),
            };
            events.push(&event_type);
            events.push(&data);
            events.push(&JsString::from(self.decoder.last_event_id()));
        }
    }

    /// The end of the stream: an unfinished last block, if lenient.
    pub fn finish(&mut self, events: &Array) {
        let (event_type, data) = match self.decoder.finish() {
            Some(Item::Event(event)) => {
                (JsString::from(event.event_type.as_ref()), JsString::from(event.data.as_ref()))
            }
            _ => return,
        };
        events.push(&event_type);
        events.push(&data);
        events.push(&JsString::from(self.decoder.last_event_id()));
    }
}
