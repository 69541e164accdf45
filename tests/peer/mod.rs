//! A call in virtual time against scripted upstreams: what each route does at its first request, its second, and so on.
#![allow(dead_code, missing_docs)]

use serde::Deserialize;
use serde_json::Value;
use sluicegate::exchange::{
    Action, BreakerPolicy, Budgets, Capabilities, Continuation, Exchange, Forwarded, Head, Health, Hedge, OnCancel,
    Plan, Recovery, Retry, Route,
};
use sluicegate::limits::Limits;
use sluicegate::reply::{self, Delta, Deltas, Reader, ThinkTags};
use sluicegate::request::{ContinueBy, Dialect, Endpoint, Request};
use sluicegate::time::Instant;
use std::collections::BTreeMap;

/// What every peer answers, in tokens of one word each.
pub(crate) fn answer() -> Vec<String> {
    (0..60).map(|n| format!("word{n} ")).collect()
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RouteCase {
    pub name: String,
    #[serde(default)]
    pub dialect: Option<String>,
    #[serde(default)]
    pub continuation: Option<String>,
    #[serde(default)]
    pub budgets: BTreeMap<String, u64>,
    #[serde(default)]
    pub context: Option<u32>,
    pub vision: Option<bool>,
    #[serde(default)]
    pub can_refresh: bool,
    pub shared_account: Option<bool>,
    #[serde(default)]
    pub think_open: bool,
    pub script: Vec<Turn>,
}

/// What a peer does with one request; the last turn of a script is repeated.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Turn {
    /// Milliseconds to the head.
    pub after: u64,
    pub status: Option<u16>,
    pub retry_after: Option<String>,
    pub body: Option<String>,
    /// The connection breaks instead of an answer.
    pub refused: bool,
    /// No head ever.
    pub silent: bool,
    /// Milliseconds from the head to the first token.
    pub first: u64,
    pub every: u64,
    /// Only so many tokens of the answer's rest, and then `how`.
    pub cut: Option<usize>,
    /// Only so many bytes of the stream, and then `how`.
    pub cut_bytes: Option<usize>,
    /// `end`, `reset`, `stall`, `keepalive`, or the data of a last event.
    pub how: Option<String>,
    pub reasoning: Option<String>,
    pub finish: Option<String>,
    pub no_done: bool,
    /// Refuses a request whose last message is the assistant's.
    pub rejects_prefill: bool,
    /// Calls a tool instead of answering.
    pub tool: bool,
    /// Goes on without repeating what it is asked to repeat.
    pub no_repeat: bool,
    /// Asked to go on, says so many of its last words again and stops.
    pub copies: usize,
    pub usage: bool,
    /// All that is said comes in one chunk, with the head.
    pub packed: bool,
    /// The whole answer as JSON, though a stream was asked for.
    pub whole: bool,
    /// The reasoning stands in the text, in tags, and the cut is in it.
    pub inside_think: bool,
    /// It keeps the stream, with numbered events, `cut_bytes` is where the first connection breaks, and this is what they meet who come back;
    /// the last is repeated.
    pub live: Option<Vec<Visit>>,
}

/// A connection that asks for the rest of a stream.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Visit {
    /// Milliseconds to the head.
    pub after: u64,
    pub status: Option<u16>,
    pub refused: bool,
    pub silent: bool,
    /// Not the stream, but a page.
    pub page: bool,
    /// Only so many bytes, and then it breaks.
    pub bytes: Option<usize>,
}

