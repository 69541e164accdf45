//! What callers may use: this isolate's parts of their limits, the objects that hold the truth, and the way to them. The rules are
//! [`Ledger`]'s and [`Purses`]'s.

use crate::headers::Headers;
use crate::{gate, js};
use js_sys::Reflect;
use sluicegate::access::Caller;
use sluicegate::config::Config;
use sluicegate::exchange::{Exchange, Plan};
use sluicegate::quota::{Actual, Demand, Ledger, Meter, Purses, Reservation, Verdict};
use sluicegate::request::{Needs, Request};
use sluicegate::{Error, ErrorKind};
use std::cell::RefCell;
use std::collections::BTreeMap;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;
use web_sys::Response;
use worker::Env;

/// The binding of the objects' class; an object is one key, by its id.
pub(crate) const BINDING: &str = "KEY_LIMITS";

/// The path at which an object is spoken to. From anywhere else there is nothing at it.
pub(crate) const PATH: &str = "/internal/key-limits";

/// How often a request asks before it is refused: once to be given something, and again for a window that ended or others who were faster.
const ROUNDS: u32 = 40;
/// The longest wait for somebody else's question, in milliseconds.
const WAIT: u32 = 64;
/// How long between two reports of a stream that runs, in milliseconds.
const REPORT: f64 = 10_000.0;

thread_local! {
    // The same for every request of the isolate: what it was given of each key's limits.
    static PURSES: RefCell<Option<Purses>> = const { RefCell::new(None) };
}

fn with<T>(env: &Env, act: impl FnOnce(&mut Purses) -> T) -> T {
    PURSES.with_borrow_mut(|purses| {
        // Random, which is why it is made in a request.
        act(purses.get_or_insert_with(|| Purses::new(&js::random_uuid(), gate::binding(env, BINDING).is_some())))
    })
}

/// Answers a message, in the object: its state and the message stand in the context, and the new state is put there. `None` anywhere else.
pub(crate) fn answer(context: &JsValue) -> Option<Result<Response, JsValue>> {
    let read = |name: &str| Reflect::get(context, &name.into()).ok()?.as_string();
    let (state, message) = (read("ledger")?, read("message")?);
    let mut ledger = Ledger::from_json(&state);
    let now = js::now() as u64;
    // No message at all asks what is used.
    let answer = if message.is_empty() { ledger.usage_json(now) } else { ledger.handle(now, &message) };
    let kept = Reflect::set(context, &"ledger".into(), &ledger.to_json().into());
    Some(kept.and_then(|_| js::respond(200, Headers::default().as_str(), &answer.into())))
}

/// What a call is counted at, and by whom.
pub(crate) struct Order {
    key: String,
    demand: Demand,
}

/// What is to be done before a call can be judged: a question to the key's object, or a wait for somebody else's.
pub(crate) struct First(Option<String>);

/// How long an answer is taken to become that nobody bounds, in tokens.
const ANSWER: u64 = 16_384;
/// The shortest answer worth beginning, where nobody bounds it.
const FLOOR: u64 = 64;

impl Order {
    /// What a call is counted at; `None` where nothing limits it.
    ///
    /// Errors: `forbidden` for a model without a price, where money is limited.
    pub(crate) fn new(
        config: &Config,
        caller: &Caller,
        route: &str,
        request: &Request,
        plan: &Plan,
    ) -> Result<Option<Order>, Error> {
        let Some(access) = config.access() else { return Ok(None) };
        let meters = access.meters(caller, request.model().unwrap_or_default(), route);
        if meters.is_empty() {
            return Ok(None);
        }
        // The dearest of the places that may answer.
        let price = plan.routes.iter().filter_map(|route| route.price).reduce(|one, other| one.dearest(&other));
        if price.is_none() && meters.iter().any(Meter::counts_money) {
            let message = "This key's spend is limited, and what this model costs is not configured.";
            return Err(Error::new(ErrorKind::Forbidden, message).with_param("model"));
        }
        // To estimate a prompt all of it is read.
        let needs = if meters.iter().any(Meter::counts_tokens) { request.needs() } else { Needs::default() };
        let asked = needs.max_tokens.map(u64::from);
        let choices = u64::from(request.choices());
        let completion = asked.unwrap_or(ANSWER).saturating_mul(choices);
        let demand = Demand {
            meters,
            requests: 1,
            prompt: u64::from(needs.prompt_tokens),
            completion,
            floor: if asked.is_some() { completion } else { FLOOR },
            price,
            stream: request.is_stream(),
        };
        Ok(Some(Order { key: caller.key.id.clone(), demand }))
    }

