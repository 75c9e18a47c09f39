//! What a slow line still holds of what was written to it. A pseudo-terminal and a serial port take thousands of bytes
//! before a write waits, which is many seconds of a slow line: a key would be answered after all of them.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::sys::termios::{BaudRate, cfgetospeed, tcgetattr};

/// Bits on the line for a byte: eight, a start and a stop.
const BITS: u32 = 10;

/// The most the line is given to hold, as time: what an answer to a key waits for at worst.
const HELD: Duration = Duration::from_millis(100);

/// The line is given more when it holds no more than this.
const LOW: Duration = Duration::from_millis(20);

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct Line {
    bytes_per_second: u32,
    /// When everything written so far is through.
    empty_at: Instant,
}

impl Line {
    pub(super) fn of_baud(baud: u32) -> Self {
        Self {
            bytes_per_second: (baud / BITS).max(1),
            empty_at: Instant::now(),
        }
    }

    fn time_of(&self, bytes: usize) -> Duration {
        Duration::from_secs_f64(bytes as f64 / f64::from(self.bytes_per_second))
    }

    /// Bytes the line takes now.
    pub(super) fn room(&self, now: Instant) -> usize {
        let free = HELD.saturating_sub(self.empty_at.saturating_duration_since(now));
        (free.as_secs_f64() * f64::from(self.bytes_per_second)) as usize
    }

    /// Bytes were written.
    pub(super) fn took(&mut self, bytes: usize, now: Instant) {
        self.empty_at = self.empty_at.max(now) + self.time_of(bytes);
    }

    /// When the line should be given more.
    pub(super) fn ready_at(&self) -> Instant {
        self.empty_at.checked_sub(LOW).unwrap_or(self.empty_at)
    }
}

/// Speed in bits a second that a terminal says it has, when it is a slow one. What is not a serial line says 38400, or
/// nothing, whatever its speed.
pub(super) fn said_by(terminal: impl AsFd) -> Option<u32> {
    let speed = cfgetospeed(&tcgetattr(terminal).ok()?);
    Some(match speed {
        BaudRate::B300 => 300,
        BaudRate::B600 => 600,
        BaudRate::B1200 => 1200,
        BaudRate::B1800 => 1800,
        BaudRate::B2400 => 2400,
        BaudRate::B4800 => 4800,
        BaudRate::B9600 => 9600,
        BaudRate::B19200 => 19200,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_holds_no_more_than_an_answer_may_wait_for() {
        let mut line = Line::of_baud(9600);
        let start = line.empty_at;
        assert_eq!(line.room(start), 96, "100 ms at 960 bytes a second");
        line.took(960, start);
        assert_eq!(line.room(start), 0);
        assert_eq!(line.ready_at(), start + Duration::from_millis(980));
        assert_eq!(line.room(line.ready_at()), 76);
        // An idle line does not save up what it could have carried.
        let later = start + Duration::from_mins(1);
        assert_eq!(line.room(later), 96);
        line.took(96, later);
        assert_eq!(line.empty_at, later + Duration::from_millis(100));
    }

    #[test]
    fn a_terminal_tells_its_speed_when_it_has_one() {
        let pair = nix::pty::openpty(None, None).unwrap();
        assert_eq!(said_by(&pair.slave), None);
        let mut settings = tcgetattr(&pair.slave).unwrap();
        nix::sys::termios::cfsetspeed(&mut settings, BaudRate::B9600).unwrap();
        let now = nix::sys::termios::SetArg::TCSANOW;
        nix::sys::termios::tcsetattr(&pair.slave, now, &settings).unwrap();
        assert_eq!(said_by(&pair.slave), Some(9600));
    }
}
