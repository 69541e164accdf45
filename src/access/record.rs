//! What is known of a key: whose it is, what it is for, how far it goes. Never the key itself.

use super::address::Network;
use super::role::{Operation, Role};
use crate::config::read::{Node, Object};
use crate::error::{Error, ErrorKind};
use crate::quota::Limits;
use serde_json::{Map, Value};

/// What an administrator sets of a key.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What its owner calls it.
    pub name: String,
    /// Whose it is: a person, a team, an app.
    pub owner: String,
    /// What it is for.
    pub role: Role,
    /// The models that it may ask, a `*` at the end standing for any rest; `None`: all.
    pub models: Option<Vec<String>>,
    /// The endpoints that it may use; `None`: all of its role's.
    pub endpoints: Option<Vec<Operation>>,
    /// Where it counts; `None`: everywhere.
    pub ips: Option<Vec<Network>>,
    /// Whether tokens in the guides' form count: longer, without audience, and good for more than one use.
    pub guide_compatible: bool,
    /// How long the tokens are good for that it is exchanged for, in seconds; `None`: as the configuration says.
    pub token_ttl_s: Option<u64>,
    /// When it ends, in unix seconds.
    pub expires_at: Option<u64>,
    /// How much it may use, where that is not as the configuration has it for all.
    pub limits: Limits,
    /// The settings as JSON, as they are stored and shown.
    json: Map<String, Value>,
}

/// The longest life of a token, in seconds: a day, as the guides have it.
pub const LONGEST_TOKEN: u64 = 86_400;

/// Unix seconds up to the year 9999.
const LAST_SECOND: u64 = 253_402_300_799;

/// The fields of [`Settings`].
pub const FIELDS: [&str; 11] = [
    "name",
    "owner",
    "role",
    "models",
    "endpoints",
    "ips",
    "guide_compatible",
    "token_ttl_s",
    "limits",
    "metadata",
    "expires_at",
];

impl Settings {
    /// Reads the fields of an object, each of which may be null, which is the same as not being there.
    pub(crate) fn read(fields: &Object<'_>) -> Result<Settings, Error> {
        let text = |name, most: usize| {
            fields.present(name, |node| {
                let what = "a text without control characters, of a bounded length";
                let text = node.string(what)?;
                let is_plain = text.chars().count() <= most && !text.chars().any(char::is_control);
                if is_plain { Ok(text.to_owned()) } else { Err(node.expected(what)) }
            })
        };
        let role = fields.present("role", |node| {
            let what = "administrator, developer or auditor";
            Role::of_key(node.string(what)?).ok_or_else(|| node.expected(what))
        })?;
        let models = fields.present("models", |node| {
            node.items(200, |item| {
                let what = "a model id of at most 256 visible ASCII characters; a * only at its end";
                let text = item.string(what)?;
                let id = text.strip_suffix('*').unwrap_or(text);
                let is_id = text.len() <= 256 && id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'*');
                if is_id && !text.is_empty() { Ok(text.to_owned()) } else { Err(item.expected(what)) }
            })
        })?;
        let endpoints = fields.present("endpoints", |node| {
            node.items(Operation::ALL.len(), |item| {
                let what = "the name of an endpoint, as GET /admin/roles lists those of inference";
                let operation = Operation::of_name(item.string(what)?).filter(|operation| operation.is_inference());
                operation.ok_or_else(|| item.expected(what))
            })
        })?;
        let ips = fields.present("ips", |node| {
            node.items(64, |item| {
                let what =
                    "an address or a range like 203.0.113.0/24 or 2001:db8::/32, with no bits set behind its length";
                Network::parse(item.string(what)?).ok_or_else(|| item.expected(what))
            })
        })?;
        fields.present("metadata", metadata)?;
        Ok(Settings {
            name: text("name", 100)?.unwrap_or_default(),
            owner: text("owner", 200)?.unwrap_or_default(),
            role: role.unwrap_or(Role::Developer),
            models,
            endpoints,
            ips,
            guide_compatible: fields.present("guide_compatible", |node| node.boolean())?.unwrap_or(false),
            token_ttl_s: fields.present("token_ttl_s", |node| node.number(10, LONGEST_TOKEN, "seconds"))?,
            expires_at: fields.present("expires_at", |node| node.number(1, LAST_SECOND, "unix seconds"))?,
            limits: fields.present("limits", |node| node.text_of(Limits::from_json))?.unwrap_or_default(),
            json: FIELDS.iter().filter_map(|name| Some(((*name).to_owned(), fields.member(name)?.clone()))).collect(),
        })
    }

    /// Reads settings from a request's body or from the store. `current` are those that the text is a merge patch of (RFC 7396), so that
    /// null takes a setting back.
    ///
    /// Errors: `invalid_request` with the field's path.
    pub fn parse(text: &str, current: Option<&Settings>) -> Result<Settings, Error> {
        let fault = || Error::new(ErrorKind::InvalidRequest, "Expected a JSON object.");
        let Ok(sent @ Value::Object(_)) = serde_json::from_str::<Value>(text) else { return Err(fault()) };
        let mut value = Value::Object(current.map(|settings| settings.json.clone()).unwrap_or_default());
        merge(&mut value, sent, 3);
        let read = |node: Node<'_>| Settings::read(&node.object(&FIELDS)?);
        read(Node::new(&value, "")).map_err(|error| of_request(&error))
    }

    /// Whether a model may be asked.
    pub fn allows_model(&self, model: &str) -> bool {
        let fits = |pattern: &String| match pattern.strip_suffix('*') {
            Some(prefix) => model.starts_with(prefix),
            None => pattern == model,
        };
        self.models.as_ref().is_none_or(|models| models.iter().any(fits))
    }

    /// The settings as they are stored.
    pub fn to_json(&self) -> String {
        Value::Object(self.json.clone()).to_string()
    }

    /// The settings of whoever sends no credential, or of the first administrator.
    pub(crate) fn of_role(role: Role, name: &str) -> Settings {
        Settings {
            name: name.to_owned(),
            owner: String::new(),
            role,
            models: None,
            endpoints: None,
            ips: None,
            guide_compatible: false,
            token_ttl_s: None,
            expires_at: None,
            limits: Limits::default(),
            json: Map::new(),
        }
    }
}

