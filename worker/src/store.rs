//! The store of keys: what is asked of D1, and what it knows.

use crate::{gate, js};
use js_sys::Reflect;
use serde_json::{Value, json};
use sluicegate::access::{KeyRecord, Known, Query};
use sluicegate::{Error, ErrorKind};
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::future_to_promise;
use worker::Env;

/// The binding of the database; its tables are in `migrations/`.
pub(crate) const BINDING: &str = "DB";

/// How long an answer of the store counts, in milliseconds: this long after its withdrawal, a key may still open the gate.
const COUNTS: f64 = 30_000.0;
/// The age from which an answer that is used is asked for again, while nobody waits for it.
const RENEWS: f64 = 15_000.0;
/// How long it counts that there is no such key: one that was just made is good at once, this isolate having been asked too early.
const COUNTS_NOT: f64 = 5_000.0;
/// How many answers an isolate keeps.
const MOST: usize = 10_000;
/// How many of a key's withdrawn tokens are kept one by one.
pub(crate) const REVOKED: u64 = 500;

struct Answer {
    key: Option<Arc<KeyRecord>>,
    at: f64,
    renewing: bool,
}

thread_local! {
    // The same for every request of the isolate: what the store says of keys, by their ids and digests.
    static ANSWERS: RefCell<BTreeMap<String, Answer>> = const { RefCell::new(BTreeMap::new()) };
}

/// What is known of a key without a question that somebody waits for.
pub(crate) fn known(env: &Env, query: &Query) -> Known {
    if gate::binding(env, BINDING).is_none() {
        return Known::No;
    }
    let now = js::now();
    let (known, renews) = ANSWERS.with_borrow_mut(|answers| {
        let Some(answer) = answers.get_mut(&*name(query)) else { return (Known::Ask, false) };
        let age = now - answer.at;
        match &answer.key {
            Some(key) if age < COUNTS => {
                let renews = age >= RENEWS && !answer.renewing;
                answer.renewing |= renews;
                (Known::Yes(key.clone()), renews)
            }
            None if age < COUNTS_NOT => (Known::No, false),
            _ => (Known::Ask, false),
        }
    });
    if renews {
        let (env, query) = (env.clone(), query.clone());
        js::wait_until(&future_to_promise(async move {
            let _ = look_up(&env, &query).await;
            Ok(JsValue::UNDEFINED)
        }));
    }
    known
}

/// An id of the store has an underscore, a digest has none, and neither has a space.
fn name(query: &Query) -> Cow<'_, str> {
    match query {
        Query::Digest(text) | Query::Id(text) => text.into(),
        Query::Withdrawn(id) => ["withdrawn ", id].concat().into(),
    }
}

const COLUMNS: &str = "SELECT id, prefix, last4, settings, created_at, disabled, version, previous_until, tokens_from, \
    previous_digest = ?1 AS is_previous, \
    (SELECT json_group_array(jti) FROM revoked_tokens WHERE key_id = keys.id AND expires_at > ?2) AS revoked FROM keys ";

/// Asks the store for a key, and keeps what it says.
///
/// Errors: `overloaded` if it does not answer.
pub(crate) async fn look_up(env: &Env, query: &Query) -> Result<(), Error> {
    let (condition, value) = match query {
        Query::Id(id) => ("WHERE id = ?1", id),
        Query::Withdrawn(id) => {
            const WITHDRAWN: &str =
                "SELECT json_group_array(jti) AS revoked FROM revoked_tokens WHERE key_id = ?1 AND expires_at > ?2";
            let rows = all(env, WITHDRAWN, &json!([id, now_s()])).await?;
            let revoked = rows.first().and_then(|row| row.get("revoked")?.as_str()).unwrap_or("[]");
            keep(query, Some(KeyRecord::withdrawn(id, revoked)));
            return Ok(());
        }
        Query::Digest(digest) => ("WHERE digest = ?1 OR (previous_digest = ?1 AND previous_until > ?2)", digest),
    };
    let rows = all(env, &[COLUMNS, condition].concat(), &json!([value, now_s()])).await?;
    keep(query, rows.first().and_then(|row| KeyRecord::from_row(&row.to_string())));
    Ok(())
}

