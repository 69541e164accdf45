//! How a model does: what this isolate's calls have found out of the places that serve it, and whether they can be reached.

use crate::answer::Answers;
use crate::{gate, headers, js};
use serde_json::{Value, json};
use sluicegate::Error;
use sluicegate::access::Caller;
use sluicegate::config::{Config, Upstream};
use sluicegate::exchange::{BreakerState, Standing};
use sluicegate::time::Instant;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use worker::Env;

/// How long an upstream may take to show that it is there, in milliseconds.
const PATIENCE: f64 = 3_000.0;
/// How long what it showed counts, in milliseconds: who asks often asks us.
const COUNTS: f64 = 10_000.0;
/// How many upstreams there are at most.
const MOST: usize = 64;

thread_local! {
    // The same for every request of the isolate: when an upstream was last asked, and whether it was there.
    static SEEN: RefCell<BTreeMap<String, (f64, bool)>> = const { RefCell::new(BTreeMap::new()) };
    // How many calls are under way, by the models that their callers asked for.
    static RUNNING: RefCell<BTreeMap<String, u32>> = const { RefCell::new(BTreeMap::new()) };
}

/// A call that is under way, for as long as this lives.
pub(crate) struct Running(String);

impl Running {
    /// One more call of a model.
    pub(crate) fn new(model: &str) -> Self {
        RUNNING.with_borrow_mut(|running| *running.entry(model.to_owned()).or_default() += 1);
        Running(model.to_owned())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        RUNNING.with_borrow_mut(|running| match running.get_mut(&self.0) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                running.remove(&self.0);
            }
        });
    }
}

/// A model whose status is asked for.
pub(crate) struct Asked {
    pub(crate) model: String,
    pub(crate) caller: Option<Caller>,
}

impl Asked {
    /// `{"object": "model.status", …}`, as docs/access.md has it.
    ///
    /// Errors: `model_not_found`, `forbidden`.
    pub(crate) async fn answer(&self, env: &Env, config: &Rc<Config>, answers: &Answers) -> Result<String, Error> {
        if let Some(caller) = &self.caller {
            caller.check_model(&self.model)?;
        }
        let mut places = Vec::new();
        let mut reachable = false;
        let mut closed = 0_usize;
        for route in config.places(&self.model)? {
            let now = Instant(js::now() as u64);
            let key = [route.upstream.name(), "/", route.model].concat();
            let standing = gate::standing(now, &key);
            let is_open = matches!(standing.state, BreakerState::Open { .. });
            let is_there = !is_open && (standing.samples > 0 || seen(env, config, route.upstream, answers).await);
            reachable |= is_there;
            closed += usize::from(standing.state == BreakerState::Closed && is_there);
            places.push(place(route.upstream.name(), &standing, now, is_there));
        }
        let status = match closed {
            0 if reachable => "degraded",
            0 => "unavailable",
            closed if closed < places.len() => "degraded",
            _ => "available",
        };
        let running = RUNNING.with_borrow(|running| running.get(&self.model).copied().unwrap_or(0));
        // A call that comes goes: nothing waits in a line here.
        let queue = json!({ "running": running, "waiting": 0 });
        Ok(json!({
            "object": "model.status",
            "model": self.model,
            "status": status,
            "reachable": reachable,
            "queue": queue,
            "places": places,
        })
        .to_string())
    }
}

fn place(upstream: &str, standing: &Standing, now: Instant, reachable: bool) -> Value {
    let (breaker, until) = match standing.state {
        BreakerState::Closed => ("closed", standing.held),
        BreakerState::HalfOpen => ("half_open", None),
        BreakerState::Open { until } => ("open", Some(until)),
    };
    let [p50, p90, p99] = standing.first_token;
    json!({
        "upstream": upstream,
        "reachable": reachable,
        "breaker": breaker,
        "retry_after_ms": until.map(|until| until.since(now)),
        "first_token_ms": { "p50": p50, "p90": p90, "p99": p99, "samples": standing.samples },
    })
}

/// Whether an upstream answers at all; asked at most once in a while.
async fn seen(env: &Env, config: &Config, upstream: &Upstream, answers: &Answers) -> bool {
    let known = SEEN.with_borrow(|seen| seen.get(upstream.name()).copied());
    if let Some((at, is_there)) = known
        && js::now() - at < COUNTS
    {
        return is_there;
    }
    let Ok(secret) = gate::secret(env, config, upstream) else { return false };
    let headers = headers::upward(secret.as_deref(), "application/json", &answers.id, answers.hops, upstream.headers());
    let url = format!("{}/models", upstream.base_url().as_str());
    let status = js::settled(js::reach(&url, headers.as_str(), PATIENCE)).await;
    // A refusal is an answer: what the model itself does shows when it is called.
    let is_there = status.ok().and_then(|status| status.as_f64()).is_some_and(|status| (1.0..500.0).contains(&status));
    SEEN.with_borrow_mut(|seen| {
        if seen.len() >= MOST {
            seen.clear();
        }
        seen.insert(upstream.name().to_owned(), (js::now(), is_there));
    });
    is_there
}
