//! What the dashboard reads, against a shop small enough to add up by hand. The zone is UTC-3.

use chrono::{DateTime, Utc};
use instashop_core::change::Op;
use instashop_core::config::Meaning;
use instashop_core::table::Table;
use instashop_core::view::{SourceHealth, Totals, TrendPoint, When, WorkerHealth};
use instashop_store::warehouse::WarehouseReader;

use super::cluster::Database;
use super::shop::{Worker, customer, line, now, order_at, partition, product, put, rejected, row};

async fn shop(database: &Database) -> Worker {
    let mut worker = Worker::start(database.sink("host-1"), partition("transaction", 0)).await;
    worker
        .apply(vec![
            put(Table::Customer, Op::Read, 1, customer(3, "Tienda", "Pro")),
            put(Table::Product, Op::Read, 1, product(8, "Mate", " Cocina ")),
            put(Table::Product, Op::Read, 1, product(9, "Yerba", "")),
            // A week ago: one sale at 09:00 local, one after the clock time of now, and one on the day before.
            put(
                Table::Transaction,
                Op::Create,
                2,
                order_at(1, "30", "completed", "2026-03-03T12:00:00"),
            ),
            put(
                Table::Transaction,
                Op::Create,
                3,
                order_at(2, "5.55", "completed", "2026-03-04T01:30:00"),
            ),
            put(
                Table::Transaction,
                Op::Create,
                4,
                order_at(3, "7", "completed", "2026-03-03T02:59:59.999999"),
            ),
            // Today: 10.00 shared over three lines, a reversal, an open, a failed, an unknown one.
            put(
                Table::Transaction,
                Op::Create,
                5,
                order_at(4, "10.00", "completed", "2026-03-10T11:15:00"),
            ),
            put(Table::TransactionDetail, Op::Create, 6, line(1, 4, 8, 1, "5")),
            put(Table::TransactionDetail, Op::Create, 7, line(2, 4, 9, 1, "5")),
            put(Table::TransactionDetail, Op::Create, 8, line(3, 4, 77, 1, "5")),
            put(
                Table::Transaction,
                Op::Create,
                9,
                order_at(5, "4", "completed", "2026-03-10T11:20:00"),
            ),
            put(
                Table::Transaction,
                Op::Update,
                10,
                order_at(5, "4", "refunded", "2026-03-10T11:20:00"),
            ),
            put(
                Table::Transaction,
                Op::Create,
                11,
                order_at(6, "100", "pending", "2026-03-10T03:00:00"),
            ),
            put(
                Table::Transaction,
                Op::Create,
                12,
                order_at(7, "100", "failed", "2026-03-10T11:30:00"),
            ),
            put(
                Table::Transaction,
                Op::Create,
                13,
                order_at(8, "100", "¿?", "2026-03-10T11:40:00"),
            ),
        ])
        .await;
    worker
}

