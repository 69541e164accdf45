//! Values between JavaScript and the core: options in, errors, replies and heads out.

use crate::driver::endpoint_of;
use crate::transport::ResponseHead;
use gloo_net::http::Response;
use js_sys::{Array, JSON, Object, Reflect, Uint8Array};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sluicegate::exchange::{self, Timing};
use sluicegate::reply::{self, Choice, End, ExtraFields, FailureHead, Notice, Outcome, Reply, ThinkTags, Usage};
use sluicegate::request::{Dialect, Endpoint};
use sluicegate::{Error, ErrorKind};
use wasm_bindgen::prelude::*;

/// Options of one call, as `index.ts` puts them together.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CallOptions {
    pub(crate) url: String,
    #[serde(default)]
    pub(crate) headers: Vec<(String, String)>,
    dialect: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) stream: Option<bool>,
    #[serde(default)]
    pub(crate) budgets: BudgetOptions,
    #[serde(flatten)]
    pub(crate) reply: ReplyOptions,
}

impl CallOptions {
    pub(crate) fn dialect(&self) -> Result<Dialect, Error> {
        let name = self.dialect.as_deref().unwrap_or("openai");
        name.parse().map_err(|_| invalid_option("dialect", "openai, deepseek or siliconflow is expected"))
    }

    pub(crate) fn endpoint(&self) -> Result<Endpoint, Error> {
        endpoint_of(&self.url).ok_or_else(|| invalid_option("url", "a chat or completion route is expected"))
    }
}

/// How the reply is read.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReplyOptions {
    think_tags: Option<String>,
}

impl ReplyOptions {
    pub(crate) fn to_core(&self) -> Result<reply::Options, Error> {
        let think_tags = match self.think_tags.as_deref() {
            None | Some("auto") => ThinkTags::Auto,
            Some("open") => ThinkTags::Open,
            Some("off") => ThinkTags::Off,
            Some(_) => return Err(invalid_option("thinkTags", "auto, open or off is expected")),
        };
        Ok(reply::Options { think_tags, ..reply::Options::default() })
    }
}

/// Budgets in milliseconds; what is missing keeps its default.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct BudgetOptions {
    connect: Option<f64>,
    first_token: Option<f64>,
    idle: Option<f64>,
    content_idle: Option<f64>,
    total: Option<f64>,
}

impl BudgetOptions {
    pub(crate) fn to_core(&self) -> Result<exchange::Budgets, Error> {
        let default = exchange::Budgets::default();
        let or = |name: &str, given: Option<f64>, default: u64| match given {
            None => Ok(default),
            Some(millis) if millis > 0.0 => Ok(millis as u64), // Infinity saturates: never
            Some(_) => Err(invalid_option(name, "a positive number of milliseconds is expected")),
        };
        Ok(exchange::Budgets {
            connect: or("budgets.connect", self.connect, default.connect)?,
            first_token: or("budgets.firstToken", self.first_token, default.first_token)?,
            idle: or("budgets.idle", self.idle, default.idle)?,
            content_idle: or("budgets.contentIdle", self.content_idle, default.content_idle)?,
            total: or("budgets.total", self.total, default.total)?,
        })
    }
}

pub(crate) fn from_js<T: DeserializeOwned>(value: JsValue) -> Result<T, Error> {
    serde_wasm_bindgen::from_value(value).map_err(|error| {
        // serde's message names the types that were expected and found.
        Error::new(ErrorKind::InvalidRequest, format!("An option has the wrong type: {error}."))
    })
}

pub(crate) fn invalid_option(name: &str, expected: &'static str) -> Error {
    Error::new(ErrorKind::InvalidRequest, format!("The option is not valid: {expected}.")).with_param(name)
}

pub(crate) fn missing_model() -> Error {
    let message = "No model is named, neither by the request nor by the gate's options.";
    Error::new(ErrorKind::InvalidRequest, message).with_param("model")
}

pub(crate) fn platform_error(what: &'static str) -> Error {
    Error::new(ErrorKind::Internal, what)
}

/// Throws what is wrong with a gate's options, for `createGate` to say so at once.
#[wasm_bindgen(js_name = checkOptions)]
#[allow(unreachable_pub)] // wasm-bindgen wants it public
pub fn check_options(options: JsValue) -> Result<(), JsValue> {
    let check = |options: CallOptions| {
        options.dialect()?;
        options.reply.to_core()?;
        options.budgets.to_core().map(drop)
    };
    from_js(options).and_then(check).map_err(|error| error_to_js(&error))
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
    let kept = ResponseHead::new(&response.into());
    let exchange::Head { status, content_type, retry_after, retry_after_ms, trace_id, now_unix_ms } = kept.as_head();
    let head = FailureHead { status, content_type, retry_after, retry_after_ms, trace_id, now_unix_ms };
    error_to_js(&reply::classify_failure(&head, body))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ErrorShape<'a> {
    code: &'a str,
    message: String,
    status: u16,
    party: &'a str,
    next_step: &'a str,
    retryable: bool,
    param: Option<&'a str>,
    retry_after_ms: Option<f64>,
    request_id: Option<&'a str>,
    outcome: Option<&'a str>,
    budget: Option<&'a str>,
    vendor: Option<VendorShape<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VendorShape<'a> {
    status: Option<u16>,
    code: Option<&'a str>,
    message: Option<&'a str>,
    trace_id: Option<&'a str>,
}

