//! Exchange rates to the reporting currency (docs: kpis 0.3).

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::{Meaning, decimal};

/// Most decimals of a rate, as `ref.fx_rate` keeps them.
const RATE_DECIMALS: u32 = 8;

/// Every rate is below this.
const RATE_BELOW: i64 = 100_000_000;

/// Units of the reporting currency that one unit of another currency is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rate(#[serde(deserialize_with = "decimal::deserialize")] pub Decimal);

/// Rates by currency (three capital letters) and first day of validity in the reporting zone. A rate is valid until the
/// next one of its currency begins.
pub type FxRates = BTreeMap<String, BTreeMap<NaiveDate, Rate>>;

/// A currency as it is compared: without blanks at the ends, in capitals; `None` when the source names none.
pub fn currency_code(raw: Option<&str>) -> Option<String> {
    raw.map(|raw| raw.trim_matches(' ').to_uppercase())
        .filter(|code| !code.is_empty())
}

impl Meaning {
    /// The rate that turns an amount in a currency into the reporting currency on a day of the reporting zone.
    ///
    /// 1 for the reporting currency and for no currency at all (an order whose products name none is in the reporting
    /// currency), else the last rate that began on or before the day. `None` when there is none: the amount is then left
    /// out and counted, never taken as 1 or 0.
    pub fn rate(&self, currency: &str, day: NaiveDate) -> Option<Decimal> {
        let Some(code) = currency_code(Some(currency)).filter(|code| *code != self.currency) else {
            return Some(Decimal::ONE);
        };
        let (_, rate) = self.fx_rates.get(&code)?.range(..=day).next_back()?;
        Some(rate.0)
    }

    /// Digest of the rates that begin on or before a day, as 16 hexadecimal characters.
    ///
    /// [`Meaning::digest`] leaves the rates out: one that begins in the future may be added at any time and changes no
    /// number. Whether a past one was changed, removed or added shows when this digest differs between what is held and
    /// what is configured, both up to the running day. A digest of an earlier day alone does not show a rate that was
    /// added since for a day that has begun by now: who remembers a digest has to renew it with each day.
    pub fn rates_digest(&self, up_to: NaiveDate) -> String {
        let begun: Vec<(&str, &NaiveDate, &Rate)> = self
            .fx_rates
            .iter()
            .flat_map(|(currency, rates)| {
                rates
                    .range(..=up_to)
                    .map(move |(day, rate)| (currency.as_str(), day, rate))
            })
            .collect();
        super::meaning::digest_of(&begun)
    }

