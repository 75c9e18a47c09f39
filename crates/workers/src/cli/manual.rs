//! Completions for shells, and manual pages; both come from the definition of the command line.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use clap_complete::Shell;
use color_eyre::eyre::{Result, WrapErr};

use super::exit::Exit;
use super::output;

pub(super) const COMPLETIONS_HELP: &str = "\
Examples:
  instashop completions bash > /etc/bash_completion.d/instashop
  instashop completions zsh > \"${fpath[1]}/_instashop\"
  instashop completions fish > ~/.config/fish/completions/instashop.fish

Exit codes: 0 printed; 2 usage.";

pub(super) const MAN_HELP: &str = "\
Examples:
  instashop man | man -l -
  instashop man --out /usr/local/share/man/man1

Exit codes: 0 written; 1 the folder cannot be written; 2 usage.";

/// Arguments of `instashop completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Arguments of `instashop man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Write one page per command into this folder, made if needed
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Prints the completions of a shell.
pub(super) fn completions(args: &CompletionsArgs) -> Result<ExitCode> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut super::command(), "instashop", &mut text);
    output::print(&String::from_utf8_lossy(&text))?;
    Ok(Exit::Done.into())
}

/// Prints the manual page, or writes all pages.
pub(super) fn man(args: &ManArgs) -> Result<ExitCode> {
    let mut command = super::command().disable_help_subcommand(true);
    command.build();
    if let Some(folder) = &args.out {
        fs::create_dir_all(folder).wrap_err_with(|| format!("{} cannot be made", folder.display()))?;
        write_pages(&command, folder)?;
    } else {
        output::print(&String::from_utf8_lossy(&page(&command)?))?;
    }
    Ok(Exit::Done.into())
}

fn page(command: &clap::Command) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    clap_mangen::Man::new(command.clone())
        .render(&mut text)
        .wrap_err("the manual page cannot be made")?;
    Ok(text)
}

fn write_pages(command: &clap::Command, folder: &Path) -> Result<()> {
    let name = command
        .get_display_name()
        .unwrap_or_else(|| command.get_name())
        .to_owned();
    let path = folder.join(format!("{name}.1"));
    fs::write(&path, page(command)?).wrap_err_with(|| format!("{} cannot be written", path.display()))?;
    for child in command.get_subcommands().filter(|child| !child.is_hide_set()) {
        write_pages(child, folder)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_visible_command_has_a_page() {
        let folder = tempfile::tempdir().unwrap();
        man(&ManArgs {
            out: Some(folder.path().into()),
        })
        .unwrap();
        let mut names: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        for name in [
            "instashop.1",
            "instashop-setup.1",
            "instashop-logs.1",
            "instashop-config-sample.1",
        ] {
            assert!(
                names.iter().any(|found| found == name),
                "{name} is missing in {names:?}"
            );
        }
        assert!(
            !names.iter().any(|name| name.contains("supervise")),
            "hidden commands have no page"
        );
    }
}
