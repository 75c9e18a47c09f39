//! The shop simulator: fills the four source databases with a shop's history, then lets the shop live in real time.
//!
//! Everything a shop does is decided by pure code from a seed and a given `now` (`market` and what it is made of); the
//! history carries the decisions out in memory and loads the result, the live phase writes them to the databases as they
//! come. `docs/simulator.md` says how to use it.

/// Prints a line. A reader that has gone away is no reason to stop, and `println!` would panic.
macro_rules! say {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($text)*);
    }};
}

mod action;
mod agenda;
mod behaviour;
mod catalogue;
mod census;
mod clerk;
mod dice;
pub(crate) use dice::Dice;
mod fulfilment;
mod geography;
mod habits;
mod history;
pub(crate) use history::{History, make as make_history};
mod ids;
mod ledger;
mod live;
mod load;
mod market;
mod nature;
mod order;
mod pace;
mod people;
mod programme;
mod row;
mod schema;
mod settings;
pub(crate) use settings::Plan;
mod shape;
mod shelf;
mod shop;
mod source;
mod truth;
mod writer;

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use chrono::{DateTime, SubsecRound, Utc};
use clap::{Args as ClapArgs, Subcommand};
use color_eyre::eyre::{Result, WrapErr, bail};
use instashop_core::config::Config;
use instashop_core::table::{SourceDb, Table};

use load::{Found, Loader};

const EXAMPLES: &str = "\
Examples:
  instashop-dev simulate                                  history if the sources are empty, then live
  instashop-dev simulate history --days 30 --seed 7       a smaller shop, then stop
  instashop-dev simulate history --reset                  delete every row of the sources and begin anew
  instashop-dev simulate history --flat                   nothing planted: the negative control
  instashop-dev simulate live --rate 500 --duration 60s   a load test of one minute
";

/// Arguments of `instashop-dev simulate`.
#[derive(Debug, ClapArgs)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    phase: Option<Phase>,
    #[command(flatten)]
    options: Options,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Subcommand)]
enum Phase {
    /// Load a history into empty sources, then stop
    #[command(after_help = EXAMPLES)]
    History,
    /// Let the shop live in real time until SIGINT or SIGTERM
    #[command(after_help = EXAMPLES)]
    Live,
}

