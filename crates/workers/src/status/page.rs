//! The page of health as text: what needs attention, then flows, sources, stores.

use chrono::{DateTime, TimeDelta, Utc};
use instashop_core::table::SourceDb;
use instashop_core::view::{
    FlowHealth, MartsHealth, PartitionHealth, SealedDays, SourceHealth, WorkerHealth,
};

use super::Health;
use super::verdict::{Level, Verdict, fresh, newest_sources};
use crate::cli::output::clean;
use crate::setup::connect::Status;

/// What stands where nothing is known.
const UNKNOWN: &str = "–";

/// Draws the page.
pub(super) fn draw(health: &Health, verdict: &Verdict, now: DateTime<Utc>, colored: bool) -> String {
    let sections = [
        headline(verdict, colored),
        flows(health, now),
        sources(health, now),
        stores(health, now),
        here(health),
    ];
    sections
        .into_iter()
        .filter(|section| !section.is_empty())
        .collect::<Vec<_>>()
        .join("\n")
}

fn headline(verdict: &Verdict, colored: bool) -> String {
    let paint = |code: &str, text: &str| {
        if colored {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    };
    let findings = verdict.findings();
    if findings.is_empty() {
        return paint("1;32", "healthy") + "\n";
    }
    let noun = if findings.len() == 1 {
        "thing needs"
    } else {
        "things need"
    };
    let mut lines = vec![paint("1;33", &format!("{} {noun} attention", findings.len()))];
    for finding in findings {
        let mark = match finding.level {
            Level::Degraded => paint("33", "!"),
            Level::Unreachable => paint("1;31", "x"),
        };
        lines.push(format!(
            "  {mark} {}: {}",
            clean(&finding.part),
            clean(&finding.what)
        ));
        lines.push(format!("      {}", clean(&finding.hint)));
    }
    lines.join("\n") + "\n"
}

/// Rows of cells as columns; the columns named go to the right.
fn table(rows: &[Vec<String>], right: &[usize]) -> String {
    let length = |cell: &String| cell.chars().count();
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(length)
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..rows.first().map_or(0, Vec::len)).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(column, (cell, width))| {
                if right.contains(&column) {
                    format!("{cell:>width$}")
                } else {
                    format!("{cell:<width$}")
                }
            });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.iter().map(|cell| clean(cell)).collect()
}

fn flows(health: &Health, now: DateTime<Utc>) -> String {
    let live = health.live.as_ref().ok().map(|live| &live.flow);
    let warehouse = health.warehouse.as_ref().ok().map(|warehouse| &warehouse.flow);
    let heading = [
        "flow",
        "workers",
        "records/s",
        "lag",
        "newest change",
        "p50 ms",
        "p95 ms",
        "p99 ms",
        "state",
    ];
    let mut rows = vec![row(heading)];
    for (name, flow) in [("live", live), ("warehouse", warehouse)] {
        let unknown = row([
            name, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, "unknown",
        ]);
        rows.push(flow.map_or(unknown, |flow| flow_row(name, flow, now)));
    }
    table(&rows, &[1, 2, 3, 4, 5, 6, 7])
}

fn flow_row(name: &str, flow: &FlowHealth, now: DateTime<Utc>) -> Vec<String> {
    let workers = fresh(flow, now);
    if workers.is_empty() {
        return row([
            name, "0", UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, "none",
        ]);
    }
    let mut states: Vec<&str> = workers.iter().map(|worker| worker.state.as_str()).collect();
    states.sort_unstable();
    states.dedup();
    let rate: i64 = workers.iter().map(|worker| worker.rate_per_1000s).sum();
    let partitions = || workers.iter().flat_map(|worker| &worker.partitions);
    let lags: Vec<i64> = partitions().filter_map(PartitionHealth::lag).collect();
    let lag = if lags.is_empty() {
        UNKNOWN.to_owned()
    } else {
        lags.iter().sum::<i64>().to_string()
    };
    let newest = partitions().filter_map(|partition| partition.as_of).max();
    // Of several workers the slowest is shown: nobody waits longer.
    let slowest = |pick: fn(&WorkerHealth) -> Option<u64>| {
        let slowest = workers.iter().filter_map(|worker| pick(worker)).max();
        slowest.map_or_else(|| UNKNOWN.to_owned(), |ms| ms.to_string())
    };
    row([
        name,
        &workers.len().to_string(),
        &format!("{}.{}", rate / 1000, rate % 1000 / 100),
        &lag,
        &newest.map_or_else(|| UNKNOWN.to_owned(), |at| ago(now - at)),
        &slowest(|worker| worker.latency_p50_ms),
        &slowest(|worker| worker.latency_p95_ms),
        &slowest(|worker| worker.latency_p99_ms),
        &states.join(", "),
    ])
}

