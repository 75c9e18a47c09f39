//! Every answer of the commit script, generations, and the tape, on a real Redis.

use instashop_core::batch::{Batch, Outcome};
use instashop_core::checkpoint::{Answer, Owned, Step};
use instashop_core::config::Meaning;
use instashop_core::table::Table;
use instashop_store::live::{LiveReader, LiveSink};
use instashop_store::{Kind, Sink};

use crate::changes::{Desk, change, line, noon, order, order_with, partition, product, search, step, stock};
use crate::server::Server;

const ORDERS: &str = "transaction";

async fn sink(server: &Server) -> LiveSink {
    LiveSink::new(&server.config(), &Meaning::default())
}

/// The script decides as the truth table in core does.
#[tokio::test]
async fn the_script_answers_like_the_truth_table() {
    let server = Server::start(&[]).await;
    let mut desk = Desk::open(sink(&server).await, &[ORDERS]).await;
    // Epoch 3, checkpoint 10.
    for _ in 0..2 {
        desk.sink.recover(&[partition(ORDERS)], noon()).await.unwrap();
    }
    let to_ten = Batch {
        steps: vec![step(ORDERS, 3, 0, 10)],
        records: Vec::new(),
    };
    assert!(matches!(
        desk.sink.apply(&to_ten, noon()).await.unwrap(),
        Outcome::Applied(_)
    ));
    let stored = Some(Owned {
        epoch: 3,
        checkpoint: 10,
    });
    let cases: [Step; 9] = [
        step(ORDERS, 2, 10, 20),
        step(ORDERS, 3, 12, 20),
        step(ORDERS, 3, 12, 12),
        step(ORDERS, 3, 0, 10),
        step(ORDERS, 3, 0, 9),
        step(ORDERS, 3, 9, 11),
        step(ORDERS, 3, 9, 100),
        step(ORDERS, 3, 10, 10),
        step("unknown", 3, 0, 1),
    ];
    for case in cases {
        let expected = if case.partition.topic == ORDERS {
            Answer::of(stored, &case)
        } else {
            Answer::Empty
        };
        let batch = Batch {
            steps: vec![case.clone()],
            records: Vec::new(),
        };
        let outcome = desk.sink.apply(&batch, noon()).await.unwrap();
        match expected {
            Answer::Clean => assert!(matches!(outcome, Outcome::Applied(_)), "{case:?}: {outcome:?}"),
            _ => assert_eq!(
                outcome,
                Outcome::Refused(vec![(case.partition.clone(), expected)]),
                "{case:?}"
            ),
        }
    }
}

#[tokio::test]
async fn one_unclean_partition_refuses_the_whole_batch_and_only_unclean_ones_are_named() {
    let server = Server::start(&[]).await;
    let topics = [ORDERS, "transactiondetail", "product"];
    let mut desk = Desk::open(sink(&server).await, &topics).await;
    let mut batch = desk.batch(ORDERS, vec![order(1, 10, 500)]);
    batch.steps.push(step("transactiondetail", 1, 7, 8));
    batch.steps.push(step("product", 1, 0, 0));
    let outcome = desk.sink.apply(&batch, noon()).await.unwrap();
    let refused = vec![(partition("transactiondetail"), Answer::Behind(0))];
    assert_eq!(outcome, Outcome::Refused(refused));
    let mut reader = LiveReader::connect(&server.config(), &Meaning::default())
        .await
        .unwrap();
    assert_eq!(
        reader.dump().await.unwrap().figures.len(),
        0,
        "nothing was written"
    );
    // Without the refused partition the rest goes through.
    let rest = batch.without(&[partition("transactiondetail")]);
    let outcome = desk.sink.apply(&rest, noon()).await.unwrap();
    assert!(matches!(outcome, Outcome::Applied(tally) if tally.applied == 1));
}

#[tokio::test]
async fn pitfall_20_a_zombie_is_fenced_and_its_batch_changes_nothing() {
    let server = Server::start(&[]).await;
    let mut zombie = Desk::open(sink(&server).await, &[ORDERS]).await;
    let mut owner = Desk::open(sink(&server).await, &[ORDERS]).await;
    owner.apply(ORDERS, vec![order(1, 10, 500)]).await;
    let batch = zombie.batch(ORDERS, vec![order(1, 10, 500)]);
    let outcome = zombie.sink.apply(&batch, noon()).await.unwrap();
    assert_eq!(
        outcome,
        Outcome::Refused(vec![(partition(ORDERS), Answer::Fenced(2))])
    );
}

