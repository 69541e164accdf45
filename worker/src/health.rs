//! What isolates know together of routes: the object's side, and the way to it. The rules are [`SharedBreaker`]'s and `Health`'s.

use crate::headers::Headers;
use crate::{gate, js};
use js_sys::{Array, Reflect};
use sluicegate::exchange::{BreakerPolicy, SharedBreaker};
use sluicegate::time::Instant;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;
use web_sys::Response;
use worker::Env;

/// The binding of the objects' class; an object is one route, by its key.
pub(crate) const BINDING: &str = "ROUTE_HEALTH";

/// The path at which an object gets reports. From anywhere else there is nothing at it.
pub(crate) const PATH: &str = "/internal/route-health";

/// Answers a report, in the object: its state and the report stand in the context, and the new state is put there. `None` anywhere else.
pub(crate) fn answer(env: &Env, context: &JsValue) -> Option<Result<Response, JsValue>> {
    let read = |name: &str| Reflect::get(context, &name.into()).ok()?.as_string();
    let (state, report) = (read("breaker")?, read("report")?);
    let policy = gate::config(env).map_or_else(|_| BreakerPolicy::default(), |config| config.breaker());
    let mut breaker = SharedBreaker::from_json(policy, &state);
    let answer = breaker.handle(Instant(js::now() as u64), &report);
    let kept = Reflect::set(context, &"breaker".into(), &breaker.to_json().into());
    Some(kept.and_then(|_| js::respond(200, Headers::default().as_str(), &answer.into())))
}

/// Shares what the calls of this isolate have found out, if there is anything to share; no call waits for it.
pub(crate) fn share(env: &Env, now: Instant) {
    let Some(report) = gate::take_report(now) else { return };
    let env = env.clone();
    js::wait_until(&future_to_promise(async move {
        for answer in consult(&env, &report).await {
            gate::adopt(Instant(js::now() as u64), &answer);
        }
        Ok(JsValue::UNDEFINED)
    }));
}

/// Tells the objects what a report says of their routes, and gives what they answer; nothing where there are none or they are silent.
async fn consult(env: &Env, report: &str) -> Vec<String> {
    let Some(namespace) = gate::binding(env, BINDING) else { return Vec::new() };
    let answers = js::settled(js::consult(&namespace, report, PATH)).await.unwrap_or_default();
    answers
        .dyn_into::<Array>()
        .map(|answers| answers.iter().filter_map(|answer| answer.as_string()).collect())
        .unwrap_or_default()
}
