//! Text that comes from a store or a log: cleaned once, then measured, cut and padded in columns.
//!
//! Every text reaches the screen through here (docs: dashboard, hostile text). A product name that carries an escape
//! sequence, a bidi override or zero-width characters must not be able to move the cursor or to lie about its order.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Ends a text that was cut; one column wide.
const ELLIPSIS: char = '…';

/// Most combining marks kept on one base character.
const MARKS: usize = 2;

/// True for characters that are removed wherever they occur: bidi controls, zero-width characters, variation
/// selectors, soft hyphen, tags, interlinear marks.
const fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// True for characters that become one blank.
const fn is_break(c: char) -> bool {
    matches!(
        c,
        '\t' | '\n' | '\r' | '\u{0b}' | '\u{0c}' | '\u{85}' | '\u{2028}' | '\u{2029}'
    )
}

fn is_plain(c: char) -> bool {
    c.is_ascii_graphic()
        || c == ' '
        || (c > '\u{9f}' && !is_invisible(c) && c.width().unwrap_or(0) > 0 && !is_break(c))
}

/// Removes C0, DEL, C1, escape sequences with their content, bidi controls and zero-width characters; line breaks and
/// tabs become blanks; at most two combining marks stay on a character.
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut marks = MARKS;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => match chars.next() {
                Some('[') => skip_control_sequence(&mut chars),
                Some(']' | 'P' | 'X' | '^' | '_') => skip_string(&mut chars),
                Some(' '..='/') => {
                    while chars.next_if(|c| matches!(c, ' '..='/')).is_some() {}
                    chars.next();
                }
                _ => {}
            },
            '\u{9b}' => skip_control_sequence(&mut chars),
            '\u{90}' | '\u{98}' | '\u{9d}' | '\u{9e}' | '\u{9f}' => skip_string(&mut chars),
            c if is_break(c) => out.push(' '),
            c if c.is_control() || is_invisible(c) => {}
            c if c.width().unwrap_or(0) == 0 => {
                if marks < MARKS {
                    out.push(c);
                    marks += 1;
                }
            }
            c => {
                out.push(c);
                marks = 0;
            }
        }
    }
    Cow::Owned(out)
}

/// Parameters and final byte of a control sequence (CSI).
fn skip_control_sequence(chars: &mut impl Iterator<Item = char>) {
    chars.find(|c| matches!(c, '@'..='~'));
}

/// Content of a control string (OSC, DCS, APC, PM, SOS) up to BEL or ST.
fn skip_string(chars: &mut std::iter::Peekable<impl Iterator<Item = char>>) {
    while let Some(c) = chars.next() {
        match c {
            '\u{07}' | '\u{9c}' => return,
            '\u{1b}' if chars.next_if_eq(&'\\').is_some() => return,
            _ => {}
        }
    }
}

/// Columns of a cleaned text, counted like the screen does: per grapheme.
pub fn width(text: &str) -> usize {
    if text.is_ascii() {
        return text.len();
    }
    text.graphemes(true).map(UnicodeWidthStr::width).sum()
}

/// The text cleaned and shortened to at most `columns`, with an ellipsis where something was left out.
pub fn cut(text: &str, columns: usize) -> String {
    let text = clean(text);
    if width(&text) <= columns {
        return text.into_owned();
    }
    let Some(room) = columns.checked_sub(1) else {
        return String::new();
    };
    let mut out = String::new();
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        let wide = grapheme.width();
        if used + wide > room {
            break;
        }
        out.push_str(grapheme);
        used += wide;
    }
    let kept = out.trim_end().len();
    out.truncate(kept);
    out.push(ELLIPSIS);
    out
}

/// Cut, then blanks behind it up to `columns`.
pub fn pad(text: &str, columns: usize) -> String {
    let mut out = cut(text, columns);
    let missing = columns.saturating_sub(width(&out));
    out.extend(std::iter::repeat_n(' ', missing));
    out
}

/// Cut, then blanks before it up to `columns`: for numbers.
pub fn pad_left(text: &str, columns: usize) -> String {
    let cut = cut(text, columns);
    let missing = columns.saturating_sub(width(&cut));
    let mut out = " ".repeat(missing);
    out.push_str(&cut);
    out
}

/// A sentence in lines of at most `columns`, broken at blanks; a longer word is cut.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in clean(text).split_whitespace() {
        match lines.last_mut() {
            Some(line) if width(line) + 1 + width(word) <= columns => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(cut(word, columns)),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hostile_text_is_harmless() {
        for (name, text, expected) in [
            ("plain stays", "Peñalosa, Atlántico", "Peñalosa, Atlántico"),
            ("colour", "a\u{1b}[31mred", "ared"),
            ("clear screen by C1", "a\u{9b}2Jb", "ab"),
            ("clipboard", "x\u{1b}]52;c;aGk=\u{07}y", "xy"),
            ("title ended by ST", "x\u{1b}]0;own\u{1b}\\y", "xy"),
            ("unterminated", "x\u{1b}]0;own", "x"),
            ("charset", "x\u{1b}(0y", "xy"),
            ("reset", "x\u{1b}cy", "xy"),
            ("bidi override", "abc\u{202e}fdp.exe", "abcfdp.exe"),
            ("zero width", "a\u{200b}b\u{feff}c\u{2060}d", "abcd"),
            ("variation selector", "\u{2764}\u{fe0f}", "\u{2764}"),
            ("breaks", "a\r\nb\tc\u{2028}d", "a  b c d"),
            ("bell and delete", "a\u{7}b\u{7f}c\u{0}", "abc"),
            ("combining accent", "e\u{301}", "e\u{301}"),
            (
                "too many marks",
                "e\u{301}\u{301}\u{301}\u{301}",
                "e\u{301}\u{301}",
            ),
            ("a mark without a base", "\u{301}a", "a"),
            ("tags", "a\u{e0041}b", "ab"),
        ] {
            assert_eq!(clean(text), expected, "{name}");
        }
    }

    #[test]
    fn columns() {
        for (text, columns, expected) in [
            ("abc", 3, "abc"),
            ("abcd", 3, "ab…"),
            ("ab cd", 4, "ab…"),
            ("日本語", 4, "日…"),
            ("日本語", 6, "日本語"),
            ("e\u{301}tat", 3, "e\u{301}t…"),
            ("abc", 0, ""),
            ("abc", 1, "…"),
        ] {
            assert_eq!(cut(text, columns), expected, "{text} in {columns}");
        }
        assert_eq!(pad("ñ", 3), "ñ  ");
        assert_eq!(pad_left("日", 3), " 日");
    }

    #[test]
    fn wrapping() {
        assert_eq!(wrap("one two  three", 7), ["one two", "three"]);
        assert_eq!(wrap("unbreakable", 5), ["unbr…"]);
        assert_eq!(wrap("", 5), Vec::<String>::new());
        assert_eq!(wrap("a b", 0), ["", ""]);
    }

    proptest! {
        #[test]
        fn any_text_fits_and_has_no_control(text in "\\PC{0,12}|.{0,12}|[\\x00-\\x9f\u{200b}-\u{202f}\u{1b}a-z\\[\\]]{0,20}", columns in 0usize..12) {
            let padded = pad(&text, columns);
            prop_assert_eq!(width(&padded), columns);
            prop_assert!(!padded.chars().any(|c| c.is_control() || is_invisible(c)));
            let cleaned = clean(&text).into_owned();
            prop_assert_eq!(clean(&cleaned).into_owned(), cleaned, "cleaning twice changes nothing");
        }
    }
}
