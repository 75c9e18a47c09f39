use std::collections::BTreeSet;
use std::path::Path;

use super::page::anchor;
use super::*;

/// Every id of docs: kpis 1.1 to 1.5, in its order; then those that other sections name: the proof (3, tab 0) and the
/// event ratio (D19).
const IDS: [&str; 97] = [
    // 1.1
    "revenue_total",
    "revenue_today",
    "revenue_30d",
    "net_revenue",
    "gross_sales",
    "discounts",
    "aov",
    "orders",
    "attempts",
    "pending",
    "failed",
    "max_order",
    "min_order",
    "growth_rate",
    "gmv",
    "commission",
    "sales_by_category",
    "payment_mix",
    "payment_success",
    "revenue_at_risk",
    "last_paid_age",
    "gmv_concentration",
    "sales_trend",
    "temporal_pattern",
    "sales_by_region",
    "top_products",
    "product_performance",
    "product_views",
    "product_conversion",
    "stock_vs_sold",
    "top_stores",
    "top_buyers",
    // 1.2
    "active_stores",
    "active_buyers",
    "unique_buyers_today",
    "totals",
    "new_buyers",
    "returning_buyers",
    "retention_rate",
    "cohorts",
    "clv_historic",
    "clv_12m",
    "ltv_store",
    "plan_mix",
    "mrr",
    "mrr_movements",
    "churn_stores",
    "churn_buyers",
    "new_stores",
    "new_users",
    "segments_crm",
    "rfm",
    "buyer_profile",
    "journey",
    "crm_interactions",
    // 1.3
    "events_by_type",
    "total_events",
    "visits",
    "visitors",
    "visitors_now",
    "page_views",
    "bounce_rate",
    "avg_time",
    "outcomes",
    "conversion_rate",
    "funnel",
    "add_to_cart_rate",
    "cart_abandonment",
    "checkout_completion",
    "search",
    "store_funnel",
    "live_carts",
    // 1.4
    "stock_status",
    "critical_products",
    "turnover",
    "days_of_stock",
    "dead_stock",
    "movements",
    "shrinkage_check",
    "warehouses",
    "abc",
    "demand_forecast",
    "shipments",
    "on_time_rate",
    "transit_time",
    // 1.5
    "throughput",
    "e2e_latency",
    "lag",
    "service_state",
    "uptime",
    "api_latency",
    "error_rate",
    "slow_queries",
    "capacity",
    "data_quality",
    // named elsewhere
    "drift",
    "events_ratio",
];

fn texts(metric: &Metric) -> Vec<Text> {
    let mut texts = vec![metric.name, metric.what];
    match metric.formula {
        Formula::Words(text) => texts.push(text),
        Formula::Ratio {
            numerator,
            denominator,
        } => texts.extend([numerator, denominator]),
    }
    texts.extend(metric.notes);
    texts
}

#[test]
fn the_catalogue_holds_exactly_the_ids_of_the_contract() {
    let listed = BTreeSet::from(IDS);
    let held: BTreeSet<&str> = Metric::all().map(|metric| metric.id).collect();
    assert_eq!(
        listed.difference(&held).collect::<Vec<_>>(),
        Vec::<&&str>::new(),
        "missing"
    );
    assert_eq!(
        held.difference(&listed).collect::<Vec<_>>(),
        Vec::<&&str>::new(),
        "not in the contract"
    );
    assert_eq!(listed.len(), IDS.len());
    assert_eq!(Metric::all().count(), IDS.len(), "an id stands twice");
}

#[test]
fn ids_are_well_formed_and_lead_to_their_metric() {
    for metric in Metric::all() {
        let id = metric.id;
        let ordinary = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
        assert!(
            id.chars().all(ordinary) && id.starts_with(|letter: char| letter.is_ascii_lowercase()),
            "{id}"
        );
        assert!(!id.ends_with('_') && !id.contains("__"), "{id}");
        assert_eq!(Metric::by_id(id), Some(metric));
    }
    assert_eq!(Metric::by_id("Revenue"), None);
    assert_eq!(Metric::by_id(""), None);
}

#[test]
fn every_metric_is_in_one_group_and_every_group_has_some() {
    let grouped: usize = Group::ALL.into_iter().map(|group| group.metrics().count()).sum();
    assert_eq!(grouped, Metric::all().count());
    assert!(
        Group::ALL
            .into_iter()
            .all(|group| group.metrics().next().is_some())
    );
}

#[test]
fn every_text_is_there_in_both_languages() {
    for metric in Metric::all() {
        for text in texts(metric) {
            for words in [text.en, text.es] {
                assert!(
                    !words.is_empty() && words == words.trim(),
                    "{}: {words:?}",
                    metric.id
                );
            }
            let same = text.en == text.es;
            assert!(!same, "{}: not translated: {}", metric.id, text.en);
        }
        for sentence in std::iter::once(metric.what).chain(metric.notes.iter().copied()) {
            assert!(
                sentence.en.ends_with('.') && sentence.es.ends_with('.'),
                "{}: {sentence:?}",
                metric.id
            );
        }
        for term in metric.terms {
            assert!(!term.words.trim().is_empty(), "{}", metric.id);
        }
    }
}