#[tokio::test]
async fn scripts_are_loaded_again_when_redis_forgot_them() {
    let server = Server::start(&[]).await;
    let mut desk = Desk::open(sink(&server).await, &[ORDERS]).await;
    let mut admin = server.admin().await;
    redis::cmd("SCRIPT")
        .arg("FLUSH")
        .exec_async(&mut admin)
        .await
        .unwrap();
    desk.apply(ORDERS, vec![order(1, 10, 500)]).await;
}

#[tokio::test]
async fn an_emptied_redis_gets_one_new_generation_for_all_workers() {
    let server = Server::start(&[]).await;
    let mut first = Desk::open(sink(&server).await, &[ORDERS]).await;
    let mut second = Desk::open(sink(&server).await, &["product"]).await;
    let before = first.sink.generation().unwrap().to_owned();
    assert_eq!(second.sink.generation(), Some(before.as_str()));
    first.apply(ORDERS, vec![order(1, 10, 500)]).await;
    let mut admin = server.admin().await;
    redis::cmd("FLUSHALL").exec_async(&mut admin).await.unwrap();
    for (desk, topic) in [(&mut first, ORDERS), (&mut second, "product")] {
        let idle = desk.batch(topic, Vec::new());
        let outcome = desk.sink.apply(&idle, noon()).await.unwrap();
        assert_eq!(outcome, Outcome::Refused(vec![(partition(topic), Answer::Empty)]));
        let owned = desk.sink.recover(&[partition(topic)], noon()).await.unwrap();
        assert_eq!(owned[0].checkpoint, 0);
    }
    assert_eq!(first.sink.generation(), second.sink.generation());
}

#[tokio::test]
async fn a_rebuild_on_demand_makes_every_worker_begin_anew() {
    let server = Server::start(&[]).await;
    let mut desk = Desk::open(sink(&server).await, &[ORDERS]).await;
    desk.apply(ORDERS, vec![order(1, 10, 500)]).await;
    let before = desk.sink.generation().unwrap().to_owned();
    let mut command = sink(&server).await;
    let started = command.start_anew(noon()).await.unwrap();
    assert_ne!(started, before);
    let idle = desk.batch(ORDERS, Vec::new());
    let outcome = desk.sink.apply(&idle, noon()).await.unwrap();
    assert_eq!(
        outcome,
        Outcome::Refused(vec![(partition(ORDERS), Answer::Empty)])
    );
    desk.sink.recover(&[partition(ORDERS)], noon()).await.unwrap();
    assert_eq!(desk.sink.generation(), Some(started.as_str()));
}

#[tokio::test]
async fn other_maps_start_a_generation_and_a_running_worker_with_old_maps_stops() {
    let server = Server::start(&[]).await;
    let mut old = Desk::open(sink(&server).await, &[ORDERS]).await;
    let mut meaning = Meaning::default();
    meaning.order_status.remove("pending");
    let mut new = LiveSink::new(&server.config(), &meaning);
    new.recover(&[partition(ORDERS)], noon()).await.unwrap();
    let idle = old.batch(ORDERS, Vec::new());
    let outcome = old.sink.apply(&idle, noon()).await.unwrap();
    assert_eq!(
        outcome,
        Outcome::Refused(vec![(partition(ORDERS), Answer::Empty)])
    );
    let error = old.sink.recover(&[partition(ORDERS)], noon()).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Permanent);
    assert!(error.to_string().contains("other maps"), "{error}");
}

#[tokio::test]
async fn the_older_build_does_not_touch_the_totals_of_a_newer_one() {
    let server = Server::start(&[]).await;
    let mut admin = server.admin().await;
    redis::cmd("HSET")
        .arg("live:meta")
        .arg(&["gen", "7", "ver", "999.ffff"])
        .exec_async(&mut admin)
        .await
        .unwrap();
    let error = sink(&server)
        .await
        .recover(&[partition(ORDERS)], noon())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), Kind::Permanent);
    assert!(error.to_string().contains("older build"), "{error}");
    let version: String = redis::cmd("HGET")
        .arg("live:meta")
        .arg("ver")
        .query_async(&mut admin)
        .await
        .unwrap();
    assert_eq!(version, "999.ffff");
}

