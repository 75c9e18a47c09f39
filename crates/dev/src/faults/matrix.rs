//! The fault matrix: what is played, and what is held elsewhere or not at all, with the reason (docs: reliability 10).

use std::time::Duration;

use color_eyre::eyre::Result;

use super::field::Field;
use super::scenarios::{brokers, capture, live_store, records, sources, warehouse, workers};

/// One fault and what is expected of it: everything caught up again within the limit, and drift 0.
pub(super) struct Scenario {
    pub(super) name: &'static str,
    /// One line for people.
    pub(super) about: &'static str,
    /// Part of the run that every `make test` makes.
    pub(super) quick: bool,
    /// Brokers it needs.
    pub(super) brokers: u8,
    /// Longest recovery after the fault is over.
    pub(super) limit: Duration,
    /// Brings the fault about; gives a remark for the table.
    pub(super) play: fn(&mut Field<'_>) -> Result<String>,
}

impl std::fmt::Debug for Scenario {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

const fn scenario(
    name: &'static str,
    about: &'static str,
    play: fn(&mut Field<'_>) -> Result<String>,
) -> Scenario {
    Scenario {
        name,
        about,
        quick: false,
        brokers: 1,
        limit: Duration::from_mins(1),
        play,
    }
}

impl Scenario {
    const fn quick(mut self) -> Self {
        self.quick = true;
        self
    }

    const fn three_brokers(mut self) -> Self {
        self.brokers = 3;
        self.limit = Duration::from_mins(3);
        self
    }

    const fn within(mut self, seconds: u64) -> Self {
        self.limit = Duration::from_secs(seconds);
        self
    }
}

/// Every scenario, in the order in which they are played.
pub(super) const SCENARIOS: &[Scenario] = &[
    scenario(
        "worker-killed-at-every-step",
        "a worker dies at each step of both protocols",
        workers::killed_at_every_step,
    )
    .quick(),
    scenario(
        "worker-taken-over",
        "kill -9 of one of two workers; the other has everything within 10 s",
        workers::taken_over,
    )
    .quick(),
    scenario(
        "worker-zombie",
        "SIGSTOP past the session, another takes over, SIGCONT",
        workers::zombies,
    )
    .quick(),
    scenario(
        "worker-frozen-in-transaction",
        "SIGSTOP with a written, uncommitted transaction",
        workers::frozen_in_a_transaction,
    ),
    scenario(
        "worker-rebalance-storm",
        "a third worker of each flow comes and goes every 2 s",
        workers::rebalanced_every_two_seconds,
    ),
    scenario(
        "worker-stopped-100-times",
        "SIGTERM under load, each within 10 s with exit code 0",
        workers::stopped_a_hundred_times,
    )
    .quick(),
    scenario(
        "worker-stopped-twice",
        "a second SIGTERM right behind the first",
        workers::stopped_twice,
    ),
    scenario(
        "redis-flushed",
        "FLUSHALL under load: the totals are built anew",
        live_store::emptied,
    )
    .quick(),
    scenario(
        "redis-killed",
        "kill -9 loses up to a second of writes",
        live_store::killed,
    )
    .quick(),
    scenario(
        "redis-restarted",
        "SIGTERM and start: scripts are loaded again",
        live_store::restarted,
    ),
    scenario(
        "redis-away",
        "Redis down for a minute; the warehouse goes on",
        live_store::away,
    ),
    scenario(
        "redis-rolled-back",
        "an older state comes back, as after a failover",
        live_store::rolled_back,
    )
    .quick(),
    scenario(
        "redis-full",
        "out of memory: scripts are refused whole",
        live_store::full,
    ),
    scenario(
        "redis-blocked",
        "no answer for seconds under high load; memory stays bounded",
        live_store::blocked,
    ),
    scenario(
        "redis-evicting",
        "allkeys-lru: a worker refuses to start",
        live_store::evicting,
    ),
    scenario(
        "redis-keys-deleted",
        "a total deleted by hand: verify sees it, rebuild repairs it",
        live_store::keys_deleted,
    ),
    scenario(
        "redis-network",
        "answers of the script lost, silence, cuts, slowness",
        live_store::network,
    )
    .quick(),
    scenario(
        "warehouse-killed",
        "immediate stop and crash recovery",
        warehouse::killed,
    )
    .quick(),
    scenario(
        "warehouse-away",
        "PostgreSQL down for a minute; the live flow goes on",
        warehouse::away,
    ),
    scenario(
        "warehouse-locked",
        "somebody holds the tables for 15 s",
        warehouse::locked,
    ),
    scenario(
        "warehouse-sessions-ended",
        "pg_terminate_backend every 200 ms",
        warehouse::sessions_ended,
    ),
    scenario(
        "warehouse-network",
        "answers of COMMIT lost, silence, cuts, slowness",
        warehouse::network,
    )
    .quick(),
    scenario(
        "warehouse-disk-full",
        "a full disk under a table: wait, then go on",
        warehouse::disk_full,
    ),
    scenario(
        "warehouse-failed-over",
        "primary dies, a standby that lags is promoted",
        warehouse::failed_over,
    ),
    scenario(
        "topic-made-anew",
        "a topic is deleted and created again",
        brokers::topic_made_anew,
    )
    .within(120),
    scenario(
        "topic-expired",
        "retention passed the checkpoints of both flows",
        brokers::records_expired,
    )
    .within(120),
    scenario(
        "topic-widened",
        "a topic gets more partitions: refused aloud",
        brokers::topic_widened,
    )
    .within(120),
    scenario(
        "broker-restarted",
        "the only broker stops and starts",
        brokers::restarted,
    ),
    scenario("broker-killed", "kill -9 of the only broker", brokers::killed),
    scenario(
        "broker-frozen",
        "the only broker is silent past every session",
        brokers::frozen,
    ),
    scenario(
        "connect-killed-in-burst",
        "kill -9 at 400 events a second: replays at new offsets",
        capture::killed_in_a_burst,
    )
    .quick()
    .within(120),
    scenario(
        "connect-restarted",
        "all connectors and their tasks",
        capture::restarted,
    ),
    scenario(
        "connect-cut-off",
        "the connections to the sources are cut again and again",
        capture::cut_off,
    )
    .within(120),
    scenario(
        "connect-offsets-lost",
        "the topic with Connect's offsets is deleted",
        capture::offsets_lost,
    )
    .within(180),
    scenario(
        "source-read-anew",
        "a connector forgets its offsets: full snapshot",
        capture::read_anew,
    )
    .within(180),
    scenario(
        "source-incremental-snapshot",
        "by a row in the signal table, under load",
        capture::incremental_snapshot,
    )
    .within(120),
    scenario(
        "source-slot-lost",
        "slot dropped, rows deleted unseen: setup, snapshot, sweep",
        capture::slot_lost,
    )
    .within(180),
    scenario(
        "source-log-limit",
        "the source throws away the log a slot needs",
        capture::log_limit,
    )
    .within(180),
    scenario(
        "source-killed",
        "the largest source dies and recovers",
        sources::killed,
    )
    .within(120),
    scenario(
        "source-truncated",
        "refused by the trigger; forced, seen and swept",
        sources::truncated,
    ),
    scenario(
        "source-column-added",
        "columns added, retyped and dropped under load",
        sources::column_added,
    ),
    scenario(
        "source-column-lost",
        "a needed column is renamed: that table stops alone",
        sources::column_lost,
    ),
    scenario(
        "source-large-values",
        "unchanged large values are left out by updates",
        sources::large_values_left_out,
    ),
    scenario(
        "source-categories-moved",
        "every product changes its category while orders run",
        sources::categories_moved,
    )
    .quick(),
    scenario(
        "source-late-data",
        "orders of hours, days and years ago change",
        sources::late_data,
    ),
    scenario(
        "records-poisoned",
        "every kind of record that cannot be used",
        records::poisoned,
    )
    .quick(),
    scenario(
        "redis-million-orders",
        "a million orders are built anew from the topics within 2 min",
        live_store::million_orders,
    )
    .within(180),
    scenario(
        "brokers-one-lost-with-its-disk",
        "1 of 3 dies, comes back empty",
        brokers::one_lost_with_its_disk,
    )
    .three_brokers(),
    scenario(
        "brokers-two-lost",
        "2 of 3 die: no writes until one is back",
        brokers::two_lost,
    )
    .three_brokers(),
    scenario(
        "brokers-each-in-turn",
        "every leader and every coordinator moves",
        brokers::each_in_turn,
    )
    .three_brokers(),
];

/// Rows of the fault matrix that no scenario plays: what holds them, or why there is nothing to play.
pub(super) const ELSEWHERE: &[(&str, &str)] = &[
    (
        "COMMIT answered with ROLLBACK",
        "test a_commit_that_fails_in_every_way_is_repeated_without_loss_or_doubling",
    ),
    (
        "lines before their order, lines that move, deletes with only the key, expired buckets",
        "tests every_history_ends_in_the_recount and pitfall_22_no_order_across_topics",
    ),
    (
        "two workers on one order",
        "worker-rebalance-storm counts conflicts; test every_history_ends_in_the_recount",
    ),
    (
        "Redis failover with Sentinel",
        "no Sentinel client yet; redis-rolled-back plays what a failover to an older replica leaves behind",
    ),
    (
        "a new contribution version",
        "test a_rebuild_on_demand_makes_every_worker_begin_anew and the version checks of the script's answers",
    ),
    (
        "a topic made anew that has already passed the old checkpoint",
        "not noticed: the client library does not give a topic's id; topic-made-anew plays the other case",
    ),
    (
        "compaction overtakes a flow that was away",
        "test a_flow_that_was_away_for_longer_than_the_retention_begins_again; topic-expired plays the gap",
    ),
    (
        "failover of a source",
        "a source has no standby here; source-slot-lost plays what it means for capture",
    ),
    (
        "a broker's disk is full",
        "a broker that cannot write stops: broker-killed; the log held back at a source: source-log-limit",
    ),
    (
        "network between a worker and Kafka",
        "brokers tell clients their own address, past any proxy; broker-frozen plays the silence",
    ),
    (
        "sealing interrupted, sealed days changed late",
        "no days are sealed before there is a daily run",
    ),
    ("the race of dirty mart keys", "there are no marts yet"),
    (
        "clock skew",
        "there is no collector yet; the flows take times from the events alone",
    ),
    ("DNS, certificates", "no connection uses TLS yet"),
    (
        "two deployments with one group",
        "epochs refuse the older one: worker-zombie; test pitfall_20_a_zombie_is_fenced_and_its_batch_changes_nothing",
    ),
    ("old and new program side by side", "there is one version so far"),
];
