//! Values from the core to JavaScript: errors, replies and heads.

use crate::options::CallOptions;
use crate::transport::ResponseHead;
use crate::value::Value;
use gloo_net::http::Response;
use std::borrow::Cow;
use js_sys::{Array, JSON, Object, Reflect, Uint8Array};
use sluicegate::error::Vendor;
use sluicegate::exchange::{self, Exchange, Timing};
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

fn error_value(error: &Error) -> Value<'_> {
    let mut value = Value::object();
    value.text("code", error.code());
    value.text("message", error.message());
    value.number("status", Some(error.status().into()));
    value.text("party", error.kind().party().as_str());
    value.text("nextStep", error.kind().next_step());
    value.push("retryable", Value::Flag(error.is_retryable()));
    value.text("param", error.param());
    value.number("retryAfterMs", error.retry_after_ms().map(|millis| millis as f64));
    value.push("vendor", error.vendor().map_or(Value::Nothing, vendor_value));
    value
}

fn vendor_value(vendor: &Vendor) -> Value<'_> {
    let mut value = Value::object();
    value.number("status", vendor.status.map(f64::from));
    value.text("code", vendor.code.as_deref());
    value.text("message", vendor.message.as_deref());
    value.text("traceId", vendor.trace_id.as_deref());
    value
}

fn vendor_trace_id(error: &Error) -> Option<&str> {
    error.vendor().and_then(|vendor| vendor.trace_id.as_deref())
}

/// An error as a plain object; `index.ts` makes a `GateError` of it.
pub(crate) fn error_to_js(error: &Error) -> JsValue {
    let mut value = error_value(error);
    value.text("requestId", vendor_trace_id(error));
    value.to_js().unwrap_or_else(|_| JsValue::from_str(error.code()))
}

/// The error of a call that ended without success; undefined for a success.
pub(crate) fn failure_to_js(end: &End, exchange: Option<&Exchange>, cause: &JsValue) -> Result<JsValue, JsValue> {
    let Some(error) = &end.error else { return Ok(JsValue::UNDEFINED) };
    let mut value = error_value(error);
    value.text("requestId", exchange.and_then(Exchange::trace_id).or(vendor_trace_id(error)));
    value.text("outcome", end.outcome.as_str());
    if let reply::Outcome::TimedOut(budget) = end.outcome {
        value.text("budget", budget.as_str());
    }
    let value = finish_call(value, exchange)?;
    if !cause.is_undefined() {
        set(&value, "cause", cause)?;
    }
    Ok(value)
}

/// To JavaScript, with what there is to say of the call as a whole.
fn finish_call(mut value: Value<'_>, exchange: Option<&Exchange>) -> Result<JsValue, JsValue> {
    let Some(exchange) = exchange else { return value.to_js() };
    value.number("attempts", Some(exchange.attempts().into()));
    value.push("source", exchange.route().map_or(Value::Nothing, |route| Value::Text(Cow::Owned(route.source.clone()))));
    let value = value.to_js()?;
    set(&value, "timeline", &parse(&exchange.timeline_json()))?;
    Ok(value)
}

fn timing_value(timing: &Timing) -> Value<'static> {
    let mut value = Value::object();
    for (name, time) in [
        ("headMs", timing.head),
        ("firstTokenMs", timing.first_token),
        ("firstTextMs", timing.first_text),
        ("totalMs", Some(timing.total.unwrap_or(0))),
    ] {
        if let Some(time) = time {
            value.number(name, Some(time as f64));
        }
    }
    value
}

fn choice_value(choice: &Choice) -> Value<'_> {
    let mut value = Value::object();
    value.number("index", Some(choice.index.into()));
    value.text("text", choice.text.as_str());
    value.text("reasoning", choice.reasoning.as_str());
    if !choice.refusal.is_empty() {
        value.text("refusal", choice.refusal.as_str());
    }
    value.push("tool_calls", Value::List(choice.tool_calls.iter().map(tool_call_value).collect()));
    value.text("finish_reason", choice.finish_reason.as_deref());
    value
}

fn tool_call_value(call: &ToolCall) -> Value<'_> {
    let mut function = Value::object();
    function.text("name", call.name.as_str());
    function.text("arguments", call.arguments.as_str());
    let mut value = Value::object();
    value.text("id", call.id.as_str());
    value.text("type", "function");
    value.push("function", function);
    value
}

fn notice_values(reply: &Reply) -> Value<'_> {
    let mut values = Vec::new();
    for (code, detail) in &reply.notices {
        let mut value = Value::object();
        value.text("code", code.code());
        value.text("detail", detail.as_str());
        values.push(value);
    }
    Value::List(values)
}

