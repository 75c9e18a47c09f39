//! The picture: a pure function of the state. It reads no clock, waits for nothing and writes into a buffer.
//!
//! ```text
//!  header: product, scope, mode, base ................ age of each source, drift
//! [1 Live]2 Sales 0 System
//! ─ Panel ● ──────────── note ─ ─ Panel ◆ ──────────────────────────── note ─
//!  body: panels of the tab (`layout`), or one panel when zoomed, or an overlay
//!  foot: the keys that work here
//! ```
//!
//! - `layout`: which panel stands where
//! - `pen`: the one way onto the screen
//! - `frame`: rule and state of a panel
//! - `header`: first and last row
//! - `hit`: what the pointer is on
//! - `live`, `sales`, `system`: the tabs
//! - `sheets`: the tabs over the marts
//! - `difference`: what lies between a range and its base
//! - `prompt`: the line of the command prompt and what would go on from it
//! - `help`, `explain`, `orders`, `stores`: above the tabs
//! - `chart`: a course with cursor and span
//! - `compact`: small windows
//! - `widgets`: bars, curves, tiles, tables

mod chart;
mod compact;
mod difference;
mod explain;
mod find;
mod frame;
mod header;
mod help;
pub mod hit;
pub mod layout;
mod live;
mod orders;
pub mod pen;
mod prompt;
mod sales;
mod sheets;
mod stores;
mod system;
pub mod widgets;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::{App, Overlay, Subject};
use crate::glyphs::{Glyphs, to_ascii};
use frame::View;
use hit::Hit;
use layout::{Kind, Panel};
use pen::Pen;
use widgets::tabs::tabs;

/// Draws the state into a buffer of any size.
pub fn draw(app: &App, buffer: &mut Buffer) {
    paint(app, buffer, &mut Vec::new());
}

/// Draws, and notes what stands where.
fn paint(app: &App, buffer: &mut Buffer, hits: &mut Vec<(Rect, Hit)>) {
    let area = buffer.area;
    let size = (area.width, area.height);
    let view = View::new(app);
    let mut pen = Pen::noting(buffer, &app.look, hits);
    pen.clear(area);
    match layout::kind(size) {
        Kind::TooSmall => compact::notice(&view, &mut pen, area),
        Kind::Compact => compact::list(&view, &mut pen, area),
        Kind::Full => full(&view, &mut pen, area),
    }
    if let Some(Overlay::Prompt(line)) = &app.overlay {
        prompt::prompt(&view, &mut pen, area, line);
    }
    // Cells behind a wide character were reset and have lost the background.
    if app.look.theme.paints_background {
        let base = app.look.theme.base();
        for cell in &mut buffer.content {
            if cell.bg == ratatui::style::Color::Reset {
                cell.bg = base.bg.unwrap_or_default();
            }
        }
    }
    if app.look.glyphs == Glyphs::Ascii {
        to_ascii(buffer);
    }
}

fn full(view: &View<'_>, pen: &mut Pen<'_>, area: Rect) {
    let size = (area.width, area.height);
    header::header(view, pen, Rect { height: 1, ..area });
    tabs(pen, Rect::new(0, 1, area.width, 1), view.app.tab, {
        let (data, now) = view.app.pipeline();
        data.firing(now)
    });
    let body = layout::body(size);
    match (&view.app.overlay, view.app.focused()) {
        (Some(Overlay::Help(page)), _) => help::help(view, pen, body, page),
        (Some(Overlay::Explain(Subject::Own(metric))), _) => explain::explain(view, pen, body, *metric),
        (Some(Overlay::Explain(Subject::Catalogued(id))), _) => explain::catalogued(view, pen, body, id),
        (Some(Overlay::Orders(of, at)), _) => orders::orders(view, pen, body, of, *at),
        (Some(Overlay::Difference(by, at)), _) => difference::difference(view, pen, body, *by, *at),
        (Some(Overlay::Row(piece)), _) => sheets::values(view, pen, body, *piece),
        (Some(Overlay::Stores(page)), _) => stores::stores(view, pen, body, page),
        (Some(Overlay::Failure(store)), _) => explain::failure(view, pen, body, *store),
        (_, Some(panel)) if view.app.zoom => draw_panel(view, pen, body, panel),
        _ => {
            for (panel, area) in layout::panels(view.app.tab, size) {
                draw_panel(view, &mut pen.within(area), area, panel);
            }
        }
    }
    header::foot(view, pen, Rect::new(0, area.height - 1, area.width, 1));
}

