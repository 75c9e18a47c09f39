//! Big digits, three columns by three rows, from half blocks: they work in any font.

use ratatui::style::Style;

use crate::glyphs::Glyphs;
use crate::ui::pen::Pen;

/// Rows of a big number.
pub const ROWS: u16 = 3;

const fn shape(c: char) -> Option<[&'static str; 3]> {
    Some(match c {
        '0' => ["█▀█", "█ █", "▀▀▀"],
        '1' => ["▄█ ", " █ ", "▀▀▀"],
        '2' => ["▀▀█", "█▀▀", "▀▀▀"],
        '3' => ["▀▀█", "▀▀█", "▀▀▀"],
        '4' => ["█ █", "▀▀█", "  ▀"],
        '5' => ["█▀▀", "▀▀█", "▀▀▀"],
        '6' => ["█▀▀", "█▀█", "▀▀▀"],
        '7' => ["▀▀█", "  █", "  ▀"],
        '8' => ["█▀█", "█▀█", "▀▀▀"],
        '9' => ["█▀█", "▀▀█", "▀▀▀"],
        '.' => [" ", " ", "▀"],
        ',' => [" ", " ", "█"],
        '%' => ["▀ █", "▄▀ ", "▀ ▀"],
        '-' | '—' => ["   ", "▀▀▀", "   "],
        ' ' => [" ", " ", " "],
        _ => return None,
    })
}

/// Columns a text takes in big digits; `None` when it holds a character without a shape.
pub fn columns(text: &str) -> Option<u16> {
    let mut sum = 0;
    for c in text.chars() {
        sum += shape(c)?[0].chars().count() as u16 + 1;
    }
    Some(u16::saturating_sub(sum, 1))
}

/// Draws a text in big digits. Gives false, and draws nothing, when it does not fit into `columns` or the glyph set has
/// no half blocks: the caller then writes it in bold.
pub fn digits(pen: &mut Pen<'_>, x: u16, y: u16, room: u16, text: &str, style: Style) -> bool {
    if pen.look.glyphs == Glyphs::Ascii || columns(text).is_none_or(|columns| columns > room) {
        return false;
    }
    let mut at = x;
    for c in text.chars() {
        let Some(rows) = shape(c) else { continue };
        for (row, line) in rows.iter().enumerate() {
            for (column, symbol) in line.chars().enumerate() {
                if symbol != ' ' {
                    pen.put(
                        at.saturating_add(column as u16),
                        y.saturating_add(row as u16),
                        symbol,
                        style,
                    );
                }
            }
        }
        at = at.saturating_add(rows[0].chars().count() as u16 + 1);
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_a_shape_is_as_wide_as_the_others() {
        for c in "0123456789.,%-— ".chars() {
            let rows = shape(c).unwrap();
            assert!(
                rows.iter()
                    .all(|row| row.chars().count() == rows[0].chars().count()),
                "{c}"
            );
        }
        assert_eq!(columns("48,210"), Some(5 * 4 + 2 - 1));
        assert_eq!(columns("94.2%"), Some(4 * 4 + 2 - 1));
        assert_eq!(columns("$1"), None);
        assert_eq!(columns(""), Some(0));
    }
}
