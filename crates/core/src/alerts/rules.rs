//! The rules with their limits (docs: kpis 5.1, A1 to A9) and what each finds.

use chrono::{DateTime, TimeDelta, Utc};

use super::chance::{robust_z, wilson_low};
use super::{Finding, Held, Inputs, Measured, Severity, State};
use crate::view::{AlertFacts, FlowHealth, MethodFact, PartitionHealth, StockFact};

/// A rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// A1a: nothing left of an active product that sells.
    OutOfStock,
    /// A1b: at or below the reorder point.
    StockCritical,
    /// A1c: lasts less than a delivery takes.
    StockoutAhead,
    /// A2a: more failed payments than usual.
    PaymentFailures,
    /// A2b: a method fails without a break.
    MethodDown,
    /// A2c: no order where many are usual.
    SalesSilence,
    /// A3a: slow statements.
    SlowQuery,
    /// A3b: a statement that does not end.
    StuckQuery,
    /// A4a: a flow is behind in time.
    LagTime,
    /// A4b: a flow does not move.
    Stalled,
    /// A4c: a slot holds back too much, or nobody reads it.
    SlotWal,
    /// A4d: disk, memory, connections.
    Resources,
    /// A5: an hour far below its usual.
    RevenueAnomaly,
    /// A6: an order with several odd signs.
    SuspiciousOrder,
    /// A7: rows that broke a rule.
    DataQuality,
    /// A8: too many late deliveries.
    Overdue,
    /// A9: a day with far fewer conversions.
    ConversionDrop,
}

/// Days a delivery takes (A1c).
const LEAD_DAYS: i64 = 7;

/// Largest share of failed payments that is normal, in thousandths (A2a).
const FAILURE_MILLE: i64 = 100;

/// Failures in a row of a method that is down (A2b).
const IN_A_ROW: i64 = 8;

/// Seconds behind: a warning, and critical (A4a).
const LAG_S: (i64, i64) = (10, 60);

/// Bytes a slot may hold back (A4c).
const SLOT_BYTES: i64 = 1 << 30;

/// Largest share of late deliveries, in thousandths (A8), and least number of them.
const LATE: (i64, i64) = (100, 30);

/// Least number of visits of a day that is judged (A9).
const VISITS: i64 = 500;

impl Rule {
    /// All rules, in the order of the catalogue.
    pub const ALL: [Self; 17] = [
        Self::OutOfStock,
        Self::StockCritical,
        Self::StockoutAhead,
        Self::PaymentFailures,
        Self::MethodDown,
        Self::SalesSilence,
        Self::SlowQuery,
        Self::StuckQuery,
        Self::LagTime,
        Self::Stalled,
        Self::SlotWal,
        Self::Resources,
        Self::RevenueAnomaly,
        Self::SuspiciousOrder,
        Self::DataQuality,
        Self::Overdue,
        Self::ConversionDrop,
    ];

    /// Name in lists and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::OutOfStock => "out_of_stock",
            Self::StockCritical => "stock_critical",
            Self::StockoutAhead => "stockout_ahead",
            Self::PaymentFailures => "payment_failures",
            Self::MethodDown => "method_down",
            Self::SalesSilence => "sales_silence",
            Self::SlowQuery => "slow_query",
            Self::StuckQuery => "stuck_query",
            Self::LagTime => "lag_time",
            Self::Stalled => "stalled",
            Self::SlotWal => "slot_wal",
            Self::Resources => "resources",
            Self::RevenueAnomaly => "revenue_anomaly",
            Self::SuspiciousOrder => "suspicious_order",
            Self::DataQuality => "data_quality",
            Self::Overdue => "overdue",
            Self::ConversionDrop => "conversion_drop",
        }
    }

    /// How long its condition must hold before it fires.
    pub const fn hold(self) -> TimeDelta {
        match self {
            Self::StockCritical | Self::PaymentFailures | Self::LagTime | Self::SlotWal => {
                TimeDelta::minutes(2)
            }
            Self::DataQuality | Self::SlowQuery => TimeDelta::minutes(5),
            Self::Resources => TimeDelta::minutes(10),
            Self::StockoutAhead | Self::Overdue => TimeDelta::hours(1),
            Self::Stalled => TimeDelta::seconds(60),
            _ => TimeDelta::zero(),
        }
    }

    /// True for rules about the shop: they need data that are not behind.
    pub const fn is_business(self) -> bool {
        !matches!(
            self,
            Self::SlowQuery
                | Self::StuckQuery
                | Self::LagTime
                | Self::Stalled
                | Self::SlotWal
                | Self::Resources
        )
    }

    /// True for rules about the workers.
    pub const fn needs_flows(self) -> bool {
        matches!(self, Self::LagTime | Self::Stalled | Self::SlotWal)
    }

    /// True for rules that make one finding of many rows.
    pub const fn is_grouped(self) -> bool {
        matches!(
            self,
            Self::OutOfStock | Self::StockCritical | Self::StockoutAhead | Self::SuspiciousOrder
        )
    }
}

