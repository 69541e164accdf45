//! JSON written by hand: strings with their escapes, and objects member by member.

/// A string as JSON text.
pub(crate) fn quoted(text: &str) -> String {
    let mut json = String::with_capacity(text.len() + 2);
    push_quoted(&mut json, text);
    json
}

/// Appends a string as JSON text: only what must be escaped is.
pub(crate) fn push_quoted(json: &mut String, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    json.push('"');
    for c in text.chars() {
        let letter = match c {
            '"' | '\\' => c,
            '\n' => 'n',
            '\r' => 'r',
            '\t' => 't',
            '\u{8}' => 'b',
            '\u{c}' => 'f',
            '\0'..='\u{1f}' => {
                json.push_str(if c < '\u{10}' { "\\u000" } else { "\\u001" });
                json.push(HEX.get(c as usize & 15).map_or('0', |&digit| char::from(digit)));
                continue;
            }
            _ => {
                json.push(c);
                continue;
            }
        };
        json.push('\\');
        json.push(letter);
    }
    json.push('"');
}

/// An object under construction. Names must need no escapes.
#[derive(Debug)]
pub struct Object {
    json: String,
}

impl Object {
    /// Without members.
    #[allow(clippy::new_without_default)] // nobody needs one by that name
    pub fn new() -> Self {
        Object { json: String::from("{") }
    }

    /// A text.
    pub fn string(&mut self, name: &str, value: &str) {
        self.name(name);
        push_quoted(&mut self.json, value);
    }

    /// A text, if there is one.
    pub fn maybe(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.string(name, value);
        }
    }

    /// A count.
    pub fn number(&mut self, name: &str, value: u64) {
        self.raw(name, &value.to_string());
    }

    /// A value that is JSON text already.
    pub fn raw(&mut self, name: &str, value: &str) {
        self.name(name);
        self.json.push_str(value);
    }

    /// As [`Object::raw`], for a name of any characters.
    pub fn raw_named(&mut self, name: &str, value: &str) {
        self.json.push_str(if self.json.len() > 1 { "," } else { "" });
        push_quoted(&mut self.json, name);
        self.json.push(':');
        self.json.push_str(value);
    }

    /// The JSON text.
    pub fn finish(mut self) -> String {
        self.json.push('}');
        self.json
    }

    fn name(&mut self, name: &str) {
        self.json.push_str(if self.json.len() > 1 { ",\"" } else { "\"" });
        self.json.push_str(name);
        self.json.push_str("\":");
    }
}

#[cfg(test)]
mod tests {
    use super::quoted;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn strings_are_written_as_serde_json_writes_them(text in "[\u{0}-\u{7f}\u{80}-\u{ffff}]{0,40}") {
            prop_assert_eq!(Some(quoted(&text)), serde_json::to_string(&text).ok());
        }
    }
}
