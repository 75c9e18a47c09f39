//! Marts that are kept by key are what a rebuild gives, after any changes; and their arithmetic.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use instashop_core::catalogue::{Group, Kept, Metric, Over};
use instashop_core::change::{Op, Record};
use instashop_core::config::{CommissionRule, Meaning, Rate};
use instashop_core::money;
use instashop_core::table::Table;
use instashop_store::warehouse::{
    How, MapsDiffer, MartRefresher, Owner, Plan, Question, Refusal, Value, WarehouseReader,
};
use rust_decimal::Decimal;

use super::cluster::Database;
use super::shop::{Worker, customer, delete, now, partition, put, row};

const FACTS: [&str; 5] = [
    "order_facts",
    "order_line_facts",
    "visit_event_facts",
    "visit_facts",
    "shipment_facts",
];
const BY_KEY: [&str; 9] = [
    "daily_metrics",
    "product_metrics",
    "sales_by_category",
    "sales_by_region",
    "payment_methods",
    "funnel",
    "session_outcome",
    "inventory_health",
    "shipment_performance",
];
const AS_A_WHOLE: [&str; 6] = [
    "cohort_retention",
    "buyer_clv",
    "rfm",
    "store_scorecard",
    "mrr_movements",
    "product_pairs",
];

/// Written by the daily run.
const BY_DAY: [&str; 4] = ["kpi_daily", "data_quality", "store_summaries", "anomalies"];

/// Written by the daily run from a model and not from a view; compared in `forecast.rs`.
const MODELLED: [&str; 1] = ["demand_forecast"];

/// The one refresher of a database.
async fn refresher(database: &Database) -> MartRefresher {
    MartRefresher::connect(&database.config)
        .await
        .unwrap()
        .expect("nobody else refreshes the marts of this database")
}

/// Refreshes until there is nothing to do; gives the rounds.
async fn refresh(refresher: &mut MartRefresher) -> Vec<How> {
    let mut rounds = Vec::new();
    while let Some(refreshed) = refresher.refresh(now()).await.unwrap() {
        rounds.push(refreshed.how);
        assert!(rounds.len() < 20, "a refresh does not end");
    }
    rounds
}

/// Every row of these tables is a row of its view, and the other way round.
async fn equal_their_views(database: &Database, tables: &[&str], context: &str) {
    for name in tables {
        let sql = format!(
            "SELECT coalesce(string_agg(side || r::text, E'\\n'), '') FROM (
               (SELECT 'stored only: ' AS side, s AS r FROM (SELECT * FROM marts.{name} EXCEPT ALL SELECT * FROM marts.{name}_v) s LIMIT 5)
               UNION ALL
               (SELECT 'missing: ', s FROM (SELECT * FROM marts.{name}_v EXCEPT ALL SELECT * FROM marts.{name}) s LIMIT 5)) d"
        );
        let difference: String = database.value(&sql).await;
        assert!(difference.is_empty(), "{context}: marts.{name}\n{difference}");
    }
}

#[tokio::test]
async fn every_mart_has_the_columns_of_the_view_that_defines_it() {
    let database = Database::ready().await;
    let columns =
        "SELECT string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ', ' ORDER BY a.attnum)
       FROM pg_attribute a WHERE a.attrelid = $1::text::regclass AND a.attnum > 0 AND NOT a.attisdropped";
    let tables = database
        .list("SELECT c.relname::text FROM pg_class c WHERE c.relnamespace = 'marts'::regnamespace AND c.relkind = 'r'")
        .await;
    assert_eq!(
        tables.len(),
        FACTS.len() + BY_KEY.len() + AS_A_WHOLE.len() + BY_DAY.len() + MODELLED.len()
    );
    for table in tables
        .into_iter()
        .filter(|table| !MODELLED.contains(&table.as_str()))
    {
        let (stored, view) = (format!("marts.{table}"), format!("marts.{table}_v"));
        let stored: String = database.value_of(columns, &[&stored]).await;
        let view: String = database.value_of(columns, &[&view]).await;
        assert_eq!(stored, view, "{table}");
        assert!(
            FACTS
                .iter()
                .chain(&BY_KEY)
                .chain(&AS_A_WHOLE)
                .chain(&BY_DAY)
                .any(|name| *name == table),
            "{table} is compared by no test"
        );
    }
}

