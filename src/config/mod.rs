//! The gate's configuration: one JSON text, read once, with every fault named by its path.
//!
//! It holds the names of secrets, never secrets, and every address that the gate will ever send to. Nothing in it can be
//! chosen by a caller. `docs/configuration.md` describes the fields.
//!
//! For each call it gives the ladder of the places that may answer it, and what is done about failures ([`Config::plan`]).

mod access;
mod base_url;
mod callers;
mod cors;
mod datasets;
mod fallback;
mod headers;
mod ladder;
mod model;
mod number;
pub(crate) mod read;
mod recovery;
mod redaction;
mod resume;
mod upstream;

pub use access::{Access, Anonymous, FixedKey, KeyText};
pub use base_url::BaseUrl;
pub use callers::{Callers, Credential, Credentials};
pub use cors::OriginVerdict;
pub use datasets::Datasets;
pub use ladder::Route;
pub use model::{Model, Models};
pub use redaction::{Cover, Covered, Redaction};
pub use resume::Resume;
pub use upstream::Upstream;

use crate::error::Error;
use crate::exchange::{BreakerPolicy, Budgets, Recovery};
use crate::json;
use crate::limits::Limits;
use fallback::Fallbacks;
use read::{Node, fault};
use serde_json::Value;

/// The bound of the text, in bytes: a Worker's variable holds 5 KB, other hosts more.
const TEXT: usize = 256 << 10;

/// Default of `limits.request_headers`, in bytes: SDKs send about one KB, browsers with cookies a few.
const REQUEST_HEADERS: usize = 16 << 10;

/// Default of `limits.body_ms`: the largest body of the default takes a line of 1.2 Mbit/s so long.
const BODY_TIME: u64 = 60_000;

/// Default of `heartbeat_ms`: what keeps common proxies, which give up after 30 s or 60 s, from doing so.
const HEARTBEAT: u64 = 15_000;

/// The same in development: workerd on its own learns only by writing that a caller has left.
const HEARTBEAT_DEVELOPMENT: u64 = 250;

const FIELDS: &[&str] = &[
    "upstreams",
    "fallbacks",
    "access",
    "currency",
    "callers",
    "cors",
    "datasets",
    "limits",
    "budgets",
    "recovery",
    "redaction",
    "resume",
    "heartbeat_ms",
    "log",
    "development",
];

/// What is written to the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// Calls that failed.
    Errors,
    /// Every call.
    Requests,
}

/// A checked configuration.
#[derive(Clone, Debug)]
pub struct Config {
    upstreams: Vec<Upstream>,
    fallbacks: Fallbacks,
    recovery: Recovery,
    breaker: BreakerPolicy,
    access: Option<Access>,
    currency: Option<String>,
    callers: Callers,
    origins: Vec<String>,
    datasets: Datasets,
    limits: Limits,
    request_headers: usize,
    body_time: u64,
    redaction: Option<Redaction>,
    resume: Resume,
    heartbeat: u64,
    log: LogLevel,
    development: bool,
}

impl Config {
    /// Reads a configuration.
    ///
    /// Errors: `misconfigured`, with the path of the fault in `param` (`upstreams[1].base_url`) and what was expected there
    /// in the message. Neither shows a value.
    pub fn parse(text: &str) -> Result<Config, Error> {
        if text.trim().is_empty() {
            return Err(fault(
                "GATE_CONFIG",
                "The configuration is empty; a JSON object with \"upstreams\" was expected.",
            ));
        }
        let limits = Limits { request_body: TEXT, ..Limits::default() };
        let text = json::check_json(text.as_bytes(), &limits).map_err(|error| {
            let message = error.message().replace("The body", "The configuration");
            fault(error.param().unwrap_or("GATE_CONFIG"), message)
        })?;
        let value: Value = serde_json::from_str(text).map_err(|_| fault("GATE_CONFIG", "Expected a JSON object."))?;
        if !value.is_object() {
            return Err(fault("GATE_CONFIG", "Expected a JSON object."));
        }
        Self::read(Node::new(&value, ""))
    }

