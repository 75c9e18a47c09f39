//! `instashop.toml`: the product's configuration for this stack. Only what the stack knows is set in it (addresses,
//! users, passwords); whatever else a person wrote there stays.

use std::fs;

use color_eyre::eyre::{Result, WrapErr, bail, eyre};
use instashop_core::config::{Config, Secret, Source};
use toml::{Table, Value};

use super::kafka::replication;
use super::service::{Cluster, Service};
use super::state::{Stack, write_private};

/// The keys of a table of the configuration that the stack sets; the rest is left to the person.
const SET: [(&str, &[&str]); 5] = [
    (
        "sources",
        &[
            "host",
            "port",
            "database",
            "owner_user",
            "owner_password",
            "capture_user",
            "capture_password",
        ],
    ),
    (
        "warehouse",
        &[
            "host",
            "port",
            "database",
            "owner_user",
            "owner_password",
            "worker_user",
            "worker_password",
            "reader_user",
            "reader_password",
        ],
    ),
    (
        "redis",
        &[
            "host",
            "port",
            "admin_user",
            "admin_password",
            "worker_user",
            "worker_password",
            "loader_user",
            "loader_password",
            "reader_user",
            "reader_password",
        ],
    ),
    ("kafka", &["brokers", "replication_factor"]),
    ("connect", &["url"]),
];

const HEAD: &str = "\
# Configuration of the product for the local stack, with passwords: keep it private.
# `stack up` sets the addresses, users and passwords here and leaves every other key as it is.

";

fn config(stack: &Stack) -> Config {
    let (state, secrets) = (&stack.state, &stack.state.secrets);
    let secret = |name: &str| Secret::new(secrets.get(name).to_owned());
    let mut config = Config::default();
    let fill = |source: &mut Source, cluster: Cluster| {
        source.port = state.ports.of(Service::Postgres(cluster));
        source.owner_password = Secret::new(secrets.owner(cluster).to_owned());
        source.capture_password = secret(&format!("{}.capture", cluster.database()));
    };
    fill(&mut config.sources.instashop, Cluster::Instashop);
    fill(&mut config.sources.crm_db, Cluster::Crm);
    fill(&mut config.sources.erp_db, Cluster::Erp);
    fill(&mut config.sources.ecommerce_db, Cluster::Ecommerce);
    config.warehouse.port = state.ports.warehouse;
    config.warehouse.owner_password = secret("warehouse.owner");
    config.warehouse.worker_password = secret("warehouse.worker");
    config.warehouse.reader_password = secret("warehouse.reader");
    config.redis.port = state.ports.redis;
    config.redis.admin_password = secret("redis.admin");
    config.redis.worker_password = secret("redis.worker");
    config.redis.loader_password = secret("redis.loader");
    config.redis.reader_password = secret("redis.reader");
    config.kafka.brokers = state.ports.bootstrap(state.brokers);
    config.kafka.replication_factor = i32::from(replication(state.brokers).0);
    config.connect.url = format!("http://127.0.0.1:{}", state.ports.connect);
    config
}

/// Brings the file up to date.
pub(super) fn write(stack: &Stack) -> Result<()> {
    let file = stack.data.join("instashop.toml");
    let existing = match fs::read_to_string(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).wrap_err_with(|| format!("{} cannot be read", file.display())),
    };
    // The parser's own error would quote a line that may hold a password.
    let Ok(mut table) = existing.parse::<Table>() else {
        bail!(
            "{} is not valid TOML: correct it, or remove it to have it written anew",
            file.display()
        );
    };
    let mine = Table::try_from(config(stack)).wrap_err("the configuration cannot be written as TOML")?;
    let before = table.clone();
    for (section, keys) in SET {
        let Some(Value::Table(fresh)) = mine.get(section) else {
            continue;
        };
        let target = subtable(&mut table, section)?;
        if section == "sources" {
            for (name, source) in fresh {
                let Value::Table(source) = source else { continue };
                copy(source, subtable(target, name)?, keys);
            }
        } else {
            copy(fresh, target, keys);
        }
    }
    if table == before && !existing.is_empty() {
        return Ok(());
    }
    let text = toml::to_string(&table).wrap_err("the configuration cannot be written as TOML")?;
    write_private(&file, &format!("{HEAD}{text}"))
}

fn subtable<'a>(table: &'a mut Table, name: &str) -> Result<&'a mut Table> {
    let entry = table.entry(name).or_insert_with(|| Value::Table(Table::new()));
    entry
        .as_table_mut()
        .ok_or_else(|| eyre!("in instashop.toml `{name}` must be a section, not a value"))
}

fn copy(from: &Table, to: &mut Table, keys: &[&str]) {
    for key in keys {
        if let Some(value) = from.get(*key) {
            to.insert((*key).to_owned(), value.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stack::settings::Options;

    #[test]
    fn the_product_can_read_what_is_written_and_finds_every_password() {
        let folder = tempfile::tempdir().unwrap();
        let stack = Stack::prepare(folder.path(), &Options::default(), &[]).unwrap();
        write(&stack).unwrap();
        let text = fs::read_to_string(folder.path().join("instashop.toml")).unwrap();
        let read: Config = toml::from_str(&text).unwrap();
        assert_eq!(read, config(&stack));
        assert!(!text.contains("password = \"\""), "every password is set");
        assert!(
            !text.contains("[flow]") && !text.contains("[meaning"),
            "defaults stay defaults"
        );
    }

    #[test]
    fn what_a_person_wrote_stays() {
        let folder = tempfile::tempdir().unwrap();
        let stack = Stack::prepare(folder.path(), &Options::default(), &[]).unwrap();
        let file = folder.path().join("instashop.toml");
        fs::write(
            &file,
            "[flow]\nbatch_records = 7\n[sources.crm_db]\ngeneration = 3\nport = 1\n",
        )
        .unwrap();
        write(&stack).unwrap();
        let read: Config = toml::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
        assert_eq!(
            (
                read.flow.batch_records,
                read.sources.crm_db.generation,
                read.sources.crm_db.port
            ),
            (7, 3, 15433)
        );
        let written = fs::read_to_string(&file).unwrap();
        write(&stack).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), written);
    }

    #[test]
    fn a_damaged_file_is_said_so_without_its_content() {
        let folder = tempfile::tempdir().unwrap();
        let stack = Stack::prepare(folder.path(), &Options::default(), &[]).unwrap();
        for (text, words) in [
            ("owner_password = canary", "not valid TOML"),
            ("redis = \"canary\"", "`redis`"),
        ] {
            fs::write(folder.path().join("instashop.toml"), text).unwrap();
            let error = format!("{:?}", write(&stack).unwrap_err());
            assert!(error.contains(words) && !error.contains("canary"), "{error}");
        }
    }
}
