//! The scripts: their text, loading them, calling them.
//!
//! The worker may call scripts by digest but neither load nor send one; the loader may load and nothing else
//! (docs: security, Redis users). After a restart of Redis the script cache is empty, which a call answers with
//! NOSCRIPT: the scripts are loaded again and the call is repeated.

use instashop_core::config::Redis;
use redis::aio::MultiplexedConnection;
use redis::{Cmd, FromRedisValue, Script, ServerErrorKind};

use super::link::{self, Who, failure};
use crate::error::{Kind, StoreError};

/// A script by its purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    /// Applies a batch.
    Commit,
    /// Takes over partitions.
    Recover,
    /// Starts a generation.
    Create,
    /// Removes keys of older generations.
    Sweep,
    /// Moves the boundary before which days are sealed.
    Boundary,
    /// Removes what lies before the boundary.
    Forget,
    /// Writes totals of sealed days.
    Settle,
}

impl Name {
    pub(super) const ALL: [Self; 7] = [
        Self::Commit,
        Self::Recover,
        Self::Create,
        Self::Sweep,
        Self::Boundary,
        Self::Forget,
        Self::Settle,
    ];

    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Commit => include_str!("commit.lua"),
            Self::Recover => include_str!("recover.lua"),
            Self::Create => include_str!("create.lua"),
            Self::Sweep => include_str!("sweep.lua"),
            Self::Boundary => include_str!("boundary.lua"),
            Self::Forget => include_str!("forget.lua"),
            Self::Settle => include_str!("settle.lua"),
        }
    }
}

/// Digests of the scripts, and how to load them.
#[derive(Debug, Clone)]
pub(super) struct Scripts {
    config: Redis,
    digests: Vec<(Name, String)>,
}

impl Scripts {
    pub(super) fn new(config: &Redis) -> Self {
        let digests = Name::ALL
            .into_iter()
            .map(|name| (name, Script::new(name.text()).get_hash().to_owned()))
            .collect();
        Self {
            config: config.clone(),
            digests,
        }
    }

    /// Loads all scripts with a connection of the loader's own.
    pub(super) async fn load(&self) -> Result<(), StoreError> {
        let mut loader = link::connect(&self.config, Who::Loader).await?;
        for name in Name::ALL {
            let _: String = redis::cmd("SCRIPT")
                .arg("LOAD")
                .arg(name.text())
                .query_async(&mut loader)
                .await
                .map_err(|error| {
                    failure(format!("Redis does not load the {name:?} script: {error}"), error)
                })?;
        }
        Ok(())
    }

    /// Begins a call; the caller adds keys and arguments.
    pub(super) fn command(&self, name: Name) -> Cmd {
        let digest = self
            .digests
            .iter()
            .find(|(known, _)| *known == name)
            .map_or("", |(_, digest)| digest.as_str());
        let mut command = redis::cmd("EVALSHA");
        command.arg(digest);
        command
    }

    /// Makes a call.
    pub(super) async fn call<T: FromRedisValue>(
        &self,
        connection: &mut MultiplexedConnection,
        command: &Cmd,
        what: &str,
    ) -> Result<T, StoreError> {
        let mut loaded = false;
        loop {
            match command.query_async(connection).await {
                Ok(answer) => return Ok(answer),
                Err(error)
                    if !loaded && error.kind() == redis::ErrorKind::Server(ServerErrorKind::NoScript) =>
                {
                    self.load().await?;
                    loaded = true;
                }
                Err(error) if error.kind() == redis::ErrorKind::Server(ServerErrorKind::NoScript) => {
                    return Err(StoreError::new(
                        Kind::Transient,
                        format!("{what}: Redis forgot the scripts at once"),
                    )
                    .caused_by(error));
                }
                Err(error) => return Err(failure(what, error)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_script_begins_with_its_flags() {
        for name in Name::ALL {
            assert!(name.text().starts_with("#!lua flags=no-cluster\n"), "{name:?}");
        }
    }
}