/// Tables that change in most steps; what stands twice changes more often.
const BUSY: [Table; 12] = [
    Table::Transaction,
    Table::Transaction,
    Table::TransactionDetail,
    Table::TransactionDetail,
    Table::UserBehavior,
    Table::UserBehavior,
    Table::UserBehavior,
    Table::Product,
    Table::Stock,
    Table::Shipment,
    Table::Buyer,
    Table::Customer,
];

/// Tables of which orders take something.
const QUIET: [Table; 4] = [Table::Product, Table::Shipment, Table::Buyer, Table::Customer];

const ADDRESSES: [&str; 8] = [
    "Street 1, La Plata, Buenos Aires, Argentina",
    "Calle Córdoba 2, CÓRDOBA, Argentina",
    "Calle 3, Rosario, Santa Fe",
    "Rua 4, Porto Alegre, Brasil",
    "Calle 5, Atlantis, Argentina",
    ", ,",
    " ",
    "-",
];

/// The maps of the property test: rates that begin within its days, rules of every kind.
fn maps() -> Meaning {
    let rate = |currency: &str, rates: &[(&str, &str)]| {
        let rates = rates
            .iter()
            .map(|(day, rate)| (day.parse().unwrap(), Rate(rate.parse().unwrap())));
        (currency.to_owned(), rates.collect())
    };
    let rule = |store, plan: Option<&str>, percent: &str, fixed_cents, from: Option<&str>| CommissionRule {
        store,
        plan: plan.map(Into::into),
        percent: percent.parse().unwrap(),
        fixed_cents,
        valid_from: from.map(|day| day.parse().unwrap()),
    };
    Meaning {
        fx_rates: BTreeMap::from([
            rate("ARS", &[("2026-02-28", "0.00071"), ("2026-03-02", "0.5")]),
            rate("EUR", &[("2000-01-01", "1.095"), ("2026-03-01", "1.10000001")]),
        ]),
        commission: vec![
            rule(None, None, "5", 0, None),
            rule(None, None, "4.75", 1, Some("2026-03-02")),
            rule(None, Some("pro"), "2.5", 0, None),
            rule(None, Some("enterprise"), "1", 30, Some("2026-03-01")),
            rule(Some(2), None, "0", 5, Some("2026-03-01")),
        ],
        ..Meaning::default()
    }
}

/// Every order has the rate, the converted amount, the commission and the region that core gives it: what the live flow uses.
async fn as_core_says(database: &Database, meaning: &Meaning, context: &str) {
    let rows = database
        .client
        .query(
            "SELECT o.order_id, o.amount, o.currency, o.order_day, o.fx, o.amount_rc, o.store_id, o.is_sale, o.commission, s.tier, o.region,
               ARRAY(SELECT h.delivery_address FROM staging.shipment h
                     WHERE h.transaction_id = o.order_id AND NOT h._deleted ORDER BY h.shipment_id),
               (SELECT b.shipping_address FROM staging.buyer b WHERE b.buyer_id = o.buyer_id)
             FROM marts.order_facts o LEFT JOIN core.stores s ON s.store_id = o.store_id WHERE o.order_day IS NOT NULL",
            &[],
        )
        .await
        .unwrap();
    for row in rows {
        let context = format!("{context}: order {}", row.get::<_, i64>(0));
        let day: NaiveDate = row.get(3);
        let rate = meaning.rate(row.get(2), day);
        assert_eq!(row.get::<_, Option<Decimal>>(4), rate, "{context}: rate");
        let amount = row.get::<_, Option<Decimal>>(1).and_then(money::cents);
        let converted = amount
            .zip(rate)
            .and_then(|(amount, rate)| money::convert(amount, rate));
        let stored = |column: usize| row.get::<_, Option<Decimal>>(column).and_then(money::cents);
        assert_eq!(stored(5), converted, "{context}: amount");
        let commission = converted.filter(|_| row.get(7)).map(|amount| {
            let store = Some(row.get(6)).filter(|store| *store > 0);
            meaning.commission_cents(store, row.get(9), day, amount)
        });
        assert_eq!(stored(8), commission, "{context}: commission");
        let shipped: Vec<Option<String>> = row.get(11);
        let address = shipped
            .into_iter()
            .flatten()
            .find(|address| !address.trim().is_empty());
        let address = address.or_else(|| row.get(12));
        let region = meaning.region(address.as_deref());
        assert_eq!(row.get::<_, Option<&str>>(10), region, "{context}: {address:?}");
    }
}