fn found(rule: Rule, severity: Severity, scope: &str, value: Measured, limit: Measured) -> Finding {
    Finding {
        rule,
        state: State::Firing,
        severity,
        scope: scope.to_owned(),
        value,
        limit,
        count: 1,
        since: None,
        items: vec![],
    }
}

/// What a rule finds; an error when it cannot judge.
pub(super) fn judge(rule: Rule, inputs: &Inputs<'_>, now: DateTime<Utc>) -> Result<Vec<Finding>, Held> {
    let facts = || inputs.facts.map(|(facts, _)| facts).ok_or(Held::NoData);
    match rule {
        Rule::OutOfStock | Rule::StockCritical | Rule::StockoutAhead => Ok(stock(rule, facts()?)),
        Rule::PaymentFailures => Ok(facts()?.methods.iter().filter_map(failures).collect()),
        Rule::MethodDown => Ok(facts()?
            .methods
            .iter()
            .filter_map(|method| down(method, now))
            .collect()),
        Rule::SalesSilence => silence(facts()?, now),
        Rule::RevenueAnomaly => anomaly(facts()?),
        Rule::SuspiciousOrder => Ok(odd(facts()?)),
        Rule::DataQuality => Ok(quality(facts()?)),
        Rule::Overdue => Ok(overdue(facts()?)),
        Rule::ConversionDrop => conversion(facts()?),
        Rule::LagTime => Ok(flows(inputs, |flow| lag(flow, now))),
        Rule::Stalled => Ok(flows(inputs, |flow| stalled(flow, now))),
        Rule::SlotWal => Ok(flows(inputs, slots)),
        Rule::SlowQuery | Rule::StuckQuery | Rule::Resources => Err(Held::NotMeasured),
    }
}

fn stock(rule: Rule, facts: &AlertFacts) -> Vec<Finding> {
    let is_out = |row: &&StockFact| row.available <= 0 && row.active;
    let rows: Vec<&StockFact> = match rule {
        Rule::OutOfStock => facts.stock.iter().filter(is_out).collect(),
        // What is out is not counted twice (docs: kpis 5.2, inhibition).
        Rule::StockCritical => facts
            .stock
            .iter()
            .filter(|row| row.available > 0 && row.reorder.is_some_and(|point| row.available <= point))
            .collect(),
        _ => facts
            .stock
            .iter()
            .filter(|row| {
                row.available > 0
                    && row.per_day_milli >= 200
                    && row.days_milli.is_some_and(|milli| milli < LEAD_DAYS * 1000)
            })
            .collect(),
    };
    let Some(worst) = rows.first() else {
        return vec![];
    };
    let (severity, value, limit) = match rule {
        Rule::OutOfStock => (Severity::Critical, Measured::Units(0), Measured::Units(0)),
        Rule::StockCritical => (
            Severity::Warning,
            Measured::Rows(rows.len() as i64),
            Measured::Units(worst.reorder.unwrap_or(0)),
        ),
        _ => (
            Severity::Info,
            Measured::Days(worst.days_milli.unwrap_or(0)),
            Measured::Days(LEAD_DAYS * 1000),
        ),
    };
    vec![Finding {
        count: rows.len() as i64,
        items: rows
            .iter()
            .map(|row| format!("{} · {}", row.product, row.place))
            .collect(),
        ..found(rule, severity, &worst.product, value, limit)
    }]
}

fn failures(method: &MethodFact) -> Option<Finding> {
    let share = |(paid, failed): (i64, i64)| wilson_low(failed, paid + failed);
    let count = |(paid, failed): (i64, i64)| paid + failed;
    let usual = if count(method.week) > 0 {
        method.week.1 as f64 / count(method.week) as f64
    } else {
        0.0
    };
    let limit = (FAILURE_MILLE as f64 / 1000.0).max(2.0 * usual);
    let busy = count(method.hour) >= 50 && count(method.five) >= 10;
    let beyond = if busy {
        share(method.hour) > limit && share(method.five) > limit
    } else {
        count(method.day) >= 20 && share(method.day) > limit
    };
    let (paid, failed) = if busy { method.hour } else { method.day };
    beyond.then(|| {
        found(
            Rule::PaymentFailures,
            Severity::Critical,
            &method.method,
            Measured::Mille(failed * 1000 / (paid + failed).max(1)),
            Measured::Mille((limit * 1000.0) as i64),
        )
    })
}

