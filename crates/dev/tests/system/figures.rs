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

/// What a shop does to numbers, each in plain SQL at the source.
const EDGE_CASES: [(&str, &str); 17] = [
    ("a refund on another day", "UPDATE transaction SET status = 'refunded' WHERE transaction_id =
       (SELECT min(transaction_id) FROM transaction WHERE status = 'completed' AND transaction_date < now() AT TIME ZONE 'UTC' - INTERVAL '3 days')"),
    ("an order in two currencies", "UPDATE product SET currency = 'ARS' WHERE product_id =
       (SELECT d.product_id FROM transactiondetail d JOIN transactiondetail e ON e.transaction_id = d.transaction_id AND e.product_id > d.product_id LIMIT 1)"),
    ("orders in a currency with a rate, in one without, and in both", "INSERT INTO product (product_id, customer_id, name, category, price, currency)
       SELECT 910000000 + i, min(customer_id), 'Imported ' || i, 'Imports', 10.05, (ARRAY['eur', 'GBP'])[i] FROM customer, generate_series(1, 2) i GROUP BY i;
       INSERT INTO transaction (transaction_id, buyer_id, customer_id, transaction_date, total_amount, payment_method, status)
       SELECT 910000010 + i, min(buyer_id), min(customer_id), now() AT TIME ZONE 'UTC' - INTERVAL '1 day', 20.05 + i, 'PayPal', 'completed'
       FROM transaction, generate_series(1, 3) i GROUP BY i;
       INSERT INTO transactiondetail (transaction_id, product_id, quantity, unit_price)
       VALUES (910000011, 910000001, 1, 10.05), (910000011, 910000001, 2, 5.03), (910000012, 910000002, 2, 10.05),
              (910000013, 910000001, 1, 10.05), (910000013, 910000002, 1, 13.00)"),
    ("a product in another currency after it was sold", "UPDATE product SET currency = 'EUR' WHERE product_id = (SELECT product_id FROM transactiondetail
         WHERE transaction_id < 900000000 GROUP BY product_id ORDER BY count(*) DESC, product_id LIMIT 1)"),
    ("a refund of an order in another currency", "INSERT INTO transaction (transaction_id, buyer_id, customer_id, transaction_date, total_amount, payment_method, status)
       SELECT 910000014, min(buyer_id), 2, now() AT TIME ZONE 'UTC' - INTERVAL '40 days', 99.99, 'PayPal', 'completed' FROM transaction;
       INSERT INTO transactiondetail (transaction_id, product_id, quantity, unit_price) VALUES (910000014, 910000001, 1, 99.99);
       UPDATE transaction SET status = 'refunded' WHERE transaction_id = 910000014"),
    ("a store with another plan", "UPDATE customer SET subscription_plan = 'Enterprise' WHERE customer_id = (SELECT customer_id FROM transaction ORDER BY transaction_id LIMIT 1)"),
    ("a buyer who moves to where nobody knows", "UPDATE buyer SET shipping_address = 'Calle 1, Atlantis, Argentina'
       WHERE buyer_id IN (SELECT buyer_id FROM transaction ORDER BY transaction_id LIMIT 20)"),
    ("a sale without lines", "INSERT INTO transaction (transaction_id, buyer_id, customer_id, transaction_date, total_amount, payment_method, status)
       SELECT 910000001, min(buyer_id), min(customer_id), now() AT TIME ZONE 'UTC', 45.67, 'PayPal', 'completed' FROM transaction"),
    ("a status nobody knows", "UPDATE transaction SET status = 'teleported' WHERE transaction_id = (SELECT max(transaction_id) - 5 FROM transaction WHERE transaction_id < 900000000)"),
    ("a payment method nobody knows", "UPDATE transaction SET payment_method = 'cowries' WHERE transaction_id = (SELECT min(transaction_id) FROM transaction WHERE status = 'completed')"),
    ("a product in another category", "UPDATE product SET category = 'Moved' WHERE product_id IN (SELECT product_id FROM transactiondetail ORDER BY transaction_detail_id LIMIT 3)"),
    ("a deleted order", "DELETE FROM transactiondetail WHERE transaction_id = (SELECT min(transaction_id) + 3 FROM transaction);
       DELETE FROM transaction WHERE transaction_id = (SELECT min(transaction_id) + 3 FROM transaction)"),
    ("a buyer whose first order is deleted", "CREATE TEMP TABLE first AS SELECT DISTINCT ON (buyer_id) transaction_id FROM transaction
         WHERE buyer_id IN (SELECT buyer_id FROM transaction WHERE status = 'completed' GROUP BY buyer_id HAVING count(*) > 2)
         ORDER BY buyer_id, transaction_date LIMIT 5;
       DELETE FROM transactiondetail WHERE transaction_id IN (SELECT transaction_id FROM first);
       DELETE FROM transaction WHERE transaction_id IN (SELECT transaction_id FROM first)"),
    ("a line that moves to another order", "UPDATE transactiondetail SET transaction_id = (SELECT max(transaction_id) FROM transaction WHERE transaction_id < 900000000)
       WHERE transaction_detail_id = (SELECT min(transaction_detail_id) FROM transactiondetail)"),
    ("an order of another buyer and store", "UPDATE transaction SET buyer_id = (SELECT max(buyer_id) FROM buyer), customer_id = (SELECT max(customer_id) FROM customer)
       WHERE transaction_id = (SELECT min(transaction_id) + 10 FROM transaction)"),
    ("a deleted product that was sold", "SET session_replication_role = replica; DELETE FROM product WHERE product_id = (SELECT max(product_id) FROM transactiondetail); RESET session_replication_role"),
    ("a failed payment that is tried again", "INSERT INTO transaction (transaction_id, buyer_id, customer_id, transaction_date, total_amount, payment_method, status)
       SELECT 910000002 + i, min(buyer_id), min(customer_id), now() AT TIME ZONE 'UTC' - INTERVAL '30 minutes' * (2 - i), 33.33, 'PayPal',
         (ARRAY['failed', 'completed'])[i + 1] FROM transaction, generate_series(0, 1) i GROUP BY i"),
];

/// Every metric of the catalogue has one value: in the semantic layer, in Redis where it is kept, and in plain SQL over the
/// sources. A value that is tampered with is found and named, and the daily run puts it right.
#[test]
fn every_metric_is_its_recount_also_after_edge_cases() {
    let bed = bed();
    bed.running();
    let config = bed.config();
    let oracle = Oracle::sales(&config);
    for (what, sql) in EDGE_CASES {
        println!("    {what}");
        oracle.execute(sql);
    }
    let proved = bed.instashop(&["verify", "--kpis", "--format", "json"]);
    assert_eq!(proved.code, 0, "{}\n{}", proved.out, proved.err);
    let proof: serde_json::Value = serde_json::from_str(&proved.out).expect("the proof is JSON");
    let kpis = proof["kpis"].as_array().cloned().unwrap_or_default();
    assert!(kpis.len() >= 60, "{} metrics", kpis.len());
    let of = |metric: &str| {
        kpis.iter()
            .find(|kpi| kpi["metric"] == metric)
            .cloned()
            .unwrap_or_default()
    };
    for metric in [
        "revenue_total",
        "orders",
        "sales_by_category",
        "product_performance",
        "events_by_type",
    ] {
        assert!(
            of(metric)["live_values"].as_i64() > Some(0),
            "{metric}: {}",
            of(metric)
        );
    }
    // The planted cases are there to be seen.
    let warehouse = Oracle::warehouse(&config);
    for (what, sql) in [
        (
            "a sale without lines",
            "SELECT count(*)::text FROM semantic.kpi_data_quality WHERE issue = 'sale_without_lines' AND data_quality > 0",
        ),
        (
            "an unknown status",
            "SELECT count(*)::text FROM semantic.kpi_data_quality WHERE issue = 'unmapped_status' AND data_quality > 0",
        ),
        (
            "two currencies",
            "SELECT count(*)::text FROM semantic.kpi_data_quality WHERE issue = 'mixed_currency' AND data_quality > 0",
        ),
        (
            "sales without a rate",
            "SELECT count(*)::text FROM semantic.kpi_data_quality WHERE issue = 'orders_without_fx' AND data_quality > 0",
        ),
        (
            "a converted sale",
            "SELECT count(*)::text FROM marts.order_facts WHERE currency = 'EUR' AND fx = 1.1 AND amount_rc = round(amount * 1.1, 2)",
        ),
        (
            "an unknown region",
            "SELECT count(*)::text FROM semantic.kpi_sales_by_region WHERE region = 'unknown' AND coverage < 1",
        ),
        (
            "commission by plan",
            "SELECT count(*)::text FROM marts.order_facts WHERE commission_tier = 'enterprise' AND commission = round(amount_rc * 0.0225 + 0.30, 2)",
        ),
        (
            "a reversal on its own day",
            "SELECT count(*)::text FROM marts.order_facts WHERE reversal_day > order_day",
        ),
        (
            "a recovered payment",
            "SELECT sum(failed_recovered)::text FROM marts.payment_methods HAVING sum(failed_recovered) > 0",
        ),
        (
            "the moved category",
            "SELECT count(*)::text FROM marts.sales_by_category WHERE category = 'Moved'",
        ),
    ] {
        let found = warehouse.text(sql);
        assert!(!found.is_empty() && found != "0", "{what} is not in the marts");
    }

    let yesterday = warehouse.text("SELECT (today - 1)::text FROM core.clock");
    warehouse.execute("UPDATE marts.daily_metrics SET revenue = revenue + 0.01 WHERE store_id = 0 AND day = (SELECT today - 1 FROM core.clock)");
    let found = bed.instashop(&["verify", "--kpis", "--no-save"]);
    assert_eq!(found.code, 1, "{}\n{}", found.out, found.err);
    assert!(
        found.out.contains(&format!("{yesterday}/0: source")),
        "{}",
        found.out
    );
    let run = bed
        .instashop(&["etl", "--day", &yesterday, "--format", "json"])
        .good();
    let run: serde_json::Value = serde_json::from_str(&run.out).expect("the run is JSON");
    let repaired: i64 = run[0]["steps"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|step| step["repaired"].as_i64())
        .sum();
    assert_eq!((run[0]["state"].as_str(), repaired), (Some("done"), 1), "{run:#}");
    bed.instashop(&["verify", "--kpis"]).good();
    // A second run of the day changes nothing.
    let again = bed.instashop(&["etl", "--day", &yesterday]).good();
    assert!(
        again.out.contains("done") && again.out.contains(" 0 rows put right"),
        "{}",
        again.out
    );
    let snapshots = warehouse.text(&format!(
        "SELECT count(*)::text FROM marts.kpi_daily WHERE day = '{yesterday}'"
    ));
    assert_ne!(snapshots, "0");
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
            let now = format!("p50 to Redis {live:?} ms, to the warehouse {warehouse:?} ms");
            if now != seen {
                println!("    {now}");
            }
            seen = now;
            live.is_some_and(|live| live < 100) && warehouse.is_some()
        },
    );
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

/// What the simulated shop was told to do to its data is found again by the marts: pairs that are bought together, payments
/// that are tried again, shelves that were empty, days that were not like others. Each has its number of the planted ones.
#[test]
fn z_what_was_planted_is_found_again() {
    let bed = bed();
    // Alone there is nothing to end, and no configuration to say so.
    bed.instashop(&["down"]);
    bed.dev(&["stack", "down", "--remove-data"]).good();
    bed.dev(&["stack", "up"]).good();
    bed.dev(&["simulate", "history", "--days", "120", "--seed", "2025"])
        .good();
    bed.instashop(&["setup"]).good();
    bed.instashop(&["up"]).good();
    bed.instashop(&["verify", "--wait", "180"]).good();
    let config = bed.config();
    let warehouse = Oracle::warehouse(&config);
    let until = warehouse.text("SELECT (today - 1)::text FROM core.clock");
    let from = warehouse.text("SELECT (today - 85)::text FROM core.clock");
    bed.instashop(&["etl", "--from", &from, "--to", &until]).good();

    let truth = std::fs::read_to_string(bed.data().join("simulator-truth.json"))
        .expect("the shop says what it planted");
    let truth: serde_json::Value = serde_json::from_str(&truth).expect("the truth is JSON");
    let list = |name: &str| truth[name].as_array().cloned().unwrap_or_default();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();

    let bundles: Vec<String> = list("bundles")
        .iter()
        .filter_map(|pair| {
            let (one, other) = (pair[0].as_i64()?, pair[1].as_i64()?);
            Some(format!("({}, {})", one.min(other), one.max(other)))
        })
        .collect();
    assert!(bundles.len() > 10, "{bundles:?}");
    let found = warehouse.text(&format!(
        "SELECT count(*)::text FROM (SELECT product_a, product_b FROM marts.product_pairs
           ORDER BY lift * \"both\"::numeric / (\"both\" + 10) DESC LIMIT {}) top
         WHERE (product_a, product_b) IN (VALUES {})",
        bundles.len(),
        bundles.join(", ")
    ));
    println!("    bundles: {found} of {} are the best pairs", bundles.len());
    assert_eq!(found, bundles.len().to_string());

    let recovered = warehouse.text(
        "SELECT round(sum(failed_recovered)::numeric / sum(failed), 3)::text FROM marts.payment_methods",
    );
    println!("    payments: {recovered} of the failed were paid on another try");
    assert!(
        recovered
            .parse::<f64>()
            .is_ok_and(|share| (0.35..0.65).contains(&share)),
        "{recovered}"
    );

    let outs: Vec<String> = list("stock_outs")
        .iter()
        .map(|out| format!("({}, '{}'::timestamptz)", out["product_id"], text(&out["from"])))
        .collect();
    assert!(outs.len() > 50, "{}", outs.len());
    let found = warehouse.text(&format!(
        "WITH levels AS (
           SELECT product_id, movement_date AT TIME ZONE 'UTC' AS at,
             sum(CASE movement_type WHEN 'in' THEN quantity ELSE -quantity END) OVER (PARTITION BY product_id ORDER BY movement_date, movement_id) AS level
           FROM staging.inventorymovement WHERE NOT _deleted)
         SELECT count(*)::text FROM (VALUES {}) o(product_id, since)
         WHERE EXISTS (SELECT 1 FROM levels l WHERE l.product_id = o.product_id AND l.level <= 0
           AND l.at BETWEEN o.since - INTERVAL '2 s' AND o.since + INTERVAL '2 s')",
        outs.join(", ")
    ));
    println!("    stock-outs: {found} of {}", outs.len());
    assert_eq!(found, outs.len().to_string());

    let out_days = warehouse.text("SELECT count(*)::text FROM core.stock_out_days");
    println!("    demand: {out_days} days of products out of stock are missing, not zero");
    assert_ne!(out_days, "0");
    let part = warehouse.text(
        "SELECT round((percentile_cont(0.5) WITHIN GROUP (ORDER BY error / baseline_error))::numeric, 3)::text
         FROM marts.demand_forecast WHERE product_id IS NOT NULL AND baseline_error > 0",
    );
    println!("    demand: forecasts err {part} times as much as repeating the week, in the median");
    assert!(part.parse::<f64>().is_ok_and(|part| part < 0.85), "{part}");

    // Five weeks in, so that there is something to compare with. A gap of an hour or two need not be seen in a day.
    let start = text(&truth["start"]);
    let (mut planted, mut seen) = (0, 0);
    for anomaly in list("anomalies") {
        let (kind, since) = (text(&anomaly["kind"]), text(&anomaly["from"]));
        let until = anomaly["to"].as_str().unwrap_or(&since).to_owned();
        let store = anomaly["store_id"].as_i64().unwrap_or(0);
        let found = warehouse.text(&format!(
            "SELECT CASE WHEN '{since}'::timestamptz < '{start}'::timestamptz + INTERVAL '5 weeks' THEN 'early'
               ELSE coalesce((SELECT string_agg(DISTINCT a.metric, ', ') FROM marts.anomalies a CROSS JOIN core.clock c
                 WHERE a.store_id = {store} AND a.day BETWEEN ('{since}'::timestamptz AT TIME ZONE c.tz)::date AND ('{until}'::timestamptz AT TIME ZONE c.tz)::date), '') END"
        ));
        println!(
            "    {kind} of {since}: {}",
            if found.is_empty() { "not seen" } else { &found }
        );
        if found != "early" {
            planted += 1;
            seen += i32::from(!found.is_empty());
        }
    }
    assert!(
        planted >= 5 && seen * 2 >= planted,
        "{seen} of {planted} anomalies"
    );
    bed.instashop(&["down"]).good();
    bed.dev(&["stack", "down", "--remove-data"]).good();
}
