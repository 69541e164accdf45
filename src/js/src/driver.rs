//! Drives one exchange: carries out what the exchange asks for, tells it what happened, and hands what comes of it to JavaScript, one
//! delivery for each [`Driver::pull`].
//!
//! Each attempt under way is a [`Lane`]: a transport and the callbacks that carry the attempt's number. There is one at a time, two
//! while they race; a lane whose attempt is over stays until the platform has called it back for the last time.
//!
//! Callbacks of the platform rather than Rust futures: the closures of an attempt serve all its chunks, where a future allocates and
//! queues several times for each (measured end to end: a third of the CPU per chunk, and 10 KB less wasm). Nothing is borrowed while code of the
//! caller runs, so that a cancel may come at any time.

use crate::convert;
use crate::health::{Health, SharedHealth};
use crate::lane::{Callback, Lane, Outgoing};
use crate::options::{CallOptions, Site, pairs};
use crate::transport::{ResponseHead, Timer, Transport, bytes_of, discard, now as clock, readable, stream_id};
use crate::value::Value;
use js_sys::{Array, Function, Promise, TypeError};
use sluicegate::Error;
use sluicegate::exchange::{Action, Exchange, Plan};
use sluicegate::reply::{self, Deltas};
use sluicegate::request::{self, Request};
use sluicegate::time::Instant;
use std::cell::RefCell;
use std::rc::{Rc, Weak};
use wasm_bindgen::prelude::*;
use web_sys::ReadableStreamReadResult;

/// What a call makes of the answer.
pub(crate) trait Output {
    /// Whether the answer is handed on as bytes.
    fn forwards(&self) -> bool;

    /// Takes a chunk of an attempt's body.
    fn take(&mut self, exchange: &mut Exchange, now: Instant, attempt: u32, chunk: JsValue, bytes: &[u8]);

    /// What the exchange appends deltas to.
    fn deltas(&mut self) -> &mut Deltas;

    /// What to deliver, if there is something. `finished`: the exchange is over.
    fn deliver(&mut self, call: &mut Driving, finished: bool) -> Option<JsValue>;
}

/// The parts of a call that its output may look at.
pub(crate) struct Driving {
    pub(crate) exchange: Exchange,
    /// The response heads so far: attempt, status and the headers as an array of pairs.
    heads: Vec<(u32, u16, Array)>,
    /// What the platform said about the failed connection of the attempt that was made last.
    pub(crate) cause: JsValue,
}

impl Driving {
    /// Status and headers of the attempt that answers, or failed last; of any that has them while it has none.
    pub(crate) fn head(&self) -> (u16, Option<&Array>) {
        let shown = self.exchange.attempt();
        let own = self.heads.iter().find(|(attempt, ..)| Some(*attempt) == shown);
        let head = own.or(self.heads.last().filter(|_| self.exchange.is_streaming()));
        head.map_or((self.exchange.status(), None), |(_, status, headers)| (*status, Some(headers)))
    }
}

/// What the platform does for a call, but for attempts: a new credential, the timer.
const NO_ATTEMPT: u32 = u32::MAX;

/// One call under way. Dropping it aborts its requests.
pub(crate) struct Driver {
    pub(crate) call: Driving,
    me: Weak<RefCell<Driver>>,
    output: Box<dyn Output>,
    health: SharedHealth,
    lanes: Vec<Lane>,
    sites: Vec<Site>,
    refresh: JsValue,
    /// The route whose credential is to be renewed.
    to_refresh: Option<usize>,
    /// As [`Lane::busy`], while a credential is renewed, with the callback.
    refreshing: Option<(Shared, usize, Callback)>,
    input: Vec<u8>,
    /// Called with what is delivered; set while JavaScript waits for it.
    waiting: Option<Function>,
    finished: bool,
    /// When the exchange wants to be asked again.
    deadline: Option<Instant>,
    /// What the timer is set to: not later than the deadline.
    armed: Option<Instant>,
    timer: Timer,
    on_timer: Callback,
}

/// A call, as the bindings hold it.
pub(crate) type Shared = Rc<RefCell<Driver>>;

