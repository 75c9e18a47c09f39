//! Turns the result of the pure step into the arguments of the commit script, and its answer back.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Days, Duration, NaiveDate, Utc};
use instashop_core::batch::Batch;
use instashop_core::checkpoint::{Answer, Partition, Step};
use instashop_core::contribution::{Calendar, ProductKey, ProductMeasure, Scope};
use instashop_core::live::{Window, Writes};
use redis::aio::MultiplexedConnection;
use redis::{Cmd, Value};

use super::keys::{self, Keys, META, Place};
use super::scripts::{Name, Scripts};
use crate::error::{Kind, StoreError};

/// Added to the end of a bucket's life before Redis removes it, so that a worker stops correcting it first.
const EXPIRY_MARGIN: Duration = Duration::hours(1);

/// The generation a batch was computed for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Generation {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) keys: Keys,
    /// First business day that is live, as far as this worker knows; every write compares it.
    pub(super) boundary: Option<NaiveDate>,
}

impl Generation {
    /// What a batch is computed for.
    pub(super) const fn window(&self, now: DateTime<Utc>) -> Window {
        Window {
            now,
            boundary: self.boundary,
        }
    }

    /// The boundary as `live:meta` holds it; empty for none.
    pub(super) fn boundary_text(&self) -> String {
        self.boundary.map(keys::day).unwrap_or_default()
    }
}

/// Adds generation and partitions: all of an idle check, and the head of a batch.
pub(super) fn head(command: &mut Cmd, generation: &Generation, steps: &[Step]) {
    command
        .arg(1)
        .arg(META)
        .arg(&generation.name)
        .arg(&generation.version)
        .arg(generation.keys.prefix())
        .arg(generation.boundary_text())
        .arg(steps.len());
    for step in steps {
        command
            .arg(keys::partition(&step.partition))
            .arg(step.epoch)
            .arg(step.base)
            .arg(step.next);
    }
}

/// Writes without moving a checkpoint, for work in the background; false when a state, the boundary or the generation is not
/// what it was, and the same has to be computed again.
pub(super) async fn write_alone(
    connection: &mut MultiplexedConnection,
    scripts: &Scripts,
    generation: &Generation,
    writes: &Writes,
    calendar: Calendar,
    now: DateTime<Utc>,
    what: &str,
) -> Result<bool, StoreError> {
    let batch = Batch::default();
    let mut command = scripts.command(Name::Commit);
    head(&mut command, generation, &batch.steps);
    body(&mut command, &generation.keys, writes, calendar, now);
    let answer = scripts.call(connection, &command, what).await?;
    match verdict(&texts(answer), &batch)? {
        Verdict::Done => Ok(true),
        Verdict::Conflict | Verdict::Boundary(_) => Ok(false),
        Verdict::Refused(_) => Err(StoreError::new(
            Kind::Transient,
            format!("{what}: another live generation began meanwhile"),
        )),
    }
}

/// Adds everything a batch writes. The sections and their order are those of `commit.lua`.
pub(super) fn body(command: &mut Cmd, keys: &Keys, writes: &Writes, calendar: Calendar, now: DateTime<Utc>) {
    let oldest = calendar.oldest_recent(now);
    let as_of = writes
        .as_of
        .map(|at| at.timestamp_millis())
        .filter(|millis| *millis > 0);
    command
        .arg(as_of.map_or_else(String::new, |millis| millis.to_string()))
        .arg(keys::day(oldest))
        .arg(writes.late);
    states(command, keys, writes);
    let sections = Sections::of(keys, writes, calendar);
    sections.sums(command);
    sections.members(command);
    sections.amounts(command, keys, calendar);
    sections.recent(command, calendar, now);
    command.arg(writes.categories.len());
    for (product, category) in &writes.categories {
        command.arg(*product).arg(category);
    }
    sections.products(command);
    sections.buyers(command);
    sections.moments(command, now);
    let tape: Vec<_> = writes
        .tape
        .iter()
        .rev()
        .take(TAPE)
        .rev()
        .filter_map(|entry| serde_json::to_string(entry).ok())
        .collect();
    command.arg(tape.len());
    for entry in tape {
        command.arg(entry);
    }
}

/// Entries the tape holds; the script cuts it to the same length.
pub(super) const TAPE: usize = 50;

