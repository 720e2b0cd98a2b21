//! Numbers that stand where others draw random ones.

/// Draws numbers, always the same from the same seed: what was drawn once can be drawn again, in another process and after an
/// update. So it is an algorithm that is written here, and not a crate that may choose a better one: `SplitMix64` (Steele, Lea
/// and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014).
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// From this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `count`; 0 where that is 0.
    pub fn below(&mut self, count: usize) -> usize {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        // The upper half of a product: no number is more likely than another by more than `count` in 2^64.
        let scaled = (u128::from(self.number()) * u128::from(count)) >> 64;
        usize::try_from(scaled).unwrap_or(0)
    }

    fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_a_seed_never_change() {
        let mut dice = Dice::new(1_234_567);
        // Those of the reference implementation (prng.di.unimi.it/splitmix64.c, 2015).
        let numbers = [0; 3].map(|_| dice.number());
        assert_eq!(
            numbers,
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
        let mut dice = Dice::new(7);
        let drawn = [0; 12].map(|_| dice.below(6));
        insta::assert_snapshot!(format!("{drawn:?}"), @"[2, 0, 5, 3, 2, 1, 2, 1, 0, 2, 0, 5]");
        assert_eq!((dice.below(1), dice.below(0)), (0, 0));
    }

    #[test]
    fn every_number_is_about_as_likely() {
        let mut dice = Dice::new(0);
        let mut counts = [0; 6];
        for _ in 0..60_000 {
            counts[dice.below(6)] += 1;
        }
        assert!(counts.iter().all(|count| (9_500..10_500).contains(count)), "{counts:?}");
    }
}
