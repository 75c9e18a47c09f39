//! What is done to the system, by the part it is done to.

pub(super) mod brokers;
pub(super) mod capture;
pub(super) mod live_store;
pub(super) mod records;
pub(super) mod sources;
pub(super) mod warehouse;
pub(super) mod workers;
