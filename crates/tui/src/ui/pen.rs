//! The one way onto the screen: everything is clipped to its area, cleaned and measured in columns.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::hit::Hit;
use crate::look::Look;
use crate::text;
use crate::theme::Role;

/// Draws into a part of a buffer; what falls outside is not drawn, and nothing panics.
pub struct Pen<'a> {
    buffer: &'a mut Buffer,
    hits: Option<&'a mut Vec<(Rect, Hit)>>,
    clip: Rect,
    /// Theme, glyphs, language.
    pub look: &'a Look,
    /// True while the values are not current: everything is drawn muted.
    pub dim: bool,
}

/// A piece of a line.
pub type Piece<'t> = (Cow<'t, str>, Style);

impl<'a> Pen<'a> {
    /// A pen for the whole buffer.
    pub const fn new(buffer: &'a mut Buffer, look: &'a Look) -> Self {
        let clip = buffer.area;
        Self {
            buffer,
            hits: None,
            clip,
            look,
            dim: false,
        }
    }

    /// A pen that also notes what stands where, for the pointer.
    pub(super) const fn noting(
        buffer: &'a mut Buffer,
        look: &'a Look,
        hits: &'a mut Vec<(Rect, Hit)>,
    ) -> Self {
        let mut pen = Self::new(buffer, look);
        pen.hits = Some(hits);
        pen
    }

    /// Says that a press in an area means something; the last that says so wins.
    pub fn note(&mut self, area: Rect, hit: Hit) {
        let area = self.clip.intersection(area);
        if let Some(hits) = &mut self.hits {
            hits.push((area, hit));
        }
    }

    /// The same pen, limited to an area.
    pub fn within(&mut self, area: Rect) -> Pen<'_> {
        Pen {
            clip: self.clip.intersection(area),
            buffer: self.buffer,
            hits: self.hits.as_deref_mut(),
            look: self.look,
            dim: self.dim,
        }
    }

    /// What may be drawn on.
    pub const fn area(&self) -> Rect {
        self.clip
    }

    /// Style of text in a role; muted while dim.
    pub fn style(&self, role: Role) -> Style {
        let role = if self.dim && role != Role::Line {
            Role::Muted
        } else {
            role
        };
        self.look.theme.style(role)
    }

    /// Style of bars and curves in a role; muted while dim.
    pub fn ink(&self, role: Role) -> Style {
        let role = if self.dim && role != Role::Line {
            Role::Muted
        } else {
            role
        };
        self.look.theme.ink(role)
    }

    /// One character of our own.
    pub fn put(&mut self, x: u16, y: u16, symbol: char, style: Style) {
        if self.clip.contains((x, y).into())
            && let Some(cell) = self.buffer.cell_mut((x, y))
        {
            cell.set_char(symbol).set_style(style);
        }
    }

    /// A text of at most `columns`, cut with an ellipsis; gives the columns used.
    pub fn text(&mut self, x: u16, y: u16, columns: u16, content: &str, style: Style) -> u16 {
        let visible = columns.min(self.clip.right().saturating_sub(x));
        if y < self.clip.top() || y >= self.clip.bottom() || x < self.clip.left() || visible == 0 {
            return 0;
        }
        let content = text::cut(content, usize::from(visible));
        let (end, _) = self
            .buffer
            .set_stringn(x, y, content, usize::from(visible), style);
        end.saturating_sub(x)
    }

    /// A text that ends at the right edge of its columns.
    pub fn right(&mut self, x: u16, y: u16, columns: u16, content: &str, style: Style) {
        let content = text::cut(content, usize::from(columns));
        let missing = columns.saturating_sub(text::width(&content) as u16);
        self.text(x.saturating_add(missing), y, columns - missing, &content, style);
    }

    /// Pieces one after the other; gives the columns used.
    pub fn pieces(&mut self, x: u16, y: u16, columns: u16, pieces: &[Piece<'_>]) -> u16 {
        let mut used = 0;
        for (content, style) in pieces {
            used += self.text(
                x.saturating_add(used),
                y,
                columns.saturating_sub(used),
                content,
                *style,
            );
        }
        used
    }

    /// One character over and over.
    pub fn repeat(&mut self, x: u16, y: u16, columns: u16, symbol: char, style: Style) {
        for at in x..x.saturating_add(columns).min(self.clip.right()) {
            self.put(at, y, symbol, style);
        }
    }

    /// Blanks over an area, in the base style of the theme.
    pub fn clear(&mut self, area: Rect) {
        let base = self.look.theme.base();
        for y in area.top()..area.bottom().min(self.clip.bottom()) {
            for x in area.left()..area.right().min(self.clip.right()) {
                if self.clip.contains((x, y).into())
                    && let Some(cell) = self.buffer.cell_mut((x, y))
                {
                    cell.reset();
                    cell.set_style(base);
                }
            }
        }
    }

    /// Adds a style to what is there already.
    pub fn paint(&mut self, area: Rect, style: Style) {
        let area = self.clip.intersection(area);
        self.buffer.set_style(area, style);
    }
}
