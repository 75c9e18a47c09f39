//! Connections to Redis: who logs in, how long an answer may take, and what the server must be.

use std::time::Duration;

use instashop_core::config::{Redis, Secret};
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, IntoConnectionInfo, RedisConnectionInfo, RedisError,
};

use crate::error::{Kind, StoreError};

/// Longest wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// Longest wait for an answer. The client's own default of half a second fails on a healthy server during a rebuild.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Who logs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// The live flow.
    Worker,
    /// Loads scripts, nothing else.
    Loader,
    /// The dashboard and `verify`.
    Reader,
    /// Manages users.
    Admin,
}

/// Opens a connection. Without a password none is sent, for a server without users (tests).
pub(super) async fn connect(config: &Redis, who: Who) -> Result<MultiplexedConnection, StoreError> {
    let (user, password): (&str, &Secret) = match who {
        Who::Worker => (&config.worker_user, &config.worker_password),
        Who::Loader => (&config.loader_user, &config.loader_password),
        Who::Reader => (&config.reader_user, &config.reader_password),
        Who::Admin => (&config.admin_user, &config.admin_password),
    };
    let place = format!("Redis at {}:{}", config.host, config.port);
    let mut login = RedisConnectionInfo::default().set_skip_set_lib_name();
    if !password.is_empty() {
        if !user.is_empty() {
            login = login.set_username(user);
        }
        login = login.set_password(password.reveal());
    }
    let info = ConnectionAddr::Tcp(config.host.clone(), config.port)
        .into_connection_info()
        .map_err(|error| failure(format!("{place} cannot be an address"), error))?
        .set_redis_settings(login);
    let client = Client::open(info).map_err(|error| failure(format!("{place} cannot be used"), error))?;
    let settings = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT_TIMEOUT))
        .set_response_timeout(Some(ANSWER_TIMEOUT));
    client
        .get_multiplexed_async_connection_with_config(&settings)
        .await
        .map_err(|error| match error.kind() {
            redis::ErrorKind::AuthenticationFailed => {
                failure(format!("{place} does not accept user {user:?}: {error}"), error).hint(
                    "run `instashop setup`, which makes the users, or check redis.* in the configuration",
                )
            }
            redis::ErrorKind::Io => failure(format!("{place} does not answer: {error}"), error)
                .hint("is it running? redis.host and redis.port say where it is looked for"),
            _ => failure(format!("{place} does not let user {user:?} in: {error}"), error),
        })
}

/// Checks what the live protocol stands on (docs: reliability C6, C7): Redis 7 or newer, no cluster, no eviction.
pub(super) async fn check(connection: &mut MultiplexedConnection) -> Result<(), StoreError> {
    let mut told = String::new();
    for section in ["server", "memory"] {
        let part: String = redis::cmd("INFO")
            .arg(section)
            .query_async(connection)
            .await
            .map_err(|error| failure(format!("Redis does not answer INFO {section}: {error}"), error))?;
        told.push_str(&part);
    }
    suits(&told)
}

fn suits(info: &str) -> Result<(), StoreError> {
    let value = |name: &str| {
        info.lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
            .map_or("", str::trim)
    };
    let version = value("redis_version");
    let major: u32 = version
        .split('.')
        .next()
        .and_then(|part| part.parse().ok())
        .unwrap_or(0);
    if major < 7 {
        return Err(StoreError::new(
            Kind::Permanent,
            format!("Redis is version {version:?}; the live flow needs 7.0 or newer"),
        )
        .hint("older servers run part of a script when memory is full"));
    }
    if value("redis_mode") == "cluster" {
        return Err(StoreError::new(
            Kind::Permanent,
            "Redis runs as a cluster; the live flow needs one primary",
        )
        .hint("orders and products touch the same keys; use a primary with replicas"));
    }
    let policy = value("maxmemory_policy");
    if policy != "noeviction" {
        return Err(StoreError::new(
            Kind::Permanent,
            format!("Redis may throw keys away: maxmemory-policy is {policy:?}"),
        )
        .hint("set `maxmemory-policy noeviction` in redis.conf, or the totals would lose parts unseen"));
    }
    Ok(())
}

/// A failure of a Redis call, with the kind its error code asks for.
pub(super) fn failure(what: impl Into<String>, error: RedisError) -> StoreError {
    const BY_OTHERS: &str = "somebody else changed keys of the live flow; run `instashop rebuild live`";
    let what = what.into();
    let (code, detail) = said(&error);
    let (kind, sentence, hint) = match code.as_str() {
        "BROKEN" | "WRONGTYPE" => (Kind::Broken, format!("{what}: {detail}"), BY_OTHERS),
        "ERR" if detail.contains("user_script:") => (
            Kind::Broken,
            format!("{what}: a script failed: {detail}"),
            "nothing was written; this is a fault of the program or of the keys it found",
        ),
        "OOM" => (
            Kind::Transient,
            format!("{what}: Redis is out of memory"),
            "raise maxmemory; nothing was written and the flow goes on by itself",
        ),
        "NOAUTH" => (
            Kind::Permanent,
            format!("{what}: Redis asks for a password"),
            "give redis.*_password in the configuration",
        ),
        "NOPERM" => (
            Kind::Permanent,
            format!("{what}: the Redis user may not do this"),
            "run `instashop setup`, which gives the users their rights",
        ),
        _ => return StoreError::redis(what, error),
    };
    StoreError::new(kind, sentence).hint(hint).caused_by(error)
}

/// True when Redis refused for want of memory.
pub(super) fn is_out_of_memory(error: &RedisError) -> bool {
    said(error).0 == "OOM"
}

/// Code and text of what the server said; of the first command it refused, if several were sent at once.
fn said(error: &RedisError) -> (String, String) {
    let first = error.clone().into_server_errors();
    match first.as_deref().and_then(|errors| errors.first()) {
        Some((_, refused)) => (
            refused.code().to_owned(),
            refused.details().unwrap_or_default().to_owned(),
        ),
        None => (
            error.code().unwrap_or_default().to_owned(),
            error.detail().unwrap_or_default().to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsuitable_servers_are_refused_with_a_hint() {
        let good = "redis_version:7.0.15\r\nredis_mode:standalone\r\nmaxmemory_policy:noeviction\r\n";
        assert!(suits(good).is_ok());
        let cases = [
            (good.replace("7.0.15", "6.2.1"), "6.2.1"),
            (good.replace("standalone", "cluster"), "cluster"),
            (good.replace("noeviction", "allkeys-lru"), "allkeys-lru"),
            (String::new(), "7.0"),
        ];
        for (info, expected) in cases {
            let error = suits(&info).unwrap_err();
            assert_eq!(error.kind(), Kind::Permanent);
            assert!(error.to_string().contains(expected), "{error}");
            assert!(error.advice().is_some());
        }
    }
}
