//! Five PostgreSQL clusters: made with random passwords and no way in without one, loopback TCP only.
//!
//! Five rather than one with five databases: each source then has its own log, slots and system identifier, and can
//! be stopped alone (docs: stack, "PostgreSQL: five clusters or one").

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use color_eyre::eyre::{Result, WrapErr, bail, eyre};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, NoTls};

use super::port::PATIENCE;
use super::process::{Launch, server_environment};
use super::server::{Health, Trouble, Workshop, fingerprint};
use super::service::{Cluster, Service};
use super::state::{Stack, make_folder, scratch, write_private};

/// What the clusters add to the distribution's configuration.
const COMMON: &str = "\
unix_socket_directories = ''
password_encryption = 'scram-sha-256'
max_worker_processes = 4
max_logical_replication_workers = 0
autovacuum_max_workers = 1
jit = off
log_min_messages = warning
log_line_prefix = '%m [%p] %q%u@%d '
log_timezone = 'UTC'
timezone = 'UTC'
";

/// Sources: small, with the log that Debezium reads. The bound on a slot keeps a forgotten one from filling the disk.
const SOURCE: &str = "\
wal_level = logical
max_wal_senders = 6
max_replication_slots = 6
max_connections = 60
shared_buffers = 16MB
max_wal_size = 256MB
min_wal_size = 16MB
max_slot_wal_keep_size = 2GB
max_parallel_workers = 0
";

/// The warehouse: nothing reads its log, and its queries sort and join.
const WAREHOUSE: &str = "\
wal_level = replica
max_wal_senders = 2
max_replication_slots = 2
max_connections = 100
shared_buffers = 128MB
work_mem = 16MB
max_wal_size = 1GB
min_wal_size = 32MB
max_parallel_workers = 2
";

/// Password on every line, and no line for anything but the loopback.
const ACCESS: &str = "\
# type  database     user  address       method
host    all          all   127.0.0.1/32  scram-sha-256
host    replication  all   127.0.0.1/32  scram-sha-256
";

const INCLUDED: &str = "stack.conf";

fn configuration(cluster: Cluster, port: u16) -> String {
    let role = if cluster == Cluster::Warehouse {
        WAREHOUSE
    } else {
        SOURCE
    };
    format!("# Written by `stack up`.\nlisten_addresses = '127.0.0.1'\nport = {port}\n{COMMON}{role}")
}

/// The major version that made the clusters of a stack, if there are any.
pub(super) fn made_with(stack: &Stack) -> Option<u32> {
    Cluster::ALL.into_iter().find_map(|cluster| {
        let file = stack.home(Service::Postgres(cluster)).join("PG_VERSION");
        fs::read_to_string(file).ok()?.trim().parse().ok()
    })
}

/// Makes the cluster when it does not exist, writes its settings, and says how to start it.
pub(super) fn prepare(workshop: &Workshop, cluster: Cluster) -> Result<Launch> {
    let stack = &workshop.stack;
    let service = Service::Postgres(cluster);
    let home = stack.home(service);
    let bin = workshop
        .tools
        .postgres
        .as_deref()
        .ok_or_else(|| eyre!("PostgreSQL was not looked for"))?;
    if !home.join("PG_VERSION").is_file() {
        initialise(workshop, cluster, bin, &home)?;
    }
    let text = configuration(cluster, stack.state.ports.of(service));
    for (name, content) in [(INCLUDED, text.as_str()), ("pg_hba.conf", ACCESS)] {
        let file = home.join(name);
        if fs::read_to_string(&file).ok().as_deref() != Some(content) {
            write_private(&file, content)?;
            workshop.account.give(&file)?;
        }
    }
    let program = bin.join("postgres");
    let digest = fingerprint(&[&program.to_string_lossy(), &home.to_string_lossy(), &text, ACCESS]);
    Ok(Launch {
        prefix: workshop.account.prefix(),
        program,
        arguments: vec!["-D".to_owned(), home.to_string_lossy().into_owned()],
        environment: Vec::new(),
        log: stack.log(service),
        home,
        fingerprint: digest,
    })
}

