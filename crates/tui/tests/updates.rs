//! The pure update: scripted events in, state and commands out; no terminal.

use std::sync::OnceLock;

use chrono::{DateTime, TimeDelta, Utc};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use instashop_core::config::{Dashboard, Meaning};
use instashop_core::contribution::Calendar;
use instashop_core::view::{Ask, Basis, LiveView, OrdersOf, Pair, PartsBy, Range, Topic};
use instashop_tui::app::{App, Command, Event, Overlay, Subject, Tab, Wanted};
use instashop_tui::board::{self, Piece};
use instashop_tui::courses;
use instashop_tui::demo::{Scene, Shop};
use instashop_tui::keys;
use instashop_tui::look::{Look, Wanted as WantedLook};
use instashop_tui::metrics::Metric;
use instashop_tui::once::{Format, output, picture};
use instashop_tui::reading::Source;
use instashop_tui::sheet::Course;
use instashop_tui::snapshot::{Body, Failure, Message, Rhythm, Snapshot, StoreName};
use instashop_tui::theme::Name;
use instashop_tui::ui::hit::{self, Hit};
use instashop_tui::ui::layout::Panel;

fn now() -> DateTime<Utc> {
    "2026-08-21T17:05:02Z".parse().unwrap()
}

fn app() -> App {
    static SNAPSHOT: OnceLock<Snapshot> = OnceLock::new();
    let look = Look::resolve(
        &WantedLook::default(),
        &Dashboard::default(),
        &Meaning::default(),
        |_| None,
    );
    let rhythm = Rhythm::from_config(&Dashboard::default());
    let ask = Ask {
        range: Range::Days(30),
        basis: Basis::Previous,
        store: None,
    };
    // Generating the past of the shop takes most of the time.
    let stage = || Shop::new(7, look.zone).snapshot(rhythm, Scene::Full, now(), ask);
    let snapshot = SNAPSHOT.get_or_init(stage).clone();
    let mut app = App::new(look, snapshot, (120, 40), Tab::Live, true);
    app.update(Event::Tick, now());
    app
}

fn key(app: &mut App, code: KeyCode) -> Vec<Command> {
    app.update(Event::Key(KeyEvent::new(code, KeyModifiers::NONE)), now())
}

fn press(app: &mut App, keys: &str) -> Vec<Command> {
    keys.chars().flat_map(|c| key(app, KeyCode::Char(c))).collect()
}

fn told(app: &mut App, at: DateTime<Utc>, body: Body) -> Vec<Command> {
    let message = Message {
        at,
        store: StoreName::Redis,
        body,
    };
    app.update(Event::Told(message), at)
}

fn live(app: &App, change: impl FnOnce(&mut LiveView)) -> Body {
    let mut view = app.snapshot.live.get().unwrap().clone();
    change(&mut view);
    Body::Live(Box::new(view))
}

#[test]
fn tabs_by_key_and_by_step() {
    let mut app = app();
    for (keys, expected) in [
        ("2", Tab::Sales),
        ("0", Tab::System),
        (">", Tab::Alerts),
        (">", Tab::Live),
        ("<", Tab::Alerts),
        ("<", Tab::System),
        ("1", Tab::Live),
        ("9", Tab::Stores),
        ("!", Tab::Alerts),
        ("1", Tab::Live),
    ] {
        press(&mut app, keys);
        assert_eq!(app.tab, expected, "{keys}");
    }
}

#[test]
fn a_new_tab_wants_other_parts_and_asks_once() {
    let mut app = app();
    let wanted = |commands: &[Command]| -> Vec<Wanted> {
        let wants = |command: &Command| match command {
            Command::Want(wanted) => Some(wanted.clone()),
            _ => None,
        };
        commands.iter().filter_map(wants).collect()
    };
    let commands = press(&mut app, "2");
    assert_eq!(wanted(&commands).len(), 1);
    assert_eq!(wanted(&commands)[0].tab, Tab::Sales);
    assert!(wanted(&press(&mut app, "2")).is_empty(), "nothing changed");
    let commands = press(&mut app, "t");
    assert_eq!(wanted(&commands)[0].days, 90);
    assert!(commands.contains(&Command::Poll));
    press(&mut app, "1");
    let commands = app.update(Event::Resize(200, 60), now());
    assert!(
        wanted(&commands)[0].sales_on_live,
        "a large Live tab shows panels of Sales"
    );
}

#[test]
fn focus_walks_round_and_stays_on_a_visible_panel() {
    let mut app = app();
    assert_eq!(app.focused(), Some(Panel::Tiles));
    let panels = app.panels();
    for expected in panels.iter().skip(1).chain([&Panel::Tiles]) {
        key(&mut app, KeyCode::Tab);
        assert_eq!(app.focused(), Some(*expected));
    }
    key(&mut app, KeyCode::BackTab);
    assert_eq!(app.focused(), panels.last().copied());
    app.focus_on(Panel::Hours);
    app.update(Event::Resize(80, 24), now());
    assert_eq!(
        app.focused(),
        Some(Panel::Tiles),
        "hours have no panel of their own here"
    );
    app.update(Event::Resize(120, 40), now());
    assert_eq!(app.focused(), Some(Panel::Hours), "and come back");
}

#[test]
fn sorting_and_scrolling_stay_in_range() {
    let mut app = app();
    press(&mut app, "2");
    app.focus_on(Panel::Ranking);
    press(&mut app, "s");
    assert_eq!(
        (
            app.order(Panel::Ranking).column,
            app.order(Panel::Ranking).reversed
        ),
        (1, false)
    );
    press(&mut app, "S");
    assert!(app.order(Panel::Ranking).reversed);
    press(&mut app, "sss");
    assert_eq!(app.order(Panel::Ranking).column, 0, "round to the first");
    press(&mut app, "jjj");
    assert_eq!(app.scrolled(Panel::Ranking), 3);
    press(&mut app, "G");
    let last = app.scrolled(Panel::Ranking);
    press(&mut app, "jjjj");
    assert_eq!(app.scrolled(Panel::Ranking), last);
    press(&mut app, "gk");
    assert_eq!(app.scrolled(Panel::Ranking), 0);
}

