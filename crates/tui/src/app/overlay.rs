//! What lies above the tabs, and the keys while it is open.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use instashop_core::view::{OrdersOf, PartsBy};

use super::{App, Command, Line};
use crate::board::Piece;
use crate::keys::{self, Action, BINDINGS};
use crate::metrics::Metric;
use crate::snapshot::StoreName;
use crate::ui::layout::Panel;

/// What lies above the tabs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Overlay {
    /// Keys and marks.
    Help(HelpPage),
    /// One metric in full.
    Explain(Subject),
    /// All values of the selected row of a panel.
    Row(Piece),
    /// The orders behind a number, and which of them is selected.
    Orders(OrdersOf, usize),
    /// What the rows of a panel are filtered by is being typed; the panel stays visible.
    Filter(Panel),
    /// Stores to choose from.
    Stores(HelpPage),
    /// What lies between the range and its base: by which parts, and the first of them that is shown.
    Difference(PartsBy, usize),
    /// A command is being typed; the board stays visible.
    Prompt(Line),
    /// Why a store does not answer.
    Failure(StoreName),
}

/// What is explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A metric of the tabs Live, Sales and System.
    Own(Metric),
    /// A metric by its id in the catalogue.
    Catalogued(&'static str),
}

/// State of a page with a list that is narrowed by typing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HelpPage {
    /// What was typed.
    pub find: String,
    /// Selected line among those found.
    pub selected: usize,
}

impl HelpPage {
    /// Moves the selection or changes what is searched for.
    fn edit(&mut self, key: &KeyEvent, last: usize) {
        match key.code {
            KeyCode::Up => self.selected = self.selected.saturating_sub(1),
            KeyCode::Down => self.selected = (self.selected + 1).min(last),
            KeyCode::PageUp | KeyCode::Home => self.selected = 0,
            KeyCode::PageDown | KeyCode::End => self.selected = last,
            KeyCode::Backspace => {
                self.find.pop();
                self.selected = 0;
            }
            KeyCode::Char(c) if !key.modifiers.contains(KeyModifiers::CONTROL) && self.find.len() < 40 => {
                self.find.push(c);
                self.selected = 0;
            }
            _ => {}
        }
    }

    /// Actions whose key or text holds what was typed.
    pub fn found(&self, app: &App) -> Vec<Action> {
        let texts = app.look.texts();
        let find = self.find.to_lowercase();
        let matches = |action: Action| {
            let keys = BINDINGS
                .iter()
                .find(|binding| binding.action == action)
                .map_or(&[][..], |b| b.keys);
            find.is_empty()
                || keys.iter().any(|key| key.to_lowercase() == find)
                || (texts.action)(action).to_lowercase().contains(&find)
        };
        BINDINGS
            .iter()
            .map(|binding| binding.action)
            .filter(|action| matches(*action))
            .collect()
    }
}

impl App {
    /// A key while `overlay` is open; it was taken out of the state and is put back unless the key closes it.
    pub(super) fn overlay_key(&mut self, overlay: Overlay, key: &KeyEvent) -> Vec<Command> {
        if key.kind == KeyEventKind::Release {
            self.overlay = Some(overlay);
            return vec![];
        }
        let action = keys::action(key);
        match overlay {
            _ if matches!(action, Some(Action::Quit)) && key.modifiers.contains(KeyModifiers::CONTROL) => {
                vec![Command::Quit(false)]
            }
            Overlay::Help(page) => self.help_key(page, key),
            Overlay::Stores(page) => self.store_key(page, key),
            Overlay::Prompt(line) => self.prompt_key(line, key),
            Overlay::Difference(by, at) => self.difference_key(by, at, action),
            Overlay::Orders(of, at) => self.orders_key(of, at, action),
            Overlay::Filter(panel) => self.filter_key(panel, key),
            Overlay::Explain(_) | Overlay::Failure(_) | Overlay::Row(_) => match action {
                Some(Action::Back | Action::Explain | Action::Detail) => vec![],
                Some(Action::Quit | Action::QuitLeaving | Action::Go(_) | Action::Help | Action::Theme) => {
                    self.act(action.unwrap_or(Action::Back))
                }
                Some(Action::Left | Action::Right) if matches!(overlay, Overlay::Explain(_)) => {
                    self.act(action.unwrap_or(Action::Back));
                    self.overlay = self.explained().map(Overlay::Explain);
                    vec![]
                }
                Some(Action::Poll | Action::Repaint | Action::Suspend | Action::Freeze) => {
                    self.overlay = Some(overlay);
                    self.act(action.unwrap_or(Action::Back))
                }
                _ => {
                    self.overlay = Some(overlay);
                    vec![]
                }
            },
        }
    }

    /// Stores whose name holds what was typed; the first line is the platform.
    pub fn stores_found(&self, page: &HelpPage) -> Vec<Option<(i64, String)>> {
        let find = page.find.to_lowercase();
        let board = self.snapshot.boards.values().filter_map(|board| board.part.get());
        let stores = board
            .max_by_key(|board| board.read_at)
            .map_or(&[][..], |board| &board.stores);
        let named = stores
            .iter()
            .filter(|(id, name)| name.to_lowercase().contains(&find) || id.to_string() == find);
        let all = find.is_empty().then_some(None);
        all.into_iter().chain(named.cloned().map(Some)).collect()
    }

