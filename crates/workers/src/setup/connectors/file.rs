//! The connector files: plain Connect JSON with placeholders that the configuration fills.
//!
//! A file holds no password: `database.password` names a variable of the Connect worker, resolved there by its
//! configuration provider, so that no answer of Connect shows it (docs: security).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use instashop_core::config::Config;
use instashop_core::table::{SourceDb, Table};
use serde::Deserialize;

use super::Settings;

/// Why the files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// A file cannot be read.
    #[error("{} cannot be read: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A placeholder that the configuration does not fill.
    #[error("{}: {key} holds the placeholder {placeholder}; known are {known}", path.display())]
    Placeholder {
        /// The file.
        path: PathBuf,
        /// The setting.
        key: String,
        /// What it holds.
        placeholder: String,
        /// What may stand there.
        known: String,
    },
    /// A setting that would break the flows.
    #[error("{}: {reason}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Two connectors would write the same topic.
    #[error("table {table} is captured by {first} and by {second}; a topic holds one table of one source")]
    Twice {
        /// The table.
        table: String,
        /// Connector.
        first: &'static str,
        /// Connector.
        second: &'static str,
    },
}

#[derive(Debug, Deserialize)]
struct File {
    name: String,
    config: Settings,
}

/// Reads the files of all sources, fills the placeholders and checks them against each other.
pub fn read_all(folder: &Path, config: &Config) -> Result<Vec<(SourceDb, Settings)>, FileError> {
    let mut all = Vec::new();
    let mut captured: BTreeMap<String, &'static str> = BTreeMap::new();
    for source in SourceDb::ALL {
        let path = folder.join(format!("{}-connector.json", source.prefix()));
        let settings = read(&path, source, config)?;
        for table in tables(&settings) {
            if let Some(first) = captured.insert(table.clone(), source.prefix()) {
                return Err(FileError::Twice {
                    table,
                    first,
                    second: source.prefix(),
                });
            }
        }
        all.push((source, settings));
    }
    Ok(all)
}

fn read(path: &Path, source: SourceDb, config: &Config) -> Result<Settings, FileError> {
    let unreadable = |reason: String| FileError::Unreadable {
        path: path.into(),
        reason,
    };
    let wrong = |reason: String| FileError::Wrong {
        path: path.into(),
        reason,
    };
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
    let file: File = serde_json::from_str(&text).map_err(|error| unreadable(error.to_string()))?;
    if file.name != source.prefix() {
        return Err(wrong(format!(
            "its name is {:?}; it must be {:?}",
            file.name,
            source.prefix()
        )));
    }
    let values = values(source, config);
    let mut settings = Settings::new();
    for (key, value) in file.config {
        let filled = fill(&value, &values).map_err(|placeholder| FileError::Placeholder {
            path: path.into(),
            key: key.clone(),
            placeholder,
            known: values
                .keys()
                .map(|name| format!("{{{{{name}}}}}"))
                .collect::<Vec<_>>()
                .join(" "),
        })?;
        settings.insert(key, filled);
    }
    check(source, &settings).map_err(wrong)?;
    // Connect adds the name to what it gives back.
    settings.insert("name".into(), file.name);
    Ok(settings)
}

/// What the placeholders stand for.
fn values(source: SourceDb, config: &Config) -> BTreeMap<&'static str, String> {
    let settings = config.sources.get(source);
    let host = if settings.connect_host.is_empty() {
        &settings.host
    } else {
        &settings.connect_host
    };
    let port = if settings.connect_port == 0 {
        settings.port
    } else {
        settings.connect_port
    };
    BTreeMap::from([
        ("host", host.clone()),
        ("port", port.to_string()),
        ("database", settings.database.clone()),
        ("user", settings.capture_user.clone()),
        ("generation", settings.generation.to_string()),
        ("replication_factor", config.kafka.replication_factor.to_string()),
        (
            "retention_ms",
            (u64::from(config.kafka.retention_hours) * 3_600_000).to_string(),
        ),
    ])
}

/// Replaces `{{name}}`; the error is the placeholder that has no value.
fn fill(text: &str, values: &BTreeMap<&'static str, String>) -> Result<String, String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((name, behind)) = after.split_once("}}") else {
            return Err(format!("{{{{{after}"));
        };
        let value = values.get(name.trim()).ok_or_else(|| format!("{{{{{name}}}}}"))?;
        filled.push_str(before);
        filled.push_str(value);
        rest = behind;
    }
    filled.push_str(rest);
    Ok(filled)
}

/// Tables of `table.include.list`, without schema.
fn tables(settings: &Settings) -> Vec<String> {
    let list = settings.get("table.include.list").map_or("", String::as_str);
    let names = list.split(',').map(str::trim).filter(|name| !name.is_empty());
    names
        .map(|name| name.rsplit('.').next().unwrap_or(name).to_owned())
        .collect()
}

