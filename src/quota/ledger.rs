//! The truth about one key: what its purses were given of each limit.
//!
//! What was given and not given back counts as used until its window ends, whether or not anybody ever hears of it again; for slots of streams
//! until [`SLOT_TTL`] after the purse was last heard of. The sum of what is given is never more than the limit, but for what purses say they
//! have used already.

use super::decimal::decimal;
use super::unit::{Measure, Unit};
use super::window::Window;
use super::wire::{Given, Message, Told};
use crate::json::write::Object;

/// For how long a purse that is not heard of keeps its slots, in milliseconds.
pub const SLOT_TTL: u64 = 60_000;
/// Of what is left, no more than one part in so many is given beyond what somebody waits for.
const PARTS: u64 = 8;
/// How far ahead of the ledger's clock a purse's may be for the ledger to believe it, in milliseconds.
const SKEW: u64 = 2_000;
/// Most meters.
const METERS: usize = 256;
/// Most limits of all of them.
const LINES: usize = 1_024;
/// Most shares of all of them: what one purse has of one limit.
const SHARES: usize = 2_048;
/// Most shares of one limit.
const SHARES_OF_LINE: usize = 128;

/// The state of a key's limits. No clock, no I/O: the shell hands in the Unix time in milliseconds, and keeps [`Ledger::to_json`] before it
/// sends an answer on.
#[derive(Debug, Default)]
pub struct Ledger {
    now: u64,
    lines: Vec<Line>,
}

#[derive(Debug)]
struct Line {
    scope: String,
    unit: Unit,
    start: u64,
    limit: u64,
    /// Of purses that are no longer listed.
    gone: u64,
    shares: Vec<Share>,
}

#[derive(Debug, Default)]
struct Share {
    purse: String,
    seq: u64,
    seen: u64,
    gross: u64,
    back: u64,
    used: u64,
    open: u64,
}

impl Share {
    fn held(&self) -> u64 {
        self.gross.saturating_sub(self.back)
    }
}

impl Line {
    fn given(&self) -> u64 {
        self.shares.iter().fold(self.gone, |sum, share| sum.saturating_add(share.held()))
    }

    fn left(&self) -> u64 {
        self.limit.saturating_sub(self.given())
    }

    fn used(&self) -> u64 {
        self.shares.iter().fold(self.gone, |sum, share| sum.saturating_add(share.used))
    }

    /// What can be had of it in this window if all open reservations and unused leases come back.
    fn never(&self) -> u64 {
        let settled = |share: &Share| share.used.saturating_sub(share.open);
        let settled = self.shares.iter().fold(0u64, |sum, share| sum.saturating_add(settled(share)));
        self.limit.saturating_sub(settled.saturating_add(self.gone))
    }

    /// The share of a purse, made if there is none: the purse knows what it was given by a ledger that has forgotten.
    fn share(&mut self, purse: &str) -> Option<&mut Share> {
        let place = match self.shares.iter().position(|share| share.purse == purse) {
            Some(place) => place,
            None => {
                if self.shares.len() >= SHARES_OF_LINE {
                    self.fold();
                }
                self.shares.push(Share { purse: purse.to_owned(), ..Share::default() });
                self.shares.len() - 1
            }
        };
        self.shares.get_mut(place)
    }

    /// Forgets who had the share that was not heard of for longest, not that it is given.
    fn fold(&mut self) {
        let oldest = self.shares.iter().enumerate().min_by_key(|(_, share)| share.seen).map(|(place, _)| place);
        if let Some(place) = oldest {
            let share = self.shares.swap_remove(place);
            // A slot has no window's end at which it would come back.
            if self.unit.window() != Window::Now {
                self.gone = self.gone.saturating_add(share.held().max(share.used));
            }
        }
    }

    fn hear(&mut self, now: u64, purse: &str, seq: u64, told: &Told) {
        self.limit = told.limit.min(told.unit.most());
        let Some(share) = self.share(purse) else { return };
        if seq > share.seq {
            share.seq = seq;
            (share.used, share.open) = (told.used, told.open.min(told.used));
        }
        share.seen = now;
        share.back = share.back.max(told.back);
        // What is used is used, whoever gave it.
        share.gross = share.gross.max(told.gross).max(share.back.saturating_add(share.used));
    }

    /// Raises what a purse was given: to `need` if there is that much or whatever there is, further only by a part of what is left.
    fn give(&mut self, purse: &str, need: u64, want: u64) {
        let left = self.left();
        let Some(share) = self.share(purse) else { return };
        let needed = need.saturating_sub(share.gross);
        let wanted = want.saturating_sub(share.gross).min(left / PARTS);
        share.gross = share.gross.saturating_add(needed.max(wanted).min(left));
    }
}

