//! The System tab.

pub(super) mod charts;
pub(super) mod flow;
pub(super) mod quality;
pub(super) mod tables;
