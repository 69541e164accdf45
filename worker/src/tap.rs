//! One call as the loop in JavaScript sees it: it tells what happened and is told, in a few bits, what to do.

use crate::answer::{Answers, JSON};
use crate::call::UNRESUMABLE;
use crate::headers::{self, Headers};
use crate::live::Record;
use crate::meter::Entry;
use sluicegate::config::Resume;
use sluicegate::exchange::{Action, Exchange, Forwarded};
use sluicegate::reply::{Deltas, End, Usage};
use sluicegate::time::Instant;
use sluicegate::{Error, ErrorKind};
use wasm_bindgen::prelude::*;
use web_sys::Response;

const REPLACED: u32 = 1;
const REARM: u32 = 2;
const OVER: u32 = 4;

/// A request to an upstream, ready to go.
pub(crate) struct Sending {
    pub(crate) url: String,
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
    pub(crate) upstream: String,
}

/// A call that was made, held by JavaScript until it is over. `now` is `Date.now()`.
// Private: worker-build would publish it as an export of the Worker.
#[wasm_bindgen(private)]
pub struct Tap {
    exchange: Exchange,
    sending: Sending,
    answers: Answers,
    resume: Resume,
    /// What the answer's head said that the caller may see.
    answer: headers::Answer,
    deltas: Deltas,
    replacement: Vec<u8>,
    deadline: Instant,
    /// What JavaScript's timer is set to.
    armed: Instant,
    entry: Entry,
}

impl Tap {
    /// `entry` is the log line to finish when the call is over.
    pub(crate) fn new(
        now: f64,
        exchange: Exchange,
        sending: Sending,
        answers: Answers,
        entry: Entry,
        resume: Resume,
    ) -> Self {
        let never = Instant(u64::MAX);
        let mut tap = Tap {
            exchange,
            sending,
            answers,
            resume,
            answer: headers::Answer::default(),
            deltas: Deltas::new(),
            replacement: Vec::new(),
            deadline: never,
            armed: never,
            entry,
        };
        tap.turn(instant(now));
        tap
    }

    /// Asks the exchange what to do next until it has no more to say, and sums it up in bits.
    fn turn(&mut self, now: Instant) -> u32 {
        let mut flags = 0;
        while let Some(action) = self.exchange.poll(now) {
            match action {
                Action::Wait(until) => self.deadline = until,
                Action::Abort | Action::Finish => flags |= OVER,
                // Taken before the loop starts.
                Action::Send(_) => {}
            }
        }
        if self.deadline < self.armed {
            flags |= REARM;
        }
        flags
    }

    fn end_of_call(&self) -> Option<&End> {
        self.exchange.end()
    }

    fn usage(&self) -> Option<Usage> {
        self.exchange.reply().and_then(|reply| reply.usage.clone())
    }

    fn refusal(&self) -> Result<Response, JsValue> {
        let internal = || Error::new(ErrorKind::Internal, "The call ended without an answer and without an error.");
        let error = self.end_of_call().and_then(|end| end.error.clone()).unwrap_or_else(internal);
        let mut extra = vec![("x-sluicegate-upstream", self.sending.upstream.as_str())];
        if let Some(id) = self.answer.trace_id() {
            extra.push(("x-upstream-trace-id", id));
        }
        self.answers.error(&error, &extra)
    }
}

#[wasm_bindgen]
impl Tap {
    /// Where the request goes.
    pub fn url(&self) -> String {
        self.sending.url.clone()
    }

    /// Its headers as one text.
    pub fn headers(&self) -> String {
        self.sending.headers.as_str().to_owned()
    }

