//! What a stack remembers between commands: `stack.toml` in the data folder, readable by its owner alone.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use color_eyre::eyre::{Result, WrapErr, bail};
use serde::{Deserialize, Serialize};

use super::service::{Cluster, Service};
use super::settings::{Options, Ports, hex};

/// Passwords by name, for example `instashop.owner` or `redis.worker`; its Debug shows the names alone.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Secrets(BTreeMap<String, String>);

impl Secrets {
    /// Every password that the product's configuration needs.
    fn names() -> Vec<String> {
        let mut names = Vec::new();
        for source in Cluster::SOURCES {
            names.push(format!("{}.owner", source.database()));
            names.push(format!("{}.capture", source.database()));
        }
        for role in ["warehouse.owner", "warehouse.worker", "warehouse.reader"] {
            names.push(role.to_owned());
        }
        for user in ["redis.admin", "redis.worker", "redis.loader", "redis.reader"] {
            names.push(user.to_owned());
        }
        names
    }

    /// Makes the passwords that do not exist yet; those that do are kept.
    fn complete(&mut self) -> Result<()> {
        for name in Self::names() {
            if let Entry::Vacant(place) = self.0.entry(name) {
                place.insert(password()?);
            }
        }
        Ok(())
    }

    /// The password of that name; empty for a name that nobody asked to make.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// The password of a cluster's superuser.
    pub(super) fn owner(&self, cluster: Cluster) -> &str {
        match cluster {
            Cluster::Warehouse => self.get("warehouse.owner"),
            source => self.get(&format!("{}.owner", source.database())),
        }
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_set().entries(self.0.keys()).finish()
    }
}

/// The remembered facts of one stack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    /// Number of brokers the data folder was made for.
    pub(super) brokers: u8,
    /// Services that should be up, by name.
    pub(super) services: Vec<String>,
    /// Kafka's cluster id: 16 random bytes in base64url.
    pub(super) kafka_cluster: String,
    /// One id for each broker's data folder, fixed when the quorum is made.
    pub(super) kafka_folders: Vec<String>,
    /// Ports in use.
    pub(super) ports: Ports,
    /// Passwords.
    pub(super) secrets: Secrets,
}

impl State {
    /// Services that the last `up` was asked for.
    pub(super) fn wanted(&self) -> Vec<Service> {
        let all = Service::all(self.brokers);
        all.into_iter()
            .filter(|service| self.services.contains(&service.to_string()))
            .collect()
    }
}

/// One stack on disk: its folder and what it remembers.
#[derive(Debug, Clone)]
pub(super) struct Stack {
    /// The data folder, absolute.
    pub(super) data: PathBuf,
    /// What is remembered.
    pub(super) state: State,
}

