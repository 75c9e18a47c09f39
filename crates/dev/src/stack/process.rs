//! Server processes: started in a session of their own, recorded with their start time, found again, stopped.
//!
//! A process id alone is not an identity, since the system gives it to somebody else one day. The record therefore
//! holds the id, the kernel's start time of that process and the boot it belongs to; only a process that matches all
//! three is ever signalled.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use color_eyre::eyre::{Result, WrapErr, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

use super::state::{make_folder, write_private};

/// How often a state that the kernel does not report to us is looked at.
pub(super) const LOOK: Duration = Duration::from_millis(25);

/// A log larger than this is set aside when its server starts.
const LOG_LIMIT: u64 = 16 * 1024 * 1024;

/// Identity of a running server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Process id.
    pub(super) pid: i32,
    /// Start of the process in clock ticks since boot, as the kernel counts them.
    pub(super) started: u64,
    /// Id of the boot in which it was started.
    pub(super) boot: String,
    /// Digest of what the server was started with; another one means a restart is due.
    pub(crate) fingerprint: String,
}

impl Record {
    /// The process of a service: the recorded one, or one found in the service's folder when the record is lost. What
    /// was found carries no fingerprint, so `up` starts it anew.
    pub(super) fn find(file: &Path, home: &Path) -> Option<Self> {
        Self::alive(file).or_else(|| {
            let home = home.canonicalize().ok()?;
            let all = running();
            let left = leftovers(&home);
            // The server is the one whose parent is not a server itself.
            let is_root = |pid: &&i32| all.get(pid).is_some_and(|stat| !left.contains(&stat.parent));
            let pid = *left.iter().find(is_root)?;
            let started = all.get(&pid)?.started;
            Some(Self {
                pid,
                started,
                boot: boot_id()?,
                fingerprint: String::new(),
            })
        })
    }

    /// The record in the file if its process still runs, else `None`; a record that cannot be read counts as none.
    pub(crate) fn alive(file: &Path) -> Option<Self> {
        let record: Self = serde_json::from_str(&fs::read_to_string(file).ok()?).ok()?;
        record.is_alive().then_some(record)
    }

    /// True while exactly this process runs. A zombie does not run.
    pub(super) fn is_alive(&self) -> bool {
        boot_id().is_some_and(|boot| boot == self.boot)
            && Stat::of(self.pid).is_some_and(|stat| stat.runs() && stat.started == self.started)
    }

    /// Sends one signal after the other until the process is gone; each gets its time. True when the first was enough.
    pub(crate) fn stop(&self, ladder: &[(Signal, Duration)]) -> Result<bool> {
        for (step, (signal, patience)) in ladder.iter().enumerate() {
            // Looked at again right before each signal, so that a recycled id is never hit.
            if !self.is_alive() {
                return Ok(step <= 1);
            }
            match kill(Pid::from_raw(self.pid), *signal) {
                Ok(()) | Err(nix::errno::Errno::ESRCH) => {}
                Err(error) => bail!("process {} cannot be stopped: {error}", self.pid),
            }
            if gone(*patience, || !self.is_alive()) {
                return Ok(step == 0);
            }
        }
        bail!("process {} does not end, not even by SIGKILL", self.pid)
    }
}

fn gone(patience: Duration, is_gone: impl Fn() -> bool) -> bool {
    let end = Instant::now() + patience;
    loop {
        if is_gone() {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        thread::sleep(LOOK);
    }
}

/// What is needed to start a server.
#[derive(Debug)]
pub(crate) struct Launch {
    /// Words before the program that change the user; empty for the user himself.
    pub(crate) prefix: Vec<String>,
    /// The program.
    pub(crate) program: PathBuf,
    /// Its arguments; never a secret.
    pub(crate) arguments: Vec<String>,
    /// Environment beside the few names every server gets.
    pub(crate) environment: Vec<(String, String)>,
    /// Working folder, which also marks the process as ours.
    pub(crate) home: PathBuf,
    /// File for standard output and error.
    pub(crate) log: PathBuf,
    /// Digest of program, arguments and configuration.
    pub(crate) fingerprint: String,
}

impl Launch {
    /// Starts the server in a session of its own and records it. It outlives this command and its terminal, has no
    /// input, and inherits nothing of the user's environment but what servers need.
    pub(crate) fn start(&self, record: &Path) -> Result<Child> {
        if let Some(folder) = self.log.parent() {
            make_folder(folder, 0o700)?;
        }
        set_aside(&self.log)?;
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&self.log);
        let log = log.wrap_err_with(|| format!("log {} cannot be opened", self.log.display()))?;
        let errors = log.try_clone().wrap_err("the log cannot be used twice")?;
        // `setsid` makes the session and then becomes the server, so the id of the child is the server's.
        let mut command = Command::new("setsid");
        command
            .args(&self.prefix)
            .arg(&self.program)
            .args(&self.arguments)
            .current_dir(&self.home)
            .env_clear()
            .envs(server_environment())
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors);
        let child = command
            .spawn()
            .wrap_err_with(|| format!("{} cannot be started", self.program.display()))?;
        let pid = child.id() as i32;
        if let (Some(stat), Some(boot)) = (Stat::of(pid), boot_id()) {
            let made = Record {
                pid,
                started: stat.started,
                boot,
                fingerprint: self.fingerprint.clone(),
            };
            let text = serde_json::to_string(&made).wrap_err("the process cannot be recorded")?;
            write_private(record, &text)?;
        }
        Ok(child)
    }
}