#[test]
fn names_are_distinct_short_and_never_say_customer_or_cliente() {
    let mut seen = BTreeSet::new();
    for metric in Metric::all() {
        for name in [metric.name.en, metric.name.es] {
            assert!(name.chars().count() <= 40, "{name}");
        }
        assert!(seen.insert(("en", metric.name.en)), "{}", metric.name.en);
        assert!(seen.insert(("es", metric.name.es)), "{}", metric.name.es);
        let own_words = texts(metric).into_iter().flat_map(|text| [text.en, text.es]);
        for words in own_words {
            // `Top Customers` is quoted where two readings of it are told apart.
            let words = words.replace("Top Customers", "").to_lowercase();
            assert!(
                !words.contains("customer") && !words.contains("cliente"),
                "{}: {words}",
                metric.id
            );
        }
    }
}

#[test]
fn a_share_names_its_two_sums_and_has_a_rule_for_small_samples() {
    for metric in Metric::all().filter(|metric| metric.unit == Unit::Percent) {
        assert!(metric.formula.is_ratio(), "{}", metric.id);
        // How full a disk is depends on no sample.
        let measured = metric.id == "capacity";
        assert_eq!(metric.small == SmallSample::Any, measured, "{}", metric.id);
    }
}

#[test]
fn only_money_and_counts_are_added_and_never_a_ratio() {
    for metric in Metric::all() {
        let additive = metric.adds.over_time() || metric.adds.over_stores();
        if additive {
            assert!(
                metric.unit == Unit::Money || metric.unit.is_count(),
                "{}",
                metric.id
            );
            assert!(!metric.formula.is_ratio(), "{}", metric.id);
        }
    }
}

#[test]
fn distinct_counts_of_people_are_never_additive() {
    for id in [
        "active_buyers",
        "unique_buyers_today",
        "returning_buyers",
        "visitors",
        "visitors_now",
    ] {
        assert_eq!(Metric::by_id(id).unwrap().adds, Additivity::Never, "{id}");
    }
}

#[test]
fn freshness_fits_the_place() {
    for metric in Metric::all() {
        match metric.fresh {
            Freshness::Live | Freshness::VisitEnd => {
                assert_ne!(metric.kept, Kept::Warehouse, "{}", metric.id);
            }
            Freshness::Refresh | Freshness::Daily => assert_ne!(metric.kept, Kept::Live, "{}", metric.id),
            Freshness::Probe => assert_eq!(metric.scope, Scope::Platform, "{}", metric.id),
        }
        if metric.trust == Trust::Estimate {
            assert_eq!(metric.fresh, Freshness::Daily, "{}", metric.id);
        }
    }
}

#[test]
fn ids_named_in_a_text_exist() {
    // A name with an underscore in a text is an id, unless it is a value or setting that the source or this product
    // spells that way.
    let others = BTreeSet::from([
        "min_visits",
        "in_progress",
        "realtime_events",
        "website_visit",
        "cart_abandonment",
    ]);
    for metric in Metric::all() {
        for text in texts(metric) {
            for words in [text.en, text.es] {
                let names = words.split(|letter: char| !(letter.is_alphanumeric() || letter == '_'));
                for name in names.filter(|name| name.contains('_') && !others.contains(name)) {
                    assert!(Metric::by_id(name).is_some(), "{}: {name}", metric.id);
                }
            }
        }
    }
}

#[test]
fn a_formula_is_written_with_both_sums() {
    let aov = Metric::by_id("aov").unwrap();
    assert_eq!(aov.formula.en(), "revenue ÷ orders");
    assert_eq!(aov.formula.es(), "ingresos ÷ pedidos");
}

#[test]
fn small_sample_rules_in_words() {
    let of = Unit::Stores;
    assert_eq!(
        SmallSample::Hide { below: 30, of }.en(),
        "not shown for fewer than 30 stores"
    );
    assert_eq!(
        SmallSample::Hide { below: 30, of }.es(),
        "no se muestra con menos de 30 tiendas"
    );
    assert!(SmallSample::Dim.en().contains("fewer than 30") && SmallSample::Dim.es().contains("menos de 30"));
}

#[test]
fn headings_of_the_page_can_be_linked_to() {
    assert_eq!(
        anchor("Retention, month over month"),
        "retention-month-over-month"
    );
    assert_eq!(anchor("Hour-of-week pattern"), "hour-of-week-pattern");
    let page = page();
    let headings: Vec<String> = page
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| anchor(line.trim_start_matches('#').trim()))
        .collect();
    assert_eq!(
        headings.iter().collect::<BTreeSet<_>>().len(),
        headings.len(),
        "two headings are alike"
    );
    for metric in Metric::all() {
        assert!(headings.contains(&anchor(metric.name.en)), "{}", metric.id);
    }
}

#[test]
fn the_page_for_users_is_the_catalogue() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/kpis.md");
    let written = page();
    if std::env::var_os("INSTASHOP_BLESS").is_some_and(|value| value == "1") {
        std::fs::write(&path, &written).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let differs = kept
        .lines()
        .zip(written.lines())
        .position(|(old, new)| old != new);
    assert!(
        kept == written,
        "docs/kpis.md differs from the catalogue (first at line {}); write it again with: \
         INSTASHOP_BLESS=1 cargo test -p instashop-core --lib catalogue",
        differs.unwrap_or(kept.lines().count().min(written.lines().count())) + 1,
    );
}
