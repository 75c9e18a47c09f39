//! When a failed connector is started again: with back-off, and not for ever.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

/// Wait before the first restart; it doubles with each.
const FIRST: TimeDelta = TimeDelta::seconds(5);
/// Longest wait between two restarts.
const LONGEST: TimeDelta = TimeDelta::minutes(5);
/// Restarts without a lasting success before giving up.
const LIMIT: u32 = 20;
/// A connector that ran this long is well again.
const WELL: TimeDelta = TimeDelta::minutes(5);

/// What to do about a connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Nothing.
    Leave,
    /// Start its failed tasks again; the number counts the tries.
    Restart(u32),
    /// It failed too often: said once, then it is the operator's.
    GiveUp,
}

#[derive(Debug, Clone, Copy)]
struct Patient {
    restarts: u32,
    next: DateTime<Utc>,
    running_since: Option<DateTime<Utc>>,
}

/// The memory of restarts by connector.
#[derive(Debug, Default)]
pub(super) struct Restarts {
    patients: BTreeMap<String, Patient>,
}

impl Restarts {
    /// Looks at a connector that is `failed` or not.
    pub(super) fn look(&mut self, connector: &str, failed: bool, now: DateTime<Utc>) -> Verdict {
        if !failed {
            if let Some(patient) = self.patients.get_mut(connector)
                && now - *patient.running_since.get_or_insert(now) >= WELL
            {
                self.patients.remove(connector);
            }
            return Verdict::Leave;
        }
        let patient = self.patients.entry(connector.to_owned()).or_insert(Patient {
            restarts: 0,
            next: now + FIRST,
            running_since: None,
        });
        patient.running_since = None;
        if now < patient.next || patient.restarts > LIMIT {
            return Verdict::Leave;
        }
        patient.restarts += 1;
        if patient.restarts > LIMIT {
            return Verdict::GiveUp;
        }
        let wait = FIRST * 2_i32.saturating_pow(patient.restarts.min(10));
        patient.next = now + wait.min(LONGEST);
        Verdict::Restart(patient.restarts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }

    #[test]
    fn restarts_back_off_and_end() {
        let mut restarts = Restarts::default();
        let mut tries = Vec::new();
        let mut gave_up = 0;
        for second in 0..20_000 {
            match restarts.look("crm", true, at(second)) {
                Verdict::Leave => {}
                Verdict::Restart(number) => tries.push((number, second)),
                Verdict::GiveUp => gave_up += 1,
            }
        }
        assert_eq!(&tries[..4], &[(1, 5), (2, 15), (3, 35), (4, 75)]);
        assert_eq!(tries.len(), 20);
        assert_eq!(tries[19].1 - tries[18].1, 300);
        assert_eq!(gave_up, 1);
    }

    #[test]
    fn only_a_lasting_success_wipes_the_slate() {
        let mut restarts = Restarts::default();
        restarts.look("crm", true, at(0));
        assert_eq!(restarts.look("crm", true, at(5)), Verdict::Restart(1));
        assert_eq!(restarts.look("crm", false, at(10)), Verdict::Leave);
        assert_eq!(restarts.look("crm", true, at(20)), Verdict::Restart(2));
        restarts.look("crm", false, at(30));
        restarts.look("crm", false, at(330));
        assert_eq!(restarts.look("crm", true, at(331)), Verdict::Leave, "as new");
        assert_eq!(restarts.look("crm", true, at(336)), Verdict::Restart(1));
    }
}
