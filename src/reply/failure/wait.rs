//! When it is worth trying again: headers, dates, and what the vendors only say in words.

use super::FailureHead;
use crate::json::number::scaled;
use crate::text::{after, has};

/// A limit over a window of time, as SiliconFlow names it: `TPM limit reached`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateWindow {
    /// `RPM`, `RPH`, `RPD`, `TPM`, `TPD`, `IPM` or `IPD`.
    pub dimension: &'static str,
    /// The window's length in milliseconds.
    pub window_ms: u64,
}

const MINUTE: u64 = 60_000;
const DAY: u64 = 86_400_000;

const WINDOWS: &[RateWindow] = &[
    RateWindow { dimension: "RPM", window_ms: MINUTE },
    RateWindow { dimension: "RPH", window_ms: 60 * MINUTE },
    RateWindow { dimension: "RPD", window_ms: DAY },
    RateWindow { dimension: "TPM", window_ms: MINUTE },
    RateWindow { dimension: "TPD", window_ms: DAY },
    RateWindow { dimension: "IPM", window_ms: MINUTE },
    RateWindow { dimension: "IPD", window_ms: DAY },
];

/// The limit that a vendor's message names (`… TPM limit reached`, `tokens per min (TPM)`), if it names one.
pub fn rate_window(message: &str) -> Option<RateWindow> {
    let mut words = message.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).peekable();
    while let Some(word) = words.next() {
        let window = WINDOWS.iter().find(|window| window.dimension == word);
        let in_brackets = || has(message, &format!("({word})"));
        if let Some(window) = window
            && (words.peek().is_some_and(|next| next.eq_ignore_ascii_case("limit")) || in_brackets())
        {
            return Some(*window);
        }
    }
    None
}

/// What the headers say, in milliseconds from now: `retry-after-ms` before `retry-after`, which may be seconds or an HTTP date. A date
/// needs [`FailureHead::now_unix_ms`]; one that has passed gives 0.
pub fn retry_after_ms(head: &FailureHead<'_>) -> Option<u64> {
    let millis = head.retry_after_ms.map(str::trim).filter(|value| is_plain(value)).and_then(|value| scaled(value, 0));
    millis.or_else(|| {
        let value = head.retry_after?.trim();
        match tenths_of_ms(value) {
            Some(tenths) => Some(rounded(tenths)),
            None => Some(http_date_ms(value)?.saturating_sub(head.now_unix_ms?)),
        }
    })
}

/// Seconds without an exponent, in tenths of a millisecond.
fn tenths_of_ms(seconds: &str) -> Option<u64> {
    if is_plain(seconds) { scaled(seconds, 4) } else { None }
}

fn is_plain(number: &str) -> bool {
    number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

fn rounded(tenths: u64) -> u64 {
    tenths.saturating_add(5) / 10
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110's IMF-fixdate) in milliseconds since 1970.
fn http_date_ms(text: &str) -> Option<u64> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let date = after(text, ", ")?;
    let mut fields = date.split(' ');
    let day: u64 = fields.next()?.parse().ok().filter(|day| (1..=31).contains(day))?;
    let name = fields.next()?;
    let month = MONTHS.iter().position(|month| *month == name)? as u64;
    let year: u64 = fields.next()?.parse().ok().filter(|year| (1970..=9999).contains(year))?;
    let mut clock = fields.next()?.split(':').map(|part| part.parse::<u64>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    if fields.next()? != "GMT" || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // Days since 1970 with years that begin in March, so that the leap day is the last one.
    let (years, months) = if month < 2 { (year - 1, month + 10) } else { (year, month - 2) };
    let leap_days = years / 4 - years / 100 + years / 400;
    let days = years * 365 + leap_days + (months * 153 + 2) / 5 + day - 1;
    let since_1970 = days.checked_sub(719_468)?;
    Some((((since_1970 * 24 + hour) * 60 + minute) * 60 + second) * 1000)
}

/// `try again in 1m2.5s`, `try again in 20ms` (OpenAI), `retry after 6 seconds` (Azure), `retry in 25.2s` (Gemini).
pub(super) fn in_words_ms(message: &str) -> Option<u64> {
    let message = message.to_ascii_lowercase();
    ["try again in ", "retry after ", "retry in "].into_iter().find_map(|words| span_ms(after(&message, words)?))
}

fn span_ms(mut rest: &str) -> Option<u64> {
    // In tenths of a millisecond.
    let mut total = 0u64;
    let mut any = false;
    loop {
        rest = rest.trim_start();
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, unit) = rest.split_at_checked(digits)?;
        let Some(number) = tenths_of_ms(number) else { break };
        let unit = unit.trim_start();
        let letters = unit.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(unit.len());
        let (name, tail) = unit.split_at_checked(letters)?;
        let tenths = match name {
            "ms" | "milliseconds" => number / 1000,
            "s" | "sec" | "second" | "seconds" => number,
            "m" | "min" | "minute" | "minutes" => number.saturating_mul(60),
            "h" | "hour" | "hours" => number.saturating_mul(3600),
            _ => break,
        };
        total = total.saturating_add(tenths);
        any = true;
        rest = tail;
    }
    any.then_some(rounded(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head<'a>(retry_after: Option<&'a str>, retry_after_ms: Option<&'a str>, now: Option<u64>) -> FailureHead<'a> {
        FailureHead { status: 429, retry_after, retry_after_ms, now_unix_ms: now, ..FailureHead::default() }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_milliseconds_go_first() {
        let date = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(retry_after_ms(&head(Some("2"), None, None)), Some(2000));
        assert_eq!(retry_after_ms(&head(Some("0.25"), None, None)), Some(250));
        assert_eq!(retry_after_ms(&head(Some("2"), Some("1500"), None)), Some(1500));
        assert_eq!(retry_after_ms(&head(Some("2"), Some("soon"), None)), Some(2000));
        assert_eq!(retry_after_ms(&head(date, None, Some(784_111_777_000 - 5_000))), Some(5_000));
        assert_eq!(retry_after_ms(&head(date, None, Some(784_111_777_000 + 5_000))), Some(0));
        assert_eq!(retry_after_ms(&head(date, None, None)), None);
        assert_eq!(
            retry_after_ms(&head(Some("Thu, 29 Feb 2024 00:00:00 GMT"), None, Some(0))),
            Some(1_709_164_800_000)
        );
        for odd in
            ["-1", "", "soon", "1e9", "inf", "NaN", "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 PST"]
        {
            assert_eq!(retry_after_ms(&head(Some(odd), None, Some(0))), None, "{odd}");
        }
    }

    #[test]
    fn the_limit_is_read_from_the_words() {
        assert_eq!(
            rate_window("Details: TPM limit reached.").map(|w| (w.dimension, w.window_ms)),
            Some(("TPM", 60_000))
        );
        assert_eq!(rate_window("RPD limit reached").map(|w| w.window_ms), Some(86_400_000));
        assert_eq!(rate_window("on tokens per min (TPM): Limit 10").map(|w| w.dimension), Some("TPM"));
        assert_eq!(rate_window("the RPM of the engine"), None);
        assert_eq!(in_words_ms("Please try again in 6m0.5s."), Some(360_500));
        assert_eq!(in_words_ms("Please try again in 20ms. Visit"), Some(20));
        assert_eq!(in_words_ms("Please retry after 6 seconds."), Some(6000));
        assert_eq!(in_words_ms("Please retry in 25.2s."), Some(25_200));
        assert_eq!(in_words_ms("Retry after a while, or try again in 2s."), Some(2000));
        assert_eq!(in_words_ms("try again in a while"), None);
    }
}
