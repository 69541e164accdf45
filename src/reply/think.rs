//! Inline reasoning: moves a leading `<think>…</think>` from the text to the reasoning, for tags cut anywhere.
//!
//! The output depends on the text alone, never on its pieces: what may still become a tag is held back (at most 7 bytes of a tag, and
//! at most [`MAX_SPACE`] of whitespace before the first one), everything else goes out at once. Newlines right after a tag belong to
//! the template (`<think>\n…\n</think>\n\n`), not to the answer, and are dropped.

use memchr::memchr;

const OPEN: &str = "<think>";
const CLOSE: &str = "</think>";
/// Bytes of whitespace that may stand before `<think>`; with more, the text is taken as it is.
const MAX_SPACE: usize = 8;

/// What to do about `<think>` tags in the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ThinkTags {
    /// A choice whose text begins with `<think>` (whitespace aside) has its reasoning there.
    #[default]
    Auto,
    /// The text begins inside the thinking: the prompt's template has already opened the tag.
    Open,
    /// Tags are text.
    Off,
}

/// Where a piece belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    Text,
    Reasoning,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing decided: `space`, then `matched` bytes of [`OPEN`], are held.
    Start,
    /// Right after `<think>`: newlines are dropped.
    AfterOpen,
    /// Reasoning; `matched` bytes of [`CLOSE`] are held.
    Inside,
    /// Right after `</think>`: newlines are dropped.
    AfterClose,
    /// Text to the end.
    Plain,
}

/// The state of one choice's text.
#[derive(Clone, Debug)]
pub(super) struct Think {
    state: State,
    /// What [`State::Start`] turns into when no tag comes.
    otherwise: State,
    matched: usize,
    space: String,
}

impl Think {
    pub(super) fn new(tags: ThinkTags) -> Self {
        let (state, otherwise) = match tags {
            ThinkTags::Auto => (State::Start, State::Plain),
            ThinkTags::Open => (State::Start, State::AfterOpen),
            ThinkTags::Off => (State::Plain, State::Plain),
        };
        Think { state, otherwise, matched: 0, space: String::new() }
    }

    /// Whether all that comes is text.
    #[inline]
    pub(super) fn is_plain(&self) -> bool {
        self.state == State::Plain
    }

    /// Whether a `<think>` is open.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.state, State::AfterOpen | State::Inside)
    }

    /// The vendor sends the reasoning apart: tags that come now are text.
    pub(super) fn settle(&mut self, emit: &mut dyn FnMut(Lane, &str)) {
        if self.state == State::Start {
            self.otherwise = State::Plain;
            self.give_up(emit);
        }
    }

    /// The next piece of the text.
    pub(super) fn feed(&mut self, piece: &str, emit: &mut dyn FnMut(Lane, &str)) {
        let mut text = piece;
        while !text.is_empty() {
            match self.state {
                State::Plain => return emit(Lane::Text, text),
                State::AfterOpen => text = self.skip_newlines(text, State::Inside),
                State::AfterClose => text = self.skip_newlines(text, State::Plain),
                State::Start => text = self.start(text, emit),
                State::Inside => text = self.inside(text, emit),
            }
        }
    }

    /// The end of the text: gives out what was held.
    pub(super) fn finish(&mut self, emit: &mut dyn FnMut(Lane, &str)) {
        match self.state {
            State::Start if self.space.is_empty() && self.matched == 0 => {}
            State::Start => self.give_up(emit),
            State::Inside => {
                emit(Lane::Reasoning, held(CLOSE, self.matched));
                self.matched = 0;
            }
            State::AfterOpen | State::AfterClose | State::Plain => {}
        }
    }

    fn skip_newlines<'t>(&mut self, text: &'t str, next: State) -> &'t str {
        let rest = text.trim_start_matches(['\n', '\r']);
        if !rest.is_empty() {
            self.state = next;
        }
        rest
    }

    fn start<'t>(&mut self, text: &'t str, emit: &mut dyn FnMut(Lane, &str)) -> &'t str {
        let mut rest = text;
        if self.matched == 0 {
            rest = text.trim_start_matches([' ', '\t', '\n', '\r']);
            let space = held(text, text.len() - rest.len());
            if self.space.len() + space.len() > MAX_SPACE {
                self.give_up(emit);
                return text;
            }
            self.space.push_str(space);
        }
        let common = common_prefix(rest, OPEN, self.matched);
        let (_, tail) = rest.split_at_checked(common).unwrap_or((rest, ""));
        if self.matched + common == OPEN.len() {
            self.state = State::AfterOpen;
            self.matched = 0;
            self.space.clear();
            return tail;
        }
        if !tail.is_empty() {
            self.give_up(emit);
            return rest;
        }
        self.matched += common;
        tail
    }

    /// No tag comes: what was held is what [`Think::otherwise`] makes of it.
    fn give_up(&mut self, emit: &mut dyn FnMut(Lane, &str)) {
        self.state = self.otherwise;
        let space = core::mem::take(&mut self.space);
        let tag = held(OPEN, core::mem::take(&mut self.matched));
        self.feed(&space, emit);
        self.feed(tag, emit);
    }

    fn inside<'t>(&mut self, text: &'t str, emit: &mut dyn FnMut(Lane, &str)) -> &'t str {
        if self.matched > 0 {
            let common = common_prefix(text, CLOSE, self.matched);
            if common < text.len() && self.matched + common < CLOSE.len() {
                // `<` stands only at the front of the tag, so no shorter match can hide in what was held.
                emit(Lane::Reasoning, held(CLOSE, core::mem::take(&mut self.matched)));
                return text;
            }
            return self.matched_more(text, common);
        }
        let mut from = 0;
        while let Some(at) = text.as_bytes().get(from..).and_then(|rest| memchr(b'<', rest)).map(|at| from + at) {
            let (before, tag) = text.split_at_checked(at).unwrap_or((text, ""));
            let common = common_prefix(tag, CLOSE, 0);
            if common == CLOSE.len() || common == tag.len() {
                if !before.is_empty() {
                    emit(Lane::Reasoning, before);
                }
                return self.matched_more(tag, common);
            }
            from = at + 1;
        }
        emit(Lane::Reasoning, text);
        ""
    }

    /// `common` more bytes of [`CLOSE`] stand at the front of `text`; the rest of it, after the tag if that is whole.
    fn matched_more<'t>(&mut self, text: &'t str, common: usize) -> &'t str {
        self.matched += common;
        if self.matched == CLOSE.len() {
            self.matched = 0;
            self.state = State::AfterClose;
        }
        text.get(common..).unwrap_or("")
    }
}