    /// The answer's length is a default, and the caller's wish is not known: it is begun with what there is, as without any.
    pub(crate) fn may_be_shorter(&mut self) {
        self.demand.floor = self.demand.floor.min(FLOOR);
    }

    /// What is set aside for the call, if that can be said without asking anybody; else what is to be done first.
    pub(crate) fn reserve(&self, env: &Env) -> Result<Result<Charge, Error>, First> {
        match self.judge(env) {
            Verdict::Ask(ask) => Err(First(Some(ask))),
            Verdict::Wait => Err(First(None)),
            Verdict::Admitted(reservation) => Ok(Ok(self.charge(env, reservation))),
            Verdict::Refused(refusal) => Ok(Err(refusal.error())),
        }
    }

    fn judge(&self, env: &Env) -> Verdict {
        with(env, |purses| purses.reserve(js::now() as u64, &self.key, &self.demand))
    }

    fn charge(&self, env: &Env, reservation: Reservation) -> Charge {
        share(env, &self.key);
        // An answer that is not text is not cut short.
        let is_bounded = self.demand.completion > 0 && self.demand.meters.iter().any(Meter::counts_money);
        let cap = reservation.covers().filter(|covers| is_bounded || *covers < self.demand.completion);
        let (key, prompt) = (self.key.clone(), self.demand.prompt);
        Charge { env: env.clone(), key, held: Some(reservation), cap, prompt, told: js::now() }
    }

    /// The same, asking the key's object as often as it takes.
    ///
    /// Errors: a limit's, or `limits_unavailable` if the object does not answer.
    pub(crate) async fn ask(&self, env: &Env, First(first): First) -> Result<Charge, Error> {
        let mut wait = 1;
        let mut silent = 0;
        let mut verdict = first.map_or(Verdict::Wait, Verdict::Ask);
        for _ in 0..ROUNDS {
            match verdict {
                Verdict::Admitted(reservation) => return Ok(self.charge(env, reservation)),
                Verdict::Refused(refusal) => return Err(refusal.error()),
                Verdict::Ask(ask) => {
                    let answer = send(env, &self.key, &ask).await.unwrap_or_default();
                    silent = if answer.is_empty() { silent + 1 } else { 0 };
                    with(env, |purses| purses.adopt(js::now() as u64, &self.key, &answer));
                    if silent >= 3 {
                        break;
                    }
                }
                Verdict::Wait => {
                    let _ = js::settled(js::sleep(wait)).await;
                    wait = (wait * 2).min(WAIT);
                }
            }
            verdict = self.judge(env);
        }
        let message = "What this key may still use could not be found out.";
        Err(Error::new(ErrorKind::LimitsUnavailable, message).with_retry_after_ms(1_000))
    }

    /// What the caller is told of what is left.
    pub(crate) fn standing(&self, env: &Env) -> Vec<(&'static str, String)> {
        let now = js::now() as u64;
        with(env, |purses| purses.standing(now, &self.key, &self.demand.meters)).headers()
    }
}

/// What is set aside for a call that runs.
pub(crate) struct Charge {
    env: Env,
    key: String,
    held: Option<Reservation>,
    /// The most tokens that it pays for.
    pub(crate) cap: Option<u64>,
    /// What its prompt is taken to be, in tokens.
    prompt: u64,
    told: f64,
}

impl Charge {
    /// The call goes on: from time to time, the object hears of it.
    pub(crate) fn tend(&mut self, now: f64) {
        if now - self.told >= REPORT {
            self.told = now;
            share(&self.env, &self.key);
        }
    }

