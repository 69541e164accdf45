//! The fields since the last blank line, and the event id, which outlives them.

use super::Event;
use std::borrow::Cow;
use std::mem;

#[derive(Debug, Default)]
pub(super) struct Block {
    /// The `data` values so far, joined by LF, not yet checked for UTF-8. Joining first is safe: LF ends any sequence.
    data: Vec<u8>,
    /// Whether there was a `data` field: one with an empty value dispatches too.
    has_data: bool,
    event_type: String,
    /// What the next blank line makes the last event id, if `id_pending`.
    id: String,
    id_pending: bool,
    last_event_id: String,
    /// The bytes of the field lines so far.
    size: usize,
    /// The block was dispatched and is cleared on the next occasion: until then the caller may be reading it.
    spent: bool,
}

impl Block {
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Whether no field has come since the last blank line.
    pub(super) fn is_empty(&self) -> bool {
        self.spent || self.size == 0
    }

    pub(super) fn has_data(&self) -> bool {
        self.has_data
    }

    pub(super) fn last_event_id(&self) -> &str {
        &self.last_event_id
    }

    /// Counts a field line towards the bound.
    pub(super) fn count(&mut self, line: &[u8]) {
        self.size = self.size.saturating_add(line.len());
    }

    pub(super) fn push_data(&mut self, value: &[u8]) {
        if self.has_data {
            self.data.push(b'\n');
        }
        self.has_data = true;
        self.data.extend_from_slice(value);
    }

    pub(super) fn set_type(&mut self, value: &[u8]) {
        self.event_type.clear();
        self.event_type.push_str(&decode(value));
    }

    pub(super) fn set_id(&mut self, value: &[u8]) {
        self.id.clear();
        self.id.push_str(&decode(value));
        self.id_pending = true;
    }

    /// What a blank line does first, whether or not it dispatches.
    pub(super) fn commit_id(&mut self) {
        if mem::take(&mut self.id_pending) {
            mem::swap(&mut self.last_event_id, &mut self.id);
        }
    }

    /// Forgets all but the ids.
    pub(super) fn clear(&mut self) {
        self.data.clear();
        self.has_data = false;
        self.event_type.clear();
        self.size = 0;
        self.spent = false;
    }

    /// Forgets a block that will not be finished, its id included.
    pub(super) fn drop_unfinished(&mut self) {
        self.id_pending = false;
        self.clear();
    }

    pub(super) fn clear_if_spent(&mut self) {
        if self.spent {
            self.clear();
        }
    }

    /// The block as an event; `data` stands for the block's own data if that never left the chunk.
    pub(super) fn dispatch<'a>(&'a mut self, data: Option<&'a [u8]>, terminated: bool) -> Event<'a> {
        self.spent = true;
        Event {
            event_type: Cow::Borrowed(if self.event_type.is_empty() { "message" } else { &self.event_type }),
            data: decode(data.unwrap_or(&self.data)),
            terminated,
        }
    }
}

/// UTF-8 with U+FFFD for each maximal invalid subpart, as the Encoding standard has it. A BOM is a character here.
fn decode(bytes: &[u8]) -> Cow<'_, str> {
    // `from_utf8_lossy` alone would do, but goes byte by byte; `from_utf8` takes ASCII by words.
    match str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(bytes),
    }
}
