//! Log files of background workers: turned over by size, shown, followed.
//!
//! Workers append, the supervisor turns over by copying and then emptying the file, so that a worker need not be told and
//! goes on logging even when the supervisor is gone. A line written between the two is lost; the numbers are not in logs.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use color_eyre::eyre::{Result, WrapErr};

use crate::cli::exit::{Exit, Failure};
use crate::cli::output;

/// Size at which a log is turned over, bytes.
const TURN_OVER: u64 = 10 * 1024 * 1024;

/// Older logs that are kept, `.1` being the youngest.
const KEPT: u32 = 3;

/// Bytes at the end of a file that are searched for the last lines.
const TAIL: u64 = 1024 * 1024;

/// How often a followed log is looked at.
const POLL: Duration = Duration::from_millis(250);

/// A log with the name it is shown under.
#[derive(Debug, Clone)]
pub struct Log {
    name: String,
    path: PathBuf,
}

/// Opens a log for appending, readable by its owner alone.
pub fn open(path: &Path) -> Result<File> {
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path);
    file.wrap_err_with(|| format!("{} cannot be opened", path.display()))
}

/// Turns a log over if it is longer than the limit.
pub fn turn_over(path: &Path) -> io::Result<()> {
    turn_over_at(path, TURN_OVER)
}

fn turn_over_at(path: &Path, limit: u64) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|file| file.len() <= limit) {
        return Ok(());
    }
    let numbered = |number: u32| PathBuf::from(format!("{}.{number}", path.display()));
    for number in (1..KEPT).rev() {
        if numbered(number).exists() {
            fs::rename(numbered(number), numbered(number + 1))?;
        }
    }
    fs::copy(path, numbered(1))?;
    OpenOptions::new().write(true).open(path)?.set_len(0)
}

/// The logs in a folder: all, or the one asked for.
pub fn find(folder: &Path, wanted: Option<&str>) -> Result<Vec<Log>> {
    let mut logs: Vec<Log> = fs::read_dir(folder)
        .map(|entries| {
            let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
            paths
                .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
                .filter_map(|path| {
                    Some(Log {
                        name: path.file_stem()?.to_str()?.to_owned(),
                        path,
                    })
                })
                .collect()
        })
        .unwrap_or_default();
    logs.sort_by(|a, b| a.name.cmp(&b.name));
    let known: Vec<String> = logs.iter().map(|log| log.name.clone()).collect();
    if let Some(wanted) = wanted {
        logs.retain(|log| log.name == wanted);
    }
    if !logs.is_empty() {
        return Ok(logs);
    }
    let what = wanted.map_or_else(
        || format!("there are no logs in {}", folder.display()),
        |name| format!("there is no log of {name:?}"),
    );
    let hint = if known.is_empty() {
        "start the workers with instashop up".into()
    } else {
        format!("known are {}", known.join(", "))
    };
    Err(Failure::new(Exit::No, what).hint(hint).into())
}

/// The last lines of a log, without control characters.
pub fn last_lines(path: &Path, count: usize) -> Vec<String> {
    let read = || -> io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..]
        .iter()
        .map(|line| output::clean(line))
        .collect()
}

/// Prints the last lines of each log.
pub(super) fn show(logs: &[Log], count: usize) -> Result<()> {
    for log in logs {
        let mut text = String::new();
        for line in last_lines(&log.path, count) {
            text.push_str(&prefixed(logs, log, &line));
        }
        output::print(&text)?;
    }
    Ok(())
}

fn prefixed(logs: &[Log], log: &Log, line: &str) -> String {
    if logs.len() == 1 {
        return format!("{line}\n");
    }
    let width = logs.iter().map(|log| log.name.len()).max().unwrap_or(0);
    format!("{:width$} | {line}\n", log.name)
}

/// Prints lines as they come, until the process is interrupted.
pub(super) async fn follow(logs: &[Log]) -> Result<()> {
    let mut positions: Vec<u64> = logs
        .iter()
        .map(|log| fs::metadata(&log.path).map_or(0, |file| file.len()))
        .collect();
    let mut rests: Vec<Vec<u8>> = vec![Vec::new(); logs.len()];
    loop {
        tokio::time::sleep(POLL).await;
        for ((log, position), rest) in logs.iter().zip(&mut positions).zip(&mut rests) {
            rest.extend(read_from(&log.path, position));
            while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = rest.drain(..=end).collect();
                output::print(&prefixed(
                    logs,
                    log,
                    &output::clean(String::from_utf8_lossy(&line).trim_end()),
                ))?;
            }
        }
    }
}

/// New bytes behind the position, which moves along; a file that became shorter was turned over and is read anew.
fn read_from(path: &Path, position: &mut u64) -> Vec<u8> {
    let mut read = || -> io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        if file.metadata()?.len() < *position {
            *position = 0;
        }
        file.seek(SeekFrom::Start(*position))?;
        let mut bytes = Vec::new();
        file.take(TAIL).read_to_end(&mut bytes)?;
        *position += bytes.len() as u64;
        Ok(bytes)
    };
    read().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_log_is_turned_over_and_the_oldest_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("live-1.log");
        let mut writer = open(&path).unwrap();
        for round in 0..6 {
            io::Write::write_all(&mut writer, format!("round {round}\n").as_bytes()).unwrap();
            turn_over_at(&path, 3).unwrap();
        }
        io::Write::write_all(&mut writer, b"end\n").unwrap();
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            "end\n",
            "the writer goes on at the beginning of the emptied file"
        );
        let numbered = |number: u32| fs::read_to_string(folder.path().join(format!("live-1.log.{number}")));
        assert_eq!(numbered(1).unwrap(), "round 5\n");
        assert_eq!(numbered(3).unwrap(), "round 3\n");
        assert!(numbered(4).is_err());
    }

    #[test]
    fn a_follower_notices_that_a_log_was_turned_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.log");
        fs::write(&path, "one\ntwo\n").unwrap();
        let mut position = 4;
        assert_eq!(read_from(&path, &mut position), b"two\n");
        fs::write(&path, "new\n").unwrap();
        assert_eq!(read_from(&path, &mut position), b"new\n");
        assert_eq!(last_lines(&path, 5), ["new"]);
        assert_eq!(last_lines(&folder.path().join("none"), 5), Vec::<String>::new());
    }

    #[test]
    fn an_unknown_log_names_the_known_ones() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("live-1.log"), "").unwrap();
        let error = find(folder.path(), Some("lvie-1")).unwrap_err();
        let failure = error.downcast_ref::<Failure>().unwrap();
        assert_eq!(
            (failure.exit(), failure.advice()),
            (Exit::No, Some("known are live-1"))
        );
        assert_eq!(find(folder.path(), None).unwrap().len(), 1);
    }
}