#[derive(Debug, Clone, ClapArgs)]
struct Options {
    /// Configuration file of the product, for the addresses of the sources, the zone and the currency
    #[arg(
        long,
        global = true,
        env = "INSTASHOP_CONFIG",
        hide_env_values = true,
        value_name = "FILE"
    )]
    config: Option<PathBuf>,
    /// Seed of all randomness; the same seed and --now give the same history
    #[arg(long, global = true, default_value_t = 2025, value_name = "NUMBER")]
    seed: u64,
    /// End of the history, RFC 3339; the current time when left out
    #[arg(long, global = true, value_parser = settings::instant, value_name = "INSTANT")]
    now: Option<DateTime<Utc>>,
    /// Plant nothing: no daily or weekly shape, trend, promotions, bundles, stock-outs, anomalies
    #[arg(long, global = true)]
    flat: bool,
    /// Where to write what was planted; simulator-truth.json beside the configuration when left out
    #[arg(long, global = true, value_name = "FILE")]
    truth: Option<PathBuf>,

    /// Days of history
    #[arg(long, global = true, default_value_t = 120, value_parser = clap::value_parser!(u32).range(1..=1500), help_heading = "History")]
    days: u32,
    /// Stores
    #[arg(long, global = true, default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=5000), help_heading = "History")]
    stores: u32,
    /// Buyers at the end of the history
    #[arg(long, global = true, default_value_t = 3000, value_parser = clap::value_parser!(u32).range(1..=1_000_000), help_heading = "History")]
    buyers: u32,
    /// Products
    #[arg(long, global = true, default_value_t = 400, value_parser = clap::value_parser!(u32).range(1..=100_000), help_heading = "History")]
    products: u32,
    /// Orders a day, on average; behaviour follows in proportion
    #[arg(long, global = true, default_value_t = 250, value_parser = clap::value_parser!(u32).range(1..=200_000), help_heading = "History")]
    orders_per_day: u32,
    /// Delete every row of the sources first
    #[arg(long, global = true, help_heading = "History")]
    reset: bool,

    /// Events a second: one order placed or one behaviour row each
    #[arg(long, global = true, default_value = "10", value_parser = settings::rate, help_heading = "Live", value_name = "NUMBER")]
    rate: f64,
    /// Share of orders among the events, in percent
    #[arg(long, global = true, default_value_t = 70, value_parser = clap::value_parser!(u8).range(0..=100), help_heading = "Live", value_name = "PERCENT")]
    orders: u8,
    /// Stop after this time; without it, run until a signal comes
    #[arg(long, global = true, value_parser = settings::duration, help_heading = "Live", value_name = "TIME")]
    duration: Option<Duration>,
    /// Time between two status lines
    #[arg(long, global = true, default_value = "10s", value_parser = settings::duration, help_heading = "Live", value_name = "TIME")]
    status_every: Duration,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<ExitCode> {
    let options = &args.options;
    let config = settings::configuration(options.config.as_deref(), std::env::vars())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .wrap_err("cannot start the asynchronous runtime")?;
    let truth = truth_path(options);
    if args.phase != Some(Phase::Live) {
        runtime.block_on(history(&config, options, &truth, args.phase))?;
    }
    if args.phase != Some(Phase::History) {
        let wishes = live::Wishes {
            seed: options.seed,
            rate: options.rate,
            orders_share: f64::from(options.orders) / 100.0,
            duration: options.duration,
            status_every: options.status_every,
            flat: options.flat,
            incidents: truth::incident_path(&truth),
        };
        runtime.block_on(live::run(config, wishes))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn truth_path(options: &Options) -> PathBuf {
    options.truth.clone().unwrap_or_else(|| {
        let folder = options
            .config
            .as_deref()
            .and_then(Path::parent)
            .unwrap_or(Path::new(""));
        folder.join("simulator-truth.json")
    })
}

/// Loads a history where there is none.
async fn history(config: &Config, options: &Options, truth: &Path, phase: Option<Phase>) -> Result<()> {
    let began = Instant::now();
    let (loader, created) = Loader::open(config).await?;
    if !created.is_empty() {
        let names: Vec<&str> = created.iter().map(|table| table.name()).collect();
        say!("created tables: {}", names.join(", "));
    }
    if options.reset {
        say!("deleted {} rows", loader.reset().await?);
    }
    if let Found::Filled(tables) = loader.look().await? {
        let names: Vec<&str> = tables.iter().map(|table| table.name()).collect();
        let sold = tables.iter().any(|table| table.source() == SourceDb::Instashop);
        if !sold && phase == Some(Phase::History) {
            bail!(
                "the sales database is empty but {} hold rows: an earlier load was cut off, or these are somebody \
                 else's; --reset deletes them",
                names.join(", ")
            );
        }
        say!(
            "the shop exists already ({} hold rows); nothing is loaded, --reset begins anew",
            names.join(", ")
        );
        return Ok(());
    }
    let plan = Plan {
        seed: options.seed,
        now: options.now.unwrap_or_else(Utc::now).trunc_subsecs(0),
        days: options.days,
        stores: options.stores,
        buyers: options.buyers,
        products: options.products,
        orders_per_day: options.orders_per_day,
        flat: options.flat,
        zone: config.meaning.tz(),
        currency: config.meaning.currency.clone(),
        first_ids: loader.first_ids().await?,
    };
    settings::check(&plan)?;
    say!(
        "history: {} days up to {}, {} stores, {} buyers, {} products, about {} orders a day, seed {}{}",
        plan.days,
        plan.now.format("%Y-%m-%dT%H:%M:%SZ"),
        plan.stores,
        plan.buyers,
        plan.products,
        plan.orders_per_day,
        plan.seed,
        if plan.flat { ", flat" } else { "" }
    );
    let mut bar = Bar::new();
    let history = history::make(&plan, |done, all| bar.show(done, all));
    bar.end();
    let made = began.elapsed();
    history.truth.write(truth)?;
    say!(
        "loading {} rows into four sources",
        Table::ALL
            .iter()
            .map(|table| history.ledger.rows(*table))
            .sum::<u64>()
    );
    loader.load(&history.ledger).await?;
    for source in SourceDb::ALL {
        let counts: Vec<String> = source
            .tables()
            .map(|table| format!("{} {}", table.name(), history.ledger.rows(table)))
            .collect();
        say!("  {:<13} {}", source.name(), counts.join(", "));
    }
    say!(
        "done in {:.1} s (made in {:.1} s); what was planted stands in {}",
        began.elapsed().as_secs_f64(),
        made.as_secs_f64(),
        truth.display()
    );
    Ok(())
}

/// How far the making of a history is: one line that is written over, on a terminal; a line now and then elsewhere.
struct Bar {
    terminal: bool,
    shown: i64,
}

impl Bar {
    fn new() -> Self {
        Self {
            terminal: std::io::stderr().is_terminal(),
            shown: -1,
        }
    }

    fn show(&mut self, done: i64, all: i64) {
        let tenth = done * 10 / all.max(1);
        if self.terminal {
            eprint!("\r  day {done} of {all} ");
            // A terminal that cannot be written to shows no progress; that is all.
            let _ = std::io::stderr().flush();
        } else if tenth > self.shown {
            eprintln!("  day {done} of {all}");
        }
        self.shown = tenth;
    }

    fn end(&self) {
        if self.terminal {
            eprintln!();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Args;

    #[test]
    fn help() {
        let command = clap::Command::new("instashop-dev simulate").term_width(110);
        let mut command = <Args as clap::Args>::augment_args(command);
        insta::assert_snapshot!(command.render_long_help());
    }
}
