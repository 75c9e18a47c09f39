//! The characters of the screen and their ASCII twins. A character outside ASCII that has no twin here is not drawn in
//! ASCII mode: letters lose their accent, the rest becomes `?`.

use ratatui::buffer::Buffer;
use unicode_width::UnicodeWidthStr;

/// Which characters the screen is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glyphs {
    /// Blocks, braille and arrows, all one column wide.
    Unicode,
    /// Printable ASCII alone.
    Ascii,
}

impl Glyphs {
    /// Chooses by flag or configuration, else by the locale: UTF-8 or not.
    pub fn choose(wanted: &str, variable: impl Fn(&str) -> Option<String>) -> Self {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
            .into_iter()
            .find_map(|name| variable(name).filter(|value| !value.is_empty()))
            .unwrap_or_default()
            .to_lowercase();
        match wanted {
            "unicode" => Self::Unicode,
            "ascii" => Self::Ascii,
            // An empty locale is what containers and services have; their terminals speak UTF-8 all the same.
            _ if locale.is_empty() || locale.contains("utf-8") || locale.contains("utf8") => Self::Unicode,
            _ => Self::Ascii,
        }
    }

    /// Eighths of a vertical bar, `1..=8`.
    pub const fn rising(self, eighths: usize) -> char {
        match self {
            Self::Unicode => {
                [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'][if eighths > 8 { 8 } else { eighths }]
            }
            Self::Ascii => {
                [' ', '_', '_', '.', '-', '=', '*', '#', '#'][if eighths > 8 { 8 } else { eighths }]
            }
        }
    }

    /// Eighths of a horizontal bar, `1..=8`.
    pub const fn growing(self, eighths: usize) -> char {
        match self {
            Self::Unicode => {
                [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'][if eighths > 8 { 8 } else { eighths }]
            }
            Self::Ascii if eighths >= 4 => '#',
            Self::Ascii => ' ',
        }
    }

    /// Steps 0 to 4 of a heat map.
    pub const fn shade(self, step: usize) -> char {
        match self {
            Self::Unicode => [' ', '░', '▒', '▓', '█'][if step > 4 { 4 } else { step }],
            Self::Ascii => [' ', '.', ':', '%', '#'][if step > 4 { 4 } else { step }],
        }
    }
}

/// The twin of a character, of the same width.
const fn twin(c: char) -> Option<char> {
    Some(match c {
        '▲' | '↑' | '┴' => '^',
        '▼' | '↓' => 'v',
        '─' | '—' | '–' | '━' => '-',
        '│' => '|',
        '┄' | '·' | '░' | '…' | '▃' => '.',
        '█' | '▇' | '▉' | '▊' | '▋' => '#',
        '▓' => '%',
        '▒' => ':',
        '●' | '▆' | '\u{2801}'..='\u{28ff}' => '*',
        '◆' | '┌' | '┐' | '└' | '┘' | '┤' | '├' | '┬' | '┼' => '+',
        '▌' | '→' | '▶' | '›' | '≥' => '>',
        '≈' => '@',
        '×' => 'x',
        '‖' | '▅' => '=',
        '◀' | '≤' | '←' => '<',
        '▁' | '▂' | '▄' => '_',
        '▀' => '"',
        '▏' | '▎' | '▍' | '\u{2800}' => ' ',
        'Δ' => 'D',
        '÷' => '/',
        'á' | 'à' | 'â' | 'ã' | 'ä' | 'å' => 'a',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'í' | 'ì' | 'î' | 'ï' => 'i',
        'ó' | 'ò' | 'ô' | 'õ' | 'ö' => 'o',
        'ú' | 'ù' | 'û' | 'ü' => 'u',
        'ñ' => 'n',
        'ç' => 'c',
        'Á' | 'À' | 'Â' | 'Ã' | 'Ä' | 'Å' => 'A',
        'É' | 'È' | 'Ê' | 'Ë' | '€' => 'E',
        'Í' | 'Ì' | 'Î' | 'Ï' => 'I',
        'Ó' | 'Ò' | 'Ô' | 'Õ' | 'Ö' => 'O',
        'Ú' | 'Ù' | 'Û' | 'Ü' => 'U',
        'Ñ' => 'N',
        'Ç' => 'C',
        '¿' => '?',
        _ => return None,
    })
}

/// True when a character may be drawn by the program itself: ASCII, or it has a twin.
#[cfg(test)]
pub(crate) const fn has_twin(c: char) -> bool {
    c.is_ascii() || twin(c).is_some()
}

/// Replaces everything outside ASCII in a finished picture by its twin; a wide character becomes as many `?` as it
/// takes columns.
pub fn to_ascii(buffer: &mut Buffer) {
    let width = usize::from(buffer.area.width).max(1);
    for index in 0..buffer.content.len() {
        let symbol = buffer.content[index].symbol();
        if symbol.is_ascii() {
            continue;
        }
        let columns = symbol.width().max(1);
        let twin = symbol.chars().next().and_then(twin).unwrap_or('?');
        buffer.content[index].set_char(twin);
        for next in 1..columns.min(width - index % width) {
            buffer.content[index + next].set_char('?');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ratatui::layout::Rect;
    use ratatui::style::Style;
    use unicode_width::UnicodeWidthChar;

    #[test]
    fn twins_have_the_same_width() {
        for c in '\u{80}'..='\u{ffff}' {
            if let Some(twin) = twin(c) {
                assert!(twin.is_ascii_graphic() || twin == ' ', "{c}");
                assert_eq!(c.width(), Some(1), "{c} is not one column wide");
            }
        }
        for set in [Glyphs::Unicode, Glyphs::Ascii] {
            for step in 0..12 {
                for c in [set.rising(step), set.growing(step), set.shade(step)] {
                    assert_eq!(c.width(), Some(1));
                    assert!(has_twin(c));
                    assert!(set == Glyphs::Unicode || c.is_ascii());
                }
            }
        }
    }

    #[test]
    fn a_picture_in_ascii() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 1));
        buffer.set_string(0, 0, "─ ñandú 日本▆█", Style::new());
        to_ascii(&mut buffer);
        let line: String = buffer.content.iter().map(ratatui::buffer::Cell::symbol).collect();
        assert_eq!(line, "- nandu ????");
    }

    #[test]
    fn chosen_by_locale() {
        for (wanted, lang, expected) in [
            ("auto", "", Glyphs::Unicode),
            ("auto", "es_AR.UTF-8", Glyphs::Unicode),
            ("auto", "C", Glyphs::Ascii),
            ("auto", "es_AR.ISO-8859-1", Glyphs::Ascii),
            ("unicode", "C", Glyphs::Unicode),
            ("ascii", "es_AR.UTF-8", Glyphs::Ascii),
        ] {
            let variable = |name: &str| (name == "LANG").then(|| lang.to_owned());
            assert_eq!(Glyphs::choose(wanted, variable), expected, "{wanted} {lang}");
        }
    }
}
