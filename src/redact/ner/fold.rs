//! What a character is, without Unicode's tables: they would cost more bytes than the rest of the tagger.

/// Full-width forms and the variants of one sign, made one.
pub(super) fn plain(c: char) -> char {
    match c {
        '\u{0}'..='\u{7F}' => c,
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(c as u32 - 0xFEE0).unwrap_or(c),
        '“' | '”' | '„' | '「' | '」' | '『' | '』' => '"',
        '‘' | '’' | '‛' => '\'',
        '•' | '・' | '‧' | '∙' | '⋅' | '●' => '·',
        '–' | '‐' | '‑' => '-',
        '…' => '.',
        _ => c,
    }
}

/// Characters that nobody sees: they belong to no unit and separate none.
pub(super) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}')
}

pub(super) fn is_han(c: char) -> bool {
    matches!(c, '\u{4E00}'..='\u{9FFF}' | '\u{3400}'..='\u{4DBF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}' | '々' | '〇')
}

/// Letters of the scripts that have words and capitals: Latin, Greek, Cyrillic.
pub(super) fn is_letter(c: char) -> bool {
    match c {
        '\u{0}'..='\u{7F}' => c.is_ascii_alphabetic(),
        '\u{D7}' | '\u{F7}' => false,
        '\u{C0}'..='\u{24F}' | '\u{386}'..='\u{3FF}' | '\u{400}'..='\u{4FF}' | '\u{1E00}'..='\u{1EFF}' => true,
        _ => false,
    }
}

/// The lower case of a letter, and whether it was a capital. Right for what names are written with; elsewhere good enough.
pub(super) fn lower(c: char) -> (char, bool) {
    let code = c as u32;
    let (by, upper) = match code {
        0x41..=0x5A | 0xC0..=0xDE | 0x391..=0x3AB | 0x410..=0x42F => (32, true),
        0x400..=0x40F => (80, true),
        0x100..=0x137 | 0x14A..=0x177 | 0x460..=0x4BF | 0x1E00..=0x1EFF => (1, code & 1 == 0),
        0x139..=0x148 | 0x179..=0x17E => (1, code & 1 == 1),
        _ => (0, false),
    };
    if upper { (char::from_u32(code + by).unwrap_or(c), true) } else { (c, false) }
}
