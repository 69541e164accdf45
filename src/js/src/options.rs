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
        let mut faults = Faults::default();
        let mut fields = faults.fields("options", Value::from_js(value));
        let path = faults.text(&mut fields, "path").unwrap_or_default();
        let (mut routes, mut sites) = (Vec::new(), Vec::new());
        let given: Array = get(value, "routes").unwrap_or_default().unchecked_into();
        for (at, route) in given.iter().enumerate() {
            let mut own = Faults::default();
            let (route, site) = read_route(&mut own, &route);
            routes.push(route);
            sites.push(site);
            let Some(error) = own.first else { continue };
            faults.add(match at {
                0 => error,
                _ => {
                    let place = ["fallback[", &(at - 1).to_string(), "].", error.param().unwrap_or("")].concat();
                    error.with_param(place)
                }
            });
        }
        let endpoint = endpoint_of(&path).unwrap_or_else(|| {
            faults.add(invalid("path", "a chat or completion route is expected"));
            Endpoint::ChatCompletions
        });
        let options = CallOptions {
            endpoint,
            model: faults.text(&mut fields, "model"),
            stream: faults.flag(&mut fields, "stream"),
            recovery: Recovery {
                retry: retry(&mut faults, fields.take("retry")),
                continuation: continuation(&mut faults, fields.take("continuation")),
                hedge: hedge(&mut faults, fields.take("hedge")),
                ..Recovery::default()
            },
            routes,
            sites,
            refresh: get(value, "refresh").unwrap_or(JsValue::UNDEFINED),
        };
        faults.none_or(options)
    }
}

fn read_route(faults: &mut Faults, value: &JsValue) -> (Route, Site) {
    let mut fields = faults.fields("route", Value::from_js(value));
    let dialect = faults.text(&mut fields, "dialect");
    let dialect: Dialect = dialect.as_deref().unwrap_or("openai").parse().unwrap_or_else(|_| {
        faults.add(invalid("dialect", "openai, deepseek or siliconflow is expected"));
        Dialect::OpenAi
    });
    let model = faults.text(&mut fields, "model").unwrap_or_default();
    let source = faults.text(&mut fields, "source").unwrap_or_default();
    let mut route = Route::new(&source, &model, dialect);
    route.add_usage = true;
    route.think_tags = think_tags(faults, &mut fields);
    route.budgets = budgets(faults, fields.take("budgets"));
    route.capabilities = Capabilities {
        context: faults.count(&mut fields, "context"),
        vision: faults.flag(&mut fields, "vision").unwrap_or(true),
        tools: faults.flag(&mut fields, "tools").unwrap_or(true),
    };
    let ways = [ContinueBy::Prefix, ContinueBy::Prefill, ContinueBy::Anchor, ContinueBy::Off];
    let by = faults.text(&mut fields, "by");
    route.continuation = by.as_deref().and_then(|by| ways.into_iter().find(|way| way.as_str() == by));
    if by.is_some() && route.continuation.is_none() {
        faults.add(invalid("continuation", "prefix, prefill, anchor or off is expected"));
    }
    route.shared_account = faults.flag(&mut fields, "isShared").unwrap_or(true);
    route.can_refresh = faults.flag(&mut fields, "canRefresh").unwrap_or(false);
    let site = Site {
        url: faults.text(&mut fields, "url").unwrap_or_default(),
        query: faults.text(&mut fields, "query").unwrap_or_default(),
        headers: pairs(fields.take("headers")).unwrap_or_else(|| {
            faults.add(wrong_type("headers", "a list of pairs of strings"));
            Vec::new()
        }),
        fetch: fetch_function(get(value, "fetch").unwrap_or(JsValue::UNDEFINED)).unwrap_or_else(|given| {
            faults.add(invalid("fetch", "a function is expected"));
            given.unchecked_into()
        }),
        resume: faults.flag(&mut fields, "resume").unwrap_or(false),
    };
    (route, site)
}

/// How a reply is read: `{thinkTags}`.
pub(crate) fn reply_options(value: JsValue) -> Result<reply::Options, Error> {
    let mut faults = Faults::default();
    let mut fields = faults.fields("options", Value::from_js(&value));
    let think_tags = think_tags(&mut faults, &mut fields);
    faults.none_or(reply::Options { think_tags, ..reply::Options::default() })
}