/// Every metric is what plain SQL makes of the rows a source would hold: `instashop verify --kpis` with the current rows of
/// staging in place of the sources.
async fn equal_their_recount(database: &mut Database, context: &str) {
    let transaction = database.client.transaction().await.unwrap();
    transaction
        .batch_execute(
            "SET LOCAL jit = off;
             CREATE TEMP TABLE kpi_stored (metric text NOT NULL, key text NOT NULL, value numeric) ON COMMIT DROP;
             CREATE TEMP TABLE kpi_expected (LIKE kpi_stored) ON COMMIT DROP",
        )
        .await
        .unwrap();
    for table in Table::ALL {
        let columns: Vec<String> = table
            .columns()
            .iter()
            .map(|column| format!("\"{}\"", column.name))
            .collect();
        let (name, columns) = (table.name(), columns.join(", "));
        transaction
            .batch_execute(&format!(
                "CREATE TEMP TABLE source_{name} ON COMMIT DROP AS SELECT {columns} FROM staging.{name} WHERE NOT _deleted"
            ))
            .await
            .unwrap();
    }
    for text in [
        include_str!("../../sql/kpis/stored.sql"),
        include_str!("../../sql/kpis/expected.sql"),
    ] {
        transaction.batch_execute(text).await.unwrap();
    }
    let kept_by_redis_alone: Vec<&str> = Metric::all()
        .filter(|metric| metric.kept == Kept::Live)
        .map(|metric| metric.id)
        .collect();
    let differing = transaction
        .query(
            "SELECT format('%s %s: plain %s, warehouse %s', coalesce(e.metric, s.metric), coalesce(e.key, s.key), e.value, s.value)
             FROM kpi_expected e FULL JOIN kpi_stored s ON s.metric = e.metric AND s.key = e.key
             WHERE e.value IS DISTINCT FROM s.value AND coalesce(e.metric, s.metric) <> ALL ($1) ORDER BY 1 LIMIT 20",
            &[&kept_by_redis_alone],
        )
        .await
        .unwrap();
    let differing: Vec<String> = differing.iter().map(|row| row.get(0)).collect();
    assert!(differing.is_empty(), "{context}: {differing:#?}");
    transaction.rollback().await.unwrap();
}

/// Every metric answers for the platform and for a store, or says what to ask instead; days add up to their range and stores
/// to the platform where they may.
async fn metrics_answer(database: &Database, meaning: &Meaning) {
    let mut reader = WarehouseReader::connect(&database.config, meaning).await.unwrap();
    let range = Some(("2026-02-27".parse().unwrap(), "2026-03-04".parse().unwrap()));
    let mut added = BTreeMap::new();
    for metric in Metric::all() {
        let dated = Question {
            store: None,
            days: range,
            each_day: false,
        };
        let whole = match Plan::new(metric, dated) {
            Err(Refusal::NotKept(_)) => continue,
            Err(Refusal::NoDays(_)) => Question { days: None, ..dated },
            _ => dated,
        };
        let each_day = Question {
            each_day: whole.days.is_some(),
            ..whole
        };
        let mut sums = Vec::new();
        let stores = [-1, 1, 2, 3, 4].map(|store| Question {
            store: Some(store),
            ..whole
        });
        for (over, parts) in [(Over::Days, vec![each_day]), (Over::Stores, stores.to_vec())] {
            let mut sum: BTreeMap<Vec<Option<String>>, Decimal> = BTreeMap::new();
            let mut is_whole = metric.may_add_up(over).is_ok();
            for question in parts {
                let Ok(plan) = Plan::new(metric, question) else {
                    is_whole = false;
                    continue;
                };
                for row in reader.metric(&plan).await.unwrap().rows {
                    if let Value::Number(number) = row.value {
                        *sum.entry(row.keys).or_default() += number;
                    }
                }
            }
            if is_whole {
                sums.push((over, sum));
            }
        }
        let Ok(plan) = Plan::new(metric, whole) else {
            continue;
        };
        let answer = reader.metric(&plan).await.unwrap();
        // A product may belong to no store.
        let is_of_stock = metric.group == Group::Inventory || answer.keys.contains(&"product_id");
        let values: BTreeMap<_, _> = answer
            .rows
            .into_iter()
            .filter_map(|row| match row.value {
                Value::Number(number) => Some((row.keys, number)),
                _ => None,
            })
            .collect();
        for (over, mut sum) in sums {
            if over == Over::Stores && is_of_stock {
                continue;
            }
            sum.retain(|_, number| !number.is_zero());
            let values: BTreeMap<_, _> = values
                .clone()
                .into_iter()
                .filter(|(_, number)| !number.is_zero())
                .collect();
            assert_eq!(values, sum, "{} over {over}", metric.id);
            *added.entry(over.to_string()).or_insert(0) += usize::from(!sum.is_empty());
        }
    }
    assert!(added["days"] > 15 && added["stores"] > 12, "{added:?}");
}

