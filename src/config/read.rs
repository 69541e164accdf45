//! Reading a JSON value by hand, so that every error names the path of the fault and unknown fields are faults.

use crate::error::{Error, ErrorKind};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// A `misconfigured` error at `path`. The message says what was expected, never what was there: it may be a secret that
/// was pasted into the wrong place.
pub(crate) fn fault(path: impl Into<String>, message: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Misconfigured, message).with_param(path)
}

pub(crate) fn expected(path: impl Into<String>, what: &str) -> Error {
    fault(path, format!("Expected {what}."))
}

/// A value and where it stands.
#[derive(Clone, Copy)]
pub(crate) struct Node<'a> {
    value: &'a Value,
    path: &'a str,
}

impl<'a> Node<'a> {
    pub(crate) fn new(value: &'a Value, path: &'a str) -> Self {
        Node { value, path }
    }

    pub(crate) fn path(&self) -> &'a str {
        self.path
    }

    pub(crate) fn is_string(&self) -> bool {
        self.value.is_string()
    }

    pub(crate) fn is_object(&self) -> bool {
        self.value.is_object()
    }

    pub(crate) fn expected(&self, what: &str) -> Error {
        expected(self.path, what)
    }

    pub(crate) fn string(&self, what: &str) -> Result<&'a str, Error> {
        self.value.as_str().ok_or_else(|| self.expected(what))
    }

    pub(crate) fn boolean(&self) -> Result<bool, Error> {
        self.value.as_bool().ok_or_else(|| self.expected("true or false"))
    }

    /// A whole number between the bounds, which are part of the message.
    pub(crate) fn number(&self, least: u64, most: u64, unit: &str) -> Result<u64, Error> {
        match self.value.as_u64() {
            Some(number) if (least..=most).contains(&number) => Ok(number),
            _ => Err(self.expected(&format!("a whole number of {unit} from {least} to {most}"))),
        }
    }

    /// As [`Node::number`], for numbers that are small.
    pub(crate) fn small(&self, least: u32, most: u32, unit: &str) -> Result<u32, Error> {
        let number = self.number(u64::from(least), u64::from(most), unit)?;
        Ok(u32::try_from(number).unwrap_or(most))
    }

    /// What `read` makes of an object; `off` for `false`.
    pub(crate) fn unless_off<T>(self, off: T, read: impl FnOnce(Self) -> Result<T, Error>) -> Result<T, Error> {
        match self.value {
            Value::Bool(false) => Ok(off),
            Value::Object(_) => read(self),
            _ => Err(self.expected("an object, or false")),
        }
    }

    /// What another reader makes of the value's JSON; its faults are the configuration's.
    pub(crate) fn text_of<T>(&self, read: impl FnOnce(&str, &str) -> Result<T, Error>) -> Result<T, Error> {
        read(&self.value.to_string(), self.path)
            .map_err(|error| fault(error.param().unwrap_or(self.path), error.message().to_owned()))
    }

    /// One of `names`, by name.
    pub(crate) fn choice<T: Copy>(&self, names: &[(&str, T)]) -> Result<T, Error> {
        let chosen = self.value.as_str().and_then(|value| names.iter().find(|(name, _)| *name == value));
        chosen.map(|(_, choice)| *choice).ok_or_else(|| {
            let names: Vec<_> = names.iter().map(|(name, _)| format!("\"{name}\"")).collect();
            self.expected(&format!("one of {}", names.join(", ")))
        })
    }

    /// The members of an object that has no others than `fields`.
    pub(crate) fn object(&self, fields: &'static [&'static str]) -> Result<Object<'a>, Error> {
        let members = self.members()?;
        for key in members.keys() {
            if !fields.contains(&key.as_str()) {
                let message = format!("Unknown field; the fields here are {}.", fields.join(", "));
                return Err(fault(join(self.path, key), message));
            }
        }
        Ok(Object { members, path: self.path })
    }

    pub(crate) fn members(&self) -> Result<&'a Map<String, Value>, Error> {
        self.value.as_object().ok_or_else(|| self.expected("an object"))
    }

    /// Reads the items of an array of at most `most`, each with its path.
    pub(crate) fn items<T>(
        &self,
        most: usize,
        mut read: impl FnMut(Node<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        let items = match self.value.as_array() {
            Some(items) if items.len() <= most => items,
            _ => return Err(self.expected(&format!("an array of at most {most} items"))),
        };
        let mut list = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            list.push(read(Node::new(item, &format!("{}[{index}]", self.path)))?);
        }
        Ok(list)
    }
}

/// The members of an object whose names have been checked.
pub(crate) struct Object<'a> {
    members: &'a Map<String, Value>,
    path: &'a str,
}

impl Object<'_> {
    /// Reads a member; `None` where it is absent.
    pub(crate) fn optional<T>(
        &self,
        name: &str,
        read: impl FnOnce(Node<'_>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        match self.members.get(name) {
            Some(value) => read(Node::new(value, &join(self.path, name))).map(Some),
            None => Ok(None),
        }
    }

    /// Reads a member; `None` where it is absent or null.
    pub(crate) fn present<T>(
        &self,
        name: &str,
        read: impl FnOnce(Node<'_>) -> Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        match self.member(name) {
            Some(Value::Null) | None => Ok(None),
            Some(_) => self.optional(name, read),
        }
    }

    /// A member as it is.
    pub(crate) fn member(&self, name: &str) -> Option<&Value> {
        self.members.get(name)
    }

    /// Reads a member that must be there; `what` says what it is.
    pub(crate) fn required<T>(
        &self,
        name: &str,
        what: &str,
        read: impl FnOnce(Node<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.optional(name, read)?.ok_or_else(|| fault(join(self.path, name), format!("Required: {what}.")))
    }
}

/// `path.key`; keys that are not identifiers are shown as `*`, since they may be anything.
pub(crate) fn join(path: &str, key: &str) -> String {
    let key = crate::json::shown_key(key);
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
