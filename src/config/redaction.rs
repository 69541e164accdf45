//! What the gate hides of what passes through it: the policy, made ready once, and what it comes to for one call.
//!
//! A call is masked before anything else reads it ([`Config::cover`]): its attempts, repairs and continuations, its log line and what is
//! kept of its stream know the masked text alone. The map from tokens to values lives in the call's [`Cover`] and goes with it.

use super::read::Node;
use super::{Config, upstream};
use crate::error::{Error, ErrorKind, Vendor};
use crate::exchange::Plan;
use crate::limits::Limits;
use crate::redact::body::{self, Format, MaskedBody};
use crate::redact::ner::Model;
use crate::redact::wire::{self, AnswerStream};
use crate::redact::{Action, Answers, Entity, Mode, Policy, Redactor, Session, Sink, Tally};
use crate::request::{Endpoint, Form, Request};
use core::fmt;
use serde_json::{Map, Value};
use std::sync::Arc;

/// Where the configuration asks for the model.
const NAMES_MODEL: &str = "redaction.names_model";
/// How much longer a body may be when it is masked: a token is longer than most of what it stands for.
const LONGER: usize = 4;

/// What the gate hides.
#[derive(Clone, Debug)]
pub struct Redaction {
    secret: Option<String>,
    /// Whether names are to be looked for by the model.
    names_model: bool,
    /// Whether recordings, which cannot be searched, may go to upstreams that are not trusted.
    passes_uploads: bool,
    /// For requests and their answers.
    usual: Arc<Redactor>,
    /// For calls that only trusted upstreams can get; none where no upstream is trusted.
    trusted: Option<Arc<Redactor>>,
    /// For what nobody gives back: an upstream's words about a failure.
    labels: Arc<Redactor>,
}

impl Redaction {
    /// The name of the secret that keys the tokens.
    pub fn secret(&self) -> Option<&str> {
        self.secret.as_deref()
    }

    /// Whether names are to be looked for by the model.
    pub fn uses_names(&self) -> bool {
        self.names_model
    }

    /// Whether the model for names is still to be loaded. Until it is, nothing may be sent.
    pub fn wants_names(&self) -> bool {
        self.names_model && !self.usual.has_names()
    }

    /// Loads the model for names, for all calls from now on.
    ///
    /// Errors: `misconfigured` for bytes that are no model of this version.
    pub fn load_names(&self, weights: &[u8]) -> Result<(), Error> {
        let model = Model::load(weights).map_err(|_| {
            Error::new(ErrorKind::Misconfigured, "The file of the names model is not one of this version.")
                .with_param(NAMES_MODEL)
        })?;
        let model = Arc::new(model);
        for redactor in [Some(&self.usual), self.trusted.as_ref(), Some(&self.labels)].into_iter().flatten() {
            redactor.set_names(model.clone());
        }
        Ok(())
    }

    /// Why a request that names are to be looked for in cannot be sent.
    pub fn names_missing() -> Error {
        Error::new(ErrorKind::Misconfigured, "The model for names could not be loaded; nothing was sent.")
            .with_param(NAMES_MODEL)
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        self.usual.policy()
    }

