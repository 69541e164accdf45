//! The administrators' API: keys, roles, limits. Who may do what has been decided when a request comes here.

use crate::answer::Answers;
use crate::visit::Visit;
use crate::{access, js, limits, store};
use serde_json::{Map, Value, json};
use sluicegate::access::{
    ANONYMOUS, BOOTSTRAP, Caller, KeyAction, KeyRecord, Operation, Role, Route, Settings, is_id, key,
};
use sluicegate::config::Config;
use sluicegate::{Error, ErrorKind};
use std::rc::Rc;
use wasm_bindgen::JsCast as _;
use wasm_bindgen::JsValue;
use web_sys::{Request, Response};
use worker::Env;

/// The most that is read of a body, in bytes.
pub(crate) const BODY: usize = 64 << 10;

/// What an administrator asks for.
pub(crate) struct Asked {
    errand: Errand,
    caller: Caller,
    request: Request,
}

enum Errand {
    List(Page),
    Create,
    Show(String),
    Change(String),
    Act(String, KeyAction),
    Roles,
    Limits,
    Usage(Option<String>),
}

/// A page of the list.
struct Page {
    limit: u64,
    after: String,
    q: String,
}

/// A document, and its status.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) json: Value,
}

impl Reply {
    fn ok(json: Value) -> Result<Reply, Error> {
        Ok(Reply { status: 200, json })
    }

    /// The response.
    pub(crate) fn respond(&self, answers: &Answers) -> Result<Response, JsValue> {
        let headers = answers.headers(Some(crate::answer::JSON));
        answers.send(self.status, &headers, &self.json.to_string().into())
    }
}

fn not_found() -> Error {
    Error::new(ErrorKind::NotFound, "There is no such key.").with_param("id")
}

impl Asked {
    /// What a route and its method ask for; `None` if that is not here.
    pub(crate) fn new(visit: &Visit, route: Route<'_>, caller: Caller) -> Result<Option<Self>, Error> {
        let id = |id: &str| if is_id(id) { Ok(id.to_owned()) } else { Err(not_found()) };
        let method = visit.method();
        let errand = match (route, method) {
            (Route::Keys, "POST") => Errand::Create,
            (Route::Keys, _) => Errand::List(Page::read(visit)?),
            (Route::Key(key), "PATCH") => Errand::Change(id(key)?),
            (Route::Key(key), _) => Errand::Show(id(key)?),
            (Route::KeyAction(key, action), _) => Errand::Act(id(key)?, action),
            (Route::KeyUsage(key), _) => Errand::Usage(Some(id(key)?)),
            (Route::Usage, _) => Errand::Usage(None),
            (Route::Roles, _) => Errand::Roles,
            (Route::Limits, _) => Errand::Limits,
            _ => return Ok(None),
        };
        let has_body = matches!(errand, Errand::Create | Errand::Change(_))
            || matches!(errand, Errand::Act(..)) && visit.header("content-length").is_some_and(|length| length != "0");
        if has_body {
            visit.check_media()?;
        }
        Ok(Some(Asked { errand, caller, request: Clone::clone(visit.request()) }))
    }

    pub(crate) async fn answer(&self, env: &Env, config: &Rc<Config>) -> Result<Reply, Error> {
        match &self.errand {
            Errand::Roles => Reply::ok(roles()),
            Errand::Limits => Reply::ok(defaults(config)),
            Errand::Usage(id) => usage(env, config, id.as_deref()).await,
            Errand::List(page) => page.list(env, config).await,
            Errand::Show(id) => Reply::ok(Value::Object(find(env, config, id).await?.shown())),
            Errand::Create => self.create(env, config).await,
            Errand::Change(id) => self.change(env, config, id).await,
            Errand::Act(id, action) => self.act(env, config, id, *action).await,
        }
    }

    async fn body(&self, config: &Config) -> Result<String, Error> {
        let mut limits = config.limits();
        limits.request_body = BODY;
        let bytes = read_body(&self.request, BODY, config.body_time()).await?;
        let text = if bytes.is_empty() { "{}" } else { sluicegate::json::check_json(&bytes, &limits)? };
        Ok(text.to_owned())
    }

