//! Every tab in every state at the three designed sizes and two small ones, from the generated shop at a fixed time.
//! Snapshots hold characters; the tests below hold what characters cannot: widths, styles, the other glyph sets.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};

use chrono::{DateTime, Utc};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use instashop_core::config::{Dashboard, Meaning};
use instashop_core::view::{Ask, Basis, Range};
use instashop_tui::app::{App, Event, Tab};
use instashop_tui::board;
use instashop_tui::demo::{Scene, Shop};
use instashop_tui::keys::Action;
use instashop_tui::look::{Look, Wanted};
use instashop_tui::once::{Format, output, picture};
use instashop_tui::snapshot::{Body, Message, Rhythm, Snapshot, StoreName};
use instashop_tui::ui::layout::Panel;
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];

const ASK: Ask = Ask {
    range: Range::Days(30),
    basis: Basis::Previous,
    store: None,
};

fn now() -> DateTime<Utc> {
    "2026-08-21T17:05:02Z".parse().unwrap()
}

/// One shop for all tests: generating its past takes most of the time.
fn shop() -> &'static Mutex<Shop> {
    static SHOP: OnceLock<Mutex<Shop>> = OnceLock::new();
    SHOP.get_or_init(|| Mutex::new(Shop::new(7, Meaning::default().tz())))
}

/// The board in a scene; each is staged once.
fn staged(scene: Scene) -> Snapshot {
    static STAGED: OnceLock<Mutex<HashMap<&str, Snapshot>>> = OnceLock::new();
    let staged = STAGED.get_or_init(Mutex::default);
    let mut staged = staged.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let stage = || {
        let rhythm = Rhythm::from_config(&Dashboard::default());
        let mut shop = shop().lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        shop.snapshot(rhythm, scene, now(), ASK)
    };
    staged.entry(scene.name()).or_insert_with(stage).clone()
}

fn look(wanted: &Wanted) -> Look {
    Look::resolve(wanted, &Dashboard::default(), &Meaning::default(), |_| None)
}

fn app_with(scene: Scene, tab: Tab, size: (u16, u16), wanted: &Wanted) -> App {
    let snapshot = staged(scene);
    let mut app = App::new(look(wanted), snapshot, size, tab, true);
    app.now = now();
    app
}

fn app(scene: Scene, tab: Tab, size: (u16, u16)) -> App {
    app_with(scene, tab, size, &Wanted::default())
}

/// Lines of a picture, each checked to be exactly as wide as the screen.
fn lines(buffer: &Buffer) -> Vec<String> {
    let width = usize::from(buffer.area.width);
    (0..buffer.area.height)
        .map(|y| {
            let mut line = String::new();
            let mut hidden = 0;
            for x in 0..buffer.area.width {
                let symbol = buffer[(x, y)].symbol();
                if hidden > 0 {
                    hidden -= 1;
                    continue;
                }
                hidden = symbol.width().saturating_sub(1);
                line.push_str(symbol);
            }
            assert_eq!(line.width(), width, "row {y}: {line:?}");
            line.trim_end().to_owned()
        })
        .collect()
}

fn drawn(app: &App) -> String {
    lines(&picture(app)).join("\n")
}

fn name(tab: Tab, scene: Scene, size: (u16, u16)) -> String {
    format!("{}_{}_{}x{}", tab.name(), scene.name(), size.0, size.1)
}

#[test]
fn full_board_at_three_sizes() {
    for tab in Tab::ALL {
        for size in SIZES {
            insta::assert_snapshot!(name(tab, Scene::Full, size), drawn(&app(Scene::Full, tab, size)));
        }
    }
}

#[test]
fn every_state_of_every_tab() {
    for scene in Scene::ALL.into_iter().filter(|scene| *scene != Scene::Full) {
        for tab in Tab::ALL {
            insta::assert_snapshot!(name(tab, scene, (80, 24)), drawn(&app(scene, tab, (80, 24))));
        }
    }
    for scene in [
        Scene::Empty,
        Scene::Loading,
        Scene::Stale,
        Scene::RedisDown,
        Scene::Rebuilding,
    ] {
        for tab in Tab::ALL {
            for size in [(120, 40), (200, 60)] {
                insta::assert_snapshot!(name(tab, scene, size), drawn(&app(scene, tab, size)));
            }
        }
    }
}

