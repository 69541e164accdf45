//! Bytes as letters and digits, which no terminal, URL or double click cuts apart.

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The big-endian number modulo `62^length`, in exactly `length` digits.
///
/// Of random bytes, each result is equally likely but for a bias of `62^length / 256^bytes`: 2⁻⁷⁷ for 30 digits of 32 bytes, 2⁻³² for 16
/// of 16. Where `62^length` is larger than `256^bytes` (43 digits of 32 bytes, 22 of 16), different bytes give different digits.
pub(super) fn digits(bytes: &[u8], length: usize) -> String {
    let mut number = bytes.to_vec();
    let mut digits = vec![b'0'; length];
    for digit in digits.iter_mut().rev() {
        let mut rest = 0u32;
        for byte in &mut number {
            rest = rest << 8 | u32::from(*byte);
            *byte = (rest / 62) as u8;
            rest %= 62;
        }
        *digit = ALPHABET.get(rest as usize).copied().unwrap_or(b'0');
    }
    digits.into_iter().map(char::from).collect()
}

/// Whether all of it is letters and digits, and it is of this length.
pub(super) fn is(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
