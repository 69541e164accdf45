//! One call as the loop in JavaScript sees it: it tells what happened and is told, in a few bits, what to do.

use crate::answer::Answers;
use crate::call::UNRESUMABLE;
use crate::guides::Guise;
use crate::limits::Charge;
use crate::live::Record;
use crate::meter::Entry;
use crate::sender::{Sender, Sending};
use crate::status::Running;
use crate::{gate, headers, health, js};
use sluicegate::config::{Cover, Resume};
use sluicegate::exchange::{Action, Exchange, Forwarded};
use sluicegate::reply::{Deltas, Notice};
use sluicegate::request::Endpoint;
use sluicegate::time::Instant;
use sluicegate::{Error, ErrorKind};
use std::collections::VecDeque;
use wasm_bindgen::prelude::*;
use web_sys::Response;

const REPLACED: u32 = 1;
const REARM: u32 = 2;
const OVER: u32 = 4;
const SEND: u32 = 8;
const ABORT: u32 = 16;

/// A call, held by JavaScript until it is over. `now` is `Date.now()`; attempts go by their numbers.
// Private: worker-build would publish it as an export of the Worker.
#[wasm_bindgen(private)]
pub struct Tap {
    exchange: Exchange,
    sender: Sender,
    answers: Answers,
    resume: Resume,
    /// What the latest response head said, and whose it was.
    answer: headers::Answer,
    answering: u32,
    /// The routes of the attempts, by their numbers.
    routes: Vec<usize>,
    /// Requests that JavaScript has not taken yet.
    waiting: VecDeque<Sending>,
    /// Attempts that JavaScript is still to abort.
    dropped: VecDeque<u32>,
    deltas: Deltas,
    replacement: Vec<u8>,
    deadline: Instant,
    /// What JavaScript's timer is set to.
    armed: Instant,
    entry: Entry,
    /// What gives back in the answer what was hidden in the request.
    cover: Option<Cover>,
    /// What is set aside of the caller's limits.
    charge: Option<Charge>,
    /// Counts as a call under way.
    _running: Running,
    /// What gives the answer a guide's shape, last of all.
    guise: Option<Guise>,
}

impl Tap {
    /// `entry` is the log line to finish when the call is over.
    pub(crate) fn new(
        exchange: Exchange,
        sender: Sender,
        answers: Answers,
        entry: Entry,
        resume: Resume,
        cover: Option<Cover>,
        charge: Option<Charge>,
        guise: Option<Guise>,
    ) -> Self {
        let never = Instant(u64::MAX);
        let running = Running::new(exchange.asked_model());
        Tap {
            exchange,
            sender,
            answers,
            resume,
            answer: headers::Answer::default(),
            answering: 0,
            routes: Vec::new(),
            waiting: VecDeque::new(),
            dropped: VecDeque::new(),
            deltas: Deltas::new(),
            replacement: Vec::new(),
            deadline: never,
            armed: never,
            entry,
            cover,
            charge,
            _running: running,
            guise,
        }
    }

    /// Asks the exchange what to do next until it has no more to say, and sums it up in bits.
    fn turn(&mut self, now: Instant) -> u32 {
        let mut flags = 0;
        while let Some(action) = gate::poll(&mut self.exchange, now) {
            match action {
                Action::Wait(until) => self.deadline = until,
                Action::Send(sending) => {
                    let (attempt, at) = (sending.attempt, sending.route);
                    self.routes.push(at);
                    let Some(route) = self.exchange.routes().get(at) else { continue };
                    match self.sender.complete(route, sending) {
                        Ok(sending) => {
                            self.waiting.push_back(sending);
                            flags |= SEND;
                        }
                        Err(error) => self.exchange.handle_unsent(now, attempt, error),
                    }
                }
                Action::Abort(attempt) => {
                    self.dropped.push_back(attempt);
                    flags |= ABORT;
                }
                // The gate's keys are what they are.
                // The Worker's own upstreams keep no streams.
                Action::Resume { .. } => {}
                Action::Refresh(_) => self.exchange.handle_refreshed(now, false),
                Action::Finish => flags |= OVER,
            }
        }
        health::share(&self.sender.env, now);
        if let Some(charge) = &mut self.charge {
            charge.tend(now.0 as f64);
        }
        if self.deadline < self.armed {
            flags |= REARM;
        }
        flags
    }

