//! A bounded map from a route's key to what is known of it.

use crate::time::Instant;

/// Most keys that are kept. One more drives out the one that was not used for longest, of those that can be spared if there are any.
const KEYS: usize = 1024;
/// Longest key that is kept, in bytes: a key may hold a model's name that a client made up.
const KEY_BYTES: usize = 512;

/// Sorted by key: a lookup takes `log n` comparisons, and hashing would be more code than all of this.
#[derive(Debug)]
pub(super) struct Keyed<T> {
    entries: Vec<Entry<T>>,
}

#[derive(Debug)]
struct Entry<T> {
    key: String,
    used: Instant,
    value: T,
}

impl<T: Default> Keyed<T> {
    pub(super) fn new() -> Self {
        Keyed { entries: Vec::new() }
    }

    fn place(&self, key: &str) -> Result<usize, usize> {
        self.entries.binary_search_by(|entry| entry.key.as_str().cmp(key))
    }

    pub(super) fn find(&self, key: &str) -> Option<&T> {
        self.entries.get(self.place(key).ok()?).map(|entry| &entry.value)
    }

    pub(super) fn find_mut(&mut self, now: Instant, key: &str) -> Option<&mut T> {
        let place = self.place(key).ok()?;
        let entry = self.entries.get_mut(place)?;
        entry.used = now;
        Some(&mut entry.value)
    }

    /// The value of a key, made if there is none; `None` for a key that is too long to keep.
    pub(super) fn entry(&mut self, now: Instant, key: &str, spare: fn(&T, Instant) -> bool) -> Option<&mut T> {
        if key.len() > KEY_BYTES {
            return None;
        }
        if self.place(key).is_err() {
            if self.entries.len() >= KEYS {
                let worth = |(_, entry): &(usize, &Entry<T>)| (!spare(&entry.value, now), entry.used);
                let (least, _) = self.entries.iter().enumerate().min_by_key(worth)?;
                self.entries.remove(least);
            }
            if let Err(place) = self.place(key) {
                self.entries.insert(place, Entry { key: key.to_owned(), used: now, value: T::default() });
            }
        }
        self.find_mut(now, key)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.entries.iter().map(|entry| (entry.key.as_str(), &entry.value))
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut T)> {
        self.entries.iter_mut().map(|entry| (entry.key.as_str(), &mut entry.value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_unused_key_that_can_be_spared_goes_first() {
        let mut keyed = Keyed::<bool>::new();
        for n in 0..=KEYS {
            // The first two are busy; all the others can be spared.
            if let Some(busy) = keyed.entry(Instant(n as u64), &n.to_string(), |busy, _| !busy) {
                *busy = n < 2;
            }
        }
        assert_eq!((keyed.entries.len(), keyed.find("0"), keyed.find("1")), (KEYS, Some(&true), Some(&true)));
        assert_eq!((keyed.find("2"), keyed.find("3")), (None, Some(&false)));
    }

    #[test]
    fn when_none_can_be_spared_the_longest_unused_goes() {
        let mut keyed = Keyed::<bool>::new();
        for n in 0..KEYS {
            keyed.entry(Instant(n as u64), &n.to_string(), |_, _| false);
        }
        keyed.find_mut(Instant(5_000), "0");
        keyed.entry(Instant(5_001), "new", |_, _| false);
        assert_eq!((keyed.entries.len(), keyed.find("1")), (KEYS, None));
        assert!(keyed.find("0").is_some() && keyed.find("new").is_some());
    }

    #[test]
    fn a_key_over_the_limit_is_not_kept() {
        let mut keyed = Keyed::<bool>::new();
        assert!(keyed.entry(Instant(0), &"k".repeat(KEY_BYTES), |_, _| true).is_some());
        assert!(keyed.entry(Instant(0), &"k".repeat(KEY_BYTES + 1), |_, _| true).is_none());
    }
}
