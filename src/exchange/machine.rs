//! The machine itself: what happened goes in, what to do comes out. What a failure leads to is decided in `recovery`.

use super::attempt::{Attempt, Step};
use super::launch::Job;
use super::policy::{OnCancel, Recovery};
use super::retry::Random;
use super::rewrite;
use super::route::{Capabilities, Route};
use super::said::Said;
use super::splice::Splice;
use super::timeline::{Event, Timeline};
use super::{Health, Timing};
use crate::error::{Error, ErrorKind};
use crate::reply::{self, Cause, Deltas, End, FailureHead, Notice, Reply};
use crate::request::{Built, ContinueBy, Endpoint, Needs, Repair, Request, Target};
use crate::time::Instant;
use std::borrow::Cow;
use std::collections::VecDeque;

/// What is known before a call begins.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where the call may go, best first. At least one.
    pub routes: Vec<Route>,
    /// What is done about failures.
    pub recovery: Recovery,
    /// How long the whole call may take, waits and all attempts included, in milliseconds.
    pub total: u64,
    /// Whether the answer is handed on as bytes ([`Exchange::forward`]) instead of read as deltas.
    pub forward: bool,
    /// How the reply is read; `think_tags`, `choices` and `collect` are set for each attempt.
    pub reply: reply::Options,
}

/// A request to send.
#[derive(Debug)]
pub struct Sending {
    /// The attempt's number, from 0: what is told about it carries this number.
    pub attempt: u32,
    /// The place of its route in [`Plan::routes`].
    pub route: usize,
    /// What to send.
    pub request: Built,
}

/// What to do next.
#[derive(Debug)]
pub enum Action {
    /// Send this request, without following redirects.
    Send(Sending),
    /// The connection of an attempt broke, and the upstream keeps its stream ([`Exchange::handle_resumable`]): ask for the stream, and
    /// tell of the answer as of the attempt's own.
    Resume {
        /// The attempt's number.
        attempt: u32,
        /// For `Last-Event-ID`; empty: from the beginning.
        last_event: String,
    },
    /// Abort the attempt with this number, and where the upstream keeps its stream, the stream.
    Abort(u32),
    /// Get a new credential for this route, once for all calls that ask for it at the same time, then tell
    /// [`Exchange::handle_refreshed`].
    Refresh(usize),
    /// Nothing until then, unless something happens before. Replaces an earlier `Wait`.
    Wait(Instant),
    /// The call is over; [`Exchange::end`] says how. Comes once, last.
    Finish,
}

/// What the call as a whole is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The next poll picks a route and sends.
    Choosing,
    /// The same route is asked again then.
    Waiting {
        until: Instant,
        route: usize,
    },
    /// A new credential is awaited.
    Refreshing {
        route: usize,
    },
    /// At least one attempt is under way.
    Running,
    Over,
}

/// What this call knows of a route.
#[derive(Clone, Debug, Default)]
pub(super) struct Tried {
    pub(super) times: u32,
    /// Not asked again in this call.
    pub(super) left: bool,
    pub(super) refreshed: bool,
    /// It asked this call not to come back before then.
    pub(super) not_before: Option<Instant>,
    /// Found out by a refusal.
    pub(super) continue_by: Option<ContinueBy>,
    /// The request as this route takes it, found out by a refusal; another one may want what was changed.
    pub(super) repaired: Option<Box<Repair>>,
}

/// An attempt under way.
#[derive(Debug)]
pub(super) struct Active {
    pub(super) id: u32,
    pub(super) route: usize,
    pub(super) probe: bool,
    pub(super) sent: Instant,
    pub(super) attempt: Attempt,
    /// It goes on with what was said.
    pub(super) splice: Option<Splice>,
    /// How it was joined has been said.
    pub(super) seam_told: bool,
    pub(super) wake: Instant,
    /// Its bytes until its first token, while another attempt may still win.
    pub(super) prelude: Vec<u8>,
}

impl Active {
    pub(super) fn has_token(&self) -> bool {
        self.attempt.tokens() > 0
    }
}