/// What must hold whatever else a person changes in a file (docs: cdc 3.2 to 3.4).
fn check(source: SourceDb, settings: &Settings) -> Result<(), String> {
    let value = |key: &str| settings.get(key).map_or("", String::as_str);
    let prefix = source.prefix();
    if value("topic.prefix") != prefix {
        return Err(format!(
            "topic.prefix is {:?}; it must be {prefix:?}",
            value("topic.prefix")
        ));
    }
    if settings.contains_key("message.key.columns") {
        return Err(
            "message.key.columns is set; compaction would drop rows whose key is not unique (remove it)"
                .into(),
        );
    }
    let found: BTreeSet<String> = tables(settings).into_iter().collect();
    let expected: BTreeSet<String> = source.tables().map(|table| table.name().to_owned()).collect();
    if let Some(missing) = expected.difference(&found).next() {
        return Err(format!("table.include.list lacks {missing}"));
    }
    if let Some(table) = found
        .iter()
        .filter_map(|name| Table::from_name(name))
        .find(|table| table.source() != source)
    {
        return Err(format!(
            "table.include.list holds {}, a table of {}",
            table.name(),
            table.source().name()
        ));
    }
    let password = value("database.password");
    if !(password.starts_with("${") && password.ends_with('}')) {
        return Err(
            "database.password must name a variable of the Connect worker, such as ${env:NAME}, not be one"
                .into(),
        );
    }
    let operations = value("skipped.operations");
    if !operations.is_empty() && !operations.split(',').any(|operation| operation.trim() == "t") {
        return Err(
            "skipped.operations must keep t: a truncate has no key and would stop the connector for good"
                .into(),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../debezium-config")
    }

    #[test]
    fn the_files_capture_exactly_the_tables_of_core() {
        let all = read_all(&folder(), &Config::default()).unwrap();
        let mut found: Vec<String> = all.iter().flat_map(|(_, settings)| tables(settings)).collect();
        let mut expected: Vec<String> = Table::ALL
            .into_iter()
            .map(|table| table.name().to_owned())
            .collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected);
    }

    #[test]
    fn the_files_differ_only_in_what_belongs_to_a_source() {
        let all = read_all(&folder(), &Config::default()).unwrap();
        let own = [
            "name",
            "topic.prefix",
            "database.port",
            "database.dbname",
            "database.password",
            "slot.name",
            "table.include.list",
        ];
        let shared = |settings: &Settings| -> Settings {
            settings
                .iter()
                .filter(|(key, _)| !own.contains(&key.as_str()))
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect()
        };
        for (source, settings) in &all[1..] {
            assert_eq!(shared(settings), shared(&all[0].1), "{}", source.prefix());
        }
    }

    #[test]
    fn connect_may_see_a_source_under_another_address() {
        let mut config = Config::default();
        config.sources.crm_db.connect_host = "crm".into();
        config.sources.crm_db.connect_port = 5432;
        config.sources.crm_db.generation = 3;
        let all = read_all(&folder(), &config).unwrap();
        let (_, crm) = all.iter().find(|(source, _)| *source == SourceDb::CrmDb).unwrap();
        assert_eq!(
            (crm["database.hostname"].as_str(), crm["database.port"].as_str()),
            ("crm", "5432")
        );
        assert_eq!(crm["transforms.generation.value.literal"], "3");
        assert_eq!(crm["database.password"], "${env:CAPTURE_CRM_DB_PASSWORD}");
    }

    #[test]
    fn placeholders_are_filled_or_named() {
        let values = BTreeMap::from([("host", "h".to_owned()), ("port", "1".to_owned())]);
        assert_eq!(
            fill("{{host}}:{{ port }}/${env:X}", &values),
            Ok("h:1/${env:X}".into())
        );
        assert_eq!(fill("{{hots}}", &values), Err("{{hots}}".into()));
        assert_eq!(fill("{{host", &values), Err("{{host".into()));
    }

    #[test]
    fn a_setting_that_would_break_the_flows_is_refused() {
        let good = read_all(&folder(), &Config::default()).unwrap().remove(1).1;
        assert_eq!(check(SourceDb::CrmDb, &good), Ok(()));
        let cases = [
            ("topic.prefix", "shop", "topic.prefix"),
            (
                "message.key.columns",
                "public.segment:segment_name",
                "message.key.columns",
            ),
            (
                "table.include.list",
                "public.segment,public.customersegment",
                "lacks interaction",
            ),
            (
                "table.include.list",
                "public.interaction,public.segment,public.customersegment,public.buyer",
                "buyer, a table of instashop",
            ),
            ("database.password", "canary", "must name a variable"),
            ("skipped.operations", "none", "skipped.operations"),
        ];
        for (key, value, expected) in cases {
            let mut settings = good.clone();
            settings.insert(key.into(), value.into());
            let fault = check(SourceDb::CrmDb, &settings).unwrap_err();
            assert!(
                fault.contains(expected) && !fault.contains("canary"),
                "{key}: {fault}"
            );
        }
    }

    #[test]
    fn the_same_table_in_two_sources_is_refused() {
        let copy = tempfile::tempdir().unwrap();
        for source in SourceDb::ALL {
            let name = format!("{}-connector.json", source.prefix());
            let mut text = std::fs::read_to_string(folder().join(&name)).unwrap();
            if source != SourceDb::Instashop {
                text = text.replace(
                    "\"table.include.list\": \"",
                    "\"table.include.list\": \"public.notes,",
                );
            }
            std::fs::write(copy.path().join(name), text).unwrap();
        }
        let error = read_all(copy.path(), &Config::default()).unwrap_err().to_string();
        assert!(
            error.contains("notes") && error.contains("crm") && error.contains("erp"),
            "{error}"
        );
    }
}
