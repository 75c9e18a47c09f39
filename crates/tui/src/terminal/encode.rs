//! Cells as bytes for a terminal. The backend of the library says both colours whenever one changes, each as a sequence of its
//! own, and moves the cursor by row and column; this says what changes alone, which halves a frame.

use std::io::{self, Write};

use ratatui::buffer::Cell;
use ratatui::style::{Color, Modifier};

use crate::text;

/// Attributes that have a number, with the number that ends them. Bold and dim end together.
const ATTRIBUTES: [(Modifier, u8, u8); 9] = [
    (Modifier::BOLD, 1, 22),
    (Modifier::DIM, 2, 22),
    (Modifier::ITALIC, 3, 23),
    (Modifier::UNDERLINED, 4, 24),
    (Modifier::SLOW_BLINK, 5, 25),
    (Modifier::RAPID_BLINK, 6, 25),
    (Modifier::REVERSED, 7, 27),
    (Modifier::HIDDEN, 8, 28),
    (Modifier::CROSSED_OUT, 9, 29),
];

/// Writes cells in their order, from a terminal without colours and attributes to one. Where the cursor is before does not
/// matter.
pub(super) fn cells(out: &mut Vec<u8>, updates: &[(u16, u16, &Cell)]) -> io::Result<()> {
    let mut at: Option<(u16, u16)> = None;
    let (mut fg, mut bg, mut attributes) = (Color::Reset, Color::Reset, Modifier::empty());
    for (x, y, cell) in updates {
        match at {
            Some(at) if at == (*x, *y) => {}
            // By column, not by distance: a character that the terminal takes for wider moves nothing but itself.
            Some((_, row)) if row == *y => write!(out, "\x1b[{}G", x + 1)?,
            _ => write!(out, "\x1b[{};{}H", y + 1, x + 1)?,
        }
        let mut codes = Vec::new();
        change(&mut codes, attributes, cell.modifier);
        attributes = cell.modifier;
        if cell.fg != fg {
            colour(&mut codes, cell.fg, 30);
            fg = cell.fg;
        }
        if cell.bg != bg {
            colour(&mut codes, cell.bg, 40);
            bg = cell.bg;
        }
        if !codes.is_empty() {
            write!(out, "\x1b[{}m", codes.join(";"))?;
        }
        out.extend_from_slice(cell.symbol().as_bytes());
        at = Some((x.saturating_add(text::width(cell.symbol()).max(1) as u16), *y));
    }
    if fg != Color::Reset || bg != Color::Reset || !attributes.is_empty() {
        out.extend_from_slice(b"\x1b[m");
    }
    Ok(())
}

/// Numbers that lead from one set of attributes to another.
fn change(codes: &mut Vec<String>, from: Modifier, to: Modifier) {
    let ends: Vec<u8> = ATTRIBUTES
        .iter()
        .filter(|(attribute, ..)| from.contains(*attribute) && !to.contains(*attribute))
        .map(|(.., end)| *end)
        .collect();
    let mut ended = ends.clone();
    ended.dedup();
    codes.extend(ended.iter().map(u8::to_string));
    for (attribute, begin, end) in ATTRIBUTES {
        if to.contains(attribute) && (!from.contains(attribute) || ends.contains(&end)) {
            codes.push(begin.to_string());
        }
    }
}