impl Stack {
    /// Reads the stack in the folder; `None` when there is none.
    pub(super) fn load(data: &Path) -> Result<Option<Self>> {
        let file = data.join("stack.toml");
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).wrap_err_with(|| format!("{} cannot be read", file.display())),
        };
        // The parser's own error would quote the line, and lines of this file hold passwords.
        let Ok(state) = toml::from_str(&text) else {
            bail!(
                "{} is damaged: restore it, or remove the whole folder and start anew (its data is lost)",
                file.display()
            );
        };
        Ok(Some(Self {
            data: data.to_path_buf(),
            state,
        }))
    }

    /// Makes or opens the stack for `up` and settles what this command asks for.
    pub(super) fn prepare(data: &Path, options: &Options, only: &[String]) -> Result<Self> {
        let loaded = Self::load(data)?;
        let recorded = loaded.as_ref().map(|stack| &stack.state);
        let brokers = match (options.brokers, recorded.map(|state| state.brokers)) {
            (Some(asked), _) if asked != 1 && asked != 3 => bail!("--brokers is 1 or 3, not {asked}"),
            (Some(asked), Some(made)) if asked != made => bail!(
                "the data in {} was made for {made} broker(s), not {asked}: run `stack down --remove-data` first, \
                 or use another --data folder",
                data.display()
            ),
            (asked, made) => asked.or(made).unwrap_or(1),
        };
        let ports = Ports::resolve(options, recorded.map(|state| &state.ports))?;
        // A quorum keeps its members' addresses in its own log; moved together, no member would find another.
        if let Some(state) = recorded.filter(|state| state.brokers > 1 && state.ports.kafka != ports.kafka) {
            bail!(
                "with {brokers} brokers Kafka's ports are fixed when the data is made ({}, not {}): run `stack down \
                 --remove-data` first, or use another --data folder",
                state.ports.kafka,
                ports.kafka
            );
        }
        let services = Service::with_needs(only, brokers)?
            .iter()
            .map(ToString::to_string)
            .collect();
        let mut state = match recorded {
            Some(state) => State {
                brokers,
                services,
                ports,
                ..state.clone()
            },
            None => State {
                brokers,
                services,
                kafka_cluster: kafka_id()?,
                kafka_folders: (0..brokers).map(|_| kafka_id()).collect::<Result<_>>()?,
                ports,
                secrets: Secrets::default(),
            },
        };
        state.secrets.complete()?;
        Ok(Self {
            data: data.to_path_buf(),
            state,
        })
    }

    /// Writes what is remembered.
    pub(super) fn save(&self) -> Result<()> {
        let text = toml::to_string_pretty(&self.state).wrap_err("stack.toml cannot be written as TOML")?;
        write_private(&self.data.join("stack.toml"), &format!("{STATE_HEAD}{text}"))
    }

    /// A folder of the stack.
    pub(super) fn folder(&self, name: &str) -> PathBuf {
        self.data.join(name)
    }

    /// The service's own folder; it is also the working folder of its process, by which orphans are found.
    pub(super) fn home(&self, service: Service) -> PathBuf {
        match service {
            Service::Postgres(cluster) => self.data.join("postgres").join(cluster.name()),
            Service::Redis => self.data.join("redis"),
            Service::Kafka(node) => self.data.join("kafka").join(node.to_string()),
            Service::Connect => self.data.join("connect"),
        }
    }

    /// The file with the service's output.
    pub(super) fn log(&self, service: Service) -> PathBuf {
        self.data.join("logs").join(format!("{service}.log"))
    }

    /// The file in which the process of the service is recorded.
    pub(super) fn record(&self, service: Service) -> PathBuf {
        self.data.join("run").join(format!("{service}.json"))
    }

    /// `127.0.0.1:port` of the service.
    pub(super) fn address(&self, service: Service) -> String {
        format!("127.0.0.1:{}", self.state.ports.of(service))
    }
}

const STATE_HEAD: &str =
    "# What this local stack remembers between commands. It holds passwords: keep it private.\n\n";

/// Lets one command at a time change a stack. The lock ends with the process, however that ends.
#[derive(Debug)]
pub(super) struct Lock(#[allow(dead_code, reason = "held open, that is its use")] File);

impl Lock {
    /// Takes the lock, waiting for the command that has it.
    pub(super) fn take(data: &Path) -> Result<Self> {
        make_folder(&data.join("run"), 0o711)?;
        let path = data.join("run/lock");
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path);
        let file = file.wrap_err_with(|| format!("{} cannot be opened", path.display()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                eprintln!(
                    "another stack command is at work in {}; waiting for it",
                    data.display()
                );
                file.lock().wrap_err("the stack's lock cannot be taken")?;
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).wrap_err("the stack's lock cannot be taken");
            }
        }
        Ok(Self(file))
    }
}

/// Makes a folder and those above it; the mode is for folders that are new.
pub(super) fn make_folder(path: &Path, mode: u32) -> Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(path)
        .wrap_err_with(|| format!("folder {} cannot be made", path.display()))
}

/// A place beside the final one for work that takes a while, of this process alone: the tools of a command that was
/// killed may still be writing to theirs. Clears away what commands that are gone have left.
pub(super) fn scratch(folder: &Path, name: &str) -> PathBuf {
    let mark = format!("{name}.new-");
    for entry in fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
        let file = entry.file_name().to_string_lossy().into_owned();
        let owner = file.strip_prefix(&mark);
        if owner.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            // What cannot be removed now because somebody still writes to it goes the next time.
            let _ = fs::remove_file(entry.path()).or_else(|_| fs::remove_dir_all(entry.path()));
        }
    }
    folder.join(format!("{mark}{}", std::process::id()))
}