fn error_shape(error: &Error) -> ErrorShape<'_> {
    ErrorShape {
        code: error.code(),
        message: error.message().to_owned(),
        status: error.status(),
        party: error.kind().party().as_str(),
        next_step: error.kind().next_step(),
        retryable: error.is_retryable(),
        param: error.param(),
        retry_after_ms: error.retry_after_ms().map(|millis| millis as f64),
        request_id: error.vendor().and_then(|vendor| vendor.trace_id.as_deref()),
        outcome: None,
        budget: None,
        vendor: error.vendor().map(|vendor| VendorShape {
            status: vendor.status,
            code: vendor.code.as_deref(),
            message: vendor.message.as_deref(),
            trace_id: vendor.trace_id.as_deref(),
        }),
    }
}

/// An error as a plain object; `index.ts` makes a `GateError` of it.
pub(crate) fn error_to_js(error: &Error) -> JsValue {
    to_js(&error_shape(error)).unwrap_or_else(|_| JsValue::from_str(error.code()))
}

/// The error of a call that ended without success.
pub(crate) fn failure_to_js(end: &End, trace_id: Option<&str>, cause: &JsValue) -> Result<JsValue, JsValue> {
    let Some(error) = &end.error else { return Ok(JsValue::UNDEFINED) };
    let mut shape = error_shape(error);
    shape.outcome = Some(end.outcome.as_str());
    shape.request_id = trace_id.or(shape.request_id);
    if let reply::Outcome::TimedOut(budget) = end.outcome {
        shape.budget = Some(budget.as_str());
    }
    let value = to_js(&shape)?;
    if !cause.is_undefined() {
        Reflect::set(&value, &JsValue::from_str("cause"), cause)?;
    }
    Ok(value)
}

#[derive(Serialize)]
struct ReplyShape<'a> {
    id: &'a str,
    model: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    system_fingerprint: Option<&'a str>,
    outcome: Option<&'a str>,
    choices: Vec<ChoiceShape<'a>>,
    notices: Vec<NoticeShape<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timing: Option<TimingShape>,
    #[serde(rename = "requestId", skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
}

#[derive(Serialize)]
struct ChoiceShape<'a> {
    index: u32,
    text: &'a str,
    reasoning: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    refusal: &'a str,
    tool_calls: Vec<ToolCallShape<'a>>,
    finish_reason: Option<&'a str>,
}

#[derive(Serialize)]
struct ToolCallShape<'a> {
    id: &'a str,
    r#type: &'static str,
    function: FunctionShape<'a>,
}

#[derive(Serialize)]
struct FunctionShape<'a> {
    name: &'a str,
    arguments: &'a str,
}

#[derive(Serialize)]
struct NoticeShape<'a> {
    code: &'a str,
    detail: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TimingShape {
    #[serde(skip_serializing_if = "Option::is_none")]
    head_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_token_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_text_ms: Option<f64>,
    total_ms: f64,
}

fn timing_shape(timing: &Timing) -> TimingShape {
    let millis = |value: Option<u64>| value.map(|value| value as f64);
    TimingShape {
        head_ms: millis(timing.head),
        first_token_ms: millis(timing.first_token),
        first_text_ms: millis(timing.first_text),
        total_ms: timing.total.unwrap_or(0) as f64,
    }
}

fn choice_shape(choice: &Choice) -> ChoiceShape<'_> {
    ChoiceShape {
        index: choice.index,
        text: &choice.text,
        reasoning: &choice.reasoning,
        refusal: &choice.refusal,
        tool_calls: choice
            .tool_calls
            .iter()
            .map(|call| ToolCallShape {
                id: &call.id,
                r#type: "function",
                function: FunctionShape { name: &call.name, arguments: &call.arguments },
            })
            .collect(),
        finish_reason: choice.finish_reason.as_deref(),
    }
}

/// A reply; `index.ts` adds what only repeats the first choice.
pub(crate) fn reply_to_js(
    reply: &Reply,
    end: Option<&End>,
    timing: Option<&Timing>,
    trace_id: Option<&str>,
    changes: &[String],
) -> Result<JsValue, JsValue> {
    let value = to_js(&ReplyShape {
        id: &reply.id,
        model: &reply.model,
        created: reply.created.map(|seconds| seconds as f64),
        system_fingerprint: reply.system_fingerprint.as_deref(),
        outcome: end.map(|end| end.outcome.as_str()),
        choices: reply.choices.iter().map(choice_shape).collect(),
        notices: notice_shapes(reply, changes),
        timing: timing.map(timing_shape),
        request_id: trace_id,
    })?;
    set_usage(&value, reply.usage.as_ref())?;
    let extra: JsValue = Object::new().into();
    set_raw(&extra, &reply.extra)?;
    Reflect::set(&value, &JsValue::from_str("extra"), &extra)?;
    let choices: Array = Reflect::get(&value, &JsValue::from_str("choices"))?.unchecked_into();
    for (choice, value) in reply.choices.iter().zip(choices.iter()) {
        if let Some(logprobs) = &choice.logprobs {
            Reflect::set(&value, &JsValue::from_str("logprobs"), &parse(logprobs))?;
        }
        let calls: Array = Reflect::get(&value, &JsValue::from_str("tool_calls"))?.unchecked_into();
        for (call, value) in choice.tool_calls.iter().zip(calls.iter()) {
            set_raw(&value, &call.extra)?;
        }
    }
    Ok(value)
}

