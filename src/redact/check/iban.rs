//! International bank account numbers (ISO 13616).

use super::num::{at, value};

/// Countries and the lengths of their numbers, four characters each: IBAN registry, version 101.
const LENGTHS: &str = "\
    AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24FI18FK18\
    FO18FR27GB22GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21\
    LY25MC27MD24ME22MK19MN20MR27MT31MU30NI28NL18NO15OM23PK24PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24\
    SI19SK24SM27SO23ST25SV28TL23TN24TR26UA29VA22VG24XK20YE30";

/// Whether this is an IBAN, spaces stripped: a country of the registry, its length, and 1 modulo 97.
pub(crate) fn iban(s: &str) -> bool {
    length(s) == Some(s.len()) && s.bytes().all(|b| b.is_ascii_alphanumeric()) && {
        let digits = matches!((at(s, 2), at(s, 3)), (b'0'..=b'9', b'0'..=b'9'));
        let turned = s.bytes().skip(4).chain(s.bytes().take(4));
        digits
            && turned.fold(0, |rest, b| {
                let value = value(b);
                (rest * if value > 9 { 100 } else { 10 } + value) % 97
            }) == 1
    }
}

/// The length of an IBAN that starts as `s` does, for who has to find its end.
pub(crate) fn length(s: &str) -> Option<usize> {
    let country = (at(s, 0), at(s, 1));
    LENGTHS.as_bytes().chunks_exact(4).find_map(|row| match row {
        [a, b, tens, ones] if (*a, *b) == country => Some((value(*tens) * 10 + value(*ones)) as usize),
        _ => None,
    })
}
