//! The standard's algorithm, step by step, in the plainest way: the whole stream as one text, one character at a time.

use super::driver::{Outcome, Seen};

pub(crate) fn decode(bytes: &[u8], lenient: bool) -> Outcome {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let text = match text.chars().next() {
        Some('\u{FEFF}') => text.chars().skip(1).collect::<String>(),
        _ => text,
    };
    let (lines, rest) = split(&text);

    let mut stream = Stream::default();
    for line in &lines {
        stream.line(line);
    }
    if lenient {
        if !rest.starts_with(':') && !rest.starts_with("retry") && !rest.is_empty() {
            stream.line(&rest);
        }
        stream.data.pop();
        if !stream.data.is_empty() {
            stream.dispatch(false);
        }
    }
    stream.outcome
}

/// The lines that have an end, and what follows the last of them.
fn split(text: &str) -> (Vec<String>, String) {
    let characters: Vec<char> = text.chars().collect();
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut at = 0;
    while at < characters.len() {
        match characters[at] {
            '\r' => {
                lines.push(std::mem::take(&mut line));
                if characters.get(at + 1) == Some(&'\n') {
                    at += 1;
                }
            }
            '\n' => lines.push(std::mem::take(&mut line)),
            character => line.push(character),
        }
        at += 1;
    }
    (lines, line)
}

#[derive(Default)]
struct Stream {
    data: String,
    event_type: String,
    id: String,
    outcome: Outcome,
}

impl Stream {
    fn line(&mut self, line: &str) {
        if line.is_empty() {
            self.outcome.last_event_id = self.id.clone();
            if !self.data.is_empty() {
                assert_eq!(self.data.pop(), Some('\n'));
                self.dispatch(true);
            }
            self.data = String::new();
            self.event_type = String::new();
        } else if let Some(text) = line.strip_prefix(':') {
            self.outcome.items.push(Seen::Comment(text.to_owned()));
        } else if let Some((name, value)) = line.split_once(':') {
            self.field(name, value.strip_prefix(' ').unwrap_or(value));
        } else {
            self.field(line, "");
        }
    }

    fn field(&mut self, name: &str, value: &str) {
        match name {
            "event" => self.event_type = value.to_owned(),
            "data" => self.data = format!("{}{value}\n", self.data),
            "id" if !value.contains('\0') => self.id = value.to_owned(),
            "retry" if !value.is_empty() && value.chars().all(|character| character.is_ascii_digit()) => {
                self.outcome.items.push(Seen::Retry(value.parse().unwrap_or(u64::MAX)));
            }
            _ => {}
        }
    }

    fn dispatch(&mut self, terminated: bool) {
        let event_type = if self.event_type.is_empty() { "message".to_owned() } else { self.event_type.clone() };
        let id = self.outcome.last_event_id.clone();
        self.outcome.items.push(Seen::Event { event_type, data: self.data.clone(), id, terminated });
    }
}
