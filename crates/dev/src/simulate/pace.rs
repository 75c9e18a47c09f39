//! How many events are due: a steady rate, with a debt that is paid off in time and forgiven when it grows too old.

/// Longest debt in seconds; what is older is given up and counted, so that a source that comes back after an hour is
/// not hit by an hour of orders at once.
const LONGEST_DEBT: f64 = 10.0;

/// Most seconds of work in one turn: a debt is paid off in several batches of a fair size, and in the right mix.
const MOST_IN_A_TURN: f64 = 1.0;

/// The credit of orders and behaviour rows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Pace {
    rate: f64,
    orders_share: f64,
    orders: f64,
    behaviour: f64,
    forgiven: f64,
}

impl Pace {
    /// A rate in events a second, and the share of orders in it.
    pub(crate) const fn new(rate: f64, orders_share: f64) -> Self {
        Self {
            rate,
            orders_share,
            orders: 0.0,
            behaviour: 0.0,
            forgiven: 0.0,
        }
    }

    /// Time passes.
    pub(crate) fn pass(&mut self, seconds: f64) {
        self.orders += self.rate * self.orders_share * seconds;
        self.behaviour += self.rate * (1.0 - self.orders_share) * seconds;
        let (orders, behaviour) = (
            self.rate * self.orders_share * LONGEST_DEBT,
            self.rate * (1.0 - self.orders_share) * LONGEST_DEBT,
        );
        self.forgiven += (self.orders - orders).max(0.0) + (self.behaviour - behaviour).max(0.0);
        self.orders = self.orders.min(orders);
        self.behaviour = self.behaviour.min(behaviour);
    }

    /// Orders due in this turn.
    pub(crate) fn orders_due(&self) -> u64 {
        self.orders
            .min((self.rate * self.orders_share * MOST_IN_A_TURN).max(1.0)) as u64
    }

    /// Behaviour rows due in this turn.
    pub(crate) fn behaviour_due(&self) -> u64 {
        self.behaviour
            .min((self.rate * (1.0 - self.orders_share) * MOST_IN_A_TURN).max(1.0)) as u64
    }

    /// Takes what was done off the debt.
    pub(crate) fn done(&mut self, orders: u64, behaviour: u64) {
        self.orders -= orders as f64;
        self.behaviour -= behaviour as f64;
    }

    /// How far the shop is behind, in seconds.
    pub(crate) fn behind_seconds(&self) -> f64 {
        (self.orders.max(0.0).floor() + self.behaviour.max(0.0).floor()) / self.rate
    }

    /// Events that were given up.
    pub(crate) const fn forgiven(&self) -> u64 {
        self.forgiven as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mix_is_exact_over_time() {
        for rate in [1.0, 10.0, 333.0] {
            let mut pace = Pace::new(rate, 0.7);
            let (mut orders, mut behaviour) = (0, 0);
            for _ in 0..6000 {
                pace.pass(0.1);
                let due = (pace.orders_due(), pace.behaviour_due());
                pace.done(due.0, due.1);
                orders += due.0;
                behaviour += due.1;
            }
            assert!(
                (orders as f64 - rate * 600.0 * 0.7).abs() <= 1.0,
                "{orders} at {rate}"
            );
            assert!(
                (behaviour as f64 - rate * 600.0 * 0.3).abs() <= 1.0,
                "{behaviour} at {rate}"
            );
            assert_eq!(pace.forgiven(), 0);
        }
    }

    #[test]
    fn an_old_debt_is_forgiven_and_counted() {
        let mut pace = Pace::new(10.0, 0.7);
        for _ in 0..1000 {
            pace.pass(0.1);
        }
        assert!((pace.behind_seconds() - 10.0).abs() < 0.2);
        assert!((890..=901).contains(&pace.forgiven()), "{}", pace.forgiven());
        assert_eq!(
            (pace.orders_due(), pace.behaviour_due()),
            (7, 3),
            "a second's worth in a turn"
        );
    }
}