fn states(command: &mut Cmd, keys: &Keys, writes: &Writes) {
    let mut groups: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for write in &writes.states {
        let (key, field) = keys.state(write.id);
        groups
            .entry(key)
            .or_default()
            .push((field, &write.expected, write.new.text()));
    }
    command.arg(groups.len());
    for (key, fields) in groups {
        command.arg(key).arg(fields.len());
        for (field, expected, new) in fields {
            command.arg(field).arg(expected).arg(new);
        }
    }
}

/// A hash with the sums to be changed in it.
#[derive(Default)]
struct Sums {
    expires: Option<DateTime<Utc>>,
    fields: Vec<(String, i64, bool)>,
}

/// A product's changes on a day: cents, units, lines.
type ProductSums = [i64; 3];

/// A member behind a distinct count: field, references, field of the count.
type Member = (String, i64, String);

/// The deltas by where they go.
#[derive(Default)]
struct Sections {
    sums: BTreeMap<String, Sums>,
    /// By hash of the members and hash of the count.
    members: BTreeMap<(String, String), Vec<Member>>,
    amounts: BTreeMap<(NaiveDate, Scope), Vec<(i64, i64)>>,
    products: BTreeMap<(NaiveDate, Scope), BTreeMap<ProductKey, ProductSums>>,
    buyers: BTreeMap<NaiveDate, Vec<(ProductKey, i64, i64)>>,
    /// Members of sorted sets, those to be removed first: one that only moves is removed and added.
    moments: BTreeMap<String, BTreeMap<(bool, String), i64>>,
}

impl Sections {
    fn of(keys: &Keys, writes: &Writes, calendar: Calendar) -> Self {
        let mut sections = Self::default();
        for (cell, delta) in &writes.deltas {
            match keys.place(cell, calendar) {
                Place::Sum { key, field, expires } => {
                    let sums = sections.sums.entry(key).or_default();
                    sums.expires = expires;
                    sums.fields.push((field, *delta, cell.is_count()));
                }
                Place::Member {
                    key,
                    member,
                    counter,
                    field,
                } => sections
                    .members
                    .entry((key, counter))
                    .or_default()
                    .push((member, *delta, field)),
                Place::Amount { scope, day, cents } => {
                    let amounts = sections.amounts.entry((day, scope)).or_default();
                    amounts.push((cents, *delta));
                }
                Place::Moment { key, at, member } => {
                    let members = sections.moments.entry(key).or_default();
                    members.insert((*delta > 0, member), at);
                }
                Place::Product {
                    scope,
                    day,
                    product,
                    measure,
                } => {
                    let sums = sections
                        .products
                        .entry((day, scope))
                        .or_default()
                        .entry(product)
                        .or_default();
                    let index = match measure {
                        ProductMeasure::Revenue => 0,
                        ProductMeasure::Units => 1,
                        ProductMeasure::Lines => 2,
                    };
                    sums[index] += delta;
                }
                Place::ProductBuyer { day, product, buyer } => {
                    sections
                        .buyers
                        .entry(day)
                        .or_default()
                        .push((product, buyer, *delta));
                }
            }
        }
        sections
    }

    fn sums(&self, command: &mut Cmd) {
        command.arg(self.sums.len());
        for (key, sums) in &self.sums {
            command
                .arg(key)
                .arg(sums.expires.map_or_else(String::new, expiry))
                .arg(sums.fields.len());
            for (field, delta, is_count) in &sums.fields {
                command
                    .arg(field)
                    .arg(*delta)
                    .arg(if *is_count { "1" } else { "" });
            }
        }
    }

    fn members(&self, command: &mut Cmd) {
        command.arg(self.members.len());
        for ((key, counter), members) in &self.members {
            command.arg(key).arg(counter).arg(members.len());
            for (member, delta, field) in members {
                command.arg(member).arg(*delta).arg(field);
            }
        }
    }

    fn amounts(&self, command: &mut Cmd, keys: &Keys, calendar: Calendar) {
        command.arg(self.amounts.len());
        for ((day, scope), amounts) in &self.amounts {
            command
                .arg(keys.amounts(*scope, *day))
                .arg(keys.extremes(*scope, *day))
                .arg(expiry(calendar.end_of_recent(*day)))
                .arg(amounts.len());
            for (cents, delta) in amounts {
                command.arg(*cents).arg(*delta);
            }
        }
    }

