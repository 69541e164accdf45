//! One request and its answer: see the second table in the module's documentation.
//!
//! It knows nothing of routes, retries or other attempts.

use super::budget::Marks;
use super::forward::{Forward, Forwarded};
use super::head::{KeptHead, media};
use super::resume::Link;
use super::{Budgets, Timing, recast};
use crate::error::{Error, ErrorKind};
use crate::limits::Limits;
use crate::reply::{
    self, Budget, Cause, Delta, Deltas, End, FailureHead, Progress, Reader, Reply, read_body, read_opaque,
};
use crate::request::{Built, Endpoint};
use crate::time::Instant;

/// How long after `[DONE]` the end of the body is waited for, in milliseconds: it usually comes in the same
/// packet, and waiting for it lets the connection be used again; a server that keeps it open is cut off.
const LINGER: u64 = 250;

/// How long after its head a failure's body is waited for, in milliseconds: the head says most of it already.
const FAILURE_WAIT: u64 = 5_000;

/// The bound of a failure's body, in bytes: what follows cannot change what the failure is, and is not waited for.
const FAILURE_BODY: usize = 64 << 10;

/// What an attempt does next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Abort the request that is under way.
    Abort,
    /// Nothing until then, unless something happens before. Replaces an earlier `Wait`.
    Wait(Instant),
    /// Ask for the stream again: [`Attempt::rejoin`].
    Rejoin,
    /// The attempt is over; [`Attempt::end`] says how. Comes once, last.
    Finish,
}

#[derive(Debug)]
enum State {
    HeadAwaited,
    Streaming,
    /// The connection broke, and the stream is to be asked for again then.
    Apart(Instant),
    /// The stream has been asked for again, and the response head is awaited.
    Rejoining,
    Lingering(Instant),
    Body(Vec<u8>),
    FailureBody(Vec<u8>),
    Ended,
}

/// One request and its answer.
#[derive(Debug)]
pub(super) struct Attempt {
    budgets: Budgets,
    options: reply::Options,
    limits: Limits,
    stream: bool,
    is_chat: bool,
    is_forwarded: bool,
    state: State,
    /// The upstream keeps the stream.
    link: Option<Link>,
    reader: Option<Reader>,
    forward: Forward,
    head: KeptHead,
    marks: Marks,
    timing: Timing,
    reply: Option<Reply>,
    body: Vec<u8>,
    recast: bool,
    end: Option<End>,
    abort: bool,
    finish: bool,
    paused: Option<Instant>,
    waiting: Option<Instant>,
    late: Deltas,
}

impl Attempt {
    /// An attempt that is sent at `now`, in a call that began at `started`: that is what its times are counted from. With `is_forwarded`
    /// a whole answer to a stream request becomes bytes of a stream, else deltas.
    pub(super) fn new(
        now: Instant,
        started: Instant,
        budgets: Budgets,
        mut options: reply::Options,
        request: &Built,
        is_forwarded: bool,
    ) -> Self {
        options.choices = request.choices;
        options.endpoint = request.endpoint;
        let limits = options.limits;
        Attempt {
            stream: request.stream,
            is_forwarded,
            is_chat: request.endpoint == Endpoint::ChatCompletions,
            limits,
            reader: Some(Reader::new(options)),
            forward: Forward::new(request.endpoint, request.usage_added, limits.event),
            head: KeptHead::default(),
            marks: Marks::new(now),
            timing: Timing { sent: Some(started), ..Timing::default() },
            state: State::HeadAwaited,
            link: None,
            budgets,
            options,
            reply: None,
            body: Vec::new(),
            recast: false,
            end: None,
            abort: false,
            finish: false,
            paused: None,
            waiting: None,
            late: Deltas::new(),
        }
    }

    /// What to do next; `None` when there is nothing until something happens. Call it until then.
    pub(super) fn poll(&mut self, now: Instant) -> Option<Step> {
        if !matches!(self.state, State::Ended) {
            let (mut until, budget) = self.deadline();
            if let State::Apart(due) = self.state
                && now < until
            {
                if now >= due {
                    return Some(Step::Rejoin);
                }
                until = until.min(due);
            }
            if now < until {
                if self.waiting == Some(until) {
                    return None;
                }
                self.waiting = Some(until);
                return Some(Step::Wait(until));
            }
            if budget == Budget::Rate && self.marks.is_fast_enough(&self.budgets) {
                return self.poll(now);
            }
            self.abort = true;
            match (&self.state, budget) {
                (State::Lingering(_), _) => self.state = State::Ended,
                (State::FailureBody(body), _) => {
                    let error = self.head.classify(body);
                    self.conclude_late(now, Cause::Failed(error));
                }
                (_, budget) => self.conclude_late(now, Cause::TimedOut(budget)),
            }
        }
        if core::mem::take(&mut self.abort) {
            return Some(Step::Abort);
        }
        if self.finish {
            return None;
        }
        self.finish = true;
        Some(Step::Finish)
    }

