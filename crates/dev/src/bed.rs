//! The servers and programs of a run: a stack of its own on its own ports. Faults are played on one, and benchmarks are
//! measured on one.
//!
//! * `fleet` starts, freezes, kills and awaits workers.
//! * `sql` speaks to the databases as their owners.

pub(crate) mod fleet;
pub(crate) mod sql;

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use color_eyre::eyre::{Result, WrapErr, bail, eyre};
use instashop_core::config::Config;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// What a program gave.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A stack, and the programs under test.
#[derive(Debug)]
pub(crate) struct Bed {
    programs: PathBuf,
    data: PathBuf,
    port_offset: String,
    brokers: u8,
    /// Prefix of the logs of programs in the background.
    purpose: &'static str,
}

impl Bed {
    /// A bed in a folder. `purpose` is what it is there for, in one word.
    pub(crate) fn new(
        data: PathBuf,
        port_offset: String,
        brokers: u8,
        purpose: &'static str,
    ) -> Result<Self> {
        let own = std::env::current_exe().wrap_err("cannot find this program's own path")?;
        let programs = own
            .parent()
            .ok_or_else(|| eyre!("{} has no folder", own.display()))?
            .to_path_buf();
        for name in ["instashop", "instashop-dev"] {
            if !programs.join(name).is_file() {
                bail!(
                    "{name} is not built beside {}; run `cargo build --release --workspace --bins` first",
                    own.display()
                );
            }
        }
        Ok(Self {
            programs,
            data,
            port_offset,
            brokers,
            purpose,
        })
    }

