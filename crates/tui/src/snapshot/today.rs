//! Today's figures from whoever can answer for them, and the same weekday of last week up to the same clock time.

use chrono::{
    DateTime, Datelike, Days, NaiveDate, NaiveDateTime, TimeDelta, TimeZone, Timelike, Utc, Weekday,
};
use chrono_tz::Tz;
use instashop_core::view::{
    BehaviourCount, CategorySales, DoingNow, LiveBase, LiveView, PaymentMethod, ProductSales, Totals,
    TrendPoint, Visits,
};

use super::condition::{self, Condition};
use super::{Part, Snapshot};
use crate::reading::Source;

/// Today's figures and where they are from.
#[derive(Debug, Clone, Copy)]
pub struct Today<'s> {
    /// Business day.
    pub day: NaiveDate,
    /// Sums.
    pub totals: Totals,
    /// Distinct buyers.
    pub buyers: i64,
    /// Visits, and those with an order.
    pub visits: Visits,
    /// Sums by hour.
    pub hours: &'s [TrendPoint],
    /// Sums by minute of the last hour.
    pub minutes: &'s [TrendPoint],
    /// Payment outcomes.
    pub payments: &'s [PaymentMethod],
    /// Categories.
    pub categories: &'s [CategorySales],
    /// Best products.
    pub products: &'s [ProductSales],
    /// Which store answers.
    pub source: Source,
    /// The cut in words of time.
    pub as_of: DateTime<Utc>,
    /// When it arrived.
    pub arrived: DateTime<Utc>,
    /// False when nobody can answer for now: the last values, not to be compared.
    pub current: bool,
}

/// The base day cut at the clock time of today's figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SameClock {
    /// The base day.
    pub day: NaiveDate,
    /// Its sums up to that time.
    pub totals: Totals,
    /// Its distinct buyers up to that time.
    pub buyers: i64,
    /// Its visits up to that time.
    pub visits: Visits,
    /// The moment on the base day, UTC.
    pub cut: DateTime<Utc>,
}

/// A local time as UTC: the earlier of two, the hour after a gap.
pub fn to_utc(local: NaiveDateTime, zone: Tz) -> DateTime<Utc> {
    zone.from_local_datetime(&local)
        .earliest()
        .or_else(|| {
            zone.from_local_datetime(&(local + TimeDelta::hours(1)))
                .earliest()
        })
        .map_or_else(|| local.and_utc(), |at| at.with_timezone(&Utc))
}

/// First moment of a business day.
pub fn midnight(day: NaiveDate, zone: Tz) -> DateTime<Utc> {
    to_utc(day.and_time(chrono::NaiveTime::MIN), zone)
}

impl Snapshot {
    /// The live totals, when they may pass for the present.
    pub fn live_now(&self, now: DateTime<Utc>) -> Option<&LiveView> {
        self.live
            .get()
            .filter(|_| !self.live_condition(now).is_outdated())
    }

    /// State of today's figures from the warehouse. They are asked for more often while Redis cannot answer.
    fn today_condition(&self, now: DateTime<Utc>) -> Condition {
        condition::part(
            &self.today,
            self.rhythm.warehouse,
            &self.warehouse,
            self.started,
            now,
        )
    }

