//! A picture in one file: every cell at its place, blocks and braille as shapes, so that it looks the same with any font.

use std::collections::BTreeMap;
use std::fmt::Write;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

use super::text::{ansi_index, row};
use crate::theme::{Name, Theme};

/// Width and height of a cell, in tenths of a pixel.
const CELL: (u32, u32) = (84, 180);

/// The 16 names as most terminals show them.
const NAMED: [(u8, u8, u8); 16] = [
    (0, 0, 0),
    (205, 49, 49),
    (13, 188, 121),
    (229, 229, 16),
    (36, 114, 200),
    (188, 63, 188),
    (17, 168, 205),
    (204, 204, 204),
    (102, 102, 102),
    (241, 76, 76),
    (35, 209, 139),
    (245, 245, 67),
    (59, 142, 234),
    (214, 112, 214),
    (41, 184, 219),
    (242, 242, 242),
];

fn rgb(color: Color, default: (u8, u8, u8)) -> (u8, u8, u8) {
    let level = |step: u8| if step == 0 { 0 } else { 55 + step * 40 };
    match color {
        Color::Rgb(r, g, b) => (r, g, b),
        Color::Indexed(index @ 0..16) => NAMED[usize::from(index)],
        Color::Indexed(index @ 16..=231) => {
            let index = index - 16;
            (level(index / 36), level(index / 6 % 6), level(index % 6))
        }
        Color::Indexed(index) => {
            let grey = 8 + (index - 232) * 10;
            (grey, grey, grey)
        }
        other => ansi_index(other).map_or(default, |index| NAMED[usize::from(index)]),
    }
}

fn hex((r, g, b): (u8, u8, u8)) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

fn mix(a: (u8, u8, u8), b: (u8, u8, u8), share: u32) -> (u8, u8, u8) {
    let part = |a: u8, b: u8| ((u32::from(a) * share + u32::from(b) * (100 - share)) / 100) as u8;
    (part(a.0, b.0), part(a.1, b.1), part(a.2, b.2))
}

/// Text with the characters escaped that mean something in XML; controls cannot occur in a cell.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// Tenths of a pixel as a number.
fn px(tenths: u32) -> String {
    if tenths.is_multiple_of(10) {
        (tenths / 10).to_string()
    } else {
        format!("{}.{}", tenths / 10, tenths % 10)
    }
}

/// A rectangle in shares of a cell: left, top, width, height in eighths.
fn rect(x: u32, y: u32, part: [u32; 4]) -> String {
    let [left, top, wide, high] = part;
    format!(
        "M{} {}h{}v{}h-{}z",
        px(x + CELL.0 * left / 8),
        px(y + CELL.1 * top / 8),
        px(CELL.0 * wide / 8),
        px(CELL.1 * high / 8),
        px(CELL.0 * wide / 8)
    )
}

/// Lines from the middle of a cell: up, right, down, left.
const fn strokes(c: char) -> Option<[bool; 4]> {
    Some(match c {
        '─' => [false, true, false, true],
        '│' => [true, false, true, false],
        '┌' => [false, true, true, false],
        '┐' => [false, false, true, true],
        '└' => [true, true, false, false],
        '┘' => [true, false, false, true],
        '┤' => [true, false, true, true],
        '┬' => [false, true, true, true],
        _ => return None,
    })
}

/// A shape drawn with the colour of the text: its path and the share of the colour, or `None` for a letter.
fn shape(c: char, x: u32, y: u32) -> Option<(String, u32)> {
    let whole = [0, 0, 8, 8];
    let bar = |eighths: u32| rect(x, y, [0, 8 - eighths, 8, eighths]);
    let path = match c {
        '█' => rect(x, y, whole),
        '▀' => rect(x, y, [0, 0, 8, 4]),
        '▁'..='▇' => bar(c as u32 - '▁' as u32 + 1),
        '▉'..='▏' => rect(x, y, [0, 0, 8 - (c as u32 - '█' as u32), 8]),
        '░' => return Some((rect(x, y, whole), 22)),
        '▒' => return Some((rect(x, y, whole), 42)),
        '▓' => return Some((rect(x, y, whole), 68)),
        '\u{2800}'..='\u{28ff}' => {
            let bits = c as u32 - 0x2800;
            let mut path = String::new();
            // Bits by column and row of the points, as in the chart.
            for (column, rows) in [[0, 1, 2, 6], [3, 4, 5, 7]].iter().enumerate() {
                for (row, bit) in rows.iter().enumerate() {
                    if bits >> bit & 1 == 1 {
                        let (cx, cy) = (x + 21 + column as u32 * 42, y + 22 + row as u32 * 45);
                        let _ = write!(
                            path,
                            "M{} {}a1.4 1.4 0 1 0 2.8 0a1.4 1.4 0 1 0 -2.8 0",
                            px(cx - 14),
                            px(cy)
                        );
                    }
                }
            }
            path
        }
        c => {
            let [up, right, down, left] = strokes(c)?;
            let (cx, cy) = (x + CELL.0 / 2, y + CELL.1 / 2);
            let mut path = String::new();
            let mut part = |from: (u32, u32), wide: u32, high: u32| {
                let _ = write!(
                    path,
                    "M{} {}h{}v{}h-{}z",
                    px(from.0),
                    px(from.1),
                    px(wide),
                    px(high),
                    px(wide)
                );
            };
            if up {
                part((cx - 5, y), 10, CELL.1 / 2 + 5);
            }
            if down {
                part((cx - 5, cy - 5), 10, CELL.1 / 2 + 5);
            }
            if left {
                part((x, cy - 5), CELL.0 / 2 + 5, 10);
            }
            if right {
                part((cx - 5, cy - 5), CELL.0 / 2 + 5, 10);
            }
            path
        }
    };
    Some((path, 100))
}

