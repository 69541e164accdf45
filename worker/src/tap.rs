//! One call as the loop in JavaScript sees it: it tells what happened and is told, in a few bits, what to do.

use crate::headers;
use crate::meter::Entry;
use sluicegate::Error;
use sluicegate::exchange::{Action, Exchange, Forwarded, Timing};
use sluicegate::reply::{Deltas, End, Usage};
use sluicegate::time::Instant;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::*;

const REPLACED: u32 = 1;
const REARM: u32 = 2;
const OVER: u32 = 4;

/// The most that is read of a failure's body, in bytes; what it says is in the first few hundred.
const FAILURE_BODY: usize = 64 << 10;

/// A call, shared between the handler that started it and the loop that carries it on.
#[derive(Clone)]
pub(crate) struct Call {
    inner: Rc<RefCell<Inner>>,
}

struct Inner {
    exchange: Exchange,
    /// What the answer's head said that the caller may see.
    answer: headers::Answer,
    deltas: Deltas,
    replacement: Vec<u8>,
    deadline: Instant,
    /// What JavaScript's timer is set to.
    armed: Instant,
    failure_bytes: usize,
    entry: Option<Entry>,
}

impl Call {
    pub(crate) fn new(exchange: Exchange) -> Self {
        let never = Instant(u64::MAX);
        let inner = Inner {
            exchange,
            answer: headers::Answer::default(),
            deltas: Deltas::new(),
            replacement: Vec::new(),
            deadline: never,
            armed: never,
            failure_bytes: 0,
            entry: None,
        };
        Call { inner: Rc::new(RefCell::new(inner)) }
    }

    /// What JavaScript holds of it. `entry` is the log line to finish when the call is over.
    pub(crate) fn tap(&self, now: f64, entry: Entry) -> Tap {
        {
            let mut inner = self.inner.borrow_mut();
            inner.entry = Some(entry);
            inner.turn(instant(now));
        }
        Tap { call: self.clone() }
    }

    /// Tells what the answer's head said.
    pub(crate) fn answer<T>(&self, read: impl FnOnce(&headers::Answer, &Timing) -> T) -> T {
        let inner = self.inner.borrow();
        read(&inner.answer, inner.exchange.timing())
    }

    /// Why there is no answer.
    pub(crate) fn error(&self) -> Option<Error> {
        self.inner.borrow().exchange.end().and_then(|end| end.error.clone())
    }
}

impl Inner {
    /// Asks the exchange what to do next until it has no more to say, and sums it up in bits.
    fn turn(&mut self, now: Instant) -> u32 {
        let mut flags = 0;
        while let Some(action) = self.exchange.poll(now) {
            match action {
                Action::Wait(until) => self.deadline = until,
                Action::Abort | Action::Finish => flags |= OVER,
                // Taken by the handler before the loop starts.
                Action::Send(_) => {}
            }
        }
        if self.deadline < self.armed {
            flags |= REARM;
        }
        flags
    }

    fn end(&self) -> Option<&End> {
        self.exchange.end()
    }

    fn usage(&self) -> Option<Usage> {
        self.exchange.reply().and_then(|reply| reply.usage.clone())
    }
}

/// What JavaScript holds of a [`Call`]. `now` is `Date.now()`.
// Private: worker-build would publish it as an export of the Worker.
#[wasm_bindgen(private)]
pub struct Tap {
    call: Call,
}

#[wasm_bindgen]
impl Tap {
    /// The response head arrived; headers as one text.
    pub fn head(&mut self, now: f64, status: u16, text: &str) -> u32 {
        let mut inner = self.call.inner.borrow_mut();
        let inner = &mut *inner;
        inner.answer = headers::Answer::read(status, text);
        let now = instant(now);
        inner.exchange.handle_head(now, &inner.answer.head(now.0));
        if let (Some(entry), true) = (&mut inner.entry, inner.exchange.is_streaming()) {
            entry.handed_on();
        }
        inner.turn(now)
    }

    /// Whether the answer is to be handed on chunk by chunk.
    #[wasm_bindgen(js_name = isStreaming)]
    pub fn is_streaming(&self) -> bool {
        self.call.inner.borrow().exchange.is_streaming()
    }

    /// Whether the call is over and has an answer.
    #[wasm_bindgen(js_name = isSuccess)]
    pub fn is_success(&self) -> bool {
        self.call.inner.borrow().end().is_some_and(|end| end.error.is_none())
    }

    /// A chunk of a stream arrived: 0 says to hand it on as it is.
    pub fn forward(&mut self, now: f64, chunk: &[u8]) -> u32 {
        let mut inner = self.call.inner.borrow_mut();
        let inner = &mut *inner;
        let now = instant(now);
        let mut flags = 0;
        if let Forwarded::Bytes(bytes) = inner.exchange.forward(now, chunk) {
            inner.replacement.clear();
            inner.replacement.extend_from_slice(bytes);
            flags = REPLACED;
        }
        flags | inner.turn(now)
    }

    /// What to hand on in place of the last chunk.
    pub fn replacement(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.call.inner.borrow_mut().replacement)
    }

    /// A chunk of a whole answer or of a failure arrived.
    pub fn bytes(&mut self, now: f64, chunk: &[u8]) -> u32 {
        let mut inner = self.call.inner.borrow_mut();
        let inner = &mut *inner;
        let now = instant(now);
        inner.exchange.handle_bytes(now, chunk, &mut inner.deltas);
        let mut flags = 0;
        if !(200..300).contains(&inner.exchange.status()) {
            inner.failure_bytes = inner.failure_bytes.saturating_add(chunk.len());
            if inner.failure_bytes >= FAILURE_BODY {
                inner.exchange.handle_end(now, &mut inner.deltas);
                flags = OVER;
            }
        }
        flags | inner.turn(now)
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
        let mut inner = self.call.inner.borrow_mut();
        let inner = &mut *inner;
        let now = instant(now);
        tell(&mut inner.exchange, now, &mut inner.deltas);
        inner.turn(now)
    }

    /// When to call [`Tap::expire`]; asking counts as having set the timer.
    pub fn deadline(&mut self) -> f64 {
        let mut inner = self.call.inner.borrow_mut();
        inner.armed = inner.deadline;
        inner.deadline.0 as f64
    }

    /// What a stream still owes to its reader when it is over.
    pub fn tail(&mut self) -> Vec<u8> {
        self.call.inner.borrow_mut().exchange.forward_tail()
    }

    /// The call is over: writes its log line.
    pub fn finish(&mut self) {
        let mut inner = self.call.inner.borrow_mut();
        let Some(mut entry) = inner.entry.take() else { return };
        entry.close(inner.end(), inner.usage(), inner.exchange.timing());
        drop(inner);
        entry.write();
    }
}

fn instant(now: f64) -> Instant {
    Instant(now as u64)
}
