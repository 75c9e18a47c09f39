//! The Redis users of the product and what each may do (docs: security, Redis users).
//!
//! | user | commands | keys |
//! |---|---|---|
//! | worker (`redis.worker_user`) | scripts by digest and the commands in them, and what the flow calls itself | `live:*`, `cdc_spark_metrics:*`, `metrics:*`; reads `sealed:*` |
//! | loader (`redis.loader_user`) | `script load` | none |
//! | reader (`redis.reader_user`) | read commands | reads `live:*`, `sealed:*` |
//!
//! The worker may neither send nor load a script, so it can run only those of this build; Redis has no finer rule. No
//! user may delete, rename or flush, ask for the configuration or see other users.
//!
//! The default user is off, without a password, and with every right: while it reads its append-only file, Redis checks
//! transactions (so also what scripts wrote) against the rights of the default user, and silently leaves out what that
//! user may not do (redis/redis#14541, valkey-io/valkey#3983). A user that is off cannot log in, whatever its rights.

use instashop_core::config::{Redis, Secret};
use redis::aio::MultiplexedConnection;
use sha2::{Digest, Sha256};

use super::keys::{READER_PATTERNS, WORKER_PATTERNS, WORKER_READS};
use super::link::{self, Who, failure};
use crate::error::{Kind, StoreError};

/// Commands of a live worker.
const WORKER_COMMANDS: [&str; 22] = [
    "evalsha",
    "expireat",
    "hdel",
    "hget",
    "hgetall",
    "hincrby",
    "hkeys",
    "hmget",
    "hset",
    "hsetnx",
    "info",
    "llen",
    "lpush",
    "ltrim",
    "scan",
    "set",
    "unlink",
    "zadd",
    "zcard",
    "zrange",
    "zrem",
    "zremrangebyscore",
];
/// Commands of the script loader.
const LOADER_COMMANDS: [&str; 1] = ["script|load"];
/// Commands of the dashboard and of `verify`.
const READER_COMMANDS: [&str; 12] = [
    "exec", "hget", "hgetall", "hlen", "hmget", "hvals", "info", "lrange", "multi", "ping", "scan", "zrange",
];

/// A user as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Name.
    pub name: String,
    /// Rules of `ACL SETUSER`, after `reset`. The password stands there as its SHA-256.
    rules: Vec<String>,
}

impl User {
    fn new(name: &str, password: &Secret, keys: Vec<String>, commands: &[&str]) -> Self {
        let digest: String = Sha256::digest(password.reveal().as_bytes())
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let mut rules = vec!["on".to_owned(), format!("#{digest}")];
        rules.extend(keys);
        rules.extend(commands.iter().map(|command| format!("+{command}")));
        Self {
            name: name.to_owned(),
            rules,
        }
    }

    /// True when a line of `ACL LIST` grants exactly this.
    fn fits(&self, line: &str) -> bool {
        let granted: Vec<&str> = line
            .split_whitespace()
            .filter(|word| *word == "on" || word.starts_with(['+', '#', '~', '%', '&', '(', '>']))
            .collect();
        let is_wanted = |word: &&str| self.rules.iter().any(|rule| rule == *word);
        granted.iter().all(is_wanted) && self.rules.iter().all(|rule| granted.contains(&rule.as_str()))
    }
}

/// The users as they should be, with the names and passwords of the configuration.
pub fn users(config: &Redis) -> Vec<User> {
    let own = |patterns: &[&str]| {
        patterns
            .iter()
            .map(|pattern| format!("~{pattern}"))
            .collect::<Vec<_>>()
    };
    let read = |pattern: &str| format!("%R~{pattern}");
    let mut worker_keys = own(&WORKER_PATTERNS);
    worker_keys.push(read(WORKER_READS));
    vec![
        User::new(
            &config.worker_user,
            &config.worker_password,
            worker_keys,
            &WORKER_COMMANDS,
        ),
        User::new(
            &config.loader_user,
            &config.loader_password,
            Vec::new(),
            &LOADER_COMMANDS,
        ),
        User::new(
            &config.reader_user,
            &config.reader_password,
            READER_PATTERNS.into_iter().map(read).collect(),
            &READER_COMMANDS,
        ),
    ]
}

/// What [`apply`] did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Applied {
    /// Users that were made or changed.
    pub changed: Vec<String>,
    /// True when the server keeps them over a restart. False for a server without a file of users (`aclfile`).
    pub kept: bool,
}

