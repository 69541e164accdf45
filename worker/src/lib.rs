//! The edge gateway: an OpenAI-compatible API in front of the configured upstreams, on Cloudflare Workers.
//!
//! Every request to the API takes the one way through [`admit`]: limits, origin, credentials, then its route. What the rules
//! are is the core's business; here they are applied.

mod access;
mod admin;
mod answer;
mod auth;
mod batch;
mod call;
mod dataset;
mod gate;
mod guides;
mod headers;
mod health;
mod js;
mod limits;
mod live;
mod meter;
mod models;
mod own;
mod page;
mod sender;
mod socket;
mod status;
mod store;
mod tap;
mod visit;

use answer::Answers;
use call::{Door, Ordered};
use guides::Guide;
use live::Live;
use meter::Entry;
use models::Asked;
use sluicegate::access::{self as rights, Identified, Query, Right, Route, Via};
use sluicegate::config::{Config, Credential, OriginVerdict};
use sluicegate::request::Endpoint;
use sluicegate::{Error, ErrorKind};
use std::rc::Rc;
use visit::Visit;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;
use web_sys::{Request, Response};
use worker::Env;

/// The Worker's handler: gives a `Response`, or a promise of one. In an object, `context` is what it says about itself.
// Not `worker`'s `event`: that makes a future of every request, see `call`.
#[wasm_bindgen]
pub fn fetch(request: Request, env: Env, context: JsValue) -> Result<JsValue, JsValue> {
    let visit = Visit::new(request);
    let is_for_page = !rights::is_api(visit.path()) && matches!(visit.method(), "GET" | "HEAD");
    if !is_for_page {
        return answer(visit, env, &context, 0);
    }
    Ok(future_to_promise(async move {
        match page::serve(visit.request(), &env, visit.is_secure()).await? {
            Some(file) => Ok(file.into()),
            None => answer(visit, env, &context, 0),
        }
    })
    .into())
}

/// Answers a request to the API, and writes its log line unless that is done when a call or a list ends.
/// `asked` is how often the store was asked whose it is.
fn answer(visit: Visit, env: Env, context: &JsValue, asked: u32) -> Result<JsValue, JsValue> {
    if visit.path() == health::PATH
        && let Some(response) = health::answer(&env, context)
    {
        return response.map(JsValue::from);
    }
    if visit.path() == limits::PATH
        && let Some(response) = limits::answer(context)
    {
        return response.map(JsValue::from);
    }
    if visit.path() == socket::PATH
        && let Some(response) = socket::answer(&env, context)
    {
        return response.map(JsValue::from);
    }
    let id = gate::request_id(visit.header("x-request-id"));
    let mut entry = Entry::new(id.clone(), js::now());
    let mut answers = Answers { id, is_head: visit.method() == "HEAD", ..Answers::default() };
    let response = match admit(&visit, &env, context, &mut answers, &mut entry) {
        Ok(Admitted::Call(ordered, config)) => {
            return Door::new(ordered, &visit, env, config, answers, entry).call(&visit);
        }
        Ok(Admitted::Status(asked, config)) => {
            return Ok(future_to_promise(async move {
                let status = asked.answer(&env, &config, &answers).await;
                let response =
                    status.map_or_else(|error| refuse(&answers, &mut entry, error.into()), |text| answers.json(&text));
                entry.write();
                response.map(JsValue::from)
            })
            .into());
        }
        Ok(Admitted::Batch(asked, config)) => return Ok(asked.answer(env, config, answers, entry).into()),
        Ok(Admitted::Socket(opening)) => return Ok(opening.answer(env, answers, entry).into()),
        Ok(Admitted::Stream(asked)) => return asked.answer(&visit, &env, context, answers, entry),
        Ok(Admitted::Models(asked, config)) => {
            return Ok(future_to_promise(async move {
                let listed = asked.answer(&env, &config, &mut answers).await;
                let response =
                    listed.map_or_else(|error| refuse(&answers, &mut entry, error.into()), |text| answers.json(&text));
                entry.write();
                response.map(JsValue::from)
            })
            .into());
        }
        Ok(Admitted::Auth(asked, config)) => {
            return Ok(future_to_promise(async move {
                let desk = auth::Desk { visit: &visit, env: &env, config: &config, answers: &answers };
                let response = desk.answer(asked, &mut entry).await;
                entry.write();
                response.map(JsValue::from)
            })
            .into());
        }
        Ok(Admitted::Admin(asked, config)) => {
            return Ok(future_to_promise(async move {
                let response = match asked.answer(&env, &config).await {
                    Ok(reply) => reply.respond(&answers),
                    Err(error) => refuse(&answers, &mut entry, error.into()),
                };
                entry.write();
                response.map(JsValue::from)
            })
            .into());
        }
        Ok(Admitted::Dataset(asked, config)) => return asked.answer(&visit, env, config, answers, entry),
        Ok(Admitted::Ask(query)) if asked < QUESTIONS => {
            return Ok(ask(visit, env, context.clone(), answers, entry, query, asked).into());
        }
        Ok(Admitted::Ask(_)) => refuse(&answers, &mut entry, rights::refused().into()),
        Ok(Admitted::Text(text)) => answers.json(&text),
        Ok(Admitted::Preflight(allow)) => preflight(&visit, &answers, allow),
        Err(refusal) => refuse(&answers, &mut entry, refusal),
    };
    entry.write();
    response.map(JsValue::from)
}

