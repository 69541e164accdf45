//! An attempt is over: what it said is handed out, its route's health is told, and either the call ends or a recovery begins.

use super::Health;
use super::health::Verdict;
use super::machine::{Active, Exchange, Stage};
use super::retry::{RATE_HOLD, Treatment, counts};
use super::said::Said;
use super::splice::{Seam, Splice};
use super::timeline::Event;
use crate::error::{Error, ErrorKind};
use crate::reply::{Delta, Deltas, End, Notice, Outcome};
use crate::time::Instant;

impl Exchange {
    /// The attempt under way is over.
    pub(super) fn settle(&mut self, now: Instant, health: &mut Health) {
        let Some(mut active) = self.current.take() else { return };
        self.note_times(&active);
        let usage = active.attempt.reply().and_then(|reply| reply.usage.as_ref());
        let tokens = usage.map_or(0, |usage| usage.completion_tokens).max(active.attempt.tokens());
        self.spent = self.spent.saturating_add(tokens);
        let mut late = core::mem::take(&mut self.scratch);
        late.clear();
        active.attempt.take_late(&mut late);
        self.pass_late(&mut active, &late);
        self.scratch = late;
        let end = active.attempt.end().cloned().unwrap_or_else(|| End {
            outcome: Outcome::Failed,
            finish_reason: None,
            error: Some(Error::new(ErrorKind::Internal, "An attempt ended without an end.")),
        });
        let seen = self.pass_rest(&mut active);
        let said_all = active.splice.is_some() && self.said.as_ref().is_some_and(|said| !said.text.is_empty());
        let end = match &end.error {
            None if end.outcome == Outcome::Complete && active.splice.as_ref().is_some_and(Splice::fell_short) => {
                let error = Error::new(ErrorKind::Truncated, "Asked for the rest, the model repeated a few words.");
                End { outcome: Outcome::Truncated, finish_reason: None, error: Some(error) }
            }
            // It was cut behind its last word: there is nothing to go on with, and the model says so.
            Some(error) if said_all && error.kind() == ErrorKind::Empty => {
                End { outcome: Outcome::Complete, finish_reason: end.finish_reason, error: None }
            }
            _ => end,
        };
        // An answer that was whole before the caller left is one.
        let is_cancelled = self.drain.is_some() || self.cancelled && end.error.is_some();
        let end = if is_cancelled { Self::cancelled(end) } else { end };
        self.report(now, health, &active, Some(&end));
        if let Some(rival) = self.rival.take_if(|_| end.error.is_none() || active.has_token()) {
            self.give_up(now, health, rival, false);
        }
        match &end.error {
            None => {
                if let Some(seam) = seen {
                    self.notice(Notice::Continued, seam);
                }
                let is_more_wanted = end.outcome == Outcome::Length
                    && !self.cancelled
                    && !self.is_spent()
                    && self.lengthened < self.plan.recovery.continuation.length
                    && self.made < self.plan.recovery.retry.attempts;
                let route = active.route;
                if is_more_wanted || self.said.is_some() {
                    self.remember(&active);
                }
                self.keep(active);
                // What ended in its thoughts would only think them again.
                let has_text = self.said.as_ref().is_some_and(|said| !said.text.is_empty());
                if is_more_wanted && has_text && self.can_go_on() {
                    self.lengthened += 1;
                    self.last_end = Some(end);
                    if let Some(tried) = self.tried.get_mut(route) {
                        // A success starts the count anew.
                        tried.times = 0;
                    }
                    self.stage = Stage::Waiting { until: now, route };
                    return;
                }
                self.finish(now, end);
            }
            Some(error) => {
                let error = error.clone();
                self.mark(now, Event::Failed, Some(active.id), Some(active.route), error.code());
                if let Some(seam) = seen {
                    self.notice(Notice::Continued, seam);
                }
                let route = active.route;
                let brought = active.attempt.tokens() > 0;
                if brought || self.said.is_some() {
                    self.remember(&active);
                }
                let is_thinking = brought && self.is_thinking(&active);
                self.keep(active);
                if is_thinking {
                    let mut tag = Deltas::new();
                    tag.push(Delta::Text { choice: 0, text: "</think>\n\n" });
                    self.write(&tag);
                }
                self.after_failure(now, health, route, error, brought, end);
            }
        }
    }

