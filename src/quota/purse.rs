//! An isolate's part of one key's limits.

use super::limits::Meter;
use super::line::Line;
use super::price::Price;
use super::refusal::{Cause, Refusal};
use super::unit::{Measure, Unit};
use super::wire::{self, Given, Message};

/// Most limits that a purse keeps; those of windows that are over make room.
const LINES: usize = 1_024;
/// How long an answer may take before somebody asks again, in milliseconds.
const PATIENCE: u64 = 5_000;
/// How long what was used may stay untold, in milliseconds.
const SILENCE: u64 = 30_000;
/// How long between two messages that only ask for more, in milliseconds.
const PAUSE: u64 = 1_000;

/// What a request may use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// At what it is counted: [`super::Limits::meters`], and an address's.
    pub meters: Vec<Meter>,
    /// How many requests it is: 1, or the prompts of a batch.
    pub requests: u64,
    /// Tokens of the prompt, estimated.
    pub prompt: u64,
    /// The longest answer that it asks for, in tokens, all choices together.
    pub completion: u64,
    /// The shortest answer worth having: where less is left of a budget the request is refused. `completion` for one that must not be cut.
    pub floor: u64,
    /// What tokens cost; without it the request is counted as free.
    pub price: Option<Price>,
    /// Whether it takes a slot of `concurrent_streams`.
    pub stream: bool,
}

impl Demand {
    fn amount(&self, unit: Unit, completion: u64) -> u64 {
        match unit.measure() {
            Measure::Requests => self.requests,
            Measure::Tokens => self.prompt.saturating_add(completion),
            Measure::Spend => self.price.map_or(0, |price| price.cost(self.prompt, 0, completion)),
            Measure::Streams => u64::from(self.stream),
        }
    }

    /// The longest answer that `free` of a limit is enough for.
    fn covered(&self, unit: Unit, free: u64) -> u64 {
        match (unit.measure(), self.price) {
            (Measure::Tokens, _) => free.saturating_sub(self.prompt),
            (Measure::Spend, Some(price)) => price.covers(free, self.prompt),
            _ => u64::MAX,
        }
    }
}

/// What a call came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Actual {
    /// Tokens of the prompt and the answer.
    pub tokens: u64,
    /// Their cost in micro-units.
    pub cost: u64,
}

impl Actual {
    /// By the counts of an upstream, cut to what is believable.
    pub fn of(price: Option<&Price>, prompt: u64, cached: u64, completion: u64) -> Self {
        let most = super::price::MOST_TOKENS;
        let tokens = prompt.min(most).saturating_add(completion.min(most));
        Actual { tokens, cost: price.map_or(0, |price| price.cost(prompt, cached, completion)) }
    }
}

/// What is set aside for a call until it is settled or released. One that is dropped counts as used as it was reserved.
#[derive(Debug)]
#[must_use = "a reservation is settled or released"]
pub struct Reservation {
    taken: Vec<Taken>,
    covers: Option<u64>,
}

#[derive(Debug)]
struct Taken {
    line: u32,
    start: u64,
    amount: u64,
}

impl Reservation {
    /// Of a call that nothing limits.
    pub fn none() -> Self {
        Reservation { taken: Vec::new(), covers: None }
    }

    /// The longest answer, in tokens, that it pays for, if any limit of tokens or spend applies. To be given to the exchange as the most that
    /// the call may generate ([`crate::exchange::Recovery::tokens`]), so that a stream ends where the budget does.
    pub fn covers(&self) -> Option<u64> {
        self.covers
    }
}

/// What becomes of a request.
#[derive(Debug)]
#[must_use = "a verdict says what to do"]
pub enum Verdict {
    /// It may go.
    Admitted(Reservation),
    /// This is to be sent to the ledger, its answer given to [`Purse::adopt`], and the request reserved again.
    Ask(String),
    /// An ask is on its way: when its answer has been adopted (or it has failed), the request is reserved again.
    Wait,
    /// It may not.
    Refused(Refusal),
}

/// An isolate's part of one key's limits: what it was given of each, and what of that is used.
#[derive(Debug)]
pub struct Purse {
    name: String,
    seq: u64,
    /// The latest time that is known, by our clock or the ledger's.
    now: u64,
    lines: Vec<Line>,
    next: u32,
    open: u32,
    asking: Option<(u64, u64)>,
    reporting: Option<u64>,
    spoke: u64,
}

impl Purse {
    /// An empty one. No two purses of a key may ever have the same name, not one after the other either: random, at most 64 bytes.
    pub fn new(name: &str) -> Self {
        let name = name.chars().take(64).collect();
        Purse { name, seq: 0, now: 0, lines: Vec::new(), next: 0, open: 0, asking: None, reporting: None, spoke: 0 }
    }

    /// How many reservations are open.
    pub fn open(&self) -> u32 {
        self.open
    }