fn sources(health: &Health, now: DateTime<Utc>) -> String {
    let mut rows = vec![row([
        "source",
        "database",
        "connector",
        "slot",
        "held back",
        "heartbeat",
    ])];
    let known = newest_sources(health);
    for source in SourceDb::ALL {
        let connector = match &health.connectors {
            Ok(all) => all
                .get(source.prefix())
                .map_or_else(|| "missing".to_owned(), Status::describe),
            Err(_) => "unknown".to_owned(),
        };
        let seen = known.iter().find(|seen| seen.source == source.name());
        let unknown = ["unknown", "unknown", UNKNOWN, UNKNOWN].map(str::to_owned);
        let [database, slot, held, heartbeat] = seen.map_or(unknown, |seen| source_cells(seen, now));
        rows.push(row([
            source.name(),
            &database,
            &connector,
            &slot,
            &held,
            &heartbeat,
        ]));
    }
    table(&rows, &[4])
}

fn source_cells(source: &SourceHealth, now: DateTime<Utc>) -> [String; 4] {
    let slot = match source.slot_active {
        Some(true) => "active",
        Some(false) => "not read",
        None => "unknown",
    };
    [
        if source.up { "up" } else { "down" }.to_owned(),
        slot.to_owned(),
        source.slot_lag_bytes.map_or_else(|| UNKNOWN.to_owned(), bytes),
        source
            .heartbeat_at
            .map_or_else(|| UNKNOWN.to_owned(), |at| ago(now - at)),
    ]
}

/// Days whose rows have left Redis.
fn of_sealed(sealed: SealedDays) -> String {
    let totals = match (sealed.written_at, sealed.late) {
        (None, _) => ", their totals are not written yet".to_owned(),
        (Some(_), 0) => String::new(),
        (Some(_), late) => format!(", {late} late changes wait to be written"),
    };
    let leaving = if sealed.has_left {
        ""
    } else {
        ", their rows are leaving"
    };
    format!("before {}{leaving}{totals}", sealed.boundary)
}

fn stores(health: &Health, now: DateTime<Utc>) -> String {
    let mut rows = Vec::new();
    if let Ok(live) = &health.live {
        let memory = live.memory_bytes.map_or_else(String::new, |used| {
            format!(", {} in use", bytes(i64::try_from(used).unwrap_or(i64::MAX)))
        });
        rows.push(row([
            "redis",
            &format!("answers in {}{memory}", micros(live.ping_us)),
        ]));
        rows.extend(live.sealed.map(|sealed| row(["sealed days", &of_sealed(sealed)])));
    }
    if let Ok(warehouse) = &health.warehouse {
        rows.push(row([
            "warehouse",
            &format!("answers in {}", micros(warehouse.ping_us)),
        ]));
        let letters = warehouse
            .flow
            .dead_letters
            .map_or_else(|| UNKNOWN.to_owned(), |letters| letters.to_string());
        rows.push(row(["dead letters", &letters]));
        let proof = warehouse.proof.as_ref().map_or_else(
            || "none yet; instashop verify makes one".to_owned(),
            |proof| format!("drift {}, {}", proof.drift, ago(now - proof.at)),
        );
        rows.push(row(["proof", &proof]));
        rows.push(row(["marts", &marts(warehouse.marts.as_ref(), now)]));
    }
    let live = health.live.as_ref().ok();
    let flows = [
        live.map(|live| &live.flow),
        health.warehouse.as_ref().ok().map(|house| &house.flow),
    ];
    if let Some((up, known)) = flows
        .into_iter()
        .flatten()
        .filter_map(|flow| flow.brokers_up)
        .max()
    {
        rows.push(row(["brokers", &format!("{up} of {known}")]));
    }
    if let Some(live) = live {
        let (unmapped, bare) = (live.unmapped_today, live.orders_without_lines);
        let quality = format!("{unmapped} orders with an unknown status today, {bare} sales without lines");
        rows.push(row(["data quality", &quality]));
    }
    let mut new: Vec<&str> = flows
        .into_iter()
        .flatten()
        .flat_map(|flow| &flow.workers)
        .flat_map(|worker| worker.new_columns.iter().map(String::as_str))
        .collect();
    new.sort_unstable();
    new.dedup();
    if !new.is_empty() {
        let said = format!("{} (carried in the event log alone)", new.join(", "));
        rows.push(row(["new columns", &said]));
    }
    table(&rows, &[])
}

