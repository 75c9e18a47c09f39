//! Bounds and probabilities of the rules. They weigh counts, never money.

/// Lower end of the Wilson interval at 95 % for `part` of `whole`.
pub(super) fn wilson_low(part: i64, whole: i64) -> f64 {
    if whole <= 0 {
        return 0.0;
    }
    let (n, z) = (whole as f64, 1.96_f64);
    let p = part as f64 / n;
    let centre = p + z * z / (2.0 * n);
    let spread = z * (p * (1.0 - p) / n + z * z / (4.0 * n * n)).sqrt();
    ((centre - spread) / (1.0 + z * z / n)).max(0.0)
}

/// Median of some values; they are put in order.
pub(super) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        count if count % 2 == 1 => values[count / 2],
        count => f64::midpoint(values[count / 2 - 1], values[count / 2]),
    }
}

/// How far a value lies from the median of others, in robust standard deviations (docs: kpis 6.2).
pub(super) fn robust_z(value: f64, others: &[f64]) -> (f64, f64) {
    let mut sorted = others.to_vec();
    let middle = median(&mut sorted);
    let mut spread: Vec<f64> = others.iter().map(|other| (other - middle).abs()).collect();
    let spread = (1.4826 * median(&mut spread)).max(middle.abs().sqrt()).max(1.0);
    ((value - middle) / spread, middle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds() {
        assert!(wilson_low(0, 0).abs() < 1e-9);
        assert!((wilson_low(10, 100) - 0.0552).abs() < 0.001);
        assert!(wilson_low(5, 50) < wilson_low(500, 5000));
        assert!((median(&mut [3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        let (z, middle) = robust_z(10.0, &[100.0, 110.0, 90.0, 105.0]);
        assert!(z < -3.5 && middle > 95.0);
    }
}
