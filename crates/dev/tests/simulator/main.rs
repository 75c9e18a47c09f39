//! The shop simulator against a real PostgreSQL: what is loaded, what goes on, and what it survives.
//!
//! Each test starts a server of its own with the four source databases in it, so that none needs the stack and all can
//! run at the same time. Without PostgreSQL's programs they fail.
#![cfg(feature = "stack-tests")]

mod bed;

use std::time::{Duration, Instant};

use bed::{Bed, Ran};

/// A small shop, the same every time.
const SMALL: &[&str] = &[
    "simulate",
    "history",
    "--days",
    "10",
    "--stores",
    "4",
    "--buyers",
    "300",
    "--products",
    "60",
    "--orders-per-day",
    "60",
    "--seed",
    "7",
    "--now",
    "2025-09-16T22:50:00Z",
];

/// Every table with its database.
const TABLES: &[(&str, &str)] = &[
    ("instashop", "customer"),
    ("instashop", "buyer"),
    ("instashop", "product"),
    ("instashop", "transaction"),
    ("instashop", "transactiondetail"),
    ("instashop", "userbehavior"),
    ("crm_db", "interaction"),
    ("crm_db", "segment"),
    ("crm_db", "customersegment"),
    ("erp_db", "stock"),
    ("erp_db", "inventorymovement"),
    ("ecommerce_db", "carrier"),
    ("ecommerce_db", "shipment"),
];

/// Number and digest of the rows of every table.
fn contents(bed: &Bed) -> Vec<(String, String, String)> {
    TABLES
        .iter()
        .map(|(database, table)| {
            let text = bed.ask(
                database,
                &format!(
                    "SELECT count(*) || ' ' || md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {table} t"
                ),
            );
            let (count, digest) = text.split_once(' ').expect("two values");
            ((*table).to_owned(), count.to_owned(), digest.to_owned())
        })
        .collect()
}

/// What must hold in any shop, whatever happened to it.
#[track_caller]
fn check(bed: &Bed) {
    let none = |database: &str, question: &str| {
        assert_eq!(bed.ask(database, question), "0", "{question}");
    };
    none(
        "instashop",
        "SELECT count(*) FROM (SELECT o.total_amount, sum(d.quantity * d.unit_price) AS gross FROM transaction o \
         JOIN transactiondetail d USING (transaction_id) GROUP BY o.transaction_id) x WHERE total_amount > gross",
    );
    none(
        "instashop",
        "SELECT count(*) FROM userbehavior u WHERE event_type = 'purchase' AND NOT EXISTS \
         (SELECT FROM transaction o WHERE o.transaction_id = (u.metadata->>'order_id')::bigint \
          AND o.buyer_id = (u.metadata->>'buyer_id')::bigint AND o.customer_id = u.customer_id)",
    );
    none(
        "instashop",
        "SELECT count(*) FROM userbehavior WHERE NOT metadata ? 'buyer_id' OR NOT metadata ? 'region'",
    );
    none(
        "erp_db",
        "SELECT count(*) FROM (SELECT product_id, sum(available_quantity) AS there FROM stock GROUP BY 1) s \
         JOIN (SELECT product_id, sum(CASE movement_type WHEN 'in' THEN quantity ELSE -quantity END) AS moved \
               FROM inventorymovement GROUP BY 1) m USING (product_id) WHERE there <> moved",
    );
}

