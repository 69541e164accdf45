//! Tokens for keys and assertions, their end, tickets for sockets, and the admin page's sessions.

use crate::answer::{Answers, JSON};
use crate::meter::Entry;
use crate::visit::Visit;
use crate::{access, admin, gate, js, store};
use serde_json::{Value, json};
use sluicegate::access::token::{Authority, Issued, Kind, LEEWAY_S, Subject};
use sluicegate::access::{
    Asserted, Caller, Identified, Judge, Operation, Presented, Query, Route, Token, Via, body, cookie_name, key,
    nothing, refused,
};
use sluicegate::config::{Access, Config};
use sluicegate::{Error, ErrorKind};
use std::rc::Rc;
use wasm_bindgen::JsValue;
use web_sys::Response;
use worker::Env;

/// How long the admin page stays signed in, in seconds: a working day.
const SESSION_S: u64 = 43_200;

/// One request in this many clears away what is past, in [`use_once`].
const CLEARS: f64 = 64.0;

/// What is asked for.
pub(crate) enum Asked {
    /// A token. Whose it is to be, the credential says, which is none that other routes take.
    Token,
    /// The end of a token.
    Revoke(Caller),
    /// A ticket for one socket.
    Ticket(Caller),
    /// Signing in to the admin page.
    SignIn,
    /// Signing out of it.
    SignOut(Caller),
    /// Who is signed in.
    Who(Caller),
}

impl Asked {
    /// What a route and a method ask for, if it is one of these.
    pub(crate) fn of(route: Route<'_>, method: &str, caller: Option<&Caller>) -> Option<Asked> {
        Some(match (route, caller.cloned()) {
            (Route::Token, _) => Asked::Token,
            (Route::Session, _) if method == "POST" => Asked::SignIn,
            (Route::Session, Some(caller)) if method == "DELETE" => Asked::SignOut(caller),
            (Route::Session, Some(caller)) => Asked::Who(caller),
            (Route::Revoke, Some(caller)) => Asked::Revoke(caller),
            (Route::Ticket, Some(caller)) => Asked::Ticket(caller),
            _ => return None,
        })
    }
}

/// One request to these endpoints.
pub(crate) struct Desk<'a> {
    pub(crate) visit: &'a Visit,
    pub(crate) env: &'a Env,
    pub(crate) config: &'a Rc<Config>,
    pub(crate) answers: &'a Answers,
}

/// A JSON document, or nothing, with what to do about the cookie.
struct Said {
    document: Option<Value>,
    cookie: Option<String>,
}

impl From<Value> for Said {
    fn from(document: Value) -> Self {
        Said { document: Some(document), cookie: None }
    }
}

