//! Datasets: files of training examples that callers send, list, take back and remove. What a file may be is the core's business; where it
//! is kept is `dataset.js`'s. Whose it is stands in every statement: who asks for another's gets what asks for none.

use crate::answer::Answers;
use crate::meter::Entry;
use crate::visit::Visit;
use crate::{gate, js, page, store};
use js_sys::{Object, Promise};
use serde_json::{Map, Value, json};
use sluicegate::access::{Caller, Role, Route, is_id, key};
use sluicegate::config::{Config, Redaction};
use sluicegate::dataset::{Hiding, Upload, attachment};
use sluicegate::{Error, ErrorKind};
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;
use web_sys::{Request, Response};
use worker::Env;

/// The binding of the bucket; without it, content is in the database.
pub(crate) const BINDING: &str = "DATASETS";

#[wasm_bindgen(module = "/src/dataset.js")]
extern "C" {
    /// `Response`, once the body is in the store, or is not.
    #[allow(clippy::too_many_arguments)]
    fn upload(
        intake: Intake,
        request: &Request,
        database: &Object,
        bucket: &JsValue,
        assets: &JsValue,
        id: &str,
        owner: &str,
        idle: f64,
        total: f64,
        per_key: f64,
        now: f64,
    ) -> Promise;

    /// `ReadableStream` of what a dataset holds, or `null`.
    fn content(database: &Object, bucket: &JsValue, id: &str, place: &str, bytes: f64) -> Promise;

    /// Nothing, once all of a dataset is gone.
    fn remove(database: &Object, bucket: &JsValue, id: &str, place: &str) -> Promise;
}

/// What a caller asks for.
pub(crate) struct Asked {
    errand: Errand,
    caller: Caller,
}

enum Errand {
    Upload,
    List { limit: u64, after: String },
    Show(String),
    Content(String),
    Delete(String),
}

impl Asked {
    /// What a route and its method ask for; `None` if that is not here.
    pub(crate) fn new(visit: &Visit, route: Route<'_>, caller: &Caller) -> Result<Option<Asked>, Error> {
        let id = |id: &str| if is_id(id) { Ok(id.to_owned()) } else { Err(not_found()) };
        let errand = match (route, visit.method()) {
            (Route::Datasets, "POST") => {
                visit.check_encoding()?;
                Errand::Upload
            }
            (Route::Datasets, _) => list(visit)?,
            (Route::Dataset(dataset), "DELETE") => Errand::Delete(id(dataset)?),
            (Route::Dataset(dataset), _) => Errand::Show(id(dataset)?),
            (Route::DatasetContent(dataset), _) => Errand::Content(id(dataset)?),
            _ => return Ok(None),
        };
        Ok(Some(Asked { errand, caller: caller.clone() }))
    }

    /// Answers, and writes the log line.
    pub(crate) fn answer(
        self,
        visit: &Visit,
        env: Env,
        config: Rc<Config>,
        answers: Answers,
        mut entry: Entry,
    ) -> Result<JsValue, JsValue> {
        if let Errand::Upload = self.errand {
            return self.upload(visit, &env, config, answers, entry);
        }
        Ok(future_to_promise(async move {
            let response = match self.ask(&env, &answers).await {
                Ok(response) => response,
                Err(error) => {
                    entry.refused(&error);
                    answers.error(&error, &[])
                }
            };
            entry.write();
            response.map(JsValue::from)
        })
        .into())
    }