#[tokio::test]
async fn today_and_sales_add_up() {
    let database = Database::ready().await;
    let _worker = shop(&database).await;
    let mut reader = WarehouseReader::connect(&database.config, &Meaning::default())
        .await
        .unwrap();
    let today = reader.today(now()).await.unwrap();
    let expected = Totals {
        revenue_cents: 1400,
        orders: 2,
        open: 1,
        failed: 1,
        cancelled: 0,
        reversed: 1,
        unmapped: 1,
    };
    assert_eq!(today.today, expected);
    assert_eq!(
        (today.day.to_string().as_str(), today.buyers_today),
        ("2026-03-10", 1)
    );
    assert_eq!(
        today.hours.len(),
        10,
        "from local midnight, 03:00 UTC, to the running hour"
    );
    let hours =
        [today.hours[0].totals, today.hours[8].totals].map(|totals| (totals.open, totals.revenue_cents));
    assert_eq!(hours, [(1, 0), (0, 1400)]);
    let categories: Vec<_> = today
        .categories
        .iter()
        .map(|sales| {
            (
                sales.category.as_str(),
                sales.revenue_cents,
                sales.units,
                sales.orders,
            )
        })
        .collect();
    assert_eq!(
        categories,
        [
            ("unclassified", 666, 2, Some(1)),
            ("unattributed", 400, 0, Some(1)),
            ("Cocina", 334, 1, Some(1))
        ]
    );
    let products: Vec<_> = today
        .products
        .iter()
        .map(|sales| (sales.product_id, sales.name.as_str(), sales.revenue_cents))
        .collect();
    assert_eq!(products, [(8, "Mate", 334), (9, "Yerba", 333), (77, "", 333)]);
    let payments: Vec<_> = today
        .payments
        .iter()
        .map(|method| {
            (
                method.method.as_str(),
                method.paid,
                method.failed,
                method.open,
                method.revenue_cents,
            )
        })
        .collect();
    assert_eq!(payments, [("paypal", 2, 1, 1, 1400)]);

    let sales = reader.sales(now(), 7).await.unwrap();
    assert_eq!(sales.days.len(), 15);
    assert_eq!(
        sales
            .days
            .iter()
            .map(|(_, totals)| totals.revenue_cents)
            .sum::<i64>(),
        1400 + 3000 + 555 + 700
    );
    assert_eq!(
        sales.days[7].1.revenue_cents, 3555,
        "2026-03-03 from 03:00 to 03:00 UTC"
    );
    assert_eq!(sales.days[14], (today.day, expected));
    assert_eq!(sales.first_day.unwrap().to_string(), "2026-03-02");
    let reversals: Vec<_> = sales
        .reversals
        .iter()
        .map(|(day, cents)| (day.to_string(), *cents))
        .collect();
    assert_eq!(reversals, [("2026-03-10".to_owned(), -400)]);
    assert_eq!(
        sales
            .categories
            .iter()
            .map(|sales| sales.revenue_cents)
            .sum::<i64>(),
        3555
    );
    assert_eq!(
        sales
            .previous_categories
            .iter()
            .map(|sales| sales.revenue_cents)
            .sum::<i64>(),
        700
    );
    // Monday 2026-03-02 23:59 local, Tuesday 09:00 and 22:30 local; each weekday occurred once since the first day.
    assert_eq!(
        (sales.heat[0][23], sales.heat[1][9], sales.heat[1][22]),
        (1000, 1000, 1000)
    );
    assert_eq!(sales.heat.iter().flatten().sum::<i64>(), 3000);
    let newest = &sales.latest[0];
    assert_eq!(
        (
            newest.order_id,
            newest.store.as_str(),
            newest.class.as_str(),
            newest.lines
        ),
        (8, "Tienda", "unmapped", 0)
    );
    assert_eq!(sales.latest.len(), 8);
}

#[tokio::test]
async fn the_base_of_live_is_last_week_to_the_same_clock() {
    let database = Database::ready().await;
    let _worker = shop(&database).await;
    let mut reader = WarehouseReader::connect(&database.config, &Meaning::default())
        .await
        .unwrap();
    let at = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
    let base = reader.live_base(at("2026-03-10T12:01:00Z")).await.unwrap();
    assert!(base.complete);
    assert_eq!(base.day.to_string(), "2026-03-03");
    let minutes: Vec<_> = base
        .minutes
        .iter()
        .map(|point| (point.start, point.totals.revenue_cents))
        .collect();
    assert_eq!(
        minutes,
        [
            (at("2026-03-03T12:00:00Z"), 3000),
            (at("2026-03-04T01:30:00Z"), 555)
        ]
    );
    assert_eq!(
        base.first_sales,
        [at("2026-03-03T12:00:00Z")],
        "one buyer, the first sale"
    );
    assert_eq!(
        base.categories
            .iter()
            .map(|sales| sales.revenue_cents)
            .sum::<i64>(),
        3000
    );
    let early = reader.live_base(at("2026-03-10T11:59:00Z")).await.unwrap();
    assert_eq!(early.categories, []);
    let before = reader.live_base(at("2026-03-08T11:59:00Z")).await.unwrap();
    assert!(!before.complete, "before the first captured day");
}

