//! One PostgreSQL cluster per test binary, one database per test.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use instashop_core::config::{Meaning, Secret, Warehouse};
use instashop_core::table::Table;
use instashop_store::warehouse::{Owner, WarehouseSink};
use tokio_postgres::types::{FromSqlOwned, ToSql};
use tokio_postgres::{Client, NoTls};

const PASSWORD: &str = "only for this test";

/// The running cluster. It is stopped, and its folder removed, when the standard input of the watcher ends, that is
/// when this process does, however it does.
pub(super) struct Cluster {
    pub(super) port: u16,
    _watcher: Child,
}

/// The cluster of this binary, started by the first test that asks.
pub(super) fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(start)
}

fn programs() -> PathBuf {
    let given = std::env::var_os("INSTASHOP_POSTGRES_BIN").map(PathBuf::from);
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|path| path.join("initdb").is_file())
        .collect();
    found.sort();
    given.or(found.pop()).expect(
        "no PostgreSQL server programs; install postgresql, or name their folder in INSTASHOP_POSTGRES_BIN",
    )
}

/// A command that does not run as root, which PostgreSQL refuses.
fn command(program: &Path) -> Command {
    let root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    if !root {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command
        .args(["--reuid=postgres", "--regid=postgres", "--init-groups"])
        .arg(program);
    command
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}

fn start() -> Cluster {
    let bin = programs();
    let root = tempfile::Builder::new()
        .prefix("instashop-store-")
        .tempdir()
        .unwrap()
        .keep();
    let data = root.join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::write(root.join("password"), PASSWORD).unwrap();
    if Command::new("id").arg("-u").output().unwrap().stdout == b"0\n" {
        run(Command::new("chown").args(["-R", "postgres:postgres"]).arg(&root));
    }
    let mut initdb = command(&bin.join("initdb"));
    initdb
        .args([
            "-U",
            "dwh",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "--auth=scram-sha-256",
            "--no-sync",
        ])
        .arg(format!("--pwfile={}", root.join("password").display()))
        .arg("-D")
        .arg(&data);
    run(&mut initdb);
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let options = format!(
        "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c max_connections=200 \
         -c wal_level=logical -c max_replication_slots=20 -c deadlock_timeout=100ms"
    );
    let mut pg_ctl = command(&bin.join("pg_ctl"));
    pg_ctl
        .arg("-D")
        .arg(&data)
        .arg("-l")
        .arg(root.join("log"))
        .args(["-w", "-o", &options, "start"]);
    run(pg_ctl.stdout(Stdio::null()));
    let stop = command(&bin.join("pg_ctl"));
    let words = std::iter::once(stop.get_program()).chain(stop.get_args());
    let stop: Vec<String> = words
        .map(|word| format!("'{}'", word.to_string_lossy()))
        .collect();
    let script = format!(
        "trap '' INT TERM HUP; cat >/dev/null; {} -D '{}' -m immediate stop >/dev/null 2>&1; rm -rf '{}'",
        stop.join(" "),
        data.display(),
        root.display()
    );
    let watcher = Command::new("sh")
        .args(["-c", &script])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    Cluster {
        port,
        _watcher: watcher,
    }
}

/// A database of one test, set up as setup does it, with the owner's connection.
pub(super) struct Database {
    pub(super) config: Warehouse,
    pub(super) client: Client,
}

/// Roles belong to the whole cluster, and two transactions must not change one at once.
static SETTING_UP: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

impl Database {
    /// An empty database: nothing migrated.
    pub(super) async fn empty() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let config = Warehouse {
            host: "127.0.0.1".into(),
            port: cluster().port,
            database: name.clone(),
            owner_password: Secret::new(PASSWORD.into()),
            worker_password: Secret::new("worker's".into()),
            reader_password: Secret::new("reader's".into()),
            ..Warehouse::default()
        };
        let admin = connect(&config, "postgres", "dwh", PASSWORD).await;
        admin
            .batch_execute(&format!("CREATE DATABASE {name}"))
            .await
            .unwrap();
        let client = connect(&config, &name, "dwh", PASSWORD).await;
        Self { config, client }
    }

    /// A database with schema, roles and maps.
    pub(super) async fn ready() -> Self {
        let database = Self::empty().await;
        let _one = SETTING_UP.lock().await;
        let mut owner = Owner::connect(&database.config).await.unwrap();
        owner.migrate().await.unwrap();
        owner.ensure_roles(&database.config).await.unwrap();
        owner.write_meaning(&Meaning::default()).await.unwrap();
        // A connection made now has the search path of the database.
        let client = connect(&database.config, &database.config.database, "dwh", PASSWORD).await;
        Self { client, ..database }
    }

    /// As [`Self::ready`], under the lock of setups.
    pub(super) async fn set_up_alone<T>(work: impl AsyncFnOnce() -> T) -> T {
        let _one = SETTING_UP.lock().await;
        work().await
    }

    pub(super) fn sink(&self, worker: &str) -> WarehouseSink {
        WarehouseSink::new(&self.config, worker)
    }

    /// Keeps everybody from a table until the connection is dropped.
    pub(super) async fn hold(&self, table: &str) -> Client {
        let client = connect(&self.config, &self.config.database, "dwh", PASSWORD).await;
        let sql = format!("BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE");
        client.batch_execute(&sql).await.unwrap();
        client
    }

    pub(super) async fn run(&self, sql: &str) {
        self.client
            .batch_execute(sql)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    /// First column of the first row.
    pub(super) async fn value<T: FromSqlOwned>(&self, sql: &str) -> T {
        self.value_of(sql, &[]).await
    }

    pub(super) async fn value_of<T: FromSqlOwned>(&self, sql: &str, parameters: &[&(dyn ToSql + Sync)]) -> T {
        let row = self.client.query_one(sql, parameters).await;
        row.unwrap_or_else(|error| panic!("{sql}: {error:?}")).get(0)
    }

    /// First column of every row, as text.
    pub(super) async fn list(&self, sql: &str) -> Vec<String> {
        let rows = self
            .client
            .query(sql, &[])
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        rows.iter()
            .map(|row| row.get::<_, Option<String>>(0).unwrap_or_else(|| "NULL".into()))
            .collect()
    }

    /// Everything the flow wrote but its checkpoints, and but what a second arrival may differ in.
    pub(super) async fn content(&self) -> String {
        let raw = "SELECT (to_jsonb(t) - '{id,processed_at,topic,partition,offset}'::text[])::text AS r FROM raw.realtime_events t";
        self.content_of(raw).await
    }

    /// As [`Self::content`], with the place in Kafka of every event.
    pub(super) async fn content_with_places(&self) -> String {
        self.content_of(
            "SELECT (to_jsonb(t) - '{id,processed_at}'::text[])::text AS r FROM raw.realtime_events t",
        )
        .await
    }

    async fn content_of(&self, raw: &str) -> String {
        let mut parts = vec![raw.to_owned()];
        let history = ["order_status", "customer_plan", "stock_level", "shipment_status"];
        let tables = Table::ALL.iter().map(|table| format!("staging.{}", table.name()));
        for table in tables.chain(history.iter().map(|name| format!("history.{name}"))) {
            parts.push(format!("SELECT '{table}' || t::text AS r FROM {table} t"));
        }
        let all = parts.join(" UNION ALL ");
        let sql = format!("SELECT coalesce(string_agg(r, E'\\n' ORDER BY r), '') FROM ({all}) everything");
        self.value(&sql).await
    }
}

pub(super) async fn connect(config: &Warehouse, database: &str, user: &str, password: &str) -> Client {
    try_connect(config, database, user, password).await.unwrap()
}

pub(super) async fn try_connect(
    config: &Warehouse,
    database: &str,
    user: &str,
    password: &str,
) -> Result<Client, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::Config::new()
        .host(&config.host)
        .port(config.port)
        .dbname(database)
        .user(user)
        .password(password)
        .connect(NoTls)
        .await?;
    tokio::spawn(connection);
    Ok(client)
}

/// Compares contents line by line and shows only what differs.
pub(super) fn same(found: &str, expected: &str, context: &str) {
    let [found, expected]: [BTreeSet<&str>; 2] = [found, expected].map(|text| text.lines().collect());
    let more: Vec<_> = found.difference(&expected).collect();
    let less: Vec<_> = expected.difference(&found).collect();
    assert!(
        more.is_empty() && less.is_empty(),
        "{context}: unexpected {more:#?}, gone {less:#?}"
    );
}
