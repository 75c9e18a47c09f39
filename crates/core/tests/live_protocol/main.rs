//! The protocol of the live flow against a recount, without servers (docs: reliability section 5).
//!
//! Random histories of a small shop go through the pure step and a store in memory that does what the commit script
//! does, with several workers, conflicts, zombies, lost replies, rollbacks and losses. At the end every number must be
//! what a plain recount of the final tables gives. The same histories run through the real script in
//! `instashop-store`. `INSTASHOP_HISTORIES` sets how many, `INSTASHOP_SEED` the first seed.

#![allow(unreachable_pub, missing_docs, clippy::pedantic)]

mod batches;
mod cells;
mod connector;
mod model;
mod oracle;
mod random;
mod shop;
mod timelines;
mod workers;

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use instashop_core::config::Meaning;
use instashop_core::contribution::{Bucket, Calendar, Cell, Measure, Scope};
use instashop_core::live::Window;

use cells::{is_told, recount_cells};
use oracle::recount;
use shop::Shop;
use workers::Fleet;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

/// In the future, so that the same history gives the same result on any day.
fn beginning() -> DateTime<Utc> {
    "2100-03-05T01:30:00Z".parse().unwrap()
}

/// One history, or its beginning; gives the difference to the recount, empty when there is none.
fn history(seed: u64, most: usize, forgets_to_compare: bool) -> (Vec<String>, Fleet) {
    let meaning = oracle::meaning();
    let mut shop = Shop::new(seed, beginning());
    shop.seals = shop.random.chance(60);
    let workers = 1 + shop.random.below(3);
    let mut fleet = Fleet::new(&mut shop, workers);
    fleet.model.forgets_to_compare = forgets_to_compare;
    let length = 50 + shop.random.below(400);
    for _ in 0..length.min(most) {
        shop.happen();
        fleet.operations += 1;
        if shop.random.chance(60) {
            fleet.happen(&mut shop, &meaning);
        }
    }
    shop.repair_all();
    fleet.model.boundary = fleet.model.boundary.max(shop.boundary);
    fleet.drain(&mut shop, &meaning);
    let mut found = differences(&shop, &fleet, &meaning);
    // What leaves changes nothing, and what comes after it finds what it needs.
    fleet.leave(&mut shop, &meaning, true);
    found.extend(differences(&shop, &fleet, &meaning));
    (found, fleet)
}

fn differences(shop: &Shop, fleet: &Fleet, meaning: &Meaning) -> Vec<String> {
    let calendar = Calendar::new(meaning.tz());
    let window = Window {
        now: shop.now,
        boundary: fleet.model.boundary,
    };
    let live = |cells: &BTreeMap<Cell, i64>| {
        let mut live: BTreeMap<Cell, i64> = BTreeMap::new();
        for (cell, value) in cells {
            if let Some(cell) = window.booked(cell.clone(), calendar) {
                *live.entry(cell).or_default() += value;
            }
        }
        live.retain(|_, value| *value != 0);
        live
    };
    let cells = live(&fleet.model.cells);
    let truth = recount(shop, meaning, window.boundary);
    let found = fleet.model.figures(&cells);
    let mut differences = Vec::new();
    for figure in truth.figures.keys().chain(found.keys()) {
        let (expected, is) = (truth.figures.get(figure), found.get(figure));
        if expected != is {
            differences.push(format!("{figure}: expected {expected:?}, is {is:?}"));
        }
    }
    // Totals that other topics have a part in: buyers, visits, stock, and all that is kept by store.
    let told = live(&recount_cells(shop, meaning, shop.now));
    let is = |cell: &Cell| cells.get(cell).copied();
    for cell in told.keys().chain(cells.keys().filter(|cell| is_told(cell))) {
        let expected = told.get(cell).copied();
        if expected != is(cell) {
            differences.push(format!("{cell:?}: expected {expected:?}, is {:?}", is(cell)));
        }
    }
    let mut by_store = BTreeMap::new();
    let is_live = |day: NaiveDate| window.boundary.is_none_or(|boundary| day >= boundary);
    for sale in truth.sales.iter().filter(|sale| is_live(sale.day)) {
        for (name, value) in [
            ("category.revenue_cents", sale.cents),
            ("category.units", sale.units),
            ("category.lines", 1),
        ] {
            let cell = (Scope::Store(sale.store), sale.day, sale.category.clone(), name);
            *by_store.entry(cell).or_insert(0) += value;
        }
    }
    by_store.retain(|_, value| *value != 0);
    if by_store != fleet.model.categories_of_stores() {
        differences.push(format!(
            "categories of stores: expected {by_store:?}, are {:?}",
            fleet.model.categories_of_stores()
        ));
    }
    // Short buckets that are still alive hold what the recount says; those of the recount are all there.
    for (at, _) in &truth.moments {
        for bucket in calendar.buckets(at.timestamp_micros()).unwrap() {
            let start = calendar.start_of(bucket);
            if !is_live(calendar.day(start)) {
                continue;
            }
            let length = match bucket {
                Bucket::Day(_) => continue,
                Bucket::Hour(..) => chrono::Duration::hours(1),
                Bucket::Minute(_) => chrono::Duration::minutes(1),
                Bucket::HalfMinute(_) => chrono::Duration::seconds(30),
            };
            if calendar.end_of_life(bucket).is_some_and(|end| end <= shop.now) {
                continue;
            }
            let expected = truth.between(start, start + length);
            for (measure, value) in [
                (Measure::Revenue, expected.revenue_cents),
                (Measure::Orders, expected.orders),
                (Measure::Open, expected.open),
            ] {
                let is = fleet
                    .model
                    .cells
                    .get(&Cell::Total {
                        scope: Scope::Platform,
                        bucket,
                        measure,
                    })
                    .copied()
                    .unwrap_or(0);
                if is != value {
                    differences.push(format!("{bucket:?} {measure:?}: expected {value}, is {is}"));
                }
            }
        }
    }
    let mut day = calendar.oldest_recent(shop.now);
    while day <= calendar.day(shop.now) {
        let expected = truth.buyers_by_category(day);
        let mut is = BTreeMap::new();
        for (of, category, _) in fleet.model.buyers.keys() {
            if *of == day {
                *is.entry(category.clone()).or_insert(0) += 1;
            }
        }
        if is != expected {
            differences.push(format!(
                "buyers by category of {day}: expected {expected:?}, is {is:?}"
            ));
        }
        day = day.succ_opt().unwrap();
    }
    differences.sort();
    differences.dedup();
    differences
}

