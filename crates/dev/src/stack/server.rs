//! What every kind of server has in common: how it is asked whether it works, and how it is stopped.

use std::time::Duration;

use nix::sys::signal::Signal;
use sha2::{Digest, Sha256};

use super::jars::Jars;
use super::prerequisites::{Java, Tools};
use super::process::Launch;
use super::service::Service;
use super::settings::hex;
use super::state::Stack;
use super::{account::Account, connect, kafka, postgres, redis};
use color_eyre::eyre::{Result, eyre};

/// What a server that works says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Health {
    /// Its version.
    pub(super) version: String,
    /// One short remark, for example the number of connectors.
    pub(super) detail: String,
}

/// Why a server does not work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    /// A sentence.
    pub(super) text: String,
    /// Waiting does not help.
    pub(super) is_final: bool,
}

impl Trouble {
    /// It may still come.
    pub(super) fn not_yet(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            is_final: false,
        }
    }

    /// It will not come by itself.
    pub(super) fn never(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            is_final: true,
        }
    }
}

/// Everything that starting a server may need.
#[derive(Debug)]
pub(super) struct Workshop {
    /// The stack.
    pub(super) stack: Stack,
    /// Who runs PostgreSQL.
    pub(super) account: Account,
    /// The programs.
    pub(super) tools: Tools,
    /// The jars.
    pub(super) jars: Jars,
}

impl Workshop {
    /// The Java machine.
    pub(super) fn java(&self) -> Result<&Java> {
        self.tools
            .java
            .as_ref()
            .ok_or_else(|| eyre!("Java was not looked for"))
    }
}

impl Service {
    /// Writes the server's files, making its data folder when there is none, and says how it is started.
    pub(super) fn prepare(self, workshop: &Workshop) -> Result<Launch> {
        match self {
            Self::Postgres(cluster) => postgres::prepare(workshop, cluster),
            Self::Redis => redis::prepare(workshop),
            Self::Kafka(node) => kafka::prepare(workshop, node),
            Self::Connect => connect::prepare(workshop),
        }
    }

    /// Asks the server itself.
    pub(super) fn probe(self, stack: &Stack) -> Result<Health, Trouble> {
        match self {
            Self::Postgres(cluster) => postgres::probe(stack, cluster),
            Self::Redis => redis::probe(stack),
            Self::Kafka(node) => kafka::probe(stack, node),
            Self::Connect => connect::probe(stack),
        }
    }

    /// What is left to do once the server answers for the first time.
    pub(super) fn finish(self, stack: &Stack) -> Result<()> {
        match self {
            Self::Postgres(cluster) => postgres::create_database(stack, cluster),
            Self::Redis | Self::Kafka(_) | Self::Connect => Ok(()),
        }
    }

    /// How long a start may take, recovery after a crash included.
    pub(super) fn patience(self) -> Duration {
        match self {
            Self::Postgres(_) | Self::Redis => Duration::from_mins(2),
            // On a machine at its limit a JVM was seen to take a minute; one that died is noticed at once anyway.
            Self::Kafka(_) | Self::Connect => Duration::from_mins(4),
        }
    }

    /// The signals that stop it and the time each gets.
    ///
    /// PostgreSQL's fast stop waits for a replication client that is still attached, so an immediate one (crash
    /// recovery at the next start) follows. Connect can take most of a minute over a clean stop and loses nothing
    /// by a hard one: the product expects repeated events.
    pub(super) fn ladder(self) -> Vec<(Signal, Duration)> {
        let gentle: &[(Signal, u64)] = match self {
            Self::Postgres(_) => &[(Signal::SIGINT, 6), (Signal::SIGQUIT, 4)],
            Self::Redis => &[(Signal::SIGTERM, 8)],
            Self::Kafka(_) => &[(Signal::SIGTERM, 12)],
            Self::Connect => &[(Signal::SIGTERM, 6)],
        };
        let all = gentle.iter().chain(&[(Signal::SIGKILL, 5)]);
        all.map(|(signal, seconds)| (*signal, Duration::from_secs(*seconds)))
            .collect()
    }

    /// Every port it listens on.
    pub(super) fn ports(self, stack: &Stack) -> Vec<u16> {
        let ports = &stack.state.ports;
        match self {
            Self::Kafka(node) => vec![ports.of(self), ports.controller(node)],
            Self::Postgres(_) | Self::Redis | Self::Connect => vec![ports.of(self)],
        }
    }
}

/// Digest of the texts that decide how a server runs.
pub(super) fn fingerprint(parts: &[&str]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part.as_bytes());
    }
    hex(&digest.finalize()[..8])
}

#[cfg(test)]
mod tests {
    use super::fingerprint;

    #[test]
    fn the_fingerprint_keeps_its_parts_apart() {
        assert_eq!(fingerprint(&["a", "b"]), fingerprint(&["a", "b"]));
        assert_ne!(fingerprint(&["ab", ""]), fingerprint(&["a", "b"]));
    }
}
