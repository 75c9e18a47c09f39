//! `stack up`: everything that is missing is made, everything that is down is started, everything that runs is left
//! alone. Running it again is how a broken stack is repaired.

use std::path::Path;
use std::process::{Child, ExitCode};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use color_eyre::eyre::{Result, WrapErr, bail, eyre};

use super::account::Account;
use super::jars::Jars;
use super::jvm;
use super::port;
use super::postgres;
use super::prerequisites::{self, Needs};
use super::process::{self, LOOK, Record};
use super::product;
use super::progress::Progress;
use super::server::{Health, Trouble, Workshop};
use super::service::Service;
use super::settings::{Options, data_folder};
use super::state::{Lock, Stack, make_folder};

/// Arguments of `stack up`.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct UpArgs {
    /// Only these: postgres, redis, kafka, connect, or single services such as postgres-crm
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(super) only: Vec<String>,
    /// Never install packages; say what is missing instead
    #[arg(long, env = "INSTASHOP_STACK_NO_INSTALL", value_parser = clap::builder::FalseyValueParser::new())]
    no_install: bool,
}

/// How a service came to be up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// It was up before.
    Running,
    /// It was down.
    Started,
    /// It was up with other settings, or did not answer.
    Restarted,
}

/// A server that is up may be this busy before it counts as stuck.
const GRACE: Duration = Duration::from_secs(15);

/// Brings the stack up.
pub(super) fn run(options: &Options, arguments: &UpArgs) -> Result<ExitCode> {
    let progress = Progress::start();
    let (_lock, workshop) = open(options, arguments, &progress)?;
    let stack = &workshop.stack;
    let services = Service::with_needs(&arguments.only, stack.state.brokers)?;
    free_the_way(stack, &services)?;
    stack.save()?;
    product::write(stack)?;

    let results = start_all(&workshop, &services, &progress);
    let mut outcomes = Vec::new();
    let mut failures = Vec::new();
    for result in results {
        match result {
            Ok(outcome) => outcomes.push(outcome),
            Err(error) => failures.push(format!("{error:#}")),
        }
    }
    if !failures.is_empty() {
        bail!(
            "{}\nthe others were left running; `stack up` tries again",
            failures.join("\n")
        );
    }
    for (kind, service) in [("kafka", Service::Kafka(1)), ("connect", Service::Connect)] {
        if let Some(record) = Record::alive(&stack.record(service)).filter(|_| services.contains(&service)) {
            jvm::archive_classes(&workshop, kind, record.pid)?;
        }
    }
    let seconds = progress.elapsed().as_secs_f64();
    drop(progress);
    println!("{}", summary(&outcomes, seconds));
    println!("data folder    {}", stack.data.display());
    println!("configuration  {}", stack.data.join("instashop.toml").display());
    Ok(ExitCode::SUCCESS)
}