/// A tab over today; Redis answers for what it holds (`●`), and the warehouse while Redis is down.
#[test]
fn today_comes_from_redis_where_it_is_held() {
    let today = Ask {
        range: Range::Today,
        basis: Basis::Weekday,
        store: None,
    };
    let of_store = Ask {
        store: Some(103),
        ..today
    };
    for (ask, of) in [(today, "today"), (of_store, "today-store")] {
        for scene in [Scene::Full, Scene::RedisDown] {
            let rhythm = Rhythm::from_config(&Dashboard::default());
            let mut shop = shop().lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let snapshot = shop.snapshot(rhythm, scene, now(), ask);
            drop(shop);
            for tab in [Tab::Payments, Tab::Buyers, Tab::Products, Tab::Behaviour] {
                let mut app = App::new(look(&Wanted::default()), snapshot.clone(), (80, 24), tab, true);
                app.now = now();
                app.set_ask(ask);
                let picture = drawn(&app);
                let own_marks = picture.lines().skip(2).filter(|line| line.contains('●')).count();
                assert_eq!(
                    own_marks > 0,
                    scene == Scene::Full,
                    "{tab:?} {}\n{picture}",
                    scene.name()
                );
                insta::assert_snapshot!(format!("{of}_{}_{}_80x24", tab.name(), scene.name()), picture);
            }
        }
    }
}

#[test]
fn small_windows() {
    for size in [(60, 20), (60, 24), (40, 16), (40, 10), (30, 8)] {
        for tab in Tab::ALL {
            insta::assert_snapshot!(name(tab, Scene::Full, size), drawn(&app(Scene::Full, tab, size)));
        }
    }
}

#[test]
fn above_the_tabs() {
    let act = |tab, panel: Option<Panel>, action| {
        let mut app = app(Scene::Full, tab, (80, 24));
        if let Some(panel) = panel {
            app.focus_on(panel);
        }
        app.act(action);
        drawn(&app)
    };
    insta::assert_snapshot!("help", act(Tab::Live, None, Action::Help));
    insta::assert_snapshot!("explain_revenue", act(Tab::Live, None, Action::Explain));
    insta::assert_snapshot!(
        "explain_drift",
        act(Tab::System, Some(Panel::Proof), Action::Explain)
    );
    insta::assert_snapshot!(
        "zoomed_minutes",
        act(Tab::Live, Some(Panel::Minutes), Action::Zoom)
    );
    insta::assert_snapshot!(
        "zoomed_categories",
        act(Tab::Sales, Some(Panel::Ranking), Action::Zoom)
    );
    insta::assert_snapshot!("frozen", act(Tab::Live, None, Action::Freeze));
    for (tab, size) in [
        (Tab::Live, (80, 24)),
        (Tab::Live, (120, 40)),
        (Tab::Live, (200, 60)),
        (Tab::Sales, (80, 24)),
        (Tab::Payments, (80, 24)),
        (Tab::Buyers, (80, 24)),
        (Tab::Products, (80, 24)),
        (Tab::Behaviour, (80, 24)),
        (Tab::Logistics, (80, 24)),
    ] {
        let mut then = app(Scene::Full, tab, size);
        then.run("at 2026-08-19 09:00");
        let (at, topics) = (then.wants().at.unwrap(), board::topic(tab));
        let mut shop = shop().lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let answers = shop.past_answers((at, now()), 30, ASK, topics.as_slice());
        drop(shop);
        for message in answers {
            then.update(Event::Told(message), now());
        }
        let name = format!("as_of_{}_{}x{}", tab.name(), size.0, size.1);
        insta::assert_snapshot!(name, drawn(&then));
    }
    for size in SIZES {
        let mut compared = app(Scene::Full, Tab::Sales, size);
        compared.run("range 3d");
        compared.act(Action::Difference);
        let ask = compared.wants().difference.unwrap();
        let mut shop = shop().lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let view = shop.difference(ask, now());
        drop(shop);
        compared.update(
            Event::Told(Message {
                at: now(),
                store: StoreName::Warehouse,
                body: Body::Difference(ask, Box::new(view)),
            }),
            now(),
        );
        insta::assert_snapshot!(format!("difference_{}x{}", size.0, size.1), drawn(&compared));
    }
    for (name, keys) in [("prompt", ""), ("prompt_range", "range ")] {
        let mut typing = app(Scene::Full, Tab::Sales, (80, 24));
        typing.act(Action::Prompt);
        for letter in keys.chars() {
            let key = KeyEvent::new(KeyCode::Char(letter), KeyModifiers::NONE);
            typing.update(Event::Key(key), now());
        }
        insta::assert_snapshot!(name, drawn(&typing));
    }
    let mut charted = app(Scene::Full, Tab::Live, (80, 24));
    charted.focus_on(Panel::Minutes);
    for action in [Action::Zoom, Action::Cursor, Action::PageUp, Action::Closer] {
        charted.act(action);
    }
    insta::assert_snapshot!("cursor_zoomed", drawn(&charted));
    let mut charted = app(Scene::Full, Tab::Sales, (120, 40));
    charted.focus_on(Panel::Trend);
    for action in [Action::Cursor, Action::PageUp, Action::Left] {
        charted.act(action);
    }
    insta::assert_snapshot!("cursor_on_days", drawn(&charted));
    let mut down = app(Scene::RedisDown, Tab::Live, (80, 24));
    down.act(Action::Detail);
    insta::assert_snapshot!("failure", drawn(&down));
}

