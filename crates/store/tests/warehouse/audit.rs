//! verify's building blocks: a real source, the warehouse as of a cut, and the same measures on both.

use instashop_core::change::{Op, Record};
use instashop_core::config::Meaning;
use instashop_core::table::{SourceDb, Table};
use instashop_core::view::DriftProof;
use instashop_store::measures::{Cut, Difference, DifferenceKind, Gone};
use instashop_store::source::{SourceOwner, SourceReader};
use instashop_store::warehouse::{Auditor, WarehouseReader};
use tokio_postgres::Client;

use super::cluster::Database;
use super::shop::{Worker, change, now, partition, put, row};
use super::sources::{config, tables};

/// A source database whose every change is also written down as the record a connector would publish.
struct Source {
    database: Database,
    log: Vec<Record>,
    seed: u64,
}

impl Source {
    async fn new() -> Self {
        let database = Database::empty().await;
        tables(&database, SourceDb::Instashop).await;
        Self {
            database,
            log: Vec::new(),
            seed: 7,
        }
    }

    fn pick(&mut self, below: u64) -> u64 {
        self.seed = self
            .seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.seed >> 33) % below
    }

    /// Runs a statement that returns its key in a transaction of its own.
    async fn run(&mut self, table: Table, op: Op, sql: &str) {
        let client = &self.database.client;
        client.batch_execute("BEGIN").await.unwrap();
        let rows = client
            .query(sql, &[])
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        let mut records = Vec::new();
        for found in &rows {
            records.push(record(client, table, op, found.get(0)).await);
        }
        client.batch_execute("COMMIT").await.unwrap();
        self.log.extend(records);
    }

    /// Some shop life: orders with lines, payments, refunds, deletes, behaviour, products that change their category.
    async fn live(&mut self, steps: usize) {
        for _ in 0..steps {
            let (number, day) = (self.pick(40) + 1, self.pick(6));
            let cents = self.pick(90_000);
            match self.pick(12) {
                0..=3 => {
                    let method = ["PayPal", " Credit Card ", "Wire", "barter", ""][self.pick(5) as usize];
                    let status = ["completed", "PENDING", "failed", "refunded", "odd"][self.pick(5) as usize];
                    let sql = format!(
                        "INSERT INTO transaction (buyer_id, customer_id, transaction_date, total_amount, payment_method, status)
                         VALUES ({}, 1, timestamp '2026-03-05 02:59:58' + {day} * interval '1 day' + {number} * interval '1 second',
                         {cents}::numeric / 100, nullif('{method}', ''), '{status}') RETURNING transaction_id",
                        number % 5 + 1
                    );
                    self.run(Table::Transaction, Op::Create, &sql).await;
                }
                4..=6 => {
                    let sql = format!(
                        "INSERT INTO transactiondetail (transaction_id, product_id, quantity, unit_price)
                         SELECT transaction_id, {}, {}, {cents}::numeric / 700 FROM transaction
                         ORDER BY (transaction_id * 7919) % {} LIMIT 2 RETURNING transaction_detail_id",
                        number % 4 + 1,
                        number % 3,
                        number + 50
                    );
                    self.run(Table::TransactionDetail, Op::Create, &sql).await;
                }
                7 => {
                    let sql = format!(
                        "UPDATE transaction SET status = 'completed' WHERE transaction_id = {number} RETURNING transaction_id"
                    );
                    self.run(Table::Transaction, Op::Update, &sql).await;
                }
                8 => {
                    let sql = format!(
                        "UPDATE product SET category = 'C{day}' WHERE product_id = {} RETURNING product_id",
                        number % 4 + 1
                    );
                    self.run(Table::Product, Op::Update, &sql).await;
                }
                9 => {
                    let sql = format!(
                        "DELETE FROM transactiondetail WHERE transaction_detail_id = {number} RETURNING transaction_detail_id"
                    );
                    self.run(Table::TransactionDetail, Op::Delete, &sql).await;
                }
                _ => {
                    let sql = format!(
                        "INSERT INTO userbehavior (customer_id, event_type, session_id, \"timestamp\", metadata)
                         VALUES (1, 'kind{}', 's{}', timestamp '2026-03-05 02:59:58' + {day} * interval '1 day' + {number} * interval '1 second',
                         CASE WHEN {number} % 3 = 0 THEN jsonb_build_object('buyer_id', {number} % 7, 'x', 1.50) END)
                         RETURNING behavior_id",
                        number % 3,
                        number % 11
                    );
                    self.run(Table::UserBehavior, Op::Create, &sql).await;
                }
            }
        }
    }

    async fn catalog(&mut self) {
        for sql in [
            "INSERT INTO customer (name) VALUES ('t') RETURNING customer_id",
            "INSERT INTO buyer (name) SELECT 'b' || n FROM generate_series(1, 5) AS n RETURNING buyer_id",
            "INSERT INTO product (name, category, description) SELECT 'p' || n, nullif(' C' || n, ' C4'), 'd' FROM generate_series(1, 4) AS n RETURNING product_id",
        ] {
            let table = Table::from_name(sql.split(' ').nth(2).unwrap()).unwrap();
            self.run(table, Op::Read, sql).await;
        }
    }
}