    /// What an attempt says of its route: to the health of all calls, and to this one. Without an end it was given up.
    pub(super) fn report(&mut self, now: Instant, health: &mut Health, active: &Active, end: Option<&End>) {
        let Some(route) = self.plan.routes.get(active.route) else { return };
        let error = end.and_then(|end| end.error.as_ref());
        let wait = error.and_then(Error::retry_after_ms);
        let kind = error.map(Error::kind);
        let verdict = match (end.map(|end| end.outcome), kind) {
            (None, _) => Verdict::Neutral,
            // The budget was the caller's; the route was answering.
            (Some(Outcome::OverBudget), _) | (_, None) => {
                let first_token = active.attempt.timing().first_token;
                Verdict::Success { first_token: first_token.map(|at| (self.started + at).since(active.sent)) }
            }
            // A credential that has run out fails for all calls at once, and is good again before a breaker would be.
            (_, Some(kind)) if Treatment::of(kind) == Treatment::Refresh && self.may_refresh(active.route) => {
                Verdict::Neutral
            }
            (_, Some(kind)) if counts(kind, route.shared_account) => Verdict::Failure { retry_after: wait },
            // It has answered, if only to say that the request is wrong.
            (_, Some(kind)) if Treatment::of(kind) == Treatment::Repair => Verdict::Success { first_token: None },
            _ => Verdict::Neutral,
        };
        health.record(now, &route.key, active.sent, active.probe, verdict);
        if kind == Some(ErrorKind::RateLimited) && route.shared_account {
            health.hold(now, &route.key, now + wait.unwrap_or(RATE_HOLD));
        }
        let Some(until) = wait.map(|wait| now + wait) else { return };
        if let Some(tried) = self.tried.get_mut(active.route) {
            tried.not_before = tried.not_before.max(Some(until));
        }
    }

    /// The end of a call whose caller has left, however its attempt ended.
    pub(super) fn cancelled(end: End) -> End {
        let error = Error::new(ErrorKind::Cancelled, "The caller cancelled.");
        End { outcome: Outcome::Aborted, finish_reason: end.finish_reason, error: Some(error) }
    }

    /// Held-back text of an attempt that ended between two reads.
    fn pass_late(&mut self, active: &mut Active, late: &Deltas) {
        if late.is_empty() || self.drain.is_some() {
            return;
        }
        let mut out = Deltas::new();
        match (&mut active.splice, &mut self.said) {
            (Some(splice), Some(said)) => said.pass(splice, late, &mut out),
            _ => late.iter().for_each(|delta| out.push(delta)),
        }
        self.hand_out(&out, active.splice.is_some());
    }

    /// What the splice of an attempt that ended still held; how the seam was joined.
    fn pass_rest(&mut self, active: &mut Active) -> Option<&'static str> {
        let (Some(splice), Some(said)) = (&mut active.splice, &mut self.said) else { return None };
        let mut out = Deltas::new();
        let is_new = active.attempt.tokens() > 0;
        let seam = said.pass_rest(splice, &mut out);
        let had_text = !said.text.is_empty();
        // A weak model repeats the words and stops there. Whether there was more to say, only it could know.
        let repeats = |dropped| {
            let first = active.attempt.reply().and_then(|reply| reply.choices.first());
            first.is_some_and(|choice| choice.text.trim_end().len() <= dropped)
        };
        if self.drain.is_none() {
            self.hand_out(&out, true);
        }
        let how = match seam {
            Seam::Overlap(dropped) if repeats(dropped) => "nothing but the last words came: more may be missing",
            seam => seam.as_str(),
        };
        (is_new && had_text && !active.seam_told).then_some(how)
    }

    fn hand_out(&mut self, deltas: &Deltas, is_written: bool) {
        if !self.plan.forward {
            deltas.iter().for_each(|delta| self.late.push(delta));
        } else if is_written || self.rewrites {
            self.write(deltas);
        }
    }

    fn note_times(&mut self, active: &Active) {
        let times = active.attempt.timing();
        self.timing.head = self.timing.head.or(times.head);
        if let Some(at) = times.first_token {
            self.timing.first_token.get_or_insert(at);
            self.timeline.push(at, Event::FirstToken, Some(active.id), Some(active.route), "");
        }
        self.timing.first_text = self.timing.first_text.or(times.first_text);
        self.timing.total = times.total;
    }

    /// Whether the reader of the bytes is left inside of thoughts that stand in the text.
    fn is_thinking(&self, active: &Active) -> bool {
        let is_raw = self.plan.forward && active.splice.is_none() && !self.rewrites;
        let notices = active.attempt.reply().map_or(&[][..], |reply| &reply.notices);
        is_raw && self.can_go_on() && notices.iter().any(|(notice, _)| *notice == Notice::UnclosedThink)
    }

    /// Remembers what an attempt has handed on.
    fn remember(&mut self, active: &Active) {
        let Some(reply) = active.attempt.reply() else { return };
        match &mut self.said {
            Some(said) => said.add(reply),
            None => self.said = Some(Said::of(reply)),
        }
    }

    fn keep(&mut self, mut active: Box<Active>) {
        match active.attempt.end() {
            Some(end) if end.error.is_none() => self.pending.append(&mut active.prelude),
            // Of what was kept back until it said something, nothing is owed.
            Some(_) if self.waits_for_content() && !active.has_token() => {}
            Some(_) if self.began => self.pending.append(&mut active.attempt.forward_rest()),
            _ => {}
        }
        self.last = Some(active);
    }

    /// Whether another request could say nothing more.
    pub(super) fn is_spent(&self) -> bool {
        self.plan.recovery.tokens.is_some_and(|most| self.spent >= most)
    }

    pub(super) fn can_go_on(&self) -> bool {
        let said = self.said.as_ref();
        self.request.is_stream() && self.request.can_be_continued() && said.is_some_and(|said| !said.closed)
    }
}
