//! What the tabs read of the marts, against a shop small enough to add up by hand. It is Tuesday 09:00 at UTC-3.

use chrono::{DateTime, Utc};
use instashop_core::change::{Op, Record};
use instashop_core::config::Meaning;
use instashop_core::table::Table;
use instashop_core::view::{
    Ask, Basis, Board, BoardView, OrdersOf, Pair, PartsBy, Range, StockState, Topic, When,
};
use instashop_store::warehouse::{MartRefresher, WarehouseReader};

use super::cluster::Database;
use super::shop::{Worker, customer, line, now, partition, product, put, row};

const TOPICS: [Topic; 8] = [
    Topic::Payments,
    Topic::Buyers,
    Topic::Products,
    Topic::Inventory,
    Topic::Behaviour,
    Topic::Logistics,
    Topic::Stores,
    Topic::Alerts,
];

const ALL: Ask = Ask {
    range: Range::Days(7),
    basis: Basis::Previous,
    store: None,
};

const TODAY: Ask = Ask {
    range: Range::Today,
    basis: Basis::Weekday,
    store: None,
};

/// Number, buyer, store, time, amount, method, status of each order.
const ORDERS: [[&str; 7]; 9] = [
    // Before the range: one sale each.
    ["1", "5", "3", "2026-02-25T12:00:00", "30", "PayPal", "completed"],
    ["2", "6", "4", "2026-02-26T12:00:00", "10", "Wire", "completed"],
    // In the seven days before today.
    ["3", "5", "3", "2026-03-05T12:00:00", "20", "PayPal", "completed"],
    ["4", "7", "3", "2026-03-06T12:00:00", "8", "PayPal", "failed"],
    ["5", "7", "3", "2026-03-06T12:05:00", "8", "Wire", "completed"],
    ["6", "6", "4", "2026-03-07T12:00:00", "12", "Wire", "failed"],
    // Today, half an hour ago; and one that waits for a day and a half.
    ["7", "5", "3", "2026-03-10T11:30:00", "5", "PayPal", "completed"],
    ["8", "5", "3", "2026-03-10T11:58:00", "5", "PayPal", "failed"],
    ["9", "6", "4", "2026-03-09T00:00:00", "100", "Wire", "pending"],
];

/// Events of two visits of yesterday and one of today: key, store, kind, product, time, metadata.
const EVENTS: [[&str; 6]; 8] = [
    [
        "1",
        "3",
        "page_view",
        "-",
        "2026-03-09T12:00:00",
        r#"{"buyer_id": 5, "device_type": "mobile"}"#,
    ],
    [
        "2",
        "3",
        "search",
        "-",
        "2026-03-09T12:00:10",
        r#"{"buyer_id": 5, "search_term": " Mate ", "results_count": 2}"#,
    ],
    [
        "3",
        "3",
        "product_view",
        "8",
        "2026-03-09T12:00:20",
        r#"{"buyer_id": 5}"#,
    ],
    [
        "4",
        "3",
        "add_to_cart",
        "8",
        "2026-03-09T12:00:30",
        r#"{"buyer_id": 5}"#,
    ],
    [
        "5",
        "3",
        "begin_checkout",
        "-",
        "2026-03-09T12:00:40",
        r#"{"buyer_id": 5}"#,
    ],
    [
        "6",
        "4",
        "search",
        "-",
        "2026-03-09T13:00:00",
        r#"{"buyer_id": 6, "search_term": "mate", "results_count": 0}"#,
    ],
    [
        "7",
        "3",
        "page_view",
        "-",
        "2026-03-10T11:29:00",
        r#"{"buyer_id": 5}"#,
    ],
    [
        "8",
        "3",
        "product_view",
        "8",
        "2026-03-10T11:29:30",
        r#"{"buyer_id": 5}"#,
    ],
];

