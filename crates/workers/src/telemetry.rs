//! Logs: to standard error, as text for people or as JSON lines for collectors.
//!
//! Nothing secret is logged: passwords live in `Secret`, whose Debug shows dots, and settings of clients are never logged.

use std::io::IsTerminal as _;

use clap::{ColorChoice, ValueEnum};
use color_eyre::eyre::Result;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::prelude::*;

use crate::cli::Global;
use crate::cli::exit::{Exit, Failure};

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum LogFormat {
    /// One readable line per event.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

impl LogFormat {
    /// The word of the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}

/// Libraries whose own log is too talkative below a warning, unless asked for by name.
const QUIET: [&str; 4] = ["hyper", "hyper_util", "reqwest", "h2"];

/// Starts the log of this process; `default` is the level without `--log-level`.
pub fn init(global: &Global, default: &str) -> Result<()> {
    let filter = filter(global.log_level.as_deref().unwrap_or(default))?;
    let colored = match global.color {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => std::io::stderr().is_terminal() && crate::cli::output::colored_stderr(),
    };
    let layer = fmt::layer()
        .with_writer(std::io::stderr)
        .log_internal_errors(false);
    let layer = match global.log_format {
        LogFormat::Text => layer.with_ansi(colored).boxed(),
        LogFormat::Json => layer.json().flatten_event(true).boxed(),
    };
    tracing_subscriber::registry().with(filter).with(layer).init();
    Ok(())
}

fn filter(level: &str) -> Result<EnvFilter> {
    let quiet = QUIET
        .iter()
        .filter(|name| !level.contains(**name))
        .map(|name| format!("{name}=warn"));
    let directives = quiet.chain([level.to_owned()]).collect::<Vec<_>>().join(",");
    EnvFilter::try_new(directives).map_err(|error| {
        Failure::new(
            Exit::Usage,
            format!("--log-level {level:?} is not a level: {error}"),
        )
        .hint("use error, warn, info, debug or trace, or filters such as info,rdkafka=debug")
        .into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_and_filters_are_understood_and_nonsense_is_refused() {
        for good in ["info", "warn,instashop_store=trace", "info,hyper=debug"] {
            assert!(filter(good).is_ok(), "{good}");
        }
        let error = filter("loud=very=much").unwrap_err();
        assert!(error.to_string().contains("loud=very=much"), "{error}");
    }
}
