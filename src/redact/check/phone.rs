//! Telephone numbers: mobile, connected things, landlines, and those of the world in international form.
//!
//! Ranges, area codes and lengths: libphonenumber 9.0.43.

use super::num::{at, digits, number};

/// Whether this is a Chinese mobile number, `86` with or without `+` and up to two zeros before it or not.
pub(crate) fn mobile_cn(s: &str) -> bool {
    national_mobile(home(s).unwrap_or(s))
}

/// Whether this is a 13-digit number of a connected thing (140 to 144, 106). Needs context: thus also start the
/// milliseconds since 1970 of 2014 and of 2003.
pub(crate) fn iot_cn(s: &str) -> bool {
    let s = home(s).unwrap_or(s);
    digits(s, 13, 13) && matches!(number(s, 0, 3), Some(140..=144 | 106))
}

/// Whether this is a Chinese landline number: `0` or a form of `+86`, an area code, and as many digits as numbers
/// have there. Never a 400, 800, 95 or other short number, with or without an area code: these are organisations' and meant
/// to be known, and all have other lengths.
pub(crate) fn landline_cn(s: &str) -> bool {
    let abroad = home(s);
    let s = abroad.unwrap_or(s);
    match s.strip_prefix('0') {
        Some(rest) => area_and_number(rest),
        None => abroad.is_some() && area_and_number(s),
    }
}

/// Whether this is a number in international form: `+` (or `00`), a calling code, and as many digits as numbers may
/// have there (a trunk 0 from `+44 (0)20…` left aside). China and North America are held to their own rules.
pub(crate) fn phone_intl(s: &str) -> bool {
    let Some(rest) = s.strip_prefix('+').or_else(|| s.strip_prefix("00")) else { return false };
    if !digits(rest, 5, 18) {
        return false;
    }
    if rest.starts_with("86") {
        return mobile_cn(rest) || landline_cn(rest);
    }
    (1..=3).any(|width| {
        let code = number(rest, 0, width).unwrap_or(0) as u16;
        // No calling code starts with 0, so that a width's code cannot be mistaken for a shorter one's.
        let Some((_, lengths)) = LENGTHS.iter().find(|(c, _)| *c == code) else { return false };
        let national = rest.get(width..).unwrap_or("");
        let fits = |national: &str| (4..18).contains(&national.len()) && lengths >> (national.len() - 4) & 1 == 1;
        match code {
            1 => nanp(national),
            _ => fits(national) || national.strip_prefix('0').is_some_and(fits),
        }
    })
}

/// Whether this is a ten-digit number of the North American plan, `1` before it or not: area and exchange start with 2
/// to 9 and are not N11, and no area has 9 in its middle.
pub(crate) fn nanp(s: &str) -> bool {
    let s = if s.len() == 11 { s.strip_prefix('1').unwrap_or("") } else { s };
    let part = |from| number(s, from, from + 3).unwrap_or(0);
    let service = |n: u32| n < 200 || n % 100 == 11;
    digits(s, 10, 10) && !service(part(0)) && !service(part(3)) && at(s, 1) != b'9'
}

/// What follows `86` when the number is written as seen from abroad.
fn home(s: &str) -> Option<&str> {
    let s = s.strip_prefix('+').unwrap_or(s);
    let s = s.strip_prefix('0').unwrap_or(s);
    s.strip_prefix('0').unwrap_or(s).strip_prefix("86")
}

/// `1(?:610\d|740[0-5])\d{6}|1(?:[38]\d|4[57]|[59][0-35-9]|6[25-7]|7[0-35-8])\d{8}`, as libphonenumber has it.
fn national_mobile(s: &str) -> bool {
    digits(s, 11, 11)
        && match number(s, 0, 3).unwrap_or(0) {
            130..=139 | 180..=189 | 145 | 147 | 150..=153 | 155..=159 | 190..=193 | 195..=199 => true,
            162 | 165..=167 | 170..=173 | 175..=178 => true,
            161 => at(s, 3) == b'0',
            174 => at(s, 3) == b'0' && at(s, 4) <= b'5',
            _ => false,
        }
}

fn area_and_number(s: &str) -> bool {
    let (local, seven, eight) = match number(s, 0, 2) {
        Some(10 | 20..=25 | 27..=29) => (s.get(2..).unwrap_or(""), false, true),
        _ => {
            let area = number(s, 0, 3).unwrap_or(0);
            let word = SEVEN.get((area / 32) as usize).copied().unwrap_or(0);
            (s.get(3..).unwrap_or(""), word >> (area % 32) & 1 == 1, EIGHT.contains(&(area as u16)))
        }
    };
    (digits(local, 7, 7) && seven || digits(local, 8, 8) && eight) && !local.starts_with('0')
}

/// Areas whose numbers have seven digits, a bit each.
const SEVEN: [u32; 32] = [
    0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000, 0x00000000,
    0xff400000, 0xe0008000, 0x01f400ff, 0x90005f80, 0x00fe282f, 0xfff90ff0, 0x0000000c, 0x8fe40000, 0x145eff44,
    0x00f70014, 0x0b800000, 0x10d00000, 0x20180000, 0xc514ffc0, 0x4cd7c78f, 0xff400ffd, 0xce073000, 0x0fc800ff,
    0xf9c8ff40, 0x00bfb4e3, 0x0f80affc, 0xc00ffc00, 0x000000ff,
];

/// Areas whose numbers have eight digits; four of them are also among [`SEVEN`].
const EIGHT: [u16; 44] = [
    311, 371, 377, 379, 411, 431, 432, 433, 435, 451, 510, 511, 512, 513, 514, 515, 516, 517, 518, 519, 523, 527, 531,
    532, 551, 571, 573, 574, 575, 576, 577, 579, 591, 595, 731, 754, 755, 757, 760, 769, 791, 851, 871, 898,
];

