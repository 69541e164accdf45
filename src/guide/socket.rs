//! One WebSocket of guide A: what to do, given what has come. No I/O, no clock: times come in, actions go out.
//!
//! The client sends a request (the body of `/v1/complete`, streamed unless it says otherwise) and gets messages; the last one of each
//! answer has `finish_reason` at the top. Requests are answered one at a time, in their order. `{"type":"ping"}` is answered by
//! `{"type":"pong"}`, `{"type":"cancel"}` ends the answer that runs, `{"type":"pause"}` and `{"type":"resume"}` hold it up.
//!
//! | what is wrong | what the client gets |
//! |---|---|
//! | with a request | a message with `error`; the socket stays |
//! | more requests than may wait | `socket_busy`; the socket stays |
//! | with the protocol: no JSON | `invalid_request`, close 1007 |
//! | binary | `unsupported_media_type`, close 1003 |
//! | a message too large | `payload_too_large`, close 1009 |
//! | too many messages a second | `rate_limited`, close 1008 |
//! | the key is no longer good | `unauthorized`, close 4401; `forbidden`, close 4403 |
//! | nothing asked for a while | close 1000 |
//! | the socket is old | close 1001, after the answer that runs |
//!
//! An error has `finish_reason` at the top if it ends an answer, or if none runs: whoever reads until there is one always comes to an
//! end, and whoever reads an answer is not told that it is over by the fault of another request.
//!
//! The shell tells (`handle_*`, [`Session::expire`]) and then asks [`Session::next_action`] until it says `None`; it keeps one timer, at
//! [`Session::deadline`].

mod policy;

pub use policy::{Action, PING, PONG, Policy, Revoked};

use super::message::{code, failed, member, stopped};
use crate::error::{Error, ErrorKind};
use crate::json::number::count;
use crate::json::write::Object;
use crate::json::{check_json, cursor};
use crate::limits::Limits;
use crate::reply::error_body;
use crate::request::fault::invalid;
use crate::request::span::{Kind, Member, Span, find, members, string};
use crate::time::Instant;
use std::collections::VecDeque;

/// One socket. Holds the requests that wait, and one message of the answer that runs.
#[derive(Debug)]
pub struct Session {
    policy: Policy,
    started: Instant,
    /// When something was asked last, or answered.
    active: Instant,
    /// The second that is counted, and its messages.
    second: u64,
    heard: u32,
    /// The number of the last call.
    calls: u32,
    running: Option<Running>,
    waiting: VecDeque<String>,
    /// Who holds the answer up: unsent bytes, the client.
    is_full: bool,
    is_held: bool,
    is_closed: bool,
    actions: VecDeque<Action>,
}

#[derive(Debug, Default)]
struct Running {
    /// The message that is not whole yet.
    line: Vec<u8>,
    /// The last message of the answer has been sent.
    ended: bool,
}

impl Session {
    /// A socket that was just opened.
    pub fn new(now: Instant, policy: Policy) -> Session {
        Session {
            policy,
            started: now,
            active: now,
            second: 0,
            heard: 0,
            calls: 0,
            running: None,
            waiting: VecDeque::new(),
            is_full: false,
            is_held: false,
            is_closed: false,
            actions: VecDeque::new(),
        }
    }

    /// The next thing to do.
    pub fn next_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// When to call [`Session::expire`], if nothing else happens before.
    pub fn deadline(&self) -> Instant {
        let life = self.started + self.policy.lifetime_ms;
        match self.running {
            _ if self.is_closed => Instant(u64::MAX),
            Some(_) => life + self.policy.grace_ms,
            None => life.min(self.active + self.policy.idle_ms),
        }
    }

    /// Whether nothing runs or waits, so that the state of [`Session::to_json`] is all there is to keep.
    pub fn is_idle(&self) -> bool {
        self.running.is_none() && self.waiting.is_empty()
    }

    /// Whether the socket is closed, or about to be.
    pub fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// A text message came.
    pub fn handle_text(&mut self, now: Instant, text: &str) {
        if !self.admit(now) {
            return;
        }
        if text.len() > self.policy.message_bytes {
            return self.too_large();
        }
        if cursor::parse::<&str>(text).is_none() {
            let error = Error::new(ErrorKind::InvalidRequest, "The message is not valid JSON.");
            return self.protest(&error, 1007, "not JSON");
        }
        if let Err(error) = self.message(now, text) {
            let is_answering = !self.waiting.is_empty() || self.running.as_ref().is_some_and(|running| !running.ended);
            self.send(failed(&error_body(&error), !is_answering));
        }
    }

    /// A binary message came.
    pub fn handle_binary(&mut self, now: Instant) {
        if self.admit(now) {
            let error = Error::new(ErrorKind::UnsupportedMediaType, "Messages must be text: one JSON object each.");
            self.protest(&error, 1003, "binary");
        }
    }

    /// A message came that the shell did not take, for its size.
    pub fn handle_too_large(&mut self, now: Instant) {
        if self.admit(now) {
            self.too_large();
        }
    }

