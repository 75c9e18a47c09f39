//! Randomness from a seed: one stream per purpose, so that a change in one part of the shop does not reshuffle another.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::nature::mix;

/// A stream of random draws. The same seed and purpose give the same draws on every machine.
#[derive(Debug, Clone)]
pub(crate) struct Dice(ChaCha8Rng);

impl Dice {
    /// The stream of a purpose. `purpose` is part of the seed.
    pub(crate) fn new(seed: u64, purpose: &str) -> Self {
        let salted = purpose
            .bytes()
            .fold(seed, |state, byte| mix(state, u64::from(byte), 0));
        Self(ChaCha8Rng::seed_from_u64(salted))
    }

    /// A number in `[0, 1)`.
    pub(crate) fn unit(&mut self) -> f64 {
        self.0.random::<f64>()
    }

    /// True with this probability.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.unit() < probability
    }

    /// A whole number from `low` to `high`, both included; `low` when the range is empty.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        if high <= low {
            return low;
        }
        self.0.random_range(low..=high)
    }

    /// A number in `[low, high)`.
    pub(crate) fn real(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// A number between two positive bounds whose logarithm is uniform: most draws lie nearer to the low bound.
    pub(crate) fn skewed(&mut self, low: f64, high: f64) -> f64 {
        (self.real(low.ln(), high.ln())).exp()
    }

    /// An entry of a list that is never empty.
    pub(crate) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.0.random_range(0..items.len())]
    }

    /// An entry of a list that may be empty.
    pub(crate) fn choose<T: Copy>(&mut self, items: &[T]) -> Option<T> {
        (!items.is_empty()).then(|| self.pick(items))
    }

    /// Waiting time of a memoryless process with this mean.
    pub(crate) fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.unit()).ln()
    }

    /// A draw of the standard normal distribution.
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// Number of events of a memoryless process whose mean is `mean`.
    pub(crate) fn poisson(&mut self, mean: f64) -> u64 {
        if mean <= 0.0 {
            return 0;
        }
        if mean > 60.0 {
            return (mean + mean.sqrt() * self.normal()).round().max(0.0) as u64;
        }
        let limit = (-mean).exp();
        let mut product = self.unit();
        let mut count = 0;
        while product > limit {
            product *= self.unit();
            count += 1;
        }
        count
    }

    /// 64 random bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0.random()
    }
}

/// A list of weights to draw indexes from, heavy ones more often.
#[derive(Debug, Clone, Default)]
pub(crate) struct Weighted {
    cumulative: Vec<f64>,
}

impl Weighted {
    /// Takes the weights in the order of the indexes; negative ones count as zero.
    pub(crate) fn new(weights: impl IntoIterator<Item = f64>) -> Self {
        let mut sum = 0.0;
        let cumulative = weights
            .into_iter()
            .map(|weight| {
                sum += weight.max(0.0);
                sum
            })
            .collect();
        Self { cumulative }
    }

    /// An index, or nothing when no weight is above zero.
    pub(crate) fn draw(&self, dice: &mut Dice) -> Option<usize> {
        let total = self.total();
        if total <= 0.0 {
            return None;
        }
        let at = dice.unit() * total;
        Some(
            self.cumulative
                .partition_point(|sum| *sum <= at)
                .min(self.cumulative.len() - 1),
        )
    }

    /// Sum of all weights.
    pub(crate) fn total(&self) -> f64 {
        self.cumulative.last().copied().unwrap_or(0.0)
    }

    /// Share of one index in the sum, 0 when there is nothing to share.
    pub(crate) fn share(&self, index: usize) -> f64 {
        let before = if index == 0 {
            0.0
        } else {
            self.cumulative[index - 1]
        };
        let total = self.total();
        if total > 0.0 {
            (self.cumulative[index] - before) / total
        } else {
            0.0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_draws_and_another_purpose_gives_others() {
        let draws = |seed, purpose| {
            let mut dice = Dice::new(seed, purpose);
            (0..20).map(|_| dice.bits()).collect::<Vec<_>>()
        };
        assert_eq!(draws(7, "orders"), draws(7, "orders"));
        assert_ne!(draws(7, "orders"), draws(8, "orders"));
        assert_ne!(draws(7, "orders"), draws(7, "visits"));
    }

    #[test]
    fn poisson_has_its_mean() {
        let mut dice = Dice::new(1, "poisson");
        for mean in [0.3, 4.0, 50.0, 400.0] {
            let n = 4000;
            let sum: u64 = (0..n).map(|_| dice.poisson(mean)).sum();
            let found = sum as f64 / f64::from(n);
            assert!((found - mean).abs() < 0.08 * mean, "mean {mean} gave {found}");
        }
        assert_eq!(dice.poisson(0.0), 0);
    }

    #[test]
    fn weights_are_drawn_in_proportion() {
        let mut dice = Dice::new(1, "weights");
        let weights = Weighted::new([0.0, 3.0, 1.0]);
        let mut counts = [0; 3];
        for _ in 0..8000 {
            counts[weights.draw(&mut dice).unwrap()] += 1;
        }
        assert_eq!(counts[0], 0);
        assert!((2.6..3.4).contains(&(f64::from(counts[1]) / f64::from(counts[2]))));
        assert!((weights.share(1) - 0.75).abs() < 1e-9);
        assert_eq!(Weighted::default().draw(&mut dice), None);
    }
}
