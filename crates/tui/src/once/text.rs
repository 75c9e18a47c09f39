//! A picture as characters.

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use std::fmt::Write;
use unicode_width::UnicodeWidthStr;

/// The cells of a row; those hidden behind a wide character are left out.
pub(super) fn row(buffer: &Buffer, y: u16) -> impl Iterator<Item = (u16, &Cell)> {
    let mut hidden = 0;
    (buffer.area.left()..buffer.area.right()).filter_map(move |x| {
        let cell = buffer.cell((x, y))?;
        if hidden > 0 {
            hidden -= 1;
            return None;
        }
        hidden = cell.symbol().width().saturating_sub(1);
        Some((x, cell))
    })
}

/// Characters alone, blanks at the end of lines left out.
pub(super) fn plain(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in buffer.area.top()..buffer.area.bottom() {
        let line: String = row(buffer, y).map(|(_, cell)| cell.symbol()).collect();
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

fn color(out: &mut Vec<String>, color: Color, foreground: bool) {
    let base = if foreground { 38 } else { 48 };
    let named = |index: u8| match (index, foreground) {
        (0..8, true) => 30 + index,
        (0..8, false) => 40 + index,
        (_, true) => 82 + index,
        (_, false) => 92 + index,
    };
    match color {
        Color::Rgb(r, g, b) => out.push(format!("{base};2;{r};{g};{b}")),
        Color::Indexed(index) => out.push(format!("{base};5;{index}")),
        Color::Reset => {}
        other => out.extend(ansi_index(other).map(|index| named(index).to_string())),
    }
}

/// Index of one of the 16 names.
pub(super) const fn ansi_index(color: Color) -> Option<u8> {
    Some(match color {
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 8,
        Color::LightRed => 9,
        Color::LightGreen => 10,
        Color::LightYellow => 11,
        Color::LightBlue => 12,
        Color::LightMagenta => 13,
        Color::LightCyan => 14,
        Color::White => 15,
        _ => return None,
    })
}

fn sequence(cell: &Cell) -> String {
    let mut codes = vec!["0".to_owned()];
    for (modifier, code) in [
        (Modifier::BOLD, "1"),
        (Modifier::DIM, "2"),
        (Modifier::UNDERLINED, "4"),
        (Modifier::REVERSED, "7"),
    ] {
        if cell.modifier.contains(modifier) {
            codes.push(code.into());
        }
    }
    color(&mut codes, cell.fg, true);
    color(&mut codes, cell.bg, false);
    format!("\u{1b}[{}m", codes.join(";"))
}

/// Characters with colours; each line ends plain, so that it can be cut and mixed with other output.
pub(super) fn ansi(buffer: &Buffer) -> String {
    let mut out = String::new();
    for y in buffer.area.top()..buffer.area.bottom() {
        let mut last = String::new();
        for (_, cell) in row(buffer, y) {
            let next = sequence(cell);
            if next != last {
                out.push_str(&next);
                last = next;
            }
            out.push_str(cell.symbol());
        }
        let _ = writeln!(out, "\u{1b}[0m");
    }
    out
}
