//! The terminal: the modes that are switched on and, on every way out, off again; and frames in one write, or in pieces
//! as small as a slow line carries.
//!
//! - `encode`: cells as bytes
//! - `line`: what a slow line still holds
//! - `meter`: bytes and frames a second

mod encode;
mod line;
mod meter;

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossterm::cursor::{Hide, MoveTo, Show};
use crossterm::style::ResetColor;
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen,
    LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{execute, queue};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use ratatui::buffer::{Buffer, Cell};
use ratatui::style::Modifier;

use line::Line;
use meter::Meter;
pub use meter::Traffic;

use crate::text;

/// True while modes are switched on that must be switched off.
static ON: AtomicBool = AtomicBool::new(false);

/// True while the terminal tells of presses, drags and the wheel.
static MOUSE: AtomicBool = AtomicBool::new(false);

/// Presses, the wheel and drags with a button down, in the form that has no limit of columns. Movements without a button are
/// not asked for: they would fill a slow line.
const MOUSE_ON: &str = "\x1b[?1000h\x1b[?1002h\x1b[?1006h";

/// See [`MOUSE_ON`].
const MOUSE_OFF: &str = "\x1b[?1006l\x1b[?1002l\x1b[?1000l";

/// True while single keys are taken and nothing else is switched on.
static KEYS: AtomicBool = AtomicBool::new(false);

/// Exit code after the terminal went away, as a shell would report SIGHUP.
pub const GONE: i32 = 129;

/// Shortest time between two frames.
const FRAME: Duration = Duration::from_millis(100);

/// A write that takes longer than this halves the frame rate.
const SLOW_WRITE: Duration = Duration::from_millis(100);

/// Quick frames after which the rate rises again.
const QUICK_FRAMES: u32 = 10;

/// How much sooner a frame may follow that answers a key.
const ANSWERS: u32 = 10;

/// The row that says first that a key was taken.
const TAB_BAR: u16 = 1;

/// True when there is a terminal to draw on.
pub fn is_present() -> bool {
    io::stdout().is_terminal()
}

/// Switches the modes off, if they are on. Every way out comes through here: normal end, error, panic, signal, hang-up.
pub fn leave() {
    if KEYS.swap(false, Ordering::SeqCst) {
        let _ = disable_raw_mode();
    }
    if ON.swap(false, Ordering::SeqCst) {
        let mut out = io::stdout();
        if MOUSE.load(Ordering::SeqCst) {
            let _ = write!(out, "{MOUSE_OFF}");
        }
        // Nothing can be done about a terminal that takes no more bytes.
        let _ = execute!(out, EndSynchronizedUpdate, ResetColor, Show, LeaveAlternateScreen);
        let _ = disable_raw_mode();
    }
}

/// Switches the modes off and ends the process, whatever the loop is doing: it may hang in a write to a terminal that
/// does not read.
pub fn leave_and_exit(code: i32) -> ! {
    let leaving = std::thread::spawn(leave);
    let until = Instant::now() + Duration::from_millis(200);
    while !leaving.is_finished() && Instant::now() < until {
        std::thread::yield_now();
    }
    std::process::exit(code)
}

/// Arranges that a panic gives the terminal back before it is reported.
fn give_back_on_panic() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let report = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let ours = ON.load(Ordering::SeqCst) || KEYS.load(Ordering::SeqCst);
            leave();
            report(info);
            if ours {
                // A panic in a background task would leave a loop that draws over the message.
                std::process::exit(101);
            }
        }));
    });
}

/// Takes single keys from the terminal and leaves the rest of it as it is; [`leave`] gives them back.
pub fn take_keys() -> io::Result<()> {
    enable_raw_mode()?;
    KEYS.store(true, Ordering::SeqCst);
    give_back_on_panic();
    Ok(())
}

fn switch_on() -> io::Result<()> {
    enable_raw_mode()?;
    ON.store(true, Ordering::SeqCst);
    execute!(io::stdout(), EnterAlternateScreen, Hide, Clear(ClearType::All))?;
    if MOUSE.load(Ordering::SeqCst) {
        write!(io::stdout(), "{MOUSE_ON}")?;
        io::stdout().flush()?;
    }
    Ok(())
}

/// How much of a picture is on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drawn {
    /// All of it.
    Whole,
    /// What the line took now; the next frame goes on where this one ended, with the picture of then.
    Part,
}

