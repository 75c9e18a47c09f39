//! Draws sheets: one drawing per kind of content.
//!
//! - `figures`: big numbers
//! - `table`: rows with bars, courses and maps
//! - `stack`: a bar of parts

mod figures;
mod stack;
mod table;

use ratatui::layout::Rect;

use super::chart;
use super::frame::{Head, View};
use super::layout::Panel;
use super::pen::Pen;
use crate::board::{self, Piece};
use crate::sheet::Content;
use crate::snapshot::{Condition, StoreName};

pub(super) use figures::face;
pub(super) use table::values;

/// State of the view a panel is made from.
pub(super) fn condition(view: &View<'_>, piece: Piece) -> Condition {
    let Some(topic) = board::topic(piece.tab()) else {
        return Condition::Live;
    };
    let ask = view.app.ask();
    let ask = if topic == instashop_core::view::Topic::Alerts {
        ask.for_alerts()
    } else {
        ask
    };
    view.data.board_condition(topic, ask, view.now)
}

/// Draws a panel over the marts.
pub(super) fn panel(view: &View<'_>, pen: &mut Pen<'_>, area: Rect, piece: Piece) {
    let condition = condition(view, piece);
    let sheet = board::sheet(view.app, piece).filter(|_| !matches!(condition, Condition::Loading(_)));
    if let Some(Content::Figures(figures)) = sheet.as_ref().map(|sheet| &sheet.content) {
        figures::figures(view, pen, area, figures, condition, piece);
        return;
    }
    let (title, marks, notes) = match &sheet {
        Some(sheet) => (
            sheet.title.clone(),
            sheet.marks,
            table::notes(view, piece, sheet, area),
        ),
        None => (board::title(view.look, piece).to_owned(), "◆", vec![]),
    };
    let head = Head {
        panel: Panel::Of(piece),
        title: &title,
        marks,
        notes,
        condition,
        store: StoreName::Warehouse,
    };
    let (Some(inner), Some(sheet)) = (view.frame(pen, area, head), sheet) else {
        return;
    };
    // A column of air on both sides, so that numbers do not touch the panel beside.
    let left = u16::from(inner.x > 1);
    let inner = Rect {
        x: inner.x + left,
        width: inner.width.saturating_sub(left + 1),
        ..inner
    };
    match &sheet.content {
        Content::Table(rows) => table::table(view, pen, inner, rows, piece),
        Content::Course(data) => chart::course(view, pen, inner, Panel::Of(piece), data),
        Content::Stack(parts) => stack::stack(view, pen, inner, parts),
        Content::Nothing(words) => View::nothing(pen, inner, words),
        Content::Figures(_) => {}
    }
}