/// A key as it is in the store at this moment.
pub(crate) async fn record(env: &Env, id: &str) -> Result<Option<KeyRecord>, Error> {
    let rows = all(env, &[COLUMNS, "WHERE id = ?1"].concat(), &json!([id, now_s()])).await?;
    Ok(rows.first().and_then(|row| KeyRecord::from_row(&row.to_string())))
}

/// At most so many keys whose name, owner or id fits a pattern, the newest first, those behind the key `after`.
pub(crate) async fn page(env: &Env, pattern: &str, after: &str, most: u64) -> Result<Vec<KeyRecord>, Error> {
    let condition = "WHERE (lower(name) LIKE ?1 ESCAPE '\\' OR lower(owner) LIKE ?1 ESCAPE '\\' OR lower(id) LIKE ?1 ESCAPE '\\') \
        AND (?3 = '' OR (created_at, id) < (SELECT created_at, id FROM keys WHERE id = ?3)) \
        ORDER BY created_at DESC, id DESC LIMIT ?4";
    let rows = all(env, &[COLUMNS, condition].concat(), &json!([pattern, now_s(), after, most])).await?;
    Ok(rows.iter().filter_map(|row| KeyRecord::from_row(&row.to_string())).collect())
}

fn keep(query: &Query, key: Option<KeyRecord>) {
    ANSWERS.with_borrow_mut(|answers| {
        if answers.len() >= MOST {
            answers.retain(|_, answer| js::now() - answer.at < COUNTS);
        }
        if answers.len() >= MOST {
            answers.clear();
        }
        answers.insert(name(query).into_owned(), Answer { key: key.map(Arc::new), at: js::now(), renewing: false });
    });
}

/// Forgets what is known of a key, since it was changed: here at once, elsewhere within [`COUNTS`].
pub(crate) fn forget(id: &str) {
    ANSWERS.with_borrow_mut(|answers| {
        answers.retain(|name, answer| {
            name != id && answer.key.as_ref().is_none_or(|key| key.id != id) && answer.key.is_some()
        });
    });
}

/// The rows of a statement. All values are bound, and none is part of its text.
///
/// Errors: `not_supported` without a database, `misconfigured` for one without its tables, `overloaded` if it does not answer.
pub(crate) async fn all(env: &Env, statement: &str, values: &Value) -> Result<Vec<Value>, Error> {
    let Some(database) = gate::binding(env, BINDING) else { return Err(missing()) };
    let answer = js::settled(js::query(&database, statement, &values.to_string())).await;
    if let Err(error) = &answer
        && Reflect::get(error, &"message".into())
            .is_ok_and(|text| text.as_string().is_some_and(|text| text.contains("no such table")))
    {
        let message =
            "The database has no tables of the gate's: apply its migrations with `wrangler d1 migrations apply DB`.";
        return Err(Error::new(ErrorKind::Misconfigured, message).with_param(BINDING));
    }
    let text = answer.ok().and_then(|text| text.as_string());
    let rows = text.and_then(|text| serde_json::from_str::<Value>(&text).ok());
    match rows {
        Some(Value::Array(rows)) => Ok(rows),
        _ => Err(Error::new(ErrorKind::Overloaded, "The gate's store did not answer.")),
    }
}

/// What answers where something is to be kept, and there is nothing to keep it in.
pub(crate) fn missing() -> Error {
    let message = "This deployment has no store: bind a D1 database as DB, and apply the migrations.";
    Error::new(ErrorKind::NotSupported, message).with_param(BINDING)
}

/// Now, in unix seconds.
pub(crate) fn now_s() -> u64 {
    (js::now() / 1_000.0) as u64
}