/// Merges a patch, as deep as settings go; below, what is sent takes the place of what was.
fn merge(into: &mut Value, patch: Value, depth: u32) {
    match (into, patch) {
        (Value::Object(into), Value::Object(patch)) if depth > 0 => {
            for (name, value) in patch {
                if value.is_null() {
                    into.remove(&name);
                } else {
                    merge(into.entry(name).or_insert(Value::Null), value, depth - 1);
                }
            }
        }
        (into, patch) => *into = patch,
    }
}

/// The same fault, made by a request and not by the configuration.
fn of_request(error: &Error) -> Error {
    let message = error.message().to_owned();
    Error::new(ErrorKind::InvalidRequest, message).with_param(error.param().unwrap_or_default())
}

fn metadata(node: Node<'_>) -> Result<(), Error> {
    let what = "an object of at most 16 texts: names of up to 64 characters, values of up to 512";
    let members = node.members()?;
    let fits = |(name, value): (&String, &Value)| {
        name.chars().count() <= 64 && value.as_str().is_some_and(|value| value.chars().count() <= 512)
    };
    if members.len() <= 16 && members.iter().all(fits) { Ok(()) } else { Err(node.expected(what)) }
}

/// A key as the gate knows it.
#[derive(Clone, Debug)]
pub struct KeyRecord {
    /// The public id.
    pub id: String,
    /// What its administrator set.
    pub settings: Settings,
    /// The first characters of the key.
    pub prefix: String,
    /// The last four.
    pub last4: String,
    /// When it was made, in unix seconds.
    pub created_at: u64,
    /// Whether it does not count.
    pub disabled: bool,
    /// How often its secret was made anew; the secret is derived from it.
    pub version: u64,
    /// Until when the secret of the version before counts, in unix seconds.
    pub previous_until: u64,
    /// Tokens that were made before do not count, in unix seconds.
    pub tokens_from: u64,
    /// The ids of tokens that were withdrawn before their end.
    pub revoked: Vec<String>,
    /// The name of the secret that signs its assertions, if it is one of the configuration's.
    pub secret: Option<String>,
    /// Of the version before this one: when it is over with it, in unix seconds.
    pub lapses_at: Option<u64>,
}