/// A generator of numbers that the seed decides.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }

    fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.roll(choices.len() as u64) as usize]
    }

    fn key(&mut self, sides: u64) -> String {
        (1 + self.roll(sides)).to_string()
    }

    /// A moment of five days around the first of March, or far away.
    fn moment(&mut self) -> String {
        if self.roll(60) == 0 {
            return self
                .pick(&["infinity", "1999-12-31T23:59:59", "2031-01-01T00:00:00"])
                .to_owned();
        }
        // Half of everything within one hour, so that visits have several events.
        let hour = if self.roll(2) == 0 { 14 } else { self.roll(24) };
        let (day, minute) = (self.roll(6), self.roll(60));
        let day = ["02-27", "02-28", "03-01", "03-01", "03-02", "03-03"][day as usize];
        format!("2026-{day}T{hour:02}:{minute:02}:{:02}", self.roll(60))
    }

    /// A change of one row of a small shop. Keys are few, so that rows are updated, moved, deleted and come back.
    fn change(&mut self, tables: &[Table], lsn: u64) -> Record {
        let table = tables[self.roll(tables.len() as u64) as usize];
        let keys = match table {
            Table::Product => 8,
            Table::Stock => 12,
            Table::Shipment => 30,
            Table::Buyer => 9,
            Table::Customer => 4,
            _ => 60,
        };
        let key = 1 + self.roll(keys);
        if self.roll(8) == 0 {
            return delete(table, key as i64, lsn);
        }
        let moment = self.moment();
        let text = key.to_string();
        let (buyer, store, product) = (self.key(9), self.key(4), self.key(9));
        let nothing = self.roll(12);
        let buyer = if nothing == 0 { "-" } else { &buyer };
        let store = if nothing == 1 { "-" } else { &store };
        let product = if nothing == 2 { "-" } else { &product };
        let amount = format!("{}.{:02}", self.roll(40), self.roll(100));
        let quantity = self.roll(5).to_string();
        let values: Vec<&str> = match table {
            Table::Transaction => {
                let status = self.pick(&[
                    "completed",
                    "Completed ",
                    "failed",
                    "pending",
                    "refunded",
                    "cancelled",
                    "odd",
                ]);
                let method = self.pick(&["Credit Card", "PayPal", "wire", "cowries", "-"]);
                // Few amounts, so that failed attempts are paid again.
                let amount = self.pick(&["10.00", "10.00", "10.00", "0.01", "-7.13", "-", &amount]);
                let amount = if amount == "0.01" { "0.01" } else { amount };
                return put_values(
                    table,
                    lsn,
                    &[&text, buyer, store, &moment, amount, method, status],
                );
            }
            Table::TransactionDetail => {
                let order = self.key(60);
                return put_values(table, lsn, &[&text, &order, product, &quantity, &amount]);
            }
            Table::UserBehavior => {
                let kind = self.pick(&[
                    "page_view",
                    "product_view",
                    "product_view",
                    "search",
                    "add_to_cart",
                    "add_to_cart",
                    "remove_from_cart",
                    "begin_checkout",
                    "purchase",
                    "-",
                ]);
                let metadata = format!(r#"{{"buyer_id": {}}}"#, self.key(9));
                let metadata = if nothing < 4 { "{}" } else { &metadata };
                return put_values(table, lsn, &[&text, store, kind, product, "s", &moment, metadata]);
            }
            Table::Product => {
                let category = self.pick(&["Books", "Toys", " Books ", "-"]);
                let currency = self.pick(&["USD", "USD", "ARS", " ars", "EUR", "GBP", "-"]);
                let name = self.pick(&["old name", "new name"]);
                return put_values(
                    table,
                    lsn,
                    &[&text, store, name, "-", category, "9.50", currency, "active", "-"],
                );
            }
            Table::Stock => vec![
                &text,
                product,
                &quantity,
                self.pick(&["2", "1", "-"]),
                self.pick(&["A", "-"]),
            ],
            Table::Buyer => vec![&text, "Buyer", "-", "-", self.pick(&ADDRESSES)],
            Table::Customer => {
                let plan = self.pick(&["Free", "Pro", "Premium", "Enterprise", "mystery", "-"]);
                return put(table, Op::Update, lsn, customer(key as i64, "Store", plan));
            }
            _ => {
                let status = self.pick(&["pending", "in_transit", "delivered"]);
                let method = self.pick(&["standard", "express", "-"]);
                let (order, address) = (self.key(60), self.pick(&ADDRESSES));
                return put_values(
                    table,
                    lsn,
                    &[&text, &order, buyer, address, method, status, &moment],
                );
            }
        };
        put_values(table, lsn, &values)
    }
}