fn summary(outcomes: &[Outcome], seconds: f64) -> String {
    let count = |wanted: Outcome| outcomes.iter().filter(|outcome| **outcome == wanted).count();
    if count(Outcome::Running) == outcomes.len() {
        return "already up".to_owned();
    }
    let parts = [
        (count(Outcome::Started), "started"),
        (count(Outcome::Restarted), "restarted"),
        (count(Outcome::Running), "already up"),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{number} {word}"))
        .collect();
    format!("up in {seconds:.1} s: {}", parts.join(", "))
}

/// Folder, lock, memory, programs and jars.
fn open(options: &Options, arguments: &UpArgs, progress: &Progress) -> Result<(Lock, Workshop)> {
    if !Path::new("/proc/self/stat").exists() {
        bail!(
            "the local stack needs Linux (it looks after its processes through /proc); use docker compose here"
        );
    }
    let account = Account::current();
    let (data, said) = data_folder(options, &account)?;
    if let Some(said) = said {
        progress.note(&said);
    }
    make_folder(&data, if account.is_root() { 0o711 } else { 0o700 })?;
    let lock = Lock::take(&data)?;
    let mut stack = Stack::prepare(&data, options, &arguments.only)?;
    let services = stack.state.wanted();
    // What was brought up by an earlier `--only` still counts as wanted.
    for service in Service::all(stack.state.brokers) {
        if !services.contains(&service) && Record::alive(&stack.record(service)).is_some() {
            stack.state.services.push(service.to_string());
        }
    }
    let jars = Jars::locate(options.jars.as_deref())?;
    let needs = Needs::of(&services, jars.is_complete());
    let made_with = postgres::made_with(&stack);
    let bin = options.postgres_bin.as_deref();
    let tools = prerequisites::provide(needs, bin, made_with, !arguments.no_install, progress)?;
    // Installing may have made the system user that was missing before.
    let account = Account::current();
    let needs_entry = services
        .iter()
        .any(|service| matches!(service, Service::Postgres(_)));
    if needs_entry && !account.server_can_enter(&data) {
        bail!(
            "PostgreSQL's user `{}` cannot enter {}: make the folder and those above it passable (chmod o+x), or \
             choose another one with --data",
            account.server_user(),
            data.display()
        );
    }
    if needs.java() && !jars.is_complete() {
        let maven = tools
            .maven
            .clone()
            .ok_or_else(|| eyre!("Maven was not looked for"))?;
        progress.note("fetching Kafka, Connect and Debezium (62 MB, once per machine and version)");
        progress.step(
            "jars",
            || jars.fetch(&maven),
            |()| jars.folder().display().to_string(),
        )?;
    }
    let workshop = Workshop {
        stack,
        account,
        tools,
        jars,
    };
    Ok((lock, workshop))
}

/// Makes sure that every port is ours to take before anything is started, and names all that are not at once.
fn free_the_way(stack: &Stack, services: &[Service]) -> Result<()> {
    let mut conflicts = Vec::new();
    for service in services.iter().copied() {
        let home = stack.home(service);
        if Record::find(&stack.record(service), &home).is_some() {
            continue;
        }
        for port in service.ports(stack) {
            if let Err(conflict) = port::ensure_free(service, port, Duration::ZERO) {
                conflicts.push(conflict.to_string());
            }
        }
    }
    if conflicts.is_empty() {
        Ok(())
    } else {
        bail!("{}", conflicts.join("\n"))
    }
}

/// Starts in the measured best order: PostgreSQL, Redis and Kafka together, Connect when the brokers answer. (Started
/// earlier it would only take the processors from them.)
fn start_all(workshop: &Workshop, services: &[Service], progress: &Progress) -> Vec<Result<Outcome>> {
    let up = |service: Service| {
        progress.step(
            &service.to_string(),
            || bring_up(workshop, service),
            |(outcome, health)| {
                let address = workshop.stack.address(service);
                let word = match outcome {
                    Outcome::Running => "already up",
                    Outcome::Started => "started",
                    Outcome::Restarted => "restarted",
                };
                format!("{word:<10}  {address:<16}  {}", health.version)
            },
        )
    };
    let up = &up;
    let in_order = |group: Vec<Service>| -> Vec<Result<Outcome>> {
        thread::scope(|scope| {
            let running: Vec<_> = group
                .into_iter()
                .map(|service| scope.spawn(move || up(service)))
                .collect();
            running
                .into_iter()
                .map(|thread| joined(thread.join()).map(|(outcome, _)| outcome))
                .collect()
        })
    };
    let (brokers, rest): (Vec<Service>, Vec<Service>) = services
        .iter()
        .copied()
        .partition(|service| matches!(service, Service::Kafka(_)));
    let (connect, rest): (Vec<Service>, Vec<Service>) =
        rest.into_iter().partition(|service| *service == Service::Connect);
    thread::scope(|scope| {
        let others = scope.spawn(|| in_order(rest));
        let mut results = in_order(brokers);
        if results.iter().all(Result::is_ok) {
            results.extend(in_order(connect));
        } else if !connect.is_empty() {
            results.push(Err(eyre!("connect was not started, because Kafka is not up")));
        }
        results.extend(
            others
                .join()
                .unwrap_or_else(|_| vec![Err(eyre!("starting the databases broke off"))]),
        );
        results
    })
}

fn joined<T>(result: thread::Result<Result<T>>) -> Result<T> {
    result.unwrap_or_else(|_| Err(eyre!("a step broke off")))
}

fn bring_up(workshop: &Workshop, service: Service) -> Result<(Outcome, Health)> {
    let stack = &workshop.stack;
    let record_file = stack.record(service);
    let launch = service.prepare(workshop).wrap_err_with(|| service.to_string())?;
    let mut outcome = Outcome::Started;
    if let Some(record) = Record::find(&record_file, &launch.home) {
        if record.fingerprint == launch.fingerprint
            && let Ok(health) = wait(service, stack, GRACE, || record.is_alive())
        {
            service.finish(stack)?;
            return Ok((Outcome::Running, health));
        }
        if record.is_alive() {
            outcome = Outcome::Restarted;
        }
        record
            .stop(&service.ladder())
            .wrap_err_with(|| service.to_string())?;
    }
    process::clear_leftovers(&launch.home)?;
    for port in service.ports(stack) {
        port::ensure_free(service, port, port::PATIENCE)?;
    }
    match service {
        Service::Postgres(cluster) => postgres::forget_dead_postmaster(stack, cluster)?,
        Service::Kafka(_) | Service::Connect => jvm::clear_temporary(&launch.home)?,
        Service::Redis => {}
    }
    let mut child = launch.start(&record_file)?;
    let patience = service.patience();
    let health = wait(service, stack, patience, || is_running(&mut child)).map_err(|trouble| {
        // What is final explains itself; otherwise the server's own words are the best there is.
        let log = if trouble.is_final {
            String::new()
        } else {
            process::tail(&launch.log, 12)
        };
        eyre!(
            "{service} did not come up: {}\n  log {}\n{log}",
            trouble.text,
            launch.log.display()
        )
    })?;
    service.finish(stack)?;
    Ok((outcome, health))
}

/// A child that cannot be watched counts as running: its own answers decide then.
fn is_running(child: &mut Child) -> bool {
    child.try_wait().map_or(true, |ended| ended.is_none())
}

/// Asks until the server works, ends, or runs out of time.
fn wait(
    service: Service,
    stack: &Stack,
    patience: Duration,
    mut is_running: impl FnMut() -> bool,
) -> Result<Health, Trouble> {
    let end = Instant::now() + patience;
    loop {
        let trouble = match service.probe(stack) {
            Ok(health) => return Ok(health),
            Err(trouble) => trouble,
        };
        if !is_running() {
            return Err(Trouble::not_yet("the process ended"));
        }
        if trouble.is_final || Instant::now() >= end {
            return Err(trouble);
        }
        thread::sleep(LOOK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_tells_what_happened() {
        use Outcome::{Restarted, Running, Started};
        assert_eq!(summary(&[Running, Running], 1.0), "already up");
        assert_eq!(summary(&[Started, Started], 9.04), "up in 9.0 s: 2 started");
        assert_eq!(
            summary(&[Running, Started, Restarted], 2.0),
            "up in 2.0 s: 1 started, 1 restarted, 1 already up"
        );
    }
}
