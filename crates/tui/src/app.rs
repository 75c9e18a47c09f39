//! The state of the dashboard and the pure update: an event and the time go in, the state changes, commands come out.
//!
//! - `axis`: cursor and span of the charts
//! - `copy`: what goes to the clipboard
//! - `overlay`: what lies above the tabs: help, explanation, failure
//! - `past`: the board as of an earlier moment
//! - `places`: links, views of the configuration, marked days
//! - `pointer`: press, drag and wheel
//! - `prompt`: every action by name
//! - `tab`: the tabs

mod act;
mod axis;
mod copy;
mod focus;
mod overlay;
mod past;
mod places;
mod pointer;
mod prompt;
mod tab;

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use crossterm::event::{KeyEvent, MouseEvent};
use instashop_core::view::{Ask, Basis, OrdersOf, Range};

use crate::look::Look;
use crate::metrics::Metric;
use crate::once::Format;
use crate::place::Place;
use crate::snapshot::{Body, Message, Snapshot};
use crate::terminal::Traffic;
use crate::ui::layout::Panel;

pub use overlay::{HelpPage, Overlay, Subject};
pub use prompt::Line;
pub use tab::Tab;

/// How long a changed value is bold.
const CHANGED_FOR: TimeDelta = TimeDelta::milliseconds(1000);

/// Ranges of time, in the order of their key.
pub const RANGES: [Range; 5] = [
    Range::Days(30),
    Range::Days(90),
    Range::Days(7),
    Range::Today,
    Range::Yesterday,
];

/// Comparisons, in the order of their key.
const BASES: [Basis; 3] = [Basis::Previous, Basis::Weekday, Basis::Year];

/// What happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// A key.
    Key(KeyEvent),
    /// The pointer.
    Mouse(MouseEvent),
    /// The window has a new size.
    Resize(u16, u16),
    /// A second passed.
    Tick,
    /// A feed tells something.
    Told(Message),
    /// Suspend, by signal.
    Suspend,
    /// End, by signal or because the terminal went away.
    Stop,
}

/// What the loop has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Ask both stores now.
    Poll,
    /// Ask for these parts from now on.
    Want(Wanted),
    /// Write what is shown to files, in one form or in all.
    Export(Option<Format>),
    /// Put a text on the clipboard of the terminal.
    Copy(String),
    /// Let the terminal tell of the pointer, or leave it to the terminal.
    Mouse(bool),
    /// Paint everything again.
    Repaint,
    /// Suspend.
    Suspend,
    /// End; true leaves the last picture on the screen.
    Quit(bool),
}

/// What the visible screen needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Visible tab.
    pub tab: Tab,
    /// Days of the Sales tab.
    pub days: u32,
    /// What the tabs over the marts are asked.
    pub ask: Ask,
    /// The orders behind a number, while they are shown.
    pub orders: Option<(OrdersOf, Ask)>,
    /// The difference that is asked for, while it is shown.
    pub difference: Option<Ask>,
    /// True when the Live tab shows small panels of the Sales tab.
    pub sales_on_live: bool,
    /// The moment the board is as of; `None` is the present.
    pub at: Option<DateTime<Utc>>,
    /// True while Redis cannot answer for today.
    pub redis_is_out: bool,
}

/// What the focused panel can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Here {
    /// Figures beside each other.
    pub figures: usize,
    /// Orders of its rows.
    pub sorts: usize,
    /// Rows can be selected.
    pub scrolls: bool,
    /// Rows can be filtered.
    pub filters: bool,
    /// Rows lead somewhere.
    pub drills: bool,
    /// It has a time axis.
    pub charts: bool,
}

/// The board as of an earlier moment.
#[derive(Debug, Clone)]
pub struct Past {
    /// What is known of it.
    pub snapshot: Snapshot,
    /// The moment.
    pub at: DateTime<Utc>,
    /// How far one step and one pan go, until the answer tells.
    strides: (TimeDelta, TimeDelta),
}

/// The board as it was when it was frozen.
#[derive(Debug, Clone)]
pub struct Frozen {
    /// What was known.
    pub snapshot: Snapshot,
    /// When.
    pub at: DateTime<Utc>,
}

/// Order of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Order {
    /// Index of the column among those that can be sorted by.
    pub column: usize,
    /// True when turned around.
    pub reversed: bool,
}

