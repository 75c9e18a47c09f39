//! Room for records that were read and are not yet taken: bounded by number and by bytes.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// What is outstanding.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Outstanding {
    records: usize,
    bytes: usize,
}

/// A bound on outstanding records, shared by the thread that reads and the loop that takes.
#[derive(Debug)]
pub struct Credit {
    records: usize,
    bytes: usize,
    outstanding: Mutex<Outstanding>,
    changed: Condvar,
}

/// A part of the bound in use; dropping it gives it back.
#[derive(Debug)]
pub struct Load {
    credit: Arc<Credit>,
    records: usize,
    bytes: usize,
}

impl Credit {
    /// A bound of so many records and bytes. One load may overstep it, so that the largest record always passes.
    pub fn new(records: usize, bytes: usize) -> Arc<Self> {
        Arc::new(Self {
            records,
            bytes,
            outstanding: Mutex::default(),
            changed: Condvar::new(),
        })
    }

    /// True when more may be read.
    pub fn has_room(&self) -> bool {
        let outstanding = self.outstanding.lock().unwrap_or_else(PoisonError::into_inner);
        self.admits(*outstanding)
    }

    /// Waits until more may be read, at most so long; true when there is room.
    pub fn wait(&self, limit: Duration) -> bool {
        let outstanding = self.outstanding.lock().unwrap_or_else(PoisonError::into_inner);
        let (outstanding, _) = self
            .changed
            .wait_timeout_while(outstanding, limit, |outstanding| !self.admits(*outstanding))
            .unwrap_or_else(PoisonError::into_inner);
        self.admits(*outstanding)
    }

    /// Takes a part of the bound.
    pub fn take(self: &Arc<Self>, records: usize, bytes: usize) -> Load {
        let mut outstanding = self.outstanding.lock().unwrap_or_else(PoisonError::into_inner);
        outstanding.records += records;
        outstanding.bytes += bytes;
        Load {
            credit: Arc::clone(self),
            records,
            bytes,
        }
    }

    const fn admits(&self, outstanding: Outstanding) -> bool {
        outstanding.records < self.records && outstanding.bytes < self.bytes
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        let mut outstanding = self
            .credit
            .outstanding
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        outstanding.records -= self.records;
        outstanding.bytes -= self.bytes;
        drop(outstanding);
        self.credit.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_ends_at_either_bound_and_comes_back_with_the_drop() {
        let credit = Credit::new(10, 1000);
        let small = credit.take(9, 10);
        assert!(credit.has_room());
        let large = credit.take(1, 5000);
        assert!(!credit.has_room());
        drop(small);
        assert!(!credit.wait(Duration::ZERO), "still too many bytes");
        let waiter = {
            let credit = Arc::clone(&credit);
            std::thread::spawn(move || credit.wait(Duration::from_mins(1)))
        };
        drop(large);
        assert!(waiter.join().unwrap());
    }
}
