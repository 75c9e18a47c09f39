//! The live store against a real Redis that the tests start themselves.

#![cfg(feature = "stack-tests")]
#![allow(unreachable_pub, missing_docs, clippy::pedantic)]

#[path = "../../../core/tests/live_protocol/batches.rs"]
mod batches;
#[path = "../../../core/tests/live_protocol/cells.rs"]
mod cells;
#[path = "../../../core/tests/live_protocol/connector.rs"]
mod connector;
#[path = "../../../core/tests/live_protocol/oracle.rs"]
mod oracle;
#[path = "../../../core/tests/live_protocol/random.rs"]
mod random;
#[path = "../../../core/tests/live_protocol/shop.rs"]
mod shop;
#[path = "../../../core/tests/live_protocol/timelines.rs"]
mod timelines;

mod answers;
mod changes;
mod faults;
mod fleet;
mod histories;
mod original;
mod publishing;
mod reading;
mod restarts;
mod server;
mod users;