fn down(method: &MethodFact, now: DateTime<Utc>) -> Option<Finding> {
    let attempts = method.week.0 + method.week.1;
    // Without a week nothing is usual; one failure in two is assumed, which asks for twenty in a row.
    let usual = if attempts >= 30 {
        (method.week.1 as f64 / attempts as f64).max(0.01)
    } else {
        0.5
    };
    let chance = usual.powi(i32::try_from(method.in_a_row).unwrap_or(i32::MAX));
    let failing = method.in_a_row >= IN_A_ROW && chance < 1e-6;
    // Ten times the usual gap between two paid orders, and an attempt in between.
    let gap = (method.week.0 >= 30).then(|| 7 * 86_400 / method.week.0);
    let waits = method.last_paid_at.map(|at| (now - at).num_seconds());
    let silent = gap
        .zip(waits)
        .is_some_and(|(gap, waits)| waits > 10 * gap && method.in_a_row > 0 && waits > 600);
    (failing || silent).then(|| Finding {
        since: method.failing_since,
        ..found(
            Rule::MethodDown,
            Severity::Critical,
            &method.method,
            Measured::InARow(method.in_a_row),
            Measured::InARow(IN_A_ROW),
        )
    })
}

fn silence(facts: &AlertFacts, now: DateTime<Utc>) -> Result<Vec<Finding>, Held> {
    let Some(last) = facts.last_order_at else {
        return Err(Held::TooYoung);
    };
    let weeks: Vec<i64> = facts
        .expected
        .iter()
        .copied()
        .filter(|orders| *orders > 0)
        .collect();
    let gap = (now - last).num_seconds();
    if weeks.is_empty() && gap > 600 {
        return Err(Held::TooYoung);
    }
    let expected = weeks.iter().sum::<i64>() as f64 / weeks.len().max(1) as f64;
    let silent = gap >= 600 && (-expected).exp() < 1e-4;
    Ok(silent
        .then(|| Finding {
            since: Some(last),
            ..found(
                Rule::SalesSilence,
                Severity::Critical,
                "",
                Measured::Seconds(gap),
                Measured::Seconds(600),
            )
        })
        .into_iter()
        .collect())
}

fn anomaly(facts: &AlertFacts) -> Result<Vec<Finding>, Held> {
    if facts.hours_before.len() < 3 || facts.hours.len() < 2 {
        return Err(Held::TooYoung);
    }
    let judged = |hour: usize| {
        let others: Vec<f64> = facts
            .hours_before
            .iter()
            .filter_map(|week| week.get(hour))
            .map(|cents| *cents as f64 / 100.0)
            .collect();
        robust_z(facts.hours[hour] as f64 / 100.0, &others)
    };
    let ((z, usual), (z_before, _)) = (judged(0), judged(1));
    // Two buckets, and a miss that matters: a quarter of the usual.
    let low = z < -3.5 && z_before < -3.5 && facts.hours[0] as f64 / 100.0 < usual * 0.75;
    let severity = if z < -5.0 {
        Severity::Critical
    } else {
        Severity::Warning
    };
    Ok(low
        .then(|| {
            found(
                Rule::RevenueAnomaly,
                severity,
                "",
                Measured::Cents(facts.hours[0]),
                Measured::Cents((usual * 100.0) as i64),
            )
        })
        .into_iter()
        .collect())
}

fn odd(facts: &AlertFacts) -> Vec<Finding> {
    let Some(newest) = facts.odd.first() else {
        return vec![];
    };
    let signs = i64::from(newest.attempts >= 5)
        + i64::from(newest.failures >= 3)
        + i64::from(newest.under_lines)
        + i64::from(newest.first_and_large);
    vec![Finding {
        count: facts.odd.len() as i64,
        since: Some(newest.at),
        items: facts.odd.iter().map(|order| order.order_id.to_string()).collect(),
        ..found(
            Rule::SuspiciousOrder,
            Severity::Info,
            &newest.order_id.to_string(),
            Measured::Signs(signs),
            Measured::Signs(2),
        )
    }]
}