/// A stream that is kept.
struct Live {
    events: Vec<(u64, String)>,
    visits: Vec<Visit>,
    next: usize,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Options {
    pub completions: bool,
    pub retry: BTreeMap<String, u64>,
    pub continuation: BTreeMap<String, u64>,
    pub hedge_after: Option<u64>,
    pub drain: Option<u64>,
    pub tokens: Option<u64>,
    pub total: Option<u64>,
    pub cancel_at: Option<u64>,
    pub refresh: Option<bool>,
    pub request: Option<Value>,
    pub stream: Option<bool>,
    pub seed: u64,
    /// When the call is made.
    pub start: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub at: u64,
    pub route: usize,
    pub attempt: u32,
    pub body: Value,
}

#[derive(Clone, Debug)]
enum What {
    Head(Box<Turn>),
    Bytes(Vec<u8>),
    End,
    Error,
    Refreshed(bool),
    Cancel,
}

pub(crate) struct Sim {
    pub exchange: Exchange,
    pub health: Health,
    routes: Vec<RouteCase>,
    options: Options,
    turns: Vec<usize>,
    events: BTreeMap<(u64, u64), (u32, What)>,
    next: u64,
    timer: Option<u64>,
    pub now: u64,
    pub forward: bool,
    pub sent: Vec<Sent>,
    pub aborted: Vec<(u64, u32)>,
    /// When the rest of a stream was asked for, and behind which event.
    pub resumed: Vec<(u64, String)>,
    lives: BTreeMap<u32, Live>,
    pub refreshes: Vec<u64>,
    pub cancelled_at: Option<u64>,
    pub finished_at: Option<u64>,
    pub text: String,
    pub reasoning: String,
    pub notices: Vec<(String, String)>,
    /// Where in the text the deltas were when a seam was told.
    pub seams: Vec<usize>,
    pub bytes: Vec<u8>,
    deltas: Deltas,
}

pub(crate) fn budgets(values: &BTreeMap<String, u64>) -> Budgets {
    let mut budgets = Budgets::default();
    for (name, value) in values {
        match name.as_str() {
            "connect" => budgets.connect = *value,
            "first_token" => budgets.first_token = *value,
            "idle" => budgets.idle = *value,
            "content_idle" => budgets.content_idle = *value,
            "patience" => budgets.patience = *value,
            "answer" => budgets.answer = *value,
            "total" => budgets.total = *value,
            other => panic!("unknown budget {other}"),
        }
    }
    budgets
}

fn recovery(options: &Options) -> Recovery {
    let mut retry = Retry::default();
    for (name, value) in &options.retry {
        match name.as_str() {
            "first" => retry.first = *value,
            "cap" => retry.cap = *value,
            "tries" => retry.tries = *value as u32,
            "attempts" => retry.attempts = *value as u32,
            other => panic!("unknown field {other}"),
        }
    }
    let mut continuation = Continuation::default();
    for (name, value) in &options.continuation {
        match name.as_str() {
            "most" => continuation.most = *value as u32,
            "length" => continuation.length = *value as u32,
            "replace" => continuation.replace = *value == 1,
            other => panic!("unknown field {other}"),
        }
    }
    Recovery {
        retry,
        continuation,
        hedge: options.hedge_after.map(|after| Hedge { after, percentile: None, share: 100 }),
        on_cancel: options.drain.map_or(OnCancel::Abort, OnCancel::Drain),
        tokens: options.tokens,
    }
}

impl Sim {
    pub(crate) fn new(routes: &[RouteCase], options: &Options, forward: bool) -> Result<Self, sluicegate::Error> {
        let mut body = serde_json::json!({
            "model": "m",
            "messages": [{"role": "user", "content": "Count, please."}],
            "stream": options.stream.unwrap_or(true),
        });
        if let Some(Value::Object(extra)) = &options.request {
            for (name, value) in extra {
                body[name] = value.clone();
            }
        }
        let endpoint = if options.completions {
            body.as_object_mut().unwrap().remove("messages");
            body["prompt"] = "Count, please.".into();
            Endpoint::Completions
        } else {
            Endpoint::ChatCompletions
        };
        let body = serde_json::to_vec(&body).unwrap();
        let request = Request::parse(endpoint, &body, &Limits::default()).unwrap();
        let plan_routes = routes
            .iter()
            .map(|case| Route {
                budgets: budgets(&case.budgets),
                capabilities: Capabilities {
                    context: case.context,
                    vision: case.vision.unwrap_or(true),
                    ..Capabilities::default()
                },
                continuation: case.continuation.as_deref().map(|by| match by {
                    "prefix" => ContinueBy::Prefix,
                    "prefill" => ContinueBy::Prefill,
                    "anchor" => ContinueBy::Anchor,
                    "off" => ContinueBy::Off,
                    other => panic!("unknown way {other}"),
                }),
                can_refresh: case.can_refresh,
                shared_account: case.shared_account.unwrap_or(true),
                think_tags: if case.think_open { ThinkTags::Open } else { ThinkTags::Auto },
                ..Route::new(
                    &case.name,
                    "m",
                    match case.dialect.as_deref() {
                        Some("deepseek") => Dialect::DeepSeek,
                        Some("siliconflow") => Dialect::SiliconFlow,
                        _ => Dialect::OpenAi,
                    },
                )
            })
            .collect();
        let plan = Plan {
            routes: plan_routes,
            recovery: recovery(options),
            total: options.total.unwrap_or(600_000),
            forward,
            reply: reply::Options::default(),
        };
        let exchange = Exchange::new(Instant(options.start), options.seed, plan, request)?;
        let mut sim = Sim {
            exchange,
            health: Health::new(BreakerPolicy::default()),
            routes: routes.to_vec(),
            options: options.clone(),
            turns: vec![0; routes.len()],
            events: BTreeMap::new(),
            next: 0,
            timer: None,
            now: options.start,
            forward,
            sent: Vec::new(),
            aborted: Vec::new(),
            resumed: Vec::new(),
            lives: BTreeMap::new(),
            refreshes: Vec::new(),
            cancelled_at: None,
            finished_at: None,
            text: String::new(),
            reasoning: String::new(),
            notices: Vec::new(),
            seams: Vec::new(),
            bytes: Vec::new(),
            deltas: Deltas::new(),
        };
        if let Some(at) = options.cancel_at {
            sim.at(at, u32::MAX, What::Cancel);
        }
        Ok(sim)
    }

