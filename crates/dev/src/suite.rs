//! `instashop-dev test`: everything that says whether the tree is good, in the order of CI, quick things first.
//!
//! A test must not pass by not running: the tests of every suite are counted, and a suite that ran none fails. Suites
//! that need servers start them and fail without them.

mod outcome;

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use clap::Args as ClapArgs;
use color_eyre::eyre::{Result, WrapErr, eyre};

use outcome::Counter;

/// Arguments of `instashop-dev test`.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Only what needs no server: format, lints, tidy, layers, units, properties, snapshots
    #[arg(long, conflicts_with = "stack")]
    fast: bool,
    /// Only the parts of the product that need real servers
    #[arg(long)]
    stack: bool,
    /// Only the whole system: sources, Debezium, Kafka, flows, stores, dashboard, and its faults
    #[arg(long, conflicts_with_all = ["fast", "stack"])]
    system: bool,
    /// Root of the repository
    #[arg(long, default_value = ".")]
    root: PathBuf,
}

/// One command of the suite.
struct Step {
    name: &'static str,
    group: Group,
    command: &'static [&'static str],
    expect: Expect,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Group {
    /// Needs no server.
    Fast,
    /// What both groups on servers need first.
    Servers,
    /// One part of the product on servers.
    Stack,
    /// The whole system at once.
    System,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Expect {
    /// Exit code 0.
    Success,
    /// Exit code other than 0: `cargo tree -i` of something that must not be there.
    Absence,
    /// Exit code 0, and at least one test ran.
    Tests,
}

/// Every feature that turns on tests against real servers.
const STACK_FEATURES: &str = "instashop-store/stack-tests,instashop-workers/stack-tests,instashop-tui/stack-tests,instashop-dev/stack-tests";

const STEPS: &[Step] = &[
    Step {
        name: "format",
        group: Group::Fast,
        command: &["cargo", "fmt", "--all", "--check"],
        expect: Expect::Success,
    },
    Step {
        name: "tidy",
        group: Group::Fast,
        command: &["@self", "tidy"],
        expect: Expect::Success,
    },
    // A negated `cargo tree` also succeeds when a name is misspelt, so each absence stands beside a presence.
    Step {
        name: "workers reach Kafka",
        group: Group::Fast,
        command: &tree("instashop-workers", "rdkafka"),
        expect: Expect::Success,
    },
    Step {
        name: "the dashboard does not reach Kafka",
        group: Group::Fast,
        command: &tree("instashop-tui", "rdkafka"),
        expect: Expect::Absence,
    },
    Step {
        name: "store reaches tokio",
        group: Group::Fast,
        command: &tree("instashop-store", "tokio"),
        expect: Expect::Success,
    },
    Step {
        name: "workers do not reach ratatui",
        group: Group::Fast,
        command: &tree("instashop-workers", "ratatui"),
        expect: Expect::Absence,
    },
    Step {
        name: "dev reaches core",
        group: Group::Fast,
        command: &tree("instashop-dev", "instashop-core"),
        expect: Expect::Success,
    },
    Step {
        name: "dev does not reach store",
        group: Group::Fast,
        command: &tree("instashop-dev", "instashop-store"),
        expect: Expect::Absence,
    },
    Step {
        name: "lints",
        group: Group::Fast,
        command: &[
            "cargo",
            "clippy",
            "--workspace",
            "--all-targets",
            "--features",
            STACK_FEATURES,
            "--",
            "-D",
            "warnings",
        ],
        expect: Expect::Success,
    },
    Step {
        name: "units, properties and snapshots",
        group: Group::Fast,
        command: &["cargo", "test", "--workspace", "--no-fail-fast"],
        expect: Expect::Tests,
    },
    Step {
        name: "programs",
        group: Group::Servers,
        command: &["cargo", "build", "--workspace", "--bins"],
        expect: Expect::Success,
    },
    Step {
        name: "stores against real servers",
        group: Group::Stack,
        command: &on_servers("live", "warehouse"),
        expect: Expect::Tests,
    },
    Step {
        name: "the simulator against real servers",
        group: Group::Stack,
        command: &on_servers("simulator", "simulator"),
        expect: Expect::Tests,
    },
    Step {
        name: "the servers of the test bed",
        group: Group::Servers,
        command: &["@self", "stack", "up"],
        expect: Expect::Success,
    },
    Step {
        name: "the consumer against a real broker",
        group: Group::Stack,
        command: &on_servers("consumer", "consumer"),
        expect: Expect::Tests,
    },
    Step {
        name: "the whole system",
        group: Group::System,
        command: &[
            "cargo",
            "test",
            "--workspace",
            "--features",
            STACK_FEATURES,
            "--test",
            "system",
            "--",
            "--test-threads=1",
            "--nocapture",
        ],
        expect: Expect::Tests,
    },
    Step {
        name: "the quick faults",
        group: Group::System,
        command: &["@self", "faults", "--quick"],
        expect: Expect::Tests,
    },
];

/// Two suites against servers. Always of the whole workspace: of one package alone the libraries would have other
/// features and be built once more.
const fn on_servers(one: &'static str, other: &'static str) -> [&'static str; 9] {
    [
        "cargo",
        "test",
        "--workspace",
        "--features",
        STACK_FEATURES,
        "--test",
        one,
        "--test",
        other,
    ]
}

/// `cargo tree` of one package seen from another, normal and build dependencies only.
const fn tree(package: &'static str, inverse: &'static str) -> [&'static str; 8] {
    [
        "cargo",
        "tree",
        "-e",
        "normal,build",
        "-p",
        package,
        "-i",
        inverse,
    ]
}

/// What is added to the product's ports for the test bed, so that a demo may run beside it.
const PORT_OFFSET: &str = "7000";

/// Data folder of the test bed. Root cannot run PostgreSQL, and the user who can must be able to enter the folder.
fn bed_folder(root: &Path) -> PathBuf {
    if nix::unistd::Uid::effective().is_root() {
        PathBuf::from("/var/tmp/instashop-test-bed")
    } else {
        root.join("target/test-bed")
    }
}

/// Runs the steps in order and stops at the first that fails. The test bed is taken down in any case.
pub fn run(args: &Args) -> Result<ExitCode> {
    let root = args
        .root
        .canonicalize()
        .wrap_err_with(|| format!("no folder {}", args.root.display()))?;
    // Asked once: a step may build this very program anew, and the running file then counts as deleted.
    let own = std::env::current_exe().wrap_err("cannot find this program's own path")?;
    let result = run_steps(args, &root, &own);
    if !args.fast {
        let worker_program = own.with_file_name("instashop");
        let _ = bed_command(worker_program.as_os_str(), &root)
            .arg("down")
            .output();
        let good = matches!(&result, Ok(code) if *code == ExitCode::SUCCESS);
        let mut down = bed_command(own.as_os_str(), &root);
        down.args(["stack", "down"]);
        if good {
            down.arg("--remove-data");
        }
        let _ = down.output();
        if !good && bed_folder(&root).is_dir() {
            println!(
                "==> servers stopped; their logs and data stay in {} until the next run",
                bed_folder(&root).display()
            );
        }
    }
    result
}

/// A command that sees the test bed.
fn bed_command(program: &OsStr, root: &Path) -> Command {
    let data = bed_folder(root);
    let mut command = Command::new(program);
    command
        .current_dir(root)
        .env("INSTASHOP_CONFIG", data.join("instashop.toml"))
        .env("INSTASHOP_STACK_DATA", data)
        .env("INSTASHOP_STACK_PORT_OFFSET", PORT_OFFSET);
    command
}

fn run_steps(args: &Args, root: &Path, own: &Path) -> Result<ExitCode> {
    let begun = Instant::now();
    let mut tests = 0;
    for step in STEPS {
        let wanted = match step.group {
            Group::Fast => !args.stack && !args.system,
            Group::Servers => !args.fast,
            Group::Stack => !args.fast && !args.system,
            Group::System => !args.fast && !args.stack,
        };
        if !wanted {
            continue;
        }
        println!("==> {}", step.name);
        let started = Instant::now();
        let (good, counter) = execute(step, root, own)?;
        tests += counter.passed;
        let took = seconds(started.elapsed());
        match step.expect {
            Expect::Tests if good && counter.passed == 0 => {
                println!("==> {}: no test ran ({took})", step.name);
                return Ok(ExitCode::FAILURE);
            }
            Expect::Tests if good && counter.ignored > 0 => {
                println!(
                    "==> {}: {} tests were ignored; a test runs or is removed",
                    step.name, counter.ignored
                );
                return Ok(ExitCode::FAILURE);
            }
            _ if !good => {
                println!("==> {}: FAILED ({took})", step.name);
                for name in &counter.failures {
                    println!("    {name}");
                }
                return Ok(ExitCode::FAILURE);
            }
            Expect::Tests => println!("==> {}: {} tests passed ({took})", step.name, counter.passed),
            Expect::Success | Expect::Absence => println!("==> {}: good ({took})", step.name),
        }
    }
    println!(
        "==> all good: {tests} tests ran and passed in {}",
        seconds(begun.elapsed())
    );
    Ok(ExitCode::SUCCESS)
}

/// Runs one command; its output goes through, and the results of its tests are counted on the way.
fn execute(step: &Step, root: &Path, own: &Path) -> Result<(bool, Counter)> {
    let (program, rest) = step
        .command
        .split_first()
        .ok_or_else(|| eyre!("step {} has no command", step.name))?;
    let program = if *program == "@self" {
        own.as_os_str()
    } else {
        program.as_ref()
    };
    let quiet = step.expect == Expect::Absence || rest.first() == Some(&"tree");
    let mut command = if step.group == Group::Fast {
        let mut command = Command::new(program);
        command.current_dir(root);
        command
    } else {
        bed_command(program, root)
    };
    let mut child = command
        .args(rest)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(if quiet { Stdio::null() } else { Stdio::inherit() })
        .spawn()
        .wrap_err_with(|| format!("cannot start {}", program.to_string_lossy()))?;
    let mut counter = Counter::default();
    if let Some(output) = child.stdout.take() {
        for line in BufReader::new(output).lines() {
            let line = line.unwrap_or_default();
            counter.read(&line);
            if !quiet {
                println!("{line}");
            }
        }
    }
    let status = child
        .wait()
        .wrap_err_with(|| format!("cannot wait for step {}", step.name))?;
    let good = match step.expect {
        Expect::Absence => !status.success(),
        Expect::Success | Expect::Tests => status.success(),
    };
    Ok((good, counter))
}

fn seconds(duration: Duration) -> String {
    let whole = duration.as_secs();
    if whole < 60 {
        format!("{:.1} s", duration.as_secs_f64())
    } else {
        format!("{} min {:02} s", whole / 60, whole % 60)
    }
}
