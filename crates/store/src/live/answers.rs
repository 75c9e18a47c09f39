//! Answers of a pipeline, taken one after another with the type each should have.

use redis::aio::MultiplexedConnection;
use redis::{FromRedisValue, Pipeline};

use super::link::{failure, is_out_of_memory};
use crate::error::{Kind, StoreError};

/// Answers of a pipeline, taken one after another.
pub(super) struct Answers {
    what: &'static str,
    values: std::vec::IntoIter<redis::Value>,
}

impl Answers {
    /// The next answer.
    pub(super) fn take<T: FromRedisValue>(&mut self) -> Result<T, StoreError> {
        let value = self.values.next().unwrap_or(redis::Value::Nil);
        T::from_redis_value(value).map_err(|error| {
            StoreError::new(
                Kind::Broken,
                format!("{}: an answer has an unexpected shape: {error}", self.what),
            )
            .hint("somebody else changed keys of the live flow; run `instashop rebuild live`")
        })
    }
}

/// Sends a pipeline; one without commands has no answers.
///
/// Redis that is full takes nothing inside a MULTI, not even reading. Then nothing can be written either, so the same
/// commands without MULTI read one moment too.
pub(super) async fn answers(
    connection: &mut MultiplexedConnection,
    pipeline: &Pipeline,
    what: &'static str,
) -> Result<Answers, StoreError> {
    if pipeline.is_empty() {
        let values = Vec::new().into_iter();
        return Ok(Answers { what, values });
    }
    let mut asked = pipeline.query_async::<Vec<redis::Value>>(connection).await;
    if pipeline.is_transaction() && asked.as_ref().is_err_and(is_out_of_memory) {
        let mut plain = redis::pipe();
        for command in pipeline.cmd_iter() {
            plain.add_command(command.clone());
        }
        asked = plain.query_async(connection).await;
    }
    let values = asked.map_err(|error| failure(what, error))?;
    Ok(Answers {
        what,
        values: values.into_iter(),
    })
}