#[test]
fn freezing_keeps_the_board_and_counts_what_is_hidden() {
    let mut app = app();
    press(&mut app, " ");
    let frozen = app.shown().0.live.get().unwrap().today;
    let later = now() + TimeDelta::seconds(5);
    let more = live(&app, |view| {
        view.today.orders += 3;
        for key in 0..3 {
            let mut entry = view.tape[0].clone();
            entry.key += 1000 + key;
            view.tape.insert(0, entry);
        }
    });
    told(&mut app, later, more);
    assert_eq!(
        app.shown().0.live.get().unwrap().today,
        frozen,
        "values stand still"
    );
    assert_eq!(app.shown().1, now(), "and so does the clock");
    assert_eq!(app.hidden_changes(), (3, false));
    assert_eq!(
        app.snapshot.live.get().unwrap().today.orders,
        frozen.orders + 3,
        "collection goes on"
    );
    press(&mut app, " ");
    assert_eq!(app.shown().0.live.get().unwrap().today.orders, frozen.orders + 3);
    press(&mut app, " ");
    key(&mut app, KeyCode::Esc);
    assert!(app.frozen.is_none(), "Esc leaves it as well");
}

#[test]
fn a_changed_value_is_bold_for_a_second() {
    let mut app = app();
    let at = now() + TimeDelta::seconds(1);
    let more = live(&app, |view| view.today.orders += 1);
    told(&mut app, at, more);
    assert!(app.just_changed(Metric::Orders));
    assert!(app.just_changed(Metric::Aov));
    assert!(!app.just_changed(Metric::BuyersToday));
    app.update(Event::Tick, at + TimeDelta::milliseconds(1001));
    assert!(!app.just_changed(Metric::Orders));
}

#[test]
fn help_finds_runs_and_closes() {
    let mut app = app();
    press(&mut app, "?");
    press(&mut app, "theme");
    let Some(Overlay::Help(page)) = &app.overlay else {
        panic!("help is open")
    };
    assert_eq!(page.find, "theme");
    assert_eq!(page.found(&app).len(), 1);
    assert_eq!(app.look.theme.name, Name::Dark, "typing runs nothing");
    key(&mut app, KeyCode::Enter);
    assert_eq!(app.look.theme.name, Name::Light);
    assert!(app.overlay.is_none());
    press(&mut app, "?q");
    assert!(app.overlay.is_some(), "q is a letter here");
    key(&mut app, KeyCode::Backspace);
    press(&mut app, "?");
    assert!(app.overlay.is_none());
}

#[test]
fn explain_follows_the_selected_tile() {
    let mut app = app();
    press(&mut app, "lx");
    assert_eq!(app.overlay, Some(Overlay::Explain(Subject::Own(Metric::Orders))));
    press(&mut app, "l");
    assert_eq!(app.overlay, Some(Overlay::Explain(Subject::Own(Metric::Aov))));
    key(&mut app, KeyCode::Esc);
    assert_eq!(app.overlay, None);
    press(&mut app, "0");
    app.focus_on(Panel::Proof);
    press(&mut app, "x");
    assert_eq!(app.overlay, Some(Overlay::Explain(Subject::Own(Metric::Drift))));
}

#[test]
fn failures_open_only_while_there_is_one() {
    let mut app = app();
    key(&mut app, KeyCode::Enter);
    assert_eq!(app.overlay, None);
    let down = Body::Down {
        attempt: 1,
        retry_at: now(),
        failure: Failure::default(),
    };
    told(&mut app, now(), down);
    key(&mut app, KeyCode::Enter);
    assert_eq!(app.overlay, Some(Overlay::Failure(StoreName::Redis)));
    assert_eq!(
        press(&mut app, "r"),
        [Command::Poll],
        "retry works while it is open"
    );
    assert!(app.overlay.is_some());
}

#[test]
fn the_warehouse_is_asked_more_often_while_redis_is_out() {
    let mut app = app();
    let commands = app.update(Event::Tick, now() + TimeDelta::seconds(30));
    assert!(
        matches!(
            commands.as_slice(),
            [Command::Want(Wanted {
                redis_is_out: true,
                ..
            })]
        ),
        "{commands:?}"
    );
}

#[test]
fn ways_out() {
    for (event, expected) in [
        (
            KeyEvent::new(KeyCode::Char('q'), KeyModifiers::NONE),
            Command::Quit(false),
        ),
        (
            KeyEvent::new(KeyCode::Char('Q'), KeyModifiers::SHIFT),
            Command::Quit(true),
        ),
        (
            KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL),
            Command::Quit(false),
        ),
        (
            KeyEvent::new(KeyCode::Char('z'), KeyModifiers::CONTROL),
            Command::Suspend,
        ),
        (
            KeyEvent::new(KeyCode::Char('l'), KeyModifiers::CONTROL),
            Command::Repaint,
        ),
    ] {
        assert_eq!(
            app().update(Event::Key(event), now()),
            std::slice::from_ref(&expected)
        );
        if expected == Command::Quit(false) && event.modifiers.contains(KeyModifiers::CONTROL) {
            let mut app = app();
            press(&mut app, "?");
            assert_eq!(
                app.update(Event::Key(event), now()),
                [expected],
                "from help as well"
            );
        }
    }
    assert_eq!(app().update(Event::Stop, now()), [Command::Quit(false)]);
}

/// First cell of each row that a table shows.
fn first_cells(app: &App, piece: Piece) -> Vec<String> {
    let first = |_: &_, rows: &[&instashop_tui::sheet::Row]| {
        rows.iter()
            .map(|row| row.cells[0].written(&app.look, app.now).0)
            .collect()
    };
    board::with_table(app, piece, first).unwrap_or_default()
}

