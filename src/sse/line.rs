//! Chunks to lines: LF, CR and CRLF end one, also across chunks; a byte order mark at the very start is dropped.
//!
//! A CR ends its line at once, even at the end of a chunk; if an LF opens the next chunk it is then skipped. Waiting for
//! that LF would hold back the last event of a server that ends lines with CR.

use memchr::memchr2;

const BOM: [u8; 3] = [0xEF, 0xBB, 0xBF];

#[derive(Debug, Default)]
pub(super) struct Lines {
    /// The line whose end has not come, or the last one handed out as `Buffered`, if `taken`.
    buffer: Vec<u8>,
    taken: bool,
    /// How much of a byte order mark was seen; all of it also stands for "past the start".
    bom: usize,
    skip_lf: bool,
}

/// What [`Lines::next`] found.
pub(super) enum Scan<'i> {
    /// A line that lies in the chunk.
    Whole(&'i [u8]),
    /// A line that came in parts: [`Lines::buffered`] has it until the next call.
    Buffered,
    /// No end of line in what is left of the chunk, all of which is taken.
    Incomplete,
    /// A field line over the bound, finished or not.
    TooLong,
}

impl Lines {
    /// Whether no part of a line, nor of a byte order mark, has been seen since the last end of line.
    pub(super) fn is_at_start_of_line(&self) -> bool {
        (self.taken || self.buffer.is_empty()) && matches!(self.bom, 0 | 3)
    }

    /// Takes a line from the front of `input`. Each byte is looked at once: what a call leaves of an unfinished line is
    /// kept and not searched again.
    ///
    /// A field line may have `room` bytes. A comment may be longer, but is kept no further than its first `comment` bytes.
    pub(super) fn next<'i>(&mut self, input: &mut &'i [u8], room: usize, comment: usize) -> Scan<'i> {
        if self.taken {
            self.buffer.clear();
            self.taken = false;
        }
        if self.bom < BOM.len() && !self.pass_bom(input) {
            return Scan::Incomplete;
        }
        if self.skip_lf {
            match input {
                [] => return Scan::Incomplete,
                [b'\n', rest @ ..] => *input = rest,
                _ => {}
            }
            self.skip_lf = false;
        }
        let chunk = *input;
        let end = match chunk {
            [b'\n' | b'\r', ..] => Some(0),
            _ => memchr2(b'\n', b'\r', chunk),
        };
        let (part, rest) = end.and_then(|end| chunk.split_at_checked(end)).unwrap_or((chunk, &[]));
        *input = match rest {
            [b'\r', b'\n', rest @ ..] => rest,
            [b'\r'] => {
                self.skip_lf = true;
                &[]
            }
            [_, rest @ ..] => rest,
            [] => {
                let fits = self.append(part, room, comment);
                *input = &[];
                return if fits { Scan::Incomplete } else { Scan::TooLong };
            }
        };
        if self.buffer.is_empty() {
            let fits = part.len() <= room || part.first() == Some(&b':');
            return if fits { Scan::Whole(part) } else { Scan::TooLong };
        }
        if !self.append(part, room, comment) {
            return Scan::TooLong;
        }
        self.taken = true;
        Scan::Buffered
    }

    /// The line of the last [`Scan::Buffered`].
    pub(super) fn buffered(&self) -> &[u8] {
        &self.buffer
    }

    /// The line that has begun and not ended.
    pub(super) fn unfinished(&self) -> &[u8] {
        if self.taken { &[] } else { &self.buffer }
    }

    /// Drops the mark, or turns what looked like one into the start of a line. False if more bytes must tell.
    fn pass_bom(&mut self, input: &mut &[u8]) -> bool {
        while let Some(expected) = BOM.get(self.bom) {
            match input {
                [] => return false,
                [byte, rest @ ..] if byte == expected => {
                    self.bom += 1;
                    *input = rest;
                }
                _ => {
                    self.buffer.extend(BOM.iter().take(self.bom));
                    self.bom = BOM.len();
                }
            }
        }
        true
    }

    fn append(&mut self, part: &[u8], room: usize, comment: usize) -> bool {
        let length = self.buffer.len();
        if self.buffer.first().or(part.first()) == Some(&b':') {
            let kept = part.get(..comment.saturating_add(1).saturating_sub(length)).unwrap_or(part);
            self.buffer.extend_from_slice(kept);
        } else if length.saturating_add(part.len()) > room {
            return false;
        } else {
            self.buffer.extend_from_slice(part);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::{Lines, Scan};

    #[test]
    fn a_megabyte_fed_byte_by_byte_is_moved_a_logarithmic_number_of_times() {
        let mut lines = Lines::default();
        let mut growths = 0;
        for _ in 0..1 << 20 {
            let before = lines.buffer.capacity();
            let mut input: &[u8] = b"x";
            assert!(matches!(lines.next(&mut input, usize::MAX, 0), Scan::Incomplete));
            assert!(input.is_empty(), "a byte that stays in the input is searched again");
            growths += usize::from(lines.buffer.capacity() != before);
        }
        assert_eq!(lines.unfinished().len(), 1 << 20);
        assert!(growths <= 24, "the buffer moved {growths} times");
    }

    #[test]
    fn an_endless_comment_is_kept_up_to_its_bound_only() {
        let mut lines = Lines::default();
        for chunk in [b":".as_slice()].into_iter().chain(std::iter::repeat_n([b'x'; 100].as_slice(), 100)) {
            assert!(matches!(lines.next(&mut &*chunk, 0, 250), Scan::Incomplete));
        }
        assert_eq!(lines.unfinished().len(), 251);
        assert!(lines.buffer.capacity() < 1000);
    }
}