/// Name of the user that connections have before they log in.
const DEFAULT: &str = "default";
/// What the default user is given when it is off.
const DEFAULT_RULES: [&str; 5] = ["off", "resetpass", "~*", "&*", "+@all"];

/// The users that are not as they should be; for `setup --check`.
pub async fn inspect(config: &Redis) -> Result<Vec<String>, StoreError> {
    let mut admin = link::connect(config, Who::Admin).await?;
    let lines = list(&mut admin).await?;
    let mut names: Vec<String> = unfit(config, &lines).into_iter().map(|user| user.name).collect();
    if replay(&lines) != Replay::Complete {
        names.push(DEFAULT.to_owned());
    }
    Ok(names)
}

/// Makes the users as they should be, as the administrator, and has the server keep them. Users that fit are left
/// alone, so that nobody's connection is cut.
pub async fn apply(config: &Redis) -> Result<Applied, StoreError> {
    for (key, user, password) in [
        ("worker", &config.worker_user, &config.worker_password),
        ("loader", &config.loader_user, &config.loader_password),
        ("reader", &config.reader_user, &config.reader_password),
    ] {
        if user.is_empty() || password.is_empty() {
            return Err(StoreError::new(
                Kind::Permanent,
                format!("redis.{key}_user or redis.{key}_password is empty"),
            )
            .hint("give each Redis user a name and a password of its own in the configuration"));
        }
    }
    let mut admin = link::connect(config, Who::Admin).await?;
    let mut applied = Applied::default();
    let lines = list(&mut admin).await?;
    for user in unfit(config, &lines) {
        let rules = std::iter::once("reset").chain(user.rules.iter().map(String::as_str));
        set(&mut admin, &user.name, rules).await?;
        applied.changed.push(user.name);
    }
    match replay(&lines) {
        Replay::Complete => {}
        Replay::Repairable => {
            set(&mut admin, DEFAULT, DEFAULT_RULES.into_iter()).await?;
            applied.changed.push(DEFAULT.to_owned());
        }
        Replay::Incomplete => {
            return Err(StoreError::new(
                Kind::Permanent,
                "the default user of Redis is on and may not do everything: at its next start Redis would leave out \
                 what scripts wrote to the append-only file",
            )
            .hint("turn it off: ACL SETUSER default off resetpass ~* &* +@all"));
        }
    }
    match redis::cmd("ACL").arg("SAVE").exec_async(&mut admin).await {
        Ok(()) => applied.kept = true,
        Err(error)
            if error
                .detail()
                .is_some_and(|detail| detail.contains("not configured to use an ACL file")) => {}
        Err(error) => return Err(failure("Redis does not keep its users", error)),
    }
    Ok(applied)
}

async fn set(
    admin: &mut MultiplexedConnection,
    user: &str,
    rules: impl Iterator<Item = &str>,
) -> Result<(), StoreError> {
    let mut command = redis::cmd("ACL");
    command.arg("SETUSER").arg(user);
    for rule in rules {
        command.arg(rule);
    }
    command
        .exec_async(admin)
        .await
        .map_err(|error| failure(format!("Redis does not take the user {user}: {error}"), error))
}

/// The lines of `ACL LIST`.
async fn list(admin: &mut MultiplexedConnection) -> Result<Vec<String>, StoreError> {
    redis::cmd("ACL")
        .arg("LIST")
        .query_async(admin)
        .await
        .map_err(|error| failure("Redis does not list its users", error))
}

fn line_of<'a>(lines: &'a [String], name: &str) -> Option<&'a str> {
    lines
        .iter()
        .find_map(|line| line.strip_prefix("user ")?.strip_prefix(name)?.strip_prefix(' '))
}

/// Users that are missing or have other rights.
fn unfit(config: &Redis, lines: &[String]) -> Vec<User> {
    let mut users = users(config);
    users.retain(|user| line_of(lines, &user.name).is_none_or(|line| !user.fits(line)));
    users
}

/// What Redis will take from its append-only file at the next start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Replay {
    /// Everything.
    Complete,
    /// Not what scripts wrote; the default user is off, so its rights can be widened without letting anybody in.
    Repairable,
    /// Not what scripts wrote, and widening the rights of the default user would let people in.
    Incomplete,
}