    fn deadline(&self) -> (Instant, Budget) {
        match self.state {
            State::Lingering(until) => (until, Budget::Total),
            State::FailureBody(_) => (self.marks.head.unwrap_or(self.marks.sent) + FAILURE_WAIT, Budget::Total),
            _ if self.paused.is_some() => (self.marks.sent + self.budgets.total, Budget::Total),
            _ => self.budgets.next(self.stream, &self.marks),
        }
    }

    /// The response head arrived.
    pub(super) fn handle_head(&mut self, now: Instant, head: &FailureHead<'_>) {
        let media = media(head.content_type);
        let is_html = matches!(&*media, "text/html" | "application/xhtml+xml");
        // A stream that some proxy has relabelled (text/plain, octet-stream) still reads as one; JSON and HTML do not, nor does what may be
        // asked for as sound or as text.
        let is_free =
            matches!(self.options.endpoint, Endpoint::Speech | Endpoint::Transcriptions | Endpoint::Translations);
        let is_whole = media.ends_with("json") || is_html || is_free && media != "text/event-stream";
        match self.state {
            State::HeadAwaited => {}
            State::Rejoining => return self.handle_head_again(now, head.status, is_whole),
            _ => return,
        }
        self.marks.head = Some(now);
        self.marks.byte = now;
        self.timing.head = Some(self.timing.elapsed(now));
        self.head = KeptHead::new(head);
        self.state = match head.status {
            200..=299 if self.stream && !is_whole => State::Streaming,
            200..=299 if !is_html => State::Body(Vec::new()),
            _ => State::FailureBody(Vec::new()),
        };
    }

    /// The upstream keeps the stream: it can be asked for again.
    pub(super) fn handle_resumable(&mut self) {
        if self.is_streaming() {
            self.link = Some(Link::default());
        }
    }

    fn handle_head_again(&mut self, now: Instant, status: u16, is_whole: bool) {
        match status {
            200 if !is_whole => {
                self.marks.byte = now;
                self.state = State::Streaming;
            }
            408 | 429 => self.part_late(now),
            // It is gone, or over behind the last event that was read.
            204 | 400..=499 => self.stop(now, Cause::Reset),
            // Something on the way: it may pass, and a login page of the network is none of ours.
            _ => self.part_late(now),
        }
    }

    fn part_late(&mut self, now: Instant) {
        if !self.part(now) {
            self.stop(now, Cause::Reset);
        }
    }

    /// The connection broke: whether the stream will be asked for again.
    fn part(&mut self, now: Instant) -> bool {
        let (State::Streaming | State::Rejoining, Some(link), Some(reader)) =
            (&self.state, &mut self.link, &mut self.reader)
        else {
            return false;
        };
        let tokens = self.marks.tokens;
        // What has no number would come twice.
        let is_numbered = tokens == 0 || !reader.decoder.last_event_id().is_empty();
        match link.broke(tokens).filter(|_| is_numbered && self.forward.restart()) {
            Some(wait) => {
                reader.decoder.restart();
                self.state = State::Apart(now + wait);
                true
            }
            None => {
                // The upstream would keep it for nobody.
                self.abort = true;
                false
            }
        }
    }

    /// The stream is asked for again: from behind the event with this id, or from its beginning if that is empty.
    pub(super) fn rejoin(&mut self, random: u64) -> &str {
        self.state = State::Rejoining;
        if let Some(link) = &mut self.link {
            link.tried(random);
        }
        self.last_event_id()
    }

    /// The id of the last event that was read whole.
    pub(super) fn last_event_id(&self) -> &str {
        self.reader.as_ref().map_or("", |reader| reader.decoder.last_event_id())
    }

    /// Whether the connection broke, and nothing was done about it yet.
    pub(super) fn is_apart(&self) -> bool {
        matches!(self.state, State::Apart(_))
    }