/// The state.
#[derive(Debug, Clone)]
pub struct App {
    /// Theme, glyphs, language.
    pub look: Look,
    /// What is known.
    pub snapshot: Snapshot,
    /// Time of the last event.
    pub now: DateTime<Utc>,
    /// Columns and rows of the window.
    pub size: (u16, u16),
    /// Visible tab.
    pub tab: Tab,
    /// True when the figures are generated.
    pub demo: bool,
    /// Panel with the focus, by tab.
    focus: BTreeMap<Tab, Panel>,
    /// True while the focused panel fills the body.
    pub zoom: bool,
    /// What lies above the tabs.
    pub overlay: Option<Overlay>,
    /// Set while the board is as of an earlier moment.
    pub past: Option<Box<Past>>,
    /// Set while the board stands still.
    pub frozen: Option<Box<Frozen>>,
    /// First visible row, by panel.
    scroll: BTreeMap<Panel, usize>,
    /// Order, by panel.
    orders: BTreeMap<Panel, Order>,
    /// Chosen display, by panel.
    displays: BTreeMap<Panel, usize>,
    /// Selected tile, by tab.
    tiles: BTreeMap<Tab, usize>,
    /// True while the terminal tells of the pointer.
    pub mouse: bool,
    /// The moment the cursor of the charts stands on.
    cursor: Option<DateTime<Utc>>,
    /// Days that were marked to compare with.
    marks: [Option<NaiveDate>; 2],
    /// Views of the configuration, by name.
    pub presets: Vec<(String, Place)>,
    /// Lines of the prompt, the newest last.
    typed: Vec<String>,
    /// The part of a course that is seen, by panel; without an entry all of it.
    spans: BTreeMap<Panel, axis::Span>,
    /// Range, comparison and store.
    ask: Ask,
    /// What the rows of a panel are filtered by.
    filters: BTreeMap<Panel, String>,
    /// What the last key did, in words, when nothing else shows it: where an export went, why nothing happens.
    pub told: Option<String>,
    /// When each metric changed last.
    changed: BTreeMap<Metric, DateTime<Utc>>,
    /// Turns with every answer of Redis: the one thing that moves.
    pub pulse: bool,
    /// What goes to the terminal; `None` where there is none.
    pub traffic: Option<Traffic>,
    wanted: Option<Wanted>,
}

impl App {
    /// The state at start.
    pub fn new(look: Look, snapshot: Snapshot, size: (u16, u16), tab: Tab, demo: bool) -> Self {
        Self {
            look,
            now: snapshot.started,
            snapshot,
            size,
            tab,
            demo,
            focus: BTreeMap::new(),
            zoom: false,
            overlay: None,
            past: None,
            frozen: None,
            scroll: BTreeMap::new(),
            orders: BTreeMap::new(),
            displays: BTreeMap::new(),
            tiles: BTreeMap::new(),
            mouse: false,
            cursor: None,
            spans: BTreeMap::new(),
            marks: [None, None],
            presets: Vec::new(),
            typed: Vec::new(),
            ask: Ask {
                range: Range::Days(30),
                basis: Basis::Previous,
                store: None,
            },
            filters: BTreeMap::new(),
            told: None,
            changed: BTreeMap::new(),
            pulse: false,
            traffic: None,
            wanted: None,
        }
    }

    /// Takes in an event.
    pub fn update(&mut self, event: Event, now: DateTime<Utc>) -> Vec<Command> {
        self.now = now;
        let mut commands = match event {
            Event::Key(key) => self.key(&key),
            Event::Mouse(event) => self.pointer(event),
            Event::Resize(columns, rows) => {
                self.size = (columns, rows);
                vec![Command::Repaint]
            }
            Event::Told(message) => {
                self.told(message);
                vec![]
            }
            Event::Tick => vec![],
            Event::Suspend => vec![Command::Suspend],
            Event::Stop => vec![Command::Quit(false)],
        };
        let wanted = self.wants();
        if self.wanted.as_ref() != Some(&wanted) {
            self.wanted = Some(wanted.clone());
            commands.push(Command::Want(wanted));
        }
        commands
    }

    fn told(&mut self, message: Message) {
        if let Body::Past(at, body) = &message.body
            && let Some(past) = self.past.as_mut().filter(|past| past.at == *at)
        {
            past.snapshot.apply(Message {
                body: (**body).clone(),
                ..message
            });
        }
        let live = matches!(message.body, Body::Live(_));
        let before = live.then(|| self.tile_values());
        self.snapshot.apply(message);
        if let Some(before) = before {
            self.pulse = !self.pulse;
            for (metric, value) in self.tile_values() {
                let old = before
                    .iter()
                    .find(|(name, _)| *name == metric)
                    .and_then(|(_, value)| *value);
                if old.is_some() && old != value {
                    self.changed.insert(metric, self.now);
                }
            }
        }
    }

    fn tile_values(&self) -> Vec<(Metric, Option<crate::reading::Value>)> {
        let reading = |metric: Metric| (metric, metric.reading(&self.snapshot, &self.look, self.now).value);
        Metric::LIVE_TILES.into_iter().map(reading).collect()
    }

