//! What processes take, from `/proc`: processor time, memory, bytes written.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use color_eyre::eyre::{Result, WrapErr, eyre};
use nix::unistd::{Pid, SysconfVar, sysconf};

/// Processor time of a process and of everything it started, also of what has ended and was waited for.
pub(super) fn cpu(root: Pid) -> Result<Duration> {
    let ticks_a_second = sysconf(SysconfVar::CLK_TCK)
        .ok()
        .flatten()
        .and_then(|ticks| u64::try_from(ticks).ok())
        .ok_or_else(|| eyre!("the system does not say how long its ticks are"))?;
    let stats = stats(Path::new("/proc"))?;
    let ticks = of_tree(&stats, root.as_raw());
    Ok(Duration::from_millis(ticks * 1000 / ticks_a_second.max(1)))
}

/// Highest resident memory of a process so far, in bytes.
pub(super) fn peak_memory(pid: Pid) -> Result<u64> {
    let path = format!("/proc/{pid}/status");
    let status = fs::read_to_string(&path).wrap_err_with(|| format!("{path} cannot be read"))?;
    number_after(&status, "VmHWM:")
        .map(|kib| kib * 1024)
        .ok_or_else(|| eyre!("{path} says nothing of the highest memory"))
}

/// Bytes a process has handed to the disks so far, with its children that have ended.
pub(super) fn written(pid: Pid) -> Result<u64> {
    let path = format!("/proc/{pid}/io");
    let io = fs::read_to_string(&path).wrap_err_with(|| format!("{path} cannot be read"))?;
    number_after(&io, "write_bytes:").ok_or_else(|| eyre!("{path} says nothing of bytes written"))
}

/// What the machine is: processor, cores, memory in bytes.
pub(super) fn machine() -> (String, usize, u64) {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split(':').nth(1))
        .map_or_else(String::new, |model| model.trim().to_owned());
    let cores = std::thread::available_parallelism().map_or(0, Into::into);
    let meminfo = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    (
        model,
        cores,
        number_after(&meminfo, "MemTotal:").unwrap_or(0) * 1024,
    )
}

/// Mean number of processes that wanted to run in the last minute.
pub(super) fn load() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ')
        .next()
        .and_then(|one| one.parse().ok())
        .unwrap_or(0.0)
}

fn number_after(text: &str, label: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(label))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// Parent and ticks of a process: its own, and those of children that were waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stat {
    parent: i32,
    ticks: u64,
}

/// Reads a line of `/proc/<pid>/stat`; the name in brackets may hold anything.
fn stat(line: &str) -> Option<Stat> {
    let rest = line.rsplit_once(')')?.1;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    // Counted from the state, which is field 3: parent is field 4; utime, stime, cutime, cstime are 14 to 17.
    let ticks = fields
        .get(11..15)?
        .iter()
        .map(|text| text.parse::<u64>().ok())
        .sum::<Option<u64>>()?;
    Some(Stat {
        parent: fields.get(1)?.parse().ok()?,
        ticks,
    })
}

fn stats(proc: &Path) -> Result<BTreeMap<i32, Stat>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(proc).wrap_err("/proc cannot be read")?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        // A process may end while it is looked at.
        if let Some(stat) = fs::read_to_string(entry.path().join("stat"))
            .ok()
            .and_then(|line| stat(&line))
        {
            found.insert(pid, stat);
        }
    }
    Ok(found)
}

fn of_tree(stats: &BTreeMap<i32, Stat>, root: i32) -> u64 {
    let own = stats.get(&root).map_or(0, |stat| stat.ticks);
    let children = stats.iter().filter(|(_, stat)| stat.parent == root);
    own + children.map(|(pid, _)| of_tree(stats, *pid)).sum::<u64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_blanks_and_brackets_does_not_move_the_fields() {
        let line = "77 (a) b (c) S 5 77 77 0 -1 4194560 1 2 3 4 100 20 3 4 20 0 1 0 12 0";
        assert_eq!(
            stat(line),
            Some(Stat {
                parent: 5,
                ticks: 127
            })
        );
        assert_eq!(stat("77 (x) S 5"), None);
    }

    #[test]
    fn a_tree_is_the_sum_of_its_processes() {
        let stat = |parent, ticks| Stat { parent, ticks };
        let stats = BTreeMap::from([
            (1, stat(0, 1)),
            (2, stat(1, 10)),
            (3, stat(2, 100)),
            (4, stat(0, 1000)),
        ]);
        assert_eq!(of_tree(&stats, 1), 111);
        assert_eq!(of_tree(&stats, 9), 0);
    }

    #[test]
    fn this_process_takes_something() {
        let own = Pid::this();
        assert!(peak_memory(own).unwrap() > 100_000);
        let before = cpu(own).unwrap();
        let mut sum = 0_u64;
        while cpu(own).unwrap() <= before {
            sum = std::hint::black_box(sum + 1);
        }
    }
}
