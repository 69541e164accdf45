//! What a failure leads to: the same route again, another one, an answer that is gone on with, or the end.

use super::Health;
use super::health::BreakerState;
use super::machine::{Action, Exchange, Stage};
use super::retry::{Treatment, backoff};
use super::route::Route;
use super::timeline::Event;
use crate::error::{Error, ErrorKind};
use crate::reply::{Budget, End, Notice, Outcome};
use crate::request::ContinueBy;
use crate::time::Instant;

impl Exchange {
    pub(super) fn after_failure(
        &mut self,
        now: Instant,
        health: &mut Health,
        at: usize,
        error: Error,
        brought: bool,
        end: End,
    ) {
        let kind = error.kind();
        let treatment = Treatment::of(kind);
        if let Some(rival) = self.rival.take() {
            if !treatment.may_return() {
                self.leave(at);
            }
            self.last_error = Some(kind);
            let other = rival.route;
            self.current = Some(rival);
            if core::mem::replace(&mut self.at, other) != other {
                self.tell_fall_back(other);
            }
            return;
        }
        let is_final = self.drain.is_some()
            || matches!(end.outcome, Outcome::Aborted | Outcome::OverBudget | Outcome::TimedOut(Budget::Total));
        if is_final {
            return self.finish(now, end);
        }
        if treatment == Treatment::Never || self.is_spent() || self.made >= self.plan.recovery.retry.attempts {
            let end = self.last_end.take().filter(|_| self.said.is_some() && !brought).unwrap_or(end);
            return self.finish(now, end);
        }
        self.last_error = Some(kind);
        let is_going_on = self.said.is_some();
        if brought || !is_going_on || self.last_end.is_none() {
            // Of an answer that broke off, that it broke off is the news, not what became of the attempts to go on with it.
            self.last_end = Some(end.clone());
        }
        if brought {
            let may = self.continued < self.plan.recovery.continuation.most;
            if may && self.can_go_on() {
                self.continued += 1;
            } else if self.plan.recovery.continuation.replace && !self.plan.forward && may {
                self.continued += 1;
                self.said = None;
                self.notice(Notice::Restarted, error.code());
            } else {
                return self.finish(now, end);
            }
        }
        match treatment {
            // Refused because of how the answer was gone on with: by words then, or elsewhere.
            Treatment::Repair if is_going_on && !brought => self.weaken(at),
            Treatment::Repair if !is_going_on => self.repair(now, at, &error, end),
            Treatment::Refresh if self.may_refresh(at) => {
                if let Some(tried) = self.tried.get_mut(at) {
                    tried.refreshed = true;
                }
                self.mark(now, Event::Refreshed, None, Some(at), "");
                self.actions.push_back(Action::Refresh(at));
                self.stage = Stage::Refreshing { route: at };
            }
            _ if treatment.may_return() => self.again(now, health, at, &error, treatment, brought),
            // A stream that stalled goes on; where nobody else can, once more where it did.
            _ if brought && is_stall(kind) && !self.has_alternative(now, health, at) => {
                self.again(now, health, at, &error, Treatment::Leave, brought);
            }
            _ => self.leave_for_next(at),
        }
    }

    pub(super) fn may_refresh(&self, at: usize) -> bool {
        self.plan.routes.get(at).is_some_and(|route| route.can_refresh)
            && self.tried.get(at).is_some_and(|tried| !tried.refreshed)
    }

    fn leave_for_next(&mut self, at: usize) {
        self.leave(at);
        self.stage = Stage::Choosing;
    }

