//! The options of a gate and of its calls, as `gate.ts` puts them together, checked by type and range.
//!
//! What several levels may set (`budgets`, `retry`, `continuation`, `hedge`) comes as a list, the more special ones behind the more
//! general: each sets what it names.

use crate::convert::get;
use crate::transport::fetch_function;
use crate::value::Value;
use js_sys::{Array, Function};
use sluicegate::exchange::{BreakerPolicy, Budgets, Capabilities, Continuation, Hedge, Recovery, Retry, Route};
use sluicegate::reply::{self, ThinkTags};
use sluicegate::request::{ContinueBy, Dialect, Endpoint};
use sluicegate::{Error, ErrorKind};
use wasm_bindgen::prelude::*;

/// Options of one call.
pub(crate) struct CallOptions {
    pub(crate) endpoint: Endpoint,
    /// For requests that name none.
    pub(crate) model: Option<String>,
    pub(crate) stream: Option<bool>,
    pub(crate) recovery: Recovery,
    /// Where the call may go. A route without a model asks for the request's.
    pub(crate) routes: Vec<Route>,
    /// How each route is reached.
    pub(crate) sites: Vec<Site>,
    /// Gives a promise of a route's new headers.
    pub(crate) refresh: JsValue,
}

/// How a route is reached.
pub(crate) struct Site {
    /// The API's base.
    pub(crate) url: String,
    /// What stands behind the path.
    pub(crate) query: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) fetch: Function,
    /// Whether it keeps streams for those whose connection breaks.
    pub(crate) resume: bool,
}

impl CallOptions {
    pub(crate) fn from_js(value: &JsValue) -> Result<Self, Error> {
        let mut fields = Fields::of("options", Value::from_js(value))?;
        let path = fields.text("path")?.unwrap_or_default();
        let expected = "a chat or completion route is expected";
        let (mut routes, mut sites) = (Vec::new(), Vec::new());
        let given: Array = get(value, "routes").unwrap_or_default().unchecked_into();
        for (at, route) in given.iter().enumerate() {
            let (route, site) = read_route(&route).map_err(|error| match at {
                0 => error,
                _ => {
                    let place = ["fallback[", &(at - 1).to_string(), "].", error.param().unwrap_or("")].concat();
                    error.with_param(place)
                }
            })?;
            routes.push(route);
            sites.push(site);
        }
        Ok(CallOptions {
            endpoint: endpoint_of(&path).ok_or_else(|| invalid("path", expected))?,
            model: fields.text("model")?,
            stream: match fields.take("stream") {
                Value::Nothing => None,
                Value::Flag(stream) => Some(stream),
                _ => return Err(wrong_type("stream", "a boolean")),
            },
            recovery: Recovery {
                retry: retry(fields.take("retry"))?,
                continuation: continuation(fields.take("continuation"))?,
                hedge: hedge(fields.take("hedge"))?,
                ..Recovery::default()
            },
            routes,
            sites,
            refresh: get(value, "refresh").unwrap_or(JsValue::UNDEFINED),
        })
    }
}

fn read_route(value: &JsValue) -> Result<(Route, Site), Error> {
    let mut fields = Fields::of("route", Value::from_js(value))?;
    let dialect = fields.text("dialect")?;
    let dialect: Dialect = dialect
        .as_deref()
        .unwrap_or("openai")
        .parse()
        .map_err(|_| invalid("dialect", "openai, deepseek or siliconflow is expected"))?;
    let model = fields.text("model")?.unwrap_or_default();
    let source = fields.text("source")?.unwrap_or_default();
    let mut route = Route::new(&source, &model, dialect);
    route.add_usage = true;
    route.think_tags = fields.reply()?.think_tags;
    route.budgets = budgets(fields.take("budgets"))?;
    route.capabilities = Capabilities {
        context: fields.count("context")?,
        vision: fields.flag("vision", true)?,
        tools: fields.flag("tools", true)?,
    };
    route.continuation = match fields.text("by")?.as_deref() {
        None => None,
        Some("prefix") => Some(ContinueBy::Prefix),
        Some("prefill") => Some(ContinueBy::Prefill),
        Some("anchor") => Some(ContinueBy::Anchor),
        Some("off") => Some(ContinueBy::Off),
        Some(_) => return Err(invalid("continuation", "prefix, prefill, anchor or off is expected")),
    };
    route.shared_account = fields.flag("isShared", true)?;
    route.can_refresh = fields.flag("canRefresh", false)?;
    let site = Site {
        url: fields.text("url")?.unwrap_or_default(),
        query: fields.text("query")?.unwrap_or_default(),
        headers: pairs(fields.take("headers"))?,
        fetch: fetch_function(get(value, "fetch").unwrap_or(JsValue::UNDEFINED))?,
        resume: fields.flag("resume", false)?,
    };
    Ok((route, site))
}

