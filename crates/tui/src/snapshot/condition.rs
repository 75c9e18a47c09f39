//! What a part may claim at a moment. One place decides it, so that stale data never looks live anywhere.

use chrono::{DateTime, TimeDelta, Utc};
use instashop_core::view::{Ask, Rebuild, Topic};

use super::{Link, Part, PartName, Snapshot};

/// Shortest age that is called stale.
const STALE_AT_LEAST: TimeDelta = TimeDelta::seconds(5);

/// Workers further behind than this are named with their cut.
pub const LAGGING: TimeDelta = TimeDelta::seconds(10);

/// Marts further behind than this are named with their cut: they follow within seconds, a minute is much.
const LAGGING_MARTS: TimeDelta = TimeDelta::minutes(2);

/// State of a part (docs: dashboard, states of a panel).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// Asked for since then, never answered.
    Loading(DateTime<Utc>),
    /// Never answered, and the store does not answer.
    Unreachable,
    /// Current.
    Live,
    /// Current, but the workers are behind: the cut of the values, and how far behind.
    Lagging(DateTime<Utc>, TimeDelta),
    /// Older than twice its rhythm.
    Late(TimeDelta),
    /// Older than three times its rhythm.
    Stale(TimeDelta),
    /// The store answers but does not hold it any more, since then.
    Missing(DateTime<Utc>),
    /// Is being filled again.
    Rebuilding(Rebuild),
    /// It is of the present, and the board is not.
    NotKept,
    /// The store answers, but not this question: since when, and the age of the last answer.
    Failed(DateTime<Utc>, Option<TimeDelta>),
}

impl Condition {
    /// True when the values must not pass for the present: dimmed, without a comparison.
    pub const fn is_outdated(&self) -> bool {
        matches!(
            self,
            Self::Loading(_)
                | Self::Unreachable
                | Self::Stale(_)
                | Self::Missing(_)
                | Self::Rebuilding(_)
                | Self::Failed(..)
                | Self::NotKept
        )
    }
}

