//! What the system before this one computed wrong, as far as the warehouse is concerned: one test for each point (docs:
//! kpis 7), and the queries of the source documents on the new tables.

use instashop_core::change::{Op, Record};
use instashop_core::table::Table;
use instashop_store::warehouse::MartRefresher;

use super::cluster::Database;
use super::shop::{Worker, customer, delete, now, partition, product, put, row};

/// A database with marts, and a worker that feeds it.
struct Shop {
    database: Database,
    worker: Worker,
    lsn: u64,
}

impl Shop {
    async fn open() -> Self {
        let database = Database::ready().await;
        database
            .run("UPDATE ref.setting SET tz = 'UTC', now_override = '2026-03-10 12:00+00'")
            .await;
        let worker = Worker::start(database.sink("a"), partition("transaction", 0)).await;
        let mut shop = Self {
            database,
            worker,
            lsn: 0,
        };
        for store in 1..=3 {
            shop.put(Table::Customer, customer(store, &format!("Store {store}"), "Pro"))
                .await;
        }
        for (key, category) in [(1, "Books"), (2, "Toys"), (10_500, "Toys")] {
            shop.put(Table::Product, product(key, &format!("Product {key}"), category))
                .await;
        }
        shop
    }

    async fn apply(&mut self, record: impl FnOnce(u64) -> Record) {
        self.lsn += 1;
        let record = record(self.lsn);
        self.worker.apply(vec![record]).await;
    }

    async fn put(&mut self, table: Table, image: instashop_core::change::Row) {
        self.apply(|lsn| put(table, Op::Create, lsn, image)).await;
    }

    /// An order: key, buyer, store, time of March 2026, amount, status.
    async fn order(&mut self, key: i64, buyer: i64, store: i64, at: &str, amount: &str, status: &str) {
        let [key, buyer, store] = [key, buyer, store].map(|number| number.to_string());
        let at = format!("2026-03-{at}");
        let image = row(
            Table::Transaction,
            &[&key, &buyer, &store, &at, amount, "PayPal", status],
        );
        self.put(Table::Transaction, image).await;
    }

    async fn line(&mut self, key: i64, order: i64, product: i64, quantity: i64, price: &str) {
        let image = super::shop::line(key, order, product, quantity, price);
        self.put(Table::TransactionDetail, image).await;
    }