/// How a reply is read: `{thinkTags}`.
pub(crate) fn reply_options(value: JsValue) -> Result<reply::Options, Error> {
    Fields::of("options", Value::from_js(&value))?.reply()
}

/// An array of pairs of strings.
pub(crate) fn pairs(value: Value<'static>) -> Result<Vec<(String, String)>, Error> {
    let mut pairs = Vec::new();
    let list = match value {
        Value::Nothing => return Ok(pairs),
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
        pairs.push((name.into_owned(), value.into_owned()));
    }
    Ok(pairs)
}

/// A number among others: its name, its place, and the least and the most that it may be.
type Number<'a> = (&'static str, &'a mut u64, u64, u64);

const ANY: u64 = u64::MAX;
const COUNT: u64 = u32::MAX as u64;

fn budgets(value: Value<'static>) -> Result<Budgets, Error> {
    let mut budgets = Budgets::default();
    let mut rate = u64::from(budgets.rate);
    read_layers(
        "budgets",
        value,
        &mut [
            ("connect", &mut budgets.connect, 1, ANY),
            ("firstToken", &mut budgets.first_token, 1, ANY),
            ("idle", &mut budgets.idle, 1, ANY),
            ("contentIdle", &mut budgets.content_idle, 1, ANY),
            ("rate", &mut rate, 0, ANY),
            ("answer", &mut budgets.answer, 1, ANY),
            ("patience", &mut budgets.patience, 1, ANY),
            ("total", &mut budgets.total, 1, ANY),
        ],
    )?;
    budgets.rate = to_count(rate);
    Ok(budgets)
}

fn retry(value: Value<'static>) -> Result<Retry, Error> {
    let mut retry = Retry::default();
    let (mut tries, mut attempts) = (u64::from(retry.tries), u64::from(retry.attempts));
    let is_on = read_layers(
        "retry",
        value,
        &mut [
            ("firstMs", &mut retry.first, 0, ANY),
            ("capMs", &mut retry.cap, 0, ANY),
            ("tries", &mut tries, 1, COUNT),
            ("attempts", &mut attempts, 1, MOST_ATTEMPTS),
        ],
    )?;
    retry.tries = if is_on == Some(false) { 1 } else { to_count(tries) };
    retry.attempts = to_count(attempts);
    Ok(retry)
}

/// Each attempt leaves something behind until the call is over.
const MOST_ATTEMPTS: u64 = 64;

fn continuation(value: Value<'static>) -> Result<Continuation, Error> {
    let default = Continuation::default();
    let (mut most, mut length, mut replace) = (u64::from(default.most), u64::from(default.length), 0);
    let is_on = read_layers(
        "continuation",
        value,
        &mut [("most", &mut most, 0, COUNT), ("length", &mut length, 0, COUNT), ("replace", &mut replace, 0, 1)],
    )?;
    if is_on == Some(false) {
        return Ok(Continuation { most: 0, length: 0, replace: false });
    }
    Ok(Continuation { most: to_count(most), length: to_count(length), replace: replace > 0 })
}

fn hedge(value: Value<'static>) -> Result<Option<Hedge>, Error> {
    let (mut after, mut percentile, mut share) = (3_000, 0, 10);
    let is_on = read_layers(
        "hedge",
        value,
        &mut [
            ("afterMs", &mut after, 0, ANY),
            ("percentile", &mut percentile, 1, 100),
            ("sharePercent", &mut share, 0, 100),
        ],
    )?;
    let percentile = (percentile > 0).then_some(percentile as u8);
    Ok((is_on == Some(true)).then_some(Hedge { after, percentile, share: to_count(share) }))
}

