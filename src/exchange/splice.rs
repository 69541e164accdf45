//! Joins the text of a continued answer to the text that was shown: nothing twice, nothing lost.
//!
//! | way | the new text | what is done |
//! |---|---|---|
//! | prefix, prefill | goes on | passed on at once |
//! | | repeats all that was shown, as some servers do | the echo is cut |
//! | anchor | begins with the anchor, maybe behind a few words of preface | cut up to the anchor's end |
//! | | begins with another end of what was shown, of 6 characters or 3 ideographs at least | the longest such end is cut |
//! | | begins as what was shown began | cut as far as the two are the same |
//! | | anything else | passed on as it came |
//!
//! The rows are tried in this order. An anchor is found whatever whitespace it is written with, and the first place counts. What no rule can tell apart is a new
//! text that goes on with the very words that it might as well repeat: then it is taken as repeated, for that is what was asked
//! for. With a prefix nothing was asked for, so there a text that runs in circles (its shortest period is at most half of it) is taken as going on.
//!
//! Only an anchor holds text back, and no more than 512 bytes of it; the result does not depend on how the text is cut into chunks. The time is
//! linear in both texts: each character of the new one is compared with at most as many places as are held back.

use crate::request::{ContinueBy, anchor, weight};

/// Bytes held back before it is decided without knowing more. Room for a preface and the longest anchor; an end of the shown text that is
/// longer than this and repeated has the anchor in its first part or is no repetition.
const HOLD: usize = 512;
/// Bytes that may come before the anchor, and are dropped with it: quotes, `…`, a fence, "Continuing:".
const PREFACE: usize = 96;
/// The least [`weight`] of a repetition that nobody asked for: 6 characters, 3 ideographs.
const LEAST: usize = 6;
/// The least [`weight`] of an answer whose repetition by a prefix is an echo.
const LEAST_ECHO: usize = 24;
/// Bytes of an answer that are looked at for a period.
const PERIOD: usize = 4096;

/// How the new text joined the old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seam {
    /// The upstream went on by itself: there was nothing to match.
    Exact,
    /// So many bytes of the new text were a repetition (or a preface to one) and were dropped.
    Overlap(usize),
    /// Nothing matched: the new text was passed on as it came.
    None,
}

/// The joint of one continuation.
pub struct Splice {
    shown: String,
    /// Where the whitespace at the end of `shown` starts.
    trimmed: usize,
    state: State,
    seam: Seam,
    fell_short: bool,
}

enum State {
    /// The new text is the shown text from `from` up to here.
    Echo {
        from: usize,
        at: usize,
    },
    /// Held back, undecided.
    Held(Held),
    /// The answer was begun anew; so far it is the shown text up to here.
    Again {
        at: usize,
    },
    /// Behind the anchor: whitespace that stands in the shown text from here on is dropped.
    Space {
        at: usize,
    },
    Through,
}

impl core::fmt::Debug for Splice {
    /// Without texts: they are a conversation.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Splice").field("shown", &self.shown.len()).field("seam", &self.seam()).finish()
    }
}

impl Seam {
    /// How the texts were joined, for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Seam::Exact => "by prefix",
            Seam::Overlap(_) => "joined where the words repeat",
            Seam::None => "joined without an overlap: the seam may show",
        }
    }
}

impl Splice {
    /// For a continuation of `shown`, all that the caller has of the answer's text.
    pub fn new(shown: &str, by: ContinueBy) -> Self {
        let (state, seam) = match by {
            ContinueBy::Prefix | ContinueBy::Prefill if could_be_echoed(shown) => {
                (State::Echo { from: 0, at: 0 }, Seam::Exact)
            }
            ContinueBy::Prefix | ContinueBy::Prefill => (State::Through, Seam::Exact),
            ContinueBy::Anchor if !anchor(shown).is_empty() => (State::Held(Held::new(shown)), Seam::None),
            ContinueBy::Anchor | ContinueBy::Off => (State::Through, Seam::None),
        };
        let shown = if matches!(state, State::Through) { String::new() } else { shown.to_owned() };
        Splice { trimmed: shown.trim_end().len(), shown, state, seam, fell_short: false }
    }