    /// The call finds the health that another one left.
    pub(crate) fn with_health(mut self, health: Health) -> Self {
        self.health = health;
        self
    }

    pub(crate) fn options_start(&self) -> u64 {
        self.options.start
    }

    fn at(&mut self, at: u64, attempt: u32, what: What) {
        self.next += 1;
        self.events.insert((at, self.next), (attempt, what));
    }

    pub(crate) fn run(&mut self) {
        self.drain();
        let mut steps = 0;
        while self.finished_at.is_none() {
            steps += 1;
            assert!(steps < 200_000, "no end: {:?}", self.exchange.timeline());
            let event = self.events.keys().next().map(|key| key.0);
            let next = match (event, self.timer) {
                (Some(event), Some(timer)) => event.min(timer),
                (Some(at), None) | (None, Some(at)) => at,
                (None, None) => panic!("nothing will ever happen: {:?}", self.exchange),
            };
            self.now = next.max(self.now);
            if self.timer == Some(next) && event != Some(next) {
                self.timer = None;
            } else if let Some((_, (attempt, what))) = self.events.pop_first() {
                self.tell(attempt, what);
            }
            self.drain();
        }
        if self.forward {
            self.read_bytes();
        }
    }

    fn tell(&mut self, attempt: u32, what: What) {
        let now = Instant(self.now);
        match what {
            What::Head(turn) => {
                let status = turn.status.unwrap_or(200);
                let content_type = if status == 200 && self.options.stream != Some(false) && !turn.whole {
                    "text/event-stream"
                } else {
                    "application/json"
                };
                let head = Head {
                    status,
                    content_type: Some(content_type),
                    retry_after: turn.retry_after.as_deref(),
                    now_unix_ms: Some(1_700_000_000_000 + self.now),
                    ..Head::default()
                };
                self.exchange.handle_head(now, attempt, &head);
                if turn.live.is_some() {
                    self.exchange.handle_resumable(attempt);
                }
            }
            What::Bytes(bytes) if self.forward && self.exchange.is_streaming() => {
                match self.exchange.forward(now, attempt, &bytes) {
                    Forwarded::Pass => self.bytes.extend_from_slice(&bytes),
                    Forwarded::Bytes(other) => self.bytes.extend_from_slice(other),
                }
            }
            What::Bytes(bytes) => self.exchange.handle_bytes(now, attempt, &bytes, &mut self.deltas),
            What::End => self.exchange.handle_end(now, attempt, &mut self.deltas),
            What::Error => self.exchange.handle_error(now, attempt, &mut self.deltas),
            What::Refreshed(is_new) => self.exchange.handle_refreshed(now, is_new),
            What::Cancel => {
                self.cancelled_at = Some(self.now);
                self.exchange.cancel(now);
            }
        }
    }