/// One call. See the module's documentation for how to drive it.
#[derive(Debug)]
pub struct Exchange {
    pub(super) plan: Plan,
    pub(super) request: Request,
    pub(super) needs: Needs,
    pub(super) started: Instant,
    pub(super) random: Random,
    pub(super) stage: Stage,
    pub(super) current: Option<Box<Active>>,
    pub(super) rival: Option<Box<Active>>,
    /// The attempt that ended last: what is reported of the call is its status, times and trace id.
    pub(super) last: Option<Box<Active>>,
    pub(super) actions: VecDeque<Action>,
    pub(super) made: u32,
    pub(super) tried: Vec<Tried>,
    pub(super) begun: bool,
    /// Even the first attempt's chunks are written anew: its end may not be the answer's.
    pub(super) rewrites: bool,
    /// Of a stream that is written anew, the first chunk is.
    pub(super) wrote: bool,
    /// The first request, made when the call was.
    pub(super) ready: Option<(usize, Job)>,
    /// The route that was asked last, or is to be asked first.
    pub(super) at: usize,
    pub(super) hedged: bool,
    pub(super) continued: u32,
    pub(super) lengthened: u32,
    pub(super) said: Option<Said>,
    pub(super) spent: u64,
    /// Why the attempt before failed.
    pub(super) last_error: Option<ErrorKind>,
    /// How the call ends if nothing helps.
    pub(super) last_end: Option<End>,
    pub(super) drain: Option<Instant>,
    pub(super) cancelled: bool,
    pub(super) paused: bool,
    pub(super) end: Option<End>,
    pub(super) reply: Option<Reply>,
    pub(super) timing: Timing,
    pub(super) timeline: Timeline,
    pub(super) notices: Vec<(Notice, String)>,
    /// Deltas of the call's own that nobody has taken yet.
    pub(super) late: Deltas,
    pub(super) scratch: Deltas,
    wake: Option<Instant>,
    finished: bool,
    /// A stream's head has gone out to the caller, or may have.
    pub(super) began: bool,
    /// Bytes of the call's own, to be handed on before the next ones.
    pub(super) pending: Vec<u8>,
    pub(super) out: Vec<u8>,
    pub(super) tail: Vec<u8>,
}

impl Exchange {
    /// A call that begins at `now`. `seed` makes its waits differ from other calls': any number that differs from call to call.
    ///
    /// Errors: `invalid_request` if the request cannot be built for the first route that could take it, `not_supported` if no route can
    /// take what it needs (images, tools, its length), `misconfigured` for a plan without routes.
    pub fn new(now: Instant, seed: u64, plan: Plan, request: Request) -> Result<Self, Error> {
        // Only a route that lacks something asks.
        let asks = plan.routes.iter().any(|route| route.capabilities != Capabilities::default());
        let needs = if asks { request.needs() } else { Needs::default() };
        let tried = vec![Tried::default(); plan.routes.len()];
        let mut exchange = Exchange {
            needs,
            started: now,
            random: Random::new(seed),
            stage: Stage::Choosing,
            current: None,
            rival: None,
            last: None,
            actions: VecDeque::new(),
            made: 0,
            tried,
            begun: false,
            wrote: false,
            rewrites: plan.forward
                && plan.recovery.continuation.length > 0
                && request.is_stream()
                && request.can_be_continued(),
            ready: None,
            at: 0,
            hedged: false,
            continued: 0,
            lengthened: 0,
            said: None,
            spent: 0,
            last_error: None,
            last_end: None,
            drain: None,
            cancelled: false,
            paused: false,
            end: None,
            reply: None,
            timing: Timing { sent: Some(now), ..Timing::default() },
            timeline: Timeline::default(),
            notices: Vec::new(),
            late: Deltas::new(),
            scratch: Deltas::new(),
            wake: None,
            finished: false,
            began: false,
            pending: Vec::new(),
            out: Vec::new(),
            tail: Vec::new(),
            plan,
            request,
        };
        exchange.check_routes()?;
        Ok(exchange)
    }

    /// What to do next; `None` when there is nothing until something happens. Call it until then, after each thing told.
    pub fn poll(&mut self, now: Instant, health: &mut Health) -> Option<Action> {
        loop {
            if let Some(action) = self.actions.pop_front() {
                return Some(action);
            }
            match self.stage {
                Stage::Running => {
                    if let Some(until) = self.run(now, health) {
                        return self.wait(until);
                    }
                }
                Stage::Choosing => self.choose(now, health),
                Stage::Waiting { until, route } => {
                    if now < until {
                        return self.wait(until);
                    }
                    self.ask_again(now, health, route);
                }
                Stage::Refreshing { .. } => {
                    let until = self.deadline();
                    if now < until {
                        return self.wait(until);
                    }
                    self.run_out(now);
                }
                Stage::Over if self.finished => return None,
                Stage::Over => {
                    self.finished = true;
                    return Some(Action::Finish);
                }
            }
        }
    }

    fn wait(&mut self, until: Instant) -> Option<Action> {
        if self.wake == Some(until) {
            return None;
        }
        self.wake = Some(until);
        Some(Action::Wait(until))
    }

