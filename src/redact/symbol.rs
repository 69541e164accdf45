//! One form for all writings of a character, so that a rule is written once.

/// The form that patterns are written in: ASCII for full-width and other digits and for all spaces and dashes, `·` for all middle dots.
/// `None` for what nobody sees: zero-width characters, soft hyphens, variation selectors.
#[inline(always)]
pub(crate) fn normal(c: char) -> Option<char> {
    if c.is_ascii() || ('\u{4E00}'..='\u{9FFF}').contains(&c) { Some(c) } else { rare(c) }
}

#[inline(never)]
fn rare(c: char) -> Option<char> {
    let code = c as u32;
    Some(match code {
        0xAD
        | 0x34F
        | 0x61C
        | 0x180E
        | 0x200B..=0x200F
        | 0x202A..=0x202E
        | 0x2060..=0x2064
        | 0xFE00..=0xFE0F
        | 0xFEFF => return None,
        0xA0 | 0x2000..=0x200A | 0x202F | 0x205F | 0x3000 => ' ',
        // Punctuation of sentences stays what it is: a comma in Chinese parts no thousands.
        0xFF01 | 0xFF0C | 0xFF1B | 0xFF1F => c,
        0xFF01..=0xFF5E => char::from_u32(code - 0xFEE0).unwrap_or(c),
        0x2010..=0x2015 | 0x2212 | 0xFE58 | 0xFE63 => '-',
        0xB7 | 0x2022 | 0x2027 | 0x30FB | 0xFF65 | 0x2219 | 0x22C5 => '·',
        // Digits of other scripts that are in use, and those made for formulas.
        0x660..=0x669 => digit(code - 0x660),
        0x6F0..=0x6F9 => digit(code - 0x6F0),
        0x1_D7CE..=0x1_D7FF => digit((code - 0x1_D7CE) % 10),
        0x2460..=0x2468 => digit(code - 0x245F),
        0x2080..=0x2089 => digit(code - 0x2080),
        0xB9 => '1',
        0xB2 | 0xB3 => digit(code - 0xB0),
        0x2070 | 0x2074..=0x2079 => digit(code - 0x2070),
        _ => c,
    })
}

fn digit(value: u32) -> char {
    char::from_digit(value, 10).unwrap_or('0')
}

/// The ASCII digit that a Chinese one stands for.
pub(crate) fn chinese_digit(c: char) -> Option<char> {
    Some(match c {
        '零' | '〇' => '0',
        '一' | '幺' | '壹' => '1',
        '二' | '贰' => '2',
        '三' | '叁' => '3',
        '四' | '肆' => '4',
        '五' | '伍' => '5',
        '六' | '陆' => '6',
        '七' | '柒' => '7',
        '八' | '捌' => '8',
        '九' | '玖' => '9',
        _ => return None,
    })
}

/// Whether it is a Han character.
pub(crate) fn is_han(c: char) -> bool {
    matches!(c as u32, 0x3007 | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x2_0000..=0x3_23AF)
}

#[cfg(test)]
mod tests {
    use super::normal;

    #[test]
    fn writings_of_one_character_have_one_form() {
        let all = |text: &str| text.chars().filter_map(normal).collect::<String>();
        assert_eq!(all("１３８－０013\u{200b}8０00"), "138-0013".to_owned() + "8000");
        assert_eq!(all("a\u{ad}b\u{3000}c—d・e"), "ab c-d·e");
        assert_eq!(all("٠١٢𝟏𝟗"), "01219");
    }
}
