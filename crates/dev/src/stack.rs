//! The local stack: PostgreSQL, Redis, Kafka and Kafka Connect as private processes of this project, without Docker.
//!
//! Real servers in a folder of the project, loopback only, on ports of their own (docs: stack; architecture,
//! "Programs and commands"). They outlive the command that started them. Contents:
//!
//! - [`service`] names the servers, [`settings`] the ports and places, [`state`] what is remembered between commands;
//! - [`account`], [`prerequisites`] and [`jars`] find or fetch the programs;
//! - [`server`] is what all servers have in common; [`postgres`], [`redis`], [`kafka`], [`connect`] (the last two on
//!   [`jvm`]) are the four kinds;
//! - [`process`] and [`port`] are the operating system's side;
//! - [`up`], [`down`], [`status`] and [`access`] are the commands, [`progress`] is what they show, [`product`] writes
//!   the configuration for the product.

mod access;
mod account;
mod connect;
mod down;
mod jars;
mod jvm;
mod kafka;
mod port;
mod postgres;
mod prerequisites;
pub(crate) mod process;
mod product;
mod progress;
mod redis;
mod server;
mod service;
mod settings;
mod state;
mod status;
mod up;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args as ClapArgs, Subcommand};
use color_eyre::eyre::Result;

pub(crate) use settings::Options;

/// Arguments of `instashop-dev stack`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(flatten)]
    options: settings::Options,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start what is down, repair what died, leave alone what runs
    Up(up::UpArgs),
    /// Stop everything and keep the data
    Down(down::DownArgs),
    /// Ask every server whether it works; exit code 0 only if all do
    Status(status::StatusArgs),
    /// Print the end of the servers' logs
    Logs(access::LogsArgs),
    /// Print variables for a shell: eval "$(instashop-dev stack env)"
    Env,
    /// Open psql on a database as its owner
    Psql(access::PsqlArgs),
    /// Open redis-cli as the administrator
    RedisCli(access::RedisArgs),
}

/// Runs the command.
///
/// # Errors
/// One sentence for a person: what is missing or taken, which server did not come up and the end of its log.
pub fn run(args: &Args) -> Result<ExitCode> {
    let options = &args.options;
    match &args.command {
        Command::Up(arguments) => up::run(options, arguments),
        Command::Down(arguments) => down::run(options, arguments),
        Command::Status(arguments) => status::run(options, arguments),
        Command::Logs(arguments) => access::logs(options, arguments),
        Command::Env => access::env(options),
        Command::Psql(arguments) => access::psql(options, arguments),
        Command::RedisCli(arguments) => access::redis(options, arguments),
    }
}

/// The data folder these options mean.
///
/// # Errors
/// The current folder cannot be read.
pub(crate) fn data_folder_of(options: &Options) -> Result<PathBuf> {
    Ok(settings::data_folder(options, &account::Account::current())?.0)
}