/// Numbers of a colour; `base` is 30 for the text and 40 for the ground.
fn colour(codes: &mut Vec<String>, colour: Color, base: u8) {
    let plain = |number: u8| (base + number).to_string();
    let bright = |number: u8| (base + 60 + number).to_string();
    codes.push(match colour {
        Color::Reset => plain(9),
        Color::Black => plain(0),
        Color::Red => plain(1),
        Color::Green => plain(2),
        Color::Yellow => plain(3),
        Color::Blue => plain(4),
        Color::Magenta => plain(5),
        Color::Cyan => plain(6),
        Color::Gray => plain(7),
        Color::DarkGray => bright(0),
        Color::LightRed => bright(1),
        Color::LightGreen => bright(2),
        Color::LightYellow => bright(3),
        Color::LightBlue => bright(4),
        Color::LightMagenta => bright(5),
        Color::LightCyan => bright(6),
        Color::White => bright(7),
        Color::Indexed(index) => format!("{};5;{index}", base + 8),
        Color::Rgb(red, green, blue) => format!("{};2;{red};{green};{blue}", base + 8),
    });
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;

    use super::*;

    const WIDE: u16 = 12;
    const HIGH: u16 = 4;

    fn any_colour() -> impl Strategy<Value = Color> {
        prop_oneof![
            Just(Color::Reset),
            Just(Color::Red),
            Just(Color::DarkGray),
            Just(Color::White),
            any::<u8>().prop_map(Color::Indexed),
            any::<(u8, u8, u8)>().prop_map(|(red, green, blue)| Color::Rgb(red, green, blue)),
        ]
    }

    fn any_picture() -> impl Strategy<Value = Buffer> {
        let attributes = [
            Modifier::BOLD,
            Modifier::DIM,
            Modifier::ITALIC,
            Modifier::UNDERLINED,
            Modifier::REVERSED,
        ];
        let symbol = prop_oneof![
            Just("a"),
            Just("ñ"),
            Just("█"),
            Just("⠿"),
            Just(" "),
            Just("界"),
            Just("e\u{301}")
        ];
        let modifier = proptest::sample::subsequence(attributes.to_vec(), 0..=attributes.len())
            .prop_map(|some| some.into_iter().collect::<Modifier>());
        let cell = (symbol, any_colour(), any_colour(), modifier);
        proptest::collection::vec(cell, usize::from(WIDE * HIGH)).prop_map(|cells| {
            let mut buffer = Buffer::empty(Rect::new(0, 0, WIDE, HIGH));
            let mut cells = cells.into_iter();
            for y in 0..HIGH {
                let mut x = 0;
                while let Some((symbol, fg, bg, modifier)) = (x < WIDE).then(|| cells.next()).flatten() {
                    let wide = text::width(symbol) as u16;
                    // Half a wide character at the edge is no picture.
                    let symbol = if x + wide > WIDE { " " } else { symbol };
                    let style = ratatui::style::Style::new().fg(fg).bg(bg).add_modifier(modifier);
                    buffer.set_string(x, y, symbol, style);
                    x += wide;
                }
            }
            buffer
        })
    }

    fn expected(colour: Color) -> vt100::Color {
        match colour {
            Color::Red => vt100::Color::Idx(1),
            Color::DarkGray => vt100::Color::Idx(8),
            Color::White => vt100::Color::Idx(15),
            Color::Indexed(index) => vt100::Color::Idx(index),
            Color::Rgb(red, green, blue) => vt100::Color::Rgb(red, green, blue),
            _ => vt100::Color::Default,
        }
    }

    proptest! {
        /// A terminal that gets the differences of one picture after the other shows the last.
        #[test]
        fn a_terminal_shows_what_was_drawn(pictures in proptest::collection::vec(any_picture(), 1..4)) {
            let mut terminal = vt100::Parser::new(HIGH, WIDE, 0);
            let mut shown = Buffer::empty(Rect::new(0, 0, WIDE, HIGH));
            for picture in pictures {
                let mut bytes = Vec::new();
                cells(&mut bytes, &shown.diff(&picture)).unwrap();
                terminal.process(&bytes);
                shown = picture;
            }
            for y in 0..HIGH {
                let mut x = 0;
                while x < WIDE {
                    let (cell, seen) = (&shown[(x, y)], terminal.screen().cell(y, x).unwrap());
                    let contents = seen.contents();
                    prop_assert_eq!(if contents.is_empty() { " " } else { contents }, cell.symbol());
                    prop_assert_eq!(seen.fgcolor(), expected(cell.fg));
                    prop_assert_eq!(seen.bgcolor(), expected(cell.bg));
                    for (attribute, is_on) in [
                        (Modifier::BOLD, seen.bold()),
                        (Modifier::DIM, seen.dim()),
                        (Modifier::ITALIC, seen.italic()),
                        (Modifier::UNDERLINED, seen.underline()),
                        (Modifier::REVERSED, seen.inverse()),
                    ] {
                        // A terminal of this kind is either bold or dim.
                        let both = Modifier::BOLD | Modifier::DIM;
                        if !(cell.modifier.contains(both) && both.contains(attribute)) {
                            prop_assert_eq!(is_on, cell.modifier.contains(attribute));
                        }
                    }
                    x += text::width(cell.symbol()).max(1) as u16;
                }
            }
        }
    }

    #[test]
    fn what_stays_is_not_said_again() {
        let mut before = Buffer::empty(Rect::new(0, 0, 20, 2));
        let mut after = before.clone();
        let style = ratatui::style::Style::new()
            .fg(Color::Indexed(80))
            .bg(Color::Indexed(233));
        after.set_string(2, 1, "ab", style.add_modifier(Modifier::BOLD));
        after.set_string(6, 1, "c", style.fg(Color::Indexed(253)));
        let mut bytes = Vec::new();
        cells(&mut bytes, &before.diff(&after)).unwrap();
        assert_eq!(
            String::from_utf8(bytes).unwrap(),
            "\x1b[2;3H\x1b[1;38;5;80;48;5;233mab\x1b[7G\x1b[22;38;5;253mc\x1b[m"
        );
        before = after.clone();
        let mut nothing = Vec::new();
        cells(&mut nothing, &before.diff(&after)).unwrap();
        assert!(nothing.is_empty());
    }
}
