//! What a caller gets: every answer of the API is made here, so that each has the same headers.

use crate::headers::{self, Headers};
use crate::js;
use sluicegate::Error;
use sluicegate::exchange::error_headers;
use sluicegate::reply::error_body;
use wasm_bindgen::JsValue;
use web_sys::Response;

pub(crate) const JSON: &str = "application/json; charset=utf-8";

/// What all answers to one request have in common.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    pub(crate) id: String,
    /// Through how many gates the request has come.
    pub(crate) hops: u8,
    /// The listed origin that sent the request.
    pub(crate) origin: Option<String>,
    /// Things that the gate did to the request, as codes.
    pub(crate) notices: Vec<String>,
    pub(crate) is_head: bool,
    /// The id of the stream, if it can be resumed.
    pub(crate) stream: Option<String>,
    /// What was hidden of the request, as counts; empty if nothing was.
    pub(crate) redacted: String,
    /// What is left of the caller's limits, where callers have any.
    pub(crate) limits: Option<Vec<(&'static str, String)>>,
    /// How long that took, in milliseconds, where it is done.
    pub(crate) redact: Option<u64>,
}

impl Answers {
    /// The headers of an answer.
    pub(crate) fn headers(&self, content_type: Option<&str>) -> Headers {
        let mut headers = headers::downward(&self.id, self.origin.as_deref());
        if let Some(content_type) = content_type {
            headers.add("content-type", content_type);
        }
        if !self.notices.is_empty() {
            headers.add("x-sluicegate-notice", &self.notices.join(", "));
        }
        for (name, value) in self.limits.iter().flatten() {
            headers.add(name, value);
        }
        if !self.redacted.is_empty() {
            headers.add("x-sluicegate-redacted", &self.redacted);
        }
        headers
    }

    /// Sends an answer.
    pub(crate) fn send(&self, status: u16, headers: &Headers, body: &JsValue) -> Result<Response, JsValue> {
        let none = JsValue::NULL;
        js::respond(status, headers.as_str(), if self.is_head { &none } else { body })
    }

    /// A JSON document.
    pub(crate) fn json(&self, text: &str) -> Result<Response, JsValue> {
        self.send(200, &self.headers(Some(JSON)), &text.into())
    }

    /// No body.
    pub(crate) fn empty(&self, extra: &[(&str, &str)]) -> Result<Response, JsValue> {
        let mut headers = self.headers(None);
        for (name, value) in extra {
            headers.add(name, value);
        }
        self.send(204, &headers, &JsValue::NULL)
    }

    /// An error in OpenAI's shape.
    pub(crate) fn error(&self, error: &Error, extra: &[(&str, &str)]) -> Result<Response, JsValue> {
        let mut headers = self.headers(Some(JSON));
        for (name, value) in error_headers(error) {
            headers.add(name, &value);
        }
        // RFC 9110 asks for it, RFC 6750 for the realm.
        if error.status() == 401 {
            headers.add("www-authenticate", "Bearer realm=\"sluicegate\"");
        }
        for (name, value) in extra {
            headers.add(name, value);
        }
        self.send(error.status(), &headers, &error_body(error).into())
    }
}
