//! The indexes of the event log: each is there for a query, and that query uses it on a filled table.

use super::cluster::Database;

/// What is asked, the query, and what its plan must hold. The first three are the queries of the source document; the next
/// ones the same for one store, product or span of time.
const PLANS: [(&str, &str, &str); 9] = [
    (
        "orders and revenue by day",
        "SELECT DATE(timestamp) AS fecha, COUNT(*), SUM(amount), AVG(amount) FROM raw.realtime_events
         WHERE event_type = 'transaction' GROUP BY DATE(timestamp) ORDER BY fecha DESC",
        "Index Only Scan using realtime_events_20260210_event_type_timestamp_amount_idx",
    ),
    (
        "events by store",
        "SELECT customer_id, customer_name, COUNT(*), SUM(CASE WHEN event_type = 'transaction' THEN amount ELSE 0 END) AS gasto_total
         FROM raw.realtime_events WHERE customer_id IS NOT NULL GROUP BY customer_id, customer_name ORDER BY gasto_total DESC",
        // Every row counts: no index helps, and none must be in the way.
        "Seq Scan on realtime_events_20260210",
    ),
    (
        "lines by product",
        "SELECT product_id, product_name, category, COUNT(*), SUM(amount) AS ingresos, AVG(amount) FROM raw.realtime_events
         WHERE event_type = 'transaction_item' GROUP BY product_id, product_name, category ORDER BY ingresos DESC",
        "Index Scan on realtime_events_20260210_event_type_timestamp_amount_idx",
    ),
    (
        "orders and revenue of one day",
        "SELECT COUNT(*), SUM(amount) FROM raw.realtime_events
         WHERE event_type = 'transaction' AND timestamp >= '2026-02-10' AND timestamp < '2026-02-11'",
        "Index Only Scan using realtime_events_20260210_event_type_timestamp_amount_idx",
    ),
    (
        "one store",
        "SELECT customer_id, customer_name, COUNT(*) FROM raw.realtime_events WHERE customer_id = 7 GROUP BY customer_id, customer_name",
        "Index Scan on realtime_events_20260210_customer_id_timestamp_idx",
    ),
    (
        "one product",
        "SELECT COUNT(*), SUM(amount) FROM raw.realtime_events WHERE event_type = 'transaction_item' AND product_id = 7",
        "realtime_events_20260210_product_id_timestamp_idx",
    ),
    (
        "an hour, from whatever came in then",
        "SELECT source_table, COUNT(DISTINCT source_key) FROM raw.realtime_events
         WHERE timestamp >= '2026-03-02 10:00' AND timestamp < '2026-03-02 11:00' GROUP BY source_table",
        "Bitmap Index Scan on realtime_events_20260302_timestamp_idx",
    ),
    (
        "the last minutes",
        "SELECT source_table, COUNT(*) FROM raw.realtime_events WHERE processed_at > '2026-03-02 23:50+00' GROUP BY source_table",
        "Bitmap Index Scan on realtime_events_20260302_processed_at_idx",
    ),
    (
        "the history of a row",
        "SELECT * FROM raw.realtime_events WHERE source_table = 'userbehavior' AND source_key = 77",
        "Index Scan using realtime_events_20260210_source_table_source_key",
    ),
];

/// Thirty days with about two thousand changes each and a busy last one, in the proportions of a shop.
const FILL: &str = "
SELECT ops.ensure_partitions(ARRAY(SELECT d::date FROM generate_series(DATE '2026-02-01', DATE '2026-03-02', '1 day') d));
INSERT INTO raw.realtime_events (
  event_type, \"timestamp\", customer_id, customer_name, product_id, product_name, category, amount, raw_data, processed_at, source,
  source_db, source_table, source_key, op, generation, lsn, committed_at, snapshot, topic, partition, \"offset\")
SELECT
  k.kind, at, 1 + n % 50, 'Store ' || 1 + n % 50, CASE WHEN k.kind <> 'transaction' THEN 1 + n % 700 END, 'Product', 'Books', n % 90, '{}', at AT TIME ZONE 'UTC',
  'kafka_consumer', 'instashop', 'userbehavior', n, 'c', 0, pg_lsn(n::numeric), at AT TIME ZONE 'UTC', false, 'topic', 0, n
FROM generate_series(1, 120000) n
CROSS JOIN LATERAL (SELECT CASE WHEN n <= 58000 THEN TIMESTAMP '2026-02-01' + n * INTERVAL '43 seconds'
  ELSE TIMESTAMP '2026-03-02' + (n - 58000) * INTERVAL '1.39 seconds' END AS at) t
CROSS JOIN LATERAL (SELECT (ARRAY['transaction', 'transaction_item', 'transaction_item', 'search', 'cart_event', 'user_behavior',
  'user_behavior', 'user_behavior', 'user_behavior', 'user_behavior', 'user_behavior', 'user_behavior'])[1 + n % 12] AS kind) k;
ANALYZE raw.realtime_events";

#[tokio::test]
async fn typical_queries_of_the_event_log_use_their_index() {
    let database = Database::ready().await;
    database.run(FILL).await;
    // The whole table is tidy, as autovacuum leaves it: an index alone can answer.
    database.run("VACUUM raw.realtime_events").await;
    for (what, sql, wanted) in PLANS {
        let plan = database
            .list(&format!("EXPLAIN (COSTS OFF) {sql}"))
            .await
            .join("\n");
        assert!(plan.contains(wanted), "{what} does not use {wanted}:\n{plan}");
    }
}