impl Driver {
    /// A call for the request in `body`, a JSON text. Nothing is sent before the first pull.
    pub(crate) fn new(
        body: &str,
        options: &JsValue,
        health: &Health,
        output: Box<dyn Output>,
    ) -> Result<Shared, Error> {
        let CallOptions { endpoint, model, stream, recovery, mut routes, sites, refresh } =
            CallOptions::from_js(options)?;
        let reply = reply::Options::default();
        let mut request = Request::parse(endpoint, body.as_bytes(), &reply.limits)?;
        if let Some(stream) = stream {
            request = request.with_stream(stream);
        }
        let Some(model) = request.model().map(str::to_owned).or(model) else { return Err(convert::missing_model()) };
        for route in &mut routes {
            if route.model.is_empty() {
                route.model.clone_from(&model);
            }
            route.key = [&*route.source, "/", &*route.model].concat();
        }
        let total = routes.first().map_or(0, |route| route.budgets.total);
        let plan = Plan { routes, recovery, total, forward: output.forwards(), reply };
        let exchange = Exchange::new(clock(), js_sys::Math::random().to_bits(), plan, request)?;
        Ok(Rc::new_cyclic(|me: &Weak<RefCell<Driver>>| {
            RefCell::new(Driver {
                call: Driving { exchange, heads: Vec::new(), cause: JsValue::UNDEFINED },
                me: me.clone(),
                output,
                health: health.share(),
                lanes: Vec::new(),
                sites,
                refresh,
                to_refresh: None,
                refreshing: None,
                input: Vec::new(),
                waiting: None,
                finished: false,
                deadline: None,
                armed: None,
                timer: Timer::default(),
                on_timer: callback(me, NO_ATTEMPT, Driver::handle_timer),
            })
        }))
    }

    /// Asks for the next delivery: `deliver` is called with it, once.
    pub(crate) fn pull(this: &Shared, deliver: Function) {
        let now = clock();
        {
            let mut driver = this.borrow_mut();
            driver.waiting = Some(deliver);
            driver.call.exchange.resume(now);
        }
        Driver::go_on(this, now);
    }

    /// Sends what is to be sent, delivers what there is, else asks for more.
    ///
    /// The clock is read once for each time that the platform comes in: it is a call of JavaScript.
    fn go_on(this: &Shared, mut now: Instant) {
        loop {
            let mut guard = this.borrow_mut();
            let driver = &mut *guard;
            if driver.waiting.is_none() && driver.lanes.iter().all(|lane| lane.gone && lane.to_send.is_none()) {
                // Nobody reads and nothing is under way: what is due happens at the next pull.
                return;
            }
            driver.act(now);
            if let Some(at) = driver.lanes.iter().position(|lane| lane.to_send.is_some()) {
                drop(guard);
                Driver::send(this, at);
                now = clock();
                continue;
            }
            if let Some(route) = driver.to_refresh.take() {
                drop(guard);
                Driver::renew(this, route);
                now = clock();
                continue;
            }
            if driver.waiting.is_none() {
                driver.call.exchange.pause(now);
                return;
            }
            if let Some(value) = driver.output.deliver(&mut driver.call, driver.finished) {
                let deliver = driver.waiting.take();
                driver.call.exchange.pause(now);
                drop(guard);
                if let Some(deliver) = deliver {
                    // It only settles a promise of index.ts.
                    let _ = deliver.call1(&JsValue::UNDEFINED, &value);
                }
                return;
            }
            let mut ended = None;
            for lane in driver.lanes.iter_mut().filter(|lane| lane.busy.is_none() && !lane.gone) {
                match lane.transport.read() {
                    Some(read) => {
                        lane.busy = Some(this.clone());
                        let _ = read.then2(&lane.on_chunk, &lane.on_error);
                    }
                    // No body at all: the end of an empty one.
                    None => ended = Some(lane.attempt),
                }
            }
            match ended {
                Some(attempt) => driver.handle_end(now, attempt),
                None => return,
            }
        }
    }

