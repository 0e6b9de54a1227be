//! All chance of a simulated store, from one seed.
//!
//! Invariant: what one part draws never shifts what another part draws. Each part has a generator
//! of its own, forked by name, so that an added draw changes one part of a run and no other.

use std::sync::{Mutex, PoisonError};

use providers::Random;

/// A seeded generator: xoshiro256** (Blackman and Vigna, "Scrambled linear pseudorandom number
/// generators", 2018), its state filled by SplitMix64 (Steele, Lea and Flood, 2014). Not for secrets.
#[derive(Clone, Debug)]
pub struct Dice {
    seed: u64,
    state: [u64; 4],
}

fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Dice {
    pub fn new(seed: u64) -> Dice {
        let mut mix = seed;
        let state = std::array::from_fn(|_| split_mix(&mut mix));
        Dice { seed, state }
    }

    /// The generator of a part. Depends on this one's seed and the name alone, not on what was
    /// drawn before.
    pub fn fork(&self, part: &str) -> Dice {
        // FNV-1a, 64 bits.
        let name = part.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Dice::new(self.seed ^ name.rotate_left(17))
    }

    pub fn next(&mut self) -> u64 {
        let [a, b, c, d] = &mut self.state;
        let drawn = b.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let shifted = *b << 17;
        *c ^= *a;
        *d ^= *b;
        *b ^= *c;
        *a ^= *d;
        *c ^= shifted;
        *d = d.rotate_left(45);
        drawn
    }

    /// From `low` to `high`, both included. The bias of a remainder does not matter here.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        assert!(low <= high, "{low} to {high} is no range");
        match (high - low).checked_add(1) {
            Some(width) => low + self.next() % width,
            None => self.next(),
        }
    }

    /// An index below `len`, which must not be 0.
    pub fn index(&mut self, len: usize) -> usize {
        assert!(len > 0, "nothing to choose from");
        (self.next() % len as u64) as usize
    }

    pub fn chance(&mut self, permille: u64) -> bool {
        self.between(1, 1000) <= permille
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.index(from.len())]
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.index(last + 1));
        }
    }
}

/// A lane's randomness.
pub struct SimRandom(Mutex<Dice>);

impl SimRandom {
    pub fn new(dice: Dice) -> SimRandom {
        SimRandom(Mutex::new(dice))
    }
}

impl Random for SimRandom {
    fn fill(&self, bytes: &mut [u8]) {
        let mut dice = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&dice.next().to_le_bytes()[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xoshiro_gives_the_published_numbers() {
        // The reference implementation's first outputs for the state 1, 2, 3, 4.
        let mut dice = Dice {
            seed: 0,
            state: [1, 2, 3, 4],
        };
        let drawn: Vec<u64> = (0..4).map(|_| dice.next()).collect();
        assert_eq!(drawn, [11520, 0, 1_509_978_240, 1_215_971_899_390_074_240]);
    }

    #[test]
    fn a_fork_does_not_depend_on_what_was_drawn() {
        let mut dice = Dice::new(7);
        let before = dice.fork("net").next();
        dice.next();
        assert_eq!(dice.fork("net").next(), before);
        assert_ne!(dice.fork("disk").next(), before);
    }
}