impl Ledger {
    /// Nothing given.
    pub fn new() -> Self {
        Ledger::default()
    }

    /// Takes a purse's message and gives the answer to it; an empty object for what is no message. What somebody waits for is given on all
    /// limits or on none.
    pub fn handle(&mut self, now: u64, message: &str) -> String {
        let Some(message) = Message::<Told>::read(message) else { return String::from("{}") };
        self.advance(now.max(message.now.min(now.saturating_add(SKEW))));
        let now = self.now;
        let mut places = Vec::new();
        let mut is_enough = true;
        for told in &message.lines {
            let place = if told.unit.window().start(now) == told.start { self.place(told) } else { None };
            if let Some(line) = place.and_then(|place| self.lines.get_mut(place)) {
                line.hear(now, &message.from, message.seq, told);
                let gross = line.share(&message.from).map_or(0, |share| share.gross);
                is_enough = is_enough && told.least.saturating_sub(gross) <= line.left();
            } else {
                is_enough = is_enough && told.least == 0;
            }
            places.push(place);
        }
        let mut lines = Vec::new();
        for (told, place) in message.lines.iter().zip(places) {
            let Some(line) = place.and_then(|place| self.lines.get_mut(place)) else {
                if told.unit.window().start(now) == told.start {
                    // No room: nothing now. A window's end will make some.
                    let (scope, gross, never) = (told.scope.clone(), told.gross, told.limit);
                    lines.push(Given { scope, unit: told.unit, start: told.start, gross, left: 0, never });
                }
                continue;
            };
            if is_enough {
                line.give(&message.from, told.need, told.want);
            }
            let (left, never) = (line.left(), line.never());
            let gross = line.share(&message.from).map_or(0, |share| share.gross);
            lines.push(Given { scope: told.scope.clone(), unit: told.unit, start: told.start, gross, left, never });
        }
        self.shrink();
        Message { from: message.from, seq: message.seq, now, at: message.now, lines }.write()
    }

    /// Time never goes back here. What is over is dropped.
    fn advance(&mut self, now: u64) {
        self.now = self.now.max(now);
        let now = self.now;
        for line in &mut self.lines {
            if line.unit.window() == Window::Now {
                line.shares.retain(|share| share.seen.saturating_add(SLOT_TTL) > now);
            }
        }
        self.lines.retain(|line| match line.unit.window() {
            Window::Now => !line.shares.is_empty(),
            window => window.start(now) == line.start,
        });
    }

    /// Where the line is, made if there is room.
    fn place(&mut self, told: &Told) -> Option<usize> {
        let found = self.lines.iter().position(|line| line.unit == told.unit && line.scope == told.scope);
        if found.is_some() {
            return found;
        }
        let is_new = || !self.lines.iter().any(|line| line.scope == told.scope);
        if self.lines.len() >= LINES || (self.lines.len() >= METERS && is_new() && self.meters() >= METERS) {
            return None;
        }
        let (scope, unit, start) = (told.scope.clone(), told.unit, told.start);
        self.lines.push(Line { scope, unit, start, limit: told.limit, gone: 0, shares: Vec::new() });
        Some(self.lines.len() - 1)
    }

    fn meters(&self) -> usize {
        let mut scopes: Vec<&str> = self.lines.iter().map(|line| line.scope.as_str()).collect();
        scopes.sort_unstable();
        scopes.dedup();
        scopes.len()
    }

    fn shrink(&mut self) {
        let mut shares: usize = self.lines.iter().map(|line| line.shares.len()).sum();
        while shares > SHARES {
            let Some(line) = self.lines.iter_mut().max_by_key(|line| line.shares.len()) else { return };
            line.fold();
            shares -= 1;
        }
    }

