//! How the requests of one call are sent: each route's address, key and headers.

use crate::gate;
use crate::headers::{self, Headers};
use sluicegate::config::Config;
use sluicegate::exchange::{self, Route};
use sluicegate::request::{Endpoint, url};
use sluicegate::{Error, ErrorKind};
use std::rc::Rc;
use worker::Env;

/// What all requests of one call have in common.
pub(crate) struct Sender {
    pub(crate) env: Env,
    pub(crate) config: Rc<Config>,
    /// The gate's own host, as the caller spelled it.
    pub(crate) host: String,
    /// The call's id.
    pub(crate) id: String,
    /// Through how many gates the request has come.
    pub(crate) hops: u8,
    /// The caller's own credential, where it is the upstream's business.
    pub(crate) token: Option<String>,
    pub(crate) idempotency_key: Option<String>,
    /// Headers of the endpoint's protocol.
    pub(crate) protocol: Headers,
}

/// A request to an upstream, ready to go.
pub(crate) struct Sending {
    /// The attempt's number.
    pub(crate) attempt: u32,
    pub(crate) url: String,
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
}

impl Sender {
    /// Completes a request.
    ///
    /// Errors: `misconfigured` if the route's secret is not there, or its upstream is this gate itself.
    pub(crate) fn complete(&self, route: &Route, sending: exchange::Sending) -> Result<Sending, Error> {
        let exchange::Sending { attempt, request: built, .. } = sending;
        let upstream = self.config.upstream_of(route).ok_or_else(|| {
            Error::new(ErrorKind::Internal, "The route's upstream is not in the configuration any more.")
        })?;
        if upstream.base_url().host() == self.host {
            let message = "The upstream is this gate itself; calls would go round in circles.";
            return Err(Error::new(ErrorKind::Misconfigured, message).with_param("upstreams"));
        }
        let secret = gate::secret(&self.env, &self.config, upstream)?;
        let key = self.token.as_deref().or(secret.as_deref());
        let accept = match built.endpoint {
            _ if built.stream => "text/event-stream",
            Endpoint::Speech | Endpoint::Transcriptions | Endpoint::Translations => "*/*",
            _ => "application/json",
        };
        let mut headers = headers::upward(key, accept, &self.id, self.hops, upstream.headers());
        headers.add("content-type", &built.content_type);
        // Where Anthropic's clients send theirs; who follows that protocol may read no other.
        if let Some(key) = key.filter(|_| built.endpoint == Endpoint::Messages) {
            headers.add("x-api-key", key);
        }
        headers.append(&self.protocol);
        if let Some(key) = &self.idempotency_key {
            headers.add("idempotency-key", key);
        }
        Ok(Sending { attempt, url: url(upstream.base_url().as_str(), &built), headers, body: built.body })
    }
}