    /// Whether the stream has been asked for again, and has not answered.
    pub(super) fn is_rejoining(&self) -> bool {
        matches!(self.state, State::Rejoining)
    }

    /// Bytes of the body arrived; deltas are appended to `out`.
    pub(super) fn handle_bytes(&mut self, now: Instant, bytes: &[u8], out: &mut Deltas) {
        self.marks.byte = now;
        match &mut self.state {
            State::Streaming => self.read_stream(now, bytes, out),
            State::Body(_) | State::FailureBody(_) => self.collect(now, bytes, out),
            _ => {}
        }
    }

    fn read_stream(&mut self, now: Instant, bytes: &[u8], out: &mut Deltas) {
        let Some(reader) = &mut self.reader else { return };
        let before = out.len();
        let mut progress = Progress::default();
        let read = reader.feed_counted(bytes, out, &mut progress);
        self.mark_tokens(now, out, before);
        self.marks.progress(now, progress.tokens);
        match read {
            Ok(()) if progress.done => {
                self.state = State::Lingering(now + LINGER);
                self.settle(now, Cause::Done, out);
            }
            Ok(()) => {}
            Err(error) => {
                self.abort = true;
                self.conclude(now, Cause::Failed(error), out);
            }
        }
    }

    fn mark_tokens(&mut self, now: Instant, out: &Deltas, before: usize) {
        if self.timing.first_text.is_some() {
            return;
        }
        for delta in out.iter().skip(before) {
            let is_text = matches!(delta, Delta::Text { .. } | Delta::Refusal { .. } | Delta::ToolCall { .. });
            if is_text || matches!(delta, Delta::Reasoning { .. }) {
                let elapsed = self.timing.elapsed(now);
                self.timing.first_token.get_or_insert(elapsed);
                if is_text {
                    self.timing.first_text = Some(elapsed);
                    return;
                }
            }
        }
    }

    fn collect(&mut self, now: Instant, bytes: &[u8], out: &mut Deltas) {
        match &mut self.state {
            State::FailureBody(body) => {
                let room = FAILURE_BODY.saturating_sub(body.len());
                body.extend_from_slice(bytes.get(..room.min(bytes.len())).unwrap_or_default());
                if body.len() >= FAILURE_BODY {
                    let error = self.head.classify(body);
                    self.abort = true;
                    self.conclude(now, Cause::Failed(error), out);
                }
            }
            State::Body(body) if body.len() + bytes.len() <= self.limits.reply_body => body.extend_from_slice(bytes),
            State::Body(_) => {
                self.abort = true;
                let error = Error::new(ErrorKind::ReplyTooLarge, "The reply's body is over the size limit.");
                self.conclude(now, Cause::Failed(error), out);
            }
            _ => {}
        }
    }