fn set_raw(value: &JsValue, fields: &ExtraFields) -> Result<(), JsValue> {
    for (name, raw) in fields {
        Reflect::set(value, &JsValue::from_str(name), &parse(raw))?;
    }
    Ok(())
}

/// What the gate changed in the request, then what was odd about the reply.
fn notice_shapes<'a>(reply: &'a Reply, changes: &'a [String]) -> Vec<NoticeShape<'a>> {
    let changes = changes.iter().map(|detail| NoticeShape { code: Notice::RequestChanged.code(), detail });
    changes.chain(reply.notices.iter().map(|(code, detail)| NoticeShape { code: code.code(), detail })).collect()
}

/// How a forwarded call ended.
pub(crate) fn summary_to_js(
    outcome: &str,
    reply: Option<&Reply>,
    timing: &Timing,
    changes: &[String],
    error: &JsValue,
) -> Result<JsValue, JsValue> {
    let value: JsValue = Object::new().into();
    let set = |name: &str, field: &JsValue| Reflect::set(&value, &JsValue::from_str(name), field);
    set("outcome", &JsValue::from_str(outcome))?;
    set("timing", &to_js(&timing_shape(timing))?)?;
    set("error", error)?;
    set("notices", &to_js(&reply.map_or(Vec::new(), |reply| notice_shapes(reply, changes)))?)?;
    set_usage(&value, reply.and_then(|reply| reply.usage.as_ref()))?;
    Ok(value)
}

/// How a call ended whose request could not be sent.
pub(crate) fn refusal_to_js(error: &Error) -> Result<JsValue, JsValue> {
    summary_to_js(Outcome::Failed.as_str(), None, &Timing::default(), &[], &error_to_js(error))
}

/// Usage in the wire's names: what the upstream sent, with the counts that vendors name otherwise under OpenAI's names.
fn set_usage(value: &JsValue, usage: Option<&Usage>) -> Result<(), JsValue> {
    let Some(usage) = usage else { return Ok(()) };
    let parsed = parse(&usage.raw);
    let object: JsValue = if parsed.is_object() { parsed } else { Object::new().into() };
    let number = |number: u64| JsValue::from_f64(number as f64);
    let set = |on: &JsValue, name: &str, field: &JsValue| Reflect::set(on, &JsValue::from_str(name), field);
    set(&object, "prompt_tokens", &number(usage.prompt_tokens))?;
    set(&object, "completion_tokens", &number(usage.completion_tokens))?;
    set(&object, "total_tokens", &number(usage.total_tokens))?;
    for (details, name, count) in [
        ("prompt_tokens_details", "cached_tokens", usage.cached_tokens),
        ("completion_tokens_details", "reasoning_tokens", usage.reasoning_tokens),
    ] {
        let Some(count) = count else { continue };
        let kept = Reflect::get(&object, &JsValue::from_str(details))?;
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
pub(crate) fn head_to_js(status: u16, headers: Option<&Array>, body: Option<&[u8]>) -> Result<JsValue, JsValue> {
    let value: JsValue = Object::new().into();
    let set = |name: &str, field: &JsValue| Reflect::set(&value, &JsValue::from_str(name), field);
    set("status", &JsValue::from_f64(f64::from(status)))?;
    set("headers", headers.unwrap_or(&Array::new()))?;
    if let Some(body) = body {
        set("body", &Uint8Array::from(body))?;
    }
    Ok(value)
}

/// The head and body in which a failed call is reported to an SDK.
pub(crate) fn error_head_to_js(error: &Error, headers: Option<&Array>, body: &[u8]) -> Result<JsValue, JsValue> {
    let pairs = Array::new();
    let pair = |name: &str, value: &str| Array::of2(&JsValue::from_str(name), &JsValue::from_str(value));
    for kept in headers.map(Array::iter).into_iter().flatten() {
        let name = Array::from(&kept).get(0).as_string().unwrap_or_default();
        // What is set below would otherwise stand there twice.
        if !["content-type", "retry-after", "retry-after-ms", "x-should-retry"].contains(&name.as_str()) {
            pairs.push(&kept);
        }
    }
    pairs.push(&pair("content-type", "application/json"));
    for (name, value) in exchange::error_headers(error) {
        pairs.push(&pair(name, &value));
    }
    head_to_js(error.status(), Some(&pairs), Some(body))
}

fn to_js<T: Serialize>(value: &T) -> Result<JsValue, JsValue> {
    let serializer = serde_wasm_bindgen::Serializer::new().serialize_missing_as_null(false);
    value.serialize(&serializer).map_err(JsValue::from)
}
