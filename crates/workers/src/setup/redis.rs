//! The live store: its users, and what the live protocol needs of the server.

use instashop_core::config::Config;
use instashop_store::StoreError;
use instashop_store::live::access;

use super::Part;
use super::journal::Journal;

/// Checks the users and, if allowed, makes them as they should be.
pub(super) async fn run(config: &Config, journal: &Journal) {
    if let Err(error) = prepare(config, journal).await {
        let place = format!("{}:{}", config.redis.host, config.redis.port);
        journal.store_problem(Part::Redis, &place, &error);
    }
}

async fn prepare(config: &Config, journal: &Journal) -> Result<(), StoreError> {
    let changed = if journal.may_change() {
        let applied = access::apply(&config.redis).await?;
        if !applied.kept {
            let hint = "start Redis with an aclfile, or run setup again after every restart of Redis";
            journal.note(Part::Redis, "users", "are lost when Redis starts again", hint);
        }
        applied.changed
    } else {
        access::inspect(&config.redis).await?
    };
    let settings = &config.redis;
    for user in [
        &settings.worker_user,
        &settings.loader_user,
        &settings.reader_user,
    ] {
        if changed.contains(user) {
            journal.changed(
                Part::Redis,
                user,
                "may do what its service needs, and nothing else",
            );
        } else {
            journal.unchanged(
                Part::Redis,
                user,
                "may do what its service needs, and nothing else",
            );
        }
    }
    if changed.iter().any(|user| user == "default") {
        journal.changed(
            Part::Redis,
            "default",
            "is off, and may replay everything of the append-only file",
        );
    }
    Ok(())
}