    pub(super) fn deadline(&self) -> Instant {
        self.started + self.plan.total
    }

    /// Lets the attempts under way have their turn: until when there is nothing to do, or `None` if that has to be seen anew.
    fn run(&mut self, now: Instant, health: &mut Health) -> Option<Instant> {
        let Some(active) = &mut self.current else {
            self.stage = Stage::Choosing;
            return None;
        };
        if let Some(most) = self.plan.recovery.tokens
            && self.spent.saturating_add(active.attempt.tokens()) >= most
        {
            active.attempt.stop(now, Cause::OverBudget);
        }
        while let Some(step) = active.attempt.poll(now) {
            match step {
                Step::Abort => self.actions.push_back(Action::Abort(active.id)),
                Step::Wait(until) => active.wake = until,
                Step::Rejoin if self.drain.is_some() => active.attempt.stop(now, Cause::Reset),
                Step::Rejoin => {
                    let last_event = active.attempt.rejoin(self.random.next()).to_owned();
                    self.actions.push_back(Action::Resume { attempt: active.id, last_event });
                }
                Step::Finish => {
                    self.settle(now, health);
                    return None;
                }
            }
        }
        let mut until = active.wake;
        if let Some(drain) = self.drain {
            if now >= drain {
                active.attempt.stop(now, Cause::Aborted);
                return None;
            }
            until = until.min(drain);
        }
        if self.plan.recovery.hedge.is_some() {
            let race = self.race(now, health)?;
            until = until.min(race);
        }
        self.actions.is_empty().then_some(until)
    }

    pub(super) fn active(&mut self, attempt: u32) -> Option<&mut Active> {
        self.current.iter_mut().chain(&mut self.rival).map(Box::as_mut).find(|active| active.id == attempt)
    }

    /// The response head of an attempt arrived.
    pub fn handle_head(&mut self, now: Instant, attempt: u32, head: &FailureHead<'_>) {
        let Some(active) = self.active(attempt) else { return };
        let is_again = active.attempt.is_rejoining();
        active.attempt.handle_head(now, head);
        let is_streaming = active.attempt.is_streaming();
        if is_again && is_streaming {
            let (route, last_event) = (active.route, active.attempt.last_event_id().to_owned());
            self.mark(now, Event::Resumed, Some(attempt), Some(route), &last_event);
            self.notice(Notice::Resumed, "the connection broke");
        }
        let begins = is_streaming && !self.began;
        self.began |= is_streaming;
        if begins && self.made > 1 && self.plan.forward {
            // What came before there was a stream to say it in.
            for (code, detail) in &self.notices {
                rewrite::comment("notice", code.code(), detail, &mut self.pending);
            }
            self.comment_timeline();
        }
    }

    /// What the call went through so far, as a comment in the stream that is handed on.
    pub(super) fn comment_timeline(&mut self) {
        rewrite::raw_comment(&["{\"timeline\":", &self.timeline_json(), "}"].concat(), &mut self.pending);
    }

    /// The upstream keeps an attempt's stream, whose head has been told: if the connection breaks, [`Action::Resume`] asks for the rest.
    pub fn handle_resumable(&mut self, attempt: u32) {
        if let Some(active) = self.active(attempt) {
            active.attempt.handle_resumable();
        }
    }

    /// Whether an attempt has no connection, or none that is of use: of a body whose head it did not take, nothing is to be told.
    pub fn is_apart(&mut self, attempt: u32) -> bool {
        self.active(attempt).is_some_and(|active| active.attempt.is_apart())
    }

    /// Bytes of an attempt's body arrived; deltas are appended to `out`.
    pub fn handle_bytes(&mut self, now: Instant, attempt: u32, bytes: &[u8], out: &mut Deltas) {
        self.take_late(out);
        self.tell(attempt, out, |attempt, out| attempt.handle_bytes(now, bytes, out));
    }

    /// The body of an attempt ended without an error.
    pub fn handle_end(&mut self, now: Instant, attempt: u32, out: &mut Deltas) {
        self.tell_end(attempt, out, |attempt, out| attempt.handle_end(now, out));
    }

    /// An attempt's request or its body failed: refused, reset, or not reachable.
    pub fn handle_error(&mut self, now: Instant, attempt: u32, out: &mut Deltas) {
        self.tell_end(attempt, out, |attempt, out| attempt.handle_error(now, out));
    }

    /// Tells an attempt how its body ended; where the answer is handed on, what it still says goes to the pending bytes.
    fn tell_end(&mut self, attempt: u32, out: &mut Deltas, tell: impl FnOnce(&mut Attempt, &mut Deltas)) {
        if self.plan.forward {
            return self.tell_written(attempt, tell);
        }
        self.take_late(out);
        self.tell(attempt, out, tell);
    }

