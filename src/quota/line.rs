//! What a purse knows of one limit.

use super::unit::Unit;
use super::window::Window;
use super::wire::{Given, Told};

/// For how many milliseconds of what it is spending a purse asks at a time, where less than half of a limit is left; else for three times
/// as many.
const AHEAD: u64 = 15_000;
/// A purse that does not know how much it will spend asks for so many times what is needed now.
const FIRST: u64 = 4;
/// For how long a purse believes that there is no more than an answer said, in milliseconds.
const FRESH: u64 = 1_000;
/// For how long it believes that its slots are its own: less than [`super::SLOT_TTL`], from when it sent what was answered.
const SLOTS: u64 = 50_000;

#[derive(Debug)]
pub(super) struct Line {
    pub(super) id: u32,
    pub(super) scope: String,
    pub(super) unit: Unit,
    pub(super) start: u64,
    pub(super) limit: u64,
    pub(super) gross: u64,
    pub(super) back: u64,
    pub(super) used: u64,
    pub(super) open: u64,
    /// What was left for others and for us when last told; and the most that this window can still give.
    left: u64,
    never: u64,
    heard: Option<u64>,
    heard_seq: u64,
    /// Slots: when what was answered last was sent.
    renewed: u64,
    /// What waits for the answer to another's ask.
    pub(super) waiting: u64,
    /// What was held free after the last answer, to see when it runs low.
    fill: u64,
    /// Units per second, and what was taken since when.
    rate: Option<u64>,
    drawn: u64,
    from: u64,
    pub(super) is_dirty: bool,
    pub(super) touched: u64,
}

impl Line {
    pub(super) fn new(id: u32, scope: &str, unit: Unit, limit: u64, now: u64) -> Self {
        Line {
            id,
            scope: scope.to_owned(),
            unit,
            start: unit.window().start(now),
            limit,
            gross: 0,
            back: 0,
            used: 0,
            open: 0,
            left: 0,
            never: limit,
            heard: None,
            heard_seq: 0,
            renewed: now,
            waiting: 0,
            fill: 0,
            rate: None,
            drawn: 0,
            from: now,
            is_dirty: false,
            touched: now,
        }
    }

    pub(super) fn is_slots(&self) -> bool {
        self.unit.window() == Window::Now
    }

    /// Begins anew when the window is over; slots that nobody has renewed are given up.
    pub(super) fn roll(&mut self, now: u64, limit: u64) {
        if limit != self.limit {
            // Other limits: what was heard of the old ones says nothing.
            (self.limit, self.heard, self.never) = (limit, None, limit);
        }
        if self.is_slots() {
            if now.saturating_sub(self.renewed) > SLOTS {
                self.give_back(self.free());
            }
            return;
        }
        let start = self.unit.window().start(now);
        if start != self.start {
            (self.start, self.gross, self.back, self.used, self.open) = (start, 0, 0, 0, 0);
            (self.left, self.never, self.heard, self.fill, self.waiting) = (0, limit, None, 0, 0);
            self.is_dirty = false;
        }
    }

    /// What may be taken here and now.
    pub(super) fn free(&self) -> u64 {
        self.gross.saturating_sub(self.back).saturating_sub(self.used)
    }

    /// What is free for all that is known, here and with others.
    pub(super) fn remaining(&self) -> u64 {
        match self.heard {
            Some(_) => self.free().saturating_add(self.left),
            None => self.limit.saturating_sub(self.used),
        }
        .min(self.limit.saturating_sub(self.used))
    }

    fn is_fresh(&self, now: u64) -> bool {
        self.heard.is_some_and(|heard| now < heard.saturating_add(FRESH))
    }

    /// Whether asking for it would be in vain.
    pub(super) fn refuses(&self, now: u64, least: u64) -> bool {
        let more = least.saturating_sub(self.free());
        more > 0 && ((self.is_fresh(now) && more > self.left) || (self.heard.is_some() && least > self.never))
    }

    /// Whether asking would bring no more than is free already.
    pub(super) fn is_dry(&self, now: u64) -> bool {
        self.is_fresh(now) && self.left == 0
    }

    /// How long until it may be otherwise.
    pub(super) fn wait(&self, now: u64) -> u64 {
        if self.is_slots() { FRESH } else { self.unit.window().end(now).saturating_sub(now) }
    }

    pub(super) fn take(&mut self, now: u64, amount: u64) {
        self.used = self.used.saturating_add(amount);
        self.open = self.open.saturating_add(amount);
        self.drawn = self.drawn.saturating_add(amount);
        (self.is_dirty, self.touched) = (true, now);
    }

    /// Turns an open reservation into use; nothing for one of a window that is over.
    pub(super) fn settle(&mut self, now: u64, start: u64, reserved: u64, actual: u64) {
        if start != self.start || (!self.is_slots() && self.unit.window().start(now) != start) {
            return;
        }
        self.open = self.open.saturating_sub(reserved);
        self.used = self.used.saturating_sub(reserved).saturating_add(actual);
        self.drawn = self.drawn.saturating_sub(reserved).saturating_add(actual);
        (self.is_dirty, self.touched) = (true, now);
        if actual < reserved {
            // Who was refused before may be let in now.
            self.never = self.never.max(self.free());
        }
    }

