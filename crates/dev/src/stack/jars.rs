//! Kafka, Connect and Debezium as jars: resolved once by Maven from `pom.xml` into the user's cache, then shared by
//! every stack and usable offline.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use color_eyre::eyre::{Result, WrapErr, bail, eyre};
use sha2::{Digest, Sha256};

use super::prerequisites::Java;
use super::settings::hex;
use super::state::{make_folder, scratch};

/// The pinned versions.
const POM: &str = include_str!("../../pom.xml");
/// Written last: a folder without it is not complete.
const STAMP: &str = "complete";

/// The folder with the jars.
#[derive(Debug, Clone)]
pub(super) struct Jars {
    folder: PathBuf,
}

impl Jars {
    /// In the folder given, else in the user's cache under a name that changes with the versions.
    pub(super) fn locate(given: Option<&Path>) -> Result<Self> {
        if let Some(folder) = given {
            let folder = std::path::absolute(folder).wrap_err("the folder for the jars is not usable")?;
            return Ok(Self { folder });
        }
        let cache = env::var_os("XDG_CACHE_HOME")
            .filter(|folder| !folder.is_empty())
            .map(PathBuf::from);
        let home = || {
            env::var_os("HOME")
                .filter(|folder| !folder.is_empty())
                .map(|home| Path::new(&home).join(".cache"))
        };
        let cache = cache.or_else(home).ok_or_else(|| {
            eyre!("neither HOME nor XDG_CACHE_HOME is set: name a folder for the jars with --jars")
        })?;
        let digest = hex(&Sha256::digest(POM.as_bytes()));
        Ok(Self {
            folder: cache.join("instashop").join(format!("jars-{}", &digest[..12])),
        })
    }

    /// True when nothing has to be fetched.
    pub(super) fn is_complete(&self) -> bool {
        self.folder.join(STAMP).is_file()
    }

    /// The folder, for messages.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Connect's `plugin.path`.
    pub(super) fn plugins(&self) -> PathBuf {
        self.folder.join("plugins")
    }

    /// Fetches everything. Done beside the final folder and moved there whole, so that an interrupted run leaves
    /// nothing that looks complete, and two runs at once do not mix.
    pub(super) fn fetch(&self, maven: &Path) -> Result<()> {
        let place = self
            .folder
            .parent()
            .ok_or_else(|| eyre!("{} is no folder", self.folder.display()))?;
        let name = self
            .folder
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let fresh = scratch(place, &name);
        make_folder(&fresh, 0o755)?;
        fs::write(fresh.join("pom.xml"), POM)
            .wrap_err_with(|| format!("{} cannot be written", fresh.display()))?;
        let output = Command::new(maven)
            .args(["--batch-mode", "--quiet", "package"])
            .current_dir(&fresh)
            .stdin(Stdio::null())
            .output()
            .wrap_err("Maven cannot be started")?;
        let complete = output.status.success() && connector_is_in(&fresh.join("plugins"));
        if !complete {
            let said = [output.stdout, output.stderr].concat();
            let said = String::from_utf8_lossy(&said).into_owned();
            let first: Vec<&str> = said
                .lines()
                .filter(|line| line.contains("ERROR"))
                .take(4)
                .collect();
            // Only a partial download; the next run makes a new one.
            let _ = fs::remove_dir_all(&fresh);
            bail!(
                "Maven could not fetch Kafka and Debezium (is the network there?); nothing was changed, run this again\n{}",
                first.join("\n")
            );
        }
        fs::write(fresh.join(STAMP), "").wrap_err("the jars cannot be marked complete")?;
        if self.is_complete() {
            return fs::remove_dir_all(&fresh).wrap_err("the second copy of the jars cannot be removed");
        }
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder)
                .wrap_err_with(|| format!("the incomplete {} cannot be removed", self.folder.display()))?;
        }
        fs::rename(&fresh, &self.folder).wrap_err_with(|| format!("{} cannot be made", self.folder.display()))
    }

    /// The class path of the servers. Sorted, because an archive of classes is valid only for the same list in the
    /// same order.
    pub(super) fn class_path(&self) -> Result<String> {
        let libs = self.folder.join("libs");
        let read = fs::read_dir(&libs).wrap_err_with(|| format!("{} cannot be read", libs.display()))?;
        let mut jars: Vec<String> = read
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|extension| extension == "jar"))
            .map(|path| path.to_string_lossy().into_owned())
            .collect();
        if jars.is_empty() {
            bail!(
                "{} holds no jars: remove {} and run `stack up` again",
                libs.display(),
                self.folder.display()
            );
        }
        jars.sort_unstable();
        Ok(jars.join(":"))
    }

    /// Where the archive of loaded classes of a server lies; another Java makes another one.
    pub(super) fn archive(&self, server: &str, java: &Java) -> PathBuf {
        let digest = hex(&Sha256::digest(format!(
            "{} {}",
            java.program.display(),
            java.version
        )));
        self.folder.join(format!("{server}-{}.jsa", &digest[..8]))
    }
}

fn connector_is_in(plugins: &Path) -> bool {
    let connector = plugins.join("debezium-connector-postgres");
    fs::read_dir(connector).is_ok_and(|mut folder| {
        folder.any(|entry| {
            entry.is_ok_and(|entry| {
                entry
                    .file_name()
                    .to_string_lossy()
                    .starts_with("debezium-connector-postgres")
            })
        })
    })
}

/// A version from the properties of `pom.xml`.
pub(super) fn pinned(property: &str) -> &'static str {
    let (open, close) = (format!("<{property}>"), format!("</{property}>"));
    let value = POM
        .split_once(&open)
        .and_then(|(_, rest)| rest.split_once(&close));
    value.map_or("", |(value, _)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_the_pom() {
        assert_eq!(pinned("kafka.version"), "4.3.1");
        assert_eq!(pinned("debezium.version"), "3.7.0.Final");
        assert_eq!(pinned("nothing"), "");
    }

    #[test]
    fn a_folder_without_its_stamp_is_not_complete() {
        let folder = tempfile::tempdir().unwrap();
        let jars = Jars::locate(Some(folder.path())).unwrap();
        assert!(!jars.is_complete());
        let error = jars.class_path().unwrap_err().to_string();
        assert!(error.contains("libs"), "{error}");
        fs::write(folder.path().join(STAMP), "").unwrap();
        assert!(jars.is_complete());
    }
}