    /// A key never goes further than the one that makes or changes it.
    fn check_reach(&self) -> Result<(), Error> {
        let own = &self.caller.key.settings;
        if own.models.is_none() && own.endpoints.is_none() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Forbidden, "A key that is limited to models or endpoints makes and changes no keys."))
    }

    async fn create(&self, env: &Env, config: &Rc<Config>) -> Result<Reply, Error> {
        self.check_reach()?;
        let settings = Settings::parse(&self.body(config).await?, None)?;
        if settings.name.trim().is_empty() {
            let message = "Required: what the key is called.";
            return Err(Error::new(ErrorKind::InvalidRequest, message).with_param("name"));
        }
        let minted = mint()?;
        let statement = "INSERT INTO keys (id, digest, prefix, last4, name, owner, settings, created_at) \
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        let values = json!([
            minted.id,
            key::to_hex(&minted.digest),
            minted.prefix,
            minted.last4,
            settings.name,
            settings.owner,
            settings.to_json(),
            store::now_s(),
        ]);
        store::all(env, statement, &values).await?;
        store::forget(&minted.id);
        let record = find(env, config, &minted.id).await?;
        let mut shown = record.shown();
        show_once(env, config, &record, &minted.key, &mut shown);
        Ok(Reply { status: 201, json: Value::Object(shown) })
    }

    async fn change(&self, env: &Env, config: &Rc<Config>, id: &str) -> Result<Reply, Error> {
        self.check_reach()?;
        let sent = self.body(config).await?;
        // Somebody else may change it at the same time: then it is read again.
        for _ in 0..4 {
            let record = stored(env, config, id).await?;
            let settings = Settings::parse(&sent, Some(&record.settings))?;
            if settings.name.trim().is_empty() {
                let message = "A key has a name.";
                return Err(Error::new(ErrorKind::InvalidRequest, message).with_param("name"));
            }
            let statement =
                "UPDATE keys SET settings = ?2, name = ?3, owner = ?4 WHERE id = ?1 AND settings = ?5 RETURNING id";
            let values = json!([id, settings.to_json(), settings.name, settings.owner, record.settings.to_json()]);
            if !store::all(env, statement, &values).await?.is_empty() {
                store::forget(id);
                return Reply::ok(Value::Object(find(env, config, id).await?.shown()));
            }
        }
        Err(Error::new(ErrorKind::Overloaded, "Others change this key at the same time."))
    }

    async fn act(&self, env: &Env, config: &Rc<Config>, id: &str, action: KeyAction) -> Result<Reply, Error> {
        self.check_reach()?;
        let record = stored(env, config, id).await?;
        let now = store::now_s();
        let mut minted = None;
        let (statement, values) = match action {
            KeyAction::Disable => ("UPDATE keys SET disabled = 1 WHERE id = ?1", json!([id])),
            KeyAction::Enable => ("UPDATE keys SET disabled = 0 WHERE id = ?1", json!([id])),
            // Those of this second as well.
            KeyAction::RevokeTokens => ("UPDATE keys SET tokens_from = ?2 WHERE id = ?1", json!([id, now + 1])),
            KeyAction::Rotate => {
                let overlap = overlap(&self.body(config).await?)?;
                let new = mint()?;
                let values = json!([
                    id,
                    key::to_hex(&new.digest),
                    new.prefix,
                    new.last4,
                    if overlap > 0 { now + overlap } else { 0 },
                    record.version,
                ]);
                minted = Some(new);
                let statement = "UPDATE keys SET previous_digest = CASE WHEN ?5 > 0 THEN digest END, previous_until = ?5, \
                    digest = ?2, prefix = ?3, last4 = ?4, version = version + 1 WHERE id = ?1 AND version = ?6 RETURNING id";
                (statement, values)
            }
        };
        let changed = store::all(env, statement, &values).await?;
        if minted.is_some() && changed.is_empty() {
            return Err(Error::new(ErrorKind::Overloaded, "Others change this key at the same time."));
        }
        store::forget(id);
        let record = find(env, config, id).await?;
        let mut shown = record.shown();
        if let Some(minted) = minted {
            show_once(env, config, &record, &minted.key, &mut shown);
        }
        Reply::ok(Value::Object(shown))
    }
}

