//! One fetch: sends, reads chunk by chunk, aborts. And a timer. It knows no rule.

use crate::lane::Outgoing;
use crate::options::Site;
use gloo_net::http::{Headers, Response};
use js_sys::{ArrayBuffer, Function, Promise, Reflect, Uint8Array};
use sluicegate::exchange::Head;
use sluicegate::time::Instant;
use wasm_bindgen::prelude::*;
use web_sys::{AbortController, ReadableStreamDefaultReader, RequestInit, RequestRedirect};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;

    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &Closure<dyn FnMut(JsValue)>, millis: i32) -> JsValue;

    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(timer: &JsValue);
}

/// The platform's monotonic clock.
pub(crate) fn now() -> Instant {
    Instant(performance_now() as u64)
}

thread_local! {
    static IGNORE: Closure<dyn FnMut(JsValue)> = Closure::new(|_| {});
    static DISCARD: Closure<dyn FnMut(JsValue)> = Closure::new(|response: JsValue| {
        if let Some(body) = response.dyn_ref::<web_sys::Response>().and_then(|response| response.body()) {
            ignore_rejection(&body.cancel());
        }
    });
}

/// Keeps the platform from reporting a rejection that nobody needs to hear of.
fn ignore_rejection(promise: &Promise) {
    IGNORE.with(|ignore| drop(promise.catch(ignore)));
}

/// The request that is under way. Dropping it aborts it.
pub(crate) struct Transport {
    controller: AbortController,
    /// Settles when the request is aborted: a `fetch` that ignores its signal must not hang the call.
    aborted: Promise,
    /// What fetch gave, until the answer is here.
    sent: Option<Promise>,
    reader: Option<ReadableStreamDefaultReader>,
    open: bool,
}

impl Transport {
    pub(crate) fn new() -> Result<Self, JsValue> {
        let controller = AbortController::new()?;
        let signal = controller.signal();
        let aborted = Promise::new(&mut |_, reject| signal.set_onabort(Some(&reject)));
        // Nobody may be waiting when the abort comes.
        ignore_rejection(&aborted);
        Ok(Transport { controller, aborted, sent: None, reader: None, open: false })
    }

    /// What `fetch` takes for this request.
    pub(crate) fn open(&mut self, site: &Site, outgoing: &Outgoing) -> RequestInit {
        let headers = Headers::new();
        for (name, value) in &site.headers {
            headers.set(name, value);
        }
        let init = RequestInit::new();
        init.set_redirect(RequestRedirect::Manual);
        init.set_method(match outgoing {
            Outgoing::Post(built) => {
                if site.resume && built.stream {
                    headers.set("x-sluicegate-resume", "1");
                }
                // Text, not bytes: what a caller's own fetch most likely expects to find.
                init.set_body(&JsValue::from_str(&String::from_utf8_lossy(&built.body)));
                "POST"
            }
            Outgoing::Resume(last_event) => {
                if !last_event.is_empty() {
                    headers.set("last-event-id", last_event);
                }
                "GET"
            }
            Outgoing::Delete => {
                // The page may be on its way out.
                let _ = Reflect::set(&init, &JsValue::from_str("keepalive"), &JsValue::TRUE);
                "DELETE"
            }
        });
        init.set_headers(&headers.into_raw());
        if !matches!(outgoing, Outgoing::Delete) {
            init.set_signal(Some(&self.controller.signal()));
            self.open = true;
        }
        init
    }

    /// The first of the answer and the abort.
    pub(crate) fn or_aborted(&mut self, sent: &JsValue) -> Promise {
        let sent = Promise::resolve(sent);
        let first = Promise::race(&js_sys::Array::of2(&sent, &self.aborted));
        match self.open {
            true => self.sent = Some(sent),
            // Aborted by the very call of fetch.
            false => discard(&sent),
        }
        first
    }

    /// Takes the response's body to read it.
    pub(crate) fn read_from(&mut self, response: &Response) {
        self.sent = None;
        self.reader = response.body().and_then(|body| body.get_reader().dyn_into().ok());
    }

    /// Asks for the next chunk of the body; `None` without one.
    pub(crate) fn read(&self) -> Option<Promise> {
        self.reader.as_ref().map(ReadableStreamDefaultReader::read)
    }

