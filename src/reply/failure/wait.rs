//! When it is worth trying again: headers, dates, and what the vendors only say in words.

use super::FailureHead;

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
        let in_brackets = || message.contains(&format!("({word})"));
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
    let millis = head.retry_after_ms.and_then(|value| decimal(value.trim())).map(|millis| millis as u64);
    millis.or_else(|| {
        let value = head.retry_after?.trim();
        match decimal(value) {
            Some(seconds) => Some((seconds * 1000.0).round() as u64),
            None => Some(http_date_ms(value)?.saturating_sub(head.now_unix_ms?)),
        }
    })
}

fn decimal(text: &str) -> Option<f64> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    text.parse::<f64>().ok().filter(|number| plain && number.is_finite())
}

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110's IMF-fixdate) in milliseconds since 1970.
fn http_date_ms(text: &str) -> Option<u64> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (_, date) = text.split_once(", ")?;
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

/// `try again in 1m2.5s`, `try again in 20ms`: OpenAI's words.
pub(super) fn in_words_ms(message: &str) -> Option<u64> {
    let (_, mut rest) = message.split_once("try again in ")?;
    let mut total = 0.0;
    let mut any = false;
    loop {
        rest = rest.trim_start();
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, unit) = rest.split_at_checked(digits)?;
        let Some(number) = decimal(number) else { break };
        let unit = unit.trim_start();
        let letters = unit.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(unit.len());
        let (name, tail) = unit.split_at_checked(letters)?;
        total += number
            * match name {
                "ms" | "milliseconds" => 1.0,
                "s" | "sec" | "second" | "seconds" => 1000.0,
                "m" | "min" | "minute" | "minutes" => 60_000.0,
                "h" | "hour" | "hours" => 3_600_000.0,
                _ => break,
            };
        any = true;
        rest = tail;
    }
    any.then_some(total.round() as u64)
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
        assert_eq!(in_words_ms("try again in a while"), None);
    }
}