    fn store_key(&mut self, mut page: HelpPage, key: &KeyEvent) -> Vec<Command> {
        let found = self.stores_found(&page);
        let last = found.len().saturating_sub(1);
        match key.code {
            KeyCode::Esc => return vec![],
            KeyCode::Enter => {
                if let Some(store) = found.get(page.selected) {
                    let ask = self.ask();
                    self.set_ask(instashop_core::view::Ask {
                        store: store.as_ref().map(|(id, _)| *id),
                        ..ask
                    });
                    return vec![Command::Poll];
                }
                return vec![];
            }
            _ => page.edit(key, last),
        }
        self.overlay = Some(Overlay::Stores(page));
        vec![]
    }

    fn orders_key(&mut self, of: OrdersOf, at: usize, action: Option<Action>) -> Vec<Command> {
        let known = self.snapshot.orders.as_ref().and_then(|part| part.part.get());
        let orders = known.map_or(&[][..], |list| &list.orders);
        let last = orders.len().saturating_sub(1);
        let at = match action {
            Some(Action::Up) => at.saturating_sub(1),
            Some(Action::Down) => (at + 1).min(last),
            Some(Action::PageUp) => at.saturating_sub(10),
            Some(Action::PageDown) => (at + 10).min(last),
            Some(Action::First) => 0,
            Some(Action::Last) => last,
            Some(Action::Back) => return vec![],
            Some(Action::Detail) if !matches!(of, OrdersOf::Order(_)) => {
                let one = orders
                    .get(at)
                    .map(|order| Overlay::Orders(OrdersOf::Order(order.order_id), 0));
                self.overlay = one.or(Some(Overlay::Orders(of, at)));
                return vec![];
            }
            Some(action @ (Action::Quit | Action::QuitLeaving | Action::Go(_) | Action::Help)) => {
                return self.act(action);
            }
            _ => at,
        };
        self.overlay = Some(Overlay::Orders(of, at));
        vec![]
    }

    fn difference_key(&mut self, by: PartsBy, at: usize, action: Option<Action>) -> Vec<Command> {
        let place = PartsBy::ALL.iter().position(|kind| *kind == by).unwrap_or(0);
        let count = PartsBy::ALL.len();
        let parts = self.shown_difference().map_or(0, |view| view.ranked(by).len());
        let last = parts.saturating_sub(1);
        let (by, at) = match action {
            Some(Action::Left) => (PartsBy::ALL[(place + count - 1) % count], 0),
            Some(Action::Right | Action::Display) => (PartsBy::ALL[(place + 1) % count], 0),
            Some(Action::Up) => (by, at.saturating_sub(1)),
            Some(Action::Down) => (by, (at + 1).min(last)),
            Some(Action::PageUp) => (by, at.saturating_sub(10)),
            Some(Action::PageDown) => (by, (at + 10).min(last)),
            Some(Action::First) => (by, 0),
            Some(Action::Last) => (by, last),
            Some(Action::Back | Action::Difference) => return vec![],
            Some(action @ (Action::Quit | Action::QuitLeaving | Action::Go(_) | Action::Help)) => {
                return self.act(action);
            }
            Some(
                action @ (Action::Compare
                | Action::Range
                | Action::Poll
                | Action::Repaint
                | Action::Theme
                | Action::Language),
            ) => {
                let commands = self.act(action);
                self.overlay = Some(Overlay::Difference(by, 0));
                return commands;
            }
            _ => (by, at),
        };
        self.overlay = Some(Overlay::Difference(by, at));
        vec![]
    }

    fn filter_key(&mut self, panel: Panel, key: &KeyEvent) -> Vec<Command> {
        let mut find = self.filter(panel).to_owned();
        match key.code {
            KeyCode::Enter => return vec![],
            KeyCode::Esc => {
                self.set_filter(panel, "");
                return vec![];
            }
            KeyCode::Backspace => {
                find.pop();
            }
            KeyCode::Char(c) if !key.modifiers.contains(KeyModifiers::CONTROL) && find.len() < 40 => {
                find.push(c);
            }
            _ => {}
        }
        self.set_filter(panel, &find);
        self.overlay = Some(Overlay::Filter(panel));
        vec![]
    }

    fn help_key(&mut self, mut page: HelpPage, key: &KeyEvent) -> Vec<Command> {
        let found = page.found(self);
        let last = found.len().saturating_sub(1);
        match key.code {
            KeyCode::Esc | KeyCode::F(1) => return vec![],
            KeyCode::Char('?') if page.find.is_empty() => return vec![],
            KeyCode::Enter => {
                return match found.get(page.selected) {
                    Some(action) => self.act(*action),
                    None => vec![],
                };
            }
            _ => page.edit(key, last),
        }
        self.overlay = Some(Overlay::Help(page));
        vec![]
    }
}
