//! The Live tab.

pub(super) mod charts;
pub(super) mod doing;
pub(super) mod firing;
pub(super) mod lists;
pub(super) mod mix;
pub(super) mod tape;
pub(super) mod tiles;
