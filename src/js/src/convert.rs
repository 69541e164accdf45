//! Values from the core to JavaScript: errors, replies and heads.

use crate::options::CallOptions;
use crate::transport::ResponseHead;
use gloo_net::http::Response;
use js_sys::{Array, JSON, Object, Reflect, Uint8Array};
use sluicegate::error::Vendor;
use sluicegate::exchange::{self, Exchange, Timing};
use sluicegate::json::Object as Json;
use sluicegate::reply::{self, Choice, End, ExtraFields, Outcome, Reply, ToolCall, Usage};
use sluicegate::{Error, ErrorKind};
use wasm_bindgen::prelude::*;

pub(crate) fn missing_model() -> Error {
    let message = "No model is named, neither by the request nor by the gate's options.";
    Error::new(ErrorKind::InvalidRequest, message).with_param("model")
}

/// Throws what is wrong with a gate's options, for `createGate` to say so at once.
#[wasm_bindgen(js_name = checkOptions)]
#[allow(unreachable_pub)] // wasm-bindgen wants it public
pub fn check_options(options: &JsValue) -> Result<(), JsValue> {
    let checked = match web_sys::AbortController::new() {
        Ok(_) => CallOptions::from_js(options).map(drop),
        Err(_) => Err(Error::new(ErrorKind::Internal, "This platform has no AbortController.")),
    };
    checked.map_err(|error| error_to_js(&error))
}

/// An error of this code, for what happens on the JavaScript side; unknown codes are `internal`.
#[wasm_bindgen(js_name = errorOf)]
#[allow(unreachable_pub)]
pub fn error_of(code: &str, message: String) -> JsValue {
    let kind = ErrorKind::ALL.iter().copied().find(|kind| kind.code() == code).unwrap_or(ErrorKind::Internal);
    error_to_js(&Error::new(kind, message))
}

/// What a failed answer of another route means.
#[wasm_bindgen(js_name = failureOf)]
#[allow(unreachable_pub)]
pub fn failure_of(response: web_sys::Response, body: &[u8]) -> JsValue {
    error_to_js(&reply::classify_failure(&ResponseHead::new(&response.into()).as_head(), body))
}

fn error_fields(error: &Error) -> Json {
    let mut json = Json::new();
    json.string("code", error.code());
    json.string("message", error.message());
    json.number("status", error.status().into());
    json.string("party", error.kind().party().as_str());
    json.string("nextStep", error.kind().next_step());
    json.raw("retryable", if error.is_retryable() { "true" } else { "false" });
    json.maybe("param", error.param());
    if let Some(millis) = error.retry_after_ms() {
        json.number("retryAfterMs", millis);
    }
    if let Some(vendor) = error.vendor() {
        json.raw("vendor", &vendor_json(vendor));
    }
    json
}

fn vendor_json(vendor: &Vendor) -> String {
    let mut json = Json::new();
    if let Some(status) = vendor.status {
        json.number("status", status.into());
    }
    json.maybe("code", vendor.code.as_deref());
    json.maybe("message", vendor.message.as_deref());
    json.maybe("traceId", vendor.trace_id.as_deref());
    json.finish()
}

fn vendor_trace_id(error: &Error) -> Option<&str> {
    error.vendor().and_then(|vendor| vendor.trace_id.as_deref())
}

/// An error as a plain object; `index.ts` makes a `GateError` of it.
pub(crate) fn error_to_js(error: &Error) -> JsValue {
    let mut json = error_fields(error);
    json.maybe("requestId", vendor_trace_id(error));
    parse(json)
}

/// The error of a call that ended without success; undefined for a success.
pub(crate) fn failure_to_js(end: &End, exchange: Option<&Exchange>, cause: &JsValue) -> JsValue {
    let Some(error) = &end.error else { return JsValue::UNDEFINED };
    let mut json = error_fields(error);
    json.maybe("requestId", exchange.and_then(Exchange::trace_id).or(vendor_trace_id(error)));
    json.string("outcome", end.outcome.as_str());
    if let reply::Outcome::TimedOut(budget) = end.outcome {
        json.string("budget", budget.as_str());
    }
    write_call(&mut json, exchange);
    let value = parse(json);
    if !cause.is_undefined() {
        set(&value, "cause", cause);
    }
    value
}

