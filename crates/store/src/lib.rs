//! The two databases of InstaShop Analytics: the warehouse (PostgreSQL) and the live store (Redis).
//!
//! Architecture invariant: every table name, SQL text, Redis key and Lua script of the product lives in this crate and
//! nowhere else; held by `instashop-dev tidy`. The crate never links Kafka.

#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod config;
pub mod error;
pub mod fail_point;
pub mod live;
pub mod measures;
#[cfg(any(test, feature = "test-support"))]
pub mod memory;
mod postgres;
pub mod sink;
pub mod source;
pub mod warehouse;

pub use error::{Kind, StoreError};
pub use postgres::SetupStep;
pub use sink::Sink;