    /// The same route again after a wait, if that is worth it; else the next.
    fn again(
        &mut self,
        now: Instant,
        health: &mut Health,
        at: usize,
        error: &Error,
        treatment: Treatment,
        brought: bool,
    ) {
        let policy = self.plan.recovery.retry;
        let has_alternative = self.has_alternative(now, health, at);
        let times = self.tried.get(at).map_or(0, |tried| tried.times);
        let most = match () {
            // An answer that goes on is bounded by how often it may.
            () if treatment == Treatment::Leave => policy.tries.min(2),
            () if brought && !has_alternative => u32::MAX,
            () if has_alternative || treatment == Treatment::Once => policy.tries.min(2),
            () => policy.tries,
        };
        let drawn = backoff(&policy, treatment, times.saturating_sub(1), self.random.next());
        let wait = match error.retry_after_ms() {
            // Not all at the same moment: what was asked for, and a little more.
            Some(asked) => asked.saturating_add(drawn.min(asked / 10 + 50)),
            // A cut says nothing about load: the reader is waiting in the middle of a word.
            None if brought && matches!(treatment, Treatment::Once | Treatment::Leave) => 0,
            None => drawn,
        };
        let held = self.tried.get(at).and_then(|tried| tried.not_before).map_or(0, |until| until.since(now));
        let wait = wait.max(held);
        let patience = self.plan.routes.get(at).map_or(0, |route| route.budgets.patience);
        let until = now + wait;
        // Whoever waits for a route that is not to be asked then only keeps its caller waiting.
        let is_open = self.plan.routes.get(at).is_some_and(
            |route| matches!(health.state(now, &route.key), BreakerState::Open { until: open } if until < open),
        );
        if times >= most || until >= self.deadline() || is_open {
            return self.leave_for_next(at);
        }
        let is_sooner = |other: usize| {
            let ready = self.tried.get(other).and_then(|tried| tried.not_before);
            other != at && !self.is_left(other) && ready.is_some_and(|ready| now < ready && ready < until)
        };
        // Held without a time: other calls leave it alone for longer than a retry would wait.
        let is_held = error.kind() == ErrorKind::RateLimited && error.retry_after_ms().is_none();
        if has_alternative && (is_held || wait > patience) || (0..self.tried.len()).any(is_sooner) {
            // Elsewhere at once; here when its time has come, if nobody else can.
            if let Some(tried) = self.tried.get_mut(at) {
                tried.not_before = Some(until);
            }
            self.stage = Stage::Choosing;
            return;
        }
        if !health.take_retry(now) {
            return self.leave_for_next(at);
        }
        if wait > 0 {
            self.mark(now, Event::Waiting, None, Some(at), &wait.to_string());
        }
        self.notice(Notice::Retried, &[error.code(), ", after ", &wait.to_string(), " ms"].concat());
        self.stage = Stage::Waiting { until, route: at };
    }

    /// The changed request at once, where a change is safe.
    fn repair(&mut self, now: Instant, at: usize, error: &Error, end: End) {
        let Some(route) = self.plan.routes.get(at) else { return };
        let is_repaired = self.tried.get(at).is_some_and(|tried| tried.repaired.is_some());
        let (request, target) = self.asked(at, route);
        let repair = if is_repaired { None } else { request.repaired(error, &target) };
        let Some(repair) = repair else {
            // A longer context elsewhere helps; anything else would be refused there as well.
            let context = route.capabilities.context.unwrap_or(u32::MAX);
            let is_longer = |other: &Route| other.capabilities.context.is_some_and(|other| other > context);
            if error.kind() == ErrorKind::ContextOverflow
                && self.plan.routes.iter().enumerate().any(|(at, other)| !self.is_left(at) && is_longer(other))
            {
                for at in 0..self.plan.routes.len() {
                    if self.plan.routes.get(at).is_some_and(|other| !is_longer(other)) {
                        self.leave(at);
                    }
                }
                self.stage = Stage::Choosing;
                return;
            }
            return self.finish(now, end);
        };
        self.mark(now, Event::Repaired, None, Some(at), &repair.change.field);
        self.notice(Notice::RequestChanged, &[&*repair.change.field, ": ", &*repair.change.what].concat());
        if let Some(tried) = self.tried.get_mut(at) {
            tried.repaired = Some(Box::new(repair));
        }
        self.stage = Stage::Waiting { until: now, route: at };
    }

    fn weaken(&mut self, at: usize) {
        let Some(route) = self.plan.routes.get(at) else { return };
        let by = self.continue_by(at, route);
        match by {
            ContinueBy::Prefix | ContinueBy::Prefill if self.is_chat() => {
                if let Some(tried) = self.tried.get_mut(at) {
                    tried.continue_by = Some(ContinueBy::Anchor);
                }
                self.stage = Stage::Choosing;
            }
            _ => self.leave_for_next(at),
        }
    }
}

/// A time-out of a stream that had begun to speak.
fn is_stall(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::TimeoutIdle | ErrorKind::TimeoutContentIdle | ErrorKind::TimeoutRate)
}