impl Desk<'_> {
    /// The answer, and an error as one.
    pub(crate) async fn answer(&self, asked: Asked, entry: &mut Entry) -> Result<Response, JsValue> {
        let said = match asked {
            Asked::Token => self.token(entry).await,
            Asked::Revoke(caller) => self.revoke(&caller).await,
            Asked::Ticket(caller) => self.ticket(&caller),
            Asked::SignIn => self.sign_in(entry).await,
            Asked::SignOut(caller) => self.sign_out(&caller).await,
            Asked::Who(caller) => Ok(who(&caller, None).into()),
        };
        let Said { document, cookie } = match said {
            Ok(said) => said,
            Err(error) => {
                entry.refused(&error);
                return self.answers.error(&error, &[]);
            }
        };
        let mut headers = self.answers.headers(document.as_ref().map(|_| JSON));
        if let Some(cookie) = &cookie {
            headers.add("set-cookie", cookie);
        }
        match document {
            Some(document) => self.answers.send(200, &headers, &document.to_string().into()),
            None => self.answers.send(204, &headers, &JsValue::NULL),
        }
    }

    /// RFC 6749, section 4.4, with the credential where all others stand: a key, or an assertion.
    async fn token(&self, entry: &mut Entry) -> Result<Said, Error> {
        let access = self.access()?;
        let presented = access::presented(self.visit, self.config, Route::Token)?;
        let caller = self.judge(access, presented).await?;
        caller.authorise(Operation::Tokens, store::now_s())?;
        entry.caller = Some(caller.key.id.clone());
        let body = self.body().await?;
        if body::required(self.content_type(), &body, "grant_type")? != "client_credentials" {
            let message = "The only grant here is client_credentials.";
            return Err(Error::new(ErrorKind::InvalidRequest, message).with_param("grant_type"));
        }
        let now = store::now_s();
        // An assertion of the strict form counts once; the guides' have no id to know them by.
        if let Via::Token(assertion) = &caller.via
            && !caller.key.settings.guide_compatible
            && !use_once(self.env, &caller.key.id, &assertion.jti, assertion.expires_at + LEEWAY_S + 1).await?
        {
            return Err(refused());
        }
        let ttl = caller.key.settings.token_ttl_s.unwrap_or(access.token_ttl_s);
        let issued = self.issue(access, &caller, Kind::Access, ttl, None)?;
        Ok(json!({
            "access_token": issued.token,
            "token_type": "Bearer",
            "expires_in": issued.expires_at.saturating_sub(now),
            "scope": caller.key.settings.role.as_str(),
        })
        .into())
    }

    /// RFC 7009: what is no token of the caller's is over already, as far as they are told.
    async fn revoke(&self, caller: &Caller) -> Result<Said, Error> {
        let access = self.access()?;
        let body = self.body().await?;
        let text = body::required(self.content_type(), &body, "token")?;
        if key::is_shaped(&text) {
            let message = "This is a key, which an administrator disables at /admin/keys.";
            return Err(Error::new(ErrorKind::InvalidRequest, message).with_param("token"));
        }
        let authority = self.authority(access)?;
        let now = store::now_s();
        let verified = Kind::ALL.into_iter().find_map(|kind| match kind {
            Kind::Ticket => authority.verify_ticket(now, &text, self.visit.header("origin")).ok(),
            kind => authority.verify(now, kind, &text).ok(),
        });
        if let Some(verified) = verified
            && (verified.key_id == caller.key.id || caller.key.settings.role.may(Operation::KeysWrite))
        {
            withdraw(self.env, &verified.key_id, &verified.id, verified.expires_at).await?;
        }
        Ok(json!({}).into())
    }

    fn ticket(&self, caller: &Caller) -> Result<Said, Error> {
        let origin = self.visit.header("origin");
        let issued = self.issue(self.access()?, caller, Kind::Ticket, Kind::Ticket.longest_s(), origin)?;
        Ok(json!({
            "ticket": issued.token,
            "expires_in": issued.expires_at.saturating_sub(store::now_s()),
        })
        .into())
    }

    /// Only from the gate's own pages: nobody is signed in by a page of somebody else's.
    async fn sign_in(&self, entry: &mut Entry) -> Result<Said, Error> {
        let access = self.access()?;
        let is_own = self.visit.header("origin").is_none_or(|origin| origin == self.visit.origin())
            && self.visit.header("sec-fetch-site").is_none_or(|site| site == "same-origin");
        if !is_own {
            let message = "Sign in on the gate's own page.";
            return Err(Error::new(ErrorKind::Forbidden, message).with_param("origin"));
        }
        if !self.visit.is_secure() && !self.config.is_development() {
            return Err(Error::new(ErrorKind::Forbidden, "Sign in over https."));
        }
        self.visit.check_media()?;
        let body = self.body().await?;
        let text = body::required(self.content_type(), &body, "key")?;
        let caller = self.judge(access, Presented::Key(&text)).await?;
        caller.authorise(Operation::Session, store::now_s())?;
        entry.caller = Some(caller.key.id.clone());
        let issued = self.issue(access, &caller, Kind::Session, SESSION_S, None)?;
        let life = issued.expires_at.saturating_sub(store::now_s());
        let cookie = self.cookie(&issued.token, life);
        Ok(Said { document: Some(who(&caller, Some(issued.expires_at))), cookie: Some(cookie) })
    }

    async fn sign_out(&self, caller: &Caller) -> Result<Said, Error> {
        if let Via::Session(session) = &caller.via {
            match withdraw(self.env, &caller.key.id, &session.jti, session.expires_at).await {
                // Without a store the cookie goes, and what was in it ends by itself.
                Err(error) if error.kind() == ErrorKind::NotSupported => {}
                withdrawn => withdrawn?,
            }
        }
        Ok(Said { document: None, cookie: Some(self.cookie("", 0)) })
    }

    /// Scripts cannot read it, and no other site's page makes the browser send it.
    fn cookie(&self, token: &str, life_s: u64) -> String {
        let is_secure = self.visit.is_secure();
        let (name, secure) = (cookie_name(is_secure), if is_secure { "; Secure" } else { "" });
        format!("{name}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={life_s}{secure}")
    }

    /// Whose a credential is: a key, or an assertion, the store being asked as often as it takes.
    async fn judge(&self, access: &Access, presented: Presented<'_>) -> Result<Caller, Error> {
        let secrets = access::secrets(self.env, self.config, access)?;
        for _ in 0..crate::QUESTIONS {
            let query = {
                let mut known = |query: &Query| store::known(self.env, query);
                let mut judge = Judge {
                    access,
                    secrets: &secrets,
                    known: &mut known,
                    now_s: store::now_s(),
                    address: access::address(self.visit, self.config),
                    own: self.visit.origin(),
                    origin: self.visit.header("origin"),
                };
                let address = judge.address;
                match presented {
                    Presented::Key(_) => match judge.identify(presented)? {
                        Identified::Caller(caller) => return Ok(caller),
                        Identified::Ask(query) => query,
                    },
                    // A token of the gate's is none: who has one cannot make it last longer.
                    Presented::Token(text) => match judge.assertion(text)? {
                        Asserted::By(key, assertion) => {
                            let (issued_at, expires_at) = (assertion.issued_at, assertion.expires_at);
                            let token = Token { jti: assertion.id.unwrap_or_default(), issued_at, expires_at };
                            return Ok(Caller { key, via: Via::Token(token), address });
                        }
                        Asserted::Ask(query) => query,
                    },
                    Presented::Nothing => return Err(nothing()),
                    Presented::Session(_) | Presented::Ticket(_) => return Err(refused()),
                }
            };
            store::look_up(self.env, &query).await?;
        }
        Err(refused())
    }

    /// A token that does not outlive its key.
    fn issue(
        &self,
        access: &Access,
        caller: &Caller,
        kind: Kind,
        ttl_s: u64,
        origin: Option<&str>,
    ) -> Result<Issued, Error> {
        let now = store::now_s();
        let ends = [caller.key.settings.expires_at, caller.key.lapses_at];
        let rest = ends.into_iter().flatten().min().map_or(u64::MAX, |end| end.saturating_sub(now));
        let subject = Subject { key_id: &caller.key.id, version: caller.key.version, origin };
        let random: [u8; 16] = js::random_bytes(16)
            .try_into()
            .map_err(|_| Error::new(ErrorKind::Internal, "The platform gave no random numbers."))?;
        let issued = self.authority(access)?.issue(now, kind, &subject, ttl_s.min(rest), &random);
        issued.ok_or_else(|| Error::new(ErrorKind::InvalidRequest, "The origin is too long.").with_param("origin"))
    }

    fn access(&self) -> Result<&Access, Error> {
        let missing = || Error::new(ErrorKind::NotFound, "There is nothing at this path.");
        self.config.access().ok_or_else(missing)
    }

    fn authority(&self, access: &Access) -> Result<Authority, Error> {
        let secrets = access::secrets(self.env, self.config, access)?;
        secrets.authority.clone().ok_or_else(|| {
            let message = "This gate makes no tokens: its configuration names no root secret.";
            Error::new(ErrorKind::NotSupported, message).with_param("access.root")
        })
    }

    fn content_type(&self) -> Option<&str> {
        self.visit.header("content-type")
    }

    async fn body(&self) -> Result<Vec<u8>, Error> {
        if self.visit.header("content-encoding").is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
            let message = "Compressed bodies are not taken.";
            return Err(Error::new(ErrorKind::UnsupportedMediaType, message).with_param("content-encoding"));
        }
        admin::read_body(self.visit.request(), body::BODY, self.config.body_time()).await
    }
}