fn changes() -> Vec<Record> {
    let mut changes = vec![
        put(Table::Customer, Op::Read, 1, customer(3, "Tienda", "Pro")),
        put(Table::Customer, Op::Read, 1, customer(4, "Almacén", "Free")),
        put(Table::Product, Op::Read, 1, product(8, "Mate", "Cocina")),
        put(Table::Product, Op::Read, 1, product(9, "Yerba", "Cocina")),
    ];
    for [key, name] in [["5", "Ana María Paz"], ["6", "Beto"], ["7", "-"]] {
        changes.push(put(
            Table::Buyer,
            Op::Read,
            1,
            row(Table::Buyer, &[key, name, "-", "-", "-"]),
        ));
    }
    let mut lsn = 1;
    let mut add = |table: Table, values: &[&str]| {
        lsn += 1;
        changes.push(put(table, Op::Create, lsn, row(table, values)));
    };
    for [key, buyer, store, at, amount, method, status] in ORDERS {
        add(
            Table::Transaction,
            &[key, buyer, store, at, amount, method, status],
        );
    }
    for [key, store, kind, product, at, metadata] in EVENTS {
        add(
            Table::UserBehavior,
            &[key, store, kind, product, "s", at, metadata],
        );
    }
    // Three of the first product are sold a day on average in 28 days: it lasts four days. The second never sold.
    for values in [
        ["1", "8", "12", "20", "BOG-1"],
        ["2", "9", "7", "2", "BOG-1"],
        ["3", "8", "0", "5", "-"],
    ] {
        add(Table::Stock, &values);
    }
    add(
        Table::InventoryMovement,
        &["1", "8", "2026-03-10T10:00:00", "out", "3", "sale"],
    );
    for (key, order, status, due) in [
        ("1", "3", "in_transit", "2026-03-06T12:00:00"),
        ("2", "5", "pending", "2026-03-20T12:00:00"),
    ] {
        add(
            Table::Shipment,
            &[key, order, "5", "Street 1", "express", status, due],
        );
    }
    changes.push(put(
        Table::TransactionDetail,
        Op::Create,
        lsn + 1,
        line(1, 3, 8, 84, "0.25"),
    ));
    changes.push(put(
        Table::TransactionDetail,
        Op::Create,
        lsn + 2,
        line(2, 1, 8, 1, "30"),
    ));
    changes
}

async fn shop(database: &Database) -> WarehouseReader {
    database
        .run("UPDATE ref.setting SET now_override = '2026-03-10T12:00:00Z'")
        .await;
    let mut worker = Worker::start(database.sink("host-1"), partition("transaction", 0)).await;
    worker.apply(changes()).await;
    let mut refresher = MartRefresher::connect(&database.config).await.unwrap().unwrap();
    refresher.rebuild(now()).await.unwrap();
    WarehouseReader::connect(&database.config, &Meaning::default())
        .await
        .unwrap()
}

async fn board(reader: &mut WarehouseReader, topic: Topic, ask: Ask) -> Board {
    reader.board(topic, ask, now()).await.unwrap()
}

