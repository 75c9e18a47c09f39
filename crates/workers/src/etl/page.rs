//! Runs of the daily batch as text and as JSON.

use std::fmt::Write as _;

use color_eyre::eyre::Result;
use instashop_store::live::Settled;
use instashop_store::warehouse::{EtlRun, How, Refreshed};
use serde::Serialize;

use crate::cli::Format;

/// Runs, each with its steps when there is only one.
pub(super) fn list(runs: &[EtlRun], format: Format) -> Result<String> {
    if format == Format::Json {
        return Ok(serde_json::to_string_pretty(runs)? + "\n");
    }
    if runs.is_empty() {
        return Ok("no run of the daily batch yet\n".to_owned());
    }
    let mut text = String::new();
    for run in runs {
        let millis: u64 = run.steps.iter().map(|step| step.millis).sum();
        let repaired: i64 = run.steps.iter().map(|step| step.repaired).sum();
        let _ = write!(
            text,
            "{}  {:<8} {:>9.1} s  {:>6} rows put right",
            run.day,
            run.state.name(),
            millis as f64 / 1000.0,
            repaired
        );
        if let Some(error) = &run.error {
            let _ = write!(text, "  {error}");
        }
        text.push('\n');
        if runs.len() == 1 {
            for step in &run.steps {
                let _ = writeln!(
                    text,
                    "  {:<26} {:>10} rows {:>9.1} s",
                    step.name,
                    step.rows,
                    step.millis as f64 / 1000.0
                );
            }
        }
    }
    Ok(text)
}

/// What a refresh did.
pub(super) fn refreshed(done: &[Refreshed], format: Format) -> Result<String> {
    #[derive(Serialize)]
    struct Document {
        marked: usize,
        rows: u64,
        rebuilt: bool,
        seconds: f64,
    }
    let document = Document {
        marked: done
            .iter()
            .map(|one| match one.how {
                How::ByKey { marked } => marked,
                How::Rebuilt => 0,
            })
            .sum(),
        rows: done.iter().map(|one| one.rows).sum(),
        rebuilt: done.iter().any(|one| one.how == How::Rebuilt),
        seconds: done.iter().map(|one| one.took.as_secs_f64()).sum(),
    };
    if format == Format::Json {
        return Ok(serde_json::to_string(&document)?);
    }
    let how = if document.rebuilt {
        "computed anew".to_owned()
    } else {
        format!("refreshed for {} changed rows", document.marked)
    };
    Ok(format!(
        "marts {how}: {} rows written in {:.1} s",
        document.rows, document.seconds
    ))
}

/// What was written to Redis; `None` when nothing was due.
pub(super) fn settled(done: Option<&Settled>, format: Format) -> Result<String> {
    #[derive(Serialize)]
    struct Document {
        written: bool,
        days: usize,
        corrected: usize,
    }
    if format == Format::Json {
        return Ok(serde_json::to_string(&Document {
            written: done.is_some(),
            days: done.map_or(0, |done| done.days),
            corrected: done.map_or(0, |done| done.corrected),
        })?);
    }
    Ok(match done {
        Some(done) => format!(
            "totals of {} sealed days written to Redis, {} numbers of them were others",
            done.days, done.corrected
        ),
        None => "the totals of sealed days are there; nothing was written".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use instashop_store::live::Settled;
    use instashop_store::warehouse::{EndedStep, RunState};

    use super::*;

    fn run(day: &str, state: RunState, error: Option<&str>) -> EtlRun {
        let at = "2026-03-11T00:00:01Z".parse().unwrap();
        EtlRun {
            id: 7,
            day: day.parse().unwrap(),
            state,
            requested_at: at,
            started_at: Some(at),
            ended_at: None,
            steps: vec![
                EndedStep {
                    name: "extract events".into(),
                    rows: 12_345,
                    repaired: 0,
                    millis: 1_250,
                },
                EndedStep {
                    name: "daily metrics by store".into(),
                    rows: 40,
                    repaired: 2,
                    millis: 310,
                },
            ],
            error: error.map(Into::into),
        }
    }

    #[test]
    fn pages() {
        let one = [run("2026-03-10", RunState::Done, None)];
        let two = [
            run("2026-03-10", RunState::Done, None),
            run("2026-03-09", RunState::Failed, Some("it was interrupted")),
        ];
        let by_key = Refreshed {
            how: How::ByKey { marked: 12 },
            rows: 30,
            more: false,
            took: Duration::from_millis(250),
        };
        let written = Settled {
            days: 400,
            corrected: 3,
        };
        let text = [
            list(&[], Format::Text),
            list(&one, Format::Text),
            list(&two, Format::Text),
            list(&one, Format::Json),
            refreshed(&[by_key], Format::Text),
            refreshed(&[by_key], Format::Json),
            settled(Some(&written), Format::Text),
            settled(Some(&written), Format::Json),
            settled(None, Format::Text),
        ];
        let text: Vec<String> = text.into_iter().map(Result::unwrap).collect();
        insta::assert_snapshot!(text.join("\n"));
    }
}