fn put_values(table: Table, lsn: u64, values: &[&str]) -> Record {
    put(table, Op::Update, lsn, row(table, values))
}

/// Random changes in random batches, refreshed by key after each: facts and marts always equal their definitions. The
/// clock moves on between, so that visits end, shipments become overdue and windows slide.
#[tokio::test]
async fn marts_kept_by_key_equal_a_rebuild_after_any_changes() {
    let seeds: u64 = std::env::var("INSTASHOP_HISTORIES").map_or(2, |count| count.parse().unwrap());
    for seed in 1..=seeds {
        let mut database = Database::ready().await;
        database
            .run("UPDATE ref.setting SET tz = 'America/Argentina/Buenos_Aires', now_override = '2026-03-01 15:00+00'")
            .await;
        let mut owner = Owner::connect(&database.config).await.unwrap();
        let mut meaning = maps();
        assert_eq!(owner.write_meaning(&meaning).await.unwrap(), MapsDiffer::Yes);
        let mut worker = Worker::start(database.sink("a"), partition("transaction", 0)).await;
        for store in 1..=4 {
            let plan = ["Free", "Pro", "Enterprise", "mystery"][store as usize - 1];
            worker
                .apply(vec![put(
                    Table::Customer,
                    Op::Create,
                    store as u64,
                    customer(store, "Store", plan),
                )])
                .await;
        }
        let mut refresher = refresher(&database).await;
        assert_eq!(refresh(&mut refresher).await, [How::Rebuilt], "the first time");
        let mut dice = Dice(seed);
        let mut lsn = 10;
        for step in 0..40 {
            let context = format!("seed {seed}, step {step}");
            // In a step without orders nothing else brings in what a product, address or plan touches.
            let tables = if step % 3 == 2 { &QUIET[..] } else { &BUSY };
            for _ in 0..=dice.roll(2) {
                let records = (0..=dice.roll(30))
                    .map(|_| {
                        lsn += 1;
                        dice.change(tables, lsn)
                    })
                    .collect();
                worker.apply(records).await;
            }
            let later = step % 5 == 4;
            if later {
                database
                    .run("UPDATE ref.setting SET now_override = now_override + INTERVAL '13 hours'")
                    .await;
            }
            // A rate to come, which orders dated in the future take, and later another past one.
            let (currency, from, differ) = match step {
                3 => (
                    "EUR",
                    "2026-03-03",
                    MapsDiffer::RatesToCome("2026-03-03".parse().unwrap()),
                ),
                20 => ("GBP", "2026-02-28", MapsDiffer::Yes),
                _ => ("", "", MapsDiffer::No),
            };
            if differ != MapsDiffer::No {
                let rates = meaning.fx_rates.entry(currency.into()).or_default();
                rates.insert(from.parse().unwrap(), Rate("1.3".parse().unwrap()));
            }
            assert_eq!(owner.write_meaning(&meaning).await.unwrap(), differ, "{context}");
            let rounds = refresh(&mut refresher).await;
            assert_eq!(
                rounds.contains(&How::Rebuilt),
                differ == MapsDiffer::Yes,
                "{context}: {rounds:?}"
            );
            if later {
                refresher.refresh_whole(now()).await.unwrap();
                equal_their_views(&database, &AS_A_WHOLE, &context).await;
                equal_their_recount(&mut database, &context).await;
            }
            equal_their_views(&database, &FACTS, &context).await;
            equal_their_views(&database, &BY_KEY, &context).await;
            add_up(&database, &context).await;
            as_core_says(&database, &meaning, &context).await;
        }
        refresher.rebuild(now()).await.unwrap();
        for tables in [&FACTS[..], &BY_KEY, &AS_A_WHOLE] {
            equal_their_views(&database, tables, "rebuilt").await;
        }
        metrics_answer(&database, &meaning).await;
    }
}

