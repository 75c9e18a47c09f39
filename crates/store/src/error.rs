//! Why a store could not do what it was asked; the kind decides what the caller does, the text explains it.

use std::fmt;

/// What the caller should do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Try again with back-off: connection lost, server starting, lock wait, deadlock, out of memory.
    Transient,
    /// Stop this flow and tell the operator: wrong password, missing table, wrong schema version, wrong settings.
    Permanent,
    /// The data breaks an invariant of ours (a count would go below zero, a key has a foreign type): stop, alarm.
    Broken,
}

/// A failure of a store: kind, sentence, hint, cause.
#[derive(Debug)]
pub struct StoreError {
    kind: Kind,
    what: String,
    hint: Option<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl StoreError {
    /// A failure with one sentence on what failed and where.
    pub fn new(kind: Kind, what: impl Into<String>) -> Self {
        Self {
            kind,
            what: what.into(),
            hint: None,
            source: None,
        }
    }

    /// Adds what the operator can do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the cause.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What the caller should do.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// What the operator can do, when there is something.
    pub fn advice(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Failure of a PostgreSQL call; the SQLSTATE chooses the kind. `what` says what was being done and where.
    pub fn postgres(what: impl Into<String>, error: tokio_postgres::Error) -> Self {
        use tokio_postgres::error::SqlState;
        let kind = match error.code() {
            // No SQLSTATE: the connection failed or broke.
            None => Kind::Transient,
            Some(state)
                if *state == SqlState::T_R_SERIALIZATION_FAILURE
                    || *state == SqlState::T_R_DEADLOCK_DETECTED
                    || *state == SqlState::LOCK_NOT_AVAILABLE
                    || *state == SqlState::QUERY_CANCELED =>
            {
                Kind::Transient
            }
            // 08 connection, 53 resources (disk full, out of memory), 57 operator intervention, 58 system error,
            // 25 invalid transaction state (idle_in_transaction timeout).
            Some(state) if ["08", "53", "57", "58", "25"].contains(&state.code().get(..2).unwrap_or("")) => {
                Kind::Transient
            }
            Some(_) => Kind::Permanent,
        };
        Self::new(kind, what).caused_by(error)
    }

    /// Failure of a Redis call. `what` says what was being done and where.
    pub fn redis(what: impl Into<String>, error: redis::RedisError) -> Self {
        use redis::ErrorKind;
        let kind = match error.kind() {
            ErrorKind::AuthenticationFailed
            | ErrorKind::InvalidClientConfig
            | ErrorKind::Server(redis::ServerErrorKind::NoPerm) => Kind::Permanent,
            _ => Kind::Transient,
        };
        Self::new(kind, what).caused_by(error)
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)?;
        if let Some(hint) = &self.hint {
            write!(f, " ({hint})")?;
        }
        Ok(())
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn std::error::Error + 'static))
    }
}
