//! Reads a policy from JSON, strictly: a field that nobody knows is a fault, for whoever wrote it believes that it protects.

use super::{Action, Answers, CustomRule, Language, Mode, Policy, Restoring};
use crate::error::{Error, ErrorKind};
use crate::json::{cursor, string};
use crate::redact::entity::{Entity, Pack};
use crate::redact::machine::is_rule;

/// Bounds of what a policy may hold; sizes in characters.
const MOST_ALLOWED: usize = 1_000;
const MOST_RULES: usize = 64;
const MOST_WORDS: usize = 32;
const LONGEST_VALUE: usize = 256;
const LONGEST_PATTERN: usize = 512;
const LONGEST_NAME: usize = 32;

/// A value and where it stands.
struct Node<'a> {
    text: &'a str,
    path: String,
}

fn fault(path: &str, message: &str) -> Error {
    Error::new(ErrorKind::Misconfigured, message.to_owned()).with_param(path.to_owned())
}

impl<'a> Node<'a> {
    fn expected<T>(&self, what: &str) -> Result<T, Error> {
        Err(fault(&self.path, &["Expected ", what, "."].concat()))
    }

    fn entries(&self, open: char, what: &str) -> Result<Vec<(String, Node<'a>)>, Error> {
        let found = if self.text.starts_with(open) { cursor::entries(self.text) } else { None };
        let Some(found) = found else { return self.expected(what) };
        let part = |range: &core::ops::Range<usize>| self.text.get(range.clone()).unwrap_or_default();
        let node = |(index, (key, value)): (usize, &(core::ops::Range<usize>, core::ops::Range<usize>))| {
            let key = string::read(part(key)).unwrap_or_default();
            let path = match open {
                '{' => [&self.path, ".", &key].concat(),
                _ => [&self.path, "[", &index.to_string(), "]"].concat(),
            };
            (key, Node { text: part(value), path })
        };
        Ok(found.iter().enumerate().map(node).collect())
    }

    fn members(&self) -> Result<Vec<(String, Node<'a>)>, Error> {
        self.entries('{', "an object")
    }

    fn items(&self, most: usize) -> Result<Vec<Node<'a>>, Error> {
        let items = self.entries('[', "an array")?;
        if items.len() > most {
            return self.expected(&["at most ", &most.to_string(), " items"].concat());
        }
        Ok(items.into_iter().map(|(_, node)| node).collect())
    }

    /// A text that is not empty.
    fn string(&self, most: usize) -> Result<String, Error> {
        let text = if self.text.starts_with('"') { string::read(self.text) } else { None };
        match text.filter(|text| !text.is_empty() && text.chars().count() <= most) {
            Some(text) => Ok(text),
            None => self.expected(&["a string of 1 to ", &most.to_string(), " characters"].concat()),
        }
    }

    fn boolean(&self) -> Result<bool, Error> {
        match self.text {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => self.expected("true or false"),
        }
    }

    /// One of a few words.
    fn word<T: Copy>(&self, words: &[(&str, T)]) -> Result<T, Error> {
        let said = if self.text.starts_with('"') { string::read(self.text) } else { None };
        if let Some((_, value)) = words.iter().find(|(word, _)| said.as_deref() == Some(*word)) {
            return Ok(*value);
        }
        let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        self.expected(&["one of ", &all.join(", ")].concat())
    }

    fn unknown<T>(&self) -> Result<T, Error> {
        Err(fault(&self.path, "No such field."))
    }

    fn action(&self) -> Result<Action, Error> {
        self.word(&[
            ("keep", Action::Keep),
            ("mask", Action::Mask),
            ("label", Action::Label),
            ("token", Action::Token),
            ("hash", Action::Hash),
            ("drop", Action::Drop),
            ("block", Action::Block),
            ("local_only", Action::LocalOnly),
        ])
    }
}