/// The record of a change that the open transaction has made.
async fn record(client: &Client, table: Table, op: Op, key: i64) -> Record {
    let place = client
        .query_one(
            "SELECT pg_current_xact_id()::text::bigint, (pg_current_wal_insert_lsn() - '0/0')::bigint",
            &[],
        )
        .await
        .unwrap();
    let columns: Vec<String> = table
        .columns()
        .iter()
        .map(|column| format!("\"{}\"::text", column.name))
        .collect();
    let sql = format!(
        "SELECT {} FROM {} WHERE {} = $1",
        columns.join(", "),
        table.name(),
        table.key()
    );
    let after = client.query_opt(&sql, &[&key]).await.unwrap().map(|found| {
        let texts: Vec<String> = (0..columns.len())
            .map(|index| {
                found
                    .get::<_, Option<String>>(index)
                    .unwrap_or_else(|| "-".into())
            })
            .enumerate()
            .map(|(index, text)| {
                if table.columns()[index].name.contains("date") || table.columns()[index].name == "timestamp"
                {
                    text.replace(' ', "T")
                } else {
                    text
                }
            })
            .collect();
        row(table, &texts.iter().map(String::as_str).collect::<Vec<_>>())
    });
    let mut change = change(table, key, op, place.get::<_, i64>(1) as u64, after);
    change.tx_id = Some((place.get::<_, i64>(0) & 0xffff_ffff) as u64);
    change.committed_at = now();
    Record::Change(Box::new(change))
}

async fn feed(worker: &mut Worker, log: &[Record]) {
    for part in log.chunks(17) {
        worker.apply(part.to_vec()).await;
    }
}

async fn same(first: &Cut<'_>, second: &Cut<'_>, gone: &Gone, context: &str) {
    let meaning = Meaning::default();
    let (one, two) = (
        first.figures(&meaning, gone).await.unwrap(),
        second.figures(&meaning, gone).await.unwrap(),
    );
    for (figure, value) in &one {
        assert_eq!(two.get(figure), Some(value), "{context}: {figure}");
    }
    assert_eq!(one.len(), two.len(), "{context}");
    let known: Vec<Table> = first
        .tables()
        .await
        .unwrap()
        .iter()
        .map(|sum| sum.table)
        .collect();
    let sums = second.tables().await.unwrap();
    let sums: Vec<_> = sums
        .into_iter()
        .filter(|sum| known.contains(&sum.table))
        .collect();
    assert_eq!(first.tables().await.unwrap(), sums, "{context}");
}