/// The screen while it is ours; dropping it gives the terminal back.
pub struct Screen {
    /// A copy of the descriptor: the buffer of `Stdout` would cut a frame into many writes.
    out: File,
    /// A frame in the making.
    bytes: Vec<u8>,
    shown: Option<Buffer>,
    synchronised: bool,
    pause: Duration,
    quick: u32,
    /// The last frame.
    drawn: Instant,
    /// Set on a line whose speed is known to be low.
    line: Option<Line>,
    meter: Meter,
}

impl Screen {
    /// Takes the terminal over, and arranges that a panic gives it back before it is reported. `baud` is the speed of the
    /// line in bits a second, when somebody said it; else what the terminal says of itself counts.
    pub fn enter(synchronised: bool, baud: Option<u32>, mouse: bool) -> io::Result<Self> {
        give_back_on_panic();
        let out = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        MOUSE.store(mouse, Ordering::SeqCst);
        let line = baud.or_else(|| line::said_by(out.as_fd())).map(Line::of_baud);
        switch_on()?;
        let now = Instant::now();
        Ok(Self {
            out,
            bytes: Vec::new(),
            shown: None,
            // What arrives in pieces is shown in pieces: a bracket would hide it until its end.
            synchronised: synchronised && line.is_none(),
            pause: FRAME,
            quick: 0,
            drawn: now.checked_sub(FRAME).unwrap_or(now),
            line,
            meter: Meter::new(now),
        })
    }

    /// Columns and rows of the window.
    pub fn size(&self) -> io::Result<(u16, u16)> {
        crossterm::terminal::size()
    }

    /// When the next frame may be drawn: sooner when it answers a key or ends a picture, later while the line is slow.
    pub fn due(&self, at_once: bool) -> Instant {
        let pause = if at_once { self.pause / ANSWERS } else { self.pause };
        let due = self.drawn + pause;
        self.line.as_ref().map_or(due, |line| due.max(line.ready_at()))
    }

    /// What has been written lately.
    pub fn traffic(&mut self) -> Traffic {
        self.meter.traffic(Instant::now())
    }

    /// Forgets what is on the screen: the next frame paints everything.
    pub fn repaint(&mut self) {
        self.shown = None;
    }

    /// Draws a picture: what differs from the one before, in one write. An equal picture writes nothing. Over a slow line
    /// it draws what the line takes now, the tab bar first, so that a key never waits behind a whole picture.
    pub fn draw(&mut self, picture: Buffer) -> io::Result<Drawn> {
        if self.shown.as_ref() == Some(&picture) {
            return Ok(Drawn::Whole);
        }
        let known = self.shown.take().filter(|shown| shown.area == picture.area);
        let mut before = if let Some(before) = known {
            before
        } else {
            // A clear inside the bracket can lose lines in tmux, so it goes out before.
            queue!(self.bytes, ResetColor, Clear(ClearType::All))?;
            self.send()?;
            Buffer::empty(picture.area)
        };
        let mut updates = before.diff(&picture);
        let mut room = usize::MAX;
        if let Some(line) = &self.line {
            room = line.room(Instant::now());
            // What answers a key soonest goes first: the tab in front, then titles and values, ages last.
            updates.sort_by_key(|(_, y, cell)| {
                let row = match *y {
                    TAB_BAR => 0,
                    0 => 2,
                    _ => 1,
                };
                (row, !cell.modifier.contains(Modifier::BOLD))
            });
        }
        let mut count = updates.len();
        loop {
            self.compose(&updates[..count])?;
            let bytes = self.bytes.len();
            if bytes <= room || count <= 1 {
                break;
            }
            self.bytes.clear();
            count = (count * room / bytes).clamp(1, count - 1);
        }
        let is_part = count < updates.len();
        if is_part {
            for (x, y, cell) in &updates[..count] {
                // The other half of a wide character is no update of its own.
                for x in *x..x.saturating_add(text::width(cell.symbol()).max(1) as u16) {
                    if let Some((shown, cell)) = before.cell_mut((x, *y)).zip(picture.cell((x, *y))) {
                        shown.clone_from(cell);
                    }
                }
            }
        }
        let started = Instant::now();
        self.send()?;
        self.drawn = Instant::now();
        self.meter.frame(started, self.drawn);
        self.pace(self.drawn - started);
        self.shown = Some(if is_part { before } else { picture });
        Ok(if is_part { Drawn::Part } else { Drawn::Whole })
    }