/// The policy of a JSON value: `true` or an object.
pub(super) fn read(json: &str, path: &str) -> Result<Policy, Error> {
    let node = Node { text: json.trim(), path: path.to_owned() };
    let mut policy = Policy::default();
    if node.text == "true" {
        return Ok(policy);
    }
    for (name, node) in node.entries('{', "true or an object")? {
        match name.as_str() {
            "mode" => {
                policy.mode = node.word(&[("reversible", Mode::Reversible), ("irreversible", Mode::Irreversible)])?
            }
            "language" => policy.language = node.word(&[("zh", Language::Zh), ("en", Language::En)])?,
            "entities" => policy.actions = entities(&node)?,
            "packs" => {
                let packs = [
                    ("all", Pack::All),
                    ("cn", Pack::Cn),
                    ("us", Pack::Us),
                    ("uk", Pack::Uk),
                    ("eu", Pack::Eu),
                    ("world", Pack::World),
                ];
                policy.packs =
                    node.items(packs.len())?.iter().map(|node| node.word(&packs)).collect::<Result<_, _>>()?;
            }
            "allow" => policy.allow = texts(&node, MOST_ALLOWED, LONGEST_VALUE)?,
            "rules" => policy.rules = rules(&node)?,
            "disable" => policy.disabled = texts(&node, MOST_ALLOWED, LONGEST_VALUE)?,
            "threshold" => policy.threshold = share(&node)?,
            "answers" => policy.answers = node.word(&[("keep", Answers::Keep), ("mask", Answers::Mask)])?,
            "restore" => policy.restoring = restoring(&node)?,
            "hint" => policy.hint = node.boolean()?,
            "names" => {
                for (name, node) in node.members()? {
                    match name.as_str() {
                        "bias" => match node.text.parse::<i8>() {
                            Ok(bias) if (-100..=100).contains(&bias) => policy.names_bias = bias,
                            _ => return node.expected("a whole number from -100 to 100"),
                        },
                        _ => return node.unknown(),
                    }
                }
            }
            _ => return node.unknown(),
        }
    }
    let own = |name: &String| policy.rules.iter().any(|rule| rule.name == *name);
    if let Some(at) = policy.disabled.iter().position(|name| !is_rule(name) && !own(name)) {
        let path = [path, ".disable[", &at.to_string(), "]"].concat();
        return Err(fault(&path, "No rule has this name."));
    }
    Ok(policy)
}

fn entities(node: &Node<'_>) -> Result<Vec<(Entity, Action)>, Error> {
    let mut actions = Vec::new();
    for (key, node) in node.members()? {
        let Some(entity) = Entity::from_key(&key) else { return Err(fault(&node.path, "No entity has this key.")) };
        let action = node.action()?;
        if entity == Entity::Secret && action == Action::Token {
            return Err(fault(
                &node.path,
                "A secret is never given back: choose label, hash, drop, block, local_only or keep.",
            ));
        }
        actions.push((entity, action));
    }
    Ok(actions)
}

fn texts(node: &Node<'_>, most: usize, longest: usize) -> Result<Vec<String>, Error> {
    node.items(most)?.iter().map(|node| node.string(longest)).collect()
}

fn rules(node: &Node<'_>) -> Result<Vec<CustomRule>, Error> {
    let mut rules: Vec<CustomRule> = Vec::new();
    for node in node.items(MOST_RULES)? {
        let (mut name, mut label, mut pattern) = (None, None, None);
        let (mut context, mut action) = (Vec::new(), Action::Token);
        for (field, node) in node.members()? {
            match field.as_str() {
                "name" => {
                    let said = node.string(LONGEST_NAME)?;
                    let is_key = said.starts_with(|c: char| c.is_ascii_uppercase())
                        && said.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
                    if !is_key {
                        return node.expected("a name of A to Z, 0 to 9 and _ that begins with a letter");
                    }
                    if Entity::from_key(&said).is_some() || rules.iter().any(|rule| rule.name == said) {
                        return Err(fault(&node.path, "This name is taken."));
                    }
                    name = Some(said);
                }
                "label" => {
                    let said = node.string(24)?;
                    // What a token is made of must not be in its label.
                    if said.chars().any(|c| !(c.is_alphabetic() || c == '_' || c == ' ')) {
                        return node.expected("a label of letters");
                    }
                    label = Some(said);
                }
                "pattern" => pattern = Some(node.string(LONGEST_PATTERN)?),
                "context" => context = texts(&node, MOST_WORDS, LONGEST_NAME)?,
                "action" => action = node.action()?,
                _ => return node.unknown(),
            }
        }
        let Some(name) = name else { return Err(fault(&[&node.path, ".name"].concat(), "Missing.")) };
        let Some(pattern) = pattern else { return Err(fault(&[&node.path, ".pattern"].concat(), "Missing.")) };
        let label = label.unwrap_or_else(|| name.clone());
        rules.push(CustomRule { name, label, pattern, context, action });
    }
    Ok(rules)
}

/// A number from 0 to 1, in hundredths. By hand: to read floats takes several kilobytes.
fn share(node: &Node<'_>) -> Result<u8, Error> {
    let (whole, part) = node.text.split_once('.').unwrap_or((node.text, "0"));
    let digit = |at: usize| part.as_bytes().get(at).map_or(0, |digit| digit.wrapping_sub(b'0'));
    let is_number = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    match whole {
        "0" if is_number => Ok((digit(0) * 10 + digit(1) + u8::from(digit(2) >= 5)).min(100)),
        "1" if is_number && part.bytes().all(|b| b == b'0') => Ok(100),
        _ => node.expected("a decimal number from 0 to 1"),
    }
}

fn restoring(node: &Node<'_>) -> Result<Restoring, Error> {
    let mut restoring = Restoring::default();
    for (name, node) in node.members()? {
        match name.as_str() {
            "reasoning" => restoring.reasoning = node.boolean()?,
            "tool_arguments" => restoring.tool_arguments = node.boolean()?,
            "urls" => restoring.urls = node.boolean()?,
            "code" => restoring.code = node.boolean()?,
            _ => return node.unknown(),
        }
    }
    Ok(restoring)
}
