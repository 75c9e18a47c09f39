//! Ticks on 1-2-5 steps, and the mapping of values to rows.

/// A vertical axis, usually from zero.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// Value at the bottom of the plot.
    pub floor: f64,
    /// Value at the top of the plot; above zero.
    pub top: f64,
    /// Values that get a label, rising from zero.
    pub ticks: Vec<f64>,
}

impl Axis {
    /// An axis for values up to `max` with at most `most` ticks (at least two).
    pub fn new(max: f64, most: usize) -> Self {
        let max = if max.is_finite() && max > 0.0 { max } else { 1.0 };
        let most = most.max(2);
        let mut step = 10_f64.powf((max / (most as f64)).log10().floor());
        let mut factors = [2.0, 2.5, 2.0].into_iter().cycle();
        while (max / step).floor() as usize + 1 > most {
            step *= factors.next().unwrap_or(2.0);
        }
        let count = (max / step).floor() as usize;
        let mut ticks: Vec<f64> = (0..=count).map(|index| index as f64 * step).collect();
        if ticks.len() == 1 {
            ticks.push(max);
        }
        Self {
            floor: 0.0,
            top: max,
            ticks,
        }
    }

    /// An axis for values from `floor` up: for lines, which need not begin at zero.
    pub fn above(floor: f64, max: f64, most: usize) -> Self {
        let from_zero = Self::new((max - floor).max(f64::EPSILON), most);
        Self {
            floor,
            top: floor + from_zero.top,
            ticks: from_zero.ticks.into_iter().map(|tick| floor + tick).collect(),
        }
    }

    /// Share of the height at which a value stands, 0 to 1.
    pub fn share(&self, value: f64) -> f64 {
        if value.is_finite() {
            ((value - self.floor) / (self.top - self.floor)).clamp(0.0, 1.0)
        } else {
            0.0
        }
    }

    /// Row of a value in a plot of `rows`, counted from the top.
    pub fn row(&self, value: f64, rows: u16) -> u16 {
        let last = f64::from(rows.saturating_sub(1));
        (last - self.share(value) * last).round() as u16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_on_one_two_five() {
        for (max, most, expected) in [
            (116.0, 3, &[0.0, 50.0, 100.0][..]),
            (116.0, 6, &[0.0, 20.0, 40.0, 60.0, 80.0, 100.0]),
            (9.5, 3, &[0.0, 5.0]),
            (10.0, 3, &[0.0, 5.0, 10.0]),
            (0.0, 4, &[0.0, 0.5, 1.0]),
            (f64::NAN, 2, &[0.0, 1.0]),
            (113_600.0, 3, &[0.0, 50_000.0, 100_000.0]),
        ] {
            assert_eq!(Axis::new(max, most).ticks, expected, "{max} in {most}");
        }
    }

    #[test]
    fn rows() {
        let axis = Axis::new(100.0, 3);
        assert_eq!(axis.row(100.0, 5), 0);
        assert_eq!(axis.row(50.0, 5), 2);
        assert_eq!(axis.row(0.0, 5), 4);
        assert_eq!(axis.row(f64::INFINITY, 5), 4);
        assert_eq!(axis.row(50.0, 0), 0);
    }
}