    /// Its body, which is gone from here afterwards.
    pub fn body(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.sending.body)
    }

    /// An empty log for the stream.
    pub fn record(&self) -> Record {
        Record::new(self.resume)
    }

    /// The stream cannot be resumed, which its caller is told.
    pub fn unresumable(&mut self) {
        self.answers.notices.push(UNRESUMABLE.to_owned());
    }

    /// The response head arrived; headers as one text.
    pub fn head(&mut self, now: f64, status: u16, text: &str) -> u32 {
        self.answer = headers::Answer::read(status, text);
        let now = instant(now);
        self.exchange.handle_head(now, &self.answer.head(now.0));
        if self.exchange.is_streaming() {
            self.entry.handed_on();
        }
        self.turn(now)
    }

    /// The response to the caller: with the answer's bytes or stream, or, for `null`, the error for which there is neither.
    pub fn respond(&self, now: f64, body: &JsValue) -> Result<Response, JsValue> {
        if body.is_null() {
            return self.refusal();
        }
        let is_stream = self.exchange.is_streaming() || self.exchange.is_recast();
        let mut headers = self.answers.headers(Some(if is_stream { "text/event-stream; charset=utf-8" } else { JSON }));
        headers.add("x-sluicegate-upstream", &self.sending.upstream);
        if let Some(stream) = self.answers.stream.as_deref().filter(|_| self.exchange.is_streaming()) {
            headers.add("x-sluicegate-stream", stream);
        }
        headers.append(&self.answer.shown);
        if let Some(id) = self.answer.trace_id() {
            headers.add("x-upstream-trace-id", id);
        }
        let total = (!is_stream).then(|| (now - self.entry.started).max(0.0) as u64);
        headers::server_timing(&mut headers, self.exchange.timing(), total);
        self.answers.send(200, &headers, body)
    }

    /// Whether the answer is to be handed on chunk by chunk.
    #[wasm_bindgen(js_name = isStreaming)]
    pub fn is_streaming(&self) -> bool {
        self.exchange.is_streaming()
    }

    /// What there is to hand on when the call is over: nothing but an error (0), the bytes that came (1), or
    /// [`Tap::recast`] (2).
    pub fn verdict(&self) -> u32 {
        match self.end_of_call() {
            Some(end) if end.error.is_none() => 1 + u32::from(self.exchange.is_recast()),
            _ => 0,
        }
    }

    /// A whole answer as the stream that was asked for.
    pub fn recast(&self) -> Vec<u8> {
        self.exchange.body().to_vec()
    }

    /// The caller has read nothing between these times: the upstream is not to blame for its silence then.
    pub fn stalled(&mut self, since: f64, now: f64) {
        self.exchange.pause(instant(since));
        self.exchange.resume(instant(now));
    }

    /// A chunk of a stream arrived: 0 says to hand it on as it is.
    pub fn forward(&mut self, now: f64, chunk: &[u8]) -> u32 {
        let now = instant(now);
        let mut flags = 0;
        if let Forwarded::Bytes(bytes) = self.exchange.forward(now, chunk) {
            self.replacement.clear();
            self.replacement.extend_from_slice(bytes);
            flags = REPLACED;
        }
        flags | self.turn(now)
    }

    /// What to hand on in place of the last chunk.
    pub fn replacement(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.replacement)
    }

    /// A chunk of a whole answer or of a failure arrived.
    pub fn bytes(&mut self, now: f64, chunk: &[u8]) -> u32 {
        let now = instant(now);
        self.exchange.handle_bytes(now, chunk, &mut self.deltas);
        self.turn(now)
    }

    /// The body ended.
    pub fn end(&mut self, now: f64) -> u32 {
        self.tell(now, |exchange, now, deltas| exchange.handle_end(now, deltas))
    }

    /// The request or its body failed.
    pub fn fail(&mut self, now: f64) -> u32 {
        self.tell(now, |exchange, now, deltas| exchange.handle_error(now, deltas))
    }

    /// The caller has left.
    pub fn cancel(&mut self, now: f64) -> u32 {
        self.tell(now, |exchange, now, _| exchange.cancel(now))
    }

    /// The timer fired.
    pub fn expire(&mut self, now: f64) -> u32 {
        self.tell(now, |_, _, _| {})
    }

    fn tell(&mut self, now: f64, tell: impl FnOnce(&mut Exchange, Instant, &mut Deltas)) -> u32 {
        let now = instant(now);
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
        self.exchange.forward_tail()
    }

    /// The call is over: writes its log line. The tap is gone afterwards.
    pub fn finish(mut self) {
        let usage = self.usage();
        self.entry.close(self.exchange.end(), usage, self.exchange.timing());
        self.entry.write();
    }
}

fn instant(now: f64) -> Instant {
    Instant(now as u64)
}