    /// Sets aside what a request may use, if there is as much. `now` is the Unix time in milliseconds.
    pub fn reserve(&mut self, now: u64, demand: &Demand) -> Verdict {
        let now = self.tick(now);
        let Some(wanted) = self.lines_of(now, demand) else {
            return Verdict::Refused(Refusal { cause: Cause::Full, ..Refusal::default() });
        };
        let mut refused: Option<Refusal> = None;
        let mut completion = demand.completion;
        let mut must_ask = false;
        for &place in &wanted {
            let Some(line) = self.lines.get(place) else { continue };
            let least = demand.amount(line.unit, demand.floor.min(demand.completion));
            let full = demand.amount(line.unit, demand.completion);
            let free = line.free();
            let is_too_large = least > line.limit && line.limit > 0 && line.unit.measure() != Measure::Streams;
            if is_too_large || line.refuses(now, least) {
                let refusal = Refusal {
                    cause: if is_too_large { Cause::TooLarge } else { Cause::Exhausted },
                    scope: line.scope.clone(),
                    unit: line.unit,
                    limit: line.limit,
                    used: line.limit.saturating_sub(line.remaining()),
                    requested: least,
                    resets_in: line.wait(now),
                };
                if refused.as_ref().is_none_or(|before| before.is_milder_than(&refusal)) {
                    refused = Some(refusal);
                }
                continue;
            }
            if free < full {
                // Less than all of it only where no more is to be had.
                let is_partial = free >= least && (line.is_dry(now) || free >= line.limit);
                must_ask = must_ask || !is_partial;
                completion = completion.min(demand.covered(line.unit, free));
            }
        }
        if let Some(refusal) = refused {
            return Verdict::Refused(refusal);
        }
        if must_ask {
            self.ask(now, demand, &wanted)
        } else {
            Verdict::Admitted(self.take(now, demand, &wanted, completion))
        }
    }

    fn take(&mut self, now: u64, demand: &Demand, wanted: &[usize], completion: u64) -> Reservation {
        let mut reservation = Reservation { taken: Vec::with_capacity(wanted.len()), covers: None };
        for &place in wanted {
            let Some(line) = self.lines.get_mut(place) else { continue };
            let amount = demand.amount(line.unit, completion);
            if matches!(line.unit.measure(), Measure::Tokens | Measure::Spend) {
                reservation.covers = Some(completion);
            }
            line.take(now, amount);
            reservation.taken.push(Taken { line: line.id, start: line.start, amount });
        }
        self.open = self.open.saturating_add(1);
        reservation
    }

    fn ask(&mut self, now: u64, demand: &Demand, wanted: &[usize]) -> Verdict {
        if self.asking.is_some_and(|(_, since)| now.saturating_sub(since) < PATIENCE) {
            for &place in wanted {
                if let Some(line) = self.lines.get_mut(place) {
                    line.waiting = line.waiting.saturating_add(demand.amount(line.unit, demand.completion));
                }
            }
            return Verdict::Wait;
        }
        let floor = demand.floor.min(demand.completion);
        let mut told = Vec::new();
        for &place in wanted {
            let Some(line) = self.lines.get_mut(place) else { continue };
            let (least, need) = (demand.amount(line.unit, floor), demand.amount(line.unit, demand.completion));
            let wish = if line.free() < need { Some((least, need)) } else { None };
            told.push(line.tell(now, wish));
        }
        let message = self.message(now, told);
        self.asking = Some((self.seq, now));
        Verdict::Ask(message)
    }

    fn message(&mut self, now: u64, mut told: Vec<wire::Told>) -> String {
        for line in &mut self.lines {
            if told.len() < wire::LINES
                && line.is_dirty
                && told.iter().all(|other| other.unit != line.unit || other.scope != line.scope)
            {
                told.push(line.tell(now, None));
            }
        }
        self.seq += 1;
        self.spoke = now;
        Message { from: self.name.clone(), seq: self.seq, now, at: 0, lines: told }.write()
    }

    /// Takes the ledger's answer to an ask or a report. An answer that is none, such as an empty text for one that never came, only ends the
    /// waiting for it.
    pub fn adopt(&mut self, now: u64, answer: &str) {
        let now = self.tick(now);
        let Some(answer) = Message::<Given>::read(answer).filter(|answer| answer.from == self.name) else {
            (self.asking, self.reporting) = (None, None);
            return;
        };
        let now = self.tick(now.max(answer.now));
        if self.asking.is_some_and(|(seq, _)| answer.seq >= seq) {
            self.asking = None;
        }
        if self.reporting.is_some_and(|seq| answer.seq >= seq) {
            self.reporting = None;
        }
        for given in &answer.lines {
            let line = self.lines.iter_mut().find(|line| line.unit == given.unit && line.scope == given.scope);
            if let Some(line) = line {
                line.roll(now, line.limit);
                line.adopt(now, answer.seq, answer.at, given);
            }
        }
    }

    /// The call is over, and this is what it came to: what it did not need is free again, what it took beyond its reservation is counted.
    pub fn settle(&mut self, now: u64, reservation: Reservation, actual: Actual) {
        self.close(now, reservation, Some(actual));
    }

