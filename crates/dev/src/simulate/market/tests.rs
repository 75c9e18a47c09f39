//! The market in real time, without a clock and without a database.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use instashop_core::table::Table;
use proptest::prelude::*;

use super::*;
use crate::simulate::action::{CANCELLED, CHARGEBACK, COMPLETED, FAILED, PENDING, REFUNDED};
use crate::simulate::habits::Planting;
use crate::simulate::ledger::Ledger;
use crate::simulate::nature::Nature;
use crate::simulate::pace::Pace;
use crate::simulate::programme::Event;
use crate::simulate::row::LineRow;
use crate::simulate::shelf::Level;
use crate::simulate::shop::{Bundling, Contents, Product, Store};

const TURN: TimeDelta = TimeDelta::milliseconds(100);

fn start() -> DateTime<Utc> {
    "2025-09-16T22:50:00Z".parse().unwrap()
}

fn contents() -> Contents {
    Contents {
        stores: (1..=6)
            .map(|id| Store {
                id,
                plan: "Basic".into(),
            })
            .collect(),
        products: (1..=120)
            .map(|id| Product {
                id,
                store: id % 6 + 1,
                category: "Hogar".into(),
                price: 1990,
                active: true,
            })
            .collect(),
        buyers: (1..=2000)
            .map(|id| Buyer {
                id,
                address: "Calle Perú 12, Rosario, Santa Fe, Argentina".into(),
            })
            .collect(),
        carriers: vec![1, 2],
        segments: vec![1, 2],
    }
}

fn market(seed: u64, rate: f64, planting: Planting) -> Market {
    let bundling = if planting == Planting::Planted {
        Bundling::Pairs
    } else {
        Bundling::None
    };
    // Above every key of the contents, so that nothing is mistaken for something else.
    let first = Table::ALL.into_iter().map(|table| (table, 10_001)).collect();
    let mut market = Market::new(
        Setting {
            shop: Shop::new(Nature::new(seed), bundling, contents()),
            habits: Habits::live(planting),
            ids: Ids::counted(first),
            dice: Dice::new(seed, "live"),
            zone: chrono_tz::America::Argentina::Buenos_Aires,
            currency: "USD".into(),
            tenure: None,
            demand: Demand {
                units_per_second: rate * 0.7 * UNITS_PER_ORDER,
            },
        },
        start(),
    );
    for product in 1..=120 {
        market.shelf.add(Level {
            stock: product,
            product,
            available: 60,
            reorder_point: 10,
            on_order: false,
        });
    }
    market.know_past_orders((1..500).collect());
    market.know_memberships((1..=9).collect());
    market
}

/// Runs the market; gives the actions of each turn.
fn run(market: &mut Market, rate: f64, turns: impl IntoIterator<Item = TimeDelta>) -> Vec<Vec<Action>> {
    let mut pace = Pace::new(rate, 0.7);
    let mut now = start();
    let mut all = Vec::new();
    for turn in turns {
        now += turn;
        pace.pass(turn.num_milliseconds() as f64 / 1000.0);
        market.follow_up(now);
        let orders = market.take_orders(pace.orders_due(), now);
        let behaviour = market.take_behaviour(pace.behaviour_due(), now);
        pace.done(orders, behaviour);
        all.push(market.drain());
    }
    all
}

fn minutes(minutes: usize) -> impl Iterator<Item = TimeDelta> {
    std::iter::repeat_n(TURN, minutes * 600)
}

#[test]
fn ten_events_a_second_are_seven_orders_and_three_behaviour_rows() {
    let mut market = market(1, 10.0, Planting::Planted);
    let turns = run(&mut market, 10.0, minutes(5));
    let count = |wanted: fn(&Action) -> bool| turns.iter().flatten().filter(|action| wanted(action)).count();
    let orders = count(|action| matches!(action, Action::PlaceOrder { .. }));
    let behaviour = count(|action| matches!(action, Action::Behave(_)));
    assert!((2098..=2101).contains(&orders), "{orders}");
    assert!((898..=901).contains(&behaviour), "{behaviour}");
    assert_eq!(market.counts().orders as usize, orders);
}

