//! What the platform earns on a sale (docs: kpis D23, row `commission`).

use std::collections::BTreeSet;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{Meaning, decimal};
use crate::money::{self, Cents};

/// Most decimals of a percentage.
const PERCENT_DECIMALS: u32 = 4;

/// Most cents of a fixed part.
const FIXED_CENTS_MOST: i64 = 1_000_000_000;

/// A rule: for one store, for the stores of one plan tier, or, with neither, for all others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommissionRule {
    /// The store it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<i64>,
    /// The tier of the plans it is for, as the plan of the store is now (docs: kpis 0.7).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// Percent of the order's amount.
    #[serde(deserialize_with = "decimal::deserialize")]
    pub percent: Decimal,
    /// Added for each order, in cents of the reporting currency.
    #[serde(default)]
    pub fixed_cents: i64,
    /// First order day it is valid for; always when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<NaiveDate>,
}

impl CommissionRule {
    /// The default rule of every shop: 5 % of each order.
    pub(super) const fn five_percent() -> Self {
        Self {
            store: None,
            plan: None,
            percent: Decimal::from_parts(5, 0, 0, false, 0),
            fixed_cents: 0,
            valid_from: None,
        }
    }

    /// Commission of an order of this amount, both in cents of the reporting currency, rounded half away from zero.
    fn of(&self, amount: Cents) -> Cents {
        money::percent(amount, self.percent).saturating_add(self.fixed_cents)
    }
}

impl Meaning {
    /// The rule for an order: of its store, else of the tier that the store's plan has now, else the one for all; among
    /// the rules of one kind the latest that is valid on the order day. A kind without a rule that is valid yet leaves the
    /// order to the next.
    pub fn commission_rule(
        &self,
        store: Option<i64>,
        tier: Option<&str>,
        day: NaiveDate,
    ) -> Option<&CommissionRule> {
        let latest = |is_kind: &dyn Fn(&CommissionRule) -> bool| {
            self.commission
                .iter()
                .filter(|rule| is_kind(rule) && rule.valid_from.is_none_or(|from| from <= day))
                .max_by_key(|rule| rule.valid_from)
        };
        latest(&|rule| rule.store.is_some() && rule.store == store)
            .or_else(|| latest(&|rule| rule.plan.is_some() && rule.plan.as_deref() == tier))
            .or_else(|| latest(&|rule| rule.store.is_none() && rule.plan.is_none()))
    }

    /// Commission of one order in cents of the reporting currency, rounded half away from zero; 0 when no rule is for it.
    pub fn commission_cents(
        &self,
        store: Option<i64>,
        tier: Option<&str>,
        day: NaiveDate,
        amount_cents: Cents,
    ) -> Cents {
        self.commission_rule(store, tier, day)
            .map_or(0, |rule| rule.of(amount_cents))
    }

    /// The tiers that have rules of their own.
    pub fn commission_tiers(&self) -> BTreeSet<&str> {
        self.commission
            .iter()
            .filter_map(|rule| rule.plan.as_deref())
            .collect()
    }

