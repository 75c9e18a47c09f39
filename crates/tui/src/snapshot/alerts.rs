//! What the rules of alerts find in what is known, and since when.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use instashop_core::alerts::{Evaluation, Inputs, Severity, State, evaluate};
use instashop_core::view::{BoardView, Topic};

use super::Snapshot;

/// Entries of the log of alerts that are kept.
const LOG: usize = 500;

impl Snapshot {
    /// What the rules find now. Facts that are too old hold the rules of the business.
    pub fn alerts(&self, now: DateTime<Utc>) -> Evaluation {
        let board = self.boards.get(&Topic::Alerts).and_then(|board| board.part.get());
        let facts = board.and_then(|board| match &board.view {
            // What was read long ago stands for then, however fresh it was.
            BoardView::Alerts(facts) => Some((&**facts, board.as_of.map(|at| at.min(board.read_at)))),
            _ => None,
        });
        evaluate(
            &Inputs {
                facts,
                flows: [
                    self.live_system.get().map(|system| &system.flow),
                    self.warehouse_system.get().map(|system| &system.flow),
                ],
                seen: &self.alert_seen,
            },
            now,
        )
    }

    /// Alerts that fire, and whether one of them is critical; `None` while the rules of the business cannot be judged.
    pub fn firing(&self, now: DateTime<Utc>) -> Option<(usize, bool)> {
        use instashop_core::alerts::{Held, Rule};
        let evaluation = self.alerts(now);
        let blind = evaluation
            .held
            .iter()
            .any(|(rule, why)| *rule == Rule::OutOfStock && matches!(why, Held::NoData | Held::Stale));
        let firing = evaluation
            .findings
            .iter()
            .filter(|finding| finding.state == State::Firing);
        let critical = firing
            .clone()
            .any(|finding| finding.severity == Severity::Critical);
        (!blind).then(|| (firing.count(), critical))
    }

    /// Keeps since when each alert is there; one that is gone is forgotten.
    pub(super) fn remember_alerts(&mut self, at: DateTime<Utc>) {
        let found: Vec<String> = self
            .alerts(at)
            .findings
            .iter()
            .map(instashop_core::alerts::Finding::fingerprint)
            .collect();
        let gone: Vec<String> = self
            .alert_seen
            .keys()
            .filter(|known| !found.contains(known))
            .cloned()
            .collect();
        let mut seen: BTreeMap<String, DateTime<Utc>> = BTreeMap::new();
        for fingerprint in found {
            let since = self.alert_seen.get(&fingerprint).copied();
            if since.is_none() && !seen.contains_key(&fingerprint) {
                self.alert_log.push((at, fingerprint.clone(), false));
            }
            seen.insert(fingerprint, since.unwrap_or(at));
        }
        self.alert_log
            .extend(gone.into_iter().map(|fingerprint| (at, fingerprint, true)));
        let extra = self.alert_log.len().saturating_sub(LOG);
        self.alert_log.drain(..extra);
        self.alert_seen = seen;
    }
}
