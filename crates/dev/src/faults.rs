//! `instashop-dev faults`: real servers, a living shop, one fault at a time, and `verify` as the judge.
//!
//! Each scenario begins with one worker of each flow that has caught up. It brings its fault about while the shop goes
//! on, and ends it. Then both flows must have caught up within the scenario's limit, the event log must hold nothing
//! twice, and `verify` must find drift 0. After a failure the next scenario begins on fresh servers.

pub(crate) mod field;
mod health;
mod matrix;
mod page;
mod proxy;
mod scenarios;
mod topics;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Args as ClapArgs, ValueEnum};
use color_eyre::eyre::{Result, bail};

use crate::bed::Bed;
use field::Field;
use matrix::{SCENARIOS, Scenario};
use page::{Outcome, Played};

const HELP: &str = "\
Examples:
  instashop-dev faults --list                       what can be played
  instashop-dev faults --quick                      the dozen that every test run plays
  instashop-dev faults redis-flushed worker-zombie  these two
  instashop-dev faults --seed 7                     all, with other moments

Exit codes: 0 every fault ended in drift 0; 1 one did not, or the servers did not come up; 2 usage.";

/// Arguments of `instashop-dev faults`.
#[derive(Debug, ClapArgs)]
#[command(after_long_help = HELP)]
pub struct Args {
    /// Scenarios to play; all when none is named
    names: Vec<String>,
    /// Only say which there are
    #[arg(long, conflicts_with_all = ["quick", "names"])]
    list: bool,
    /// The short run: about a dozen scenarios in a short form
    #[arg(long, conflicts_with = "names")]
    quick: bool,
    /// Seed of the moments at which faults come
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Folder of the servers' data; everything in it is removed before and after
    #[arg(
        long,
        value_name = "DIR",
        env = "INSTASHOP_STACK_DATA",
        hide_env_values = true
    )]
    data: Option<PathBuf>,
    /// Added to every default port, so that nothing else is disturbed
    #[arg(
        long,
        value_name = "N",
        env = "INSTASHOP_STACK_PORT_OFFSET",
        default_value = "8000"
    )]
    port_offset: String,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table for people
    #[default]
    Text,
    /// A list of objects
    Json,
}

/// The shop of a run: small, with some days of history.
pub(crate) const SHOP: [&str; 10] = [
    "--days",
    "12",
    "--stores",
    "6",
    "--buyers",
    "400",
    "--products",
    "80",
    "--orders-per-day",
    "60",
];

/// Longest time for the flows to catch up before a fault.
const BEFORE: Duration = Duration::from_mins(3);

/// Runs the command.
///
/// # Errors
/// The servers did not come up, or a name is not known. A fault that did not end well is a result, not an error.
pub fn run(args: &Args) -> Result<ExitCode> {
    if args.list {
        print!("{}", page::list());
        return Ok(ExitCode::SUCCESS);
    }
    let chosen = chosen(args)?;
    let mut played = Vec::new();
    for brokers in [1, 3] {
        let group: Vec<&Scenario> = chosen
            .iter()
            .copied()
            .filter(|scenario| scenario.brokers == brokers)
            .collect();
        if !group.is_empty() {
            play_all(args, brokers, &group, &mut played)?;
        }
    }
    match args.format {
        Format::Text => print!("{}", page::table(&played)),
        Format::Json => println!("{}", page::json(&played, args.seed)),
    }
    let all_good = played.iter().all(|played| played.outcome.is_ok());
    Ok(if all_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn chosen(args: &Args) -> Result<Vec<&'static Scenario>> {
    let mut chosen = Vec::new();
    for name in &args.names {
        let Some(scenario) = SCENARIOS.iter().find(|scenario| scenario.name == name) else {
            bail!("there is no scenario `{name}`; `instashop-dev faults --list` names them all");
        };
        chosen.push(scenario);
    }
    if args.names.is_empty() {
        chosen.extend(SCENARIOS.iter().filter(|scenario| !args.quick || scenario.quick));
    }
    Ok(chosen)
}

/// Plays scenarios on one set of servers, on fresh ones after a failure.
fn play_all(args: &Args, brokers: u8, group: &[&'static Scenario], played: &mut Vec<Played>) -> Result<()> {
    let data = args.data.clone();
    let data = data.unwrap_or_else(|| Bed::usual_folder("instashop-fault-bed"));
    let bed = Bed::new(data, args.port_offset.clone(), brokers, "faults")?;
    eprintln!(
        "--> servers ({brokers} broker{})",
        if brokers == 1 { "" } else { "s" }
    );
    bed.remove()?;
    let result = (|| {
        let mut fresh = false;
        for scenario in group {
            if !fresh {
                bed.prepare(&SHOP)?;
                fresh = true;
            }
            let begun = Instant::now();
            eprintln!("--> {}: {}", scenario.name, scenario.about);
            let mut field = Field::new(&bed, args.seed, scenario.name, args.quick);
            let outcome = play(&mut field, scenario);
            drop(field);
            match &outcome {
                Ok(outcome) => eprintln!(
                    "    drift 0, recovered in {:.1} s ({}), {} s in all",
                    outcome.recovery.as_secs_f64(),
                    outcome.remark,
                    begun.elapsed().as_secs()
                ),
                Err(error) => {
                    eprintln!("    FAILED: {error:#}");
                    page::keep_logs(bed.data(), scenario.name);
                    bed.remove()?;
                    fresh = false;
                }
            }
            played.push(Played {
                name: scenario.name,
                outcome,
                took: begun.elapsed(),
            });
        }
        Ok(())
    })();
    bed.remove()?;
    result
}

/// One scenario from a calm beginning to the proof.
fn play(field: &mut Field<'_>, scenario: &Scenario) -> Result<Outcome> {
    field.fleet.one_each(field.bed)?;
    field.open_shop()?;
    field.both_caught_up(BEFORE)?;
    let before = field.duplicates();
    let remark = (scenario.play)(field)?;
    let healed = field.since_healed();
    field.fleet.one_each(field.bed)?;
    field.open_shop()?;
    field.both_caught_up(scenario.limit)?;
    let recovery = healed.elapsed();
    field.close_shop();
    field.proved()?;
    let duplicates = field.duplicates().saturating_sub(before);
    field.fleet.stop()?;
    Ok(Outcome {
        recovery,
        duplicates,
        remark,
    })
}
