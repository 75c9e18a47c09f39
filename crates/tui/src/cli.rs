//! Flags and subcommands.

use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use clap::{Parser, Subcommand};
use instashop_core::view::{Ask, Basis, Range};

use crate::app::Tab;
use crate::demo::Scene;
use crate::lang::Language;
use crate::look::Wanted;
use crate::once::Format;
use crate::place::{self, Place};

const EXAMPLES: &str = "\
Examples:
  instashop-tui                                 the board, with the settings of instashop.toml
  instashop-tui --demo                          a generated shop: needs no service
  instashop-tui --once                          one picture of Live as text, then end
  instashop-tui --once --tab all --format json  every tab for a program
  instashop-tui --once --format svg --size 200x60 > live.svg
  instashop-tui --theme light --colors rgb --lang es

Exit codes of --once: 0 healthy, 2 drift is broken, 3 a source is missing or too old to judge, 4 could not start.
Keys: ? shows those that work where you are.";

/// The terminal dashboard of InstaShop Analytics: reads Redis and the warehouse, writes neither.
#[derive(Debug, Parser)]
#[command(name = "instashop-tui", version, after_help = EXAMPLES, max_term_width = 120)]
pub struct Cli {
    /// Configuration file; without it instashop.toml in the working folder, if it is there
    #[arg(long, value_name = "FILE", env = "INSTASHOP_CONFIG")]
    pub config: Option<PathBuf>,

    /// Sets one key, for example --set redis.port=6380; can be given again
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<String>,

    /// Tab to begin with; `all` with --once
    #[arg(long, value_name = "TAB", default_value = "live", value_parser = parse_tab)]
    pub tab: TabArgument,

    /// Range of time: 7d, 30d, any number of days, today or yesterday
    #[arg(long, value_name = "RANGE", default_value = "30d", value_parser = parse_range)]
    pub range: Range,

    /// What the range is compared with: previous, weekday, year, or the first day, for example 2026-08-03
    #[arg(long, value_name = "BASE", default_value = "previous", value_parser = parse_basis)]
    pub compare: Basis,

    /// One store by its number; without it the platform
    #[arg(long, value_name = "NUMBER")]
    pub store: Option<i64>,

    /// Open the view of a link: instashop://sales?range=7d&store=118
    #[arg(long, value_name = "LINK", conflicts_with_all = ["tab", "range", "compare", "store"])]
    pub open: Option<String>,

    /// Print once and end, without a terminal
    #[arg(long)]
    pub once: bool,

    /// Sentences instead of a picture, for screen readers; keys ask for a tab, nothing is printed by itself
    #[arg(long)]
    pub plain: bool,

    /// Form of --once
    #[arg(
        long,
        value_enum,
        value_name = "FORM",
        default_value = "text",
        requires = "once"
    )]
    pub format: Format,

    /// Columns and rows of --once
    #[arg(long, value_name = "WxH", default_value = "80x24", value_parser = parse_size, requires = "once")]
    pub size: (u16, u16),

    /// How long --once waits for an answer
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = parse_wait, requires = "once")]
    pub wait: Duration,

    /// Show a generated shop instead of the real one
    #[arg(long, value_name = "SEED", num_args = 0..=1, default_missing_value = "7", require_equals = true)]
    pub demo: Option<u64>,

    /// State of the generated shop
    #[arg(long, value_name = "STATE", requires = "demo", value_parser = parse_scene, default_value = "full")]
    pub demo_state: Scene,

    /// The board as of a moment, for example 2026-08-21T14:05:02-03:00; with --demo --once the time of the generated shop
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub at: Option<DateTime<Utc>>,

    /// Colours of the board
    #[arg(long, value_name = "NAME", value_parser = ["auto", "dark", "light", "safe", "terminal", "mono"])]
    pub theme: Option<String>,

    /// Colours of the terminal
    #[arg(long, value_name = "LEVEL", value_parser = ["auto", "none", "16", "256", "rgb"])]
    pub colors: Option<String>,

    /// Characters of the board
    #[arg(long, value_name = "SET", value_parser = ["auto", "unicode", "ascii"])]
    pub glyphs: Option<String>,

    /// Language
    #[arg(long, value_name = "CODE", value_parser = ["auto", "es", "en"])]
    pub lang: Option<String>,

    /// Leave the background of the terminal as it is
    #[arg(long)]
    pub no_bg: bool,

    /// Do not bracket frames in a synchronised update (mode 2026)
    #[arg(long)]
    pub no_sync: bool,

    /// Speed of a slow line in bits a second, for example 9600; without it what the terminal says
    #[arg(long, value_name = "BITS", value_parser = clap::value_parser!(u32).range(300..=10_000_000))]
    pub baud: Option<u32>,

    /// Pages for packagers
    #[command(subcommand)]
    pub command: Option<Page>,
}

