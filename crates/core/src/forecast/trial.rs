//! A method tried on the past: its errors at every origin, what they say of it, and the intervals made of them.

use super::{FORTNIGHT, HORIZON, Interval, Method, Path, Until, WEEK, paths};

/// How a method did on the past. Every number is of days that it had not seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Accuracy {
    /// Origins it was tried at.
    pub origins: usize,
    /// Mean absolute error of the units until the first, second, .. fourteenth day: what decides.
    pub error: f64,
    /// Mean absolute error of single days over that of "as a week ago"; `None` where every week was as the one before.
    pub mase: Option<f64>,
    /// Absolute errors of the sums of fourteen days, over these sums.
    pub wape: Option<f64>,
    /// What was expected of fourteen days beyond what came, over what came: above zero it expects too much.
    pub bias: Option<f64>,
    /// Mean pinball loss, in units, of the ends of the interval of 80 % for fourteen days. Like `coverage_80` it is of the
    /// newer half of the origins, with the ends that the older half gave; `None` where there are too few.
    pub pinball: Option<f64>,
    /// Part of the sums of fourteen days that lay in that interval.
    pub coverage_80: Option<f64>,
    /// The same for the interval of 95 %.
    pub coverage_95: Option<f64>,
}

/// What came within some days after an origin, against what was expected of it.
#[derive(Debug, Clone, Copy)]
struct Sum {
    real: f64,
    expected: f64,
    /// Days of it that are known.
    known: usize,
}

/// A method with what it expected at every origin.
#[derive(Debug)]
pub(super) struct Trial<'u> {
    units: &'u [Option<f64>],
    method: Method,
    first: usize,
    /// One for each origin from `first` on; the last is the forecast.
    paths: Vec<Path>,
}

impl<'u> Trial<'u> {
    pub(super) fn new(units: &'u [Option<f64>], method: Method, first: usize) -> Self {
        Self {
            units,
            method,
            first,
            paths: paths(method, units, first..=units.len()),
        }
    }

    pub(super) const fn method(&self) -> Method {
        self.method
    }