#[test]
fn a_table_is_sorted_filtered_and_explained() {
    let mut app = app();
    press(&mut app, "3");
    let panel = Panel::Of(Piece::PayMethods);
    app.focus_on(panel);
    let usual = first_cells(&app, Piece::PayMethods);
    assert_eq!((usual.len(), usual[0].as_str()), (5, "wallet"), "the worst first");
    press(&mut app, "s");
    assert_eq!(
        first_cells(&app, Piece::PayMethods)[0],
        "credit card",
        "most paid first"
    );
    press(&mut app, "S");
    assert_eq!(first_cells(&app, Piece::PayMethods)[0], "wire transfer");
    press(&mut app, "/card");
    assert_eq!(app.overlay, Some(Overlay::Filter(panel)));
    assert_eq!(
        first_cells(&app, Piece::PayMethods),
        ["debit card", "credit card"]
    );
    key(&mut app, KeyCode::Enter);
    assert_eq!(
        (app.overlay.clone(), app.filter(panel)),
        (None, "card"),
        "the filter stays"
    );
    press(&mut app, "/");
    key(&mut app, KeyCode::Esc);
    assert_eq!(first_cells(&app, Piece::PayMethods).len(), 5);
    press(&mut app, "x");
    assert_eq!(
        app.overlay,
        Some(Overlay::Explain(Subject::Catalogued("payment_success")))
    );
    key(&mut app, KeyCode::Esc);
    key(&mut app, KeyCode::Enter);
    let method = OrdersOf::Method("wire_transfer".into());
    assert_eq!(
        app.overlay,
        Some(Overlay::Orders(method.clone(), 0)),
        "its orders"
    );
    assert_eq!(
        app.wants().orders,
        Some((method.clone(), app.ask())),
        "are asked for"
    );
    let list = Shop::new(7, app.look.zone).orders_of(&method, app.ask(), now());
    let order = list.orders[1].order_id;
    let body = Body::Orders(app.ask(), method, Box::new(list));
    told(&mut app, now(), body);
    press(&mut app, "j");
    key(&mut app, KeyCode::Enter);
    assert_eq!(
        app.overlay,
        Some(Overlay::Orders(OrdersOf::Order(order), 0)),
        "and of one its lines"
    );
    key(&mut app, KeyCode::Esc);
    assert_eq!((app.overlay.clone(), app.wants().orders), (None, None));
}

/// On Sales a category leads to its sales, over the days of the tab and all stores, and an order to its lines.
#[test]
fn sales_are_found_and_lead_to_their_orders() {
    let mut app = app();
    press(&mut app, "2");
    app.focus_on(Panel::Ranking);
    press(&mut app, "j");
    key(&mut app, KeyCode::Enter);
    let home = OrdersOf::Category("Home".into());
    assert_eq!(app.overlay, Some(Overlay::Orders(home.clone(), 0)));
    let mut of_store = app.ask();
    (of_store.store, of_store.range) = (Some(103), Range::Today);
    app.set_ask(of_store);
    let (of, ask) = app.wants().orders.unwrap();
    assert_eq!((of, ask.store, ask.range), (home, None, Range::Days(7)));
    key(&mut app, KeyCode::Esc);
    app.focus_on(Panel::Latest);
    press(&mut app, "/failed");
    key(&mut app, KeyCode::Enter);
    let rows = instashop_tui::ui::rows_of(&app, Panel::Latest);
    let sales = app.snapshot.sales.get().unwrap();
    let failed: Vec<i64> = sales
        .latest
        .iter()
        .filter(|order| order.class == "failed")
        .map(|order| order.order_id)
        .collect();
    assert!(!failed.is_empty() && rows == failed.len());
    key(&mut app, KeyCode::Enter);
    assert_eq!(app.overlay, Some(Overlay::Orders(OrdersOf::Order(failed[0]), 0)));
    key(&mut app, KeyCode::Esc);
    press(&mut app, "/");
    key(&mut app, KeyCode::Esc);
    press(&mut app, "/nobody has this");
    key(&mut app, KeyCode::Enter);
    key(&mut app, KeyCode::Enter);
    assert_eq!(app.overlay, None, "nothing is selected, so nothing opens");
}

#[test]
fn figures_are_explained_one_by_one() {
    let mut app = app();
    press(&mut app, "4llx");
    assert_eq!(
        app.overlay,
        Some(Overlay::Explain(Subject::Catalogued("returning_buyers")))
    );
    key(&mut app, KeyCode::Right);
    assert_eq!(
        app.overlay,
        Some(Overlay::Explain(Subject::Catalogued("retention_rate")))
    );
}

#[test]
fn range_comparison_and_store_are_of_the_whole_board() {
    let mut app = app();
    press(&mut app, "5");
    for (keys, range, basis) in [
        ("", Range::Days(30), Basis::Previous),
        ("t", Range::Days(90), Basis::Previous),
        ("tt", Range::Today, Basis::Previous),
        ("c", Range::Today, Basis::Weekday),
        ("c", Range::Today, Basis::Year),
        ("ttc", Range::Days(30), Basis::Previous),
    ] {
        press(&mut app, keys);
        assert_eq!((app.ask().range, app.ask().basis), (range, basis), "{keys}");
    }
    press(&mut app, "6t");
    assert_eq!(app.ask().range, Range::Days(30), "inventory is now");
    let commands = press(&mut app, "fnord");
    assert!(commands.is_empty());
    let commands = key(&mut app, KeyCode::Enter);
    assert!(commands.contains(&Command::Poll));
    assert_eq!(app.store_name().as_deref(), Some("Nord Home"));
    assert!(
        matches!(commands.as_slice(), [.., Command::Want(wanted)] if wanted.ask.store == app.ask().store)
    );
    press(&mut app, "f");
    key(&mut app, KeyCode::Enter);
    assert_eq!(app.ask().store, None, "the first line is the platform");
}