    /// The name of the upstream whose head is answered, or that was asked last.
    fn upstream(&self) -> Option<&str> {
        let answering = self.exchange.is_streaming().then(|| {
            let at = *self.routes.get(self.answering as usize)?;
            self.exchange.routes().get(at)
        });
        answering.flatten().or_else(|| self.exchange.route()).map(|route| route.source.as_str())
    }

    /// Takes over what the exchange has to tell, as codes: details are for the log and for the reader of the stream.
    fn gather_notices(&mut self) {
        let of_reply = self.exchange.reply().map_or(&[][..], |reply| &reply.notices);
        for (notice, detail) in self.exchange.notices().iter().chain(of_reply) {
            let field = detail.split_once(": ").map_or(detail.as_str(), |(field, _)| field);
            let code = match notice {
                Notice::RequestChanged => [notice.code(), ":", field].concat(),
                _ => notice.code().to_owned(),
            };
            if !self.answers.notices.contains(&code) {
                self.answers.notices.push(code);
            }
        }
    }

    /// The last bytes of a stream in the guide's shape, if it has one.
    fn last_shaped(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        let Some(guise) = &mut self.guise else { return bytes };
        let mut out = Vec::with_capacity(bytes.len());
        guise.face.push(&bytes, &mut out);
        guise.face.finish(&mut out);
        out
    }

    fn refusal(&self) -> Result<Response, JsValue> {
        let internal = || Error::new(ErrorKind::Internal, "The call ended without an answer and without an error.");
        let error = self.exchange.end().and_then(|end| end.error.clone()).unwrap_or_else(internal);
        let error = self.cover.as_ref().map_or_else(|| error.clone(), |cover| cover.redaction().clean(&error));
        let error = self.guise.as_ref().map_or_else(|| error.clone(), |guise| guise.named.named(error.clone()));
        let attempts = self.exchange.attempts().to_string();
        let mut extra = vec![("x-sluicegate-attempts", attempts.as_str())];
        extra.extend(self.upstream().map(|name| ("x-sluicegate-upstream", name)));
        extra.extend(self.exchange.trace_id().map(|id| ("x-upstream-trace-id", id)));
        self.answers.error(&error, &extra)
    }
}

#[wasm_bindgen]
impl Tap {
    /// The next request that is to be sent, as [`js::request`] makes it; `null` if there is none.
    pub fn next(&mut self) -> JsValue {
        self.waiting.pop_front().map_or(JsValue::NULL, |sending| {
            js::request(sending.attempt, &sending.url, sending.headers.as_str(), &sending.body)
        })
    }

    /// Whose the call is, where the gate knows its callers: with another token of the same key they are the same.
    pub fn key(&self) -> Option<String> {
        self.entry.caller.clone()
    }

    /// An empty log for the stream.
    pub fn record(&self) -> Record {
        Record::new(self.resume)
    }

    /// The stream cannot be resumed, which its caller is told.
    pub fn unresumable(&mut self) {
        self.answers.notices.push(UNRESUMABLE.to_owned());
    }

    /// The next attempt that is to be aborted; -1 if there is none.
    pub fn dropped(&mut self) -> i32 {
        self.dropped.pop_front().map_or(-1, |attempt| attempt as i32)
    }

