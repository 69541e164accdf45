//! Images in a request: strict base64 of a picture whose kind is told by its first bytes.
//!
//! The name that a caller gives to a picture's type is not believed: what is not a picture by its bytes is not sent anywhere.

use crate::error::{Error, ErrorKind};
use crate::request::fault::invalid;

/// The size that one image may have, in bytes. Over it: `payload_too_large`. 5 MiB: what vendors take, and less than the default
/// limit on bodies.
pub const IMAGE_BYTES: usize = 5 << 20;

/// The longest beginning that tells a kind, in base64: twelve bytes.
const MAGIC_CHARS: usize = 16;

/// Checks one image, in base64 or as a `data:` address, and gives its media type and its base64.
pub(super) fn read<'a>(param: &str, data: &'a str) -> Result<(&'static str, &'a str), Error> {
    let base64 = match data.split_once(':') {
        None => data,
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("data") => match rest.split_once(',') {
            Some((kind, base64)) if ends_with(kind, ";base64") => base64,
            _ => return Err(invalid(param, "A data: address must hold base64.")),
        },
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https") => {
            return Err(invalid(param, "Must be the image itself in base64: addresses are not fetched."));
        }
        Some(_) => return Err(invalid(param, NOT_BASE64)),
    };
    let Some(bytes) = decoded_len(base64) else { return Err(invalid(param, NOT_BASE64)) };
    if bytes > IMAGE_BYTES {
        let message = ["An image may have at most ", &IMAGE_BYTES.to_string(), " bytes."].concat();
        return Err(Error::new(ErrorKind::PayloadTooLarge, message).with_param(param));
    }
    match media_type(base64) {
        Some(kind) => Ok((kind, base64)),
        None => Err(invalid(param, "Not a PNG, JPEG, WebP or GIF image.")),
    }
}

const NOT_BASE64: &str = "Must be base64: the standard alphabet, padded, without white space.";

fn ends_with(text: &str, end: &str) -> bool {
    let from = text.len().checked_sub(end.len());
    from.and_then(|from| text.get(from..)).is_some_and(|last| last.eq_ignore_ascii_case(end))
}

/// How many bytes a text of base64 stands for (RFC 4648, section 4, with no bits set that mean nothing); `None` if it is none.
fn decoded_len(base64: &str) -> Option<usize> {
    let bytes = base64.as_bytes();
    let padding = bytes.iter().rev().take_while(|byte| **byte == b'=').count();
    let digits = bytes.get(..bytes.len().checked_sub(padding)?)?;
    let last = digit(*digits.last()?)?;
    let unused = match padding {
        0 => 0,
        1 => last & 3,
        2 => last & 15,
        _ => return None,
    };
    let plain = digits.iter().all(|byte| digit(*byte).is_some());
    (plain && unused == 0 && bytes.len().is_multiple_of(4)).then(|| bytes.len() / 4 * 3 - padding)
}

fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

fn media_type(base64: &str) -> Option<&'static str> {
    let mut start = Vec::with_capacity(MAGIC_CHARS);
    let (mut bits, mut count) = (0u32, 0);
    for byte in base64.bytes().take(MAGIC_CHARS) {
        bits = (bits << 6) | u32::from(digit(byte)?);
        count += 6;
        if count >= 8 {
            count -= 8;
            start.push((bits >> count) as u8);
        }
    }
    match start.as_slice() {
        [0x89, b'P', b'N', b'G', 0x0D, 0x0A, 0x1A, 0x0A, ..] => Some("image/png"),
        [0xFF, 0xD8, 0xFF, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}
