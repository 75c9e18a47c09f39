//! What is counted and summed: the measures of [`super::Cell`].

use crate::visits::VisitOutcome;

/// Headline sums of [`crate::view::Totals`], kept in buckets of every length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Measure {
    /// Cents of recognised and reversed orders.
    Revenue,
    /// Number of those orders.
    Orders,
    /// Open orders.
    Open,
    /// Failed attempts.
    Failed,
    /// Cancelled orders.
    Cancelled,
    /// Orders taken back.
    Reversed,
    /// Orders with a status that no map knows.
    Unmapped,
    /// Behaviour events of every type; kept by day.
    Events,
}

impl Measure {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Revenue,
        Self::Orders,
        Self::Open,
        Self::Failed,
        Self::Cancelled,
        Self::Reversed,
        Self::Unmapped,
        Self::Events,
    ];
}

/// Sums that are kept by business day alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DayMeasure {
    /// Cents of the lines of sales before discounts (KPI gross_sales).
    Gross,
    /// Units of the lines of sales.
    Units,
    /// Distinct buyers with a sale (KPI unique_buyers_today).
    Buyers,
    /// Buyers whose first sale, anywhere or at the store, is on this day (KPI new_buyers).
    NewBuyers,
    /// Buyers with a sale on this day and an earlier one (KPI returning_buyers).
    ReturningBuyers,
    /// Cents taken back on this day, whatever day they were sold (KPI net_revenue).
    Returns,
    /// Stores first seen as an insert (KPI new_stores).
    NewStores,
    /// Buyers first seen as an insert (KPI new_users).
    NewUsers,
    /// Visits that reached a step of the funnel, 0 to 5; step 0 is every visit (KPIs visits, funnel).
    Step(u8),
    /// Visits by how they end if nothing more happens (KPI outcomes).
    Outcome(VisitOutcome),
    /// Views of pages and products in visits that began on this day (KPI page_views).
    PageViews,
    /// Whole seconds of the visits (KPI avg_time).
    VisitSeconds,
    /// Microseconds beyond the whole seconds, so that the sum of a day stays in the exact range of the live store.
    VisitMicros,
    /// Visits with something added to the cart.
    CartVisits,
    /// Visits with a checkout or an order.
    CheckoutVisits,
    /// Visits with a checkout event.
    BegunVisits,
}

/// Sums of a payment method on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PaymentMeasure {
    /// Recognised and reversed orders.
    Paid,
    /// Failed attempts.
    Failed,
    /// Open orders.
    Open,
    /// Cents of the paid orders.
    Revenue,
}

/// Sums of a product on a day. They move with the product when its category changes, so each must be additive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProductMeasure {
    /// Allocated cents.
    Revenue,
    /// Units.
    Units,
    /// Lines: the row count that says whether the group exists.
    Lines,
}

/// What a line was sold as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProductKey {
    /// A product.
    Id(i64),
    /// A line whose product is NULL: category `unclassified`.
    Unknown,
    /// A sale without a single line: category `unattributed`.
    Bare,
}

/// What somebody does right now (KPIs visitors_now, live_carts).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Doing {
    /// Anything.
    Visiting,
    /// The cart was changed.
    Shopping,
    /// A checkout began.
    CheckingOut,
    /// An order was placed.
    Purchasing,
}

impl Doing {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Visiting,
        Self::Shopping,
        Self::CheckingOut,
        Self::Purchasing,
    ];
}

/// State of a stock row (D9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StockStatus {
    /// Nothing is left.
    OutOfStock,
    /// At or below the reorder point.
    Critical,
    /// Up to one and a half times the reorder point.
    Low,
    /// More.
    Optimal,
    /// Quantity or reorder point are NULL.
    Unknown,
}

impl StockStatus {
    /// All states, worst first.
    pub const ALL: [Self; 5] = [
        Self::OutOfStock,
        Self::Critical,
        Self::Low,
        Self::Optimal,
        Self::Unknown,
    ];

    /// State of a row.
    pub fn of(available: Option<i64>, reorder_point: Option<i64>) -> Self {
        let (Some(available), Some(point)) = (available, reorder_point) else {
            return Self::Unknown;
        };
        if available <= 0 {
            Self::OutOfStock
        } else if available <= point {
            Self::Critical
        } else if available.saturating_mul(2) <= point.saturating_mul(3) {
            Self::Low
        } else {
            Self::Optimal
        }
    }

    /// Name in the marts and in Redis.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OutOfStock => "out_of_stock",
            Self::Critical => "critical",
            Self::Low => "low",
            Self::Optimal => "optimal",
            Self::Unknown => "unknown",
        }
    }

    /// True when the product has to be reordered.
    pub const fn is_critical(self) -> bool {
        matches!(self, Self::OutOfStock | Self::Critical)
    }
}

/// Sums of a warehouse location.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PlaceMeasure {
    /// Units available.
    Units,
    /// Cents at the selling price, of products in the reporting currency.
    Value,
    /// Critical rows.
    Critical,
}

/// How a shipment with a due day ended, as far as the change stream saw it (KPI on_time_rate).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Delivery {
    /// Delivered on the due day or before.
    OnTime,
    /// Delivered later.
    Late,
    /// Delivered before capture began.
    Unknown,
    /// Not delivered: on its way until the due day ends, overdue after it.
    Undelivered,
}

impl Delivery {
    /// Name in Redis.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OnTime => "on_time",
            Self::Late => "late",
            Self::Unknown => "unknown",
            Self::Undelivered => "undelivered",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d9_a_stock_row_at_its_reorder_point_is_critical() {
        use StockStatus::{Critical, Low, Optimal, OutOfStock, Unknown};
        for (available, point, expected) in [
            (Some(-1), Some(0), OutOfStock),
            (Some(0), Some(10), OutOfStock),
            (Some(10), Some(10), Critical),
            (Some(11), Some(10), Low),
            (Some(15), Some(10), Low),
            (Some(16), Some(10), Optimal),
            (Some(1), Some(0), Optimal),
            (Some(4), Some(3), Low),
            (Some(5), Some(3), Optimal),
            (None, Some(3), Unknown),
            (Some(3), None, Unknown),
        ] {
            assert_eq!(
                StockStatus::of(available, point),
                expected,
                "{available:?} {point:?}"
            );
        }
    }
}
