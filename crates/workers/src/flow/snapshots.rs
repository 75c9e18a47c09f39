//! When a source was read anew, so that rows which vanished from it meanwhile can be swept.
//!
//! Of the workers the one that holds the source's sentinel partition, partition 0 of its busiest table, looks out for
//! snapshot rows: every full snapshot passes there. When none has come for a while the snapshot is over.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use instashop_core::checkpoint::Partition;
use instashop_core::table::{SourceDb, Table};

/// Time without a snapshot row after which a snapshot counts as over.
const QUIET: TimeDelta = TimeDelta::seconds(10);

/// The source whose sentinel a partition is.
pub(super) fn sentinel_of(partition: &Partition) -> Option<SourceDb> {
    if partition.number != 0 {
        return None;
    }
    match Table::from_name(&partition.topic)? {
        Table::Transaction => Some(SourceDb::Instashop),
        Table::Interaction => Some(SourceDb::CrmDb),
        Table::Stock => Some(SourceDb::ErpDb),
        Table::Shipment => Some(SourceDb::EcommerceDb),
        _ => None,
    }
}

/// Snapshots that were followed by a sweep, by the moment of their last row.
#[derive(Debug, Default)]
pub(super) struct Snapshots {
    swept: BTreeMap<SourceDb, DateTime<Utc>>,
}

impl Snapshots {
    /// Sources whose snapshot is over and not swept yet; they count as swept from here on. `last` holds the moment at
    /// which the last snapshot row of each was applied.
    pub(super) fn over(
        &mut self,
        last: &BTreeMap<SourceDb, DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Vec<SourceDb> {
        let over: Vec<(SourceDb, DateTime<Utc>)> = last
            .iter()
            .filter(|(source, at)| now - **at >= QUIET && self.swept.get(source) != Some(at))
            .map(|(source, at)| (*source, *at))
            .collect();
        self.swept.extend(over.iter().copied());
        over.into_iter().map(|(source, _)| source).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_is_over_once_when_it_was_quiet_for_a_while() {
        let at = |second| DateTime::from_timestamp(second, 0).unwrap();
        let mut snapshots = Snapshots::default();
        let mut last = BTreeMap::from([(SourceDb::ErpDb, at(100))]);
        let mut over = |last: &BTreeMap<_, _>, second| snapshots.over(last, at(second));
        assert_eq!(over(&last, 105), []);
        assert_eq!(over(&last, 110), [SourceDb::ErpDb]);
        assert_eq!(over(&last, 200), []);
        last.insert(SourceDb::ErpDb, at(300));
        assert_eq!(over(&last, 305), []);
        assert_eq!(over(&last, 310), [SourceDb::ErpDb]);
    }

    #[test]
    fn every_source_has_a_sentinel() {
        let sentinels = Table::ALL.iter().filter_map(|table| {
            sentinel_of(&Partition {
                topic: table.name().into(),
                number: 0,
            })
        });
        assert_eq!(sentinels.count(), SourceDb::ALL.len());
    }
}
