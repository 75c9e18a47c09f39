//! One step of a walk over the keys of Redis.

use redis::aio::MultiplexedConnection;

use super::link::failure;
use crate::error::StoreError;

/// Goes on from a cursor and looks at about `count` keys: the next cursor, 0 at the end, and the keys of the pattern.
pub(super) async fn scan_on(
    connection: &mut MultiplexedConnection,
    cursor: u64,
    pattern: &str,
    count: usize,
) -> Result<(u64, Vec<String>), StoreError> {
    redis::cmd("SCAN")
        .arg(cursor)
        .arg("MATCH")
        .arg(pattern)
        .arg("COUNT")
        .arg(count)
        .query_async(connection)
        .await
        .map_err(|error| failure(format!("scanning the keys {pattern} failed"), error))
}
