//! `instashop dead-letters`: the records that could not be used, for people: list, show, replay, discard.
//!
//! A dead letter is written in the transaction of its checkpoint, with its bytes, so that none is lost in silence
//! (docs: reliability I7). What stands in it came from outside: nothing of it reaches a terminal with control characters.

/// Letters as tables, pages and JSON.
mod page;
/// Writing letters to their topics once more.
mod replay;

use std::path::PathBuf;
use std::process::ExitCode;

use chrono::{DateTime, TimeDelta, Utc};
use clap::{Args, Subcommand, ValueEnum};
use color_eyre::eyre::{Result, WrapErr};
use instashop_core::config::Config;
use instashop_store::warehouse::{DeadLetters as Letters, Filter, LetterState};

use crate::cli::exit::{Exit, Failure};
use crate::cli::{Format, output};

pub(crate) const HELP: &str = "\
A record that cannot be decoded, or that PostgreSQL refuses, is kept with its bytes and the flow goes on. The reasons are \
the same for both flows; the warehouse flow keeps the letters.

Examples:
  instashop dead-letters list
  instashop dead-letters show 42
  instashop dead-letters replay 42
  instashop dead-letters discard 42

Exit codes: 0 done; 1 there is no such letter; 2 usage; 3 the warehouse cannot be reached; 4 configuration.";

const LIST_HELP: &str = "\
Examples:
  instashop dead-letters list --reason bad_json --since 2h
  instashop dead-letters list --state all --format json | jq '.[].detail'

Exit codes: 0 listed, also when there is none; 2 usage; 3 the warehouse cannot be reached; 4 configuration.";

const SHOW_HELP: &str = "\
Examples:
  instashop dead-letters show 42
  instashop dead-letters show 42 --raw > record.json

Exit codes: 0 shown; 1 there is no such letter; 2 usage; 3 the warehouse cannot be reached; 4 configuration.";

const DISCARD_HELP: &str = "\
A discarded letter stays, with who decided and when; it no longer counts as open. Its row stays as it was before that \
record until the source changes it again.

Examples:
  instashop dead-letters discard 42 43
  instashop dead-letters discard --reason bad_json --topic transaction --yes

Exit codes: 0 discarded; 1 none was open, or --yes is missing; 2 usage; 3 the warehouse cannot be reached; \
4 configuration.";

/// What can be done with dead letters.
#[derive(Debug, Subcommand)]
pub enum DeadLetters {
    /// List them, newest first
    #[command(after_long_help = LIST_HELP)]
    List(ListArgs),
    /// Show one with its bytes
    #[command(after_long_help = SHOW_HELP)]
    Show(ShowArgs),
    /// Hand open ones to both flows once more
    #[command(after_long_help = replay::HELP)]
    Replay(ReplayArgs),
    /// Mark open ones as not worth keeping open
    #[command(after_long_help = DISCARD_HELP)]
    Discard(DiscardArgs),
}

/// State of the letters to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum State {
    /// Waiting for somebody.
    Open,
    /// Marked by `discard`.
    Discarded,
    /// Written to its topic once more.
    Replayed,
    /// Any.
    All,
}

impl State {
    const fn filter(self) -> Option<LetterState> {
        match self {
            Self::Open => Some(LetterState::Open),
            Self::Discarded => Some(LetterState::Discarded),
            Self::Replayed => Some(LetterState::Replayed),
            Self::All => None,
        }
    }
}

/// Which letters.
#[derive(Debug, Clone, Default, Args)]
pub struct Which {
    /// Only this reason, for example bad_json
    #[arg(long, value_name = "REASON")]
    reason: Option<String>,
    /// Only this topic
    #[arg(long, value_name = "TOPIC")]
    topic: Option<String>,
    /// Only kept since this moment: 2026-03-01T00:00:00Z, or 30m, 2h, 7d ago
    #[arg(long, value_name = "TIME", value_parser = moment)]
    since: Option<DateTime<Utc>>,
}

/// Arguments of `list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    #[command(flatten)]
    which: Which,
    /// Only in this state
    #[arg(long, value_enum, default_value = "open")]
    state: State,
    /// Most letters to list
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=100_000))]
    limit: i64,
    /// How to print them
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Arguments of `show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Number of the letter, as listed
    id: i64,
    /// Print the bytes of its value and nothing else, as they are
    #[arg(long, conflicts_with = "format")]
    raw: bool,
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Arguments of `discard`.
#[derive(Debug, Args)]
pub struct DiscardArgs {
    /// Numbers of the letters, as listed
    #[arg(conflicts_with_all = ["reason", "topic", "since"], required_unless_present_any = ["reason", "topic", "since"])]
    ids: Vec<i64>,
    #[command(flatten)]
    which: Which,
    /// Discard all that fit without asking back
    #[arg(long)]
    yes: bool,
}

/// Arguments of `replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// Numbers of the letters, as listed
    #[arg(conflicts_with_all = ["reason", "topic", "since"], required_unless_present_any = ["reason", "topic", "since"])]
    ids: Vec<i64>,
    #[command(flatten)]
    which: Which,
    /// Hand over these bytes in place of the letter's own, for one letter whose value was put right by hand; - reads
    /// standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["reason", "topic", "since"])]
    value: Option<PathBuf>,
    /// Replay all that fit without asking back
    #[arg(long)]
    yes: bool,
}

