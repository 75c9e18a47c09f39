//! The calls to `instashop_store`, in one place: connect, ask, and say in words why not.

use std::time::Duration;

use chrono::{DateTime, Utc};
use instashop_core::config::Config;
use instashop_store::{Kind, StoreError};

use super::Question;
use crate::snapshot::{Body, Failure, StoreName};

/// A connection to one store.
pub(super) enum Reader {}

impl Reader {
    /// Connects.
    #[expect(clippy::unused_async, reason = "the readers come with the store")]
    pub(super) async fn connect(store: StoreName, _config: &Config) -> Result<Self, Failure> {
        let error = StoreError::new(Kind::Permanent, format!("{store:?} has no reader in this build"));
        Err(failure(&error.hint("instashop-tui --demo shows a generated shop")))
    }

    /// Asks one question.
    #[expect(clippy::unused_async, reason = "the readers come with the store")]
    pub(super) async fn ask(&mut self, _question: Question, _now: DateTime<Utc>) -> Result<Body, Failure> {
        match *self {}
    }
}

/// What a failure of the store says on the screen.
pub(super) fn failure(error: &StoreError) -> Failure {
    let mut chain = Vec::new();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        chain.push(error.to_string());
        cause = error.source();
    }
    let text = error.to_string();
    let advice = error.advice().map(str::to_owned);
    // The advice has its own line; the sentence carries it in brackets.
    let text = match &advice {
        Some(advice) => text.replace(&format!(" ({advice})"), ""),
        None => text,
    };
    Failure { text, advice, chain }
}

/// Waits at most so long; a question that takes longer is a failure like any other, and its connection is dropped.
pub(super) async fn within<T>(
    wait: Duration,
    answer: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::time::timeout(wait, answer).await.unwrap_or_else(|_| {
        Err(Failure {
            text: format!("no answer within {} s", wait.as_secs_f32()),
            advice: None,
            chain: vec![],
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_in_words() {
        let error = StoreError::new(Kind::Transient, "Redis at 127.0.0.1:1 does not answer")
            .hint("is it running?")
            .caused_by(std::io::Error::other("connection refused"));
        let failure = failure(&error);
        assert_eq!(failure.text, "Redis at 127.0.0.1:1 does not answer");
        assert_eq!(failure.advice.as_deref(), Some("is it running?"));
        assert_eq!(failure.chain, ["connection refused"]);
    }

    #[tokio::test]
    async fn a_store_that_never_answers_is_a_failure() {
        let silence = std::future::pending::<Result<(), Failure>>();
        let failure = within(Duration::from_millis(20), silence).await.unwrap_err();
        assert_eq!(failure.text, "no answer within 0.02 s");
    }
}
