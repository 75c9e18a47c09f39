//! The Live tab.

pub(super) mod charts;
pub(super) mod lists;
pub(super) mod mix;
pub(super) mod tape;
pub(super) mod tiles;
