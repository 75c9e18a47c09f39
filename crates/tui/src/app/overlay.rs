//! What lies above the tabs, and the keys while it is open.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::{App, Command};
use crate::keys::{self, Action, BINDINGS};
use crate::metrics::Metric;
use crate::snapshot::StoreName;

/// What lies above the tabs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Overlay {
    /// Keys and marks.
    Help(HelpPage),
    /// One metric in full.
    Explain(Metric),
    /// Why a store does not answer.
    Failure(StoreName),
}

/// State of the help page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HelpPage {
    /// What was typed.
    pub find: String,
    /// Selected line among those found.
    pub selected: usize,
}

impl HelpPage {
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
            Overlay::Explain(_) | Overlay::Failure(_) => match action {
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
            KeyCode::Up => page.selected = page.selected.saturating_sub(1),
            KeyCode::Down => page.selected = (page.selected + 1).min(last),
            KeyCode::PageUp | KeyCode::Home => page.selected = 0,
            KeyCode::PageDown | KeyCode::End => page.selected = last,
            KeyCode::Backspace => {
                page.find.pop();
                page.selected = 0;
            }
            KeyCode::Char(c) if !key.modifiers.contains(KeyModifiers::CONTROL) && page.find.len() < 40 => {
                page.find.push(c);
                page.selected = 0;
            }
            _ => {}
        }
        self.overlay = Some(Overlay::Help(page));
        vec![]
    }
}