    /// The response head of an attempt arrived; headers as one text.
    pub fn head(&mut self, now: f64, attempt: u32, status: u16, text: &str) -> u32 {
        self.answer = headers::Answer::read(status, text);
        self.answering = attempt;
        let now = instant(now);
        self.exchange.handle_head(now, attempt, &self.answer.head(now.0));
        let route = self.routes.get(attempt as usize).and_then(|at| self.exchange.routes().get(*at));
        if let (Some(guise), Some(route)) = (&mut self.guise, route) {
            guise.face.read_think_tags(route.think_tags);
            if self.exchange.routes().first().is_some_and(|first| first.model != route.model) {
                guise.face.answered_by(&route.model);
            }
        }
        if self.exchange.is_streaming() {
            self.entry.handed_on();
        }
        self.turn(now)
    }

    /// The response to the caller: with the answer's bytes or stream, or, for `null`, the error for which there is neither.
    pub fn respond(&mut self, now: f64, body: &JsValue) -> Result<Response, JsValue> {
        self.gather_notices();
        if body.is_null() {
            return self.refusal();
        }
        let is_stream = self.exchange.is_streaming() || self.exchange.is_recast();
        let mut headers = self.answers.headers(Some(&self.exchange.content_type()));
        headers.add("x-sluicegate-upstream", self.upstream().unwrap_or_default());
        headers.add("x-sluicegate-attempts", &self.exchange.attempts().to_string());
        if let Some(stream) = self.answers.stream.as_deref().filter(|_| self.exchange.is_streaming()) {
            headers.add("x-sluicegate-stream", stream);
        }
        // What an upstream says of its account is no business of somebody who has limits here.
        if self.answers.limits.is_none() {
            headers.append(&self.answer.shown);
        }
        if let Some(id) = self.answer.trace_id() {
            headers.add("x-upstream-trace-id", id);
        }
        let total = (!is_stream).then(|| (now - self.entry.started).max(0.0) as u64);
        headers::server_timing(
            &mut headers,
            self.answers.redact,
            self.exchange.timing(),
            total,
            self.exchange.attempts(),
        );
        self.answers.send(200, &headers, body)
    }

    /// Whether the answer is to be handed on chunk by chunk.
    #[wasm_bindgen(js_name = isStreaming)]
    pub fn is_streaming(&self) -> bool {
        self.exchange.is_streaming()
    }

    /// What there is to hand on when the call is over: nothing but an error (0), the bytes that came (1), [`Tap::recast`] (2), or what
    /// [`Tap::uncover`] makes of the bytes that came (3).
    pub fn verdict(&self) -> u32 {
        match self.exchange.end() {
            Some(end) if end.error.is_none() => match self.exchange.is_recast() {
                true => 2,
                false if self.changes_answer() => 3,
                false => 1,
            },
            _ => 0,
        }
    }

    fn changes_answer(&self) -> bool {
        // Sound holds no text.
        let is_text = self.exchange.endpoint() != Endpoint::Speech;
        self.guise.is_some() || is_text && self.cover.as_ref().is_some_and(Cover::changes_answer)
    }

    /// A whole answer as the stream that was asked for.
    pub fn recast(&mut self) -> Vec<u8> {
        let bytes = self.exchange.body();
        let mut out = Vec::with_capacity(bytes.len());
        match self.cover.as_mut().filter(|cover| cover.changes_answer()) {
            Some(cover) => {
                cover.push(bytes, &mut out);
                cover.finish(&mut out);
            }
            None => out.extend_from_slice(bytes),
        }
        self.last_shaped(out)
    }

    /// A whole answer with what was hidden given back.
    pub fn uncover(&mut self, body: Vec<u8>) -> Vec<u8> {
        let body = match &mut self.cover {
            Some(cover) => cover.whole(&body),
            None => body,
        };
        match &mut self.guise {
            Some(guise) => guise.face.whole(&body),
            None => body,
        }
    }

    /// The caller has read nothing between these times: the upstream is not to blame for its silence then.
    pub fn stalled(&mut self, since: f64, now: f64) {
        self.exchange.pause(instant(since));
        self.exchange.resume(instant(now));
    }