    /// Days whose recent keys the script may touch: those of this batch, and those a category change may move.
    fn recent(&self, command: &mut Cmd, calendar: Calendar, now: DateTime<Utc>) {
        let today = calendar.day(now);
        let oldest = calendar.oldest_recent(now);
        let mut days: BTreeSet<NaiveDate> = self.buyers.keys().copied().collect();
        days.extend(
            self.products
                .keys()
                .map(|(day, _)| *day)
                .filter(|day| *day >= oldest),
        );
        days.extend(
            [Some(today), today.checked_sub_days(Days::new(1))]
                .into_iter()
                .flatten(),
        );
        command.arg(days.len());
        for day in days {
            command
                .arg(keys::day(day))
                .arg(expiry(calendar.end_of_recent(day)));
        }
    }

    fn products(&self, command: &mut Cmd) {
        command.arg(self.products.len());
        for ((day, scope), products) in &self.products {
            command
                .arg(format!("{}{}", keys::day(*day), keys::of_store(*scope)))
                .arg(products.len());
            for (product, [cents, units, lines]) in products {
                command
                    .arg(keys::product(*product))
                    .arg(*cents)
                    .arg(*units)
                    .arg(*lines);
            }
        }
    }

    /// What lies before the oldest moment that can still be asked for is removed with every write.
    fn moments(&self, command: &mut Cmd, now: DateTime<Utc>) {
        let oldest = now - Duration::days(1) - EXPIRY_MARGIN;
        command.arg(oldest.timestamp_micros()).arg(self.moments.len());
        for (key, members) in &self.moments {
            command.arg(key).arg(members.len());
            for ((is_there, member), at) in members {
                command
                    .arg(member)
                    .arg(if *is_there { at.to_string() } else { String::new() });
            }
        }
    }

    fn buyers(&self, command: &mut Cmd) {
        command.arg(self.buyers.len());
        for (day, members) in &self.buyers {
            command.arg(keys::day(*day)).arg(members.len());
            for (product, buyer, delta) in members {
                command.arg(keys::product(*product)).arg(*buyer).arg(*delta);
            }
        }
    }
}

fn expiry(end: DateTime<Utc>) -> String {
    (end + EXPIRY_MARGIN).timestamp().to_string()
}

/// What the script said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    Done,
    Refused(Vec<(Partition, Answer)>),
    Conflict,
    /// The boundary is another than the batch was computed for.
    Boundary(Option<NaiveDate>),
}

/// Reads the script's answer.
pub(super) fn verdict(answer: &[String], batch: &Batch) -> Result<Verdict, StoreError> {
    let strange = || {
        StoreError::new(
            Kind::Broken,
            format!("the commit script gave the answer {answer:?}, which means nothing"),
        )
    };
    match answer.first().map(String::as_str) {
        Some("OK") => Ok(Verdict::Done),
        Some("CONFLICT") => Ok(Verdict::Conflict),
        Some("BOUNDARY") => Ok(Verdict::Boundary(
            answer.get(1).and_then(|day| keys::parse_day(day)),
        )),
        Some("REFUSED") => {
            let mut refused = Vec::new();
            for part in answer[1..].chunks(3) {
                let [name, said, value] = part else {
                    return Err(strange());
                };
                let step = batch
                    .steps
                    .iter()
                    .find(|step| keys::partition(&step.partition) == *name)
                    .ok_or_else(strange)?;
                let at = || value.parse::<i64>().map_err(|_| strange());
                let answer = match said.as_str() {
                    "EMPTY" => Answer::Empty,
                    "FENCED" => Answer::Fenced(value.parse().map_err(|_| strange())?),
                    "BEHIND" => Answer::Behind(at()?),
                    "DUPLICATE" => Answer::Duplicate(at()?),
                    "OVERLAP" => Answer::Overlap(at()?),
                    _ => return Err(strange()),
                };
                refused.push((step.partition.clone(), answer));
            }
            Ok(Verdict::Refused(refused))
        }
        _ => Err(strange()),
    }
}

/// Text of an element of a script's answer.
pub(super) fn texts(answer: Value) -> Vec<String> {
    let Value::Array(items) = answer else {
        return Vec::new();
    };
    items
        .into_iter()
        .map(|item| match item {
            Value::BulkString(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Value::SimpleString(text) => text,
            Value::Int(number) => number.to_string(),
            other => format!("{other:?}"),
        })
        .collect()
}
