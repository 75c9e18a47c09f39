//! Forecast of daily units, 28 days ahead (KPI demand_forecast; docs: kpis 6.1, docs/forecast.md).
//!
//! A series is what was asked for on each complete day, oldest first; a day on which it could not be bought is missing and
//! not zero. Several methods ([`Method`]) forecast from many days of the past, each knowing only what lay before it, and are
//! compared with what came. What a stock is used up by is the sum of days, so the error that decides is that of the units
//! until the first, second, .. fourteenth day; the error of single days would prefer to expect nothing of a product that
//! sells twice a week.
//!
//! * `ladder` holds the methods.
//! * `trial` holds their errors, and the intervals made of these.
//! * `stock` says when a stock is used up and when to order.
//!
//! Only sums, products and square roots of finite numbers are taken, so the same series gives the same forecast everywhere.

mod ladder;
mod stock;
mod trial;

#[cfg(test)]
mod controls;

pub use stock::{LEAD_DAYS, SERVICE_Z, Supply};
pub use trial::Accuracy;

use self::ladder::{Path, paths};
use self::trial::Trial;

/// Days that are forecast.
pub const HORIZON: usize = 28;

/// The first of the two horizons that are compared and shown; the second is [`HORIZON`].
pub const FORTNIGHT: usize = 14;

/// Most days of history that are read.
pub const HISTORY: usize = 365;

/// Days of a week.
const WEEK: usize = 7;

/// Least days that are known for anything but their mean, and days before the first origin.
const WARM_UP: usize = 14;

/// Least days that are known for an interval.
const INTERVAL: usize = 28;

/// Least origins for a comparison of methods.
const LEAST_ORIGINS: usize = 8;

/// Most origins: half a year of days. What erred before says little about what errs now.
const MOST_ORIGINS: usize = 26 * WEEK;

/// Part of the error by which a method has to be better than the one below it.
const WORTH: f64 = 0.05;

/// Mean distance between days with sales from which on a series counts as intermittent (Syntetos and Boylan).
const INTERMITTENT: f64 = 1.32;

/// A method, the simplest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// The mean of all known days: there are too few of them for more.
    Mean,
    /// The same weekday again. Every other method has to be better.
    SeasonalNaive,
    /// The mean of the last 28 days.
    Mean28,
    /// Level, damped trend and weekdays, smoothed.
    HoltWinters,
    /// Size and distance of sales, smoothed; Croston's method as corrected by Syntetos and Boylan.
    Sba,
    /// Size and chance of a sale, smoothed, so that what is not bought any more fades away.
    Tsb,
}

impl Method {
    /// Name in `marts.demand_forecast`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::SeasonalNaive => "seasonal_naive",
            Self::Mean28 => "mean_28",
            Self::HoltWinters => "holt_winters",
            Self::Sba => "sba",
            Self::Tsb => "tsb",
        }
    }

    /// The method of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        [
            Self::Mean,
            Self::SeasonalNaive,
            Self::Mean28,
            Self::HoltWinters,
            Self::Sba,
            Self::Tsb,
        ]
        .into_iter()
        .find(|method| method.name() == name)
    }
}

/// An interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Its lower end, not below zero.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// What is expected of the days until one of them, that included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Until {
    /// Expected units.
    pub units: f64,
    /// Where eighty of a hundred past sums of as many days lay around what was expected of them.
    pub within_80: Option<Interval>,
    /// The same for ninety-five of a hundred.
    pub within_95: Option<Interval>,
    /// Root of the mean squared error of such sums.
    pub spread: Option<f64>,
}

/// A forecast.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// The method that was chosen.
    pub method: Method,
    /// Days of history, and those of them that are known.
    pub days: (usize, usize),
    /// Sums from the first day ahead until each of the [`HORIZON`] days.
    pub until: Vec<Until>,
    /// How each method that was tried did, the simplest first; empty when there were too few days to try any.
    pub tried: Vec<(Method, Accuracy)>,
}

impl Forecast {
    /// How a method did.
    pub fn accuracy(&self, method: Method) -> Option<&Accuracy> {
        self.tried
            .iter()
            .find(|(tried, _)| *tried == method)
            .map(|(_, accuracy)| accuracy)
    }

    /// True when a method was found that is better than repeating the week.
    pub fn beats_the_week(&self) -> bool {
        !self.tried.is_empty() && self.method != Method::SeasonalNaive
    }

    /// Expected units until a day, the first day is 1.
    pub fn units_until(&self, day: usize) -> f64 {
        let last = day.checked_sub(1).and_then(|index| self.until.get(index));
        last.map_or(0.0, |until| until.units)
    }
}

/// True when sales are so rare that size and distance are forecast apart.
fn is_intermittent(units: &[Option<f64>]) -> bool {
    let known = units.iter().flatten().count();
    let sales = units.iter().flatten().filter(|units| **units > 0.0).count();
    sales > 0 && known as f64 >= INTERMITTENT * sales as f64
}

/// Forecasts the [`HORIZON`] days after a series. `None` when no day is known or nothing was ever asked for: there is
/// nothing to say. Numbers below zero and those that are no numbers count as missing; of a longer series the last
/// [`HISTORY`] days are read.
pub fn forecast(series: &[Option<f64>]) -> Option<Forecast> {
    let series = &series[series.len().saturating_sub(HISTORY)..];
    let usable = |units: &f64| units.is_finite() && *units >= 0.0;
    let units: Vec<Option<f64>> = series.iter().map(|units| units.filter(usable)).collect();
    let units = units.as_slice();
    let known = units.iter().flatten().count();
    if !units.iter().flatten().any(|units| *units > 0.0) {
        return None;
    }
    let days = (units.len(), known);
    let now = units.len()..=units.len();
    if known < WARM_UP {
        return Some(Forecast {
            method: Method::Mean,
            days,
            until: trial::expected(&paths(Method::Mean, units, now)[0]),
            tried: Vec::new(),
        });
    }
    let first = WARM_UP.max((units.len() + 1).saturating_sub(FORTNIGHT + MOST_ORIGINS));
    let base = Trial::new(units, Method::SeasonalNaive, first);
    if base.origins() < LEAST_ORIGINS {
        return Some(Forecast {
            method: Method::SeasonalNaive,
            days,
            until: base.until(known >= INTERVAL),
            tried: Vec::new(),
        });
    }
    let rest: &[Method] = if is_intermittent(units) {
        &[Method::Mean28, Method::Sba, Method::Tsb]
    } else {
        &[Method::Mean28, Method::HoltWinters]
    };
    let mut tried = vec![(Method::SeasonalNaive, base.accuracy())];
    let mut chosen = base;
    for method in rest {
        let trial = Trial::new(units, *method, first);
        tried.push((*method, trial.accuracy()));
        if trial.error() <= (1.0 - WORTH) * chosen.error() && trial.error() < chosen.error() {
            chosen = trial;
        }
    }
    Some(Forecast {
        method: chosen.method(),
        days,
        until: chosen.until(known >= INTERVAL),
        tried,
    })
}