#[test]
fn rows_lead_to_where_they_are_explained() {
    let mut app = app();
    press(&mut app, "!");
    app.focus_on(Panel::Of(Piece::AleTable));
    let alerts = board::with_table(&app, Piece::AleTable, |_, rows| rows.len()).unwrap();
    assert!(alerts >= 2, "{alerts}");
    press(&mut app, "j");
    key(&mut app, KeyCode::Enter);
    assert_eq!(app.tab, Tab::Payments, "the second alert is about a method");
    press(&mut app, "9");
    app.focus_on(Panel::Of(Piece::StoScore));
    key(&mut app, KeyCode::Enter);
    assert!(app.ask().store.is_some(), "a store becomes the scope");
}

#[test]
fn alerts_are_remembered_while_they_last() {
    let mut app = app();
    let since = app.snapshot.alert_seen.clone();
    assert!(
        since.keys().any(|name| name.starts_with("stock_critical")),
        "{since:?}"
    );
    let later = now() + TimeDelta::minutes(3);
    let topic = instashop_core::view::Topic::Alerts;
    let mut board = app.snapshot.boards[&topic].part.get().unwrap().clone();
    board.as_of = Some(later);
    board.read_at = later;
    let ask = app.ask().for_alerts();
    let message = |board| Message {
        at: later,
        store: StoreName::Warehouse,
        body: Body::Board(ask, Box::new(board)),
    };
    app.update(Event::Told(message(board.clone())), later);
    for (fingerprint, at) in &since {
        assert_eq!(
            app.snapshot.alert_seen.get(fingerprint),
            Some(at),
            "{fingerprint} is there since then"
        );
    }
    assert!(
        app.snapshot
            .alert_seen
            .keys()
            .any(|name| name.starts_with("stalled")),
        "workers that fell silent are found"
    );
    let (firing, critical) = app.snapshot.firing(later).unwrap();
    assert!(
        critical && firing >= 3,
        "what held for two minutes fires: {firing}"
    );
    assert_eq!(
        app.snapshot.firing(later + TimeDelta::minutes(3)),
        None,
        "facts that are too old say nothing about now"
    );
    board.view = instashop_core::view::BoardView::Alerts(Box::default());
    app.update(Event::Told(message(board)), later);
    assert!(app.snapshot.alert_log.iter().any(|(_, _, cleared)| *cleared));
    assert!(
        !app.snapshot
            .alert_seen
            .keys()
            .any(|name| name.starts_with("stock_critical"))
    );
}

#[test]
fn keys_of_the_alert_worker_do_nothing_and_the_language_changes() {
    let mut app = app();
    press(&mut app, "!ai");
    assert_eq!(app.overlay, None);
    assert!(!app.works(instashop_tui::keys::Action::Acknowledge));
    assert_eq!(
        app.told.as_deref(),
        Some("silence: needs the alert worker"),
        "and say why"
    );
    press(&mut app, "k");
    assert_eq!(app.told, None, "until the next key");
    let before = app.look.language;
    press(&mut app, "L");
    assert_ne!(app.look.language, before);
    assert_eq!(press(&mut app, "e"), [Command::Export(None)]);
}

/// Every chart of every tab: the panel and its course.
fn charts(app: &mut App) -> Vec<(Tab, Panel, Course)> {
    let mut found = Vec::new();
    for tab in Tab::ALL {
        press(app, &tab.key().to_string());
        for panel in app.panels() {
            found.extend(courses::of(app, panel).map(|course| (tab, panel, course)));
        }
    }
    found
}

/// The cursor walks over every bucket of every chart, and says the reading of the bucket it stands on.
#[test]
fn the_cursor_says_the_reading_of_its_bucket() {
    let mut app = app();
    app.update(Event::Resize(200, 60), now());
    let charts = charts(&mut app);
    assert!(charts.len() >= 9, "{}", charts.len());
    for (tab, panel, course) in charts {
        press(&mut app, &tab.key().to_string());
        app.focus_on(panel);
        press(&mut app, "vg");
        for (at, bucket) in course.buckets.iter().enumerate() {
            let words = app.cursor_words(panel).unwrap();
            let expected = format!(
                "{} {}",
                bucket.words(&app.look, now()),
                course.values(&app.look, at)
            );
            assert_eq!(words, expected, "{panel:?} {at}");
            key(&mut app, KeyCode::Right);
        }
        let last = app.cursor_words(panel);
        key(&mut app, KeyCode::Right);
        assert_eq!(app.cursor_words(panel), last, "{panel:?} ends there");
        key(&mut app, KeyCode::Esc);
        assert_eq!(app.cursor_words(panel), None);
    }
}

/// What the cursor says is what Redis holds, in full and with its time, also while the chart is drawn in part.
#[test]
fn the_cursor_value_is_the_reading_of_the_store() {
    let mut app = app();
    app.focus_on(Panel::Minutes);
    let minutes = app.snapshot.live.get().unwrap().minutes.clone();
    let said = |index: usize| {
        let minute: instashop_core::view::TrendPoint = minutes[index];
        let time = minute.start.with_timezone(&Meaning::default().tz());
        let cents = minute.totals.revenue_cents;
        format!("{} ${}.{:02} ", time.format("%H:%M"), cents / 100, cents % 100)
    };
    press(&mut app, "v");
    let at = minutes.len() - 2;
    let spoken = |app: &App| app.cursor_words(Panel::Minutes).unwrap().replace(',', "");
    let words = spoken(&app);
    assert!(
        words.starts_with(&said(at)),
        "the newest minute that is complete: {words}"
    );
    press(&mut app, "++hh");
    let words = spoken(&app);
    assert!(words.starts_with(&said(at - 2)), "{words}");
    // Time goes on: the cursor stays on its moment.
    let later = now() + TimeDelta::minutes(1);
    app.update(Event::Tick, later);
    assert_eq!(spoken(&app), words);
    // The hour of the same moment is under the cursor of the other chart.
    let hour = app.cursor_words(Panel::Hours).unwrap();
    assert!(hour.starts_with("14:00 "), "{hour}");
    press(&mut app, "=");
    assert_eq!(app.cursor_words(Panel::Minutes), None);
}

