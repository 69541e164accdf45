//! The page and its files, from the assets binding, with the headers that keep it to itself.

use crate::headers::Headers;
use crate::{gate, js};
use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::{JsCast as _, JsValue};
use web_sys::{Request, Response};
use worker::Env;

/// The binding that serves the page's files.
pub(crate) const ASSETS: &str = "ASSETS";

/// Nothing but the page's own files and its own gate; no code but its own, WebAssembly included; no HTML from strings.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; \
    font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'; object-src 'none'; require-trusted-types-for 'script'";

const PERMISSIONS: &str = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()";

/// The file at the request's path; `None` if there is none.
pub(crate) async fn serve(request: &Request, env: &Env, is_secure: bool) -> Result<Option<Response>, JsValue> {
    let Some(assets) = gate::binding(env, ASSETS) else { return Ok(None) };
    let fetch: Function = Reflect::get(&assets, &"fetch".into())?.dyn_into()?;
    let promise: Promise = fetch.call1(&assets, request)?.dyn_into()?;
    let response: Response = js::settled(promise).await?.dyn_into()?;
    if response.status() == 404 {
        return Ok(None);
    }
    let mut headers = Headers::default();
    headers.add("content-security-policy", POLICY);
    headers.add("x-content-type-options", "nosniff");
    headers.add("referrer-policy", "no-referrer");
    headers.add("cross-origin-opener-policy", "same-origin");
    headers.add("cross-origin-resource-policy", "same-origin");
    headers.add("permissions-policy", PERMISSIONS);
    if is_secure {
        headers.add("strict-transport-security", "max-age=31536000");
    }
    let media = response.headers().get("content-type")?.unwrap_or_default();
    if media.starts_with("text/html") {
        headers.add("cache-control", "no-cache");
    }
    js::dress(&response, headers.as_str()).map(Some)
}
