//! A file's name as it is kept and as it is given back: a label to be shown, never a path and never the place where the file is stored.

use core::fmt::Write as _;

/// The last part of what may be a path, without characters that change how the text around them is read. `None` if nothing is left.
pub(super) fn label(name: &str) -> Option<String> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let label: String = last.chars().filter(|&c| !c.is_control() && !is_invisible(c)).collect();
    let label = label.trim();
    (!label.bytes().all(|byte| byte == b'.')).then(|| label.to_owned())
}

/// Directions, joiners, marks and line separators: what a reader does not see and a terminal or a page obeys.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The value of `Content-Disposition` under which a file is saved and never shown: the name in plain letters for old clients, and as it is.
pub fn attachment(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | ' ');
    let plain: String = name.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    let mut value = ["attachment; filename=\"", &plain, "\""].concat();
    if plain != name {
        value.push_str("; filename*=UTF-8''");
        for byte in name.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'_' | b'-' => value.push(char::from(byte)),
                // Writing to a string does not fail.
                _ => drop(write!(value, "%{byte:02X}")),
            }
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::{attachment, label};

    #[test]
    fn a_name_cannot_break_out_of_its_header() {
        assert_eq!(attachment("a 1.jsonl"), "attachment; filename=\"a 1.jsonl\"");
        assert_eq!(
            attachment("训\"\r\nx: y.html"),
            "attachment; filename=\"____x_ y.html\"; filename*=UTF-8''%E8%AE%AD%22%0D%0Ax%3A%20y.html"
        );
    }

    #[test]
    fn a_label_is_no_path_and_reads_as_it_looks() {
        for (name, kept) in [
            ("dataset.jsonl", Some("dataset.jsonl")),
            ("../../etc/passwd", Some("passwd")),
            (r"C:\temp\训练 1.jsonl", Some("训练 1.jsonl")),
            ("a\u{202e}lnosj.exe", Some("alnosj.exe")),
            ("a\u{0}b\u{85}c", Some("abc")),
            ("page.html", Some("page.html")),
            ("\u{200b}", None),
            ("..", None),
            ("a/..", None),
            ("a/", None),
            ("", None),
        ] {
            assert_eq!(label(name).as_deref(), kept, "{name:?}");
        }
    }
}