fn think_tags(faults: &mut Faults, fields: &mut Fields) -> ThinkTags {
    match faults.text(fields, "thinkTags").as_deref() {
        None | Some("auto") => ThinkTags::Auto,
        Some("open") => ThinkTags::Open,
        Some("off") => ThinkTags::Off,
        Some(_) => {
            faults.add(invalid("thinkTags", "auto, open or off is expected"));
            ThinkTags::Auto
        }
    }
}

/// An array of pairs of strings; `None` for what is none.
pub(crate) fn pairs(value: Value) -> Option<Vec<(String, String)>> {
    let list = match value {
        Value::Nothing => Vec::new(),
        Value::List(list) => list,
        _ => return None,
    };
    let pair = |pair| match pair {
        Value::List(pair) => match <[Value; 2]>::try_from(pair) {
            Ok([Value::Text(name), Value::Text(value)]) => Some((name, value)),
            _ => None,
        },
        _ => None,
    };
    list.into_iter().map(pair).collect()
}

/// A number among others: its name, its place, and the least and the most that it may be.
type Number<'a> = (&'static str, &'a mut u64, u64, u64);

const ANY: u64 = u64::MAX;
const COUNT: u64 = u32::MAX as u64;

fn budgets(faults: &mut Faults, value: Value) -> Budgets {
    let mut budgets = Budgets::default();
    let mut rate = u64::from(budgets.rate);
    faults.read_layers(
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
    );
    budgets.rate = to_count(rate);
    budgets
}

fn retry(faults: &mut Faults, value: Value) -> Retry {
    let mut retry = Retry::default();
    let (mut tries, mut attempts) = (u64::from(retry.tries), u64::from(retry.attempts));
    let is_on = faults.read_layers(
        "retry",
        value,
        &mut [
            ("firstMs", &mut retry.first, 0, ANY),
            ("capMs", &mut retry.cap, 0, ANY),
            ("tries", &mut tries, 1, COUNT),
            ("attempts", &mut attempts, 1, MOST_ATTEMPTS),
        ],
    );
    retry.tries = if is_on == Some(false) { 1 } else { to_count(tries) };
    retry.attempts = to_count(attempts);
    retry
}

/// Each attempt leaves something behind until the call is over.
const MOST_ATTEMPTS: u64 = 64;

fn continuation(faults: &mut Faults, value: Value) -> Continuation {
    let default = Continuation::default();
    let (mut most, mut length, mut replace) = (u64::from(default.most), u64::from(default.length), 0);
    let is_on = faults.read_layers(
        "continuation",
        value,
        &mut [("most", &mut most, 0, COUNT), ("length", &mut length, 0, COUNT), ("replace", &mut replace, 0, 1)],
    );
    if is_on == Some(false) {
        return Continuation { most: 0, length: 0, replace: false };
    }
    Continuation { most: to_count(most), length: to_count(length), replace: replace > 0 }
}

fn hedge(faults: &mut Faults, value: Value) -> Option<Hedge> {
    let defaults = Hedge::default();
    let (mut after, mut percentile, mut share) = (defaults.after, 0, u64::from(defaults.share));
    let is_on = faults.read_layers(
        "hedge",
        value,
        &mut [
            ("afterMs", &mut after, 0, ANY),
            ("percentile", &mut percentile, 1, 100),
            ("sharePercent", &mut share, 0, 100),
        ],
    );
    let percentile = (percentile > 0).then_some(percentile as u8);
    (is_on == Some(true)).then_some(Hedge { after, percentile, share: to_count(share) })
}