#[tokio::test]
async fn absurd_rows_do_not_break_a_screen() {
    let database = Database::ready().await;
    let mut worker = shop(&database).await;
    let huge = "79228162514264337593543950335";
    worker
        .apply(vec![
            put(
                Table::Transaction,
                Op::Create,
                20,
                order_at(20, huge, "completed", "2026-03-10T11:15:00"),
            ),
            put(
                Table::Transaction,
                Op::Create,
                21,
                order_at(21, "1", "completed", "infinity"),
            ),
            put(
                Table::Transaction,
                Op::Create,
                22,
                row(Table::Transaction, &["22", "-", "-", "-", "-", "-", "-"]),
            ),
            put(
                Table::TransactionDetail,
                Op::Create,
                23,
                line(20, 20, 8, i64::MAX, huge),
            ),
            put(Table::TransactionDetail, Op::Create, 24, line(21, 4, 8, -5, "-5")),
        ])
        .await;
    let mut reader = WarehouseReader::connect(&database.config, &Meaning::default())
        .await
        .unwrap();
    let today = reader.today(now()).await.unwrap();
    assert_eq!(
        today.today.revenue_cents, 1400,
        "an amount beyond decimal(12,2) counts as none"
    );
    reader.sales(now(), 30).await.unwrap();
    reader.live_base(now()).await.unwrap();
}

#[tokio::test]
async fn health_is_what_the_workers_published() {
    let database = Database::ready().await;
    let mut worker = shop(&database).await;
    worker
        .apply_all(vec![rejected("bad_json", b"{"), rejected("bad_json", b"[")])
        .await;
    let health = |name: &str, minutes: i64| WorkerHealth {
        worker: name.into(),
        state: "running\0".into(),
        seen_at: now() - chrono::TimeDelta::minutes(minutes),
        records: 7,
        ..WorkerHealth::default()
    };
    let crm = SourceHealth {
        source: "crm_db".into(),
        up: true,
        ..SourceHealth::default()
    };
    let at = |minutes| now() - chrono::TimeDelta::minutes(minutes);
    worker
        .sink
        .publish(&health("old", 10), &[], None, at(10))
        .await
        .unwrap();
    worker
        .sink
        .publish(&health("older", 60 * 25), &[], None, at(60 * 25))
        .await
        .unwrap();
    worker
        .sink
        .publish(&health("new", 0), std::slice::from_ref(&crm), Some((2, 3)), at(0))
        .await
        .unwrap();
    worker
        .sink
        .publish(&health("newer", 0), &[], None, at(0))
        .await
        .unwrap();
    let mut reader = WarehouseReader::connect(&database.config, &Meaning::default())
        .await
        .unwrap();
    let system = reader.system(now()).await.unwrap();
    let names = |flow: &instashop_core::view::FlowHealth| {
        flow.workers
            .iter()
            .map(|worker| worker.worker.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&system.flow), ["new", "newer"]);
    assert_eq!(
        (
            system.flow.sources,
            system.flow.brokers_up,
            system.flow.dead_letters
        ),
        (vec![crm], Some((2, 3)), Some(2))
    );
    assert_eq!(system.proof, None);
    // Hours later nobody publishes: the newest is still told, with its time.
    let later = reader.system(now() + chrono::TimeDelta::hours(3)).await.unwrap();
    assert_eq!(names(&later.flow).len(), 1);
    assert_eq!(
        database
            .value::<i64>("SELECT count(*) FROM ops.health WHERE name = 'older'")
            .await,
        0,
        "forgotten"
    );
}

