//! The one end of a call, and what a stream that is handed on still owes to its reader then.

use super::machine::{Exchange, Stage};
use super::rewrite::Writer;
use super::said::Said;
use super::timeline::Event;
use crate::reply::{Assembler, Budget, Cause, Deltas, End, Outcome, Reply, error_event};
use crate::time::Instant;

impl Exchange {
    /// The total budget ran out while no attempt was under way.
    pub(super) fn run_out(&mut self, now: Instant) {
        self.conclude(now, Cause::TimedOut(Budget::Total));
    }

    /// Ends the call between two attempts.
    pub(super) fn conclude(&mut self, now: Instant, cause: Cause) {
        let mut end = Assembler::new(self.plan.reply).finish(cause, &mut Deltas::new());
        if end.outcome == Outcome::Failed && self.said.is_some() {
            end.outcome = Outcome::Truncated;
        }
        self.timing.total = Some(now.since(self.started));
        self.finish(now, end);
    }

    /// The call is over.
    pub(super) fn finish(&mut self, now: Instant, end: End) {
        self.stage = Stage::Over;
        self.mark(now, Event::Ended, None, None, end.outcome.as_str());
        let last = self.last.as_mut().and_then(|last| last.attempt.take_reply()).unwrap_or_default();
        let mut reply = match self.said.take() {
            Some(said) => said.whole(last),
            None => last,
        };
        self.make_tail(&end, &reply);
        for (code, detail) in self.notices.drain(..) {
            reply.notices.push((code, detail));
        }
        self.reply = Some(reply);
        self.end = Some(end);
    }

    /// What a stream that is handed on still owes to its reader.
    fn make_tail(&mut self, end: &End, reply: &Reply) {
        if !self.plan.forward || self.drain.is_some() {
            return;
        }
        let is_spliced = self.last.as_ref().is_some_and(|last| last.splice.is_some());
        if self.began {
            if is_spliced {
                // The way is told whole where there is room for it: before the end, which is of our making.
                self.comment_timeline();
            }
            self.tail.append(&mut self.pending);
        }
        if let Some(error) = &end.error {
            return self.tail.extend_from_slice(error_event(self.request.endpoint(), error).as_bytes());
        }
        let is_chat = self.is_chat();
        let Some(last) = &mut self.last else { return };
        if self.rewrites || is_spliced {
            let stream = if self.began { &mut self.tail } else { &mut self.pending };
            let said = Said::head(reply);
            let reason = end.finish_reason.as_deref().unwrap_or("stop");
            Writer { said: &said, is_chat }.finish(reply, reason, self.request.wants_usage(), stream);
            if !self.began {
                // All of it came whole, and is written as the stream that was asked for.
                last.attempt.recast(core::mem::take(&mut self.pending));
            }
        } else if self.began {
            match last.attempt.is_recast() {
                true => self.tail.extend_from_slice(last.attempt.body()),
                false => self.tail.append(&mut last.attempt.forward_tail()),
            }
        }
    }
}