    /// The call never reached an upstream: nothing was used.
    pub fn release(&mut self, now: u64, reservation: Reservation) {
        self.close(now, reservation, None);
    }

    fn close(&mut self, now: u64, reservation: Reservation, actual: Option<Actual>) {
        let now = self.tick(now);
        self.open = self.open.saturating_sub(1);
        for taken in reservation.taken {
            let Some(line) = self.lines.iter_mut().find(|line| line.id == taken.line) else { continue };
            let amount = match (line.unit.measure(), actual) {
                (Measure::Streams, _) | (_, None) => 0,
                (Measure::Requests, _) => taken.amount,
                (Measure::Tokens, Some(actual)) => actual.tokens,
                (Measure::Spend, Some(actual)) => actual.cost,
            };
            line.settle(now, taken.start, taken.amount, amount);
        }
    }

    /// What the ledger should hear soon, if anything: to be sent while nobody waits for it, and its answer adopted. To be called when a
    /// request was let in, when one was settled, and now and then while a stream runs: at least every ten seconds.
    pub fn take_report(&mut self, now: u64) -> Option<String> {
        self.report(now, SILENCE)
    }

    /// The same where nothing has happened for a while, and nothing may happen for long: whatever is not told yet.
    pub fn take_rest(&mut self, now: u64) -> Option<String> {
        self.report(now, 0)
    }

    fn report(&mut self, now: u64, silence: u64) -> Option<String> {
        let now = self.tick(now);
        for line in &mut self.lines {
            line.roll(now, line.limit);
        }
        let since = now.saturating_sub(self.spoke);
        if self.reporting.is_some() && since < PATIENCE {
            return None;
        }
        let mut is_due = false;
        for line in &mut self.lines {
            let is_low = since >= PAUSE && line.is_low(now);
            if is_low || line.owes(now) || line.must_renew(now) {
                line.is_dirty = true;
                is_due = true;
            }
            is_due = is_due || (line.is_dirty && since >= silence);
        }
        if !is_due {
            return None;
        }
        let message = self.message(now, Vec::new());
        self.reporting = Some(self.seq);
        Some(message)
    }

    /// What is left, for the headers of an answer: of requests and of tokens, each of the meter that has least left, by the minute where
    /// that is limited and else by the day.
    pub fn standing(&mut self, now: u64, meters: &[Meter]) -> super::Standing {
        let now = self.tick(now);
        let mut of = |units: [Unit; 2]| {
            units.into_iter().find_map(|unit| {
                let limits = meters.iter().filter_map(|meter| Some((meter, meter.caps.get(unit)?)));
                let known = limits.map(|(meter, limit)| {
                    let line = self.lines.iter_mut().find(|line| line.unit == unit && line.scope == meter.scope);
                    let remaining = line.map_or(limit, |line| {
                        line.roll(now, limit);
                        line.remaining()
                    });
                    super::Allowance { limit, remaining, resets_in: unit.window().end(now).saturating_sub(now) }
                });
                known.min_by_key(|allowance| allowance.remaining)
            })
        };
        super::Standing {
            requests: of([Unit::RequestsPerMinute, Unit::RequestsPerDay]),
            tokens: of([Unit::TokensPerMinute, Unit::TokensPerDay]),
        }
    }

    fn tick(&mut self, now: u64) -> u64 {
        self.now = self.now.max(now);
        self.now
    }

    /// Where the limits of a demand are; `None` if they do not fit in.
    fn lines_of(&mut self, now: u64, demand: &Demand) -> Option<Vec<usize>> {
        let mut places = Vec::new();
        if self.lines.len() > LINES / 2 {
            self.prune(now);
        }
        for meter in &demand.meters {
            if meter.scope.len() > wire::TEXT_BYTES {
                return None;
            }
            for unit in Unit::ALL {
                let Some(limit) = meter.caps.get(unit) else { continue };
                if demand.amount(unit, demand.completion) == 0 {
                    continue;
                }
                let found = self.lines.iter().position(|line| line.unit == unit && line.scope == meter.scope);
                let place = match found {
                    Some(place) => place,
                    None if self.lines.len() >= LINES => return None,
                    None => {
                        self.next = self.next.wrapping_add(1);
                        self.lines.push(Line::new(self.next, &meter.scope, unit, limit, now));
                        self.lines.len() - 1
                    }
                };
                self.lines.get_mut(place)?.roll(now, limit);
                places.push(place);
            }
        }
        (places.len() <= wire::LINES).then_some(places)
    }

    /// Drops what is over. Never a line within its window: what was given of it would be taken for given again.
    fn prune(&mut self, now: u64) {
        self.lines.retain(|line| {
            if line.is_slots() {
                line.used > 0 || now.saturating_sub(line.touched) < 10 * super::SLOT_TTL
            } else {
                line.unit.window().start(now) == line.start
            }
        });
    }
}