    /// Writes a frame into memory.
    fn compose(&mut self, updates: &[(u16, u16, &Cell)]) -> io::Result<()> {
        if self.synchronised {
            queue!(self.bytes, BeginSynchronizedUpdate)?;
        }
        encode::cells(&mut self.bytes, updates)?;
        if self.line.is_some() {
            // Each piece of a picture would end with the way home and back.
            return Ok(());
        }
        // The cursor rests in the corner, hidden: some terminals draw a trail behind one that moves.
        queue!(self.bytes, MoveTo(0, 0))?;
        if self.synchronised {
            queue!(self.bytes, EndSynchronizedUpdate)?;
        }
        Ok(())
    }

    /// Lets the terminal tell of the pointer, or not.
    pub fn mouse(&mut self, on: bool) -> io::Result<()> {
        MOUSE.store(on, Ordering::SeqCst);
        self.out
            .write_all(if on { MOUSE_ON } else { MOUSE_OFF }.as_bytes())
    }

    /// Writes a sequence for the terminal itself.
    pub fn pass(&mut self, sequence: &[u8]) -> io::Result<()> {
        self.out.write_all(sequence)
    }

    fn send(&mut self) -> io::Result<()> {
        let bytes = std::mem::take(&mut self.bytes);
        self.out.write_all(&bytes)?;
        let now = Instant::now();
        self.meter.bytes(bytes.len(), now);
        if let Some(line) = &mut self.line {
            line.took(bytes.len(), now);
        }
        Ok(())
    }

    fn pace(&mut self, took: Duration) {
        if took > SLOW_WRITE {
            self.pause = (self.pause * 2).min(FRAME * 16);
            self.quick = 0;
        } else {
            self.quick += 1;
            if self.quick >= QUICK_FRAMES {
                self.quick = 0;
                self.pause = (self.pause / 2).max(FRAME);
            }
        }
    }

    /// Gives the terminal back, stops the process, and takes the terminal over again when it goes on.
    pub fn suspend(&mut self) -> io::Result<()> {
        leave();
        nix::sys::signal::raise(nix::sys::signal::Signal::SIGSTOP).map_err(io::Error::from)?;
        switch_on()?;
        self.repaint();
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        leave();
    }
}

/// Starts the thread that ends the process when the terminal goes away.
///
/// crossterm's event source loops for ever on a terminal that was closed while SIGHUP is ignored (crossterm-rs/crossterm
/// issue 793), so a plain poll for hang-up watches beside it.
pub fn watch_for_hang_up() -> io::Result<()> {
    let watched = io::stdout().as_fd().try_clone_to_owned()?;
    std::thread::Builder::new()
        .name("hang-up".into())
        .spawn(move || {
            wait_for_hang_up(watched.as_fd());
            tracing::info!("the terminal went away");
            leave_and_exit(GONE);
        })?;
    Ok(())
}

/// Returns when the other end of a terminal is closed.
fn wait_for_hang_up(terminal: BorrowedFd<'_>) {
    loop {
        // No events are asked for: hang-up and error are reported all the same.
        let mut watched = [PollFd::new(terminal, PollFlags::empty())];
        match poll(&mut watched, PollTimeout::from(1000_u16)) {
            Ok(0) | Err(nix::errno::Errno::EINTR | nix::errno::Errno::EAGAIN) => {}
            Ok(_) => {
                let gone = PollFlags::POLLHUP | PollFlags::POLLERR | PollFlags::POLLNVAL;
                if watched[0].revents().is_some_and(|events| events.intersects(gone)) {
                    return;
                }
            }
            Err(error) => {
                tracing::warn!(%error, descriptor = terminal.as_raw_fd(), "cannot watch the terminal");
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hang_up_of_a_pseudo_terminal_is_seen() {
        let pair = nix::pty::openpty(None, None).unwrap();
        let (slave, master) = (pair.slave, pair.master);
        let waiting = std::thread::spawn(move || {
            wait_for_hang_up(slave.as_fd());
            Instant::now()
        });
        let closed = Instant::now();
        drop(master);
        let seen = waiting.join().unwrap();
        assert!(seen - closed < Duration::from_secs(2));
    }
}