/// What there is to say of the call as a whole.
fn write_call(json: &mut Json, exchange: Option<&Exchange>) {
    let Some(exchange) = exchange else { return };
    json.number("attempts", exchange.attempts().into());
    json.maybe("source", exchange.route().map(|route| &*route.source));
    json.raw("timeline", &exchange.timeline_json());
}

fn timing_json(timing: &Timing) -> String {
    let mut json = Json::new();
    for (name, time) in [
        ("headMs", timing.head),
        ("firstTokenMs", timing.first_token),
        ("firstTextMs", timing.first_text),
        ("totalMs", Some(timing.total.unwrap_or(0))),
    ] {
        if let Some(time) = time {
            json.number(name, time);
        }
    }
    json.finish()
}

fn choice_json(choice: &Choice) -> String {
    let mut json = Json::new();
    json.number("index", choice.index.into());
    json.string("text", &choice.text);
    json.string("reasoning", &choice.reasoning);
    if !choice.refusal.is_empty() {
        json.string("refusal", &choice.refusal);
    }
    json.raw("tool_calls", &list(choice.tool_calls.iter().map(tool_call_json)));
    json.maybe("finish_reason", choice.finish_reason.as_deref());
    if let Some(logprobs) = &choice.logprobs {
        json.raw("logprobs", logprobs);
    }
    json.finish()
}

fn tool_call_json(call: &ToolCall) -> String {
    let mut function = Json::new();
    function.string("name", &call.name);
    function.string("arguments", &call.arguments);
    let mut json = Json::new();
    json.string("id", &call.id);
    json.string("type", "function");
    json.raw("function", &function.finish());
    write_extra(&mut json, &call.extra);
    json.finish()
}

fn write_extra(json: &mut Json, fields: &ExtraFields) {
    for (name, raw) in fields {
        json.raw_named(name, raw);
    }
}

fn notices_json(reply: &Reply) -> String {
    list(reply.notices.iter().map(|(code, detail)| {
        let mut json = Json::new();
        json.string("code", code.code());
        json.string("detail", detail);
        json.finish()
    }))
}

/// A JSON array of what is JSON text already.
fn list(items: impl Iterator<Item = String>) -> String {
    let mut json = String::from("[");
    for item in items {
        json.push_str(if json.len() > 1 { "," } else { "" });
        json.push_str(&item);
    }
    json.push(']');
    json
}

/// A reply; `index.ts` adds what only repeats the first choice, and counts to the usage.
pub(crate) fn reply_to_js(reply: &Reply, end: Option<&End>, exchange: Option<&Exchange>) -> JsValue {
    let mut json = Json::new();
    json.string("id", &reply.id);
    json.string("model", &reply.model);
    json.maybe("outcome", end.map(|end| end.outcome.as_str()));
    json.raw("choices", &list(reply.choices.iter().map(choice_json)));
    json.raw("notices", &notices_json(reply));
    if let Some(seconds) = reply.created {
        json.number("created", seconds);
    }
    json.maybe("system_fingerprint", reply.system_fingerprint.as_deref());
    if let Some(exchange) = exchange {
        json.raw("timing", &timing_json(&exchange.timing()));
        json.maybe("requestId", exchange.trace_id());
    }
    write_call(&mut json, exchange);
    write_usage(&mut json, reply.usage.as_ref());
    if let Some(timeline) = &reply.upstream_timeline {
        json.raw("upstreamTimeline", timeline);
    }
    let mut extra = Json::new();
    write_extra(&mut extra, &reply.extra);
    json.raw("extra", &extra.finish());
    parse(json)
}

/// Never inlined, as [`get`]: a string of the core becomes one of JavaScript in many places.
#[inline(never)]
fn set(on: &JsValue, name: &str, field: &JsValue) {
    // Setting a field of a plain object that nobody else has cannot fail.
    let _ = Reflect::set(on, &JsValue::from_str(name), field);
}

#[inline(never)]
pub(crate) fn get(on: &JsValue, name: &str) -> Result<JsValue, JsValue> {
    Reflect::get(on, &JsValue::from_str(name))
}

