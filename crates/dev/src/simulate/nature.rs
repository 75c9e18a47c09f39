//! What a store, a product or a buyer is like, derived from the seed and its id alone.
//!
//! History and live phase agree on who is popular and what is bought together without a table of their own, and a shop
//! that another program filled has such a nature too.

/// Mixes three numbers into one that looks random (the finaliser of SplitMix64, applied to a running state).
pub(crate) const fn mix(seed: u64, a: u64, b: u64) -> u64 {
    let mut x = seed
        .wrapping_add(0x9e37_79b9_7f4a_7c15)
        .wrapping_add(a.wrapping_mul(0xbf58_476d_1ce4_e5b9))
        .wrapping_add(b.wrapping_mul(0x94d0_49bb_1331_11eb));
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Share of the pairs (buyer, store) that buy through the store's web page, with visits that are seen. The others order
/// through a chat or a phone call: their orders belong to no visit. One pair never does both, so that an order of one
/// kind is not counted to a visit of the other.
const ONLINE_SHARE: f64 = 0.3;

/// One of how many stores is a favourite of a buyer.
const FAVOURITE_ONE_OF: u64 = 4;

/// Shares of acceptance at a favourite store and elsewhere.
const AFFINITY: (f64, f64) = (1.0, 0.1);

/// The nature of everything that has an id, for one seed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Nature {
    seed: u64,
}

impl Nature {
    /// The nature of a seed.
    pub(crate) const fn new(seed: u64) -> Self {
        Self { seed }
    }

    fn unit(self, salt: u64, a: i64, b: i64) -> f64 {
        let bits = mix(mix(self.seed, salt, 0), a as u64, b as u64);
        (bits >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// How much a product is asked for within its store: a long tail, 1 to about 20.
    pub(crate) fn product_weight(self, product: i64) -> f64 {
        (1.0 - self.unit(1, product, 0)).powf(-0.65).min(20.0)
    }

    /// How busy a store is, 1 to 6.
    pub(crate) fn store_weight(self, store: i64) -> f64 {
        (1.0 - self.unit(2, store, 0)).powf(-0.5).min(6.0)
    }

    /// How often a buyer buys, in `(0, 1]`.
    pub(crate) fn buyer_weight(self, buyer: i64) -> f64 {
        0.12 + 0.88 * self.unit(3, buyer, 0).powi(3)
    }

    /// How likely a buyer accepts a store, in `(0, 1]`.
    pub(crate) fn affinity(self, buyer: i64, store: i64) -> f64 {
        if mix(mix(self.seed, 4, 0), buyer as u64, store as u64).is_multiple_of(FAVOURITE_ONE_OF) {
            AFFINITY.0
        } else {
            AFFINITY.1
        }
    }

    /// True when this buyer buys through this store's web page.
    pub(crate) fn buys_online(self, buyer: i64, store: i64) -> bool {
        self.unit(5, buyer, store) < ONLINE_SHARE
    }

    /// How many days a buyer stays with the platform.
    pub(crate) fn tenure_days(self, buyer: i64) -> f64 {
        -160.0 * (1.0 - self.unit(6, buyer, 0)).ln() + 1.0
    }

    /// Daily growth of a store beside the growth of the platform, as a fraction.
    pub(crate) fn store_growth(self, store: i64) -> f64 {
        (self.unit(7, store, 0) - 0.5) * 0.006
    }

    /// Order in which the products of a store are paired into bundles.
    pub(crate) const fn bundle_order(self, product: i64) -> u64 {
        mix(mix(self.seed, 8, 0), product as u64, 0)
    }

    /// The carrier that is late more often than the others: the one with the smallest number.
    pub(crate) const fn lateness(self, carrier: i64) -> u64 {
        mix(mix(self.seed, 9, 0), carrier as u64, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_stay_in_their_ranges() {
        let nature = Nature::new(42);
        for id in 0..5000 {
            assert!((1.0..=20.0).contains(&nature.product_weight(id)));
            assert!((1.0..=6.0).contains(&nature.store_weight(id)));
            assert!((0.1..=1.0).contains(&nature.buyer_weight(id)));
            assert!(nature.tenure_days(id) >= 1.0);
        }
    }

    #[test]
    fn about_a_third_of_the_pairs_buys_online() {
        let nature = Nature::new(42);
        let online = (0..10_000).filter(|id| nature.buys_online(*id, id % 12)).count();
        assert!((2700..3300).contains(&online), "{online}");
    }
}