    /// An event of a buyer at store 1: key, buyer, kind, product, time of March 2026.
    async fn event(&mut self, key: i64, buyer: i64, kind: &str, product: &str, at: &str) {
        let metadata = format!(r#"{{"buyer_id": {buyer}}}"#);
        let at = format!("2026-03-{at}");
        let image = row(
            Table::UserBehavior,
            &[
                &key.to_string(),
                "1",
                kind,
                product,
                "session_1_1",
                &at,
                &metadata,
            ],
        );
        self.put(Table::UserBehavior, image).await;
    }

    async fn refresh(&self) {
        let mut refresher = loop {
            // The lock of the one before ends with its connection.
            if let Some(refresher) = MartRefresher::connect(&self.database.config).await.unwrap() {
                break refresher;
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        };
        while refresher.refresh(now()).await.unwrap().is_some() {}
        refresher.refresh_whole(now()).await.unwrap();
    }

    /// Rows of a query, columns joined by `|`.
    async fn rows(&self, sql: &str) -> Vec<String> {
        let sql = format!(
            "SELECT array_to_string(ARRAY(SELECT coalesce(e.value, 'NULL') FROM json_each_text(row_to_json(q)) e), '|') FROM ({sql}) q"
        );
        // A connection of its own: it has the search path that people have.
        let client = super::cluster::connect(
            &self.database.config,
            &self.database.config.database,
            "dwh",
            "only for this test",
        )
        .await;
        let rows = client
            .query(&sql, &[])
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        rows.iter().map(|row| row.get(0)).collect()
    }
}

/// A day of every class, with lines, by three buyers at two stores.
async fn a_day() -> Shop {
    let mut shop = Shop::open().await;
    shop.order(1, 5, 1, "09T10:00:00", "30.00", "completed").await;
    shop.line(1, 1, 1, 1, "10.00").await;
    shop.line(2, 1, 2, 2, "10.00").await;
    shop.order(2, 5, 1, "09T11:00:00", "12.50", "completed").await;
    shop.line(3, 2, 10_500, 1, "12.50").await;
    shop.order(3, 6, 2, "09T12:00:00", "99.99", "failed").await;
    shop.line(4, 3, 1, 1, "99.99").await;
    shop.order(4, 7, 2, "09T13:00:00", "8.00", "pending").await;
    shop.line(5, 4, 2, 1, "8.00").await;
    shop.order(5, 7, 1, "09T14:00:00", "7.50", "completed").await;
    shop.refresh().await;
    shop
}

#[tokio::test]
async fn original_02_updates_are_not_new_orders_and_a_delete_takes_one_away() {
    let mut shop = Shop::open().await;
    for (hour, status) in [
        (10, "pending"),
        (10, "pending"),
        (10, "completed"),
        (10, "completed"),
    ] {
        shop.order(1, 5, 1, &format!("09T{hour}:00:00"), "30.00", status)
            .await;
    }
    shop.refresh().await;
    let count = "SELECT attempts, orders, revenue FROM marts.daily_metrics WHERE store_id = 0";
    assert_eq!(shop.rows(count).await, ["1|1|30.00"]);
    shop.apply(|lsn| delete(Table::Transaction, 1, lsn)).await;
    shop.refresh().await;
    assert!(shop.rows(count).await.is_empty(), "{:?}", shop.rows(count).await);
}

#[tokio::test]
async fn original_03_failed_and_pending_are_no_revenue() {
    let shop = a_day().await;
    let day = "SELECT attempts, orders, orders_pending, orders_failed, revenue FROM marts.daily_metrics WHERE store_id = 0";
    assert_eq!(shop.rows(day).await, ["5|3|1|1|50.00"]);
}

#[tokio::test]
async fn original_04_buyers_are_people_of_a_day_and_not_stores_of_a_batch() {
    let shop = a_day().await;
    let buyers = "SELECT store_id, buyers, active_stores FROM marts.daily_metrics ORDER BY store_id";
    assert_eq!(shop.rows(buyers).await, ["0|2|1", "1|2|1", "2|0|0"]);
}

#[tokio::test]
async fn original_05_categories_are_those_of_the_products_whatever_their_ids() {
    let shop = a_day().await;
    let categories = "SELECT category, revenue, units FROM marts.sales_by_category ORDER BY category";
    assert_eq!(
        shop.rows(categories).await,
        ["Books|10.00|1", "Toys|32.50|3", "unattributed|7.50|0"]
    );
}

#[tokio::test]
async fn original_07_a_delete_is_kept_and_reading_everything_again_adds_nothing() {
    let mut shop = Shop::open().await;
    shop.order(1, 5, 1, "09T10:00:00", "30.00", "completed").await;
    shop.apply(|lsn| delete(Table::Transaction, 1, lsn)).await;
    let events =
        "SELECT event_type, op FROM raw.realtime_events WHERE source_table = 'transaction' ORDER BY lsn";
    assert_eq!(
        shop.rows(events).await,
        ["transaction|c", "transaction_deleted|d"]
    );
    // A program that starts with a new consumer group reads it all from the beginning.
    shop.lsn -= 2;
    shop.order(1, 5, 1, "09T10:00:00", "30.00", "completed").await;
    shop.apply(|lsn| delete(Table::Transaction, 1, lsn)).await;
    assert_eq!(
        shop.rows(events).await,
        ["transaction|c", "transaction_deleted|d"]
    );
    let current = "SELECT _deleted FROM staging.transaction";
    assert_eq!(shop.rows(current).await, ["true"]);
}

#[tokio::test]
async fn original_08_and_09_every_table_arrives_under_a_type_of_its_own() {
    let mut shop = Shop::open().await;
    let mut expected = Vec::new();
    for table in Table::ALL {
        let mut values = vec!["-"; table.columns().len()];
        values[0] = "77";
        let image = row(table, &values);
        shop.put(table, image).await;
        let kind = match table {
            Table::TransactionDetail => "transaction_item",
            Table::UserBehavior => "user_behavior",
            other => other.name(),
        };
        expected.push(format!("{}|{kind}|1", table.name()));
    }
    expected.sort();
    assert_eq!(expected.len(), 13);
    let found = "SELECT source_table, event_type, count(*) FROM raw.realtime_events WHERE source_key = 77 GROUP BY 1, 2";
    let mut found = shop.rows(found).await;
    found.sort();
    assert_eq!(found, expected);
    for table in Table::ALL {
        let stored = format!(
            "SELECT count(*) FROM staging.{} WHERE {} = 77",
            table.name(),
            table.key()
        );
        assert_eq!(shop.rows(&stored).await, ["1"], "{}", table.name());
    }
}

#[tokio::test]
async fn original_10_time_is_business_time_and_a_visit_is_a_visit() {
    let mut shop = Shop::open().await;
    shop.event(1, 5, "page_view", "-", "09T10:00:00").await;
    shop.event(2, 5, "search", "-", "09T10:10:00").await;
    shop.refresh().await;
    let events = "SELECT \"timestamp\"::text, session_id FROM raw.realtime_events WHERE source_table = 'userbehavior' ORDER BY 1";
    assert_eq!(
        shop.rows(events).await,
        [
            "2026-03-09 10:00:00|session_1_1",
            "2026-03-09 10:10:00|session_1_1"
        ]
    );
    let visits = "SELECT visit, duration_s FROM marts.visit_facts";
    assert_eq!(shop.rows(visits).await, ["b5@1:0.1|600.000000"]);
}

#[tokio::test]
async fn original_13_an_order_counts_once_however_many_lines_it_has() {
    let shop = a_day().await;
    let fan_out = "SELECT sum(t.total_amount), count(*) FROM staging.transaction t JOIN staging.transactiondetail d USING (transaction_id)
                   WHERE t.status = 'completed'";
    assert_eq!(shop.rows(fan_out).await, ["72.50|3"], "what the join gives");
    let day = "SELECT revenue, orders, round(aov, 4) FROM marts.daily_metrics WHERE store_id = 0";
    assert_eq!(shop.rows(day).await, ["50.00|3|16.6667"]);
}

#[tokio::test]
async fn original_14_a_total_is_all_time_and_30_days_are_30_complete_days() {
    let mut shop = a_day().await;
    shop.order(20, 8, 1, "10T01:00:00", "1.00", "completed").await;
    let old = row(
        Table::Transaction,
        &[
            "21",
            "8",
            "1",
            "2025-11-01T10:00:00",
            "1000.00",
            "PayPal",
            "completed",
        ],
    );
    shop.put(Table::Transaction, old).await;
    shop.refresh().await;
    let windows = "SELECT (SELECT revenue_total FROM semantic.kpi_revenue_total WHERE store_id = 0) AS ever,
                     (SELECT revenue_30d FROM semantic.kpi_revenue_30d WHERE store_id = 0) AS last,
                     (SELECT revenue_today FROM semantic.kpi_revenue_today WHERE store_id = 0) AS today,
                     (SELECT since::text || ' ' || until FROM semantic.kpi_revenue_30d WHERE store_id = 0) AS days";
    assert_eq!(
        shop.rows(windows).await,
        ["1051.00|50.00|1.00|2026-02-08 2026-03-09"]
    );
}

#[tokio::test]
async fn original_15_a_store_with_nothing_but_failed_orders_stays_with_zero() {
    let shop = a_day().await;
    let stores = "SELECT store_id, gmv, orders, round(payment_failure_rate, 2) FROM marts.store_scorecard ORDER BY store_id";
    assert_eq!(
        shop.rows(stores).await,
        ["1|50.00|3|0.00", "2|0|0|1.00", "3|0|0|NULL"]
    );
}

#[tokio::test]
async fn original_17_visits_have_an_outcome_and_an_order_belongs_to_its_visit() {
    let mut shop = Shop::open().await;
    // One buyer looks, adds and pays within the gap; one adds and leaves; one is gone at once; one comes back after it.
    for (key, buyer, kind, at) in [
        (1, 5, "page_view", "09T10:00:00"),
        (2, 5, "product_view", "09T10:05:00"),
        (3, 5, "add_to_cart", "09T10:06:00"),
        (4, 6, "product_view", "09T10:00:00"),
        (5, 6, "add_to_cart", "09T10:01:00"),
        (6, 7, "page_view", "09T10:00:00"),
        (7, 7, "page_view", "09T10:31:00"),
        (8, 7, "search", "09T10:32:00"),
        // Still open by the clock of this test.
        (9, 8, "page_view", "10T11:45:00"),
    ] {
        let product = if kind.contains("page") || kind == "search" {
            "-"
        } else {
            "1"
        };
        shop.event(key, buyer, kind, product, at).await;
    }
    shop.order(1, 5, 1, "09T10:20:00", "10.00", "completed").await;
    shop.refresh().await;
    let visits =
        "SELECT actor, outcome, reached, purchases FROM marts.visit_facts ORDER BY actor, started_at";
    assert_eq!(
        shop.rows(visits).await,
        [
            "b5|conversion|5|1",
            "b6|cart_abandonment|3|0",
            "b7|bounce|1|0",
            "b7|browse|1|0",
            "b8|in_progress|1|0"
        ]
    );
    let bounce =
        "SELECT bounced, ended, round(bounce_rate, 2) FROM semantic.kpi_bounce_rate WHERE day = '2026-03-09'";
    assert_eq!(shop.rows(bounce).await, ["1|4|0.25"]);
}

#[tokio::test]
async fn original_18_ratios_without_a_base_are_nothing_and_cohorts_have_a_size() {
    let mut shop = a_day().await;
    let conversion = "SELECT conversion_rate FROM marts.daily_metrics WHERE store_id = 0";
    assert_eq!(shop.rows(conversion).await, ["NULL"], "no visits, no rate");
    let image = row(
        Table::Transaction,
        &[
            "30",
            "5",
            "1",
            "2026-01-15T10:00:00",
            "5.00",
            "PayPal",
            "completed",
        ],
    );
    shop.put(Table::Transaction, image).await;
    shop.refresh().await;
    let cohorts = "SELECT cohort_month, month_index, cohort_size, buyers, retention FROM marts.cohort_retention ORDER BY 1, 2";
    assert_eq!(
        shop.rows(cohorts).await,
        [
            "2026-01-01|0|1|1|1.00000000000000000000",
            "2026-01-01|1|1|0|0.00000000000000000000",
            // March runs: not final, and not zero.
            "2026-01-01|2|1|1|NULL",
            "2026-03-01|0|1|1|1.00000000000000000000"
        ]
    );
}

/// `docs/sources`, 003: on realtime_events they count each thing once, by its first image; on current_events they give
/// recognised orders and revenue.
#[tokio::test]
async fn the_queries_of_the_warehouse_document_work_on_events_and_on_current_rows() {
    let mut shop = a_day().await;
    shop.order(2, 5, 1, "09T11:00:00", "12.50", "refunded").await;
    shop.event(1, 5, "page_view", "-", "09T10:00:00").await;
    shop.event(2, 5, "search", "-", "09T10:05:00").await;
    shop.refresh().await;
    let sales = |events: &str| {
        format!(
            "SELECT DATE(timestamp) as fecha, COUNT(*) as total_transacciones, SUM(amount) as ingresos_totales,
                    AVG(amount)::numeric(12,2) as ticket_promedio
             FROM {events} WHERE event_type = 'transaction' GROUP BY DATE(timestamp) ORDER BY fecha DESC"
        )
    };
    assert_eq!(
        shop.rows(&sales("realtime_events")).await,
        ["2026-03-09|5|157.99|31.60"]
    );
    assert_eq!(
        shop.rows(&sales("current_events")).await,
        ["2026-03-09|3|50.00|16.67"]
    );
    let stores = |events: &str| {
        format!(
            "SELECT customer_id, customer_name, COUNT(*) as total_eventos,
                    COUNT(CASE WHEN event_type = 'transaction' THEN 1 END) as transacciones,
                    SUM(CASE WHEN event_type = 'transaction' THEN amount ELSE 0 END) as gasto_total
             FROM {events} WHERE customer_id IS NOT NULL GROUP BY customer_id, customer_name ORDER BY gasto_total DESC"
        )
    };
    assert_eq!(
        shop.rows(&stores("current_events")).await,
        ["1|Store 1|8|3|50.00"]
    );
    shop.rows(&stores("realtime_events")).await;
    let products = |events: &str| {
        format!(
            "SELECT product_id, product_name, category, COUNT(*) as veces_vendido, SUM(amount) as ingresos_generados,
                    AVG(amount)::numeric(12,2) as precio_promedio
             FROM {events} WHERE event_type = 'transaction_item'
             GROUP BY product_id, product_name, category ORDER BY ingresos_generados DESC, product_id"
        )
    };
    assert_eq!(
        shop.rows(&products("current_events")).await,
        [
            "2|Product 2|Toys|1|20.00|20.00",
            "10500|Product 10500|Toys|1|12.50|12.50",
            "1|Product 1|Books|1|10.00|10.00"
        ]
    );
    let items = shop.rows(&products("realtime_events")).await;
    assert_eq!(
        items.len(),
        3,
        "lines of failed and pending orders too: {items:?}"
    );
    let sessions = "SELECT outcome, COUNT(*) as total_sesiones,
        AVG(EXTRACT(EPOCH FROM (timestamp - (session_data->>'start_time')::timestamp)))::numeric(12,2) as duracion_promedio
        FROM customer_sessions GROUP BY outcome";
    assert_eq!(shop.rows(sessions).await, ["conversion|1|300.00"]);
}

/// `docs/sources`, 004: the ClickHouse queries in PostgreSQL, with orders that are delivered as those that are recognised,
/// against the marts that answer the same questions.
#[tokio::test]
async fn the_queries_of_the_tiendi_document_agree_with_the_marts() {
    let mut shop = a_day().await;
    for (key, buyer, kind) in [
        (1, 5, "product_view"),
        (2, 5, "add_to_cart"),
        (3, 6, "product_view"),
        (4, 7, "page_view"),
    ] {
        let product = if kind == "page_view" { "-" } else { "1" };
        shop.event(key, buyer, kind, product, "09T09:55:00").await;
    }
    shop.refresh().await;
    let best = "SELECT p.name as product_name, s.name as store_name, SUM(oi.quantity) as units_sold,
          SUM(oi.quantity * oi.unit_price) as revenue, COUNT(DISTINCT o.transaction_id) as orders
        FROM staging.transaction o JOIN staging.transactiondetail oi ON o.transaction_id = oi.transaction_id
        JOIN staging.product p ON oi.product_id = p.product_id JOIN staging.customer s ON o.customer_id = s.customer_id
        WHERE o.transaction_date >= TIMESTAMP '2026-03-10 12:00' - INTERVAL '30 days' AND o.status = 'completed'
        GROUP BY p.product_id, p.name, s.name ORDER BY revenue DESC LIMIT 100";
    let ours = "SELECT product_name, 'Store 1' AS store_name, units, top_products, orders FROM semantic.kpi_top_products ORDER BY place";
    assert_eq!(shop.rows(best).await, shop.rows(ours).await);

    let cohorts = "SELECT date_trunc('month', first_purchase_date)::date as cohort_month,
          (extract(year FROM age(date_trunc('month', purchase_date), date_trunc('month', first_purchase_date))) * 12
           + extract(month FROM age(date_trunc('month', purchase_date), date_trunc('month', first_purchase_date))))::int as months_since_first,
          COUNT(DISTINCT buyer_id) as users
        FROM (SELECT buyer_id, MIN(transaction_date) OVER (PARTITION BY buyer_id) as first_purchase_date, transaction_date as purchase_date
              FROM staging.transaction WHERE status = 'completed') o
        GROUP BY 1, 2 ORDER BY 1, 2";
    let ours =
        "SELECT cohort_month, month_index, buyers FROM marts.cohort_retention WHERE buyers > 0 ORDER BY 1, 2";
    assert_eq!(shop.rows(cohorts).await, shop.rows(ours).await);

    let daily = "SELECT store_id, timestamp::date as date, count(*) FILTER (WHERE kind = 'product_view') as product_views,
          count(*) FILTER (WHERE kind = 'purchase') as purchases, coalesce(sum(total) FILTER (WHERE kind = 'purchase'), 0) as revenue
        FROM (SELECT customer_id AS store_id, \"timestamp\", event_type AS kind, NULL::numeric AS total FROM staging.userbehavior
              UNION ALL SELECT customer_id, transaction_date, 'purchase', total_amount FROM staging.transaction WHERE status = 'completed') events
        GROUP BY store_id, date ORDER BY 1, 2";
    let ours = "SELECT m.store_id, m.day, coalesce(sum(e.events_by_type), 0) AS product_views, m.orders, m.revenue
        FROM marts.daily_metrics m
        LEFT JOIN semantic.kpi_events_by_type e ON e.day = m.day AND e.store_id = m.store_id AND e.event_type = 'product_view'
        WHERE m.store_id <> 0 AND (m.orders > 0 OR m.visits > 0) GROUP BY m.store_id, m.day, m.orders, m.revenue ORDER BY 1, 2";
    assert_eq!(shop.rows(daily).await, shop.rows(ours).await);

    // Visits instead of events, and no number below a hundred visits (D19, D20).
    let funnel =
        "SELECT store_id, visits, viewed, added, purchased, store_funnel FROM semantic.kpi_store_funnel";
    assert_eq!(shop.rows(funnel).await, ["1|3|2|1|1|NULL"]);
}