fn marts(marts: Option<&MartsHealth>, now: DateTime<Utc>) -> String {
    let Some(marts) = marts else {
        return "never computed".to_owned();
    };
    let when = ago(now - marts.refreshed_at);
    let text = if marts.waiting > 0 {
        format!("refreshed {when}, {} changed rows wait", marts.waiting)
    } else {
        format!("up to date {when}")
    };
    match marts.last_run {
        Some((day, true, at)) => format!("{text}; daily run of {day} done {}", ago(now - at)),
        Some((day, false, at)) => format!("{text}; daily run of {day} failed {}", ago(now - at)),
        None => text,
    }
}

fn here(health: &Health) -> String {
    if health.local.is_empty() {
        return String::new();
    }
    let mut rows = vec![row(["on this machine", "pid", "restarts", "last end"])];
    for worker in &health.local {
        let process = worker.process.as_ref().filter(|process| process.alive());
        let pid = process.map_or_else(|| "not running".to_owned(), |process| process.pid.to_string());
        let last_end = worker.last_end.as_deref().unwrap_or("");
        rows.push(row([&worker.name, &pid, &worker.restarts.to_string(), last_end]));
    }
    table(&rows, &[1, 2])
}

fn ago(age: TimeDelta) -> String {
    let seconds = age.num_seconds().max(0);
    match seconds {
        0..120 => format!("{seconds} s ago"),
        120..7200 => format!("{} min ago", seconds / 60),
        7200..172_800 => format!("{} h ago", seconds / 3600),
        _ => format!("{} days ago", seconds / 86_400),
    }
}

fn bytes(count: i64) -> String {
    match count {
        ..1000 => format!("{count} B"),
        1000..1_000_000 => format!("{}.{} kB", count / 1000, count % 1000 / 100),
        1_000_000..1_000_000_000 => format!("{}.{} MB", count / 1_000_000, count % 1_000_000 / 100_000),
        _ => format!(
            "{}.{} GB",
            count / 1_000_000_000,
            count % 1_000_000_000 / 100_000_000
        ),
    }
}

fn micros(count: u64) -> String {
    if count < 1000 {
        format!("{count} µs")
    } else {
        format!("{}.{} ms", count / 1000, count % 1000 / 100)
    }
}

#[cfg(test)]
mod tests {
    use instashop_core::config::Config;

    use super::super::verdict::judge;
    use super::super::verdict::tests::{away, now, well};
    use super::*;

    fn page(health: &Health) -> String {
        draw(health, &judge(health, &Config::default(), now()), now(), false)
    }

    #[test]
    fn a_healthy_page_is_as_recorded() {
        insta::assert_snapshot!(page(&well()));
    }

    #[test]
    fn what_is_unknown_is_never_shown_as_zero_or_well() {
        let mut health = well();
        health.live = away("Redis 127.0.0.1:6379 cannot be reached: Connection refused");
        health.connectors =
            away("Kafka Connect at http://127.0.0.1:8083 cannot be reached: Connection refused");
        let warehouse = health.warehouse.as_mut().unwrap();
        warehouse.flow.workers.clear();
        warehouse.flow.sources.clear();
        warehouse.flow.dead_letters = None;
        warehouse.proof = None;
        insta::assert_snapshot!(page(&health));
    }

    #[test]
    fn sizes_and_ages_are_short() {
        let sizes = [
            (0, "0 B"),
            (999, "999 B"),
            (1500, "1.5 kB"),
            (12_345_678, "12.3 MB"),
            (2_000_000_000, "2.0 GB"),
        ];
        for (count, expected) in sizes {
            assert_eq!(bytes(count), expected);
        }
        let ages = [
            (-5, "0 s ago"),
            (119, "119 s ago"),
            (120, "2 min ago"),
            (7200, "2 h ago"),
            (172_800, "2 days ago"),
        ];
        for (seconds, expected) in ages {
            assert_eq!(ago(TimeDelta::seconds(seconds)), expected);
        }
    }
}
