//! Removes keys of older generations in the background, a little at a time.

use redis::aio::MultiplexedConnection;

use super::commit::Generation;
use super::keys::{ALL_LIVE, META};
use super::scan::scan_on;
use super::scripts::{Name, Scripts};
use crate::error::StoreError;

/// Keys looked at in one step.
const SCAN: usize = 1000;
/// Steps in one call.
const STEPS: usize = 20;

/// A walk over all keys of the live flow. It begins when a generation is adopted and ends when every key was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Sweep {
    /// Go on from this cursor of SCAN.
    At(u64),
    /// Nothing to do.
    #[default]
    Finished,
}

impl Sweep {
    /// From the beginning.
    pub(super) const fn start() -> Self {
        Self::At(0)
    }

    /// Does a bounded piece of work.
    pub(super) async fn go_on(
        &mut self,
        connection: &mut MultiplexedConnection,
        scripts: &Scripts,
        generation: &Generation,
    ) -> Result<(), StoreError> {
        for _ in 0..STEPS {
            let Self::At(cursor) = *self else { return Ok(()) };
            let (next, found) = scan_on(connection, cursor, ALL_LIVE, SCAN).await?;
            let old: Vec<_> = found.iter().filter(|key| is_older(key, generation)).collect();
            if !old.is_empty() {
                let mut command = scripts.command(Name::Sweep);
                command.arg(1 + old.len()).arg(META);
                for key in old {
                    command.arg(key);
                }
                command.arg(&generation.name);
                let answer: Vec<String> = scripts
                    .call(connection, &command, "removing keys of older generations failed")
                    .await?;
                if answer.first().map(String::as_str) != Some("OK") {
                    *self = Self::Finished;
                    return Ok(());
                }
            }
            *self = if next == 0 { Self::Finished } else { Self::At(next) };
        }
        Ok(())
    }
}

/// True for a key that carries another generation. Keys without one (`live:meta`, `live:health:*`) stay.
fn is_older(key: &str, generation: &Generation) -> bool {
    let mut parts = key.splitn(3, ':');
    let (_, Some(name), Some(_)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit()) && name != generation.name
}

#[cfg(test)]
mod tests {
    use super::super::keys::Keys;
    use super::*;

    #[test]
    fn only_keys_of_other_generations_are_removed() {
        let generation = Generation {
            name: "17".into(),
            version: "1.a".into(),
            keys: Keys::new("17"),
            boundary: None,
        };
        let cases = [
            ("live:meta", false),
            ("live:health:workers", false),
            ("live:17:daily", false),
            ("live:16:st:order:0", true),
            ("live:18:daily", true),
        ];
        for (key, expected) in cases {
            assert_eq!(is_older(key, &generation), expected, "{key}");
        }
    }
}