    /// Bytes of a call's answer: messages, one a line; lines that begin with a colon are none.
    pub fn handle_answer(&mut self, now: Instant, call: u32, bytes: &[u8]) {
        if !self.is_running(call) {
            return;
        }
        let mut rest = bytes;
        while let Some(running) = self.running.as_mut().filter(|running| !running.ended) {
            let Some(at) = memchr::memchr(b'\n', rest) else {
                running.line.extend_from_slice(rest);
                if running.line.len() > self.policy.line_bytes {
                    let error =
                        Error::new(ErrorKind::EventTooLarge, "A piece of the answer is too large for a message.");
                    self.running = None;
                    self.actions.push_back(Action::Abort(call));
                    self.send(failed(&error_body(&error), true));
                    self.next(now);
                }
                return;
            };
            let (line, tail) = rest.split_at_checked(at).unwrap_or((rest, &[]));
            rest = tail.get(1..).unwrap_or_default();
            running.line.extend_from_slice(line);
            let line = core::mem::take(&mut running.line);
            // A colon is a sign of life, as in event streams.
            if line.is_empty() || line.first() == Some(&b':') {
                continue;
            }
            let text = String::from_utf8_lossy(&line).into_owned();
            running.ended = member(&text, "finish_reason").is_some();
            self.send(text);
        }
    }

    /// A call's answer is over, well or not. Without its last message it was cut short, and the client is told so.
    pub fn handle_answer_end(&mut self, now: Instant, call: u32) {
        if !self.is_running(call) {
            return;
        }
        if self.running.take().is_some_and(|running| !running.ended) {
            let error = Error::new(ErrorKind::Truncated, "The answer ended before the model was done.");
            self.send(failed(&error_body(&error), true));
        }
        self.next(now);
    }

    /// A call was refused, or failed before its answer: with the body of the error's answer.
    pub fn handle_refusal(&mut self, now: Instant, call: u32, body: &str) {
        if !self.is_running(call) {
            return;
        }
        if code(body).as_deref() == Some(ErrorKind::Unauthorized.code()) {
            self.running = None;
            self.send(failed(body, true));
            return self.close(4401, "unauthorized");
        }
        if self.running.take().is_some_and(|running| !running.ended) {
            self.send(failed(body, true));
        }
        self.next(now);
    }

    /// The key that opened the socket is no longer good.
    pub fn handle_revoked(&mut self, why: Revoked) {
        let (kind, message, code, reason) = match why {
            Revoked::Unauthorized => {
                (ErrorKind::Unauthorized, "The credential is no longer valid.", 4401, "unauthorized")
            }
            Revoked::Forbidden => (ErrorKind::Forbidden, "The credential may no longer do this.", 4403, "forbidden"),
        };
        if !self.is_closed {
            self.protest(&Error::new(kind, message), code, reason);
        }
    }

    /// How many bytes the client has still to take.
    pub fn handle_unsent(&mut self, bytes: u64) {
        let was = self.is_paused();
        self.is_full = bytes >= self.policy.unsent_high || (self.is_full && bytes > self.policy.unsent_low);
        self.told_pause(was);
    }

    /// The client has closed the socket, or is gone.
    pub fn handle_close(&mut self) {
        self.waiting.clear();
        self.actions.clear();
        if !core::mem::replace(&mut self.is_closed, true) && self.running.take().is_some() {
            self.actions.push_back(Action::Abort(self.calls));
        }
    }

    /// The time of [`Session::deadline`] has come, or another.
    pub fn expire(&mut self, now: Instant) {
        if self.is_closed || now < self.deadline() {
            return;
        }
        if self.running.is_some() {
            let error = Error::new(ErrorKind::TimeoutTotal, "The socket's lifetime ended before the answer did.");
            return self.protest(&error, 1001, "lifetime");
        }
        match now < self.started + self.policy.lifetime_ms {
            true => self.close(1000, "idle"),
            false => self.close(1001, "lifetime"),
        }
    }

    /// All that has to be kept of a socket that sleeps: times and counts, none of what was said.
    pub fn to_json(&self) -> String {
        let mut json = Object::new();
        json.number("v", 1);
        json.number("started", self.started.0);
        json.number("active", self.active.0);
        json.number("second", self.second);
        json.number("heard", self.heard.into());
        json.number("calls", self.calls.into());
        let unanswered = self.running.as_ref().is_some_and(|running| !running.ended);
        json.number("lost", self.waiting.len() as u64 + u64::from(unanswered));
        json.finish()
    }

    /// A socket that wakes. Requests that ran or waited when the state was kept are lost: their client is told so, an error for each.
    /// `None` for what [`Session::to_json`] did not write.
    pub fn from_json(policy: Policy, json: &str) -> Option<Session> {
        let number = |name: &str| member(json, name).and_then(count);
        if number("v")? != 1 {
            return None;
        }
        let mut session = Session::new(Instant(number("started")?), policy);
        session.active = Instant(number("active")?);
        session.second = number("second")?;
        session.heard = u32::try_from(number("heard")?).ok()?;
        session.calls = u32::try_from(number("calls")?).ok()?;
        let error = Error::new(ErrorKind::Truncated, "The gate was restarted before the answer was whole.");
        for _ in 0..number("lost")?.min(policy.waiting as u64 + 1) {
            session.send(failed(&error_body(&error), true));
        }
        Some(session)
    }