/// Makes a cluster beside its final place and moves it there whole: a killed `initdb` leaves nothing that looks made.
fn initialise(workshop: &Workshop, cluster: Cluster, bin: &Path, home: &Path) -> Result<()> {
    let folder = workshop.stack.folder("postgres");
    make_folder(&folder, 0o711)?;
    let fresh = scratch(&folder, cluster.name());
    let password = scratch(&folder, &format!("{}.password", cluster.name()));
    make_folder(&fresh, 0o700)?;
    workshop.account.give(&fresh)?;
    // A real file of that user: a pipe of ours could not be opened after the change of user.
    write_private(&password, workshop.stack.state.secrets.owner(cluster))?;
    workshop.account.give(&password)?;

    let mut words = workshop.account.prefix();
    words.push(bin.join("initdb").to_string_lossy().into_owned());
    words.extend(
        [
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
            "--wal-segsize=4",
        ]
        .map(str::to_owned),
    );
    words.push(format!("--username={}", cluster.owner()));
    words.push(format!("--pwfile={}", password.display()));
    words.push(format!("--pgdata={}", fresh.display()));
    let output = Command::new(&words[0])
        .args(&words[1..])
        .current_dir(&folder)
        .env_clear()
        .envs(server_environment())
        .stdin(Stdio::null())
        .output();
    fs::remove_file(&password).wrap_err_with(|| format!("{} cannot be removed", password.display()))?;
    let output = output.wrap_err("initdb cannot be started")?;
    if !output.status.success() {
        bail!(
            "initdb failed for {}:\n{}",
            cluster.database(),
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    let main = fresh.join("postgresql.conf");
    let text = fs::read_to_string(&main).wrap_err_with(|| format!("{} cannot be read", main.display()))?;
    write_private(&main, &format!("{text}\ninclude = '{INCLUDED}'\n"))?;
    workshop.account.give(&main)?;
    fs::rename(&fresh, home).wrap_err_with(|| format!("{} cannot be made", home.display()))
}

/// Takes away the lock file of a postmaster that was killed. Only called when no process of the cluster is left:
/// PostgreSQL itself would take a recycled process id for a living postmaster.
pub(super) fn forget_dead_postmaster(stack: &Stack, cluster: Cluster) -> Result<()> {
    let file = stack.home(Service::Postgres(cluster)).join("postmaster.pid");
    match fs::remove_file(&file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).wrap_err_with(|| format!("{} cannot be removed", file.display()))
        }
        _ => Ok(()),
    }
}

/// Runs one piece of work against a database of the cluster as its owner.
fn ask<T>(
    stack: &Stack,
    cluster: Cluster,
    database: &str,
    work: impl AsyncFnOnce(&Client) -> Result<T, tokio_postgres::Error>,
) -> Result<T, Trouble> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Trouble::never(format!("no runtime: {error}")))?;
    let mut config = Config::new();
    config
        .host("127.0.0.1")
        .port(stack.state.ports.of(Service::Postgres(cluster)))
        .user(cluster.owner())
        .password(stack.state.secrets.owner(cluster))
        .dbname(database)
        .application_name("instashop-dev stack")
        .connect_timeout(PATIENCE);
    let all = async {
        let (client, connection) = config.connect(NoTls).await?;
        let driver = tokio::spawn(connection);
        let result = work(&client).await;
        drop(client);
        // What went wrong on the connection is in the result already.
        let _ = driver.await;
        result
    };
    let limited = runtime.block_on(async { tokio::time::timeout(PATIENCE, all).await });
    match limited {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(trouble(&error)),
        Err(_) => Err(Trouble::not_yet("it accepts connections but does not answer")),
    }
}

fn trouble(error: &tokio_postgres::Error) -> Trouble {
    match error.as_db_error() {
        Some(db) if *db.code() == SqlState::INVALID_PASSWORD => Trouble::never(
            "its password is not the one in stack.toml: the data folder and that file do not belong together \
             (start anew with `stack down --remove-data`)",
        ),
        Some(db) => Trouble::not_yet(db.message()),
        None => Trouble::not_yet("no connection"),
    }
}

/// Logs in over TCP and asks for the version.
pub(super) fn probe(stack: &Stack, cluster: Cluster) -> Result<Health, Trouble> {
    ask(stack, cluster, "postgres", async |client: &Client| {
        let row = client
            .query_one(
                "select current_setting('server_version'),
                        (select count(*) from pg_stat_activity where backend_type = 'client backend') - 1,
                        (select count(*) from pg_replication_slots)",
                &[],
            )
            .await?;
        let (version, clients, slots): (String, i64, i64) =
            (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        let version = version.split(' ').next().unwrap_or_default().to_owned();
        let slots = if slots == 0 {
            String::new()
        } else {
            format!(", {slots} slot(s)")
        };
        Ok(Health {
            version,
            detail: format!("{clients} client(s){slots}"),
        })
    })
}

/// Makes the empty database of the cluster when it is not there.
pub(super) fn create_database(stack: &Stack, cluster: Cluster) -> Result<()> {
    let name = cluster.database();
    let made = ask(stack, cluster, "postgres", async |client: &Client| {
        let found = client
            .query_opt("select from pg_database where datname = $1", &[&name])
            .await?;
        if found.is_none() {
            client.batch_execute(&format!("create database {name}")).await?;
        }
        Ok(())
    });
    made.map_err(|trouble| eyre!("database {name} cannot be made: {}", trouble.text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_has_a_logical_log_with_a_bound() {
        insta::assert_snapshot!(configuration(Cluster::Crm, 15433));
    }

    #[test]
    fn the_warehouse_has_no_logical_log() {
        insta::assert_snapshot!(configuration(Cluster::Warehouse, 15436));
    }

    #[test]
    fn nobody_enters_without_a_password() {
        let lines = ACCESS.lines().filter(|line| !line.starts_with('#'));
        for line in lines {
            assert!(
                line.ends_with("scram-sha-256") && line.contains("127.0.0.1/32"),
                "{line}"
            );
        }
    }
}
