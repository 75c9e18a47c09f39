//! The one place that decides whether a figure of a tab is taken from Redis or from the warehouse: by its id in the catalogue,
//! the range, the scope, and what Redis may claim at this moment.

use chrono::{DateTime, NaiveDate, Utc};
use instashop_core::view::{Ask, LiveFigures, Range};

use crate::snapshot::Snapshot;

/// When a figure of Redis says the same as that of the warehouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    /// Sums of the running day, of the platform and of each store.
    Today,
    /// A state of the whole platform, whatever the range.
    NowOfPlatform,
}

/// The figures that Redis holds.
const HELD: [(&str, Holds); 7] = [
    ("payment_success", Holds::Today),
    ("unique_buyers_today", Holds::Today),
    ("new_buyers", Holds::Today),
    ("returning_buyers", Holds::Today),
    ("product_performance", Holds::Today),
    ("funnel", Holds::Today),
    ("mrr", Holds::NowOfPlatform),
];

/// The figures of Redis that stand for a metric; `None` is the warehouse's: for another range or scope, and while Redis is
/// away, behind, rebuilding or of another day than the tab.
pub(super) fn live<'s>(
    data: &'s Snapshot,
    kpi: &str,
    ask: Ask,
    day: NaiveDate,
    now: DateTime<Utc>,
) -> Option<&'s LiveFigures> {
    let (_, holds) = HELD.iter().find(|(id, _)| *id == kpi)?;
    let view = data.live_now(now)?;
    let fits = match holds {
        Holds::Today => ask.range == Range::Today && view.day == day,
        Holds::NowOfPlatform => ask.store.is_none(),
    };
    Some(&view.figures).filter(|figures| fits && figures.store == ask.store)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    use chrono::TimeDelta;
    use instashop_core::config::Dashboard;
    use instashop_core::view::{Basis, LiveView, Rebuild};

    use crate::snapshot::{Down, Failure, Rhythm};

    #[test]
    fn what_is_taken_from_redis_is_compared_by_verify() {
        let day = NaiveDate::from_ymd_opt(2026, 8, 21).unwrap();
        let compared: Vec<&str> = instashop_core::live::held(day, None)
            .iter()
            .map(|(id, _)| *id)
            .collect();
        for (id, _) in HELD {
            assert!(compared.contains(&id), "{id}");
        }
    }

    #[test]
    fn redis_answers_for_today_and_its_own_scope_alone() {
        let now: DateTime<Utc> = "2026-08-21T17:05:02Z".parse().unwrap();
        let day = NaiveDate::from_ymd_opt(2026, 8, 21).unwrap();
        let mut snapshot = Snapshot::new(now, Rhythm::from_config(&Dashboard::default()));
        let view = |store: Option<i64>| LiveView {
            generation: "g".into(),
            read_at: now,
            as_of: Some(now),
            day,
            figures: LiveFigures {
                store,
                ..LiveFigures::default()
            },
            ..LiveView::default()
        };
        let put = |snapshot: &mut Snapshot, view: LiveView| {
            snapshot.live.value = Some(Arc::new(view));
            snapshot.live.arrived = Some(now);
        };
        let ask = |range, store| Ask {
            range,
            basis: Basis::Weekday,
            store,
        };
        for (of, kpi, range, store, expected) in [
            (None, "payment_success", Range::Today, None, true),
            (Some(7), "payment_success", Range::Today, Some(7), true),
            (Some(7), "payment_success", Range::Today, Some(8), false),
            (None, "payment_success", Range::Today, Some(7), false),
            (None, "payment_success", Range::Yesterday, None, false),
            (None, "payment_success", Range::Days(30), None, false),
            (None, "revenue_at_risk", Range::Today, None, false),
            (None, "mrr", Range::Days(30), None, true),
            (Some(7), "mrr", Range::Today, Some(7), false),
        ] {
            put(&mut snapshot, view(of));
            let found = live(&snapshot, kpi, ask(range, store), day, now);
            assert_eq!(found.is_some(), expected, "{of:?} {kpi} {range:?} {store:?}");
        }
        let today = ask(Range::Today, None);
        let is_live = |snapshot: &Snapshot, day, now| live(snapshot, "funnel", today, day, now).is_some();
        put(&mut snapshot, view(None));
        assert!(is_live(&snapshot, day, now));
        assert!(!is_live(&snapshot, day.succ_opt().unwrap(), now), "another day");
        assert!(!is_live(&snapshot, day, now + TimeDelta::minutes(1)), "stale");
        let rebuild = Some(Rebuild {
            since: now,
            percent: 5,
            remaining_s: None,
        });
        put(
            &mut snapshot,
            LiveView {
                rebuild,
                ..view(None)
            },
        );
        assert!(!is_live(&snapshot, day, now), "rebuilding");
        put(&mut snapshot, view(None));
        snapshot.missing_since = Some(now);
        assert!(!is_live(&snapshot, day, now), "missing");
        snapshot.missing_since = None;
        snapshot.redis.down = Some(Down {
            since: now,
            attempt: 1,
            retry_at: now,
            failure: Failure::default(),
        });
        assert!(!is_live(&snapshot, day, now + TimeDelta::seconds(30)), "away");
    }
}