    /// Takes more of the new text; what is to be shown of it is appended to `out`.
    pub fn feed(&mut self, text: &str, out: &mut String) {
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if matches!(self.state, State::Through) {
                out.push_str(rest);
                return;
            }
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
            self.take(c, out);
        }
    }

    /// How the texts joined, as soon as it is decided.
    pub fn seam(&self) -> Option<Seam> {
        match &self.state {
            State::Held(_) | State::Echo { .. } | State::Again { .. } => None,
            State::Space { .. } | State::Through => Some(self.seam),
        }
    }

    /// Whether the new text ended within a repetition of less than was asked for, so that what follows never came. Known after [`Splice::finish`].
    ///
    /// A weak model copies a few words and stops there; one that repeats all of the anchor and stops says that nothing is missing.
    pub fn fell_short(&self) -> bool {
        self.fell_short
    }

    /// Decides with what has come, at the end of the new text or before; what is still held back is appended to `out` or dropped. What is
    /// fed afterwards is passed on as it comes.
    ///
    /// A new text that broke off within a repetition has nothing new, and all of it is dropped.
    pub fn finish(&mut self, out: &mut String) -> Seam {
        match core::mem::replace(&mut self.state, State::Through) {
            // An echo is the exception; what is none yet is a short answer that happens to begin alike.
            State::Echo { from, at } => out.push_str(self.shown.get(from..at).unwrap_or_default()),
            State::Held(held) => {
                let verdict = held.last_verdict();
                let said = held.text.trim();
                self.fell_short = matches!(verdict, Verdict::Cut(end) if end >= held.text.trim_end().len())
                    && said.len() < anchor(&self.shown).len();
                self.decide(held, verdict, out);
            }
            State::Again { at } => self.seam = Seam::Overlap(at),
            State::Space { .. } | State::Through => {}
        }
        self.state = State::Through;
        self.shown = String::new();
        self.seam
    }

    fn take(&mut self, c: char, out: &mut String) {
        match &mut self.state {
            State::Through => out.push(c),
            State::Echo { from, at } => {
                if *at == 0 && !self.shown.starts_with(c) {
                    // Some servers trim what they repeat.
                    *from = self.shown.len() - self.shown.trim_start().len();
                    *at = *from;
                }
                if follows(&self.shown, *at, c) {
                    *at += c.len_utf8();
                    if *at == self.shown.len() {
                        self.seam = Seam::Overlap(*at - *from);
                        self.state = State::Through;
                    }
                } else {
                    out.push_str(self.shown.get(*from..*at).unwrap_or_default());
                    out.push(c);
                    self.state = State::Through;
                }
            }
            State::Held(held) => {
                let Some(verdict) = held.take(&self.shown, self.trimmed, c) else { return };
                if let State::Held(held) = core::mem::replace(&mut self.state, State::Through) {
                    self.decide(held, verdict, out);
                }
            }
            State::Again { at } => {
                if *at < self.shown.len() && follows(&self.shown, *at, c) {
                    *at += c.len_utf8();
                } else {
                    self.seam = Seam::Overlap(*at);
                    self.state = State::Through;
                    out.push(c);
                }
            }
            State::Space { at } => {
                if follows(&self.shown, *at, c) {
                    *at += c.len_utf8();
                    if let Seam::Overlap(dropped) = &mut self.seam {
                        *dropped += c.len_utf8();
                    }
                } else {
                    self.state = State::Through;
                    out.push(c);
                }
            }
        }
    }

    fn decide(&mut self, held: Held, verdict: Verdict, out: &mut String) {
        match verdict {
            Verdict::Pass => {
                self.state = State::Through;
                out.push_str(&held.text);
            }
            Verdict::Again => self.state = State::Again { at: held.text.len() },
            Verdict::Cut(end) => {
                self.seam = Seam::Overlap(end);
                self.state = State::Space { at: self.trimmed };
                self.feed(held.text.get(end..).unwrap_or_default(), out);
            }
        }
    }
}

/// Whether `c` stands at `at`.
fn follows(text: &str, at: usize, c: char) -> bool {
    text.get(at..).is_some_and(|rest| rest.starts_with(c))
}

enum Verdict {
    /// Nothing matches.
    Pass,
    /// Everything up to here is a repetition.
    Cut(usize),
    /// The answer begins anew.
    Again,
}

