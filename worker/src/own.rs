//! Requests that the gate makes to itself for a caller: the prompts of a batch, and those of a WebSocket. They take the one way in that
//! all requests take, so that each is let in, counted, hidden, logged by itself.

use crate::headers::Headers;
use crate::js;
use crate::visit::{CREDENTIALS, Visit};
use js_sys::{Object, Reflect};
use serde::{Deserialize, Serialize};
use sluicegate::access::{Caller, Operation};
use wasm_bindgen::JsValue;
use worker::Env;

/// On whose behalf they are made. It holds no credential, unless the gate has no callers of its own and the credential is the upstream's
/// business.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Behalf {
    origin: String,
    caller: Option<String>,
    address: Option<String>,
    credentials: Vec<(String, String)>,
}

impl Behalf {
    /// Whoever sent this request.
    pub(crate) fn of(visit: &Visit, caller: Option<&Caller>) -> Behalf {
        Behalf {
            origin: visit.origin().to_owned(),
            caller: caller.map(Caller::to_json),
            address: visit.header("cf-connecting-ip").map(str::to_owned),
            credentials: CREDENTIALS
                .iter()
                .filter(|_| caller.is_none())
                .filter_map(|name| Some(((*name).to_owned(), visit.header(name)?.to_owned())))
                .collect(),
        }
    }

    /// Whether it is one of the gate's own callers.
    pub(crate) fn is_known(&self) -> bool {
        self.caller.is_some()
    }

    /// Makes a request under the right of `via`: gives a `Response`, or a promise of one. `mark` says in its context what kind it is.
    pub(crate) fn ask(
        &self,
        env: &Env,
        via: Operation,
        mark: &str,
        path: &str,
        body: &str,
        signal: &JsValue,
        id: Option<&str>,
    ) -> Result<JsValue, JsValue> {
        let mut headers = Headers::default();
        headers.add("content-type", "application/json");
        if let Some(address) = &self.address {
            headers.add("cf-connecting-ip", address);
        }
        for (name, value) in &self.credentials {
            headers.add(name, value);
        }
        if let Some(id) = id {
            headers.add("x-request-id", id);
        }
        let url = [&self.origin, path].concat();
        let request = js::own_request("POST", &url, headers.as_str(), body, signal)?;
        let context = Object::new();
        if let Some(caller) = &self.caller {
            Reflect::set(&context, &"caller".into(), &caller.into())?;
        }
        Reflect::set(&context, &"via".into(), &via.as_str().into())?;
        Reflect::set(&context, &mark.into(), &JsValue::TRUE)?;
        crate::fetch(request, env.clone(), context.into())
    }
}
