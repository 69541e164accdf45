//! The weights: a table of small integers behind a fingerprint each, in one file that is checked before it is believed.
//!
//! ```text
//! "SGNR" version:u8 0:u8 marks:u16  buckets:u32  unit:u16 plain:u16  folds:u16 idle:u16  check:u32   (24 bytes)
//! folds × (from:u16 to:u16)   idle × u16   buckets × 4 slots × (fingerprint:u16, six weights:i8)
//! ```
//!
//! All numbers little-endian; `check` is FNV-1a over what follows the header; `plain` and `marks` are reserved and nought.

use super::{Kind, Label, Scorer};
use crate::error::{Error, ErrorKind};

/// Weights of a slot: begin and go on, of each kind. "No entity" is nought, the others are relative to it.
pub const WEIGHTS: usize = 6;
/// Slots that share a bucket.
pub const SLOTS: usize = 4;
/// Bytes of a slot and of the header.
pub const SLOT: usize = 2 + WEIGHTS;
/// Bytes before the tables.
pub const HEADER: usize = 24;
/// The most bytes that are taken for a model: 4 MiB.
pub const MODEL_BYTES: usize = 4 << 20;

/// What the tagger has learnt. Loaded once, shared by all texts.
#[derive(Debug)]
pub struct Model {
    bytes: Vec<u8>,
    folds: (usize, usize),
    idle: (usize, usize),
    table: usize,
    buckets: u32,
    unit: i32,
}

impl Model {
    /// Reads a model file.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`] when it is none, of another version, cut off or altered.
    pub fn load(bytes: &[u8]) -> Result<Self, Error> {
        Self::read(bytes).ok_or_else(|| {
            Error::new(
                ErrorKind::InvalidRequest,
                "The names model cannot be read: it is not a model file of this version, or it is incomplete.",
            )
        })
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        if bytes.len() > MODEL_BYTES || bytes.get(..5)? != b"SGNR\x01" {
            return None;
        }
        let buckets = u32::from_le_bytes(bytes.get(8..12)?.try_into().ok()?);
        let unit = short(bytes, 12)?;
        let (folds, idle) = (usize::from(short(bytes, 16)?), usize::from(short(bytes, 18)?));
        let check = u32::from_le_bytes(bytes.get(20..24)?.try_into().ok()?);
        let idle_at = HEADER + folds * 4;
        let table = idle_at + idle * 2;
        let end = usize::try_from(buckets).ok()?.checked_mul(SLOTS * SLOT)?.checked_add(table)?;
        if buckets == 0 || unit == 0 || end != bytes.len() || sum(bytes.get(HEADER..)?) != check {
            return None;
        }
        Some(Self {
            bytes: bytes.to_vec(),
            folds: (HEADER, folds),
            idle: (idle_at, idle),
            table,
            buckets,
            unit: i32::from(unit),
        })
    }

    /// The sum of the weights of `features`.
    fn sum(&self, features: &[u64]) -> [i32; WEIGHTS] {
        let mut all = [0i32; WEIGHTS];
        for &feature in features {
            let (bucket, print) = place(feature, self.buckets);
            let at = self.table + bucket as usize * SLOTS * SLOT;
            let Some(bucket) = self.bytes.get(at..at + SLOTS * SLOT) else { continue };
            for slot in bucket.chunks_exact(SLOT) {
                let [low, high, weights @ ..] = slot else { continue };
                if u16::from_le_bytes([*low, *high]) == print {
                    for (sum, weight) in all.iter_mut().zip(weights) {
                        *sum += i32::from(weight.cast_signed());
                    }
                    break;
                }
            }
        }
        all
    }

    fn find(&self, (at, len): (usize, usize), width: usize, key: u16) -> Option<usize> {
        let (mut low, mut high) = (0, len);
        while low < high {
            let middle = low.midpoint(high);
            let place = at + middle * width;
            let here = short(&self.bytes, place)?;
            match here.cmp(&key) {
                core::cmp::Ordering::Equal => return Some(place),
                core::cmp::Ordering::Less => low = middle + 1,
                core::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }
}

/// Where a feature stands in a table of so many buckets, and its fingerprint there, which is never nought.
#[must_use]
pub fn place(feature: u64, buckets: u32) -> (u32, u16) {
    let bucket = ((feature >> 32) * u64::from(buckets)) >> 32;
    (bucket as u32, (feature as u16).max(1))
}

/// FNV-1a.
#[must_use]
pub fn sum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811C_9DC5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_le_bytes)
}

impl Scorer for &Model {
    fn decide(&mut self, features: &[u64], _: usize, open: bool, bias: i8) -> (Label, i32) {
        let sums = self.sum(features);
        // Half of it on what follows a start: more would make entities longer rather than find more of them.
        let lift = i32::from(bias) * self.unit / if open { 128 } else { 64 };
        let mut best = (Label::NONE, 0);
        for (label, sum) in (1u8..).zip(sums) {
            if sum + lift > best.1 && (open || Label(label).begins()) {
                best = (Label(label), sum + lift);
            }
        }
        // In hundredths of the typical margin; without the lift, so that what only the lift has found shows.
        (best.0, (best.1 - lift) * 100 / self.unit)
    }

    fn may_start(&self, c: char) -> bool {
        u16::try_from(u32::from(c)).map_or(true, |key| self.find(self.idle, 2, key).is_none())
    }

    fn fold(&self, c: char) -> char {
        let folded = u16::try_from(u32::from(c))
            .ok()
            .and_then(|key| self.find(self.folds, 4, key))
            .and_then(|at| short(&self.bytes, at + 2));
        folded.and_then(|code| char::from_u32(u32::from(code))).unwrap_or(c)
    }
}

impl Label {
    /// No entity.
    pub const NONE: Self = Self(0);

    /// What it begins or goes on with.
    #[must_use]
    pub fn kind(self) -> Option<Kind> {
        match self.0 {
            1 | 2 => Some(Kind::Person),
            3 | 4 => Some(Kind::Place),
            5 | 6 => Some(Kind::Organisation),
            _ => None,
        }
    }

    /// Whether it starts an entity.
    #[must_use]
    pub fn begins(self) -> bool {
        self.0 % 2 == 1
    }
}