    /// The sums of `days` after each origin that has so many after it. The days that are missing are left out on both
    /// sides; where fewer than half are known, nothing is said.
    fn sums(&self, days: usize) -> impl Iterator<Item = Option<Sum>> + '_ {
        let complete = (self.units.len() + 1).saturating_sub(self.first + days);
        self.paths
            .iter()
            .take(complete)
            .enumerate()
            .map(move |(index, path)| {
                let after = &self.units[self.first + index..][..days];
                let mut sum = Sum {
                    real: 0.0,
                    expected: 0.0,
                    known: 0,
                };
                for (real, expected) in after.iter().zip(path) {
                    if let Some(real) = real {
                        sum.real += real;
                        sum.expected += expected;
                        sum.known += 1;
                    }
                }
                (sum.known * 2 >= days).then_some(sum)
            })
    }

    /// Errors of the sums of `days`, in the order of the origins, each as if all its days were known.
    fn errors(&self, days: usize) -> Vec<Option<f64>> {
        self.sums(days)
            .map(|sum| sum.map(|sum| (sum.real - sum.expected) * days as f64 / sum.known as f64))
            .collect()
    }

    /// Origins that can be judged.
    pub(super) fn origins(&self) -> usize {
        self.sums(FORTNIGHT).flatten().count()
    }

    /// The error that decides.
    pub(super) fn error(&self) -> f64 {
        let (mut total, mut count) = (0.0, 0.0);
        let complete = (self.units.len() + 1).saturating_sub(self.first + FORTNIGHT);
        for (index, path) in self.paths.iter().take(complete).enumerate() {
            let mut sum = 0.0;
            for (real, expected) in self.units[self.first + index..].iter().zip(&path[..FORTNIGHT]) {
                if let Some(real) = real {
                    sum += real - expected;
                    total += f64::abs(sum);
                    count += 1.0;
                }
            }
        }
        if count > 0.0 { total / count } else { 0.0 }
    }

    pub(super) fn accuracy(&self) -> Accuracy {
        let (mut apart, mut real, mut expected) = (0.0, 0.0, 0.0);
        for sum in self.sums(FORTNIGHT).flatten() {
            apart += f64::abs(sum.real - sum.expected);
            real += sum.real;
            expected += sum.expected;
        }
        let over = |above: f64, below: f64| (below > 0.0).then(|| above / below);
        let halves = self.halves();
        Accuracy {
            origins: self.origins(),
            error: self.error(),
            mase: self.mase(),
            wape: over(apart, real),
            bias: (real > 0.0).then(|| (expected - real) / real),
            pinball: halves.map(|(pinball, ..)| pinball),
            coverage_80: halves.map(|(_, coverage, _)| coverage),
            coverage_95: halves.and_then(|(.., coverage)| coverage),
        }
    }

    fn mase(&self) -> Option<f64> {
        let complete = (self.units.len() + 1).saturating_sub(self.first + FORTNIGHT);
        let (mut apart, mut days) = (0.0, 0.0);
        for (index, path) in self.paths.iter().take(complete).enumerate() {
            for (real, expected) in self.units[self.first + index..].iter().zip(&path[..FORTNIGHT]) {
                if let Some(real) = real {
                    apart += f64::abs(real - expected);
                    days += 1.0;
                }
            }
        }
        let (mut weeks, mut pairs) = (0.0, 0.0);
        for (now, before) in self.units[WEEK..].iter().zip(self.units) {
            if let (Some(now), Some(before)) = (now, before) {
                weeks += f64::abs(now - before);
                pairs += 1.0;
            }
        }
        (days > 0.0 && weeks > 0.0).then(|| (apart / days) / (weeks / pairs))
    }

    /// Pinball loss and coverage of the intervals that the older half of the origins would have given, on the newer half.
    /// Fourteen days between the two are left out: the sums of the one must not reach into the other.
    fn halves(&self) -> Option<(f64, f64, Option<f64>)> {
        let errors = self.errors(FORTNIGHT);
        let middle = errors.len() / 2;
        let (old, new) = errors.split_at(middle);
        let new: Vec<f64> = new.iter().skip(FORTNIGHT).flatten().copied().collect();
        let mut old: Vec<f64> = old.iter().flatten().copied().collect();
        old.sort_by(f64::total_cmp);
        if new.is_empty() {
            return None;
        }
        let (low, high) = ends(&old, FORTNIGHT, 0.10)?;
        let loss = |error: f64, end: f64, quantile: f64| {
            let over = error - end;
            if over >= 0.0 {
                quantile * over
            } else {
                (quantile - 1.0) * over
            }
        };
        let count = new.len() as f64;
        let inside = |low: f64, high: f64| {
            new.iter().filter(|error| (low..=high).contains(*error)).count() as f64 / count
        };
        let pinball: f64 = new
            .iter()
            .map(|error| f64::midpoint(loss(*error, low, 0.10), loss(*error, high, 0.90)))
            .sum();
        Some((
            pinball / count,
            inside(low, high),
            ends(&old, FORTNIGHT, 0.025).map(|(low, high)| inside(low, high)),
        ))
    }

    /// The forecast, with intervals where there are errors enough.
    pub(super) fn until(&self, with_intervals: bool) -> Vec<Until> {
        let Some(path) = self.paths.last() else {
            return Vec::new();
        };
        let mut until = expected(path);
        if !with_intervals {
            return until;
        }
        for (index, day) in until.iter_mut().enumerate() {
            let mut errors: Vec<f64> = self.errors(index + 1).into_iter().flatten().collect();
            if errors.is_empty() {
                continue;
            }
            errors.sort_by(f64::total_cmp);
            let around = |(low, high): (f64, f64)| Interval {
                low: (day.units + low).max(0.0),
                high: (day.units + high).max(0.0),
            };
            day.within_80 = ends(&errors, index + 1, 0.10).map(around);
            day.within_95 = ends(&errors, index + 1, 0.025).map(around);
            let squares: f64 = errors.iter().map(|error| error * error).sum();
            day.spread = Some((squares / errors.len() as f64).sqrt());
        }
        until
    }
}

