//! The configuration as this isolate knows it, and the secrets of the request at hand.

use crate::js;
use js_sys::{JSON, Reflect};
use sluicegate::config::{Config, Upstream};
use sluicegate::exchange::{Action, BreakerPolicy, Exchange, Health};
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
        HEALTH.set(Health::new(config.breaker()));
    }
    LAST.set(Some((value, parsed.clone())));
    parsed
}

/// What a call does next, given how its routes have done in other calls.
pub(crate) fn poll(exchange: &mut Exchange, now: Instant) -> Option<Action> {
    HEALTH.with_borrow_mut(|health| exchange.poll(now, health))
}

/// The key of an upstream, read for this request only.
pub(crate) fn secret(env: &Env, config: &Config, upstream: &Upstream) -> Result<Option<String>, Error> {
    let Some(name) = upstream.secret() else { return Ok(None) };
    let value = Reflect::get(env.as_ref(), &name.into()).ok().and_then(|value| value.as_string());
    let value = value.as_deref().map(str::trim).unwrap_or_default();
    let at = config.upstreams().iter().position(|other| other.name() == upstream.name()).unwrap_or_default();
    let fault = |what: &str| {
        let message = format!("The secret {name} {what}.");
        Error::new(ErrorKind::Misconfigured, message).with_param(format!("upstreams[{at}].secret"))
    };
    if value.is_empty() {
        return Err(fault("is not set"));
    }
    if !value.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(fault("holds characters that a key cannot have"));
    }
    Ok(Some(value.to_owned()))
}

/// The binding that serves the page's files, if there is one.
pub(crate) fn assets(env: &Env) -> Option<web_sys::js_sys::Object> {
    let binding = Reflect::get(env.as_ref(), &"ASSETS".into()).ok()?;
    binding.dyn_into().ok()
}

/// The caller's id for the request if it is a plain one, else a new one.
pub(crate) fn request_id(sent: Option<&str>) -> String {
    let is_plain = |id: &&str| {
        (1..=128).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
    };
    sent.filter(is_plain).map_or_else(js::random_uuid, str::to_owned)
}
