//! Numbers of devices and of subscribers' cards.

use super::num::{at, digits, luhn, monotone, number};

/// Whether 15 digits are a device's IMEI: a reporting body's first two digits and a right Luhn check digit. A tenth of
/// all numbers pass: needs context.
pub(crate) fn imei(s: &str) -> bool {
    digits(s, 15, 15)
        && luhn(s)
        && !monotone(s)
        && matches!(number(s, 0, 2), Some(1 | 10 | 30..=39 | 44..=54 | 86 | 91 | 98 | 99))
}

/// Whether 15 digits may be a subscriber's IMSI: they start with a mobile country code (ITU-T E.212). No check digit:
/// needs context.
pub(crate) fn imsi(s: &str) -> bool {
    let code = number(s, 0, 3).unwrap_or(0) as usize;
    let word = code.checked_sub(200).and_then(|at| COUNTRIES.get(at / 32));
    digits(s, 15, 15) && word.is_some_and(|word| word >> ((code - 200) % 32) & 1 == 1)
}

/// Mobile country codes in use, a bit each from 200 on: ITU-T E.212 as python-stdnum 2.2 lists them.
const COUNTRIES: [u32; 25] = [
    0xd47d7154, 0x5a85d54d, 0xf75d5554, 0x0017d042, 0x55555444, 0x0001557d, 0x7ff43700, 0xd403753f, 0x00014c13,
    0x0c424000, 0xfffb0521, 0x0000000f, 0xfffc0000, 0xefffffff, 0x00000eff, 0x55400000, 0x55541415, 0x00000055,
    0x00000000, 0x00000000, 0x00000000, 0x60000000, 0x00000000, 0x00000000, 0x08800000,
];

/// Whether this is a MAC address: six pairs of hex digits between `:` or `-`, or three groups of four between `.`.
/// All zeros and all ones name no device.
pub(crate) fn mac(s: &str) -> bool {
    let (group, mark) = match (s.len(), at(s, 2), at(s, 4)) {
        (17, mark @ (b':' | b'-'), _) => (2, mark),
        (14, _, b'.') => (4, b'.'),
        _ => return false,
    };
    let (mut zeros, mut ones) = (true, true);
    for (i, b) in s.bytes().enumerate() {
        if i % (group + 1) == group {
            if b != mark {
                return false;
            }
        } else if !b.is_ascii_hexdigit() {
            return false;
        } else {
            zeros &= b == b'0';
            ones &= b.eq_ignore_ascii_case(&b'f');
        }
    }
    !zeros && !ones
}
