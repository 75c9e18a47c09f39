//! The lines that say how the live phase goes.

use std::time::Duration;

use chrono::{DateTime, Utc};
use instashop_core::table::SourceDb;
use tokio::time::Instant;

use super::floor::Floor;
use crate::simulate::writer::Tally;

/// The line that says how it goes.
pub(super) struct Board {
    every: Duration,
    shown: Instant,
    events: u64,
    /// Troubles that were shown already.
    told: Vec<(SourceDb, String)>,
}

impl Board {
    pub(super) fn new(every: Duration) -> Self {
        Self {
            every,
            shown: Instant::now(),
            events: 0,
            told: Vec::new(),
        }
    }

    pub(super) fn show(&mut self, floor: &Floor, tally: &Tally, opened: Option<Instant>, now: DateTime<Utc>) {
        let since = self.shown.elapsed();
        if since < self.every {
            return;
        }
        self.shown = Instant::now();
        let clock = now.format("%H:%M:%SZ");
        // A trouble is told when it begins or changes, and when it is over; not with every line.
        let troubles = tally.troubles();
        for trouble in troubles.iter().filter(|trouble| !self.told.contains(trouble)) {
            say!("{clock}  {}: {}", trouble.0.name(), trouble.1);
        }
        for (source, _) in self
            .told
            .iter()
            .filter(|(source, _)| troubles.iter().all(|(now, _)| now != source))
        {
            say!("{clock}  {}: works again", source.name());
        }
        self.told = troubles;
        if opened.is_none() {
            let missing = floor.unseen();
            if missing.is_empty() {
                say!(
                    "{clock}  waiting for stores, active products with a price, and buyers to appear in the sources"
                );
            } else {
                say!("{clock}  waiting for {}", missing.join(", "));
            }
            return;
        }
        let (orders, behaviour) = (Tally::value(&tally.orders), Tally::value(&tally.behaviour));
        let rate = (orders + behaviour - self.events) as f64 / since.as_secs_f64();
        self.events = orders + behaviour;
        let (open, visits) = floor.under_way();
        say!(
            "{clock}  {} events ({orders} orders, {behaviour} behaviour)  {rate:.1}/s  changes {}  skipped {}  repeated {}  \
             behind {:.1} s{}{}  under way: {open} orders, {visits} visits",
            orders + behaviour,
            Tally::value(&tally.actions),
            Tally::value(&tally.skipped),
            Tally::value(&tally.repeated),
            floor.behind(tally),
            match floor.given_up() {
                0 => String::new(),
                given_up => format!(" (gave up {given_up})"),
            },
            if floor.waits() {
                " waiting for a source"
            } else {
                ""
            },
        );
    }
}

/// The last line: one that programs can read.
pub(super) fn summarise(floor: &Floor, tally: &Tally, opened: Option<Instant>) {
    let (orders, behaviour) = (Tally::value(&tally.orders), Tally::value(&tally.behaviour));
    let seconds = opened.map_or(0.0, |opened| opened.elapsed().as_secs_f64());
    say!(
        "done: events={} orders={orders} behaviour={behaviour} changes={} skipped={} repeated={} given_up={} \
         seconds={seconds:.1} rate={:.2}",
        orders + behaviour,
        Tally::value(&tally.actions),
        Tally::value(&tally.skipped),
        Tally::value(&tally.repeated),
        floor.given_up(),
        if seconds > 0.0 {
            (orders + behaviour) as f64 / seconds
        } else {
            0.0
        },
    );
}
