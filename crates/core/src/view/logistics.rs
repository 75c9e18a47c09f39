//! What the Logistics tab shows. A shipment belongs to the day it is due.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::Pair;

/// Shipments of one method (KPIs shipments, on_time_rate, transit_time).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MethodShipments {
    /// Method as the source names it.
    pub method: String,
    /// Waiting, on the way, delivered.
    pub pending: i64,
    /// See `pending`.
    pub transit: i64,
    /// See `pending`.
    pub delivered: i64,
    /// Delivered by the due day.
    pub on_time: i64,
    /// Delivered after it.
    pub late: i64,
    /// Past it and not delivered.
    pub overdue: i64,
    /// Delivered before capture began.
    pub unknown: i64,
    /// Hours from handed over to delivered: 10th, 50th and 90th percentile, in tenths.
    pub hours_tenths: Option<[i64; 3]>,
}

/// Shipments of one due day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DueDay {
    /// Due day.
    pub day: NaiveDate,
    /// Delivered by it.
    pub on_time: i64,
    /// Delivered after it, or not yet although it is past.
    pub late: i64,
}

/// A shipment that is past its due day.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OverdueShipment {
    /// Shipment id.
    pub shipment_id: i64,
    /// Method.
    pub method: String,
    /// Status as the source writes it.
    pub status: String,
    /// Due day.
    pub due: NaiveDate,
    /// When it was handed over, if it was.
    pub shipped_at: Option<DateTime<Utc>>,
}

/// Everything the Logistics tab shows.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LogisticsView {
    /// Methods, most shipments first; those due in the range.
    pub methods: Vec<MethodShipments>,
    /// Delivered by the due day, of those due in the range.
    pub on_time: Pair,
    /// Late or overdue, of those due in the range.
    pub late: Pair,
    /// Past their due day now, of all days.
    pub overdue: i64,
    /// On their way now, and waiting now.
    pub transit: i64,
    /// See `transit`.
    pub pending: i64,
    /// Hours from handed over to delivered, 50th and 90th percentile, in tenths: now and before.
    pub hours_tenths: [Option<[i64; 2]>; 2],
    /// The due days of the range.
    pub days: Vec<DueDay>,
    /// Overdue shipments, latest first.
    pub list: Vec<OverdueShipment>,
    /// Delivered in the range by hours of transit: upper limit in hours (`None` for the last) and shipments.
    pub histogram: Vec<(Option<i64>, i64)>,
}

/// Upper limits of the histogram of transit hours.
pub const TRANSIT_HOURS: [i64; 6] = [12, 24, 48, 72, 96, 144];
