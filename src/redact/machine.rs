//! What all scans share: the automata, what their rules mean under a policy, the context words.

use super::alphabet::Alphabet;
use super::assemble::{STARTS, own};
use super::automaton::Automaton;
use super::compile::{Refused, build};
use super::entity::Entity;
use super::policy::{Action, Policy};
use super::rules::{Check, RULES, Rule, Start, Tail, group};
use super::symbol::normal;
use super::words::Words;
use crate::error::{Error, ErrorKind};

/// A rule as a scan needs it.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    /// `None`: what it matches is nothing private, and no other rule's.
    pub(crate) entity: Option<Entity>,
    pub(crate) check: Check,
    pub(crate) base: u8,
    pub(crate) context: u64,
    pub(crate) start: Start,
    pub(crate) tail: Option<Tail>,
    /// What it matches has no business here: off, or kept.
    pub(crate) off: bool,
}

/// Compiled rules.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    pub(crate) automata: Vec<Automaton>,
    pub(crate) rules: Vec<Live>,
    pub(crate) words: Words,
    pub(crate) alphabet: Alphabet,
    sides: Box<[Sides]>,
    /// By automaton: the groups of words near (or right behind) which it has rules.
    near: Box<[u64]>,
    after: Box<[u64]>,
    /// By letter: whether it is a small one of ASCII.
    small: Box<[bool]>,
    /// Whether no match begins between two small letters, unless a word of the context says so.
    pub(crate) quiet_letters: bool,
    pub(crate) allow: Vec<String>,
    pub(crate) threshold: u8,
    /// Which kinds the model for names is asked for.
    names: Vec<Entity>,
}

/// In which automata a match may begin with a letter, and behind it: bits, by start.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sides {
    pub(crate) begins: [u16; STARTS],
    pub(crate) follows: [u16; STARTS],
}

impl Machine {
    /// Errors: `misconfigured` for a policy's own rule that cannot be compiled.
    pub(crate) fn new(policy: &Policy) -> Result<Machine, Error> {
        let mut rules: Vec<Live> = RULES.iter().map(|rule| live(rule, policy)).collect();
        let mut automata = Automaton::built_in();
        let mut words: Vec<(u64, String)> = Vec::new();
        let (mut inputs, mut ids) = (Vec::new(), Vec::new());
        for (at, rule) in policy.rules.iter().enumerate() {
            // There are 23 bits for groups; rules beyond share the last, which lets one's words help another.
            let context = if rule.context.is_empty() { 0 } else { 1 << (group::OWN + at as u32).min(63) };
            words.extend(rule.context.iter().map(|word| (context, word.clone())));
            let path = || ["redact.rules[", &at.to_string(), "].pattern"].concat();
            let input = own(&rule.pattern, context != 0).map_err(|why| refused(why, path()))?;
            // Alone first, so that a fault has a name.
            build(core::slice::from_ref(&input), STARTS).map_err(|why| refused(why, path()))?;
            inputs.push(input);
            ids.push(rules.len() as u16);
            let base = if context == 0 { 85 } else { 60 };
            let start = if context == 0 { Start::Always } else { Start::Near };
            let off = rule.action == Action::Keep || policy.disabled.contains(&rule.name);
            let entity = Some(Entity::Custom(at as u16));
            rules.push(Live { entity, check: Check::None, base, context, start, tail: None, off });
            if at + 1 == policy.rules.len() {
                let dfa = build(&inputs, STARTS).map_err(|why| refused(why, "redact.rules".to_owned()))?;
                automata.push(Automaton::new(&dfa, &ids));
            }
        }
        // What is off altogether need not run.
        let is_on = |rule: &u16| {
            rules.get(usize::from(*rule)).is_some_and(|live| !live.off && (live.entity.is_some() || live.base == 100))
        };
        automata.retain(|automaton| automaton.rules().iter().any(is_on));
        let asks = |automaton: &Automaton, start: Start| {
            let of = |rule: &u16| rules.get(usize::from(*rule)).filter(|live| !live.off && live.start == start);
            automaton.rules().iter().filter_map(of).fold(0, |groups, live| groups | live.context)
        };
        let near = automata.iter().map(|automaton| asks(automaton, Start::Near)).collect();
        let after = automata.iter().map(|automaton| asks(automaton, Start::After)).collect();
        let alphabet = Alphabet::new(automata.iter().flat_map(Automaton::borders).collect());
        let mut sides = vec![Sides::default(); alphabet.borders().len()].into_boxed_slice();
        for (at, automaton) in automata.iter_mut().enumerate() {
            automaton.learn(&alphabet);
            let bit = 1u16 << at.min(15);
            for kind in 0..STARTS {
                let begin: Vec<bool> = (0..=u8::MAX).map(|class| automaton.may_begin(kind, class)).collect();
                let follow: Vec<bool> = (0..=u8::MAX).map(|class| automaton.may_follow(kind, class)).collect();
                let has = |which: &[bool], class: u8| which.get(usize::from(class)).copied().unwrap_or(false);
                for (letter, sides) in sides.iter_mut().enumerate() {
                    let class = automaton.class(letter as u16);
                    for (set, which) in [(&mut sides.begins, &begin), (&mut sides.follows, &follow)] {
                        if let Some(mask) = set.get_mut(kind).filter(|_| has(which, class)) {
                            *mask |= bit;
                        }
                    }
                }
            }
        }
        let mut small = vec![false; sides.len()].into_boxed_slice();
        let (mut begins, mut follows) = (0, 0);
        for c in 'a'..='z' {
            let letter = usize::from(alphabet.letter(c));
            if let Some(small) = small.get_mut(letter) {
                *small = true;
            }
            if let Some(sides) = sides.get(letter) {
                begins |= sides.begins.first().copied().unwrap_or(0);
                follows |= sides.follows.first().copied().unwrap_or(0);
            }
        }
        let quiet_letters = begins & follows == 0;
        let allow = policy.allow.iter().map(|value| plain(value)).collect();
        let words = Words::new(&words);
        let threshold = policy.threshold;
        let asked = [Entity::Person, Entity::Address, Entity::Org];
        let names = asked.into_iter().filter(|entity| policy.action(*entity) != Action::Keep).collect();
        Ok(Machine {
            automata,
            rules,
            words,
            alphabet,
            sides,
            near,
            after,
            small,
            quiet_letters,
            allow,
            threshold,
            names,
        })
    }

