//! `instashop-dev demo`: from servers that may not exist yet to a dashboard with live numbers, and back.
//!
//! The order matters: history is filled before capture is set up, so that it arrives as snapshot rows; what streams
//! in is dated by its commit, and 120 days of refunds would all be today's (docs: architecture, "Programs and
//! commands"). Every step finds out for itself what is left to do, so the command can be repeated at any time.

mod simulator;

use std::io::IsTerminal;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Output, Stdio};
use std::time::{Duration, Instant};

use clap::{Args as ClapArgs, Subcommand};
use color_eyre::eyre::{Result, WrapErr, bail, eyre};

use crate::stack::{self, Options};

/// Arguments of `instashop-dev demo`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Bring everything up and open the dashboard; without a terminal print it once
    Up(UpArgs),
    /// Stop everything and keep the data
    Stop,
    /// Stop everything and remove the data
    Clean,
}

#[derive(Debug, ClapArgs)]
struct UpArgs {
    /// Events a second of the simulated shop
    #[arg(long, default_value = "10", env = "INSTASHOP_DEMO_RATE")]
    rate: String,
    /// Days of history
    #[arg(long, default_value = "120", env = "INSTASHOP_DEMO_DAYS")]
    days: String,
    /// Do not open the dashboard, print it once
    #[arg(long)]
    print: bool,
}

/// How long the dashboard may take to show fresh numbers after the workers are up: the first snapshot of the sources is
/// read before they are complete.
const FIRST_NUMBERS: Duration = Duration::from_mins(5);

/// Runs the command.
///
/// # Errors
/// The sentence of the step that failed; the steps before it stay done.
pub fn run(args: &Args) -> Result<ExitCode> {
    let demo = Demo::new(&args.options)?;
    match &args.action {
        Action::Up(up) => demo.up(up),
        Action::Stop => demo.stop(false),
        Action::Clean => demo.stop(true),
    }
}

/// The programs and places of a demo.
struct Demo {
    /// Folder of the three programs: the one this program runs from.
    programs: PathBuf,
    /// Data folder of the stack.
    data: PathBuf,
    config: PathBuf,
}

impl Demo {
    fn new(options: &Options) -> Result<Self> {
        let own = std::env::current_exe().wrap_err("cannot find this program's own path")?;
        let programs = own
            .parent()
            .ok_or_else(|| eyre!("{} has no folder", own.display()))?
            .to_path_buf();
        let data = stack::data_folder_of(options)?;
        let config = data.join("instashop.toml");
        Ok(Self {
            programs,
            data,
            config,
        })
    }

    fn up(&self, args: &UpArgs) -> Result<ExitCode> {
        for name in ["instashop", "instashop-tui"] {
            if !self.programs.join(name).is_file() {
                bail!(
                    "{name} is not built; run `make demo`, or `cargo build --workspace --bins` before this command"
                );
            }
        }
        let begun = Instant::now();
        self.step("servers", "instashop-dev", &["stack", "up"])?;
        self.step(
            "history of the shop",
            "instashop-dev",
            &["simulate", "history", "--days", &args.days],
        )?;
        self.step("capture, topics, warehouse, users", "instashop", &["setup"])?;
        self.step("workers", "instashop", &["up"])?;
        simulator::start(
            &self.data,
            &self.programs.join("instashop-dev"),
            &self.config,
            &args.rate,
        )?;
        self.first_numbers()?;
        eprintln!("live numbers after {:.1} s", begun.elapsed().as_secs_f64());
        if args.print || !std::io::stdout().is_terminal() {
            self.step("proof: source = warehouse = Redis", "instashop", &["verify"])?;
            let board = self.board("text")?;
            print!("{}", String::from_utf8_lossy(&board.stdout));
            eprintln!("\nopen it:  {}", self.hint("instashop-tui"));
            eprintln!("prove it: {} verify", self.hint("instashop"));
            eprintln!("stop it:  make stop");
            return Ok(ExitCode::SUCCESS);
        }
        // The proof appears on the board when it is done.
        self.command("instashop", &["verify"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .wrap_err("cannot start instashop verify")?;
        let error = self.command("instashop-tui", &[]).exec();
        Err(error).wrap_err("cannot open the dashboard")
    }

    /// Prints the dashboard once.
    fn board(&self, format: &str) -> Result<Output> {
        self.command(
            "instashop-tui",
            &["--once", "--format", format, "--size", "120x40"],
        )
        .stderr(Stdio::piped())
        .output()
        .wrap_err("cannot start instashop-tui")
    }

    /// Waits until the dashboard has fresh numbers of Redis: the workers have published, and totals are built.
    fn first_numbers(&self) -> Result<()> {
        eprintln!("--> waiting for live numbers");
        let end = Instant::now() + FIRST_NUMBERS;
        let mut told = String::new();
        loop {
            let output = self.board("json")?;
            let board: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
            let state = board["sources"]["redis"]["state"]
                .as_str()
                .unwrap_or("not there yet");
            if state == "live" {
                return Ok(());
            }
            if state != told {
                eprintln!("  redis: {state}");
                state.clone_into(&mut told);
            }
            if Instant::now() > end {
                bail!(
                    "no fresh numbers within {} s; `{} status` says where it is stuck\n{}",
                    FIRST_NUMBERS.as_secs(),
                    self.hint("instashop"),
                    String::from_utf8_lossy(&output.stderr).trim()
                );
            }
            std::thread::sleep(Duration::from_millis(500));
        }
    }

    fn stop(&self, clean: bool) -> Result<ExitCode> {
        simulator::stop(&self.data)?;
        if self.config.is_file() && self.programs.join("instashop").is_file() {
            self.step("workers", "instashop", &["down"])?;
        }
        let arguments: &[&str] = if clean {
            &["stack", "down", "--remove-data"]
        } else {
            &["stack", "down"]
        };
        self.step("servers", "instashop-dev", arguments)?;
        Ok(ExitCode::SUCCESS)
    }

    /// Runs one program to its end, its output going through.
    fn step(&self, name: &str, program: &str, arguments: &[&str]) -> Result<()> {
        eprintln!("--> {name}");
        let status = self
            .command(program, arguments)
            .status()
            .wrap_err_with(|| format!("cannot start {program}"))?;
        if !status.success() {
            bail!(
                "step \"{name}\" failed ({program} {}); its message is above",
                arguments.join(" ")
            );
        }
        Ok(())
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command
            .args(arguments)
            .env("INSTASHOP_CONFIG", &self.config)
            .env("INSTASHOP_STACK_DATA", &self.data);
        command
    }

    /// A command line a person can paste.
    fn hint(&self, program: &str) -> String {
        let path = self.programs.join(program);
        let here = std::env::current_dir().unwrap_or_default();
        let short = |path: &Path| path.strip_prefix(&here).unwrap_or(path).display().to_string();
        format!("INSTASHOP_CONFIG={} {}", short(&self.config), short(&path))
    }
}
