//! The history of a shop: simulated time from its first day to `now`, and everything that is left of it at the end.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use instashop_core::table::Table;

use super::action::Action;
use super::behaviour::CONVERSION;
use super::catalogue::{CATEGORIES, assortment, store_name};
use super::dice::Dice;
use super::fulfilment::CARRIERS;
use super::habits::{Habits, Planting};
use super::ids::Ids;
use super::ledger::Ledger;
use super::market::{Demand, Market, PLANS, Setting, Tenure, UNITS_PER_ORDER, buyer_row, store_row};
use super::nature::Nature;
use super::people::phone;
use super::programme::{Programme, history_span};
use super::row::{CarrierRow, MembershipRow, SegmentRow};
use super::settings::Plan;
use super::shape::{Curve, Shape};
use super::shop::{Bundling, Buyer, Contents, Shop, Store};
use super::truth::Truth;

/// A history that was made: what to load, and the truth about it.
#[derive(Debug)]
pub(crate) struct History {
    pub(crate) ledger: Ledger,
    pub(crate) truth: Truth,
}

/// The segments of a new shop, with the criteria the source system writes down.
const SEGMENTS: &[(&str, &str)] = &[
    ("High Spenders", "Monthly spend > 1000"),
    ("New Customers", "First purchase in last 30 days"),
    ("Inactive", "No purchase in last 6 months"),
    ("Recurrentes", "Tres o más compras por mes en promedio"),
];

/// Spread of the demand of one day around its expectation.
const DAILY_NOISE: f64 = 0.05;

/// Makes the history of a plan. The same plan gives the same history, to the byte. `progress` hears how many days of
/// how many are done.
pub(crate) fn make(plan: &Plan, mut progress: impl FnMut(i64, i64)) -> History {
    let (start, end) = history_span(plan.now, plan.days, plan.zone);
    let (planting, curve, bundling) = if plan.flat {
        (Planting::None, Curve::Flat, Bundling::None)
    } else {
        (Planting::Planted, Curve::Natural, Bundling::Pairs)
    };
    let shape = Shape::over(plan.zone, curve, start, end);
    let mut ledger = Ledger::default();
    let mut market = found(
        plan,
        &mut ledger,
        (start, end),
        bundling,
        Habits::history(planting),
    );
    market.programme = Programme::for_history(&market.shop, &shape, (start, end), plan.seed);

    let mut dice = Dice::new(plan.seed, "arrivals");
    let days = i64::from(plan.days);
    let mut day = -1;
    let mut noise = 1.0;
    let mut hour = start;
    while hour < end {
        let today = (hour - start).num_days();
        if today != day {
            day = today;
            noise = if plan.flat {
                1.0
            } else {
                (DAILY_NOISE * dice.normal()).exp()
            };
            progress(today, days);
        }
        let next = (hour + TimeDelta::hours(1)).min(end);
        for arrival in arrivals(&market, &shape, plan, noise, (hour, next), &mut dice) {
            market.live_through(arrival.at);
            match arrival.kind {
                Kind::Order => market.order_by_chat(Some(arrival.store), arrival.at),
                Kind::Visit => market.begin_visit(Some(arrival.store), arrival.at),
            }
        }
        market.live_through(next);
        for action in market.drain() {
            ledger.apply(action);
        }
        hour = next;
    }
    join_segments(&mut market, &mut ledger, end);
    progress(days, days);
    let (campaigns, anomalies) = Truth::divide(&market.programme);
    let truth = Truth {
        seed: plan.seed,
        now: plan.now,
        start,
        flat: plan.flat,
        shape: shape.truth(),
        campaigns,
        anomalies,
        bundles: market.shop.bundles(),
        stock_outs: market.shelf.stock_outs(),
        late_carrier_id: market.shop.slow_carrier(),
    };
    History { ledger, truth }
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Order,
    Visit,
}

#[derive(Debug, Clone, Copy)]
struct Arrival {
    at: DateTime<Utc>,
    store: i64,
    kind: Kind,
}