/// The policy of a gate's breakers: an object, or false.
pub(crate) fn breaker(value: &JsValue) -> Result<BreakerPolicy, Error> {
    let mut policy = BreakerPolicy::default();
    let (mut failures, mut ratio, mut least) = (policy.failures.into(), policy.ratio.into(), policy.least.into());
    let is_on = read_layers(
        "breaker",
        Value::from_js(value),
        &mut [
            ("failures", &mut failures, 1, ANY),
            ("ratioPercent", &mut ratio, 1, ANY),
            ("least", &mut least, 1, COUNT),
            ("windowMs", &mut policy.window, 1, ANY),
            ("openMs", &mut policy.open, 1, ANY),
        ],
    )?;
    if is_on == Some(false) {
        (failures, ratio) = (u64::MAX, u64::MAX);
    }
    (policy.failures, policy.ratio, policy.least) = (to_count(failures), to_count(ratio), to_count(least));
    Ok(policy)
}

fn to_count(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Reads an option's numbers, or those of a list of options one after the other: `None` where there are none, else whether the last
/// word is an object, and not `false`.
fn read_layers(group: &'static str, value: Value<'static>, numbers: &mut [Number<'_>]) -> Result<Option<bool>, Error> {
    let layers = match value {
        Value::List(layers) => layers,
        other => vec![other],
    };
    let mut is_on = None;
    for layer in layers {
        match layer {
            Value::Nothing => {}
            Value::Flag(false) if group != "budgets" => is_on = Some(false),
            layer => {
                read_numbers(group, Fields::of(group, layer)?, numbers)?;
                is_on = Some(true);
            }
        }
    }
    Ok(is_on)
}

fn read_numbers(group: &'static str, mut fields: Fields, numbers: &mut [Number<'_>]) -> Result<(), Error> {
    for (name, place, least, most) in numbers {
        let param = || [group, ".", *name].concat();
        **place = match fields.take(name) {
            Value::Nothing => continue,
            Value::Flag(flag) if *most == 1 => u64::from(flag),
            // Infinity saturates: never.
            Value::Number(number) if *most > 1 && number >= 0.0 && (number > 0.0 || *least == 0) => number as u64,
            Value::Number(_) if *most > 1 => return Err(invalid(&param(), "a positive number is expected")),
            _ => return Err(wrong_type(&param(), if *most == 1 { "a boolean" } else { "a number" })),
        };
        if **place > *most {
            return Err(invalid(&param(), "a smaller number is expected"));
        }
        // What is less than one but more than nothing.
        **place = (**place).max(*least);
    }
    Ok(())
}

struct Fields(Vec<(Value<'static>, Value<'static>)>);

impl Fields {
    fn of(name: &str, value: Value<'static>) -> Result<Self, Error> {
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

    fn flag(&mut self, name: &'static str, default: bool) -> Result<bool, Error> {
        match self.take(name) {
            Value::Nothing => Ok(default),
            Value::Flag(flag) => Ok(flag),
            _ => Err(wrong_type(name, "a boolean")),
        }
    }

    fn count(&mut self, name: &'static str) -> Result<Option<u32>, Error> {
        match self.take(name) {
            Value::Nothing => Ok(None),
            Value::Number(number) if number >= 1.0 => Ok(Some(number as u32)),
            _ => Err(wrong_type(name, "a positive number")),
        }
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
fn endpoint_of(url: &str) -> Option<Endpoint> {
    [Endpoint::ChatCompletions, Endpoint::Completions].into_iter().find(|endpoint| url.ends_with(endpoint.path()))
}

pub(crate) fn invalid(name: &str, expected: &'static str) -> Error {
    let message = ["The option is not valid: ", expected, "."].concat();
    Error::new(ErrorKind::InvalidRequest, message).with_param(name)
}

fn wrong_type(name: &str, expected: &'static str) -> Error {
    let message = ["An option has the wrong type: ", expected, " is expected."].concat();
    Error::new(ErrorKind::InvalidRequest, message).with_param(name)
}
