//! What the warehouse and the source databases have in common: connecting, and saying what went wrong.
//!
//! * `moment` carries timestamps with both infinities.
//! * `role` makes roles; `scram` makes and checks password verifiers, so that no password travels in a statement.

pub(crate) mod moment;
pub(crate) mod role;
mod scram;

use std::time::Duration;

use instashop_core::config::Secret;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, NoTls};

use crate::{Kind, StoreError};

/// One thing setup made sure of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetupStep {
    /// What is now so, as a short sentence: `role instashop_worker exists`.
    pub what: String,
    /// True when it was not so before.
    pub changed: bool,
}

impl SetupStep {
    pub(crate) fn new(what: impl Into<String>, changed: bool) -> Self {
        Self {
            what: what.into(),
            changed,
        }
    }
}

/// An identifier as it stands in a statement.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Where to connect and as whom.
pub(crate) struct Address<'a> {
    /// What it is, for errors: `the warehouse`, `source instashop`.
    pub(crate) what: &'a str,
    /// Host name or address.
    pub(crate) host: &'a str,
    /// Port.
    pub(crate) port: u16,
    /// Database.
    pub(crate) database: &'a str,
    /// Role.
    pub(crate) user: &'a str,
    /// Its password; empty = none is sent.
    pub(crate) password: &'a Secret,
    /// Shown in `pg_stat_activity`.
    pub(crate) application: &'a str,
}

/// Settings of a connection that the server keeps.
pub(crate) struct Limits {
    /// Longest statement.
    pub(crate) statement: Duration,
    /// Longest wait for a lock.
    pub(crate) lock: Duration,
    /// How long a transaction may do nothing. A worker that is frozen inside a transaction holds the row of its
    /// partition; after this time the server ends it and the successor goes on (docs: reliability 4.2 rule 12).
    pub(crate) idle_in_transaction: Duration,
    /// Refuse every write.
    pub(crate) read_only: bool,
}

/// Opens a connection. The task that drives it ends with the client.
pub(crate) async fn connect(address: &Address<'_>, limits: &Limits) -> Result<Client, StoreError> {
    let mut config = tokio_postgres::Config::new();
    config
        .host(address.host)
        .port(address.port)
        .dbname(address.database)
        .user(address.user)
        .application_name(address.application)
        .connect_timeout(Duration::from_secs(5))
        .keepalives(true)
        .keepalives_idle(Duration::from_secs(10))
        .keepalives_interval(Duration::from_secs(5))
        .keepalives_retries(3)
        .tcp_user_timeout(Duration::from_secs(20));
    if !address.password.is_empty() {
        config.password(address.password.reveal());
    }
    config.options(format!(
        "-c timezone=UTC -c datestyle=ISO -c client_min_messages=warning -c jit=off -c statement_timeout={} -c lock_timeout={} \
         -c idle_in_transaction_session_timeout={} -c default_transaction_read_only={}",
        limits.statement.as_millis(),
        limits.lock.as_millis(),
        limits.idle_in_transaction.as_millis(),
        if limits.read_only { "on" } else { "off" },
    ));
    let (client, connection) = config
        .connect(NoTls)
        .await
        .map_err(|error| refused(address, error))?;
    let what = address.what.to_owned();
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "connection to {what} ended");
        }
    });
    Ok(client)
}

fn refused(address: &Address<'_>, error: tokio_postgres::Error) -> StoreError {
    let place = format!(
        "{} at {}:{}/{} as {}",
        address.what, address.host, address.port, address.database, address.user
    );
    let what = format!("cannot connect to {place}: {}", message(&error));
    let hint = match error.code() {
        Some(state)
            if *state == SqlState::INVALID_PASSWORD
                || *state == SqlState::INVALID_AUTHORIZATION_SPECIFICATION =>
        {
            "check user and password in the configuration; instashop setup makes the roles"
        }
        Some(state) if *state == SqlState::INVALID_CATALOG_NAME => "create the database, or correct its name",
        Some(_) => "the server refused; its log says more",
        None if address.password.is_empty() => "is it running? no password is configured for this user",
        None => "is it running, and is the port right?",
    };
    StoreError::postgres(what, error).hint(hint)
}

/// Failure of a statement, with the server's own words.
pub(crate) fn failed(what: &str, error: tokio_postgres::Error) -> StoreError {
    let text = format!("{what}: {}", message(&error));
    let code = error.code().cloned();
    let failure = StoreError::postgres(text, error);
    match code {
        Some(state) if state == SqlState::INSUFFICIENT_PRIVILEGE => {
            failure.hint("run instashop setup with the owner's password; it grants what the roles need")
        }
        Some(state)
            if state == SqlState::UNDEFINED_TABLE
                || state == SqlState::UNDEFINED_COLUMN
                || state == SqlState::UNDEFINED_FUNCTION =>
        {
            failure.hint("run instashop setup; it brings the schema to this version")
        }
        _ => failure,
    }
}

/// What the server said, or why the connection broke.
pub(crate) fn message(error: &tokio_postgres::Error) -> String {
    if let Some(said) = error.as_db_error() {
        return match said.detail() {
            Some(detail) => format!("{} ({detail})", said.message()),
            None => said.message().to_owned(),
        };
    }
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        text = format!("{text}: {next}");
        cause = next.source();
    }
    text
}

/// A failure that cannot happen while both sides follow the contract of this crate.
pub(crate) fn broken(what: impl Into<String>) -> StoreError {
    StoreError::new(Kind::Broken, what)
}