/// The identities of docs/kpis 4: each row of the query is one that does not hold.
async fn add_up(database: &Database, context: &str) {
    let broken = database
        .list(
            "WITH revenue AS (SELECT coalesce(sum(o.amount_rc), 0) AS all_days FROM core.orders o WHERE o.is_sale AND o.order_day IS NOT NULL)
             SELECT 'lines of order ' || o.order_id || ' do not add up' FROM marts.order_facts o
             JOIN (SELECT l.order_id, sum(l.net_rc) AS net FROM marts.order_line_facts l GROUP BY l.order_id) l USING (order_id)
             WHERE l.net IS DISTINCT FROM o.amount_rc
             UNION ALL
             SELECT 'revenue of ' || x.name || ' is ' || x.revenue || ', not ' || r.all_days
             FROM revenue r CROSS JOIN LATERAL (VALUES
               ('platform days', (SELECT coalesce(sum(revenue), 0) FROM marts.daily_metrics WHERE store_id = 0)),
               ('stores', (SELECT coalesce(sum(revenue), 0) FROM marts.daily_metrics WHERE store_id <> 0)),
               ('categories', (SELECT coalesce(sum(revenue), 0) FROM marts.sales_by_category)),
               ('regions', (SELECT coalesce(sum(revenue), 0) FROM marts.sales_by_region)),
               ('payment methods', (SELECT coalesce(sum(revenue), 0) FROM marts.payment_methods))) AS x(name, revenue)
             WHERE x.revenue <> r.all_days
             UNION ALL
             SELECT 'commission of the platform on ' || m.day || ' is not that of its stores'
             FROM marts.daily_metrics m GROUP BY m.day
             HAVING sum(m.commission) FILTER (WHERE m.store_id = 0) IS DISTINCT FROM sum(m.commission) FILTER (WHERE m.store_id <> 0)
             UNION ALL
             SELECT 'new buyers are ' || n.new || ', buyers ever ' || b.ever
             FROM (SELECT coalesce(sum(new_buyers), 0) AS new FROM marts.daily_metrics WHERE store_id = 0) n
             CROSS JOIN (SELECT count(DISTINCT buyer_id) AS ever FROM core.orders WHERE is_sale AND order_day IS NOT NULL) b
             WHERE n.new <> b.ever
             UNION ALL
             SELECT 'visits differ: ' || a.n || ', ' || b.n || ', ' || c.n || ', ' || d.n
             FROM (SELECT count(*) AS n FROM marts.visit_facts) a
             CROSS JOIN (SELECT coalesce(sum(visits), 0) AS n FROM marts.daily_metrics WHERE store_id = 0) b
             CROSS JOIN (SELECT coalesce(sum(visits), 0) AS n FROM marts.funnel WHERE step = 0) c
             CROSS JOIN (SELECT coalesce(sum(visits), 0) AS n FROM marts.session_outcome) d
             WHERE NOT (a.n = b.n AND b.n = c.n AND c.n = d.n)
             UNION ALL
             SELECT 'the funnel rises on ' || f.day FROM marts.funnel f
             JOIN marts.funnel g ON g.day = f.day AND g.store_id = f.store_id AND g.step = f.step + 1 WHERE g.visits > f.visits
             UNION ALL
             SELECT 'month 0 of cohort ' || c.cohort_month || ' is ' || c.retention FROM marts.cohort_retention c
             WHERE c.month_index = 0 AND c.retention <> 1
             UNION ALL
             SELECT 'equal frequencies, two scores' FROM marts.rfm a JOIN marts.rfm b ON a.frequency = b.frequency AND a.f <> b.f
             UNION ALL
             SELECT 'recurring revenue of ' || m.month || ' does not follow from the month before'
             FROM (SELECT month, sum(mrr) AS closing, sum(delta) AS moved, lag(sum(mrr), 1, 0::numeric) OVER (ORDER BY month) AS opening
                   FROM marts.mrr_movements GROUP BY month) m WHERE m.opening + m.moved <> m.closing",
        )
        .await;
    assert!(broken.is_empty(), "{context}: {broken:#?}");
}

