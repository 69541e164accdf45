//! Which route is asked next, and with what.

use super::Health;
use super::attempt::Attempt;
use super::health::{Admission, BreakerState, Verdict};
use super::machine::{Action, Active, Exchange, Sending, Stage};
use super::route::Route;
use super::splice::Splice;
use super::timeline::Event;
use crate::error::{Error, ErrorKind};
use crate::reply::{Cause, End, Notice, Outcome, ThinkTags};
use crate::request::{Built, ContinueBy};
use crate::time::Instant;

/// How a route is asked.
#[derive(Debug)]
pub(super) struct Job {
    built: Built,
    by: Option<ContinueBy>,
}

impl Exchange {
    /// Says at once what is wrong with a request that no route can take.
    pub(super) fn check_routes(&mut self) -> Result<(), Error> {
        if self.plan.routes.is_empty() {
            return Err(Error::new(ErrorKind::Misconfigured, "The call has nowhere to go.").with_param("routes"));
        }
        let (mut lacks, mut first) = (None, None);
        for at in 0..self.plan.routes.len() {
            match self.plan.routes.get(at).and_then(|route| self.lacks(route)) {
                Some(what) => {
                    lacks.get_or_insert(what);
                    self.timeline.push(0, Event::Skipped, None, Some(at), what);
                    self.leave(at);
                }
                None => first = first.or(Some(at)),
            }
        }
        if let Some(at) = first {
            self.at = at;
            // Kept for the first request: to write a long prompt twice would cost as much as all the rest.
            self.ready = Some((at, self.job(at)?));
            return Ok(());
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
            // Inputs of a batch are read one by one.
            () if self.request.endpoint().is_completion() && able.context.is_some_and(|context| tokens > context) => {
                Some("context")
            }
            () => None,
        }
    }

    /// The request for a route: as it is, or, behind an answer that broke off, what goes on with it.
    fn job(&self, at: usize) -> Result<Job, Error> {
        let Some(route) = self.plan.routes.get(at) else {
            return Err(Error::new(ErrorKind::Internal, "There is no such route."));
        };
        let (request, target) = self.asked(at, route);
        let Some(said) = self.said.as_ref().filter(|said| !said.text.is_empty()) else {
            return Ok(Job { built: request.build(&target)?, by: None });
        };
        let by = self.continue_by(at, route);
        let request = request.continued(by, &said.text, &said.reasoning).ok_or_else(|| {
            Error::new(ErrorKind::NotSupported, "An answer that breaks off cannot be gone on with here.")
        })?;
        Ok(Job { built: request.build(&target)?, by: Some(by) })
    }

    pub(super) fn continue_by(&self, at: usize, route: &Route) -> ContinueBy {
        let found_out = self.tried.get(at).and_then(|tried| tried.continue_by);
        let model = if route.model.is_empty() { self.request.model().unwrap_or("") } else { &route.model };
        match found_out.or(route.continuation).unwrap_or_else(|| ContinueBy::for_model(route.dialect, model)) {
            // A prompt that is longer by the answer is gone on with exactly: nobody asks there for a repetition.
            ContinueBy::Anchor if !self.is_chat() => ContinueBy::Prefill,
            by => by,
        }
    }