#[tokio::test]
async fn a_source_and_the_warehouse_as_of_its_snapshot_are_equal() {
    let mut source = Source::new().await;
    source.catalog().await;
    source.live(120).await;
    let warehouse = Database::ready().await;
    let mut worker = Worker::start(warehouse.sink("a"), partition("transaction", 0)).await;
    feed(&mut worker, &source.log).await;
    let fed = source.log.len();

    let config = config(&source.database, "capture_audit");
    let mut owner = SourceOwner::connect(SourceDb::Instashop, &config).await.unwrap();
    Database::set_up_alone(async || owner.prepare(&config).await.unwrap()).await;
    let mut auditor = Auditor::connect(&warehouse.config).await.unwrap();
    let since = auditor.checkpoints().await.unwrap();
    let gone = auditor.gone_products().await.unwrap();

    // A transaction that runs while the snapshot is taken: it commits later and must not be seen.
    let running =
        super::cluster::connect(&warehouse.config, &config.database, "dwh", "only for this test").await;
    running.batch_execute("BEGIN").await.unwrap();
    running
        .execute(
            "UPDATE transaction SET total_amount = 1 WHERE transaction_id = 1",
            &[],
        )
        .await
        .unwrap();
    let late = record(&running, Table::Transaction, Op::Update, 1).await;
    source.live(20).await;
    let mut reader = SourceReader::connect(SourceDb::Instashop, &config).await.unwrap();
    let (frozen, seen) = reader.snapshot().await.unwrap();
    // Transactions of other databases of the cluster are among them.
    let own: String = running
        .query_one("SELECT pg_current_xact_id()::text", &[])
        .await
        .unwrap()
        .get(0);
    assert!(
        seen.running.iter().any(|running| running.to_string() == own),
        "{own} is not in {seen:?}"
    );
    running.batch_execute("COMMIT").await.unwrap();
    source.log.push(late);
    source.live(60).await;
    feed(&mut worker, &source.log[fed..]).await;

    for (since, context) in [(&since[..], "bounded"), (&[][..], "whole log")] {
        let then = auditor
            .as_of_snapshot(SourceDb::Instashop, &seen, since)
            .await
            .unwrap();
        same(&frozen, &then, &gone, context).await;
    }
    // The figures say something: every kind is there, and revenue is the sum of its parts.
    let figures = frozen.figures(&Meaning::default(), &gone).await.unwrap();
    let sum = |name: &str| {
        figures
            .iter()
            .filter(|(figure, _)| figure.name == name)
            .map(|(_, value)| value)
            .sum::<i64>()
    };
    assert!(sum("revenue_cents") > 0 && sum("behaviour.actors") > 0 && sum("orders_without_lines") > 0);
    for part in ["category.revenue_cents", "payment.revenue_cents"] {
        assert_eq!(sum(part), sum("revenue_cents"), "{part}");
    }
    drop(frozen);

    // A loss is seen, and named.
    warehouse
        .run("UPDATE staging.transaction SET total_amount = total_amount + 0.01 WHERE transaction_id = 2")
        .await;
    warehouse.run("DELETE FROM staging.transactiondetail WHERE transaction_detail_id = (SELECT max(transaction_detail_id) FROM staging.transactiondetail WHERE NOT _deleted)").await;
    let (frozen, seen) = reader.snapshot().await.unwrap();
    let then = auditor
        .as_of_snapshot(SourceDb::Instashop, &seen, &[])
        .await
        .unwrap();
    let (one, two) = (frozen.tables().await.unwrap(), then.tables().await.unwrap());
    let off: Vec<Table> = one
        .iter()
        .zip(&two)
        .filter(|(one, two)| one != two)
        .map(|(one, _)| one.table)
        .collect();
    assert_eq!(off, [Table::Transaction, Table::TransactionDetail]);
    let difference = Difference::between(
        &frozen.row_hashes(Table::Transaction).await.unwrap(),
        &then.row_hashes(Table::Transaction).await.unwrap(),
    );
    assert_eq!(
        difference,
        [Difference {
            key: 2,
            kind: DifferenceKind::Other
        }]
    );
    let lines = Difference::between(
        &frozen.row_hashes(Table::TransactionDetail).await.unwrap(),
        &then.row_hashes(Table::TransactionDetail).await.unwrap(),
    );
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].kind, DifferenceKind::OnlyFirst);
    assert!(
        frozen
            .row(Table::TransactionDetail, lines[0].key)
            .await
            .unwrap()
            .unwrap()
            .contains("unit_price")
    );
    assert_eq!(
        then.row(Table::TransactionDetail, lines[0].key).await.unwrap(),
        None
    );
}

