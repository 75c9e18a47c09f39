//! What the numbers of InstaShop Analytics mean: decoding of change events, the order of changes, contributions to
//! totals, and the plain values that screens show.
//!
//! Architecture invariant: this crate has no I/O, no async and no clock. `now` is an argument, randomness does not
//! occur, and nothing here knows that PostgreSQL, Redis or Kafka exist beyond the shape of their records. Held by the
//! lints of `clippy.toml` in this crate, by `cargo tree` in `make test` and by `instashop-dev tidy`.

#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod alerts;
pub mod assignment;
pub mod batch;
pub mod breaker;
pub mod catalogue;
pub mod change;
pub mod checkpoint;
pub mod config;
pub mod contribution;
pub mod debezium;
pub mod fold;
pub mod forecast;
pub mod latency;
pub mod live;
pub mod money;
pub mod order;
pub mod position;
pub mod proof;
pub mod schedule;
pub mod schema_drift;
pub mod table;
pub mod view;
pub mod visits;