fn draw_panel(view: &View<'_>, pen: &mut Pen<'_>, area: Rect, panel: Panel) {
    pen.note(area, Hit::Panel(panel));
    match panel {
        Panel::Tiles => live::tiles::tiles(view, pen, area),
        Panel::Minutes => live::charts::minutes(view, pen, area),
        Panel::Hours => live::charts::hours(view, pen, area, Panel::Hours),
        Panel::Payments => live::mix::payments(view, pen, area),
        Panel::Behaviour => live::mix::behaviour(view, pen, area),
        Panel::Doing => live::doing::doing(view, pen, area),
        Panel::Firing => live::firing::alerts(view, pen, area),
        Panel::Tape => live::tape::tape(view, pen, area),
        Panel::Categories => live::lists::categories(view, pen, area),
        Panel::Products => live::lists::products(view, pen, area),
        Panel::Figures => sales::figures::figures(view, pen, area),
        Panel::Trend => sales::trend::trend(view, pen, area),
        Panel::Ranking => sales::ranking::ranking(view, pen, area),
        Panel::Regions => sales::regions::regions(view, pen, area),
        Panel::Heat => sales::heat::pattern(view, pen, area),
        Panel::Latest => sales::latest::latest(view, pen, area),
        Panel::Pipeline => system::flow::pipeline(view, pen, area),
        Panel::Flow => system::flow::flow(view, pen, area),
        Panel::Lag => system::charts::lag(view, pen, area),
        Panel::Latency => system::charts::latency(view, pen, area, Panel::Latency),
        Panel::WarehouseLatency => system::charts::latency(view, pen, area, Panel::WarehouseLatency),
        Panel::Proof => system::tables::proof(view, pen, area),
        Panel::Quality => system::quality::quality(view, pen, area),
        Panel::Partitions => system::tables::partitions(view, pen, area),
        Panel::Connectors => system::tables::connectors(view, pen, area),
        Panel::Workers => system::tables::workers(view, pen, area),
        Panel::Of(piece) => sheets::panel(view, pen, area, piece),
    }
}

