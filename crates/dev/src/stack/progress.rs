//! What `up` and `down` show while they work: on a terminal one line that changes in place below the finished steps,
//! elsewhere plain lines.

use std::io::{IsTerminal, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How often the changing line is drawn.
const REDRAW: Duration = Duration::from_millis(200);
/// Without a terminal, how often a step that takes long says that it is still at work.
const STILL: Duration = Duration::from_secs(15);

#[derive(Debug)]
struct Board {
    running: Vec<(String, Instant)>,
    over: bool,
    last_still: Instant,
}

#[derive(Debug)]
struct Shared {
    board: Mutex<Board>,
    changed: Condvar,
    begun: Instant,
    terminal: bool,
}

impl Shared {
    fn board(&self) -> MutexGuard<'_, Board> {
        // A step that panicked leaves at worst a line that is not taken away.
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn say(&self, line: &str) {
        let mut out = std::io::stderr().lock();
        let clear = if self.terminal { "\r\x1b[K" } else { "" };
        // Nobody is left to be told when standard error is closed.
        let _ = writeln!(out, "{clear}{line}");
    }

    fn redraw(&self, board: &mut Board) {
        let now = Instant::now();
        if self.terminal {
            let line = waiting_line(&board.running, now);
            let mut out = std::io::stderr().lock();
            let _ = write!(out, "\r\x1b[K{line}");
            let _ = out.flush();
        } else if board
            .running
            .iter()
            .any(|(_, since)| now.duration_since(*since) >= STILL)
            && now.duration_since(board.last_still) >= STILL
        {
            board.last_still = now;
            self.say(&format!(
                "still at work: {}",
                waiting_line(&board.running, now).trim()
            ));
        }
    }
}

/// `connect 3 s, kafka-1 5 s`, short enough for one line of a terminal.
fn waiting_line(running: &[(String, Instant)], now: Instant) -> String {
    let each: Vec<String> = running
        .iter()
        .map(|(name, since)| format!("{name} {} s", now.saturating_duration_since(*since).as_secs()))
        .collect();
    let line = each.join(", ");
    match line.char_indices().nth(66) {
        Some((end, _)) => format!("  ... {} ...", &line[..end]),
        None if line.is_empty() => String::new(),
        None => format!("  ... {line}"),
    }
}

/// The display of one command; clearing itself away when dropped.
#[derive(Debug)]
pub(super) struct Progress {
    shared: Arc<Shared>,
    painter: Option<JoinHandle<()>>,
}

impl Progress {
    /// Begins to show on standard error.
    pub(super) fn start() -> Self {
        let board = Board {
            running: Vec::new(),
            over: false,
            last_still: Instant::now(),
        };
        let shared = Arc::new(Shared {
            board: Mutex::new(board),
            changed: Condvar::new(),
            begun: Instant::now(),
            terminal: std::io::stderr().is_terminal(),
        });
        let painted = Arc::clone(&shared);
        let painter = thread::spawn(move || {
            let mut board = painted.board();
            while !board.over {
                painted.redraw(&mut board);
                let waited = painted.changed.wait_timeout(board, REDRAW);
                board = waited.map_or_else(|poisoned| poisoned.into_inner().0, |(board, _)| board);
            }
        });
        Self {
            shared,
            painter: Some(painter),
        }
    }

    /// Time since the command began.
    pub(super) fn elapsed(&self) -> Duration {
        self.shared.begun.elapsed()
    }

    /// A line that stays.
    pub(super) fn note(&self, line: &str) {
        let _board = self.shared.board();
        self.shared.say(line);
    }

    /// Does a step: shown while it runs, then kept as one line with its time and what it says of itself.
    pub(super) fn step<T, E>(
        &self,
        name: &str,
        work: impl FnOnce() -> Result<T, E>,
        said: impl FnOnce(&T) -> String,
    ) -> Result<T, E> {
        let begun = Instant::now();
        self.shared.board().running.push((name.to_owned(), begun));
        self.shared.changed.notify_all();
        let result = work();
        let mut board = self.shared.board();
        board.running.retain(|(running, _)| running != name);
        let (word, rest) = match &result {
            Ok(value) => ("ok", said(value)),
            Err(_) => ("FAILED", String::new()),
        };
        let seconds = begun.elapsed().as_secs_f64();
        self.shared
            .say(format!("  {word:<6} {name:<20} {seconds:>5.1} s  {rest}").trim_end());
        drop(board);
        result
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.shared.board().over = true;
        self.shared.changed.notify_all();
        if let Some(painter) = self.painter.take() {
            // It only draws; nothing is lost if it died.
            let _ = painter.join();
        }
        if self.shared.terminal {
            let mut out = std::io::stderr().lock();
            let _ = write!(out, "\r\x1b[K");
            let _ = out.flush();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_running_steps() {
        let now = Instant::now();
        let since = |seconds| now.checked_sub(Duration::from_secs(seconds)).unwrap();
        assert_eq!(waiting_line(&[], now), "");
        let two = [("kafka-1".to_owned(), since(5)), ("connect".to_owned(), since(0))];
        assert_eq!(waiting_line(&two, now), "  ... kafka-1 5 s, connect 0 s");
        let many: Vec<(String, Instant)> = (0..9).map(|n| (format!("postgres-number-{n}"), now)).collect();
        let line = waiting_line(&many, now);
        assert!(line.ends_with(" ...") && line.len() < 80, "{line}");
    }

    #[test]
    fn a_step_gives_its_result_back() {
        let progress = Progress::start();
        let good: Result<u8, String> = progress.step("succeeds", || Ok(1), ToString::to_string);
        let bad: Result<u8, String> =
            progress.step("fails on purpose", || Err("no".to_owned()), ToString::to_string);
        assert_eq!((good, bad), (Ok(1), Err("no".to_owned())));
    }
}
