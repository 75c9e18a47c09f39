//! What the pointer does: a press selects what it is on, a second one on the same row goes in; the wheel scrolls, in a chart it
//! shows less or more of the time axis; a drag moves the cursor.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use super::{App, Command, Overlay};
use crate::keys::Action;
use crate::ui::hit::{self, Hit};
use crate::ui::layout::Panel;

/// Rows that one step of the wheel scrolls.
const WHEEL: usize = 3;

impl App {
    pub(super) fn pointer(&mut self, event: MouseEvent) -> Vec<Command> {
        let (x, y) = (event.column, event.row);
        match event.kind {
            MouseEventKind::Down(MouseButton::Left) => self.press(x, y),
            MouseEventKind::Drag(MouseButton::Left) if self.cursor.is_some() && self.overlay.is_none() => {
                if let Some(Hit::Moment(_, moment)) = hit::at(self, x, y) {
                    self.cursor = Some(moment);
                }
                vec![]
            }
            MouseEventKind::ScrollUp => self.wheel(x, y, true),
            MouseEventKind::ScrollDown => self.wheel(x, y, false),
            _ => vec![],
        }
    }

    fn press(&mut self, x: u16, y: u16) -> Vec<Command> {
        self.told = None;
        match hit::at(self, x, y) {
            Some(Hit::Tab(tab)) => {
                self.overlay = None;
                self.act(Action::Go(tab))
            }
            Some(Hit::Line(index)) => self.choose_line(index),
            // A page above the tabs has no panels.
            _ if self.overlay.is_some() => vec![],
            Some(Hit::Panel(panel)) => {
                self.focus_on(panel);
                vec![]
            }
            Some(Hit::Figure(panel, index)) => {
                self.focus_on(panel);
                self.tiles.insert(self.tab, index);
                vec![]
            }
            Some(Hit::Row(panel, index)) => self.press_row(panel, index),
            Some(Hit::Moment(panel, moment)) => {
                self.focus_on(panel);
                self.cursor = Some(moment);
                vec![]
            }
            None => vec![],
        }
    }

    fn press_row(&mut self, panel: Panel, index: usize) -> Vec<Command> {
        if self.focused() == Some(panel) && self.scrolled(panel) == index {
            return self.act(Action::Detail);
        }
        self.focus_on(panel);
        self.scroll.insert(panel, index);
        vec![]
    }

    /// A press on a line of a list above the tabs chooses it.
    fn choose_line(&mut self, index: usize) -> Vec<Command> {
        match &mut self.overlay {
            Some(Overlay::Help(page) | Overlay::Stores(page)) => page.selected = index,
            Some(Overlay::Orders(_, at)) => *at = index,
            Some(Overlay::Prompt(line)) => line.selected = Some(index),
            _ => return vec![],
        }
        self.key(&KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE))
    }

    fn wheel(&mut self, x: u16, y: u16, up: bool) -> Vec<Command> {
        if self.overlay.is_some() {
            let code = if up { KeyCode::Up } else { KeyCode::Down };
            let key = KeyEvent::new(code, KeyModifiers::NONE);
            return (0..WHEEL).flat_map(|_| self.key(&key)).collect();
        }
        match hit::at(self, x, y) {
            Some(Hit::Moment(panel, _)) => {
                self.focus_on(panel);
                self.zoom_time(up);
            }
            Some(Hit::Panel(panel) | Hit::Row(panel, _)) => {
                self.focus_on(panel);
                self.move_rows(|at, last| {
                    if up {
                        at.saturating_sub(WHEEL)
                    } else {
                        (at + WHEEL).min(last)
                    }
                });
            }
            _ => {}
        }
        vec![]
    }
}