/// Rows of the list of a panel, for scrolling.
pub fn rows_of(app: &App, panel: Panel) -> usize {
    let (data, now) = app.shown();
    let today = data.today(now, app.look.zone);
    match panel {
        Panel::Tape => data.live.get().map_or(0, |live| live.tape.len()),
        Panel::Categories => today.map_or(0, |today| today.categories.len()),
        Panel::Products => today.map_or(0, |today| today.products.len()),
        Panel::Payments => today.map_or(0, |today| today.payments.len()),
        Panel::Behaviour => data.behaviour().len(),
        Panel::Ranking => data.sales.get().map_or(0, |sales| {
            let find = app.filter(panel);
            crate::snapshot::sales::ranked(&sales.categories, find, app.order(panel)).len()
        }),
        Panel::Regions => data.sales.get().map_or(0, |sales| sales.regions.len()),
        Panel::Latest => data.sales.get().map_or(0, |sales| {
            crate::snapshot::sales::latest(sales, app.filter(panel)).len()
        }),
        Panel::Proof => {
            let proof = data
                .warehouse_system
                .get()
                .and_then(|system| system.proof.as_ref());
            proof.map_or(0, |proof| proof.lines.len())
        }
        Panel::Partitions => system::tables::partition_rows(data).len(),
        Panel::Connectors => crate::snapshot::pipeline::sources(data).len(),
        Panel::Workers => {
            let live = data
                .live_system
                .get()
                .map_or(0, |system| system.flow.workers.len());
            live + data
                .warehouse_system
                .get()
                .map_or(0, |system| system.flow.workers.len())
        }
        Panel::Of(piece) => crate::board::with_table(app, piece, |_, rows| rows.len()).unwrap_or(0),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::pen::Pen;
    use super::widgets::columns::{Bar, Columns, columns};
    use super::widgets::curve::{Cursor, Curve, Series, curve};
    use super::widgets::grid::{Column, Grid, select};
    use super::widgets::rule::{Rule, rule};
    use super::widgets::tile::{Face, tile};
    use super::widgets::{bars, digits, heat, spark, tabs};
    use crate::app::Tab;
    use crate::look::{Look, Wanted};
    use crate::theme::Role;
    use instashop_core::config::{Dashboard, Meaning};
    use proptest::prelude::*;
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;

    fn look(ascii: bool) -> Look {
        let wanted = Wanted {
            glyphs: Some(if ascii { "ascii" } else { "unicode" }.into()),
            ..Wanted::default()
        };
        Look::resolve(&wanted, &Dashboard::default(), &Meaning::default(), |_| None)
    }

    fn odd() -> impl Strategy<Value = Option<f64>> {
        prop_oneof![
            3 => (-1e3..1e6).prop_map(Some),
            1 => Just(None),
            1 => prop::sample::select(vec![
                Some(0.0), Some(-0.0), Some(f64::NAN), Some(f64::INFINITY), Some(f64::NEG_INFINITY),
                Some(f64::MAX), Some(f64::MIN_POSITIVE), Some(-5.0),
            ]),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

        /// No widget panics at any size or value, and none writes outside the area it was given.
        #[test]
        fn widgets_stay_inside_and_never_panic(
            width in 0_u16..200, height in 0_u16..60, x in 0_u16..30, y in 0_u16..12, ascii: bool,
            points in prop::collection::vec(odd(), 0..150), base in prop::collection::vec(odd(), 0..150),
            pointed in prop::option::of(0_usize..200), part in any::<i64>(), whole in any::<i64>(), text in "\\PC{0,30}|.{0,10}", open in odd(),
        ) {
            let look = look(ascii);
            let screen = Rect::new(0, 0, 200, 60);
            let area = Rect::new(x, y, width, height).intersection(screen);
            let unit = |value: f64| format!("{value:.0}");
            let labels = [(0, text.clone()), (points.len() / 2, "12:00".into()), (points.len(), text.clone())];
            let cursor = pointed.map(|at| Cursor { at, label: text.clone() });
            let face = Face {
                label: text.clone(), unit: text.clone(), value: text.clone(), digits: "1,234.5%".into(), delta: None,
                delta_text: text.clone(), was: text.clone(), note: text.clone(), trend: points.clone(),
                instead: text.clone(), dim: false, bold: true, selected: true,
            };
            let bars: Vec<Bar> = points.iter().zip(base.iter().chain(std::iter::repeat(&None)))
                .map(|(value, base)| Bar { value: *value, base: *base, open: part % 2 == 0 }).collect();
            let draw: [&dyn Fn(&mut Pen<'_>); 9] = [
                &|pen| { curve(pen, area, &Curve {
                    series: vec![
                        Series { points: &base, role: Role::Prev, dotted: true },
                        Series { points: &points, role: Role::Accent, dotted: false },
                    ],
                    labels: &labels, unit: &unit, open, floor: 0.0, cursor: cursor.clone(),
                }); },
                &|pen| { columns(pen, area, &Columns { bars: &bars, labels: &labels, unit: &unit, apart: ascii, cursor: cursor.clone() }); },
                &|pen| tile(pen, area, &face),
                &|pen| bars::bar(pen, area.x, area.y, area.width, part, whole, Role::Good),
                &|pen| { let style = pen.ink(Role::Accent); spark::spark(pen, area.x, area.y, area.width, &points, style); },
                &|pen| { let style = pen.ink(Role::Accent); digits::digits(pen, area.x, area.y, area.width, "98.7%", style); },
                &|pen| heat::cell(pen, area.x, area.y, area.width, part, whole),
                &|pen| {
                    let rest = rule(pen, area, &Rule { title: &text, marks: "●◆", notes: vec![(text.clone(), None)], focused: true, frozen: false });
                    assert!(area.intersection(rest) == rest || rest.height == 0);
                },
                &|pen| {
                    tabs::tabs(pen, area, Tab::Sales, None);
                    let columns = [Column::left(&text, 9).grow(1), Column::right("B", 5).optional(1)];
                    let grid = Grid::fit(&columns, area.x, area.width);
                    grid.head(pen, area.y, &columns);
                    select(pen, area, area.y);
                },
            ];
            for draw in draw {
                let mut buffer = Buffer::empty(screen);
                draw(&mut Pen::new(&mut buffer, &look).within(area));
                for (index, cell) in buffer.content.iter().enumerate() {
                    let at = buffer.pos_of(index);
                    let inside = area.contains(at.into());
                    prop_assert!(inside || cell.symbol() == " ", "{:?} outside {area:?} at {at:?}", cell.symbol());
                }
            }
        }
    }
}