/// Calling codes and the lengths of the national numbers that are possible there: bit 0 for 4 digits and so on.
const LENGTHS: [(u16, u16); 214] = [
    (1, 0x48),
    (7, 0x440),
    (20, 0x70),
    (27, 0x7e),
    (30, 0x1c0),
    (31, 0xfe),
    (32, 0x30),
    (33, 0x20),
    (34, 0x20),
    (36, 0x30),
    (39, 0x1fc),
    (40, 0x24),
    (41, 0x120),
    (43, 0x3ff),
    (44, 0x68),
    (45, 0x10),
    (46, 0x17c),
    (47, 0x12),
    (48, 0x7c),
    (49, 0xfff),
    (51, 0x30),
    (52, 0x40),
    (53, 0x5c),
    (54, 0xc0),
    (55, 0xf0),
    (56, 0xe0),
    (57, 0xd0),
    (58, 0x40),
    (60, 0x70),
    (61, 0x17e),
    (62, 0x3ff8),
    (63, 0x3f4),
    (64, 0x7e),
    (65, 0xd0),
    (66, 0x270),
    (81, 0x3ff0),
    (82, 0x7f6),
    (84, 0x78),
    (90, 0x348),
    (91, 0x3f0),
    (92, 0x1f0),
    (93, 0x20),
    (94, 0x20),
    (95, 0x7c),
    (98, 0x4f),
    (211, 0x20),
    (212, 0x20),
    (213, 0x30),
    (216, 0x10),
    (218, 0x20),
    (220, 0x28),
    (221, 0x20),
    (222, 0x10),
    (223, 0x10),
    (224, 0x30),
    (225, 0x40),
    (226, 0x10),
    (227, 0x10),
    (228, 0x10),
    (229, 0x40),
    (230, 0x58),
    (231, 0x38),
    (232, 0x10),
    (233, 0x30),
    (234, 0x7c0),
    (235, 0x10),
    (236, 0x10),
    (237, 0x30),
    (238, 0x8),
    (239, 0x8),
    (240, 0x20),
    (241, 0x18),
    (242, 0x20),
    (243, 0x78),
    (244, 0x20),
    (245, 0x28),
    (246, 0x8),
    (247, 0x6),
    (248, 0x8),
    (249, 0x20),
    (250, 0x30),
    (251, 0x20),
    (252, 0x3c),
    (253, 0x10),
    (254, 0x78),
    (255, 0x20),
    (256, 0x20),
    (257, 0x10),
    (258, 0x30),
    (260, 0x20),
    (261, 0x20),
    (262, 0x20),
    (263, 0x68),
    (264, 0x30),
    (265, 0x28),
    (266, 0x10),
    (267, 0x58),
    (268, 0x30),
    (269, 0x8),
    (290, 0x3),
    (291, 0x8),
    (297, 0x8),
    (298, 0x4),
    (299, 0x4),
    (350, 0x10),
    (351, 0x20),
    (352, 0xff),
    (353, 0x78),
    (354, 0x28),
    (355, 0x3c),
    (356, 0x10),
    (357, 0x10),
    (358, 0x1fe),
    (359, 0x13c),
    (370, 0x10),
    (371, 0x10),
    (372, 0x58),
    (373, 0x10),
    (374, 0x10),
    (375, 0xfc),
    (376, 0x34),
    (377, 0x30),
    (378, 0x50),
    (380, 0x60),
    (381, 0x1fc),
    (382, 0x30),
    (383, 0x1f0),
    (385, 0x38),
    (386, 0x1e),
    (387, 0x30),
    (389, 0x10),
    (420, 0x1e0),
    (421, 0x2c),
    (423, 0x28),
    (500, 0x2),
    (501, 0x88),
    (502, 0x90),
    (503, 0x98),
    (504, 0x90),
    (505, 0x10),
    (506, 0x50),
    (507, 0xd8),
    (508, 0x24),
    (509, 0x10),
    (590, 0x20),
    (591, 0x30),
    (592, 0x8),
    (593, 0xf0),
    (594, 0x20),
    (595, 0xfc),
    (596, 0x20),
    (597, 0xc),
    (598, 0x3ff),
    (599, 0x18),
    (670, 0x18),
    (672, 0x4),
    (673, 0x8),
    (674, 0x8),
    (675, 0x18),
    (676, 0xa),
    (677, 0xa),
    (678, 0xa),
    (679, 0x88),
    (680, 0x8),
    (681, 0x24),
    (682, 0x2),
    (683, 0x9),
    (685, 0x4e),
    (686, 0x12),
    (687, 0x4),
    (688, 0xe),
    (689, 0x34),
    (690, 0xf),
    (691, 0x8),
    (692, 0x8),
    (800, 0x10),
    (808, 0x10),
    (850, 0x50),
    (852, 0xbe),
    (853, 0x18),
    (855, 0x70),
    (856, 0x70),
    (870, 0x120),
    (878, 0x100),
    (880, 0x7c),
    (881, 0x60),
    (882, 0x1f8),
    (883, 0x1f0),
    (886, 0xf8),
    (888, 0x80),
    (960, 0x48),
    (961, 0x18),
    (962, 0x30),
    (963, 0x30),
    (964, 0x70),
    (965, 0x18),
    (966, 0x60),
    (967, 0x38),
    (968, 0x38),
    (970, 0x70),
    (971, 0x1fe),
    (972, 0x1f8),
    (973, 0x10),
    (974, 0xb8),
    (975, 0x18),
    (976, 0x70),
    (977, 0xd0),
    (979, 0x20),
    (992, 0x20),
    (993, 0x10),
    (994, 0x20),
    (995, 0x20),
    (996, 0x60),
    (998, 0x20),
];