    /// Counts a message; false if it is not to be looked at.
    fn admit(&mut self, now: Instant) -> bool {
        if self.is_closed {
            return false;
        }
        let second = now.0 / 1000;
        if second != self.second {
            (self.second, self.heard) = (second, 0);
        }
        self.heard = self.heard.saturating_add(1);
        if self.heard > self.policy.messages_per_second {
            let error = Error::new(ErrorKind::RateLimitExceeded, "Too many messages in one second.");
            self.protest(&error.with_retry_after_ms(1000), 1008, "too many messages");
            return false;
        }
        true
    }

    fn message(&mut self, now: Instant, text: &str) -> Result<(), Error> {
        check_json(text.as_bytes(), &Limits::default())?;
        let kind = Kind::of(text.trim_start());
        if kind != Kind::Object {
            let message = ["Expected a JSON object, found ", kind.name(), "."].concat();
            return Err(Error::new(ErrorKind::InvalidRequest, message));
        }
        let members = members(text, Span { start: 0, end: text.len() })?;
        let tag = find(text, &members, "type").map(|tag| tag.value.of(text));
        match tag.map(string).as_deref() {
            None | Some("request") => return self.request(now, without_type(text, &members)),
            Some("ping") => self.send(PONG.to_owned()),
            Some("cancel") => self.cancel(now),
            Some(word @ ("pause" | "resume")) => {
                let was = self.is_paused();
                self.is_held = word == "pause";
                self.told_pause(was);
            }
            Some(_) => return Err(invalid("type", "Not one of request, ping, cancel, pause, resume.")),
        }
        Ok(())
    }

    fn request(&mut self, now: Instant, body: String) -> Result<(), Error> {
        self.active = now;
        if self.is_old(now) {
            return Err(Error::new(ErrorKind::SocketBusy, "The socket is about to close: open another one."));
        }
        if self.running.is_some() && self.waiting.len() >= self.policy.waiting {
            return Err(Error::new(ErrorKind::SocketBusy, "Too many requests wait on this socket."));
        }
        self.waiting.push_back(body);
        if self.running.is_none() {
            self.next(now);
        }
        Ok(())
    }

    fn cancel(&mut self, now: Instant) {
        let Some(running) = self.running.take() else { return };
        self.actions.push_back(Action::Abort(self.calls));
        if !running.ended {
            self.send(stopped("cancelled"));
        }
        self.next(now);
    }

    /// After an answer: the next request, or the end of an old socket.
    fn next(&mut self, now: Instant) {
        self.active = now;
        if let Some(body) = self.waiting.pop_front() {
            self.calls = self.calls.wrapping_add(1);
            self.running = Some(Running::default());
            self.actions.push_back(Action::Call { call: self.calls, body });
        } else if self.is_old(now) {
            self.close(1001, "lifetime");
        }
    }

    fn is_old(&self, now: Instant) -> bool {
        now >= self.started + self.policy.lifetime_ms
    }

    fn is_running(&self, call: u32) -> bool {
        !self.is_closed && self.running.is_some() && call == self.calls
    }

    fn is_paused(&self) -> bool {
        self.is_full || self.is_held
    }

    fn told_pause(&mut self, was: bool) {
        if self.is_paused() != was && !self.is_closed {
            self.actions.push_back(if was { Action::Resume } else { Action::Pause });
        }
    }

    fn too_large(&mut self) {
        let most = self.policy.message_bytes.to_string();
        let message = ["A message may have at most ", &most, " bytes."].concat();
        self.protest(&Error::new(ErrorKind::PayloadTooLarge, message), 1009, "too large");
    }

    /// An error that ends the socket, and whatever runs on it.
    fn protest(&mut self, error: &Error, code: u16, reason: &'static str) {
        self.send(failed(&error_body(error), true));
        self.close(code, reason);
    }

    fn close(&mut self, code: u16, reason: &'static str) {
        self.waiting.clear();
        if self.running.take().is_some() {
            self.actions.push_back(Action::Abort(self.calls));
        }
        self.is_closed = true;
        self.actions.push_back(Action::Close { code, reason });
    }

    fn send(&mut self, message: String) {
        self.actions.push_back(Action::Send(message));
    }
}

/// The body without the member that says what kind of message it is: an upstream has no use for it.
fn without_type(text: &str, members: &[Member]) -> String {
    if !members.iter().any(|member| member.is(text, "type")) {
        return text.to_owned();
    }
    let mut body = Object::new();
    for member in members.iter().filter(|member| !member.is(text, "type")) {
        body.raw_named(&member.name(text), member.value.of(text));
    }
    body.finish()
}
