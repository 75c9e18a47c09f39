//! Loads the configuration: defaults, then a file, then environment variables, then overrides of flags.
//!
//! Names are the same everywhere: the key `redis.port` of the file is `INSTASHOP__REDIS__PORT` in the environment and
//! `--set redis.port=...` on the command line.

use std::path::{Path, PathBuf};

use instashop_core::config::{Config, Invalid};

/// Environment variable that names the configuration file.
pub const FILE_VARIABLE: &str = "INSTASHOP_CONFIG";

/// Prefix of environment variables that set a key; `__` stands between the parts.
pub const PREFIX: &str = "INSTASHOP";

/// Why no configuration could be made.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file named by flag or environment does not exist.
    #[error("configuration file {0} does not exist; give another with --config or INSTASHOP_CONFIG")]
    NoFile(PathBuf),
    /// A file or variable cannot be read: unknown key, wrong type, broken TOML.
    #[error("configuration: {0}")]
    Unreadable(String),
    /// An override is not `key=value`.
    #[error("--set {0:?} is not key=value, for example --set redis.port=6380")]
    BadOverride(String),
    /// Values break rules; one line each.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Invalid(Vec<Invalid>),
}

/// Loads and validates.
///
/// `file` is the file of `--config` or `INSTASHOP_CONFIG`; without one, `instashop.toml` in the working folder is read
/// if it is there. `environment` is the process environment (an argument, so that tests need not change it).
/// `overrides` are `key=value` texts of `--set`.
pub fn load(
    file: Option<&Path>,
    environment: impl IntoIterator<Item = (String, String)>,
    overrides: &[String],
) -> Result<Config, ConfigError> {
    let mut builder = config::Config::builder();
    let path = match file {
        Some(path) if !path.is_file() => return Err(ConfigError::NoFile(path.to_path_buf())),
        Some(path) => Some(path.to_path_buf()),
        None => Some(PathBuf::from("instashop.toml")).filter(|path| path.is_file()),
    };
    if let Some(path) = &path {
        builder = builder.add_source(config::File::from(path.as_path()).format(config::FileFormat::Toml));
    }
    let variables: config::Map<String, String> = environment
        .into_iter()
        .filter(|(name, _)| name.starts_with("INSTASHOP__"))
        .collect();
    builder = builder.add_source(
        config::Environment::with_prefix(PREFIX)
            .prefix_separator("__")
            .separator("__")
            .source(Some(variables)),
    );
    for text in overrides {
        let (key, value) = text
            .split_once('=')
            .ok_or_else(|| ConfigError::BadOverride(text.clone()))?;
        builder = builder
            .set_override(key.trim(), value.trim())
            .map_err(|error| ConfigError::Unreadable(format!("--set {text}: {error}")))?;
    }
    let mut loaded: Config = builder
        .build()
        .and_then(config::Config::try_deserialize)
        .map_err(|error| ConfigError::Unreadable(explain(&error, path.as_deref())))?;
    loaded.sources.complete();
    loaded.validate().map_err(ConfigError::Invalid)?;
    Ok(loaded)
}

/// The loader's error in one line. Its picture of the offending line is left out, and so is every quoted value of an
/// error about a password: either could hold the password.
fn explain(error: &config::ConfigError, path: Option<&Path>) -> String {
    let text = error.to_string();
    let pictured = |line: &&str| {
        line.split_once('|')
            .is_some_and(|(number, _)| number.trim().chars().all(|c| c.is_ascii_digit()))
    };
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !pictured(line))
        .map(str::trim)
        .collect();
    let mut text = lines.join(" ");
    if text.contains("password") && text.contains("invalid") {
        text = without_quoted_values(&text);
    }
    path.map_or_else(
        || text.clone(),
        |path| format!("{text} (file {})", path.display()),
    )
}

