//! The fast path: consecutive chunks of a stream differ, as a rule, in one JSON string only.
//!
//! A chunk that was parsed and found to say nothing but one string is kept as the bytes before that string and the bytes after it.
//! An event that has the same bytes before and after, and a JSON string's body between them, then parses to the same chunk with
//! that string in its place: a JSON reader is deterministic, it is in the same state at the opening quote, and the first unescaped
//! quote after it ends the string. So there are no false hits, and a miss costs one comparison.
//!
//! What else such a chunk did (ids, fields that are kept with their last value) must still be in force at a hit: the owner clears the
//! templates whenever it changes ([`Templates::clear`]).

use super::string::{self, Form};

/// Enough for the interleaved choices or tool calls that there are in practice.
const SLOTS: usize = 4;
/// Bytes that a chunk may have around its string to be worth keeping.
const MAX_FRAME: usize = 4096;

/// What a template's string is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Channel {
    Text,
    Reasoning,
    Refusal,
    /// The arguments of the tool call at this place in its choice.
    Arguments(usize),
}

#[derive(Debug, Default)]
struct Template {
    before: Vec<u8>,
    after: Vec<u8>,
    target: Option<(usize, Channel)>,
}

/// The last few shapes of chunks.
#[derive(Debug, Default)]
pub(super) struct Templates {
    slots: [Template; SLOTS],
    /// The slot of the last hit, tried first.
    recent: usize,
    /// The slot to give up next.
    oldest: usize,
}

/// A hit: which choice (by place) and channel, and the string's body.
pub(super) type Hit<'d> = (usize, Channel, &'d str, Form);

impl Templates {
    /// The one string that this event says, if it has the shape of one before.
    #[inline]
    pub(super) fn find<'d>(&mut self, data: &'d str) -> Option<Hit<'d>> {
        for step in 0..SLOTS {
            let at = (self.recent + step) % SLOTS;
            let Some(hit) = self.slots.get(at).and_then(|template| template.matches(data)) else { continue };
            self.recent = at;
            return Some(hit);
        }
        None
    }

    /// Keeps the shape of `data`, whose string for `target` has its body at `start..end`.
    pub(super) fn learn(&mut self, data: &str, start: usize, end: usize, target: (usize, Channel)) {
        let (Some(before), Some(after)) = (data.as_bytes().get(..start), data.as_bytes().get(end..)) else { return };
        if before.len() + after.len() > MAX_FRAME {
            return;
        }
        let at = self.slots.iter().position(|slot| slot.target == Some(target)).unwrap_or(self.oldest);
        if at == self.oldest {
            self.oldest = (self.oldest + 1) % SLOTS;
        }
        let Some(slot) = self.slots.get_mut(at) else { return };
        slot.before.clear();
        slot.before.extend_from_slice(before);
        slot.after.clear();
        slot.after.extend_from_slice(after);
        slot.target = Some(target);
        self.recent = at;
    }

    /// Forgets the shapes, keeps the memory.
    pub(super) fn clear(&mut self) {
        for slot in &mut self.slots {
            slot.target = None;
        }
    }
}

impl Template {
    #[inline]
    fn matches<'d>(&self, data: &'d str) -> Option<Hit<'d>> {
        let (choice, channel) = self.target?;
        let bytes = data.as_bytes();
        let end = bytes.len().checked_sub(self.after.len()).filter(|end| *end >= self.before.len())?;
        if !same(bytes.get(..self.before.len())?, &self.before) || !same(bytes.get(end..)?, &self.after) {
            return None;
        }
        let body = data.get(self.before.len()..end)?;
        match string::form(body.as_bytes()) {
            Form::Invalid => None,
            form => Some((choice, channel, body, form)),
        }
    }
}

/// Equality, eight bytes at a time: the `memcmp` that wasm gets goes byte by byte, which would cost more than all the rest.
#[inline]
fn same(a: &[u8], b: &[u8]) -> bool {
    let ((a_words, a_rest), (b_words, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    a.len() == b.len()
        && a_words.iter().zip(b_words).all(|(a, b)| u64::from_ne_bytes(*a) == u64::from_ne_bytes(*b))
        && a_rest.iter().zip(b_rest).all(|(a, b)| a == b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learned(data: &str, string: &str) -> Templates {
        let mut templates = Templates::default();
        let start = data.find(string).unwrap_or(0);
        templates.learn(data, start, start + string.len(), (0, Channel::Text));
        templates
    }

    #[test]
    fn a_hit_needs_the_same_bytes_on_both_sides_and_a_string_between() {
        let mut templates = learned(r#"{"a":"one","b":1}"#, "one");
        assert_eq!(templates.find(r#"{"a":"two!","b":1}"#), Some((0, Channel::Text, "two!", Form::Plain)));
        assert_eq!(templates.find(r#"{"a":"","b":1}"#), Some((0, Channel::Text, "", Form::Plain)));
        assert_eq!(templates.find(r#"{"a":"x\n","b":1}"#), Some((0, Channel::Text, r"x\n", Form::Escaped)));
        assert_eq!(templates.find(r#"{"a":"two","b":2}"#), None);
        assert_eq!(templates.find(r#"{"c":"two","b":1}"#), None);
        assert_eq!(templates.find(r#"{"a":"x","b":1,"a":"y","b":1}"#), None, "a quote inside ends the string earlier");
        assert_eq!(templates.find("{\"a\":\"x\n\",\"b\":1}"), None);
        assert_eq!(templates.find(r#"{"a":"#), None);
        templates.clear();
        assert_eq!(templates.find(r#"{"a":"two","b":1}"#), None);
    }

    #[test]
    fn the_parts_of_a_template_may_not_overlap_in_a_short_event() {
        let mut templates = learned(r#"""x"""#, "x");
        assert_eq!(templates.find("\"\"\""), None);
    }
}