#[test]
fn zooming_and_panning_keep_the_cursor_in_sight_and_come_back() {
    let mut app = app();
    press(&mut app, "2");
    app.focus_on(Panel::Trend);
    let count = courses::of(&app, Panel::Trend).unwrap().buckets.len();
    let seen = |app: &App| app.seen(Panel::Trend, count);
    assert_eq!(seen(&app), 0..31);
    press(&mut app, "+");
    assert_eq!(seen(&app), 16..31, "the newest half");
    press(&mut app, "[");
    assert_eq!(seen(&app), 9..24);
    press(&mut app, "[[");
    assert_eq!(seen(&app), 0..15, "not beyond the oldest");
    key(&mut app, KeyCode::Char(']'));
    assert_eq!(seen(&app), 7..22);
    press(&mut app, "vg");
    assert_eq!(seen(&app), 0..15, "the first bucket is in sight");
    press(&mut app, "G");
    assert_eq!(seen(&app), 16..31);
    press(&mut app, "+++++");
    assert_eq!(seen(&app).len(), 6, "a chart of fewer says nothing");
    assert!(seen(&app).contains(&30), "around the cursor");
    press(&mut app, "------");
    assert_eq!(seen(&app), 0..31);
    press(&mut app, "++=");
    assert_eq!(seen(&app), 0..31);
    press(&mut app, "9v");
    assert_eq!(app.told.as_deref(), Some("no chart on this tab"));
}

/// Types a line into the command prompt and runs it.
fn run(app: &mut App, line: &str) -> Vec<Command> {
    press(app, ":");
    press(app, line);
    key(app, KeyCode::Enter)
}

#[test]
fn every_action_is_run_by_its_name() {
    for binding in &keys::BINDINGS {
        let (mut by_key, mut by_name) = (app(), app());
        by_key.focus_on(Panel::Minutes);
        by_name.focus_on(Panel::Minutes);
        let commands = by_key.act(binding.action);
        assert_eq!(
            by_name.run(binding.action.name()),
            commands,
            "{:?}",
            binding.action
        );
        let state = |app: &App| {
            let app = app.clone();
            (app.place(), app.zoom, app.overlay, app.told)
        };
        assert_eq!(state(&by_key), state(&by_name), "{:?}", binding.action);
    }
}

#[test]
fn a_line_chooses_what_a_key_steps_through() {
    let mut app = app();
    run(&mut app, "tab sales");
    assert_eq!(app.tab, Tab::Sales);
    let commands = run(&mut app, "range 14d");
    assert_eq!(app.days(), 14);
    assert!(commands.contains(&Command::Poll));
    run(&mut app, "store 118");
    assert_eq!(app.ask().store, Some(118));
    run(&mut app, "store casa viva");
    assert_eq!(app.store_name().as_deref(), Some("Casa Viva"));
    run(&mut app, "store all");
    assert_eq!(app.ask().store, None);
    run(&mut app, "compare 2026-08-03");
    assert_eq!(app.ask().basis, Basis::From("2026-08-03".parse().unwrap()));
    assert_eq!(
        run(&mut app, "export json"),
        [Command::Export(Some(Format::Json))]
    );
    run(&mut app, "lang es");
    run(&mut app, "theme safe");
    assert_eq!(
        (app.look.language.code(), app.look.theme.name),
        ("es", Name::Safe)
    );
    run(&mut app, "tab products");
    app.focus_on(Panel::Of(Piece::ProRanking));
    run(&mut app, "find mate");
    assert_eq!(app.filter(Panel::Of(Piece::ProRanking)), "mate");
    assert_eq!(app.told, None);
}

#[test]
fn a_line_that_means_nothing_says_what_would() {
    let mut app = app();
    for (line, expected) in [
        ("rnage 7d", "did you mean range?"),
        ("qiut", "did you mean quit?"),
        ("xyzzy", "no action has that name"),
        ("range 7", "give today, yesterday, or days"),
        ("tab carts", "give a tab: live, sales"),
        ("store nobody", "give the number of a store"),
        ("export csv", "give json"),
        ("zoom in", "takes no more words"),
    ] {
        let before = app.place();
        assert_eq!(run(&mut app, line), [], "{line}");
        let told = app.told.clone().unwrap_or_default();
        assert!(told.contains(expected), "{line}: {told}");
        assert_eq!(app.place(), before, "{line}");
        assert!(app.overlay.is_none(), "{line}");
    }
}

#[test]
fn the_prompt_completes_and_remembers() {
    let mut app = app();
    let line = |app: &App| match &app.overlay {
        Some(Overlay::Prompt(line)) => line.text.clone(),
        other => panic!("no prompt: {other:?}"),
    };
    press(&mut app, ":ran");
    key(&mut app, KeyCode::Tab);
    assert_eq!(line(&app), "range ", "it takes more words");
    press(&mut app, "9");
    key(&mut app, KeyCode::Tab);
    assert_eq!(line(&app), "range 90d");
    key(&mut app, KeyCode::Enter);
    assert_eq!(app.ask().range, Range::Days(90));
    press(&mut app, ":");
    key(&mut app, KeyCode::Up);
    assert_eq!(line(&app), "range 90d", "the line before");
    key(&mut app, KeyCode::Esc);
    press(&mut app, ":tab s");
    key(&mut app, KeyCode::Down);
    key(&mut app, KeyCode::Down);
    key(&mut app, KeyCode::Enter);
    assert_eq!(app.tab, Tab::Stores, "the second of sales, stores, system");
    press(&mut app, ":q");
    key(&mut app, KeyCode::Backspace);
    key(&mut app, KeyCode::Backspace);
    assert!(app.overlay.is_none(), "nothing left to delete closes it");
}

