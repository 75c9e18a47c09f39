//! The semantic layer is the catalogue: one view per metric that the warehouse holds, and no other.

use std::collections::BTreeSet;

use instashop_core::catalogue::{Kept, Metric};
use instashop_store::warehouse::MartRefresher;

use super::cluster::Database;
use super::shop::now;

#[tokio::test]
async fn every_metric_of_the_warehouse_has_a_view_and_every_view_a_metric() {
    let database = Database::ready().await;
    let wanted: BTreeSet<&str> = Metric::all()
        .filter(|metric| metric.kept != Kept::Live)
        .map(|metric| metric.id)
        .collect();
    let views = database
        .list(
            "SELECT substr(c.relname, 5) FROM pg_class c
             WHERE c.relnamespace = 'semantic'::regnamespace AND c.relname LIKE 'kpi\\_%'",
        )
        .await;
    let views: BTreeSet<&str> = views.iter().map(String::as_str).collect();
    let missing: Vec<_> = wanted.difference(&views).collect();
    let unknown: Vec<_> = views.difference(&wanted).collect();
    assert!(
        missing.is_empty() && unknown.is_empty(),
        "without a view: {missing:?}; without a metric: {unknown:?}"
    );
    for id in wanted {
        let has: bool = database
            .value(&format!(
                "SELECT EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = 'semantic.kpi_{id}'::regclass AND attname = '{id}')"
            ))
            .await;
        assert!(has, "semantic.kpi_{id} has no column {id}");
        let comment: Option<String> = database
            .value(&format!("SELECT obj_description('semantic.kpi_{id}'::regclass)"))
            .await;
        assert!(
            comment.is_some_and(|text| text.starts_with("grain: ")),
            "semantic.kpi_{id} does not state its grain"
        );
    }
}

#[tokio::test]
async fn every_view_answers_on_an_empty_warehouse() {
    let database = Database::ready().await;
    let mut refresher = MartRefresher::connect(&database.config).await.unwrap().unwrap();
    refresher.rebuild(now()).await.unwrap();
    let views = database
        .list(
            "SELECT c.oid::regclass::text FROM pg_class c
             WHERE c.relnamespace IN ('semantic'::regnamespace, 'marts'::regnamespace, 'core'::regnamespace) AND c.relkind = 'v'",
        )
        .await;
    assert!(views.len() > 100, "{}", views.len());
    for view in views {
        let _: i64 = database.value(&format!("SELECT count(*) FROM {view}")).await;
    }
}

#[tokio::test]
async fn headline_numbers_bear_the_ids_of_the_catalogue() {
    let database = Database::ready().await;
    let names = database
        .list(
            "SELECT DISTINCT m[1] FROM regexp_matches(pg_get_viewdef('marts.kpi_daily_v'), '\\(''([a-z_0-9]+)''', 'g') m",
        )
        .await;
    assert!(names.len() > 15, "{names:?}");
    for name in names {
        assert!(
            Metric::all().any(|metric| metric.id == name),
            "{name} is no metric"
        );
    }
}