    fn upload(
        self,
        visit: &Visit,
        env: &Env,
        config: Rc<Config>,
        answers: Answers,
        mut entry: Entry,
    ) -> Result<JsValue, JsValue> {
        let begun = match begin(visit, env, &config) {
            Ok(begun) => begun,
            Err(error) => {
                entry.refused(&error);
                let response = answers.error(&error, &[]);
                entry.write();
                return response.map(JsValue::from);
            }
        };
        let Begun { upload: checked, database, assets } = begun;
        let id = ["ds_", &js::random_uuid().replace('-', "")].concat();
        let owner = self.caller.key.id.clone();
        let (now, bounds) = (store::now_s(), config.datasets());
        let shown = json!({ "id": id, "owner": owner, "created_at": now });
        let lines = Vec::new();
        let intake = Intake { upload: Some(checked), lines, shown, error: None, config, answers, entry };
        let (idle, total, per_key) = (bounds.idle as f64, bounds.total as f64, bounds.per_key as f64);
        let (request, bucket) = (visit.request(), bucket(env));
        Ok(upload(intake, request, &database, &bucket, &assets, &id, &owner, idle, total, per_key, now as f64).into())
    }

    async fn ask(&self, env: &Env, answers: &Answers) -> Result<Result<Response, JsValue>, Error> {
        match &self.errand {
            Errand::Upload => Err(not_found()),
            Errand::List { limit, after } => {
                let mut rows = store::all(env, &self.page(), &json!([self.caller.key.id, after, limit + 1])).await?;
                let more = rows.len() as u64 > *limit;
                rows.truncate(usize::try_from(*limit).unwrap_or(usize::MAX));
                let next = rows.last().filter(|_| more).and_then(|row| row.get("id")).cloned();
                let data: Vec<Value> = rows.iter().map(shown).collect();
                Ok(answers.json(&json!({ "object": "list", "data": data, "next": next }).to_string()))
            }
            Errand::Show(id) => {
                let statement = [COLUMNS, "WHERE id = ?2 AND ready = 1 AND ", self.whose()].concat();
                let row = first(env, &statement, &json!([self.caller.key.id, id])).await?;
                Ok(answers.json(&shown(&row).to_string()))
            }
            Errand::Content(id) => self.content(env, answers, id).await,
            Errand::Delete(id) => {
                // From here on it is nobody's; what this does not come to, a later upload sweeps up.
                let statement = [
                    "UPDATE datasets SET ready = 0, created_at = 0 WHERE id = ?2 AND ready = 1 AND ",
                    self.whose(),
                    " RETURNING place",
                ];
                let row = first(env, &statement.concat(), &json!([self.caller.key.id, id])).await?;
                let database = gate::binding(env, store::BINDING).ok_or_else(store::missing)?;
                let _ = js::settled(remove(&database, &bucket_of(env, &row)?, id, text(&row, "place"))).await;
                let gone = json!({ "id": id, "dataset_id": id, "object": "dataset", "deleted": true });
                Ok(answers.json(&gone.to_string()))
            }
        }
    }

    /// Whose a row has to be. Administrators see what there is and may remove it; what is in it is its owner's alone.
    fn whose(&self) -> &'static str {
        // As many values as the other condition has.
        if self.caller.key.settings.role == Role::Administrator { "?1 IS NOT NULL" } else { "owner = ?1" }
    }

    fn page(&self) -> String {
        let whose = self.whose();
        let from = "(?2 = '' OR (created_at, id) < (SELECT created_at, id FROM datasets WHERE id = ?2 AND ";
        let order = ")) ORDER BY created_at DESC, id DESC LIMIT ?3";
        [COLUMNS, "WHERE ready = 1 AND ", whose, " AND ", from, whose, order].concat()
    }

    async fn content(&self, env: &Env, answers: &Answers, id: &str) -> Result<Result<Response, JsValue>, Error> {
        let statement = "SELECT place, bytes, filename FROM datasets WHERE id = ?2 AND ready = 1 AND owner = ?1";
        let row = first(env, statement, &json!([self.caller.key.id, id])).await?;
        let database = gate::binding(env, store::BINDING).ok_or_else(store::missing)?;
        let bytes = row.get("bytes").and_then(Value::as_u64).unwrap_or(0) as f64;
        let body = match answers.is_head {
            true => JsValue::NULL,
            false => {
                let opened = content(&database, &bucket_of(env, &row)?, id, text(&row, "place"), bytes);
                let body = js::settled(opened).await.ok().filter(|body| !body.is_null());
                body.ok_or_else(|| Error::new(ErrorKind::Overloaded, "The store did not give the content."))?
            }
        };
        let name = row.get("filename").and_then(Value::as_str).map_or_else(|| [id, ".jsonl"].concat(), str::to_owned);
        let mut headers = answers.headers(Some("application/jsonl; charset=utf-8"));
        headers.add("content-disposition", &attachment(&name));
        headers.add("content-security-policy", "default-src 'none'; sandbox");
        Ok(answers.send(200, &headers, &body))
    }
}