    fn drain(&mut self) {
        while let Some(action) = self.exchange.poll(Instant(self.now), &mut self.health) {
            match action {
                Action::Send(sending) => {
                    assert!(self.cancelled_at.is_none(), "a request after the cancel");
                    let body: Value = serde_json::from_slice(&sending.request.body).unwrap();
                    let sent = Sent { at: self.now, route: sending.route, attempt: sending.attempt, body };
                    self.answer(&sent);
                    self.sent.push(sent);
                }
                Action::Resume { attempt, last_event } => {
                    assert!(self.cancelled_at.is_none(), "a request after the cancel");
                    self.resumed.push((self.now, last_event.clone()));
                    self.visit(attempt, &last_event);
                }
                Action::Abort(attempt) => {
                    self.aborted.push((self.now, attempt));
                    self.events.retain(|_, (of, _)| *of != attempt);
                }
                Action::Refresh(_) => {
                    self.refreshes.push(self.now);
                    let is_new = self.options.refresh.unwrap_or(false);
                    self.at(self.now + 5, u32::MAX, What::Refreshed(is_new));
                }
                Action::Wait(until) => self.timer = Some(until.0),
                Action::Finish => {
                    assert!(self.finished_at.is_none(), "finished twice");
                    self.finished_at = Some(self.now);
                    if self.forward && !self.exchange.is_streaming() && self.exchange.is_recast() {
                        self.bytes.extend_from_slice(self.exchange.body());
                    }
                    let tail = self.exchange.forward_tail();
                    self.bytes.extend_from_slice(&tail);
                }
            }
        }
        self.exchange.take_late(&mut self.deltas);
        for delta in self.deltas.iter() {
            match delta {
                Delta::Text { text, .. } => self.text.push_str(text),
                Delta::Reasoning { text, .. } => self.reasoning.push_str(text),
                Delta::Notice { code, detail } if !self.forward => {
                    self.notices.push((code.code().to_owned(), detail.to_owned()));
                    if code.code() == "continued" {
                        self.seams.push(self.text.len());
                    }
                    if code.code() == "restarted" {
                        self.text.clear();
                        self.reasoning.clear();
                    }
                }
                _ => {}
            }
        }
        self.deltas.clear();
    }

    /// What a client would read of the bytes.
    fn read_bytes(&mut self) {
        let mut reader = Reader::new(reply::Options::default());
        let mut out = Deltas::new();
        let _ = reader.feed(&self.bytes, &mut out);
        self.text = out.iter().map(|delta| if let Delta::Text { text, .. } = delta { text } else { "" }).collect();
        self.reasoning =
            out.iter().map(|delta| if let Delta::Reasoning { text, .. } = delta { text } else { "" }).collect();
        for line in String::from_utf8_lossy(&self.bytes).lines() {
            if let Some(json) = line.strip_prefix(": sluicegate ") {
                let value: Value = serde_json::from_str(json).unwrap();
                if let Some(code) = value["notice"].as_str() {
                    self.notices.push((code.to_owned(), value["detail"].as_str().unwrap_or("").to_owned()));
                }
            }
        }
    }

    /// Schedules what becomes of a request for the rest of a stream.
    fn visit(&mut self, attempt: u32, last_event: &str) {
        let live = self.lives.get_mut(&attempt).expect("only a kept stream is asked for again");
        let visit = live.visits.get(live.next.min(live.visits.len().saturating_sub(1))).cloned().unwrap_or_default();
        live.next += 1;
        let mut at = self.now + visit.after;
        if visit.silent {
            return;
        }
        if visit.refused {
            return self.at(at, attempt, What::Error);
        }
        let events = live.events.clone();
        let head = Turn { status: visit.status, whole: visit.page, ..Turn::default() };
        self.at(at, attempt, What::Head(Box::new(head)));
        if visit.page || visit.status.is_some_and(|status| status != 200) {
            return;
        }
        let mut left = visit.bytes.unwrap_or(usize::MAX);
        let last = if last_event.is_empty() { 0 } else { last_event.parse::<usize>().unwrap() };
        let mut number = 0;
        for (time, text) in events {
            for event in text.split_inclusive("\n\n") {
                number += 1;
                if number > last && left > 0 {
                    at = at.max(time);
                    let bytes = &event.as_bytes()[..event.len().min(left)];
                    left -= bytes.len();
                    self.at(at, attempt, What::Bytes(bytes.to_vec()));
                }
            }
        }
        self.at(at, attempt, if visit.bytes.is_some() { What::Error } else { What::End });
    }