    /// The call is over.
    pub(crate) fn settle(mut self, exchange: &Exchange) {
        let Some(held) = self.held.take() else { return };
        let now = js::now() as u64;
        let price = exchange.route().and_then(|route| route.price);
        let usage = exchange.reply().and_then(|reply| reply.usage.as_ref());
        let spent = exchange.spent();
        with(&self.env, |purses| match usage {
            _ if exchange.attempts() == 0 => purses.release(now, &self.key, held),
            Some(usage) => {
                let completion = usage.completion_tokens.max(spent);
                let cached = usage.cached_tokens.unwrap_or(0);
                let actual = Actual::of(price.as_ref(), usage.prompt_tokens, cached, completion);
                purses.settle(now, &self.key, held, actual);
            }
            // Nobody counted: of an answer that broke off, the tokens that came; of one that never began, nothing is billed.
            // What is no text may come without counts, and has been read all the same.
            None if spent == 0 && exchange.end().is_none_or(|end| end.error.is_some()) => {
                purses.settle(now, &self.key, held, Actual::default())
            }
            None => purses.settle(now, &self.key, held, Actual::of(price.as_ref(), self.prompt, 0, spent)),
        });
        share(&self.env, &self.key);
        later(&self.env, &self.key);
    }
}

impl Drop for Charge {
    /// A call that was never made.
    fn drop(&mut self) {
        if let Some(held) = self.held.take() {
            with(&self.env, |purses| purses.release(js::now() as u64, &self.key, held));
        }
    }
}

/// Tells a key's object what there is to tell; no call waits for it.
fn share(env: &Env, key: &str) {
    let Some(report) = with(env, |purses| purses.take_report(js::now() as u64, key)) else { return };
    let (env, key) = (env.clone(), key.to_owned());
    js::wait_until(&future_to_promise(async move {
        let answer = send(&env, &key, &report).await.unwrap_or_default();
        with(&env, |purses| purses.adopt(js::now() as u64, &key, &answer));
        Ok(JsValue::UNDEFINED)
    }));
}

/// How long after the last call the rest is told of what was used, in milliseconds: an isolate may hear of a key never again.
const QUIET: f64 = 5_000.0;
/// For how long one request waits for that. The platform ends what a request leaves behind after half a minute.
const PATIENT: f64 = 20_000.0;
/// Of how many keys at once.
const TOLD: usize = 256;

thread_local! {
    // The same for every request of the isolate: the keys of which the rest will be told, since when that is waited for, and the last call.
    static TELLING: RefCell<BTreeMap<String, (f64, f64)>> = const { RefCell::new(BTreeMap::new()) };
}

/// Tells the rest once nothing was called for a while: while there are calls, they tell what there is to tell.
fn later(env: &Env, key: &str) {
    if gate::binding(env, BINDING).is_none() {
        return;
    }
    let now = js::now();
    let is_under_way = TELLING.with_borrow_mut(|telling| match telling.get_mut(key) {
        // One that waits for too long was ended together with its request.
        Some((since, last)) if now - *since < PATIENT + 2.0 * QUIET => {
            *last = now;
            true
        }
        _ => {
            telling.retain(|_, (since, _)| now - *since < PATIENT + 2.0 * QUIET);
            telling.len() >= TOLD || telling.insert(key.to_owned(), (now, now)).is_some()
        }
    });
    if is_under_way {
        return;
    }
    let (env, key) = (env.clone(), key.to_owned());
    js::wait_until(&future_to_promise(async move {
        let mut wait = QUIET;
        while wait > 0.0 {
            let _ = js::settled(js::sleep(wait as u32 + 1)).await;
            let now = js::now();
            wait = TELLING.with_borrow_mut(|telling| match telling.get(&key) {
                Some((since, last)) if now - last < QUIET && now - since < PATIENT => last + QUIET - now,
                _ => {
                    telling.remove(&key);
                    0.0
                }
            });
        }
        if let Some(report) = with(&env, |purses| purses.take_rest(js::now() as u64, &key)) {
            let answer = send(&env, &key, &report).await.unwrap_or_default();
            with(&env, |purses| purses.adopt(js::now() as u64, &key, &answer));
        }
        Ok(JsValue::UNDEFINED)
    }));
}

async fn send(env: &Env, key: &str, message: &str) -> Option<String> {
    let namespace = gate::binding(env, BINDING)?;
    js::settled(js::tell(&namespace, key, message, PATH)).await.ok()?.as_string()
}

/// What a key has used, as JSON; nothing where nobody knows.
pub(crate) async fn usage(env: &Env, key: &str) -> Option<String> {
    if gate::binding(env, BINDING).is_some() {
        return send(env, key, "").await;
    }
    with(env, |purses| purses.usage_json(js::now() as u64, key))
}
