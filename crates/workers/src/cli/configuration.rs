//! `instashop config`: is the configuration usable, what is in force, which keys are there.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use color_eyre::eyre::{Result, WrapErr};
use instashop_core::config::Config;

use super::exit::Exit;
use super::{Format, Global, output};

pub(super) const HELP: &str = "\
Examples:
  instashop config sample > instashop.toml
  instashop --config instashop.toml config check
  INSTASHOP__REDIS__PORT=6380 instashop config show

Exit codes: 0 usable; 2 usage; 4 not usable (every fault is named).";

const CHECK_HELP: &str = "\
Reads the file, the variables and --set as every command does, and names every fault with its key. No server is asked.

Example:
  instashop --config /etc/instashop/instashop.toml config check

Exit codes: 0 usable; 2 usage; 4 not usable.";

const SHOW_HELP: &str = "\
Passwords are shown as dots.

Examples:
  instashop config show
  instashop config show --format json | jq .kafka

Exit codes: 0 shown; 2 usage; 4 not usable.";

const SAMPLE_HELP: &str = "\
Example:
  instashop config sample > instashop.toml

Exit codes: 0 printed; 2 usage.";

/// The sample file at the top of the repository.
pub const SAMPLE: &str = include_str!("../../../../instashop-sample.toml");

/// What is shown instead of a secret.
const MASK: &str = "••••••";

/// What can be asked about the configuration.
#[derive(Debug, Subcommand)]
pub enum Configuration {
    /// Say whether the configuration can be used
    #[command(after_long_help = CHECK_HELP)]
    Check,
    /// Print what is in force, with passwords hidden
    #[command(after_long_help = SHOW_HELP)]
    Show(ShowArgs),
    /// Print a file with every key, its default and what it means
    #[command(after_long_help = SAMPLE_HELP)]
    Sample,
}

/// Arguments of `instashop config show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// How to print it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Runs the command.
pub(super) fn run(command: &Configuration, global: &Global) -> Result<ExitCode> {
    match command {
        Configuration::Check => {
            global.load()?;
            let from = global
                .file()
                .map_or_else(|| "defaults".to_owned(), |file| file.display().to_string());
            output::line(&format!("configuration is usable ({from})"))?;
        }
        Configuration::Show(args) => output::print(&shown(&global.load()?, args.format)?)?,
        Configuration::Sample => output::print(SAMPLE)?,
    }
    Ok(Exit::Done.into())
}

fn shown(config: &Config, format: Format) -> Result<String> {
    let mut value = toml::Value::try_from(config).wrap_err("the configuration cannot be written as TOML")?;
    mask(&mut value);
    Ok(match format {
        Format::Text => {
            toml::to_string_pretty(&value).wrap_err("the configuration cannot be written as TOML")?
        }
        Format::Json => {
            serde_json::to_string_pretty(&value).wrap_err("the configuration cannot be written as JSON")?
                + "\n"
        }
    })
}

/// Replaces every password that is set.
fn mask(value: &mut toml::Value) {
    let toml::Value::Table(table) = value else { return };
    for (key, value) in table.iter_mut() {
        match value {
            toml::Value::String(text) if is_secret(key) && !text.is_empty() => MASK.clone_into(text),
            other => mask(other),
        }
    }
}

fn is_secret(key: &str) -> bool {
    ["password", "secret", "token"]
        .iter()
        .any(|word| key == *word || key.ends_with(&format!("_{word}")))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const CANARY: &str = "canary-7f3a";

    /// Puts the canary into every password; gives how many there are.
    fn plant(value: &mut toml::Value) -> usize {
        let toml::Value::Table(table) = value else {
            return 0;
        };
        table
            .iter_mut()
            .map(|(key, value)| match value {
                toml::Value::String(text) if key.ends_with("password") => {
                    CANARY.clone_into(text);
                    1
                }
                other => plant(other),
            })
            .sum()
    }

    /// The default configuration with the canary in every value whose type hides it.
    fn with_canaries() -> Config {
        let mut value = toml::Value::try_from(Config::default()).unwrap();
        assert_eq!(
            plant(&mut value),
            15,
            "4 sources with 2, the warehouse with 3, Redis with 4 passwords"
        );
        value.try_into().unwrap()
    }

    #[test]
    fn no_password_is_ever_shown() {
        let config = with_canaries();
        assert!(config.sources.crm_db.capture_password.reveal() == CANARY);
        for format in [Format::Text, Format::Json] {
            let text = shown(&config, format).unwrap();
            assert!(!text.contains(CANARY) && text.contains(MASK), "{text}");
        }
        assert!(!format!("{config:?}").contains(CANARY));
    }

    #[test]
    fn errors_about_the_configuration_hold_no_password() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("instashop.toml");
        for (text, expected) in [
            (
                format!("[redis]\nadmin_password = \"{CANARY}\"\nport = 99999999\n"),
                "redis.port",
            ),
            (
                format!("[redis]\nadmin_password = [\"{CANARY}\"]\n"),
                "redis.admin_password",
            ),
            (
                format!("[redis]\nadmin_password = {{ x = \"{CANARY}\" }}\n"),
                "redis.admin_password",
            ),
            (
                format!("[redis]\nadmin_password = \"{CANARY}\nport = 1\n"),
                "line 2",
            ),
            (
                format!("[redis]\nadmin_pasword = \"{CANARY}\"\n"),
                "admin_pasword",
            ),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = instashop_store::config::load(Some(&path), [], &[]).unwrap_err();
            let said = format!("{error} {error:?}");
            assert!(!said.contains(CANARY) && said.contains(expected), "{said}");
        }
    }

    #[test]
    fn the_sample_equals_the_defaults() {
        let mut sample: Config = toml::from_str(SAMPLE).unwrap();
        sample.sources.complete();
        assert_eq!(sample, Config::default());
    }

    fn keys(prefix: &str, value: &toml::Value, into: &mut BTreeSet<String>) {
        match value {
            toml::Value::Table(table) if !table.is_empty() => {
                for (key, value) in table {
                    keys(&format!("{prefix}.{key}"), value, into);
                }
            }
            toml::Value::Table(_) => {}
            _ => {
                into.insert(prefix.to_owned());
            }
        }
    }

    #[test]
    fn the_sample_holds_every_key() {
        let (mut wanted, mut found) = (BTreeSet::new(), BTreeSet::new());
        keys(
            "",
            &toml::Value::try_from(Config::default()).unwrap(),
            &mut wanted,
        );
        keys("", &toml::from_str(SAMPLE).unwrap(), &mut found);
        assert_eq!(found, wanted);
    }
}
