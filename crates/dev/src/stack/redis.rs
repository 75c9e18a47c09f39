//! Redis: append-only file, no eviction, the default user off and one administrator with a password. The product's
//! own users are made by `instashop setup` and kept by Redis in the same file.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;

use color_eyre::eyre::{Result, eyre};
use sha2::{Digest, Sha256};

use super::port;
use super::process::Launch;
use super::server::{Health, Trouble, Workshop, fingerprint};
use super::service::Service;
use super::settings::hex;
use super::state::{Stack, make_folder, write_private};

/// What the live protocol asks for (docs: reliability 5.11 and 5.12).
fn configuration(port: u16, home: &Path) -> String {
    format!(
        "# Written by `stack up`.
bind 127.0.0.1
port {port}
protected-mode yes
daemonize no
dir \"{home}\"
aclfile \"{home}/users.acl\"
appendonly yes
appendfsync everysec
save \"\"
maxmemory-policy noeviction
hash-max-listpack-value 256
",
        home = home.display()
    )
}

/// The first content of the ACL file. The password stands there as its SHA-256, as Redis itself writes it. The default
/// user is off, so that nobody is let in by it; it keeps its rights because Redis replays transactions of the append-only
/// file with them and silently leaves out what they do not cover (redis/redis#14541).
fn users(password: &str) -> String {
    let digest = hex(&Sha256::digest(password.as_bytes()));
    format!("user default off resetpass ~* &* +@all\nuser admin on #{digest} ~* &* +@all\n")
}

/// Writes the configuration; the users' file only when there is none, because Redis keeps later users in it.
pub(super) fn prepare(workshop: &Workshop) -> Result<Launch> {
    let stack = &workshop.stack;
    let home = stack.home(Service::Redis);
    make_folder(&home, 0o700)?;
    let text = configuration(stack.state.ports.redis, &home);
    let file = home.join("redis.conf");
    write_private(&file, &text)?;
    let acl = home.join("users.acl");
    if fs::read_to_string(&acl).map_or(true, |users| users.trim().is_empty()) {
        write_private(&acl, &users(stack.state.secrets.get("redis.admin")))?;
    }
    let program = workshop
        .tools
        .redis
        .clone()
        .ok_or_else(|| eyre!("Redis was not looked for"))?;
    let digest = fingerprint(&[&program.to_string_lossy(), &text]);
    Ok(Launch {
        prefix: Vec::new(),
        program,
        arguments: vec![file.to_string_lossy().into_owned()],
        environment: Vec::new(),
        log: stack.log(Service::Redis),
        home,
        fingerprint: digest,
    })
}

/// Logs in as the administrator and asks for version and number of keys.
pub(super) fn probe(stack: &Stack) -> Result<Health, Trouble> {
    let mut stream = port::connect(stack.state.ports.redis)?;
    let password = stack.state.secrets.get("redis.admin");
    stream
        .write_all(&[command(&["AUTH", "admin", password]), command(&["INFO"])].concat())
        .map_err(|error| port::no_answer(&error))?;
    let mut reader = BufReader::new(stream);
    let greeting = reply(&mut reader)?;
    if greeting.starts_with("-WRONGPASS") {
        return Err(Trouble::never(
            "its administrator's password is not the one in stack.toml: the data folder and that file do not belong \
             together (start anew with `stack down --remove-data`)",
        ));
    }
    let info = reply(&mut reader)?;
    if let Some(error) = info.strip_prefix('-') {
        return Err(Trouble::not_yet(error.to_owned()));
    }
    if field(&info, "loading").is_some_and(|loading| loading != "0") {
        return Err(Trouble::not_yet("it is loading its data"));
    }
    let version = field(&info, "redis_version").unwrap_or("?").to_owned();
    let keys = field(&info, "db0")
        .and_then(|db| db.strip_prefix("keys=")?.split(',').next())
        .unwrap_or("0");
    let clients = field(&info, "connected_clients")
        .and_then(|count| count.parse::<u32>().ok())
        .unwrap_or(1);
    Ok(Health {
        version,
        detail: format!("{} client(s), {keys} key(s)", clients.saturating_sub(1)),
    })
}

fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
        .map(str::trim)
}

/// A command as an array of bulk strings.
fn command(words: &[&str]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        bytes.extend(format!("${}\r\n{word}\r\n", word.len()).into_bytes());
    }
    bytes
}

fn foreign() -> Trouble {
    Trouble::not_yet("what answers is not Redis")
}

/// One simple, error or bulk reply; an error keeps its minus sign. More is not needed here.
fn reply(reader: &mut impl BufRead) -> Result<String, Trouble> {
    let mut line = String::new();
    reader
        .read_line(&mut line)
        .map_err(|error| port::no_answer(&error))?;
    let line = line.trim_end();
    let Some(length) = line.strip_prefix('$') else {
        if line.starts_with(['+', '-']) {
            return Ok(line.to_owned());
        }
        return Err(foreign());
    };
    let length: usize = length.parse().map_err(|_| foreign())?;
    let mut bytes = vec![0; length + 2];
    reader
        .read_exact(&mut bytes)
        .map_err(|error| port::no_answer(&error))?;
    bytes.truncate(length);
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration() {
        insta::assert_snapshot!(configuration(16379, Path::new("/data/redis")));
    }

    #[test]
    fn the_default_user_is_off_and_no_password_is_written() {
        let text = users("secret");
        assert!(
            text.starts_with("user default off") && !text.contains("secret"),
            "{text}"
        );
        assert!(
            text.contains("#2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"),
            "{text}"
        );
    }

    #[test]
    fn replies() {
        let read = |text: &str| reply(&mut BufReader::new(text.as_bytes()));
        assert_eq!(read("+OK\r\n").unwrap(), "+OK");
        assert_eq!(read("-ERR no\r\n").unwrap(), "-ERR no");
        assert_eq!(read("$5\r\na\r\nbc\r\n").unwrap(), "a\r\nbc");
        for broken in ["", "HTTP/1.1 400\r\n", "$x\r\n", "$9\r\nabc\r\n"] {
            assert!(read(broken).is_err(), "{broken:?}");
        }
        assert_eq!(
            field("a:1\r\ndb0:keys=7,expires=0\r\n", "db0"),
            Some("keys=7,expires=0")
        );
        assert_eq!(command(&["PING"]), b"*1\r\n$4\r\nPING\r\n");
    }
}
