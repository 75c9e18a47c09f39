//! Adding up values of a metric: only as far as its additivity allows (docs: kpis 0.5, 2.4).

use std::fmt;

use rust_decimal::Decimal;

use super::{Additivity, Formula, Metric};

/// What values are added up over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// Periods that do not overlap, of one store or of the platform.
    Days,
    /// Stores, of one period.
    Stores,
}

impl fmt::Display for Over {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Days => "days",
            Self::Stores => "stores",
        })
    }
}

/// A sum that would be a wrong number, with what to ask instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{id} cannot be added up over {over}: {}", self.why())]
pub struct NotAdditive {
    /// The metric.
    pub id: &'static str,
    /// Over what.
    pub over: Over,
    is_ratio: bool,
    adds: Additivity,
}

impl NotAdditive {
    fn why(&self) -> &'static str {
        if self.is_ratio {
            "it is a ratio, and a sum or a mean of ratios is none"
        } else {
            self.adds.sentence().en
        }
    }

    /// What to ask instead.
    pub const fn advice(&self) -> &'static str {
        match (self.is_ratio, self.over) {
            (true, _) => "divide the sums of its two parts instead",
            (false, Over::Days) => "ask for one day, or for each day on its own",
            (false, Over::Stores) => "ask for one store, or for the platform's own value",
        }
    }
}

impl Metric {
    /// Whether values of this metric may be added up over days or over stores.
    pub const fn may_add_up(&self, over: Over) -> Result<(), NotAdditive> {
        let may = match over {
            Over::Days => self.adds.over_time(),
            Over::Stores => self.adds.over_stores(),
        };
        if may {
            return Ok(());
        }
        Err(NotAdditive {
            id: self.id,
            over,
            is_ratio: matches!(self.formula, Formula::Ratio { .. }),
            adds: self.adds,
        })
    }

    /// The value of the whole from the values of its days or stores; no values add up to 0. Fails where a sum is not the
    /// value of the whole, however few values there are, so that the answer does not depend on what happens to be there.
    /// What does not fit into a decimal becomes the largest that does.
    pub fn add_up(
        &self,
        over: Over,
        values: impl IntoIterator<Item = Decimal>,
    ) -> Result<Decimal, NotAdditive> {
        self.may_add_up(over)?;
        Ok(values.into_iter().fold(Decimal::ZERO, Decimal::saturating_add))
    }
}

/// A ratio of the whole from the parts above and below the line of its days or stores; `None` when nothing is below the line.
pub fn merged_ratio(parts: impl IntoIterator<Item = (Decimal, Decimal)>) -> Option<Decimal> {
    let (part, whole) = parts
        .into_iter()
        .fold((Decimal::ZERO, Decimal::ZERO), |(part, whole), (p, w)| {
            (part.saturating_add(p), whole.saturating_add(w))
        });
    part.checked_div(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Unit;

    const VALUES: [Decimal; 3] = [Decimal::ONE, Decimal::TEN, Decimal::NEGATIVE_ONE];

    #[test]
    fn every_metric_is_added_up_as_its_rule_says_and_else_refused_with_the_next_step() {
        let mut refused = 0;
        for metric in Metric::all() {
            for over in [Over::Days, Over::Stores] {
                let allowed = match (metric.adds, over) {
                    (Additivity::Full, _)
                    | (Additivity::OverTime, Over::Days)
                    | (Additivity::OverStores, Over::Stores) => true,
                    (Additivity::OverTime | Additivity::OverStores | Additivity::Never, _) => false,
                };
                match metric.add_up(over, VALUES) {
                    Ok(sum) => {
                        assert!(allowed, "{} over {over}", metric.id);
                        assert_eq!(sum, Decimal::TEN, "{}", metric.id);
                        assert!(
                            !metric.formula.is_ratio() && metric.unit != Unit::Percent,
                            "{}",
                            metric.id
                        );
                        assert_eq!(metric.add_up(over, []), Ok(Decimal::ZERO), "{}", metric.id);
                    }
                    Err(error) => {
                        assert!(!allowed, "{} over {over}", metric.id);
                        assert_eq!(metric.add_up(over, [Decimal::ONE]), Err(error), "{}", metric.id);
                        let said = error.to_string();
                        assert!(
                            said.starts_with(metric.id) && said.contains(&over.to_string()),
                            "{said}"
                        );
                        assert_eq!(
                            error.advice().contains("divide"),
                            metric.formula.is_ratio(),
                            "{said}"
                        );
                        refused += 1;
                    }
                }
            }
        }
        assert!(refused > 50, "{refused}");
    }

    #[test]
    fn examples() {
        for (id, over, expected) in [
            ("orders", Over::Days, None),
            ("orders", Over::Stores, None),
            ("new_buyers", Over::Days, None),
            (
                "new_buyers",
                Over::Stores,
                Some("new_buyers cannot be added up over stores: days can be added up, stores cannot"),
            ),
            ("revenue_total", Over::Stores, None),
            (
                "revenue_total",
                Over::Days,
                Some("revenue_total cannot be added up over days: stores can be added up, days cannot"),
            ),
            (
                "visitors",
                Over::Days,
                Some("visitors cannot be added up over days: neither days nor stores can be added up"),
            ),
            (
                "aov",
                Over::Days,
                Some(
                    "aov cannot be added up over days: it is a ratio, and a sum or a mean of ratios is none",
                ),
            ),
        ] {
            let said = Metric::by_id(id)
                .unwrap()
                .may_add_up(over)
                .err()
                .map(|error| error.to_string());
            assert_eq!(said.as_deref(), expected, "{id} over {over}");
        }
    }

    #[test]
    fn a_ratio_is_the_quotient_of_the_sums() {
        let number = |text: &str| text.parse::<Decimal>().unwrap();
        let parts = [("10", "1"), ("0", "3")].map(|(part, whole)| (number(part), number(whole)));
        assert_eq!(merged_ratio(parts), Some(number("2.5")), "not the mean 5");
        assert_eq!(merged_ratio([]), None);
        assert_eq!(merged_ratio([(Decimal::ONE, Decimal::ZERO)]), None);
    }
}