/// The environment of every server and of the tools that prepare one.
pub(super) fn server_environment() -> Vec<(String, String)> {
    let kept = ["PATH", "HOME", "JAVA_HOME"].into_iter();
    let mut names: Vec<(String, String)> = kept
        .filter_map(|name| std::env::var(name).ok().map(|value| (name.to_owned(), value)))
        .collect();
    names.push(("LANG".to_owned(), "C.UTF-8".to_owned()));
    names.push(("TZ".to_owned(), "UTC".to_owned()));
    names
}

fn set_aside(log: &Path) -> Result<()> {
    match fs::metadata(log) {
        Ok(meta) if meta.len() > LOG_LIMIT => fs::rename(log, log.with_extension("log.1"))
            .wrap_err_with(|| format!("{} cannot be set aside", log.display())),
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).wrap_err_with(|| format!("{} cannot be looked at", log.display())),
    }
}

/// The fields of `/proc/PID/stat` that matter here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stat {
    state: char,
    parent: i32,
    started: u64,
}

impl Stat {
    fn of(pid: i32) -> Option<Self> {
        Self::parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    /// The name of the program stands in parentheses and may hold spaces and parentheses itself, so the fields are
    /// counted from the last one: state is the third field, the parent the fourth, the start time the twenty-second.
    fn parse(text: &str) -> Option<Self> {
        let (_, after) = text.rsplit_once(')')?;
        let fields: Vec<&str> = after.split_whitespace().collect();
        Some(Self {
            state: fields.first()?.chars().next()?,
            parent: fields.get(1)?.parse().ok()?,
            started: fields.get(19)?.parse().ok()?,
        })
    }

    fn runs(self) -> bool {
        !matches!(self.state, 'Z' | 'X')
    }
}

fn boot_id() -> Option<String> {
    fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .ok()
        .map(|text| text.trim().to_owned())
}

/// Every running process with what the kernel tells about it.
fn running() -> BTreeMap<i32, Stat> {
    let Ok(folder) = fs::read_dir("/proc") else {
        return BTreeMap::new();
    };
    let pids = folder.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok());
    pids.filter_map(|pid| Some((pid, Stat::of(pid)?)))
        .filter(|(_, stat)| stat.runs())
        .collect()
}

/// Programs that this stack starts; a shell that somebody left in a data folder is not one of them.
const PROGRAMS: [&str; 4] = ["postgres", "redis-server", "redis-check-rdb", "java"];

/// Server processes whose working folder is this one: what a killed parent or a lost record left behind.
pub(super) fn leftovers(home: &Path) -> Vec<i32> {
    let is_ours = |pid: &i32| {
        let at_home = fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|folder| folder == home);
        let program = fs::read_link(format!("/proc/{pid}/exe")).ok();
        let name = program
            .as_deref()
            .and_then(Path::file_name)
            .and_then(|name| name.to_str());
        at_home && name.is_some_and(|name| PROGRAMS.contains(&name))
    };
    running().into_keys().filter(is_ours).collect()
}