/// The policy of a gate's breakers: an object, or false.
pub(crate) fn breaker(value: &JsValue) -> Result<BreakerPolicy, Error> {
    let mut faults = Faults::default();
    let mut policy = BreakerPolicy::default();
    let (mut failures, mut ratio, mut least) = (policy.failures.into(), policy.ratio.into(), policy.least.into());
    let is_on = faults.read_layers(
        "breaker",
        Value::from_js(value),
        &mut [
            ("failures", &mut failures, 1, ANY),
            ("ratioPercent", &mut ratio, 1, ANY),
            ("least", &mut least, 1, COUNT),
            ("windowMs", &mut policy.window, 1, ANY),
            ("openMs", &mut policy.open, 1, ANY),
        ],
    );
    if is_on == Some(false) {
        (failures, ratio) = (u64::MAX, u64::MAX);
    }
    (policy.failures, policy.ratio, policy.least) = (to_count(failures), to_count(ratio), to_count(least));
    faults.none_or(policy)
}

fn to_count(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// An object's members.
#[derive(Default)]
struct Fields(Vec<(Value, Value)>);

impl Fields {
    fn take(&mut self, name: &str) -> Value {
        let is_wanted = |(known, _): &&mut (Value, _)| matches!(known, Value::Text(known) if known == name);
        self.0.iter_mut().find(is_wanted).map_or(Value::Nothing, |(_, value)| core::mem::replace(value, Value::Nothing))
    }
}

/// What is wrong with the options: the first fault. Reading goes on behind it, since a way out at each of forty fields is longer.
#[derive(Default)]
struct Faults {
    first: Option<Error>,
}

impl Faults {
    #[inline(never)]
    fn add(&mut self, error: Error) {
        self.first.get_or_insert(error);
    }

    fn none_or<T>(self, value: T) -> Result<T, Error> {
        self.first.map_or(Ok(value), Err)
    }

    #[inline(never)]
    fn fields(&mut self, name: &str, value: Value) -> Fields {
        match value {
            Value::Object(fields) => return Fields(fields),
            _ => self.add(wrong_type(name, "an object")),
        }
        Fields::default()
    }

    #[inline(never)]
    fn text(&mut self, fields: &mut Fields, name: &str) -> Option<String> {
        match fields.take(name) {
            Value::Nothing => {}
            Value::Text(text) => return Some(text),
            _ => self.add(wrong_type(name, "a string")),
        }
        None
    }

    #[inline(never)]
    fn flag(&mut self, fields: &mut Fields, name: &str) -> Option<bool> {
        match fields.take(name) {
            Value::Nothing => {}
            Value::Flag(flag) => return Some(flag),
            _ => self.add(wrong_type(name, "a boolean")),
        }
        None
    }

    fn count(&mut self, fields: &mut Fields, name: &str) -> Option<u32> {
        match fields.take(name) {
            Value::Nothing => {}
            Value::Number(number) if number >= 1.0 => return Some(number as u32),
            _ => self.add(wrong_type(name, "a positive number")),
        }
        None
    }

    /// Reads an option's numbers, or those of a list of options one after the other: `None` where there are none, else whether the last
    /// word is an object, and not `false`.
    #[inline(never)]
    fn read_layers(&mut self, group: &'static str, value: Value, numbers: &mut [Number<'_>]) -> Option<bool> {
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
                    let mut fields = self.fields(group, layer);
                    for number in &mut *numbers {
                        self.read_number(group, &mut fields, number);
                    }
                    is_on = Some(true);
                }
            }
        }
        is_on
    }

    fn read_number(&mut self, group: &str, fields: &mut Fields, (name, place, least, most): &mut Number<'_>) {
        let (is_flag, value) = (*most == 1, fields.take(name));
        let (is_wrong_type, expected) = match value {
            Value::Nothing => return,
            Value::Flag(flag) if is_flag => {
                **place = u64::from(flag);
                return;
            }
            // Infinity saturates: never.
            Value::Number(number) if !is_flag && number >= 0.0 && (number > 0.0 || *least == 0) => {
                // What is less than one but more than nothing.
                **place = (number as u64).max(*least);
                if **place <= *most {
                    return;
                }
                (false, "a smaller number is expected")
            }
            Value::Number(_) if !is_flag => (false, "a positive number is expected"),
            _ => (true, if is_flag { "a boolean" } else { "a number" }),
        };
        let param = [group, ".", *name].concat();
        self.add(if is_wrong_type { wrong_type(&param, expected) } else { invalid(&param, expected) });
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