#[test]
fn a_history_is_loaded_once_and_is_the_same_on_every_server() {
    let (first, second) = (Bed::start(), Bed::start());
    let ran = first.dev(SMALL).good();
    assert!(ran.out.contains("created tables: customer, buyer"), "{}", ran.out);
    second.dev(SMALL).good();
    let rows = contents(&first);
    assert_eq!(rows, contents(&second));
    assert!(
        rows.iter()
            .all(|(table, count, _)| count != "0" && !table.is_empty()),
        "{rows:?}"
    );
    check(&first);
    let truth = first.folder().join("simulator-truth.json");
    assert_eq!(
        std::fs::read_to_string(&truth).expect("the truth was written"),
        std::fs::read_to_string(second.folder().join("simulator-truth.json")).expect("the truth was written")
    );

    let again = first.dev(SMALL).good();
    assert!(again.out.contains("exists already"), "{}", again.out);
    assert_eq!(rows, contents(&first));

    // Another shop in place of this one, with keys that were never used.
    let highest = first.ask("instashop", "SELECT max(transaction_id) FROM transaction");
    let mut other: Vec<&str> = SMALL.to_vec();
    let seed = other.iter().position(|word| *word == "7").expect("the seed");
    other[seed] = "8";
    other.push("--reset");
    first.dev(&other).good();
    check(&first);
    assert_eq!(
        first.ask(
            "instashop",
            &format!("SELECT count(*) FROM transaction WHERE transaction_id <= {highest}")
        ),
        "0"
    );
    let next = first.ask(
        "instashop",
        "SELECT nextval('transaction_transaction_id_seq') > max(transaction_id) FROM transaction",
    );
    assert_eq!(next, "t");
}

/// What stands behind a name in the last line.
#[track_caller]
fn text(ran: &Ran, name: &str) -> String {
    let last = ran.out.lines().last().unwrap_or("");
    let value = last
        .split(' ')
        .find_map(|word| word.strip_prefix(&format!("{name}=")[..]));
    value
        .unwrap_or_else(|| panic!("no {name} in {last:?}\n{}", ran.err))
        .to_owned()
}

/// The number behind a name in the last line.
#[track_caller]
fn figure(ran: &Ran, name: &str) -> i64 {
    text(ran, name).parse().expect("a number")
}

#[test]
fn the_live_shop_keeps_its_rate_and_its_books() {
    let bed = Bed::start();
    bed.dev(SMALL).good();
    let before: i64 = bed
        .ask("instashop", "SELECT count(*) FROM transaction")
        .parse()
        .expect("a number");
    let ran = bed
        .dev(&[
            "simulate",
            "live",
            "--rate",
            "40",
            "--duration",
            "12s",
            "--status-every",
            "2s",
        ])
        .good();
    let (orders, behaviour) = (figure(&ran, "orders"), figure(&ran, "behaviour"));
    // By the rate over the time it took: a busy machine makes the last turn longer.
    let rate: f64 = text(&ran, "rate").parse().expect("a number");
    assert!((38.5..=41.5).contains(&rate), "{}", ran.out);
    let share = orders as f64 / (orders + behaviour) as f64;
    assert!((0.69..=0.71).contains(&share), "{}", ran.out);
    assert_eq!(
        (figure(&ran, "repeated"), figure(&ran, "skipped")),
        (0, 0),
        "{}",
        ran.out
    );
    let placed: i64 = bed
        .ask(
            "instashop",
            &format!("SELECT max(transaction_id) - {before} FROM transaction"),
        )
        .parse()
        .expect("a number");
    assert_eq!(placed, orders, "every order has a key of its own, without gaps");
    let live = "transaction_date > '2025-09-17'";
    let paid = bed.ask(
        "instashop",
        &format!("SELECT count(*) > 20 FROM transaction WHERE {live} AND status = 'completed'"),
    );
    assert_eq!(paid, "t");
    let written = bed.ask(
        "instashop",
        "SELECT count(*) FROM userbehavior WHERE \"timestamp\" > '2025-09-17'",
    );
    assert!(
        (written.parse::<i64>().expect("a number") - behaviour).abs() <= 3,
        "{written}, forgotten rows aside"
    );
    check(&bed);
}

#[test]
fn a_signal_closes_the_shop_in_good_order() {
    let bed = Bed::start();
    bed.dev(SMALL).good();
    let shop = bed.begin(&["simulate", "live", "--rate", "100", "--status-every", "1s"]);
    // Twice: the first line may come before anything is committed.
    shop.wait_for("under way");
    shop.wait_for("under way");
    let asked = Instant::now();
    let ran = shop.stop();
    assert!(asked.elapsed() < Duration::from_secs(10));
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(figure(&ran, "events") > 20, "{}", ran.out);
    check(&bed);
}

