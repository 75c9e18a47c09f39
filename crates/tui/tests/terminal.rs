//! The real binary in a pseudo-terminal, its output read by a terminal emulator. Every wait is for a state of the
//! screen or of the process, with a bound.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use expectrl::process::Process;
use expectrl::process::unix::{PtyStream, UnixProcess, WaitStatus};
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{grantpt, posix_openpt, ptsname_r, unlockpt};

const PATIENCE: Duration = Duration::from_secs(30);

/// A process in a pseudo-terminal with the screen it has drawn.
struct Board {
    process: UnixProcess,
    keys: PtyStream,
    screen: Arc<Mutex<vt100::Parser>>,
    raw: Arc<Mutex<Vec<u8>>>,
}

impl Board {
    fn start(columns: u16, rows: u16, change: impl FnOnce(&mut Command)) -> Self {
        Self::start_behind(None, columns, rows, |command| {
            command.args(["--colors", "256"]);
            change(command);
        })
    }

    /// Starts it at the end of a line that carries so many bytes a second.
    fn start_behind(line: Option<u32>, columns: u16, rows: u16, change: impl FnOnce(&mut Command)) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_instashop-tui"));
        command.args(["--demo", "--lang", "en", "--glyphs", "unicode"]);
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
        let raw = Arc::new(Mutex::new(Vec::new()));
        let (drawn, bytes) = (Arc::clone(&screen), Arc::clone(&raw));
        std::thread::spawn(move || {
            // Fifty portions a second, each as large as the line carries in that time.
            let portion = line.map_or(8192, |line| line as usize / 50);
            let mut buffer = vec![0; portion];
            while let Ok(count @ 1..) = output.read(&mut buffer) {
                if let Some(line) = line {
                    std::thread::sleep(Duration::from_secs_f64(count as f64 / f64::from(line)));
                }
                bytes.lock().unwrap().extend_from_slice(&buffer[..count]);
                drawn.lock().unwrap().process(&buffer[..count]);
            }
        });
        Self {
            process,
            keys,
            screen,
            raw,
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

    /// True when the terminal is as it was: main screen, visible cursor. The last words of a process that has ended may
    /// still be on their way through the terminal.
    fn is_restored(&self) -> bool {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            let parser = self.screen.lock().unwrap();
            if !parser.screen().alternate_screen() && !parser.screen().hide_cursor() {
                return true;
            }
            drop(parser);
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }

    fn signal(&self, signal: nix::sys::signal::Signal) {
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(self.process.pid().as_raw()), signal)
            .expect("takes a signal");
    }
}

#[test]
fn walks_the_tabs_resizes_and_quits() {
    let mut board = Board::start(80, 24, |_| {});
    board.shows("[1 Live]");
    board.shows("Revenue / min");
    board.press("2");
    board.shows("[2 Sales]");
    board.shows("Revenue by day");
    board.press("0");
    board.shows("[0 Sys]");
    board.shows("Reconciliation");
    for (key, tab, panel) in [
        ("3", "[3 Pay]", "Pending by age"),
        ("4", "[4 Buyers]", "RFM segments"),
        ("5", "[5 Prod]", "Bought with"),
        ("6", "[6 Inv]", "Runs out first"),
        ("7", "[7 Behav]", "Funnel, closed"),
        ("8", "[8 Ship]", "Overdue now"),
        ("9", "[9 Stores]", "Plan mix"),
        ("!", "[!", "NOT MEASURED"),
    ] {
        board.press(key);
        board.shows(tab);
        board.shows(panel);
    }
    board.press("3\t/card");
    board.shows("/card_");
    board.press("\rfnord\r");
    board.shows("Nord Home");
    board.press("f\r!>");
    board.shows("[1 Live]");
    board.press("?");
    board.shows("type to search");
    board.press("theme\r");
    board.shows("Revenue / min");
    board.press("x");
    board.shows("Explain: Revenue");
    // An escape that is followed at once by another key would be read as Alt and that key.
    board.press("\u{1b}");
    board.shows("Revenue / min");
    board.press("\tz");
    board.shows("1 Live › Revenue per minute");
    board.press("z ");
    board.shows("FROZEN");
    board.press(" ");
    board.shows("● LIVE");
    board.screen.lock().unwrap().screen_mut().set_size(10, 40);
    board.process.set_window_size(40, 10).unwrap();
    board.shows("Avg order ");
    board.screen.lock().unwrap().screen_mut().set_size(8, 30);
    board.process.set_window_size(30, 8).unwrap();
    board.shows("InstaShop needs 40 x 10");
    board.screen.lock().unwrap().screen_mut().set_size(40, 120);
    board.process.set_window_size(120, 40).unwrap();
    board.shows("Revenue per minute, last 60 min");
    board.press("q");
    assert_eq!(board.ends().0, 0);
    assert!(board.is_restored());
    let raw = board.raw.lock().unwrap();
    let text = String::from_utf8_lossy(&raw);
    assert!(
        text.contains("\u{1b}[?2026h") && text.contains("\u{1b}[?2026l"),
        "frames are bracketed"
    );
    let (on, off) = (text.rfind("\u{1b}[?1000h"), text.rfind("\u{1b}[?1000l"));
    assert!(on <= off, "the mouse is given back");
}

