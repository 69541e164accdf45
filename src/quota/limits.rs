//! The limits of a key as they are configured: of the whole key, of models and of routes.

use super::decimal::{decimal, micros};
use super::unit::{Measure, Unit};
use crate::access::Operation;
use crate::error::{Error, ErrorKind};
use crate::json::cursor::Cursor;
use crate::json::write::Object;
use crate::json::{number, shown_key};

/// Most models, and most routes, that one key has limits for.
const SUBS: usize = 64;
/// Longest name of one of them, in bytes.
const NAME_BYTES: usize = 256;

/// The limits of one meter: a number for each [`Unit`] that has one. Spend is in micro-units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Caps {
    caps: [Option<u64>; Unit::ALL.len()],
}

impl Caps {
    /// The limit, if there is one.
    pub fn get(&self, unit: Unit) -> Option<u64> {
        self.caps.get(unit as usize).copied().flatten()
    }

    /// Sets or clears it; at most [`Unit::most`].
    pub fn set(&mut self, unit: Unit, cap: Option<u64>) {
        if let Some(slot) = self.caps.get_mut(unit as usize) {
            *slot = cap.map(|cap| cap.min(unit.most()));
        }
    }

    /// Whether nothing is limited.
    pub fn is_empty(&self) -> bool {
        self.caps.iter().all(Option::is_none)
    }

    fn write(&self, json: &mut Object) {
        for unit in Unit::ALL {
            if let Some(cap) = self.get(unit) {
                let is_money = unit.measure() == Measure::Spend;
                json.raw(unit.name(), &if is_money { decimal(cap) } else { cap.to_string() });
            }
        }
    }
}

/// What one request is counted at: a meter of its key, by scope, and the limits that the meter has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meter {
    /// Empty for the whole key, else `model:NAME`, `route:NAME` or `address:RANGE`.
    pub scope: String,
    /// Its limits.
    pub caps: Caps,
}

impl Meter {
    /// Whether money is counted.
    pub fn counts_money(&self) -> bool {
        [Unit::SpendPerDay, Unit::SpendPerMonth].iter().any(|unit| self.caps.get(*unit).is_some())
    }

    /// Whether it matters how long a prompt and its answer are.
    pub fn counts_tokens(&self) -> bool {
        let is_counted =
            |unit: &Unit| matches!(unit.measure(), Measure::Tokens | Measure::Spend) && self.caps.get(*unit).is_some();
        Unit::ALL.iter().any(is_counted)
    }

    /// The meter of one address among callers who share a key, such as all who have none.
    pub fn address(range: &str, caps: Caps) -> Meter {
        Meter { scope: ["address:", range].concat(), caps }
    }
}

/// The limits of a key. Without members there are none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    caps: Caps,
    models: Vec<(String, Caps)>,
    routes: Vec<(String, Caps)>,
}

impl Limits {
    /// Reads the JSON of limits. Errors are `invalid_request`; `param` is the path of the field at fault, under `path` if that is not empty.
    /// `null` is no limit. Numbers of requests, tokens and streams are whole; spend may have six decimal places, finer ones are cut off.
    pub fn from_json(text: &str, path: &str) -> Result<Limits, Error> {
        let mut limits = Limits::default();
        members(text, path, |name, raw, at| match name {
            "models" => subs(raw, &at, is_model, MODEL).map(|subs| limits.models = subs),
            "routes" => subs(raw, &at, is_route, ROUTE).map(|subs| limits.routes = subs),
            _ => cap(&mut limits.caps, name, raw, at),
        })?;
        Ok(limits)
    }

    /// The JSON that [`Limits::from_json`] reads, without what is not limited.
    pub fn to_json(&self) -> String {
        let mut json = Object::new();
        self.caps.write(&mut json);
        for (name, subs) in [("models", &self.models), ("routes", &self.routes)] {
            if !subs.is_empty() {
                let mut members = Object::new();
                for (name, caps) in subs {
                    let mut sub = Object::new();
                    caps.write(&mut sub);
                    members.raw_named(name, &sub.finish());
                }
                json.raw(name, &members.finish());
            }
        }
        json.finish()
    }

    /// The limits of the whole key.
    pub fn caps(&self) -> &Caps {
        &self.caps
    }

    /// Whether nothing is limited.
    pub fn is_empty(&self) -> bool {
        self.caps.is_empty()
            && [&self.models, &self.routes].iter().all(|subs| subs.iter().all(|(_, sub)| sub.is_empty()))
    }

