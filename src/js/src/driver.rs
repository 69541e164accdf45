//! Drives one exchange with one transport: carries out what the exchange asks for, and tells it what happened.
//!
//! Nothing is borrowed while something is awaited or while the caller's own code runs, so that a cancel may come at any time.

use crate::convert::{self, CallOptions};
use crate::transport::{Happened, Pending, ResponseHead, Transport, fetch_function, now};
use js_sys::{Array, Function, Promise, Uint8Array};
use sluicegate::Error;
use sluicegate::exchange::{Action, Exchange, Plan};
use sluicegate::reply::{Delta, Deltas, Notice};
use sluicegate::request::{Built, Endpoint, Request, Target};
use sluicegate::time::Instant;
use std::cell::RefCell;
use std::rc::{Rc, Weak};
use wasm_bindgen::prelude::*;

/// One call under way.
pub(crate) struct Driver {
    pub(crate) exchange: Exchange,
    pub(crate) deltas: Deltas,
    /// What the gate changed in the request: details of notices.
    pub(crate) changes: Vec<String>,
    pub(crate) finished: bool,
    /// The headers of the answer, as a JavaScript array of pairs, once they are there.
    pub(crate) headers: Option<Array>,
    /// What the platform said about a failed connection.
    pub(crate) cause: JsValue,
    /// What the timer is set to.
    deadline: Option<Instant>,
    transport: Transport,
    options: CallOptions,
    fetch: Function,
    to_send: Option<Built>,
    head: Option<Promise>,
    me: Weak<RefCell<Driver>>,
}

/// What a step gave.
pub(crate) enum Step {
    /// Nothing to hand out yet: go on.
    Again,
    /// A chunk of a stream that is handed on as bytes.
    Chunk(Uint8Array),
}

impl Driver {
    /// A call for the request in `body`, a JSON text. Nothing is sent before the first step.
    pub(crate) fn new(
        body: &str,
        options: JsValue,
        fetch: JsValue,
        forward: bool,
    ) -> Result<Rc<RefCell<Driver>>, Error> {
        let fetch = fetch_function(fetch)?;
        let options: CallOptions = convert::from_js(options)?;
        let reply = options.reply.to_core()?;
        let mut request = Request::parse(options.endpoint()?, body.as_bytes(), &reply.limits)?;
        if let Some(stream) = options.stream {
            request = request.with_stream(stream);
        }
        let model = match (request.model(), options.model.as_deref()) {
            (Some(model), _) | (None, Some(model)) => model.to_owned(),
            (None, None) => return Err(convert::missing_model()),
        };
        let target = Target { dialect: options.dialect()?, model: &model, replay: None, add_usage: true };
        let built = request.build(&target)?;
        let mut deltas = Deltas::new();
        let changes: Vec<String> =
            built.changes.iter().map(|change| format!("{}: {}", change.field, change.what)).collect();
        for detail in &changes {
            deltas.push(Delta::Notice { code: Notice::RequestChanged, detail });
        }
        let reply = sluicegate::reply::Options { collect: !forward, ..reply };
        let plan = Plan { budgets: options.budgets.to_core()?, reply };
        let transport = Transport::new()?;
        Ok(Rc::new_cyclic(|me| {
            RefCell::new(Driver {
                exchange: Exchange::new(now(), plan, built),
                deltas,
                changes,
                finished: false,
                headers: None,
                cause: JsValue::UNDEFINED,
                deadline: None,
                transport,
                options,
                fetch,
                to_send: None,
                head: None,
                me: me.clone(),
            })
        }))
    }

    /// Carries out what the exchange asks for.
    pub(crate) fn act(&mut self) {
        while let Some(action) = self.exchange.poll(now()) {
            match action {
                Action::Send(built) => self.to_send = Some(built),
                Action::Abort => self.transport.abort(),
                Action::Wait(until) => self.wake_at(until),
                Action::Finish => {
                    self.transport.close();
                    self.finished = true;
                }
            }
        }
    }

    fn wake_at(&mut self, until: Instant) {
        self.deadline = Some(until);
        let me = self.me.clone();
        self.transport.wake_at(until, move || {
            let Some(me) = me.upgrade() else { return };
            let mut driver = me.borrow_mut();
            driver.act();
            // Timers fire up to a millisecond early, and the exchange does not ask twice for the same deadline.
            if !driver.finished && driver.deadline == Some(until) && now() < until {
                driver.wake_at(until);
            }
        });
    }

    /// Does one thing: sends, or waits for the head or for a chunk, and tells the exchange. With `forward`, chunks of a stream are given
    /// back instead of read.
    pub(crate) async fn step(this: &Rc<RefCell<Driver>>, forward: bool) -> Step {
        let sending = this.borrow_mut().to_send.take();
        if let Some(built) = sending {
            Driver::send(this, &built);
            return Step::Again;
        }
        let pending = {
            let mut driver = this.borrow_mut();
            match driver.head.take() {
                Some(head) => Pending::Head(head),
                None => driver.transport.pending(),
            }
        };
        let happened = pending.wait().await;
        let mut guard = this.borrow_mut();
        let driver = &mut *guard;
        match happened {
            Happened::Head(response) => {
                let head = ResponseHead::new(&response);
                driver.headers = Some(convert::headers_to_js(&response));
                driver.exchange.handle_head(now(), &head.as_head());
                driver.transport.read_from(&response);
            }
            Happened::Chunk(chunk) if forward && driver.exchange.is_streaming() => return Step::Chunk(chunk),
            Happened::Chunk(chunk) => driver.exchange.handle_bytes(now(), &chunk.to_vec(), &mut driver.deltas),
            Happened::End => {
                driver.transport.close();
                driver.exchange.handle_end(now(), &mut driver.deltas);
            }
            Happened::Error(cause) => {
                driver.transport.close();
                // Behind the end it is only the echo of our own abort.
                if driver.exchange.end().is_none() {
                    driver.cause = cause;
                }
                driver.exchange.handle_error(now(), &mut driver.deltas);
            }
        }
        Step::Again
    }

    fn send(this: &Rc<RefCell<Driver>>, built: &Built) {
        let (fetch, url, init) = {
            let mut guard = this.borrow_mut();
            let driver = &mut *guard;
            let init = driver.transport.open(&driver.options, &built.body);
            (driver.fetch.clone(), JsValue::from_str(&driver.options.url), init)
        };
        let sent = fetch.call2(&JsValue::UNDEFINED, &url, &init);
        let mut driver = this.borrow_mut();
        let sent = sent.unwrap_or_else(|error| Promise::reject(&error).into());
        driver.head = Some(driver.transport.or_aborted(&sent));
    }

    /// Cancels the call; the request is aborted at once.
    pub(crate) fn cancel(this: &Rc<RefCell<Driver>>) {
        // Borrowed only if the platform calls back while it aborts: the call is over then anyway.
        if let Ok(mut driver) = this.try_borrow_mut() {
            driver.exchange.cancel(now());
            driver.act();
        }
    }
}

/// The endpoint whose path ends `url`, for options that name none.
pub(crate) fn endpoint_of(url: &str) -> Option<Endpoint> {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    [Endpoint::ChatCompletions, Endpoint::Completions].into_iter().find(|endpoint| path.ends_with(endpoint.path()))
}