impl KeyRecord {
    /// A key that is in no store.
    pub(crate) fn fixed(id: &str, settings: Settings) -> KeyRecord {
        KeyRecord {
            id: id.to_owned(),
            settings,
            prefix: String::new(),
            last4: String::new(),
            created_at: 0,
            disabled: false,
            version: 1,
            previous_until: 0,
            tokens_from: 0,
            revoked: Vec::new(),
            secret: None,
            lapses_at: None,
        }
    }

    /// The version before: who shows its key or its secret has no more than that, and no longer.
    #[must_use]
    pub(crate) fn before(self) -> KeyRecord {
        let (version, lapses_at) = (self.version.saturating_sub(1), Some(self.previous_until));
        KeyRecord { version, lapses_at, previous_until: 0, ..self }
    }

    /// Whether it is one of the configuration's, of which the store knows nothing but withdrawn tokens.
    pub fn is_fixed(&self) -> bool {
        self.prefix.is_empty()
    }

    /// A record of the withdrawn tokens of such a key, as a JSON array of their ids.
    pub fn withdrawn(id: &str, revoked: &str) -> KeyRecord {
        let revoked = serde_json::from_str(revoked).unwrap_or_default();
        KeyRecord { revoked, ..KeyRecord::fixed(id, Settings::of_role(Role::Developer, "")) }
    }

    /// Whether tokens that were made for this version of the key count: those of the one before do for as long as its key does.
    pub(crate) fn takes_version(&self, version: u64, now_s: u64) -> bool {
        version == self.version || (version.checked_add(1) == Some(self.version) && now_s < self.previous_until)
    }

    /// Reads a row of the store, as JSON; `None` if it is none.
    pub fn from_row(text: &str) -> Option<KeyRecord> {
        let row: Value = serde_json::from_str(text).ok()?;
        let text = |name: &str| row.get(name).and_then(Value::as_str);
        let number = |name: &str| row.get(name).and_then(Value::as_u64).unwrap_or(0);
        let revoked: Vec<String> = serde_json::from_str(text("revoked").unwrap_or("[]")).ok()?;
        let record = KeyRecord {
            id: text("id")?.to_owned(),
            settings: Settings::parse(text("settings")?, None).ok()?,
            prefix: text("prefix")?.to_owned(),
            last4: text("last4")?.to_owned(),
            created_at: number("created_at"),
            disabled: number("disabled") != 0,
            version: number("version"),
            previous_until: number("previous_until"),
            tokens_from: number("tokens_from"),
            revoked,
            secret: None,
            lapses_at: None,
        };
        Some(if number("is_previous") == 0 { record } else { record.before() })
    }

    /// The key as it is shown to those who may see keys. What its `key` and `secret` are, nobody can be shown a second time.
    pub fn shown(&self) -> Map<String, Value> {
        let settings = &self.settings;
        let of = |name: &str| settings.json.get(name).cloned().unwrap_or(Value::Null);
        let mut shown = Map::new();
        let mut put = |name: &str, value: Value| shown.insert(name.to_owned(), value);
        put("object", "key".into());
        put("id", self.id.clone().into());
        put("prefix", self.prefix.clone().into());
        put("last4", self.last4.clone().into());
        put("created_at", self.created_at.into());
        put("disabled", self.disabled.into());
        put("version", self.version.into());
        if self.is_fixed() {
            put("fixed", true.into());
        }
        for name in FIELDS {
            put(name, of(name));
        }
        put("name", settings.name.clone().into());
        put("owner", settings.owner.clone().into());
        put("role", settings.role.as_str().into());
        put("guide_compatible", settings.guide_compatible.into());
        for (name, empty) in [("limits", Value::Object(Map::new())), ("metadata", Value::Object(Map::new()))] {
            if shown.get(name).is_none_or(Value::is_null) {
                shown.insert(name.to_owned(), empty);
            }
        }
        shown
    }
}