    /// Today from Redis; from the warehouse while Redis cannot answer; else the last known, marked as not current.
    pub fn today(&self, now: DateTime<Utc>, zone: Tz) -> Option<Today<'_>> {
        let from_live = |view, current| from_live(view, self.live.arrived.unwrap_or(now), current);
        if let Some(view) = self.live_now(now) {
            return Some(from_live(view, true));
        }
        let usable = self.today.get().filter(|view| {
            !self.today_condition(now).is_outdated() && view.day == now.with_timezone(&zone).date_naive()
        });
        if let Some(view) = usable {
            return Some(Today {
                day: view.day,
                totals: view.today,
                buyers: view.buyers_today,
                visits: view.visits,
                hours: &view.hours,
                minutes: &view.minutes,
                payments: &view.payments,
                categories: &view.categories,
                products: &view.products,
                source: Source::Warehouse,
                as_of: view.as_of.unwrap_or(view.read_at),
                arrived: self.today.arrived.unwrap_or(now),
                current: true,
            });
        }
        self.live.get().map(|view| from_live(view, false))
    }

    /// What visitors do right now: Redis alone has it, and only where it was asked for.
    pub fn doing(&self) -> Option<&DoingNow> {
        self.live.get()?.doing.as_ref()
    }

    /// What visitors did at the same clock time of the base day. It is asked for less often than it is compared, so it may
    /// stand for a minute before.
    pub fn doing_base(&self, day: NaiveDate) -> Option<&DoingNow> {
        honest_base(&self.base, day).map(|base| &base.doing)
    }

    /// Behaviour of today: Redis alone has it.
    pub fn behaviour(&self) -> &[BehaviourCount] {
        self.live.get().map_or(&[], |view| &view.behaviour)
    }

    /// The base day up to the clock time of `today`; `None` when there is no honest base: not loaded, incomplete, or
    /// another weekday (docs: kpis 0.4). The running minute is left out of the base, so the base is never larger than
    /// it was.
    pub fn same_clock(&self, today: &Today<'_>, zone: Tz) -> Option<SameClock> {
        let base = honest_base(&self.base, today.day)?;
        let local = today.as_of.with_timezone(&zone).naive_local();
        let time = if local.date() < today.day {
            chrono::NaiveTime::MIN
        } else {
            local.time()
        };
        let time = time
            .with_second(0)
            .and_then(|time| time.with_nanosecond(0))
            .unwrap_or(time);
        let cut = to_utc(base.day.and_time(time), zone);
        let before = base.minutes.iter().filter(|minute| minute.start < cut);
        Some(SameClock {
            day: base.day,
            totals: before.fold(Totals::default(), |sum, minute| sum.plus(minute.totals)),
            buyers: base.first_sales.iter().filter(|first| **first < cut).count() as i64,
            visits: base
                .visits
                .iter()
                .filter(|minute| minute.start < cut)
                .fold(Visits::default(), |sum, minute| sum.plus(minute.visits)),
            cut,
        })
    }

    /// Sums of the base day by the hour of its own clock, when there is an honest base.
    pub fn base_hours(&self, day: NaiveDate, zone: Tz) -> Option<[Totals; 24]> {
        let base = honest_base(&self.base, day)?;
        let mut hours = [Totals::default(); 24];
        for minute in &base.minutes {
            let hour = minute.start.with_timezone(&zone).hour() as usize;
            hours[hour] = hours[hour].plus(minute.totals);
        }
        Some(hours)
    }

    /// Sums of the minute of the base day with the same clock time; `None` outside the base day.
    pub fn base_minute(&self, minute: DateTime<Utc>, day: NaiveDate, zone: Tz) -> Option<Totals> {
        let base = honest_base(&self.base, day)?;
        let then = minute.with_timezone(&zone).naive_local() - TimeDelta::days(7);
        if then.date() != base.day {
            return None;
        }
        let then = to_utc(then, zone);
        let found = base.minutes.binary_search_by_key(&then, |point| point.start);
        Some(found.map_or_else(|_| Totals::default(), |index| base.minutes[index].totals))
    }
}

/// The base when it is the same weekday of the week before `day`, complete.
pub fn honest_base(base: &Part<LiveBase>, day: NaiveDate) -> Option<&LiveBase> {
    base.get()
        .filter(|base| base.complete && Some(base.day) == day.checked_sub_days(Days::new(7)))
}

/// Weekday of the base of a day: its own.
pub fn weekday(day: NaiveDate) -> Weekday {
    day.weekday()
}