const fn pair(now: i64, before: i64) -> Pair {
    Pair { now, before }
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[tokio::test]
async fn payments_by_method_age_and_hour() {
    let database = Database::ready().await;
    let mut reader = shop(&database).await;
    let seven = board(&mut reader, Topic::Payments, ALL).await;
    assert!(
        !seven.has_base(),
        "the base of a week begins before the first captured day"
    );
    let names: Vec<&str> = seven.stores.iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(names, ["Almacén", "Tienda"]);
    let BoardView::Payments(view) = seven.view else {
        panic!()
    };
    let methods: Vec<_> = view
        .methods
        .iter()
        .map(|row| {
            (
                row.method.as_str(),
                row.paid,
                row.failed,
                row.recovered.now,
                row.revenue_cents,
                row.at_risk_cents.now,
            )
        })
        .collect();
    assert_eq!(
        methods,
        [
            // The failed attempt of PayPal was paid by wire five minutes later.
            ("paypal", pair(1, 1), pair(1, 0), 1, 2000, 0),
            ("wire_transfer", pair(1, 1), pair(1, 0), 0, 800, 1200),
        ]
    );
    assert_eq!(view.methods[0].week, (1, 1));
    assert_eq!(view.methods[0].last_paid_at, Some(at("2026-03-10T11:30:00Z")));
    assert_eq!(
        view.ages.iter().map(|age| age.orders).collect::<Vec<_>>(),
        [0, 0, 0, 0, 1]
    );
    assert_eq!((view.pending[0].order_id, view.pending[0].cents), (9, 10_000));
    let BoardView::Payments(today) = board(&mut reader, Topic::Payments, TODAY).await.view else {
        panic!()
    };
    assert_eq!(
        (today.methods[0].paid, today.methods[0].failed),
        (pair(1, 0), pair(1, 0))
    );
    assert_eq!(today.hours.len(), 24);
    assert_eq!(
        today.hours[22].now,
        (1, 1),
        "11:00 to 12:00 is the last complete hour"
    );
    let one = Ask {
        store: Some(4),
        ..ALL
    };
    let BoardView::Payments(one) = board(&mut reader, Topic::Payments, one).await.view else {
        panic!()
    };
    assert_eq!(one.methods.len(), 1, "nothing of another store");
    assert_eq!((one.stores.len(), one.stores[0].store_id), (1, 4));
}

#[tokio::test]
async fn buyers_products_and_behaviour() {
    let database = Database::ready().await;
    let mut reader = shop(&database).await;
    database
        .run(
            "UPDATE staging.buyer SET name = CASE buyer_id WHEN 5 THEN ' ñata  Peñalosa de la Torre ' ELSE ' ' END",
        )
        .await;
    let BoardView::Buyers(view) = board(&mut reader, Topic::Buyers, ALL).await.view else {
        panic!()
    };
    assert_eq!(
        (view.active, view.new, view.returning),
        (pair(2, 2), pair(1, 2), pair(1, 0))
    );
    assert_eq!(view.days.len(), 7);
    let top = &view.top[0];
    assert_eq!((top.buyer_id, top.orders, top.cents), (5, 3, 5500));
    assert_eq!(top.initials, "Ñ. P.");
    assert_eq!(view.top[1].initials, "", "a name of blanks is none");
    assert_eq!(view.values.iter().map(|(_, buyers)| buyers).sum::<i64>(), 3);
    let sizes: Vec<i64> = view.cohorts.iter().map(|cohort| cohort.size).collect();
    assert_eq!(sizes, [2, 1]);
    assert_eq!(
        view.cohorts[0].months,
        [Some(2), None],
        "an unfinished month is not known yet"
    );

    let BoardView::Products(view) = board(&mut reader, Topic::Products, ALL).await.view else {
        panic!()
    };
    assert_eq!((view.units, view.listed), (pair(84, 1), 2));
    let mate = &view.rows[0];
    assert_eq!(
        (mate.name.as_str(), mate.cents, mate.views, mate.visits),
        ("Mate", pair(2000, 3000), 1, (1, 1))
    );
    assert_eq!(mate.trend.iter().sum::<i64>(), 2000);
    assert_eq!(view.classes.iter().map(|class| class.products).sum::<i64>(), 2);

    let BoardView::Behaviour(view) = board(&mut reader, Topic::Behaviour, ALL).await.view else {
        panic!()
    };
    let reached: Vec<i64> = view.funnel.iter().map(|step| step.now).collect();
    assert_eq!(reached, [2, 2, 1, 1, 1, 0]);
    assert!(view.has_checkout);
    let outcomes: Vec<_> = view
        .outcomes
        .iter()
        .map(|row| (row.outcome.as_str(), row.visits.now))
        .collect();
    assert_eq!(outcomes[1], ("cart_abandonment", 1));
    assert_eq!(outcomes.iter().map(|(_, visits)| visits).sum::<i64>(), 2);
    let term = &view.terms[0];
    assert_eq!(
        (term.term.as_str(), term.searches, term.without_result),
        ("mate", 2, 1)
    );
    assert_eq!(view.searches, (2, 1));
    let stores: Vec<_> = view
        .stores
        .iter()
        .map(|row| (row.store.as_str(), row.steps[0], row.steps[4]))
        .collect();
    assert_eq!(stores, [("Tienda", 1, 1), ("Almacén", 1, 0)]);
    let BoardView::Behaviour(today) = board(&mut reader, Topic::Behaviour, TODAY).await.view else {
        panic!()
    };
    assert_eq!((today.orders.now, today.tracked.now), (1, 1));

    // A week later both days are what Live compares with, at the same clock time.
    let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    let minutes = |base: &instashop_core::view::LiveBase| -> Vec<(String, i64, i64)> {
        let of = |minute: &instashop_core::view::VisitMinute| {
            let start = minute.start.format("%H:%M").to_string();
            (start, minute.visits.begun, minute.visits.converted)
        };
        base.visits.iter().map(of).collect()
    };
    let base = reader.live_base(at("2026-03-16T12:04:00Z")).await.unwrap();
    assert_eq!(minutes(&base), [("12:00".into(), 1, 0), ("13:00".into(), 1, 0)]);
    let doing = |base: &instashop_core::view::LiveBase| {
        let now = &base.doing;
        [
            now.visitors,
            now.browsing,
            now.carts,
            now.checkouts,
            now.purchases,
        ]
    };
    assert_eq!(doing(&base), [1, 0, 1, 1, 0]);
    let base = reader.live_base(at("2026-03-17T11:36:00Z")).await.unwrap();
    assert_eq!(
        minutes(&base),
        [("11:29".into(), 1, 0), ("11:30".into(), 0, 1)],
        "a visit converts when its order is placed"
    );
    assert_eq!(
        doing(&base),
        [0, 0, 0, 0, 1],
        "gone for more than five minutes, not for ten"
    );
    // No address was given, so every sale of the range goes to nobody knows where, and none is lost.
    let sales = reader.sales(now(), 7).await.unwrap();
    let regions: Vec<_> = sales
        .regions
        .iter()
        .map(|row| {
            (
                row.region.as_str(),
                row.revenue_cents,
                row.orders,
                row.before_cents,
            )
        })
        .collect();
    assert_eq!(regions, [("unknown", 2800, 2, 4000)]);
    let in_range: i64 = sales.categories.iter().map(|row| row.revenue_cents).sum();
    assert_eq!(in_range, 2800);
    let today = reader.today(now()).await.unwrap();
    assert_eq!((today.visits.begun, today.visits.converted), (1, 1));
}

#[tokio::test]
async fn the_orders_behind_a_number() {
    let database = Database::ready().await;
    let mut reader = shop(&database).await;
    for (of, ask, expected) in [
        (OrdersOf::Method("paypal".into()), ALL, vec![4, 3]),
        (OrdersOf::Method("paypal".into()), TODAY, vec![8, 7]),
        (OrdersOf::Product(8), ALL, vec![3]),
        (OrdersOf::Category("Cocina".into()), ALL, vec![3]),
        (OrdersOf::Buyer(5), ALL, vec![8, 7, 3, 1]),
        (
            OrdersOf::Buyer(5),
            Ask {
                store: Some(4),
                ..ALL
            },
            vec![],
        ),
        (OrdersOf::Order(3), TODAY, vec![3]),
    ] {
        let list = reader.orders(&of, ask, now()).await.unwrap();
        let found: Vec<i64> = list.orders.iter().map(|order| order.order_id).collect();
        assert_eq!(found, expected, "{of:?} {ask:?}");
        let lines: Vec<_> = list
            .lines
            .iter()
            .map(|line| (line.product.as_str(), line.units, line.cents))
            .collect();
        let expected = if of == OrdersOf::Order(3) {
            vec![("Mate", 84, Some(2000))]
        } else {
            vec![]
        };
        assert_eq!(lines, expected);
    }
}

#[tokio::test]
async fn inventory_logistics_stores_and_alerts() {
    let database = Database::ready().await;
    let mut reader = shop(&database).await;
    let BoardView::Inventory(view) = board(&mut reader, Topic::Inventory, ALL).await.view else {
        panic!()
    };
    assert_eq!(view.states, [1, 1, 0, 1, 0]);
    assert_eq!((view.places.len(), view.critical_products), (2, 1));
    let first = &view.rows[0];
    assert_eq!(
        (first.state, first.available, first.days_milli),
        (StockState::OutOfStock, Some(0), None)
    );
    let second = &view.rows[1];
    assert_eq!((second.product.as_str(), second.days_milli), ("Mate", Some(3953)));
    assert_eq!(second.sold.iter().sum::<i64>(), 85);
    assert_eq!((view.asleep, view.dead[0].product.as_str()), ((1, 6650), "Yerba"));
    assert_eq!(
        (view.movements[0].reason.as_str(), view.movements[0].went),
        ("sale", 3)
    );

    let BoardView::Logistics(view) = board(&mut reader, Topic::Logistics, ALL).await.view else {
        panic!()
    };
    assert_eq!(
        (view.on_time, view.late, view.overdue),
        (pair(0, 0), pair(1, 0), 1)
    );
    assert_eq!((view.transit, view.pending), (1, 1));
    let late = &view.list[0];
    assert_eq!(
        (late.shipment_id, late.method.as_str(), late.status.as_str()),
        (1, "express", "in_transit")
    );

    let BoardView::Stores(view) = board(&mut reader, Topic::Stores, ALL).await.view else {
        panic!()
    };
    assert_eq!(
        view.rows
            .iter()
            .map(|row| (row.store_id, row.gmv_cents))
            .collect::<Vec<_>>(),
        [(3, 5800), (4, 1000)]
    );
    assert_eq!((view.gmv_cents, view.active), ((6800, 0), (2, 2)));
    assert_eq!(view.commission_cents, Some(340), "five per cent");
    assert_eq!(view.plans.iter().map(|plan| plan.stores).sum::<i64>(), 2);

    let BoardView::Alerts(facts) = board(&mut reader, Topic::Alerts, TODAY).await.view else {
        panic!()
    };
    assert_eq!(facts.stock.len(), 2);
    let paypal = &facts.methods[0];
    assert_eq!((paypal.hour, paypal.five, paypal.in_a_row), ((1, 1), (0, 1), 1));
    assert_eq!(facts.last_order_at, Some(at("2026-03-10T11:58:00Z")));
    assert_eq!((facts.expected.len(), facts.orders), (4, 7));
}

#[tokio::test]
async fn every_board_answers_on_an_empty_warehouse_and_for_one_store() {
    let database = Database::ready().await;
    let mut reader = WarehouseReader::connect(&database.config, &Meaning::default())
        .await
        .unwrap();
    for topic in TOPICS {
        for ask in [
            ALL,
            TODAY,
            Ask {
                store: Some(9),
                ..ALL
            },
            Ask {
                range: Range::Yesterday,
                basis: Basis::Year,
                store: None,
            },
        ] {
            let board = board(&mut reader, topic, ask).await;
            assert_eq!(board.view.topic(), topic);
            assert!(!board.has_base() && board.first_day.is_none(), "{topic:?}");
        }
    }
}

/// Whatever the range, base and store: the parts of every kind add up to the whole of both spans, and so does the course.
#[tokio::test]
async fn the_parts_of_a_difference_add_up_to_it() {
    let database = Database::ready().await;
    let mut reader = shop(&database).await;
    let from = Basis::From("2026-02-25".parse().unwrap());
    for range in [Range::Today, Range::Yesterday, Range::Days(7), Range::Days(30)] {
        for basis in [Basis::Previous, Basis::Weekday, Basis::Year, from] {
            for store in [None, Some(3), Some(4), Some(99)] {
                for when in [When::Present(now()), When::AsOf(now())] {
                    let ask = Ask { range, basis, store };
                    let view = reader.difference(ask, when).await.unwrap();
                    let sum = |pairs: &mut dyn Iterator<Item = Pair>| {
                        pairs.fold((0, 0), |sum, pair| (sum.0 + pair.now, sum.1 + pair.before))
                    };
                    let whole = (view.revenue.now, view.revenue.before);
                    assert_eq!(sum(&mut view.course.iter().copied()), whole, "{ask:?}");
                    for by in PartsBy::ALL {
                        let mut parts = view.ranked(by).into_iter().map(|part| part.cents);
                        assert_eq!(sum(&mut parts), whole, "{ask:?} {by:?}");
                    }
                }
            }
        }
    }
    let view = reader.difference(ALL, now()).await.unwrap();
    assert_eq!((view.revenue, view.orders), (pair(2800, 4000), pair(2, 2)));
    let stores = view.ranked(PartsBy::Store);
    let named: Vec<(&str, i64)> = stores
        .iter()
        .map(|part| (part.name.as_str(), part.moved()))
        .collect();
    assert_eq!(named, [("4 Almacén", -1000), ("3 Tienda", -200)]);
    assert_eq!(view.course.len(), 7);
    assert_eq!(
        view.course[2],
        pair(2000, 1000),
        "the third days, 5 March and 26 February"
    );
}
