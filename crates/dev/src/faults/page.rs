//! Results for people and for programs.

use std::path::Path;
use std::time::Duration;

use color_eyre::eyre::Report;

use super::matrix::{ELSEWHERE, SCENARIOS, Scenario};

/// What a scenario that ended well showed.
#[derive(Debug)]
pub(super) struct Outcome {
    /// From the end of the fault until both flows read everything as it comes.
    pub(super) recovery: Duration,
    /// Records that came again and changed nothing, as far as the workers have said.
    pub(super) duplicates: u64,
    /// What was done, in figures.
    pub(super) remark: String,
}

/// A scenario that was played.
#[derive(Debug)]
pub(super) struct Played {
    pub(super) name: &'static str,
    pub(super) outcome: Result<Outcome, Report>,
    pub(super) took: Duration,
}

/// Everything that can be played.
pub(super) fn list() -> String {
    let line = |scenario: &Scenario| {
        let quick = if scenario.quick { "quick" } else { "" };
        format!("{:<32} {quick:<6} {}\n", scenario.name, scenario.about)
    };
    let elsewhere = |(fault, held): &(&str, &str)| format!("{fault}\n    {held}\n");
    let played: String = SCENARIOS.iter().map(line).collect();
    let others: String = ELSEWHERE.iter().map(elsewhere).collect();
    format!("{played}\nnot played here:\n{others}")
}

fn row(one: &Played) -> String {
    let name = one.name;
    match &one.outcome {
        Ok(outcome) => format!(
            "{name:<32} {:>10.1} {:>11} {:>6}  {}\n",
            outcome.recovery.as_secs_f64(),
            outcome.duplicates,
            0,
            outcome.remark
        ),
        Err(error) => {
            let error = format!("{error:#}");
            let first = error.lines().next().unwrap_or_default();
            format!("{name:<32} {:>10} {:>11} {:>6}  {first}\n", "-", "-", "FAILED")
        }
    }
}

pub(super) fn table(played: &[Played]) -> String {
    let failed = played.iter().filter(|one| one.outcome.is_err()).count();
    let took: Duration = played.iter().map(|one| one.took).sum();
    let rows: String = played.iter().map(row).collect();
    // The last line is in the words of a test suite, so that what runs many of them can count.
    format!(
        "{:<32} {:>10} {:>11} {:>6}  what was done\n{rows}test result: {}. {} passed; {failed} failed; 0 ignored; faults, {} s\n",
        "fault",
        "recovery s",
        "duplicates",
        "drift",
        if failed == 0 { "ok" } else { "FAILED" },
        played.len() - failed,
        took.as_secs()
    )
}

pub(super) fn json(played: &[Played], seed: u64) -> String {
    let scenarios: Vec<serde_json::Value> = played
        .iter()
        .map(|one| match &one.outcome {
            Ok(outcome) => serde_json::json!({
                "name": one.name,
                "ok": true,
                "drift": 0,
                "recovery_ms": outcome.recovery.as_millis() as u64,
                "duplicates": outcome.duplicates,
                "remark": outcome.remark,
                "took_ms": one.took.as_millis() as u64,
            }),
            Err(error) => serde_json::json!({
                "name": one.name,
                "ok": false,
                "error": format!("{error:#}"),
                "took_ms": one.took.as_millis() as u64,
            }),
        })
        .collect();
    serde_json::json!({ "seed": seed, "scenarios": scenarios }).to_string()
}

/// Puts the logs of a failure aside before the servers' folder is removed.
pub(super) fn keep_logs(data: &Path, name: &str) {
    let kept = data.with_file_name(format!("instashop-fault-{name}"));
    let _ = std::fs::remove_dir_all(&kept);
    if std::fs::create_dir_all(&kept).is_err() {
        return;
    }
    for entry in std::fs::read_dir(data.join("logs"))
        .into_iter()
        .flatten()
        .flatten()
    {
        let _ = std::fs::copy(entry.path(), kept.join(entry.file_name()));
    }
    eprintln!("    logs: {}", kept.display());
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use color_eyre::eyre::eyre;

    use super::*;

    #[test]
    fn every_scenario_has_a_name_of_its_own_and_about_a_dozen_are_quick() {
        let names: BTreeSet<&str> = SCENARIOS.iter().map(|scenario| scenario.name).collect();
        assert_eq!(names.len(), SCENARIOS.len());
        let quick = SCENARIOS.iter().filter(|scenario| scenario.quick).count();
        assert!((10..=16).contains(&quick), "{quick}");
        assert!(
            names.iter().all(|name| name.len() <= 32),
            "the table has room for 32"
        );
    }

    #[test]
    fn the_table_tells_what_failed_and_ends_like_a_test_suite() {
        let played = [
            Played {
                name: "redis-flushed",
                outcome: Ok(Outcome {
                    recovery: Duration::from_millis(2840),
                    duplicates: 1855,
                    remark: "FLUSHALL".into(),
                }),
                took: Duration::from_secs(19),
            },
            Played {
                name: "worker-zombie",
                outcome: Err(eyre!("verify found drift\na table")),
                took: Duration::from_secs(30),
            },
        ];
        insta::assert_snapshot!(format!("{}{}", table(&played), json(&played, 1)));
    }
}