const COLUMNS: &str = "SELECT id, owner, filename, bytes, lines, sha256, shape, created_at FROM datasets ";

fn list(visit: &Visit) -> Result<Errand, Error> {
    let limit = visit.parameter("limit").map_or(Some(50), |limit| limit.parse().ok());
    let limit = limit
        .filter(|limit| (1..=100).contains(limit))
        .ok_or_else(|| Error::new(ErrorKind::InvalidRequest, "Expected a number from 1 to 100.").with_param("limit"))?;
    let after = visit.parameter("after").unwrap_or_default();
    if !after.is_empty() && !is_id(after) {
        let message = "Expected the `next` of the page before.";
        return Err(Error::new(ErrorKind::InvalidRequest, message).with_param("after"));
    }
    Ok(Errand::List { limit, after: after.to_owned() })
}

/// A row as its owner sees it.
fn shown(row: &Value) -> Value {
    let mut shown = row.as_object().cloned().unwrap_or_default();
    let id = shown.get("id").cloned().unwrap_or_default();
    shown.insert("object".to_owned(), "dataset".into());
    shown.insert("dataset_id".to_owned(), id);
    Value::Object(shown)
}

async fn first(env: &Env, statement: &str, values: &Value) -> Result<Value, Error> {
    store::all(env, statement, values).await?.into_iter().next().ok_or_else(not_found)
}

fn text<'a>(row: &'a Value, name: &str) -> &'a str {
    row.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn not_found() -> Error {
    Error::new(ErrorKind::NotFound, "There is no such dataset.").with_param("id")
}

fn bucket(env: &Env) -> JsValue {
    gate::binding(env, BINDING).map_or(JsValue::NULL, JsValue::from)
}

/// The bucket, which must be there for a dataset that is in it.
fn bucket_of(env: &Env, row: &Value) -> Result<JsValue, Error> {
    let bucket = bucket(env);
    if bucket.is_null() && text(row, "place") == "r2" {
        let message = "The dataset is in a bucket that this deployment does not have any more: bind it as DATASETS.";
        return Err(Error::new(ErrorKind::NotSupported, message).with_param(BINDING));
    }
    Ok(bucket)
}

struct Begun {
    upload: Upload,
    database: Object,
    assets: JsValue,
}

fn begin(visit: &Visit, env: &Env, config: &Config) -> Result<Begun, Error> {
    let database = gate::binding(env, store::BINDING).ok_or_else(store::missing)?;
    let mut assets = JsValue::UNDEFINED;
    let hiding = config.redaction().map(|redaction| {
        if redaction.wants_names() {
            assets = gate::binding(env, page::ASSETS).map_or(JsValue::NULL, JsValue::from);
        }
        // For hashes, which compare values within this file and with nothing else.
        Hiding::new(redaction.clone(), &key::digest(&[js::random_uuid(), js::random_uuid()].concat()))
    });
    let content_type = visit.header("content-type").unwrap_or_default();
    let upload = Upload::new(content_type, config.datasets().limits, hiding)?;
    Ok(Begun { upload, database, assets })
}

/// An upload on its way.
// Private: worker-build would publish it as an export of the Worker.
#[wasm_bindgen(private)]
pub struct Intake {
    upload: Option<Upload>,
    /// Lines that are to be stored.
    lines: Vec<u8>,
    /// What the caller is told of the dataset.
    shown: Value,
    error: Option<Error>,
    config: Rc<Config>,
    answers: Answers,
    entry: Entry,
}

