//! The clipboard of the terminal by OSC 52: it needs no program on this machine, so it works over SSH.

/// Most bytes that are copied: what common terminals take, written as base64.
pub const LONGEST: usize = 74_994;

/// Characters of one piece for GNU screen, which cuts longer strings off.
const PIECE: usize = 240;

/// What stands between this program and the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Through {
    /// Nothing.
    Direct,
    /// tmux: takes the sequence for its own buffer where it may, and passes a wrapped one on where it may.
    Tmux,
    /// GNU screen: passes a wrapped one on.
    Screen,
}

impl Through {
    /// By the environment.
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
        let term = variable("TERM").unwrap_or_default();
        if set("TMUX") || term.starts_with("tmux") {
            Self::Tmux
        } else if set("STY") || term.starts_with("screen") {
            Self::Screen
        } else {
            Self::Direct
        }
    }

    /// The bytes that put a text on the clipboard; `None` when it is too long.
    pub fn sequence(self, text: &str) -> Option<Vec<u8>> {
        if text.len() > LONGEST {
            return None;
        }
        let plain = format!("\x1b]52;c;{}\x07", base64(text.as_bytes()));
        let bytes = match self {
            Self::Direct => plain,
            Self::Tmux => format!("{plain}\x1bPtmux;{}\x1b\\", plain.replace('\x1b', "\x1b\x1b")),
            Self::Screen => {
                let pieces = plain.as_bytes().chunks(PIECE);
                let wrapped = pieces.map(|piece| format!("\x1bP{}\x1b\\", String::from_utf8_lossy(piece)));
                wrapped.collect()
            }
        };
        Some(bytes.into_bytes())
    }
}

/// Base64 with padding (RFC 4648).
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place) & 63) as usize];
            out.push(if place > group.len() {
                '='
            } else {
                char::from(letter)
            });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_of_the_standard() {
        for (text, expected) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
            ("Peñalosa", "UGXDsWFsb3Nh"),
        ] {
            assert_eq!(base64(text.as_bytes()), expected);
        }
    }

    #[test]
    fn sequences_by_what_stands_between() {
        for (term, other, expected) in [
            ("xterm-256color", "", "\x1b]52;c;Zm9v\x07"),
            (
                "tmux-256color",
                "",
                "\x1b]52;c;Zm9v\x07\x1bPtmux;\x1b\x1b]52;c;Zm9v\x07\x1b\\",
            ),
            (
                "screen-256color",
                "TMUX",
                "\x1b]52;c;Zm9v\x07\x1bPtmux;\x1b\x1b]52;c;Zm9v\x07\x1b\\",
            ),
            ("screen", "", "\x1bP\x1b]52;c;Zm9v\x07\x1b\\"),
            ("xterm", "STY", "\x1bP\x1b]52;c;Zm9v\x07\x1b\\"),
        ] {
            let variable = |name: &str| match name {
                "TERM" => Some(term.to_owned()),
                name if name == other => Some("1".to_owned()),
                _ => None,
            };
            let bytes = Through::of(variable).sequence("foo").unwrap();
            assert_eq!(String::from_utf8(bytes).unwrap(), expected, "{term} {other}");
        }
    }

    #[test]
    fn a_long_text_is_cut_for_screen_and_too_long_a_one_is_refused() {
        let text = "x".repeat(1000);
        let bytes = Through::Screen.sequence(&text).unwrap();
        let bytes = String::from_utf8(bytes).unwrap();
        let pieces: Vec<&str> = bytes.split("\x1b\\").filter(|piece| !piece.is_empty()).collect();
        assert!(pieces.iter().all(|piece| piece.len() <= PIECE + 2), "{pieces:?}");
        let joined: String = pieces.iter().map(|piece| &piece[2..]).collect();
        assert_eq!(joined.as_bytes(), Through::Direct.sequence(&text).unwrap());
        assert!(Through::Direct.sequence(&"x".repeat(LONGEST)).is_some());
        assert_eq!(Through::Direct.sequence(&"x".repeat(LONGEST + 1)), None);
    }
}
