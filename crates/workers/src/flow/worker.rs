//! One worker: the consumer, the loop, and the tasks beside it, from start to stop.

use std::time::Duration;

use chrono::Utc;
use instashop_core::config::Config;
use instashop_store::Sink;
use tokio::sync::watch;

use super::backoff::Backoff;
use super::engine::{Engine, Pace, Report};
use super::publisher::{Publish, Watched, publish};
use super::watch::watch;
use super::{Flow, FlowFailure};
use crate::kafka::{self, Command, KafkaFailure, Limits, ReadableTopics};
use crate::shutdown::Shutdown;

/// How often the log repeats that Kafka is away.
const REMIND: u32 = 10;

/// Runs one worker of a flow, called `name`, over any sink until `shutdown` is triggered (`Ok`) or it cannot go on.
///
/// Waits for Kafka when it is away; missing topics are a failure that says what to do. A stop finishes the batch in
/// flight, leaves the group and ends within `flow.shutdown_ms`; when that time is over it ends all the same, which loses
/// nothing (docs: reliability I11).
pub async fn run<S, P>(
    flow: Flow,
    config: &Config,
    name: String,
    sink: S,
    publisher: P,
    shutdown: &Shutdown,
) -> Result<(), FlowFailure>
where
    S: Sink,
    P: Publish + 'static,
{
    let Some(topics) = wait_for_topics(config, &name, shutdown).await? else {
        return Ok(());
    };
    let widths = topics.partitions;
    let topics: Vec<&str> = widths.keys().map(String::as_str).collect();
    let consumer = kafka::start(
        &kafka::consumer_settings(config, flow.group(config), &name),
        &topics,
        Limits {
            records: config.flow.batch_records,
            bytes: config.flow.batch_bytes,
        },
        kafka::decoder(config),
    )
    .map_err(FlowFailure::Kafka)?;
    tracing::info!(
        worker = %name,
        topics = topics.len(),
        group = flow.group(config),
        "{} flow started",
        flow.name()
    );

    let (reports, seen_reports) = watch::channel(Report::default());
    let (watched, seen_watched) = watch::channel(Watched::default());
    let watching = tokio::spawn(watch(
        flow,
        config.clone(),
        name.clone(),
        seen_reports.clone(),
        watched,
        shutdown.clone(),
    ));
    let publishing = tokio::spawn(publish(publisher, seen_reports, seen_watched, shutdown.clone()));

    let kafka::Consumer {
        events,
        commands,
        thread,
    } = consumer;
    let mut engine = Engine::new(
        flow,
        Pace::of(flow, config),
        sink,
        events,
        commands.clone(),
        reports,
        name,
    )
    .with_widths(widths);
    let limit = Duration::from_millis(config.flow.shutdown_ms);
    let deadline = async {
        shutdown.triggered().await;
        tokio::time::sleep(limit).await;
    };
    let ending = async {
        let result = engine.run(shutdown).await;
        // The events end here, the reports too; what hangs on them ends by itself.
        drop(engine);
        if commands.send(Command::Stop).is_err() {
            tracing::debug!("the Kafka thread has already ended");
        }
        watching.abort();
        let left = tokio::task::spawn_blocking(move || thread.join());
        // After a failure nobody asked for a stop, so the deadline above does not run.
        let both = async { tokio::join!(left, publishing) };
        match tokio::time::timeout(limit, both).await {
            Ok((Ok(Ok(())), _)) => tracing::info!("left the consumer group"),
            Ok(_) => tracing::warn!("the Kafka thread ended with a panic"),
            Err(_) => tracing::warn!("Kafka did not let this worker leave the group in time"),
        }
        result
    };
    tokio::select! {
        result = ending => result,
        () = deadline => {
            tracing::warn!("the stop took longer than {} ms: ending without waiting; nothing is lost", limit.as_millis());
            Ok(())
        }
    }
}

/// Name of this worker in its group, in health and in the brokers' logs: host, process and start.
pub fn name() -> String {
    let host = nix::unistd::gethostname()
        .ok()
        .and_then(|host| host.into_string().ok())
        .unwrap_or_else(|| "host".into());
    format!("{host}-{}-{}", std::process::id(), Utc::now().timestamp())
}

/// The topics, once Kafka answers; `None` when a stop was asked for before.
async fn wait_for_topics(
    config: &Config,
    name: &str,
    shutdown: &Shutdown,
) -> Result<Option<ReadableTopics>, FlowFailure> {
    let mut backoff = Backoff::default();
    let mut tries = 0_u32;
    loop {
        let (asked, client) = (config.clone(), name.to_owned());
        let answer = tokio::select! {
            () = shutdown.triggered() => return Ok(None),
            answer = tokio::task::spawn_blocking(move || kafka::readable(&asked, &client)) => answer,
        };
        match answer {
            Ok(Ok(Some(topics))) => return Ok(Some(topics)),
            Ok(Ok(None)) => {}
            Ok(Err(failure)) => return Err(FlowFailure::Kafka(failure)),
            Err(error) => {
                return Err(FlowFailure::Kafka(KafkaFailure {
                    what: format!("asking Kafka for its topics failed: {error}"),
                    hint: "this is a defect of instashop".into(),
                }));
            }
        }
        if tries.is_multiple_of(REMIND) {
            tracing::warn!("waiting for kafka at {}", config.kafka.brokers);
        }
        tries += 1;
        tokio::select! {
            () = shutdown.triggered() => return Ok(None),
            () = tokio::time::sleep(backoff.next()) => {}
        }
    }
}
