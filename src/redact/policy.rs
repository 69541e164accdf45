//! What is to be done about private data: data, given by an application or by a gate's configuration.

mod read;

use super::entity::{Entity, Pack};
use crate::error::Error;

/// What happens to something that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Action {
    /// It stays.
    Keep,
    /// A few characters of it stay: `138****5678`.
    Mask,
    /// The guides' label takes its place: `***手机号***`.
    Label,
    /// A token that can be given back takes its place: `⟦手机号1·k7q2⟧`.
    Token,
    /// A keyed hash takes its place: the same value has the same, nobody can compute it without the key.
    Hash,
    /// It is left out.
    Drop,
    /// The request is refused.
    Block,
    /// The request goes to a model on the device, or nowhere.
    LocalOnly,
}

/// Whether what is hidden can be given back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mode {
    /// Tokens, which the answer gives back.
    #[default]
    Reversible,
    /// Labels.
    Irreversible,
}

/// The language of labels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Language {
    /// Chinese.
    #[default]
    Zh,
    /// English.
    En,
}

/// What happens to private data that is new in an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Answers {
    /// It stays.
    #[default]
    Keep,
    /// It is hidden, with labels.
    Mask,
}

/// Where tokens are given back. Text always is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restoring {
    /// In the model's reasoning. Default true.
    pub reasoning: bool,
    /// In the arguments of tool calls. Default false: what a prompt made the model write there may be sent away.
    pub tool_arguments: bool,
    /// Within URLs and HTML attributes. Default false: an image's address is fetched by whoever shows it.
    pub urls: bool,
    /// In code (fenced blocks and back-ticks count as code to be run only when fenced). Default false.
    pub code: bool,
}

impl Default for Restoring {
    fn default() -> Self {
        Restoring { reasoning: true, tool_arguments: false, urls: false, code: false }
    }
}

/// A rule of the user's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomRule {
    /// Its name: the finding's type, `[A-Z][A-Z0-9_]*`.
    pub name: String,
    /// What a label or a token calls it.
    pub label: String,
    /// The pattern, in the language of `compile`.
    pub pattern: String,
    /// Words of which one must stand within 24 characters before. Empty: none need.
    pub context: Vec<String>,
    /// What happens to it.
    pub action: Action,
}

/// What is to be done about private data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Whether what is hidden can be given back.
    pub mode: Mode,
    /// The language of labels.
    pub language: Language,
    /// Where it differs from [`Entity::default_action`].
    pub actions: Vec<(Entity, Action)>,
    /// Packs that are on. Default [`Pack::All`] and [`Pack::Cn`].
    pub packs: Vec<Pack>,
    /// Values that stay, in any writing; `*@example.com` stands for a whole domain.
    pub allow: Vec<String>,
    /// The user's own rules.
    pub rules: Vec<CustomRule>,
    /// Rules that are off, by name.
    pub disabled: Vec<String>,
    /// The least score of a finding, from 0 to 100. Default 50.
    pub threshold: u8,
    /// Where tokens are given back.
    pub restoring: Restoring,
    /// What happens to private data that is new in an answer.
    pub answers: Answers,
    /// Whether a system message asks the model to leave tokens as they are. Default false.
    pub hint: bool,
    /// How much the search for names leans towards finding, from -100 to 100. Default 0.
    pub names_bias: i8,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            mode: Mode::default(),
            language: Language::default(),
            actions: Vec::new(),
            packs: vec![Pack::All, Pack::Cn],
            allow: Vec::new(),
            rules: Vec::new(),
            disabled: Vec::new(),
            threshold: 50,
            restoring: Restoring::default(),
            answers: Answers::default(),
            hint: false,
            names_bias: 0,
        }
    }
}

impl Policy {
    /// Reads a policy from JSON. `path` is where it stands, for errors.
    ///
    /// Errors: `misconfigured`, with the path of the fault.
    pub fn parse(json: &str, path: &str) -> Result<Policy, Error> {
        read::read(json, path)
    }

    /// What happens to this kind.
    pub fn action(&self, entity: Entity) -> Action {
        let given = match entity {
            Entity::Custom(at) => self.rules.get(usize::from(at)).map(|rule| rule.action),
            _ => self.actions.iter().find(|(of, _)| *of == entity).map(|(_, action)| *action),
        };
        let off = !self.packs.contains(&entity.pack());
        match given.unwrap_or(if off { Action::Keep } else { entity.default_action() }) {
            // A secret is of no use to a model, and a token is as good as the secret to whoever may have it restored.
            Action::Token if entity == Entity::Secret || self.mode == Mode::Irreversible => Action::Label,
            action => action,
        }
    }

    /// What findings call this kind: its key, or the name of the user's rule.
    pub fn key(&self, entity: Entity) -> &str {
        self.own(entity).map_or(entity.key(), |rule| &rule.name)
    }

    /// What labels and tokens call this kind.
    pub fn label(&self, entity: Entity) -> &str {
        self.own(entity).map_or(entity.label(self.language), |rule| &rule.label)
    }

    fn own(&self, entity: Entity) -> Option<&CustomRule> {
        match entity {
            Entity::Custom(at) => self.rules.get(usize::from(at)),
            _ => None,
        }
    }
}
