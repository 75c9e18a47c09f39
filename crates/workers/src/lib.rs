//! The headless processes of InstaShop Analytics, as one binary `instashop` with subcommands.
//!
//! Architecture invariant: no SQL text and no Redis key here; both flows share one loop and differ only in their sink.

pub mod cli;
pub mod dead_letters;
pub mod etl;
pub mod flow;
pub mod kafka;
pub mod metrics;
pub mod rebuild;
pub mod setup;
pub mod shutdown;
pub mod status;
pub mod supervise;
pub mod sweep;
pub mod telemetry;
pub mod verify;
