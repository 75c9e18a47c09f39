//! The state folder: who holds it, and what its file says is running.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use color_eyre::eyre::{Result, WrapErr};
use serde::{Deserialize, Serialize};

use super::Counts;
use super::identity::Identity;
use crate::flow::Flow;

/// A command of `instashop` that runs in the background.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Program {
    /// `instashop live`
    Live,
    /// `instashop warehouse`
    Warehouse,
    /// `instashop etl`
    Etl,
}

impl Program {
    /// The command.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Live => Flow::Live.name(),
            Self::Warehouse => Flow::Warehouse.name(),
            Self::Etl => "etl",
        }
    }
}

/// A worker in the background.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worker {
    /// `live-1`; also the name of its log.
    pub name: String,
    /// What it runs.
    #[serde(alias = "flow")]
    pub program: Program,
    /// Its process; `None` between an end and the next start.
    pub process: Option<Identity>,
    /// When it was last started.
    pub started_at: Option<DateTime<Utc>>,
    /// How often it was started again.
    pub restarts: u32,
    /// How it last ended.
    pub last_end: Option<String>,
}

/// Everything that another command must know.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Record {
    /// The process that stays.
    pub supervisor: Option<Identity>,
    /// The workers.
    pub workers: Vec<Worker>,
}

impl Record {
    /// A record of workers that are not started yet.
    pub fn planned(counts: Counts) -> Self {
        let worker = |program: Program, number: u16| Worker {
            name: format!("{}-{number}", program.name()),
            program,
            process: None,
            started_at: None,
            restarts: 0,
            last_end: None,
        };
        let live = (1..=counts.live).map(|number| worker(Program::Live, number));
        let warehouse = (1..=counts.warehouse).map(|number| worker(Program::Warehouse, number));
        let etl = (1..=counts.etl).map(|number| worker(Program::Etl, number));
        Self {
            supervisor: Identity::own(),
            workers: live.chain(warehouse).chain(etl).collect(),
        }
    }

    /// How many workers of each kind.
    pub fn counts(&self) -> Counts {
        let count = |program| {
            self.workers
                .iter()
                .filter(|worker| worker.program == program)
                .count() as u16
        };
        Counts {
            live: count(Program::Live),
            warehouse: count(Program::Warehouse),
            etl: count(Program::Etl),
        }
    }

    /// Processes that still run: the supervisor, then the workers.
    pub fn alive(&self) -> Vec<Identity> {
        let workers = self.workers.iter().filter_map(|worker| worker.process.as_ref());
        self.supervisor
            .iter()
            .chain(workers)
            .filter(|process| process.alive())
            .cloned()
            .collect()
    }

    /// Reads the record; `None` when nothing was started, or nothing is known about it.
    pub fn read(folder: &Folder) -> Result<Option<Self>> {
        let path = folder.record();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).wrap_err_with(|| format!("{} cannot be read", path.display())),
        };
        let record = serde_json::from_str(&text);
        Ok(Some(record.wrap_err_with(|| {
            format!(
                "{} is damaged; end the workers by hand and remove it",
                path.display()
            )
        })?))
    }

    /// Writes the record in one step.
    pub fn write(&self, folder: &Folder) -> Result<()> {
        let path = folder.record();
        let beside = path.with_extension("new");
        let text = serde_json::to_string_pretty(self).wrap_err("the state cannot be written as JSON")?;
        let written = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&beside)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .and_then(|()| fs::rename(&beside, &path));
        written.wrap_err_with(|| format!("{} cannot be written", path.display()))
    }
}

/// The state folder.
#[derive(Debug, Clone)]
pub struct Folder {
    path: PathBuf,
}

impl Folder {
    /// A folder by its absolute path; it need not exist.
    pub const fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder of the logs.
    pub fn logs(&self) -> PathBuf {
        self.path.join("logs")
    }

    /// The log of a worker or of the supervisor.
    pub fn log(&self, name: &str) -> PathBuf {
        self.logs().join(format!("{name}.log"))
    }

    fn record(&self) -> PathBuf {
        self.path.join("workers.json")
    }

    /// Makes the folder, for its owner alone.
    pub fn make(&self) -> Result<()> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(self.logs());
        made.wrap_err_with(|| {
            format!(
                "{} cannot be made; give another folder with --state-dir",
                self.logs().display()
            )
        })
    }

    /// Takes the folder for this process until the file is dropped; `None` when another process has it.
    pub fn hold(&self) -> Result<Option<File>> {
        let path = self.path.join("lock");
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path);
        let file = file.wrap_err_with(|| format!("{} cannot be opened", path.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => {
                Err(error).wrap_err_with(|| format!("{} cannot be locked", path.display()))
            }
        }
    }

    /// True while the folder is the one that was taken with [`Folder::hold`], and not gone or made anew.
    pub fn is_still(&self, held: &File) -> bool {
        let here = fs::metadata(self.path.join("lock"));
        here.is_ok_and(|here| {
            held.metadata()
                .is_ok_and(|ours| (ours.dev(), ours.ino()) == (here.dev(), here.ino()))
        })
    }

    /// True when a supervisor holds the folder.
    pub fn is_held(&self) -> Result<bool> {
        Ok(self.path.is_dir() && self.hold()?.is_none())
    }

    /// Forgets what ran.
    pub fn forget(&self) -> Result<()> {
        match fs::remove_file(self.record()) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).wrap_err_with(|| format!("{} cannot be removed", self.record().display()))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_made_anew_is_not_the_one_that_was_taken() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::new(place.path().join("workers"));
        folder.make().unwrap();
        let held = folder.hold().unwrap().unwrap();
        assert!(folder.is_still(&held));
        fs::remove_dir_all(folder.path()).unwrap();
        assert!(!folder.is_still(&held));
        folder.make().unwrap();
        let other = folder.hold().unwrap().unwrap();
        assert!(!folder.is_still(&held));
        assert!(folder.is_still(&other));
    }

    #[test]
    fn a_record_survives_writing_and_reading() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Folder::new(folder.path().join("run"));
        folder.make().unwrap();
        assert_eq!(Record::read(&folder).unwrap(), None);
        let record = Record::planned(Counts {
            live: 1,
            warehouse: 2,
            etl: 1,
        });
        assert_eq!(
            record
                .workers
                .iter()
                .map(|worker| worker.name.as_str())
                .collect::<Vec<_>>(),
            ["live-1", "warehouse-1", "warehouse-2", "etl-1"]
        );
        record.write(&folder).unwrap();
        assert_eq!(Record::read(&folder).unwrap(), Some(record.clone()));
        assert_eq!(
            record.counts(),
            Counts {
                live: 1,
                warehouse: 2,
                etl: 1
            }
        );
        assert_eq!(record.alive().len(), 1, "this process stands for the supervisor");
        folder.forget().unwrap();
        folder.forget().unwrap();
        assert_eq!(Record::read(&folder).unwrap(), None);
    }

    #[test]
    fn one_process_holds_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Folder::new(folder.path().into());
        let held = folder.hold().unwrap();
        assert!(held.is_some());
        assert!(folder.is_held().unwrap());
        drop(held);
        assert!(!folder.is_held().unwrap());
    }
}