/// A link made of a board shows the same board, cell by cell.
#[test]
fn a_link_reopens_the_view() {
    let mut first = app();
    run(&mut first, "tab payments");
    run(&mut first, "range 7d");
    run(&mut first, "compare weekday");
    run(&mut first, "store 103");
    let link = first.place().link();
    assert_eq!(link, "instashop://payments?range=7d&compare=weekday&store=103");
    assert_eq!(press(&mut first, "K"), [Command::Copy(link.clone())]);
    let mut second = app();
    run(&mut second, &format!("link {link}"));
    let shown = |app: &mut App| {
        let rhythm = Rhythm::from_config(&Dashboard::default());
        app.snapshot = Shop::new(7, app.look.zone).snapshot(rhythm, Scene::Full, now(), app.ask());
        app.told = None;
        picture(app)
    };
    assert_eq!(shown(&mut first), shown(&mut second));
}

#[test]
fn views_of_the_configuration_are_gone_through() {
    let mut app = app();
    press(&mut app, "p");
    assert!(
        app.told
            .as_deref()
            .is_some_and(|told| told.contains("[dashboard.presets]"))
    );
    let read = |link| app.read_link(link).unwrap();
    app.presets = vec![
        ("morning".into(), read("payments?range=today&compare=weekday")),
        ("store".into(), read("sales?range=7d&store=103")),
    ];
    press(&mut app, "p");
    assert_eq!((app.tab, app.ask().range), (Tab::Payments, Range::Today));
    assert_eq!(app.told.as_deref(), Some("view morning"));
    press(&mut app, "p");
    assert_eq!((app.tab, app.ask().store), (Tab::Sales, Some(103)));
    press(&mut app, "p");
    assert_eq!((app.tab, app.ask().store), (Tab::Payments, None));
    run(&mut app, "preset store");
    assert_eq!(app.tab, Tab::Sales);
}

/// The words of the base are made of the window that the numbers were read for, whatever it is compared with.
#[test]
fn the_base_in_words_is_the_base_in_the_numbers() {
    let mut app = app();
    run(&mut app, "tab payments");
    press(&mut app, "m");
    assert!(app.told.as_deref().is_some_and(|told| told.contains("cursor")));
    press(&mut app, "2");
    app.focus_on(Panel::Trend);
    press(&mut app, "vhhhm");
    assert!(
        app.told
            .as_deref()
            .is_some_and(|told| told.starts_with("marked A Mon 17 Aug"))
    );
    press(&mut app, "3");
    let rhythm = Rhythm::from_config(&Dashboard::default());
    let mut seen = Vec::new();
    for range in ["today", "yesterday", "3d", "30d"] {
        run(&mut app, &format!("range {range}"));
        for _ in 0..4 {
            press(&mut app, "c");
            let header = |app: &App| {
                let picture = picture(app);
                let row = |x| picture[(x, 0)].symbol().to_owned();
                (0..picture.area.width).map(row).collect::<String>()
            };
            let question = app.ask();
            assert!(
                !header(&app).contains(" vs "),
                "the numbers of another question have no base: {question:?}"
            );
            app.snapshot = Shop::new(7, app.look.zone).snapshot(rhythm, Scene::Full, now(), question);
            let board = app.snapshot.boards[&Topic::Payments].part.get().unwrap();
            let window = question.window(board.read_at, Calendar::new(app.look.zone));
            assert_eq!(board.window, window, "{question:?}");
            let words = board::base_words(&app.look, board, question.range, question.basis, true);
            assert_eq!(
                header(&app).contains(&format!("vs {words}")),
                board.has_base(),
                "{question:?}: {words} {}",
                header(&app)
            );
            seen.push(words);
        }
        app.snapshot.boards.clear();
    }
    assert!(seen.contains(&"17 Aug–19 Aug".to_owned()), "{seen:?}");
    assert!(seen.contains(&"17 Aug 14:05".to_owned()), "{seen:?}");
    assert!(seen.contains(&"last Fri 14:05".to_owned()), "{seen:?}");
    assert!(seen.contains(&"a year ago".to_owned()), "{seen:?}");
    assert!(seen.contains(&"prev 3d".to_owned()), "{seen:?}");
}

fn mouse(app: &mut App, kind: MouseEventKind, (column, row): (u16, u16)) -> Vec<Command> {
    let event = MouseEvent {
        kind,
        column,
        row,
        modifiers: KeyModifiers::NONE,
    };
    app.update(Event::Mouse(event), now())
}

const PRESS: MouseEventKind = MouseEventKind::Down(MouseButton::Left);

/// Where something stands: the beginning of its area.
fn place_of(app: &App, wanted: impl Fn(Hit) -> bool) -> (u16, u16) {
    let hits = hit::hits(app);
    let found = hits.into_iter().find(|(_, hit)| wanted(*hit));
    let (area, _) = found.expect("is on the screen");
    (area.x, area.y)
}

