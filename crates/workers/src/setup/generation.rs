//! The source generation: raised when the log of a source can no longer be compared with what came before it
//! (docs: cdc section 2, architecture 6a).

use std::collections::BTreeMap;

use chrono::Utc;
use instashop_core::config::Config;
use instashop_core::table::SourceDb;
use instashop_store::StoreError;
use instashop_store::source::Inspection;
use instashop_store::warehouse::{KnownSource, Owner};

use super::Part;
use super::journal::Journal;

/// Generation of each source, as its connector must stamp it. Sources that were not looked at are missing.
pub(super) type Generations = BTreeMap<SourceDb, u32>;

/// Compares the sources with what the warehouse remembers of them, and remembers them anew if allowed.
pub(super) async fn run(
    owner: &Owner,
    found: &BTreeMap<SourceDb, Inspection>,
    config: &Config,
    journal: &Journal,
) -> Result<Generations, StoreError> {
    let remembered = owner.sources().await?;
    let mut generations = Generations::new();
    for (source, inspection) in found {
        let known = remembered.iter().find(|known| known.source == *source);
        let (generation, why) = decide(
            known,
            inspection.system_identifier,
            inspection.log_position,
            config.sources.get(*source).generation,
        );
        if let Some(why) = why {
            let what = format!("{why}: generation {generation}, with a new snapshot");
            journal.changed(Part::Sources, source.name(), what);
        }
        generations.insert(*source, generation);
        if journal.may_change() {
            let known = KnownSource {
                source: *source,
                generation,
                system_identifier: inspection.system_identifier,
                log_position: inspection.log_position,
            };
            owner.remember_source(&known, Utc::now()).await?;
        }
    }
    Ok(generations)
}

/// Puts the generations into the configuration, from which the connector files are filled.
pub(super) fn stamp(config: &mut Config, generations: &Generations) {
    let sources = &mut config.sources;
    for (source, settings) in [
        (SourceDb::Instashop, &mut sources.instashop),
        (SourceDb::CrmDb, &mut sources.crm_db),
        (SourceDb::ErpDb, &mut sources.erp_db),
        (SourceDb::EcommerceDb, &mut sources.ecommerce_db),
    ] {
        if let Some(generation) = generations.get(&source) {
            settings.generation = *generation;
        }
    }
}

/// The generation, and why it is a new one.
fn decide(
    known: Option<&KnownSource>,
    system: i64,
    position: u64,
    configured: u32,
) -> (u32, Option<&'static str>) {
    let Some(known) = known else {
        return (configured, None);
    };
    let next = known.generation.saturating_add(1).max(configured);
    if known.system_identifier != system {
        return (next, Some("another server than before"));
    }
    if position < known.log_position {
        return (next, Some("its log went back, so it was restored"));
    }
    if configured > known.generation {
        return (configured, Some("the configuration asks for it"));
    }
    (known.generation, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generation_rises_when_positions_cannot_be_compared_and_never_falls() {
        let known = KnownSource {
            source: SourceDb::CrmDb,
            generation: 2,
            system_identifier: 7,
            log_position: 100,
        };
        let decide = |system, position, configured| decide(Some(&known), system, position, configured);
        let cases = [
            ("as before", decide(7, 100, 0), 2, false),
            ("the log went on", decide(7, 500, 2), 2, false),
            ("another server", decide(8, 500, 0), 3, true),
            ("the log went back", decide(7, 99, 0), 3, true),
            ("asked for", decide(7, 500, 5), 5, true),
            ("another server, and more was asked for", decide(8, 1, 9), 9, true),
        ];
        for (name, (generation, why), expected, raised) in cases {
            assert_eq!((generation, why.is_some()), (expected, raised), "{name}");
        }
        assert_eq!(
            super::decide(None, 1, 1, 4),
            (4, None),
            "a source seen for the first time"
        );
    }
}