/// Row 32 of the design's features: each tab in sentences, no box or braille, no cursor that moves, and silence until asked.
#[test]
fn flat_mode_reads_each_tab_out_and_moves_nothing() {
    let mut board = Board::start(100, 50, |command| {
        command.arg("--plain");
    });
    board.shows("InstaShop, Live, all stores.");
    // More is said than the screen holds, so what was sent is looked at.
    let said = |from: usize| String::from_utf8_lossy(&board.raw.lock().unwrap()[from..]).into_owned();
    let mut keys = board.process.open_stream().unwrap();
    let mut press = |key: &str| keys.write_all(key.as_bytes()).unwrap();
    for (key, tab) in [
        ("3", "Payments"),
        ("4", "Buyers"),
        ("0", "System"),
        ("!", "Alerts"),
        ("2", "Sales"),
    ] {
        press(key);
        board.wait_for(tab, |_| said(0).contains(&format!("InstaShop, {tab}, ")));
    }
    press("?");
    board.wait_for("the keys", |_| said(0).contains("q, Ctrl-C: quit.\r\n\r\n"));
    let before = board.raw.lock().unwrap().len();
    // A key of a panel that cannot be seen says nothing, nor does time: the next words are the answer to the next key.
    press("z");
    press("9");
    board.wait_for("Stores", |_| said(before).contains("InstaShop, Stores, "));
    let raw = board.raw.lock().unwrap().clone();
    assert!(String::from_utf8_lossy(&raw[before..]).starts_with("InstaShop, Stores, "));
    assert!(
        !raw.contains(&0x1b),
        "an escape sequence: {:?}",
        String::from_utf8_lossy(&raw)
    );
    let drawn = |c: &char| matches!(c, '\u{2190}'..='\u{21ff}' | '\u{2500}'..='\u{28ff}');
    assert_eq!(String::from_utf8_lossy(&raw).chars().find(drawn), None);
    press("q");
    assert_eq!(board.ends().0, 0);
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
fn ends_within_two_seconds_when_the_terminal_goes_away() {
    for ignoring in [false, true] {
        // Closed on exec: the process must not hold the other end of its own terminal open.
        let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        let master = posix_openpt(flags).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let slave = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(OFlag::O_NOCTTY.bits())
            .open(ptsname_r(&master).unwrap())
            .unwrap();
        // A shell started with nohup passes an ignored SIGHUP on.
        let trap = if ignoring { "trap '' HUP;" } else { "" };
        let script = format!("{trap} stty rows 24 cols 80; exec \"$0\" --demo --glyphs unicode --lang en");
        let mut command = Command::new("setsid");
        command
            .args(["--ctty", "sh", "-c", &script])
            .arg(env!("CARGO_BIN_EXE_instashop-tui"));
        let end = || Stdio::from(slave.try_clone().unwrap());
        command
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .env("TERM", "xterm-256color");
        let mut child = command.spawn().unwrap();
        drop(command);
        drop(slave);
        let mut master = std::fs::File::from(std::os::fd::OwnedFd::from(master));
        let mut screen = vt100::Parser::new(24, 80, 0);
        let mut buffer = [0; 8192];
        let started = Instant::now();
        while !screen.screen().contents().contains("Event tape") {
            assert!(
                started.elapsed() < PATIENCE,
                "nothing drawn:\n{}",
                screen.screen().contents()
            );
            let mut ready = [PollFd::new(master.as_fd(), PollFlags::POLLIN)];
            if matches!(poll(&mut ready, PollTimeout::from(100_u16)), Ok(1..)) {
                let count = master.read(&mut buffer).expect("still runs");
                screen.process(&buffer[..count]);
            }
        }
        let closed = Instant::now();
        drop(master);
        child.wait().unwrap();
        let took = closed.elapsed();
        assert!(
            took < Duration::from_secs(2),
            "ignoring SIGHUP: {ignoring}, took {took:?}"
        );
    }
}

#[test]
fn a_panic_leaves_a_sane_terminal_and_the_message() {
    let board = Board::start(80, 24, |command| {
        command.env("INSTASHOP_TUI_PANIC", "1").env("RUST_BACKTRACE", "0");
    });
    let (code, _) = board.ends();
    assert_eq!(code, 101);
    board.wait_for("message on the main screen", |screen| {
        screen.contains("asked for by INSTASHOP_TUI_PANIC")
    });
    assert!(board.is_restored());
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

/// Row 26 of the design's features: 9600 baud and 200 ms there and back, and a key is answered within half a second, also
/// while most of a picture is still on its way.
#[test]
fn a_key_is_answered_over_a_slow_line() {
    const LATENCY: Duration = Duration::from_millis(200);
    for (name, line, arguments) in [
        ("9600 baud", 960, &["--baud", "9600", "--colors", "16"][..]),
        ("2 KB/s", 2000, &["--baud", "20000", "--colors", "256"]),
    ] {
        let mut board = Board::start_behind(Some(line), 80, 24, |command| {
            command.args(arguments);
        });
        board.shows("[1 Live]");
        let mut slowest = Duration::ZERO;
        for (key, answer) in [
            ("2", "[2 Sales]"),
            ("3", "[3 Pay]"),
            ("0", "[0 Sys]"),
            ("1", "[1 Live]"),
            ("5", "[5 Prod]"),
            ("!", "[!"),
            ("?", "Help: what"),
            ("\u{1b}", "FIRING"),
            ("8", "[8 Ship]"),
        ] {
            let pressed = Instant::now();
            board.press(key);
            board.shows(answer);
            slowest = slowest.max(pressed.elapsed() + LATENCY);
        }
        println!("{name}: slowest answer {slowest:?}");
        assert!(slowest < Duration::from_millis(500), "{name}: {slowest:?}");
        // The picture arrives whole when nothing is pressed.
        board.shows("q quit");
        board.press("q");
        assert_eq!(board.ends().0, 0);
        assert!(board.is_restored());
    }
}

/// Seconds of a processor that a process has used so far, and kilobytes of memory that it holds.
fn used_by(board: &Board) -> (f64, u64) {
    let folder = format!("/proc/{}", board.process.pid().as_raw());
    let stat = std::fs::read_to_string(format!("{folder}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    let a_second = nix::unistd::sysconf(nix::unistd::SysconfVar::CLK_TCK)
        .unwrap()
        .unwrap();
    let status = std::fs::read_to_string(format!("{folder}/status")).unwrap();
    let memory = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .unwrap();
    let kilobytes = memory.trim().trim_end_matches(" kB").parse().unwrap();
    (ticks as f64 / a_second as f64, kilobytes)
}

/// What a board that nobody touches costs, its shop included. The bounds are those of a debug build on a machine that does
/// other things as well; `--release -- --nocapture costs` says what it is on a quiet one.
#[test]
fn a_board_that_nobody_touches_costs_little() {
    let started = Instant::now();
    let board = Board::start(120, 40, |_| {});
    board.shows("VISITORS NOW");
    let first = started.elapsed();
    let frames = || {
        let raw = board.raw.lock().unwrap();
        (
            raw.windows(8).filter(|bytes| bytes == b"\x1b[?2026h").count(),
            raw.len(),
        )
    };
    let wait_until = |count: usize| {
        let until = Instant::now() + PATIENCE;
        while frames().0 < count {
            assert!(Instant::now() < until, "only {:?} frames and bytes", frames());
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    // The first frames fill what the shop remembers.
    wait_until(5);
    let (begun, (cpu, _), (count, bytes)) = (Instant::now(), used_by(&board), frames());
    wait_until(count + 8);
    let seconds = begun.elapsed().as_secs_f64();
    let (cpu_then, memory) = used_by(&board);
    let share = (cpu_then - cpu) / seconds * 100.0;
    let rate = (frames().1 - bytes) as f64 / seconds;
    println!("first frame {first:?}, {share:.1} % of a processor, {memory} kB, {rate:.0} bytes a second");
    assert!(first < Duration::from_secs(15), "{first:?}");
    assert!(share < 60.0, "{share} % of a processor");
    assert!(memory < 80_000, "{memory} kB");
    assert!(rate < 8_000.0, "{rate} bytes a second");
}
