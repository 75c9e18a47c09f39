//! All totals with their checkpoints, read in one atomic step, and the checks of the inner structure.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate};
use instashop_core::contribution::{Bucket, Cell, Measure, ProductMeasure, Scope};
use instashop_core::live::{Figure, LiveDump, StateId, Stored, figures_of};
use instashop_core::order::{Holder, Kept, Order};
use redis::aio::MultiplexedConnection;

use super::answers::answers;
use super::fields::{self, Numbers};
use super::keys::{self, Keys, META, Shelf, meta};
use super::query::{LiveReader, generation};
use super::recover::{SEALED_FIELDS, sealed_days};
use super::scan::scan_on;
use crate::error::{Kind, StoreError};

/// Keys looked at in one step of a scan.
const SCAN: usize = 1000;
/// How often the reading is repeated when a day appears or the generation changes while it is read.
const ATTEMPTS: usize = 8;
/// Contradictions that are named; more are only counted.
const FAULTS_NAMED: usize = 20;

/// Keys that hold totals by day.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Days {
    sums: BTreeSet<NaiveDate>,
    products: BTreeSet<NaiveDate>,
    categories: BTreeSet<NaiveDate>,
    visitors: BTreeSet<NaiveDate>,
}

impl LiveReader {
    /// Totals and checkpoints of one moment, for `instashop verify`.
    ///
    /// Which days exist is found by scanning; the values are then read in one MULTI/EXEC. A second scan tells whether a
    /// key appeared in between; then everything is read again.
    pub async fn dump(&mut self) -> Result<LiveDump, StoreError> {
        let result = self.read_dump().await;
        self.after(result)
    }

    async fn read_dump(&mut self) -> Result<LiveDump, StoreError> {
        let mut connection = self.connected().await?;
        for _ in 0..ATTEMPTS {
            let Some(generation) = generation(&mut connection).await? else {
                return Ok(LiveDump::default());
            };
            let keys = Keys::new(&generation);
            let (days, _) = scan(&mut connection, &keys).await?;
            let Some(mut dump) = moment(&mut connection, &generation, &days).await? else {
                continue;
            };
            let (again, lines) = scan(&mut connection, &keys).await?;
            if again != days {
                continue;
            }
            for hash in lines {
                check_lines(&mut connection, &keys, &hash, &mut dump.faults).await?;
            }
            let more = dump.faults.len().saturating_sub(FAULTS_NAMED);
            if more > 0 {
                dump.faults.truncate(FAULTS_NAMED);
                dump.faults.push(format!("and {more} more"));
            }
            return Ok(dump);
        }
        Err(StoreError::new(
            Kind::Transient,
            "the live totals changed their days again and again while they were read",
        ))
    }
}

/// Finds the days that have totals, and the hashes of line entries.
async fn scan(
    connection: &mut MultiplexedConnection,
    keys: &Keys,
) -> Result<(Days, Vec<String>), StoreError> {
    let mut days = Days::default();
    let mut lines = BTreeSet::new();
    let mut cursor = 0_u64;
    loop {
        let (next, found) = scan_on(connection, cursor, &format!("{}*", keys.prefix()), SCAN).await?;
        for key in found {
            let Some(name) = key.strip_prefix(keys.prefix()) else {
                continue;
            };
            if name.starts_with("st:line:") {
                lines.insert(key);
                continue;
            }
            let Some((kind, day)) = name.split_once(':') else {
                continue;
            };
            let into = match kind {
                "sum" => &mut days.sums,
                "product" => &mut days.products,
                "category" => &mut days.categories,
                keys::VISITORS => &mut days.visitors,
                _ => continue,
            };
            into.extend(keys::parse_day(day));
        }
        if next == 0 {
            return Ok((days, lines.into_iter().collect()));
        }
        cursor = next;
    }
}