    /// Bytes of a stream arrived that are to be handed on: what to hand on for them. Only
    /// while [`Attempt::is_streaming`]; everything else goes through [`Attempt::handle_bytes`].
    pub(super) fn forward(&mut self, now: Instant, chunk: &[u8]) -> Forwarded<'_> {
        self.marks.byte = now;
        let (State::Streaming, Some(reader)) = (&self.state, &mut self.reader) else {
            return self.forward.nothing();
        };
        let seen = self.forward.read(reader, chunk);
        if seen.tokens > 0 {
            self.marks.progress(now, seen.tokens);
            let elapsed = self.timing.elapsed(now);
            self.timing.first_token.get_or_insert(elapsed);
        }
        if let Some(error) = seen.failed {
            self.abort = true;
            self.conclude(now, Cause::Failed(error), &mut Deltas::new());
        } else if seen.done {
            self.state = State::Lingering(now + LINGER);
            self.settle(now, Cause::Done, &mut Deltas::new());
            if self.end.as_ref().is_some_and(|end| end.error.is_none()) {
                self.forward.accept_done();
            }
            self.forward.finish(self.end.as_ref());
        }
        self.forward.take(chunk)
    }

    /// What is still to be handed on when a forwarded stream is over: the error event of a stream that broke, or the `[DONE]`
    /// that the upstream forgot. Empty if nothing is.
    pub(super) fn forward_tail(&mut self) -> Vec<u8> {
        self.forward.take_tail()
    }

    /// The body ended without an error.
    pub(super) fn handle_end(&mut self, now: Instant, out: &mut Deltas) {
        if self.part(now) {
            return;
        }
        match core::mem::replace(&mut self.state, State::Ended) {
            State::Streaming => {
                let cause = self.read_last_block(now, out);
                self.conclude(now, cause, out);
            }
            State::Body(body) => self.read_whole(now, body, out),
            State::FailureBody(body) => {
                let error = self.head.classify(&body);
                self.conclude(now, Cause::Failed(error), out);
            }
            State::HeadAwaited => {
                let error = Error::new(ErrorKind::Network, "The connection closed before a response head arrived.");
                self.conclude(now, Cause::Failed(error), out);
            }
            State::Rejoining => self.conclude(now, Cause::Reset, out),
            // A connection that broke cannot end.
            state @ State::Apart(_) => self.state = state,
            State::Lingering(_) | State::Ended => {}
        }
    }

    fn read_last_block(&mut self, now: Instant, out: &mut Deltas) -> Cause {
        let Some(reader) = &mut self.reader else { return Cause::Eof };
        let (cause, progress) = reader.feed_end(out);
        self.marks.progress(now, progress.tokens);
        if matches!(cause, Cause::Unterminated) {
            self.forward.keep_last(&progress);
        }
        cause
    }

    fn read_whole(&mut self, now: Instant, body: Vec<u8>, out: &mut Deltas) {
        if !self.options.endpoint.is_completion() {
            return self.read_opaque(now, body, out);
        }
        match read_body(&body, &self.options) {
            Ok((reply, end)) => {
                let before = out.len();
                self.body = body;
                if self.stream && !self.is_forwarded {
                    reply.to_deltas(out);
                    self.mark_tokens(now, out, before);
                    // What was handed out cannot be begun anew.
                    self.marks.progress(now, u32::from(out.len() > before));
                } else if self.stream && end.error.is_none() {
                    self.body = recast::as_stream(&reply, self.is_chat);
                    self.recast = true;
                }
                self.reply = Some(reply);
                self.reader = None;
                self.timing.total = Some(self.timing.elapsed(now));
                self.end = Some(end);
            }
            Err(error) => self.conclude(now, Cause::Failed(error), out),
        }
    }

    fn read_opaque(&mut self, now: Instant, body: Vec<u8>, out: &mut Deltas) {
        let read = read_opaque(&body, &self.head.media(), self.head.content_length, &self.options);
        let is_stream_only = matches!(self.options.endpoint, Endpoint::Responses | Endpoint::Messages);
        match read {
            Ok(_) if self.stream && is_stream_only => {
                let error =
                    Error::new(ErrorKind::Protocol, "The upstream answered whole where a stream was asked for.");
                self.conclude(now, Cause::Failed(error), out);
            }
            Ok((reply, end)) => {
                self.body = body;
                self.reply = Some(reply);
                self.reader = None;
                self.timing.total = Some(self.timing.elapsed(now));
                self.end = Some(end);
            }
            Err(error) => self.conclude(now, Cause::Failed(error), out),
        }
    }

    /// Bytes were handed on in which nothing was said: the answer cannot be begun anew all the same.
    pub(super) fn count_handed_on(&mut self, now: Instant) {
        self.marks.progress(now, 1);
    }

    /// The media type of the answer, in lower case; empty if it said none.
    pub(super) fn media(&self) -> String {
        self.head.media()
    }

    /// The request or its body failed: refused, reset, or not reachable.
    pub(super) fn handle_error(&mut self, now: Instant, out: &mut Deltas) {
        if self.part(now) {
            return;
        }
        match core::mem::replace(&mut self.state, State::Ended) {
            State::HeadAwaited => {
                let error =
                    Error::new(ErrorKind::Network, "The upstream could not be reached, or closed before answering.");
                self.conclude(now, Cause::Failed(error), out);
            }
            State::Streaming | State::Rejoining => {
                self.conclude(now, Cause::Reset, out);
            }
            state @ State::Apart(_) => self.state = state,
            State::Body(_) => {
                let error = Error::new(ErrorKind::Truncated, "The connection broke in the middle of the answer.");
                self.conclude(now, Cause::Failed(error), out);
            }
            State::FailureBody(body) => {
                let error = self.head.classify(&body);
                self.conclude(now, Cause::Failed(error), out);
            }
            State::Lingering(_) | State::Ended => {}
        }
    }

    /// The caller is busy with what it got and reads nothing: until [`Attempt::resume`] only the total budget runs, since the
    /// upstream cannot be blamed for silence that nobody listens to.
    pub(super) fn pause(&mut self, now: Instant) {
        self.paused.get_or_insert(now);
    }

    /// The caller reads on: the time of the pause is taken out of the silence. Without a pause before it does nothing.
    pub(super) fn resume(&mut self, now: Instant) {
        let Some(paused) = self.paused.take() else { return };
        // Moved by the pause and not set to now: a reader of keep-alive comments pauses at each, and must not hide a stall.
        let pause = now.since(paused);
        self.marks.shift(pause);
    }

    /// Ends it from outside: the caller has cancelled, a budget of the whole call is used up.
    pub(super) fn stop(&mut self, now: Instant, cause: Cause) {
        if matches!(self.state, State::Ended) {
            return;
        }
        self.abort = true;
        self.conclude_late(now, cause);
    }

    /// Ends the call between two reads. What was held back of the text is for [`Attempt::take_late`].
    fn conclude_late(&mut self, now: Instant, cause: Cause) {
        let mut late = core::mem::take(&mut self.late);
        self.conclude(now, cause, &mut late);
        self.late = late;
    }

    /// Moves to `out` the deltas of a call that ended between two reads: what had been held back, and notices. To be asked for when
    /// the call has finished.
    pub(super) fn take_late(&mut self, out: &mut Deltas) {
        self.late.iter().for_each(|delta| out.push(delta));
        self.late.clear();
    }

    /// Ends the call: no more bytes are read.
    fn conclude(&mut self, now: Instant, cause: Cause, out: &mut Deltas) {
        self.settle(now, cause, out);
        self.state = State::Ended;
        self.forward.finish(self.end.as_ref());
    }

    /// Says how the call ended, while the rest of the body may still be on its way.
    fn settle(&mut self, now: Instant, cause: Cause, out: &mut Deltas) {
        if self.end.is_some() {
            return;
        }
        let Some(mut assembler) = self.reader.take().map(Reader::into_assembler) else { return };
        let mut end = assembler.finish(cause, out);
        end.error = end.error.map(|error| self.head.complete(error));
        self.timing.total = Some(self.timing.elapsed(now));
        self.reply = Some(assembler.into_reply());
        self.end = Some(end);
    }

    /// How many events with content came: about as many tokens.
    pub(super) fn tokens(&self) -> u64 {
        self.marks.tokens
    }

    /// What has been received so far, if it is a stream's.
    pub(super) fn assembled(&self) -> Option<&Reply> {
        self.reply.as_ref().or_else(|| self.reader.as_ref().map(|reader| reader.assembler().reply()))
    }

    /// What must be handed on before a stream can go on with an event that is not this attempt's.
    pub(super) fn forward_rest(&mut self) -> Vec<u8> {
        self.forward.take_rest()
    }

    /// How the call ended; `None` while it has not.
    pub(super) fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }

    /// What has been received, once the call has ended; partial if it ended early.
    pub(super) fn reply(&self) -> Option<&Reply> {
        self.reply.as_ref()
    }

    /// Moves out what has been received: it may be long.
    pub(super) fn take_reply(&mut self) -> Option<Reply> {
        self.reply.take()
    }

    /// The body of an answer that was not a stream, once the call has ended: as it came, or as an event stream of one chunk
    /// if it [was recast](Attempt::is_recast).
    pub(super) fn body(&self) -> &[u8] {
        &self.body
    }

    /// Whether an upstream answered a stream request whole, and the body is now the stream that was asked for.
    pub(super) fn is_recast(&self) -> bool {
        self.recast
    }

    /// The answer as a stream that was written for it.
    pub(super) fn recast(&mut self, stream: Vec<u8>) {
        self.body = stream;
        self.recast = true;
    }

    /// When things happened.
    pub(super) fn timing(&self) -> &Timing {
        &self.timing
    }

    /// Whether an event stream is being read.
    pub(super) fn is_streaming(&self) -> bool {
        matches!(self.state, State::Streaming)
    }

    /// The upstream's id for this call, if it sent one.
    pub(super) fn trace_id(&self) -> Option<&str> {
        self.head.trace_id.as_deref()
    }

    /// The status of the response head; 0 before it.
    pub(super) fn status(&self) -> u16 {
        self.head.status
    }
}