/// A line is faulty: nothing is kept.
const FAULTY: u32 = 1;
/// The upload is refused.
const OVER: u32 = 2;

#[wasm_bindgen]
impl Intake {
    /// The weights of the search for names are there, or cannot be had.
    pub fn learn(&mut self, weights: Option<Vec<u8>>) {
        let Some(redaction) = self.config.redaction() else { return };
        if let Some(weights) = weights {
            let _ = redaction.load_names(&weights);
        }
        if redaction.wants_names() {
            self.error = Some(Redaction::names_missing());
        }
    }

    /// The next bytes of the body. Gives what is to be done, in bits.
    pub fn push(&mut self, bytes: &[u8]) -> u32 {
        let Intake { upload: Some(upload), lines, error: None, .. } = self else { return OVER };
        let pushed = upload.push(bytes, &mut |line| {
            lines.extend_from_slice(line);
            Ok(())
        });
        let is_faulty = upload.is_faulty();
        if let Err(error) = pushed {
            self.error = Some(error);
            return OVER;
        }
        if is_faulty { FAULTY } else { 0 }
    }

    /// The lines that have come since the last time.
    pub fn take(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.lines)
    }

    /// The body is over. Gives what is known of it, as JSON, if it is good.
    pub fn finish(&mut self) -> Option<String> {
        if self.error.is_some() {
            return None;
        }
        let summary = match self.upload.take()?.finish() {
            Ok(summary) => summary,
            Err(error) => {
                self.error = Some(error);
                return None;
            }
        };
        if let Some(hiding) = &summary.hiding {
            self.answers.redacted = hiding.redaction().summary(hiding.tally());
            self.entry.hid(hiding.redaction(), hiding.tally());
        }
        let row = json!({
            "filename": summary.filename,
            "bytes": summary.bytes,
            "lines": summary.lines,
            "sha256": key::to_hex(&summary.sha256),
            "shape": summary.shape.as_str(),
        });
        let text = row.to_string();
        if let (Value::Object(shown), Value::Object(row)) = (&mut self.shown, row) {
            shown.extend::<Map<String, Value>>(row);
        }
        Some(text)
    }

    /// All of it is kept.
    pub fn accept(self) -> Result<Response, JsValue> {
        let response = self.answers.json(&shown(&self.shown).to_string());
        self.entry.write();
        response
    }

    /// It is refused for what is in it.
    pub fn refuse(mut self) -> Result<Response, JsValue> {
        let error = self.error.take();
        self.end(error.unwrap_or_else(|| Error::new(ErrorKind::Internal, "An upload was refused without a reason.")))
    }

    /// The body did not come to its end.
    pub fn broken(self) -> Result<Response, JsValue> {
        self.end(Error::new(ErrorKind::InvalidRequest, "The request's body broke off."))
    }

    /// It came too slowly.
    pub fn slow(self) -> Result<Response, JsValue> {
        let bounds = self.config.datasets();
        let (idle, total) = (bounds.idle.to_string(), bounds.total.to_string());
        let message =
            ["The request's body came too slowly: it may be silent for ", &idle, " ms, and take ", &total, " ms."];
        self.end(Error::new(ErrorKind::InvalidRequest, message.concat()))
    }

    /// The owner has as many as they may.
    pub fn full(self) -> Result<Response, JsValue> {
        let most = self.config.datasets().per_key.to_string();
        let message =
            ["This key has ", &most, " datasets, which is as many as it may have: delete one first."].concat();
        self.end(Error::new(ErrorKind::Forbidden, message).with_param("datasets.per_key"))
    }

    /// The store did not do what it should.
    pub fn failed(self) -> Result<Response, JsValue> {
        self.end(Error::new(ErrorKind::Overloaded, "The gate's store did not answer."))
    }
}

impl Intake {
    fn end(mut self, error: Error) -> Result<Response, JsValue> {
        self.entry.refused(&error);
        let response = self.answers.error(&error, &[]);
        self.entry.write();
        response
    }
}