fn replay(lines: &[String]) -> Replay {
    let Some(line) = line_of(lines, DEFAULT) else {
        return Replay::Complete;
    };
    let words: Vec<&str> = line.split_whitespace().collect();
    let may_all = words.contains(&"~*")
        && words.contains(&"+@all")
        && !words.iter().any(|word| word.starts_with('-') && *word != "-@all");
    match (may_all, words.contains(&"off")) {
        (true, _) => Replay::Complete,
        (false, true) => Replay::Repairable,
        (false, false) => Replay::Incomplete,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::scripts::Name;
    use super::*;

    /// Names in capitals that stand in quotes right after one of the calls.
    fn called(text: &str, calls: &[&str]) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for call in calls {
            for rest in text.split(call).skip(1) {
                let rest = rest.trim_start().trim_start_matches(['(', '"', '\'']);
                let name: String = rest.chars().take_while(char::is_ascii_uppercase).collect();
                if !name.is_empty() {
                    found.insert(name.to_lowercase());
                }
            }
        }
        found
    }

    fn listed(commands: &[&str]) -> BTreeSet<String> {
        commands.iter().map(|command| (*command).to_owned()).collect()
    }

    #[test]
    fn the_worker_may_do_what_scripts_and_flow_call_and_nothing_else() {
        let mut expected = listed(&["evalsha"]);
        for name in Name::ALL {
            expected.extend(called(name.text(), &["redis.call(", "call(", "in_chunks("]));
        }
        for text in [
            include_str!("../live.rs"),
            include_str!("link.rs"),
            include_str!("recover.rs"),
            include_str!("scan.rs"),
            include_str!("sweep.rs"),
            include_str!("reprice.rs"),
            include_str!("seal.rs"),
            include_str!("settle.rs"),
            include_str!("publish.rs"),
            include_str!("projection.rs"),
        ] {
            let production = text.split("#[cfg(test)]").next().unwrap();
            expected.extend(called(production, &["cmd("]));
        }
        assert_eq!(listed(&WORKER_COMMANDS), expected);
    }

    #[test]
    fn the_reader_may_do_what_the_queries_call_and_nothing_else() {
        let mut expected = listed(&["multi", "exec"]);
        for text in [
            include_str!("query.rs"),
            include_str!("recent.rs"),
            include_str!("scope.rs"),
            include_str!("system.rs"),
            include_str!("dump.rs"),
            include_str!("cells.rs"),
            include_str!("scan.rs"),
        ] {
            let production = text.split("#[cfg(test)]").next().unwrap();
            expected.extend(called(production, &["cmd("]));
        }
        assert_eq!(listed(&READER_COMMANDS), expected);
        // Every one of them only reads.
        for forbidden in ["set", "del", "expire", "push", "eval", "config", "flush", "keys"] {
            assert!(
                !READER_COMMANDS.iter().any(|command| command.contains(forbidden)),
                "{forbidden}"
            );
        }
    }

    #[test]
    fn the_default_user_must_be_able_to_replay_everything() {
        for (line, expected) in [
            (
                "user default on nopass sanitize-payload ~* &* +@all",
                Replay::Complete,
            ),
            ("user default off sanitize-payload ~* &* +@all", Replay::Complete),
            (
                "user default off sanitize-payload resetchannels -@all",
                Replay::Repairable,
            ),
            ("user default off ~* &* +@all -flushall", Replay::Repairable),
            (
                "user default on #00 ~live:* resetchannels -@all +@read",
                Replay::Incomplete,
            ),
        ] {
            assert_eq!(replay(&[line.to_owned()]), expected, "{line}");
        }
        assert_eq!(
            replay(&[format!("user default {}", DEFAULT_RULES.join(" "))]),
            Replay::Complete
        );
    }

    #[test]
    fn a_user_fits_only_its_own_line() {
        let config = Redis {
            loader_password: Secret::new("secret".into()),
            ..Redis::default()
        };
        let loader = &users(&config)[1];
        let digest = &loader.rules[1];
        let line = format!("on sanitize-payload {digest} resetchannels -@all +script|load");
        assert!(loader.fits(&line));
        for other in [
            line.replace("on ", "off "),
            line.replace(digest, "#00"),
            format!("{line} +get"),
            format!("{line} ~*"),
            line.replace("+script|load", ""),
        ] {
            assert!(!loader.fits(&other), "{other}");
        }
        assert!(!format!("{:?}", users(&config)).contains("secret"));
    }
}
