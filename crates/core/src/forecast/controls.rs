//! Series whose truth is known (docs: kpis 6.1): what a forecaster must find, and what it must not.

use super::*;

/// A source of chance that is the same everywhere.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((bits ^ (bits >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A count with this mean, as often as by a Poisson process.
    fn count(&mut self, mean: f64) -> f64 {
        let (mut left, mut count) = (mean, 0.0);
        loop {
            left += self.roll().max(1e-300).ln();
            if left < 0.0 {
                return count;
            }
            count += 1.0;
        }
    }

    fn shuffle(&mut self, days: &mut [Option<f64>]) {
        for index in (1..days.len()).rev() {
            let other = (self.roll() * (index + 1) as f64) as usize;
            days.swap(index, other);
        }
    }
}

const WEEKDAYS: [f64; 7] = [0.7, 0.7, 0.8, 0.9, 1.2, 1.6, 1.1];

fn flat(dice: &mut Dice, days: usize) -> Vec<Option<f64>> {
    (0..days).map(|_| Some(dice.count(20.0))).collect()
}

fn weekly(dice: &mut Dice, days: usize, growth: f64) -> Vec<Option<f64>> {
    let mean = |day: usize| 20.0 * (WEEKDAYS[day % 7] + growth * day as f64);
    (0..days).map(|day| Some(dice.count(mean(day)))).collect()
}