    /// The meters of a request where what these limits leave open is as in `defaults`.
    pub fn meters_over(&self, defaults: &Limits, model: &str, route: &str) -> Vec<Meter> {
        let mut meters = self.meters(model, route);
        for default in defaults.meters(model, route) {
            match meters.iter_mut().find(|meter| meter.scope == default.scope) {
                Some(meter) => {
                    for unit in Unit::ALL {
                        meter.caps.set(unit, meter.caps.get(unit).or(default.caps.get(unit)));
                    }
                }
                None => meters.push(default),
            }
        }
        meters
    }

    /// The meters of a request to this model over this route: those that limit anything.
    pub fn meters(&self, model: &str, route: &str) -> Vec<Meter> {
        let mut meters = Vec::new();
        if !self.caps.is_empty() {
            meters.push(Meter { scope: String::new(), caps: self.caps });
        }
        for (subs, name, prefix) in [(&self.models, model, "model:"), (&self.routes, route, "route:")] {
            if let Some((_, caps)) = subs.iter().find(|(of, caps)| of == name && !caps.is_empty()) {
                meters.push(Meter { scope: [prefix, name].concat(), caps: *caps });
            }
        }
        meters
    }
}

pub(super) fn fault(path: &str, what: &str) -> Error {
    let error = Error::new(ErrorKind::InvalidRequest, what.to_owned());
    if path.is_empty() { error } else { error.with_param(path) }
}

/// Reads the members of an object, each with its path.
pub(super) fn members(
    text: &str,
    path: &str,
    mut read: impl FnMut(&str, &str, String) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut fault_inside = None;
    let mut seen: Vec<String> = Vec::new();
    let mut cursor = Cursor::new(text);
    let walked = cursor.object(&mut |cursor, name| {
        let raw = <&str as crate::json::cursor::Read<'_>>::read(cursor)?;
        let shown = shown_key(&name);
        let at = if path.is_empty() { shown.to_owned() } else { [path, ".", shown].concat() };
        let outcome = match () {
            () if seen.len() > SUBS => Err(fault(path, "Too many members.")),
            () if seen.iter().any(|before| *before == *name) => Err(fault(&at, "This member occurs twice.")),
            () => read(&name, raw, at),
        };
        seen.push(name.into_owned());
        outcome.map_err(|error| fault_inside = Some(error)).ok()
    });
    match fault_inside {
        Some(error) => Err(error),
        None if walked.is_some() && cursor.peek().is_none() => Ok(()),
        None => Err(fault(path, "Expected an object.")),
    }
}

fn cap(caps: &mut Caps, name: &str, raw: &str, at: String) -> Result<(), Error> {
    let Some(unit) = Unit::ALL.into_iter().find(|unit| unit.name() == name) else {
        return Err(fault(&at, "Unknown field of limits."));
    };
    if raw == "null" {
        caps.set(unit, None);
        return Ok(());
    }
    let cap = if unit.measure() == Measure::Spend {
        micros(raw, unit.most()).ok_or_else(|| {
            fault(&at, "Expected an amount of money from 0 to 1000000000, with at most 6 decimal places, or null.")
        })
    } else {
        let is_whole = raw.bytes().all(|byte| byte.is_ascii_digit());
        number::count(raw).filter(|cap| is_whole && *cap <= unit.most()).ok_or_else(|| {
            fault(&at, &["Expected a whole number from 0 to ", &unit.most().to_string(), ", or null."].concat())
        })
    }?;
    caps.set(unit, Some(cap));
    Ok(())
}

const MODEL: &str =
    "Expected at most 64 models by their ids, of 1 to 256 bytes; a limit is one model's, so that * stands for none.";
const ROUTE: &str = "Expected the names of endpoints, as /admin/roles lists those that ask a model.";

fn is_model(name: &str) -> bool {
    !name.is_empty() && name.len() <= NAME_BYTES && !name.ends_with('*')
}

fn is_route(name: &str) -> bool {
    Operation::of_name(name).is_some_and(Operation::is_inference)
}

/// Limits by names, of which one that limits nothing is a fault and not a limit that is never reached.
fn subs(raw: &str, at: &str, is_name: fn(&str) -> bool, expected: &str) -> Result<Vec<(String, Caps)>, Error> {
    let mut subs = Vec::new();
    if raw == "null" {
        return Ok(subs);
    }
    members(raw, at, |name, raw, at| {
        if !is_name(name) || subs.len() >= SUBS {
            return Err(fault(&at, expected));
        }
        let mut caps = Caps::default();
        members(raw, &at, |name, raw, at| cap(&mut caps, name, raw, at))?;
        subs.push((name.to_owned(), caps));
        Ok(())
    })?;
    Ok(subs)
}
