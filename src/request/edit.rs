//! Changes to a JSON text as splices: what no splice touches is copied byte for byte.

use super::span::{Member, Span, quoted};
use core::cmp::Reverse;
use std::borrow::Cow;
use std::collections::BinaryHeap;

/// Splices of one text, and the removals and additions of its top-level object's members.
pub(crate) struct Edit<'a> {
    text: &'a str,
    members: &'a [Member],
    removed: Vec<usize>,
    added: String,
    splices: Vec<(Span, Cow<'static, str>)>,
}

impl<'a> Edit<'a> {
    /// `members` are those of the top-level object; at least one of them is never removed.
    pub(crate) fn new(text: &'a str, members: &'a [Member]) -> Self {
        Edit { text, members, removed: Vec::new(), added: String::new(), splices: Vec::new() }
    }

    /// Replaces a part of the text. Parts must not overlap.
    pub(crate) fn replace(&mut self, span: Span, with: impl Into<Cow<'static, str>>) {
        self.splice(span, with.into());
    }

    #[inline(never)]
    fn splice(&mut self, span: Span, with: Cow<'static, str>) {
        if span.of(self.text) != with {
            self.splices.push((span, with));
        }
    }

    /// Sets a top-level member to a JSON text. A member of that name is replaced, null or not: there must be only one.
    pub(crate) fn set(&mut self, name: &str, value: impl Into<Cow<'static, str>>) {
        self.set_member(name, value.into());
    }

    #[inline(never)]
    fn set_member(&mut self, name: &str, value: Cow<'static, str>) {
        match self.members.iter().find(|member| member.is(self.text, name)) {
            Some(member) => self.splice(member.value, value),
            None => {
                self.added.push(',');
                self.added.push_str(&quoted(name));
                self.added.push(':');
                self.added.push_str(&value);
            }
        }
    }

    /// Removes top-level members by name; null or not.
    #[inline(never)]
    pub(crate) fn remove(&mut self, name: &str) {
        let found = self.members.iter().position(|member| member.is(self.text, name));
        if let Some((index, Err(place))) = found.map(|index| (index, self.removed.binary_search(&index))) {
            self.removed.insert(place, index);
        }
    }

    /// Removes one member of an object within the text.
    pub(crate) fn remove_nested(&mut self, members: &[Member], index: usize) {
        self.splices.extend(removals(members, &[index]).into_iter().map(|span| (span, Cow::Borrowed(""))));
    }

    /// Adds a member in front of an object within the text.
    pub(crate) fn add_nested(&mut self, object: Span, is_empty: bool, member: &str) {
        let at = Span { start: object.start + 1, end: object.start + 1 };
        self.splices.push((at, format!("{member}{}", if is_empty { "" } else { "," }).into()));
    }

    /// The new text, and whether it differs from the old.
    pub(crate) fn finish(mut self) -> (String, bool) {
        // What lies within a removed member goes with it.
        let (members, removed) = (self.members, &self.removed);
        let gone = |span: Span| {
            let inside = |member: &Member| member.key.start <= span.start && span.end <= member.value.end;
            removed.iter().filter_map(|&index| members.get(index)).any(inside)
        };
        self.splices.retain(|(span, _)| !gone(*span));
        self.splices.extend(removals(members, removed).into_iter().map(|span| (span, Cow::Borrowed(""))));
        if let Some(last) = members.last().filter(|_| !self.added.is_empty()) {
            self.splices.push((Span { start: last.value.end, end: last.value.end }, Cow::Owned(self.added)));
        }
        if self.splices.is_empty() {
            return (self.text.to_owned(), false);
        }
        let size = self.splices.iter().map(|(_, with)| with.len()).sum::<usize>();
        // By place, then as they came, so that what is added behind a removed last member stays behind it. A heap, because a sort of the
        // standard library is several times its code.
        let mut order: BinaryHeap<_> =
            self.splices.iter().enumerate().map(|(index, (span, _))| Reverse((*span, index))).collect();
        let mut text = String::with_capacity(self.text.len() + size);
        let mut done = 0;
        while let Some(Reverse((span, index))) = order.pop() {
            text.push_str(Span { start: done, end: span.start }.of(self.text));
            text.push_str(self.splices.get(index).map_or("", |(_, with)| with));
            done = span.end;
        }
        text.push_str(Span { start: done, end: self.text.len() }.of(self.text));
        (text, true)
    }
}

/// The parts to cut so that an object loses the members at `removed` (ascending) and one comma for each.
fn removals(members: &[Member], removed: &[usize]) -> Vec<Span> {
    let mut kept_before = false;
    let mut next = 0;
    let mut previous_end = 0;
    let mut spans = Vec::new();
    for (index, member) in members.iter().enumerate() {
        if removed.get(next) != Some(&index) {
            kept_before = true;
        } else {
            next += 1;
            let following = members.get(index + 1).map_or(member.value.end, |following| following.key.start);
            spans.push(match kept_before {
                true => Span { start: previous_end, end: member.value.end },
                false => Span { start: member.key.start, end: following },
            });
        }
        previous_end = member.value.end;
    }
    spans
}
