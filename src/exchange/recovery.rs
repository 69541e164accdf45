//! What a failure leads to: the same route again, another one, an answer that is gone on with, or the end.

use super::Health;
use super::attempt::Attempt;
use super::health::{Admission, BreakerState, Verdict};
use super::machine::{Action, Active, Exchange, Sending, Stage};
use super::retry::{Treatment, backoff, counts};
use super::rewrite::{Writer, event, raw_comment};
use super::route::Route;
use super::said::Said;
use super::splice::{Seam, Splice};
use super::timeline::Event;
use crate::error::{Error, ErrorKind};
use crate::reply::{Assembler, Budget, Cause, Deltas, End, Notice, Outcome, Reply, error_body};
use crate::request::{Built, ContinueBy, Target};
use crate::time::Instant;

/// How a route is asked.
struct Job {
    built: Built,
    by: Option<ContinueBy>,
}

impl Exchange {
    /// Says at once what is wrong with a request that no route can take.
    pub(super) fn check_routes(&mut self) -> Result<(), Error> {
        if self.plan.routes.is_empty() {
            return Err(Error::new(ErrorKind::Misconfigured, "The call has nowhere to go.").with_param("routes"));
        }
        let mut lacks = None;
        for at in 0..self.plan.routes.len() {
            match self.plan.routes.get(at).and_then(|route| self.lacks(route)) {
                Some(what) => {
                    lacks.get_or_insert(what);
                    self.timeline.push(0, Event::Skipped, None, Some(at), what);
                    self.leave(at);
                }
                None => {
                    self.at = at;
                    return self.job(at).map(drop);
                }
            }
        }
        let message = match lacks {
            Some("vision") => "No model that this call may go to takes images.",
            Some("tools") => "No model that this call may go to takes tools.",
            _ => return Err(Error::new(ErrorKind::ContextOverflow, "The request is longer than any model's context.")),
        };
        Err(Error::new(ErrorKind::NotSupported, message))
    }

