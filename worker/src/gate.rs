//! The configuration as this isolate knows it, and the secrets of the request at hand.

use crate::{health, js};
use js_sys::{JSON, Object, Reflect};
use sluicegate::config::{Config, Redaction, Upstream};
use sluicegate::exchange::{Action, BreakerPolicy, Exchange, Health, Standing};
use sluicegate::time::Instant;
use sluicegate::{Error, ErrorKind};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::{JsCast as _, JsValue};
use worker::Env;

const VARIABLE: &str = "GATE_CONFIG";

type Parsed = Result<Rc<Config>, Error>;

thread_local! {
    // The same for every request of the isolate: the variable as it was read last, and what it says.
    static LAST: RefCell<Option<(JsValue, Parsed)>> = const { RefCell::new(None) };
    // What this isolate's calls have found out about the routes.
    static HEALTH: RefCell<Health> = RefCell::new(Health::new(BreakerPolicy::default()));
}

/// The configuration; parsed again only when the variable holds another text or object.
pub(crate) fn config(env: &Env) -> Parsed {
    let value = Reflect::get(env.as_ref(), &VARIABLE.into()).unwrap_or(JsValue::UNDEFINED);
    if let Some(parsed) = LAST.with_borrow(|last| {
        let same = last.as_ref().filter(|(known, _)| *known == value);
        same.map(|(_, parsed)| parsed.clone())
    }) {
        return parsed;
    }
    // wrangler hands a variable that is written as JSON over as an object.
    let text = if value.is_object() { JSON::stringify(&value).ok().map(String::from) } else { value.as_string() };
    let parsed = match text {
        Some(text) => Config::parse(&text).map(Rc::new),
        None => Err(Error::new(ErrorKind::Misconfigured, "The variable GATE_CONFIG is not set.").with_param(VARIABLE)),
    };
    if let Ok(config) = &parsed {
        let policy = config.breaker();
        let is_shared = binding(env, health::BINDING).is_some();
        HEALTH.set(if is_shared { Health::shared(policy) } else { Health::new(policy) });
    }
    LAST.set(Some((value, parsed.clone())));
    parsed
}

/// What a call does next, given how its routes have done in other calls.
pub(crate) fn poll(exchange: &mut Exchange, now: Instant) -> Option<Action> {
    HEALTH.with_borrow_mut(|health| exchange.poll(now, health))
}

/// What the other isolates are to hear of the routes, if anything.
pub(crate) fn take_report(now: Instant) -> Option<String> {
    HEALTH.with_borrow_mut(|health| health.take_report(now))
}

/// What is known of a route.
pub(crate) fn standing(now: Instant, key: &str) -> Standing {
    HEALTH.with_borrow(|health| health.standing(now, key))
}

/// Takes over what the other isolates know.
pub(crate) fn adopt(now: Instant, answer: &str) {
    HEALTH.with_borrow_mut(|health| health.adopt(now, answer));
}

/// The key of an upstream, read for this request only.
pub(crate) fn secret(env: &Env, config: &Config, upstream: &Upstream) -> Result<Option<String>, Error> {
    let Some(name) = upstream.secret() else { return Ok(None) };
    let at = config.upstreams().iter().position(|other| other.name() == upstream.name()).unwrap_or_default();
    let fault = |what: &str| unfit(name, what, format!("upstreams[{at}].secret"));
    let value = named(env, name).ok_or_else(|| fault("is not set"))?;
    if !value.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(fault("holds characters that a key cannot have"));
    }
    Ok(Some(value))
}

/// The least length of the secret that keys tokens, in characters: as long as the hash that is made with it.
const KEY: usize = 32;

/// The secret that keys the tokens of redaction; `None` where each isolate is to have a key of its own.
pub(crate) fn token_secret(env: &Env, redaction: &Redaction) -> Result<Option<String>, Error> {
    let Some(name) = redaction.secret() else { return Ok(None) };
    let fault = |what: &str| unfit(name, what, "redaction.secret".to_owned());
    let value = named(env, name).ok_or_else(|| fault("is not set"))?;
    if value.len() < KEY { Err(fault("is shorter than 32 characters")) } else { Ok(Some(value)) }
}

/// A secret's text, unless it is not set or empty.
pub(crate) fn named(env: &Env, name: &str) -> Option<String> {
    let value = Reflect::get(env.as_ref(), &name.into()).ok()?.as_string()?;
    Some(value.trim().to_owned()).filter(|value| !value.is_empty())
}

/// The error for a secret that is not what the configuration needs.
pub(crate) fn unfit(name: &str, what: &str, param: String) -> Error {
    Error::new(ErrorKind::Misconfigured, format!("The secret {name} {what}.")).with_param(param)
}

/// A binding to something of the platform's, if there is one of this name.
pub(crate) fn binding(env: &Env, name: &str) -> Option<Object> {
    Reflect::get(env.as_ref(), &name.into()).ok()?.dyn_into().ok()
}

/// The caller's id for the request if it is a plain one, else a new one.
pub(crate) fn request_id(sent: Option<&str>) -> String {
    let is_plain = |id: &&str| {
        (1..=128).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
    };
    sent.filter(is_plain).map_or_else(js::random_uuid, str::to_owned)
}
