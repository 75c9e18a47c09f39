//! The SQL files of the warehouse, compiled in. A test compares these lists with the folder.

/// A versioned file: applied once, in the order of its number, never edited afterwards.
#[derive(Debug)]
pub(super) struct Versioned {
    /// Number in the file name; numbers run across all folders.
    pub(super) version: i32,
    /// Path below `sql/warehouse`.
    pub(super) name: &'static str,
    /// Text.
    pub(super) text: &'static str,
}

/// A file of views or functions: applied again whenever its text changes.
#[derive(Debug)]
pub(super) struct Repeatable {
    /// Path below `sql/warehouse`.
    pub(super) name: &'static str,
    /// Text.
    pub(super) text: &'static str,
}

macro_rules! versioned {
    ($( $version:literal $name:literal ),* $(,)?) => {
        &[ $( Versioned { version: $version, name: $name, text: include_str!(concat!("../../../sql/warehouse/", $name)) } ),* ]
    };
}

macro_rules! repeatable {
    ($( $name:literal ),* $(,)?) => {
        &[ $( Repeatable { name: $name, text: include_str!(concat!("../../../sql/warehouse/", $name)) } ),* ]
    };
}

/// Versioned files in their order.
pub(super) const VERSIONED: &[Versioned] = versioned![
    1 "ops/V001__schemas.sql",
    2 "raw/V002__realtime_events.sql",
    3 "staging/V003__tables.sql",
    4 "history/V004__transitions.sql",
    5 "ref/V005__maps.sql",
    6 "ops/V006__progress_and_health.sql",
    7 "ops/V007__letters_to_replay.sql",
    8 "ops/V008__letters_are_replayed_from_kafka.sql",
    9 "ops/V009__topics_made_anew.sql",
    10 "ops/V010__dirty_keys.sql",
    11 "marts/V011__facts.sql",
    12 "marts/V012__marts.sql",
    13 "marts/V013__daily_run.sql",
    14 "marts/V014__currencies_commission_regions.sql",
    15 "raw/V015__event_log_indexes.sql",
    16 "marts/V016__demand_forecast.sql",
];

/// Repeatable files, each after those it reads from.
pub(super) const REPEATABLE: &[Repeatable] = repeatable![
    "ops/ensure_partitions.sql",
    "ops/drop_partitions.sql",
    "ops/dead_letter_summary.sql",
    "ops/analyze_facts.sql",
    "core/cents.sql",
    "core/median.sql",
    "core/clock.sql",
    "core/dimensions.sql",
    "core/places.sql",
    "core/orders.sql",
    "core/order_lines.sql",
    "core/sales_ledger.sql",
    "core/stock_outs.sql",
    "marts/facts.sql",
    "marts/sales.sql",
    "marts/products.sql",
    "marts/buyers.sql",
    "marts/visits.sql",
    "marts/current_events.sql",
    "marts/inventory.sql",
    "marts/logistics.sql",
    "marts/stores.sql",
    "marts/daily_run.sql",
    "semantic/dimensions.sql",
    "semantic/money.sql",
    "semantic/sales.sql",
    "semantic/buyers.sql",
    "semantic/crm.sql",
    "semantic/behaviour.sql",
    "semantic/inventory.sql",
    "semantic/platform.sql",
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::path::Path;

    #[test]
    fn the_lists_are_the_folder() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql/warehouse");
        let mut found = BTreeSet::new();
        for folder in std::fs::read_dir(&root)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.is_dir())
        {
            for file in std::fs::read_dir(&folder).unwrap() {
                let path = file.unwrap().path();
                found.insert(path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned());
            }
        }
        let versioned = VERSIONED.iter().map(|file| file.name.to_owned());
        let listed: BTreeSet<String> = versioned
            .chain(REPEATABLE.iter().map(|file| file.name.to_owned()))
            .collect();
        assert_eq!(listed, found);
        assert_eq!(listed.len(), VERSIONED.len() + REPEATABLE.len(), "no file twice");
    }

    #[test]
    fn places_are_compared_with_the_letters_of_core() {
        let text = REPEATABLE
            .iter()
            .find(|file| file.name == "core/places.sql")
            .unwrap()
            .text;
        for letters in [instashop_core::config::ACCENTED, instashop_core::config::PLAIN] {
            assert!(text.contains(&format!("'{letters}'")), "{letters}");
        }
    }

    #[test]
    fn numbers_run_from_one_and_stand_in_the_names() {
        for (file, expected) in VERSIONED.iter().zip(1..) {
            assert_eq!(file.version, expected);
            assert!(file.name.contains(&format!("/V{expected:03}__")), "{}", file.name);
        }
    }
}