#[tokio::test]
async fn the_warehouse_as_of_checkpoints_is_a_warehouse_that_stopped_there() {
    let mut source = Source::new().await;
    source.catalog().await;
    source.live(150).await;
    let whole = Database::ready().await;
    let mut worker = Worker::start(whole.sink("a"), partition("transaction", 0)).await;
    // A replay in between must not confuse the log.
    let mut log = source.log[..100].to_vec();
    log.extend(source.log[80..].to_vec());
    feed(&mut worker, &log).await;
    let mut auditor = Auditor::connect(&whole.config).await.unwrap();
    let gone = auditor.gone_products().await.unwrap();
    for stop in [0, 30, 110, log.len()] {
        let part = Database::ready().await;
        let mut other = Worker::start(part.sink("b"), partition("transaction", 0)).await;
        feed(&mut other, &log[..stop]).await;
        let mut stopped = Auditor::connect(&part.config).await.unwrap();
        let here = stopped.as_of_checkpoints(&[]).await.unwrap();
        let cut = [(worker.partition.clone(), stop as i64)];
        assert_eq!(auditor.behind(&cut).await.unwrap(), []);
        let then = auditor.as_of_checkpoints(&cut).await.unwrap();
        same(&here, &then, &gone, &format!("stopped at {stop}")).await;
    }
    let far = [
        (worker.partition.clone(), log.len() as i64 + 5),
        (partition("buyer", 3), 2),
    ];
    assert_eq!(
        auditor.behind(&far).await.unwrap(),
        [(far[0].0.clone(), 5), (far[1].0.clone(), 2)]
    );
}

/// A topic that was deleted and made again begins at offset 0: what the log holds of the earlier one does not lie beyond a
/// cut of the new one.
#[tokio::test]
async fn a_topic_made_anew_does_not_hide_what_the_earlier_one_brought() {
    let warehouse = Database::ready().await;
    let mut worker = Worker::start(warehouse.sink("w"), partition("stock", 0)).await;
    let stock = |key: u64, lsn: u64| {
        let values = [&*key.to_string(), "7", "3", "0", "x", "-"];
        let image = row(Table::Stock, &values[..Table::Stock.columns().len()]);
        put(Table::Stock, Op::Create, lsn, image)
    };
    worker.apply((1..=9).map(|key| stock(key, key)).collect()).await;
    let mut auditor = Auditor::connect(&warehouse.config).await.unwrap();
    auditor.read_again(&["stock".into()]).await.unwrap();
    // The new topic has one row so far, at offset 0.
    worker.checkpoint = 0;
    worker.apply(vec![stock(10, 20)]).await;
    let rows = async |auditor: &mut Auditor, at: i64| {
        let cut = [(partition("stock", 0), at)];
        let cut = auditor.as_of_checkpoints(&cut).await.unwrap();
        cut.row_hashes(Table::Stock).await.unwrap().len()
    };
    assert_eq!(rows(&mut auditor, 1).await, 10);
    assert_eq!(rows(&mut auditor, 0).await, 9);
}

