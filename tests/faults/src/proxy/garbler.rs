//! Which bytes are changed, and into what.

/// Which bytes to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Garble {
    /// These: so many are left as they are, then so many have all their bits flipped.
    At {
        /// How many are left first.
        skip: u64,
        /// How many are changed.
        count: u64,
    },
    /// About one of so many, into any other byte; which and into what is decided by the seed.
    Random {
        /// Decides.
        seed: u64,
        /// One in how many; 1: all.
        one_in: u64,
    },
}

/// Changes a stream of bytes.
#[derive(Debug, Clone)]
pub(super) struct Garbler {
    garble: Garble,
    /// How many bytes have passed.
    passed: u64,
    /// State of the generator.
    state: u64,
}

impl Garbler {
    pub(super) fn new(garble: Garble) -> Self {
        let state = match garble {
            Garble::At { .. } => 0,
            Garble::Random { seed, .. } => seed,
        };
        Garbler {
            garble,
            passed: 0,
            state,
        }
    }

    pub(super) fn change(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            match self.garble {
                Garble::At { skip, count } => {
                    if (skip..skip.saturating_add(count)).contains(&self.passed) {
                        *byte ^= 0xff;
                    }
                }
                Garble::Random { one_in, .. } => {
                    let random = self.random();
                    if random.is_multiple_of(one_in.max(1)) {
                        *byte ^= ((random >> 32) % 255) as u8 + 1;
                    }
                }
            }
            self.passed += 1;
        }
    }

    /// `SplitMix64`.
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn garbled(garble: Garble, pieces: &[usize]) -> Vec<u8> {
        let mut garbler = Garbler::new(garble);
        let mut all = Vec::new();
        for piece in pieces {
            let mut bytes = vec![0; *piece];
            garbler.change(&mut bytes);
            all.extend(bytes);
        }
        all
    }

    #[test]
    fn the_bytes_that_were_named_are_changed_however_they_come() {
        let garble = Garble::At { skip: 2, count: 3 };
        let expected = [0, 0, 255, 255, 255, 0, 0];
        assert_eq!(garbled(garble, &[7]), expected);
        assert_eq!(garbled(garble, &[1, 2, 1, 3]), expected);
    }

    #[test]
    fn the_same_seed_changes_the_same_bytes_and_about_as_many_as_were_wanted() {
        let garble = |seed| Garble::Random { seed, one_in: 10 };
        let one = garbled(garble(7), &[5000, 5000]);
        assert_eq!(one, garbled(garble(7), &[1, 9999]));
        assert_ne!(one, garbled(garble(8), &[10_000]));
        let changed = one.iter().filter(|byte| **byte != 0).count();
        assert!((800..1200).contains(&changed), "{changed}");
    }
}