struct Painted {
    ink: (u8, u8, u8),
    ground: (u8, u8, u8),
    bold: bool,
    underlined: bool,
}

fn painted(cell: &Cell, text: (u8, u8, u8), ground: (u8, u8, u8)) -> Painted {
    let (mut ink, mut back) = (rgb(cell.fg, text), rgb(cell.bg, ground));
    if cell.modifier.contains(Modifier::REVERSED) {
        std::mem::swap(&mut ink, &mut back);
    }
    if cell.modifier.contains(Modifier::DIM) {
        ink = mix(ink, back, 55);
    }
    Painted {
        ink,
        ground: back,
        bold: cell.modifier.contains(Modifier::BOLD),
        underlined: cell.modifier.contains(Modifier::UNDERLINED),
    }
}

/// Draws the picture.
pub(super) fn svg(buffer: &Buffer, theme: &Theme) -> String {
    let (text, ground) = if theme.name == Name::Light {
        ((42, 41, 35), (251, 250, 247))
    } else {
        ((215, 222, 230), (15, 20, 26))
    };
    let base = buffer.content.first().map_or(ground, |cell| rgb(cell.bg, ground));
    let (wide, high) = (
        u32::from(buffer.area.width) * CELL.0,
        u32::from(buffer.area.height) * CELL.1,
    );
    let margin = 120;
    let mut grounds: BTreeMap<String, String> = BTreeMap::new();
    let mut shapes: BTreeMap<String, String> = BTreeMap::new();
    let mut letters = String::new();
    for y in buffer.area.top()..buffer.area.bottom() {
        let top = u32::from(y) * CELL.1 + margin;
        let mut run: Option<(u32, u32, String, String)> = None;
        let mut flush = |run: &mut Option<(u32, u32, String, String)>| {
            if let Some((x, columns, class, words)) = run.take()
                && !words.trim().is_empty()
            {
                // Blanks at the end are not drawn; the length keeps every letter in its column with any font.
                let kept = words.trim_end();
                let dropped = (words.len() - kept.len()) as u32;
                let _ = writeln!(
                    letters,
                    "<text x=\"{}\" y=\"{}\" textLength=\"{}\"{class}>{}</text>",
                    px(x),
                    px(top + 132),
                    px((columns - dropped) * CELL.0),
                    escaped(kept)
                );
            }
        };
        for (x, cell) in row(buffer, y) {
            let left = u32::from(x) * CELL.0 + margin;
            let columns = cell.symbol().width().max(1) as u32;
            let look = painted(cell, text, ground);
            if look.ground != base {
                let path = rect(left, top, [0, 0, 8 * columns, 8]);
                grounds.entry(hex(look.ground)).or_default().push_str(&path);
            }
            let symbol = cell.symbol();
            let first = symbol.chars().next().unwrap_or(' ');
            if let Some((path, share)) = shape(first, left, top) {
                flush(&mut run);
                shapes
                    .entry(hex(mix(look.ink, look.ground, share)))
                    .or_default()
                    .push_str(&path);
                continue;
            }
            let bold = if look.bold { " font-weight=\"700\"" } else { "" };
            let line = if look.underlined {
                " text-decoration=\"underline\""
            } else {
                ""
            };
            let class = format!(" fill=\"{}\"{bold}{line}", hex(look.ink));
            match &mut run {
                Some((_, length, known, words)) if *known == class || symbol == " " => {
                    *length += columns;
                    words.push_str(symbol);
                }
                _ => {
                    flush(&mut run);
                    if symbol != " " {
                        run = Some((left, columns, class, symbol.to_owned()));
                    }
                }
            }
        }
        flush(&mut run);
    }
    let (wide, high) = (px(wide + margin * 2), px(high + margin * 2));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{wide}\" height=\"{high}\" viewBox=\"0 0 {wide} {high}\" \
         font-family=\"'DejaVu Sans Mono',Menlo,Consolas,'Liberation Mono',monospace\" font-size=\"14\" \
         xml:space=\"preserve\">\n<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{}\"/>\n",
        hex(base)
    );
    for (color, path) in grounds.iter().chain(&shapes) {
        let _ = writeln!(out, "<path fill=\"{color}\" d=\"{path}\"/>");
    }
    out.push_str(&letters);
    out.push_str("</svg>\n");
    out
}
