//! What keys do.

use crossterm::event::KeyEvent;
use instashop_core::view::{OrdersOf, Range};

use super::{App, Command, Frozen, HelpPage, Line, Overlay, RANGES, Tab};
use crate::board;
use crate::keys::{self, Action};
use crate::sheet::table::Target;
use crate::ui::layout::{self, Kind, Panel};

impl App {
    pub(super) fn key(&mut self, key: &KeyEvent) -> Vec<Command> {
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
            Action::Left if self.move_cursor(|at, _| at.saturating_sub(1)) => {}
            Action::Right if self.move_cursor(|at, last| (at + 1).min(last)) => {}
            Action::First if self.move_cursor(|_, _| 0) => {}
            Action::Last if self.move_cursor(|_, last| last) => {}
            Action::PageUp if self.move_cursor(|at, _| at.saturating_sub(10)) => {}
            Action::PageDown if self.move_cursor(|at, last| (at + 10).min(last)) => {}
            Action::Left => self.move_tile(false),
            Action::Right => self.move_tile(true),
            Action::Up => self.move_rows(|at, _| at.saturating_sub(1)),
            Action::Down => self.move_rows(|at, last| (at + 1).min(last)),
            Action::First => self.move_rows(|_, _| 0),
            Action::Last => self.move_rows(|_, last| last),
            Action::PageUp => self.move_rows(|at, _| at.saturating_sub(10)),
            Action::PageDown => self.move_rows(|at, last| (at + 10).min(last)),
            Action::Zoom => self.zoom = !self.zoom && layout::kind(self.size) == Kind::Full,
            Action::Cursor => self.switch_cursor(),
            Action::Closer => self.zoom_time(true),
            Action::Wider => self.zoom_time(false),
            Action::PanBack | Action::PanForward => return self.pan_or_travel(action == Action::PanForward),
            Action::Copy => return self.copy_value(),
            Action::CopyPanel => return self.copy_panel(),
            Action::Mouse => {
                self.mouse = !self.mouse;
                let texts = self.look.texts();
                let words = if self.mouse {
                    texts.mouse_on
                } else {
                    texts.mouse_off
                };
                self.told = Some(words.to_owned());
                return vec![Command::Mouse(self.mouse)];
            }
            Action::Mark => self.mark(),
            Action::Difference => return self.open_difference(),
            Action::Prompt => self.overlay = Some(Overlay::Prompt(Line::default())),
            Action::Preset => return self.next_preset(),
            Action::Link => return vec![Command::Copy(self.place().link())],
            Action::Earlier | Action::Later => return self.step_time(action == Action::Later),
            Action::Travel => {
                let line = Line::begin("at ");
                self.overlay = Some(Overlay::Prompt(line));
            }
            Action::Present => {
                self.reset_axes();
                return self.travel(None);
            }
            Action::Back if self.cursor.is_some() => self.cursor = None,
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
                if let Some(panel) = self.focused().filter(|_| self.here().sorts > 0) {
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
                let bases = self.bases();
                let at = bases.iter().position(|basis| *basis == self.ask.basis);
                self.ask.basis = bases[at.map_or(0, |at| (at + 1) % bases.len())];
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
            Action::Export => return vec![Command::Export(None)],
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

    pub(super) fn go(&mut self, tab: Tab) {
        self.tab = tab;
        self.zoom = false;
    }

    /// Whether the selected row leads somewhere.
    fn drills(&self) -> bool {
        match self.focused() {
            Some(Panel::Of(piece)) => board::selected(self, piece).is_some(),
            _ => self.selected_sale().is_some(),
        }
    }

    /// Goes where the selected row leads: to the tab of an alert, to the figures of one store, else to all values of the row.
    fn drill(&mut self) -> Vec<Command> {
        let Some(Panel::Of(piece)) = self.focused() else {
            if let Some(of) = self.selected_sale() {
                self.overlay = Some(Overlay::Orders(of, 0));
            }
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
        let count = self.here().figures;
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

    pub(super) fn move_rows(&mut self, to: impl Fn(usize, usize) -> usize) {
        let Some(panel) = self.focused().filter(|_| self.here().scrolls) else {
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
            let sorts = self.here().sorts;
            if sorts == 0 {
                return;
            }
            let order = self.orders.entry(panel).or_default();
            order.column = (order.column + 1) % sorts;
            order.reversed = false;
        }
    }
}
