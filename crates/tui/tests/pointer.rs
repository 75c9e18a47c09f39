//! Pointer and clipboard in a pseudo-terminal: what the real binary writes for the terminal itself.

use std::io::{Read, Write};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use expectrl::process::Process;
use expectrl::process::unix::{PtyStream, UnixProcess};

const PATIENCE: Duration = Duration::from_secs(30);

/// The words that switch the pointer on.
const ON: &str = "\x1b[?1000h\x1b[?1002h\x1b[?1006h";

/// The words that switch it off.
const OFF: &str = "\x1b[?1006l\x1b[?1002l\x1b[?1000l";

/// A board with what it has written.
struct Board {
    process: UnixProcess,
    keys: PtyStream,
    screen: Arc<Mutex<vt100::Parser>>,
    raw: Arc<Mutex<Vec<u8>>>,
}

impl Board {
    fn start(variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_instashop-tui"));
        command.args(["--demo", "--lang", "en", "--glyphs", "unicode"]);
        for name in ["INSTASHOP_CONFIG", "SSH_CONNECTION", "SSH_TTY", "TMUX", "STY"] {
            command.env_remove(name);
        }
        let state = std::env::temp_dir().join("instashop-tui-test");
        command.env("TERM", "xterm-256color").env("XDG_STATE_HOME", state);
        command.envs(variables.iter().copied());
        let mut process = UnixProcess::spawn_command(command).expect("starts");
        process.set_window_size(120, 40).expect("has a size");
        let keys = process.open_stream().expect("has a terminal");
        let mut output = process.open_stream().expect("has a terminal");
        let screen = Arc::new(Mutex::new(vt100::Parser::new(40, 120, 0)));
        let raw = Arc::new(Mutex::new(Vec::new()));
        let (drawn, bytes) = (Arc::clone(&screen), Arc::clone(&raw));
        std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(count @ 1..) = output.read(&mut buffer) {
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

    fn raw(&self) -> String {
        String::from_utf8_lossy(&self.raw.lock().unwrap()).into_owned()
    }

    fn contents(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    #[track_caller]
    fn wait(&self, what: &str, seen: impl Fn(&Self) -> bool) {
        let until = Instant::now() + PATIENCE;
        while !seen(self) {
            assert!(Instant::now() < until, "no {what}:\n{}", self.contents());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    #[track_caller]
    fn shows(&self, text: &str) {
        self.wait(text, |board| board.contents().contains(text));
    }

    #[track_caller]
    fn ends(&mut self) {
        self.press("q");
        let running = |board: &Self| board.process.is_alive().unwrap_or(false);
        self.wait("end", |board| !running(board));
    }
}

#[test]
fn the_pointer_is_left_to_the_terminal_over_ssh_until_a_key_takes_it() {
    let mut local = Board::start(&[]);
    local.shows("Revenue");
    assert!(local.raw().contains(ON));
    // A press on the second tab, as a terminal tells it.
    local.press("\x1b[<0;12;2M\x1b[<0;12;2m");
    local.shows("[2 Sales]");
    local.ends();
    local.wait("mouse off", |board| board.raw().contains(OFF));
    let mut remote = Board::start(&[("SSH_CONNECTION", "192.0.2.1 5000 192.0.2.2 22")]);
    remote.shows("Revenue");
    assert!(!remote.raw().contains("\x1b[?1000h"));
    remote.press("M");
    remote.shows("mouse: the board");
    assert!(remote.raw().contains(ON));
    remote.ends();
    remote.wait("mouse off", |board| board.raw().contains(OFF));
}

#[test]
fn a_value_is_copied_through_what_stands_between() {
    let link = "instashop://live?range=30d&compare=previous";
    let encoded = "aW5zdGFzaG9wOi8vbGl2ZT9yYW5nZT0zMGQmY29tcGFyZT1wcmV2aW91cw==";
    let plain = format!("\x1b]52;c;{encoded}\x07");
    for (variables, expected) in [
        (&[][..], plain.clone()),
        (
            &[("TMUX", "/x,1,0"), ("TERM", "tmux-256color")],
            format!("\x1bPtmux;\x1b\x1b]52;c;{encoded}\x07\x1b\\"),
        ),
        (
            &[("STY", "1.x"), ("TERM", "screen-256color")],
            format!("\x1bP{plain}\x1b\\"),
        ),
    ] {
        let mut board = Board::start(variables);
        board.shows("Revenue");
        board.press("K");
        board.wait("sequence", |board| board.raw().contains(&expected));
        board.shows(&format!("copied: {link}"));
        board.ends();
    }
}