#[tokio::test]
async fn the_measures_and_the_views_say_the_same() {
    let mut source = Source::new().await;
    source.catalog().await;
    source.live(150).await;
    let warehouse = Database::ready().await;
    let mut worker = Worker::start(warehouse.sink("a"), partition("transaction", 0)).await;
    feed(&mut worker, &source.log).await;
    // A product that is gone keeps its category in both.
    let last = change(Table::Product, 2, Op::Delete, u64::from(u32::MAX) * 4, None);
    worker.apply(vec![Record::Change(Box::new(last))]).await;
    let mut auditor = Auditor::connect(&warehouse.config).await.unwrap();
    let gone = auditor.gone_products().await.unwrap();
    let cut = auditor.as_of_checkpoints(&[]).await.unwrap();
    let figures = cut.figures(&Meaning::default(), &gone).await.unwrap();
    let mut reader = WarehouseReader::connect(&warehouse.config, &Meaning::default())
        .await
        .unwrap();
    let sales = reader.sales(now(), 7).await.unwrap();
    let of = |day: &str, name: &str, dimension: &str| {
        figures
            .iter()
            .find(|(figure, _)| {
                figure.day.is_some_and(|at| at.to_string() == day)
                    && figure.name == name
                    && figure.dimension == dimension
            })
            .map_or(0, |(_, value)| *value)
    };
    for (day, totals) in &sales.days {
        let day = day.to_string();
        for (name, value) in [
            ("revenue_cents", totals.revenue_cents),
            ("orders", totals.orders),
            ("open", totals.open),
            ("failed", totals.failed),
            ("reversed", totals.reversed),
            ("unmapped", totals.unmapped),
        ] {
            assert_eq!(of(&day, name, ""), value, "{day} {name}");
        }
    }
    for category in &sales.categories {
        let total: i64 = figures
            .iter()
            .filter(|(figure, _)| {
                figure.name == "category.revenue_cents" && figure.dimension == category.category
            })
            .filter(|(figure, _)| figure.day.is_some_and(|day| day < sales.today))
            .map(|(_, value)| value)
            .sum();
        assert_eq!(total, category.revenue_cents, "{}", category.category);
    }
    assert!(sales.categories.len() > 3, "{:?}", sales.categories);
}

#[tokio::test]
async fn a_proof_is_kept_and_shown() {
    let database = Database::ready().await;
    let auditor = Auditor::connect(&database.config).await.unwrap();
    let proof = |drift, at: &str| DriftProof {
        at: at.parse().unwrap(),
        drift,
        lines: vec![],
    };
    auditor.save(&proof(3, "2026-03-10T10:00:00Z")).await.unwrap();
    auditor.save(&proof(0, "2026-03-10T11:00:00Z")).await.unwrap();
    let mut reader = WarehouseReader::connect(&database.config, &Meaning::default())
        .await
        .unwrap();
    assert_eq!(
        reader.system(now()).await.unwrap().proof,
        Some(proof(0, "2026-03-10T11:00:00Z"))
    );
}

#[tokio::test]
async fn a_source_without_some_columns_and_tables_can_be_summed_up() {
    let database = Database::empty().await;
    database
        .run(
            "CREATE TABLE transaction (transaction_id bigint PRIMARY KEY, buyer_id int, customer_id bigint, extra text,
               transaction_date timestamptz, total_amount numeric, status varchar(9));
             INSERT INTO transaction VALUES (1, 2, 3, 'x', '2026-03-10 10:00:00+00', 12.345, 'completed'),
               (2, 2, 3, 'x', 'infinity', 1, 'completed'), (3, 2, 3, 'x', NULL, 1, 'completed')",
        )
        .await;
    let config = config(&database, "capture_partial");
    let mut owner = SourceOwner::connect(SourceDb::Instashop, &config).await.unwrap();
    Database::set_up_alone(async || owner.prepare(&config).await.unwrap()).await;
    let mut reader = SourceReader::connect(SourceDb::Instashop, &config).await.unwrap();
    let (cut, _) = reader.snapshot().await.unwrap();
    let figures = cut.figures(&Meaning::default(), &Gone::default()).await.unwrap();
    let texts: Vec<String> = figures
        .iter()
        .map(|(figure, value)| format!("{figure} = {value}"))
        .collect();
    assert_eq!(
        texts,
        [
            "rows transaction = 3",
            "undated = 2",
            "2026-03-10 buyers = 1",
            "2026-03-10 category.lines unattributed = 1",
            "2026-03-10 category.revenue_cents unattributed = 1235",
            "2026-03-10 orders = 1",
            "2026-03-10 orders_without_lines = 1",
            "2026-03-10 payment.paid unknown = 1",
            "2026-03-10 payment.revenue_cents unknown = 1235",
            "2026-03-10 revenue_cents = 1235",
        ]
    );
}
