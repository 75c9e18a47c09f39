//! The same board without a screen: one picture or one JSON document, and an exit code that says how things are.
//!
//! - `boards`: the panels over the marts for programs, as JSON and as CSV
//! - `json`: the contract for programs
//! - `plain`: sentences for screen readers
//! - `svg`: a picture for a page
//! - `text`: characters, with or without colours

pub mod boards;
mod json;
mod plain;
mod svg;
mod text;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::{App, Tab};
use crate::snapshot::{Condition, Drift};
use crate::ui;

/// Form of the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// Characters alone.
    Text,
    /// Characters with colours.
    Ansi,
    /// Values with base, age and source.
    Json,
    /// The tables of a tab, one after the other.
    Csv,
    /// Sentences, for screen readers.
    Plain,
    /// A picture in one file.
    Svg,
}

/// How things are, as an exit code (docs: dashboard, exit codes).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// All sources fresh, drift proven 0.
    Healthy,
    /// Drift is broken.
    Critical,
    /// A source is missing or too old to judge, or nothing is proven.
    Unknown,
}

impl Status {
    /// Judges a board.
    pub fn of(app: &App) -> Self {
        let (data, now) = app.pipeline();
        if matches!(data.drift(now), Drift::Broken(_)) {
            return Self::Critical;
        }
        let live = data.live_condition(now);
        let fresh = matches!(live, Condition::Live | Condition::Late(_));
        let proven = matches!(data.drift(now), Drift::Proven(_));
        if fresh && proven && data.warehouse.down.is_none() && app.failed_part().is_none() {
            Self::Healthy
        } else {
            Self::Unknown
        }
    }

    /// Exit code.
    pub const fn code(self) -> u8 {
        match self {
            Self::Healthy => 0,
            Self::Critical => 2,
            Self::Unknown => 3,
        }
    }

    /// Word in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Critical => "critical",
            Self::Unknown => "unknown",
        }
    }
}

/// True while a sentence of the visible tab would say that its figures are still awaited.
pub fn awaits(app: &App) -> bool {
    plain::awaits(app)
}

/// Draws the board into a buffer of the app's size.
pub fn picture(app: &App) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, app.size.0, app.size.1));
    ui::draw(app, &mut buffer);
    buffer
}

/// The characters of a part of a picture, blanks at the end of lines left out.
pub fn area_text(buffer: &Buffer, area: Rect) -> String {
    let mut part = Buffer::empty(buffer.area.intersection(area));
    for (at, cell) in part.area.positions().zip(&mut part.content) {
        cell.clone_from(&buffer[at]);
    }
    text::plain(&part)
}

/// The picture as coloured characters, for leaving it on the screen.
pub fn ansi(buffer: &Buffer) -> String {
    text::ansi(buffer)
}

/// The output for some tabs, ending with a line break.
pub fn output(app: &App, tabs: &[Tab], format: Format) -> String {
    let mut app = app.clone();
    let mut parts: Vec<String> = Vec::new();
    let mut documents = Vec::new();
    for tab in tabs {
        app.tab = *tab;
        match format {
            Format::Json => documents.push(json::document(&app)),
            Format::Plain => parts.push(plain::plain(&app)),
            Format::Csv => parts.push(boards::csv(&app)),
            Format::Text => parts.push(text::plain(&picture(&app))),
            Format::Ansi => parts.push(text::ansi(&picture(&app))),
            Format::Svg => parts.push(svg::svg(&picture(&app), &app.look.theme)),
        }
    }
    if format == Format::Json {
        let document = match documents.as_slice() {
            [one] => one.clone(),
            _ => serde_json::Value::Array(documents),
        };
        return format!("{document:#}\n");
    }
    parts.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::{Scene, Shop};
    use crate::look::{Look, Wanted};
    use crate::snapshot::Rhythm;
    use chrono::{DateTime, Utc};
    use instashop_core::config::{Dashboard, Meaning};
    use std::sync::{Mutex, OnceLock};

    const ASK: instashop_core::view::Ask = instashop_core::view::Ask {
        range: instashop_core::view::Range::Days(30),
        basis: instashop_core::view::Basis::Previous,
        store: None,
    };

    fn shop() -> &'static Mutex<Shop> {
        static SHOP: OnceLock<Mutex<Shop>> = OnceLock::new();
        SHOP.get_or_init(|| Mutex::new(Shop::new(7, Meaning::default().tz())))
    }

    fn app(scene: Scene) -> App {
        let now: DateTime<Utc> = "2026-08-21T17:05:02Z".parse().unwrap();
        let look = Look::resolve(
            &Wanted::default(),
            &Dashboard::default(),
            &Meaning::default(),
            |_| None,
        );
        let rhythm = Rhythm::from_config(&Dashboard::default());
        let snapshot = shop().lock().unwrap().snapshot(rhythm, scene, now, ASK);
        let mut app = App::new(look, snapshot, (80, 24), Tab::Live, true);
        app.now = now;
        app
    }

    #[test]
    fn exit_codes() {
        for scene in Scene::ALL {
            let expected = match scene {
                // Live has its own questions.
                Scene::Full | Scene::QueryFailed => 0,
                Scene::Broken => 2,
                _ => 3,
            };
            assert_eq!(Status::of(&app(scene)).code(), expected, "{scene:?}");
        }
    }

    #[test]
    fn exported_text_is_the_screen() {
        let app = app(Scene::Full);
        let text = output(&app, &[Tab::Live], Format::Text);
        let buffer = picture(&app);
        for (y, line) in text.lines().enumerate() {
            let drawn: String = (0..80).map(|x| buffer[(x, y as u16)].symbol()).collect();
            assert_eq!(line, drawn.trim_end(), "row {y}");
        }
        assert_eq!(text.lines().count(), 24);
        assert_eq!(
            output(&app, &Tab::ALL, Format::Text).lines().count(),
            24 * 11 + 10
        );
    }

    #[test]
    fn sentences_of_each_tab_draw_nothing() {
        for tab in Tab::ALL {
            let text = output(&app(Scene::Full), &[tab], Format::Plain);
            let drawn: String = text
                .chars()
                .filter(|c| matches!(c, '\u{2190}'..='\u{21ff}' | '\u{2500}'..='\u{28ff}'))
                .collect();
            assert_eq!(drawn, "", "{tab:?}");
            insta::assert_snapshot!(format!("plain_{}", tab.name()), text);
        }
    }

    #[test]
    fn svg_is_well_formed_and_keeps_hostile_names_as_text() {
        let mut app = app(Scene::Full);
        let mut live = app.snapshot.live.get().unwrap().clone();
        live.products[0].name = "<script>&\"'\u{1b}[2J".into();
        app.snapshot.live.value = Some(std::sync::Arc::new(live));
        let svg = output(&app, &[Tab::Live], Format::Svg);
        assert!(svg.starts_with("<svg ") && svg.trim_end().ends_with("</svg>"));
        assert!(!svg.contains("<script") && !svg.contains('\u{1b}'));
        assert!(svg.contains("&lt;script"));
    }

    #[test]
    fn json_of_each_tab() {
        for tab in Tab::ALL {
            insta::assert_snapshot!(
                format!("json_{}", tab.name()),
                output(&app(Scene::Full), &[tab], Format::Json)
            );
        }
        insta::assert_snapshot!(
            "json_live_redis_down",
            output(&app(Scene::RedisDown), &[Tab::Live], Format::Json)
        );
    }
}