    /// Sends to the first route that is left and healthy.
    pub(super) fn choose(&mut self, now: Instant, health: &mut Health) {
        if !core::mem::replace(&mut self.begun, true) {
            health.begin(now);
        }
        let mut open_until: Option<Instant> = None;
        for at in 0..self.plan.routes.len() {
            if self.is_left(at) || self.is_held(now, at) {
                continue;
            }
            let Some(route) = self.plan.routes.get(at) else { continue };
            let probe = match health.admit(now, &route.key) {
                Admission::Go => false,
                Admission::Probe => true,
                Admission::Refused { until } => {
                    open_until = Some(open_until.map_or(until, |other| other.min(until)));
                    let is_held = health.state(now, &route.key) == BreakerState::Closed;
                    let why = if is_held { ErrorKind::RateLimited } else { ErrorKind::CircuitOpen };
                    self.last_error.get_or_insert(why);
                    self.mark(now, Event::Skipped, None, Some(at), why.code());
                    continue;
                }
            };
            if self.launch(now, health, at, probe) {
                return;
            }
        }
        if self.choose_held(now, health) {
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

    /// A route that only asked for time is better than none: at once if it asked others, when its time has come if it asked this call;
    /// of several the one whose time comes first.
    fn choose_held(&mut self, now: Instant, health: &mut Health) -> bool {
        let mut first: Option<(Instant, usize)> = None;
        for (at, route) in self.plan.routes.iter().enumerate() {
            if self.is_left(at) || health.state(now, &route.key) != BreakerState::Closed {
                continue;
            }
            let until = self.tried.get(at).and_then(|tried| tried.not_before).unwrap_or(now).max(now);
            if first.is_none_or(|(other, _)| until < other) {
                first = Some((until, at));
            }
        }
        let Some((until, at)) = first.filter(|(until, _)| *until < self.deadline()) else { return false };
        if until == now {
            return self.launch(now, health, at, false);
        }
        if !health.take_retry(now) {
            return false;
        }
        self.stage = Stage::Waiting { until, route: at };
        self.mark(now, Event::Waiting, None, Some(at), &until.since(now).to_string());
        true
    }

    /// After a wait: the same route, if it may still be asked.
    pub(super) fn ask_again(&mut self, now: Instant, health: &mut Health, at: usize) {
        self.stage = Stage::Choosing;
        let Some(route) = self.plan.routes.get(at) else { return };
        let probe = match health.admit(now, &route.key) {
            Admission::Go => false,
            Admission::Probe => true,
            // Held by what it said to another call, or open: whichever else is left, or the same one, is chosen.
            Admission::Refused { .. } => return,
        };
        self.launch(now, health, at, probe);
    }

    pub(super) fn is_left(&self, at: usize) -> bool {
        self.tried.get(at).is_none_or(|tried| tried.left)
    }

    /// What a route's health is known by.
    pub(super) fn key(&self, at: usize) -> &str {
        self.plan.routes.get(at).map_or("", |route| &route.key)
    }

    /// Whether the route asked this call for more time.
    pub(super) fn is_held(&self, now: Instant, at: usize) -> bool {
        self.tried.get(at).and_then(|tried| tried.not_before).is_some_and(|until| now < until)
    }

    pub(super) fn leave(&mut self, at: usize) {
        if let Some(tried) = self.tried.get_mut(at) {
            tried.left = true;
        }
    }

    /// Whether another route than `at` could answer now.
    pub(super) fn has_alternative(&self, now: Instant, health: &Health, at: usize) -> bool {
        self.plan.routes.iter().enumerate().any(|(other, route)| {
            other != at
                && !self.is_left(other)
                && !self.is_held(now, other)
                && !matches!(health.look(now, &route.key), Admission::Refused { .. })
        })
    }

    pub(super) fn mark(
        &mut self,
        now: Instant,
        event: Event,
        attempt: Option<u32>,
        route: Option<usize>,
        detail: &str,
    ) {
        self.timeline.push(now.since(self.started), event, attempt, route, detail);
    }

    /// Makes the next attempt; false, and the route left, if it cannot be made there.
    pub(super) fn launch(&mut self, now: Instant, health: &mut Health, at: usize, probe: bool) -> bool {
        let Some(active) = self.prepare(now, health, at, probe) else { return false };
        if self.at != at {
            self.at = at;
            self.tell_fall_back(at);
        }
        if self.made > 1 && self.began && self.plan.forward {
            self.comment_timeline();
        }
        self.current = Some(active);
        self.stage = Stage::Running;
        true
    }

    pub(super) fn tell_fall_back(&mut self, at: usize) {
        let Some(route) = self.plan.routes.get(at) else { return };
        let why = self.last_error.map_or(ErrorKind::CircuitOpen.code(), ErrorKind::code);
        let detail = [&*route.source, " ", &*route.model, ": ", why].concat();
        self.notice(Notice::FellBack, &detail);
    }

    /// An attempt at a route, its request on its way.
    pub(super) fn prepare(&mut self, now: Instant, health: &mut Health, at: usize, probe: bool) -> Option<Box<Active>> {
        let ready = self.ready.take().filter(|(route, _)| *route == at && self.said.is_none());
        let job = match ready.map_or_else(|| self.job(at), |(_, job)| Ok(job)) {
            Ok(job) => job,
            Err(error) => {
                health.record(now, self.key(at), now, probe, Verdict::Neutral);
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
        options.think_tags = match (route.think_tags, job.by) {
            // What goes on with an answer does not begin in its thoughts.
            (ThinkTags::Open, Some(ContinueBy::Prefix | ContinueBy::Prefill)) => ThinkTags::Auto,
            (tags, _) => tags,
        };
        let may_go_on = self.plan.recovery.continuation.most > 0 && job.built.choices == 1 && job.built.stream;
        options.collect = !self.plan.forward || may_go_on;
        let splice = match (&self.said, job.by) {
            (Some(said), Some(by)) => Some(Splice::new(&said.text, by)),
            (Some(_), None) => Some(Splice::new("", ContinueBy::Prefix)),
            (None, _) => None,
        };
        let is_forwarded = self.plan.forward && splice.is_none() && !self.rewrites;
        let mut attempt = Attempt::new(now, self.started, budgets, options, &job.built, is_forwarded);
        if self.paused {
            attempt.pause(now);
        }
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
        Some(Box::new(Active {
            id,
            route: at,
            probe,
            sent: now,
            attempt,
            splice,
            seam_told: false,
            wake: now,
            prelude: Vec::new(),
        }))
    }
}
