//! The methods (docs: kpis 6.1). Each gives, for every origin asked for, what it expects of the days after it from the days
//! before it alone: a state is carried from day to day, and where a method has parameters, each origin takes those that
//! were best one day ahead until then.

use std::ops::RangeInclusive;

use super::{HORIZON, Method, WARM_UP, WEEK};

/// Expected units of each of the days after an origin.
pub(super) type Path = [f64; HORIZON];

/// What a method expects at every origin; an origin is the number of days that are known there. No origin lies before
/// [`WARM_UP`].
pub(super) fn paths(method: Method, units: &[Option<f64>], origins: RangeInclusive<usize>) -> Vec<Path> {
    match method {
        Method::Mean => each(origins, |origin| [mean(&units[..origin]); HORIZON]),
        Method::SeasonalNaive => each(origins, |origin| seasonal_naive(&units[..origin])),
        Method::Mean28 => each(origins, |origin| [recent_mean(&units[..origin]); HORIZON]),
        Method::HoltWinters => smoothed(HoltWinters::grid(units), units, origins),
        Method::Sba => smoothed(Sba::grid(units), units, origins),
        Method::Tsb => smoothed(Tsb::grid(units), units, origins),
    }
}

fn each(origins: RangeInclusive<usize>, path: impl Fn(usize) -> Path) -> Vec<Path> {
    origins.map(path).collect()
}

/// Mean of the known days, zero without any.
pub(super) fn mean(units: &[Option<f64>]) -> f64 {
    let (sum, days) = units
        .iter()
        .flatten()
        .fold((0.0, 0_u32), |(sum, days), units| (sum + units, days + 1));
    if days == 0 { 0.0 } else { sum / f64::from(days) }
}

fn recent_mean(known: &[Option<f64>]) -> f64 {
    let recent = &known[known.len().saturating_sub(4 * WEEK)..];
    if recent.iter().all(Option::is_none) {
        mean(known)
    } else {
        mean(recent)
    }
}

/// The last known day of the same weekday.
fn seasonal_naive(known: &[Option<f64>]) -> Path {
    let week: [f64; WEEK] = std::array::from_fn(|weekday| {
        let ago = WEEK - weekday;
        let same = known.iter().rev().skip(ago - 1).step_by(WEEK).flatten().next();
        same.copied().unwrap_or_else(|| mean(known))
    });
    std::array::from_fn(|day| week[day % WEEK])
}

/// A method with a state.
trait Smoother {
    /// Units expected of the day after the last one seen.
    fn next(&self, day: usize) -> f64;
    /// Sees the day.
    fn see(&mut self, day: usize, units: Option<f64>);
    /// Units expected of the days from `day` on.
    fn path(&self, day: usize) -> Path;
    /// The sum of the first week of the path.
    fn week(&self, day: usize) -> f64;
}

/// One set of parameters, on its way through the days.
struct Runner<S> {
    smoother: S,
    /// What it expected of the week that began on each of the last seven days.
    weeks: [f64; WEEK],
    /// Squared errors of weeks that are over.
    squares: f64,
}

/// Runs one smoother for each set of parameters through the days; at an origin the one speaks that was best at the weeks
/// that were over by then. Single days would choose what follows them closely, which errs more over weeks.
fn smoothed<S: Smoother>(grid: Vec<S>, units: &[Option<f64>], origins: RangeInclusive<usize>) -> Vec<Path> {
    let begin = |smoother: S| Runner {
        smoother,
        weeks: [0.0; WEEK],
        squares: 0.0,
    };
    let mut grid: Vec<Runner<S>> = grid.into_iter().map(begin).collect();
    let mut paths = Vec::new();
    for day in WARM_UP..=*origins.end() {
        if let Some(over) = day.checked_sub(WEEK).filter(|over| *over >= WARM_UP)
            && let Some(real) = units[over..day].iter().copied().sum::<Option<f64>>()
        {
            for runner in &mut grid {
                let error = real - runner.weeks[over % WEEK];
                runner.squares += error * error;
            }
        }
        if origins.contains(&day) {
            let best = grid
                .iter()
                .min_by(|one, other| one.squares.total_cmp(&other.squares));
            paths.extend(best.map(|runner| runner.smoother.path(day)));
        }
        let Some(today) = units.get(day) else { break };
        for runner in &mut grid {
            runner.weeks[day % WEEK] = runner.smoother.week(day);
            runner.smoother.see(day, *today);
        }
    }
    paths
}

/// Level, damped trend and a weekday's share, all additive, in the form that corrects each by the last error.
#[derive(Debug, Clone, Copy)]
struct HoltWinters {
    level: f64,
    trend: f64,
    season: [f64; WEEK],
    gain: Gain,
}