    /// Sends the request of a lane. The caller's fetch may do anything, and nothing is borrowed meanwhile.
    fn send(this: &Shared, at: usize) {
        let (fetch, url, init, attempt) = {
            let mut guard = this.borrow_mut();
            let driver = &mut *guard;
            let Some(lane) = driver.lanes.get_mut(at) else { return };
            let (Some(outgoing), Some(site)) = (lane.to_send.take(), driver.sites.get(lane.route)) else { return };
            let url = match &outgoing {
                Outgoing::Post(built) => [request::url(&site.url, built), site.query.clone()].concat(),
                _ => [&*site.url, "/streams/", lane.live.as_deref().unwrap_or("")].concat(),
            };
            let init = lane.transport.open(site, &outgoing);
            let attempt = match outgoing {
                Outgoing::Delete => None,
                _ => {
                    lane.busy = Some(this.clone());
                    Some(lane.attempt)
                }
            };
            (site.fetch.clone(), JsValue::from_str(&url), init, attempt)
        };
        let sent = fetch.call2(&JsValue::UNDEFINED, &url, &init);
        let sent = sent.unwrap_or_else(|error| Promise::reject(&error).into());
        let Some(attempt) = attempt else { return discard(&Promise::resolve(&sent)) };
        let mut driver = this.borrow_mut();
        if let Some(lane) = driver.lane(attempt) {
            let _ = lane.transport.or_aborted(&sent).then2(&lane.on_head, &lane.on_error);
        }
    }

    /// Asks JavaScript for new headers of a route.
    fn renew(this: &Shared, route: usize) {
        let refresh = this.borrow().refresh.clone();
        let answer = match refresh.dyn_ref::<Function>() {
            Some(refresh) => refresh.call1(&JsValue::UNDEFINED, &JsValue::from_f64(route as f64)),
            None => Ok(JsValue::UNDEFINED),
        };
        let answer = Promise::resolve(&answer.unwrap_or_default());
        let on_answer = callback(&Rc::downgrade(this), NO_ATTEMPT, Driver::handle_refreshed);
        let _ = answer.then2(&on_answer, &on_answer);
        this.borrow_mut().refreshing = Some((this.clone(), route, on_answer));
    }

    fn lane(&mut self, attempt: u32) -> Option<&mut Lane> {
        self.lanes.iter_mut().find(|lane| lane.attempt == attempt)
    }

    /// Carries out what the exchange asks for.
    fn act(&mut self, now: Instant) {
        // Calls of one gate share it, and none of them runs code of others while it is borrowed.
        let health = self.health.clone();
        while let Some(action) = self.call.exchange.poll(now, &mut health.borrow_mut()) {
            match action {
                Action::Send(sending) => {
                    self.call.cause = JsValue::UNDEFINED;
                    self.lanes.retain(|lane| !lane.gone || lane.busy.is_some() || lane.to_send.is_some());
                    let Ok(transport) = Transport::new() else {
                        self.call.exchange.handle_error(now, sending.attempt, self.output.deltas());
                        continue;
                    };
                    let me = &self.me;
                    self.lanes.push(Lane {
                        attempt: sending.attempt,
                        route: sending.route,
                        transport,
                        to_send: Some(Outgoing::Post(sending.request)),
                        live: None,
                        busy: None,
                        gone: false,
                        on_head: callback(me, sending.attempt, Driver::handle_head),
                        on_chunk: callback(me, sending.attempt, Driver::handle_chunk),
                        on_error: callback(me, sending.attempt, Driver::handle_error),
                    });
                }
                Action::Abort(attempt) => {
                    if let Some(lane) = self.lane(attempt) {
                        lane.abort();
                    }
                }
                Action::Resume { attempt, last_event } => {
                    self.call.cause = JsValue::UNDEFINED;
                    if let (Some(lane), Ok(transport)) = (self.lane(attempt), Transport::new()) {
                        lane.transport = transport;
                        lane.gone = false;
                        lane.to_send = Some(Outgoing::Resume(last_event));
                    }
                }
                Action::Refresh(route) => self.to_refresh = Some(route),
                Action::Wait(until) => self.wake_at(until, now),
                Action::Finish => {
                    self.finished = true;
                    self.deadline = None;
                    self.armed = None;
                    self.timer.stop();
                }
            }
        }
        // Timers fire up to a millisecond early, and the exchange does not ask twice for the same deadline.
        if let Some(until) = self.deadline.filter(|until| self.armed.is_none() && now < *until) {
            self.wake_at(until, now);
        }
        self.call.exchange.take_late(self.output.deltas());
    }

    fn wake_at(&mut self, until: Instant, now: Instant) {
        self.deadline = Some(until);
        // Deadlines move with each chunk, mostly to later: the timer is set again when it fires, not at every chunk.
        if self.armed.is_none_or(|armed| until < armed) {
            self.armed = Some(until);
            self.timer.set(until, now, &self.on_timer);
        }
    }

