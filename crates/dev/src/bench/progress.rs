//! How far a worker is, by the checkpoints in its own store: what is counted there is applied.

use color_eyre::eyre::Result;
use instashop_core::config::Config;

use super::supply::Supply;
use super::wire::{Reply, Wire};
use crate::bed::fleet::Flow;
use crate::bed::sql::{Database, Sql};

/// A store that is asked for its checkpoints.
#[derive(Debug)]
pub(super) enum Progress {
    Live(Wire),
    Warehouse(Sql),
}

impl Progress {
    pub(super) fn connect(config: &Config, flow: Flow) -> Result<Self> {
        Ok(match flow {
            Flow::Live => Self::Live(Wire::connect(config)?),
            Flow::Warehouse => Self::Warehouse(Sql::connect(config, Database::Warehouse)?),
        })
    }

    /// Offsets of the supply that lie before the checkpoints.
    pub(super) fn applied(&mut self, supply: &Supply) -> Result<u64> {
        let checkpoints = match self {
            Self::Live(redis) => in_redis(redis.ask(&["HGETALL", "live:meta"])?),
            Self::Warehouse(sql) => sql
                .texts("SELECT format('%s/%s %s', topic, partition, next_offset) FROM ops.offsets WHERE flow = 'warehouse'")?
                .iter()
                .filter_map(|line| line.split_once(' '))
                .filter_map(|(name, next)| Some((name.to_owned(), next.parse().ok()?)))
                .collect(),
        };
        Ok(supply.passed(checkpoints.iter().map(|(name, next)| (name.as_str(), *next))))
    }
}

/// Checkpoints among the fields of `live:meta`.
fn in_redis(answer: Reply) -> Vec<(String, i64)> {
    let Reply::List(fields) = answer else {
        return Vec::new();
    };
    let text = |reply: &Reply| match reply {
        Reply::Text(text) => String::from_utf8(text.clone()).ok(),
        _ => None,
    };
    fields
        .chunks_exact(2)
        .filter_map(|pair| {
            let name = text(&pair[0])?;
            let next = text(&pair[1])?.parse().ok()?;
            Some((name.strip_prefix("at:")?.to_owned(), next))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checkpoints_are_told_from_other_fields() {
        let text = |text: &str| Reply::Text(text.into());
        let fields = ["gen", "4", "epoch:stock/1", "9", "at:stock/1", "77"];
        let answer = Reply::List(fields.into_iter().map(text).collect());
        assert_eq!(in_redis(answer), [("stock/1".to_owned(), 77)]);
        assert_eq!(in_redis(Reply::List(Vec::new())), []);
        assert_eq!(in_redis(Reply::Nothing), []);
    }
}