fn held(text: &str, len: usize) -> &str {
    text.get(..len).unwrap_or("")
}

/// How many bytes at the front of `text` are those of `tag` from `matched` on.
fn common_prefix(text: &str, tag: &str, matched: usize) -> usize {
    text.bytes().zip(tag.bytes().skip(matched)).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(tags: ThinkTags, pieces: &[&str]) -> (String, String, bool) {
        let (mut text, mut reasoning) = (String::new(), String::new());
        let mut think = Think::new(tags);
        let mut emit = |lane, piece: &str| match lane {
            Lane::Text => text.push_str(piece),
            Lane::Reasoning => reasoning.push_str(piece),
        };
        for piece in pieces {
            think.feed(piece, &mut emit);
        }
        think.finish(&mut emit);
        (reasoning, text, think.is_open())
    }

    #[test]
    fn every_two_part_split_gives_what_the_whole_gives() {
        let wholes = [
            "<think>\nplan\n</think>\n\nanswer",
            "  \n<think>a</thin</think>b</think>",
            "<thin k>",
            " \t text",
            "<<think>",
            "</think>x",
            "<think></think>",
            "<think>\r\n\r\n</think>\r\n\r\nok",
            "\n\n\n\n\n\n\n\n\n<think>late</think>",
            "你好<think>no</think>",
            "<think>开<放",
        ];
        for tags in [ThinkTags::Auto, ThinkTags::Open, ThinkTags::Off] {
            for whole in wholes {
                let expected = run(tags, &[whole]);
                for (at, _) in whole.char_indices() {
                    let (a, b) = whole.split_at(at);
                    assert_eq!(run(tags, &[a, b]), expected, "{tags:?} {whole:?} at {at}");
                }
                let each: Vec<String> = whole.chars().map(String::from).collect();
                let each: Vec<&str> = each.iter().map(String::as_str).collect();
                assert_eq!(run(tags, &each), expected, "{tags:?} {whole:?} by character");
            }
        }
    }

    #[test]
    fn what_is_held_is_less_than_a_tag_and_some_whitespace() {
        let mut think = Think::new(ThinkTags::Auto);
        let mut out = 0;
        let whole = "        <think>abc</thinabc</thi";
        let mut most = 0;
        for (at, c) in whole.char_indices() {
            think.feed(c.encode_utf8(&mut [0; 4]), &mut |_, piece: &str| out += piece.len());
            if at >= 15 {
                most = most.max(think.matched + think.space.len());
            }
        }
        assert!(most <= 7, "{most}");
        assert_eq!(out, "abc</thinabc".len());
    }

    #[test]
    fn open_starts_inside_the_reasoning_and_drops_a_second_opening_tag() {
        assert_eq!(run(ThinkTags::Open, &["plan</think>\nanswer"]), ("plan".into(), "answer".into(), false));
        assert_eq!(run(ThinkTags::Open, &["<think>\nplan</think>answer"]), ("plan".into(), "answer".into(), false));
        assert_eq!(run(ThinkTags::Open, &["plan"]), ("plan".into(), String::new(), true));
        assert_eq!(run(ThinkTags::Open, &[]), (String::new(), String::new(), false));
    }
}
