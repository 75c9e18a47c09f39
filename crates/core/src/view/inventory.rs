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
    /// Units of the product sold by day, oldest first, the last complete days; filled for the rows that run out first.
    pub sold: Vec<i64>,
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