    /// A chunk of an attempt's stream arrived: without [`REPLACED`] it is to be handed on as it is.
    pub fn forward(&mut self, now: f64, attempt: u32, chunk: &[u8]) -> u32 {
        let now = instant(now);
        let mut flags = 0;
        let forwarded = self.exchange.forward(now, attempt, chunk);
        let cover = self.cover.as_mut().filter(|cover| cover.changes_answer());
        if let Some(cover) = cover {
            let bytes = match forwarded {
                Forwarded::Pass => chunk,
                Forwarded::Bytes(bytes) => bytes,
            };
            self.replacement.clear();
            cover.push(bytes, &mut self.replacement);
            flags = REPLACED;
        } else if let Forwarded::Bytes(bytes) = forwarded {
            self.replacement.clear();
            self.replacement.extend_from_slice(bytes);
            flags = REPLACED;
        }
        if let Some(guise) = &mut self.guise {
            let plain = core::mem::take(&mut self.replacement);
            guise.face.push(if flags == REPLACED { &plain } else { chunk }, &mut self.replacement);
            flags = REPLACED;
        }
        flags | self.turn(now)
    }

    /// What to hand on in place of the last chunk.
    pub fn replacement(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.replacement)
    }

    /// A chunk of a whole answer or of a failure arrived.
    pub fn bytes(&mut self, now: f64, attempt: u32, chunk: &[u8]) -> u32 {
        self.tell(now, |exchange, now, deltas| exchange.handle_bytes(now, attempt, chunk, deltas))
    }

    /// An attempt's body ended.
    pub fn end(&mut self, now: f64, attempt: u32) -> u32 {
        self.tell(now, |exchange, now, deltas| exchange.handle_end(now, attempt, deltas))
    }

    /// An attempt's request or its body failed.
    pub fn fail(&mut self, now: f64, attempt: u32) -> u32 {
        self.tell(now, |exchange, now, deltas| exchange.handle_error(now, attempt, deltas))
    }

    /// The caller has left.
    pub fn cancel(&mut self, now: f64) -> u32 {
        self.tell(now, |exchange, now, _| exchange.cancel(now))
    }

    /// The call begins, or the timer fired.
    pub fn expire(&mut self, now: f64) -> u32 {
        self.tell(now, |_, _, _| {})
    }

    fn tell(&mut self, now: f64, tell: impl FnOnce(&mut Exchange, Instant, &mut Deltas)) -> u32 {
        let now = instant(now);
        // What is read of the answer goes out as bytes.
        self.deltas.clear();
        tell(&mut self.exchange, now, &mut self.deltas);
        self.turn(now)
    }

    /// When to call [`Tap::expire`]; asking counts as having set the timer.
    pub fn deadline(&mut self) -> f64 {
        self.armed = self.deadline;
        self.deadline.0 as f64
    }

    /// What a stream still owes to its reader when it is over.
    pub fn tail(&mut self) -> Vec<u8> {
        let mut tail = self.exchange.forward_tail();
        let Some(cover) = &mut self.cover else { return self.last_shaped(tail) };
        if let Some(error) = self.exchange.end().and_then(|end| end.error.as_ref()) {
            // The error is the last that a stream says.
            let event = |error: &Error| self.exchange.error_event(error);
            if let Some(rest) = tail.len().checked_sub(event(error).len()).filter(|_| error.vendor().is_some()) {
                tail.truncate(rest);
                tail.extend_from_slice(event(&cover.redaction().clean(error)).as_bytes());
            }
        }
        let mut out = Vec::with_capacity(tail.len());
        cover.push(&tail, &mut out);
        cover.finish(&mut out);
        self.last_shaped(out)
    }

    /// The call is over: writes its log line. The tap is gone afterwards.
    pub fn finish(mut self) {
        self.entry.close(&self.exchange);
        if let Some(charge) = self.charge.take() {
            charge.settle(&self.exchange);
        }
        if let Some(cover) = &self.cover {
            self.entry.uncovered(cover);
        }
        self.entry.write();
    }
}

fn instant(now: f64) -> Instant {
    Instant(now as u64)
}
