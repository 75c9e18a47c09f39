//! The command line: what can be asked for, and how a command ends.

/// `instashop config`: check, show and sample.
pub mod configuration;
/// Exit codes, and the sentence that goes with one.
pub mod exit;
/// `instashop completions` and `instashop man`.
pub mod manual;
/// Text on standard output that survives a closed pipe.
pub mod output;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{ArgAction, Args, ColorChoice, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use color_eyre::eyre::{Result, WrapErr};
use instashop_core::config::Config;
use instashop_store::config;

use crate::shutdown::Shutdown;
use crate::{dead_letters, etl, flow, metrics, rebuild, setup, status, supervise, sweep, telemetry, verify};
use exit::Exit;

const EXAMPLES: &str = "\
Examples:
  instashop setup                 prepare sources, topics, connectors, warehouse and Redis
  instashop up                    start the workers in the background
  instashop status                one page of health
  instashop verify                prove that source, warehouse and Redis agree
  instashop down                  stop the workers

Configuration: defaults, then the file (--config, else INSTASHOP_CONFIG, else ./instashop.toml), then variables \
such as INSTASHOP__REDIS__PORT=6380, then --set redis.port=6380. `instashop config sample` prints every key.

Exit codes: 0 done; 1 the answer is no (problems found, drift, not healthy); 2 wrong usage; 3 a server cannot be \
reached; 4 the configuration cannot be used. INSTASHOP_BACKTRACE=1 adds the whole chain of causes to an error.";

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// Exact shop metrics: Debezium changes from Kafka into a PostgreSQL warehouse and into Redis
#[derive(Debug, Parser)]
#[command(name = "instashop", version, styles = STYLES, after_long_help = EXAMPLES, max_term_width = 110)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options that every command takes.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Global {
    /// Configuration file [default: ./instashop.toml, if it is there]
    #[arg(long, value_name = "FILE", env = config::FILE_VARIABLE, hide_env_values = true, global = true)]
    pub config: Option<PathBuf>,
    /// Set one key for this run, for example redis.port=6380; may be repeated
    #[arg(long, value_name = "KEY=VALUE", action = ArgAction::Append, global = true)]
    pub set: Vec<String>,
    /// What is logged: error, warn, info, debug, trace, or filters such as info,rdkafka=debug
    #[arg(
        long,
        value_name = "LEVEL",
        env = "INSTASHOP_LOG_LEVEL",
        hide_env_values = true,
        global = true
    )]
    pub log_level: Option<String>,
    /// How it is logged, to standard error
    #[arg(
        long,
        value_enum,
        value_name = "FORMAT",
        default_value_t,
        env = "INSTASHOP_LOG_FORMAT",
        hide_env_values = true,
        global = true
    )]
    pub log_format: telemetry::LogFormat,
    /// When to use colours; NO_COLOR is honoured
    #[arg(long, value_name = "WHEN", default_value = "auto", global = true)]
    pub color: ColorChoice,
}

impl Global {
    /// The file that is read: the one asked for, else `instashop.toml` in the working folder if it is there.
    pub fn file(&self) -> Option<PathBuf> {
        let default = PathBuf::from("instashop.toml");
        self.config
            .clone()
            .or_else(|| default.is_file().then_some(default))
    }

    /// Loads and validates the configuration.
    pub fn load(&self) -> Result<Config, config::ConfigError> {
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        config::load(self.file().as_deref(), variables, &self.set)
    }

    /// A path from the configuration: as it is when absolute or found from the working folder, else beside the
    /// configuration file.
    pub fn resolve(&self, path: &str) -> PathBuf {
        let path = Path::new(path);
        if path.is_absolute() || path.exists() {
            return path.to_path_buf();
        }
        let beside = self.file().and_then(|file| Some(file.parent()?.join(path)));
        beside
            .filter(|path| path.exists())
            .unwrap_or_else(|| path.to_path_buf())
    }
}

/// The commands, in the order in which a new installation needs them.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Prepare sources, topics, connectors, warehouse and Redis; a second run changes nothing
    #[command(after_long_help = setup::HELP)]
    Setup(setup::SetupArgs),
    /// Run one worker of the live flow: changes into Redis
    #[command(after_long_help = FLOW_HELP)]
    Live,
    /// Run one worker of the warehouse flow: changes into PostgreSQL
    #[command(after_long_help = FLOW_HELP)]
    Warehouse,
    /// Keep the marts up to date and run the daily batch, or run some days of it
    #[command(after_long_help = etl::HELP)]
    Etl(etl::EtlArgs),
    /// List the metrics, say what one means, or print its value for the platform or one store
    #[command(after_long_help = metrics::HELP)]
    Metrics(metrics::MetricsArgs),
    /// Prove that source, warehouse and Redis agree
    #[command(after_long_help = VERIFY_HELP)]
    Verify(verify::VerifyArgs),
    /// Delete rows that vanished from a source while nobody listened
    #[command(after_long_help = sweep::HELP)]
    Sweep(sweep::SweepArgs),
    /// Count the live totals anew from the topics
    #[command(after_long_help = rebuild::HELP)]
    Rebuild(rebuild::RebuildArgs),
    /// Show one page of health
    #[command(after_long_help = status::HELP)]
    Status(status::StatusArgs),
    /// List, show, replay or discard records that could not be used
    #[command(subcommand, name = "dead-letters", after_long_help = dead_letters::HELP)]
    DeadLetters(dead_letters::DeadLetters),
    /// Start the workers in the background
    #[command(after_long_help = supervise::UP_HELP)]
    Up(supervise::UpArgs),
    /// Stop the workers that `up` started
    #[command(after_long_help = supervise::DOWN_HELP)]
    Down(supervise::DownArgs),
    /// Show what the workers logged
    #[command(after_long_help = supervise::LOGS_HELP)]
    Logs(supervise::LogsArgs),
    /// Check, show or print a sample of the configuration
    #[command(subcommand, after_long_help = configuration::HELP)]
    Config(configuration::Configuration),
    /// Print completions for a shell
    #[command(after_long_help = manual::COMPLETIONS_HELP)]
    Completions(manual::CompletionsArgs),
    /// Print the manual page, or write all of them into a folder
    #[command(after_long_help = manual::MAN_HELP)]
    Man(manual::ManArgs),
    /// What `up` leaves running
    #[command(hide = true)]
    Supervise(supervise::SuperviseArgs),
}