    /// What was done, as the log and the audit tell it: kind, action, how often. What stays is left out.
    pub fn counts<'a>(&'a self, tally: &'a Tally) -> impl Iterator<Item = (&'a str, &'static str, u32)> {
        let done = tally.counts.iter().filter(|(_, action, _)| *action != Action::Keep);
        done.map(|(entity, action, count)| (self.policy().key(*entity), action_name(*action), *count))
    }

    /// What was hidden, by kind: `PHONE_CN=2, EMAIL=1`. Empty if nothing was.
    pub fn summary(&self, tally: &Tally) -> String {
        let mut sums: Vec<(&str, u32)> = Vec::new();
        for (key, _, count) in self.counts(tally) {
            match sums.iter_mut().find(|(known, _)| *known == key) {
                Some((_, sum)) => *sum = sum.saturating_add(count),
                None => sums.push((key, count)),
            }
        }
        let parts: Vec<String> = sums.iter().map(|(key, sum)| [key, "=", &sum.to_string()].concat()).collect();
        parts.join(", ")
    }

    /// Hides what is private in something that is kept, for good: nobody has a map for it later, so that tokens would be words without
    /// a meaning. What the policy refuses to send it refuses to keep. `session` keys hashes, and stays without tokens.
    ///
    /// Errors: `private_data` if the policy blocks something in it, or lets only trusted upstreams read it; those of [`body::mask`].
    pub fn keepable(
        &self,
        format: Format,
        text: &str,
        session: &mut Session,
        tally: &mut Tally,
    ) -> Result<Option<String>, Error> {
        let limits = Limits { request_body: text.len(), ..Limits::default() };
        let mut found = Tally::default();
        let masked = body::mask(&self.labels, session, format, text, &limits, &mut found)?;
        let refused = |entity: Entity| matches!(self.policy().action(entity), Action::Block | Action::LocalOnly);
        if let Some((entity, ..)) = found.counts.iter().find(|count| refused(count.0)) {
            let message = ["The policy does not let this be kept: ", self.policy().key(*entity), "."].concat();
            return Err(Error::new(ErrorKind::PrivateData, message));
        }
        for (entity, action, many) in found.counts {
            tally.add_many(entity, action, many);
        }
        Ok(masked.changed.then_some(masked.text))
    }

    /// The error without what is private in an upstream's words.
    pub fn clean(&self, error: &Error) -> Error {
        let Some(vendor) = error.vendor() else { return error.clone() };
        // Nobody has this map: what is not a label is lost.
        let mut session = Session::new(&[0; 32]);
        let mut hide = |text: &str| self.labels.mask(text, &mut session, &mut Tally::default()).text;
        // Another gate's sentence and field are taken over as they come.
        let mut clean = Error::new(error.kind(), hide(error.message()));
        if let Some(param) = error.param() {
            clean = clean.with_param(hide(param));
        }
        if let Some(millis) = error.retry_after_ms() {
            clean = clean.with_retry_after_ms(millis);
        }
        let mut hidden = |text: &Option<String>| text.as_deref().map(&mut hide);
        clean.with_vendor(Vendor { code: hidden(&vendor.code), message: hidden(&vendor.message), ..vendor.clone() })
    }
}

/// The name of an action, as a policy has it.
fn action_name(action: Action) -> &'static str {
    match action {
        Action::Keep => "keep",
        Action::Mask => "mask",
        Action::Label => "label",
        Action::Token => "token",
        Action::Hash => "hash",
        Action::Drop => "drop",
        Action::Block => "block",
        Action::LocalOnly => "local_only",
    }
}

pub(super) fn read(node: Node<'_>, any_trusted: bool) -> Result<Option<Redaction>, Error> {
    node.unless_off(None, |node| redaction(node, any_trusted).map(Some))
}

fn redaction(node: Node<'_>, any_trusted: bool) -> Result<Redaction, Error> {
    let mut members: Map<String, Value> = node.members()?.clone();
    let path = node.path();
    let secret = members.remove("secret").map(|name| {
        let path = [path, ".secret"].concat();
        upstream::secret(Node::new(&name, &path))
    });
    let names_model = match members.remove("names_model") {
        Some(value) => Node::new(&value, NAMES_MODEL).boolean()?,
        None => false,
    };
    let passes_uploads = match members.remove("uploads") {
        Some(value) => Node::new(&value, "redaction.uploads").choice(&[("trusted", false), ("pass", true)])?,
        None => false,
    };
    let policy = Policy::parse(&Value::Object(members).to_string(), path)?;
    let made = |policy: Policy| Redactor::new(policy).map(Arc::new);
    Ok(Redaction {
        secret: secret.transpose()?,
        names_model,
        passes_uploads,
        trusted: any_trusted.then(|| made(for_trusted(&policy))).transpose()?,
        labels: made(for_labels(&policy))?,
        usual: made(policy)?,
    })
}

/// The policy with another action wherever `change` gives one.
fn changed(policy: &Policy, change: impl Fn(Action, bool) -> Action) -> Policy {
    let actions = Entity::ALL.iter().map(|entity| {
        let action = policy.action(*entity);
        (*entity, change(action, *entity == Entity::Secret))
    });
    let mut changed = Policy { actions: actions.collect(), hint: false, answers: Answers::Keep, ..policy.clone() };
    for rule in &mut changed.rules {
        rule.action = change(rule.action, false);
    }
    changed
}

/// Who is trusted reads everything but secrets, which no model needs.
fn for_trusted(policy: &Policy) -> Policy {
    changed(policy, |action, is_secret| if is_secret || action == Action::Block { action } else { Action::Keep })
}

