//! One attempt under way: its transport, and the callbacks that carry its number.

use crate::driver::Shared;
use crate::transport::Transport;
use sluicegate::request::Built;
use wasm_bindgen::prelude::*;

/// What the platform calls back.
pub(crate) type Callback = Closure<dyn FnMut(JsValue)>;

/// A request that is still to be sent.
pub(crate) enum Outgoing {
    /// The attempt's own.
    Post(Built),
    /// For the rest of its stream, behind the event with this id.
    Resume(String),
    /// Nobody wants the stream any more.
    Delete,
}

/// One attempt. Dropping it aborts its request.
pub(crate) struct Lane {
    pub(crate) attempt: u32,
    pub(crate) route: usize,
    pub(crate) transport: Transport,
    pub(crate) to_send: Option<Outgoing>,
    /// The id of its stream, if the upstream keeps that.
    pub(crate) live: Option<String>,
    /// Keeps the call alive while the platform holds the callbacks.
    pub(crate) busy: Option<Shared>,
    /// The attempt is over: what still comes is nobody's business.
    pub(crate) gone: bool,
    pub(crate) on_head: Callback,
    pub(crate) on_chunk: Callback,
    pub(crate) on_error: Callback,
}

impl Lane {
    pub(crate) fn abort(&mut self) {
        self.gone = true;
        self.transport.abort();
        self.to_send = self.live.is_some().then_some(Outgoing::Delete);
    }

    /// The body has ended, or failed.
    pub(crate) fn close(&mut self) {
        self.gone = true;
        self.transport.close();
    }
}
