//! An averaged perceptron over the tagger's own features; "no entity" is pinned at nought.

use sluicegate::redact::ner::{Label, Scorer, WEIGHTS, place};

use crate::corpus::Text;

/// Where features stand while weights are learnt.
pub enum Space {
    /// By hash alone, so wide that it hardly matters.
    Wide(u32),
    /// As in the model file: buckets of four fingerprints. What has no place is not seen.
    Tight { buckets: u32, prints: Vec<u16> },
}

impl Space {
    pub fn size(&self) -> usize {
        match self {
            Self::Wide(bits) => 1 << bits,
            Self::Tight { prints, .. } => prints.len(),
        }
    }

    pub fn find(&self, feature: u64) -> Option<usize> {
        match self {
            Self::Wide(bits) => Some((feature >> (64 - bits)) as usize),
            Self::Tight { buckets, prints } => {
                let (bucket, print) = place(feature, *buckets);
                let at = bucket as usize * 4;
                (at..at + 4).find(|&slot| prints[slot] == print)
            }
        }
    }
}

pub struct Perceptron {
    pub space: Space,
    pub weights: Vec<[i32; WEIGHTS]>,
    past: Vec<[i64; WEIGHTS]>,
    steps: i64,
    margin: i32,
}

/// The perceptron at one text of its lesson.
pub struct Lesson<'a> {
    pub perceptron: &'a mut Perceptron,
    pub text: &'a Text,
    pub labels: &'a [u8],
    pub loose: &'a [bool],
    pub lists: &'a Lists,
}

/// What the model file has beside the weights.
#[derive(Default)]
pub struct Lists {
    pub folds: Vec<(u16, u16)>,
    pub idle: Vec<u16>,
}

impl Lists {
    pub fn fold(&self, c: char) -> char {
        let found =
            u16::try_from(u32::from(c)).ok().and_then(|key| self.folds.binary_search_by_key(&key, |pair| pair.0).ok());
        found.and_then(|at| char::from_u32(u32::from(self.folds[at].1))).unwrap_or(c)
    }

    pub fn is_idle(&self, c: char) -> bool {
        u16::try_from(u32::from(c)).is_ok_and(|key| self.idle.binary_search(&key).is_ok())
    }
}

impl Perceptron {
    pub fn new(space: Space, margin: i32) -> Self {
        let size = space.size();
        Self { space, weights: vec![[0; WEIGHTS]; size], past: vec![[0; WEIGHTS]; size], steps: 1, margin }
    }

    /// The mean of the weights over all steps so far.
    pub fn averaged(&self) -> Vec<[f32; WEIGHTS]> {
        let steps = self.steps as f64;
        let mean = |now: &[i32; WEIGHTS], past: &[i64; WEIGHTS]| {
            std::array::from_fn(|i| (f64::from(now[i]) - past[i] as f64 / steps) as f32)
        };
        self.weights.iter().zip(&self.past).map(|(now, past)| mean(now, past)).collect()
    }
}

impl Scorer for Lesson<'_> {
    fn decide(&mut self, features: &[u64], at: usize, open: bool, _: i8) -> (Label, i32) {
        let all = &mut *self.perceptron;
        all.steps += 1;
        let mut slots = [0usize; 32];
        let mut len = 0;
        let mut scores = [0i32; WEIGHTS + 1];
        for &feature in features {
            if let Some(slot) = all.space.find(feature) {
                slots[len] = slot;
                len += 1;
                for (score, weight) in scores[1..].iter_mut().zip(&all.weights[slot]) {
                    *score += weight;
                }
            }
        }
        let may = |label: usize| open || label == 0 || label % 2 == 1;
        let mut right = self.labels[at];
        let same = |label: usize| self.loose[at] && right != 0 && label != 0 && label % 2 == usize::from(right % 2);
        let best = (0..=WEIGHTS)
            .filter(|&label| may(label))
            .max_by_key(|&label| (scores[label], WEIGHTS - label))
            .unwrap_or(0);
        let rival = (0..=WEIGHTS)
            .filter(|&label| {
                may(label) && label != usize::from(right) && !same(label) && !self.text.excuses(label as u8)
            })
            .max_by_key(|&label| scores[label])
            .unwrap_or(0);
        if let Some(label) = (1..=WEIGHTS).filter(|&label| same(label)).max_by_key(|&label| scores[label]) {
            right = label as u8;
        }
        // Whoever missed an entity's start cannot be right about the rest of it.
        if may(usize::from(right)) && scores[usize::from(right)] - scores[rival] <= self.perceptron.margin {
            let all = &mut *self.perceptron;
            for &slot in &slots[..len] {
                for (label, by) in [(usize::from(right), 1), (rival, -1)] {
                    if label > 0 {
                        all.weights[slot][label - 1] += by;
                        all.past[slot][label - 1] += i64::from(by) * all.steps;
                    }
                }
            }
        }
        (Label(best as u8), 0)
    }

    fn may_start(&self, c: char) -> bool {
        !self.lists.is_idle(c)
    }

    fn fold(&self, c: char) -> char {
        self.lists.fold(c)
    }
}