    /// Schedules what the route's script says about this request.
    fn answer(&mut self, sent: &Sent) {
        let case = self.routes[sent.route].clone();
        let turn = self.turns[sent.route].min(case.script.len() - 1);
        self.turns[sent.route] += 1;
        let turn = case.script[turn].clone();
        let (id, head_at) = (sent.attempt, sent.at + turn.after);
        if turn.silent {
            return;
        }
        if turn.refused {
            return self.at(head_at, id, What::Error);
        }
        let prompt = sent.body["prompt"].as_str().map(|prompt| {
            serde_json::json!([{"role": "assistant", "content": prompt.strip_prefix("Count, please.").unwrap()}])
        });
        let messages = prompt.as_ref().unwrap_or(&sent.body["messages"]).as_array().unwrap();
        if turn.rejects_prefill && messages.last().unwrap()["role"] == "assistant" {
            let refusal = Turn { status: Some(400), ..turn };
            self.at(head_at, id, What::Head(Box::new(refusal)));
            let body = r#"{"error":{"message":"The last message must be from the user.","type":"invalid_request_error","param":"messages","code":null}}"#;
            self.at(head_at, id, What::Bytes(body.into()));
            return self.at(head_at, id, What::End);
        }
        let mut how = turn.how.clone().unwrap_or_else(|| "end".to_owned());
        self.at(head_at, id, What::Head(Box::new(turn.clone())));
        if turn.status.is_some_and(|status| status != 200) {
            self.at(head_at, id, What::Bytes(turn.body.clone().unwrap_or_default().into()));
            return self.at(head_at, id, What::End);
        }
        let tokens = match turn.copies {
            0 => rest_for(messages, turn.no_repeat),
            count => copied(messages, count),
        };
        if self.options.stream == Some(false) || turn.whole {
            let text: String = tokens[..turn.cut.unwrap_or(tokens.len()).min(tokens.len())].concat();
            let whole = serde_json::json!({"id": "c", "object": "chat.completion", "created": 1, "model": format!("m-{}", case.name),
                "choices": [{"index": 0, "message": {"role": "assistant", "content": text},
                "finish_reason": turn.finish.as_deref().unwrap_or("stop")}]});
            let mut bytes = serde_json::to_vec(&whole).unwrap();
            if let Some(cut) = turn.cut_bytes {
                bytes.truncate(cut);
            }
            self.at(head_at + turn.first, id, What::Bytes(bytes));
            let is_cut = turn.cut_bytes.is_some();
            return self.at(head_at + turn.first, id, if is_cut { What::Error } else { What::End });
        }
        let name = format!("m-{}", case.name);
        let choices = sent.body["n"].as_u64().unwrap_or(1);
        let is_chat = prompt.is_none();
        let one = |index: u64, delta: Value, finish: &Value| {
            let choice = match delta.get("content") {
                _ if is_chat => serde_json::json!({"index": index, "delta": delta, "finish_reason": finish}),
                Some(text) => serde_json::json!({"index": index, "text": text, "finish_reason": finish}),
                None => serde_json::json!({"index": index, "text": "", "finish_reason": finish}),
            };
            let chunk = serde_json::json!({"id": format!("c{id}"), "object": "chat.completion.chunk", "created": 1, "model": name,
                "choices": [choice]});
            format!("data: {chunk}\n\n")
        };
        let chunk = |delta: Value, finish: Value| -> String {
            (0..choices).map(|index| one(index, delta.clone(), &finish)).collect()
        };
        let mut events: Vec<(u64, String)> = Vec::new();
        let mut at = head_at + turn.first;
        events.push((head_at, chunk(serde_json::json!({"role": "assistant", "content": ""}), Value::Null)));
        if let Some(reasoning) = &turn.reasoning {
            let delta = match turn.inside_think {
                true => serde_json::json!({"content": format!("<think>\n{reasoning}")}),
                false => serde_json::json!({"reasoning_content": reasoning}),
            };
            events.push((at, chunk(delta, Value::Null)));
        }
        if turn.tool {
            let call = serde_json::json!({"tool_calls": [{"index": 0, "id": "t1", "type": "function", "function": {"name": "f", "arguments": "{\"a"}}]});
            events.push((at, chunk(call, Value::Null)));
        }
        let count = turn.cut.unwrap_or(tokens.len()).min(tokens.len());
        for token in &tokens[..count] {
            events.push((at, chunk(serde_json::json!({"content": token}), Value::Null)));
            at += turn.every;
        }
        let is_whole = turn.cut.is_none() && !turn.tool || turn.finish.is_some();
        if is_whole {
            let finish = turn.finish.clone().unwrap_or_else(|| "stop".to_owned());
            events.push((at, chunk(serde_json::json!({}), finish.into())));
            if turn.usage {
                let usage = serde_json::json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": name, "choices": [],
                    "usage": {"prompt_tokens": 10, "completion_tokens": count, "total_tokens": 10 + count}});
                events.push((at, format!("data: {usage}\n\n")));
            }
            if !turn.no_done {
                events.push((at, "data: [DONE]\n\n".to_owned()));
            }
        }
        if turn.packed {
            at = head_at;
            if how.starts_with('{') {
                events.push((at, format!("data: {how}\n\n")));
            }
            let all: String = events.into_iter().map(|(_, text)| text).collect();
            events = vec![(at, all)];
        }
        if let Some(visits) = &turn.live {
            let mut number = 0;
            for (_, text) in &mut events {
                let numbered = text.split_inclusive("\n\n").map(|event| {
                    number += 1;
                    format!("{}\nid: {number}\n\n", event.trim_end())
                });
                *text = numbered.collect();
            }
            self.lives.insert(id, Live { events: events.clone(), visits: visits.clone(), next: 0 });
            if turn.cut_bytes.is_some() {
                if how.starts_with('{') {
                    // Not in the middle of an event.
                    how = "reset".to_owned();
                }
                let ends = ends(&events);
                let last = ends.iter().position(|end| *end >= turn.cut_bytes.unwrap_or(0)).unwrap_or(events.len() - 1);
                at = events[last].0;
            }
        }
        let mut left = turn.cut_bytes.unwrap_or(usize::MAX);
        for (at, text) in events {
            let bytes = text.as_bytes()[..text.len().min(left)].to_vec();
            left -= bytes.len();
            if !bytes.is_empty() {
                self.at(at, id, What::Bytes(bytes));
            }
        }
        match how.as_str() {
            "end" => self.at(at, id, What::End),
            "reset" => self.at(at, id, What::Error),
            "stall" => {}
            "keepalive" => {
                for n in 1..40 {
                    self.at(at + n * 5_000, id, What::Bytes(b": keep-alive\n\n".to_vec()));
                }
            }
            _ if turn.packed => self.at(at + 1, id, What::End),
            data => {
                self.at(at, id, What::Bytes(format!("data: {data}\n\n").into_bytes()));
                self.at(at, id, What::End);
            }
        }
    }
}