/// Whatever is hidden is hidden for good.
fn for_labels(policy: &Policy) -> Policy {
    let labels = changed(policy, |action, _| match action {
        Action::Token | Action::Block | Action::LocalOnly => Action::Label,
        action => action,
    });
    Policy { mode: Mode::Irreversible, ..labels }
}

/// A call whose private data is hidden.
#[derive(Debug)]
pub struct Covered {
    /// The request as its upstreams get it.
    pub request: Request,
    /// Where it may go.
    pub plan: Plan,
    /// What gives back in its answer what was hidden.
    pub cover: Cover,
}

/// What one call needs for its answer: the map of its tokens, which is wiped with it.
pub struct Cover {
    redaction: Redaction,
    redactor: Arc<Redactor>,
    session: Session,
    /// What the answer's text is.
    sink: Sink,
    stream: Option<AnswerStream>,
    tally: Tally,
}

impl fmt::Debug for Cover {
    /// Nothing of the map.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cover").field("changes", &self.stream.is_some()).field("tally", &self.tally).finish()
    }
}

impl Cover {
    /// Whether the answer differs from what the upstream sends. If not, its bytes pass as they are.
    pub fn changes_answer(&self) -> bool {
        self.stream.is_some()
    }

    /// Whether there is something to give back: only this very call can, since its map is kept nowhere.
    pub fn gives_back(&self) -> bool {
        !self.session.is_empty()
    }

    /// The next bytes of a streamed answer; what may be handed on is appended to `out`.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        match &mut self.stream {
            Some(stream) => stream.push(&self.redactor, &mut self.session, bytes, out, &mut self.tally),
            None => out.extend_from_slice(bytes),
        }
    }

    /// A streamed answer is over, however: what is held back is appended to `out`.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        if let Some(stream) = &mut self.stream {
            stream.finish(&self.redactor, &mut self.session, out, &mut self.tally);
        }
    }

    /// A whole answer.
    pub fn whole(&mut self, body: &[u8]) -> Vec<u8> {
        match &self.stream {
            Some(_) => {
                let body = String::from_utf8_lossy(body);
                wire::whole_with(&self.redactor, &mut self.session, self.sink, &body, &mut self.tally).into_bytes()
            }
            None => body.to_vec(),
        }
    }

    /// The redaction that it comes from.
    pub fn redaction(&self) -> &Redaction {
        &self.redaction
    }

    /// What was done to the answer so far, without a word of it.
    pub fn tally(&self) -> &Tally {
        &self.tally
    }
}

impl Config {
    /// What is hidden of requests and answers; `None`: nothing.
    pub fn redaction(&self) -> Option<&Redaction> {
        self.redaction.as_ref()
    }

    /// Reads a call's body with its private data hidden, and plans the call. `key` keys the tokens: the same for all requests of one
    /// caller, so that the same prompt stays the same for an upstream's cache. `seed` is as for [`Config::plan`]. What was found is added
    /// to `tally`, also if the call is refused.
    ///
    /// A call that only trusted upstreams can get keeps all but its secrets. One that might go to another as well is masked for all of
    /// them: an answer that one begins and the other ends is about one text.
    ///
    /// Errors: those of [`Request::parse`] and [`Config::plan`]; `private_data` if the policy blocks something in it; `local_only` if
    /// something in it is for trusted upstreams and none serves the model; `redaction_failed` if it could not be masked.
    pub fn cover(
        &self,
        redaction: &Redaction,
        key: &[u8; 32],
        endpoint: Endpoint,
        body: &[u8],
        seed: u64,
        tally: &mut Tally,
    ) -> Result<Covered, Error> {
        let limits = self.limits();
        let Ok(text) = core::str::from_utf8(body) else {
            return Err(Request::parse(endpoint, body, &limits).err().unwrap_or_else(failed));
        };
        let parse = |masked: &MaskedBody| parse(endpoint, masked, text, &limits);
        self.cover_text(redaction, key, endpoint, text, seed, tally, &parse, true)
    }