    fn handle_timer(&mut self, _: Instant, _: u32, _: JsValue) {
        self.armed = None;
    }

    fn handle_head(&mut self, now: Instant, attempt: u32, response: JsValue) {
        let response = match readable(response) {
            Ok(response) => response,
            Err(why) => return self.handle_error(now, attempt, TypeError::new(why).into()),
        };
        let head = ResponseHead::new(&response);
        self.call.exchange.handle_head(now, attempt, &head.as_head());
        let is_apart = self.call.exchange.is_apart(attempt);
        let sites = &self.sites;
        let Some(lane) = self.lanes.iter_mut().find(|lane| lane.attempt == attempt) else { return };
        lane.transport.read_from(&response);
        if is_apart {
            lane.gone = true;
            lane.transport.abort();
        }
        if lane.live.is_some() {
            return;
        }
        self.call.heads.push((attempt, head.as_head().status, convert::headers_to_js(&response)));
        if sites.get(lane.route).is_some_and(|site| site.resume) {
            lane.live = stream_id(&response);
            if lane.live.is_some() {
                self.call.exchange.handle_resumable(attempt);
            }
        }
    }

    fn handle_chunk(&mut self, now: Instant, attempt: u32, result: JsValue) {
        let result: ReadableStreamReadResult = result.unchecked_into();
        if result.get_done() == Some(true) {
            return self.handle_end(now, attempt);
        }
        let Some(chunk) = bytes_of(result.get_value()) else {
            return self.handle_error(
                now,
                attempt,
                TypeError::new("The answer's body does not consist of bytes.").into(),
            );
        };
        let len = chunk.length() as usize;
        if self.input.len() < len {
            self.input.resize(len.next_power_of_two(), 0);
        }
        let Some(input) = self.input.get_mut(..len) else { return };
        chunk.copy_to(input);
        self.output.take(&mut self.call.exchange, now, attempt, chunk.into(), input);
    }

    fn handle_end(&mut self, now: Instant, attempt: u32) {
        if let Some(lane) = self.lane(attempt) {
            lane.close();
        }
        self.call.exchange.handle_end(now, attempt, self.output.deltas());
    }

    fn handle_error(&mut self, now: Instant, attempt: u32, cause: JsValue) {
        if let Some(lane) = self.lane(attempt) {
            lane.close();
        }
        self.call.cause = cause;
        self.call.exchange.handle_error(now, attempt, self.output.deltas());
    }

    /// Header pairs, or anything else where there is no new credential.
    fn handle_refreshed(&mut self, now: Instant, _: u32, headers: JsValue) {
        let Some((_, route, _)) = self.refreshing.take() else { return };
        let headers = Array::is_array(&headers).then(|| pairs(Value::from_js(&headers))).flatten();
        let is_new = headers.is_some();
        if let (Some(headers), Some(site)) = (headers, self.sites.get_mut(route)) {
            site.headers = headers;
        }
        self.call.exchange.handle_refreshed(now, is_new);
    }

    /// The platform has called back for an attempt; whether anybody still wants to know.
    fn is_wanted(&mut self, attempt: u32) -> bool {
        if attempt == NO_ATTEMPT {
            return true;
        }
        self.lane(attempt).is_some_and(|lane| {
            lane.busy = None;
            !lane.gone
        })
    }

    /// Cancels the call; its requests are aborted at once.
    pub(crate) fn cancel(this: &Shared) {
        // Borrowed only if the platform calls back while it aborts: the call is over then anyway.
        let now = clock();
        if let Ok(mut driver) = this.try_borrow_mut() {
            driver.call.exchange.cancel(now);
            driver.act(now);
        } else {
            return;
        }
        // Between two attempts no callback will come to tell the one who waits.
        Driver::go_on(this, now);
    }
}

/// A callback for the platform: it tells the call, and the call goes on.
fn callback(me: &Weak<RefCell<Driver>>, attempt: u32, handle: fn(&mut Driver, Instant, u32, JsValue)) -> Callback {
    let me = me.clone();
    Closure::new(move |value| {
        let Some(this) = me.upgrade() else { return };
        let now = clock();
        {
            let mut driver = this.borrow_mut();
            if driver.is_wanted(attempt) {
                handle(&mut driver, now, attempt, value);
            }
        }
        Driver::go_on(&this, now);
    })
}
