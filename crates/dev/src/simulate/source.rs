//! Connections to the source databases, as their owner.

use std::time::Duration;

use color_eyre::eyre::{Result, WrapErr};
use instashop_core::config::{Config, Source};
use instashop_core::table::SourceDb;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, NoTls};

/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(5);

/// Longest wait for one statement of the live phase, and for a lock that somebody else holds.
const LIVE_OPTIONS: &str = "-c timezone=UTC -c statement_timeout=30s -c lock_timeout=10s";

/// A bulk load may take its time.
const BULK_OPTIONS: &str = "-c timezone=UTC -c statement_timeout=0 -c synchronous_commit=off";

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// Loading a history.
    Bulk,
    /// Small transactions at a steady rate.
    Live,
}

/// Connects to a source. The connection lives until the client is dropped.
pub(crate) async fn connect(config: &Config, source: SourceDb, purpose: Use) -> Result<Client> {
    let settings = config.sources.get(source);
    let (client, connection) = parameters(settings, purpose).connect(NoTls).await.wrap_err_with(|| {
        format!(
            "cannot connect to the source {} at {}:{} as {}; check [sources.{}] of the configuration and that the \
             server runs",
            source.name(),
            settings.host,
            settings.port,
            settings.owner_user,
            source.name()
        )
    })?;
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(source = source.name(), %error, "source connection ended");
        }
    });
    Ok(client)
}

fn parameters(settings: &Source, purpose: Use) -> tokio_postgres::Config {
    let mut parameters = tokio_postgres::Config::new();
    parameters
        .host(&settings.host)
        .port(settings.port)
        .dbname(&settings.database)
        .user(&settings.owner_user)
        .application_name("instashop-simulator")
        .connect_timeout(CONNECT)
        .keepalives_idle(Duration::from_secs(15))
        .tcp_user_timeout(Duration::from_secs(20))
        .options(match purpose {
            Use::Bulk => BULK_OPTIONS,
            Use::Live => LIVE_OPTIONS,
        });
    if !settings.owner_password.is_empty() {
        parameters.password(settings.owner_password.reveal());
    }
    parameters
}

/// What to do about an error of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// The connection is gone or the server is not ready: connect again and repeat.
    Reconnect,
    /// Somebody was in the way: repeat.
    Repeat,
    /// The statement will never work as it is, because of what the database holds now.
    Skip,
}

/// Classes of SQLSTATE after which a repetition on a new connection can help.
const RECONNECT: &[&str] = &["08", "53", "57", "58", "28", "3D"];

/// Decides by SQLSTATE, never by text.
pub(crate) fn remedy(error: &tokio_postgres::Error) -> Remedy {
    let Some(state) = error.code() else {
        // Without a state the server did not answer; a value that cannot be sent would be a fault of this program.
        return if error.is_closed() || error.as_db_error().is_none() {
            Remedy::Reconnect
        } else {
            Remedy::Skip
        };
    };
    if [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::QUERY_CANCELED,
    ]
    .contains(state)
    {
        return Remedy::Repeat;
    }
    if RECONNECT.iter().any(|class| state.code().starts_with(class)) {
        return Remedy::Reconnect;
    }
    Remedy::Skip
}
