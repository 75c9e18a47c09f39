//! What verify is doing, on one line of the terminal.

use std::io::{IsTerminal as _, Write as _};

/// A line on standard error that is written over; nothing where standard error is no terminal.
#[derive(Debug)]
pub(crate) struct Progress {
    shown: bool,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self {
            shown: std::io::stderr().is_terminal(),
        }
    }

    /// Shows what is being done now.
    pub(crate) fn say(&self, what: &str) {
        if self.shown {
            // A terminal that went away is no reason to fail.
            let _ = write!(std::io::stderr().lock(), "\r\u{1b}[K{what}");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.say("");
    }
}