/// A reply; `index.ts` adds what only repeats the first choice.
pub(crate) fn reply_to_js(
    reply: &Reply,
    end: Option<&End>,
    exchange: Option<&Exchange>,
) -> Result<JsValue, JsValue> {
    let mut value = Value::object();
    value.text("id", reply.id.as_str());
    value.text("model", reply.model.as_str());
    value.text("outcome", end.map(|end| end.outcome.as_str()));
    value.push("choices", Value::List(reply.choices.iter().map(choice_value).collect()));
    value.push("notices", notice_values(reply));
    if let Some(seconds) = reply.created {
        value.number("created", Some(seconds as f64));
    }
    if let Some(fingerprint) = reply.system_fingerprint.as_deref() {
        value.text("system_fingerprint", fingerprint);
    }
    if let Some(exchange) = exchange {
        value.push("timing", timing_value(&exchange.timing()));
        if exchange.trace_id().is_some() {
            value.text("requestId", exchange.trace_id());
        }
    }
    let value = finish_call(value, exchange)?;
    set_usage(&value, reply.usage.as_ref())?;
    if let Some(timeline) = &reply.upstream_timeline {
        set(&value, "upstreamTimeline", &parse(timeline))?;
    }
    let extra: JsValue = Object::new().into();
    set_raw(&extra, &reply.extra)?;
    set(&value, "extra", &extra)?;
    let choices: Array = get(&value, "choices")?.unchecked_into();
    for (choice, value) in reply.choices.iter().zip(choices.iter()) {
        if let Some(logprobs) = &choice.logprobs {
            set(&value, "logprobs", &parse(logprobs))?;
        }
        let calls: Array = get(&value, "tool_calls")?.unchecked_into();
        for (call, value) in choice.tool_calls.iter().zip(calls.iter()) {
            set_raw(&value, &call.extra)?;
        }
    }
    Ok(value)
}

/// Never inlined, as [`get`]: a string of the core becomes one of JavaScript in many places.
#[inline(never)]
fn set(on: &JsValue, name: &str, field: &JsValue) -> Result<(), JsValue> {
    Reflect::set(on, &JsValue::from_str(name), field).map(drop)
}

#[inline(never)]
pub(crate) fn get(on: &JsValue, name: &str) -> Result<JsValue, JsValue> {
    Reflect::get(on, &JsValue::from_str(name))
}

fn set_raw(value: &JsValue, fields: &ExtraFields) -> Result<(), JsValue> {
    for (name, raw) in fields {
        set(value, name, &parse(raw))?;
    }
    Ok(())
}

/// How a forwarded call ended.
pub(crate) fn summary_to_js(
    end: &End,
    reply: &Reply,
    exchange: Option<&Exchange>,
    error: &JsValue,
) -> Result<JsValue, JsValue> {
    let mut value = Value::object();
    value.text("outcome", end.outcome.as_str());
    value.push("timing", timing_value(&exchange.map(Exchange::timing).unwrap_or_default()));
    value.push("notices", notice_values(reply));
    let value = finish_call(value, exchange)?;
    set(&value, "error", error)?;
    set_usage(&value, reply.usage.as_ref())?;
    Ok(value)
}

/// How a call ended whose request could not be sent.
pub(crate) fn refusal_to_js(error: &Error) -> Result<JsValue, JsValue> {
    let end = End { outcome: Outcome::Failed, finish_reason: None, error: None };
    summary_to_js(&end, &Reply::default(), None, &error_to_js(error))
}

/// Usage in the wire's names: what the upstream sent, with the counts that vendors name otherwise under OpenAI's names.
fn set_usage(value: &JsValue, usage: Option<&Usage>) -> Result<(), JsValue> {
    let Some(usage) = usage else { return Ok(()) };
    let parsed = parse(&usage.raw);
    let object: JsValue = if parsed.is_object() { parsed } else { Object::new().into() };
    let number = |number: u64| JsValue::from_f64(number as f64);
    set(&object, "prompt_tokens", &number(usage.prompt_tokens))?;
    set(&object, "completion_tokens", &number(usage.completion_tokens))?;
    set(&object, "total_tokens", &number(usage.total_tokens))?;
    for (details, name, count) in [
        ("prompt_tokens_details", "cached_tokens", usage.cached_tokens),
        ("completion_tokens_details", "reasoning_tokens", usage.reasoning_tokens),
    ] {
        let Some(count) = count else { continue };
        let kept = get(&object, details)?;
        let inner: JsValue = if kept.is_object() { kept } else { Object::new().into() };
        set(&inner, name, &number(count))?;
        set(&object, details, &inner)?;
    }
    set(value, "usage", &object)?;
    Ok(())
}

fn parse(raw: &str) -> JsValue {
    JSON::parse(raw).unwrap_or(JsValue::NULL)
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
    // Setting a field of a plain object that nobody else has cannot fail.
    let set = |name: &str, field: &JsValue| drop(self::set(&value, name, field));
    set("status", &JsValue::from_f64(f64::from(status)));
    set("headers", headers);
    if let Some(body) = body {
        set("body", &Uint8Array::from(body));
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
