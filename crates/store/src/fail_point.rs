//! Places in both protocols where a worker can be made to die or to freeze, for the fault harness.
//!
//! A process has at most one armed fail point, taken from `INSTASHOP_FAIL_POINT` when a worker starts:
//! `warehouse.written:20:kill` kills it the twentieth time it has written a batch and not committed it. They are part of
//! every build, so that the program that is proved is the program that runs; one that is not armed costs one load.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// Name of the environment variable.
pub const VARIABLE: &str = "INSTASHOP_FAIL_POINT";

/// Where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailPoint {
    /// Live flow: the states of a batch were read.
    LiveRead,
    /// Live flow: what to write is known, nothing was sent.
    LiveComputed,
    /// Live flow: the script is on its way; the fault comes within three milliseconds.
    LiveSending,
    /// Live flow: the script has answered.
    LiveAnswered,
    /// Warehouse flow: the checkpoints are locked.
    WarehouseBegun,
    /// Warehouse flow: the stored images were read.
    WarehouseRead,
    /// Warehouse flow: everything was written, nothing is committed.
    WarehouseWritten,
    /// Warehouse flow: COMMIT is on its way; the fault comes within three milliseconds.
    WarehouseCommitting,
    /// Warehouse flow: the commit took place, and nobody was told.
    WarehouseCommitted,
    /// Both flows: a batch is applied, and Kafka was not told.
    Applied,
}

impl FailPoint {
    /// All of them, in the order of the protocols.
    pub const ALL: [Self; 10] = [
        Self::LiveRead,
        Self::LiveComputed,
        Self::LiveSending,
        Self::LiveAnswered,
        Self::WarehouseBegun,
        Self::WarehouseRead,
        Self::WarehouseWritten,
        Self::WarehouseCommitting,
        Self::WarehouseCommitted,
        Self::Applied,
    ];

    /// Name as in the environment variable.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LiveRead => "live.read",
            Self::LiveComputed => "live.computed",
            Self::LiveSending => "live.sending",
            Self::LiveAnswered => "live.answered",
            Self::WarehouseBegun => "warehouse.begun",
            Self::WarehouseRead => "warehouse.read",
            Self::WarehouseWritten => "warehouse.written",
            Self::WarehouseCommitting => "warehouse.committing",
            Self::WarehouseCommitted => "warehouse.committed",
            Self::Applied => "flow.applied",
        }
    }

    const fn is_in_flight(self) -> bool {
        matches!(self, Self::LiveSending | Self::WarehouseCommitting)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Kill,
    Stop,
}

/// An armed fail point: where, the how-manieth time, and what happens.
#[derive(Debug)]
pub struct Armed {
    point: FailPoint,
    nth: u64,
    fault: Fault,
    reached: AtomicU64,
}

impl fmt::Display for Armed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fault = match self.fault {
            Fault::Kill => "kill",
            Fault::Stop => "stop",
        };
        write!(f, "{}:{}:{fault}", self.point.name(), self.nth)
    }
}

impl Armed {
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let (name, nth, fault) = (parts.next()?, parts.next()?, parts.next()?);
        let armed = Self {
            point: FailPoint::ALL.into_iter().find(|point| point.name() == name)?,
            nth: nth.parse().ok().filter(|nth| *nth > 0)?,
            fault: match fault {
                "kill" => Fault::Kill,
                "stop" => Fault::Stop,
                _ => return None,
            },
            reached: AtomicU64::new(0),
        };
        parts.next().is_none().then_some(armed)
    }

    /// True the one time the fault is due.
    fn is_due(&self, point: FailPoint) -> bool {
        point == self.point && self.reached.fetch_add(1, Ordering::Relaxed) + 1 == self.nth
    }

    fn strike(&self) {
        let signal = match self.fault {
            Fault::Kill => Signal::SIGKILL,
            Fault::Stop => Signal::SIGSTOP,
        };
        // The signal is for this process, which has the right to it.
        let _ = kill(Pid::this(), signal);
    }
}

static ARMED: OnceLock<Armed> = OnceLock::new();

/// Arms the fail point that the environment names; `None` when it names none.
///
/// # Errors
/// A sentence when the variable cannot be read as `POINT:N:kill` or `POINT:N:stop`.
pub fn arm() -> Result<Option<&'static Armed>, String> {
    let Ok(text) = std::env::var(VARIABLE) else {
        return Ok(None);
    };
    let armed = Armed::parse(&text).ok_or_else(|| {
        let names = FailPoint::ALL.map(FailPoint::name).join(", ");
        format!("{VARIABLE}={text} is not POINT:N:kill or POINT:N:stop with one of {names}")
    })?;
    Ok(Some(ARMED.get_or_init(|| armed)))
}

/// To be called at the place.
pub fn reached(point: FailPoint) {
    let Some(armed) = ARMED.get().filter(|armed| armed.is_due(point)) else {
        return;
    };
    if !point.is_in_flight() {
        return armed.strike();
    }
    // The process id makes the moment another one in every run of a worker.
    let delay = Duration::from_micros(u64::from(std::process::id()) * 7919 % 3000);
    std::thread::spawn(move || {
        std::thread::sleep(delay);
        armed.strike();
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fail_point_is_a_place_a_count_and_a_fault() {
        for point in FailPoint::ALL {
            let text = format!("{}:3:kill", point.name());
            let armed = Armed::parse(&text).unwrap();
            assert_eq!(armed.to_string(), text);
            let other = FailPoint::ALL.into_iter().find(|other| *other != point).unwrap();
            let due = [point, other, point, point, point].map(|point| armed.is_due(point));
            assert_eq!(due, [false, false, false, true, false], "{text}");
        }
        for wrong in [
            "",
            "live.read",
            "live.read:0:kill",
            "live.read:1:burn",
            "nowhere:1:kill",
            "live.read:1:kill:x",
        ] {
            assert!(Armed::parse(wrong).is_none(), "{wrong}");
        }
    }
}