/// Who comes within an hour, by time.
fn arrivals(
    market: &Market,
    shape: &Shape,
    plan: &Plan,
    noise: f64,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    dice: &mut Dice,
) -> Vec<Arrival> {
    let hours = (to - from).num_milliseconds() as f64 / 3_600_000.0;
    let visits_a_day = plan.visits_per_day();
    let orders_a_day = (f64::from(plan.orders_per_day) - visits_a_day * CONVERSION).max(0.0);
    let mut all = Vec::new();
    for (nth, store) in market.shop.stores().iter().enumerate() {
        let growth = if shape.is_flat() {
            0.0
        } else {
            market.shop.nature().store_growth(store.id)
        };
        let level = market.shop.store_share(nth)
            * shape.season(from)
            * shape.trend(from, growth)
            * market.programme.demand(store.id, from)
            * noise
            * hours
            / 24.0;
        for (kind, a_day) in [(Kind::Order, orders_a_day), (Kind::Visit, visits_a_day)] {
            for _ in 0..dice.poisson(level * a_day) {
                let offset = dice.real(0.0, (to - from).num_microseconds().unwrap_or(0) as f64);
                all.push(Arrival {
                    at: from + TimeDelta::microseconds(offset as i64),
                    store: store.id,
                    kind,
                });
            }
        }
    }
    all.sort_by_key(|arrival| (arrival.at, arrival.store));
    all
}

/// Founds the shop: stores, products with stock, buyers, carriers, segments.
fn found(
    plan: &Plan,
    ledger: &mut Ledger,
    (start, end): (DateTime<Utc>, DateTime<Utc>),
    bundling: Bundling,
    habits: Habits,
) -> Market {
    let nature = Nature::new(plan.seed);
    let mut dice = Dice::new(plan.seed, "founding");
    let mut ids = Ids::counted(plan.first_ids.clone());
    let mut contents = Contents::default();

    let mut assortments = BTreeMap::new();
    for nth in 0..plan.stores as usize {
        let Some(id) = ids.take(Table::Customer) else {
            break;
        };
        let tier = match dice.unit() {
            x if x < 0.25 => 0,
            x if x < 0.55 => 1,
            x if x < 0.88 => 2,
            _ => 3,
        };
        let row = store_row(id, &store_name(nth), PLANS[tier], &mut dice);
        contents.stores.push(Store {
            id,
            plan: row.plan.to_owned(),
        });
        ledger.apply(Action::OpenStore(row));
        assortments.insert(id, assortment(&mut dice));
    }
    for _ in 0..plan.buyers {
        let Some(id) = ids.take(Table::Buyer) else { break };
        let row = buyer_row(id, &mut dice);
        contents.buyers.push(Buyer {
            id,
            address: row.address.clone(),
        });
        ledger.apply(Action::SignUp(row));
    }
    let mut carriers = Vec::new();
    for (name, prefix) in CARRIERS {
        let Some(id) = ids.take(Table::Carrier) else { break };
        contents.carriers.push(id);
        carriers.push(CarrierRow {
            id,
            name: (*name).to_owned(),
            phone: phone(&mut dice),
            tracking_number: format!("{prefix}-{:08}", dice.between(1_000_000, 99_999_999)),
        });
    }
    let mut segments = Vec::new();
    for (name, criteria) in SEGMENTS {
        let Some(id) = ids.take(Table::Segment) else { break };
        contents.segments.push(id);
        segments.push(SegmentRow { id, name, criteria });
    }
    ledger.found(segments, carriers);

    let mut market = Market::new(
        Setting {
            shop: Shop::new(nature, bundling, contents),
            habits,
            ids,
            dice: Dice::new(plan.seed, "market"),
            zone: plan.zone,
            currency: plan.currency.clone(),
            tenure: Some(Tenure {
                start,
                end,
                buyers: plan.buyers as usize,
            }),
            demand: Demand {
                units_per_second: f64::from(plan.orders_per_day) * UNITS_PER_ORDER / 86_400.0,
            },
        },
        start,
    );
    let stores: Vec<i64> = assortments.keys().copied().collect();
    for nth in 0..plan.products as usize {
        let Some(store) = stores.get(nth % stores.len().max(1)) else {
            break;
        };
        let sold = &assortments[store];
        let category = sold[dice.between(0, sold.len() as i64 - 1) as usize];
        debug_assert!(category < CATEGORIES.len());
        let status = if dice.chance(0.03) { "inactive" } else { "active" };
        market.offer_product(*store, category, status, start);
    }
    market.shop.arrange();
    let products: Vec<i64> = market.shop.products().iter().map(|product| product.id).collect();
    for product in products {
        market.stock_product(product, start);
    }
    for action in market.drain() {
        ledger.apply(action);
    }
    market
}