#[test]
fn a_press_means_what_is_seen() {
    let mut app = app();
    for tab in Tab::ALL {
        let place = place_of(&app, |hit| hit == Hit::Tab(tab));
        mouse(&mut app, PRESS, place);
        assert_eq!(app.tab, tab);
        // Every panel takes the focus where it is drawn.
        for panel in app.panels() {
            let place = place_of(&app, |hit| hit == Hit::Panel(panel));
            mouse(&mut app, PRESS, place);
            assert_eq!(app.focused(), Some(panel), "{tab:?}");
        }
    }
    press(&mut app, "1");
    let place = place_of(&app, |hit| hit == Hit::Figure(Panel::Tiles, 4));
    mouse(&mut app, PRESS, place);
    assert_eq!((app.focused(), app.tile()), (Some(Panel::Tiles), 4));
    press(&mut app, "5");
    let ranking = Panel::Of(Piece::ProRanking);
    let place = place_of(&app, |hit| hit == Hit::Row(ranking, 3));
    mouse(&mut app, PRESS, place);
    assert_eq!((app.focused(), app.scrolled(ranking)), (Some(ranking), 3));
    assert!(app.overlay.is_none());
    // The selected row is the first one that is seen of a long list.
    let place = place_of(&app, |hit| hit == Hit::Row(ranking, 3));
    mouse(&mut app, PRESS, place);
    assert!(
        matches!(app.overlay, Some(Overlay::Orders(..))),
        "a second press goes in"
    );
}

#[test]
fn the_pointer_moves_the_cursor_and_the_wheel_scrolls_and_zooms() {
    let mut app = app();
    let minutes = courses::of(&app, Panel::Minutes).unwrap();
    let columns: Vec<((u16, u16), DateTime<Utc>)> = hit::hits(&app)
        .into_iter()
        .filter_map(|(area, hit)| match hit {
            Hit::Moment(Panel::Minutes, moment) => Some(((area.x, area.y), moment)),
            _ => None,
        })
        .collect();
    assert_eq!(
        columns.last().map(|(_, moment)| *moment),
        Some(minutes.buckets[59].since)
    );
    let (place, moment) = columns[12];
    mouse(&mut app, PRESS, place);
    assert_eq!(app.cursor_in(&minutes), minutes.bucket_at(moment));
    let (place, moment) = columns[30];
    mouse(&mut app, MouseEventKind::Drag(MouseButton::Left), place);
    assert_eq!(app.cursor_in(&minutes), minutes.bucket_at(moment));
    mouse(&mut app, MouseEventKind::ScrollUp, place);
    assert_eq!(app.seen(Panel::Minutes, 60).len(), 30);
    mouse(&mut app, MouseEventKind::ScrollDown, place);
    assert_eq!(app.seen(Panel::Minutes, 60).len(), 60);
    let place = place_of(&app, |hit| hit == Hit::Panel(Panel::Tape));
    mouse(&mut app, MouseEventKind::ScrollDown, place);
    assert_eq!(app.scrolled(Panel::Tape), 3);
    mouse(&mut app, MouseEventKind::ScrollUp, place);
    assert_eq!(app.scrolled(Panel::Tape), 0);
    press(&mut app, "3f");
    let place = place_of(&app, |hit| hit == Hit::Line(2));
    mouse(&mut app, PRESS, place);
    assert!(app.ask().store.is_some(), "a line of a list is chosen");
    let commands = press(&mut app, "M");
    assert_eq!(commands, [Command::Mouse(true)]);
}

#[test]
fn what_is_copied() {
    let mut app = app();
    let copied = |app: &mut App, keys: &str| match press(app, keys).as_slice() {
        [Command::Copy(text)] => text.clone(),
        other => panic!("{other:?}"),
    };
    let revenue = app.snapshot.live.get().unwrap().today.revenue_cents;
    assert_eq!(copied(&mut app, "y"), app.look.marks().cents(revenue));
    app.focus_on(Panel::Minutes);
    let words = copied(&mut app, "vy");
    assert_eq!(Some(words), app.cursor_words(Panel::Minutes));
    press(&mut app, "v5");
    let ranking = Piece::ProRanking;
    app.focus_on(Panel::Of(ranking));
    let row = copied(&mut app, "jy");
    let name = first_cells(&app, ranking)[1].clone();
    assert!(row.split('\t').any(|cell| cell == name), "{row:?} {name}");
    let panel = copied(&mut app, "Y");
    assert!(panel.starts_with("─ Ranking"), "{panel}");
    assert!(panel.contains(&name), "{panel}");
    press(&mut app, "2");
    app.focus_on(Panel::Latest);
    let row = copied(&mut app, "jy");
    let order = app.snapshot.sales.get().unwrap().latest[1].order_id;
    assert!(row.contains(&order.to_string()), "{row}");
}

/// What the warehouse of the generated shop answers as of the moment that the board wants.
fn answer(app: &mut App) {
    let wanted = app.wants();
    let Some(at) = wanted.at else { return };
    let topics: Vec<Topic> = board::topic(wanted.tab).into_iter().collect();
    let mut shop = Shop::new(7, app.look.zone);
    for message in shop.past_answers((at, now()), wanted.days, wanted.ask, &topics) {
        app.update(Event::Told(message), now());
    }
}

#[test]
fn the_board_goes_back_in_time_and_comes_to_the_present() {
    let mut app = app();
    let present = app.shown().0.today(now(), app.look.zone).unwrap().totals;
    let commands = run(&mut app, "at 2026-08-21 09:00");
    let moment: DateTime<Utc> = "2026-08-21T12:00:00Z".parse().unwrap();
    assert!(commands.contains(&Command::Poll));
    assert_eq!(app.wants().at, Some(moment));
    assert!(
        app.shown().0.today(moment, app.look.zone).is_none(),
        "nothing of the present is shown as of then"
    );
    answer(&mut app);
    let (data, at) = app.shown();
    let then = data.today(at, app.look.zone).unwrap();
    assert_eq!((at, then.source), (moment, Source::Warehouse));
    assert!(then.totals.orders > 0 && then.totals.orders < present.orders);
    let row = |app: &App| {
        let picture = picture(app);
        (0..picture.area.width)
            .map(|x| picture[(x, 0)].symbol().to_owned())
            .collect::<String>()
    };
    assert!(row(&app).contains("◀ AS OF 21 Aug 09:00"), "{}", row(&app));
    // An answer of another moment is not taken.
    let late =
        Shop::new(7, app.look.zone).past_answers((now() - TimeDelta::hours(1), now()), 30, app.ask(), &[]);
    let totals = then.totals;
    for message in late {
        app.update(Event::Told(message), now());
    }
    let shown = |app: &App| {
        let (data, at) = app.shown();
        data.today(at, app.look.zone).unwrap().totals
    };
    assert_eq!(shown(&app), totals);
    // The present goes on meanwhile, and the tabs about it show it.
    let more = live(&app, |view| view.today.orders += 1);
    told(&mut app, now(), more);
    assert_eq!(shown(&app), totals);
    press(&mut app, "0");
    assert_eq!(app.shown().1, now());
    assert!(row(&app).contains("LIVE"), "{}", row(&app));
    press(&mut app, "1=");
    assert_eq!(shown(&app).orders, present.orders + 1);
    assert_eq!(app.wants().at, None);
}