/// New text that is not decided yet, and what it may still turn out to be.
struct Held {
    text: String,
    /// The anchor without whitespace.
    anchor: Vec<char>,
    /// The places where the anchor may have begun: the byte, and how much of it has come.
    begun: Vec<(usize, usize)>,
    /// The bytes that may come before the anchor: none, if it tells too little.
    preface: usize,
    /// The places of the shown text from which the held text is a repetition so far.
    places: Vec<usize>,
    /// The longest end of the shown text that the held text begins with.
    longest: usize,
    /// Whether the shown text begins with the held one.
    again: bool,
}

impl Held {
    fn new(shown: &str) -> Self {
        let trimmed = shown.trim_end();
        let anchor = anchor(shown);
        let preface = if weight(anchor) >= LEAST { PREFACE } else { 0 };
        let first = trimmed.len().saturating_sub(HOLD);
        let places = trimmed.char_indices().rev().map(|(at, _)| at).take_while(|at| *at >= first).collect();
        let anchor = anchor.chars().filter(|c| !c.is_whitespace()).collect();
        Held { text: String::new(), anchor, begun: Vec::new(), preface, places, longest: 0, again: true }
    }

    /// Takes one more character; a verdict, if that settles it.
    fn take(&mut self, shown: &str, trimmed: usize, c: char) -> Option<Verdict> {
        let at = self.text.len();
        self.text.push(c);
        let end = self.text.len();
        if !c.is_whitespace() {
            let only_space = self.text.get(..at).is_none_or(|before| before.trim_start().is_empty());
            if at <= self.preface || only_space {
                self.begun.push((at, 0));
            }
            let anchor = &self.anchor;
            self.begun.retain_mut(|(_, known)| {
                let same = anchor.get(*known) == Some(&c);
                *known += 1;
                same
            });
            if self.begun.iter().any(|(_, known)| *known == anchor.len()) {
                return Some(Verdict::Cut(end));
            }
        }
        let mut whole = false;
        self.places.retain(|place| {
            let same = follows(shown, place + at, c);
            whole |= same && place + end == trimmed;
            same
        });
        if whole {
            self.longest = end;
        }
        self.again &= follows(shown, at, c) && end <= trimmed;
        if end >= HOLD {
            return Some(if self.again { Verdict::Again } else { self.by_longest() });
        }
        // Whitespace before the anchor decides nothing.
        let is_blank = self.text.trim_start().is_empty();
        let open = is_blank || !self.begun.is_empty() || end <= self.preface || !self.places.is_empty() || self.again;
        (!open).then(|| self.by_longest())
    }

    fn by_longest(&self) -> Verdict {
        let repeated = self.text.get(..self.longest).unwrap_or_default();
        if self.longest > 0 && weight(repeated) >= LEAST { Verdict::Cut(self.longest) } else { Verdict::Pass }
    }

    /// The verdict where nothing more comes: a repetition that is not complete has nothing new.
    fn last_verdict(&self) -> Verdict {
        let first = self.text.len() - self.text.trim_start().len();
        let asked = self.begun.iter().any(|(at, known)| *at == first || *known >= LEAST);
        let unasked = (!self.places.is_empty() || self.again) && weight(&self.text) >= LEAST;
        if asked || unasked { Verdict::Cut(self.text.len()) } else { self.by_longest() }
    }
}

/// Whether an answer that a continuation begins with would be an echo: not so if it is short, or runs in circles and may do so once more.
fn could_be_echoed(shown: &str) -> bool {
    if weight(shown.trim()) < LEAST_ECHO {
        return false;
    }
    let bytes = shown.as_bytes();
    let bytes = bytes.get(..PERIOD).unwrap_or(bytes);
    // The longest border of each beginning, by Knuth, Morris and Pratt: the shortest period is what is left of it.
    let mut borders: Vec<usize> = vec![0];
    let mut border = 0;
    for byte in bytes.iter().skip(1) {
        while border > 0 && bytes.get(border) != Some(byte) {
            border = borders.get(border - 1).copied().unwrap_or(0);
        }
        border += usize::from(bytes.get(border) == Some(byte));
        borders.push(border);
    }
    (bytes.len() - border) * 2 > bytes.len()
}
