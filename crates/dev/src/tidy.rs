//! `instashop-dev tidy`: what no lint can check about this repository.
//!
//! A rule is a pure function from the files to findings, so each has a table of cases under it. What is refused guards
//! correctness and layering; the list of long files is only shown, a person judges it.

mod files;
mod invariants;
mod layers;
mod links;
mod migrations;
mod text;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args as ClapArgs;
use color_eyre::eyre::{Result, WrapErr};

/// Arguments of `instashop-dev tidy`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Root of the repository
    #[arg(long, default_value = ".")]
    root: PathBuf,
    /// Record the hashes of new migrations; an edited one is still refused
    #[arg(long)]
    bless: bool,
}

/// A source file as the rules see it: path relative to the root with `/`, and its text.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    path: String,
    text: String,
}

/// Something to change before the tree is tidy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    path: String,
    /// Line, from 1; 0 for the file as a whole.
    line: usize,
    rule: &'static str,
    message: String,
}

impl Finding {
    fn new(path: &str, line: usize, rule: &'static str, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            line,
            rule,
            message: message.into(),
        }
    }
}

/// Runs all rules, prints what they found, and fails if anything is refused.
pub fn run(args: &Args) -> Result<ExitCode> {
    let root = args
        .root
        .canonicalize()
        .wrap_err_with(|| format!("no folder {}", args.root.display()))?;
    let sources = files::read(&root)?;
    let mut findings = Vec::new();
    findings.extend(files::names(&sources));
    findings.extend(text::check(&sources));
    findings.extend(layers::check(&sources));
    findings.extend(invariants::check(&sources));
    findings.extend(links::check(&root, &sources));
    findings.extend(migrations::check(&root, &sources, args.bless)?);
    let (long, refused) = files::lengths(&sources);
    findings.extend(refused);
    findings.sort();

    for finding in &findings {
        println!(
            "{}:{}: [{}] {}",
            finding.path, finding.line, finding.rule, finding.message
        );
    }
    if !long.is_empty() {
        println!(
            "files over {} production lines (shown, not refused):",
            files::SHOWN
        );
        for (path, lines) in long {
            println!("{lines:6}  {path}");
        }
    }
    println!("tidy: {} files, {} findings", sources.len(), findings.len());
    Ok(if findings.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

#[cfg(test)]
pub(crate) fn source(path: &str, text: &str) -> Source {
    Source {
        path: path.into(),
        text: text.into(),
    }
}
