//! Which day partitions of the event log are known to exist, and which a batch needs.

use std::collections::BTreeSet;

use chrono::{DateTime, Days, NaiveDate, TimeDelta, Utc};
use instashop_core::batch::Batch;
use instashop_core::change::{Op, Record, Value};

use super::session::Session;
use crate::StoreError;
use crate::postgres::failed;

/// Days back from now that get a partition of their own; older ones share the default partition, because every
/// partition costs planning time of every query.
const DAYS_BACK: u64 = 800;

/// Days ahead that get a partition of their own: clocks differ, and tomorrow's is made today.
const DAYS_AHEAD: u64 = 2;

/// After a lock that could not be had, rows go to the default partition for this long before it is tried again.
const PAUSE: TimeDelta = TimeDelta::seconds(60);

/// What this worker knows about partitions.
#[derive(Debug, Default)]
pub(super) struct Partitions {
    known: BTreeSet<NaiveDate>,
    paused_until: Option<DateTime<Utc>>,
}

/// Whether the partitions were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Made {
    /// All of them exist now.
    All,
    /// A lock was held too long, by a long query on the event log perhaps.
    Later,
}

impl Partitions {
    /// Days among these, and today and tomorrow, whose partition may be missing.
    pub(super) fn missing(
        &self,
        days: impl Iterator<Item = NaiveDate>,
        now: DateTime<Utc>,
    ) -> Vec<NaiveDate> {
        if self.paused_until.is_some_and(|until| now < until) {
            return Vec::new();
        }
        let today = now.date_naive();
        let first = today.checked_sub_days(Days::new(DAYS_BACK));
        let last = today.checked_add_days(Days::new(DAYS_AHEAD));
        let near =
            |day: &NaiveDate| first.is_none_or(|first| *day >= first) && last.is_none_or(|last| *day <= last);
        let always = [Some(today), today.succ_opt()].into_iter().flatten();
        let wanted: BTreeSet<NaiveDate> = days.filter(near).chain(always).collect();
        wanted.difference(&self.known).copied().collect()
    }

    /// Remembers the answer.
    pub(super) fn asked(&mut self, days: Vec<NaiveDate>, made: Made, now: DateTime<Utc>) {
        match made {
            Made::All => self.known.extend(days),
            Made::Later => self.paused_until = Some(now + PAUSE),
        }
    }
}

/// The days the events of a batch fall on, as far as the batch alone can tell.
pub(super) fn days(batch: &Batch) -> impl Iterator<Item = NaiveDate> {
    batch.records.iter().filter_map(|record| {
        let Ok(Record::Change(change)) = &record.content else {
            return None;
        };
        let business = change.after.as_ref().filter(|_| change.op != Op::Delete);
        let business = business.and_then(|row| match row.get(change.table, change.table.business_time()?) {
            Value::Timestamp(moment) => Some(*moment),
            _ => None,
        });
        match business {
            Some(moment) => moment.datetime().map(|at| at.date_naive()),
            None => Some(change.committed_at.date_naive()),
        }
    })
}

impl Session {
    /// Makes the partitions of these days. A lock that cannot be had in time is not a failure: rows of these days go
    /// to the default partition and move when the partition is made.
    pub(super) async fn ensure_partitions(&mut self, days: &[NaiveDate]) -> Result<Made, StoreError> {
        use tokio_postgres::error::SqlState;
        let what = "cannot make partitions of raw.realtime_events";
        let result = self
            .client
            .query("SELECT ops.ensure_partitions($1)", &[&days])
            .await;
        match result {
            Ok(_) => Ok(Made::All),
            Err(error)
                if error.code().is_some_and(|state| {
                    [SqlState::LOCK_NOT_AVAILABLE, SqlState::T_R_DEADLOCK_DETECTED].contains(state)
                }) =>
            {
                tracing::warn!(%error, "{what}; rows go to the default partition for now");
                Ok(Made::Later)
            }
            Err(error) => Err(failed(what, error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absurd_days_get_no_partition_and_known_ones_are_not_asked_for_again() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let now = "2026-03-10T12:00:00Z".parse().unwrap();
        let mut partitions = Partitions::default();
        let wanted = ["2026-03-09", "1970-01-01", "2999-01-01", "2026-03-10"].map(day);
        let missing = partitions.missing(wanted.into_iter(), now);
        assert_eq!(missing, ["2026-03-09", "2026-03-10", "2026-03-11"].map(day));
        partitions.asked(missing, Made::All, now);
        assert!(
            partitions
                .missing([day("2026-03-09")].into_iter(), now)
                .is_empty()
        );
        partitions.asked(vec![day("2026-03-08")], Made::Later, now);
        assert!(
            partitions
                .missing([day("2026-03-08")].into_iter(), now)
                .is_empty()
        );
        let later = now + PAUSE;
        assert_eq!(
            partitions.missing([day("2026-03-08")].into_iter(), later),
            [day("2026-03-08")]
        );
    }
}