#[tokio::test]
async fn the_reader_connects_again() {
    let database = Database::ready().await;
    let mut reader = WarehouseReader::connect(&database.config, &Meaning::default())
        .await
        .unwrap();
    reader.today(now()).await.unwrap();
    database
        .run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'instashop_reader' AND datname = current_database()")
        .await;
    let mut answers = Vec::new();
    while answers.last() != Some(&true) && answers.len() < 3 {
        answers.push(reader.today(now()).await.is_ok());
    }
    assert_eq!(answers.last(), Some(&true), "{answers:?}");
}

/// The board as of a moment counts each order in the state it had then, and none that came later; as of now it is the present.
#[tokio::test]
async fn as_of_a_moment_orders_are_in_the_state_they_had() {
    let database = Database::ready().await;
    let mut worker = Worker::start(database.sink("host-1"), partition("transaction", 0)).await;
    let placed = "2026-03-10T10:50:00";
    let order = |op, lsn, status| put(Table::Transaction, op, lsn, order_at(1, "10", status, placed));
    worker
        .apply(vec![
            put(Table::Product, Op::Read, 1, product(8, "Mate", "Cocina")),
            order(Op::Create, 10, "pending"),
            put(Table::TransactionDetail, Op::Create, 11, line(1, 1, 8, 2, "5")),
            order(Op::Update, 20, "completed"),
            order(Op::Update, 30, "refunded"),
            // Placed before, but the warehouse heard of it later.
            put(
                Table::Transaction,
                Op::Create,
                40,
                order_at(2, "7", "completed", placed),
            ),
        ])
        .await;
    // A snapshot read it: it is taken to have been so since it was placed.
    let mut worker = Worker::start(database.sink("host-1"), partition("transaction", 1)).await;
    worker
        .apply(vec![put(
            Table::Transaction,
            Op::Read,
            50,
            order_at(3, "3", "completed", placed),
        )])
        .await;
    let mut reader = WarehouseReader::connect(&database.config, &Meaning::default())
        .await
        .unwrap();
    let totals = |revenue_cents, orders, open, reversed| Totals {
        revenue_cents,
        orders,
        open,
        reversed,
        ..Totals::default()
    };
    for (lsn, expected) in [
        (5, totals(300, 1, 0, 0)),
        (15, totals(300, 1, 1, 0)),
        (25, totals(1300, 2, 0, 0)),
        (35, totals(1300, 2, 0, 1)),
        (45, totals(2000, 3, 0, 1)),
    ] {
        let moment = When::AsOf(super::shop::at(lsn));
        let today = reader.today(moment).await.unwrap();
        assert_eq!(today.today, expected, "as of {lsn}");
        let revenue =
            |points: &[TrendPoint]| -> i64 { points.iter().map(|point| point.totals.revenue_cents).sum() };
        assert_eq!(revenue(&today.hours), expected.revenue_cents, "as of {lsn}");
        assert_eq!(revenue(&today.minutes), expected.revenue_cents, "as of {lsn}");
        let by_category: i64 = today.categories.iter().map(|row| row.revenue_cents).sum();
        assert_eq!(by_category, expected.revenue_cents, "as of {lsn}");
        let paid: i64 = today.payments.iter().map(|row| row.paid).sum();
        assert_eq!(paid, expected.orders, "as of {lsn}");
        let sales = reader.sales(moment, 7).await.unwrap();
        assert_eq!(sales.days.last().unwrap().1, expected, "as of {lsn}");
        assert_eq!(sales.latest.len(), (expected.orders + expected.open) as usize);
    }
    // Nothing of the day had happened before the orders were placed.
    let earlier = When::AsOf("2026-03-10T10:49:00Z".parse().unwrap());
    assert_eq!(reader.today(earlier).await.unwrap().today, Totals::default());
    // The present minute is the same both ways.
    let present = reader.today(now()).await.unwrap();
    let as_of_now = reader.today(When::AsOf(now())).await.unwrap();
    assert_eq!(as_of_now, present);
    assert_eq!(
        reader.sales(When::AsOf(now()), 7).await.unwrap(),
        reader.sales(now(), 7).await.unwrap()
    );
}
