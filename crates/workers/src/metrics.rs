//! `instashop metrics`: which numbers there are, what each means, and its value for the platform or for one store.

/// The pages as text.
mod page;

use std::process::ExitCode;

use chrono::NaiveDate;
use clap::{Args, Subcommand};
use color_eyre::eyre::Result;
use instashop_core::catalogue::{Group, Metric, Text, Unit};
use instashop_core::config::Config;
use instashop_store::warehouse::{MetricAnswer, MetricRow, Plan, Question, Value, WarehouseReader};
use serde_json::{Value as Json, json};

use crate::cli::exit::{Exit, Failure};
use crate::cli::{Format, output};

pub(crate) const HELP: &str = "\
Without a command it lists all metrics: id, unit, what may be added up, name.

Examples:
  instashop metrics
  instashop metrics show aov
  instashop metrics get revenue_today
  instashop metrics get sales_by_category --store 3 --from 2026-03-01 --to 2026-03-31

Exit codes: 0 printed; 1 there is no such number (it says what to ask instead); 2 usage; 3 the warehouse cannot be \
reached; 4 configuration.";

const SHOW_HELP: &str = "\
The definition as the catalogue has it, in English and Spanish; no server is asked.

Examples:
  instashop metrics show orders
  instashop metrics show mrr --format json

Exit codes: 0 printed; 1 there is no such metric; 2 usage.";

const GET_HELP: &str = "\
Reads the metric's view in the warehouse, as the reader role. Without --store it is the platform's value. Days are business \
days of the reporting zone, both included; without them it is the running day.

Values of several days or stores become one only where that is the value of the whole: sums and counts are added up, a ratio \
is divided from its two sums, and a distinct count, a quantile or an extreme is refused. --each-day gives the days on their own.

Examples:
  instashop metrics get orders
  instashop metrics get revenue_total --store 3
  instashop metrics get aov --from 2026-03-01 --to 2026-03-31
  instashop metrics get visitors --from 2026-03-01 --to 2026-03-07 --each-day
  instashop metrics get payment_mix --format json | jq '.rows[].value'

Exit codes: 0 printed; 1 there is no such number (it says what to ask instead); 2 usage; 3 the warehouse cannot be \
reached; 4 configuration.";

/// Arguments of `instashop metrics`.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct MetricsArgs {
    #[command(subcommand)]
    command: Option<MetricsCommand>,
    /// How to print the list
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// What can be asked about metrics.
#[derive(Debug, Subcommand)]
enum MetricsCommand {
    /// Print what a metric means, in English and Spanish
    #[command(after_long_help = SHOW_HELP)]
    Show(ShowArgs),
    /// Print the value of a metric, for the platform or one store
    #[command(after_long_help = GET_HELP)]
    Get(GetArgs),
}

/// Arguments of `instashop metrics show`.
#[derive(Debug, Args)]
struct ShowArgs {
    /// Its id, as `instashop metrics` lists it
    id: String,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Arguments of `instashop metrics get`.
#[derive(Debug, Args)]
struct GetArgs {
    /// Its id, as `instashop metrics` lists it
    id: String,
    /// The store (its customer_id) [default: the platform]
    #[arg(long, value_name = "ID", value_parser = clap::value_parser!(i64).range(1..))]
    store: Option<i64>,
    /// First business day [default: the last one]
    #[arg(long, value_name = "DAY")]
    from: Option<NaiveDate>,
    /// Last business day [default: the running day, or the first one if that is given alone and lies ahead]
    #[arg(long, value_name = "DAY")]
    to: Option<NaiveDate>,
    /// Each day on its own
    #[arg(long)]
    each_day: bool,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

impl MetricsArgs {
    /// True when no server and no configuration is needed.
    pub(crate) const fn is_offline(&self) -> bool {
        !matches!(self.command, Some(MetricsCommand::Get(_)))
    }