/// Where the events end, in bytes.
fn ends(events: &[(u64, String)]) -> Vec<usize> {
    let mut end = 0;
    events
        .iter()
        .map(|(_, text)| {
            end += text.len();
            end
        })
        .collect()
}

/// The tokens that a model says to these messages: the whole answer, or its rest behind what the assistant has said already.
fn rest_for(messages: &[Value], no_repeat: bool) -> Vec<String> {
    let full = answer().concat();
    let text = |message: &Value| message["content"].as_str().unwrap_or("").to_owned();
    let last = messages.last().unwrap();
    if last["role"] == "assistant" {
        return words(full.strip_prefix(&text(last)).expect("the prefix is the beginning of the answer"));
    }
    let Some(before) = messages.len().checked_sub(2).and_then(|at| messages.get(at)) else { return words(&full) };
    let said = text(before);
    if before["role"] != "assistant" || said.is_empty() {
        return words(&full);
    }
    let rest = full.strip_prefix(&said).expect("what was said is the beginning of the answer");
    if no_repeat {
        return words(rest);
    }
    let ask = text(last);
    // Quoted without the blanks at its end, a model repeats it with them.
    let bare = said.trim_end();
    let is_quoted = |at: &usize| bare.is_char_boundary(*at) && ask.contains(&bare[*at..]);
    let least = bare.len().saturating_sub(6);
    let from = (0..=least).find(is_quoted).expect("the end of what was said is quoted");
    words(&format!("{}{rest}", &said[from..]))
}

/// The last words that the assistant has said.
fn copied(messages: &[Value], count: usize) -> Vec<String> {
    let said = words(messages[messages.len() - 2]["content"].as_str().unwrap().trim_end());
    said[said.len() - count..].to_vec()
}

fn words(text: &str) -> Vec<String> {
    text.split_inclusive(' ').map(str::to_owned).collect()
}
