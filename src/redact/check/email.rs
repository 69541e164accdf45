//! E-mail addresses.

use super::num::{one_of, part};

/// What follows the last dot in names of files such as `icon@2x.png`, and is no top-level domain.
const FILES: [&str; 10] = ["png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js", "json", "html"];

/// Whether this is an address of the form that people write (RFC 5321, and RFC 6531 for other scripts: 张三@例子.公司):
/// a local part of at most 64 bytes without quotes, two labels or more, at most 254 bytes in all.
pub(crate) fn email(s: &str) -> bool {
    let mut rest = Some(s);
    let (Some(local), Some(domain)) = (part(&mut rest, b'@'), rest) else { return false };
    s.len() <= 254 && local_part(local) && host(domain)
}

fn local_part(s: &str) -> bool {
    let mut rest = Some(s);
    while let Some(atom) = part(&mut rest, b'.') {
        let fits = |c: char| c.is_ascii_alphanumeric() || one_of("!#$%&'*+-/=?^_`{|}~", c) || wide(c);
        if atom.is_empty() || !atom.chars().all(fits) {
            return false;
        }
    }
    s.len() <= 64
}

fn host(s: &str) -> bool {
    let (mut labels, mut last) = (0, "");
    let mut rest = Some(s);
    while let Some(label) = part(&mut rest, b'.') {
        let fits = (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || wide(c));
        if !fits {
            return false;
        }
        labels += 1;
        last = label;
    }
    labels >= 2 && top(last)
}

/// A top-level domain: two letters or more, or an internationalised one in either form.
fn top(s: &str) -> bool {
    let puny = s.len() > 4 && s.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("xn--"));
    let letters = s.len() >= 2 && s.chars().all(|c| c.is_ascii_alphabetic() || wide(c));
    puny || letters && !FILES.iter().any(|file| file.eq_ignore_ascii_case(s))
}

/// A letter or digit beyond ASCII: not punctuation, spaces, symbols or private use.
fn wide(c: char) -> bool {
    !c.is_ascii()
        && !matches!(c, '\u{80}'..='\u{bf}' | '\u{2000}'..='\u{2bff}' | '\u{3000}'..='\u{3004}' | '\u{3008}'..='\u{3020}' | '\u{e000}'..='\u{f8ff}' | '\u{fe00}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff0f}' | '\u{ff1a}'..='\u{ff20}' | '\u{feff}' | '\u{ff3b}'..='\u{ff40}' | '\u{ff5b}'..='\u{ff65}' | '\u{fff0}'..='\u{ffff}' | '\u{1f000}'..='\u{1faff}' | '\u{e0000}'..)
}
