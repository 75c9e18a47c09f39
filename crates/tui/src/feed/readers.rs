//! The calls to `instashop_store`, in one place: connect, ask, and say in words why not.

use std::time::Duration;

use instashop_core::config::Config;
use instashop_core::view::When;
use instashop_store::StoreError;
use instashop_store::live::LiveReader;
use instashop_store::warehouse::WarehouseReader;

use super::Question;
use crate::snapshot::{Body, Failure, StoreName};

/// A connection to one store.
pub(super) enum Reader {
    /// To Redis.
    Redis(Box<LiveReader>),
    /// To the warehouse.
    Warehouse(Box<WarehouseReader>),
}

impl Reader {
    /// Connects with the role that reads and nothing else.
    pub(super) async fn connect(store: StoreName, config: &Config) -> Result<Self, Failure> {
        match store {
            StoreName::Redis => {
                let reader = LiveReader::connect(&config.redis, &config.meaning).await;
                reader.map(|reader| Self::Redis(Box::new(reader)))
            }
            StoreName::Warehouse => {
                let reader = WarehouseReader::connect(&config.warehouse, &config.meaning).await;
                reader.map(|reader| Self::Warehouse(Box::new(reader)))
            }
        }
        .map_err(|error| failure(&error))
    }

    /// Asks one question.
    pub(super) async fn ask(&mut self, question: Question, when: When) -> Result<Body, Failure> {
        let now = when.at();
        match (self, question) {
            (Self::Redis(reader), Question::LiveSystem) => reader
                .system(now)
                .await
                .map(|view| Body::LiveSystem(Box::new(view))),
            (Self::Redis(reader), question) => {
                if let Question::Live(ask) = question {
                    reader.want(ask);
                }
                reader.live(now).await.map(|view| Body::Live(Box::new(view)))
            }
            (Self::Warehouse(reader), Question::Base) => reader
                .live_base(when)
                .await
                .map(|view| Body::Base(Box::new(view))),
            (Self::Warehouse(reader), Question::Today) => {
                reader.today(when).await.map(|view| Body::Today(Box::new(view)))
            }
            (Self::Warehouse(reader), Question::Sales(days)) => reader
                .sales(when, days)
                .await
                .map(|view| Body::Sales(days, Box::new(view))),
            (Self::Warehouse(reader), Question::Orders(of, ask)) => reader
                .orders(&of, ask, when)
                .await
                .map(|list| Body::Orders(ask, of, Box::new(list))),
            (Self::Warehouse(reader), Question::Difference(ask)) => reader
                .difference(ask, when)
                .await
                .map(|view| Body::Difference(ask, Box::new(view))),
            (Self::Warehouse(reader), Question::Board(topic, ask)) => reader
                .board(topic, ask, when)
                .await
                .map(|view| Body::Board(ask, Box::new(view))),
            (Self::Warehouse(reader), _) => reader
                .system(now)
                .await
                .map(|view| Body::WarehouseSystem(Box::new(view))),
        }
        .map_err(|error| failure(&error))
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
    use instashop_store::Kind;

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