/// A moment: RFC 3339, or how long ago.
fn moment(text: &str) -> Result<DateTime<Utc>, String> {
    moment_at(text, Utc::now())
}

fn moment_at(text: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, String> {
    let ago = || {
        let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
        let number: i64 = number
            .parse()
            .ok()
            .filter(|number| (0..=100_000).contains(number))?;
        match unit {
            "m" => Some(TimeDelta::minutes(number)),
            "h" => Some(TimeDelta::hours(number)),
            "d" => Some(TimeDelta::days(number)),
            _ => None,
        }
    };
    if let Some(ago) = ago() {
        return Ok(now - ago);
    }
    let parsed = DateTime::parse_from_rfc3339(text).map(|at| at.to_utc());
    parsed.map_err(|_| {
        format!("{text:?} is neither a moment such as 2026-03-01T00:00:00Z nor 30m, 2h or 7d ago")
    })
}

/// Runs the command.
pub(crate) async fn run(command: &DeadLetters, config: &Config) -> Result<ExitCode> {
    let letters = Letters::connect(&config.warehouse).await?;
    match command {
        DeadLetters::List(args) => list(&letters, args).await,
        DeadLetters::Show(args) => show(&letters, args).await,
        DeadLetters::Replay(args) => replay::run(&letters, args, config).await,
        DeadLetters::Discard(args) => discard(&letters, args).await,
    }
}

fn filter(which: &Which, state: Option<LetterState>) -> Filter {
    Filter {
        reason: which.reason.clone(),
        topic: which.topic.clone(),
        state,
        since: which.since,
        ..Filter::default()
    }
}

async fn list(letters: &Letters, args: &ListArgs) -> Result<ExitCode> {
    let filter = filter(&args.which, args.state.filter());
    let found = letters.list(&filter, args.limit).await?;
    match args.format {
        Format::Json => output::line(&page::json(&found)?)?,
        Format::Text => {
            let all = letters.count(&filter).await?;
            output::print(&page::table(&found, all))?;
        }
    }
    Ok(Exit::Done.into())
}

async fn show(letters: &Letters, args: &ShowArgs) -> Result<ExitCode> {
    let Some(letter) = letters.show(args.id).await? else {
        return Err(
            Failure::new(Exit::No, format!("there is no dead letter {}", args.id))
                .hint("instashop dead-letters list --state all shows which there are")
                .into(),
        );
    };
    if args.raw {
        output::bytes(letter.value.as_deref().unwrap_or_default())?;
    } else {
        match args.format {
            Format::Json => output::line(&page::one_json(&letter)?)?,
            Format::Text => output::print(&page::one(&letter))?,
        }
    }
    Ok(Exit::Done.into())
}

async fn discard(letters: &Letters, args: &DiscardArgs) -> Result<ExitCode> {
    let mut filter = filter(&args.which, Some(LetterState::Open));
    if args.ids.is_empty() {
        let count = letters.count(&filter).await?;
        if !args.yes {
            return Err(Failure::new(
                Exit::No,
                format!("{count} open letters fit and none was discarded"),
            )
            .hint("add --yes to discard them all")
            .into());
        }
    } else {
        filter.ids = Some(args.ids.clone());
    }
    let count = letters.discard(&filter, &person()?, Utc::now()).await?;
    output::line(&format!(
        "discarded {count} {}",
        if count == 1 { "letter" } else { "letters" }
    ))?;
    Ok(if count == 0 { Exit::No } else { Exit::Done }.into())
}

/// Who decides, as the record keeps it: the login name and the host.
fn person() -> Result<String> {
    let user = nix::unistd::User::from_uid(nix::unistd::getuid())
        .wrap_err("the user of this process has no name")?;
    let name = std::env::var("SUDO_USER")
        .ok()
        .or_else(|| user.map(|user| user.name))
        .unwrap_or_else(|| "somebody".into());
    let host = nix::unistd::gethostname()
        .ok()
        .and_then(|host| host.into_string().ok())
        .unwrap_or_default();
    Ok(format!("{name}@{host}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_time_or_an_age() {
        let now = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let cases = [
            ("30m", Some(now - TimeDelta::minutes(30))),
            ("2h", Some(now - TimeDelta::hours(2))),
            ("7d", Some(now - TimeDelta::days(7))),
            ("2026-03-01T00:00:00Z", DateTime::from_timestamp(1_772_323_200, 0)),
            (
                "2026-03-01T02:00:00+02:00",
                DateTime::from_timestamp(1_772_323_200, 0),
            ),
            ("yesterday", None),
            ("", None),
            ("-5m", None),
            ("99999999999d", None),
            ("5µ", None),
        ];
        for (text, expected) in cases {
            assert_eq!(moment_at(text, now).ok(), expected, "{text:?}");
        }
    }
}
