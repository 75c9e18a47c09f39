//! Ways into a running stack: logs, clients of the databases, variables for a shell. Each becomes the program it
//! calls, so keys and signals reach that program directly.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::Args;
use color_eyre::eyre::{Result, WrapErr, bail, eyre};

use super::account::Account;
use super::service::{Cluster, Service};
use super::settings::{Options, data_folder};
use super::state::Stack;

/// Arguments of `stack logs`.
#[derive(Debug, Clone, Args)]
pub(super) struct LogsArgs {
    /// Services or groups; all when none is named
    services: Vec<String>,
    /// Keep printing what is added
    #[arg(short, long)]
    follow: bool,
    /// Lines from the end of each log
    #[arg(short = 'n', long, default_value_t = 40)]
    lines: u32,
}

/// Arguments of `stack psql`.
#[derive(Debug, Clone, Args)]
pub(super) struct PsqlArgs {
    /// instashop, crm, erp, ecommerce or warehouse (or the name of the database)
    database: String,
    /// Handed on to psql
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Arguments of `stack redis-cli`.
#[derive(Debug, Clone, Args)]
pub(super) struct RedisArgs {
    /// Handed on to redis-cli
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

fn open(options: &Options) -> Result<Stack> {
    let (data, _) = data_folder(options, &Account::current())?;
    Stack::load(&data)?.ok_or_else(|| {
        eyre!(
            "there is no stack in {}: make one with `stack up`",
            data.display()
        )
    })
}

fn become_program(command: &mut Command) -> Result<ExitCode> {
    // Returns only when it failed.
    let error = command.exec();
    let program = command.get_program().to_string_lossy().into_owned();
    Err(error).wrap_err_with(|| format!("`{program}` cannot be started"))
}

/// Prints the end of the logs.
pub(super) fn logs(options: &Options, arguments: &LogsArgs) -> Result<ExitCode> {
    let stack = open(options)?;
    let services = Service::named(&arguments.services, stack.state.brokers)?;
    let files: Vec<PathBuf> = services
        .iter()
        .map(|service| stack.log(*service))
        .filter(|file| file.is_file())
        .collect();
    if files.is_empty() {
        bail!("there is no log yet in {}", stack.folder("logs").display());
    }
    let mut command = Command::new("tail");
    command.arg("-n").arg(arguments.lines.to_string());
    if arguments.follow {
        command.arg("-F");
    }
    become_program(command.args(files))
}

/// Opens psql on a database as its owner.
pub(super) fn psql(options: &Options, arguments: &PsqlArgs) -> Result<ExitCode> {
    let stack = open(options)?;
    let cluster = Cluster::parse(&arguments.database).ok_or_else(|| {
        let known = Cluster::ALL.map(Cluster::name).join(", ");
        eyre!("there is no database `{}`; known are {known}", arguments.database)
    })?;
    let mut command = Command::new("psql");
    command
        .args(["-h", "127.0.0.1", "-p"])
        .arg(stack.state.ports.of(Service::Postgres(cluster)).to_string())
        .args(["-U", cluster.owner(), "-d", cluster.database()])
        .args(&arguments.arguments)
        .env("PGPASSWORD", stack.state.secrets.owner(cluster));
    become_program(&mut command)
}

/// Opens redis-cli as the administrator.
pub(super) fn redis(options: &Options, arguments: &RedisArgs) -> Result<ExitCode> {
    let stack = open(options)?;
    let mut command = Command::new("redis-cli");
    command
        .args(["-h", "127.0.0.1", "-p"])
        .arg(stack.state.ports.redis.to_string())
        .args(["--user", "admin"])
        .args(&arguments.arguments)
        .env("REDISCLI_AUTH", stack.state.secrets.get("redis.admin"));
    become_program(&mut command)
}

/// Prints variables for a shell: `eval "$(instashop-dev stack env)"`. No password is among them; those are in the
/// configuration file that the first one names.
pub(super) fn env(options: &Options) -> Result<ExitCode> {
    let stack = open(options)?;
    print!("{}", exports(&stack));
    Ok(ExitCode::SUCCESS)
}

fn exports(stack: &Stack) -> String {
    let config = quoted(&stack.data.join("instashop.toml"));
    let data = quoted(&stack.data);
    format!("export INSTASHOP_CONFIG={config}\nexport INSTASHOP_STACK_DATA={data}\n")
}

/// A path in single quotes, as a shell reads it.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.to_string_lossy().replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_quoted_and_hold_no_password() {
        let folder = tempfile::tempdir().unwrap();
        let odd = folder.path().join("it's here");
        let stack = Stack::prepare(&odd, &Options::default(), &[]).unwrap();
        let text = exports(&stack);
        assert!(text.contains(r"it'\''s here/instashop.toml'"), "{text}");
        assert!(!text.contains(stack.state.secrets.get("redis.admin")), "{text}");
    }
}
