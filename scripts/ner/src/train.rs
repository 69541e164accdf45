//! Two passes: one with room for every feature, to learn which matter; one with those alone, in the table that is shipped.

use std::collections::HashMap;
use std::path::Path;
use std::time::Instant;

use sluicegate::redact::ner::{HEADER, Label, SLOT, SLOTS, Scorer, Tagging, WEIGHTS, place, sum};

use crate::corpus::{self, Text};
use crate::perceptron::{Lesson, Lists, Perceptron, Space};

/// Corpora and how often an epoch goes through each.
const LESSONS: &[(&str, usize)] = &[
    ("msra.train", 1),
    ("daily.train", 1),
    ("chat.train", 1),
    ("reviews.train", 1),
    ("conll.train", 1),
    ("tweets.train", 2),
    ("forms.train", 1),
    ("lists.train", 1),
    ("docs_en.train", 1),
    ("docs_zh.train", 1),
    ("code.train", 1),
];
const BUCKETS: u32 = 29_500;
const WIDE_BITS: u32 = 22;
const WIDE_EPOCHS: usize = 3;
const TIGHT_EPOCHS: usize = 6;
/// A unit whose right label wins by no more than this teaches, as does a mistake.
const MARGIN: i32 = 12;
/// A Han character that starts fewer than one in so many of its occurrences starts nothing.
const IDLE_ONE_IN: u32 = 4000;

/// A text, the right label of each of its bytes, and where the kind is not to be known yet.
type Lecture = (Text, Vec<u8>, Vec<bool>);

pub fn train(home: &Path, model: &Path) -> Result<(), String> {
    let begun = Instant::now();
    let mut texts: Vec<Lecture> = Vec::new();
    let mut order: Vec<usize> = Vec::new();
    for (name, times) in LESSONS {
        for text in corpus::read(home, name)? {
            let labels = text.labels();
            order.extend(std::iter::repeat_n(texts.len(), *times));
            let loose = text.loose();
            texts.push((text, labels, loose));
        }
    }
    let mut lists = Lists { folds: folds(home)?, idle: Vec::new() };
    lists.idle = idle(&texts, &lists);
    eprintln!("{} texts, {} idle characters, {:?}", texts.len(), lists.idle.len(), begun.elapsed());

    let mut wide = Perceptron::new(Space::Wide(WIDE_BITS), MARGIN);
    let mut dice = 4u64;
    for epoch in 0..WIDE_EPOCHS {
        run(&mut wide, &texts, &mut order, &lists, &mut dice);
        eprintln!("wide {epoch}: {:?}", begun.elapsed());
    }
    let prints = select(&wide, &texts, &lists);
    eprintln!(
        "{} features of {} slots, {:?}",
        prints.iter().filter(|p| **p != 0).count(),
        prints.len(),
        begun.elapsed()
    );
    drop(wide);
    let mut tight = Perceptron::new(Space::Tight { buckets: BUCKETS, prints }, MARGIN);
    for epoch in 0..TIGHT_EPOCHS {
        run(&mut tight, &texts, &mut order, &lists, &mut dice);
        eprintln!("tight {epoch}: {:?}", begun.elapsed());
    }
    let bytes = file(&tight, &lists);
    std::fs::write(model, &bytes).map_err(|error| error.to_string())?;
    eprintln!("{} bytes, {:?}", bytes.len(), begun.elapsed());
    Ok(())
}

fn folds(home: &Path) -> Result<Vec<(u16, u16)>, String> {
    let data = std::fs::read_to_string(home.join("folds.json")).map_err(|error| error.to_string())?;
    let pairs: Vec<(char, char)> = serde_json::from_str(&data).map_err(|error| error.to_string())?;
    let mut folds: Vec<(u16, u16)> =
        pairs.into_iter().filter(|(from, to)| from != to).map(|(from, to)| (from as u16, to as u16)).collect();
    folds.sort_unstable();
    folds.dedup_by_key(|pair| pair.0);
    Ok(folds)
}

/// Frequent Han characters with which practically no entity starts.
fn idle(texts: &[Lecture], lists: &Lists) -> Vec<u16> {
    let mut counts: HashMap<u16, (u32, u32)> = HashMap::new();
    for (text, labels, _) in texts {
        for (at, c) in text.text.char_indices().filter(|(_, c)| ('\u{4E00}'..='\u{9FFF}').contains(c)) {
            let count = counts.entry(lists.fold(c) as u16).or_default();
            count.0 += 1;
            count.1 += u32::from(labels[at] % 2);
        }
    }
    let mut idle: Vec<u16> = counts
        .into_iter()
        .filter(|(_, (all, first))| *all >= 60 && first * IDLE_ONE_IN < *all)
        .map(|(c, _)| c)
        .collect();
    idle.sort_unstable();
    idle
}

fn run(perceptron: &mut Perceptron, texts: &[Lecture], order: &mut [usize], lists: &Lists, dice: &mut u64) {
    for i in (1..order.len()).rev() {
        *dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        order.swap(i, ((*dice >> 33) as usize) % (i + 1));
    }
    let mut marks = Vec::new();
    for &at in order.iter() {
        let (text, labels, loose) = &texts[at];
        let mut lesson = Lesson { perceptron, text, labels, loose, lists };
        tag(&mut lesson, &text.text, &mut marks);
        marks.clear();
    }
}