/// Reads all totals in one step; `None` when the generation is not the one given any more.
async fn moment(
    connection: &mut MultiplexedConnection,
    generation: &str,
    days: &Days,
) -> Result<Option<LiveDump>, StoreError> {
    let keys = Keys::new(generation);
    let mut pipeline = redis::pipe();
    pipeline.atomic();
    pipeline.cmd("HLEN").arg(keys.repricing());
    for key in [META.to_owned(), keys.daily(), keys.measures(), keys.misc()] {
        pipeline.cmd("HGETALL").arg(key);
    }
    for day in &days.sums {
        pipeline.cmd("HGETALL").arg(keys.sums(Scope::Platform, *day));
    }
    for day in &days.products {
        pipeline.cmd("HGETALL").arg(keys.products(*day));
    }
    for day in &days.categories {
        pipeline.cmd("HGETALL").arg(keys.category(*day));
    }
    for day in &days.visitors {
        pipeline.cmd("HLEN").arg(keys.visitors(Scope::Platform, *day));
    }
    let mut answers = answers(connection, &pipeline, "reading all live totals failed").await?;
    let repricing: usize = answers.take()?;
    let held: BTreeMap<String, String> = answers.take()?;
    if held.get(meta::GENERATION).map(String::as_str) != Some(generation) {
        return Ok(None);
    }
    let mut book = Book::default();
    let sealed = sealed_days(SEALED_FIELDS.map(|field| held.get(field).map(String::as_str)));
    book.boundary = sealed.map(|sealed| sealed.boundary);
    book.cells("daily", &answers.take()?);
    let measures: Numbers = answers.take()?;
    book.cells("misc", &answers.take()?);
    book.rows(&measures);
    for day in &days.sums {
        book.sums(*day, &answers.take()?);
    }
    for day in &days.products {
        book.cells(&format!("product:{}", keys::day(*day)), &answers.take()?);
    }
    for day in &days.categories {
        book.categories(*day, &answers.take()?);
    }
    book.compare_with_revenue();
    let mut visitors: BTreeMap<NaiveDate, (i64, i64)> = BTreeMap::new();
    for day in &days.visitors {
        let there = answers.take()?;
        if book.is_live(*day) {
            visitors.entry(*day).or_default().1 = there;
        }
    }
    for (field, counted) in &measures {
        if let Some((day, keys::VISITORS)) = field.split_once('|')
            && let Some(day) = keys::parse_day(day)
            && book.is_live(day)
        {
            visitors.entry(day).or_default().0 = *counted;
        }
    }
    for (day, (counted, there)) in visitors {
        if counted != there {
            book.faults.push(format!(
                "{day}: {counted} visitors are counted, {there} are there"
            ));
        }
    }
    let (figures, faults) = book.close();
    Ok(Some(LiveDump {
        generation: generation.to_owned(),
        created_at: held
            .get(meta::CREATED)
            .and_then(|text| text.parse().ok())
            .and_then(DateTime::from_timestamp_millis),
        sealed,
        checkpoints: held
            .iter()
            .filter_map(|(field, value)| {
                let partition = keys::parse_partition(field.strip_prefix(meta::AT)?)?;
                Some((partition, value.parse().ok()?))
            })
            .collect(),
        figures,
        repricing,
        faults,
    }))
}

/// The totals while they are gathered.
#[derive(Default)]
struct Book {
    /// First day that is live.
    boundary: Option<NaiveDate>,
    cells: BTreeMap<Cell, i64>,
    /// What stands beside the cells: categories, and distinct sessions and actors.
    figures: BTreeMap<Figure, i64>,
    /// Cents of the categories by day.
    categories: BTreeMap<NaiveDate, i64>,
    faults: Vec<String>,
}

impl Book {
    /// Takes over a hash by the name of its key.
    fn cells(&mut self, name: &str, hash: &Numbers) {
        let Some(shelf) = Shelf::of(name) else { return };
        let cells = hash.iter();
        self.cells
            .extend(cells.filter_map(|(field, value)| Some((shelf.cell(field)?, *value))));
    }

    fn is_live(&self, day: NaiveDate) -> bool {
        self.boundary.is_none_or(|boundary| day >= boundary)
    }

    /// Takes over the row counts of live days.
    fn rows(&mut self, measures: &Numbers) {
        let Some(shelf) = Shelf::of("measures") else {
            return;
        };
        for (field, value) in measures {
            if let Some(cell @ Cell::Rows { day: Some(day), .. }) = shelf.cell(field)
                && self.is_live(day)
            {
                self.cells.insert(cell, *value);
            }
        }
    }

    fn add(&mut self, day: NaiveDate, name: &'static str, dimension: &str, value: i64) {
        let figure = Figure {
            day: Some(day),
            name,
            dimension: dimension.to_owned(),
        };
        self.figures.insert(figure, value);
    }

    fn sums(&mut self, day: NaiveDate, sums: &Numbers) {
        self.cells(&format!("sum:{}", keys::day(day)), sums);
        for kind in fields::behaviour(sums) {
            self.add(day, "behaviour.sessions", &kind.event_type, kind.sessions);
            self.add(day, "behaviour.actors", &kind.event_type, kind.actors);
        }
    }