    fn speed(&self, now: u64) -> Option<u64> {
        let elapsed = now.saturating_sub(self.from);
        let fresh = self.drawn.saturating_mul(1_000) / elapsed.max(1_000);
        match self.rate {
            Some(rate) if elapsed < 2_000 => Some(rate.max(fresh)),
            Some(rate) => Some(rate.midpoint(fresh)),
            None if self.drawn > 0 && elapsed >= 1_000 => Some(fresh),
            None => None,
        }
    }

    /// How much it should hold free, by what it spends.
    fn stock(&self, now: u64) -> Option<u64> {
        let ahead = if self.heard.is_some() && self.left >= self.limit / 2 { AHEAD * 3 } else { AHEAD };
        self.speed(now).map(|speed| speed.saturating_mul(ahead) / 1_000)
    }

    /// What is held free and should not be: more than a part of what is free for all, where that is scarce.
    pub(super) fn surplus(&self, now: u64) -> u64 {
        if self.heard.is_none() {
            return 0;
        }
        let free = self.free();
        let part = (self.left.saturating_add(free)) / 8;
        let is_scarce = self.left < self.limit / 2;
        let keep = match self.is_slots() {
            // For the next streams: an isolate that falls silent keeps them from others for a minute.
            true if self.left >= self.limit / 4 => part.max(self.limit / 8).max(u64::from(!is_scarce)),
            true => part,
            false if is_scarce => part.min(self.stock(now).unwrap_or(part)),
            false => return 0,
        };
        free.saturating_sub(keep)
    }

    /// Whether the surplus is worth a message of its own.
    pub(super) fn owes(&self, now: u64) -> bool {
        let surplus = self.surplus(now);
        surplus > 0 && (self.is_slots() || surplus >= (self.limit / 16).max(1))
    }

    fn give_back(&mut self, amount: u64) {
        self.back = self.back.saturating_add(amount);
        self.fill = self.fill.min(self.free());
    }

    /// Whether it would run out soon, and a message would bring much more than there is.
    pub(super) fn is_low(&self, now: u64) -> bool {
        let free = self.free();
        let Some(stock) = self.stock(now) else { return false };
        let gain = stock.saturating_sub(free).min(self.left / 8);
        !self.is_slots() && self.heard.is_some() && free < self.fill / 4 && gain > free && gain > 1
    }

    /// Whether there are slots that will lapse if nobody renews them.
    pub(super) fn must_renew(&self, now: u64) -> bool {
        self.is_slots() && self.used > 0 && now.saturating_sub(self.renewed) >= SLOTS * 3 / 5
    }

    /// What to tell of it: with what somebody needs now, at least and at best, if somebody does.
    pub(super) fn tell(&mut self, now: u64, wish: Option<(u64, u64)>) -> Told {
        let elapsed = now.saturating_sub(self.from);
        let stock = self.stock(now);
        if elapsed >= 1_000 {
            (self.rate, self.drawn, self.from) = (self.speed(now), 0, now);
        }
        let surplus = if wish.is_none() { self.surplus(now) } else { 0 };
        self.give_back(surplus);
        // It is there for whoever asks for it next: for us as well.
        self.left = self.left.saturating_add(surplus);
        let base = self.back.saturating_add(self.used);
        let (least, need) = match wish {
            Some((least, need)) => (base.saturating_add(least), base.saturating_add(need.saturating_add(self.waiting))),
            None => (0, 0),
        };
        let extra = match wish {
            // What is given back is not asked for in the same breath.
            _ if self.is_slots() || surplus > 0 => 0,
            Some((_, need)) => stock.unwrap_or(0).max(need.saturating_mul(FIRST - 1)),
            None => stock.unwrap_or(0),
        };
        let want = if extra == 0 { need } else { need.max(base).saturating_add(extra) };
        self.waiting = 0;
        self.is_dirty = false;
        Told {
            scope: self.scope.clone(),
            unit: self.unit,
            start: self.start,
            limit: self.limit,
            gross: self.gross,
            back: self.back,
            used: self.used,
            open: self.open,
            least,
            need,
            want,
        }
    }

    /// Takes what was given; `sent` is when what it answers was sent.
    pub(super) fn adopt(&mut self, now: u64, seq: u64, sent: u64, given: &Given) {
        if given.start != self.start {
            return;
        }
        self.gross = self.gross.max(given.gross);
        self.renewed = self.renewed.max(sent);
        if seq >= self.heard_seq {
            (self.heard_seq, self.heard, self.left) = (seq, Some(now), given.left);
            self.never = given.never.max(self.free());
        }
        self.fill = self.free();
    }
}