/// Pages for packagers.
#[derive(Debug, Subcommand)]
#[command(disable_help_subcommand = true)]
pub enum Page {
    /// Completions for a shell
    #[command(hide = true)]
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// The manual page
    #[command(hide = true)]
    Man,
    /// Readers of Redis without a screen, until the input ends: what many dashboards cost
    #[command(hide = true)]
    Readers {
        /// How many
        #[arg(long, default_value_t = 200)]
        count: u32,
    },
    /// The pictures of the README, from the generated shop
    #[command(hide = true)]
    Pictures {
        /// Folder to write them to
        folder: PathBuf,
    },
}

/// A tab, or all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TabArgument {
    /// One tab.
    One(Tab),
    /// Every tab.
    All,
}

impl TabArgument {
    /// The tabs it names.
    pub fn tabs(self) -> Vec<Tab> {
        match self {
            Self::One(tab) => vec![tab],
            Self::All => Tab::ALL.to_vec(),
        }
    }
}

fn parse_tab(text: &str) -> Result<TabArgument, String> {
    let tab = Tab::ALL.into_iter().find(|tab| tab.name() == text);
    match (text, tab) {
        ("all", _) => Ok(TabArgument::All),
        (_, Some(tab)) => Ok(TabArgument::One(tab)),
        _ => {
            let names: Vec<&str> = Tab::ALL.iter().map(|tab| tab.name()).collect();
            Err(format!("give one of {}, all", names.join(", ")))
        }
    }
}

impl Cli {
    /// Where to begin: the link, else the flags. Several tabs begin with the first.
    pub fn place(&self, now: DateTime<Utc>, zone: Tz) -> Result<Place, String> {
        let flags = Place {
            tab: self.tab.tabs().first().copied().unwrap_or(Tab::Live),
            ask: self.ask(),
            at: self.at.filter(|_| !self.sets_clock()),
        };
        match &self.open {
            None => Ok(flags),
            Some(link) => {
                Place::read(link, flags, now, zone).map_err(|wrong| format!("--open {link}: {}", said(wrong)))
            }
        }
    }

    /// Whether `--at` is the clock of a generated shop.
    const fn sets_clock(&self) -> bool {
        self.demo.is_some() && self.once
    }

    /// The time of the board.
    pub fn clock(&self) -> DateTime<Utc> {
        self.at.filter(|_| self.sets_clock()).unwrap_or_else(Utc::now)
    }

    /// The tabs to print.
    pub fn tabs(&self, place: &Place) -> Vec<Tab> {
        match self.open {
            Some(_) => vec![place.tab],
            None => self.tab.tabs(),
        }
    }

    /// Range, comparison and store of the flags.
    pub const fn ask(&self) -> Ask {
        Ask {
            range: self.range,
            basis: self.compare,
            store: self.store,
        }
    }