fn from_live(view: &LiveView, arrived: DateTime<Utc>, current: bool) -> Today<'_> {
    Today {
        day: view.day,
        totals: view.today,
        buyers: view.buyers_today,
        visits: view.visits,
        hours: &view.hours,
        minutes: &view.minutes,
        payments: &view.payments,
        categories: &view.categories,
        products: &view.products,
        source: Source::Live,
        as_of: view.as_of.unwrap_or(view.read_at),
        arrived,
        current,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::Rhythm;
    use instashop_core::config::Dashboard;
    use instashop_core::view::WarehouseToday;

    const ZONE: Tz = chrono_tz::America::Argentina::Buenos_Aires;

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn totals(revenue_cents: i64) -> Totals {
        Totals {
            revenue_cents,
            orders: 1,
            ..Totals::default()
        }
    }

    fn snapshot(now: DateTime<Utc>) -> Snapshot {
        let mut snapshot = Snapshot::new(now, Rhythm::from_config(&Dashboard::default()));
        let day = NaiveDate::from_ymd_opt(2026, 8, 21).unwrap();
        snapshot.live.set(
            LiveView {
                generation: "g".into(),
                read_at: now,
                as_of: Some(now),
                day,
                today: totals(500),
                ..LiveView::default()
            },
            now,
        );
        let minute = |at: &str, cents| TrendPoint {
            start: time(at),
            totals: totals(cents),
        };
        snapshot.base.set(
            LiveBase {
                day: NaiveDate::from_ymd_opt(2026, 8, 14).unwrap(),
                complete: true,
                minutes: vec![
                    minute("2026-08-14T12:00:00Z", 100),
                    minute("2026-08-14T17:04:00Z", 20),
                    minute("2026-08-14T17:05:00Z", 3),
                ],
                first_sales: vec![time("2026-08-14T12:00:30Z"), time("2026-08-14T17:05:10Z")],
                categories: vec![],
                visits: vec![],
                doing: DoingNow::default(),
            },
            now,
        );
        snapshot
    }

    #[test]
    fn the_base_ends_at_the_same_clock_time() {
        let now = time("2026-08-21T17:05:02Z");
        let snapshot = snapshot(now);
        let today = snapshot.today(now, ZONE).unwrap();
        let base = snapshot.same_clock(&today, ZONE).unwrap();
        assert_eq!(
            (base.totals.revenue_cents, base.buyers),
            (120, 1),
            "the running minute is left out"
        );
        assert_eq!(base.cut, time("2026-08-14T17:05:00Z"));
        let hours = snapshot.base_hours(today.day, ZONE).unwrap();
        assert_eq!((hours[9].revenue_cents, hours[14].revenue_cents), (100, 23));
        let minute = |at: &str| {
            snapshot
                .base_minute(time(at), today.day, ZONE)
                .map(|totals| totals.revenue_cents)
        };
        assert_eq!(minute("2026-08-21T17:04:00Z"), Some(20));
        assert_eq!(minute("2026-08-21T17:03:00Z"), Some(0), "a minute without orders");
        assert_eq!(minute("2026-08-21T02:30:00Z"), None, "before the base day began");
    }

    #[test]
    fn no_honest_base_no_comparison() {
        let now = time("2026-08-21T17:05:02Z");
        for (name, change) in [
            (
                "incomplete",
                (|base: &mut LiveBase| base.complete = false) as fn(&mut LiveBase),
            ),
            ("another day", |base| base.day = base.day.pred_opt().unwrap()),
        ] {
            let mut snapshot = snapshot(now);
            let mut base = snapshot.base.get().unwrap().clone();
            change(&mut base);
            snapshot.base.set(base, now);
            let today = snapshot.today(now, ZONE).unwrap();
            assert_eq!(snapshot.same_clock(&today, ZONE), None, "{name}");
        }
    }

    #[test]
    fn the_warehouse_answers_while_redis_cannot() {
        let now = time("2026-08-21T17:05:02Z");
        let mut snapshot = snapshot(now);
        let day = snapshot.live.get().unwrap().day;
        let later = now + TimeDelta::minutes(2);
        let today = snapshot.today(later, ZONE).unwrap();
        assert_eq!(
            (today.source, today.current),
            (Source::Live, false),
            "nobody answers: the last values"
        );
        let warehouse = WarehouseToday {
            read_at: later,
            day,
            today: totals(490),
            ..WarehouseToday::default()
        };
        snapshot.today.set(warehouse.clone(), later);
        let today = snapshot.today(later, ZONE).unwrap();
        assert_eq!(
            (today.source, today.current, today.totals.revenue_cents),
            (Source::Warehouse, true, 490)
        );
        let tomorrow = WarehouseToday {
            day: day.succ_opt().unwrap(),
            ..warehouse
        };
        snapshot.today.set(tomorrow, later);
        assert!(
            !snapshot.today(later, ZONE).unwrap().current,
            "figures of another day are not today's"
        );
    }
}