    /// In which automata a match may begin with, or behind, this letter.
    #[inline(always)]
    pub(crate) fn sides(&self, letter: u16) -> Sides {
        self.sides.get(usize::from(letter)).copied().unwrap_or_default()
    }

    /// The automata that have rules for what stands near, and right behind, a word of these groups: bits.
    pub(crate) fn asked(&self, groups: u64) -> (u16, u16) {
        let bits = |asks: &[u64]| {
            asks.iter().enumerate().fold(0, |bits, (at, asks)| bits | u16::from(asks & groups != 0) << at.min(15))
        };
        (bits(&self.near), bits(&self.after))
    }

    /// Whether a letter of the alphabet is a small one of ASCII.
    #[inline(always)]
    pub(crate) fn is_small(&self, letter: u16) -> bool {
        self.small.get(usize::from(letter)).copied().unwrap_or(false)
    }

    /// Whether names of this kind are looked for.
    pub(crate) fn names(&self, entity: Entity) -> bool {
        self.names.contains(&entity)
    }

    /// The name of a rule of a scan.
    pub(crate) fn name(rule: u16, policy: &Policy) -> &str {
        match RULES.get(usize::from(rule)) {
            Some(rule) => rule.name,
            None => policy.rules.get(usize::from(rule).wrapping_sub(RULES.len())).map_or("names", |rule| &rule.name),
        }
    }
}

/// The number of the rule that stands for what the model for names finds.
pub(crate) const NAMES_RULE: u16 = u16::MAX;

/// Whether the built-in rules have one of this name.
pub(crate) fn is_rule(name: &str) -> bool {
    name == "names" || RULES.iter().any(|rule| rule.name == name)
}

fn live(rule: &Rule, policy: &Policy) -> Live {
    let entity = Entity::from_key(rule.entity);
    let off = entity.is_some_and(|entity| policy.action(entity) == Action::Keep)
        || policy.disabled.iter().any(|name| name == rule.name);
    Live { entity, check: rule.check, base: rule.base, context: rule.context, start: rule.start, tail: rule.tail, off }
}

/// A value as lists of what is allowed are compared: one form, no separators, no case.
pub(crate) fn plain(value: &str) -> String {
    let kept = |c: &char| !matches!(c, ' ' | '-' | '(' | ')' | '·');
    value.chars().filter_map(normal).filter(kept).map(|c| c.to_ascii_lowercase()).collect()
}

fn refused(why: Refused, path: String) -> Error {
    let message = match why {
        Refused::Syntax(at) => {
            ["Cannot be read at character ", &at.to_string(), "; see the pattern language."].concat()
        }
        Refused::Empty => "Must not match the empty text.".to_owned(),
        Refused::TooLarge => "Too large together: use fewer or shorter repetitions.".to_owned(),
    };
    Error::new(ErrorKind::Misconfigured, message).with_param(path)
}
