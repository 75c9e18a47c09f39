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

    /// Errors of the sums of `days`, in the order of the origins, each as if all its days were known and over [`scale`]: a
    /// growing series errs by more units now than it did.
    fn errors(&self, days: usize) -> Vec<Option<f64>> {
        let error = |sum: Sum| {
            let whole = days as f64 / sum.known as f64;
            (sum.real - sum.expected) * whole / scale(sum.expected * whole)
        };
        self.sums(days).map(|sum| sum.map(error)).collect()
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
        let mut old: Vec<f64> = old.iter().flatten().copied().collect();
        old.sort_by(f64::total_cmp);
        let [inner, outer] = ends(&old, FORTNIGHT);
        let (low, high) = inner?;
        let loss = |error: f64, end: f64, quantile: f64| {
            let over = error - end;
            if over >= 0.0 {
                quantile * over
            } else {
                (quantile - 1.0) * over
            }
        };
        let (mut count, mut pinball, mut inside, mut inside_outer) = (0.0, 0.0, 0.0, 0.0);
        let paths = self.paths.iter().skip(middle + FORTNIGHT);
        for (error, path) in new.iter().skip(FORTNIGHT).zip(paths) {
            let Some(error) = *error else { continue };
            let both = f64::midpoint(loss(error, low, 0.10), loss(error, high, 0.90));
            count += 1.0;
            pinball += both * scale(path[..FORTNIGHT].iter().sum());
            inside += f64::from(u8::from((low..=high).contains(&error)));
            inside_outer += f64::from(u8::from(
                outer.is_some_and(|(low, high)| (low..=high).contains(&error)),
            ));
        }
        (count > 0.0).then(|| {
            let outer = outer.map(|_| inside_outer / count);
            (pinball / count, inside / count, outer)
        })
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
            let scale = scale(day.units);
            let around = |(low, high): (f64, f64)| Interval {
                low: (day.units + low * scale).max(0.0),
                high: (day.units + high * scale).max(0.0),
            };
            [day.within_80, day.within_95] = ends(&errors, index + 1).map(|ends| ends.map(around));
            let squares: f64 = errors.iter().map(|error| error * error).sum();
            day.spread = Some(scale * (squares / errors.len() as f64).sqrt());
        }
        until
    }
}

/// What the error of a sum is measured by: counts stray by the root of their mean.
fn scale(expected: f64) -> f64 {
    (expected + 1.0).sqrt()
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

/// Ends of the intervals of 80 % and 95 % among the errors of sums of `days`, sorted.
///
/// Of n errors that know nothing of each other the k-th from either end is it, with k = tail (n + 1). Sums of more days
/// overlap, n of them say what n / days would, and the outermost of so few lie further in than they should: the rank moves
/// outwards by half the overlap. There is none where even the outermost of n would not be far enough, and no wider one
/// where the narrower is the outermost already.
fn ends(sorted: &[f64], days: usize) -> [Option<(f64, f64)>; 2] {
    let (count, overlap) = (sorted.len(), days.saturating_sub(1) as f64);
    let [narrow, wide] = [0.10, 0.025].map(|tail| {
        // A hair more, so that 9 + 1 errors have a tenth of 1.
        let alone = tail * (count + 1) as f64 + 1e-9;
        let rank = alone + (tail - 0.5) * overlap;
        (alone >= 1.0).then(|| rank.max(1.0) as usize)
    });
    let wide = wide.filter(|wide| narrow.is_some_and(|narrow| *wide < narrow));
    let at = |rank: usize| Some((*sorted.get(rank - 1)?, *sorted.get(count.checked_sub(rank)?)?));
    [narrow.and_then(at), wide.and_then(at)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_the_outer_ranks_and_need_enough_errors() {
        let outermost = |rank: f64, count: f64| Some((rank, count + 1.0 - rank));
        for (count, days, narrow, wide) in [
            (8, 1, None, None),
            (9, 1, outermost(1.0, 9.0), None),
            (19, 1, outermost(2.0, 19.0), None),
            (38, 1, outermost(3.0, 38.0), None),
            (39, 1, outermost(4.0, 39.0), outermost(1.0, 39.0)),
            // Four, less four tenths of two for overlapping sums of three.
            (39, 3, outermost(3.0, 39.0), outermost(1.0, 39.0)),
            // Both would be the outermost.
            (39, 14, outermost(1.0, 39.0), None),
            (180, 14, outermost(12.0, 180.0), outermost(1.0, 180.0)),
        ] {
            let errors: Vec<f64> = (1..=count).map(f64::from).collect();
            assert_eq!(ends(&errors, days), [narrow, wide], "{count} {days}");
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
