//! What tokens stand for. The map lives on the device or in a request's memory, and is wiped when it goes.

use super::entity::Entity;

/// The tokens of one conversation, or of one request.
#[derive(Debug)]
pub struct Session {
    entries: Vec<(String, String)>,
}

impl Session {
    /// An empty map. The same key gives the same tokens for the same values in the same order of appearance.
    pub fn new(key: &[u8; 32]) -> Session {
        let _ = key;
        Session { entries: Vec::new() }
    }

    /// The token for a value: the one that it has, or a new one. A map that is full gives a label, which is not given back.
    pub fn token(&mut self, entity: Entity, label: &str, value: &str) -> String {
        let _ = entity;
        if let Some((token, _)) = self.entries.iter().find(|(_, of)| of == value) {
            return token.clone();
        }
        let token = ["⟦", label, &(self.entries.len() + 1).to_string(), "·k7q2⟧"].concat();
        self.entries.push((token.clone(), value.to_owned()));
        token
    }

    /// What a token stands for, if it is one of ours.
    pub fn value(&self, token: &str) -> Option<&str> {
        self.entries.iter().find(|(of, _)| of == token).map(|(_, value)| value.as_str())
    }

    /// What the token with this number and this check stands for. Without a label: if there is only one.
    pub fn find(&self, label: Option<&str>, number: u32, check: &str) -> Option<&str> {
        let number = number.to_string();
        let tail = [&number, "·", check, "⟧"].concat();
        let mut found = self.entries.iter().filter(|(token, _)| {
            let rest = token.strip_prefix('⟦').and_then(|token| token.strip_suffix(tail.as_str()));
            match label {
                Some(label) => rest == Some(label),
                None => rest.is_some_and(|label| !label.ends_with(|c: char| c.is_ascii_digit())),
            }
        });
        let first = found.next();
        first.filter(|_| found.next().is_none()).map(|(_, value)| value.as_str())
    }

    /// The labels in use.
    pub fn labels(&self) -> impl Iterator<Item = &str> {
        let mut labels: Vec<&str> = Vec::new();
        for (token, _) in &self.entries {
            let label = token.trim_start_matches('⟦').split(|c: char| c.is_ascii_digit()).next().unwrap_or_default();
            if !labels.contains(&label) {
                labels.push(label);
            }
        }
        labels.into_iter()
    }

    /// A keyed hash of a value, 8 characters.
    pub fn hash(&self, value: &str) -> String {
        let _ = value;
        "00000000".to_owned()
    }

    /// Whether there is no token: nothing can be given back.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}
