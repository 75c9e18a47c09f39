//! Every total of the live store, of the platform and of each store, for `instashop verify --kpis`.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use instashop_core::contribution::{Cell, Doing, Scope};
use instashop_core::live::{Known, Listing, LiveTotals, Merchant, StateId, Stored};
use instashop_core::order::Kept;
use redis::aio::MultiplexedConnection;
use serde::de::DeserializeOwned;

use super::answers::answers;
use super::fields::{self, Numbers};
use super::keys::{self, Keys, META, Shelf};
use super::link::failure;
use super::query::{LiveReader, generation};
use super::scan::scan_on;
use crate::error::{Kind, StoreError};

/// Keys looked at in one step of a scan, and read in one round trip.
const SCAN: usize = 1000;
/// How often everything is read again because the live flow wrote in between.
const ATTEMPTS: usize = 8;

impl LiveReader {
    /// Reads every total. The reading takes many steps, so it is made again when the live flow wrote in between: the caller
    /// compares a shop at rest.
    pub async fn totals(&mut self) -> Result<LiveTotals, StoreError> {
        let result = self.read_totals().await;
        self.after(result)
    }

    async fn read_totals(&mut self) -> Result<LiveTotals, StoreError> {
        let mut connection = self.connected().await?;
        for _ in 0..ATTEMPTS {
            let before = meta(&mut connection).await?;
            let boundary = before
                .get(keys::meta::BOUNDARY)
                .and_then(|day| keys::parse_day(day));
            let Some(generation) = generation(&mut connection).await? else {
                return Ok(LiveTotals::default());
            };
            let mut totals = read(&mut connection, &Keys::new(&generation)).await?;
            if let Some(boundary) = boundary {
                let is_live = |day: NaiveDate| day >= boundary;
                totals.categories.retain(|(_, day, _), _| is_live(*day));
                // All changes of the number of active buyers up to a day make its number.
                totals
                    .cells
                    .retain(|cell, _| matches!(cell, Cell::Active { .. }) || cell.day().is_none_or(is_live));
                totals.boundary = Some(boundary);
            }
            if meta(&mut connection).await? == before {
                return Ok(totals);
            }
        }
        Err(StoreError::new(
            Kind::Transient,
            "the live totals changed again and again while they were read",
        )
        .hint("compare when the shop is at rest"))
    }
}

/// Generation and checkpoints: what changes with every batch that has records.
async fn meta(connection: &mut MultiplexedConnection) -> Result<BTreeMap<String, String>, StoreError> {
    let mut held: BTreeMap<String, String> = redis::cmd("HGETALL")
        .arg(META)
        .query_async(connection)
        .await
        .map_err(|error| failure("reading the checkpoints of the live flow failed", error))?;
    // Idle checks and heartbeats change no total.
    held.retain(|field, _| {
        [keys::meta::GENERATION, keys::meta::BOUNDARY].contains(&field.as_str())
            || field.starts_with(keys::meta::AT)
    });
    held.retain(|field, _| !field.contains("heartbeat"));
    Ok(held)
}

async fn read(connection: &mut MultiplexedConnection, keys: &Keys) -> Result<LiveTotals, StoreError> {
    let mut totals = LiveTotals::default();
    let mut cursor = 0_u64;
    let [listings, segments, stores] =
        ["product", "segment", "store"].map(|kind| format!("{}st:{kind}:", keys.prefix()));
    loop {
        let (next, found) = scan_on(connection, cursor, &format!("{}*", keys.prefix()), SCAN).await?;
        let name = |key: &str| key.strip_prefix(keys.prefix()).unwrap_or_default().to_owned();
        let is_wanted = |key: &String| {
            let name = name(key);
            key.starts_with(&listings)
                || key.starts_with(&segments)
                || key.starts_with(&stores)
                || name.starts_with("category:")
                || Shelf::of(&name).is_some()
        };
        let found: Vec<String> = found.into_iter().filter(is_wanted).collect();
        let mut pipeline = redis::pipe();
        for key in &found {
            pipeline.cmd("HGETALL").arg(key);
        }
        let mut answers = answers(connection, &pipeline, "reading live totals failed").await?;
        for key in &found {
            if key.starts_with(&listings) {
                for (id, text) in answers.take::<BTreeMap<i64, String>>()? {
                    let state: Option<Listing> = state(StateId::Product(id), text)?;
                    totals.listings.extend(state.map(|state| (id, state)));
                }
                continue;
            }
            if key.starts_with(&segments) {
                for (id, text) in answers.take::<BTreeMap<i64, String>>()? {
                    let state: Option<Kept<Known>> = state(StateId::Segment(id), text)?;
                    let exists = state.is_some_and(|kept| kept.row.is_some());
                    totals.segments.extend(exists.then_some(id));
                }
                continue;
            }
            if key.starts_with(&stores) {
                for (id, text) in answers.take::<BTreeMap<i64, String>>()? {
                    let state: Option<Kept<Merchant>> = state(StateId::Store(id), text)?;
                    let tier = state.and_then(|kept| kept.row).map(|store| store.tier);
                    totals.tiers.extend(tier.map(|tier| (id, tier)));
                }
                continue;
            }
            let hash: Numbers = answers.take()?;
            let name = name(key);
            if let Some(place) = name.strip_prefix("category:") {
                category(place, &hash, &mut totals);
            } else if let Some(shelf) = Shelf::of(&name) {
                let cells = hash
                    .iter()
                    .filter_map(|(field, value)| Some((shelf.cell(field)?, *value)));
                totals.cells.extend(cells);
            }
        }
        if next == 0 {
            break;
        }
        cursor = next;
    }
    let mut pipeline = redis::pipe();
    let all = |key: String, pipeline: &mut redis::Pipeline| {
        pipeline.cmd("ZRANGE").arg(key).arg(0).arg(-1);
    };
    all(keys.open_visits(), &mut pipeline);
    for doing in Doing::ALL {
        all(keys.now(doing), &mut pipeline);
    }
    let mut answers = answers(connection, &pipeline, "reading open visits failed").await?;
    let open: Vec<String> = answers.take()?;
    totals.cells.extend(
        open.iter()
            .filter_map(|member| Some((keys::open_visit(member)?, 1))),
    );
    for doing in Doing::ALL {
        let members: Vec<String> = answers.take()?;
        let cells = members
            .iter()
            .filter_map(|member| Some((keys::just_done(doing, member)?, 1)));
        totals.cells.extend(cells);
    }
    Ok(totals)
}

fn state<T: DeserializeOwned>(id: StateId, text: String) -> Result<Option<T>, StoreError> {
    Stored::new(Some(text))
        .read(id)
        .map_err(|error| StoreError::new(Kind::Broken, error.to_string()))
}

fn category(place: &str, hash: &Numbers, totals: &mut LiveTotals) {
    let (day, scope) = match place.split_once(':') {
        Some((day, store)) => (day, store.parse().ok().map(Scope::Store)),
        None => (place, Some(Scope::Platform)),
    };
    let (Some(day), Some(scope)) = (keys::parse_day(day), scope) else {
        return;
    };
    for (name, sums) in fields::categories(hash) {
        totals
            .categories
            .insert((scope, day, name), (sums.revenue_cents, sums.units));
    }
}
