//! Every figure equal to SQL over the sources, at rest and while the shop runs.

use std::time::Duration;

use crate::bed::{bed, eventually};
use crate::oracle::Oracle;

/// The metric of a dashboard printed as JSON.
fn metric(board: &serde_json::Value, id: &str) -> String {
    let metrics = board["metrics"].as_array().cloned().unwrap_or_default();
    let found = metrics.into_iter().find(|metric| metric["id"] == id);
    match found.map(|metric| metric["value"].clone()) {
        Some(serde_json::Value::String(text)) => text,
        Some(other) => other.to_string(),
        None => String::new(),
    }
}

#[test]
fn a_fresh_start_ends_in_live_numbers_equal_to_sql() {
    let bed = bed();
    bed.running();
    bed.proved();
    let config = bed.config();
    let oracle = Oracle::sales(&config);
    // The board may have been read a moment before the last change: ask until both agree, within a bound.
    let mut last = String::new();
    eventually(
        "the dashboard equals SQL over the sources",
        Duration::from_secs(30),
        || {
            let (revenue, orders) = oracle.today(&config.meaning.zone);
            let board = bed.run("instashop-tui", &["--once", "--tab", "live", "--format", "json"]);
            let board: serde_json::Value = serde_json::from_str(&board.out).expect("the board is JSON");
            last = format!("{revenue} {orders} against {board:#}");
            metric(&board, "revenue_today") == revenue && metric(&board, "orders") == orders.to_string()
        },
    );
    println!("{last}");
}

#[test]
fn drift_is_zero_while_the_shop_runs_with_updates_refunds_and_deletes() {
    let bed = bed();
    bed.running();
    let shop = bed.shop("60");
    let oracle = Oracle::sales(&bed.config());
    let seen = |table: &str, kind: &str| {
        oracle.text(&format!(
            "SELECT {kind}::text FROM pg_stat_user_tables WHERE relname = '{table}'"
        ))
    };
    let before: i64 = seen("transaction", "n_tup_upd").parse().unwrap_or(0);
    for round in 0..3 {
        println!("    round {round}");
        bed.proved();
    }
    eventually(
        "the shop updated orders meanwhile",
        Duration::from_mins(1),
        || seen("transaction", "n_tup_upd").parse::<i64>().unwrap_or(0) > before,
    );
    drop(shop);
    bed.proved();
}

/// The System tab says how long a commit takes to either store, as the flows measured it.
#[test]
fn a_commit_reaches_redis_in_under_100_ms_at_p50() {
    let bed = bed();
    bed.running();
    let shop = bed.shop("10");
    let mut seen = String::new();
    eventually(
        "the dashboard shows both latencies, that to Redis under 100 ms",
        Duration::from_secs(90),
        || {
            let arguments = ["--once", "--tab", "system", "--format", "json"];
            let board: serde_json::Value =
                serde_json::from_str(&bed.run("instashop-tui", &arguments).out).expect("the board is JSON");
            let p50 = |flow: &str| board["pipeline"][flow]["p50_ms"].as_u64();
            let (live, warehouse) = (p50("live"), p50("warehouse"));
            seen = format!("p50 to Redis {live:?} ms, to the warehouse {warehouse:?} ms");
            live.is_some_and(|live| live < 100) && warehouse.is_some()
        },
    );
    println!("    {seen}");
    drop(shop);
}

#[test]
fn a_shop_filled_by_another_program_shows_up() {
    let bed = bed();
    bed.running();
    let config = bed.config();
    let oracle = Oracle::sales(&config);
    // Rows as another program writes them: odd case and blanks in texts, NULLs where the schema allows them, a line
    // before its header, a column of its own, an order that changes hands and one that goes away.
    oracle.execute(
        "ALTER TABLE transaction ADD COLUMN IF NOT EXISTS origin text;
         INSERT INTO customer (name, subscription_plan) VALUES ('Tienda Ñandú', 'Gold');
         INSERT INTO buyer (name) VALUES (NULL), ('José \u{202e} Pérez');
         INSERT INTO product (customer_id, name, category, price, currency)
           SELECT max(customer_id), 'Mate de calabaza', '  ', 10.10, 'USD' FROM customer;
         INSERT INTO transaction (buyer_id, customer_id, transaction_date, total_amount, payment_method, status, origin)
           SELECT (SELECT max(buyer_id) FROM buyer), (SELECT max(customer_id) FROM customer),
                  now() AT TIME ZONE 'UTC', amount, method, status, 'import'
           FROM (VALUES (99.99, ' PAYPAL ', ' Completed '), (0.01, NULL, 'COMPLETED'), (-5.00, 'Wire', 'refunded'),
                        (12.34, 'Bitcoin', 'completed'), (1.00, 'Wire Transfer', 'lost'), (7.77, 'PayPal', 'completed'))
                AS t (amount, method, status);
         INSERT INTO transactiondetail (transaction_id, product_id, quantity, unit_price)
           SELECT t.transaction_id, p.product_id, n, 3.33
           FROM transaction t, (SELECT max(product_id) AS product_id FROM product) p, generate_series(1, 3) n
           WHERE t.origin = 'import' AND t.total_amount <> 12.34;
         UPDATE transaction SET status = 'refunded' WHERE origin = 'import' AND total_amount = 7.77;
         DELETE FROM transactiondetail WHERE transaction_id IN
           (SELECT transaction_id FROM transaction WHERE origin = 'import' AND total_amount = 1.00);
         DELETE FROM transaction WHERE origin = 'import' AND total_amount = 1.00;
         UPDATE product SET category = 'Mates' WHERE name = 'Mate de calabaza';",
    );
    bed.proved();
}
