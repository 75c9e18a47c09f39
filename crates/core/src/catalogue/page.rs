//! The catalogue as a page for users: `docs/kpis.md`.

use super::{Group, Metric, Term, Trust, Unit};

const HEAD: &str = "\
# The numbers and what they mean

<!-- Written from the catalogue in crates/core/src/catalogue; a test compares the two and says how to write it again. -->

Every number of InstaShop Analytics is defined here once; screens, API, reports and alerts use these definitions and these ids. A
number is defined before it is built: [the dashboard](dashboard.md) says what is on the screens, and the last part of the
[changelog](../CHANGELOG.md) what this version does not do yet.

## What holds for all of them

- **Store and buyer.** A store is a merchant who sells through the platform and pays for a plan; a buyer is a person who orders there.
- **Paid orders.** A sale is an order that was recognised: paid in InstaShop, delivered in Tiendi. It stays a sale when it is reversed
  later; the reversal is a negative amount on its own day. Pending, failed and cancelled orders are never revenue. An order whose
  status is not known is left out and counted as data quality.
- **Money** is exact to the cent, in the reporting currency. An amount without an exchange rate is left out and counted, never taken
  as zero.
- **Days** are cut in the reporting zone; the last 30 days are the 30 complete days before today. An order counts on the day it was
  placed, however late it is seen or changed.
- **Comparisons.** A day that still runs is compared with the same weekday of last week up to the same clock time. Without an honest
  base nothing is shown.
- **Ratios** keep the two sums they are made of, and are divided when read. Nothing to divide by gives `—`, never 0 or 100 %;
  a share with fewer than 30 behind it is dim and says its `n`, also where it stands beside a count.
- **Adding up.** Each number says whether its days or stores may be added. Distinct counts, ratios, medians and extremes may not: the
  buyers of a week are not the sum of its days.
- **Exact.** A number equals a recount of the source, unless its line Trust says otherwise.
- **Where it is kept.** Live totals (● on the screens) follow the stream; the warehouse (◆) keeps the history. `~` marks a number that
  is modelled because events do not name their buyer, `≈` one that is approximate.
";

/// Head of the list that opens a group.
const TABLE: &str = "| number | id | in Spanish | unit |\n|---|---|---|---|\n";

/// The whole page, in English with the Spanish names, in Markdown.
pub fn page() -> String {
    let part = |group: Group| {
        let metrics: Vec<&Metric> = group.metrics().collect();
        let rows: String = metrics.iter().map(|metric| row(metric)).collect();
        let sections: String = metrics.iter().map(|metric| section(metric)).collect();
        format!(
            "\n## {}\n\n{}\n\n{TABLE}{rows}{sections}",
            group.name().en,
            intro(group)
        )
    };
    HEAD.to_owned() + &Group::ALL.map(part).concat()
}

const fn intro(group: Group) -> &'static str {
    match group {
        Group::Sales => {
            "What was sold, to whom, how it was paid and what the platform earned. Revenue is the sum of paid orders; what\nis pending, failed or taken back stands beside it and never inside."
        }
        Group::Buyers => {
            "Who sells and who buys: how many are active, new and coming back, and what subscriptions bring. Most of these\nare distinct counts, which cannot be added up."
        }
        Group::Behaviour => {
            "What people do before they buy. A visit is one person at one store, ended by 30 minutes without an event; it is\nfinal half an hour after its last event."
        }
        Group::Inventory => {
            "What is in stock, how long it lasts, and where money is asleep. These are levels of now unless a line says\notherwise."
        }
        Group::Logistics => {
            "Whether orders arrive when they should. Moments are those at which a change was seen, so what was delivered\nbefore capture began is unknown."
        }
        Group::Crm => {
            "What a buyer is worth, which groups buyers and stores fall into, and how often stores ask for help."
        }
        Group::Platform => {
            "Whether the numbers can be trusted right now. Each part of the system is judged by its own probe, never by\nanother part."
        }
    }
}

fn row(metric: &Metric) -> String {
    format!(
        "| [{}](#{}) | `{}` | {} | {} |\n",
        metric.name.en,
        anchor(metric.name.en),
        metric.id,
        metric.name.es,
        metric.unit.name().en,
    )
}

fn section(metric: &Metric) -> String {
    let head = format!(
        "\n### {}\n\n`{}` · {} · {} · {}\n\n{}\n\n",
        metric.name.en,
        metric.id,
        metric.name.es,
        units(metric),
        metric.better.sentence().en,
        metric.what.en,
    );
    let line = |name: &str, text: &str| format!("- {name}: {text}\n");
    let place = format!(
        "{}, for {}",
        metric.kept.sentence().en,
        metric.scope.sentence().en
    );
    let mut lines = vec![
        line("Formula", &metric.formula.en()),
        line("Adding up", metric.adds.sentence().en),
        line("Small samples", &metric.small.en()),
        line("Freshness", metric.fresh.sentence().en),
        line("Kept in", &place),
    ];
    if metric.trust != Trust::Exact {
        lines.push(line("Trust", metric.trust.sentence().en));
    }
    if !metric.by.is_empty() {
        let names: Vec<&str> = metric.by.iter().map(|dimension| dimension.name().en).collect();
        lines.push(line("By", &names.join(", ")));
    }
    if !metric.terms.is_empty() {
        lines.push(line("Also called", &terms(metric.terms)));
    }
    lines.extend(metric.notes.iter().map(|note| line("Good to know", note.en)));
    head + &lines.concat()
}

/// The unit, with those of the numbers beside it.
fn units(metric: &Metric) -> String {
    let unit = |unit: &Unit| unit.name().en;
    if metric.also.is_empty() {
        return unit(&metric.unit).to_owned();
    }
    let also: Vec<&str> = metric.also.iter().map(unit).collect();
    format!("{}, with {}", unit(&metric.unit), also.join(", "))
}

fn terms(terms: &[Term]) -> String {
    let called = |term: &Term| format!("{} ({})", term.words, term.document.label());
    terms.iter().map(called).collect::<Vec<_>>().join("; ")
}

/// The name by which a page links to one of its headings: lower case, blanks as hyphens, other marks dropped.
pub(super) fn anchor(heading: &str) -> String {
    heading
        .chars()
        .filter_map(|letter| match letter {
            ' ' => Some('-'),
            '-' | '_' => Some(letter),
            _ if letter.is_alphanumeric() => Some(letter.to_ascii_lowercase()),
            _ => None,
        })
        .collect()
}