#[derive(Debug, Clone, Copy)]
struct Gain {
    level: f64,
    trend: f64,
    season: f64,
    damping: f64,
}

impl HoltWinters {
    fn grid(units: &[Option<f64>]) -> Vec<Self> {
        let start = &units[..WARM_UP.min(units.len())];
        let level = mean(start);
        let season = std::array::from_fn(|weekday| {
            let same: Vec<Option<f64>> = start.iter().skip(weekday).step_by(WEEK).copied().collect();
            if same.iter().all(Option::is_none) {
                return 0.0;
            }
            // Two days of a weekday say little: half of what they say is believed.
            (mean(&same) - level) / 2.0
        });
        let mut grid = Vec::new();
        for gain_level in [0.1, 0.03, 0.25, 0.5] {
            for gain_season in [0.1, 0.03, 0.3] {
                for (gain_trend, damping) in [(0.0, 1.0), (0.005, 0.98), (0.02, 0.98), (0.02, 0.9)] {
                    grid.push(Self {
                        level,
                        trend: 0.0,
                        season,
                        gain: Gain {
                            level: gain_level,
                            trend: gain_trend,
                            season: gain_season,
                            damping,
                        },
                    });
                }
            }
        }
        grid
    }
}

impl Smoother for HoltWinters {
    fn next(&self, day: usize) -> f64 {
        self.level + self.gain.damping * self.trend + self.season[day % WEEK]
    }

    fn see(&mut self, day: usize, units: Option<f64>) {
        let error = units.map_or(0.0, |units| units - self.next(day));
        let trend = self.gain.damping * self.trend;
        self.level += trend + self.gain.level * error;
        self.trend = trend + self.gain.trend * error;
        self.season[day % WEEK] += self.gain.season * error;
    }

    fn path(&self, day: usize) -> Path {
        let (mut steps, mut power) = (0.0, 1.0);
        std::array::from_fn(|ahead| {
            power *= self.gain.damping;
            steps += power;
            (self.level + steps * self.trend + self.season[(day + ahead) % WEEK]).max(0.0)
        })
    }

    fn week(&self, _day: usize) -> f64 {
        let (mut steps, mut power, mut sum) = (0.0, 1.0, 0.0);
        for season in self.season {
            power *= self.gain.damping;
            steps += power;
            sum += self.level + steps * self.trend + season;
        }
        sum.max(0.0)
    }
}

/// Units of a day with sales, and how far such days are apart.
fn sizes(units: &[Option<f64>]) -> (f64, f64) {
    let start = &units[..WARM_UP.min(units.len())];
    let (mut sum, mut sales, mut days) = (0.0, 0.0, 0.0);
    for units in start.iter().flatten() {
        days += 1.0;
        if *units > 0.0 {
            sum += units;
            sales += 1.0;
        }
    }
    if sales > 0.0 {
        (sum / sales, days / sales)
    } else {
        (0.0, days.max(1.0))
    }
}

/// Croston's method with the correction of Syntetos and Boylan: size and gap are smoothed at sales only.
#[derive(Debug, Clone, Copy)]
struct Sba {
    size: f64,
    gap: f64,
    since: f64,
    gain: f64,
}

impl Sba {
    fn grid(units: &[Option<f64>]) -> Vec<Self> {
        let (size, gap) = sizes(units);
        let start = &units[..WARM_UP.min(units.len())];
        let quiet = start.iter().rev().flatten().take_while(|units| **units <= 0.0);
        let since = quiet.count() as f64;
        [0.1, 0.05, 0.2, 0.3]
            .map(|gain| Self {
                size,
                gap,
                since,
                gain,
            })
            .to_vec()
    }
}

impl Smoother for Sba {
    fn next(&self, _day: usize) -> f64 {
        (1.0 - self.gain / 2.0) * self.size / self.gap
    }

    fn see(&mut self, _day: usize, units: Option<f64>) {
        let Some(units) = units else { return };
        self.since += 1.0;
        if units > 0.0 {
            self.size += self.gain * (units - self.size);
            self.gap += self.gain * (self.since - self.gap);
            self.since = 0.0;
        }
    }

    fn path(&self, day: usize) -> Path {
        [self.next(day); HORIZON]
    }

    fn week(&self, day: usize) -> f64 {
        self.next(day) * WEEK as f64
    }
}

/// As [`Sba`] for the size, but the chance of a sale is smoothed every day, so that what nobody buys any more fades away
/// (Teunter, Syntetos, Babai).
#[derive(Debug, Clone, Copy)]
struct Tsb {
    size: f64,
    chance: f64,
    gain_size: f64,
    gain_chance: f64,
}