/// Who is signed in, and what they may do.
fn who(caller: &Caller, until: Option<u64>) -> Value {
    let now = store::now_s();
    let of_token = match &caller.via {
        Via::Token(token) | Via::Session(token) | Via::Ticket(token) => Some(token.expires_at),
        Via::Key | Via::Nothing | Via::Ignored => caller.key.settings.expires_at,
    };
    let may = |operation: &&Operation| caller.authorise(**operation, now).is_ok();
    let operations: Vec<&str> = Operation::ALL.iter().filter(may).map(|operation| operation.as_str()).collect();
    json!({
        "key_id": caller.key.id,
        "name": caller.key.settings.name,
        "role": caller.key.settings.role.as_str(),
        "operations": operations,
        "expires_at": until.or(of_token),
    })
}

/// Whether an assertion or a ticket is used for the first time; one statement, so that of many at once one is the first.
///
/// Errors: `not_supported` without a store, which alone can tell; `overloaded` if it does not answer.
pub(crate) async fn use_once(env: &Env, key_id: &str, jti: &str, forget_at: u64) -> Result<bool, Error> {
    const USE: &str = "INSERT INTO used_tokens (jti, key_id, expires_at) VALUES (?1, ?2, ?3) \
        ON CONFLICT DO NOTHING RETURNING jti";
    let first = store::all(env, USE, &json!([jti, key_id, forget_at])).await?;
    if js::random() * CLEARS < 1.0 {
        let past = json!([store::now_s()]);
        store::all(env, "DELETE FROM used_tokens WHERE expires_at <= ?1", &past).await?;
        store::all(env, "DELETE FROM revoked_tokens WHERE expires_at <= ?1", &past).await?;
    }
    Ok(!first.is_empty())
}