    /// What the request needs and the route is known not to have.
    fn lacks(&self, route: &Route) -> Option<&'static str> {
        let able = &route.capabilities;
        let tokens = self.needs.prompt_tokens;
        match () {
            () if self.needs.vision && !able.vision => Some("vision"),
            () if self.needs.tools && !able.tools => Some("tools"),
            () if able.context.is_some_and(|context| tokens > context) => Some("context"),
            () => None,
        }
    }

    /// The request for a route: as it is, or, behind an answer that broke off, what goes on with it.
    fn job(&self, at: usize) -> Result<Job, Error> {
        let Some(route) = self.plan.routes.get(at) else {
            return Err(Error::new(ErrorKind::Internal, "There is no such route."));
        };
        let target = Target {
            dialect: route.dialect,
            model: &route.model,
            replay: self.replay.or(route.replay),
            add_usage: route.add_usage,
        };
        let Some(said) = self.said.as_ref().filter(|said| !said.text.is_empty()) else {
            return Ok(Job { built: self.request.build(&target)?, by: None });
        };
        let by = self.continue_by(at, route);
        let request = self.request.continued(by, &said.text, &said.reasoning).ok_or_else(|| {
            Error::new(ErrorKind::NotSupported, "An answer that breaks off cannot be gone on with here.")
        })?;
        Ok(Job { built: request.build(&target)?, by: Some(by) })
    }

    fn continue_by(&self, at: usize, route: &Route) -> ContinueBy {
        let found_out = self.tried.get(at).and_then(|tried| tried.continue_by);
        let model = if route.model.is_empty() { self.request.model().unwrap_or("") } else { &route.model };
        found_out.or(route.continuation).unwrap_or_else(|| ContinueBy::for_model(route.dialect, model))
    }

    /// Sends to the first route that is left and healthy.
    pub(super) fn choose(&mut self, now: Instant, health: &mut Health) {
        if !core::mem::replace(&mut self.begun, true) {
            health.begin(now);
        }
        let mut open_until: Option<Instant> = None;
        for at in 0..self.plan.routes.len() {
            if self.is_left(at) {
                continue;
            }
            let Some(route) = self.plan.routes.get(at) else { continue };
            let probe = match health.admit(now, &route.key) {
                Admission::Go => false,
                Admission::Probe => true,
                Admission::Refused { until } => {
                    open_until = Some(open_until.map_or(until, |other| other.min(until)));
                    self.mark(now, Event::Skipped, None, Some(at), ErrorKind::CircuitOpen.code());
                    continue;
                }
            };
            if self.launch(now, health, at, probe) {
                return;
            }
        }
        // A route that only asked for time is better than none; it answers for itself.
        let is_held = |route: &Route| health.state(now, &route.key) == BreakerState::Closed;
        let held =
            (0..self.plan.routes.len()).find(|&at| !self.is_left(at) && self.plan.routes.get(at).is_some_and(is_held));
        if let Some(at) = held
            && self.launch(now, health, at, false)
        {
            return;
        }
        if let Some(end) = self.last_end.take() {
            self.timing.total = Some(now.since(self.started));
            return self.finish(now, end);
        }
        let message = "Every upstream for this model failed lately and is left alone for a while.";
        let error = Error::new(ErrorKind::CircuitOpen, message);
        self.conclude(
            now,
            Cause::Failed(match open_until {
                Some(until) => error.with_retry_after_ms(until.since(now)),
                None => error,
            }),
        );
    }

    /// After a wait: the same route, if it may still be asked.
    pub(super) fn ask_again(&mut self, now: Instant, health: &mut Health, at: usize) {
        self.stage = Stage::Choosing;
        let Some(route) = self.plan.routes.get(at) else { return };
        let probe = match health.admit(now, &route.key) {
            Admission::Go => false,
            Admission::Probe => true,
            Admission::Refused { .. } => return self.leave(at),
        };
        self.launch(now, health, at, probe);
    }

    fn is_left(&self, at: usize) -> bool {
        self.tried.get(at).is_none_or(|tried| tried.left)
    }

    pub(super) fn leave(&mut self, at: usize) {
        if let Some(tried) = self.tried.get_mut(at) {
            tried.left = true;
        }
    }

    /// Whether another route than `at` could answer now.
    fn has_alternative(&self, now: Instant, health: &Health, at: usize) -> bool {
        self.plan.routes.iter().enumerate().any(|(other, route)| {
            other != at && !self.is_left(other) && !matches!(health.look(now, &route.key), Admission::Refused { .. })
        })
    }

    fn mark(&mut self, now: Instant, event: Event, attempt: Option<u32>, route: Option<usize>, detail: &str) {
        self.timeline.push(now.since(self.started), event, attempt, route, detail);
    }

    /// Makes the next attempt; false, and the route left, if it cannot be made there.
    fn launch(&mut self, now: Instant, health: &mut Health, at: usize, probe: bool) -> bool {
        let Some(active) = self.prepare(now, health, at, probe) else { return false };
        if self.at != at {
            self.at = at;
            self.tell_fall_back(at);
        }
        if self.made > 1 && self.began && self.plan.forward {
            raw_comment(&["{\"timeline\":", &self.timeline_json(), "}"].concat(), &mut self.pending);
        }
        self.current = Some(active);
        self.stage = Stage::Running;
        true
    }

    fn tell_fall_back(&mut self, at: usize) {
        let Some(route) = self.plan.routes.get(at) else { return };
        let why = self.last_error.map_or(ErrorKind::CircuitOpen.code(), ErrorKind::code);
        let detail = [&*route.source, " ", &*route.model, ": ", why].concat();
        self.notice(Notice::FellBack, &detail);
    }

    /// An attempt at a route, its request on its way.
    fn prepare(&mut self, now: Instant, health: &mut Health, at: usize, probe: bool) -> Option<Active> {
        let job = match self.job(at) {
            Ok(job) => job,
            Err(error) => {
                let key = self.plan.routes.get(at).map_or("", |route| route.key.as_str());
                health.record(now, key, probe, Verdict::Neutral);
                self.mark(now, Event::Skipped, None, Some(at), error.code());
                let failed = || End { outcome: Outcome::Failed, finish_reason: None, error: Some(error) };
                self.last_end.get_or_insert_with(failed);
                self.leave(at);
                return None;
            }
        };
        let has_alternative = self.has_alternative(now, health, at);
        let route = self.plan.routes.get(at)?;
        let mut budgets = route.budgets;
        budgets.total = self.deadline().since(now);
        if has_alternative {
            budgets.first_token = budgets.first_token.min(budgets.patience);
            budgets.connect = budgets.connect.min(budgets.patience);
        } else {
            budgets.answer = u64::MAX;
        }
        let mut options = self.plan.reply;
        options.think_tags = route.think_tags;
        let may_go_on = self.plan.recovery.continuation.most > 0 && job.built.choices == 1 && job.built.stream;
        options.collect = !self.plan.forward || may_go_on;
        let splice = match (&self.said, job.by) {
            (Some(said), Some(by)) => Some(Splice::new(&said.text, by)),
            (Some(_), None) => Some(Splice::new("", ContinueBy::Prefix)),
            (None, _) => None,
        };
        let is_forwarded = self.plan.forward && splice.is_none() && !self.rewrites();
        let attempt = Attempt::new(now, self.started, budgets, options, &job.built, is_forwarded);
        let id = self.made;
        self.made += 1;
        if let Some(tried) = self.tried.get_mut(at) {
            tried.times += 1;
        }
        self.mark(now, Event::Sent, Some(id), Some(at), "");
        if self.said.is_some() {
            self.mark(now, Event::Continued, Some(id), Some(at), job.by.map_or("restart", ContinueBy::as_str));
        }
        for change in &job.built.changes {
            let detail = [&*change.field, ": ", &*change.what].concat();
            self.notice(Notice::RequestChanged, &detail);
        }
        self.actions.push_back(Action::Send(Sending { attempt: id, route: at, request: job.built }));
        Some(Active { id, route: at, probe, sent: now, attempt, splice, wake: now, prelude: Vec::new() })
    }

    /// The attempt under way is over.
    pub(super) fn settle(&mut self, now: Instant, health: &mut Health) {
        let Some(mut active) = self.current.take() else { return };
        self.note_times(&active);
        self.spent = self.spent.saturating_add(active.attempt.tokens());
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
        let end = if self.drain.is_some() { Self::cancelled(end) } else { end };
        let key = self.plan.routes.get(active.route).map(|route| (route.key.clone(), route.shared_account));
        let (key, shared) = key.unwrap_or_default();
        match &end.error {
            None => {
                let first_token = active.attempt.timing().first_token.map(|at| (self.started + at).since(active.sent));
                health.record(now, &key, active.probe, Verdict::Success { first_token });
                if let Some(seam) = seen {
                    self.notice(Notice::Continued, seam);
                }
                let is_more_wanted = end.outcome == Outcome::Length
                    && self.drain.is_none()
                    && self.lengthened < self.plan.recovery.continuation.length
                    && self.made < self.plan.recovery.retry.attempts;
                let route = active.route;
                if is_more_wanted || self.said.is_some() {
                    self.remember(&active);
                }
                self.keep(active);
                if is_more_wanted && self.can_go_on() {
                    self.lengthened += 1;
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
                let kind = error.kind();
                let verdict = match () {
                    // A credential that can be renewed says nothing of the route yet.
                    () if Treatment::of(kind) == Treatment::Refresh && self.may_refresh(active.route) => {
                        Verdict::Neutral
                    }
                    () if counts(kind, shared) => Verdict::Failure { retry_after: error.retry_after_ms() },
                    // It has answered, if only to say that the request is wrong.
                    () if Treatment::of(kind) == Treatment::Repair => Verdict::Success { first_token: None },
                    () => Verdict::Neutral,
                };
                health.record(now, &key, active.probe, verdict);
                if kind == ErrorKind::RateLimited
                    && shared
                    && let Some(wait) = error.retry_after_ms()
                {
                    health.hold(now, &key, now + wait);
                }
                self.mark(now, Event::Failed, Some(active.id), Some(active.route), error.code());
                if let Some(seam) = seen {
                    self.notice(Notice::Continued, seam);
                }
                let route = active.route;
                let brought = active.attempt.tokens() > 0;
                if brought || self.said.is_some() {
                    self.remember(&active);
                }
                self.keep(active);
                self.after_failure(now, health, route, error, brought, end);
            }
        }
    }

    /// The end of a call whose caller has left, however its attempt ended.
    fn cancelled(end: End) -> End {
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
        if self.drain.is_none() {
            self.hand_out(&out, true);
        }
        (is_new && had_text).then_some(match seam {
            Seam::Exact => "by prefix",
            Seam::Overlap(_) => "joined where the words repeat",
            Seam::None => "joined without an overlap: the seam may show",
        })
    }

    fn hand_out(&mut self, deltas: &Deltas, is_written: bool) {
        if !self.plan.forward {
            deltas.iter().for_each(|delta| self.late.push(delta));
        } else if is_written || self.rewrites() {
            self.write(deltas);
        }
    }

    fn note_times(&mut self, active: &Active) {
        let times = active.attempt.timing();
        self.timing.head = self.timing.head.or(times.head);
        if let Some(at) = times.first_token.filter(|_| self.timing.first_token.is_none()) {
            self.timing.first_token = Some(at);
            self.timeline.push(at, Event::FirstToken, Some(active.id), Some(active.route), "");
        }
        self.timing.first_text = self.timing.first_text.or(times.first_text);
        self.timing.total = times.total;
    }

    /// Remembers what an attempt has handed on.
    fn remember(&mut self, active: &Active) {
        let Some(reply) = active.attempt.reply() else { return };
        match &mut self.said {
            Some(said) => said.add(reply),
            None => self.said = Some(Said::of(reply)),
        }
    }

    fn keep(&mut self, active: Active) {
        if self.began {
            self.pending.extend_from_slice(active.attempt.forward_gap());
        }
        self.last = Some(active);
    }

    fn can_go_on(&self) -> bool {
        let said = self.said.as_ref();
        self.request.is_stream() && said.is_some_and(|said| !said.closed)
    }

    fn after_failure(&mut self, now: Instant, health: &mut Health, at: usize, error: Error, brought: bool, end: End) {
        if let Some(rival) = self.rival.take() {
            self.current = Some(rival);
            return;
        }
        let kind = error.kind();
        let treatment = Treatment::of(kind);
        let is_over = self.drain.is_some()
            || matches!(end.outcome, Outcome::Aborted | Outcome::OverBudget | Outcome::TimedOut(Budget::Total))
            || treatment == Treatment::Never
            || self.made >= self.plan.recovery.retry.attempts;
        if is_over {
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
            Treatment::Again | Treatment::Crowd | Treatment::Once => {
                self.again(now, health, at, &error, treatment, brought);
            }
            _ => self.leave_for_next(at),
        }
    }

    fn may_refresh(&self, at: usize) -> bool {
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
        let most = if treatment == Treatment::Once || has_alternative { policy.tries.min(2) } else { policy.tries };
        let drawn = backoff(&policy, treatment, times.saturating_sub(1), self.random.next());
        let wait = match error.retry_after_ms() {
            // Not all at the same moment: what was asked for, and a little more.
            Some(asked) => asked.saturating_add(drawn.min(asked / 10 + 50)),
            // A cut says nothing about load: the reader is waiting in the middle of a word.
            None if brought && treatment == Treatment::Once => 0,
            None => drawn,
        };
        let patience = self.plan.routes.get(at).map_or(0, |route| route.budgets.patience);
        let fits = now + wait < self.deadline();
        if times >= most || !fits || (has_alternative && wait > patience) || !health.take_retry(now) {
            return self.leave_for_next(at);
        }
        if wait > 0 {
            self.mark(now, Event::Waiting, None, Some(at), &wait.to_string());
        }
        self.notice(Notice::Retried, &[error.code(), ", after ", &wait.to_string(), " ms"].concat());
        self.stage = Stage::Waiting { until: now + wait, route: at };
    }

    /// The changed request at once, where a change is safe.
    fn repair(&mut self, now: Instant, at: usize, error: &Error, end: End) {
        let Some(route) = self.plan.routes.get(at) else { return };
        let replay = self.replay.or(route.replay);
        let target = Target { dialect: route.dialect, model: &route.model, replay, add_usage: route.add_usage };
        let repair = if self.repaired { None } else { self.request.repaired(error, &target) };
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
        self.repaired = true;
        self.request = repair.request;
        self.replay = repair.replay.or(self.replay);
        self.mark(now, Event::Repaired, None, Some(at), &repair.change.field);
        self.notice(Notice::RequestChanged, &[&*repair.change.field, ": ", &*repair.change.what].concat());
        self.stage = Stage::Waiting { until: now, route: at };
    }

    fn weaken(&mut self, at: usize) {
        let Some(route) = self.plan.routes.get(at) else { return };
        let by = self.continue_by(at, route);
        match by {
            ContinueBy::Prefix | ContinueBy::Prefill => {
                if let Some(tried) = self.tried.get_mut(at) {
                    tried.continue_by = Some(ContinueBy::Anchor);
                }
                self.stage = Stage::Choosing;
            }
            _ => self.leave_for_next(at),
        }
    }

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
                health.record(now, key, true, Verdict::Neutral);
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
                super::attempt::Step::Abort => self.actions.push_back(Action::Abort(rival.id)),
                super::attempt::Step::Wait(until) => rival.wake = until,
                super::attempt::Step::Finish => is_lost = !rival.has_token(),
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
        let key = self.plan.routes.get(loser.route).map_or("", |route| route.key.as_str());
        let error = loser.attempt.end().and_then(|end| end.error.as_ref());
        let verdict = match error {
            Some(error) if counts(error.kind(), true) => Verdict::Failure { retry_after: error.retry_after_ms() },
            _ => Verdict::Neutral,
        };
        health.record(now, key, loser.probe, verdict);
        self.mark(now, Event::Dropped, Some(loser.id), Some(loser.route), "");
        if wins {
            let name = self.current.as_ref().and_then(|active| self.plan.routes.get(active.route));
            let name = name.map(|route| route.source.clone()).unwrap_or_default();
            self.notice(Notice::Hedged, &[&name, " was faster"].concat());
        }
        None
    }

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
    fn finish(&mut self, now: Instant, end: End) {
        self.stage = Stage::Over;
        self.mark(now, Event::Ended, None, None, end.outcome.as_str());
        let last = self.last.as_ref().and_then(|last| last.attempt.reply().cloned()).unwrap_or_default();
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
        if !self.began {
            if let Some(error) = &end.error {
                event(&error_body(error), &mut self.tail);
            }
            return;
        }
        self.tail.append(&mut self.pending);
        let rewrites = self.rewrites();
        let is_chat = self.is_chat();
        let wants_usage = self.request.wants_usage();
        match (&end.error, &mut self.last) {
            (Some(error), _) => event(&error_body(error), &mut self.tail),
            (None, Some(last)) if last.splice.is_some() || rewrites => {
                let said = Said::head(reply);
                let reason = end.finish_reason.as_deref().unwrap_or("stop");
                Writer { said: &said, is_chat }.finish(reply, reason, wants_usage, &mut self.tail);
            }
            (None, Some(last)) if last.attempt.is_recast() => self.tail.extend_from_slice(last.attempt.body()),
            (None, Some(last)) => self.tail.append(&mut last.attempt.forward_tail()),
            (None, None) => {}
        }
    }
}