/// How often the store is asked for one request: for a key, and for the one that a token of its is for.
const QUESTIONS: u32 = 3;

/// Has the store say whose a request is, and begins anew.
fn ask(
    visit: Visit,
    env: Env,
    context: JsValue,
    answers: Answers,
    mut entry: Entry,
    query: Query,
    asked: u32,
) -> js_sys::Promise {
    future_to_promise(async move {
        if let Err(error) = store::look_up(&env, &query).await {
            let response = refuse(&answers, &mut entry, error.into());
            entry.write();
            return response.map(JsValue::from);
        }
        let answered = answer(visit, env, &context, asked + 1)?;
        js::settled(js_sys::Promise::resolve(&answered)).await
    })
}

fn refuse(answers: &Answers, entry: &mut Entry, Refusal { error, allow }: Refusal) -> Result<Response, JsValue> {
    entry.refused(&error);
    let allow = allow.map(|allow| ("allow", allow));
    answers.error(&error, allow.as_slice())
}

enum Admitted {
    /// A call is to be made.
    Call(Ordered, Rc<Config>),
    /// A live stream is asked for.
    Stream(live::Asked),
    /// How a model does is asked for.
    Status(status::Asked, Rc<Config>),
    /// Several prompts are to be answered.
    Batch(batch::Asked, Rc<Config>),
    /// A WebSocket is to be opened.
    Socket(socket::Opening),
    /// A list of models is asked for.
    Models(Asked, Rc<Config>),
    /// Tokens and sessions.
    Auth(auth::Asked, Rc<Config>),
    /// An administrator asks for something.
    Admin(admin::Asked, Rc<Config>),
    /// A caller sends a dataset, or asks for theirs.
    Dataset(dataset::Asked, Rc<Config>),
    /// The store has to say whose it is.
    Ask(Query),
    /// A JSON document.
    Text(String),
    /// The answer to `OPTIONS`: the methods of the path.
    Preflight(&'static str),
}

struct Refusal {
    error: Error,
    allow: Option<&'static str>,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Refusal { error, allow: None }
    }
}

