//! Two requests at once: the second is made when the first token is late, and the first token decides.

use super::Health;
use super::attempt::Step;
use super::health::{Admission, Verdict};
use super::machine::{Action, Active, Exchange};
use super::retry::Treatment;
use super::timeline::Event;
use crate::reply::{Cause, Notice};
use crate::time::Instant;

impl Exchange {
    /// While the first token is awaited: makes the second request when its time has come, and drops the slower one when a token is
    /// there. Until when there is nothing to do; `None` if that has to be seen anew.
    pub(super) fn race(&mut self, now: Instant, health: &mut Health) -> Option<Instant> {
        let never = Instant(u64::MAX);
        let (Some(hedge), Some(active)) = (self.plan.recovery.hedge, &self.current) else { return Some(never) };
        if self.rival.is_some() {
            return self.judge(now, health);
        }
        if self.hedged || active.has_token() || !self.request.is_stream() || self.said.is_some() {
            return Some(never);
        }
        let (at, sent) = (active.route, active.sent);
        let percentile =
            hedge.percentile.and_then(|percentile| health.first_token_percentile(self.key(at), percentile));
        let due = sent + percentile.unwrap_or(hedge.after);
        if now < due {
            return Some(due);
        }
        self.hedged = true;
        if self.drain.is_some() || self.made >= self.plan.recovery.retry.attempts {
            return Some(never);
        }
        let may = |other: &usize| *other != at && !self.is_left(*other) && !self.is_held(now, *other);
        let other = (0..self.plan.routes.len()).find(may).unwrap_or(at);
        let key = self.key(other);
        let probe = match health.admit(now, key) {
            Admission::Go => false,
            // A probe is for finding out, not for being fast.
            Admission::Probe => {
                health.record(now, key, now, true, Verdict::Neutral);
                return Some(never);
            }
            Admission::Refused { .. } => return Some(never),
        };
        if !health.take_hedge(now, hedge.share) {
            return Some(never);
        }
        self.rival = self.prepare(now, health, other, probe);
        if let Some(rival) = &self.rival {
            let (id, route) = (rival.id, rival.route);
            self.mark(now, Event::Hedged, Some(id), Some(route), "");
        }
        None
    }

    /// Two are under way: the first token wins.
    fn judge(&mut self, now: Instant, health: &mut Health) -> Option<Instant> {
        let (Some(active), Some(rival)) = (&mut self.current, &mut self.rival) else { return None };
        let mut is_over = false;
        while let Some(step) = rival.attempt.poll(now) {
            match step {
                Step::Abort => self.actions.push_back(Action::Abort(rival.id)),
                Step::Wait(until) => rival.wake = until,
                // It has said nothing yet that would be worth it.
                Step::Rejoin => rival.attempt.stop(now, Cause::Reset),
                Step::Finish => is_over = true,
            }
        }
        let is_success = is_over && rival.attempt.end().is_some_and(|end| end.error.is_none());
        let wins = (rival.has_token() || is_success) && !active.has_token();
        if !wins && !is_over && !active.has_token() {
            return Some(rival.wake);
        }
        if wins {
            core::mem::swap(active, rival);
        }
        let loser = self.rival.take()?;
        self.give_up(now, health, loser, is_over && !wins);
        if wins {
            let name = self.current.as_ref().and_then(|active| self.plan.routes.get(active.route));
            let name = name.map(|route| route.source.clone()).unwrap_or_default();
            self.notice(Notice::Hedged, &[&name, " was faster"].concat());
            if is_over {
                // An attempt says only once that it is over.
                self.settle(now, health);
            }
        }
        None
    }

    /// One of two attempts is not needed any more; `is_over` if it has said that it is over.
    pub(super) fn give_up(&mut self, now: Instant, health: &mut Health, loser: Box<Active>, is_over: bool) {
        if !is_over {
            self.actions.push_back(Action::Abort(loser.id));
        }
        let end = loser.attempt.end().filter(|_| is_over);
        self.report(now, health, &loser, end);
        if let (Some(error), Some(tried)) = (end.and_then(|end| end.error.as_ref()), self.tried.get_mut(loser.route)) {
            tried.left |= !Treatment::of(error.kind()).may_return();
        }
        self.mark(now, Event::Dropped, Some(loser.id), Some(loser.route), "");
    }
}