    /// What `GET …/usage` shows: `{"meters":[…],"streams":n}`. `used` is what purses have reported, open reservations included.
    pub fn usage_json(&self, now: u64) -> String {
        let now = self.now.max(now);
        let mut meters = String::from("[");
        let mut streams = 0;
        for line in &self.lines {
            let window = line.unit.window();
            let is_slot = window == Window::Now;
            if !is_slot && window.start(now) != line.start {
                continue;
            }
            let alive = |share: &&Share| !is_slot || share.seen.saturating_add(SLOT_TTL) > now;
            let used = line.shares.iter().filter(alive).fold(line.gone, |sum, share| sum.saturating_add(share.used));
            if is_slot && line.scope.is_empty() {
                streams = used;
            }
            let mut meter = Object::new();
            let (scope, name) = line.scope.split_once(':').unwrap_or(("", ""));
            meter.string("scope", scope);
            if !scope.is_empty() {
                meter.string(scope, name);
            }
            let measure = line.unit.measure();
            meter.string("unit", measure.as_str());
            meter.string("window", window.as_str());
            let amounts = [("limit", line.limit), ("used", used), ("remaining", line.limit.saturating_sub(used))];
            for (name, amount) in amounts {
                meter.raw(name, &if measure == Measure::Spend { decimal(amount) } else { amount.to_string() });
            }
            meter.raw("resets_at", &if is_slot { String::from("null") } else { (window.end(now) / 1000).to_string() });
            meters.push_str(if meters.len() > 1 { "," } else { "" });
            meters.push_str(&meter.finish());
        }
        meters.push(']');
        let mut json = Object::new();
        json.raw("meters", &meters);
        json.number("streams", streams);
        json.finish()
    }

    /// What was used of a limit in its window as far as purses have told, and what they hold of it.
    pub fn balance(&self, scope: &str, unit: Unit) -> (u64, u64) {
        let line = self.lines.iter().find(|line| line.unit == unit && line.scope == scope);
        line.map_or((0, 0), |line| (line.used(), line.given()))
    }

    /// The state as text, for the object's storage: some hundred bytes for a usual key, 300 KB at its bounds.
    pub fn to_json(&self) -> String {
        let mut json = Object::new();
        json.number("now", self.now);
        let mut lines = String::from("[");
        for line in &self.lines {
            lines.push_str(if lines.len() > 1 { "," } else { "" });
            let mut object = Object::new();
            object.raw("line", &numbers(&[line.unit as u64, line.start, line.limit, line.gone]));
            object.string("scope", &line.scope);
            let mut shares = Object::new();
            for share in &line.shares {
                let state = [share.seq, share.seen, share.gross, share.back, share.used, share.open];
                shares.raw_named(&share.purse, &numbers(&state));
            }
            object.raw("shares", &shares.finish());
            lines.push_str(&object.finish());
        }
        lines.push(']');
        json.raw("lines", &lines);
        json.finish()
    }

    /// The state that [`Ledger::to_json`] gave; as new where the text is none. Purses tell a new ledger what they hold.
    pub fn from_json(text: &str) -> Self {
        read_state(text).unwrap_or_default()
    }
}

fn numbers(numbers: &[u64]) -> String {
    let mut text = String::from("[");
    for number in numbers {
        text.push_str(if text.len() > 1 { "," } else { "" });
        text.push_str(&number.to_string());
    }
    text.push(']');
    text
}

fn read_state(text: &str) -> Option<Ledger> {
    use super::wire::whole;
    use crate::json::cursor::{Cursor, Read, parse};
    use crate::json::string;
    fn row(raw: &str) -> Option<Vec<u64>> {
        parse::<Vec<&str>>(raw)?.iter().map(|raw| whole(raw)).collect()
    }
    let mut ledger = Ledger::new();
    let mut lines: Vec<&str> = Vec::new();
    Cursor::new(text).object(&mut |cursor, name| {
        let raw = <&str>::read(cursor)?;
        match &*name {
            "now" => ledger.now = whole(raw)?,
            "lines" => lines = parse(raw)?,
            _ => {}
        }
        Some(())
    })?;
    for raw in lines.into_iter().take(LINES) {
        let (mut head, mut scope, mut shares) = (Vec::new(), String::new(), Vec::new());
        Cursor::new(raw).object(&mut |cursor, name| {
            match &*name {
                "line" => head = row(<&str>::read(cursor)?)?,
                "scope" => scope = string::read(<&str>::read(cursor)?)?,
                "shares" => cursor.object(&mut |cursor, purse| {
                    let state = row(<&str>::read(cursor)?)?;
                    let [seq, seen, gross, back, used, open] = *state.as_slice() else { return None };
                    shares.push(Share { purse: purse.into_owned(), seq, seen, gross, back, used, open });
                    Some(())
                })?,
                _ => cursor.skip()?,
            }
            Some(())
        })?;
        let [unit, start, limit, gone] = *head.as_slice() else { return None };
        ledger.lines.push(Line { scope, unit: Unit::of(unit)?, start, limit, gone, shares });
    }
    Some(ledger)
}