/// The one way in: limits, origin, route, credentials; then what the route does.
fn admit(
    visit: &Visit,
    env: &Env,
    context: &JsValue,
    answers: &mut Answers,
    entry: &mut Entry,
) -> Result<Admitted, Refusal> {
    let shared = gate::config(env)?;
    let config: &Config = &shared;
    entry.level = config.log();
    visit.check_head(config.request_headers())?;
    answers.hops = headers::hops(visit.header("user-agent"));
    if answers.hops >= headers::HOPS {
        let message =
            "The request came through as many gates as may stand behind each other; do calls go round in circles?";
        return Err(Error::new(ErrorKind::Misconfigured, message).with_param("upstreams").into());
    }
    check_origin(visit, config, answers)?;
    let Some(rights::Found { route, allow }) = rights::at(visit.path()) else {
        return Err(Error::new(ErrorKind::NotFound, "There is nothing at this path.").into());
    };
    entry.route = route.name();
    match visit.method() {
        "OPTIONS" => return Ok(Admitted::Preflight(allow)),
        sent if allow.split(", ").any(|method| method == sent) => {}
        _ => {
            let error = Error::new(ErrorKind::MethodNotAllowed, "This path does not take this method.");
            return Err(Refusal { error, allow: Some(allow) });
        }
    }
    // Where Anthropic's clients send their key.
    let is_apart = route == Route::Call(Endpoint::Messages) && visit.header("authorization").is_none();
    let apart = visit.header("x-api-key").filter(|_| is_apart).map(|key| ["Bearer ", key].concat());
    // What the gate asks itself for a caller goes by the right under which the caller asked.
    let via = access::via(context);
    if let Some(via) = via {
        entry.route = via.as_str();
    }
    let right = via.map_or_else(|| route.right(visit.method()), Right::To);
    let (caller, credential) = match (config.access(), right) {
        (_, Right::Public | Right::Own) => (None, Credential::None),
        (Some(access), Right::To(operation)) => match access::identify(visit, env, &shared, access, route, context)? {
            Identified::Ask(query) => return Ok(Admitted::Ask(query)),
            Identified::Caller(caller) => {
                caller.authorise(operation, store::now_s())?;
                if caller.via == Via::Ignored {
                    answers.notices.push("credential_ignored".to_owned());
                }
                entry.caller = Some(caller.key.id.clone());
                (Some(caller), Credential::None)
            }
        },
        (None, Right::To(_)) => {
            let is_elsewhere = |name: &&str| visit.header(name).is_some() && !(apart.is_some() && *name == "x-api-key");
            let elsewhere = ["x-api-key", "api-key"].iter().any(is_elsewhere);
            let authorization = visit.header("authorization").or(apart.as_deref());
            (None, config.callers().judge(authorization, elsewhere)?)
        }
    };
    if socket::is_check(context) {
        return Ok(Admitted::Text("{}".to_owned()));
    }
    if credential == Credential::Ignored {
        answers.notices.push("credential_ignored".to_owned());
    }
    let not_found = || Error::new(ErrorKind::NotFound, "There is nothing at this path.");
    if config.access().is_some()
        && let Some(asked) = auth::Asked::of(route, visit.method(), caller.as_ref())
    {
        return Ok(Admitted::Auth(asked, shared));
    }
    match route {
        Route::Call(endpoint) => {
            let ordered = Ordered::new(visit, caller, credential, endpoint, Live::read(visit, env, context)?)?;
            Ok(Admitted::Call(ordered, shared))
        }
        Route::Infer(_) | Route::Complete => {
            let guide = match route {
                Route::Complete if socket::is_of_socket(context) => Guide::Socket,
                Route::Infer(raw) => Guide::Infer(rights::model_id(raw).ok_or_else(not_found)?),
                _ => Guide::Complete,
            };
            let live = Live::read(visit, env, context)?;
            let ordered = Ordered::new(visit, caller, credential, Endpoint::ChatCompletions, live)?;
            Ok(Admitted::Call(ordered.as_in(guide), shared))
        }
        Route::Status(raw) => {
            let model = rights::model_id(raw).ok_or_else(not_found)?;
            Ok(Admitted::Status(status::Asked { model, caller }, shared))
        }
        Route::Batch => Ok(Admitted::Batch(batch::Asked::new(visit, caller.as_ref())?, shared)),
        Route::Socket => Ok(Admitted::Socket(socket::Opening::new(visit, caller.as_ref())?)),
        Route::Stream(id) => Ok(Admitted::Stream(live::Asked::new(visit, id)?)),
        Route::Models => Ok(Admitted::Models(Asked::new(credential, caller, None), shared)),
        Route::Model(raw) => {
            let id = rights::model_id(raw).ok_or_else(not_found)?;
            Ok(Admitted::Models(Asked::new(credential, caller, Some(id)), shared))
        }
        Route::Health => Ok(Admitted::Text(models::healthz(env, &shared))),
        _ => {
            let caller = caller.ok_or_else(|| {
                let message = "This deployment has no callers of its own: set `access` in GATE_CONFIG.";
                Error::new(ErrorKind::NotSupported, message).with_param("access")
            })?;
            if let Some(asked) = dataset::Asked::new(visit, route, &caller)? {
                return Ok(Admitted::Dataset(asked, shared));
            }
            let asked = admin::Asked::new(visit, route, caller)?.ok_or_else(not_found)?;
            Ok(Admitted::Admin(asked, shared))
        }
    }
}

fn check_origin(visit: &Visit, config: &Config, answers: &mut Answers) -> Result<(), Error> {
    let origin = visit.header("origin");
    match config.judge_origin(origin, visit.origin()) {
        OriginVerdict::Own => Ok(()),
        OriginVerdict::Listed => {
            answers.origin = origin.map(str::to_owned);
            Ok(())
        }
        // The header says what the browser thinks; a proxy in front may have changed the host that we see.
        OriginVerdict::Foreign if visit.header("sec-fetch-site") == Some("same-origin") => Ok(()),
        OriginVerdict::Foreign => {
            Err(Error::new(ErrorKind::Forbidden, "Pages of this origin may not use the gate.").with_param("origin"))
        }
    }
}

/// What pages on listed origins may send, which is what SDKs do send; most of it goes no further than the gate.
/// `x-stainless-*` are the statistics headers of OpenAI's SDKs.
const REQUEST_HEADERS: [&str; 17] = [
    "authorization",
    "content-type",
    "accept",
    "idempotency-key",
    "last-event-id",
    "x-request-id",
    "x-sluicegate-resume",
    "user-agent",
    "x-api-key",
    "openai-organization",
    "openai-project",
    "openai-beta",
    "anthropic-version",
    "anthropic-beta",
    "anthropic-dangerous-direct-browser-access",
    "http-referer",
    "x-title",
];

fn preflight(visit: &Visit, answers: &Answers, allow: &'static str) -> Result<Response, JsValue> {
    let is_preflight = answers.origin.is_some() && visit.header("access-control-request-method").is_some();
    if !is_preflight {
        return answers.empty(&[("allow", allow)]);
    }
    let asked = visit.header("access-control-request-headers").unwrap_or_default().to_ascii_lowercase();
    let is_allowed = |name: &&str| {
        let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        REQUEST_HEADERS.contains(name) || (name.starts_with("x-stainless-") && is_name)
    };
    let allowed: Vec<&str> = asked.split(',').map(str::trim).filter(is_allowed).take(64).collect();
    let allowed = allowed.join(", ");
    answers.empty(&[
        ("access-control-allow-methods", allow),
        ("access-control-allow-headers", &allowed),
        ("access-control-max-age", "7200"),
    ])
}