#[test]
fn everything_that_can_happen_happens_within_five_minutes() {
    let mut market = market(1, 10.0, Planting::Planted);
    let turns = run(&mut market, 10.0, minutes(5));
    let ranks: BTreeSet<u8> = turns.iter().flatten().map(Action::rank).collect();
    // All but a new store (0), which is rare.
    let expected: BTreeSet<u8> = (1..=16).chain(20..=23).chain(30..=31).chain(40..=43).collect();
    let missing: Vec<&u8> = expected.difference(&ranks).collect();
    assert!(missing.is_empty(), "ranks {missing:?} did not happen");
    let ends: BTreeSet<&str> = turns
        .iter()
        .flatten()
        .filter_map(|action| match action {
            Action::Resolve { to, .. } => Some(*to),
            _ => None,
        })
        .collect();
    assert_eq!(
        ends,
        BTreeSet::from([COMPLETED, FAILED, CANCELLED, REFUNDED, CHARGEBACK])
    );
    assert!(!market.drain_incidents().is_empty());
}

#[test]
fn the_same_seed_and_now_give_the_same_actions() {
    let actions = |seed| run(&mut market(seed, 20.0, Planting::Planted), 20.0, minutes(2));
    assert_eq!(actions(7), actions(7));
    assert_ne!(actions(7), actions(8));
}

#[test]
fn without_planting_there_are_no_incidents() {
    let mut market = market(1, 10.0, Planting::None);
    run(&mut market, 10.0, minutes(15));
    assert!(market.drain_incidents().is_empty());
    assert!(market.programme.entries().is_empty());
}

/// What an action updates, if it updates one row by a statement that takes each row once.
fn updated(action: &Action) -> Option<(u8, i64)> {
    let key = match action {
        Action::Resolve { order, .. } | Action::ChangeLine { order, .. } | Action::DropLine { order, .. } => {
            *order
        }
        Action::Track { shipment, .. } | Action::Promise { shipment, .. } => *shipment,
        Action::Answer { interaction, .. } => *interaction,
        _ => return None,
    };
    Some((action.rank(), key))
}

/// Checks what must hold between the actions, whatever the pace.
fn check(turns: &[Vec<Action>]) {
    let mut status: HashMap<i64, &str> = HashMap::new();
    let mut total: HashMap<i64, i64> = HashMap::new();
    let mut lines: BTreeMap<i64, LineRow> = BTreeMap::new();
    let mut shipments: HashMap<i64, (i64, &str)> = HashMap::new();
    for turn in turns {
        let mut once = BTreeSet::new();
        let mut sorted: Vec<&Action> = turn.iter().collect();
        sorted.sort_by_key(|action| action.rank());
        for action in sorted {
            if let Some(updated) = updated(action) {
                assert!(once.insert(updated), "{action:?} updates a row twice in one turn");
            }
            match action {
                Action::PlaceOrder { order, lines: placed } => {
                    assert_eq!(order.status, PENDING);
                    assert!(status.insert(order.id, PENDING).is_none());
                    total.insert(order.id, order.total);
                    lines.extend(placed.iter().map(|line| (line.id, line.clone())));
                }
                Action::AddLines(added) => {
                    assert!(added.iter().all(|line| status[&line.order] == PENDING));
                    lines.extend(added.iter().map(|line| (line.id, line.clone())));
                }
                Action::ChangeLine {
                    line,
                    quantity,
                    order,
                    total: new,
                } => {
                    assert_eq!(status[order], PENDING);
                    lines.get_mut(line).unwrap().quantity = *quantity;
                    total.insert(*order, *new);
                }
                Action::DropLine {
                    line,
                    order,
                    total: new,
                } => {
                    assert_eq!(status[order], PENDING);
                    assert!(lines.remove(line).is_some());
                    total.insert(*order, *new);
                }
                Action::Resolve { order, from, to } if *order > 10_000 => {
                    assert_eq!(status.insert(*order, to), Some(*from), "{action:?}");
                    assert!(matches!(
                        (*from, *to),
                        (PENDING, COMPLETED | FAILED | CANCELLED) | (COMPLETED, REFUNDED | CHARGEBACK)
                    ));
                }
                Action::DeleteOrder(order) if *order > 10_000 => {
                    assert!(status.remove(order).is_some());
                    total.remove(order);
                    lines.retain(|_, line| line.order != *order);
                }
                Action::Ship(row) => {
                    assert_eq!(status[&row.order], COMPLETED);
                    shipments.insert(row.id, (row.order, row.status));
                }
                Action::Track { shipment, status } => {
                    let known = shipments.get_mut(shipment).expect("a delivery that is there");
                    assert!(matches!(
                        (known.1, *status),
                        ("pending", "in_transit") | ("in_transit", "delivered")
                    ));
                    known.1 = status;
                }
                Action::Promise { shipment, .. } => assert!(shipments.contains_key(shipment)),
                Action::Unship(order) => shipments.retain(|_, (of, _)| of != order),
                _ => {}
            }
        }
    }
    let mut gross: HashMap<i64, i64> = HashMap::new();
    for line in lines.values() {
        *gross.entry(line.order).or_default() += line.price * i64::from(line.quantity);
    }
    for (order, total) in &total {
        // The lines of the newest orders may be still to come.
        if let Some(gross) = gross.get(order) {
            assert!((1..=*gross).contains(total), "order {order}: {total} of {gross}");
        }
    }
}

