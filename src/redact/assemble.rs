//! Rules to what the compiler takes: macros resolved, sides as sets of characters.

use super::compile::{Input, Node, Refused, Set, parse};
use super::rules::{MACROS, Rule, Side, Start};

/// How many start states an automaton has: one for each of [`Start`].
pub(crate) const STARTS: usize = 3;

/// The start state that a rule belongs to.
pub(crate) fn start(start: Start) -> usize {
    match start {
        Start::Always => 0,
        Start::Near => 1,
        Start::After => 2,
    }
}

/// One rule, ready for the compiler. The build script's: a policy's own rules go through [`own`].
#[allow(dead_code)]
pub(crate) fn input(rule: &Rule) -> Result<Input, Refused> {
    let mut pattern = rule.pattern.to_owned();
    for _ in 0..2 {
        for (name, meaning) in MACROS {
            pattern = pattern.replace(name, &["(", meaning, ")"].concat());
        }
    }
    let right = if rule.tail.is_some() { None } else { Some(side(rule.right)) };
    Ok(Input { node: parse(&pattern, false)?, left: side(rule.left), right, start: start(rule.start) })
}

/// A rule of a policy's own: what stands around it may be anything, but for letters and digits where it begins or ends with one.
pub(crate) fn own(pattern: &str, is_near: bool) -> Result<Input, Refused> {
    let node = parse(pattern, true)?;
    let start = start(if is_near { Start::Near } else { Start::Always });
    Ok(Input { left: edge(&node, true), right: Some(edge(&node, false)), node, start })
}

/// Which side a pattern wants, from what it may begin or end with.
fn edge(node: &Node, first: bool) -> Set {
    let word = letters();
    if meets(node, first, &word) { side(Side::Word) } else { side(Side::Any) }
}

/// Whether a tree may begin (or end) with a member of the set.
fn meets(node: &Node, first: bool, word: &Set) -> bool {
    match node {
        Node::Set(set) => word.0.iter().any(|&(from, to)| (from..=to).any(|c| set.has(c))),
        Node::Sequence(nodes) => {
            let optional = |node: &Node| matches!(node, Node::Repeat(_, 0, _));
            let mut order: Vec<&Node> = nodes.iter().collect();
            if !first {
                order.reverse();
            }
            let until = order.iter().position(|node| !optional(node)).map_or(order.len(), |at| at + 1);
            order.iter().take(until).any(|node| meets(node, first, word))
        }
        Node::Either(options) => options.iter().any(|node| meets(node, first, word)),
        Node::Repeat(node, _, _) => meets(node, first, word),
    }
}

fn letters() -> Set {
    Set::of(&[(0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)])
}

/// The set of a side.
fn side(of: Side) -> Set {
    let chars = |text: &str| text.chars().map(|c| (c as u32, c as u32)).collect::<Vec<_>>();
    match of {
        Side::Any => Set::default().negated().with_edge(),
        Side::Word => letters().negated().with_edge(),
        Side::Mail => {
            let mut set = letters();
            set.add_all(&Set::of(&chars(".+-@%")));
            set.tidy();
            set.negated().with_edge()
        }
        Side::Gap => Set::of(&chars(" \t\r\n\"'`<>,;:=()[]{}|，。；：！？、（）【】「」《》“”‘’…*#")).with_edge(),
        Side::NoHan => {
            Set::of(&[(0x3007, 0x3007), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x2_0000, 0x3_23AF)])
                .negated()
                .with_edge()
        }
        Side::Value => {
            let mut set = side(Side::Gap);
            set.add_all(&side(Side::NoHan).negated());
            set.tidy();
            set
        }
        Side::At => Set::of(&chars("@")),
    }
}
