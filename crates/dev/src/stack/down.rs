//! `stack down`: Connect first, so that no replication client holds a database open, then Kafka, Redis and
//! PostgreSQL. Every wait has a bound, and nothing is left running.

use std::fs;
use std::process::ExitCode;
use std::thread;

use clap::Args;
use color_eyre::eyre::{Result, WrapErr, bail};

use super::account::Account;
use super::process::{self, Record};
use super::progress::Progress;
use super::service::Service;
use super::settings::{Options, data_folder};
use super::state::{Lock, Stack};

/// Arguments of `stack down`.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct DownArgs {
    /// Only these: postgres, redis, kafka, connect, or single services such as postgres-crm
    #[arg(
        long,
        value_name = "NAMES",
        value_delimiter = ',',
        conflicts_with = "remove_data"
    )]
    only: Vec<String>,
    /// Remove the data too: databases, topics, passwords, logs
    #[arg(long)]
    remove_data: bool,
}

/// What the stack keeps in its data folder; nothing else is ever removed.
const KEPT: [&str; 8] = [
    "connect",
    "instashop.toml",
    "kafka",
    "logs",
    "postgres",
    "redis",
    "run",
    "stack.toml",
];

/// Stops the servers.
pub(super) fn run(options: &Options, arguments: &DownArgs) -> Result<ExitCode> {
    let (data, _) = data_folder(options, &Account::current())?;
    if !data.is_dir() {
        println!("nothing to stop: there is no stack in {}", data.display());
        return Ok(ExitCode::SUCCESS);
    }
    if Stack::load(&data)?.is_none() {
        println!("nothing to stop: there is no stack in {}", data.display());
        return Ok(ExitCode::SUCCESS);
    }
    let _lock = Lock::take(&data)?;
    // Read again: another command may have changed it while this one waited.
    let Some(mut stack) = Stack::load(&data)? else {
        bail!("the stack in {} has just gone", data.display())
    };
    let chosen = Service::named(&arguments.only, stack.state.brokers)?;

    let progress = Progress::start();
    let mut stopped = 0;
    let mut failures = Vec::new();
    for rank in 0..=2 {
        let group: Vec<Service> = chosen
            .iter()
            .copied()
            .filter(|service| rank_of(*service) == rank)
            .collect();
        for result in stop_together(&stack, &group, &progress) {
            match result {
                Ok(was_up) => stopped += usize::from(was_up),
                Err(error) => failures.push(format!("{error:#}")),
            }
        }
    }
    if !failures.is_empty() {
        bail!("{}", failures.join("\n"));
    }
    let seconds = progress.elapsed().as_secs_f64();
    drop(progress);
    stack
        .state
        .services
        .retain(|name| !chosen.iter().any(|service| service.to_string() == *name));
    if stopped == 0 {
        println!("already down");
    } else {
        println!("down in {seconds:.1} s: {stopped} stopped");
    }
    if arguments.remove_data {
        return remove(&stack);
    }
    if !arguments.only.is_empty() {
        stack.save()?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Connect, then the brokers, then the rest.
fn rank_of(service: Service) -> u8 {
    match service {
        Service::Connect => 0,
        Service::Kafka(_) => 1,
        Service::Redis | Service::Postgres(_) => 2,
    }
}

fn stop_together(stack: &Stack, group: &[Service], progress: &Progress) -> Vec<Result<bool>> {
    thread::scope(|scope| {
        let threads: Vec<_> = group
            .iter()
            .map(|service| scope.spawn(move || stop(stack, *service, progress)))
            .collect();
        threads
            .into_iter()
            .map(|thread| {
                thread
                    .join()
                    .unwrap_or_else(|_| bail!("stopping a service broke off"))
            })
            .collect()
    })
}

/// True when the service was up.
fn stop(stack: &Stack, service: Service, progress: &Progress) -> Result<bool> {
    let file = stack.record(service);
    let home = stack.home(service);
    let record = Record::find(&file, &home);
    if let Some(record) = &record {
        let stopping = || {
            record
                .stop(&service.ladder())
                .wrap_err_with(|| service.to_string())
        };
        let said = |clean: &bool| if *clean { "stopped" } else { "stopped the hard way" }.to_owned();
        progress.step(&service.to_string(), stopping, said)?;
    }
    let left = if home.is_dir() {
        process::clear_leftovers(&home)?
    } else {
        0
    };
    if left > 0 {
        progress.note(&format!(
            "  {service}: {left} process(es) were left behind and have been ended"
        ));
    }
    match fs::remove_file(&file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).wrap_err_with(|| format!("{} cannot be removed", file.display()))
        }
        _ => Ok(record.is_some() || left > 0),
    }
}

fn remove(stack: &Stack) -> Result<ExitCode> {
    for name in KEPT {
        let path = stack.folder(name);
        let removed = match path.symlink_metadata() {
            Ok(meta) if meta.is_dir() => fs::remove_dir_all(&path),
            Ok(_) => fs::remove_file(&path),
            Err(_) => Ok(()),
        };
        removed.wrap_err_with(|| format!("{} cannot be removed", path.display()))?;
    }
    // Only when nothing of somebody else's is in it.
    let _ = fs::remove_dir(&stack.data);
    println!("data removed from {}", stack.data.display());
    Ok(ExitCode::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connect_goes_first_and_databases_last() {
        let mut all = Service::all(3);
        all.sort_by_key(|service| rank_of(*service));
        assert_eq!(all[0], Service::Connect);
        assert!(
            all[1..4]
                .iter()
                .all(|service| matches!(service, Service::Kafka(_)))
        );
    }
}
