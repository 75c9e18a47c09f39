//! The real binary in a pseudo-terminal, its output read by a terminal emulator. Every wait is for a state of the
//! screen or of the process, with a bound.

use std::io::{Read, Write};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use expectrl::process::Process;
use expectrl::process::unix::{PtyStream, UnixProcess, WaitStatus};

const PATIENCE: Duration = Duration::from_secs(30);

/// A process in a pseudo-terminal with the screen it has drawn.
struct Board {
    process: UnixProcess,
    keys: PtyStream,
    screen: Arc<Mutex<vt100::Parser>>,
}

impl Board {
    fn start(columns: u16, rows: u16, change: impl FnOnce(&mut Command)) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_instashop-tui"));
        command.args(["--demo", "--colors", "256", "--lang", "en", "--glyphs", "unicode"]);
        command
            .env_remove("NO_COLOR")
            .env_remove("INSTASHOP_CONFIG")
            .env("TERM", "xterm-256color");
        command.env("XDG_STATE_HOME", std::env::temp_dir().join("instashop-tui-test"));
        change(&mut command);
        let mut process = UnixProcess::spawn_command(command).expect("starts");
        process.set_window_size(columns, rows).expect("has a size");
        let keys = process.open_stream().expect("has a terminal");
        let mut output = process.open_stream().expect("has a terminal");
        let screen = Arc::new(Mutex::new(vt100::Parser::new(rows, columns, 0)));
        let drawn = Arc::clone(&screen);
        std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(count @ 1..) = output.read(&mut buffer) {
                drawn.lock().unwrap().process(&buffer[..count]);
            }
        });
        Self {
            process,
            keys,
            screen,
        }
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("takes keys");
    }

    fn contents(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    #[track_caller]
    fn wait_for(&self, what: &str, seen: impl Fn(&str) -> bool) {
        let until = Instant::now() + PATIENCE;
        while !seen(&self.contents()) {
            assert!(
                Instant::now() < until,
                "no {what} on the screen:\n{}",
                self.contents()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    #[track_caller]
    fn shows(&self, text: &str) {
        self.wait_for(text, |screen| screen.contains(text));
    }

    /// Waits until the process has ended, and gives its exit code and how long it took.
    #[track_caller]
    fn ends(&self) -> (i32, Duration) {
        let started = Instant::now();
        loop {
            match self.process.status().expect("has a status") {
                WaitStatus::Exited(_, code) => return (code, started.elapsed()),
                WaitStatus::Signaled(_, signal, _) => return (128 + signal as i32, started.elapsed()),
                _ => assert!(started.elapsed() < PATIENCE, "still runs:\n{}", self.contents()),
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// True when the terminal is as it was: main screen, visible cursor.
    fn is_restored(&self) -> bool {
        let parser = self.screen.lock().unwrap();
        !parser.screen().alternate_screen() && !parser.screen().hide_cursor()
    }

    fn signal(&self, signal: nix::sys::signal::Signal) {
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(self.process.pid().as_raw()), signal)
            .expect("takes a signal");
    }
}

#[test]
fn leaves_the_picture_when_asked_to() {
    let mut board = Board::start(80, 24, |_| {});
    board.shows("[1 Live]");
    board.press("Q");
    assert_eq!(board.ends().0, 0);
    board.wait_for("picture on the main screen", |screen| screen.contains("[1 Live]"));
    assert!(board.is_restored());
}

#[test]
fn signals_end_it_and_give_the_terminal_back() {
    use nix::sys::signal::Signal;
    for signal in [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGINT] {
        let board = Board::start(80, 24, |_| {});
        board.shows("[1 Live]");
        board.signal(signal);
        let (_, took) = board.ends();
        assert!(took < Duration::from_secs(3), "{signal}: {took:?}");
        board.wait_for("restored terminal", |_| board.is_restored());
    }
}

#[test]
fn suspends_and_comes_back() {
    use nix::sys::signal::Signal;
    let mut board = Board::start(80, 24, |_| {});
    board.shows("[1 Live]");
    board.press("\u{1a}");
    board.wait_for("restored terminal", |_| board.is_restored());
    let until = Instant::now() + PATIENCE;
    while !stopped(&board) {
        assert!(Instant::now() < until, "is not stopped");
        std::thread::sleep(Duration::from_millis(10));
    }
    board.signal(Signal::SIGCONT);
    board.shows("[1 Live]");
    board.press("q");
    assert_eq!(board.ends().0, 0);
}

/// State of the process as the system tells it.
fn stopped(board: &Board) -> bool {
    let stat =
        std::fs::read_to_string(format!("/proc/{}/stat", board.process.pid().as_raw())).unwrap_or_default();
    stat.rsplit(')')
        .next()
        .is_some_and(|rest| rest.trim_start().starts_with('T'))
}

#[test]
fn without_a_terminal_it_says_what_to_do() {
    let output = Command::new(env!("CARGO_BIN_EXE_instashop-tui"))
        .arg("--demo")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(4));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("--once"), "{said}");
}

#[test]
fn faults_of_arguments_and_configuration_end_with_4() {
    for arguments in [
        &["--nonsense"][..],
        &["--config", "/nonexistent.toml", "--once"],
        &["--once", "--set", "redis.prot=1"],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_instashop-tui"))
            .args(arguments)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(4), "{arguments:?}");
        assert!(!output.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn pages_for_packagers() {
    for (arguments, expected) in [
        (&["completions", "bash"][..], "_instashop__tui()"),
        (&["completions", "zsh"], "#compdef instashop-tui"),
        (&["man"], ".TH instashop-tui"),
        (&["--version"], "instashop-tui "),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_instashop-tui"))
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{arguments:?}");
        assert!(
            String::from_utf8_lossy(&output.stdout).contains(expected),
            "{arguments:?}"
        );
    }
}