    /// Adds the faults of the rules.
    pub(super) fn validate_commission(&self, fault: &mut impl FnMut(&str, String)) {
        let tiers: BTreeSet<&str> = self.plans.values().map(|plan| plan.tier.as_str()).collect();
        let mut known = BTreeSet::new();
        for (place, rule) in self.commission.iter().enumerate() {
            let key = format!("meaning.commission[{place}]");
            if rule.store.is_some() && rule.plan.is_some() {
                fault(
                    &key,
                    "names a store and a plan; a rule is for one of them, or for all without both".into(),
                );
            }
            if rule.store.is_some_and(|store| store < 1) {
                fault(&key, "names a store below 1; give a customer_id".into());
            }
            if let Some(plan) = rule.plan.as_deref().filter(|plan| !tiers.contains(plan)) {
                let tiers: Vec<&str> = tiers.iter().copied().collect();
                fault(
                    &key,
                    format!(
                        "names the plan {plan:?}; give a tier of meaning.plans: {}",
                        tiers.join(", ")
                    ),
                );
            }
            if rule.percent < Decimal::ZERO || rule.percent > Decimal::ONE_HUNDRED {
                fault(&key, format!("has {} percent; it must be 0 to 100", rule.percent));
            }
            if rule.percent.normalize().scale() > PERCENT_DECIMALS {
                fault(
                    &key,
                    format!(
                        "has {} percent; it may have {PERCENT_DECIMALS} decimals",
                        rule.percent
                    ),
                );
            }
            if !(0..=FIXED_CENTS_MOST).contains(&rule.fixed_cents) {
                fault(
                    &key,
                    format!(
                        "has {} fixed_cents; it must be 0 to {FIXED_CENTS_MOST}",
                        rule.fixed_cents
                    ),
                );
            }
            if !known.insert((rule.store, &rule.plan, rule.valid_from)) {
                fault(
                    &key,
                    "is a second rule for the same stores from the same day; keep one".into(),
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Meaning {
        Meaning {
            commission: serde_json::from_str(text).unwrap(),
            ..Meaning::default()
        }
    }

    #[test]
    fn the_rule_of_the_store_then_of_its_tier_then_of_all() {
        let meaning = rules(
            r#"[{"percent": 5}, {"percent": 6, "valid_from": "2026-06-01"},
                {"plan": "pro", "percent": "3.5"}, {"plan": "pro", "percent": 3, "valid_from": "2026-03-01"},
                {"plan": "enterprise", "percent": 1, "valid_from": "2026-07-01"},
                {"store": 7, "percent": 2, "fixed_cents": 30, "valid_from": "2026-02-01"},
                {"store": 7, "percent": 0, "valid_from": "2026-05-01"}]"#,
        );
        for (store, tier, day, expected) in [
            (None, None, "2026-01-01", 500),
            (Some(1), None, "2026-05-31", 500),
            (Some(1), Some("free"), "2026-06-01", 600),
            (Some(1), Some("pro"), "2026-02-28", 350),
            (Some(1), Some("pro"), "2026-03-01", 300),
            (Some(1), Some("enterprise"), "2026-06-30", 600),
            (Some(1), Some("enterprise"), "2026-07-01", 100),
            (Some(7), Some("pro"), "2026-01-31", 350),
            (Some(7), Some("pro"), "2026-02-01", 230),
            (Some(7), None, "2026-05-01", 0),
        ] {
            let day_on = day.parse().unwrap();
            let cents = meaning.commission_cents(store, tier, day_on, 10_000);
            assert_eq!(cents, expected, "{store:?} {tier:?} {day}");
        }
        assert_eq!(
            meaning.commission_tiers().into_iter().collect::<Vec<_>>(),
            ["enterprise", "pro"]
        );
        assert_eq!(
            rules("[]").commission_cents(Some(1), None, "2026-01-01".parse().unwrap(), 10_000),
            0
        );
    }

    #[test]
    fn half_a_cent_goes_away_from_zero() {
        for (percent, fixed, amount, expected) in [
            ("5", 0, 10, 1),
            ("5", 0, 9, 0),
            ("5", 0, -10, -1),
            ("5", 0, 30, 2),
            ("2.5", 25, 1020, 51),
            ("0.0001", 0, 500_000, 1),
            ("0.0001", 0, 499_999, 0),
            ("100", 0, i64::MAX, i64::MAX),
        ] {
            let meaning = rules(&format!(
                r#"[{{"percent": "{percent}", "fixed_cents": {fixed}}}]"#
            ));
            let cents = meaning.commission_cents(None, None, "2026-01-01".parse().unwrap(), amount);
            assert_eq!(cents, expected, "{percent} % + {fixed} of {amount}");
        }
    }

    #[test]
    fn faults() {
        for (text, expected) in [
            (r"[]", ""),
            (
                r#"[{"percent": 5}, {"percent": 4, "valid_from": "2026-01-01"}, {"store": 1, "percent": "0.0001"}]"#,
                "",
            ),
            (
                r#"[{"percent": 5, "store": 1, "plan": "pro"}]"#,
                "a store and a plan",
            ),
            (r#"[{"percent": 5, "store": 0}]"#, "store below 1"),
            (r#"[{"percent": 5, "plan": "premium"}]"#, "give a tier"),
            (r#"[{"percent": 101}]"#, "0 to 100"),
            (r#"[{"percent": -1}]"#, "0 to 100"),
            (r#"[{"percent": "0.00001"}]"#, "4 decimals"),
            (r#"[{"percent": 1, "fixed_cents": -1}]"#, "fixed_cents"),
            (r#"[{"percent": 1}, {"percent": 2}]"#, "a second rule"),
        ] {
            let mut said = Vec::new();
            rules(text).validate_commission(&mut |key, problem| said.push(format!("{key} {problem}")));
            let said = said.join("; ");
            assert!(
                said.contains(expected) && said.is_empty() == expected.is_empty(),
                "{text} says {said:?}"
            );
        }
    }
}
