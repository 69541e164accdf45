//! Several prompts at once: each is a call of its own, so many at a time, and their results are put in the order of the prompts.

use crate::answer::Answers;
use crate::meter::Entry;
use crate::own::Behalf;
use crate::visit::Visit;
use crate::{admin, js};
use js_sys::{Promise, Reflect};
use sluicegate::access::{Caller, Operation};
use sluicegate::config::Config;
use sluicegate::guide::batch;
use sluicegate::{Error, ErrorKind};
use std::rc::Rc;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::future_to_promise;
use web_sys::{Request, Response};
use worker::Env;

/// How many prompts of a batch are asked at the same time: a Worker has six connections that wait for their heads.
const AT_ONCE: u32 = 6;

/// A batch that is asked for.
pub(crate) struct Asked {
    behalf: Behalf,
    request: Request,
}

impl Asked {
    /// Reads the head of the request.
    pub(crate) fn new(visit: &Visit, caller: Option<&Caller>) -> Result<Self, Error> {
        visit.check_media()?;
        Ok(Asked { behalf: Behalf::of(visit, caller), request: Clone::clone(visit.request()) })
    }

    /// Asks all prompts, and answers with their results.
    pub(crate) fn answer(self, env: Env, config: Rc<Config>, answers: Answers, mut entry: Entry) -> Promise {
        future_to_promise(async move {
            let limits = config.limits();
            let split = match admin::read_body(&self.request, limits.request_body, config.body_time()).await {
                Ok(body) => batch::split(&body, &limits),
                Err(error) => Err(error),
            };
            let batch = match split {
                Ok(batch) => batch,
                Err(error) => {
                    entry.refused(&error);
                    entry.write();
                    return answers.error(&error, &[]).map(JsValue::from);
                }
            };
            let signal = Reflect::get(&self.request, &"signal".into()).unwrap_or_default();
            let count = batch.len();
            let results = vec![(0, String::new()); count];
            let prompts = Prompts {
                batch,
                behalf: self.behalf,
                env,
                answers,
                entry,
                results,
                told: Vec::new(),
                most: limits.reply_body,
                size: 0,
            };
            js::settled(js::run_batch(prompts, count as u32, AT_ONCE, &signal)).await
        })
    }
}

/// The prompts of a batch, held by JavaScript until all are answered.
// Private: worker-build would publish it as an export of the Worker.
#[wasm_bindgen(private)]
pub struct Prompts {
    batch: batch::Batch,
    behalf: Behalf,
    env: Env,
    answers: Answers,
    entry: Entry,
    /// The status and the body of each answer.
    results: Vec<(u16, String)>,
    /// What the last refusal said of when to come back, and what is left of the limits.
    told: Vec<(String, String)>,
    /// How many bytes all of them may have.
    most: usize,
    size: usize,
}

#[wasm_bindgen]
impl Prompts {
    /// Asks one of them: a `Response`, or a promise of one.
    pub fn ask(&self, index: u32, signal: &JsValue) -> Result<JsValue, JsValue> {
        let body = self.batch.item(index as usize).unwrap_or_default();
        let body = String::from_utf8_lossy(&body);
        let id = [&self.answers.id, ".", &index.to_string()].concat();
        self.behalf.ask(&self.env, Operation::Batch, "of_batch", "/v1/complete", &body, signal, Some(&id))
    }

    /// The answer to one of them.
    pub fn put(&mut self, index: u32, status: u16, text: &str) {
        let Some(place) = self.results.get_mut(index as usize) else { return };
        self.size = self.size.saturating_add(text.len());
        *place = if self.size <= self.most {
            (status, text.to_owned())
        } else {
            let error =
                Error::new(ErrorKind::ReplyTooLarge, "The results of the batch are larger than an answer may be.");
            (error.status(), sluicegate::reply::error_body(&error))
        };
    }

    /// A header of one answer that is the batch's too.
    pub fn tell(&mut self, name: String, value: String) {
        self.told.retain(|(told, _)| *told != name);
        self.told.push((name, value));
    }

    /// One of them was not answered at all.
    pub fn lose(&mut self, index: u32) {
        let error = Error::new(ErrorKind::Internal, "The prompt was not answered.");
        self.put(index, error.status(), &sluicegate::reply::error_body(&error));
    }

    /// The answer to the batch. Where all were refused alike it is that refusal.
    pub fn finish(mut self) -> Result<Response, JsValue> {
        if let Some((status, text)) = self.results.first()
            && *status >= 400
            && self.results.iter().all(|(other, _)| other == status)
            && batch::is_same(self.results.iter().map(|(_, text)| text.as_str()))
        {
            self.entry.ended(*status);
            self.entry.write();
            let mut headers = self.answers.headers(Some(crate::answer::JSON));
            for (name, value) in &self.told {
                headers.add(name, value);
            }
            return self.answers.send(*status, &headers, &batch::of_all(text).into());
        }
        let shown = |(index, (status, text)): (usize, &(u16, String))| {
            if *status == 200 { text.clone() } else { batch::failed(text, index) }
        };
        let results: Vec<String> = self.results.iter().enumerate().map(shown).collect();
        self.entry.write();
        let mut headers = self.answers.headers(Some(crate::answer::JSON));
        for (name, value) in self.told.iter().filter(|(name, _)| name.starts_with("x-ratelimit-")) {
            headers.add(name, value);
        }
        self.answers.send(200, &headers, &batch::join(&results).into())
    }
}
