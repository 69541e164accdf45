//! Ways to cut a stream; the random ones reproducible from a seed.

/// Cuts at random, in pieces of mostly a few bytes, sometimes none, sometimes many.
pub(crate) fn random(bytes: &[u8], seed: u64) -> Vec<&[u8]> {
    let mut random = Random(seed);
    let largest = [2, 8, 64, 2048][random.below(4)];
    let mut rest = bytes;
    let mut chunks = Vec::new();
    while !rest.is_empty() {
        let (chunk, tail) = rest.split_at(random.below(largest + 1).min(rest.len()));
        chunks.push(chunk);
        rest = tail;
    }
    chunks
}

/// A SplitMix64 generator.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }
}