#[test]
fn in_spanish_and_in_ascii() {
    let spanish = Wanted {
        language: Some("es".into()),
        ..Wanted::default()
    };
    let ascii = Wanted {
        glyphs: Some("ascii".into()),
        ..Wanted::default()
    };
    for tab in Tab::ALL {
        for (form, wanted) in [("es", &spanish), ("ascii", &ascii)] {
            for size in [(80, 24), (120, 40)] {
                let picture = drawn(&app_with(Scene::Full, tab, size, wanted));
                if form == "ascii" {
                    assert!(picture.is_ascii());
                }
                insta::assert_snapshot!(format!("{form}_{}", name(tab, Scene::Full, size)), picture);
            }
        }
    }
}

#[test]
fn no_size_panics_and_every_line_is_as_wide_as_the_window() {
    let check = |scene: Scene, tab: Tab, columns: &[u16], rows: &[u16]| {
        let mut app = app(scene, tab, (80, 24));
        for columns in columns {
            for rows in rows {
                app.update(Event::Resize(*columns, *rows), now());
                lines(&picture(&app));
            }
        }
    };
    let small: (Vec<u16>, Vec<u16>) = ((1..=60).collect(), (1..=20).collect());
    for tab in Tab::ALL {
        check(Scene::Full, tab, &small.0, &small.1);
        for scene in [Scene::Full, Scene::Loading, Scene::RedisDown, Scene::Empty] {
            check(
                scene,
                tab,
                &[1, 39, 60, 79, 99, 100, 160, 300],
                &[1, 9, 16, 23, 34, 39, 40, 59, 90],
            );
        }
    }
    for action in [Action::Help, Action::Explain, Action::Zoom] {
        let mut app = app(Scene::Full, Tab::Live, (80, 24));
        app.act(action);
        for columns in [1, 20, 39, 40, 59, 60, 61, 80, 120, 200] {
            for rows in 1..=30 {
                app.update(Event::Resize(columns, rows), now());
                lines(&picture(&app));
            }
        }
    }
}

#[test]
fn every_panel_zoomed_at_every_class() {
    for tab in Tab::ALL {
        for size in [(60, 16), (80, 24), (120, 40), (200, 60)] {
            let mut app = app(Scene::Full, tab, size);
            for panel in app.panels() {
                app.focus_on(panel);
                app.act(Action::Zoom);
                for action in [
                    Action::Display,
                    Action::Sort,
                    Action::Reverse,
                    Action::Down,
                    Action::Last,
                ] {
                    app.act(action);
                    lines(&picture(&app));
                }
                app.act(Action::Zoom);
            }
        }
    }
}

/// The cell where a text begins.
fn find<'b>(buffer: &'b Buffer, text: &str) -> &'b ratatui::buffer::Cell {
    let lines = lines(buffer);
    let (y, line) = lines
        .iter()
        .enumerate()
        .find(|(_, line)| line.contains(text))
        .expect(text);
    let x = line[..line.find(text).unwrap()].width();
    &buffer[(x as u16, y as u16)]
}

