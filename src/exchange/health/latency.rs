//! How long a route takes to its first token, of late.

/// Samples kept; the oldest goes first.
const SAMPLES: usize = 128;
/// Below this many, no percentile is told: the 95th of five samples is just the slowest.
const LEAST: usize = 20;

/// A ring of samples, and the same samples in order: reading a percentile is a lookup, adding a sample two short moves.
#[derive(Clone, Debug, Default)]
pub(super) struct Latency {
    ring: Vec<u32>,
    oldest: usize,
    sorted: Vec<u32>,
}

impl Latency {
    pub(super) fn add(&mut self, millis: u64) {
        let sample = u32::try_from(millis).unwrap_or(u32::MAX);
        if self.ring.len() < SAMPLES {
            self.ring.push(sample);
        } else if let Some(slot) = self.ring.get_mut(self.oldest) {
            let gone = core::mem::replace(slot, sample);
            self.oldest = (self.oldest + 1) % SAMPLES;
            if let Ok(place) = self.sorted.binary_search(&gone) {
                self.sorted.remove(place);
            }
        }
        let (Ok(place) | Err(place)) = self.sorted.binary_search(&sample);
        self.sorted.insert(place, sample);
    }

    /// How many samples there are.
    pub(super) fn samples(&self) -> usize {
        self.sorted.len()
    }

    /// As [`Latency::percentile`], of however few.
    pub(super) fn of_few(&self, percentile: u8) -> Option<u64> {
        let rank = (self.sorted.len() * usize::from(percentile.min(100))).div_ceil(100).max(1);
        self.sorted.get(rank - 1).map(|&sample| u64::from(sample))
    }

    /// The smallest sample that at least this share of them does not exceed, in milliseconds.
    pub(super) fn percentile(&self, percentile: u8) -> Option<u64> {
        let count = self.sorted.len();
        if count < LEAST {
            return None;
        }
        let rank = (count * usize::from(percentile.min(100))).div_ceil(100).max(1);
        self.sorted.get(rank - 1).map(|&sample| u64::from(sample))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_percentile_is_that_of_the_last_samples_sorted(samples in prop::collection::vec(0u64..300, 0..400), percentile in 0u8..=110) {
            let mut latency = Latency::default();
            samples.iter().for_each(|&sample| latency.add(sample));
            let mut last = samples.get(samples.len().saturating_sub(SAMPLES)..).unwrap_or_default().to_vec();
            last.sort_unstable();
            let enough = |value: u64| last.iter().filter(|&&sample| sample <= value).count() * 100 >= usize::from(percentile.min(100)) * last.len();
            let expected = last.iter().copied().find(|&value| enough(value)).filter(|_| last.len() >= LEAST);
            prop_assert_eq!(latency.percentile(percentile), expected);
        }
    }
}
