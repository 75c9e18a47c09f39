//! Repeated measurements of one thing.

use serde::Serialize;

/// Values of one measure, in the order in which they were taken.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Series(Vec<f64>);

impl Series {
    pub(super) fn add(&mut self, value: f64) {
        self.0.push(value);
    }

    /// The middle value; of an even number the mean of the two in the middle. 0 without values.
    pub(super) fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        match (sorted.get(middle), sorted.len() % 2) {
            (Some(upper), 0) => f64::midpoint(sorted.get(middle - 1).copied().unwrap_or(*upper), *upper),
            (Some(only), _) => *only,
            (None, _) => 0.0,
        }
    }

    /// Lowest and highest value; zeros without values.
    pub(super) fn range(&self) -> (f64, f64) {
        let mut values = self.0.iter().copied();
        let first = values.next().unwrap_or_default();
        values.fold((first, first), |(low, high), value| {
            (low.min(value), high.max(value))
        })
    }
}

impl FromIterator<f64> for Series {
    fn from_iter<T: IntoIterator<Item = f64>>(values: T) -> Self {
        Self(values.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_and_range() {
        let cases: [(&[f64], f64, (f64, f64)); 5] = [
            (&[], 0.0, (0.0, 0.0)),
            (&[4.0], 4.0, (4.0, 4.0)),
            (&[9.0, 1.0], 5.0, (1.0, 9.0)),
            (&[9.0, 1.0, 3.0], 3.0, (1.0, 9.0)),
            (&[2.0, 8.0, 4.0, 100.0], 6.0, (2.0, 100.0)),
        ];
        for (values, median, range) in cases {
            let series: Series = values.iter().copied().collect();
            assert_eq!(
                (series.median().to_bits(), series.range()),
                (f64::to_bits(median), range),
                "{values:?}"
            );
        }
    }
}