#[test]
fn it_survives_a_server_that_restarts_and_a_stranger_who_deletes_and_inserts() {
    let bed = Bed::start();
    bed.dev(SMALL).good();
    let shop = bed.begin(&["simulate", "live", "--rate", "60", "--status-every", "1s"]);
    shop.wait_for("under way");
    for round in 0..8 {
        bed.tell(
            "instashop",
            &format!(
                "BEGIN; \
                 DELETE FROM transactiondetail WHERE transaction_id % 5 = {round} % 5 AND transaction_id > \
                   (SELECT max(transaction_id) - 120 FROM transaction); \
                 DELETE FROM transaction o WHERE transaction_id % 5 = {round} % 5 \
                   AND NOT EXISTS (SELECT FROM transactiondetail d WHERE d.transaction_id = o.transaction_id) \
                   AND transaction_id > (SELECT max(transaction_id) - 120 FROM transaction); \
                 COMMIT"
            ),
        );
        // Keys above everything that is there, past the sequence.
        bed.tell(
            "instashop",
            "INSERT INTO transaction (transaction_id, buyer_id, customer_id, transaction_date, total_amount, \
                                      payment_method, status) \
             SELECT m.top + 30 + g, (SELECT min(buyer_id) FROM transaction), (SELECT min(customer_id) FROM customer), \
                    now() AT TIME ZONE 'UTC', 9.90, 'PayPal', 'completed' \
             FROM (SELECT max(transaction_id) AS top FROM transaction) m, generate_series(1, 10) g",
        );
        bed.tell(
            "instashop",
            "DELETE FROM buyer b WHERE buyer_id % 7 = 3 AND NOT EXISTS (SELECT FROM transaction o WHERE o.buyer_id = b.buyer_id)",
        );
        bed.tell("erp_db", "DELETE FROM stock WHERE stock_id % 40 = 3");
        bed.tell("ecommerce_db", "DELETE FROM shipment WHERE shipment_id % 3 = 0");
        if round == 4 {
            bed.restart();
        }
        shop.wait_for("under way");
    }
    // The line after the one that was on its way: the shop works again.
    shop.wait_for("under way");
    let ran = shop.stop();
    assert_eq!(ran.code, 0, "{}\n{}", ran.out, ran.err);
    assert!(figure(&ran, "events") > 300, "{}", ran.out);
    assert!(figure(&ran, "skipped") > 0, "{}", ran.out);
    assert!(figure(&ran, "repeated") > 0, "{}", ran.out);
}

#[test]
fn it_waits_for_a_shop_that_another_program_fills() {
    let bed = Bed::start();
    let shop = bed.begin(&["simulate", "live", "--rate", "50", "--status-every", "1s"]);
    shop.wait_for("waiting for stores");
    bed.tell(
        "instashop",
        "INSERT INTO customer (name) SELECT 'store ' || g FROM generate_series(1, 3) g; \
         INSERT INTO buyer (name) SELECT 'buyer ' || g FROM generate_series(1, 200) g; \
         INSERT INTO product (customer_id, name, price, status) \
           SELECT customer_id, 'product ' || g, 10, 'active' FROM customer, generate_series(1, 8) g",
    );
    shop.wait_for("the shop is open: 3 stores, 24 products, 200 buyers");
    shop.wait_for("under way");
    shop.wait_for("under way");
    let ran = shop.stop();
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(figure(&ran, "orders") > 30, "{}", ran.out);
}

#[test]
fn a_source_that_is_down_is_named_with_what_to_do() {
    let bed = Bed::start();
    bed.stop();
    let ran = bed.dev(SMALL);
    assert_ne!(ran.code, 0);
    for part in [
        "cannot connect to the source instashop",
        "[sources.instashop]",
        "check",
    ] {
        assert!(ran.err.contains(part), "{part:?} is not in {}", ran.err);
    }
    assert!(!ran.err.contains("secret"), "{}", ran.err);
}
