//! What a batch of changes does to the warehouse, as a pure function: the stored images of the keys in the batch and
//! the records in Kafka order give the final image per key, the rows of the event log and the transitions of history.
//!
//! * `event` names the rows of the event log.
//! * `history` finds the transitions.
//!
//! The database only executes the result (docs: reliability 4.2 rules 6 to 10, cdc pitfalls 2 to 7, 21 and 24).

mod event;
mod history;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};

pub use event::{Event, EventKind, event_type};
pub use history::{History, Transition};

use crate::batch::{Batch, BatchRecord, Tally};
use crate::change::{Change, Op, Record, Row, Value};
use crate::position::{Position, Verdict};
use crate::table::Table;

/// What the warehouse holds of one source row.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// Position of the last change applied; `lsn` 0 after a snapshot row and after a delete known by tombstone alone.
    pub position: Position,
    /// Commit time of that change.
    pub committed_at: DateTime<Utc>,
    /// True when the image came from a snapshot.
    pub snapshot: bool,
    /// True when the row was deleted; the last image stays (docs: reliability 4.2 rule 8).
    pub deleted: bool,
    /// The image. Holds no [`Value::Missing`].
    pub row: Row,
    /// Indices of columns whose value never came (pitfall 6): they are NULL here and something else at the source.
    pub missing: Vec<usize>,
}

/// Everything a batch writes, apart from its checkpoints.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Effects {
    /// Final image of every key that changed, per table, in the order of the keys.
    pub rows: BTreeMap<Table, Vec<(i64, Stored)>>,
    /// Rows for the event log, in the order of the batch.
    pub events: Vec<Event>,
    /// Transitions, in the order of the batch.
    pub transitions: Vec<Transition>,
    /// Indices into [`Batch::records`] of records that go to the dead letters.
    pub rejected: Vec<usize>,
    /// Per step of the batch: the row whose delete was the partition's last record, if a delete was.
    pub deletes: Vec<LastDelete>,
    /// Per step of the batch: newest commit time at the source that it contains, from changes and heartbeats.
    pub newest: Vec<Option<DateTime<Utc>>>,
    /// What became of the records.
    pub tally: Tally,
}

/// The row whose delete was the last record of a partition. Its tombstone comes next and is no news, even where the
/// delete itself was an old one published again.
pub type LastDelete = Option<(Table, i64)>;

/// The keys a batch may touch, per table, sorted and each once: what has to be loaded before [`fold`].
pub fn keys(batch: &Batch) -> BTreeMap<Table, Vec<i64>> {
    let mut keys: BTreeMap<Table, Vec<i64>> = BTreeMap::new();
    for record in &batch.records {
        match &record.content {
            Ok(Record::Change(change)) => keys.entry(change.table).or_default().push(change.key),
            Ok(Record::Tombstone {
                table: Some(table),
                key: Some(key),
            }) => keys.entry(*table).or_default().push(*key),
            _ => {}
        }
    }
    for list in keys.values_mut() {
        list.sort_unstable();
        list.dedup();
    }
    keys
}

/// Folds a batch over the stored images of its keys. `deletes` tells for each step whether the partition's record before
/// the batch was a delete; steps beyond its end count as none.
///
/// Per key, in the order of the batch:
///
/// * A change that is certainly older than the image is dropped ([`Position::judge`]).
/// * A value that did not come keeps what is stored; without a stored value it is NULL and the column is marked.
/// * A snapshot row that says what is stored adds no event; it still resets the position to `lsn` 0.
/// * A delete marks the row and keeps its image. A delete of a key never stored adds an event and nothing else.
/// * A tombstone right after a delete of its key is no news. Any other tombstone of a key that is not deleted counts as
///   its delete (pitfall 2). Its position is unknown, so the stored `lsn` becomes 0 and every later change applies.
pub fn fold(
    batch: &Batch,
    stored: impl IntoIterator<Item = ((Table, i64), Stored)>,
    deletes: &[LastDelete],
) -> Effects {
    let mut deletes = deletes.to_vec();
    deletes.resize(batch.steps.len(), None);
    let mut folding = Folding {
        current: stored.into_iter().collect(),
        changed: BTreeSet::new(),
        open: HashMap::new(),
        effects: Effects {
            newest: vec![None; batch.steps.len()],
            deletes,
            ..Effects::default()
        },
    };
    for (index, record) in batch.records.iter().enumerate() {
        folding.record(index, record);
    }
    let Folding {
        mut current,
        changed,
        mut effects,
        ..
    } = folding;
    for (table, key) in changed {
        if let Some(stored) = current.remove(&(table, key)) {
            effects.rows.entry(table).or_default().push((key, stored));
        }
    }
    effects
}

struct Folding {
    current: HashMap<(Table, i64), Stored>,
    changed: BTreeSet<(Table, i64)>,
    /// Index into `effects.transitions` of the transition of a key that nothing in this batch has ended yet.
    open: HashMap<(History, i64), usize>,
    effects: Effects,
}