#[tokio::test]
async fn states_changed_between_read_and_write_are_a_conflict() {
    let server = Server::start(&[]).await;
    let mut orders = Desk::open(sink(&server).await, &[ORDERS]).await;
    let mut lines = Desk::open(sink(&server).await, &["transactiondetail"]).await;
    let mut conflicts = 0;
    for round in 0..40_i64 {
        let header = orders.batch(ORDERS, vec![order(round, 10, 1000)]);
        let detail = lines.batch("transactiondetail", vec![line(round, 10, round, 3)]);
        let (one, two) = tokio::join!(
            orders.sink.apply(&header, noon()),
            lines.sink.apply(&detail, noon())
        );
        let mut turn = |outcome: Outcome| match outcome {
            Outcome::Applied(_) => false,
            Outcome::Conflict => {
                conflicts += 1;
                true
            }
            Outcome::Refused(refused) => panic!("{refused:?}"),
        };
        let (again_one, again_two) = (turn(one.unwrap()), turn(two.unwrap()));
        assert!(!(again_one && again_two), "one of two must get through");
        if again_one {
            orders.apply(ORDERS, vec![order(round, 10, 1000)]).await;
        } else {
            orders.steps.get_mut(ORDERS).unwrap().base += 1;
        }
        if again_two {
            lines
                .apply("transactiondetail", vec![line(round, 10, round, 3)])
                .await;
        } else {
            lines.steps.get_mut("transactiondetail").unwrap().base += 1;
        }
    }
    assert!(conflicts > 0, "no conflict was met in 40 rounds");
    let mut reader = LiveReader::connect(&server.config(), &Meaning::default())
        .await
        .unwrap();
    let view = reader.live(noon()).await.unwrap();
    assert_eq!(view.today.revenue_cents, 40_000);
    assert_eq!(view.categories.len(), 1, "{:?}", view.categories);
    assert_eq!(view.products[0].units, 80);
}

#[tokio::test]
async fn the_view_and_the_tape_say_what_happened() {
    let server = Server::start(&[]).await;
    let topics = [ORDERS, "transactiondetail", "product", "stock", "userbehavior"];
    let mut desk = Desk::open(sink(&server).await, &topics).await;
    desk.apply(ORDERS, vec![order(1, 10, 1000), order_with(2, 11, 700, "failed")])
        .await;
    desk.apply("transactiondetail", vec![line(1, 12, 1, 3)]).await;
    desk.apply("product", vec![product(3, 13, "Home")]).await;
    desk.apply("stock", vec![stock(5, 14, 13), stock(5, 15, 11)])
        .await;
    desk.apply("userbehavior", vec![search(1, 16), search(2, 17)])
        .await;
    desk.apply(ORDERS, vec![order_with(1, 18, 1000, "refunded")])
        .await;
    // A replay moves nothing and leaves no trace on the tape.
    desk.apply(
        ORDERS,
        vec![order_with(1, 18, 1000, "refunded"), order(1, 10, 1000)],
    )
    .await;
    let mut reader = LiveReader::connect(&server.config(), &Meaning::default())
        .await
        .unwrap();
    let view = reader.live(noon()).await.unwrap();
    assert_eq!(view.as_of, Some(noon()));
    assert_eq!((view.today.revenue_cents, view.today.orders), (1000, 1));
    assert_eq!(
        (view.today.failed, view.today.reversed, view.buyers_today),
        (1, 1, 1)
    );
    assert_eq!(view.figures.totals, view.today);
    let last = view.minutes.last().unwrap();
    assert_eq!((last.totals.revenue_cents, view.minutes.len()), (1000, 60));
    assert_eq!(view.half_minutes.last().unwrap().totals.revenue_cents, 1000);
    assert_eq!(view.hours.last().unwrap().totals.orders, 1);
    let method = &view.payments[0];
    assert_eq!(
        (method.method.as_str(), method.paid, method.failed),
        ("wire_transfer", 1, 1)
    );
    assert_eq!(view.categories[0].category, "Home");
    let best = &view.products[0];
    assert_eq!(
        (best.name.as_str(), best.category.as_str(), best.units),
        ("product 3", "Home", 2)
    );
    let searches = &view.behaviour[0];
    assert_eq!((searches.events, searches.sessions, searches.actors), (2, 1, 1));
    let tape: Vec<_> = view
        .tape
        .iter()
        .map(|entry| {
            format!(
                "{} {} {} {:?}",
                entry.what, entry.key, entry.state, entry.amount_cents
            )
        })
        .collect();
    assert_eq!(
        tape,
        [
            "refund 1 refunded Some(-1000)",
            "stock 5 13 → 11 None",
            "stock 5 13 None",
            "fail 2 failed Some(700)",
            "order 1 completed Some(1000)",
        ]
    );
    desk.apply(ORDERS, vec![change(Table::Transaction, 1, 30, None)])
        .await;
    let view = reader.live(noon()).await.unwrap();
    assert_eq!(
        (view.today.revenue_cents, view.today.orders, view.buyers_today),
        (0, 0, 0)
    );
    assert_eq!(view.categories, []);
    assert_eq!(view.tape[0].state, "deleted");
    assert_eq!(view.tape.len(), 6);
}