/// A rate that has not begun is added without computing anything anew; an order that is dated then takes it all the same.
#[tokio::test]
async fn a_rate_to_come_reaches_orders_of_the_future_and_nothing_else() {
    let database = Database::ready().await;
    database
        .run("UPDATE ref.setting SET now_override = '2026-03-10 12:00+00'")
        .await;
    let mut owner = Owner::connect(&database.config).await.unwrap();
    let mut meaning = maps();
    owner.write_meaning(&meaning).await.unwrap();
    let mut worker = Worker::start(database.sink("a"), partition("transaction", 0)).await;
    let mut records = vec![put_values(
        Table::Product,
        1,
        &["1", "3", "Product", "-", "Books", "9.50", "GBP", "active", "-"],
    )];
    for (order, day) in [("1", "2026-03-10"), ("2", "2026-03-12"), ("3", "2031-01-01")] {
        let at = format!("{day}T15:00:00");
        records.push(put_values(
            Table::Transaction,
            2,
            &[order, "5", "3", &at, "10.05", "PayPal", "completed"],
        ));
        records.push(put_values(
            Table::TransactionDetail,
            3,
            &[order, order, "1", "1", "9.50"],
        ));
    }
    worker.apply(records).await;
    let mut refresher = refresher(&database).await;
    refresh(&mut refresher).await;
    let amounts =
        "SELECT string_agg(coalesce(amount_rc::text, 'none'), ' ' ORDER BY order_id) FROM marts.order_facts";
    assert_eq!(database.value::<String>(amounts).await, "none none none");
    let rates = meaning.fx_rates.entry("GBP".into()).or_default();
    rates.insert("2026-03-13".parse().unwrap(), Rate("1.3".parse().unwrap()));
    let differ = owner.write_meaning(&meaning).await.unwrap();
    assert_eq!(differ, MapsDiffer::RatesToCome("2026-03-13".parse().unwrap()));
    assert_eq!(refresh(&mut refresher).await, [How::ByKey { marked: 1 }]);
    assert_eq!(database.value::<String>(amounts).await, "none none 13.07");
    equal_their_views(&database, &FACTS, "a rate to come").await;
    equal_their_views(&database, &BY_KEY, "a rate to come").await;
}

/// A mark that is written while a round runs, and is not committed yet, is there for the next (docs: reliability 4.3).
#[tokio::test]
async fn a_mark_that_commits_after_a_round_is_not_lost() {
    let mut database = Database::ready().await;
    let mut worker = Worker::start(database.sink("a"), partition("transaction", 0)).await;
    let mut refresher = refresher(&database).await;
    let order = |status| {
        row(
            Table::Transaction,
            &["1", "5", "3", "2026-03-10T10:00:00", "12.50", "PayPal", status],
        )
    };
    worker
        .apply(vec![put(Table::Transaction, Op::Create, 1, order("pending"))])
        .await;
    refresh(&mut refresher).await;
    // What a worker does that was frozen before its COMMIT.
    let transaction = database.client.transaction().await.unwrap();
    transaction
        .batch_execute(
            "UPDATE staging.transaction SET status = 'completed';
             INSERT INTO ops.dirty_keys VALUES ('transaction', 1)",
        )
        .await
        .unwrap();
    assert_eq!(refresh(&mut refresher).await, []);
    transaction.commit().await.unwrap();
    assert_eq!(refresh(&mut refresher).await, [How::ByKey { marked: 1 }]);
    let revenue: String = database
        .value("SELECT revenue::text FROM marts.daily_metrics WHERE store_id = 3")
        .await;
    assert_eq!(revenue, "12.50");
    assert_eq!(refresher.waiting(10).await.unwrap(), 0);
}

#[tokio::test]
async fn only_one_refresher_works_at_a_time() {
    let database = Database::ready().await;
    let first = refresher(&database).await;
    assert!(MartRefresher::connect(&database.config).await.unwrap().is_none());
    drop(first);
    for _ in 0..100 {
        if MartRefresher::connect(&database.config).await.unwrap().is_some() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the lock did not end with its connection");
}
