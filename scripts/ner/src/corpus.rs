//! The texts that `prepare.py` wrote.

use std::path::Path;

use sluicegate::redact::ner::{Kind, Label};

/// One text with its entities, in bytes.
pub struct Text {
    pub text: String,
    pub entities: Vec<(usize, usize, Kind)>,
    /// Kinds that are not marked in this text even where they occur.
    pub unmarked: Vec<Kind>,
}

fn kind(name: &str) -> Option<Kind> {
    match name {
        "P" => Some(Kind::Person),
        "L" => Some(Kind::Place),
        "O" => Some(Kind::Organisation),
        _ => None,
    }
}

pub fn read(home: &Path, name: &str) -> Result<Vec<Text>, String> {
    let path = home.join(format!("{name}.jsonl"));
    let data = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    data.lines().map(|line| text(line).ok_or_else(|| format!("{name}: a line that is no text"))).collect()
}

fn text(line: &str) -> Option<Text> {
    let value: serde_json::Value = serde_json::from_str(line).ok()?;
    let text = value["t"].as_str()?.to_owned();
    let mut bytes: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    bytes.push(text.len());
    let mut entities = Vec::new();
    for entity in value["e"].as_array()? {
        let start = *bytes.get(usize::try_from(entity[0].as_u64()?).ok()?)?;
        let end = *bytes.get(usize::try_from(entity[1].as_u64()?).ok()?)?;
        entities.push((start, end, kind(entity[2].as_str()?)?));
    }
    let unmarked = value["m"].as_str()?.chars().filter_map(|c| kind(c.encode_utf8(&mut [0; 4]))).collect();
    Some(Text { text, entities, unmarked })
}

impl Text {
    /// The right label of each byte at which a unit may start.
    pub fn labels(&self) -> Vec<u8> {
        let mut labels = vec![0u8; self.text.len() + 1];
        for &(start, end, kind) in &self.entities {
            let begin = 1 + 2 * kind as u8;
            labels[start..end].fill(begin + 1);
            labels[start] = begin;
        }
        labels
    }

    /// Of each byte whether the entity there goes on beyond the tagger's sight, so that its kind need not be known yet.
    pub fn loose(&self) -> Vec<bool> {
        let mut loose = vec![false; self.text.len() + 1];
        for &(start, end, _) in &self.entities {
            for (at, c) in self.text[start..end].char_indices() {
                let rest = self.text[start + at..end].chars().skip(1);
                loose[start + at] =
                    if c.is_ascii() { rest.filter(|c| *c == ' ').count() > 1 } else { rest.count() > 2 };
            }
        }
        loose
    }

    pub fn excuses(&self, label: u8) -> bool {
        Label(label).kind().is_some_and(|kind| self.unmarked.contains(&kind))
    }
}
