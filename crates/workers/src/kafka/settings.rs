//! Settings of the Kafka client (docs: reliability 8).

use instashop_core::config::Config;
use rdkafka::ClientConfig;
use rdkafka::config::RDKafkaLogLevel;

/// The consumer of a flow. `client` names this process in the broker's logs.
pub fn consumer(config: &Config, group: &str, client: &str) -> ClientConfig {
    let mut settings = probe(config, client);
    settings
        .set("group.id", group)
        // Checkpoints live in the sink, in the same write as the data; what is committed here is a hint.
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        // The default silently skips to the end. The worker says where to begin, always.
        .set("auto.offset.reset", "error")
        .set("isolation.level", "read_committed")
        .set("check.crcs", "true")
        // Range puts the same partition numbers of two topics on one worker: header and lines of an order meet less
        // often on two. The classic protocol with it is eager, which the consumer thread relies on.
        .set("group.protocol", "classic")
        .set("partition.assignment.strategy", "range")
        .set("session.timeout.ms", "6000")
        .set("heartbeat.interval.ms", "1000")
        .set("max.poll.interval.ms", "300000")
        // Memory of the client's own queue; the flow's bound comes on top.
        .set("queued.max.messages.kbytes", "16384")
        .set("queued.min.messages", "20000")
        // The default of one second after a full queue would make the flow stutter under load.
        .set("fetch.queue.backoff.ms", "10")
        .set("fetch.wait.max.ms", "250")
        .set("fetch.error.backoff.ms", "100")
        .set("statistics.interval.ms", "1000");
    settings
}

/// A client without a group, for questions about the cluster.
pub fn probe(config: &Config, client: &str) -> ClientConfig {
    let mut settings = ClientConfig::new();
    settings
        .set("bootstrap.servers", &config.kafka.brokers)
        .set("client.id", client)
        .set("reconnect.backoff.ms", "50")
        .set("reconnect.backoff.max.ms", "2000")
        .set("socket.keepalive.enable", "true")
        // A broker that vanishes without a word is noticed within this time.
        .set("socket.timeout.ms", "10000")
        .set_log_level(RDKafkaLogLevel::Warning);
    settings
}
