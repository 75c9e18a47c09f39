//! How a command ends: a code for scripts, one sentence and a hint for people.

use std::error::Error;
use std::fmt;
use std::io::Write as _;
use std::process::ExitCode;

use clap::ColorChoice;
use color_eyre::eyre::{Report, Result};
use instashop_store::config::ConfigError;
use instashop_store::{Kind, StoreError};

use crate::kafka::KafkaFailure;

/// Environment variable that asks for the whole chain of causes and the place of an error.
pub const BACKTRACE: &str = "INSTASHOP_BACKTRACE";

/// Exit codes of every command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Done, or the answer is yes.
    Done = 0,
    /// The answer is no: problems found, drift, not healthy.
    No = 1,
    /// Wrong usage of the command line.
    Usage = 2,
    /// A server cannot be reached.
    Unreachable = 3,
    /// The configuration cannot be used, or a server refuses what it says (password, right, setting).
    Configuration = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command cannot go on: code, sentence, hint, cause.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    what: String,
    hint: Option<String>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Failure {
    /// A failure with one sentence that says what failed and where.
    pub fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self {
            exit,
            what: what.into(),
            hint: None,
            source: None,
        }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The code it ends with.
    pub const fn exit(&self) -> Exit {
        self.exit
    }

    /// What to do about it.
    pub fn advice(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

/// For a command that cannot do without Kafka. (A worker ends by itself; the supervisor starts it again.)
impl From<KafkaFailure> for Failure {
    fn from(failure: KafkaFailure) -> Self {
        Self::new(Exit::Unreachable, failure.what).hint(failure.hint)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn Error + 'static))
    }
}

/// Installs the reports of errors and panics; once per process.
pub fn install() -> Result<()> {
    color_eyre::config::HookBuilder::default()
        .display_env_section(false)
        .panic_section("This is a defect of instashop. RUST_BACKTRACE=1 shows where it happened.")
        .install()
}

/// The code for an error that may have been wrapped.
pub fn code(report: &Report) -> Exit {
    for cause in report.chain() {
        if let Some(failure) = cause.downcast_ref::<Failure>() {
            return failure.exit;
        }
        if cause.downcast_ref::<ConfigError>().is_some() {
            return Exit::Configuration;
        }
        if let Some(error) = cause.downcast_ref::<StoreError>() {
            return code_of_store(error);
        }
    }
    Exit::No
}

/// The code for an error of a store.
pub fn code_of_store(error: &StoreError) -> Exit {
    match error.kind() {
        Kind::Transient => Exit::Unreachable,
        Kind::Permanent => Exit::Configuration,
        Kind::Broken => Exit::No,
    }
}

/// One sentence: what failed, and the root cause when it says more.
pub fn sentence(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        // Libraries repeat the server's words behind words of their own.
        let core = next.rsplit(": ").next().unwrap_or(&next);
        if !core.is_empty() && !text.contains(core) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}

fn hint(report: &Report) -> Option<&str> {
    report
        .chain()
        .find_map(|cause| cause.downcast_ref::<Failure>().and_then(Failure::advice))
}

/// Prints the error and gives its code.
pub(super) fn report(report: &Report, color: ColorChoice) -> ExitCode {
    let styled = match color {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => super::output::colored_stderr(),
    };
    let (red, bold, end) = if styled {
        ("\u{1b}[1;31m", "\u{1b}[1m", "\u{1b}[0m")
    } else {
        ("", "", "")
    };
    let mut parts = vec![format!("{red}error{end}: {}", sentence(report.as_ref()))];
    parts.extend(hint(report).map(|hint| format!("{bold}hint{end}: {hint}")));
    if std::env::var_os(BACKTRACE).is_some_and(|value| value != "0") {
        parts.push(format!("\n{report:?}"));
    }
    let text = parts.join("\n") + "\n";
    // Nothing is left to say when standard error is closed.
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
    code(report).into()
}

#[cfg(test)]
mod tests {
    use color_eyre::eyre::{WrapErr, eyre};

    use super::*;

    #[test]
    fn every_kind_of_error_has_its_code_also_when_wrapped() {
        let cases = [
            (
                Report::new(Failure::new(Exit::Unreachable, "x")),
                Exit::Unreachable,
            ),
            (
                Err::<(), _>(Failure::new(Exit::Usage, "x"))
                    .wrap_err("while y")
                    .unwrap_err(),
                Exit::Usage,
            ),
            (
                Report::new(ConfigError::BadOverride("x".into())),
                Exit::Configuration,
            ),
            (
                Report::new(StoreError::new(Kind::Transient, "x")),
                Exit::Unreachable,
            ),
            (
                Report::new(StoreError::new(Kind::Permanent, "x")),
                Exit::Configuration,
            ),
            (Report::new(StoreError::new(Kind::Broken, "x")), Exit::No),
            (eyre!("anything else"), Exit::No),
        ];
        for (report, expected) in cases {
            assert_eq!(code(&report), expected, "{report}");
        }
    }

    #[test]
    fn a_cause_is_added_once() {
        let cause = std::io::Error::other("connection refused");
        let failure = Failure::new(Exit::Unreachable, "Redis 127.0.0.1:1 cannot be reached").caused_by(cause);
        assert_eq!(
            sentence(&failure),
            "Redis 127.0.0.1:1 cannot be reached: connection refused"
        );
        let repeated = Failure::new(Exit::No, "it said: no").caused_by(std::io::Error::other("db error: no"));
        assert_eq!(sentence(&repeated), "it said: no");
    }
}
