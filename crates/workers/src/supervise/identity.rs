//! A process by pid, start time and boot: the kernel gives a pid out again, but not all three.

use std::fs;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

/// A process that is certainly the one that was meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Process id.
    pub pid: i32,
    /// Start time, in ticks since the machine booted.
    started: u64,
    /// Which boot.
    boot: String,
}

impl Identity {
    /// The process that has this pid now; `None` when there is none.
    pub fn of(pid: i32) -> Option<Self> {
        let started = start_time(pid)?;
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        Some(Self {
            pid,
            started,
            boot: boot.trim().to_owned(),
        })
    }

    /// This process.
    pub fn own() -> Option<Self> {
        Self::of(i32::try_from(std::process::id()).ok()?)
    }

    /// True while it runs; a process that ended and was not yet waited for does not run.
    pub fn alive(&self) -> bool {
        Self::of(self.pid).as_ref() == Some(self)
    }

    /// Sends a signal if it still runs. False when it does not.
    pub fn signal(&self, signal: Signal) -> Result<bool, Errno> {
        if !self.alive() {
            return Ok(false);
        }
        match kill(Pid::from_raw(self.pid), signal) {
            Ok(()) => Ok(true),
            Err(Errno::ESRCH) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// Field 22 of `/proc/PID/stat`; `None` for no process and for a zombie.
fn start_time(pid: i32) -> Option<u64> {
    parse_stat(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The second field is the program's name in parentheses and may hold anything, parentheses and blanks too.
fn parse_stat(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X" | "x") {
        return None;
    }
    fields.nth(18)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_start_time_is_found_behind_any_name_and_a_zombie_is_nobody() {
        let tail = "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 777 20";
        assert_eq!(parse_stat(&format!("42 (a) b (c) S {tail}")), Some(777));
        assert_eq!(parse_stat(&format!("42 (instashop) Z {tail}")), None);
        assert_eq!(parse_stat("42 (instashop"), None);
    }

    #[test]
    fn this_process_is_alive_and_a_namesake_is_not() {
        let own = Identity::own().unwrap();
        assert!(own.alive());
        let namesake = Identity {
            started: own.started + 1,
            ..own.clone()
        };
        assert!(!namesake.alive());
        assert_eq!(
            namesake.signal(Signal::SIGKILL),
            Ok(false),
            "a recycled pid is never killed"
        );
        let before_reboot = Identity {
            boot: "another".into(),
            ..own
        };
        assert!(!before_reboot.alive());
    }

    #[test]
    fn a_child_that_ended_is_not_alive_even_before_it_is_waited_for() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let identity = Identity::of(i32::try_from(child.id()).unwrap());
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while identity.as_ref().is_some_and(Identity::alive) && std::time::Instant::now() < deadline {
            std::thread::yield_now();
        }
        assert!(!identity.is_some_and(|identity| identity.alive()));
        child.wait().unwrap();
    }
}