/// How a forwarded call ended.
pub(crate) fn summary_to_js(end: &End, reply: &Reply, exchange: Option<&Exchange>, error: &JsValue) -> JsValue {
    let mut json = Json::new();
    json.string("outcome", end.outcome.as_str());
    json.raw("timing", &timing_json(&exchange.map(Exchange::timing).unwrap_or_default()));
    json.raw("notices", &notices_json(reply));
    write_call(&mut json, exchange);
    write_usage(&mut json, reply.usage.as_ref());
    let value = parse(json);
    set(&value, "error", error);
    value
}

/// How a call ended whose request could not be sent.
pub(crate) fn refusal_to_js(error: &Error) -> JsValue {
    let end = End { outcome: Outcome::Failed, finish_reason: None, error: None };
    summary_to_js(&end, &Reply::default(), None, &error_to_js(error))
}

/// What the upstream sent, and the counts that `reply.ts` puts into it under OpenAI's names.
fn write_usage(json: &mut Json, usage: Option<&Usage>) {
    let Some(usage) = usage else { return };
    json.raw("usage", &usage.raw);
    let counts = [
        Some(usage.prompt_tokens),
        Some(usage.completion_tokens),
        Some(usage.total_tokens),
        usage.cached_tokens,
        usage.reasoning_tokens,
    ];
    json.raw(
        "counts",
        &list(counts.into_iter().map(|count| count.map_or_else(|| String::from("null"), |count| count.to_string()))),
    );
}

/// To JavaScript, whose reader of JSON is there anyway: building the object field by field, by serde, was 1.6 KB more, gzipped.
fn parse(json: Json) -> JsValue {
    JSON::parse(&json.finish()).unwrap_or(JsValue::NULL)
}

/// The headers of an answer, as pairs. `content-encoding` and `content-length` no longer hold: the platform has decoded the body.
pub(crate) fn headers_to_js(response: &Response) -> Array {
    let pairs = Array::new();
    for (name, value) in response.headers().entries() {
        if name != "content-encoding" && name != "content-length" && name != "transfer-encoding" {
            pairs.push(&Array::of2(&JsValue::from_str(&name), &JsValue::from_str(&value)));
        }
    }
    pairs
}

/// A response head, with the body where that is whole.
pub(crate) fn head_to_js(status: u16, headers: &Array, body: Option<&[u8]>) -> JsValue {
    let value: JsValue = Object::new().into();
    set(&value, "status", &JsValue::from_f64(f64::from(status)));
    set(&value, "headers", headers);
    if let Some(body) = body {
        set(&value, "body", &Uint8Array::from(body));
    }
    value
}

fn push_pair(pairs: &Array, name: &str, value: &str) {
    pairs.push(&Array::of2(&JsValue::from_str(name), &JsValue::from_str(value)));
}

/// An answer's headers with those that say who answered.
pub(crate) fn told(headers: Option<&Array>, exchange: &Exchange) -> Array {
    let [source, attempts] = ["x-sluicegate-source", "x-sluicegate-attempts"];
    let pairs = headers.map_or_else(Array::new, |headers| without(headers, &[source, attempts]));
    if let Some(route) = exchange.route() {
        push_pair(&pairs, source, &route.source);
    }
    push_pair(&pairs, attempts, &exchange.attempts().to_string());
    pairs
}

/// The headers of a whole answer that is handed on as a stream.
pub(crate) fn as_stream(headers: &Array) -> Array {
    let pairs = without(headers, &["content-type"]);
    push_pair(&pairs, "content-type", "text/event-stream; charset=utf-8");
    pairs
}

fn without(headers: &Array, names: &[&str]) -> Array {
    headers.filter(&mut |pair, _, _| {
        let name = Array::from(&pair).get(0).as_string().unwrap_or_default();
        !names.contains(&name.as_str())
    })
}

/// The head and body in which a failed call is reported to an SDK.
pub(crate) fn error_head_to_js(error: &Error, headers: &Array, body: &[u8]) -> JsValue {
    // What is set below would otherwise stand there twice.
    let set_here = ["content-type", "retry-after", "retry-after-ms", "x-should-retry"];
    let pairs = without(headers, &set_here);
    push_pair(&pairs, "content-type", "application/json");
    for (name, value) in exchange::error_headers(error) {
        push_pair(&pairs, name, &value);
    }
    head_to_js(error.status(), &pairs, Some(body))
}