fn tag<S: Scorer>(scorer: &mut S, text: &str, marks: &mut Vec<sluicegate::redact::ner::Mark>) {
    let mut tagging = Tagging::new(0);
    for (at, c) in text.char_indices() {
        tagging.push_with(scorer, c, at, marks);
    }
    tagging.finish_with(scorer, marks);
}

/// Tells how often each feature with some weight is met.
struct Census<'a> {
    weights: &'a [[f32; WEIGHTS]],
    space: &'a Space,
    lists: &'a Lists,
    met: &'a mut HashMap<u64, u32>,
}

impl Scorer for Census<'_> {
    fn decide(&mut self, features: &[u64], _: usize, open: bool, _: i8) -> (Label, i32) {
        let mut sums = [0f32; WEIGHTS + 1];
        for &feature in features {
            let weights = &self.weights[self.space.find(feature).unwrap_or(0)];
            for (sum, weight) in sums[1..].iter_mut().zip(weights) {
                *sum += weight;
            }
            if size(weights) > 0.8 {
                *self.met.entry(feature).or_default() += 1;
            }
        }
        let best = (1..=WEIGHTS)
            .filter(|label| open || label % 2 == 1)
            .fold(0, |best, label| if sums[label] > sums[best] { label } else { best });
        (Label(best as u8), 0)
    }

    fn may_start(&self, c: char) -> bool {
        !self.lists.is_idle(c)
    }

    fn fold(&self, c: char) -> char {
        self.lists.fold(c)
    }
}

fn size(weights: &[f32; WEIGHTS]) -> f32 {
    weights.iter().fold(0f32, |most, weight| most.max(weight.abs()))
}

/// The features that matter most, each in its bucket.
fn select(wide: &Perceptron, texts: &[Lecture], lists: &Lists) -> Vec<u16> {
    let weights = wide.averaged();
    let mut met = HashMap::new();
    let mut marks = Vec::new();
    for (text, ..) in texts {
        tag(&mut Census { weights: &weights, space: &wide.space, lists, met: &mut met }, &text.text, &mut marks);
        marks.clear();
    }
    let mut ranked: Vec<(u64, f32)> = met
        .into_iter()
        .filter(|(_, count)| *count > 1)
        .map(|(feature, count)| {
            (feature, size(&weights[wide.space.find(feature).unwrap_or(0)]) * (1.0 + (count as f32).ln()))
        })
        .collect();
    eprintln!("{} features with weight", ranked.len());
    ranked.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let mut prints = vec![0u16; BUCKETS as usize * SLOTS];
    let mut left = prints.len() * 98 / 100;
    for (feature, _) in ranked {
        let (bucket, print) = place(feature, BUCKETS);
        let slots = &mut prints[bucket as usize * SLOTS..][..SLOTS];
        let free = slots.iter().position(|slot| *slot == 0).filter(|_| !slots.contains(&print));
        if let Some(free) = free {
            slots[free] = print;
            left -= 1;
        }
        if left == 0 {
            break;
        }
    }
    prints
}

/// The model file.
fn file(tight: &Perceptron, lists: &Lists) -> Vec<u8> {
    let Space::Tight { buckets, prints } = &tight.space else { return Vec::new() };
    let weights = tight.averaged();
    let mut sizes: Vec<f32> = weights.iter().map(size).filter(|size| *size > 0.0).collect();
    sizes.sort_unstable_by(f32::total_cmp);
    let scale = 127.0 / sizes.get(sizes.len() * 998 / 1000).copied().unwrap_or(1.0);
    let unit = (f64::from(scale) * f64::from(MARGIN) * 2.0).round().clamp(1.0, 60_000.0) as u16;
    let mut body = Vec::new();
    for (from, to) in &lists.folds {
        body.extend(from.to_le_bytes());
        body.extend(to.to_le_bytes());
    }
    for c in &lists.idle {
        body.extend(c.to_le_bytes());
    }
    for (print, weights) in prints.iter().zip(&weights) {
        let bytes = weights.map(|weight| (weight * scale).round().clamp(-127.0, 127.0) as i8 as u8);
        let empty = bytes.iter().all(|byte| *byte == 0);
        body.extend(if empty { [0, 0] } else { print.to_le_bytes() });
        body.extend(bytes);
    }
    let mut bytes = Vec::with_capacity(HEADER + body.len());
    bytes.extend(b"SGNR\x01\0");
    bytes.extend([0, 0]);
    bytes.extend(buckets.to_le_bytes());
    bytes.extend(unit.to_le_bytes());
    bytes.extend([0, 0]);
    bytes.extend((lists.folds.len() as u16).to_le_bytes());
    bytes.extend((lists.idle.len() as u16).to_le_bytes());
    bytes.extend(sum(&body).to_le_bytes());
    bytes.extend(body);
    debug_assert_eq!(SLOT, 8);
    bytes
}