/// Ends what was left behind in a service's folder: waits a little for it to end by itself, then kills.
/// Gives the number of processes that were there and had to be killed.
pub(super) fn clear_leftovers(home: &Path) -> Result<usize> {
    let home = home.canonicalize().unwrap_or_else(|_| home.to_path_buf());
    // The children of a killed postmaster notice and go; give them the time.
    if gone(Duration::from_secs(2), || leftovers(&home).is_empty()) {
        return Ok(0);
    }
    let stubborn = leftovers(&home);
    for pid in &stubborn {
        match kill(Pid::from_raw(*pid), Signal::SIGKILL) {
            Ok(()) | Err(nix::errno::Errno::ESRCH) => {}
            Err(error) => bail!("process {pid} in {} cannot be stopped: {error}", home.display()),
        }
    }
    if !gone(Duration::from_secs(5), || leftovers(&home).is_empty()) {
        bail!("processes in {} do not end", home.display());
    }
    Ok(stubborn.len())
}

/// Memory of a process and everything below it, in bytes: the proportional share where the kernel tells it, so that
/// pages which PostgreSQL's processes share are counted once; else the resident size.
pub(super) fn memory(pid: i32) -> u64 {
    let all = running();
    let mut family = vec![pid];
    let mut next = 0;
    while let Some(parent) = family.get(next).copied() {
        family.extend(
            all.iter()
                .filter(|(_, stat)| stat.parent == parent)
                .map(|(pid, _)| *pid),
        );
        next += 1;
    }
    family.into_iter().map(|pid| memory_of(pid).unwrap_or(0)).sum()
}

fn memory_of(pid: i32) -> Option<u64> {
    let (file, name) = match fs::read_to_string(format!("/proc/{pid}/smaps_rollup")) {
        Ok(text) => (text, "Pss:"),
        Err(_) => (fs::read_to_string(format!("/proc/{pid}/status")).ok()?, "VmRSS:"),
    };
    let line = file.lines().find(|line| line.starts_with(name))?;
    line.split_whitespace()
        .nth(1)?
        .parse::<u64>()
        .ok()
        .map(|kib| kib * 1024)
}

/// The last lines of a log, for the message of a server that did not come up.
pub(super) fn tail(log: &Path, lines: usize) -> String {
    let text = fs::read(log)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default();
    let all: Vec<&str> = text.lines().collect();
    let last = &all[all.len().saturating_sub(lines)..];
    last.iter()
        .map(|line| format!("  | {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stat_lines_with_awkward_names() {
        let rest = "7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 987654 1000 50";
        for name in ["redis-server", "a b", "x) S 99 (y", ")"] {
            let parsed = Stat::parse(&format!("42 ({name}) S 1 {rest}")).unwrap();
            assert_eq!(
                parsed,
                Stat {
                    state: 'S',
                    parent: 1,
                    started: 987_654
                },
                "{name}"
            );
        }
        for broken in ["", "42 (x", "42 (x) S 1 2 3"] {
            assert_eq!(Stat::parse(broken), None, "{broken}");
        }
    }

    fn sleeper(folder: &Path) -> (Child, Record) {
        let launch = Launch {
            prefix: Vec::new(),
            program: "sleep".into(),
            arguments: vec!["60".to_owned()],
            environment: Vec::new(),
            home: folder.to_path_buf(),
            log: folder.join("sleep.log"),
            fingerprint: "f".to_owned(),
        };
        let child = launch.start(&folder.join("sleep.json")).unwrap();
        (child, Record::alive(&folder.join("sleep.json")).unwrap())
    }

    #[test]
    fn a_started_process_is_recorded_and_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let (mut child, record) = sleeper(folder.path());
        assert!(record.is_alive());
        assert!(record.stop(&[(Signal::SIGTERM, Duration::from_secs(5))]).unwrap());
        assert!(!record.is_alive(), "a zombie does not count as running");
        child.wait().unwrap();
        assert_eq!(Record::alive(&folder.path().join("sleep.json")), None);
    }

    #[test]
    fn a_recycled_id_is_not_ours() {
        let folder = tempfile::tempdir().unwrap();
        let (mut child, record) = sleeper(folder.path());
        let others = [
            Record {
                started: record.started + 1,
                ..record.clone()
            },
            Record {
                boot: "another boot".to_owned(),
                ..record.clone()
            },
        ];
        for other in others {
            assert!(!other.is_alive());
            assert!(other.stop(&[(Signal::SIGKILL, Duration::ZERO)]).unwrap());
        }
        assert!(record.is_alive(), "nobody was hit");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn a_record_that_is_no_record_counts_as_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x.json");
        for text in ["", "12345", "{\"pid\":\"a\"}", "{\"pid\":1}"] {
            fs::write(&file, text).unwrap();
            assert_eq!(Record::alive(&file), None, "{text}");
        }
        assert_eq!(Record::alive(&folder.path().join("none.json")), None);
    }
}