    /// Aborts the request and lets whoever waits for a chunk go on. Harmless where nothing was sent, and where it is over.
    pub(crate) fn abort(&mut self) {
        if !core::mem::take(&mut self.open) {
            return;
        }
        self.controller.abort();
        if let Some(sent) = self.sent.take() {
            discard(&sent);
        }
        if let Some(reader) = self.reader.take() {
            ignore_rejection(&reader.cancel());
        }
    }

    /// The body has ended.
    pub(crate) fn close(&mut self) {
        self.open = false;
        self.sent = None;
        self.reader = None;
    }
}

/// A fetch that ignored its signal may still answer; the upstream is told then.
pub(crate) fn discard(sent: &Promise) {
    DISCARD.with(|discard| ignore_rejection(&sent.then(discard)));
}

impl Drop for Transport {
    fn drop(&mut self) {
        self.abort();
    }
}

/// The one timer of a call. Dropping it stops it.
#[derive(Default)]
pub(crate) struct Timer(Option<JsValue>);

impl Timer {
    /// Replaces what it was set to.
    pub(crate) fn set(&mut self, until: Instant, now: Instant, wake: &Closure<dyn FnMut(JsValue)>) {
        self.stop();
        // setTimeout takes 31 bits; a later deadline is looked at again when that is over.
        let millis = until.since(now).min(i32::MAX as u64) as i32;
        self.0 = Some(set_timeout(wake, millis));
    }

    pub(crate) fn stop(&mut self) {
        if let Some(timer) = self.0.take() {
            clear_timeout(&timer);
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A response that can be read. What a caller's own fetch gives is looked at: an exception of the platform would not get
/// through the core.
pub(crate) fn readable(response: JsValue) -> Result<Response, &'static str> {
    let has = |name: &str| Reflect::get(&response, &JsValue::from_str(name)).is_ok_and(|value| value.is_object());
    let status = response.is_object().then(|| Reflect::get(&response, &JsValue::from_str("status")).ok()).flatten();
    if status.and_then(|status| status.as_f64()).is_none() || !has("headers") {
        return Err("The fetch function gave no Response.");
    }
    let response: web_sys::Response = response.unchecked_into();
    match response.body() {
        Some(body) if body.locked() || response.body_used() => Err("The Response's body is in use already."),
        _ => Ok(Response::from(response)),
    }
}

/// The id under which the upstream keeps the stream of this response, if it does. It becomes a part of a path.
pub(crate) fn stream_id(response: &Response) -> Option<String> {
    let is_name = |id: &String| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    response.headers().get("x-sluicegate-stream").filter(is_name)
}

/// Bytes, from this realm or another.
pub(crate) fn bytes_of(chunk: JsValue) -> Option<Uint8Array> {
    match chunk.dyn_into::<Uint8Array>() {
        Ok(bytes) => Some(bytes),
        Err(other) if ArrayBuffer::is_view(&other) => Some(other.unchecked_into()),
        Err(_) => None,
    }
}

/// The parts of a response head that the core reads, owned.
pub(crate) struct ResponseHead {
    status: u16,
    headers: [Option<String>; 4],
}

impl ResponseHead {
    pub(crate) fn new(response: &Response) -> Self {
        let headers = response.headers();
        let trace_id = ["x-request-id", "x-siliconcloud-trace-id", "x-deepseek-request-id"]
            .iter()
            .find_map(|name| headers.get(name));
        // A browser hides the redirect that it was told not to follow.
        let hidden = response.type_() == web_sys::ResponseType::Opaqueredirect;
        ResponseHead {
            status: if hidden { 302 } else { response.status() },
            headers: [headers.get("content-type"), headers.get("retry-after"), headers.get("retry-after-ms"), trace_id],
        }
    }

    pub(crate) fn as_head(&self) -> Head<'_> {
        let [content_type, retry_after, retry_after_ms, trace_id] = &self.headers;
        Head {
            status: self.status,
            content_type: content_type.as_deref(),
            retry_after: retry_after.as_deref(),
            retry_after_ms: retry_after_ms.as_deref(),
            trace_id: trace_id.as_deref(),
            now_unix_ms: Some(js_sys::Date::now() as u64),
            content_length: None,
        }
    }
}

/// The fetch to use: the caller's, else the platform's. The value itself where that is no function.
pub(crate) fn fetch_function(given: JsValue) -> Result<Function, JsValue> {
    let function = match given.is_undefined() {
        true => Reflect::get(&js_sys::global(), &JsValue::from_str("fetch")).unwrap_or(JsValue::UNDEFINED),
        false => given,
    };
    function.dyn_into()
}
