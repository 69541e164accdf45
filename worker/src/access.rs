//! Who sent a request: the secrets that the configuration names, the places of a request where a credential may stand, and the core's
//! judgement of it.

use crate::visit::Visit;
use crate::{gate, store};
use js_sys::Reflect;
use sluicegate::access::key::digest;
use sluicegate::access::secret::{Key, Root};
use sluicegate::access::token::Authority;
use sluicegate::access::{
    Identified, Judge, KeySecrets, Operation, Presented, Query, Route, Secrets, Sent, parse_address,
};
use sluicegate::config::{Access, Config, KeyText};
use sluicegate::{Error, ErrorKind};
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::JsValue;
use worker::Env;

thread_local! {
    // The same for every request of the isolate: secrets do not change while it lives, and those of a new configuration are read anew.
    static LAST: RefCell<Option<(Rc<Config>, Result<Rc<Secrets>, Error>)>> = const { RefCell::new(None) };
}

/// What the secrets come to that the configuration names.
///
/// Errors: `misconfigured`, for one that is not set or not fit.
pub(crate) fn secrets(env: &Env, config: &Rc<Config>, access: &Access) -> Result<Rc<Secrets>, Error> {
    if let Some(secrets) = LAST.with_borrow(|last| {
        let same = last.as_ref().filter(|(known, _)| Rc::ptr_eq(known, config));
        same.map(|(_, secrets)| secrets.clone())
    }) {
        return secrets;
    }
    let secrets = read(env, access).map(Rc::new);
    LAST.set(Some((config.clone(), secrets.clone())));
    secrets
}

/// The least length of a key that an operator chose, in characters: shorter ones can be guessed.
const LEAST: usize = 16;

fn read(env: &Env, access: &Access) -> Result<Secrets, Error> {
    let at = |error: Error, path: &str| {
        Error::new(ErrorKind::Misconfigured, error.message().to_owned()).with_param(["access.", path].concat())
    };
    let root = |name: &Option<String>, path: &str| {
        let Some(name) = name else { return Ok(None) };
        let text = gate::named(env, name).ok_or_else(|| gate::unfit(name, "is not set", ["access.", path].concat()))?;
        Root::new(&text).map(Some).map_err(|error| at(error, path))
    };
    let key = |name: &str, path: &str| {
        let text = gate::named(env, name).ok_or_else(|| gate::unfit(name, "is not set", ["access.", path].concat()))?;
        if text.len() < LEAST {
            return Err(gate::unfit(name, "is shorter than 16 characters", ["access.", path].concat()));
        }
        Ok(text)
    };
    let (current, previous) = (root(&access.root, "root")?, root(&access.previous_root, "previous_root")?);
    let mut secrets = Secrets {
        bootstrap: access
            .bootstrap
            .as_deref()
            .map(|name| key(name, "bootstrap"))
            .transpose()?
            .map(|text| digest(&text)),
        keys: Vec::new(),
        authority: current.map(|root| Authority::new(access.issuer.as_deref().unwrap_or("sluicegate"), root, previous)),
    };
    for own in &access.keys {
        let digest = match &own.text {
            KeyText::Digest(digest) => *digest,
            KeyText::Secret(name) => digest(&key(name, "keys")?),
        };
        let assertions = match &own.record.secret {
            Some(name) => {
                let text = gate::named(env, name).and_then(|text| Key::of_text(&text));
                Some(text.ok_or_else(|| {
                    gate::unfit(name, "is not set, or shorter than 32 characters", "access.keys".to_owned())
                })?)
            }
            None => None,
        };
        secrets.keys.push(KeySecrets { digest: Some(digest), assertions });
    }
    Ok(secrets)
}

/// Whose a request is, or what the store has to say first.
///
/// Errors: `unauthorized`, `invalid_request` for several credentials.
pub(crate) fn identify(
    visit: &Visit,
    env: &Env,
    config: &Rc<Config>,
    access: &Access,
    route: Route<'_>,
    context: &JsValue,
) -> Result<Identified, Error> {
    let secrets = secrets(env, config, access)?;
    let mut known = |query: &Query| store::known(env, query);
    let mut judge = Judge {
        access,
        secrets: &secrets,
        known: &mut known,
        now_s: store::now_s(),
        address: address(visit, config),
        own: visit.origin(),
        origin: visit.header("origin"),
    };
    if let Some(told) = Reflect::get(context, &"caller".into()).ok().and_then(|told| told.as_string()) {
        return judge.resume(&told);
    }
    let presented = sent(visit, route).presented(config.callers().placeholders())?;
    judge.identify(presented)
}

/// The operation under which the gate asks itself for a caller; no request from elsewhere has one.
pub(crate) fn via(context: &JsValue) -> Option<Operation> {
    let via = Reflect::get(context, &"via".into()).ok()?.as_string()?;
    Operation::of_name(&via)
}

/// The places of a request where a credential may stand.
pub(crate) fn sent<'a>(visit: &'a Visit, route: Route<'_>) -> Sent<'a> {
    let is_admin = visit.path().starts_with("/admin/");
    // A cookie goes with every request that any page makes; only our own page's count.
    let is_own = visit.header("sec-fetch-site").is_none_or(|site| site == "same-origin")
        && visit.header("origin").is_none_or(|origin| origin == visit.origin());
    Sent {
        authorization: visit.header("authorization"),
        x_api_key: visit.header("x-api-key"),
        api_key: visit.header("api-key"),
        cookie: visit.header("cookie").filter(|_| is_admin && is_own),
        protocols: visit.header("sec-websocket-protocol").filter(|_| route == Route::Socket),
        is_secure: visit.is_secure(),
    }
}

/// Where a caller is. Cloudflare says so in a header that no caller can set there; other such headers are anybody's.
pub(crate) fn address(visit: &Visit, config: &Config) -> Option<core::net::IpAddr> {
    match visit.header("cf-connecting-ip") {
        Some(address) => parse_address(address),
        // Nothing in front: whoever develops is on this machine.
        None if config.is_development() => parse_address("127.0.0.1"),
        None => None,
    }
}

/// A credential for the routes that judge their own.
pub(crate) fn presented<'a>(visit: &'a Visit, config: &Config, route: Route<'_>) -> Result<Presented<'a>, Error> {
    sent(visit, route).presented(config.callers().placeholders())
}
