//! Addresses of callers, and ranges of them.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A range of addresses: `10.0.0.0/8`, `2001:db8::/32`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    base: u128,
    /// How many leading bits count, of 128.
    bits: u32,
    is_v4: bool,
}

/// An address without a second spelling: an IPv4 address that is written as IPv6 is an IPv4 address.
///
/// Nothing but one address is one: no port, no zone, no list, no leading zeros.
pub fn parse(text: &str) -> Option<IpAddr> {
    let address: IpAddr = text.parse().ok()?;
    Some(address.to_canonical())
}

/// What stands for a caller without a key: an IPv4 address, or the first 64 bits of an IPv6 one, which is what one customer of a
/// provider has at the least.
pub fn bucket(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let high = u128::from(address) >> 64 << 64;
            [&Ipv6Addr::from(high).to_string(), "/64"].concat()
        }
    }
}

impl Network {
    /// Reads a range. Bits behind the length must be zero, so that a range is what it looks like.
    pub fn parse(text: &str) -> Option<Network> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => {
                let is_plain = matches!(length.as_bytes(), [b'0'] | [b'1'..=b'9'] | [b'1'..=b'9', ..])
                    && length.len() <= 3
                    && length.bytes().all(|byte| byte.is_ascii_digit());
                (address, Some(length.parse::<u32>().ok().filter(|_| is_plain)?))
            }
            None => (text, None),
        };
        let (base, is_v4, most) = match address.parse::<IpAddr>().ok()? {
            IpAddr::V4(address) => (wide(address), true, 32),
            // A second spelling of IPv4 would never match: addresses are compared in their own family.
            IpAddr::V6(address) if address.to_ipv4_mapped().is_some() => return None,
            IpAddr::V6(address) => (u128::from(address), false, 128),
        };
        let length = length.unwrap_or(most);
        if length > most {
            return None;
        }
        let network = Network { base, bits: length + 128 - most, is_v4 };
        (base & !network.mask() == 0).then_some(network)
    }

    fn mask(self) -> u128 {
        u128::MAX.checked_shl(128 - self.bits).unwrap_or(0)
    }

    /// Whether an address is in the range.
    pub fn contains(self, address: IpAddr) -> bool {
        let (value, is_v4) = match address.to_canonical() {
            IpAddr::V4(address) => (wide(address), true),
            IpAddr::V6(address) => (u128::from(address), false),
        };
        is_v4 == self.is_v4 && value & self.mask() == self.base
    }
}

/// An IPv4 address in the last 32 of 128 bits, the others being ones: a mask of 128 bits leaves them as they are.
fn wide(address: Ipv4Addr) -> u128 {
    u128::MAX << 32 | u128::from(u32::from(address))
}
