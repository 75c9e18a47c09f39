//! How the live flow is, for the System tab.

use std::time::Instant;

use chrono::{DateTime, Utc};
use instashop_core::contribution::Measure;
use instashop_core::view::{FlowHealth, LiveSystem, SourceHealth};

use super::answers::answers;
use super::fields::Numbers;
use super::keys::{self, Keys};
use super::link::failure;
use super::query::{LiveReader, generation, lately, parsed};
use super::recover::{SEALED_FIELDS, sealed_days};
use crate::error::StoreError;

impl LiveReader {
    /// What the System tab shows of the live flow.
    pub async fn system(&mut self, now: DateTime<Utc>) -> Result<LiveSystem, StoreError> {
        let result = self.read_system(now).await;
        self.after(result)
    }

    async fn read_system(&mut self, now: DateTime<Utc>) -> Result<LiveSystem, StoreError> {
        let mut connection = self.connected().await?;
        let asked = Instant::now();
        let _: String = redis::cmd("PING")
            .query_async(&mut connection)
            .await
            .map_err(|error| failure("Redis does not answer PING", error))?;
        let ping_us = asked.elapsed().as_micros() as u64;
        let generation = generation(&mut connection).await?;
        let keys = Keys::new(generation.as_deref().unwrap_or_default());
        let today = keys::day(self.calendar.day(now));
        let mut pipeline = redis::pipe();
        pipeline.cmd("INFO").arg("memory");
        pipeline.cmd("HVALS").arg(keys::WORKERS);
        pipeline.cmd("HVALS").arg(keys::SOURCES);
        pipeline
            .cmd("HMGET")
            .arg(keys::FLOW)
            .arg(keys::BROKERS_UP)
            .arg(keys::BROKERS_KNOWN);
        pipeline
            .cmd("HGET")
            .arg(keys.daily())
            .arg(format!("{today}|{}", keys::total(Measure::Unmapped)));
        pipeline.cmd("HGETALL").arg(keys.product_days(keys::BARE));
        pipeline
            .cmd("HMGET")
            .arg(keys::META)
            .arg(SEALED_FIELDS.as_slice());
        let mut answers = answers(
            &mut connection,
            &pipeline,
            "reading the health of the live flow failed",
        )
        .await?;
        let memory: String = answers.take()?;
        let workers: Vec<String> = answers.take()?;
        let sources: Vec<String> = answers.take()?;
        let (up, known): (Option<u32>, Option<u32>) = answers.take()?;
        let unmapped: Option<i64> = answers.take()?;
        let bare: Numbers = answers.take()?;
        let sealed: [Option<String>; 4] = answers.take()?;
        let mut sources = parsed::<SourceHealth>(sources);
        sources.sort_by(|a, b| a.source.cmp(&b.source));
        Ok(LiveSystem {
            ping_us,
            memory_bytes: memory
                .lines()
                .find_map(|line| line.strip_prefix("used_memory:")?.trim().parse().ok()),
            flow: FlowHealth {
                workers: lately(parsed(workers), now),
                sources,
                brokers_up: up.zip(known),
                dead_letters: None,
            },
            unmapped_today: unmapped.unwrap_or(0),
            orders_without_lines: bare
                .iter()
                .filter_map(|(day, orders)| keys::parse_day(day).map(|_| orders))
                .sum(),
            sealed: sealed_days(sealed.each_ref().map(Option::as_deref)),
        })
    }
}
