//! stub
#![allow(missing_docs)]
use super::{Built, Change, Dialect, Replay, Request, Target};
use crate::Error;
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContinueBy {
    Prefix,
    Prefill,
    Anchor,
    Off,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Needs {
    pub vision: bool,
    pub audio: bool,
    pub tools: bool,
    pub json: bool,
    pub prompt_tokens: u32,
    pub max_tokens: Option<u32>,
    pub ends_with_assistant: bool,
}
impl ContinueBy {
    pub fn for_model(_dialect: Dialect, _model: &str) -> ContinueBy {
        ContinueBy::Anchor
    }
    pub fn as_str(self) -> &'static str {
        "anchor"
    }
}
pub struct Repair {
    pub request: Request,
    pub replay: Option<Replay>,
    pub change: Change,
}
impl Request {
    pub fn continued(&self, _by: ContinueBy, _text: &str, _reasoning: &str) -> Option<Request> {
        Some(self.clone())
    }
    pub fn needs(&self) -> Needs {
        Needs::default()
    }
    pub fn repaired(&self, _error: &Error, _target: &Target<'_>) -> Option<Repair> {
        None
    }
}
pub fn url(base: &str, built: &Built) -> String {
    [base, built.path].concat()
}
