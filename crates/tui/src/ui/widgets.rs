//! The widgets of the dashboard: bars in eighths, curves in braille, big digits, tiles, rules, tables, the tab bar.
//!
//! Those of ratatui round to whole cells, drop the newest points or panic on a ratio above one (docs: dashboard,
//! widgets), so these are our own. Each draws into any area, down to none, and clips what does not fit.

pub mod axis;
pub mod bars;
pub mod columns;
pub mod curve;
pub mod digits;
pub mod grid;
pub mod heat;
pub mod rule;
pub mod spark;
pub mod tabs;
pub mod tile;
