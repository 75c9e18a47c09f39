//! From a message of the Kafka client to a decoded record.

use chrono::DateTime;
use instashop_core::config::Config;
use instashop_core::debezium::{Decoder, RawRecord, Settings};
use rdkafka::message::{BorrowedMessage, Headers as _, Message as _};

use super::Decode;

/// The decoding of one consumer: it keeps what it learns about schemas.
pub fn decoder(config: &Config) -> Decode {
    let mut decoder = Decoder::new(Settings::of(&config.sources, &config.flow));
    Box::new(move |message| decoder.content(&raw(message)))
}

fn raw<'a>(message: &'a BorrowedMessage<'_>) -> RawRecord<'a> {
    RawRecord {
        topic: message.topic(),
        key: message.key(),
        value: message.payload(),
        headers: message.headers().map_or_else(Vec::new, |headers| {
            headers.iter().map(|header| (header.key, header.value)).collect()
        }),
        timestamp: message
            .timestamp()
            .to_millis()
            .and_then(DateTime::from_timestamp_millis),
    }
}
