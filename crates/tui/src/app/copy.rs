//! What a key copies: the value under the cursor, the focused figure or the selected row; or the whole panel as text.

use ratatui::layout::Rect;

use super::{App, Command};
use crate::board;
use crate::metrics::Metric;
use crate::once;
use crate::sheet::{Cell, Content};
use crate::text::clean;
use crate::ui::hit::{self, Hit};
use crate::ui::layout::Panel;

impl App {
    /// The commands of the key that copies what the focus is on.
    pub(super) fn copy_value(&self) -> Vec<Command> {
        self.focused_text().map(Command::Copy).into_iter().collect()
    }

    /// The commands of the key that copies the focused panel as it is drawn.
    pub(super) fn copy_panel(&self) -> Vec<Command> {
        let area = self.focused().and_then(|panel| {
            let hits = hit::hits(self);
            let found = hits.into_iter().find(|(_, hit)| *hit == Hit::Panel(panel));
            found.map(|(area, _)| area)
        });
        let text = area.map(|area| once::area_text(&once::picture(self), area));
        text.map(Command::Copy).into_iter().collect()
    }

    fn focused_text(&self) -> Option<String> {
        let panel = self.focused()?;
        if let Some(words) = self.cursor_words(panel) {
            return Some(words);
        }
        let (data, now) = self.shown();
        let full = |metric: &Metric| {
            let value = metric.reading(data, &self.look, now).value?;
            Some(value.full(self.look.marks()))
        };
        match panel {
            Panel::Tiles => Metric::LIVE_TILES.get(self.tile()).and_then(full),
            Panel::Figures => Metric::SALES_TILES.get(self.tile()).and_then(full),
            Panel::Of(piece) => match board::sheet(self, piece)?.content {
                Content::Figures(figures) => {
                    let figure = figures.get(self.tile().min(figures.len().checked_sub(1)?))?;
                    Some(figure.value?.full(self.look.marks()))
                }
                Content::Table(table) if table.selects => {
                    let rows = table.arranged(self.order(panel), self.filter(panel));
                    let row = rows.get(self.scrolled(panel).min(rows.len().checked_sub(1)?))?;
                    let cells = table.columns.iter().zip(&row.cells);
                    let exported = cells.filter(|(column, _)| column.exported);
                    let text = |cell: &Cell| match cell.json() {
                        serde_json::Value::Null => String::new(),
                        serde_json::Value::String(text) => clean(&text).into_owned(),
                        other => other.to_string(),
                    };
                    Some(
                        exported
                            .map(|(_, cell)| text(cell))
                            .collect::<Vec<_>>()
                            .join("\t"),
                    )
                }
                _ => None,
            },
            _ => self.drawn_row(panel),
        }
    }

    /// The selected row of a panel as it is drawn.
    fn drawn_row(&self, panel: Panel) -> Option<String> {
        let selected = self.scrolled(panel);
        let hits = hit::hits(self);
        let rows = hits.into_iter().filter_map(|(area, hit)| match hit {
            Hit::Row(of, index) if of == panel => Some((index, area)),
            _ => None,
        });
        let rows: Vec<(usize, Rect)> = rows.collect();
        let last = rows.iter().map(|(index, _)| *index).max()?;
        let (_, area) = rows.iter().find(|(index, _)| *index == selected.min(last))?;
        Some(once::area_text(&once::picture(self), *area).trim().to_owned())
    }
}
