//! Looking for private data in a text that comes in pieces, and knowing at any time up to where nothing can be part of any.
//!
//! For every place where a match may begin, a thread walks its automaton; it dies with the first character that no rule could go on with.
//! Everything before the oldest living thread, and before the oldest finding that another may still beat, is decided. So what is held
//! back follows from the automaton itself: there is no second description of it, and no window.
//!
//! A rule whose secrets have no bound commits as soon as it is certain: from then on characters are swallowed until one cannot belong to
//! it. All else has a bound on its length. Everything happens character by character and depends on positions in the text only, so that
//! how the text was split cannot matter.

use super::automaton::MATCHES;
use super::finding::Finding;
use super::machine::{Machine, NAMES_RULE};
use super::ner::{Kind, Mark, Model, Tagging};
use super::rules::{Check, Start, Tail, group};
use super::symbol::normal;
use super::verify::{Candidate, verify};
use super::words::Recent;
use crate::redact::Entity;

/// Characters that are kept, to look back at: more than any match has.
const RING: usize = 512;
/// The longest match that is bounded at all.
const LONGEST: u64 = 140;
/// From here on only what has an `@` in it goes on: the rest of an e-mail address.
const LONG: u64 = 65;
/// Up to here a local part may be letters and digits alone: what is longer is a hash or a key.
const PLAIN: u64 = 33;
/// The longest row of matches that overlap before it is decided without waiting for more.
const ROW: u64 = 256;
/// How far behind a context word a number still belongs to it.
const WINDOW: u64 = 24;
/// Most characters between a word and a value that follows it.
const MOST_BETWEEN: u8 = 6;
/// So many threads are few.
const FEW: usize = 6;
/// Most threads at a time.
const THREADS: usize = 256;

/// A character, where it is and where it ends.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Symbol {
    pub(crate) c: char,
    /// How many bytes it has in the text.
    len: u8,
    at: usize,
}

/// The last characters of a text.
#[derive(Clone, Debug)]
pub(crate) struct Ring {
    symbols: Box<[Symbol; RING]>,
    /// How many there were.
    count: u64,
}

impl Ring {
    #[inline(always)]
    pub(crate) fn get(&self, index: u64) -> Option<Symbol> {
        let is_kept = index < self.count && self.count - index <= RING as u64;
        if is_kept { self.symbols.get(index as usize % RING).copied() } else { None }
    }

    pub(crate) fn char(&self, index: u64) -> Option<char> {
        self.get(index).map(|symbol| symbol.c)
    }

    #[inline(always)]
    fn push(&mut self, symbol: Symbol) {
        if let Some(place) = self.symbols.get_mut(self.count as usize % RING) {
            *place = symbol;
        }
        self.count += 1;
    }
}

#[derive(Clone, Copy, Debug)]
struct Thread {
    automaton: u8,
    start: u8,
    state: u16,
    /// Its first character.
    from: u64,
    at: usize,
    /// The groups whose word stood right before it.
    open: u64,
}

/// A secret that goes on.
#[derive(Clone, Copy, Debug)]
struct Swallow {
    finding: Finding,
    tail: Tail,
    /// How many dashes have come in a row behind `-----END`, or how much of that.
    pem: u8,
}

/// One text.
#[derive(Debug)]
pub(crate) struct Scan {
    ring: Ring,
    /// The letter that was read last.
    before: Option<u16>,
    /// How many bytes were read.
    bytes: usize,
    threads: Vec<Thread>,
    pending: Vec<Finding>,
    /// Numbers behind which a point or a comma stands: a digit behind that makes them parts of another.
    doubtful: Vec<Finding>,
    swallow: Option<Swallow>,
    /// By group: behind which character its last word ended; 0: none did.
    seen: [u64; 64],
    /// The one before that, for a word that stands within a match.
    earlier: [u64; 64],
    /// The automata that have rules for what stands near the words that were seen, and until when.
    near: u16,
    near_until: u64,
    last_break: u64,
    recent: Recent,
    /// Groups whose word has just ended, so that a value may follow.
    open: u64,
    /// The automata that have rules for such a value.
    after: u16,
    between: u8,
    is_letter_word: bool,
    names: Option<Tagging>,
    marks: Vec<Mark>,
}