    /// As [`Config::cover`], of a form with a recording: its fields are masked. The recording cannot be searched: unless the policy has
    /// `uploads: "pass"`, only trusted upstreams get it.
    ///
    /// Errors: as there; `local_only` if no trusted upstream serves the model.
    #[allow(clippy::too_many_arguments)] // The same as for other bodies, and the form's type.
    pub fn cover_form(
        &self,
        redaction: &Redaction,
        key: &[u8; 32],
        endpoint: Endpoint,
        content_type: &str,
        body: &[u8],
        seed: u64,
        tally: &mut Tally,
    ) -> Result<Covered, Error> {
        let limits = self.limits();
        let form = Form::read(content_type, body, &limits)?;
        let text = form.to_json();
        let parse = |masked: &MaskedBody| {
            let form = if masked.changed { form.clone().with_json(&masked.text)? } else { form.clone() };
            Request::of_form(endpoint, form, &limits)
        };
        self.cover_text(redaction, key, endpoint, &text, seed, tally, &parse, redaction.passes_uploads)
    }

    /// `searched`: nothing of the body is hidden from the search for private data.
    #[allow(clippy::too_many_arguments)] // What the two ways in have in common.
    fn cover_text(
        &self,
        redaction: &Redaction,
        key: &[u8; 32],
        endpoint: Endpoint,
        text: &str,
        seed: u64,
        tally: &mut Tally,
        parse: &dyn Fn(&MaskedBody) -> Result<Request, Error>,
        searched: bool,
    ) -> Result<Covered, Error> {
        let limits = self.limits();
        let mut redactor = &redaction.usual;
        let mut session = Session::new(key);
        let masked = mask(redactor, &mut session, endpoint, text, &limits, tally)?;
        let mut request = parse(&masked)?;
        let mut plan = self.plan(&request, seed)?;
        let is_trusted = |route: &_| self.upstream_of(route).is_some_and(|upstream| upstream.trusted);
        if masked.local_only || !searched {
            plan.routes.retain(is_trusted);
            let refused = || if searched { local_only() } else { unsearched() };
            plan.total = plan.routes.first().ok_or_else(refused)?.budgets.total;
        }
        if let Some(trusted) = redaction.trusted.as_ref().filter(|_| plan.routes.iter().all(is_trusted)) {
            redactor = trusted;
            session = Session::new(key);
            *tally = Tally::default();
            let masked = mask(redactor, &mut session, endpoint, text, &limits, tally)?;
            request = parse(&masked)?;
        }
        let sink = match request.endpoint().is_completion() {
            true if request.wants_json() => Sink::Json,
            true => Sink::Text,
            // Responses say it elsewhere.
            false => body::answer_sink(text),
        };
        let stream = wire::needs(redactor, &session).then(|| AnswerStream::with_limit(limits.event).with_text(sink));
        let (redaction, redactor) = (redaction.clone(), redactor.clone());
        let cover = Cover { redaction, redactor, session, sink, stream, tally: Tally::default() };
        Ok(Covered { request, plan, cover })
    }
}

/// Masks a body. What is not about the request is our failure, and nothing goes out then.
fn mask(
    redactor: &Redactor,
    session: &mut Session,
    endpoint: Endpoint,
    text: &str,
    limits: &Limits,
    tally: &mut Tally,
) -> Result<MaskedBody, Error> {
    let format = if endpoint == Endpoint::Messages { Format::Messages } else { Format::Json };
    body::mask(redactor, session, format, text, limits, tally).map_err(|error| match error.kind() {
        ErrorKind::PrivateData | ErrorKind::InvalidRequest | ErrorKind::PayloadTooLarge => error,
        _ => failed(),
    })
}

/// Reads what was masked of `text`.
fn parse(endpoint: Endpoint, masked: &MaskedBody, text: &str, limits: &Limits) -> Result<Request, Error> {
    let longer = Limits { request_body: limits.request_body.saturating_mul(LONGER), ..*limits };
    let allowed = if masked.changed { &longer } else { limits };
    Request::parse(endpoint, masked.text.as_bytes(), allowed).map_err(|error| {
        // A fault that only the masked text has is ours.
        let is_ours = masked.changed && Request::parse(endpoint, text.as_bytes(), limits).is_ok();
        if is_ours { failed() } else { error }
    })
}

fn failed() -> Error {
    Error::new(ErrorKind::RedactionFailed, "What is private in the request could not be hidden; nothing was sent.")
}

fn local_only() -> Error {
    let message = "Something in the request is for trusted upstreams only, and none serves this model.";
    Error::new(ErrorKind::LocalOnly, message)
}

fn unsearched() -> Error {
    let message =
        "A recording cannot be searched for private data, and no upstream that serves this model is trusted with it.";
    Error::new(ErrorKind::LocalOnly, message).with_param("file")
}