    /// An attempt could not be sent, for a reason of the shell's own: a key that is missing, say. It has failed with that.
    pub fn handle_unsent(&mut self, now: Instant, attempt: u32, error: Error) {
        if let Some(active) = self.active(attempt) {
            active.attempt.stop(now, Cause::Failed(error));
        }
    }

    /// Tells an attempt something; what it says goes to `out`, joined to what was said before.
    pub(super) fn tell(&mut self, attempt: u32, out: &mut Deltas, tell: impl FnOnce(&mut Attempt, &mut Deltas)) {
        let active = self.current.iter_mut().chain(&mut self.rival).find(|active| active.id == attempt);
        let Some(active) = active else { return };
        if self.drain.is_some() {
            self.scratch.clear();
            tell(&mut active.attempt, &mut self.scratch);
            return;
        }
        match (&mut active.splice, &mut self.said) {
            (Some(splice), Some(said)) => {
                self.scratch.clear();
                tell(&mut active.attempt, &mut self.scratch);
                let had_text = !said.text.is_empty();
                let mut joined = Deltas::new();
                said.pass(splice, &self.scratch, &mut joined);
                if let Some(seam) = splice.seam()
                    && !active.seam_told
                    && had_text
                    && !joined.is_empty()
                {
                    // Before the text behind it: the reader marks the place.
                    active.seam_told = true;
                    out.push(reply::Delta::Notice { code: Notice::Continued, detail: seam.as_str() });
                    self.notices.push((Notice::Continued, seam.as_str().to_owned()));
                }
                joined.iter().for_each(|delta| out.push(delta));
            }
            _ => tell(&mut active.attempt, out),
        }
    }

    /// A new credential is there, or is not to be had.
    pub fn handle_refreshed(&mut self, now: Instant, is_new: bool) {
        let Stage::Refreshing { route } = self.stage else { return };
        if is_new {
            self.stage = Stage::Waiting { until: now, route };
        } else {
            self.leave(route);
            self.stage = Stage::Choosing;
        }
    }

    pub(super) fn is_chat(&self) -> bool {
        self.request.endpoint() == Endpoint::ChatCompletions
    }

    /// The caller is busy with what it got and reads nothing: until [`Exchange::resume`] only the total budget runs, since the
    /// upstream cannot be blamed for silence that nobody listens to.
    pub fn pause(&mut self, now: Instant) {
        self.paused = true;
        for active in self.current.iter_mut().chain(&mut self.rival) {
            active.attempt.pause(now);
        }
    }

    /// The caller reads on: the time of the pause is taken out of the silence. Without a pause before it does nothing.
    pub fn resume(&mut self, now: Instant) {
        self.paused = false;
        for active in self.current.iter_mut().chain(&mut self.rival) {
            active.attempt.resume(now);
        }
    }