impl Scan {
    pub(crate) fn new(names: Option<Tagging>) -> Scan {
        Scan {
            ring: Ring { symbols: Box::new([Symbol { c: ' ', len: 0, at: 0 }; RING]), count: 0 },
            before: None,
            bytes: 0,
            threads: Vec::new(),
            pending: Vec::new(),
            doubtful: Vec::new(),
            swallow: None,
            seen: [0; 64],
            earlier: [0; 64],
            near: 0,
            near_until: 0,
            last_break: 0,
            recent: Recent::default(),
            open: 0,
            after: 0,
            between: 0,
            is_letter_word: false,
            names,
            marks: Vec::new(),
        }
    }

    /// Reads a piece; findings that are decided are appended, in order.
    pub(crate) fn push(&mut self, machine: &Machine, model: Option<&Model>, text: &str, found: &mut Vec<Finding>) {
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if c.is_ascii_lowercase() && machine.quiet_letters {
                let run = self.run(machine, rest.as_bytes());
                if run > 0 {
                    rest = rest.get(run..).unwrap_or_default();
                    continue;
                }
            }
            let at = self.bytes;
            let len = c.len_utf8();
            rest = rest.get(len..).unwrap_or_default();
            self.bytes += len;
            if let (Some(tagging), Some(model)) = (&mut self.names, model) {
                tagging.push(model, c, at, &mut self.marks);
                if !self.marks.is_empty() {
                    self.take_marks(machine);
                }
            }
            let Some(c) = normal(c) else {
                // What nobody sees within a secret, or right behind it, goes with it.
                if let Some(swallow) = &mut self.swallow {
                    swallow.finding.end = self.bytes;
                }
                continue;
            };
            let letter = machine.alphabet.letter(c);
            self.step(machine, Symbol { c, len: len as u8, at }, letter, found);
        }
    }

    /// The text is over.
    pub(crate) fn finish(&mut self, machine: &Machine, model: Option<&Model>, found: &mut Vec<Finding>) {
        if let (Some(tagging), Some(model)) = (&mut self.names, model) {
            tagging.finish(model, &mut self.marks);
            self.take_marks(machine);
        }
        self.names = None;
        self.close(found);
        self.decide_doubts(' ');
        let mut threads = core::mem::take(&mut self.threads);
        for thread in threads.drain(..) {
            let Some(automaton) = machine.automata.get(usize::from(thread.automaton)) else { continue };
            let state = automaton.next(thread.state, automaton.class(machine.alphabet.edge()));
            for &rule in automaton.matched(state) {
                self.accept(machine, thread, rule, self.ring.count);
            }
        }
        self.settle(found);
    }

    /// Up to which byte everything is decided: what was found there has been said.
    pub(crate) fn decided(&self) -> usize {
        let mut upto = self.threads.first().map_or(self.bytes, |thread| thread.at);
        for thread in &self.threads {
            upto = upto.min(thread.at);
        }
        if let Some(finding) = self.pending.first() {
            upto = upto.min(finding.start);
        }
        for finding in &self.doubtful {
            upto = upto.min(finding.start);
        }
        if let Some(swallow) = &self.swallow {
            upto = upto.min(swallow.finding.start);
        }
        upto.min(self.names.as_ref().and_then(Tagging::held_from).unwrap_or(usize::MAX))
    }

    /// A secret that has begun and goes on: it is certain, its end is not known yet.
    pub(crate) fn open(&self) -> Option<Finding> {
        self.swallow.map(|swallow| swallow.finding)
    }

    #[inline(always)]
    fn step(&mut self, machine: &Machine, symbol: Symbol, letter: u16, found: &mut Vec<Finding>) {
        if self.swallow.is_some() && self.swallowed(symbol) {
            self.ring.push(symbol);
            self.before = Some(letter);
            return;
        }
        if self.swallow.is_some() {
            self.close(found);
        }
        let index = self.ring.count;
        let before = self.before.replace(letter).unwrap_or(machine.alphabet.edge());
        self.ring.push(symbol);
        if !self.doubtful.is_empty() {
            self.decide_doubts(symbol.c);
        }
        if !self.threads.is_empty() {
            self.advance(machine, letter, index);
        }
        if self.swallow.is_none() {
            self.begin(machine, symbol, letter, index, before);
            self.advance_context(machine, symbol.c, index);
        } else {
            self.open = 0;
            self.after = 0;
        }
        if !self.pending.is_empty() {
            self.settle(found);
        }
    }

    /// Lets every thread read a character.
    fn advance(&mut self, machine: &Machine, letter: u16, index: u64) {
        let mut kept = 0;
        for at in 0..self.threads.len() {
            let Some(mut thread) = self.threads.get(at).copied() else { break };
            let Some(automaton) = machine.automata.get(usize::from(thread.automaton)) else { continue };
            thread.state = automaton.next(thread.state, automaton.class(letter));
            if thread.state == super::compile::DEAD {
                continue;
            }
            let matched = if thread.state & MATCHES == 0 { &[] } else { automaton.matched(thread.state) };
            for &rule in matched {
                self.accept(machine, thread, rule, index);
                if self.swallow.is_some() {
                    // Certain: whatever else was possible here is not.
                    self.threads.clear();
                    return;
                }
            }
            let length = index + 1 - thread.from;
            if length >= LONGEST
                || length == LONG && !self.has(thread.from, index, |c| c == '@')
                || length == PLAIN && !self.has(thread.from, index, |c| !c.is_ascii_alphanumeric())
            {
                continue;
            }
            if let Some(place) = self.threads.get_mut(kept) {
                *place = thread;
                kept += 1;
            }
        }
        self.threads.truncate(kept);
    }

    /// Lets a few threads read a letter, unless one of them has more to do than to go on or to die.
    #[inline(always)]
    fn advance_quietly(&mut self, machine: &Machine, letter: u16) -> bool {
        let mut states = [super::compile::DEAD; FEW];
        let mut alive = 0;
        for (thread, state) in self.threads.iter().zip(&mut states) {
            let length = self.ring.count + 1 - thread.from;
            let Some(automaton) = machine.automata.get(usize::from(thread.automaton)) else { return false };
            *state = automaton.next(thread.state, automaton.class(letter));
            if *state & MATCHES != 0 || length == PLAIN || length >= LONG {
                return false;
            }
            alive += usize::from(*state != super::compile::DEAD);
        }
        for (thread, state) in self.threads.iter_mut().zip(states) {
            thread.state = state;
        }
        if alive < self.threads.len() {
            self.threads.retain(|thread| thread.state != super::compile::DEAD);
        }
        true
    }

    /// Reads small letters within a word, as long as they concern nothing but a few threads: how many.
    #[inline(always)]
    fn run(&mut self, machine: &Machine, text: &[u8]) -> usize {
        let is_quiet = self.near == 0
            && self.open == 0
            && self.threads.len() <= FEW
            && self.pending.is_empty()
            && self.doubtful.is_empty()
            && self.swallow.is_none()
            && self.names.is_none()
            && self.before.is_some_and(|before| machine.is_small(before));
        if !is_quiet {
            return 0;
        }
        let mut read = 0;
        for byte in text.iter().take_while(|byte| byte.is_ascii_lowercase()) {
            let c = char::from(*byte);
            let mut recent = self.recent;
            recent.push(c);
            if machine.words.may_end(recent) {
                break;
            }
            let letter = machine.alphabet.letter(c);
            if !self.threads.is_empty() && !self.advance_quietly(machine, letter) {
                break;
            }
            self.recent = recent;
            self.before = Some(letter);
            self.ring.push(Symbol { c, len: 1, at: self.bytes });
            self.bytes += 1;
            read += 1;
        }
        read
    }

    fn has(&self, from: u64, to: u64, what: impl Fn(char) -> bool) -> bool {
        (from..=to).any(|index| self.ring.char(index).is_some_and(&what))
    }

    /// Begins a thread in each automaton in which a match may begin here.
    #[inline(always)]
    fn begin(&mut self, machine: &Machine, symbol: Symbol, letter: u16, index: u64, before: u16) {
        let begins = machine.sides(letter).begins;
        let follows = machine.sides(before).follows;
        // Behind a word of letters something must part the value from it: `tokens` is another word.
        let is_parted = self.between > 0 || !self.is_letter_word || !symbol.c.is_ascii_alphabetic();
        let after = if is_parted { self.after } else { 0 };
        let asked = [u16::MAX, self.near, after];
        for (start, (begins, follows)) in begins.into_iter().zip(follows).enumerate() {
            let mask = begins & follows & asked.get(start).copied().unwrap_or(0);
            if mask != 0 {
                let thread =
                    Thread { automaton: 0, start: start as u8, state: 0, from: index, at: symbol.at, open: self.open };
                self.begin_in(machine, thread, letter, before, mask);
            }
        }
    }

    #[inline(never)]
    fn begin_in(&mut self, machine: &Machine, thread: Thread, letter: u16, before: u16, mut mask: u16) {
        while mask != 0 {
            let which = mask.trailing_zeros();
            mask &= mask - 1;
            let Some(automaton) = machine.automata.get(which as usize) else { continue };
            let first = automaton.begin(usize::from(thread.start), automaton.class(before));
            let state = automaton.next(first, automaton.class(letter));
            if state != super::compile::DEAD && self.threads.len() < THREADS {
                self.threads.push(Thread { automaton: which as u8, state, ..thread });
            }
        }
    }

    /// A rule matched what a thread has read, up to (without) the character at `index`; of a rule that commits, with it.
    fn accept(&mut self, machine: &Machine, thread: Thread, rule: u16, index: u64) {
        let Some(live) = machine.rules.get(usize::from(rule)).filter(|live| !live.off) else { return };
        let to = if live.tail.is_some() { index + 1 } else { index };
        let (near, against) = self.context(live.context, thread.from);
        let context = near || thread.open & live.context != 0;
        if live.start == Start::Near && !context || live.start == Start::After && thread.open & live.context == 0 {
            return;
        }
        let candidate = Candidate { ring: &self.ring, from: thread.from, to, context };
        let Some(mut verdict) = verify(live.check, &candidate) else { return };
        if live.tail.is_some() {
            // It goes on: nothing of it is behind its end.
            verdict.to = to;
        }
        let mut score = i32::from(live.base) + i32::from(verdict.bonus);
        if live.start != Start::After {
            score += if context { 25 } else { 0 } - if against { 35 } else { 0 };
        }
        let is_nothing = live.entity.is_none();
        if score < i32::from(machine.threshold) && !is_nothing {
            return;
        }
        let (Some(first), Some(last)) = (self.ring.get(verdict.from), self.ring.get(verdict.to.wrapping_sub(1))) else {
            return;
        };
        // What is nothing private takes the place of an entity that `take` leaves out.
        let entity = live.entity.unwrap_or(NOTHING);
        let score = score.clamp(1, 100) as u8;
        let finding = Finding { entity, rule, score, start: first.at, end: last.at + usize::from(last.len) };
        if !machine.allow.is_empty() && candidate.is_allowed(&verdict, &machine.allow) {
            self.keep(Finding { entity: NOTHING, score: 100, ..finding });
            return;
        }
        match live.tail {
            Some(tail) => {
                self.decide_doubts(' ');
                self.pending.retain(|other| other.end <= finding.start);
                self.swallow = Some(Swallow { finding, tail, pem: 0 });
            }
            None if is_number(live.check) && matches!(self.ring.char(to), Some('.' | ',')) => {
                self.doubtful.push(finding)
            }
            None => self.keep(finding),
        }
    }

    /// The character behind the point or comma behind a number.
    fn decide_doubts(&mut self, c: char) {
        for finding in core::mem::take(&mut self.doubtful) {
            if !c.is_ascii_digit() {
                self.keep(finding);
            }
        }
    }

    /// Keeps a finding until nothing can beat it, in order of place.
    fn keep(&mut self, finding: Finding) {
        if self.pending.contains(&finding) || self.pending.len() > RING {
            return;
        }
        let at = self.pending.partition_point(|other| other.start <= finding.start);
        self.pending.insert(at, finding);
    }

    /// Whether a word of these groups stands before a match, and whether one that speaks against it does, and is nearer.
    fn context(&self, groups: u64, from: u64) -> (bool, bool) {
        let last = |groups: u64| {
            let both = self.seen.iter().zip(&self.earlier).enumerate();
            let asked = both.filter(|(bit, _)| groups >> bit & 1 == 1);
            asked.map(|(_, (seen, earlier))| if *seen <= from { *seen } else { *earlier }).max().unwrap_or(0)
        };
        let is_near = |seen: u64| seen > 0 && seen <= from && from - seen <= WINDOW;
        let (helps, hurts) = (last(groups), last(group::NOT));
        let against = is_near(hurts) && hurts > self.last_break && hurts > helps;
        (is_near(helps), against)
    }

    /// Which words have ended, what may follow.
    #[inline(always)]
    fn advance_context(&mut self, machine: &Machine, c: char, index: u64) {
        self.recent.push(c);
        if self.near != 0 && index + 1 > self.near_until {
            self.near = 0;
        }
        if machine.words.may_end(self.recent) {
            return self.end_word(machine, index);
        }
        if self.open != 0 {
            self.between += 1;
            if !is_between(c) || self.between > MOST_BETWEEN {
                self.open = 0;
                self.after = 0;
            }
        }
        if matches!(c, '\n' | ',' | ';' | '，' | '。' | '；' | '！' | '？') {
            self.last_break = index + 1;
        }
    }

    #[inline(never)]
    fn end_word(&mut self, machine: &Machine, index: u64) {
        let ring = &self.ring;
        let groups = machine.words.ending(|back| index.checked_sub(back as u64).and_then(|at| ring.char(at)));
        if groups == 0 {
            if self.open != 0 {
                self.between += 1;
                let stays = self.ring.char(index).is_some_and(is_between) && self.between <= MOST_BETWEEN;
                if !stays {
                    self.open = 0;
                    self.after = 0;
                }
            }
            return;
        }
        for (bit, (seen, earlier)) in self.seen.iter_mut().zip(&mut self.earlier).enumerate() {
            if groups >> bit & 1 == 1 {
                *earlier = *seen;
                *seen = index + 1;
            }
        }
        let (near, after) = machine.asked(groups);
        if near != 0 {
            self.near |= near;
            self.near_until = index + WINDOW;
        }
        self.is_letter_word = self.ring.char(index).is_some_and(|c| c.is_ascii_alphanumeric());
        self.open |= groups;
        self.after |= after;
        self.between = 0;
    }

    /// Decides what no thread can change any more.
    fn settle(&mut self, found: &mut Vec<Finding>) {
        while let Some(first) = self.pending.first().copied() {
            // Those that overlap, one with the next.
            let mut end = first.end;
            let mut count = 0;
            for finding in &self.pending {
                if finding.start >= end {
                    break;
                }
                end = end.max(finding.end);
                count += 1;
            }
            let held = self.names.as_ref().and_then(Tagging::held_from).unwrap_or(usize::MAX);
            let doubtful = self.doubtful.iter().map(|finding| finding.start).fold(held, usize::min);
            let open = self.threads.iter().map(|thread| thread.at).fold(doubtful, usize::min);
            if open < end {
                if (self.bytes - first.start) < ROW as usize * 4 {
                    return;
                }
                self.threads.retain(|thread| thread.at >= end);
                self.doubtful.retain(|finding| finding.start >= end);
            }
            let mut row: Vec<Finding> = self.pending.drain(..count).collect();
            while let Some(best) = best(&row) {
                row.retain(|other| other.end <= best.start || best.end <= other.start);
                let at = found.partition_point(|other| other.start <= best.start);
                if best.entity != NOTHING {
                    found.insert(at, best);
                }
            }
        }
    }

    /// Whether a character belongs to the secret that goes on.
    fn swallowed(&mut self, symbol: Symbol) -> bool {
        let Some(swallow) = &mut self.swallow else { return false };
        let c = symbol.c;
        let belongs = match swallow.tail {
            Tail::Key => c.is_ascii_alphanumeric() || matches!(c, '_' | '-'),
            Tail::Token => c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '~' | '+' | '/' | '='),
            Tail::Solid => {
                !c.is_whitespace()
                    && !matches!(c, '"' | '\'' | '`' | '<' | '>' | ',' | ';' | '(' | ')' | '{' | '}' | '[' | ']')
                    && (c.is_ascii() || c.is_alphabetic() && !super::symbol::is_han(c))
            }
            Tail::Pem => {
                const END: &[u8] = b"-----END";
                let at = usize::from(swallow.pem);
                let is_end = at > END.len() + 4;
                // How much of the end line was seen: `-----END`, anything, five dashes.
                swallow.pem = match END.get(at) {
                    Some(wanted) if c as u32 == u32::from(*wanted) => swallow.pem + 1,
                    Some(_) if c == '-' => at.clamp(1, 5) as u8,
                    Some(_) => 0,
                    None if c == '-' => swallow.pem + 1,
                    None => swallow.pem,
                };
                !is_end
            }
        };
        if belongs {
            swallow.finding.end = symbol.at + usize::from(symbol.len);
        }
        belongs
    }

    /// The secret that went on is over.
    fn close(&mut self, found: &mut Vec<Finding>) {
        if let Some(swallow) = self.swallow.take() {
            self.settle(found);
            found.push(swallow.finding);
        }
    }

    /// What the model for names found competes with the rules' findings.
    fn take_marks(&mut self, machine: &Machine) {
        for mark in core::mem::take(&mut self.marks) {
            let entity = match mark.kind {
                Kind::Person => Entity::Person,
                Kind::Place => Entity::Address,
                Kind::Organisation => Entity::Org,
            };
            if mark.score >= machine.threshold && machine.names(entity) && self.swallow.is_none() {
                // Below what a rule is sure of, so that a number within a name is the number's.
                let score = mark.score.min(54);
                self.keep(Finding { entity, rule: NAMES_RULE, score, start: mark.start, end: mark.end });
            }
        }
    }
}

