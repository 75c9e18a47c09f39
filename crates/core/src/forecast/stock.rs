//! What a forecast says about a stock: the day it is used up, and the point at which to order.

use super::Forecast;

/// Days from an order at a supplier to the goods (docs: kpis 5.1).
pub const LEAD_DAYS: usize = 7;

/// Standard deviations of the demand during these days that are kept besides: stock is there in 95 of 100 cases.
pub const SERVICE_Z: f64 = 1.645;

/// What a forecast says about the units that are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Supply {
    /// Days ahead on which the last unit is expected to go, the first day is 1; `None` when they last longer than the
    /// forecast reaches.
    pub used_up: Option<usize>,
    /// The earliest such day that the interval of 80 % allows.
    pub used_up_early: Option<usize>,
    /// Units at which to order: the expected demand of [`LEAD_DAYS`] and [`SERVICE_Z`] times its error. `None` without
    /// past errors.
    pub reorder_point: Option<i64>,
}

impl Supply {
    /// Judges the units of a product that are there at the beginning of the first day ahead.
    pub fn new(forecast: &Forecast, available: i64) -> Self {
        let there = available.max(0) as f64;
        let day = |units: &dyn Fn(&super::Until) -> Option<f64>| {
            let reached =
                |until: &super::Until| units(until).is_some_and(|units| units > 0.0 && units >= there);
            forecast.until.iter().position(reached).map(|index| index + 1)
        };
        let at_lead = forecast.until.get(LEAD_DAYS - 1);
        Self {
            used_up: day(&|until| Some(until.units)),
            used_up_early: day(&|until| until.within_80.map(|interval| interval.high)),
            reorder_point: at_lead.and_then(|until| {
                until
                    .spread
                    .map(|spread| (until.units + SERVICE_Z * spread).ceil() as i64)
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stock_is_used_up_when_the_sum_reaches_it() {
        let forecast = super::super::forecast(&[Some(5.0); 70]).unwrap();
        for (available, day) in [
            (-3, Some(1)),
            (0, Some(1)),
            (5, Some(1)),
            (6, Some(2)),
            (50, Some(10)),
            (140, Some(28)),
            (141, None),
        ] {
            let supply = Supply::new(&forecast, available);
            assert_eq!((supply.used_up, supply.used_up_early), (day, day), "{available}");
            // Nothing errs: the demand of seven days alone.
            assert_eq!(supply.reorder_point, Some(35));
        }
        let short = super::super::forecast(&[Some(5.0); 10]).unwrap();
        assert_eq!(
            Supply::new(&short, 20),
            Supply {
                used_up: Some(4),
                used_up_early: None,
                reorder_point: None
            }
        );
    }

    #[test]
    fn more_error_means_an_earlier_order_and_an_earlier_end() {
        let units: Vec<Option<f64>> = (0..140_u32)
            .map(|day| Some(f64::from(day * day * 7919 % 101 / 10)))
            .collect();
        let forecast = super::super::forecast(&units).unwrap();
        let supply = Supply::new(&forecast, 60);
        assert!(supply.used_up_early < supply.used_up, "{supply:?}");
        assert!(supply.reorder_point.unwrap() as f64 > forecast.units_until(LEAD_DAYS) + 1.0);
    }
}