    /// The request as a route gets it, and how it is built there.
    pub(super) fn asked<'a>(&'a self, at: usize, route: &'a Route) -> (&'a Request, Target<'a>) {
        let repair = self.tried.get(at).and_then(|tried| tried.repaired.as_deref());
        let target = Target {
            dialect: route.dialect,
            model: &route.model,
            replay: repair.and_then(|repair| repair.replay).or(route.replay),
            add_usage: route.add_usage,
        };
        (repair.map_or(&self.request, |repair| &repair.request), target)
    }

    /// The caller no longer wants the answer. Nothing is sent after this.
    pub fn cancel(&mut self, now: Instant) {
        if self.stage == Stage::Over || self.drain.is_some() {
            return;
        }
        self.cancelled = true;
        self.actions.retain(|action| !matches!(action, Action::Send(_) | Action::Resume { .. }));
        if let Some(rival) = self.rival.take() {
            self.actions.push_back(Action::Abort(rival.id));
        }
        if let (OnCancel::Drain(millis), Some(active)) = (self.plan.recovery.on_cancel, &self.current)
            && active.attempt.status() != 0
            && active.attempt.end().is_none()
            && self.request.is_stream()
        {
            self.drain = Some(now + millis);
            self.timeline.push(now.since(self.started), Event::Draining, Some(active.id), Some(active.route), "");
            return;
        }
        match &mut self.current {
            Some(active) => active.attempt.stop(now, Cause::Aborted),
            None => self.conclude(now, Cause::Aborted),
        }
    }

    /// Moves to `out` the deltas that came between two reads: notices, and what had been held back. To be asked for after each round of
    /// polls.
    pub fn take_late(&mut self, out: &mut Deltas) {
        if !self.late.is_empty() {
            self.late.iter().for_each(|delta| out.push(delta));
            self.late.clear();
        }
    }

    /// How the call ended; `None` while it has not.
    pub fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }

    /// What has been received, once the call has ended; partial if it ended early.
    pub fn reply(&self) -> Option<&Reply> {
        self.reply.as_ref()
    }

    pub(super) fn shown(&self) -> Option<&Active> {
        self.current.as_deref().or(self.last.as_deref())
    }

    /// The body of an answer that was not a stream, once the call has ended: as it came, or as an event stream of one chunk
    /// if it [was recast](Exchange::is_recast).
    pub fn body(&self) -> &[u8] {
        self.last.as_ref().map_or(&[], |active| active.attempt.body())
    }

    /// Whether an upstream answered a stream request whole, and the body is now the stream that was asked for.
    pub fn is_recast(&self) -> bool {
        self.last.as_ref().is_some_and(|active| active.attempt.is_recast())
    }

    /// The `content-type` with which the answer is handed on.
    pub fn content_type(&self) -> Cow<'static, str> {
        if self.is_streaming() || self.is_recast() {
            return "text/event-stream; charset=utf-8".into();
        }
        let media = self.shown().map(|active| active.attempt.media()).unwrap_or_default();
        reply::answer_type(self.request.endpoint(), &media)
    }

    /// The last event of a stream that broke with this error.
    pub fn error_event(&self, error: &Error) -> String {
        reply::error_event(self.request.endpoint(), error)
    }

    /// What is asked for.
    pub fn endpoint(&self) -> Endpoint {
        self.request.endpoint()
    }

    /// When things happened, in milliseconds since the call began.
    pub fn timing(&self) -> Timing {
        let now = self.shown().map(|active| *active.attempt.timing()).unwrap_or_default();
        Timing {
            sent: Some(self.started),
            head: self.timing.head.or(now.head),
            first_token: self.timing.first_token.or(now.first_token),
            first_text: self.timing.first_text.or(now.first_text),
            total: self.timing.total,
        }
    }

    /// Whether the caller gets an event stream: true from the first streaming response head on, whatever comes then.
    pub fn is_streaming(&self) -> bool {
        self.began
    }

    /// The upstream's id for the attempt that answers, or that failed last, if it sent one.
    pub fn trace_id(&self) -> Option<&str> {
        self.shown().and_then(|active| active.attempt.trace_id())
    }

    /// The status of the last response head; 0 before any.
    pub fn status(&self) -> u16 {
        self.shown().map_or(0, |active| active.attempt.status())
    }

    /// The route that answers, or was asked last.
    pub fn route(&self) -> Option<&Route> {
        self.shown().and_then(|active| self.plan.routes.get(active.route))
    }

    /// The number of the attempt that answers, or was made last.
    pub fn attempt(&self) -> Option<u32> {
        self.shown().map(|active| active.id)
    }

    /// The model that the caller asked for.
    pub fn asked_model(&self) -> &str {
        self.request.model().unwrap_or_default()
    }

    /// How many tokens were generated, over all attempts: by the upstreams' counts where they gave any, else events with content.
    pub fn spent(&self) -> u64 {
        self.spent
    }

    /// How many requests were made.
    pub fn attempts(&self) -> u32 {
        self.made
    }

    /// Where the call may go.
    pub fn routes(&self) -> &[Route] {
        &self.plan.routes
    }

    /// What the caller may want to know about the call, so far: notices of its own, without those of the reply.
    pub fn notices(&self) -> &[(Notice, String)] {
        &self.notices
    }

    /// What the call went through.
    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// [`Timeline::to_json`] with the routes' names.
    pub fn timeline_json(&self) -> String {
        self.timeline.to_json(|route| match self.plan.routes.get(route) {
            Some(route) => (&route.source, &route.model),
            None => ("", ""),
        })
    }

    /// Tells the caller something: as a delta, in the reply, and as a comment in a stream that is handed on.
    pub(super) fn notice(&mut self, code: Notice, detail: &str) {
        // A request is built for each route, and much changes alike; a connection may break many times.
        let is_known = |(known, text): &(Notice, String)| *known == code && text == detail;
        if matches!(code, Notice::RequestChanged | Notice::Resumed) && self.notices.iter().any(is_known) {
            return;
        }
        self.late.push(reply::Delta::Notice { code, detail });
        if self.began && self.plan.forward {
            rewrite::comment("notice", code.code(), detail, &mut self.pending);
        }
        self.notices.push((code, detail.to_owned()));
    }
}
