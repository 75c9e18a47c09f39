//! `stack status`: every server asked whether it works, not just whether its process exists.

use std::process::ExitCode;
use std::thread;

use clap::{Args, ValueEnum};
use color_eyre::eyre::{Result, WrapErr};
use serde::Serialize;

use super::account::Account;
use super::process::{self, Record};
use super::service::Service;
use super::settings::{Options, data_folder};
use super::state::Stack;

/// Arguments of `stack status`.
#[derive(Debug, Clone, Args)]
pub(super) struct StatusArgs {
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table
    Text,
    /// One JSON document
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum State {
    /// It answers.
    Up,
    /// Its process runs but it does not answer.
    NotReady,
    /// It should run and does not.
    Down,
    /// It was not asked for.
    Off,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::NotReady => "not ready",
            Self::Down => "down",
            Self::Off => "off",
        }
    }
}

#[derive(Debug, Serialize)]
struct Row {
    service: String,
    address: String,
    state: State,
    pid: Option<i32>,
    memory_bytes: u64,
    version: String,
    detail: String,
}

#[derive(Debug, Serialize)]
struct Report {
    data: String,
    all_up: bool,
    services: Vec<Row>,
}

/// Prints the state; the exit code is 0 only when every wanted server is up.
pub(super) fn run(options: &Options, arguments: &StatusArgs) -> Result<ExitCode> {
    let (data, _) = data_folder(options, &Account::current())?;
    let rows = match Stack::load(&data)? {
        Some(stack) => look(&stack),
        None => Vec::new(),
    };
    let wanted = || rows.iter().filter(|row| row.state != State::Off);
    let all_up = wanted().count() > 0 && wanted().all(|row| row.state == State::Up);
    let report = Report {
        data: data.display().to_string(),
        all_up,
        services: rows,
    };
    match arguments.format {
        Format::Json => {
            println!(
                "{}",
                serde_json::to_string_pretty(&report).wrap_err("the state cannot be written as JSON")?
            );
        }
        Format::Text if report.services.is_empty() => {
            println!("there is no stack in {} (make one with `stack up`)", report.data);
        }
        Format::Text => print!("{}", table(&report)),
    }
    Ok(if all_up {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn look(stack: &Stack) -> Vec<Row> {
    let wanted = stack.state.wanted();
    let wanted = &wanted;
    let all = Service::all(stack.state.brokers);
    thread::scope(|scope| {
        let asked: Vec<_> = all
            .iter()
            .map(|service| {
                (
                    *service,
                    scope.spawn(move || row(stack, *service, wanted.contains(service))),
                )
            })
            .collect();
        let read = |(service, thread): (Service, thread::ScopedJoinHandle<'_, Row>)| {
            thread.join().unwrap_or_else(|_| Row {
                service: service.to_string(),
                address: stack.address(service),
                state: State::NotReady,
                pid: None,
                memory_bytes: 0,
                version: String::new(),
                detail: "asking it broke off".to_owned(),
            })
        };
        asked.into_iter().map(read).collect()
    })
}

fn row(stack: &Stack, service: Service, is_wanted: bool) -> Row {
    let record = Record::find(&stack.record(service), &stack.home(service));
    let (state, version, detail) = match (&record, service.probe(stack)) {
        (Some(_), Ok(health)) => (State::Up, health.version, health.detail),
        (Some(_), Err(trouble)) => (State::NotReady, String::new(), trouble.text),
        (None, Ok(_)) => (
            State::Down,
            String::new(),
            "somebody else's server answers on its port".to_owned(),
        ),
        (None, Err(_)) if is_wanted => (State::Down, String::new(), "`stack up` starts it".to_owned()),
        (None, Err(_)) => (State::Off, String::new(), String::new()),
    };
    Row {
        service: service.to_string(),
        address: stack.address(service),
        state,
        pid: record.as_ref().map(|record| record.pid),
        memory_bytes: record.map_or(0, |record| process::memory(record.pid)),
        version,
        detail,
    }
}

fn table(report: &Report) -> String {
    let mut text = format!(
        "{:<20} {:<16} {:<10} {:>8} {:>8}  {:<9} {}\n",
        "SERVICE", "ADDRESS", "STATE", "PID", "MEMORY", "VERSION", "REMARK"
    );
    for row in &report.services {
        let pid = row.pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string());
        let memory = if row.memory_bytes == 0 {
            "-".to_owned()
        } else {
            mebibytes(row.memory_bytes)
        };
        let version = if row.version.is_empty() { "-" } else { &row.version };
        let line = format!(
            "{:<20} {:<16} {:<10} {pid:>8} {memory:>8}  {version:<9} {}",
            row.service,
            row.address,
            row.state.word(),
            row.detail
        );
        text.push_str(line.trim_end());
        text.push('\n');
    }
    let total: u64 = report.services.iter().map(|row| row.memory_bytes).sum();
    let verdict = if report.all_up { "all up" } else { "not all up" };
    let sum = format!(
        "\n{verdict}, {} in use, data in {}\n",
        mebibytes(total),
        report.data
    );
    text + &sum
}

fn mebibytes(bytes: u64) -> String {
    format!("{} MiB", bytes.div_ceil(1024 * 1024))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table() {
        let row = |service: &str, state, pid, memory_bytes, version: &str, detail: &str| Row {
            service: service.to_owned(),
            address: "127.0.0.1:15432".to_owned(),
            state,
            pid,
            memory_bytes,
            version: version.to_owned(),
            detail: detail.to_owned(),
        };
        let report = Report {
            data: "/project/.stack".to_owned(),
            all_up: false,
            services: vec![
                row(
                    "postgres-instashop",
                    State::Up,
                    Some(4711),
                    23_000_000,
                    "15.18",
                    "3 client(s), 1 slot(s)",
                ),
                row(
                    "redis",
                    State::NotReady,
                    Some(4712),
                    11_000_000,
                    "",
                    "it is loading its data",
                ),
                row("kafka-1", State::Down, None, 0, "", "`stack up` starts it"),
                row("connect", State::Off, None, 0, "", ""),
            ],
        };
        insta::assert_snapshot!(table(&report));
    }
}