/// Ends a token before its time. Over [`store::REVOKED`] of one key, all of them end that were made so far.
///
/// Errors: `not_supported` without a store; `overloaded` if it does not answer.
async fn withdraw(env: &Env, key_id: &str, jti: &str, expires_at: u64) -> Result<(), Error> {
    if gate::binding(env, store::BINDING).is_none() {
        return Err(store::missing());
    }
    const WITHDRAW: &str = "INSERT INTO revoked_tokens (jti, key_id, expires_at) VALUES (?1, ?2, ?3) \
        ON CONFLICT DO NOTHING RETURNING (SELECT count(*) FROM revoked_tokens WHERE key_id = ?2 AND expires_at > ?4) AS others";
    let now = store::now_s();
    let rows = store::all(env, WITHDRAW, &json!([jti, key_id, expires_at, now])).await?;
    let others = rows.first().and_then(|row| row.get("others")).and_then(Value::as_u64).unwrap_or(0);
    if others >= store::REVOKED {
        const ALL: &str = "UPDATE keys SET tokens_from = ?2 WHERE id = ?1";
        store::all(env, ALL, &json!([key_id, now + 1])).await?;
        store::all(env, "DELETE FROM revoked_tokens WHERE key_id = ?1", &json!([key_id])).await?;
    }
    store::forget(key_id);
    Ok(())
}