impl Tsb {
    fn grid(units: &[Option<f64>]) -> Vec<Self> {
        let (size, gap) = sizes(units);
        let chance = if size > 0.0 { 1.0 / gap } else { 0.0 };
        let mut grid = Vec::new();
        for gain_size in [0.1, 0.05, 0.2] {
            for gain_chance in [0.05, 0.02, 0.1, 0.2] {
                grid.push(Self {
                    size,
                    chance,
                    gain_size,
                    gain_chance,
                });
            }
        }
        grid
    }
}

impl Smoother for Tsb {
    fn next(&self, _day: usize) -> f64 {
        self.chance * self.size
    }

    fn see(&mut self, _day: usize, units: Option<f64>) {
        let Some(units) = units else { return };
        let sale = if units > 0.0 { 1.0 } else { 0.0 };
        self.chance += self.gain_chance * (sale - self.chance);
        if units > 0.0 {
            self.size += self.gain_size * (units - self.size);
        }
    }

    fn path(&self, day: usize) -> Path {
        [self.next(day); HORIZON]
    }

    fn week(&self, day: usize) -> f64 {
        self.next(day) * WEEK as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Method; 6] = [
        Method::Mean,
        Method::SeasonalNaive,
        Method::Mean28,
        Method::HoltWinters,
        Method::Sba,
        Method::Tsb,
    ];

    fn close(path: &[f64], expected: &[f64]) -> bool {
        path.iter()
            .zip(expected)
            .all(|(one, other)| (one - other).abs() < 1e-9)
    }

    #[test]
    fn an_origin_does_not_know_what_comes_after_it() {
        let past: Vec<Option<f64>> = (0..60_u32).map(|day| Some(f64::from(day * 7919 % 11))).collect();
        for method in ALL {
            let mut other = past.clone();
            for day in &mut other[40..] {
                *day = Some(1_000_000.0);
            }
            other[50] = None;
            let one = paths(method, &past, 14..=40);
            assert_eq!(one.len(), 27, "{method:?}");
            assert_eq!(one, paths(method, &other, 14..=40), "{method:?}");
            assert_eq!(one, paths(method, &past[..40], 14..=40), "{method:?}");
            assert_ne!(
                paths(method, &past, 60..=60),
                paths(method, &other, 60..=60),
                "{method:?}"
            );
        }
    }

    #[test]
    fn every_method_of_constant_sales_expects_them() {
        let units = vec![Some(5.0); 70];
        for method in ALL {
            let path = paths(method, &units, 70..=70)[0];
            // The correction of SBA takes a share of its gain, whatever is sold.
            let least = if method == Method::Sba { 4.2 } else { 5.0 - 1e-9 };
            assert!(
                path.iter().all(|units| (least..5.0 + 1e-9).contains(units)),
                "{method:?} {path:?}"
            );
        }
    }

    #[test]
    fn a_missing_day_is_passed_over() {
        let shape = [2.0, 3.0, 4.0, 5.0, 9.0, 8.0, 1.0];
        let mut units: Vec<Option<f64>> = (0..56).map(|day| Some(shape[day % 7])).collect();
        units[55] = None;
        units[54] = None;
        let path = paths(Method::SeasonalNaive, &units, 56..=56)[0];
        assert!(close(&path[..7], &shape), "{path:?}");
        let tidy = paths(Method::HoltWinters, &units, 56..=56)[0];
        assert!(close(&path, &tidy) || tidy[4] > 2.0 * tidy[0], "{tidy:?}");
    }

    #[test]
    fn a_weekday_is_learned_and_a_trend_is_followed_and_damped() {
        let units: Vec<Option<f64>> = (0..140_u32)
            .map(|day| Some(20.0 + 0.3 * f64::from(day) + if day % 7 == 5 { 15.0 } else { 0.0 }))
            .collect();
        let path = paths(Method::HoltWinters, &units, 140..=140)[0];
        // Day 140 is the first of a week.
        assert!((path[5] - path[4] - 15.0).abs() < 2.0, "{path:?}");
        assert!(
            path[0] > 60.0 && path[27] > path[6] && path[27] < 20.0 + 0.3 * 168.0 + 2.0,
            "{path:?}"
        );
    }

    #[test]
    fn what_nobody_buys_any_more_fades_in_one_and_not_in_the_other() {
        let mut units: Vec<Option<f64>> = (0..120)
            .map(|day| Some(if day % 5 == 0 { 3.0 } else { 0.0 }))
            .collect();
        let rate = paths(Method::Sba, &units, 120..=120)[0][0];
        assert!((0.5..0.62).contains(&rate), "{rate}");
        units.extend([Some(0.0); 60]);
        assert!(paths(Method::Sba, &units, 180..=180)[0][0] > 0.5);
        assert!(paths(Method::Tsb, &units, 180..=180)[0][0] < 0.2);
    }
}
