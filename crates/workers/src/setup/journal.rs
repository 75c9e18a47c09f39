//! What setup found and did: one line per thing, printed as it happens, and the exit code that follows from all of them.

use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use color_eyre::eyre::Result;
use instashop_store::{SetupStep, StoreError};
use serde_json::json;

use super::Part;
use crate::cli::exit::{Exit, code_of_store, sentence};
use crate::cli::{Format, output};

/// Most changes of one subject that are told one by one.
const FEW: usize = 6;

/// Whether setup may change anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Put everything in place.
    Apply,
    /// Only look.
    Check,
}

/// What became of one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was as it must be.
    Unchanged,
    /// It was put in place now.
    Changed,
    /// It works, but a person should know something about it.
    Note,
    /// Setup without `--check` would change it.
    Pending,
    /// It is wrong and setup cannot or may not change it; the code tells why.
    Problem(Exit),
}

impl Outcome {
    const fn name(self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::Changed => "changed",
            Self::Note => "note",
            Self::Pending => "to change",
            Self::Problem(_) => "problem",
        }
    }

    const fn color(self) -> &'static str {
        match self {
            Self::Unchanged => "\u{1b}[2m",
            Self::Changed => "\u{1b}[32m",
            Self::Note | Self::Pending => "\u{1b}[33m",
            Self::Problem(_) => "\u{1b}[1;31m",
        }
    }
}

/// One thing: which, what became of it, in words, and what a person can do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Part of the setup.
    pub part: Part,
    /// The thing: a database, a topic, a connector.
    pub subject: String,
    /// What became of it.
    pub outcome: Outcome,
    /// In words.
    pub detail: String,
    /// What a person can do.
    pub hint: Option<String>,
}

impl Line {
    fn text(&self, colored: bool) -> String {
        let (color, end) = if colored {
            (self.outcome.color(), "\u{1b}[0m")
        } else {
            ("", "")
        };
        let line = format!(
            "{color}{:<9}{end}  {:<10}  {:<34}  {}",
            self.outcome.name(),
            self.part.name(),
            output::clean(&self.subject),
            output::clean(&self.detail),
        );
        let hint = self.hint.as_deref().map(output::clean);
        hint.map_or(line.clone(), |hint| format!("{line}\n{:11}hint: {hint}", ""))
    }

    fn json(&self) -> String {
        json!({
            "part": self.part.name(),
            "subject": self.subject,
            "outcome": self.outcome.name(),
            "detail": self.detail,
            "hint": self.hint,
        })
        .to_string()
    }
}

/// The lines of one run. Shared by the parts, which work at the same time.
#[derive(Debug)]
pub struct Journal {
    mode: Mode,
    format: Format,
    colored: bool,
    lines: Mutex<Vec<Line>>,
}

impl Journal {
    /// An empty journal that prints to standard output.
    pub const fn new(mode: Mode, format: Format, colored: bool) -> Self {
        Self {
            mode,
            format,
            colored,
            lines: Mutex::new(Vec::new()),
        }
    }

    /// True when things may be changed.
    pub fn may_change(&self) -> bool {
        self.mode == Mode::Apply
    }

    /// It is as it must be.
    pub fn unchanged(&self, part: Part, subject: &str, detail: impl Into<String>) {
        self.add(part, subject, Outcome::Unchanged, detail.into(), None);
    }

    /// It was changed, or with `--check` would be.
    pub fn changed(&self, part: Part, subject: &str, detail: impl Into<String>) {
        let outcome = if self.may_change() {
            Outcome::Changed
        } else {
            Outcome::Pending
        };
        self.add(part, subject, outcome, detail.into(), None);
    }

    /// It works, but a person should know this.
    pub fn note(&self, part: Part, subject: &str, detail: impl Into<String>, hint: impl Into<String>) {
        self.add(part, subject, Outcome::Note, detail.into(), Some(hint.into()));
    }

    /// It is wrong.
    pub fn problem(
        &self,
        part: Part,
        subject: &str,
        exit: Exit,
        detail: impl Into<String>,
        hint: impl Into<String>,
    ) {
        let hint = Some(hint.into()).filter(|hint| !hint.is_empty());
        self.add(part, subject, Outcome::Problem(exit), detail.into(), hint);
    }

