//! One call of a model: parse, route, send, and hand the answer on.

use crate::answer::{Answers, JSON};
use crate::meter::Entry;
use crate::tap::Call;
use crate::visit::Visit;
use crate::{gate, headers, js};
use js_sys::Uint8Array;
use sluicegate::config::{Config, Credential};
use sluicegate::exchange::{Action, Exchange, Plan};
use sluicegate::reply;
use sluicegate::request::{Dialect, Endpoint, Request, Target};
use sluicegate::time::Instant;
use sluicegate::{Error, ErrorKind};
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{ReadableStream, Response};
use worker::Env;

/// How a call came out, for the caller and for the log.
pub(crate) enum Done {
    /// The call was made; its log line is written when it is over.
    Called(Result<Response, JsValue>),
    /// It was refused before anything was sent.
    Refused(Error),
}

/// Makes the call.
pub(crate) async fn run(
    visit: &Visit,
    env: &Env,
    config: &Config,
    credential: Credential<'_>,
    endpoint: Endpoint,
    answers: &mut Answers,
    entry: &mut Entry,
) -> Done {
    match prepare(visit, env, config, credential, endpoint, entry).await {
        Ok(prepared) => Done::Called(send(visit, prepared, answers, entry.clone()).await),
        Err(error) => Done::Refused(error),
    }
}

struct Prepared {
    call: Call,
    url: String,
    headers: headers::Headers,
    body: Vec<u8>,
    upstream: String,
    notices: Vec<String>,
    heartbeat: f64,
}

async fn prepare(
    visit: &Visit,
    env: &Env,
    config: &Config,
    credential: Credential<'_>,
    endpoint: Endpoint,
    entry: &mut Entry,
) -> Result<Prepared, Error> {
    let idempotency_key = visit.idempotency_key()?;
    let body = visit.json_body(config.limits().request_body).await?;
    let request = Request::parse(endpoint, &body, &config.limits())?;
    drop(body);
    let model = request.model().ok_or_else(|| {
        let message = "Required: the model's id, as GET /v1/models lists it.";
        Error::new(ErrorKind::InvalidRequest, message).with_param("model")
    })?;
    let route = config.route(model)?;
    let upstream = route.upstream;
    entry.upstream = Some(upstream.name().to_owned());
    entry.model = Some(route.model.to_owned());
    entry.stream = request.is_stream();
    if upstream.base_url().host() == visit.host() {
        let message = "The upstream is this gate itself; calls would go round in circles.";
        return Err(Error::new(ErrorKind::Misconfigured, message).with_param("upstreams"));
    }
    let secret = gate::secret(env, config, upstream)?;
    let key = match credential {
        Credential::Passed(token) => Some(token),
        _ => secret.as_deref(),
    };
    let target = Target {
        dialect: upstream.dialect(),
        model: route.model,
        replay: route.replay,
        // DeepSeek and SiliconFlow send the usage unasked; it is hidden from callers who did not ask.
        add_usage: request.is_stream() && upstream.dialect() == Dialect::OpenAi,
    };
    let built = request.build(&target)?;
    let notices = built.changes.iter().map(|change| format!("request_changed:{}", change.field)).collect();
    let plan = Plan {
        budgets: upstream.budgets(),
        reply: reply::Options { limits: config.limits(), think_tags: upstream.think_tags(), collect: false },
    };
    let now = Instant(js::now() as u64);
    let mut exchange = Exchange::new(now, plan, built);
    let Some(Action::Send(built)) = exchange.poll(now) else {
        return Err(Error::new(ErrorKind::Internal, "The exchange did not begin by sending."));
    };
    let accept = if built.stream { "text/event-stream" } else { "application/json" };
    let mut headers = headers::upward(key, accept, &entry.id, upstream.headers());
    headers.add("content-type", "application/json");
    if let Some(key) = &idempotency_key {
        headers.add("idempotency-key", key);
    }
    Ok(Prepared {
        call: Call::new(exchange),
        url: format!("{}{}", upstream.base_url().as_str(), built.path),
        headers,
        body: built.body,
        upstream: upstream.name().to_owned(),
        notices,
        heartbeat: config.heartbeat() as f64,
    })
}

async fn send(visit: &Visit, prepared: Prepared, answers: &mut Answers, entry: Entry) -> Result<Response, JsValue> {
    let started = entry.started;
    let tap = prepared.call.tap(js::now(), entry);
    let body = Uint8Array::from(prepared.body.as_slice());
    let promise = js::drive(tap, &prepared.url, prepared.headers.as_str(), body, &visit.signal(), prepared.heartbeat);
    let result = js::settled(promise).await?;
    answers.notices.extend(prepared.notices);
    let upstream = ("x-sluicegate-upstream", prepared.upstream.as_str());
    if result.is_null() {
        let internal = || Error::new(ErrorKind::Internal, "The call ended without an answer and without an error.");
        let error = prepared.call.error().unwrap_or_else(internal);
        let trace_id = prepared.call.answer(|answer, _| answer.trace_id().map(str::to_owned));
        let mut extra = vec![upstream];
        if let Some(id) = &trace_id {
            extra.push(("x-upstream-trace-id", id));
        }
        return answers.error(&error, &extra);
    }
    let is_stream = result.is_instance_of::<ReadableStream>();
    let mut headers = answers.headers(Some(if is_stream { "text/event-stream; charset=utf-8" } else { JSON }));
    headers.add(upstream.0, upstream.1);
    prepared.call.answer(|answer, timing| {
        headers.append(&answer.shown);
        if let Some(id) = answer.trace_id() {
            headers.add("x-upstream-trace-id", id);
        }
        let total = (!is_stream).then(|| (js::now() - started).max(0.0) as u64);
        headers::server_timing(&mut headers, timing, total);
    });
    answers.send(200, &headers, &result)
}
