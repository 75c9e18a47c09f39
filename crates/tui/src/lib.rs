//! The terminal dashboard of InstaShop Analytics.
//!
//! Architecture invariant: this crate links neither rdkafka nor the workers; it reads Redis and the warehouse through
//! `instashop_store` alone, writes neither, and holds no SQL and no Redis key. `feed` is the only module that waits for a
//! store, `session` the only one that waits for the terminal; `app::App::update` and `ui::draw` are pure.
//!
//! - `cli`: flags and subcommands
//! - `session`: the loop of one screen; `event`: what wakes it; `terminal`: the way onto it and off it
//! - `flat`: the same session in sentences, for screen readers
//! - `feed`: one task per store; `snapshot`: what they told, with times and states
//! - `clipboard`: what is copied, as the terminal takes it
//! - `app`: state and update; `keys`: the table of keys
//! - `reading`, `metrics`: values with base, source and age
//! - `courses`: what the charts show, and where a cursor stands in it
//! - `board`: what the panels of the tabs over the marts hold; `sheet`: the same as data, for drawing and for export
//! - `ui`: the picture; `look`, `theme`, `glyphs`, `lang`, `format`, `text`: how it looks
//! - `place`: what a board shows as text: links, and the words of flags and of the prompt
//! - `once`: the same picture without a terminal; `demo`: a generated shop

#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

pub mod app;
pub mod board;
pub mod cli;
pub mod clipboard;
pub mod courses;
pub mod demo;
pub mod event;
pub mod feed;
pub mod flat;
pub mod format;
pub mod glyphs;
pub mod keys;
pub mod lang;
pub mod look;
pub mod metrics;
pub mod once;
pub mod place;
pub mod reading;
pub mod session;
pub mod sheet;
pub mod snapshot;
pub mod terminal;
pub mod text;
pub mod theme;
pub mod ui;
