//! Log probabilities: raw JSON, the arrays of all chunks joined.

use super::chunk::Members;
use super::json;
use super::whole::Room;
use crate::error::Error;
use crate::json::write::push_quoted;

/// The members of `logprobs` so far.
#[derive(Debug, Default)]
pub(super) struct Logprobs {
    members: Vec<Member>,
}

#[derive(Debug)]
struct Member {
    name: String,
    /// The inside of the array, or another value's last text.
    text: String,
    is_array: bool,
}

impl Logprobs {
    /// Adds one chunk's `logprobs`; what is no object is ignored.
    pub(super) fn add(&mut self, text: &str, room: &mut Room) -> Result<(), Error> {
        let Some(members) = json::parse::<Members<'_>>(text) else { return Ok(()) };
        for (name, value) in &members.extra {
            let inside = value.strip_prefix('[').and_then(|value| value.strip_suffix(']')).map(str::trim);
            if !self.members.iter().any(|member| member.name == *name) {
                room.one_more(self.members.len())?;
                room.take_rest(name.len())?;
                let name = name.clone().into_owned();
                self.members.push(Member { name, text: String::new(), is_array: inside.is_some() });
            }
            let Some(member) = self.members.iter_mut().find(|member| member.name == *name) else { continue };
            match inside {
                Some(inside) if member.is_array => {
                    room.take_rest(inside.len() + 1)?;
                    if !member.text.is_empty() && !inside.is_empty() {
                        member.text.push(',');
                    }
                    member.text.push_str(inside);
                }
                _ => {
                    room.take_rest(value.len())?;
                    member.is_array = false;
                    member.text.clear();
                    member.text.push_str(value);
                }
            }
        }
        Ok(())
    }

    /// All of it as one object; `None` if there was nothing.
    pub(super) fn to_json(&self) -> Option<String> {
        if self.members.is_empty() {
            return None;
        }
        let mut json = String::from("{");
        for member in &self.members {
            if json.len() > 1 {
                json.push(',');
            }
            push_quoted(&mut json, &member.name);
            json.push_str(if member.is_array { ":[" } else { ":" });
            json.push_str(&member.text);
            if member.is_array {
                json.push(']');
            }
        }
        json.push('}');
        Some(json)
    }
}
