//! A short forecast of daily units (docs: kpis 6.1): the mean of each weekday, shrunk towards the mean of all days, against
//! the plain "as a week ago" that it has to beat.

/// A forecast.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// Expected units of each coming day, the first is the day after the last known one.
    pub daily: Vec<f64>,
    /// Spread of one day: eighty of a hundred days of the past were within it. Zero below 28 days of history.
    pub band: f64,
    /// Mean absolute error of this forecast and of the plain week over the last origins, each made without the days it
    /// was tested on; `None` below 28 days of history.
    pub errors: Option<(f64, f64)>,
}

/// Days of a week.
const WEEK: usize = 7;

/// Least history for a forecast, and for an interval and a comparison.
const LEAST: (usize, usize) = (14, 28);

/// Mean of every weekday of a history, shrunk as if four ordinary days had been seen besides.
fn means(history: &[i64]) -> [f64; WEEK] {
    let all = history.iter().sum::<i64>() as f64 / history.len().max(1) as f64;
    std::array::from_fn(|weekday| {
        // Counted from the end, so that slot 0 is the weekday of the first coming day.
        let days = (0..history.len()).filter(|day| (history.len() - day) % WEEK == (WEEK - weekday) % WEEK);
        let (sum, count) = days.fold((0_i64, 0_usize), |(sum, count), day| {
            (sum + history[day], count + 1)
        });
        (sum as f64 + 4.0 * all) / (count as f64 + 4.0)
    })
}

/// Forecasts `horizon` days after a history of complete days, oldest first. `None` with less than two weeks or without any
/// sale: there is nothing to say.
pub fn weekly(history: &[i64], horizon: usize) -> Option<Forecast> {
    if history.len() < LEAST.0 || history.iter().all(|units| *units == 0) {
        return None;
    }
    let means_now = means(history);
    let daily = (0..horizon).map(|day| means_now[day % WEEK]).collect();
    if history.len() < LEAST.1 {
        return Some(Forecast {
            daily,
            band: 0.0,
            errors: None,
        });
    }
    let (mut model, mut plain) = (Vec::new(), 0.0);
    for origin in LEAST.0..history.len() {
        let (known, real) = (&history[..origin], history[origin] as f64);
        model.push((means(known)[0] - real).abs());
        plain += (history[origin - WEEK] as f64 - real).abs();
    }
    let count = model.len() as f64;
    let error = model.iter().sum::<f64>() / count;
    model.sort_by(f64::total_cmp);
    let band = model[(model.len() * 8 / 10).min(model.len() - 1)];
    Some(Forecast {
        daily,
        band,
        errors: Some((error, plain / count)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weekly_shape_is_found_and_flat_sales_have_none() {
        let shape = [2, 2, 2, 2, 9, 9, 2];
        let history: Vec<i64> = (0..56).map(|day| shape[day % 7]).collect();
        let forecast = weekly(&history, 14).unwrap();
        assert!(forecast.daily[4] > 2.0 * forecast.daily[0], "{forecast:?}");
        assert!((forecast.daily[0] - forecast.daily[7]).abs() < 1e-9);
        let flat = weekly(&[5; 56], 3).unwrap();
        assert_eq!((flat.daily, flat.band), (vec![5.0; 3], 0.0));
    }

    #[test]
    fn noise_is_averaged_better_than_it_is_repeated() {
        let history: Vec<i64> = (0..56).map(|day| i64::from(day * 7919 % 11 + 3)).collect();
        let (model, plain) = weekly(&history, 1).unwrap().errors.unwrap();
        assert!(model < plain, "{model} {plain}");
    }

    #[test]
    fn little_history_says_less_or_nothing() {
        assert_eq!(weekly(&[1; 13], 7), None);
        assert_eq!(weekly(&[0; 56], 7), None);
        let short = weekly(&[3; 20], 2).unwrap();
        assert_eq!((short.errors, short.band), (None, 0.0));
    }
}