#[test]
fn colours_carry_meaning() {
    let wanted = Wanted {
        colors: Some("rgb".into()),
        theme: Some("dark".into()),
        ..Wanted::default()
    };
    let (good, bad, warn, muted) = (
        Color::Rgb(0x6f, 0xcf, 0x97),
        Color::Rgb(0xf2, 0x73, 0x6b),
        Color::Rgb(0xf2, 0xc1, 0x4e),
        Color::Rgb(0x86, 0x96, 0xa7),
    );
    let buffer = picture(&app_with(Scene::Full, Tab::Live, (120, 40), &wanted));
    assert_eq!(find(&buffer, "▲ ").fg, good);
    assert_eq!(find(&buffer, "drift 0").fg, good);
    assert_eq!(buffer[(0, 0)].bg, Color::Rgb(0x0f, 0x14, 0x1a));
    assert!(
        buffer.content.iter().all(|cell| cell.bg != Color::Reset),
        "the theme owns every cell"
    );
    let buffer = picture(&app_with(Scene::RedisDown, Tab::Live, (80, 24), &wanted));
    assert_eq!(find(&buffer, "× REDIS DOWN").fg, bad);
    assert_eq!(find(&buffer, "stale 2m").fg, warn);
    assert_eq!(
        find(&buffer, "Wireless").fg,
        Color::Rgb(0xd7, 0xde, 0xe6),
        "the warehouse answers"
    );
    let buffer = picture(&app_with(Scene::Stale, Tab::Live, (80, 24), &wanted));
    assert_eq!(find(&buffer, "Wireless").fg, muted, "stale rows are dim");
    let buffer = picture(&app_with(Scene::Broken, Tab::System, (80, 24), &wanted));
    assert_eq!(find(&buffer, "drift 1 !").fg, bad);
}

#[test]
fn mono_says_the_same_without_colour() {
    let wanted = Wanted {
        colors: Some("none".into()),
        ..Wanted::default()
    };
    for scene in Scene::ALL {
        for tab in Tab::ALL {
            let mono = picture(&app_with(scene, tab, (120, 40), &wanted));
            assert!(
                mono.content
                    .iter()
                    .all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset)
            );
            let colour = picture(&app(scene, tab, (120, 40)));
            // Steps of shading stand for colours there.
            if tab != Tab::Sales {
                assert_eq!(
                    lines(&mono),
                    lines(&colour),
                    "{scene:?} {tab:?}: words and marks are the same"
                );
            }
        }
    }
    let mono = picture(&app_with(Scene::Broken, Tab::System, (80, 24), &wanted));
    assert!(find(&mono, "drift 1 !").modifier.contains(Modifier::REVERSED));
}

#[test]
fn hostile_names_cannot_move_the_cursor() {
    let evil = "\u{1b}[2J\u{1b}]52;c;aGk=\u{7}Nice\u{202e}eman\u{200b}\r\n日本語日本語日本語";
    let mut app = app(Scene::Full, Tab::Live, (120, 40));
    let mut live = app.snapshot.live.get().unwrap().clone();
    for product in &mut live.products {
        product.name = evil.into();
    }
    for category in &mut live.categories {
        category.category = evil.into();
    }
    for entry in &mut live.tape {
        entry.what = evil.into();
        entry.by = evil.into();
        entry.state = evil.into();
        entry.op = evil.into();
    }
    for method in &mut live.payments {
        method.method = evil.into();
    }
    for event in &mut live.behaviour {
        event.event_type = evil.into();
    }
    app.snapshot.live.value = Some(Arc::new(live));
    for size in [(40, 16), (60, 24), (80, 24), (120, 40), (200, 60)] {
        app.update(Event::Resize(size.0, size.1), now());
        let text = lines(&picture(&app)).concat();
        let bad = |c: char| c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}');
        assert!(!text.contains(bad), "{size:?}");
        assert!(text.contains("Nice"), "{size:?}");
    }
}

