use super::*;
use crate::view::{DueFact, MethodFact, OddOrder, PartitionHealth, SourceHealth, StockFact, WorkerHealth};

fn now() -> DateTime<Utc> {
    "2026-08-21T17:05:00Z".parse().unwrap()
}

fn ago(minutes: i64) -> DateTime<Utc> {
    now() - TimeDelta::minutes(minutes)
}

fn look(facts: &AlertFacts, flow: Option<&FlowHealth>, seen: &[(&str, i64)]) -> Evaluation {
    let seen = seen
        .iter()
        .map(|(name, minutes)| ((*name).to_owned(), ago(*minutes)))
        .collect();
    evaluate(
        &Inputs {
            facts: Some((facts, Some(ago(0)))),
            flows: [flow, None],
            seen: &seen,
        },
        now(),
    )
}

/// Rule, state, severity, scope and count of each finding.
fn words(evaluation: &Evaluation) -> Vec<String> {
    let word = |finding: &Finding| {
        format!(
            "{} {:?} {:?} {} {}",
            finding.rule.name(),
            finding.state,
            finding.severity,
            finding.scope,
            finding.count
        )
    };
    evaluation.findings.iter().map(word).collect()
}

fn stock(product: &str, available: i64, reorder: Option<i64>, days_milli: Option<i64>) -> StockFact {
    StockFact {
        product: product.into(),
        place: "A".into(),
        available,
        reorder,
        active: true,
        per_day_milli: 1000,
        days_milli,
        ..StockFact::default()
    }
}

fn method(in_a_row: i64, hour: (i64, i64), five: (i64, i64), day: (i64, i64)) -> MethodFact {
    MethodFact {
        method: "wallet".into(),
        hour,
        five,
        day,
        week: (950, 50),
        in_a_row,
        failing_since: Some(ago(12)),
        last_paid_at: Some(ago(12)),
    }
}

/// Name, change of quiet facts, what was seen how many minutes ago, findings.
type Case<'a> = (
    &'a str,
    Box<dyn Fn(&mut AlertFacts)>,
    &'a [(&'a str, i64)],
    &'a [&'a str],
);

#[test]
fn each_rule_finds_its_case_and_nothing_else() {
    let quiet = AlertFacts {
        last_order_at: Some(ago(1)),
        expected: vec![5; 4],
        hours: vec![100_000, 100_000],
        hours_before: vec![vec![100_000, 100_000]; 4],
        conversion: vec![(1000, 30); 20],
        orders: 10_000,
        ..AlertFacts::default()
    };
    let with = |change: &dyn Fn(&mut AlertFacts)| {
        let mut facts = quiet.clone();
        change(&mut facts);
        facts
    };
    let cases: Vec<Case<'_>> = vec![
        ("quiet", Box::new(|_| {}), &[], &[]),
        (
            "nothing left",
            Box::new(|facts| {
                facts.stock = vec![stock("Mate", 0, Some(5), None), stock("Yerba", -1, None, None)];
            }),
            &[],
            &["out_of_stock Firing Critical Mate 2"],
        ),
        (
            "inactive products may be out",
            Box::new(|facts| {
                facts.stock = vec![StockFact {
                    active: false,
                    ..stock("Mate", 0, Some(5), None)
                }];
            }),
            &[],
            &[],
        ),
        (
            "critical for a moment",
            Box::new(|facts| facts.stock = vec![stock("Mate", 5, Some(5), None)]),
            &[("stock_critical:", 1)],
            &["stock_critical Pending Warning Mate 1"],
        ),
        (
            "critical for three minutes",
            Box::new(|facts| facts.stock = vec![stock("Mate", 5, Some(5), None)]),
            &[("stock_critical:", 3)],
            &["stock_critical Firing Warning Mate 1"],
        ),
        (
            "runs out before a delivery",
            Box::new(|facts| facts.stock = vec![stock("Mate", 50, Some(5), Some(6999))]),
            &[("stockout_ahead:", 61)],
            &["stockout_ahead Firing Info Mate 1"],
        ),
        (
            "a delivery comes in time",
            Box::new(|facts| facts.stock = vec![stock("Mate", 50, Some(5), Some(7000))]),
            &[],
            &[],
        ),
        (
            "eight failures in a row",
            Box::new(|facts| facts.methods = vec![method(8, (40, 20), (1, 9), (900, 40))]),
            &[],
            &["method_down Firing Critical wallet 1"],
        ),
        (
            "seven are chance",
            Box::new(|facts| {
                facts.methods = vec![MethodFact {
                    last_paid_at: Some(ago(1)),
                    ..method(7, (40, 5), (1, 2), (900, 40))
                }];
            }),
            &[],
            &[],
        ),
        (
            "many failures in both windows",
            Box::new(|facts| facts.methods = vec![method(0, (60, 40), (6, 9), (900, 40))]),
            &[("payment_failures:wallet", 3)],
            &["payment_failures Firing Critical wallet 1"],
        ),
        (
            "the trouble has stopped",
            Box::new(|facts| facts.methods = vec![method(0, (60, 40), (20, 0), (900, 40))]),
            &[],
            &[],
        ),
        (
            "a small shop over a day",
            Box::new(|facts| facts.methods = vec![method(0, (1, 1), (0, 0), (10, 12))]),
            &[("payment_failures:wallet", 3)],
            &["payment_failures Firing Critical wallet 1"],
        ),
        (
            "no order where fifty are usual",
            Box::new(|facts| {
                facts.last_order_at = Some(ago(15));
                facts.expected = vec![50; 4];
            }),
            &[],
            &["sales_silence Firing Critical  1"],
        ),
        (
            "no order where one is usual",
            Box::new(|facts| {
                facts.last_order_at = Some(ago(15));
                facts.expected = vec![1; 4];
            }),
            &[],
            &[],
        ),
        (
            "two hours far below",
            Box::new(|facts| facts.hours = vec![1_000, 2_000]),
            &[],
            &["revenue_anomaly Firing Critical  1"],
        ),
        (
            "one hour far below",
            Box::new(|facts| facts.hours = vec![1_000, 99_000]),
            &[],
            &[],
        ),
        (
            "an odd order",
            Box::new(|facts| {
                facts.odd = vec![OddOrder {
                    order_id: 7,
                    attempts: 6,
                    failures: 4,
                    ..OddOrder::default()
                }];
            }),
            &[],
            &["suspicious_order Firing Info 7 1"],
        ),
        (
            "quality",
            Box::new(|facts| {
                facts.quality = vec![("unmapped_status".into(), 10), ("dead_letters".into(), 1)];
            }),
            &[("data_quality:dead_letters", 6)],
            &["data_quality Firing Warning dead_letters 1"],
        ),
        (
            "late deliveries",
            Box::new(|facts| {
                let due = |method: &str, on_time, late| DueFact {
                    method: method.into(),
                    on_time,
                    late,
                };
                facts.due = vec![due("slow", 80, 20), due("good", 95, 5), due("few", 1, 9)];
            }),
            &[("overdue:slow", 61)],
            &["overdue Firing Warning slow 1"],
        ),
        (
            "conversion falls",
            Box::new(|facts| facts.conversion[0] = (1000, 10)),
            &[],
            &["conversion_drop Firing Info  1"],
        ),
        (
            "a small day is not judged",
            Box::new(|facts| facts.conversion[0] = (499, 0)),
            &[],
            &[],
        ),
    ];
    for (name, change, seen, expected) in cases {
        let evaluation = look(&with(&change), Some(&FlowHealth::default()), seen);
        assert_eq!(words(&evaluation), expected, "{name}");
    }
}