    fn categories(&mut self, day: NaiveDate, hash: &Numbers) {
        for (category, sums) in fields::categories(hash) {
            *self.categories.entry(day).or_default() += sums.revenue_cents;
            for (name, value) in [
                ("category.revenue_cents", sums.revenue_cents),
                ("category.units", sums.units),
                ("category.lines", sums.lines),
            ] {
                self.add(day, name, &category, value);
            }
        }
    }

    /// Categories and products must each add up to revenue, day by day; of sealed days only revenue may be there.
    fn compare_with_revenue(&mut self) {
        let mut faults = Vec::new();
        let (mut revenue, mut products) = (BTreeMap::new(), BTreeMap::new());
        for (cell, value) in &self.cells {
            let (sums, day): (&mut BTreeMap<NaiveDate, i64>, _) = match cell {
                Cell::Total {
                    bucket: Bucket::Day(day),
                    measure: Measure::Revenue,
                    ..
                } => (&mut revenue, day),
                Cell::Product {
                    day,
                    measure: ProductMeasure::Revenue,
                    ..
                } => (&mut products, day),
                _ => continue,
            };
            *sums.entry(*day).or_default() += value;
        }
        for (name, sums) in [("categories", &self.categories), ("products", &products)] {
            let days: BTreeSet<_> = revenue.keys().chain(sums.keys()).collect();
            for day in days.into_iter().filter(|day| self.is_live(**day)) {
                let of = |sums: &BTreeMap<NaiveDate, i64>| sums.get(day).copied().unwrap_or(0);
                let (sum, revenue) = (of(sums), of(&revenue));
                if sum != revenue {
                    faults.push(format!(
                        "{day}: the {name} add up to {sum} cents, revenue is {revenue}"
                    ));
                }
            }
        }
        self.faults.append(&mut faults);
    }

    /// All figures that are not zero, and the contradictions found.
    fn close(mut self) -> (BTreeMap<Figure, i64>, Vec<String>) {
        self.figures.extend(figures_of(&self.cells));
        let boundary = self.boundary;
        self.figures
            .retain(|figure, value| *value != 0 && figure.is_held(boundary));
        for (figure, value) in &self.figures {
            let is_count = !figure.name.ends_with("cents") && !figure.name.ends_with("units");
            if is_count && *value < 0 {
                self.faults.push(format!("{figure} is {value}"));
            }
        }
        (self.figures, self.faults)
    }
}

/// Every line entry must point to an order that holds the line. A hash of entries and the orders they name are read
/// in one step; entries that changed between finding and reading the orders are left to the next run.
async fn check_lines(
    connection: &mut MultiplexedConnection,
    keys: &Keys,
    hash: &str,
    faults: &mut Vec<String>,
) -> Result<(), StoreError> {
    let what = "reading line entries failed";
    let mut first = redis::pipe();
    first.cmd("HGETALL").arg(hash);
    let entries: BTreeMap<i64, String> = answers(connection, &first, what).await?.take()?;
    let orders: BTreeSet<i64> = entries
        .iter()
        .filter_map(|(line, text)| holder(*line, text, faults))
        .collect();
    let mut pipeline = redis::pipe();
    pipeline.atomic();
    pipeline.cmd("HGETALL").arg(hash);
    for order in &orders {
        let (key, field) = keys.state(StateId::Order(*order));
        pipeline.cmd("HGET").arg(key).arg(field);
    }
    let mut answers = answers(connection, &pipeline, what).await?;
    let again: BTreeMap<i64, String> = answers.take()?;
    let mut held: BTreeMap<i64, Order> = BTreeMap::new();
    for order in orders {
        let stored = Stored::new(answers.take()?);
        match stored.read::<Order>(StateId::Order(order)) {
            Ok(state) => {
                held.insert(order, state.unwrap_or_default());
            }
            Err(error) => faults.push(error.to_string()),
        }
    }
    for (line, text) in &again {
        if let Some(order) = holder(*line, text, &mut Vec::new())
            && let Some(state) = held.get(&order)
            && !state.lines.contains_key(line)
        {
            faults.push(format!(
                "the entry of line {line} points to order {order}, which does not hold it"
            ));
        }
    }
    Ok(())
}

/// The order a line's entry names.
fn holder(line: i64, text: &str, faults: &mut Vec<String>) -> Option<i64> {
    let stored = Stored::new(Some(text.to_owned()));
    match stored.read::<Kept<Holder>>(StateId::Line(line)) {
        Ok(kept) => kept?.row?.order,
        Err(error) => {
            faults.push(error.to_string());
            None
        }
    }
}