    /// Answers from the catalogue alone; see [`Self::is_offline`].
    pub(crate) fn print(&self) -> Result<ExitCode> {
        match &self.command {
            Some(MetricsCommand::Show(args)) => {
                let metric = find(&args.id)?;
                match args.format {
                    Format::Text => output::print(&page::definition(metric))?,
                    Format::Json => output::line(&serde_json::to_string_pretty(&definition(metric))?)?,
                }
            }
            Some(MetricsCommand::Get(_)) | None => match self.format {
                Format::Text => output::print(&page::list())?,
                Format::Json => {
                    let all: Vec<Json> = Metric::all().map(definition).collect();
                    output::line(&serde_json::to_string_pretty(&all)?)?;
                }
            },
        }
        Ok(Exit::Done.into())
    }
}

/// Runs the command.
pub(crate) async fn run(args: &MetricsArgs, config: &Config) -> Result<ExitCode> {
    let Some(MetricsCommand::Get(args)) = &args.command else {
        return args.print();
    };
    let metric = find(&args.id)?;
    // What can be refused without a server is.
    plan(metric, question(args, args.from.unwrap_or_default()))?;
    let mut reader = WarehouseReader::connect(&config.warehouse, &config.meaning).await?;
    let plan = plan(metric, question(args, reader.business_day().await?))?;
    let answer = reader.metric(&plan).await?;
    match args.format {
        Format::Text => output::print(&page::answer(
            metric,
            args.store,
            &answer,
            &config.meaning.currency,
        ))?,
        Format::Json => output::line(&serde_json::to_string_pretty(&document(
            metric,
            args.store,
            &answer,
            &config.meaning.currency,
        ))?)?,
    }
    Ok(Exit::Done.into())
}

fn find(id: &str) -> Result<&'static Metric> {
    if let Some(metric) = Metric::by_id(id) {
        return Ok(metric);
    }
    let like: Vec<&str> = Metric::all()
        .map(|metric| metric.id)
        .filter(|known| known.contains(id) || id.contains(known))
        .take(5)
        .collect();
    let hint = if like.is_empty() {
        "`instashop metrics` lists all of them".to_owned()
    } else {
        format!(
            "perhaps {}; `instashop metrics` lists all of them",
            like.join(", ")
        )
    };
    Err(
        Failure::new(Exit::No, format!("there is no metric {:?}", output::clean(id)))
            .hint(hint)
            .into(),
    )
}

/// The days asked for: one that is left out is the other one, or the running day.
fn question(args: &GetArgs, today: NaiveDate) -> Question {
    let days = match (args.from, args.to) {
        (None, None) => None,
        (Some(first), Some(last)) => Some((first, last)),
        (Some(first), None) => Some((first, today.max(first))),
        (None, Some(last)) => Some((last, last)),
    };
    Question {
        store: args.store,
        days,
        each_day: args.each_day,
    }
}

fn plan(metric: &'static Metric, question: Question) -> Result<Plan> {
    Plan::new(metric, question).map_err(|refusal| {
        let mut hint = refusal.advice().to_owned();
        if hint.contains("each day") {
            hint += " (--each-day)";
        }
        Failure::new(Exit::No, refusal.to_string())
            .hint(format!(
                "{hint}; `instashop metrics show {}` has its rules",
                metric.id
            ))
            .into()
    })
}

fn definition(metric: &Metric) -> Json {
    let text = |text: Text| json!({ "en": text.en, "es": text.es });
    json!({
        "id": metric.id,
        "group": text(metric.group.name()),
        "name": text(metric.name),
        "what": text(metric.what),
        "formula": { "en": metric.formula.en(), "es": metric.formula.es() },
        "notes": metric.notes.iter().map(|note| text(*note)).collect::<Vec<_>>(),
        "unit": metric.unit.name().en,
        "adds_over_days": metric.adds.over_time(),
        "adds_over_stores": metric.adds.over_stores(),
        "fresh": text(metric.fresh.sentence()),
        "kept": text(metric.kept.sentence()),
        "scope": text(metric.scope.sentence()),
    })
}

fn document(metric: &Metric, store: Option<i64>, answer: &MetricAnswer, currency: &str) -> Json {
    let rows = answer.rows.iter().map(|row| {
        let keys = answer.keys.iter().zip(&row.keys);
        let mut object: serde_json::Map<String, Json> =
            keys.map(|(name, key)| ((*name).to_owned(), json!(key))).collect();
        if let Some(day) = row.day {
            object.insert("day".into(), json!(day));
        }
        object.insert("value".into(), value(row));
        if let Some(n) = row.n {
            object.insert("n".into(), json!(n.normalize().to_string()));
        }
        Json::Object(object)
    });
    let rows: Vec<Json> = rows.collect();
    // Shares and rates stay fractions, so that they can be computed with.
    let unit = match metric.unit {
        Unit::Percent => "fraction of 1",
        other => other.name().en,
    };
    json!({
        "id": metric.id,
        "unit": unit,
        "currency": (metric.unit == Unit::Money).then_some(currency),
        "store": store,
        "from": answer.days.map(|(first, _)| first),
        "to": answer.days.map(|(_, last)| last),
        "as_of": answer.as_of,
        "rows": rows,
    })
}

/// Numbers are text, so that no reader makes a float of them.
fn value(row: &MetricRow) -> Json {
    match &row.value {
        Value::Number(number) => json!(number.to_string()),
        Value::Word(word) => json!(word),
        Value::Nothing => Json::Null,
    }
}

/// The metrics of a group, for the list.
fn groups() -> impl Iterator<Item = (Group, Vec<&'static Metric>)> {
    Group::ALL
        .into_iter()
        .map(|group| (group, group.metrics().collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(from: Option<&str>, to: Option<&str>) -> GetArgs {
        GetArgs {
            id: "orders".into(),
            store: None,
            from: from.map(|day| day.parse().unwrap()),
            to: to.map(|day| day.parse().unwrap()),
            each_day: false,
            format: Format::Text,
        }
    }

    #[test]
    fn a_day_that_is_left_out() {
        let today: NaiveDate = "2026-03-10".parse().unwrap();
        for (from, to, expected) in [
            (None, None, None),
            (
                Some("2026-03-01"),
                Some("2026-03-02"),
                Some(("2026-03-01", "2026-03-02")),
            ),
            (Some("2026-03-01"), None, Some(("2026-03-01", "2026-03-10"))),
            (Some("2026-04-01"), None, Some(("2026-04-01", "2026-04-01"))),
            (None, Some("2026-03-05"), Some(("2026-03-05", "2026-03-05"))),
        ] {
            let days = question(&args(from, to), today).days;
            let expected =
                expected.map(|(first, last): (&str, &str)| (first.parse().unwrap(), last.parse().unwrap()));
            assert_eq!(days, expected, "{from:?} {to:?}");
        }
    }

    #[test]
    fn what_is_not_there_is_said_with_the_next_step() {
        let said = |report: color_eyre::eyre::Report| {
            let failure = report.downcast::<Failure>().unwrap();
            format!("{failure}; {} ({:?})", failure.advice().unwrap(), failure.exit())
        };
        insta::assert_snapshot!(
            [
                said(find("order").unwrap_err()),
                said(find("x\u{1b}[31m").unwrap_err()),
                said(
                    plan(
                        find("visitors").unwrap(),
                        question(&args(Some("2026-03-01"), Some("2026-03-02")), NaiveDate::MAX)
                    )
                    .unwrap_err()
                ),
                said(
                    plan(
                        find("max_order").unwrap(),
                        question(&args(Some("2026-03-01"), None), NaiveDate::MAX)
                    )
                    .unwrap_err()
                ),
                said(
                    plan(
                        find("mrr").unwrap(),
                        question(&args(None, Some("2026-03-02")), NaiveDate::MAX)
                    )
                    .unwrap_err()
                ),
                said(
                    plan(
                        find("last_paid_age").unwrap(),
                        question(&args(None, None), NaiveDate::MAX)
                    )
                    .unwrap_err()
                ),
            ]
            .join("\n")
        );
    }

    #[test]
    fn an_answer_for_scripts() {
        let metric = find("payment_mix").unwrap();
        let answer = page::tests::answer();
        insta::assert_snapshot!(
            serde_json::to_string_pretty(&document(metric, Some(3), &answer, "USD")).unwrap()
        );
    }
}
