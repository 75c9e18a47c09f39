//! What stands at a place of the screen, for the pointer: the same drawing notes it, so that a press means what is seen.

use chrono::{DateTime, Utc};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::layout::Panel;
use crate::app::{App, Tab};

/// What a press means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hit {
    /// A tab of the bar.
    Tab(Tab),
    /// A panel.
    Panel(Panel),
    /// A figure of a panel, by its place.
    Figure(Panel, usize),
    /// A row of a panel, by its place in the order that is shown.
    Row(Panel, usize),
    /// A bucket of a chart, by its start.
    Moment(Panel, DateTime<Utc>),
    /// A line of a list above the tabs.
    Line(usize),
}

/// Everything that can be pressed, with its area; what is above comes later.
pub fn hits(app: &App) -> Vec<(Rect, Hit)> {
    let mut buffer = Buffer::empty(Rect::new(0, 0, app.size.0, app.size.1));
    let mut hits = Vec::new();
    super::paint(app, &mut buffer, &mut hits);
    hits
}

/// What stands at a place: the panel, and what is in it.
pub fn at(app: &App, x: u16, y: u16) -> Option<Hit> {
    let hits = hits(app);
    let inside = hits.into_iter().rev();
    inside
        .filter(|(area, _)| area.contains((x, y).into()))
        .map(|(_, hit)| hit)
        .next()
}