#[test]
fn hostile_names_in_the_marts_are_text() {
    use instashop_core::view::BoardView;
    let evil = "\u{1b}]52;c;aGk=\u{7}Nice\u{202e}eman\u{200b}\r\n=cmd()|日本語日本語";
    for tab in Tab::ALL {
        let mut app = app(Scene::Full, tab, (120, 40));
        for board in app.snapshot.boards.values_mut() {
            let mut changed = board.part.get().unwrap().clone();
            for (_, name) in &mut changed.stores {
                *name = evil.into();
            }
            match &mut changed.view {
                BoardView::Payments(view) => {
                    view.methods.iter_mut().for_each(|row| row.method = evil.into());
                    view.stores.iter_mut().for_each(|row| row.store = evil.into());
                }
                BoardView::Buyers(view) => view.segments.iter_mut().for_each(|row| row.segment = evil.into()),
                BoardView::Products(view) => view.rows.iter_mut().for_each(|row| row.name = evil.into()),
                BoardView::Inventory(view) => view.rows.iter_mut().for_each(|row| row.product = evil.into()),
                BoardView::Behaviour(view) => {
                    view.terms.iter_mut().for_each(|row| row.term = evil.into());
                    view.paths.iter_mut().for_each(|row| row.path = evil.into());
                }
                BoardView::Logistics(view) => {
                    view.methods.iter_mut().for_each(|row| row.method = evil.into());
                }
                BoardView::Stores(view) => view.rows.iter_mut().for_each(|row| row.store = evil.into()),
                BoardView::Alerts(facts) => facts.stock.iter_mut().for_each(|row| row.product = evil.into()),
            }
            board.part.value = Some(Arc::new(changed));
        }
        let bad = |c: char| c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}');
        for size in [(60, 24), (80, 24), (120, 40), (200, 60)] {
            app.update(Event::Resize(size.0, size.1), now());
            let text = lines(&picture(&app)).concat();
            assert!(!text.contains(bad), "{tab:?} {size:?}");
        }
        if instashop_tui::board::topic(tab).is_some() {
            let csv = output(&app, &[tab], Format::Csv);
            assert!(!csv.chars().any(|c| bad(c) && c != '\n'), "{tab:?}");
            assert!(csv.contains("Nice"), "{tab:?}");
        }
    }
}

#[test]
fn stale_or_wrong_data_never_looks_live() {
    for scene in Scene::ALL {
        let text = drawn(&app(scene, Tab::Live, (120, 40)));
        let live = text.lines().next().unwrap().contains("● LIVE");
        let expected = matches!(
            scene,
            Scene::Full
                | Scene::Empty
                | Scene::Lagging
                | Scene::WarehouseDown
                | Scene::Broken
                | Scene::QueryFailed
        );
        assert_eq!(live, expected, "{scene:?}");
        let word = match scene {
            // The failure of one tab is seen on that tab alone.
            Scene::Full | Scene::Empty | Scene::Broken | Scene::QueryFailed => None,
            Scene::Loading => Some("loading"),
            Scene::Lagging => Some("as of 14:04:16"),
            Scene::Rebuilding => Some("rebuilding 62%, about 3m"),
            Scene::Stale => Some("stale 4m14s"),
            Scene::Missing => Some("missing since 14:00:10"),
            Scene::RedisDown => Some("redis × retry 4 in 8s"),
            Scene::WarehouseDown => Some("dwh × retry 4 in 8s"),
            Scene::Unreachable => Some("connection refused since 14:04:42"),
        };
        if let Some(word) = word {
            assert!(text.contains(word), "{scene:?} does not say {word:?}:\n{text}");
        }
        let compared = text.contains("was ");
        let honest = !matches!(
            scene,
            Scene::Empty | Scene::Loading | Scene::Stale | Scene::Unreachable
        );
        assert_eq!(
            compared, honest,
            "{scene:?}: a comparison only where somebody answers"
        );
    }
}

/// The tab whose query failed shows its last reading dim, with its age; no other tab and no chip of the header says so.
#[test]
fn a_failed_query_is_the_failure_of_its_tab() {
    let picture_of = |tab| drawn(&app(Scene::QueryFailed, tab, (120, 40)));
    for tab in [Tab::Sales, Tab::Payments, Tab::Logistics, Tab::Stores] {
        let text = picture_of(tab);
        assert!(
            text.contains("query failed 14:03:48, stale 2m14s"),
            "{tab:?}\n{text}"
        );
        assert!(
            !text.contains("was ") && !text.contains("retry"),
            "{tab:?}\n{text}"
        );
    }
    for tab in [Tab::Live, Tab::System, Tab::Alerts] {
        let text = picture_of(tab);
        assert!(
            !text.contains("query failed") && !text.contains("retry"),
            "{tab:?}\n{text}"
        );
    }
    let mut app = app(Scene::QueryFailed, Tab::Payments, (80, 24));
    app.act(Action::Detail);
    let text = drawn(&app);
    assert!(
        text.contains("statement timeout") && text.contains("this tab alone"),
        "{text}"
    );
}

#[test]
fn it_always_says_that_the_shop_is_generated() {
    for size in [(40, 10), (60, 16), (80, 24), (200, 60)] {
        for scene in Scene::ALL {
            assert!(
                drawn(&app(scene, Tab::Live, size)).contains("DEMO"),
                "{scene:?} {size:?}"
            );
        }
    }
}
