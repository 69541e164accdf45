//! The options of a call, as `gate.ts` puts them together, checked by type and range.

use crate::value::Value;
use js_sys::Reflect;
use sluicegate::exchange;
use sluicegate::reply::{self, ThinkTags};
use sluicegate::request::{Dialect, Endpoint};
use sluicegate::{Error, ErrorKind};
use wasm_bindgen::prelude::*;

/// Options of one call.
pub(crate) struct CallOptions {
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) endpoint: Endpoint,
    pub(crate) dialect: Dialect,
    pub(crate) model: Option<String>,
    pub(crate) stream: Option<bool>,
    pub(crate) budgets: exchange::Budgets,
    pub(crate) reply: reply::Options,
}

impl CallOptions {
    pub(crate) fn from_js(value: JsValue) -> Result<Self, Error> {
        let mut fields = Fields::of("options", Value::from_js(&value))?;
        let url = fields.text("url")?.unwrap_or_default();
        let endpoint = endpoint_of(&url).ok_or_else(|| invalid("url", "a chat or completion route is expected"))?;
        let dialect = fields.text("dialect")?;
        let dialect = dialect.as_deref().unwrap_or("openai").parse();
        Ok(CallOptions {
            url,
            headers: fields.headers()?,
            endpoint,
            dialect: dialect.map_err(|_| invalid("dialect", "openai, deepseek or siliconflow is expected"))?,
            model: fields.text("model")?,
            stream: match fields.take("stream") {
                Value::Nothing => None,
                Value::Flag(stream) => Some(stream),
                _ => return Err(wrong_type("stream", "a boolean")),
            },
            budgets: budgets(fields.take("budgets"))?,
            reply: fields.reply()?,
        })
    }
}

/// Says what is wrong with the options of a gate, which have no route yet.
pub(crate) fn check(value: JsValue) -> Result<(), Error> {
    let url = JsValue::from_str(Endpoint::ChatCompletions.path());
    // A field of an object that the caller just made for this.
    let _ = Reflect::set(&value, &JsValue::from_str("url"), &url);
    CallOptions::from_js(value).map(drop)
}

/// How a reply is read: `{thinkTags}`.
pub(crate) fn reply_options(value: JsValue) -> Result<reply::Options, Error> {
    Fields::of("options", Value::from_js(&value))?.reply()
}

/// Budgets in milliseconds; what is missing keeps its default.
fn budgets(value: Value<'static>) -> Result<exchange::Budgets, Error> {
    let mut budgets = exchange::Budgets::default();
    if matches!(value, Value::Nothing) {
        return Ok(budgets);
    }
    let mut fields = Fields::of("budgets", value)?;
    for (name, param, budget) in [
        ("connect", "budgets.connect", &mut budgets.connect),
        ("firstToken", "budgets.firstToken", &mut budgets.first_token),
        ("idle", "budgets.idle", &mut budgets.idle),
        ("contentIdle", "budgets.contentIdle", &mut budgets.content_idle),
        ("total", "budgets.total", &mut budgets.total),
    ] {
        match fields.take(name) {
            Value::Nothing => {}
            Value::Number(millis) if millis > 0.0 => *budget = millis as u64, // Infinity saturates: never
            Value::Number(_) => return Err(invalid(param, "a positive number of milliseconds is expected")),
            _ => return Err(wrong_type(param, "a number")),
        }
    }
    Ok(budgets)
}

struct Fields(Vec<(Value<'static>, Value<'static>)>);

impl Fields {
    fn of(name: &'static str, value: Value<'static>) -> Result<Self, Error> {
        match value {
            Value::Object(fields) => Ok(Fields(fields)),
            _ => Err(wrong_type(name, "an object")),
        }
    }

    fn take(&mut self, name: &str) -> Value<'static> {
        let is_wanted = |(known, _): &&mut (Value<'static>, _)| matches!(known, Value::Text(known) if known == name);
        self.0.iter_mut().find(is_wanted).map_or(Value::Nothing, |(_, value)| core::mem::replace(value, Value::Nothing))
    }

    fn text(&mut self, name: &'static str) -> Result<Option<String>, Error> {
        match self.take(name) {
            Value::Nothing => Ok(None),
            Value::Text(text) => Ok(Some(text.into_owned())),
            _ => Err(wrong_type(name, "a string")),
        }
    }

    /// An array of pairs of strings.
    fn headers(&mut self) -> Result<Vec<(String, String)>, Error> {
        let mut headers = Vec::new();
        let list = match self.take("headers") {
            Value::Nothing => return Ok(headers),
            Value::List(list) => list,
            _ => return Err(wrong_type("headers", "an array")),
        };
        for pair in list {
            let pair = match pair {
                Value::List(pair) => <[Value<'static>; 2]>::try_from(pair).ok(),
                _ => None,
            };
            let Some([Value::Text(name), Value::Text(value)]) = pair else {
                return Err(wrong_type("headers", "a pair of strings"));
            };
            headers.push((name.into_owned(), value.into_owned()));
        }
        Ok(headers)
    }

    fn reply(&mut self) -> Result<reply::Options, Error> {
        let think_tags = match self.text("thinkTags")?.as_deref() {
            None | Some("auto") => ThinkTags::Auto,
            Some("open") => ThinkTags::Open,
            Some("off") => ThinkTags::Off,
            Some(_) => return Err(invalid("thinkTags", "auto, open or off is expected")),
        };
        Ok(reply::Options { think_tags, ..reply::Options::default() })
    }
}

/// The endpoint whose path ends `url`.
pub(crate) fn endpoint_of(url: &str) -> Option<Endpoint> {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    [Endpoint::ChatCompletions, Endpoint::Completions].into_iter().find(|endpoint| path.ends_with(endpoint.path()))
}

pub(crate) fn invalid(name: &str, expected: &'static str) -> Error {
    Error::new(ErrorKind::InvalidRequest, format!("The option is not valid: {expected}.")).with_param(name)
}

fn wrong_type(name: &str, expected: &'static str) -> Error {
    Error::new(ErrorKind::InvalidRequest, format!("An option has the wrong type: {expected} is expected."))
        .with_param(name)
}
