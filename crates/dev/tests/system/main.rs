//! The whole system on real servers: sources, Debezium, Kafka, both flows, both stores, the dashboard.
//!
//! One stack serves all tests. Each test brings the system into the state it needs, so that one can run alone; they
//! run one at a time (`--test-threads=1`). `zz_the_demo_comes_up_proven_and_stop_leaves_no_process` comes last and takes everything down. Nothing
//! is skipped: without the servers' programs the first test fails.
#![cfg(feature = "stack-tests")]

mod bed;
mod faults;
mod figures;
mod messages;
mod oracle;
mod sealed;
