//! Tables: columns that are dropped by priority when there is no room, numbers right-aligned.

use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::theme::Role;
use crate::ui::pen::Pen;

/// One column.
#[derive(Debug, Clone)]
pub struct Column<'t> {
    /// Heading; empty for none.
    pub title: &'t str,
    /// Columns it needs.
    pub width: u16,
    /// Share of spare room it takes, 0 for none.
    pub grow: u16,
    /// True for numbers.
    pub right: bool,
    /// Columns with a higher number are left out first; 0 always stays.
    pub optional: u8,
}

impl<'t> Column<'t> {
    /// A column of text.
    pub const fn left(title: &'t str, width: u16) -> Self {
        Self {
            title,
            width,
            grow: 0,
            right: false,
            optional: 0,
        }
    }

    /// A column of numbers.
    pub const fn right(title: &'t str, width: u16) -> Self {
        Self {
            right: true,
            ..Self::left(title, width)
        }
    }

    /// Takes spare room.
    #[must_use]
    pub const fn grow(mut self, share: u16) -> Self {
        self.grow = share;
        self
    }

    /// Is left out when there is no room, the highest number first.
    #[must_use]
    pub const fn optional(mut self, rank: u8) -> Self {
        self.optional = rank;
        self
    }
}

/// Where each column stands: its start and width, `None` when it was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grid {
    places: Vec<Option<(u16, u16)>>,
    rights: Vec<bool>,
}

impl Grid {
    /// Fits the columns into a width, one blank between them.
    pub fn fit(columns: &[Column<'_>], x: u16, width: u16) -> Self {
        let mut shown: Vec<bool> = vec![true; columns.len()];
        let need = |shown: &[bool]| -> u16 {
            let widths = columns.iter().zip(shown).filter(|(_, shown)| **shown);
            widths
                .fold(0_u16, |sum, (column, _)| sum.saturating_add(column.width + 1))
                .saturating_sub(1)
        };
        while need(&shown) > width {
            let worst = (0..columns.len())
                .filter(|index| shown[*index] && columns[*index].optional > 0)
                .max_by_key(|index| columns[*index].optional);
            let Some(worst) = worst else { break };
            shown[worst] = false;
        }
        let mut spare = width.saturating_sub(need(&shown));
        let mut shares: u16 = columns
            .iter()
            .zip(&shown)
            .filter(|(_, shown)| **shown)
            .map(|(column, _)| column.grow)
            .sum();
        let mut at = x;
        let places = columns
            .iter()
            .zip(&shown)
            .map(|(column, shown)| {
                if !*shown {
                    return None;
                }
                let extra = if shares > 0 {
                    (u32::from(spare) * u32::from(column.grow) / u32::from(shares)) as u16
                } else {
                    0
                };
                spare -= extra;
                shares -= column.grow.min(shares);
                let wide = (column.width + extra).min((x + width).saturating_sub(at));
                let place = (at, wide);
                at = at.saturating_add(wide + 1);
                Some(place)
            })
            .collect();
        Self {
            places,
            rights: columns.iter().map(|column| column.right).collect(),
        }
    }

    /// Start and width of a column.
    pub fn place(&self, index: usize) -> Option<(u16, u16)> {
        self.places.get(index).copied().flatten()
    }

    /// Writes one cell.
    pub fn cell(&self, pen: &mut Pen<'_>, index: usize, y: u16, content: &str, style: Style) {
        if let Some((x, width)) = self.place(index) {
            if self.rights[index] {
                pen.right(x, y, width, content, style);
            } else {
                pen.text(x, y, width, content, style);
            }
        }
    }

    /// Writes the headings.
    pub fn head(&self, pen: &mut Pen<'_>, y: u16, columns: &[Column<'_>]) {
        let style = pen.look.theme.style(Role::Muted);
        for (index, column) in columns.iter().enumerate() {
            self.cell(pen, index, y, column.title, style);
        }
    }
}

/// The rows of a list that are visible from an offset, and how many are hidden below.
pub fn window(total: usize, rows: u16, offset: usize) -> (std::ops::Range<usize>, usize) {
    let rows = usize::from(rows);
    let from = offset.min(total.saturating_sub(rows));
    let to = (from + rows).min(total);
    (from..to, total - to)
}

/// The mark and background of the selected row.
pub fn select(pen: &mut Pen<'_>, area: Rect, y: u16) {
    let style = pen.look.theme.surface();
    pen.paint(Rect::new(area.x, y, area.width, 1), style);
    let accent = pen.look.theme.ink(Role::Accent);
    pen.put(area.x, y, '▌', accent);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_leave_by_rank_and_the_rest_grows() {
        let columns = [
            Column::left("a", 4),
            Column::left("b", 4).grow(1),
            Column::right("c", 4).optional(1),
            Column::right("d", 4).optional(2),
        ];
        let places = |width| Grid::fit(&columns, 10, width).places;
        assert_eq!(
            places(19),
            [Some((10, 4)), Some((15, 4)), Some((20, 4)), Some((25, 4))]
        );
        assert_eq!(places(18), [Some((10, 4)), Some((15, 8)), Some((24, 4)), None]);
        assert_eq!(places(30)[1], Some((15, 15)));
        assert_eq!(places(9), [Some((10, 4)), Some((15, 4)), None, None]);
        assert_eq!(places(6)[1], Some((15, 1)));
        assert_eq!(places(0)[0], Some((10, 0)));
    }

    #[test]
    fn windows() {
        assert_eq!(window(10, 4, 0), (0..4, 6));
        assert_eq!(window(10, 4, 8), (6..10, 0));
        assert_eq!(window(2, 4, 5), (0..2, 0));
        assert_eq!(window(0, 0, 0), (0..0, 0));
    }
}