/// Files the stores under the segments by what they sold, with one mistake as people make them.
fn join_segments(market: &mut Market, ledger: &mut Ledger, end: DateTime<Utc>) {
    let month = end - TimeDelta::days(30);
    let mut last_month: BTreeMap<i64, i64> = BTreeMap::new();
    let mut first: BTreeMap<i64, DateTime<Utc>> = BTreeMap::new();
    let mut last: BTreeMap<i64, DateTime<Utc>> = BTreeMap::new();
    for order in ledger.orders().filter(|order| order.status == "completed") {
        first.entry(order.store).or_insert(order.placed);
        last.insert(order.store, order.placed);
        if order.placed >= month {
            *last_month.entry(order.store).or_default() += order.total;
        }
    }
    let segments: Vec<i64> = market.shop.segments().to_vec();
    let [high, new, inactive, regular] = segments.as_slice() else {
        return;
    };
    let stores: Vec<i64> = market.shop.stores().iter().map(|store| store.id).collect();
    for (nth, store) in stores.into_iter().enumerate() {
        let spend = last_month.get(&store).copied().unwrap_or(0);
        let memberships = [
            (*high, spend > 100_000),
            (*new, first.get(&store).is_some_and(|at| *at >= month)),
            (
                *inactive,
                last.get(&store).is_none_or(|at| *at < end - TimeDelta::days(182)),
            ),
            (*regular, nth == 0 || spend > 50_000),
        ];
        for (segment, member) in memberships {
            if !member {
                continue;
            }
            if let Some(id) = market.ids.take(Table::CustomerSegment) {
                ledger.apply(Action::Join(MembershipRow { id, store, segment }));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet, HashMap};

    use chrono::{Datelike, Timelike};
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::simulate::programme::Event;
    use crate::simulate::row::OrderRow;

    fn plan(days: u32, flat: bool) -> Plan {
        Plan {
            seed: 42,
            now: "2025-09-16T22:50:00Z".parse().unwrap(),
            days,
            stores: 6,
            buyers: 400,
            products: 90,
            orders_per_day: 120,
            flat,
            zone: chrono_tz::America::Argentina::Buenos_Aires,
            currency: "USD".into(),
            first_ids: BTreeMap::new(),
        }
    }

    fn made(days: u32, flat: bool) -> History {
        make(&plan(days, flat), |_, _| ())
    }

    fn digest(history: &History) -> Vec<String> {
        let mut all: Vec<String> = Table::ALL
            .into_iter()
            .map(|table| {
                format!(
                    "{} {:x}",
                    table.name(),
                    Sha256::digest(history.ledger.copy_text(table))
                )
            })
            .collect();
        all.push(format!(
            "truth {:x}",
            Sha256::digest(history.truth.json().unwrap())
        ));
        all
    }

    #[test]
    fn the_same_plan_gives_the_same_history_to_the_byte() {
        let first = digest(&made(12, false));
        assert_eq!(first, digest(&made(12, false)));
        let mut other = plan(12, false);
        other.seed = 43;
        let other = digest(&make(&other, |_, _| ()));
        assert!(
            first.iter().zip(&other).filter(|(a, b)| a == b).count() <= 2,
            "only the segments and who is in them may agree"
        );
    }

    #[test]
    fn first_keys_are_honoured() {
        let mut plan = plan(3, false);
        plan.first_ids = Table::ALL.into_iter().map(|table| (table, 5000)).collect();
        let history = make(&plan, |_, _| ());
        assert!(
            history
                .ledger
                .orders()
                .all(|order| order.id >= 5000 && order.buyer >= 5000 && order.store >= 5000)
        );
        assert!(
            history
                .ledger
                .lines()
                .all(|line| line.id >= 5000 && line.product >= 5000)
        );
    }

    fn by_status(history: &History) -> HashMap<&'static str, usize> {
        let mut counts = HashMap::new();
        for order in history.ledger.orders() {
            *counts.entry(order.status).or_default() += 1;
        }
        counts
    }

    #[test]
    fn orders_have_lines_totals_and_every_kind_of_end() {
        let history = made(40, false);
        let n = history.ledger.orders().count();
        assert!((3800..6200).contains(&n), "{n} orders in 40 days of 120");
        let mut gross: HashMap<i64, i64> = HashMap::new();
        for line in history.ledger.lines() {
            *gross.entry(line.order).or_default() += line.price * i64::from(line.quantity);
        }
        let mut discounted = 0;
        for order in history.ledger.orders() {
            let gross = gross.get(&order.id).copied().unwrap_or(0);
            assert!(
                order.total > 0 && gross >= order.total,
                "{order:?} with lines of {gross}"
            );
            assert!(order.placed >= history.truth.start && order.placed <= history.truth.now);
            discounted += usize::from(gross > order.total);
        }
        let share = discounted as f64 / n as f64;
        assert!((0.11..0.22).contains(&share), "{share} discounted");
        let counts = by_status(&history);
        for (status, low, high) in [
            ("completed", 0.80, 0.93),
            ("failed", 0.03, 0.12),
            ("cancelled", 0.015, 0.06),
            ("refunded", 0.005, 0.04),
            ("pending", 0.0005, 0.03),
        ] {
            let share = *counts.get(status).unwrap_or(&0) as f64 / n as f64;
            assert!((low..high).contains(&share), "{status} {share}");
        }
    }

    #[test]
    fn stock_is_what_the_movements_say_and_never_below_zero() {
        for flat in [false, true] {
            let history = made(30, flat);
            let mut moved: HashMap<i64, i64> = HashMap::new();
            for line in String::from_utf8(history.ledger.copy_text(Table::InventoryMovement))
                .unwrap()
                .lines()
            {
                let columns: Vec<&str> = line.split('\t').collect();
                let quantity: i64 = columns[4].parse().unwrap();
                assert!(quantity > 0);
                let sign = if columns[3] == "in" { 1 } else { -1 };
                *moved.entry(columns[1].parse().unwrap()).or_default() += sign * quantity;
            }
            let mut stock: HashMap<i64, i64> = HashMap::new();
            for row in history.ledger.stock() {
                assert!(row.available >= 0, "{row:?}");
                *stock.entry(row.product).or_default() += row.available;
            }
            assert_eq!(stock, moved);
            assert_eq!(
                history.truth.stock_outs.is_empty(),
                flat,
                "{:?}",
                history.truth.stock_outs
            );
        }
    }

    #[test]
    fn shipments_go_from_pending_to_delivered_and_some_are_late() {
        let history = made(40, false);
        let orders: HashMap<i64, &OrderRow> =
            history.ledger.orders().map(|order| (order.id, order)).collect();
        let mut status: BTreeMap<&str, usize> = BTreeMap::new();
        let mut overdue = 0;
        for shipment in history.ledger.shipments() {
            assert_eq!(orders[&shipment.order].buyer, shipment.buyer);
            assert!(shipment.address.ends_with(", Argentina"));
            *status.entry(shipment.status).or_default() += 1;
            overdue += usize::from(shipment.status != "delivered" && shipment.promised < history.truth.now);
        }
        assert_eq!(
            status.keys().copied().collect::<Vec<_>>(),
            ["delivered", "in_transit", "pending"]
        );
        assert!(overdue > 0);
    }

    /// Orders by weekday and by hour, local time.
    fn shape(history: &History) -> ([usize; 7], [usize; 24]) {
        let zone = chrono_tz::America::Argentina::Buenos_Aires;
        let mut counts = ([0; 7], [0; 24]);
        // Whole weeks: the day of `now` is not over.
        let whole = history.truth.start + TimeDelta::days(49);
        for order in history.ledger.orders().filter(|order| order.placed < whole) {
            let local = order.placed.with_timezone(&zone);
            counts.0[local.weekday().num_days_from_monday() as usize] += 1;
            counts.1[local.hour() as usize] += 1;
        }
        counts
    }

    #[test]
    fn weeks_and_days_have_their_shape_and_a_flat_shop_has_none() {
        let (week, day) = shape(&made(49, false));
        assert!(week[5] > week[1] * 11 / 10, "Saturdays over Tuesdays: {week:?}");
        assert!(day[21] > day[4] * 6, "evenings over nights: {day:?}");
        let flat = made(49, true);
        let (week, day) = shape(&flat);
        let spread =
            |counts: &[usize]| *counts.iter().max().unwrap() as f64 / *counts.iter().min().unwrap() as f64;
        assert!(spread(&week) < 1.2, "{week:?}");
        assert!(spread(&day) < 1.45, "{day:?}");
        assert!(
            flat.truth.anomalies.is_empty()
                && flat.truth.campaigns.is_empty()
                && flat.truth.bundles.is_empty()
        );
    }

    #[test]
    fn what_the_truth_says_is_in_the_data() {
        let mut plan = plan(70, false);
        plan.orders_per_day = 220;
        let history = make(&plan, |_, _| ());
        let in_window = |from: DateTime<Utc>, to: DateTime<Utc>| {
            history
                .ledger
                .orders()
                .filter(move |order| from <= order.placed && order.placed < to)
        };
        let kinds: BTreeSet<String> = history
            .truth
            .anomalies
            .iter()
            .map(|entry| format!("{:?}", std::mem::discriminant(&entry.event)))
            .collect();
        assert!(kinds.len() >= 5, "{:?}", history.truth.anomalies);
        for entry in &history.truth.anomalies {
            let here = in_window(entry.from, entry.to).count();
            let week = TimeDelta::days(7);
            let before = in_window(entry.from - week, entry.to - week).count();
            match &entry.event {
                Event::Spike { .. } => assert!(here * 2 > before * 3, "{entry:?}: {here} after {before}"),
                Event::Drop { .. } => assert!(here * 2 < before, "{entry:?}: {here} after {before}"),
                // What was under way before goes on: retries.
                Event::Gap => assert!(here <= 3, "{entry:?}: {here}"),
                Event::PaymentOutage { method, .. } => {
                    let mut dice = Dice::new(1, "name");
                    let name = method.column(&mut dice);
                    let (mut paid, mut failed) = (0, 0);
                    for order in in_window(entry.from, entry.to).filter(|order| order.method == name) {
                        paid += usize::from(order.status == "completed");
                        failed += usize::from(order.status == "failed");
                    }
                    assert!(failed > paid, "{entry:?}: {failed} failed, {paid} paid");
                }
                _ => {}
            }
        }
        for out in &history.truth.stock_outs {
            let Some(to) = out.to else { continue };
            let orders: BTreeSet<i64> = in_window(out.from, to).map(|order| order.id).collect();
            let sold = history
                .ledger
                .lines()
                .any(|line| line.product == out.product_id && orders.contains(&line.order));
            assert!(!sold, "{out:?} was sold");
        }
    }
}
