//! Tool calls, put together from their pieces.
//!
//! The protocol numbers the calls of a choice with `index`. Vendors leave it out, send every call as number 0, repeat or blank the id
//! and the name: [`place`] decides which call a piece belongs to.

use super::whole::{ExtraFields, Room};
use crate::error::Error;

/// One call of a tool that the model asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToolCall {
    /// Its number in the choice.
    pub index: u32,
    /// The vendor's id of the call; empty if it gave none.
    pub id: String,
    /// The function's name.
    pub name: String,
    /// The arguments: JSON text, if the model wrote it well.
    pub arguments: String,
    /// Unknown fields of the call and of its function.
    pub extra: ExtraFields,
}

/// How a piece names its call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Index(u64),
    /// No `index`.
    Missing,
    /// The `function_call` of old, of which a choice has one.
    Legacy,
}

/// What is known of a call beside the call itself.
#[derive(Debug)]
pub(super) struct CallTrack {
    key: Key,
    /// The chunk that spoke of it last.
    chunk: u64,
    /// See `string`.
    pub(super) half: u16,
}

/// One piece, as far as it says which call it is for. Blank strings are empty.
pub(super) struct Piece<'p> {
    pub(super) key: Key,
    pub(super) id: &'p str,
    pub(super) name: &'p str,
    /// The number of the chunk that it is in.
    pub(super) chunk: u64,
    /// Whether it is a whole call (of an unary reply) and not a piece of one.
    pub(super) whole: bool,
}

/// The place of the piece's call, which is new if it was the list's length before.
pub(super) fn place(
    calls: &mut Vec<ToolCall>,
    tracks: &mut Vec<CallTrack>,
    piece: &Piece<'_>,
    room: &Room,
) -> Result<usize, Error> {
    let known = if piece.whole && piece.key != Key::Legacy { None } else { find(calls, tracks, piece) };
    if let Some(track) = known.and_then(|at| tracks.get_mut(at)) {
        track.chunk = piece.chunk;
    }
    if let Some(at) = known {
        return Ok(at);
    }
    room.one_more(calls.len())?;
    let next = calls.iter().map(|call| call.index.saturating_add(1)).max().unwrap_or(0);
    let index = match piece.key {
        Key::Index(index) => u32::try_from(index).unwrap_or(next),
        Key::Missing | Key::Legacy => next,
    };
    let taken = calls.iter().any(|call| call.index == index);
    calls.push(ToolCall { index: if taken { next } else { index }, ..ToolCall::default() });
    tracks.push(CallTrack { key: piece.key, chunk: piece.chunk, half: 0 });
    Ok(calls.len() - 1)
}

fn find(calls: &[ToolCall], tracks: &[CallTrack], piece: &Piece<'_>) -> Option<usize> {
    match piece.key {
        Key::Legacy => tracks.iter().position(|track| track.key == Key::Legacy),
        Key::Index(_) => {
            let at = tracks.iter().rposition(|track| track.key == piece.key)?;
            let (call, track) = (calls.get(at)?, tracks.get(at)?);
            // Nobody spells a name in one chunk: two names there are two calls, whatever their number and id.
            let named = !piece.name.is_empty() && !call.name.is_empty();
            if named && call.name != piece.name && track.chunk == piece.chunk {
                return None;
            }
            // Some servers number every call 0: another id with a name is another call, and later pieces are for that one.
            let other = !piece.id.is_empty() && !piece.name.is_empty() && !call.id.is_empty() && call.id != piece.id;
            if !other {
                return Some(at);
            }
            calls.iter().position(|call| call.id == piece.id)
        }
        Key::Missing if !piece.id.is_empty() => calls.iter().position(|call| call.id == piece.id),
        Key::Missing => {
            let at = calls.len().checked_sub(1)?;
            let (call, track) = (calls.get(at)?, tracks.get(at)?);
            // Two entries of one chunk that both bring a name are two calls, even of the same function.
            let goes_on = piece.name.is_empty() || (piece.name == call.name && track.chunk != piece.chunk);
            goes_on.then_some(at)
        }
    }
}