    /// Adds the faults of the rates.
    pub(super) fn validate_rates(&self, fault: &mut impl FnMut(&str, String)) {
        for (currency, rates) in &self.fx_rates {
            let key = format!("meaning.fx_rates.{currency}");
            if !super::meaning::is_currency(currency) {
                fault(
                    &key,
                    "is no currency; give three capital letters such as ARS".into(),
                );
            }
            if *currency == self.currency {
                fault(
                    &key,
                    "is the reporting currency, whose rate is always 1; leave it out".into(),
                );
            }
            for (day, Rate(rate)) in rates {
                if *rate <= Decimal::ZERO || *rate >= Decimal::from(RATE_BELOW) {
                    fault(
                        &format!("{key}.{day}"),
                        format!("is {rate}; it must be above 0 and below {RATE_BELOW}"),
                    );
                }
                if rate.normalize().scale() > RATE_DECIMALS {
                    fault(
                        &format!("{key}.{day}"),
                        format!("is {rate}; it may have {RATE_DECIMALS} decimals"),
                    );
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn with_rates(rates: &[(&str, &str, &str)]) -> Meaning {
        let mut meaning = Meaning::default();
        for (currency, from, rate) in rates {
            meaning
                .fx_rates
                .entry((*currency).into())
                .or_default()
                .insert(day(from), Rate(rate.parse().unwrap()));
        }
        meaning
    }

    #[test]
    fn the_last_rate_on_or_before_the_day() {
        let meaning = with_rates(&[
            ("ARS", "2026-01-10", "0.001"),
            ("ARS", "2026-02-01", "0.0009"),
            ("EUR", "2026-01-01", "1.1"),
        ]);
        for (currency, on, expected) in [
            ("USD", "1990-01-01", Some("1")),
            (" usd ", "2026-01-01", Some("1")),
            ("", "2026-01-01", Some("1")),
            ("  ", "2026-01-01", Some("1")),
            ("ARS", "2026-01-09", None),
            ("ARS", "2026-01-10", Some("0.001")),
            ("ars", "2026-01-31", Some("0.001")),
            ("ARS", "2026-02-01", Some("0.0009")),
            ("ARS", "2030-01-01", Some("0.0009")),
            ("EUR", "2026-01-01", Some("1.1")),
            ("GBP", "2026-01-01", None),
        ] {
            let rate = meaning.rate(currency, day(on)).map(|rate| rate.to_string());
            assert_eq!(rate.as_deref(), expected, "{currency:?} on {on}");
        }
    }

    #[test]
    fn a_rate_of_the_future_changes_no_digest_and_any_other_change_does() {
        let before = with_rates(&[("ARS", "2026-01-10", "0.001")]);
        let today = day("2026-03-01");
        let digests = |meaning: &Meaning| (meaning.digest(), meaning.rates_digest(today));
        for (what, changed, same) in [
            (
                "a future rate",
                with_rates(&[("ARS", "2026-01-10", "0.001"), ("ARS", "2026-03-02", "9")]),
                true,
            ),
            (
                "a future currency",
                with_rates(&[("ARS", "2026-01-10", "0.001"), ("EUR", "2026-03-02", "9")]),
                true,
            ),
            (
                "a rate from today",
                with_rates(&[("ARS", "2026-01-10", "0.001"), ("ARS", "2026-03-01", "9")]),
                false,
            ),
            (
                "another rate",
                with_rates(&[("ARS", "2026-01-10", "0.0011")]),
                false,
            ),
            (
                "another day",
                with_rates(&[("ARS", "2026-01-11", "0.001")]),
                false,
            ),
            (
                "another currency",
                with_rates(&[("EUR", "2026-01-10", "0.001")]),
                false,
            ),
            ("none", with_rates(&[]), false),
        ] {
            assert_eq!(changed.digest(), before.digest(), "{what}");
            assert_eq!(digests(&changed) == digests(&before), same, "{what}");
        }
    }

    #[test]
    fn rates_are_exact_text_or_whole_numbers() {
        let read = |rate: &str| serde_json::from_str::<Rate>(rate).map(|rate| rate.0.to_string());
        for (text, expected) in [
            ("\"0.00075\"", Some("0.00075")),
            ("\"1.50\"", Some("1.5")),
            ("\" 2 \"", Some("2")),
            ("12", Some("12")),
            ("0.75", None),
            ("\"1e3\"", None),
            ("\"1,5\"", None),
            ("\"0.00000000000000000000000000000000000001\"", None),
            ("true", None),
        ] {
            assert_eq!(read(text).ok().as_deref(), expected, "{text}");
        }
        let said = read("0.75").unwrap_err().to_string();
        assert!(said.contains("in quotes"), "{said}");
    }

    #[test]
    fn faults() {
        for (currency, rate, expected) in [
            ("ARS", "0.00000001", None),
            ("ARS", "99999999", None),
            ("ars", "1", Some("meaning.fx_rates.ars")),
            ("USD", "1", Some("meaning.fx_rates.USD")),
            ("ARS", "0", Some("meaning.fx_rates.ARS.2026-01-01")),
            ("ARS", "-1", Some("meaning.fx_rates.ARS.2026-01-01")),
            ("ARS", "100000000", Some("meaning.fx_rates.ARS.2026-01-01")),
            ("ARS", "0.000000001", Some("meaning.fx_rates.ARS.2026-01-01")),
        ] {
            let mut keys = Vec::new();
            with_rates(&[(currency, "2026-01-01", rate)])
                .validate_rates(&mut |key, _| keys.push(key.to_owned()));
            assert_eq!(
                keys,
                expected.into_iter().collect::<Vec<_>>(),
                "{currency} {rate}"
            );
        }
    }
}
