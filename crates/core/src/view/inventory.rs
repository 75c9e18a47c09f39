//! What the Inventory tab shows, as of now.

use serde::{Deserialize, Serialize};

/// State of a stock row (KPI stock_status).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub enum StockState {
    /// Nothing left.
    OutOfStock,
    /// At or below the reorder point.
    Critical,
    /// At most half above it.
    Low,
    /// More.
    Optimal,
    /// Without a reorder point.
    #[default]
    Unknown,
}

impl StockState {
    /// All states, worst first.
    pub const ALL: [Self; 5] = [
        Self::OutOfStock,
        Self::Critical,
        Self::Low,
        Self::Optimal,
        Self::Unknown,
    ];

    /// The state as the warehouse names it.
    pub fn from_name(name: &str) -> Self {
        match name {
            "out_of_stock" => Self::OutOfStock,
            "critical" => Self::Critical,
            "low" => Self::Low,
            "optimal" => Self::Optimal,
            _ => Self::Unknown,
        }
    }

    /// Name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OutOfStock => "out_of_stock",
            Self::Critical => "critical",
            Self::Low => "low",
            Self::Optimal => "optimal",
            Self::Unknown => "unknown",
        }
    }
}

/// One stock row: a product in one place (KPIs days_of_stock, critical_products, dead_stock).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StockRow {
    /// Stock id.
    pub stock_id: i64,
    /// Product id.
    pub product_id: i64,
    /// Product name.
    pub product: String,
    /// Category.
    pub category: String,
    /// Warehouse location.
    pub place: String,
    /// State.
    pub state: StockState,
    /// Units available; `None` when the source has none.
    pub available: Option<i64>,
    /// Reorder point.
    pub reorder: Option<i64>,
    /// Units sold a day over 28 days, in thousandths.
    pub per_day_milli: i64,
    /// Days the stock lasts, in thousandths; `None` without sales.
    pub days_milli: Option<i64>,
    /// Retail value, cents.
    pub cents: i64,
    /// Units of the product sold by day, oldest first, the last 28 complete days; filled for the rows that run out first.
    pub sold: Vec<i64>,
    /// What is expected of it; there for the rows that run out first, once the daily run has forecast their product.
    pub forecast: Option<StockForecast>,
}

/// The forecast of a stock row: its share of the product's, by what it holds (KPI demand_forecast). Units in thousandths.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StockForecast {
    /// Expected units from today until each day, today is the first.
    pub until_milli: Vec<i64>,
    /// Ends of the interval of 80 % around each; `None` where there are too few past errors.
    pub within_milli: Vec<Option<(i64, i64)>>,
    /// Units at which to order, for the whole product's demand while a delivery is on its way.
    pub reorder: Option<i64>,
    /// Error of the method that was chosen and of repeating the week, for the whole product; `None` where none could be tried.
    pub errors_milli: Option<(i64, i64)>,
}

impl StockForecast {
    /// Days ahead on which so many units are used up, 0 is today; by expectation, and by the interval the earliest and the
    /// latest. `None` beyond the last day.
    pub fn used_up(&self, units: i64) -> (Option<usize>, Option<usize>, Option<usize>) {
        let there = units.max(0) * 1000;
        let reached = |sum: i64| sum > 0 && sum >= there;
        let edge = |end: fn((i64, i64)) -> i64| {
            self.within_milli
                .iter()
                .position(|within| within.is_some_and(|within| reached(end(within))))
        };
        (
            self.until_milli.iter().position(|sum| reached(*sum)),
            edge(|(_, high)| high),
            edge(|(low, _)| low),
        )
    }
}

/// One warehouse (KPI warehouses).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Place {
    /// Location.
    pub place: String,
    /// Units.
    pub units: i64,
    /// Retail value, cents.
    pub cents: i64,
    /// Rows that are critical or out of stock.
    pub critical: i64,
    /// All rows.
    pub rows: i64,
}

/// Movements of one reason today (KPI movements).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Movement {
    /// Reason as the source writes it.
    pub reason: String,
    /// Units in.
    pub came: i64,
    /// Units out.
    pub went: i64,
}

/// Stock rows of one category in one place, for the map.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PlaceCategory {
    /// Location.
    pub place: String,
    /// Category.
    pub category: String,
    /// All rows, and those critical or out of stock.
    pub rows: (i64, i64),
}

/// Everything the Inventory tab shows.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct InventoryView {
    /// Rows by state, in the order of [`StockState::ALL`].
    pub states: [i64; 5],
    /// Retail value of all rows, cents.
    pub cents: i64,
    /// Units sold in a year at the pace of 28 days, and mean units on hand, both in thousandths (KPI turnover).
    pub turnover: (i64, i64),
    /// Distinct products with a critical row or one out of stock.
    pub critical_products: i64,
    /// Warehouses, most units first.
    pub places: Vec<Place>,
    /// Rows that run out first; those without sales are left out.
    pub rows: Vec<StockRow>,
    /// Rows without sales in 28 days, highest value first.
    pub dead: Vec<StockRow>,
    /// All rows without sales: number and retail value, cents.
    pub asleep: (i64, i64),
    /// Movements of today.
    pub movements: Vec<Movement>,
    /// Rows by days of stock: upper limit in days (`None` for the last) and rows.
    pub histogram: Vec<(Option<i64>, i64)>,
    /// Category by warehouse.
    pub map: Vec<PlaceCategory>,
}

/// Upper limits of the histogram of days of stock.
pub const STOCK_DAYS: [i64; 6] = [1, 3, 7, 14, 30, 90];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stock_is_used_up_by_expectation_and_by_both_ends() {
        let forecast = StockForecast {
            until_milli: vec![2_000, 4_000, 6_000, 8_000],
            within_milli: vec![Some((0, 3_500)), Some((3_000, 5_000)), Some((5_000, 7_000)), None],
            ..StockForecast::default()
        };
        for (units, expected) in [
            (-2, (Some(0), Some(0), Some(1))),
            (3, (Some(1), Some(0), Some(1))),
            (5, (Some(2), Some(1), Some(2))),
            (7, (Some(3), Some(2), None)),
            (9, (None, None, None)),
        ] {
            assert_eq!(forecast.used_up(units), expected, "{units}");
        }
    }
}
