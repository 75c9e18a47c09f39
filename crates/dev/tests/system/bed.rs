//! The test bed: a stack of its own on its own ports, and the programs under test.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use instashop_core::config::Config;

/// A bound on one command; the slowest is the first start of the servers.
const COMMAND_LIMIT: Duration = Duration::from_mins(7);

/// The bed, one for all tests of the process.
pub(crate) struct Bed {
    root: PathBuf,
    data: PathBuf,
    programs: PathBuf,
}

/// Holds the bed for one test; tests never overlap.
pub(crate) fn bed() -> MutexGuard<'static, Bed> {
    static BED: OnceLock<Mutex<Bed>> = OnceLock::new();
    BED.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../..")
            .canonicalize()
            .expect("root of the repository");
        let programs = PathBuf::from(env!("CARGO_BIN_EXE_instashop-dev"))
            .parent()
            .expect("folder of programs")
            .into();
        let bed = Bed {
            data: std::env::var_os("INSTASHOP_STACK_DATA")
                .expect("INSTASHOP_STACK_DATA is set; run `make test-stack`")
                .into(),
            root,
            programs,
        };
        for name in ["instashop", "instashop-tui", "instashop-dev"] {
            assert!(
                bed.program(name).is_file(),
                "{name} is not built; run `cargo build --workspace --bins` first"
            );
        }
        // A bed of an interrupted run may still stand; its data is of no use.
        let _ = bed.command("instashop", &["down"]).output();
        bed.dev(&["stack", "down", "--remove-data"]);
        bed.write_maps();
        Mutex::new(bed)
    })
    .lock()
    .unwrap_or_else(PoisonError::into_inner)
}

/// What a command gave.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    fn of(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The result, which must be good.
    #[track_caller]
    pub(crate) fn good(self) -> Self {
        assert_eq!(
            self.code, 0,
            "exit code {}\n{}\n{}",
            self.code, self.out, self.err
        );
        self
    }
}

/// What a shop with several currencies and rules of commission has in its configuration; `stack up` leaves it as it is.
const MAPS: &str = r#"
[meaning]
commission = [
  { percent = "5" },
  { plan = "enterprise", percent = "2.25", fixed_cents = 30 },
  { store = 2, percent = "3.5", valid_from = "2020-01-01" },
]

[meaning.fx_rates.EUR]
2020-01-01 = "1.0955"
2024-07-01 = "1.1"
"#;

impl Bed {
    fn write_maps(&self) {
        std::fs::create_dir_all(&self.data).expect("the folder of the stack");
        std::fs::write(self.config_file(), MAPS).expect("the configuration of the stack");
    }

    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    pub(crate) fn config_file(&self) -> PathBuf {
        self.data.join("instashop.toml")
    }

    pub(crate) fn config(&self) -> Config {
        let text = std::fs::read_to_string(self.config_file()).expect("the stack writes its configuration");
        let mut config: Config = toml::from_str(&text).expect("the configuration of the stack is valid");
        config.sources.complete();
        config
    }

    /// A program of the product, with the bed's configuration in its environment.
    pub(crate) fn command(&self, program: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.program(program));
        command
            .args(arguments)
            .current_dir(&self.root)
            .env("INSTASHOP_CONFIG", self.config_file())
            // Marts that are computed as a whole come around at once, instead of once a minute.
            .env("INSTASHOP__ETL__WHOLE_SECONDS", "1")
            .env_remove("RUST_LOG")
            .stdin(Stdio::null());
        command
    }

    /// Runs a program to its end, with a bound.
    #[track_caller]
    pub(crate) fn run(&self, program: &str, arguments: &[&str]) -> Ran {
        let started = Instant::now();
        let child = self
            .command(program, arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {program}: {error}"));
        let ran = Ran::of(&wait(child, program, arguments));
        println!(
            "    {program} {}: {} in {:.1} s",
            arguments.join(" "),
            ran.code,
            started.elapsed().as_secs_f64()
        );
        ran
    }

    #[track_caller]
    pub(crate) fn instashop(&self, arguments: &[&str]) -> Ran {
        self.run("instashop", arguments)
    }

    #[track_caller]
    pub(crate) fn dev(&self, arguments: &[&str]) -> Ran {
        self.run("instashop-dev", arguments)
    }

    /// Servers up, a small shop with history in the sources, capture set up.
    #[track_caller]
    pub(crate) fn captured(&self) {
        self.dev(&["stack", "up"]).good();
        self.dev(&[
            "simulate",
            "history",
            "--days",
            "12",
            "--stores",
            "6",
            "--buyers",
            "400",
            "--products",
            "80",
            "--orders-per-day",
            "60",
            "--seed",
            "7",
        ])
        .good();
        self.instashop(&["setup"]).good();
    }

    /// As `captured`, with one worker of each flow running.
    #[track_caller]
    pub(crate) fn running(&self) {
        self.captured();
        self.instashop(&["up"]).good();
    }

    /// Drift 0, as a person would ask for it.
    #[track_caller]
    pub(crate) fn proved(&self) {
        let ran = self.instashop(&["verify"]);
        assert_eq!(ran.code, 0, "verify found drift:\n{}\n{}", ran.out, ran.err);
        assert!(ran.out.contains("drift 0"), "{}", ran.out);
    }

    /// The shop living in the background at a rate, until dropped.
    pub(crate) fn shop(&self, rate: &str) -> Background {
        let child = self
            .command("instashop-dev", &["simulate", "live", "--rate", rate])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("starting the simulator");
        Background(child)
    }
}

fn wait(mut child: Child, program: &str, arguments: &[&str]) -> Output {
    // Reading in threads of the standard library's `wait_with_output`; the bound is a watchdog that kills.
    let pid = nix::unistd::Pid::from_raw(child.id() as i32);
    let (done, ended) = std::sync::mpsc::channel::<()>();
    let watchdog = std::thread::spawn(move || {
        let late = ended.recv_timeout(COMMAND_LIMIT).is_err();
        if late {
            let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
        }
        late
    });
    drop(child.stdin.take());
    let output = child.wait_with_output().expect("waiting for a program");
    let _ = done.send(());
    let late = watchdog.join().unwrap_or(false);
    assert!(
        !late,
        "{program} {arguments:?} did not end within {COMMAND_LIMIT:?}"
    );
    output
}

/// A program in the background; asked to stop and awaited when dropped.
pub(crate) struct Background(Child);

impl Background {
    pub(crate) fn of(child: Child) -> Self {
        Self(child)
    }

    pub(crate) fn kill_hard(mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }

    /// True while the process has not ended.
    pub(crate) fn lives(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        let pid = nix::unistd::Pid::from_raw(self.0.id() as i32);
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
        let _ = self.0.wait();
    }
}

/// Waits for a condition, with a bound.
#[track_caller]
pub(crate) fn eventually(what: &str, limit: Duration, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + limit;
    while !condition() {
        assert!(Instant::now() < end, "not within {limit:?}: {what}");
        std::thread::sleep(Duration::from_millis(200));
    }
}
