//! The answer as bytes, for callers that are handed a stream: as they came wherever that is possible, else written anew.

use super::attempt::Attempt;
use super::forward::Forwarded;
use super::machine::Exchange;
use super::rewrite::Writer;
use super::said::Said;
use crate::reply::Deltas;
use crate::time::Instant;

/// How much of a stream that may still lose its race is kept, in bytes: comments and a chunk with the role, as a rule.
const MOST_PRELUDE: usize = 64 << 10;

/// How much of a stream is kept that has said nothing yet and whose beginning cannot be taken back, in bytes: the echo of a request, as a
/// rule.
const MOST_WAITING: usize = 1 << 20;

impl Exchange {
    /// Bytes of an attempt arrived, in a call whose answer is handed on: what to hand on for them. For all bytes once
    /// [`Exchange::is_streaming`]; before, [`Exchange::handle_bytes`].
    pub fn forward(&mut self, now: Instant, attempt: u32, chunk: &[u8]) -> Forwarded<'_> {
        let waits = self.waits_for_content();
        let is_plain = self.pending.is_empty()
            && self.drain.is_none()
            && self.plan.recovery.hedge.is_none()
            && !self.rewrites
            && self.current.as_ref().is_some_and(|active| {
                let is_open = !waits || active.has_token() && active.prelude.is_empty();
                active.id == attempt && active.splice.is_none() && active.attempt.is_streaming() && is_open
            });
        if !is_plain {
            return self.forward_changed(now, attempt, chunk);
        }
        match &mut self.current {
            Some(active) => active.attempt.forward(now, chunk),
            None => Forwarded::Bytes(&[]),
        }
    }

    /// Whether what an answer begins with is kept back until it says something. The clients of some protocols take no second beginning,
    /// and until then the call may go elsewhere.
    pub(super) fn waits_for_content(&self) -> bool {
        !self.request.endpoint().is_completion()
    }

    fn forward_changed(&mut self, now: Instant, attempt: u32, chunk: &[u8]) -> Forwarded<'_> {
        self.out.clear();
        let waits = self.waits_for_content();
        let is_race = self.plan.recovery.hedge.is_some();
        let rewrites = self.rewrites;
        let active = self.current.iter_mut().chain(&mut self.rival).find(|active| active.id == attempt);
        let Some(active) = active else { return Forwarded::Bytes(&[]) };
        if self.drain.is_none() && active.splice.is_none() && !rewrites && active.attempt.is_streaming() {
            let bytes = match active.attempt.forward(now, chunk) {
                Forwarded::Pass => chunk,
                Forwarded::Bytes(bytes) => bytes,
            };
            active.prelude.extend_from_slice(bytes);
            let is_over = active.attempt.end().is_some_and(|end| !waits || end.error.is_none());
            if waits && active.prelude.len() > MOST_WAITING {
                active.attempt.count_handed_on(now);
            }
            // A stream that may still lose its race is heard when it has something to say.
            if !(is_race || waits) || active.has_token() || is_over {
                self.out.append(&mut self.pending);
                self.out.append(&mut active.prelude);
            } else if !waits && active.prelude.len() > MOST_PRELUDE {
                active.prelude.clear();
            }
            return Forwarded::Bytes(&self.out);
        }
        self.tell_written(attempt, |attempt, out| attempt.handle_bytes(now, chunk, out));
        self.out.append(&mut self.pending);
        Forwarded::Bytes(&self.out)
    }

    /// As [`Exchange::tell`], for a call whose answer is handed on: what is said goes to the pending bytes as chunks, unless it has
    /// gone out as it came.
    pub(super) fn tell_written(&mut self, attempt: u32, tell: impl FnOnce(&mut Attempt, &mut Deltas)) {
        let is_written = self.active(attempt).is_some_and(|active| active.splice.is_some()) || self.rewrites;
        let mut deltas = Deltas::new();
        self.tell(attempt, &mut deltas, tell);
        if is_written {
            self.write(&deltas);
        }
    }

    /// Writes deltas as chunks, to be handed on before all else.
    pub(super) fn write(&mut self, deltas: &Deltas) {
        if deltas.is_empty() {
            return;
        }
        let head = match &self.said {
            Some(_) => None,
            None => self.shown().and_then(|active| active.attempt.assembled()).map(Said::head),
        };
        let said = self.said.as_ref().or(head.as_ref());
        let is_chat = self.is_chat();
        if let Some(said) = said {
            let writer = Writer { said, is_chat };
            if self.rewrites && !core::mem::replace(&mut self.wrote, true) {
                writer.begin(&mut self.pending);
            }
            writer.deltas(deltas, &mut self.pending);
        }
    }

    /// What is still to be handed on when a forwarded stream is over: what was held back, the error event of a stream that broke, or the
    /// `[DONE]` that the upstream forgot. Empty if nothing is.
    pub fn forward_tail(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.tail)
    }
}
