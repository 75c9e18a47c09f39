//! The binary as a person meets it, without any server: exit codes, messages, secrets, background workers.

use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

const CANARY: &str = "canary-4b1d9e";

/// The binary in a folder of its own, with nothing of this machine's configuration, and every server at a closed port.
struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let bench = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        let passwords = |names: &[&str]| -> String {
            names
                .iter()
                .map(|name| format!("{name}_password = \"{CANARY}\"\n"))
                .collect()
        };
        let mut parts = vec![
            "[kafka]\nbrokers = \"127.0.0.1:1\"\n[connect]\nurl = \"http://127.0.0.1:1\"\n".to_owned(),
            "[flow]\nshutdown_ms = 1000\n".to_owned(),
            format!(
                "[warehouse]\nport = 1\n{}",
                passwords(&["owner", "worker", "reader"])
            ),
            format!(
                "[redis]\nport = 1\n{}",
                passwords(&["admin", "worker", "loader", "reader"])
            ),
        ];
        for source in ["instashop", "crm_db", "erp_db", "ecommerce_db"] {
            parts.push(format!(
                "[sources.{source}]\nport = 1\n{}",
                passwords(&["owner", "capture"])
            ));
        }
        let config = parts.concat();
        std::fs::write(bench.path().join("instashop.toml"), config).unwrap();
        bench
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_instashop"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("INSTASHOP")) {
            command.env_remove(name);
        }
        let connectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../debezium-config");
        command
            .env("INSTASHOP__CONNECT__CONFIG_DIR", connectors)
            .current_dir(self.path())
            .args(arguments)
            .output()
            .unwrap()
    }

    /// Code and everything that was said.
    fn said(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.run(arguments);
        let text = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        (output.status.code().unwrap_or(-1), text)
    }

    /// Pids of supervisor and workers, as recorded.
    fn pids(&self) -> Vec<i64> {
        let record = std::fs::read_to_string(self.path().join("workers/workers.json")).unwrap_or_default();
        let record: serde_json::Value = serde_json::from_str(&record).unwrap_or_default();
        let workers = record["workers"].as_array().cloned().unwrap_or_default();
        let worker_pids = workers.iter().map(|worker| worker["process"]["pid"].as_i64());
        std::iter::once(record["supervisor"]["pid"].as_i64())
            .chain(worker_pids)
            .flatten()
            .collect()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.run(&["down"]);
    }
}

/// True while the process runs; a zombie does not.
fn runs(pid: i64) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
        !stat
            .rsplit(')')
            .next()
            .unwrap_or("")
            .trim_start()
            .starts_with('Z')
    })
}