/// What is shown once: the key, and the secret that assertions are signed with, if there is a root to derive it from.
fn show_once(env: &Env, config: &Rc<Config>, record: &KeyRecord, key: &str, shown: &mut Map<String, Value>) {
    let secrets = config.access().and_then(|access| access::secrets(env, config, access).ok());
    let authority = secrets.as_ref().and_then(|secrets| secrets.authority.as_ref());
    let secret = authority.map(|authority| authority.api_secret(&record.id, record.version));
    shown.insert("key".to_owned(), key.into());
    shown.insert("secret".to_owned(), secret.into());
}

fn mint() -> Result<key::Minted, Error> {
    let random: [u8; 48] = js::random_bytes(48)
        .try_into()
        .map_err(|_| Error::new(ErrorKind::Internal, "The platform gave no random numbers."))?;
    Ok(key::mint(key::Kind::Live, &random))
}

/// The longest time for which a key counts beside the one that took its place, in seconds: 30 days.
const OVERLAP: u64 = 30 * 86_400;

fn overlap(body: &str) -> Result<u64, Error> {
    let fault = |param: &str| {
        let message = "Expected {\"overlap_s\": …}, a whole number of seconds from 0 to 2592000.";
        Error::new(ErrorKind::InvalidRequest, message).with_param(param)
    };
    let Ok(Value::Object(body)) = serde_json::from_str(body) else { return Err(fault("overlap_s")) };
    if let Some(other) = body.keys().find(|name| *name != "overlap_s") {
        return Err(fault(if other.len() <= 64 { other } else { "overlap_s" }));
    }
    match body.get("overlap_s") {
        None => Ok(0),
        Some(value) => value.as_u64().filter(|overlap| *overlap <= OVERLAP).ok_or_else(|| fault("overlap_s")),
    }
}

/// A body of at most `limit` bytes, that takes `time` milliseconds at most.
pub(crate) async fn read_body(request: &Request, limit: usize, time: u64) -> Result<Vec<u8>, Error> {
    let body = js::settled(js::read_body(request, limit as f64, time as f64)).await;
    let body = body.map_err(|_| Error::new(ErrorKind::InvalidRequest, "The request's body broke off."))?;
    if body.is_undefined() {
        return Err(slow(time));
    }
    body.dyn_into::<js_sys::Uint8Array>().map(|bytes| bytes.to_vec()).map_err(|_| {
        let message = ["The body is larger than the limit of ", &limit.to_string(), " bytes."].concat();
        Error::new(ErrorKind::PayloadTooLarge, message)
    })
}

/// The error for a body that took longer than so many milliseconds.
pub(crate) fn slow(time: u64) -> Error {
    let message = ["The request's body came too slowly: it may take ", &time.to_string(), " ms."].concat();
    Error::new(ErrorKind::InvalidRequest, message)
}

/// A key of the store or of the configuration.
async fn find(env: &Env, config: &Config, id: &str) -> Result<KeyRecord, Error> {
    if let Some(own) = fixed(config).find(|own| own.id == id) {
        return Ok(own.clone());
    }
    store::record(env, id).await?.ok_or_else(not_found)
}

/// A key of the store, to be changed.
async fn stored(env: &Env, config: &Config, id: &str) -> Result<KeyRecord, Error> {
    if fixed(config).any(|own| own.id == id) {
        let message = "This key is one of the configuration's; it is changed there.";
        return Err(Error::new(ErrorKind::Forbidden, message).with_param("id"));
    }
    store::record(env, id).await?.ok_or_else(not_found)
}

fn fixed(config: &Config) -> impl Iterator<Item = &KeyRecord> {
    config.access().into_iter().flat_map(|access| access.keys.iter().map(|key| &*key.record))
}

impl Page {
    fn read(visit: &Visit) -> Result<Page, Error> {
        let fault = |param, message| Error::new(ErrorKind::InvalidRequest, message).with_param(param);
        let limit = match visit.parameter("limit") {
            None => 50,
            Some(text) => text
                .parse()
                .ok()
                .filter(|limit| (1..=100).contains(limit))
                .ok_or_else(|| fault("limit", "Expected a number from 1 to 100."))?,
        };
        let after = visit.parameter("after").unwrap_or_default();
        if !after.is_empty() && !is_id(after) {
            return Err(fault("after", "Expected the `next` of the page before."));
        }
        let q = decoded(visit.parameter("q").unwrap_or_default());
        let q = q
            .filter(|q| q.chars().count() <= 100)
            .ok_or_else(|| fault("q", "Expected a text of at most 100 characters."))?;
        Ok(Page { limit, after: after.to_owned(), q })
    }

