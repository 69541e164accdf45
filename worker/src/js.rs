//! What is written in JavaScript: the loop over a stream's chunks and the few calls that would cost a crossing each.

use crate::batch::Prompts;
use crate::call::Door;
use crate::socket::Wire;
use crate::tap::Tap;
use js_sys::{JsString, Object, Promise};
use wasm_bindgen::prelude::*;
use web_sys::{Request, Response};

#[wasm_bindgen(module = "/src/pump.js")]
extern "C" {
    /// Method, address, then name and value of each header: a line each.
    #[wasm_bindgen(js_name = headOf)]
    pub(crate) fn head_of(request: &Request) -> String;

    /// `Response`, once the request's body of at most `limit` bytes is read, in at most `time` milliseconds, and the call made: in an object of `namespace`, if that
    /// is given and it is a stream. `caller` is `undefined`, or whose tokens are to be keyed by the secret `seal`, an empty one
    /// standing for this isolate's own. `assets` is the binding that has the model for names, `null` if there is none, `undefined` if
    /// none is wanted or it is loaded.
    pub(crate) fn admit(
        door: Door,
        request: &Request,
        limit: f64,
        time: f64,
        namespace: &JsValue,
        id: &str,
        caller: &JsValue,
        seal: &str,
        assets: &JsValue,
    ) -> Promise;

    /// `Response` of the object of that name, or `null`.
    pub(crate) fn enter(namespace: &Object, name: &str, request: &Request, id: &str) -> Promise;

    /// A response of a status, headers as [`crate::headers::Headers`] writes them, and any body that `Response` takes.
    #[wasm_bindgen(catch)]
    pub(crate) fn respond(status: u16, headers: &str, body: &JsValue) -> Result<Response, JsValue>;

    /// The response with headers set over its own.
    #[wasm_bindgen(catch)]
    pub(crate) fn dress(response: &Response, headers: &str) -> Result<Response, JsValue>;

    /// `Uint8Array` of a JSON document, or `null`.
    #[wasm_bindgen(js_name = fetchSmall)]
    pub(crate) fn fetch_small(url: &str, headers: &str, limit: f64, millis: f64) -> Promise;

    /// `Uint8Array` of a request's body; `null` if it has more than `limit` bytes, `undefined` if it takes more than `time` milliseconds.
    #[wasm_bindgen(js_name = readBody)]
    pub(crate) fn read_body(request: &Request, limit: f64, time: f64) -> Promise;

    #[wasm_bindgen(js_name = randomBytes)]
    pub(crate) fn random_bytes(count: u32) -> Vec<u8>;

    /// A request of the gate's own to itself; headers as [`crate::headers::Headers`] writes them.
    #[wasm_bindgen(catch, js_name = ownRequest)]
    pub(crate) fn own_request(
        method: &str,
        url: &str,
        headers: &str,
        body: &str,
        signal: &JsValue,
    ) -> Result<Request, JsValue>;

    /// `Response` with the results of a batch's prompts, so many of which are asked at the same time.
    #[wasm_bindgen(js_name = runBatch)]
    pub(crate) fn run_batch(prompts: Prompts, count: u32, most: u32, signal: &JsValue) -> Promise;

    /// Settles after so many milliseconds.
    pub(crate) fn sleep(millis: u32) -> Promise;

    /// The text that the object of a name answers to a message.
    pub(crate) fn tell(namespace: &Object, name: &str, message: &str, path: &str) -> Promise;

    /// The rows of a statement, as JSON; `values` is an array of what is bound.
    pub(crate) fn query(database: &Object, statement: &str, values: &str) -> Promise;

    /// The status of an answer, or 0 if none comes in time.
    pub(crate) fn reach(url: &str, headers: &str, millis: f64) -> Promise;

    /// Keeps the handler's work going until this settles.
    #[wasm_bindgen(js_name = outlive)]
    pub(crate) fn wait_until(work: &Promise);

    /// An array of what the objects of the routes in a report answer to it.
    pub(crate) fn consult(namespace: &Object, report: &str, path: &str) -> Promise;

    /// A request to an upstream, with all of it in one crossing; the body is copied.
    pub(crate) fn request(attempt: u32, url: &str, headers: &str, body: &[u8]) -> JsValue;

    /// `Response`, once the upstream has answered or failed. `live` is `undefined`, an object, or the way into one.
    pub(crate) fn drive(tap: Tap, caller: &JsValue, heartbeat: f64, live: &JsValue) -> Promise;
}

#[wasm_bindgen(module = "/src/socket.js")]
extern "C" {
    /// `Response` with a socket that this isolate holds.
    #[wasm_bindgen(catch, js_name = openSocket)]
    pub(crate) fn open_socket(wire: Wire, protocol: &str) -> Result<Response, JsValue>;

    /// `Response` with a socket that an object of the namespace holds.
    #[wasm_bindgen(js_name = enterSocket)]
    pub(crate) fn enter_socket(namespace: &Object, about: &str, protocol: &str) -> Promise;

    /// What a socket is to do.
    pub(crate) fn step(kind: u32, number: u32, text: &str) -> JsValue;
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = crypto, js_name = randomUUID)]
    pub(crate) fn random_uuid() -> String;

    #[wasm_bindgen(js_namespace = Date, js_name = now)]
    pub(crate) fn now() -> f64;

    #[wasm_bindgen(js_namespace = Math, js_name = random)]
    pub(crate) fn random() -> f64;

    #[wasm_bindgen(js_namespace = console, js_name = log)]
    pub(crate) fn log(line: &JsString);
}

/// The value of a promise that is not trusted to be of one type.
pub(crate) async fn settled(promise: Promise) -> Result<JsValue, JsValue> {
    wasm_bindgen_futures::JsFuture::from(promise).await
}