#[test]
fn steps_and_pans_walk_through_time() {
    let mut app = app();
    let at = |app: &App| app.wants().at.map(|at| (now() - at).num_minutes());
    app.focus_on(Panel::Minutes);
    press(&mut app, ",,");
    assert_eq!(at(&app), Some(2), "a minute each, as the chart has them");
    press(&mut app, ".");
    assert_eq!(at(&app), Some(1));
    press(&mut app, ".");
    assert_eq!(at(&app), None, "the present");
    press(&mut app, ".");
    assert_eq!(at(&app), None, "and no further");
    press(&mut app, "[");
    assert_eq!(at(&app), Some(30), "half of the hour that the chart holds");
    answer(&mut app);
    press(&mut app, "[");
    assert_eq!(at(&app), Some(60));
    answer(&mut app);
    press(&mut app, "]]");
    assert_eq!(at(&app), None);
    // In a part of the chart the axis moves first.
    press(&mut app, "+[");
    assert_eq!((at(&app), app.seen(Panel::Minutes, 60)), (None, 15..45));
    press(&mut app, "=2");
    app.focus_on(Panel::Trend);
    press(&mut app, ",");
    assert_eq!(at(&app), Some(24 * 60), "a day where days are shown");
    let link = app.place().link();
    assert!(link.ends_with("&at=2026-08-20T17:05:02Z"), "{link}");
    press(&mut app, "=");
    run(&mut app, &format!("link {link}"));
    assert_eq!(at(&app), Some(24 * 60));
    press(&mut app, "=");
    run(&mut app, "at 23:00");
    assert_eq!(at(&app), None);
    assert!(
        app.told
            .as_deref()
            .is_some_and(|told| told.contains("still to come"))
    );
    press(&mut app, "6,");
    assert_eq!(at(&app), None);
    assert_eq!(app.told.as_deref(), Some("only of the present"));
}

/// Two marks make a difference of two periods: the later one is what is shown, as of its end, the earlier one its base.
#[test]
fn two_marks_are_two_periods() {
    let mut app = app();
    run(&mut app, "tab sales");
    run(&mut app, "range 3d");
    app.snapshot = Shop::new(7, app.look.zone).snapshot(app.snapshot.rhythm, Scene::Full, now(), app.ask());
    app.focus_on(Panel::Trend);
    press(&mut app, "vhhm");
    assert!(
        app.told
            .as_deref()
            .is_some_and(|told| told.starts_with("marked A Tue 18 Aug"))
    );
    press(&mut app, "lm");
    assert!(
        app.told
            .as_deref()
            .is_some_and(|told| told.starts_with("marked B Wed 19 Aug"))
    );
    run(&mut app, "range 1d");
    press(&mut app, "D");
    let ask = Ask {
        range: Range::Days(1),
        basis: Basis::From("2026-08-18".parse().unwrap()),
        store: None,
    };
    let end: DateTime<Utc> = "2026-08-20T03:00:00Z".parse().unwrap();
    let wanted = app.wants();
    assert_eq!((wanted.difference, wanted.at), (Some(ask), Some(end)));
    assert!(app.shown_difference().is_none(), "not until it has come");
    let mut shop = Shop::new(7, app.look.zone);
    let view = shop.difference(ask, end);
    for by in PartsBy::ALL {
        let parts = view.ranked(by);
        let sum = |of: fn(&Pair) -> i64| parts.iter().map(|part| of(&part.cents)).sum::<i64>();
        let whole = (view.revenue.now, view.revenue.before);
        assert_eq!((sum(|pair| pair.now), sum(|pair| pair.before)), whole, "{by:?}");
        let sizes: Vec<u64> = parts.iter().map(|part| part.moved().unsigned_abs()).collect();
        assert!(sizes.is_sorted_by(|a, b| a >= b), "{by:?}: {sizes:?}");
    }
    let message = |ask, body| Message {
        at: now(),
        store: StoreName::Warehouse,
        body: Body::Past(end, Box::new(Body::Difference(ask, Box::new(body)))),
    };
    let other = Ask {
        store: Some(103),
        ..ask
    };
    app.update(Event::Told(message(other, view.clone())), now());
    assert!(app.shown_difference().is_none(), "the answer to another question");
    app.update(Event::Told(message(ask, view.clone())), now());
    assert_eq!(app.shown_difference(), Some(&view));
    let text = |app: &App| output(app, &[app.tab], Format::Text);
    assert!(text(&app).contains("18 Aug → 19 Aug"), "{}", text(&app));
    assert!(text(&app).contains("CATEGORY"));
    key(&mut app, KeyCode::Right);
    assert!(text(&app).contains("STORE"), "{}", text(&app));
    key(&mut app, KeyCode::Esc);
    assert_eq!(app.wants().difference, None);
    // Today as the second period is the present.
    press(&mut app, "=");
    run(&mut app, "range 3d");
    app.focus_on(Panel::Trend);
    press(&mut app, "vhmG");
    press(&mut app, "mD");
    assert_eq!((app.ask().range, app.wants().at), (Range::Today, None));
}