/// Writes a file that only its owner may read, whole or not at all.
pub(super) fn write_private(path: &Path, text: &str) -> Result<()> {
    let said = || format!("{} cannot be written", path.display());
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let fresh = PathBuf::from(name);
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&fresh)
        .wrap_err_with(said)?;
    file.set_permissions(fs::Permissions::from_mode(0o600))
        .wrap_err_with(said)?;
    file.write_all(text.as_bytes()).wrap_err_with(said)?;
    drop(file);
    fs::rename(&fresh, path).wrap_err_with(said)
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    let read = File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes));
    read.wrap_err("/dev/urandom cannot be read")?;
    Ok(bytes)
}

/// 128 random bits as 32 hexadecimal digits: safe in every file, URL and environment it is written to.
fn password() -> Result<String> {
    Ok(hex(&random::<16>()?))
}

/// An id as Kafka writes them: 16 random bytes in base64url. Not one that starts with `-`, which its tools would
/// take for an option. Made here because Kafka's own tool costs a JVM's start.
fn kafka_id() -> Result<String> {
    loop {
        let id = URL_SAFE_NO_PAD.encode(random::<16>()?);
        if !id.starts_with('-') {
            return Ok(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_keeps_its_secrets_and_ids() {
        let folder = tempfile::tempdir().unwrap();
        let first = Stack::prepare(folder.path(), &Options::default(), &[]).unwrap();
        first.save().unwrap();
        let options = Options {
            redis_port: Some(26379),
            ..Options::default()
        };
        let second = Stack::prepare(folder.path(), &options, &["redis".to_owned()]).unwrap();
        assert_eq!(second.state.secrets, first.state.secrets);
        assert_eq!(second.state.kafka_cluster, first.state.kafka_cluster);
        assert_eq!(second.state.ports.redis, 26379);
        assert_eq!(second.state.wanted(), [Service::Redis]);
        let mode = fs::metadata(folder.path().join("stack.toml"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn three_brokers_stay_where_they_are_and_one_may_move() {
        for (brokers, may_move) in [(1, true), (3, false)] {
            let folder = tempfile::tempdir().unwrap();
            let options = Options {
                brokers: Some(brokers),
                ..Options::default()
            };
            Stack::prepare(folder.path(), &options, &[])
                .unwrap()
                .save()
                .unwrap();
            let moved = Options {
                kafka_port: Some(29092),
                ..Options::default()
            };
            assert_eq!(Stack::prepare(folder.path(), &moved, &[]).is_ok(), may_move);
        }
    }

    #[test]
    fn every_password_is_long_and_different() {
        let mut secrets = Secrets::default();
        secrets.complete().unwrap();
        let mut all: Vec<&String> = secrets.0.values().collect();
        assert_eq!(all.len(), 15);
        assert!(all.iter().all(|text| text.len() >= 24));
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 15);
    }

    #[test]
    fn passwords_do_not_show_in_debug_or_in_the_error_of_a_damaged_file() {
        let folder = tempfile::tempdir().unwrap();
        let stack = Stack::prepare(folder.path(), &Options::default(), &[]).unwrap();
        let shown = format!("{stack:?}");
        assert!(!shown.contains(stack.state.secrets.get("redis.admin")), "{shown}");
        fs::write(folder.path().join("stack.toml"), "secrets = \"canary\" oops").unwrap();
        let error = format!("{:?}", Stack::load(folder.path()).unwrap_err());
        assert!(error.contains("damaged") && !error.contains("canary"), "{error}");
    }

    #[test]
    fn scratch_places_of_the_gone_are_cleared_and_those_of_the_living_kept() {
        let folder = tempfile::tempdir().unwrap();
        // The kernel gives no process an id this large, and 1 always lives.
        for name in ["data.new-4999999", "data.new-1", "database.new-4999999", "data"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let place = scratch(folder.path(), "data");
        assert!(place.ends_with(format!("data.new-{}", std::process::id())));
        let mut left: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        left.sort_unstable();
        assert_eq!(left, ["data", "data.new-1", "database.new-4999999"]);
    }

    #[test]
    fn the_number_of_brokers_is_fixed() {
        let folder = tempfile::tempdir().unwrap();
        Stack::prepare(folder.path(), &Options::default(), &[])
            .unwrap()
            .save()
            .unwrap();
        for (brokers, words) in [(3, "made for 1 broker(s)"), (2, "1 or 3")] {
            let options = Options {
                brokers: Some(brokers),
                ..Options::default()
            };
            let error = Stack::prepare(folder.path(), &options, &[])
                .unwrap_err()
                .to_string();
            assert!(error.contains(words), "{error}");
        }
    }
}