/// Histories that ended wrong once, each with why; they run before the others.
const REGRESSIONS: &str = include_str!("regressions.txt");

/// Plays a history; a wrong one is cut to its shortest wrong beginning.
fn play(seed: u64) -> Fleet {
    let (differences, fleet) = history(seed, usize::MAX, false);
    if differences.is_empty() {
        return fleet;
    }
    let (length, differences) = (1..fleet.operations)
        .map(|most| (most, history(seed, most, false).0))
        .find(|(_, differences)| !differences.is_empty())
        .unwrap_or((fleet.operations, differences));
    panic!(
        "seed {seed}, the first {length} operations: {} differences\n{}",
        differences.len(),
        differences.join("\n")
    );
}

#[test]
fn every_history_that_was_wrong_once_ends_in_the_recount() {
    let seeds = REGRESSIONS
        .lines()
        .filter_map(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    assert!(seeds.map(play).count() > 0, "the file names no seed");
}

#[test]
fn every_history_ends_in_the_recount() {
    let first = number("INSTASHOP_SEED", 1);
    let (mut seen, mut operations) = ([0; 6], 0);
    let last = first + number("INSTASHOP_HISTORIES", 100) - 1;
    for seed in first..=last {
        let fleet = play(seed);
        operations += fleet.operations;
        for (seen, count) in seen.iter_mut().zip([
            fleet.conflicts,
            fleet.duplicates,
            fleet.fenced,
            fleet.behind,
            fleet.late as usize,
            fleet.overtaken,
        ]) {
            *seen += count;
        }
    }
    println!(
        "{operations} operations, histories {first} to {last}; conflicts, duplicates, fenced, behind, late, overtaken: {seen:?}"
    );
    // Histories that do not meet the hard cases prove nothing.
    assert!(
        seen.iter().all(|count| *count > 0),
        "conflicts, duplicates, fenced, behind, late, overtaken: {seen:?}"
    );
}

/// Kafka orders the records of a partition and nothing else: lines before their orders, products last, or the other way
/// round end in the same numbers.
#[test]
fn pitfall_22_no_order_across_topics() {
    let meaning = oracle::meaning();
    let mut topics = [
        "customer",
        "buyer",
        "carrier",
        "inventorymovement",
        "interaction",
        "segment",
        "customersegment",
        "transactiondetail",
        "transaction",
        "product",
        "userbehavior",
        "stock",
        "shipment",
    ];
    for seed in 1..=40 {
        for round in 0..3 {
            let mut shop = Shop::new(seed, beginning());
            let mut fleet = Fleet::new(&mut shop, 1);
            for _ in 0..150 {
                shop.happen();
            }
            shop.repair_all();
            fleet.drain_in_order(&mut shop, &topics, &meaning);
            let differences = differences(&shop, &fleet, &meaning);
            assert!(
                differences.is_empty(),
                "seed {seed}, {topics:?}: {}",
                differences.join("\n")
            );
            if round == 1 {
                topics.rotate_left(1);
            } else {
                topics.reverse();
            }
        }
    }
}

#[test]
fn the_comparison_can_fail() {
    // Without the comparison of state versions two workers overwrite each other (docs: reliability 5, 92 of 100).
    let wrong = (1..=60)
        .filter(|seed| {
            // A state that lost an update may also contradict another one, which stops the step.
            std::panic::catch_unwind(|| history(*seed, usize::MAX, true))
                .map_or(true, |(differences, _)| !differences.is_empty())
        })
        .count();
    assert!(wrong > 0, "no history went wrong without the version check");
}
