//! The windows in which limits count: fixed, and aligned to UTC, so that whoever is refused can be told exactly when to come back.
//!
//! Times are milliseconds of the Unix clock. A window holds the moment at which it begins and not the one at which it ends.

/// Milliseconds of a day; UTC as Unix counts it has no leap seconds.
const DAY: u64 = 86_400_000;
const MINUTE: u64 = 60_000;

/// Over what a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// From a full minute to the next.
    Minute,
    /// From midnight to midnight, UTC.
    Day,
    /// From the first of a month to that of the next, UTC.
    Month,
    /// No window: what is in use at the moment.
    Now,
}

impl Window {
    /// `minute`, `day`, `month` or `now`.
    pub fn as_str(self) -> &'static str {
        match self {
            Window::Minute => "minute",
            Window::Day => "day",
            Window::Month => "month",
            Window::Now => "now",
        }
    }

    /// When the window that holds `now` began; 0 for what has no window.
    pub fn start(self, now: u64) -> u64 {
        match self {
            Window::Minute => now - now % MINUTE,
            Window::Day => now - now % DAY,
            Window::Month => {
                let (year, month) = month_of(now / DAY);
                first_of(year, month).saturating_mul(DAY)
            }
            Window::Now => 0,
        }
    }

    /// When it ends, which is when the next one begins; never for what has no window.
    pub fn end(self, now: u64) -> u64 {
        match self {
            Window::Minute => self.start(now).saturating_add(MINUTE),
            Window::Day => self.start(now).saturating_add(DAY),
            Window::Month => {
                let (year, month) = month_of(now / DAY);
                let (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
                first_of(year, month).saturating_mul(DAY)
            }
            Window::Now => u64::MAX,
        }
    }
}

/// Days of 400 years of the Gregorian calendar, after which it repeats.
const CYCLE: u64 = 146_097;
/// Days from 1 March of the year 0 to 1 January 1970.
const TO_EPOCH: u64 = 719_468;

/// The year and the month (1 to 12) of a day since 1970. Years are counted from March, so that the odd day is their last.
fn month_of(day: u64) -> (u64, u64) {
    let day = day.saturating_add(TO_EPOCH);
    let (cycle, day) = (day / CYCLE, day % CYCLE);
    // Of the days of a cycle, those that are leap days before this one.
    let leaps = day / 1_460 + day / 146_096 - day / 36_524;
    let year = (day - leaps) / 365;
    let day_of_year = day - days_before(year);
    // From March on the months repeat every five: 31, 30, 31, 30, 31 days.
    let from_march = (5 * day_of_year + 2) / 153;
    let (month, carry) = if from_march < 10 { (from_march + 3, 0) } else { (from_march - 9, 1) };
    (cycle * 400 + year + carry, month)
}

/// The day since 1970 on which a month begins.
fn first_of(year: u64, month: u64) -> u64 {
    let (year, from_march) = if month > 2 { (year, month - 3) } else { (year.saturating_sub(1), month + 9) };
    let day_of_year = (153 * from_march + 2) / 5;
    ((year / 400) * CYCLE + days_before(year % 400) + day_of_year).saturating_sub(TO_EPOCH)
}

/// Days of the years of a cycle before this one.
fn days_before(year: u64) -> u64 {
    year * 365 + year / 4 - year / 100
}
