//! A dashboard in a pseudo-terminal: its screen, the bytes it sent, its memory and processor time.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use color_eyre::eyre::{Result, WrapErr, bail};
use nix::fcntl::OFlag;
use nix::pty::{grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, SysconfVar, sysconf};

/// What the terminal got so far.
struct Seen {
    screen: vt100::Parser,
    bytes: u64,
}

/// See the module. Dropping it ends the process.
pub(super) struct Board {
    child: Child,
    keys: File,
    seen: Arc<(Mutex<Seen>, Condvar)>,
    started: Instant,
}

/// Processor time and memory of a process.
#[derive(Debug, Clone, Copy)]
pub(super) struct Usage {
    pub(super) cpu: Duration,
    pub(super) memory_kb: u64,
    at: Instant,
}

impl Usage {
    /// Of a process that runs.
    pub(super) fn of(pid: u32) -> Result<Self> {
        let read = |name: &str| {
            let file = format!("/proc/{pid}/{name}");
            std::fs::read_to_string(&file).wrap_err_with(|| format!("{file} cannot be read"))
        };
        let stat = read("stat")?;
        // After the name, which may hold anything, user and system time are fields 12 and 13.
        let fields: Vec<&str> = stat
            .rsplit_once(')')
            .map_or("", |(_, rest)| rest)
            .split_whitespace()
            .collect();
        let ticks = |index: usize| fields.get(index).and_then(|field| field.parse::<u64>().ok());
        let ticks = ticks(11).zip(ticks(12)).map_or(0, |(user, system)| user + system);
        let a_second = sysconf(SysconfVar::CLK_TCK)
            .ok()
            .flatten()
            .and_then(|ticks| u64::try_from(ticks).ok())
            .unwrap_or(100);
        let status = read("status")?;
        let memory_kb = status
            .lines()
            .find_map(|line| {
                line.strip_prefix("VmRSS:")?
                    .trim()
                    .strip_suffix("kB")?
                    .trim()
                    .parse()
                    .ok()
            })
            .unwrap_or(0);
        Ok(Self {
            cpu: Duration::from_millis(ticks * 1000 / a_second),
            memory_kb,
            at: Instant::now(),
        })
    }

    /// Share of one processor since then, percent.
    pub(super) fn percent_since(&self, then: &Self) -> f64 {
        let took = (self.at - then.at).as_secs_f64();
        (self.cpu.saturating_sub(then.cpu)).as_secs_f64() / took * 100.0
    }
}

impl Board {
    /// Starts a program in a terminal of a size.
    pub(super) fn start(program: &Command, columns: u16, rows: u16) -> Result<Self> {
        // Closed on exec: the process must not hold the other end of its own terminal open.
        let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        let master = posix_openpt(flags).wrap_err("no pseudo-terminal")?;
        grantpt(&master)
            .and_then(|()| unlockpt(&master))
            .wrap_err("no pseudo-terminal")?;
        let slave = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(OFlag::O_NOCTTY.bits())
            .open(ptsname_r(&master).wrap_err("the pseudo-terminal has no name")?)
            .wrap_err("the pseudo-terminal cannot be opened")?;
        let end = || slave.try_clone().map(Stdio::from);
        let script = format!("stty rows {rows} cols {columns}; exec \"$0\" \"$@\"");
        let mut command = Command::new("setsid");
        command
            .args(["--ctty", "sh", "-c", &script])
            .arg(program.get_program())
            .args(program.get_args());
        for (name, value) in program.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
            .env("TERM", "xterm-256color")
            .env_remove("NO_COLOR")
            .stdin(end()?)
            .stdout(end()?)
            .stderr(end()?);
        let started = Instant::now();
        let child = command.spawn().wrap_err("cannot start the dashboard")?;
        let keys = File::from(OwnedFd::from(master));
        let mut output = keys.try_clone().wrap_err("the pseudo-terminal cannot be read")?;
        let seen = Seen {
            screen: vt100::Parser::new(rows, columns, 0),
            bytes: 0,
        };
        let seen = Arc::new((Mutex::new(seen), Condvar::new()));
        let shared = Arc::clone(&seen);
        std::thread::spawn(move || {
            let mut buffer = vec![0; 65536];
            while let Ok(count @ 1..) = output.read(&mut buffer) {
                let (seen, changed) = &*shared;
                let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                seen.screen.process(&buffer[..count]);
                seen.bytes += count as u64;
                changed.notify_all();
            }
        });
        Ok(Self {
            child,
            keys,
            seen,
            started,
        })
    }

    /// Waits until the screen is as asked; gives the time since the start.
    pub(super) fn await_screen(
        &self,
        what: &str,
        limit: Duration,
        is: impl Fn(&str) -> bool,
    ) -> Result<Duration> {
        let (seen, changed) = &*self.seen;
        let until = Instant::now() + limit;
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let contents = seen.screen.screen().contents();
            if is(&contents) {
                return Ok(self.started.elapsed());
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                bail!("the dashboard does not show {what}:\n{contents}");
            }
            seen = changed
                .wait_timeout(seen, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    pub(super) fn press(&mut self, keys: &str) -> Result<()> {
        self.keys
            .write_all(keys.as_bytes())
            .wrap_err("the dashboard takes no keys")
    }

    /// Bytes it has sent.
    pub(super) fn bytes(&self) -> u64 {
        self.seen.0.lock().unwrap_or_else(PoisonError::into_inner).bytes
    }

    pub(super) fn usage(&self) -> Result<Usage> {
        Usage::of(self.child.id())
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        let pid = i32::try_from(self.child.id()).unwrap_or(0);
        let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
        let _ = self.child.wait();
    }
}
