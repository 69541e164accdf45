//! Who may use the gate: keys of the configuration's own, and what holds for those of the store.

use super::read::{Node, Object, fault};
use super::upstream;
use crate::access::{ANONYMOUS, BOOTSTRAP, Caller, FIELDS, KeyRecord, LONGEST_TOKEN, Role, Settings, key::from_hex};
use crate::error::Error;
use crate::quota::{Limits, Meter};
use std::sync::Arc;

/// Who may use the gate.
#[derive(Clone, Debug)]
pub struct Access {
    /// The configuration's own keys.
    pub keys: Vec<FixedKey>,
    /// Whoever sends no credential, if they may come in.
    pub anonymous: Option<Anonymous>,
    /// The name of the secret that tokens are signed with, and keys' secrets derived from.
    pub root: Option<String>,
    /// The name of the one before, whose tokens still count.
    pub previous_root: Option<String>,
    /// The name of the secret that is the first administrator's key.
    pub bootstrap: Option<String>,
    /// This gate's name for itself, which assertions must be made for; `None`: the origin that they are sent to.
    pub issuer: Option<String>,
    /// How long tokens are good for, in seconds.
    pub token_ttl_s: u64,
    /// What holds for keys that say nothing else of themselves.
    pub limits: Limits,
}

/// A key of the configuration.
#[derive(Clone, Debug)]
pub struct FixedKey {
    /// What is known of it.
    pub record: Arc<KeyRecord>,
    /// Its digest, or the name of the secret that it is.
    pub text: KeyText,
}

/// Where the text of a key of the configuration is known from.
#[derive(Clone, Debug)]
pub enum KeyText {
    /// Its SHA-256.
    Digest([u8; 32]),
    /// The secret of this name.
    Secret(String),
}

/// Whoever sends no credential.
#[derive(Clone, Debug)]
pub struct Anonymous {
    /// What stands for their key.
    pub record: Arc<KeyRecord>,
    /// What holds for each address.
    pub per_address: Limits,
    /// Whether a key that is none of this gate's counts as none, instead of being refused: for clients that insist on sending one.
    pub ignores: bool,
}

impl Access {
    /// At what a call is counted.
    pub fn meters(&self, caller: &Caller, model: &str, route: &str) -> Vec<Meter> {
        let own = &caller.key.settings.limits;
        let (Some(address), Some(anonymous)) = (caller.bucket(), &self.anonymous) else {
            return own.meters_over(&self.limits, model, route);
        };
        let mut meters = own.meters(model, route);
        for meter in anonymous.per_address.meters("", "") {
            meters.push(Meter::address(&address, meter.caps));
        }
        meters
    }
}

const KEY_FIELDS: [&str; 15] = {
    let mut fields = ["id", "sha256", "key", "secret", "", "", "", "", "", "", "", "", "", "", ""];
    let mut at = 0;
    while at < FIELDS.len() {
        #[allow(clippy::indexing_slicing, reason = "in a constant: out of bounds does not compile")]
        {
            fields[at + 4] = FIELDS[at];
        }
        at += 1;
    }
    fields
};

pub(super) fn read(node: Node<'_>) -> Result<Access, Error> {
    let fields =
        node.object(&["keys", "anonymous", "root", "previous_root", "bootstrap", "issuer", "token_ttl_s", "limits"])?;
    let keys = fields.optional("keys", |node| node.items(1_000, key))?.unwrap_or_default();
    for (at, key) in keys.iter().enumerate() {
        if keys.iter().take(at).any(|other| other.record.id == key.record.id) {
            return Err(fault(format!("access.keys[{at}].id"), "Another key has this id."));
        }
    }
    let anonymous =
        fields.optional("anonymous", |node| node.unless_off(None, |node| anonymous(node).map(Some)))?.flatten();
    Ok(Access {
        keys,
        anonymous,
        root: fields.optional("root", upstream::secret)?,
        previous_root: fields.optional("previous_root", upstream::secret)?,
        bootstrap: fields.optional("bootstrap", upstream::secret)?,
        issuer: fields.optional("issuer", issuer)?,
        token_ttl_s: fields
            .optional("token_ttl_s", |node| node.number(10, LONGEST_TOKEN, "seconds"))?
            .unwrap_or(LONGEST_TOKEN),
        limits: limits(&fields, "limits")?,
    })
}

fn key(node: Node<'_>) -> Result<FixedKey, Error> {
    let fields = node.object(&KEY_FIELDS)?;
    let id = fields.required("id", "a name for the key", |node| {
        let what = "a name of at most 64 letters, digits, _ and -";
        let id = node.string(what)?;
        let is_id = crate::access::is_id(id) && ![ANONYMOUS, BOOTSTRAP].contains(&id);
        if is_id { Ok(id.to_owned()) } else { Err(node.expected(what)) }
    })?;
    let digest = fields.optional("sha256", |node| {
        let what = "the key's SHA-256, in 64 hexadecimal digits of lower case";
        from_hex(node.string(what)?).ok_or_else(|| node.expected(what))
    })?;
    let text = match (digest, fields.optional("key", upstream::secret)?) {
        (Some(digest), None) => KeyText::Digest(digest),
        (None, Some(name)) => KeyText::Secret(name),
        _ => {
            let message = "Required: sha256, or key with the name of the secret that is the key; not both.";
            return Err(fault(format!("{}.sha256", node.path()), message));
        }
    };
    let mut record = KeyRecord::fixed(&id, Settings::read(&fields)?);
    record.secret = fields.optional("secret", upstream::secret)?;
    Ok(FixedKey { record: Arc::new(record), text })
}

fn anonymous(node: Node<'_>) -> Result<Anonymous, Error> {
    let fields = node.object(&["models", "endpoints", "ips", "limits", "per_address", "credentials"])?;
    let mut settings = Settings::read(&fields)?;
    settings.role = Role::Anonymous;
    settings.name = ANONYMOUS.to_owned();
    let record = Arc::new(KeyRecord::fixed(ANONYMOUS, settings));
    let ignores = fields.optional("credentials", |node| node.choice(&[("refuse", false), ("ignore", true)]))?;
    Ok(Anonymous { record, per_address: limits(&fields, "per_address")?, ignores: ignores.unwrap_or(false) })
}

fn limits(fields: &Object<'_>, name: &str) -> Result<Limits, Error> {
    Ok(fields.optional(name, |node| node.text_of(Limits::from_json))?.unwrap_or_default())
}

fn issuer(node: Node<'_>) -> Result<String, Error> {
    let what = "what tokens are made for: 1 to 200 visible ASCII characters, such as the gate's origin";
    let text = node.string(what)?;
    let is_plain = (1..=200).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if is_plain { Ok(text.to_owned()) } else { Err(node.expected(what)) }
}