#[test]
fn stale_or_missing_data_are_unknown_and_never_fine() {
    let facts = AlertFacts {
        stock: vec![stock("Mate", 0, Some(5), None)],
        ..AlertFacts::default()
    };
    let seen = BTreeMap::new();
    let held = |inputs: &Inputs<'_>| {
        let evaluation = evaluate(inputs, now());
        assert!(evaluation.findings.is_empty(), "{:?}", evaluation.findings);
        evaluation.held
    };
    let stale = held(&Inputs {
        facts: Some((&facts, Some(ago(3)))),
        flows: [None, None],
        seen: &seen,
    });
    assert_eq!(stale.len(), Rule::ALL.len(), "{stale:?}");
    assert!(stale.contains(&(Rule::OutOfStock, Held::Stale)));
    assert!(stale.contains(&(Rule::LagTime, Held::NoData)));
    assert!(stale.contains(&(Rule::Resources, Held::NotMeasured)));
    let none = held(&Inputs {
        facts: None,
        flows: [None, None],
        seen: &seen,
    });
    assert!(none.contains(&(Rule::OutOfStock, Held::NoData)));
    let young = look(&AlertFacts::default(), None, &[]).held;
    assert!(young.contains(&(Rule::RevenueAnomaly, Held::TooYoung)));
}

#[test]
fn rules_of_the_pipeline() {
    let partition = |end, minutes| PartitionHealth {
        topic: "erp.public.stock".into(),
        end: Some(end),
        as_of: Some(ago(minutes)),
        ..PartitionHealth::default()
    };
    let flow = |partition: PartitionHealth, seen_at, slot| FlowHealth {
        workers: vec![WorkerHealth {
            worker: "w1".into(),
            seen_at,
            partitions: vec![partition],
            ..WorkerHealth::default()
        }],
        sources: vec![SourceHealth {
            source: "erp_db".into(),
            slot_active: Some(true),
            slot_lag_bytes: Some(slot),
            ..SourceHealth::default()
        }],
        ..FlowHealth::default()
    };
    let facts = AlertFacts::default();
    for (name, flow, expected) in [
        ("nothing waits", flow(partition(0, 30), now(), 0), vec![]),
        (
            "behind",
            flow(partition(5, 2), now(), 0),
            vec!["lag_time Firing Critical erp.public.stock 1"],
        ),
        (
            "gone",
            flow(partition(5, 0), ago(2), 0),
            vec!["stalled Firing Critical w1 1"],
        ),
        (
            "full slot",
            flow(partition(0, 0), now(), 2 << 30),
            vec!["slot_wal Firing Critical erp_db 1"],
        ),
    ] {
        let seen = [("lag_time:erp.public.stock", 5), ("slot_wal:erp_db", 5)];
        assert_eq!(words(&look(&facts, Some(&flow), &seen)), expected, "{name}");
    }
}