/// Replaces what stands between double quotes or backticks, unless it is the name of a key.
fn without_quoted_values(text: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(['"', '`']) {
        let quote = if rest[start..].starts_with('"') { '"' } else { '`' };
        kept.push_str(&rest[..=start]);
        let inside = &rest[start + 1..];
        let end = inside.find(quote).unwrap_or(inside.len());
        let key = inside[..end].rsplit('.').next().unwrap_or("");
        kept.push_str(if key.ends_with("_password") {
            &inside[..end]
        } else {
            "..."
        });
        rest = &inside[end..];
        if rest.starts_with(quote) {
            kept.push(quote);
            rest = &rest[1..];
        }
    }
    kept.push_str(rest);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn file_environment_and_flag_have_the_same_names_and_the_later_wins() {
        let file = file("[redis]\nport = 1\n[kafka]\nbrokers = \"a:1\"\n[sources.crm_db]\nport = 7\n");
        let environment = [
            ("INSTASHOP__REDIS__PORT".to_owned(), "2".to_owned()),
            (
                "INSTASHOP__SOURCES__CRM_DB__OWNER_PASSWORD".to_owned(),
                "00123".to_owned(),
            ),
            (
                "INSTASHOP__MEANING__ORDER_STATUS__PAGADO".to_owned(),
                "recognised".to_owned(),
            ),
            ("INSTASHOP_STACK_DIR".to_owned(), "x".to_owned()),
        ];
        let loaded = load(Some(file.path()), environment.clone(), &["redis.port=3".into()]).unwrap();
        assert_eq!(loaded.redis.port, 3);
        assert_eq!(loaded.kafka.brokers, "a:1");
        assert_eq!(loaded.sources.crm_db.port, 7);
        assert_eq!(
            loaded.sources.crm_db.database,
            Config::default().sources.crm_db.database
        );
        let loaded = load(Some(file.path()), environment, &[]).unwrap();
        assert_eq!(loaded.redis.port, 2);
        assert_eq!(
            loaded.sources.crm_db.owner_password.reveal(),
            "00123",
            "a password of digits stays text"
        );
    }

    #[test]
    fn rates_and_rules_of_commission_come_through_the_file() {
        let file = file(
            "[meaning]\ncommission = [{ percent = \"4.5\" }, { store = 7, percent = 0, valid_from = \"2026-02-01\" }]\n\
             [meaning.fx_rates.ARS]\n2026-01-01 = \"0.00075\"\n2026-02-01 = 2\n",
        );
        let meaning = load(Some(file.path()), [], &[]).unwrap().meaning;
        let rate = |day: &str| {
            meaning
                .rate("ARS", day.parse().unwrap())
                .map(|rate| rate.to_string())
        };
        assert_eq!(rate("2025-12-31"), None);
        assert_eq!(rate("2026-01-31").as_deref(), Some("0.00075"));
        assert_eq!(rate("2026-02-01").as_deref(), Some("2"));
        let day = "2026-02-01".parse().unwrap();
        assert_eq!(meaning.commission_cents(Some(7), None, day, 1000), 0);
        assert_eq!(meaning.commission_cents(Some(8), None, day, 1000), 45);
    }

    #[test]
    fn faults_are_readable() {
        let cases = [
            ("[redis]\nprot = 1\n", "prot"),
            ("[redis]\nport = \"many\"\n", "redis.port"),
            ("[flow]\nbatch_records = 0\n", "flow.batch_records"),
            ("[redis\n", "file"),
            ("[meaning.fx_rates.ARS]\n2026-01-01 = 0.75\n", "in quotes"),
            (
                "[meaning.fx_rates.ARS]\n2026-02-30 = \"0.75\"\n",
                "meaning.fx_rates",
            ),
            (
                "[meaning.fx_rates.ARS]\n2026-01-01 = \"-1\"\n",
                "meaning.fx_rates.ARS.2026-01-01",
            ),
            ("[meaning]\ncommission = [{ percent = 500 }]\n", "0 to 100"),
            ("[meaning]\ncommission = [{ percnt = 5 }]\n", "percnt"),
        ];
        for (text, expected) in cases {
            let file = file(text);
            let error = load(Some(file.path()), [], &[]).unwrap_err().to_string();
            assert!(error.contains(expected), "{text:?} gave {error:?}");
        }
        assert!(
            load(Some(Path::new("/nonexistent.toml")), [], &[])
                .unwrap_err()
                .to_string()
                .contains("--config")
        );
    }
}