/// State of a part that is asked for every `rhythm`.
pub fn part<T>(
    part: &Part<T>,
    rhythm: TimeDelta,
    link: &Link,
    started: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Condition {
    let Some(arrived) = part.arrived else {
        return match &link.down {
            Some(_) => Condition::Unreachable,
            None => Condition::Loading(link.asking.unwrap_or(started)),
        };
    };
    let age = now - arrived;
    if age > (rhythm * 3).max(STALE_AT_LEAST) {
        Condition::Stale(age)
    } else if age > rhythm * 2 {
        Condition::Late(age)
    } else {
        Condition::Live
    }
}

impl Snapshot {
    /// A part of the warehouse that fails alone, when it does.
    fn failed_alone<T>(&self, name: PartName, part: &Part<T>, now: DateTime<Utc>) -> Option<Condition> {
        let failed = self.failed.get(&name).filter(|_| self.warehouse.down.is_none())?;
        Some(Condition::Failed(
            failed.since,
            part.arrived.map(|arrived| now - arrived),
        ))
    }

    /// State of the live totals.
    pub fn live_condition(&self, now: DateTime<Utc>) -> Condition {
        if self.past {
            return Condition::NotKept;
        }
        if let Some(since) = self.missing_since {
            return Condition::Missing(since);
        }
        let simple = part(&self.live, self.rhythm.live, &self.redis, self.started, now);
        let Some(view) = self.live.get().filter(|_| !simple.is_outdated()) else {
            return simple;
        };
        if let Some(rebuild) = view.rebuild {
            return Condition::Rebuilding(rebuild);
        }
        match view.as_of {
            Some(as_of) if view.read_at - as_of > LAGGING => Condition::Lagging(as_of, view.read_at - as_of),
            _ => simple,
        }
    }

    /// State of the sales of a range; another range than the one asked for is still loading.
    pub fn sales_condition(&self, days: u32, now: DateTime<Utc>) -> Condition {
        if let Some(failed) = self.failed_alone(PartName::Sales, &self.sales, now) {
            return failed;
        }
        let simple = part(
            &self.sales,
            self.rhythm.warehouse,
            &self.warehouse,
            self.started,
            now,
        );
        if self.sales.value.is_some() && self.sales_days != days && self.warehouse.down.is_none() {
            return Condition::Loading(self.warehouse.asking.unwrap_or(now));
        }
        simple
    }

    /// State of what a tab shows of the marts; the answer to another question is still loading.
    pub fn board_condition(&self, topic: Topic, ask: Ask, now: DateTime<Utc>) -> Condition {
        let absent = Part::default();
        let board = self.boards.get(&topic);
        let known = board
            .filter(|board| board.ask == ask || !self.failed.contains_key(&PartName::Board(topic)))
            .map_or(&absent, |board| &board.part);
        if let Some(failed) = self.failed_alone(PartName::Board(topic), known, now) {
            return failed;
        }
        let simple = part(known, self.rhythm.warehouse, &self.warehouse, self.started, now);
        if board.is_some_and(|board| board.ask != ask) && self.warehouse.down.is_none() {
            return Condition::Loading(self.warehouse.asking.unwrap_or(now));
        }
        match known.get() {
            Some(view) if !simple.is_outdated() => match view.as_of {
                Some(as_of) if view.read_at - as_of > LAGGING_MARTS => {
                    Condition::Lagging(as_of, view.read_at - as_of)
                }
                _ => simple,
            },
            _ => simple,
        }
    }

    /// State of the health of the live flow.
    pub fn live_system_condition(&self, now: DateTime<Utc>) -> Condition {
        part(&self.live_system, self.rhythm.tab, &self.redis, self.started, now)
    }

    /// State of the health of the warehouse flow.
    pub fn warehouse_system_condition(&self, now: DateTime<Utc>) -> Condition {
        part(
            &self.warehouse_system,
            self.rhythm.tab * 3,
            &self.warehouse,
            self.started,
            now,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Down, Failure, Rhythm};
    use super::*;
    use instashop_core::config::Dashboard;
    use instashop_core::view::LiveView;
    use std::sync::Arc;

    fn snapshot() -> Snapshot {
        Snapshot::new(DateTime::UNIX_EPOCH, Rhythm::from_config(&Dashboard::default()))
    }

    fn at(millis: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::milliseconds(millis)
    }

    #[test]
    fn ages() {
        for (millis, expected) in [
            (0, "Live"),
            (2_000, "Live"),
            (2_001, "Late"),
            (5_000, "Late"),
            (5_001, "Stale"),
            (-60_000, "Live"),
        ] {
            let mut snapshot = snapshot();
            snapshot.live.set(LiveView::default(), at(60_000));
            let found = format!("{:?}", snapshot.live_condition(at(60_000 + millis)));
            assert!(found.starts_with(expected), "{millis} ms: {found}");
        }
    }

    #[test]
    fn order_of_states() {
        let view = |change: fn(&mut LiveView)| {
            let mut view = LiveView {
                read_at: at(60_000),
                as_of: Some(at(59_900)),
                ..LiveView::default()
            };
            change(&mut view);
            Some(Arc::new(view))
        };
        let mut snapshot = snapshot();
        assert_eq!(snapshot.live_condition(at(500)), Condition::Loading(at(0)));
        snapshot.redis.down = Some(Down {
            since: at(100),
            attempt: 1,
            retry_at: at(900),
            failure: Failure::default(),
        });
        assert_eq!(snapshot.live_condition(at(500)), Condition::Unreachable);
        snapshot.redis.down = None;
        snapshot.live.arrived = Some(at(60_000));
        snapshot.live.value = view(|view| view.as_of = Some(at(15_000)));
        assert_eq!(
            snapshot.live_condition(at(60_000)),
            Condition::Lagging(at(15_000), TimeDelta::seconds(45))
        );
        snapshot.live.value = view(|view| {
            view.rebuild = Some(Rebuild {
                since: at(0),
                percent: 62,
                remaining_s: Some(180),
            });
        });
        assert!(matches!(
            snapshot.live_condition(at(60_000)),
            Condition::Rebuilding(_)
        ));
        assert!(
            matches!(snapshot.live_condition(at(90_000)), Condition::Stale(_)),
            "old wins over rebuilding"
        );
        snapshot.missing_since = Some(at(61_000));
        assert_eq!(
            snapshot.live_condition(at(90_000)),
            Condition::Missing(at(61_000))
        );
    }
}