#[track_caller]
fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !condition() {
        assert!(Instant::now() < end, "never happened: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn each_way_to_fail_has_its_code_and_one_message() {
    let bench = Bench::new();
    let cases: &[(&[&str], i32, &str)] = &[
        (&["--version"], 0, "instashop"),
        (&["config", "check"], 0, "usable"),
        (&["config", "sample"], 0, "[sources.instashop]"),
        (&["frobnicate"], 2, "unrecognized subcommand"),
        (&["setup", "--only", "moon"], 2, "possible values"),
        (&["--log-level", "a=b=c", "config", "check"], 2, "--log-level"),
        (&["--set", "redis.prot=1", "status"], 4, "prot"),
        (
            &["--set", "flow.batch_records=0", "live"],
            4,
            "flow.batch_records",
        ),
        (&["--set", "redis.port", "config", "check"], 4, "key=value"),
        (
            &["--config", "/nonexistent.toml", "status"],
            4,
            "/nonexistent.toml",
        ),
        (&["setup", "--check", "--only", "topics"], 3, "127.0.0.1:1"),
        (&["setup", "--only", "connectors"], 3, "http://127.0.0.1:1"),
        (&["status"], 3, "attention"),
        (&["logs"], 1, "no logs"),
        (&["down"], 0, "nothing is running"),
        (&["completions", "bash"], 0, "_instashop"),
        (&["man"], 0, ".TH"),
        (&["metrics"], 0, "sales_by_region"),
        (&["metrics", "show", "aov", "--format", "json"], 0, "Ticket medio"),
        (&["metrics", "show", "nope"], 1, "no metric"),
        (&["metrics", "get", "orders", "--store", "3"], 3, "127.0.0.1:1"),
        (&["metrics", "get", "orders", "--store", "0"], 2, "--store"),
        (
            &[
                "metrics",
                "get",
                "visitors",
                "--from",
                "2026-03-01",
                "--to",
                "2026-03-02",
            ],
            1,
            "--each-day",
        ),
        (
            &["metrics", "get", "cohorts", "--store", "3"],
            1,
            "without a store",
        ),
    ];
    for (arguments, code, words) in cases {
        let (found, text) = bench.said(arguments);
        assert_eq!(found, *code, "{arguments:?}\n{text}");
        assert!(text.contains(words), "{arguments:?}: {words:?} is not in\n{text}");
        assert!(
            !text.contains("panicked") && !text.contains("RUST_BACKTRACE"),
            "{arguments:?}\n{text}"
        );
    }
}

#[test]
fn no_command_says_a_password_however_much_it_logs() {
    let bench = Bench::new();
    let cases: &[&[&str]] = &[
        &["config", "show"],
        &["config", "show", "--format", "json"],
        &["--log-level", "trace", "setup", "--check"],
        &["--log-level", "trace", "--log-format", "json", "setup"],
        &["--log-level", "trace", "status", "--format", "json"],
        &["--set", "redis.port=none", "status"],
    ];
    for arguments in cases {
        let (_, text) = bench.said(arguments);
        assert!(!text.contains(CANARY), "{arguments:?}\n{text}");
    }
}

#[test]
fn scripts_read_one_json_object_per_line_of_setup() {
    let bench = Bench::new();
    let output = bench.run(&[
        "setup",
        "--check",
        "--only",
        "topics,connectors",
        "--format",
        "json",
    ]);
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let last = lines.last().unwrap();
    assert_eq!(last["exit"], 3);
    for line in &lines[..lines.len() - 1] {
        assert_eq!(line["outcome"], "problem", "{line}");
        assert!(
            line["hint"].as_str().is_some_and(|hint| !hint.is_empty()),
            "{line}"
        );
    }
}

#[test]
fn workers_run_in_the_background_come_back_and_leave_nothing_behind() {
    let bench = Bench::new();
    let (code, text) = bench.said(&["up", "--no-wait", "--live", "1", "--warehouse", "2"]);
    assert_eq!(code, 0, "{text}");
    let first = bench.pids();
    assert_eq!(first.len(), 5, "a supervisor and four workers: {first:?}");

    let (code, text) = bench.said(&["up", "--no-wait", "--live", "1", "--warehouse", "2"]);
    assert!(code == 0 && text.contains("already running"), "{text}");
    let (code, text) = bench.said(&["up", "--no-wait", "--live", "2"]);
    assert!(code == 1 && text.contains("instashop down"), "{text}");

    // A worker that dies is started again.
    kill(first[1]);
    eventually("a new worker takes the dead one's place", || {
        let now = bench.pids();
        now.len() == 5 && now[1] != first[1] && runs(now[1])
    });

    // A supervisor that dies leaves its workers; the next `up` ends them before it starts its own.
    let second = bench.pids();
    kill(second[0]);
    eventually("the supervisor is gone", || !runs(second[0]));
    let (code, text) = bench.said(&["up", "--no-wait"]);
    assert_eq!(code, 0, "{text}");
    for pid in &second {
        assert!(!runs(*pid), "{pid} of {second:?} still runs\n{text}");
    }
    let third = bench.pids();
    assert_eq!(third.len(), 4, "{third:?}");

    let (code, text) = bench.said(&["logs", "supervisor", "-n", "50"]);
    assert!(
        code == 0 && text.contains("supervisor started") && !text.contains(CANARY),
        "{text}"
    );

    let (code, text) = bench.said(&["down"]);
    assert!(code == 0 && text.contains("stopped"), "{text}");
    for pid in third {
        assert!(!runs(pid), "{pid} still runs");
    }
    assert_eq!(bench.said(&["down"]), (0, "nothing is running\n".to_owned()));
}

/// A data folder that is removed while its workers run must not leave them behind, out of everybody's reach.
#[test]
fn a_removed_state_folder_ends_the_workers() {
    let bench = Bench::new();
    let (code, text) = bench.said(&["up", "--no-wait"]);
    assert_eq!(code, 0, "{text}");
    let pids = bench.pids();
    assert_eq!(pids.len(), 4, "{pids:?}");
    std::fs::remove_dir_all(bench.path().join("workers")).unwrap();
    for pid in pids {
        eventually("supervisor and workers end", || !runs(pid));
    }
    assert!(!bench.path().join("workers/workers.json").exists());
}

fn kill(pid: i64) {
    let pid = nix::unistd::Pid::from_raw(i32::try_from(pid).unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).unwrap();
}
