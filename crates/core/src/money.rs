//! Money as integer cents. No float ever touches it (docs: kpis 0.3).

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

/// An amount in cents of some currency.
pub type Cents = i64;

/// A decimal amount in cents, rounded half away from zero like PostgreSQL's `round(numeric, 2)`; `None` when it does
/// not fit into 64 bits.
pub fn cents(amount: Decimal) -> Option<Cents> {
    amount
        .round_dp_with_strategy(2, rust_decimal::RoundingStrategy::MidpointAwayFromZero)
        .checked_mul(Decimal::ONE_HUNDRED)?
        .to_i64()
}

/// No converted amount reaches this many cents: it counts as none then, like an amount that no decimal(12,2) can hold, so
/// that thousands of absurd orders still add up in 64 bits.
pub const CONVERTED_BELOW: Cents = 1_000_000_000_000_000;

/// Cents of another currency in cents of the reporting currency, rounded half away from zero like PostgreSQL's
/// `round(amount * rate, 2)`; `None` from [`CONVERTED_BELOW`] on.
pub fn convert(cents: Cents, rate: Decimal) -> Option<Cents> {
    multiplied(cents, rate, 0)
        .and_then(|cents| cents.to_i64())
        .filter(|cents| cents.unsigned_abs() < CONVERTED_BELOW.unsigned_abs())
}

/// So many percent of an amount, in cents, rounded half away from zero; the nearest that 64 bits hold.
pub fn percent(cents: Cents, percent: Decimal) -> Cents {
    let bound = if (cents < 0) == percent.is_sign_negative() {
        Cents::MAX
    } else {
        Cents::MIN
    };
    multiplied(cents, percent, 2)
        .and_then(|cents| cents.to_i64())
        .unwrap_or(bound)
}

/// `cents x factor / 10^shift`, rounded half away from zero; `None` beyond 128 bits.
fn multiplied(cents: Cents, factor: Decimal, shift: u32) -> Option<i128> {
    let product = i128::from(cents).checked_mul(factor.mantissa())?;
    let unit = 10i128.checked_pow(factor.scale() + shift)?;
    let (whole, rest) = (product / unit, product % unit);
    let up = rest.unsigned_abs() >= unit.unsigned_abs().div_ceil(2) && rest != 0;
    Some(whole + if up { product.signum() } else { 0 })
}

/// Cents as decimal text with two digits, for JSON and tables: `-1234` is `-12.34`.
pub fn decimal_text(cents: Cents) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    let absolute = cents.unsigned_abs();
    format!("{sign}{}.{:02}", absolute / 100, absolute % 100)
}

/// Shares a total over weights by largest remainder, so that the shares add up to the total exactly.
///
/// Weights below zero count as zero; if all are zero, each is one. The missing cents go one each to the largest
/// remainders, ties to the earlier entry, so pass the lines in the order of their id. A negative total is shared by
/// its absolute value and negated. Source: docs/reliability 5.7, the four steps; `core.order_lines` computes the same
/// in SQL. No entries give no shares.
pub fn allocate(total: Cents, weights: &[i128]) -> Vec<Cents> {
    let mut weights: Vec<u128> = weights
        .iter()
        .map(|weight| (*weight).max(0).unsigned_abs())
        .collect();
    if weights.iter().all(|weight| *weight == 0) {
        weights.fill(1);
    }
    let sum: u128 = weights.iter().sum();
    if sum == 0 {
        return Vec::new();
    }
    let absolute = u128::from(total.unsigned_abs());
    let mut shares: Vec<u128> = weights.iter().map(|weight| absolute * weight / sum).collect();
    let missing = absolute - shares.iter().sum::<u128>();
    let mut order: Vec<usize> = (0..weights.len()).collect();
    order.sort_by_key(|index| (std::cmp::Reverse(absolute * weights[*index] % sum), *index));
    for index in order.into_iter().take(missing as usize) {
        shares[index] += 1;
    }
    let sign = if total < 0 { -1 } else { 1 };
    shares.into_iter().map(|share| sign * share as i64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn cents_of_decimals() {
        for (text, expected) in [
            ("0.99", 99),
            ("123.45", 12345),
            ("83886.08", 8_388_608),
            ("-5", -500),
            ("0.005", 1),
            ("-0.005", -1),
        ] {
            assert_eq!(cents(text.parse().unwrap()), Some(expected), "{text}");
        }
        assert_eq!(cents(Decimal::MAX), None);
        assert_eq!(decimal_text(-1234), "-12.34");
        assert_eq!(decimal_text(5), "0.05");
    }

    #[test]
    fn conversion_cases() {
        for (cents, rate, expected) in [
            (12_345, "1", Some(12_345)),
            (12_345, "0.00075", Some(9)),
            (10_000_000, "0.00075", Some(7500)),
            (5, "0.1", Some(1)),
            (4, "0.1", Some(0)),
            (-5, "0.1", Some(-1)),
            (15, "0.1", Some(2)),
            (1, "0.50000000", Some(1)),
            (1, "0.49999999", Some(0)),
            (0, "1200", Some(0)),
            (999_999_999_999, "1000.00", Some(999_999_999_999_000)),
            (1_000_000_000_000, "1000", None),
            (-1_000_000_000_000, "1000", None),
            (i64::MAX, "99999999.99999999", None),
        ] {
            assert_eq!(
                convert(cents, rate.parse().unwrap()),
                expected,
                "{cents} x {rate}"
            );
        }
        assert_eq!(convert(i64::MAX, Decimal::MAX), None);
        assert_eq!(percent(i64::MIN, Decimal::MAX), i64::MIN);
    }

    #[test]
    fn allocation_cases() {
        let cases: [(&str, i64, &[i128], &[i64]); 6] = [
            (
                "even split, first gets the odd cent",
                100,
                &[1, 1, 1],
                &[34, 33, 33],
            ),
            ("by weight", 100, &[1, 3], &[25, 75]),
            ("all zero weights", 5, &[0, 0], &[3, 2]),
            ("negative weight counts as zero", 10, &[-5, 5], &[0, 10]),
            ("negative total", -100, &[1, 1, 1], &[-34, -33, -33]),
            ("no lines", 100, &[], &[]),
        ];
        for (name, total, weights, expected) in cases {
            assert_eq!(allocate(total, weights), expected, "{name}");
        }
    }

    proptest! {
        #[test]
        fn conversion_rounds_as_decimals_do(amount in -1_000_000_000_000i64..1_000_000_000_000, mantissa in 1i64..10_000_000_000, scale in 0u32..=8) {
            let rate = Decimal::new(mantissa, scale);
            let exact = cents(Decimal::new(amount, 2) * rate).filter(|cents| cents.abs() < CONVERTED_BELOW);
            prop_assert_eq!(convert(amount, rate), exact);
            prop_assert_eq!(convert(-amount, rate), exact.map(|cents| -cents));
            prop_assert_eq!(convert(amount, Decimal::ONE).is_some(), amount.abs() < CONVERTED_BELOW);
        }

        #[test]
        fn shares_add_up(total in -1_000_000_000_000i64..1_000_000_000_000, weights in proptest::collection::vec(-1000i128..1_000_000_000, 1..20)) {
            let shares = allocate(total, &weights);
            prop_assert_eq!(shares.iter().sum::<i64>(), total);
            prop_assert!(shares.iter().all(|share| *share == 0 || (*share < 0) == (total < 0)));
        }
    }
}