fn quality(facts: &AlertFacts) -> Vec<Finding> {
    let beyond = facts.quality.iter().filter(|(check, rows)| match check.as_str() {
        // A few statuses that no map knows are normal: 0.1 %.
        check if check.contains("unmapped") || check.contains("unknown") => *rows * 1000 > facts.orders,
        _ => *rows > 0,
    });
    beyond
        .map(|(check, rows)| {
            found(
                Rule::DataQuality,
                Severity::Warning,
                check,
                Measured::Rows(*rows),
                Measured::Rows(0),
            )
        })
        .collect()
}

fn overdue(facts: &AlertFacts) -> Vec<Finding> {
    let (limit, least) = LATE;
    let late = facts.due.iter().filter(|due| {
        let judged = due.on_time + due.late;
        judged >= least && due.late * 1000 > judged * limit
    });
    late.map(|due| {
        found(
            Rule::Overdue,
            Severity::Warning,
            &due.method,
            Measured::Mille(due.late * 1000 / (due.on_time + due.late)),
            Measured::Mille(limit),
        )
    })
    .collect()
}

fn conversion(facts: &AlertFacts) -> Result<Vec<Finding>, Held> {
    let Some(((visits, orders), before)) = facts.conversion.split_first() else {
        return Err(Held::NoData);
    };
    if before.len() < 14 {
        return Err(Held::TooYoung);
    }
    if *visits < VISITS {
        return Ok(vec![]);
    }
    let share = |(visits, orders): &(i64, i64)| *orders as f64 / (*visits).max(1) as f64;
    let mean = before.iter().map(share).sum::<f64>() / before.len() as f64;
    let spread =
        (before.iter().map(|day| (share(day) - mean).powi(2)).sum::<f64>() / before.len() as f64).sqrt();
    // The spread of days, and that of a count: whichever is larger.
    let spread = spread.max((mean * (1.0 - mean) / *visits as f64).sqrt());
    let limit = mean - 2.58 * spread;
    let now = *orders as f64 / *visits as f64;
    Ok((now < limit)
        .then(|| {
            found(
                Rule::ConversionDrop,
                Severity::Info,
                "",
                Measured::Mille((now * 1000.0) as i64),
                Measured::Mille((limit * 1000.0) as i64),
            )
        })
        .into_iter()
        .collect())
}

fn flows(inputs: &Inputs<'_>, of: impl Fn(&FlowHealth) -> Vec<Finding>) -> Vec<Finding> {
    let mut all: Vec<Finding> = Vec::new();
    for finding in inputs.flows.into_iter().flatten().flat_map(of) {
        // Both flows watch the same sources.
        if !all.iter().any(|known| known.scope == finding.scope) {
            all.push(finding);
        }
    }
    all
}

fn lag(flow: &FlowHealth, now: DateTime<Utc>) -> Vec<Finding> {
    let late = flow.workers.iter().filter_map(|worker| {
        let behind = worker
            .partitions
            .iter()
            .filter(|partition| partition.lag().is_some_and(|lag| lag > 0))
            .filter_map(|partition| Some((partition, (now - partition.as_of?).num_seconds())));
        let (partition, seconds) = behind.max_by_key(|(_, seconds)| *seconds)?;
        (seconds > LAG_S.0).then(|| {
            let critical = seconds > LAG_S.1;
            found(
                Rule::LagTime,
                if critical {
                    Severity::Critical
                } else {
                    Severity::Warning
                },
                &partition.topic,
                Measured::Seconds(seconds),
                Measured::Seconds(LAG_S.0),
            )
        })
    });
    late.collect()
}

/// A worker that has not published for a minute while records wait for it.
fn stalled(flow: &FlowHealth, now: DateTime<Utc>) -> Vec<Finding> {
    let still = flow.workers.iter().filter_map(|worker| {
        let waiting: i64 = worker.partitions.iter().filter_map(PartitionHealth::lag).sum();
        let silent = (now - worker.seen_at).num_seconds();
        (silent > 60 && waiting > 0).then(|| Finding {
            since: Some(worker.seen_at),
            ..found(
                Rule::Stalled,
                Severity::Critical,
                &worker.worker,
                Measured::Messages(waiting),
                Measured::Seconds(60),
            )
        })
    });
    still.collect()
}

fn slots(flow: &FlowHealth) -> Vec<Finding> {
    let full = flow.sources.iter().filter_map(|source| {
        let bytes = source.slot_lag_bytes.unwrap_or(0);
        (bytes > SLOT_BYTES || source.slot_active == Some(false)).then(|| {
            found(
                Rule::SlotWal,
                Severity::Critical,
                &source.source,
                Measured::Bytes(bytes),
                Measured::Bytes(SLOT_BYTES),
            )
        })
    });
    full.collect()
}
