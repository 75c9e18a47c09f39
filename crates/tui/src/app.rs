//! The state of the dashboard and the pure update: an event and the time go in, the state changes, commands come out.
//!
//! - `overlay`: what lies above the tabs: help, explanation, failure
//! - `tab`: the tabs

mod overlay;
mod tab;

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use crossterm::event::KeyEvent;
use instashop_core::view::{Ask, Basis, OrdersOf, Range};

use crate::board::{self, Piece};
use crate::keys::{self, Action};
use crate::look::Look;
use crate::metrics::Metric;
use crate::sheet::Content;
use crate::sheet::table::Target;
use crate::snapshot::{Body, Message, Snapshot, StoreName};
use crate::ui::layout::{self, Kind, Panel};

pub use overlay::{HelpPage, Overlay, Subject};
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
    /// Write what is shown to files.
    Export,
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
    pub orders: Option<OrdersOf>,
    /// True when the Live tab shows small panels of the Sales tab.
    pub sales_on_live: bool,
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
            frozen: None,
            scroll: BTreeMap::new(),
            orders: BTreeMap::new(),
            displays: BTreeMap::new(),
            tiles: BTreeMap::new(),
            ask: Ask {
                range: Range::Days(30),
                basis: Basis::Previous,
                store: None,
            },
            filters: BTreeMap::new(),
            told: None,
            changed: BTreeMap::new(),
            pulse: false,
            wanted: None,
        }
    }

    /// Takes in an event.
    pub fn update(&mut self, event: Event, now: DateTime<Utc>) -> Vec<Command> {
        self.now = now;
        let mut commands = match event {
            Event::Key(key) => self.key(&key),
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
                Some(Overlay::Orders(of, _)) => Some(of.clone()),
                _ => None,
            },
            sales_on_live: self.tab == Tab::Live && visible.iter().any(|panel| panel.home() == Tab::Sales),
            redis_is_out: self.snapshot.live_condition(self.now).is_outdated(),
        }
    }

    /// What is drawn: the frozen board and its time, or the present.
    pub fn shown(&self) -> (&Snapshot, DateTime<Utc>) {
        match &self.frozen {
            Some(frozen) => (&frozen.snapshot, frozen.at),
            None => (&self.snapshot, self.now),
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

    /// Visible panels of the tab, in the order of the focus.
    pub fn panels(&self) -> Vec<Panel> {
        layout::panels(self.tab, self.size)
            .into_iter()
            .map(|(panel, _)| panel)
            .collect()
    }

    /// The panel with the focus: the chosen one, or the first that is visible.
    pub fn focused(&self) -> Option<Panel> {
        let panels = self.panels();
        let chosen = self.focus.get(&self.tab).copied();
        chosen
            .filter(|panel| panels.contains(panel))
            .or_else(|| panels.first().copied())
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

    /// The metric that the focus is on.
    pub fn explained(&self) -> Option<Subject> {
        let panel = self.focused()?;
        let tiles: &[Metric] = match panel {
            Panel::Tiles => &Metric::LIVE_TILES,
            Panel::Figures => &Metric::SALES_TILES,
            Panel::Of(piece) => return Some(Subject::Catalogued(self.catalogued(piece))),
            _ => return Some(Subject::Own(panel.metric())),
        };
        tiles
            .get(self.tile().min(tiles.len() - 1))
            .copied()
            .map(Subject::Own)
    }

    /// The metric of a panel over the marts: that of the selected figure, else its own.
    fn catalogued(&self, piece: Piece) -> &'static str {
        match board::sheet(self, piece).map(|sheet| sheet.content) {
            Some(Content::Figures(figures)) => figures
                .get(self.tile().min(figures.len().saturating_sub(1)))
                .map_or(piece.kpi(), |figure| figure.kpi),
            _ => piece.kpi(),
        }
    }

    /// Figures beside each other in the focused panel.
    fn figures(&self) -> usize {
        match self.focused() {
            Some(Panel::Tiles) => Metric::LIVE_TILES.len(),
            Some(Panel::Figures) => Metric::SALES_TILES.len(),
            Some(Panel::Of(piece)) => match board::sheet(self, piece).map(|sheet| sheet.content) {
                Some(Content::Figures(figures)) => figures.len(),
                _ => 0,
            },
            _ => 0,
        }
    }

    /// How many orders a panel can be put in.
    pub fn sorts(&self, panel: Panel) -> usize {
        match panel {
            Panel::Of(piece) => board::with_table(self, piece, |table, _| table.sorts.len()).unwrap_or(0),
            _ => panel.sorts(),
        }
    }

    /// True for lists.
    pub fn scrolls(&self, panel: Panel) -> bool {
        match panel {
            Panel::Of(piece) => board::with_table(self, piece, |table, _| table.selects).unwrap_or(false),
            _ => panel.scrolls(),
        }
    }

    /// What the focused panel can do: asked once for many actions, because the panel is made for it.
    pub fn here(&self) -> Here {
        let Some(panel) = self.focused() else {
            return Here::default();
        };
        let Panel::Of(piece) = panel else {
            return Here {
                figures: self.figures(),
                sorts: panel.sorts(),
                scrolls: panel.scrolls(),
                ..Here::default()
            };
        };
        match board::sheet(self, piece).map(|sheet| sheet.content) {
            Some(Content::Figures(figures)) => Here {
                figures: figures.len(),
                ..Here::default()
            },
            Some(Content::Table(table)) => Here {
                sorts: table.sorts.len(),
                scrolls: table.selects,
                filters: table.selects,
                drills: table.rows.iter().any(|row| row.target.is_some()),
                ..Here::default()
            },
            _ => Here::default(),
        }
    }

    /// Whether an action does something here.
    pub fn works(&self, action: Action) -> bool {
        self.works_in(&self.here(), action)
    }

    /// Whether an action does something in a panel that can do this.
    pub fn works_in(&self, here: &Here, action: Action) -> bool {
        let full = layout::kind(self.size) == Kind::Full;
        let ranged = !matches!(
            self.tab,
            Tab::Live | Tab::System | Tab::Alerts | Tab::Inventory | Tab::Stores
        );
        match action {
            Action::Sort | Action::Reverse => here.sorts > 0 && full,
            Action::Filter => here.filters && full,
            Action::Display => self.focused().is_some_and(|panel| self.displays_of(panel) > 1) && full,
            Action::Range => ranged,
            Action::Compare => board::topic(self.tab).is_some() && ranged,
            Action::Scope => board::topic(self.tab).is_some(),
            Action::Acknowledge | Action::Silence => false,
            Action::Detail => self.failed_store().is_some() || here.drills,
            Action::Left | Action::Right => here.figures > 0,
            Action::Up | Action::Down | Action::First | Action::Last | Action::PageUp | Action::PageDown => {
                here.scrolls || matches!(self.overlay, Some(Overlay::Help(_)))
            }
            Action::NextPanel | Action::PreviousPanel | Action::Zoom | Action::Explain => full,
            Action::Back => self.zoom || self.overlay.is_some() || self.frozen.is_some(),
            _ => true,
        }
    }

    /// How many displays a panel has at this size.
    pub fn displays_of(&self, panel: Panel) -> usize {
        let visible = |other: Panel| self.panels().contains(&other);
        match panel {
            Panel::Minutes if !visible(Panel::Hours) => 2,
            Panel::Latency if !visible(Panel::WarehouseLatency) => 2,
            Panel::Payments | Panel::Categories | Panel::Trend => 2,
            _ => 1,
        }
    }

    /// The store whose failure can be shown.
    pub fn failed_store(&self) -> Option<StoreName> {
        let failed = |store: &StoreName| self.snapshot.link(*store).down.is_some();
        [StoreName::Redis, StoreName::Warehouse].into_iter().find(failed)
    }

    fn key(&mut self, key: &KeyEvent) -> Vec<Command> {
        self.told = None;
        if let Some(overlay) = self.overlay.take() {
            return self.overlay_key(overlay, key);
        }
        match keys::action(key) {
            Some(action) => self.act(action),
            None => vec![],
        }
    }

    /// Does what a key means.
    pub fn act(&mut self, action: Action) -> Vec<Command> {
        match action {
            Action::Go(tab) => self.go(tab),
            Action::PreviousTab => self.go(self.tab.step(false)),
            Action::NextTab => self.go(self.tab.step(true)),
            Action::NextPanel => self.move_focus(true),
            Action::PreviousPanel => self.move_focus(false),
            Action::Left => self.move_tile(false),
            Action::Right => self.move_tile(true),
            Action::Up => self.move_rows(|at, _| at.saturating_sub(1)),
            Action::Down => self.move_rows(|at, last| (at + 1).min(last)),
            Action::First => self.move_rows(|_, _| 0),
            Action::Last => self.move_rows(|_, last| last),
            Action::PageUp => self.move_rows(|at, _| at.saturating_sub(10)),
            Action::PageDown => self.move_rows(|at, last| (at + 10).min(last)),
            Action::Zoom => self.zoom = !self.zoom && layout::kind(self.size) == Kind::Full,
            Action::Back if self.zoom => self.zoom = false,
            Action::Back | Action::Freeze if self.frozen.is_some() => self.frozen = None,
            Action::Freeze => {
                self.frozen = Some(Box::new(Frozen {
                    snapshot: self.snapshot.clone(),
                    at: self.now,
                }));
            }
            Action::Display => self.next_display(),
            Action::Sort => self.next_order(),
            Action::Reverse => {
                if let Some(panel) = self.focused().filter(|panel| self.sorts(*panel) > 0) {
                    let order = self.orders.entry(panel).or_default();
                    order.reversed = !order.reversed;
                }
            }
            Action::Range if self.works(Action::Range) => {
                let complete = self.tab == Tab::Sales;
                let ranges = RANGES
                    .iter()
                    .filter(|range| !complete || matches!(range, Range::Days(_)));
                let ranges: Vec<Range> = ranges.copied().collect();
                let at = ranges.iter().position(|range| *range == self.ask.range);
                self.ask.range = ranges[at.map_or(0, |at| (at + 1) % ranges.len())];
                return vec![Command::Poll];
            }
            Action::Compare if self.works(Action::Compare) => {
                let at = BASES
                    .iter()
                    .position(|basis| *basis == self.ask.basis)
                    .unwrap_or(0);
                self.ask.basis = BASES[(at + 1) % BASES.len()];
                return vec![Command::Poll];
            }
            Action::Scope if self.works(Action::Scope) => {
                self.overlay = Some(Overlay::Stores(HelpPage::default()));
            }
            Action::Filter if self.works(Action::Filter) => {
                if let Some(panel) = self.focused() {
                    self.overlay = Some(Overlay::Filter(panel));
                }
            }
            Action::Export => return vec![Command::Export],
            Action::Language => self.look.language = self.look.language.next(),
            Action::Detail if self.failed_store().is_none() && self.drills() => return self.drill(),
            // Said, so that nobody waits for what does not come.
            Action::Acknowledge | Action::Silence if self.tab == Tab::Alerts => {
                self.told = Some((self.look.texts().action)(action).to_owned());
            }
            Action::Back
            | Action::Range
            | Action::Compare
            | Action::Scope
            | Action::Filter
            | Action::Acknowledge
            | Action::Silence => {}
            Action::Explain => self.overlay = self.explained().map(Overlay::Explain),
            Action::Detail => self.overlay = self.failed_store().map(Overlay::Failure),
            Action::Help => self.overlay = Some(Overlay::Help(HelpPage::default())),
            Action::Theme => self.look.theme = self.look.theme.step(self.look.own_background),
            Action::Poll => return vec![Command::Poll],
            Action::Repaint => return vec![Command::Repaint],
            Action::Suspend => return vec![Command::Suspend],
            Action::Quit => return vec![Command::Quit(false)],
            Action::QuitLeaving => return vec![Command::Quit(true)],
        }
        vec![]
    }

    fn go(&mut self, tab: Tab) {
        self.tab = tab;
        self.zoom = false;
    }

    /// Whether the selected row leads somewhere.
    fn drills(&self) -> bool {
        matches!(self.focused(), Some(Panel::Of(piece)) if board::selected(self, piece).is_some())
    }

    /// Goes where the selected row leads: to the tab of an alert, to the figures of one store, else to all values of the row.
    fn drill(&mut self) -> Vec<Command> {
        let Some(Panel::Of(piece)) = self.focused() else {
            return vec![];
        };
        match board::selected(self, piece) {
            Some(Target::Store(id)) => {
                self.ask.store = Some(id);
                self.go(if piece.tab() == Tab::Stores {
                    Tab::Payments
                } else {
                    self.tab
                });
                vec![Command::Poll]
            }
            Some(Target::Alert(fingerprint)) => {
                if let Some(tab) = board::alert_tab(&fingerprint) {
                    self.go(tab);
                }
                vec![]
            }
            Some(target) => {
                let of = match target {
                    Target::Method(method) => Some(OrdersOf::Method(method)),
                    Target::Product(id) => Some(OrdersOf::Product(id)),
                    Target::Buyer(id) => Some(OrdersOf::Buyer(id)),
                    Target::Order(id) => Some(OrdersOf::Order(id)),
                    Target::Stock(_) | Target::Store(_) | Target::Alert(_) => None,
                };
                self.overlay = Some(of.map_or(Overlay::Row(piece), |of| Overlay::Orders(of, 0)));
                vec![]
            }
            None => vec![],
        }
    }

    fn move_focus(&mut self, forward: bool) {
        let panels = self.panels();
        let Some(focused) = self.focused() else { return };
        let at = panels.iter().position(|panel| *panel == focused).unwrap_or(0);
        let step = if forward { 1 } else { panels.len() - 1 };
        self.focus.insert(self.tab, panels[(at + step) % panels.len()]);
    }

    /// Gives the focus to a panel of the visible tab.
    pub fn focus_on(&mut self, panel: Panel) {
        self.focus.insert(self.tab, panel);
    }

    fn move_tile(&mut self, forward: bool) {
        let count = self.figures();
        if count == 0 {
            return;
        }
        let at = self.tile().min(count - 1);
        let next = if forward {
            (at + 1).min(count - 1)
        } else {
            at.saturating_sub(1)
        };
        self.tiles.insert(self.tab, next);
    }

    fn move_rows(&mut self, to: impl Fn(usize, usize) -> usize) {
        let Some(panel) = self.focused().filter(|panel| self.scrolls(*panel)) else {
            return;
        };
        let rows = crate::ui::rows_of(self, panel);
        let at = self.scrolled(panel).min(rows.saturating_sub(1));
        self.scroll.insert(panel, to(at, rows.saturating_sub(1)));
    }

    fn next_display(&mut self) {
        if let Some(panel) = self.focused() {
            let count = self.displays_of(panel);
            let display = self.displays.entry(panel).or_default();
            *display = (*display + 1) % count;
        }
    }

    fn next_order(&mut self) {
        if let Some(panel) = self.focused() {
            let sorts = self.sorts(panel);
            if sorts == 0 {
                return;
            }
            let order = self.orders.entry(panel).or_default();
            order.column = (order.column + 1) % sorts;
            order.reversed = false;
        }
    }
}