    /// A store could not do what it was asked.
    pub fn store_problem(&self, part: Part, subject: &str, error: &StoreError) {
        let hint = error.advice().unwrap_or("the server's log says more");
        let what = sentence(error).replace(&format!(" ({hint})"), "");
        self.problem(part, subject, code_of_store(error), what, hint);
    }

    /// What a store made sure of: one line for each thing that changed, one for all when none did or most did.
    pub fn steps(&self, part: Part, subject: &str, steps: &[SetupStep]) {
        let (changed, kept): (Vec<_>, Vec<_>) = steps.iter().partition(|step| step.changed);
        // The first run changes everything: said once, not a hundred times. What is wrong later is named.
        if changed.len() > FEW {
            let what = format!("{} of {} conditions", changed.len(), steps.len());
            let state = if self.may_change() {
                "put in place"
            } else {
                "do not hold"
            };
            self.changed(part, subject, format!("{what} {state}"));
            return;
        }
        for step in &changed {
            self.changed(part, subject, &step.what);
        }
        if changed.is_empty() {
            self.unchanged(part, subject, format!("all {} conditions hold", kept.len()));
        }
    }

    fn add(&self, part: Part, subject: &str, outcome: Outcome, detail: String, hint: Option<String>) {
        let line = Line {
            part,
            subject: subject.into(),
            outcome,
            detail,
            hint,
        };
        let text = match self.format {
            Format::Text => line.text(self.colored),
            Format::Json => line.json(),
        };
        self.lines
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(line);
        // The result is in the exit code too; a reader that went away is no reason to stop half way.
        let _ = output::line(&text);
    }

    /// Prints the summary and gives the exit code.
    pub fn close(self) -> Result<ExitCode> {
        let lines = self.lines.into_inner().unwrap_or_else(PoisonError::into_inner);
        let exit = exit(&lines);
        let count = |wanted: &str| lines.iter().filter(|line| line.outcome.name() == wanted).count();
        let (changed, pending) = (count("changed"), count("to change"));
        let (unchanged, problems) = (count("unchanged"), count("problem"));
        let changed = match self.mode {
            Mode::Apply => format!("{changed} changed"),
            Mode::Check => format!("{pending} to change"),
        };
        let noun = if problems == 1 { "problem" } else { "problems" };
        let todo = if pending > 0 {
            "; run instashop setup to change it"
        } else {
            ""
        };
        let summary = format!("{changed}, {unchanged} unchanged, {problems} {noun}{todo}");
        output::line(&match self.format {
            Format::Text => summary,
            Format::Json => json!({"summary": summary, "exit": exit as u8}).to_string(),
        })?;
        Ok(exit.into())
    }
}

/// The code of a run: a server that is away says more than a thing that is missing, a wrong setting more than both.
fn exit(lines: &[Line]) -> Exit {
    let worst = |line: &Line| match line.outcome {
        Outcome::Unchanged | Outcome::Changed | Outcome::Note => Exit::Done,
        Outcome::Pending => Exit::No,
        Outcome::Problem(exit) => exit,
    };
    lines.iter().map(worst).max().unwrap_or(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(outcome: Outcome) -> Line {
        Line {
            part: Part::Topics,
            subject: "buyer".into(),
            outcome,
            detail: "six\u{1b}[31m".into(),
            hint: Some("do".into()),
        }
    }

    #[test]
    fn the_worst_line_decides_the_code() {
        use Outcome::{Changed, Pending, Problem, Unchanged};
        let cases: [(&[Outcome], Exit); 6] = [
            (&[], Exit::Done),
            (&[Unchanged, Changed, Outcome::Note], Exit::Done),
            (&[Unchanged, Pending], Exit::No),
            (&[Problem(Exit::No), Changed], Exit::No),
            (
                &[Problem(Exit::Unreachable), Problem(Exit::No)],
                Exit::Unreachable,
            ),
            (
                &[Problem(Exit::Unreachable), Problem(Exit::Configuration)],
                Exit::Configuration,
            ),
        ];
        for (outcomes, expected) in cases {
            let lines: Vec<_> = outcomes.iter().map(|outcome| line(*outcome)).collect();
            assert_eq!(exit(&lines), expected, "{outcomes:?}");
        }
    }

    #[test]
    fn words_of_servers_cannot_steer_the_terminal() {
        assert!(!line(Outcome::Pending).text(false).contains('\u{1b}'));
    }
}