/// The sums of a path, without intervals.
pub(super) fn expected(path: &Path) -> Vec<Until> {
    let mut units = 0.0;
    let sum = |day: &f64| {
        units += day;
        Until {
            units,
            within_80: None,
            within_95: None,
            spread: None,
        }
    };
    let until: Vec<Until> = path.iter().map(sum).collect();
    debug_assert_eq!(until.len(), HORIZON);
    until
}

/// The errors of sums of `days`, sorted, below and above which a new one lies with a chance of `tail` each. Of n errors that
/// know nothing of each other it is the k-th from either end with k = tail (n + 1). Sums of more days overlap, n of them say
/// what n / days would, and the outermost of so few lie further in than they should: the rank moves outwards by half the
/// overlap. `None` where even the outermost of n would not be far enough.
fn ends(sorted: &[f64], days: usize, tail: f64) -> Option<(f64, f64)> {
    let (count, overlap) = (sorted.len(), days.saturating_sub(1) as f64);
    // A hair more, so that 9 + 1 errors have a tenth of 1.
    if tail * (count + 1) as f64 + 1e-9 < 1.0 {
        return None;
    }
    let rank = tail * ((count + 1) as f64 + overlap) - overlap / 2.0 + 1e-9;
    let place = rank.max(1.0) as usize;
    Some((*sorted.get(place - 1)?, *sorted.get(count.checked_sub(place)?)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_the_outer_ranks_and_need_enough_errors() {
        let errors: Vec<f64> = (1..=39).map(f64::from).collect();
        for (count, days, tail, expected) in [
            (8, 1, 0.10, None),
            (9, 1, 0.10, Some((1.0, 9.0))),
            (19, 1, 0.10, Some((2.0, 18.0))),
            (38, 1, 0.025, None),
            (39, 1, 0.025, Some((1.0, 39.0))),
            (39, 1, 0.10, Some((4.0, 36.0))),
            // Four and a half, less one, for overlapping pairs of three.
            (39, 3, 0.10, Some((3.0, 37.0))),
            (39, 14, 0.10, Some((1.0, 39.0))),
        ] {
            assert_eq!(
                ends(&errors[..count], days, tail),
                expected,
                "{count} {days} {tail}"
            );
        }
    }

    #[test]
    fn measures_of_a_series_that_can_be_worked_out_by_hand() {
        // 2 a day, then 4 a day: the week repeats what it saw.
        let units: Vec<Option<f64>> = (0..42)
            .map(|day| Some(if day < 28 { 2.0 } else { 4.0 }))
            .collect();
        let trial = Trial::new(&units, Method::SeasonalNaive, 28);
        assert_eq!(trial.origins(), 1);
        let accuracy = trial.accuracy();
        // 14 days of 2 too few: 28 of 56; until day h it is 2 h, on the mean 15.
        assert_eq!(accuracy.wape, Some(0.5));
        assert_eq!(accuracy.bias, Some(-0.5));
        assert!((accuracy.error - 15.0).abs() < 1e-12, "{accuracy:?}");
        // Seven of 35 pairs of days a week apart differ, by 2.
        assert_eq!(accuracy.mase, Some(2.0 / (14.0 / 35.0)));
        assert_eq!(accuracy.pinball, None);
    }

    #[test]
    fn missing_days_count_on_neither_side() {
        let mut units = vec![Some(3.0); 42];
        for day in &mut units[30..35] {
            *day = None;
        }
        let trial = Trial::new(&units, Method::Mean28, 28);
        assert_eq!(trial.errors(FORTNIGHT), [Some(0.0)]);
        for day in &mut units[28..40] {
            *day = None;
        }
        let trial = Trial::new(&units, Method::Mean28, 28);
        assert_eq!(trial.errors(FORTNIGHT), [None]);
        assert_eq!(trial.origins(), 0);
    }
}