    fn read(node: Node<'_>) -> Result<Config, Error> {
        let fields = node.object(FIELDS)?;
        let development = fields.optional("development", |node| node.boolean())?.unwrap_or(false);
        let budgets =
            fields.optional("budgets", |node| number::budgets(node, &Budgets::default()))?.unwrap_or_default();
        let upstreams = fields.required("upstreams", "an array of upstreams", |node| {
            node.items(32, |item| upstream::read(item, development, &budgets))
        })?;
        if upstreams.is_empty() {
            return Err(fault("upstreams", "Expected at least one upstream."));
        }
        let (limits, request_headers, body_time) =
            fields.optional("limits", number::limits)?.unwrap_or((Limits::default(), REQUEST_HEADERS, BODY_TIME));
        let (recovery, breaker) = fields.optional("recovery", recovery::read)?.unwrap_or_default();
        let any_trusted = upstreams.iter().any(|upstream| upstream.trusted);
        let levels = [("off", LogLevel::Off), ("errors", LogLevel::Errors), ("requests", LogLevel::Requests)];
        let access =
            fields.optional("access", |node| node.unless_off(None, |node| access::read(node).map(Some)))?.flatten();
        let config = Config {
            access,
            currency: fields.optional("currency", currency)?,
            callers: fields.optional("callers", callers::read)?.unwrap_or_default(),
            origins: fields.optional("cors", cors::read)?.unwrap_or_default(),
            datasets: fields.optional("datasets", datasets::read)?.unwrap_or_default(),
            redaction: fields.optional("redaction", |node| redaction::read(node, any_trusted))?.flatten(),
            resume: fields.optional("resume", resume::read)?.unwrap_or_default(),
            heartbeat: fields
                .optional("heartbeat_ms", |node| node.number(100, 300_000, "milliseconds"))?
                .unwrap_or(if development { HEARTBEAT_DEVELOPMENT } else { HEARTBEAT }),
            log: fields.optional("log", |node| node.choice(&levels))?.unwrap_or(LogLevel::Requests),
            fallbacks: fields.optional("fallbacks", |node| fallback::read(node, &upstreams))?.unwrap_or_default(),
            upstreams,
            recovery,
            breaker,
            limits,
            request_headers,
            body_time,
            development,
        };
        config.check_names()?;
        config.check_keys()?;
        config.check_callers()?;
        Ok(config)
    }

    /// No name twice, and nothing twice in one list: the second would never be used.
    fn check_names(&self) -> Result<(), Error> {
        for (at, upstream) in self.upstreams.iter().enumerate() {
            if self.upstreams.iter().take(at).any(|other| other.name == upstream.name) {
                return Err(fault(format!("upstreams[{at}].name"), "Another upstream has this name."));
            }
            let Models::Listed(models) = &upstream.models else { continue };
            let mut ids = std::collections::BTreeSet::new();
            for (index, model) in models.iter().enumerate() {
                if !ids.insert((model.id.as_str(), model.is_prefix)) {
                    let duplicate = "An earlier entry of this upstream has the same id or pattern.";
                    return Err(fault(format!("upstreams[{at}].models[{index}]"), duplicate));
                }
            }
        }
        Ok(())
    }

    /// Either the gate has the key or its callers bring theirs: with both, nobody could say whose account pays.
    fn check_keys(&self) -> Result<(), Error> {
        if self.callers.credentials != Credentials::PassThrough {
            return Ok(());
        }
        match self.upstreams.iter().position(|upstream| upstream.secret.is_some()) {
            None => Ok(()),
            Some(at) => Err(fault(
                format!("upstreams[{at}].secret"),
                "With callers.credentials \"pass_through\" the callers' own keys are used; an upstream has no secret then.",
            )),
        }
    }

    /// Either callers have keys of the gate's, or something happens with keys of their own.
    fn check_callers(&self) -> Result<(), Error> {
        if self.access.is_none() || self.callers.credentials == Credentials::Refuse {
            return Ok(());
        }
        let message =
            "With `access`, what callers send is a key of this gate; there is nothing to ignore or to pass through.";
        Err(fault("callers.credentials", message))
    }

    /// What prices and spend are in, if it is said.
    pub fn currency(&self) -> Option<&str> {
        self.currency.as_deref()
    }

    /// Who may use the gate; `None`: whoever reaches it, as [`Config::callers`] says.
    pub fn access(&self) -> Option<&Access> {
        self.access.as_ref()
    }

    /// Every upstream, in the order of the text.
    pub fn upstreams(&self) -> &[Upstream] {
        &self.upstreams
    }

    /// Who may call.
    pub fn callers(&self) -> &Callers {
        &self.callers
    }

    /// Bounds of bodies, events and replies.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// Bound of a request's headers, names and values together, in bytes.
    pub fn request_headers(&self) -> usize {
        self.request_headers
    }

    /// How long a request's body may take to arrive, in milliseconds. Datasets have bounds of their own.
    pub fn body_time(&self) -> u64 {
        self.body_time
    }

    /// How datasets are taken and kept.
    pub fn datasets(&self) -> Datasets {
        self.datasets
    }

    /// How streams are kept for callers whose connection breaks.
    pub fn resume(&self) -> Resume {
        self.resume
    }

    /// After how many silent milliseconds a stream's reader gets a comment.
    pub fn heartbeat(&self) -> u64 {
        self.heartbeat
    }

    /// What is written to the log.
    pub fn log(&self) -> LogLevel {
        self.log
    }

    /// Whether plain http to loopback is allowed.
    pub fn is_development(&self) -> bool {
        self.development
    }

    /// Judges a request's `Origin`; `own` is the origin that the request was sent to.
    pub fn judge_origin(&self, origin: Option<&str>, own: &str) -> OriginVerdict {
        cors::judge(&self.origins, origin, own)
    }

    /// What is done about failures.
    pub fn recovery(&self) -> Recovery {
        self.recovery
    }

    /// When a route that fails is left alone, and for how long.
    pub fn breaker(&self) -> BreakerPolicy {
        self.breaker
    }
}

fn currency(node: Node<'_>) -> Result<String, Error> {
    let what = "the three capital letters of a currency, such as CNY or USD";
    let text = node.string(what)?;
    let is_code = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase());
    if is_code { Ok(text.to_owned()) } else { Err(node.expected(what)) }
}