impl Folding {
    fn record(&mut self, index: usize, record: &BatchRecord) {
        let delete = match &record.content {
            Ok(Record::Change(change)) if is_delete(change) => Some((change.table, change.key)),
            _ => None,
        };
        let last = self.effects.deletes.get_mut(record.step);
        let before = last.and_then(|last| std::mem::replace(last, delete));
        match &record.content {
            Err(_) => {
                self.effects.rejected.push(index);
                self.effects.tally.rejected += 1;
            }
            Ok(Record::Change(change)) => {
                if !change.repair {
                    self.saw(record.step, change.committed_at);
                }
                self.change(index, record, change);
            }
            Ok(Record::Tombstone {
                table: Some(table),
                key: Some(key),
            }) if before != Some((*table, *key)) => self.tombstone(index, record, *table, *key),
            Ok(Record::Heartbeat { at, .. }) => {
                self.saw(record.step, *at);
                self.effects.tally.not_a_row += 1;
            }
            Ok(Record::Tombstone { .. } | Record::NotARow(_)) => self.effects.tally.not_a_row += 1,
        }
    }

    fn saw(&mut self, step: usize, at: DateTime<Utc>) {
        if let Some(newest) = self.effects.newest.get_mut(step) {
            *newest = (*newest).max(Some(at));
        }
    }

    fn change(&mut self, index: usize, record: &BatchRecord, change: &Change) {
        let id = (change.table, change.key);
        let old = self.current.get(&id);
        if Position::judge(old.map(|stored| stored.position), change.position) == Verdict::Older {
            self.effects.tally.older += 1;
            return;
        }
        let (new, kind) = match (&change.after, change.op) {
            (None, _) | (_, Op::Delete) => match old {
                None => {
                    let row = change
                        .before
                        .clone()
                        .unwrap_or_else(|| empty_row(change.table, change.key));
                    let unknown = image(change, row, Vec::new(), true);
                    self.effects
                        .events
                        .push(Event::of(index, record, change, &unknown, EventKind::Deleted));
                    self.effects.tally.unchanged += 1;
                    return;
                }
                Some(old) => {
                    let new = image(change, old.row.clone(), old.missing.clone(), true);
                    (new, (!old.deleted).then_some(EventKind::Deleted))
                }
            },
            (Some(after), op) => {
                let (row, missing) = complete(after, old);
                let same = old.is_some_and(|old| !old.deleted && old.row == row && old.missing == missing);
                let kind = match (old, op) {
                    (None, _) => Some(EventKind::First),
                    (Some(_), Op::Read) if same => None,
                    (Some(_), Op::Read) => Some(EventKind::Snapshot),
                    (Some(_), _) => Some(EventKind::Updated),
                };
                (image(change, row, missing, false), kind)
            }
        };
        match kind {
            Some(kind) => {
                self.effects
                    .events
                    .push(Event::of(index, record, change, &new, kind));
                self.effects.tally.applied += 1;
            }
            None => self.effects.tally.unchanged += 1,
        }
        let moved = old.is_none_or(|old| old.position != new.position || old.snapshot != new.snapshot);
        if kind.is_some() || moved {
            self.store(id, new, change.lsn);
        }
    }

    fn tombstone(&mut self, index: usize, record: &BatchRecord, table: Table, key: i64) {
        let id = (table, key);
        let Some(old) = self.current.get(&id).filter(|old| !old.deleted) else {
            self.effects.tally.not_a_row += 1;
            return;
        };
        // The event's place in time and in the log is that of the image it ends, so that a replay names it the same.
        let event = Event::of_tombstone(index, record, table, key, old);
        let lsn = old.position.lsn;
        let new = Stored {
            position: Position::snapshot(old.position.generation),
            deleted: true,
            ..old.clone()
        };
        self.effects.events.push(event);
        self.effects.tally.applied += 1;
        self.store(id, new, lsn);
    }

    /// Replaces the image of a key and records the transition this makes.
    fn store(&mut self, id: (Table, i64), new: Stored, lsn: u64) {
        let old = self.current.get(&id);
        if let Some(transition) = history::transition(id.0, id.1, old, &new, lsn) {
            let chain = (transition.history, transition.key);
            if let Some(previous) = self
                .open
                .remove(&chain)
                .and_then(|index| self.effects.transitions.get_mut(index))
            {
                previous.until = Some(transition.at);
            }
            if transition.values.is_some() {
                self.open.insert(chain, self.effects.transitions.len());
            }
            self.effects.transitions.push(transition);
        }
        self.changed.insert(id);
        self.current.insert(id, new);
    }
}

fn is_delete(change: &Change) -> bool {
    change.op == Op::Delete || change.after.is_none()
}

/// The image a change leaves behind.
fn image(change: &Change, row: Row, missing: Vec<usize>, deleted: bool) -> Stored {
    Stored {
        position: change.position,
        committed_at: change.committed_at,
        snapshot: change.snapshot,
        deleted,
        row,
        missing,
    }
}

/// A row of which only the key is known.
fn empty_row(table: Table, key: i64) -> Row {
    let mut values = vec![Value::Null; table.columns().len()];
    if let Some(first) = values.first_mut() {
        *first = Value::Int(key);
    }
    Row {
        values,
        extra: BTreeMap::new(),
    }
}

/// Fills the values that did not come from the stored image; gives the columns that stay unknown.
fn complete(after: &Row, old: Option<&Stored>) -> (Row, Vec<usize>) {
    let mut missing = Vec::new();
    let values = after
        .values
        .iter()
        .enumerate()
        .map(|(index, value)| match value {
            Value::Missing => {
                let known = old.filter(|old| !old.missing.contains(&index));
                known
                    .and_then(|old| old.row.values.get(index))
                    .cloned()
                    .unwrap_or_else(|| {
                        missing.push(index);
                        Value::Null
                    })
            }
            value => value.clone(),
        })
        .collect();
    let row = Row {
        values,
        extra: after.extra.clone(),
    };
    (row, missing)
}

#[cfg(test)]
mod tests;
