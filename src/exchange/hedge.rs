//! Two requests at once: the second is made when the first token is late, and the first token decides.

use super::Health;
use super::attempt::Step;
use super::health::{Admission, Verdict};
use super::machine::{Action, Exchange};
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
        let key = self.plan.routes.get(at).map_or("", |route| route.key.as_str());
        let percentile = hedge.percentile.and_then(|percentile| health.first_token_percentile(key, percentile));
        let due = sent + percentile.unwrap_or(hedge.after);
        if now < due {
            return Some(due);
        }
        self.hedged = true;
        if self.drain.is_some()
            || self.made >= self.plan.recovery.retry.attempts
            || !health.take_hedge(now, hedge.share)
        {
            return Some(never);
        }
        let other = (0..self.plan.routes.len()).find(|other| *other != at && !self.is_left(*other)).unwrap_or(at);
        let key = self.plan.routes.get(other).map_or("", |route| route.key.as_str());
        let probe = match health.admit(now, key) {
            Admission::Go => false,
            // A probe is for finding out, not for being fast.
            Admission::Probe => {
                health.record(now, key, now, true, Verdict::Neutral);
                return Some(never);
            }
            Admission::Refused { .. } => return Some(never),
        };
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
        let mut is_lost = false;
        while let Some(step) = rival.attempt.poll(now) {
            match step {
                Step::Abort => self.actions.push_back(Action::Abort(rival.id)),
                Step::Wait(until) => rival.wake = until,
                // It has said nothing yet that would be worth it.
                Step::Rejoin => rival.attempt.stop(now, Cause::Reset),
                Step::Finish => is_lost = !rival.has_token(),
            }
        }
        let wins = rival.has_token() && !active.has_token();
        if !wins && !is_lost && !active.has_token() {
            return Some(rival.wake);
        }
        if wins {
            core::mem::swap(active, rival);
        }
        let loser = self.rival.take()?;
        if !is_lost {
            self.actions.push_back(Action::Abort(loser.id));
        }
        let end = loser.attempt.end();
        self.report(now, health, &loser, end);
        if let (Some(error), Some(tried)) = (end.and_then(|end| end.error.as_ref()), self.tried.get_mut(loser.route)) {
            tried.left |= !matches!(Treatment::of(error.kind()), Treatment::Again | Treatment::Crowd | Treatment::Once);
        }
        self.mark(now, Event::Dropped, Some(loser.id), Some(loser.route), "");
        if wins {
            let name = self.current.as_ref().and_then(|active| self.plan.routes.get(active.route));
            let name = name.map(|route| route.source.clone()).unwrap_or_default();
            self.notice(Notice::Hedged, &[&name, " was faster"].concat());
        }
        None
    }
}