/// Stands for nothing private, until it is left out: no policy has as many rules of its own.
const NOTHING: Entity = Entity::Custom(u16::MAX);

/// Whether what a rule matches is a number of one piece, so that a decimal fraction is not.
fn is_number(check: Check) -> bool {
    use Check::{Card, CardShape, IdCn, IdCn15, Imei, Imsi, IotCn, LandlineCn, MobileCn, Moid, PhoneIntl};
    matches!(check, Card | CardShape | IdCn | IdCn15 | Imei | Imsi | IotCn | LandlineCn | MobileCn | Moid | PhoneIntl)
}

/// The best of a row: by score, then length, then place.
fn best(row: &[Finding]) -> Option<Finding> {
    let mut best: Option<Finding> = None;
    for finding in row {
        let key = |of: &Finding| (of.score, of.end - of.start, usize::MAX - of.start);
        if best.is_none_or(|best| key(finding) > key(&best)) {
            best = Some(*finding);
        }
    }
    best
}

/// What may stand between a word and its value.
fn is_between(c: char) -> bool {
    matches!(
        c,
        ' ' | ':'
            | '='
            | '"'
            | '\''
            | '`'
            | '('
            | '['
            | '<'
            | '>'
            | '*'
            | '-'
            | '\t'
            | '是'
            | '为'
            | '号'
            | '码'
            | '叫'
            | '「'
            | '“'
            | '‘'
            | '【'
            | '|'
            | '了'
    )
}