    /// The newest first; those of the configuration before all others.
    async fn list(&self, env: &Env, config: &Config) -> Result<Reply, Error> {
        let wanted = self.q.to_lowercase();
        let fits = |record: &&KeyRecord| {
            let texts = [&record.id, &record.settings.name, &record.settings.owner];
            wanted.is_empty() || texts.iter().any(|text| text.to_lowercase().contains(&wanted))
        };
        let mut data = Vec::new();
        if self.after.is_empty() {
            data.extend(fixed(config).filter(fits).map(|record| Value::Object(record.shown())));
        }
        let pattern: String =
            wanted.chars().flat_map(|c| if matches!(c, '%' | '_' | '\\') { vec!['\\', c] } else { vec![c] }).collect();
        let pattern = ["%", &pattern, "%"].concat();
        let rows = match store::page(env, &pattern, &self.after, self.limit + 1).await {
            // Without a store there are those of the configuration.
            Err(error) if error.kind() == ErrorKind::NotSupported && config.access().is_some() => Vec::new(),
            rows => rows?,
        };
        let has_more = rows.len() as u64 > self.limit;
        let mut next = Value::Null;
        for record in rows.into_iter().take(self.limit as usize) {
            if has_more {
                next = record.id.clone().into();
            }
            data.push(Value::Object(record.shown()));
        }
        Reply::ok(json!({ "object": "list", "data": data, "next": next }))
    }
}

/// A query's value, with its escapes resolved.
fn decoded(text: &str) -> Option<String> {
    let text = text.replace('+', " ");
    js_sys::decode_uri_component(&text).ok().map(String::from)
}

/// The role table, a row each role.
fn roles() -> Value {
    let row = |role: &Role| {
        let may: Vec<&str> = Operation::ALL
            .iter()
            .filter(|operation| role.may(**operation))
            .map(|operation| operation.as_str())
            .collect();
        json!({ "role": role.as_str(), "operations": may })
    };
    let data: Vec<Value> = Role::ALL.iter().map(row).collect();
    let inference: Vec<&str> = Operation::ALL
        .iter()
        .filter(|operation| operation.is_inference())
        .map(|operation| operation.as_str())
        .collect();
    json!({ "object": "list", "data": data, "inference": inference })
}

/// The limits that keys have which set none.
fn defaults(config: &Config) -> Value {
    let defaults = config.access().map(|access| access.limits.to_json()).unwrap_or_default();
    let defaults: Value = serde_json::from_str(&defaults).unwrap_or_default();
    json!({ "limits": defaults, "currency": config.currency() })
}

/// How many keys are asked about at once: each is an object of its own.
const ASKED: u64 = 50;

/// What a key has used, or each of the newest.
async fn usage(env: &Env, config: &Config, id: Option<&str>) -> Result<Reply, Error> {
    let ids: Vec<String> = match id {
        Some(id) if id == ANONYMOUS || id == BOOTSTRAP => vec![id.to_owned()],
        Some(id) => vec![find(env, config, id).await?.id],
        None => {
            let fixed = fixed(config).map(|key| key.id.clone());
            let stored = store::page(env, "%", "", ASKED).await.unwrap_or_default();
            let others = [ANONYMOUS.to_owned()]
                .into_iter()
                .filter(|_| config.access().is_some_and(|access| access.anonymous.is_some()));
            others.chain(fixed).chain(stored.into_iter().map(|key| key.id)).take(ASKED as usize).collect()
        }
    };
    let mut data = Vec::new();
    for key in ids {
        let text = limits::usage(env, &key).await;
        let mut used = text.and_then(|text| serde_json::from_str::<Value>(&text).ok()).unwrap_or_else(|| json!({}));
        if let Some(fields) = used.as_object_mut() {
            fields.insert("key_id".to_owned(), key.into());
        }
        data.push(used);
    }
    Reply::ok(json!({ "object": "list", "data": data }))
}
