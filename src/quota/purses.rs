//! All purses of an isolate.

use super::ledger::Ledger;
use super::limits::Meter;
use super::purse::{Actual, Demand, Purse, Reservation, Verdict};
use super::refusal::{Cause, Refusal};

/// Most keys of which an isolate keeps a purse.
const PURSES: usize = 4_096;
/// How often a request asks the isolate's own ledger: once to be given something, once more if the window ended meanwhile.
const ROUNDS: usize = 3;

/// The purses of an isolate, by key. One more than [`PURSES`] drives out the one that was not used for longest, never one with a call open.
#[derive(Debug)]
pub struct Purses {
    isolate: String,
    is_shared: bool,
    /// Sorted by key.
    entries: Vec<Entry>,
    made: u64,
}

#[derive(Debug)]
struct Entry {
    key: String,
    used: u64,
    purse: Purse,
    /// The truth about the key, where there are no objects to hold it.
    ledger: Option<Ledger>,
}

impl Purses {
    /// `isolate` is a random name of this isolate, at most 40 bytes. `is_shared` says that ledgers live elsewhere; without, each purse has
    /// one of its own, so that limits hold for each isolate by itself, and [`Verdict::Ask`] and [`Verdict::Wait`] never occur.
    pub fn new(isolate: &str, is_shared: bool) -> Self {
        Purses { isolate: isolate.chars().take(40).collect(), is_shared, entries: Vec::new(), made: 0 }
    }

    /// [`Purse::reserve`] for a key.
    pub fn reserve(&mut self, now: u64, key: &str, demand: &Demand) -> Verdict {
        if demand.meters.is_empty() {
            return Verdict::Admitted(Reservation::none());
        }
        let Some(entry) = self.entry(now, key) else {
            return Verdict::Refused(Refusal { cause: Cause::Full, ..Refusal::default() });
        };
        entry.used = now;
        let mut verdict = entry.purse.reserve(now, demand);
        for _ in 0..ROUNDS {
            match (verdict, &mut entry.ledger) {
                (Verdict::Ask(ask), Some(ledger)) => {
                    let answer = ledger.handle(now, &ask);
                    entry.purse.adopt(now, &answer);
                    verdict = entry.purse.reserve(now, demand);
                }
                (verdict, _) => return verdict,
            }
        }
        match verdict {
            Verdict::Ask(_) | Verdict::Wait if entry.ledger.is_some() => {
                entry.purse.adopt(now, "");
                Verdict::Refused(Refusal { cause: Cause::Full, ..Refusal::default() })
            }
            verdict => verdict,
        }
    }

    /// [`Purse::adopt`] for a key.
    pub fn adopt(&mut self, now: u64, key: &str, answer: &str) {
        if let Some(entry) = self.find(key) {
            entry.purse.adopt(now, answer);
        }
    }

    /// [`Purse::settle`] for a key.
    pub fn settle(&mut self, now: u64, key: &str, reservation: Reservation, actual: Actual) {
        if let Some(entry) = self.find(key) {
            entry.purse.settle(now, reservation, actual);
        }
    }

    /// [`Purse::release`] for a key.
    pub fn release(&mut self, now: u64, key: &str, reservation: Reservation) {
        if let Some(entry) = self.find(key) {
            entry.purse.release(now, reservation);
        }
    }

    /// [`Purse::take_report`] for a key. Where the isolate's own ledger holds the truth it is told, and there is nothing to send.
    pub fn take_report(&mut self, now: u64, key: &str) -> Option<String> {
        self.report(key, now, Purse::take_report)
    }

    /// [`Purse::take_rest`] for a key.
    pub fn take_rest(&mut self, now: u64, key: &str) -> Option<String> {
        self.report(key, now, Purse::take_rest)
    }

    fn report(&mut self, key: &str, now: u64, take: fn(&mut Purse, u64) -> Option<String>) -> Option<String> {
        let entry = self.find(key)?;
        let report = take(&mut entry.purse, now)?;
        let Some(ledger) = &mut entry.ledger else { return Some(report) };
        let answer = ledger.handle(now, &report);
        entry.purse.adopt(now, &answer);
        None
    }

    /// [`Purse::standing`] for a key.
    pub fn standing(&mut self, now: u64, key: &str, meters: &[Meter]) -> super::Standing {
        self.find(key).map(|entry| entry.purse.standing(now, meters)).unwrap_or_default()
    }

    /// [`Ledger::usage_json`] for a key, where the isolate holds the truth.
    pub fn usage_json(&mut self, now: u64, key: &str) -> Option<String> {
        self.find(key)?.ledger.as_ref().map(|ledger| ledger.usage_json(now))
    }

    /// How many purses there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn place(&self, key: &str) -> Result<usize, usize> {
        self.entries.binary_search_by(|entry| entry.key.as_str().cmp(key))
    }

    fn find(&mut self, key: &str) -> Option<&mut Entry> {
        let place = self.place(key).ok()?;
        self.entries.get_mut(place)
    }

    fn entry(&mut self, now: u64, key: &str) -> Option<&mut Entry> {
        if self.place(key).is_err() {
            if self.entries.len() >= PURSES {
                let idle = self.entries.iter().enumerate().filter(|(_, entry)| entry.purse.open() == 0);
                let (oldest, _) = idle.min_by_key(|(_, entry)| entry.used)?;
                self.entries.remove(oldest);
            }
            // Never the same name twice: what was given to a purse that is gone is not this one's.
            self.made += 1;
            let purse = Purse::new(&[&self.isolate, "-", &self.made.to_string()].concat());
            let ledger = (!self.is_shared).then(Ledger::new);
            if let Err(place) = self.place(key) {
                self.entries.insert(place, Entry { key: key.to_owned(), used: now, purse, ledger });
            }
        }
        self.find(key)
    }
}
