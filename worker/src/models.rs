//! The list of models: from the configuration, and from upstreams that are asked for theirs.

use crate::answer::Answers;
use crate::headers;
use crate::{access, gate, health, js, limits, live, page, socket, store};
use serde_json::{Map, Value, json};
use sluicegate::access::Caller;
use sluicegate::config::{Config, Credential, Models, Redaction, Upstream};
use sluicegate::{Error, ErrorKind};
use std::collections::BTreeSet;
use std::rc::Rc;
use wasm_bindgen::JsCast as _;
use worker::Env;

/// The most of an upstream's list that is read, in bytes: SiliconFlow's is about 20 KB.
const LIST: usize = 1 << 20;
/// How many models of an upstream's list are taken over.
const MOST: usize = 2_000;
/// How long an upstream may take for its list, in milliseconds.
const PATIENCE: u64 = 10_000;

/// What is asked for: the list, or one model of it.
pub(crate) struct Asked {
    /// The caller's own credential, where it is the upstream's business.
    token: Option<String>,
    /// Whose key may go no further than some models.
    caller: Option<Caller>,
    id: Option<String>,
}

impl Asked {
    pub(crate) fn new(credential: Credential<'_>, caller: Option<Caller>, id: Option<String>) -> Self {
        let token = match credential {
            Credential::Passed(token) => Some(token.to_owned()),
            _ => None,
        };
        Asked { token, caller, id }
    }

    pub(crate) async fn answer(&self, env: &Env, config: &Config, answers: &mut Answers) -> Result<String, Error> {
        match &self.id {
            Some(id) => self.one(env, config, answers, id).await,
            None => self.list(env, config, answers).await,
        }
    }

    /// `{"object": "list", "data": […]}`. An upstream that does not give its list is left out, with a notice.
    async fn list(&self, env: &Env, config: &Config, answers: &mut Answers) -> Result<String, Error> {
        let mut data = Vec::new();
        let mut seen = BTreeSet::new();
        for upstream in config.upstreams() {
            let ids = match upstream.models() {
                Models::Listed(models) => models.iter().filter_map(|model| model.id()).map(str::to_owned).collect(),
                Models::Upstream => {
                    let ids = self.ask(env, config, upstream, answers).await?;
                    ids.unwrap_or_else(|| {
                        answers.notices.push(format!("models_unavailable:{}", upstream.name()));
                        Vec::new()
                    })
                }
            };
            for id in ids {
                if self.check(&id).is_ok() && seen.insert(id.clone()) {
                    data.push(entry(&id, upstream));
                }
            }
        }
        Ok(json!({ "object": "list", "data": data }).to_string())
    }

    fn check(&self, id: &str) -> Result<(), Error> {
        self.caller.as_ref().map_or(Ok(()), |caller| caller.check_model(id))
    }

    /// One entry of the list; a model that only a pattern serves counts as there.
    async fn one(&self, env: &Env, config: &Config, answers: &Answers, id: &str) -> Result<String, Error> {
        self.check(id)?;
        let route = config.route(id)?;
        if let Models::Upstream = route.upstream.models() {
            let ids = self.ask(env, config, route.upstream, answers).await?;
            if ids.is_some_and(|ids| !ids.iter().any(|known| known == id)) {
                let message = "The upstream's list has no such model.";
                return Err(Error::new(ErrorKind::ModelNotFound, message).with_param("model"));
            }
        }
        Ok(entry(id, route.upstream).to_string())
    }

    async fn ask(
        &self,
        env: &Env,
        config: &Config,
        upstream: &Upstream,
        answers: &Answers,
    ) -> Result<Option<Vec<String>>, Error> {
        let secret = gate::secret(env, config, upstream)?;
        let key = self.token.as_deref().or(secret.as_deref());
        let headers = headers::upward(key, "application/json", &answers.id, answers.hops, upstream.headers());
        let url = format!("{}/models", upstream.base_url().as_str());
        let patience = upstream.budgets().connect.min(PATIENCE) as f64;
        let body = js::settled(js::fetch_small(&url, headers.as_str(), LIST as f64, patience)).await.ok();
        let Some(bytes) = body.and_then(|body| body.dyn_into::<js_sys::Uint8Array>().ok()) else { return Ok(None) };
        Ok(serde_json::from_slice::<Value>(&bytes.to_vec()).ok().and_then(|list| {
            let data = list.get("data").unwrap_or(&list).as_array()?;
            let ids = data.iter().filter_map(|model| model.get("id")?.as_str()).filter(is_id);
            Some(ids.take(MOST).map(str::to_owned).collect())
        }))
    }
}

fn entry(id: &str, upstream: &Upstream) -> Value {
    json!({ "id": id, "object": "model", "created": 0, "owned_by": upstream.name() })
}

fn is_id(id: &&str) -> bool {
    (1..=256).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
}

/// What is off without a binding of the platform's.
const STATE: [(&str, &str); 2] = [("resume", live::BINDING), ("shared_health", health::BINDING)];

/// The same, of what only a gate with callers of its own has.
const ACCESS: [(&str, &str); 4] = [
    ("stored_keys", store::BINDING),
    ("sleeping_sockets", socket::BINDING),
    ("shared_limits", limits::BINDING),
    ("datasets", store::BINDING),
];

/// `{"status": "ok", …}`: what the gate serves, without addresses and secrets; `degraded` if an upstream's secret is not set. `off`
/// names the functions that this deployment has no binding for; without them it still proxies.
pub(crate) fn healthz(env: &Env, config: &Rc<Config>) -> String {
    let mut status = "ok";
    let upstreams: Vec<Value> = config
        .upstreams()
        .iter()
        .map(|upstream| {
            let models: Vec<String> = match upstream.models() {
                Models::Listed(models) => models.iter().map(|model| model.shown()).collect(),
                Models::Upstream => vec!["*".to_owned()],
            };
            let mut shown = json!({
                "name": upstream.name(),
                "dialect": upstream.dialect().as_str(),
                "scripted": upstream.is_scripted(),
                "models": models,
            });
            if gate::secret(env, config, upstream).is_err() {
                status = "degraded";
                if let Some(fields) = shown.as_object_mut() {
                    fields.insert("secret".to_owned(), "missing".into());
                }
            }
            shown
        })
        .collect();
    let lacks = |redaction: &Redaction| {
        gate::token_secret(env, redaction).is_err()
            || redaction.uses_names() && gate::binding(env, page::ASSETS).is_none()
    };
    if config.redaction().is_some_and(lacks) {
        status = "degraded";
    }
    if config.access().is_some_and(|access| access::secrets(env, config, access).is_err()) {
        status = "degraded";
    }
    let access = ACCESS.iter().filter(|_| config.access().is_some());
    let missing = STATE.iter().chain(access).filter(|(_, name)| gate::binding(env, name).is_none());
    let off: Map<String, Value> =
        missing.map(|(what, name)| ((*what).to_owned(), format!("no binding {name}").into())).collect();
    let mut health = json!({ "status": status, "version": env!("CARGO_PKG_VERSION"), "upstreams": upstreams });
    if let Some(fields) = health.as_object_mut().filter(|_| !off.is_empty()) {
        fields.insert("off".to_owned(), off.into());
    }
    health.to_string()
}