#[test]
fn a_stall_does_not_update_a_row_twice_in_one_turn() {
    let mut market = market(3, 30.0, Planting::Planted);
    let turns = minutes(2)
        .chain([TimeDelta::seconds(60)])
        .chain(minutes(1))
        .chain([TimeDelta::seconds(9)]);
    check(&run(&mut market, 30.0, turns));
}

#[test]
fn a_method_that_is_down_fails_and_recovers() {
    let mut market = market(5, 50.0, Planting::None);
    let entry = Entry {
        event: Event::PaymentOutage {
            method: crate::simulate::order::Method::CreditCard,
            failure_rate: 0.95,
        },
        store_id: None,
        from: start(),
        to: start() + TimeDelta::minutes(2),
    };
    market.programme.push(entry);
    let turns = run(&mut market, 50.0, minutes(5));
    let mut method: HashMap<i64, &str> = HashMap::new();
    let mut counts = [[0; 2]; 2];
    for (nth, turn) in turns.iter().enumerate() {
        for action in turn {
            match action {
                Action::PlaceOrder { order, .. } => {
                    method.insert(order.id, order.method);
                }
                Action::Resolve { order, to, .. } if method.get(order) == Some(&"Credit Card") => {
                    let during = usize::from(nth < 1200);
                    counts[during][usize::from(*to == FAILED)] += 1;
                }
                _ => {}
            }
        }
    }
    assert!(
        counts[1][1] > 5 * counts[1][0],
        "during: paid, failed {:?}",
        counts[1]
    );
    assert!(
        counts[0][0] > 2 * counts[0][1],
        "after: paid, failed {:?}",
        counts[0]
    );
}

#[test]
fn lost_orders_give_their_goods_back() {
    let mut market = market(5, 10.0, Planting::None);
    let free: i64 = (1..=120).map(|product| market.shelf.free(product)).sum();
    let turns = run(&mut market, 10.0, std::iter::repeat_n(TURN, 10));
    for action in turns.into_iter().flatten() {
        if let Action::PlaceOrder { order, .. } = action {
            market.lose_order(order.id);
        }
    }
    assert_eq!(
        (1..=120).map(|product| market.shelf.free(product)).sum::<i64>(),
        free
    );
}

#[test]
fn without_keys_nothing_happens_and_nothing_is_lost() {
    let mut market = market(5, 10.0, Planting::None);
    market.ids = Ids::reserved();
    let turns = run(&mut market, 10.0, minutes(1));
    assert!(turns.into_iter().flatten().next().is_none());
    assert_eq!(market.counts(), Counts::default());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn actions_fit_together_at_any_pace(
        seed in any::<u64>(),
        rate in 1.0_f64..40.0,
        turns in proptest::collection::vec(20_i64..2500, 20..80),
    ) {
        let mut market = market(seed, rate, Planting::Planted);
        let turns = run(&mut market, rate, turns.into_iter().map(TimeDelta::milliseconds));
        check(&turns);
        let mut ledger = Ledger::default();
        for stock in market.shelf.levels() {
            prop_assert!(stock.available >= 0, "{:?}", stock);
        }
        for action in turns.into_iter().flatten() {
            ledger.apply(action);
        }
        prop_assert_eq!(ledger.rows(Table::UserBehavior), market.counts().behaviour);
    }
}