fn intermittent(dice: &mut Dice, days: usize) -> Vec<Option<f64>> {
    (0..days)
        .map(|_| {
            Some(if dice.roll() < 0.2 {
                1.0 + dice.count(2.0)
            } else {
                0.0
            })
        })
        .collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Part of the error that one method saves against another, the median of forty series.
fn gain(make: impl Fn(&mut Dice) -> Vec<Option<f64>>, method: Method, against: Method) -> f64 {
    let gains = (0..40).map(|seed| {
        let made = forecast(&make(&mut Dice(seed))).unwrap();
        1.0 - made.accuracy(method).unwrap().error / made.accuracy(against).unwrap().error
    });
    median(gains.collect())
}

fn share(make: impl Fn(&mut Dice) -> Vec<Option<f64>>, is: impl Fn(&Forecast) -> bool) -> f64 {
    let found = (0..40)
        .filter(|seed| is(&forecast(&make(&mut Dice(*seed))).unwrap()))
        .count();
    found as f64 / 40.0
}

#[test]
fn on_flat_days_nothing_beats_a_mean() {
    let make = |dice: &mut Dice| flat(dice, 200);
    let gained = gain(make, Method::HoltWinters, Method::Mean28);
    println!("flat: gain of holt_winters over mean_28 {gained:.3}");
    assert!(gained.abs() < 0.05, "{gained}");
    let chosen = share(make, |made| made.method == Method::HoltWinters);
    println!("flat: holt_winters chosen {chosen:.2}");
    assert!(chosen <= 0.35, "{chosen}");
}

#[test]
fn a_weekly_shape_with_growth_is_found_and_is_lost_when_the_days_are_shuffled() {
    let made = |dice: &mut Dice| weekly(dice, 200, 0.01);
    let found = share(made, |made| made.method == Method::HoltWinters);
    let gained = gain(made, Method::HoltWinters, Method::Mean28);
    let over_week = gain(made, Method::HoltWinters, Method::SeasonalNaive);
    println!(
        "weekly with growth: holt_winters chosen {found:.2}, gain over mean_28 {gained:.3}, over seasonal_naive {over_week:.3}"
    );
    assert!(
        found >= 0.8 && gained > 0.3 && over_week > 0.05,
        "{found} {gained} {over_week}"
    );

    let still = |dice: &mut Dice| weekly(dice, 200, 0.0);
    let gained_still = gain(still, Method::HoltWinters, Method::Mean28);
    let shuffled = |dice: &mut Dice| {
        let mut days = weekly(dice, 200, 0.0);
        dice.shuffle(&mut days);
        days
    };
    let lost = gain(shuffled, Method::HoltWinters, Method::Mean28);
    let naive = gain(shuffled, Method::SeasonalNaive, Method::Mean28);
    println!(
        "weekly: gain of holt_winters over mean_28 {gained_still:.3}, shuffled {lost:.3}, of seasonal_naive shuffled {naive:.3}"
    );
    assert!(
        gained_still > 0.1 && lost < 0.05 && naive < 0.0,
        "{gained_still} {lost} {naive}"
    );
}

#[test]
fn a_week_that_repeats_itself_keeps_the_baseline() {
    // Nothing can be better than what makes no error.
    let week = [3.0, 0.0, 2.0, 5.0, 9.0, 7.0, 1.0];
    let days: Vec<Option<f64>> = (0..100).map(|day| Some(week[day % 7])).collect();
    let made = forecast(&days).unwrap();
    assert_eq!(made.method, Method::SeasonalNaive);
    assert!(!made.beats_the_week());
    assert!((made.units_until(14) - 54.0).abs() < 1e-9 && (made.units_until(28) - 108.0).abs() < 1e-9);
    let fortnight = made.until[13].within_80.unwrap();
    assert_eq!(
        (fortnight.low, fortnight.high),
        (made.until[13].units, made.until[13].units)
    );
}

#[test]
fn rare_sales_are_forecast_by_size_and_distance() {
    let make = |dice: &mut Dice| intermittent(dice, 300);
    let found = share(make, |made| made.beats_the_week());
    let by_size = gain(make, Method::Sba, Method::SeasonalNaive);
    let over_mean = gain(make, Method::Sba, Method::Mean28);
    println!(
        "intermittent: beats the week {found:.2}; gain of sba over seasonal_naive {by_size:.3}, over mean_28 {over_mean:.3}"
    );
    assert!(
        found >= 0.9 && by_size > 0.2 && over_mean > 0.0,
        "{found} {by_size} {over_mean}"
    );
    let none = share(make, |made| made.accuracy(Method::HoltWinters).is_some());
    assert!(
        none < 1e-9,
        "no weekly shape is looked for where most days are empty"
    );
}

#[test]
fn intervals_hold_what_they_promise_on_days_nobody_had_seen() {
    let (mut all, mut within_80, mut within_95) = ([0.0; 2], [0.0; 2], [0.0; 2]);
    for seed in 0..400 {
        let dice = &mut Dice(seed);
        let days = match seed % 3 {
            0 => flat(dice, 228),
            1 => weekly(dice, 228, 0.0),
            _ => intermittent(dice, 228),
        };
        let (known, after) = days.split_at(200);
        let made = forecast(known).unwrap();
        for (at, horizon) in [FORTNIGHT, HORIZON].into_iter().enumerate() {
            let real: f64 = after[..horizon].iter().flatten().sum();
            let until = made.until[horizon - 1];
            let inside = |interval: Option<Interval>| {
                let interval = interval.unwrap();
                f64::from(u8::from((interval.low..=interval.high).contains(&real)))
            };
            all[at] += 1.0;
            within_80[at] += inside(until.within_80);
            within_95[at] += inside(until.within_95);
        }
    }
    for at in 0..2 {
        let (of_80, of_95) = (within_80[at] / all[at], within_95[at] / all[at]);
        println!("coverage: {of_80:.3} of 80 %, {of_95:.3} of 95 %");
        assert!((0.75..0.90).contains(&of_80), "{of_80}");
        assert!((0.92..0.99).contains(&of_95), "{of_95}");
    }
}

#[test]
fn days_out_of_stock_are_missing_and_do_not_lower_the_forecast() {
    let mut censored = weekly(&mut Dice(5), 140, 0.0);
    let mut missing = censored.clone();
    for day in (0..140).filter(|day| day % 20 < 6) {
        censored[day] = Some(0.0);
        missing[day] = None;
    }
    let (as_zero, as_missing) = (forecast(&censored).unwrap(), forecast(&missing).unwrap());
    let real = 20.0 * 28.0;
    assert!(
        (as_missing.units_until(28) / real - 1.0).abs() < 0.12,
        "{}",
        as_missing.units_until(28)
    );
    assert!(
        as_zero.units_until(28) < 0.85 * real,
        "{}",
        as_zero.units_until(28)
    );
    assert_eq!(as_missing.days, (140, 98));
}

#[test]
fn little_history_says_less_or_nothing() {
    assert_eq!(forecast(&[]), None);
    assert_eq!(forecast(&[Some(0.0); 90]), None);
    assert_eq!(forecast(&[None; 90]), None);
    assert_eq!(forecast(&[Some(-3.0), Some(f64::NAN)]), None);
    // days known, method, an interval for a day and for fourteen, a comparison
    for (days, method, day, fortnight, compared) in [
        (13, Method::Mean, false, false, false),
        (14, Method::SeasonalNaive, false, false, false),
        (27, Method::SeasonalNaive, false, false, false),
        (28, Method::SeasonalNaive, true, false, false),
        (34, Method::SeasonalNaive, true, false, false),
        (36, Method::Mean28, true, true, true),
    ] {
        let units: Vec<Option<f64>> = (0..days).map(|day| Some(f64::from(day * 7919 % 11))).collect();
        let made = forecast(&units).unwrap();
        let has = |day: usize| made.until[day - 1].within_80.is_some();
        assert_eq!(
            (made.method, has(1), has(14), !made.tried.is_empty()),
            (method, day, fortnight, compared),
            "{days}"
        );
        assert_eq!(made.until.len(), HORIZON);
    }
}

#[test]
fn sums_rise_intervals_hold_them_and_nothing_is_below_zero() {
    for seed in 0..60 {
        let dice = &mut Dice(seed);
        let days = 14 + (dice.roll() * 200.0) as usize;
        let mut units = if seed % 2 == 0 {
            intermittent(dice, days)
        } else {
            weekly(dice, days, -0.004)
        };
        for day in &mut units {
            if dice.roll() < 0.1 {
                *day = None;
            }
        }
        let Some(made) = forecast(&units) else { continue };
        assert_eq!(Some(&made), forecast(&units).as_ref(), "the same twice");
        let mut before = 0.0;
        for until in &made.until {
            assert!(until.units >= before && until.units.is_finite(), "{made:?}");
            before = until.units;
            if let (Some(narrow), Some(wide)) = (until.within_80, until.within_95) {
                assert!(
                    0.0 <= wide.low
                        && wide.low <= narrow.low
                        && narrow.low <= narrow.high
                        && narrow.high <= wide.high
                );
            }
        }
    }
}
