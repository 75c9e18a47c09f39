//! Redis without a client library: commands are written as they go over the wire, many before the first answer is read.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

use color_eyre::eyre::{Result, WrapErr, bail, eyre};
use instashop_core::config::Config;

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply {
    Nothing,
    Number(i64),
    Text(Vec<u8>),
    List(Vec<Self>),
}

/// A connection as Redis' administrator.
#[derive(Debug)]
pub(super) struct Wire {
    reader: BufReader<TcpStream>,
}

impl Wire {
    pub(super) fn connect(config: &Config) -> Result<Self> {
        let redis = &config.redis;
        let stream = TcpStream::connect((redis.host.as_str(), redis.port))
            .wrap_err_with(|| format!("Redis does not answer at {}:{}", redis.host, redis.port))?;
        stream.set_nodelay(true).wrap_err("a socket without options")?;
        let mut wire = Self {
            reader: BufReader::with_capacity(1 << 16, stream),
        };
        let password = redis.admin_password.reveal();
        wire.ask(&[
            "AUTH".as_bytes(),
            redis.admin_user.as_bytes(),
            password.as_bytes(),
        ])?;
        Ok(wire)
    }

    /// One command and its answer; an answer that is an error is one here.
    pub(super) fn ask<T: AsRef<[u8]>>(&mut self, words: &[T]) -> Result<Reply> {
        let mut text = Vec::new();
        command(&mut text, words);
        self.send(&text)?;
        self.reply()
    }

    /// Sends commands that [`command`] wrote.
    pub(super) fn send(&mut self, commands: &[u8]) -> Result<()> {
        self.reader
            .get_mut()
            .write_all(commands)
            .wrap_err("Redis takes no commands")
    }

    /// The next answer.
    pub(super) fn reply(&mut self) -> Result<Reply> {
        let mut line = String::new();
        self.reader
            .read_line(&mut line)
            .wrap_err("Redis gives no answer")?;
        let line = line.trim_end();
        let (kind, rest) = line
            .split_at_checked(1)
            .ok_or_else(|| eyre!("Redis closed the connection"))?;
        match kind {
            "+" => Ok(Reply::Text(rest.into())),
            "-" => bail!("Redis answers: {rest}"),
            ":" => Ok(Reply::Number(rest.parse().wrap_err("not a number")?)),
            "$" => {
                let Ok(length) = usize::try_from(rest.parse::<i64>().wrap_err("not a length")?) else {
                    return Ok(Reply::Nothing);
                };
                let mut text = vec![0; length + 2];
                self.reader
                    .read_exact(&mut text)
                    .wrap_err("Redis' answer is cut off")?;
                text.truncate(length);
                Ok(Reply::Text(text))
            }
            "*" => {
                let length: i64 = rest.parse().wrap_err("not a length")?;
                (0..length)
                    .map(|_| self.reply())
                    .collect::<Result<_>>()
                    .map(Reply::List)
            }
            _ => bail!("Redis' answer cannot be read: {line}"),
        }
    }

    /// A text such as `INFO` gives: lines of a name, a colon and the rest.
    pub(super) fn info(&mut self, section: &str) -> Result<String> {
        match self.ask(&["INFO", section])? {
            Reply::Text(text) => Ok(String::from_utf8_lossy(&text).into_owned()),
            other => bail!("INFO answers {other:?}"),
        }
    }
}

/// Appends a command as it goes over the wire.
pub(super) fn command<T: AsRef<[u8]>>(out: &mut Vec<u8>, words: &[T]) {
    // A vector takes whatever is written to it.
    let _ = write!(out, "*{}\r\n", words.len());
    for word in words {
        let word = word.as_ref();
        let _ = write!(out, "${}\r\n", word.len());
        out.extend_from_slice(word);
        out.extend_from_slice(b"\r\n");
    }
}

/// Calls of commands that change a key, from `INFO commandstats`; those that scripts make are among them.
pub(super) fn writes(commandstats: &str) -> u64 {
    const WRITING: [&str; 14] = [
        "hset",
        "hincrby",
        "hdel",
        "hsetnx",
        "set",
        "del",
        "unlink",
        "lpush",
        "ltrim",
        "zadd",
        "zrem",
        "expire",
        "expireat",
        "zremrangebyscore",
    ];
    commandstats
        .lines()
        .filter_map(|line| {
            let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
            WRITING
                .contains(&name)
                .then(|| rest.split(',').next()?.parse::<u64>().ok())?
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_carry_their_lengths() {
        let mut out = Vec::new();
        command(&mut out, &["HSET", "ñ", ""]);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "*3\r\n$4\r\nHSET\r\n$2\r\nñ\r\n$0\r\n\r\n"
        );
    }

    #[test]
    fn only_commands_that_write_are_counted() {
        let text = "# Commandstats\r\ncmdstat_hset:calls=7,usec=1\r\ncmdstat_hget:calls=900,usec=1\r\n\
                    cmdstat_hincrby:calls=30,usec=2,usec_per_call=0.1\r\ncmdstat_config|set:calls=4,usec=1\r\n";
        assert_eq!(writes(text), 37);
    }
}
