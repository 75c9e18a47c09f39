//! Standard output of commands: a closed pipe (`| head`) ends quietly instead of with a panic.

use std::io::{self, IsTerminal as _, Write as _};

use clap::ColorChoice;
use color_eyre::eyre::{Result, WrapErr};

/// Writes text to standard output.
pub fn print(text: &str) -> Result<()> {
    bytes(text.as_bytes())
}

/// Writes bytes to standard output as they are.
pub fn bytes(bytes: &[u8]) -> Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.wrap_err("standard output cannot be written"),
    }
}

/// Writes a line to standard output.
pub fn line(text: &str) -> Result<()> {
    print(&format!("{text}\n"))
}

fn no_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || std::env::var_os("TERM").is_some_and(|value| value == "dumb")
}

/// True when standard output takes colours.
pub fn colored(color: ColorChoice) -> bool {
    match color {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => io::stdout().is_terminal() && !no_color(),
    }
}

/// True when standard error takes colours by itself.
pub fn colored_stderr() -> bool {
    io::stderr().is_terminal() && !no_color()
}

/// Text without control characters, for words that came from a server or a record and go to a terminal.
///
/// Removes C0, DEL and C1 (docs: security, "Terminal escapes") and what turns the direction of text around.
pub fn clean(text: &str) -> String {
    let hostile = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    text.chars()
        .map(|c| if c == '\t' || c == '\n' { ' ' } else { c })
        .filter(|c| !hostile(*c))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_becomes_plain() {
        let cases = [
            ("plain ñ", "plain ñ"),
            ("\u{1b}]52;c;YQ==\u{7}x", "]52;c;YQ==x"),
            ("a\u{9b}31mb", "a31mb"),
            ("a\u{202e}b\u{200b}c", "abc"),
            ("two\nlines\t.", "two lines ."),
        ];
        for (text, expected) in cases {
            assert_eq!(clean(text), expected);
        }
    }
}