    /// The usual folder of a bed: `target/<name>`, or one that the user who runs PostgreSQL can enter.
    pub(crate) fn usual_folder(name: &str) -> PathBuf {
        let above = if nix::unistd::Uid::effective().is_root() {
            "/var/tmp"
        } else {
            "target"
        };
        Path::new(above).join(name)
    }

    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// A program of the product that sees the bed.
    pub(crate) fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command
            .args(arguments)
            .env("INSTASHOP_CONFIG", self.data.join("instashop.toml"))
            .env("INSTASHOP_STACK_DATA", &self.data)
            .env("INSTASHOP_STACK_PORT_OFFSET", &self.port_offset)
            .env("INSTASHOP_STACK_BROKERS", self.brokers.to_string())
            .env_remove("RUST_LOG")
            .env_remove("RUST_BACKTRACE")
            .stdin(Stdio::null());
        command
    }

    /// Runs a program to its end, whatever its exit code.
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> Result<Ran> {
        let output: Output = self
            .command(program, arguments)
            .output()
            .wrap_err_with(|| format!("cannot start {program}"))?;
        Ok(Ran {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Runs a program to its end; it must be good.
    pub(crate) fn good(&self, program: &str, arguments: &[&str]) -> Result<String> {
        let ran = self.run(program, arguments)?;
        if ran.code != 0 {
            bail!(
                "{program} {} ended with {}\n{}{}",
                arguments.join(" "),
                ran.code,
                ran.out,
                ran.err
            );
        }
        Ok(ran.out)
    }

    /// Starts a program in the background, its output going to a log of the bed.
    pub(crate) fn spawn(&self, mut command: Command, log: &str) -> Result<Child> {
        let log = self.log(log)?;
        let errors = log.try_clone().wrap_err("a log cannot be used twice")?;
        command
            .stdout(log)
            .stderr(errors)
            .spawn()
            .wrap_err("cannot start a program of the bed")
    }

    fn log(&self, name: &str) -> Result<File> {
        let folder = self.data.join("logs");
        let file = folder.join(format!("{}-{name}.log", self.purpose));
        OpenOptions::new()
            .create(true)
            .append(true)
            .open(&file)
            .wrap_err_with(|| format!("log {} cannot be opened", file.display()))
    }

    /// Servers up, a shop with history in the sources, capture set up. Each step finds out what is left to do.
    /// `history` is what `instashop-dev simulate history` is told.
    pub(crate) fn prepare(&self, history: &[&str]) -> Result<()> {
        self.up(&[])?;
        self.good("instashop-dev", &[&["simulate", "history"], history].concat())?;
        self.good("instashop", &["setup"])?;
        Ok(())
    }

    /// Starts servers that are down; all when none is named.
    pub(crate) fn up(&self, only: &[&str]) -> Result<()> {
        self.stack("up", only)
    }

    /// Stops servers in good order; all when none is named.
    pub(crate) fn down(&self, only: &[&str]) -> Result<()> {
        self.stack("down", only)
    }

    pub(crate) fn remove(&self) -> Result<()> {
        self.good("instashop-dev", &["stack", "down", "--remove-data"])?;
        Ok(())
    }

    fn stack(&self, action: &str, only: &[&str]) -> Result<()> {
        let names = only.join(",");
        let mut arguments = vec!["stack", action];
        if !only.is_empty() {
            arguments.extend(["--only", &names]);
        }
        self.good("instashop-dev", &arguments)?;
        Ok(())
    }

    pub(crate) fn config(&self) -> Result<Config> {
        let file = self.data.join("instashop.toml");
        let text =
            std::fs::read_to_string(&file).wrap_err_with(|| format!("{} cannot be read", file.display()))?;
        let mut config: Config = toml::from_str(&text).wrap_err("the bed's configuration is not valid")?;
        config.sources.complete();
        Ok(config)
    }

    /// Process id of a server.
    pub(crate) fn pid(&self, service: &str) -> Result<Pid> {
        // The exit code says whether all servers are up, which is not asked here.
        let status = self.run("instashop-dev", &["stack", "status", "--format", "json"])?;
        let status: serde_json::Value =
            serde_json::from_str(&status.out).wrap_err("the status of the stack is not JSON")?;
        let services = status["services"].as_array().into_iter().flatten();
        let found = services
            .filter(|entry| entry["service"] == service)
            .find_map(|entry| entry["pid"].as_i64());
        found
            .and_then(|pid| i32::try_from(pid).ok())
            .map(Pid::from_raw)
            .ok_or_else(|| eyre!("{service} does not run"))
    }

    /// Kills a server with -9 and waits until it is gone; for PostgreSQL the postmaster, whose children end themselves.
    pub(crate) fn kill(&self, service: &str) -> Result<()> {
        self.end(service, Signal::SIGKILL)
    }

    /// Ends a server by a signal and waits until it is gone.
    pub(crate) fn end(&self, service: &str, signal: Signal) -> Result<()> {
        let pid = self.pid(service)?;
        kill(pid, signal).wrap_err_with(|| format!("{service} takes no {signal}"))?;
        let stat = format!("/proc/{pid}/stat");
        eventually(&format!("{service} is gone"), Duration::from_secs(20), || {
            // A process that nobody has waited for yet holds nothing any more.
            let stat = std::fs::read_to_string(&stat).unwrap_or_default();
            let state = stat.rsplit(')').next().unwrap_or_default().trim();
            Ok(state.is_empty() || state.starts_with('Z'))
        })
    }

    pub(crate) fn signal(&self, service: &str, signal: Signal) -> Result<()> {
        let pid = self.pid(service)?;
        kill(pid, signal).wrap_err_with(|| format!("{service} takes no {signal}"))
    }

    /// Asks Redis something as its administrator.
    pub(crate) fn redis(&self, words: &[&str]) -> Result<String> {
        let config = self.config()?;
        let output = Command::new("redis-cli")
            .args(["-h", &config.redis.host, "-p", &config.redis.port.to_string()])
            .args(["--user", &config.redis.admin_user])
            .args(words)
            .env("REDISCLI_AUTH", config.redis.admin_password.reveal())
            .stderr(Stdio::null())
            .output()
            .wrap_err("cannot start redis-cli")?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    /// Calls Connect's REST interface; gives the body of a good answer.
    pub(crate) fn connect(&self, method: &str, path: &str) -> Result<String> {
        let url = format!("{}{path}", self.config()?.connect.url);
        let output = Command::new("curl")
            .args(["-sS", "--fail-with-body", "-m", "60", "-X", method, &url])
            .output()
            .wrap_err("cannot start curl")?;
        if !output.status.success() {
            bail!(
                "{method} {url}: {}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// Waits for a condition; an error says what did not come.
pub(crate) fn eventually(
    what: &str,
    limit: Duration,
    mut condition: impl FnMut() -> Result<bool>,
) -> Result<()> {
    let end = Instant::now() + limit;
    while !condition()? {
        if Instant::now() > end {
            bail!("not within {} s: {what}", limit.as_secs());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}