    /// What the flags say about the look.
    pub fn look(&self) -> Wanted {
        Wanted {
            theme: self.theme.clone(),
            colors: self.colors.clone(),
            glyphs: self.glyphs.clone(),
            language: self.lang.clone(),
            no_background: self.no_bg,
        }
    }
}

fn parse_range(text: &str) -> Result<Range, String> {
    place::range(text).map_err(said)
}

fn parse_basis(text: &str) -> Result<Basis, String> {
    place::basis(text).map_err(said)
}

fn said(wrong: place::Wrong) -> String {
    (Language::English.texts().wrong)(wrong).to_owned()
}

fn parse_size(text: &str) -> Result<(u16, u16), String> {
    let fault = || "give columns x rows, for example 120x40".to_owned();
    let (columns, rows) = text.split_once(['x', 'X']).ok_or_else(fault)?;
    let part = |text: &str| text.parse::<u16>().ok().filter(|value| (1..=500).contains(value));
    part(columns).zip(part(rows)).ok_or_else(fault)
}

fn parse_wait(text: &str) -> Result<Duration, String> {
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 1),
        None => (text.strip_suffix('s').unwrap_or(text), 1000),
    };
    let millis = number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(unit));
    let millis = millis.filter(|millis| (1..=600_000).contains(millis));
    millis
        .map(Duration::from_millis)
        .ok_or_else(|| "give seconds, for example 10s".into())
}

fn parse_scene(text: &str) -> Result<Scene, String> {
    Scene::from_name(text).ok_or_else(|| {
        let names: Vec<&str> = Scene::ALL.iter().map(|scene| scene.name()).collect();
        format!("give one of {}", names.join(", "))
    })
}

fn parse_time(text: &str) -> Result<DateTime<Utc>, String> {
    let time = DateTime::parse_from_rfc3339(text);
    time.map(|time| time.with_timezone(&Utc))
        .map_err(|_| "give a time like 2026-08-21T14:05:02-03:00".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_is_sound_and_its_help_is_unchanged() {
        Cli::command().debug_assert();
        insta::assert_snapshot!(Cli::command().term_width(100).render_long_help().to_string());
    }

    #[test]
    fn values() {
        let parse = |words: &str| Cli::try_parse_from(words.split(' '));
        let cli = parse("instashop-tui --once --size 120x40 --wait 500ms --demo --tab all").unwrap();
        assert_eq!(
            (cli.size, cli.wait, cli.demo),
            ((120, 40), Duration::from_millis(500), Some(7))
        );
        assert_eq!(cli.tab.tabs().len(), 11);
        let cli = parse("instashop-tui --open instashop://stores?range=7d&store=3").unwrap();
        let place = cli.place(Utc::now(), chrono_tz::UTC).unwrap();
        assert_eq!((place.tab, place.ask.store), (Tab::Stores, Some(3)));
        assert_eq!(cli.tabs(&place), [Tab::Stores]);
        let (at, now) = ("2026-08-21T14:05:02Z", Utc::now());
        let cli = parse(&format!("instashop-tui --at {at}")).unwrap();
        assert_eq!(
            cli.place(now, chrono_tz::UTC).unwrap().at,
            Some(at.parse().unwrap())
        );
        let cli = parse(&format!("instashop-tui --demo --once --at {at}")).unwrap();
        assert_eq!(
            (cli.place(now, chrono_tz::UTC).unwrap().at, cli.clock()),
            (None, at.parse().unwrap())
        );
        assert_eq!(parse("instashop-tui --demo=9").unwrap().demo, Some(9));
        for wrong in [
            "instashop-tui --once --size 0x24",
            "instashop-tui --once --size 80",
            "instashop-tui --once --wait soon",
            "instashop-tui --range 5",
            "instashop-tui --tab carts",
            "instashop-tui --open sales --range 7d",
            "instashop-tui --compare never",
            "instashop-tui --demo --demo-state happy",
            "instashop-tui --format json",
            "instashop-tui --theme pink",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
