//! Internet addresses, and which of them tell nothing about anybody.

use super::num::{number, part, value};

/// Whether this is an IPv4 address: four decimal octets without leading zeros.
pub(crate) fn ipv4(s: &str) -> bool {
    parse4(s).is_some()
}

/// Whether this is an IPv6 address (RFC 4291, section 2.2): eight groups, `::` for one group or more of zeros, the
/// last two perhaps as IPv4. Zone ids and prefix lengths are not part of it.
pub(crate) fn ipv6(s: &str) -> bool {
    parse6(s).is_some()
}

/// Whether a valid address of either kind is kept by default: unspecified, loopback, private, shared, link-local,
/// documentation, benchmark, multicast, reserved (IANA special-purpose registries, RFC 6890).
pub(crate) fn ip_kept(s: &str) -> bool {
    parse4(s).map_or_else(|| parse6(s).is_some_and(kept6), kept4)
}

fn parse4(s: &str) -> Option<u32> {
    let (mut address, mut octets) = (0u32, 0);
    let mut rest = Some(s);
    while let Some(part) = part(&mut rest, b'.') {
        let octet = number(part, 0, part.len())?;
        if part.is_empty() || part.len() > 3 || (part.len() > 1 && part.starts_with('0')) || octet > 255 {
            return None;
        }
        address = address << 8 | octet;
        octets += 1;
        if octets > 4 {
            return None;
        }
    }
    (octets == 4).then_some(address)
}

fn parse6(s: &str) -> Option<[u16; 8]> {
    let mut groups = [0u16; 8];
    let mut count = 0;
    // Where `::` stands among the groups.
    let mut gap = None;
    let mut rest = s;
    if let Some(tail) = rest.strip_prefix("::") {
        gap = Some(0);
        rest = tail;
    }
    while !rest.is_empty() {
        let end = rest.bytes().position(|b| b == b':').unwrap_or(rest.len());
        let (part, tail) = rest.split_at_checked(end)?;
        if tail.is_empty() && part.bytes().any(|b| b == b'.') {
            let v4 = parse4(part)?;
            *groups.get_mut(count)? = (v4 >> 16) as u16;
            *groups.get_mut(count + 1)? = v4 as u16;
            count += 2;
            break;
        }
        if part.is_empty() || part.len() > 4 || !part.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        *groups.get_mut(count)? = part.bytes().fold(0, |n, b| n << 4 | value(b) as u16);
        count += 1;
        rest = match tail.strip_prefix("::") {
            Some(_) if gap.is_some() => return None,
            Some(after) => {
                gap = Some(count);
                after
            }
            // A single colon must lead to a group.
            None if tail == ":" => return None,
            None => tail.strip_prefix(':').unwrap_or(""),
        };
    }
    match gap {
        None => (count == 8).then_some(groups),
        // Groups behind the gap move to the end.
        Some(gap) if count < 8 => Some(core::array::from_fn(|i| match i.checked_sub(8 - count) {
            _ if i < gap => groups.get(i).copied().unwrap_or(0),
            Some(from) if from >= gap => groups.get(from).copied().unwrap_or(0),
            _ => 0,
        })),
        Some(_) => None,
    }
}

/// Network and prefix length of each block of IPv4 that is kept.
const KEPT4: [(u32, u32); 15] = [
    (0x0000_0000, 8),  // this network
    (0x0a00_0000, 8),  // private
    (0x6440_0000, 10), // shared by a carrier's customers
    (0x7f00_0000, 8),  // loopback
    (0xa9fe_0000, 16), // link-local
    (0xac10_0000, 12), // private
    (0xc000_0000, 24), // protocol assignments
    (0xc000_0200, 24), // documentation
    (0xc058_6300, 24), // 6to4 relays
    (0xc0a8_0000, 16), // private
    (0xc612_0000, 15), // benchmarks
    (0xc633_6400, 24), // documentation
    (0xcb00_7100, 24), // documentation
    (0xe000_0000, 4),  // multicast
    (0xf000_0000, 4),  // reserved, broadcast
];

fn kept4(address: u32) -> bool {
    KEPT4.iter().any(|(network, length)| (address ^ network) >> (32 - length) == 0)
}

fn kept6(groups: [u16; 8]) -> bool {
    let [a, b, c, d, e, f, g, h] = groups;
    let low = u32::from(g) << 16 | u32::from(h);
    let zeros = a | b | c | d | e == 0;
    // Mapped and translated addresses are what they carry; `::` and `::1` carry 0.0.0.0/8.
    if zeros && (f == 0 || f == 0xffff) || (a, b) == (0x64, 0xff9b) && c | d | e | f == 0 {
        return kept4(low);
    }
    matches!(a, 0xfc00..=0xfdff | 0xfe80..=0xfebf | 0xff00..)
        || a == 0x2001 && (b == 0xdb8 || b == 2 && c == 0)
        || a == 0x3fff && b < 0x1000
        || a == 0x100 && b | c | d == 0
}