    /// What the visible screen needs.
    pub fn wants(&self) -> Wanted {
        let visible = self.panels();
        Wanted {
            tab: self.tab,
            days: self.days(),
            ask: self.ask,
            orders: match &self.overlay {
                Some(Overlay::Orders(of, _)) => Some((of.clone(), self.orders_ask())),
                _ => None,
            },
            difference: matches!(self.overlay, Some(Overlay::Difference(..))).then_some(self.ask),
            sales_on_live: self.tab == Tab::Live && visible.iter().any(|panel| panel.home() == Tab::Sales),
            at: self.past.as_ref().map(|past| past.at),
            redis_is_out: self.snapshot.live_condition(self.now).is_outdated(),
        }
    }

    /// What is drawn: the frozen board and its time, the board as of an earlier moment, or the present.
    pub fn shown(&self) -> (&Snapshot, DateTime<Utc>) {
        match (&self.frozen, &self.past) {
            (Some(frozen), _) => (&frozen.snapshot, frozen.at),
            (None, Some(past)) if self.tab.goes_back() => (&past.snapshot, past.at),
            _ => (&self.snapshot, self.now),
        }
    }

    /// Where the state of sources and pipeline stands, and its time: a board as of an earlier moment has none of its own.
    pub fn pipeline(&self) -> (&Snapshot, DateTime<Utc>) {
        let (data, now) = self.shown();
        if data.past {
            (&self.snapshot, self.now)
        } else {
            (data, now)
        }
    }

    /// Changes hidden since the board was frozen, and whether there may be more.
    pub fn hidden_changes(&self) -> (u64, bool) {
        self.frozen.as_ref().map_or((0, false), |frozen| {
            let (then, then_more) = frozen.snapshot.taped;
            let (now, more) = self.snapshot.taped;
            (now - then, more && !then_more)
        })
    }

    /// Days of the Sales tab, which shows complete days alone: a week while a single day is chosen.
    pub const fn days(&self) -> u32 {
        match self.ask.range {
            Range::Days(days) => days as u32,
            Range::Today | Range::Yesterday => 7,
        }
    }

    /// Range, comparison and store.
    pub const fn ask(&self) -> Ask {
        self.ask
    }

    /// Range and store of the orders behind a number: the Sales tab shows all stores and complete days.
    pub fn orders_ask(&self) -> Ask {
        match self.tab {
            Tab::Sales => Ask {
                range: Range::Days(u16::try_from(self.days()).unwrap_or(u16::MAX)),
                store: None,
                ..self.ask
            },
            _ => self.ask,
        }
    }

    /// Chooses range, comparison and store.
    pub const fn set_ask(&mut self, ask: Ask) {
        self.ask = ask;
    }

    /// What the rows of a panel are filtered by; empty for nothing.
    pub fn filter(&self, panel: Panel) -> &str {
        self.filters.get(&panel).map_or("", String::as_str)
    }

    /// Filters the rows of a panel.
    pub fn set_filter(&mut self, panel: Panel, find: &str) {
        self.scroll.remove(&panel);
        if find.is_empty() {
            self.filters.remove(&panel);
        } else {
            self.filters.insert(panel, find.to_owned());
        }
    }

    /// Name of the chosen store; `None` for the platform.
    pub fn store_name(&self) -> Option<String> {
        let id = self.ask.store?;
        let known = self
            .snapshot
            .boards
            .values()
            .filter_map(|board| board.part.get())
            .flat_map(|board| &board.stores);
        let name = known
            .into_iter()
            .find(|(store, _)| *store == id)
            .map(|(_, name)| name.clone());
        Some(name.unwrap_or_else(|| format!("#{id}")))
    }

    /// First row of a list that is shown.
    pub fn scrolled(&self, panel: Panel) -> usize {
        self.scroll.get(&panel).copied().unwrap_or(0)
    }

    /// Order of a table.
    pub fn order(&self, panel: Panel) -> Order {
        self.orders.get(&panel).copied().unwrap_or_default()
    }

    /// Display of a panel, 0 is the usual one.
    pub fn display(&self, panel: Panel) -> usize {
        self.displays.get(&panel).copied().unwrap_or(0)
    }

    /// Selected tile of the visible tab.
    pub fn tile(&self) -> usize {
        self.tiles.get(&self.tab).copied().unwrap_or(0)
    }

    /// True while a value that changed is shown in bold.
    pub fn just_changed(&self, metric: Metric) -> bool {
        self.frozen.is_none()
            && self
                .changed
                .get(&metric)
                .is_some_and(|at| self.now - *at < CHANGED_FOR)
    }
}