const FLOW_HELP: &str = "\
Run as many as you like, here or on other machines: the partitions are shared out among them, and one takes over when \
another ends. SIGTERM and SIGINT finish the batch in flight and stop. Under `instashop up` or systemd a worker that \
ends is started again.

Examples:
  instashop live
  instashop --config /etc/instashop/instashop.toml --log-format json warehouse

Exit codes: 0 stopped on request; 1 it cannot go on (the log says why); 3 a server cannot be reached; 4 configuration.";

const VERIFY_HELP: &str = "\
Examples:
  instashop verify                the proof, stored for the dashboard's drift chip
  instashop verify --format json --no-save
  instashop verify --kpis         every metric of the catalogue too, when the shop rests

Exit codes: 0 drift 0; 1 drift; 2 usage; 3 the comparison could not be made; 4 configuration.";

/// Parses the arguments of this process, runs the command, prints how it failed, and gives the exit code.
pub fn main() -> ExitCode {
    run(std::env::args_os())
}

fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match command()
        .try_get_matches_from(arguments)
        .and_then(|mut matches| Cli::from_arg_matches_mut(&mut matches))
    {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Done
            };
            // A closed pipe is no reason to fail.
            let _ = error.print();
            return code.into();
        }
    };
    let color = cli.global.color;
    match start(cli) {
        Ok(code) => code,
        Err(report) => exit::report(&report, color),
    }
}

/// The command line as clap sees it; completions and manual pages come from it too.
pub fn command() -> clap::Command {
    Cli::command()
}

fn start(cli: Cli) -> Result<ExitCode> {
    exit::install()?;
    let long_running = match &cli.command {
        Command::Live | Command::Warehouse | Command::Supervise(_) => true,
        Command::Etl(args) => !args.is_short(),
        _ => false,
    };
    telemetry::init(&cli.global, if long_running { "info" } else { "warn" })?;
    // These answer without a configuration that can be used.
    match &cli.command {
        Command::Completions(args) => return manual::completions(args),
        Command::Man(args) => return manual::man(args),
        Command::Config(command) => return configuration::run(command, &cli.global),
        Command::Metrics(args) if args.is_offline() => return args.print(),
        _ => {}
    }
    let config = cli.global.load()?;
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .wrap_err("the runtime cannot start")?
        .block_on(dispatch(cli.command, &cli.global, &config))
}

async fn dispatch(command: Command, global: &Global, config: &Config) -> Result<ExitCode> {
    match command {
        Command::Setup(args) => Box::pin(setup::run(&args, global, config)).await,
        Command::Live => Box::pin(flow::run_live(config, Shutdown::on_signals()?)).await,
        Command::Warehouse => Box::pin(flow::run_warehouse(config, Shutdown::on_signals()?)).await,
        Command::Etl(args) => Box::pin(etl::run(&args, config, Shutdown::on_signals()?)).await,
        Command::Metrics(args) => Box::pin(metrics::run(&args, config)).await,
        Command::Verify(args) => Box::pin(verify::run(config, args)).await,
        Command::Sweep(args) => Box::pin(sweep::run(&args, config)).await,
        Command::Rebuild(args) => Box::pin(rebuild::run(&args, config)).await,
        Command::Status(args) => Box::pin(status::run(&args, global, config)).await,
        Command::DeadLetters(command) => Box::pin(dead_letters::run(&command, config)).await,
        Command::Up(args) => Box::pin(supervise::up(&args, global, config)).await,
        Command::Down(args) => Box::pin(supervise::down(&args, global)).await,
        Command::Logs(args) => Box::pin(supervise::logs(&args, global)).await,
        Command::Supervise(args) => Box::pin(supervise::supervise(&args, global)).await,
        Command::Config(_) | Command::Completions(_) | Command::Man(_) => Ok(Exit::Done.into()),
    }
}

/// How a command prints its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For scripts.
    Json,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Long help of a command and of everything below it, in a fixed width.
    fn helps(command: &mut clap::Command, path: &str, into: &mut Vec<(String, String)>) {
        into.push((
            path.to_owned(),
            command.clone().term_width(100).render_long_help().to_string(),
        ));
        for child in command
            .get_subcommands_mut()
            .filter(|child| !child.is_hide_set() && child.get_name() != "help")
        {
            let path = format!("{path}-{}", child.get_name());
            helps(child, &path, into);
        }
    }

    #[test]
    fn every_help_is_as_recorded_and_has_examples_and_exit_codes() {
        let mut all = Vec::new();
        let mut root = command();
        root.build();
        helps(&mut root, "instashop", &mut all);
        assert!(all.len() > 12, "{}", all.len());
        for (path, help) in all {
            assert!(help.contains("Exit codes: 0"), "{path} names no exit codes");
            assert!(help.contains("Example"), "{path} has no example");
            insta::assert_snapshot!(path, help);
        }
    }

    #[test]
    fn the_definition_is_sound() {
        command().debug_assert();
    }
}
