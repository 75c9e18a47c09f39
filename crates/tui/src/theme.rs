//! Colours by role. A theme maps each role once, at start, to what the terminal can show; no other file names a colour.

mod palette;

use ratatui::style::{Color, Modifier, Style};

pub use palette::Tone;

/// What a colour is for (docs: dashboard, colours).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Ordinary text.
    Text,
    /// Text in bold: values, titles.
    Strong,
    /// Labels, units, ages.
    Muted,
    /// Rules and axes; never text, never data.
    Line,
    /// The comparison series.
    Prev,
    /// Focus and the leading series.
    Accent,
    /// Good news.
    Good,
    /// Look here soon.
    Warn,
    /// Bad news.
    Bad,
    /// Neutral notice.
    Info,
    /// Further series.
    S2,
    /// Further series.
    S3,
    /// Further series.
    S4,
    /// Further series.
    S5,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 14] = [
        Self::Text,
        Self::Strong,
        Self::Muted,
        Self::Line,
        Self::Prev,
        Self::Accent,
        Self::Good,
        Self::Warn,
        Self::Bad,
        Self::Info,
        Self::S2,
        Self::S3,
        Self::S4,
        Self::S5,
    ];
}

/// How many colours the terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// None: bold, dim, reverse and underline carry everything.
    None,
    /// The 16 names.
    Ansi16,
    /// The 256 palette.
    Indexed,
    /// 24 bits.
    Rgb,
}

impl Level {
    /// Chooses by flag or configuration, then `NO_COLOR`, `COLORTERM` and `TERM`. SSH forwards none of them but `TERM`,
    /// so 256 is the answer when nothing is known.
    pub fn choose(wanted: &str, variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let term = set("TERM").unwrap_or_default();
        match wanted {
            "none" => Self::None,
            "16" => Self::Ansi16,
            "256" => Self::Indexed,
            "rgb" => Self::Rgb,
            _ if set("NO_COLOR").is_some() || term == "dumb" => Self::None,
            _ if set("COLORTERM").is_some_and(|value| value == "truecolor" || value == "24bit")
                || term.ends_with("-direct") =>
            {
                Self::Rgb
            }
            _ if term == "linux" || term == "ansi" || term.starts_with("vt") => Self::Ansi16,
            _ => Self::Indexed,
        }
    }
}

/// The themes by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// Light on dark.
    Dark,
    /// Dark on light.
    Light,
    /// For colour-blind readers: no red against green.
    Safe,
    /// The user's own 16 colours and background.
    Terminal,
    /// No colour at all.
    Mono,
}

impl Name {
    /// All themes, in the order in which the key steps through them.
    pub const ALL: [Self; 5] = [Self::Dark, Self::Light, Self::Safe, Self::Terminal, Self::Mono];

    /// The name in flags and files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dark => "dark",
            Self::Light => "light",
            Self::Safe => "safe",
            Self::Terminal => "terminal",
            Self::Mono => "mono",
        }
    }

    /// Finds a theme; `auto` and anything unknown is dark.
    pub fn from_name(name: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|theme| theme.as_str() == name)
            .unwrap_or(Self::Dark)
    }

    /// The theme after this one.
    #[must_use]
    pub fn next(self) -> Self {
        let at = Self::ALL.iter().position(|theme| *theme == self).unwrap_or(0);
        Self::ALL[(at + 1) % Self::ALL.len()]
    }
}

/// A theme resolved for one terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    /// Which theme.
    pub name: Name,
    /// For how many colours it was resolved.
    pub level: Level,
    /// True when the background is painted.
    pub paints_background: bool,
}

impl Theme {
    /// Resolves a theme. `own_background` false forces the terminal's own background (`--no-bg`).
    pub fn new(name: Name, level: Level, own_background: bool) -> Self {
        let name = if level == Level::None { Name::Mono } else { name };
        let paints_background =
            own_background && palette::of(name).is_some_and(|palette| palette.background.is_some());
        Self {
            name,
            level,
            paints_background,
        }
    }

    /// The next theme in the same terminal.
    #[must_use]
    pub fn step(&self, own_background: bool) -> Self {
        self.named(self.name.next(), own_background)
    }

    /// Another theme in the same terminal.
    #[must_use]
    pub fn named(&self, name: Name, own_background: bool) -> Self {
        Self::new(name, self.level, own_background)
    }

    fn color(&self, tone: Tone) -> Color {
        match self.level {
            Level::Rgb if self.name != Name::Terminal => Color::Rgb(tone.rgb.0, tone.rgb.1, tone.rgb.2),
            Level::Indexed if self.name != Name::Terminal => Color::Indexed(tone.index),
            Level::None => Color::Reset,
            _ => tone.named,
        }
    }

    /// What every cell starts with.
    pub fn base(&self) -> Style {
        let style = self.style(Role::Text);
        match palette::of(self.name).and_then(|palette| palette.background) {
            Some(tone) if self.paints_background => style.bg(self.color(tone)),
            _ => style.bg(Color::Reset),
        }
    }

    /// Style of text.
    pub fn style(&self, role: Role) -> Style {
        let style = match palette::of(self.name) {
            Some(palette) => Style::new().fg(self.color(palette.tone(role))),
            None => match role {
                Role::Muted | Role::Line | Role::Prev => Style::new().add_modifier(Modifier::DIM),
                Role::Bad => Style::new().add_modifier(Modifier::REVERSED),
                Role::Warn => Style::new().add_modifier(Modifier::UNDERLINED),
                Role::Accent => Style::new().add_modifier(Modifier::BOLD),
                _ => Style::new(),
            },
        };
        if role == Role::Strong {
            style.add_modifier(Modifier::BOLD)
        } else {
            style
        }
    }

    /// Style of bars, curves and blocks. Without colours they must not be reversed or underlined: a reversed block is
    /// invisible.
    pub fn ink(&self, role: Role) -> Style {
        match (self.name, role) {
            (Name::Mono, Role::Muted | Role::Line | Role::Prev) => Style::new().add_modifier(Modifier::DIM),
            (Name::Mono, Role::Bad | Role::Strong) => Style::new().add_modifier(Modifier::BOLD),
            (Name::Mono, _) => Style::new(),
            _ => self.style(role),
        }
    }

    /// The selected row and overlays: a background as well as the mark, because bold is not seen on every terminal.
    pub fn surface(&self) -> Style {
        match palette::of(self.name).and_then(|palette| palette.surface) {
            Some(tone) if self.paints_background => Style::new().bg(self.color(tone)),
            _ => Style::new().add_modifier(Modifier::BOLD),
        }
    }

    /// A chip in the header that must be seen: reversed.
    pub fn chip(&self, role: Role) -> Style {
        let style = self.ink(role);
        style.add_modifier(Modifier::REVERSED | Modifier::BOLD)
    }

    /// Step 0 to 4 of a heat map, when the theme owns its background.
    pub fn heat(&self, step: usize) -> Option<Style> {
        palette::of(self.name)
            .filter(|_| self.paints_background && matches!(self.level, Level::Rgb | Level::Indexed))
            .map(|palette| {
                let tone = palette.heat[step.min(4)];
                let ink = if step >= 3 {
                    palette.heat_ink
                } else {
                    palette.tone(Role::Text)
                };
                Style::new().bg(self.color(tone)).fg(self.color(ink))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// WCAG 2 relative luminance and contrast.
    fn contrast(a: (u8, u8, u8), b: (u8, u8, u8)) -> f64 {
        let luminance = |(r, g, b): (u8, u8, u8)| {
            let part = |value: u8| {
                let value = f64::from(value) / 255.0;
                if value <= 0.04045 {
                    value / 12.92
                } else {
                    ((value + 0.055) / 1.055).powf(2.4)
                }
            };
            0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b)
        };
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    fn xterm(index: u8) -> (u8, u8, u8) {
        let level = |step: u8| if step == 0 { 0 } else { 55 + step * 40 };
        match index {
            16..=231 => {
                let index = index - 16;
                (level(index / 36), level(index / 6 % 6), level(index % 6))
            }
            232..=255 => {
                let grey = 8 + (index - 232) * 10;
                (grey, grey, grey)
            }
            _ => panic!("the first sixteen are the user's"),
        }
    }

    #[test]
    fn contrast_of_every_theme_that_owns_its_background() {
        for name in [Name::Dark, Name::Light, Name::Safe] {
            let palette = palette::of(name).unwrap();
            let background = palette.background.unwrap();
            for role in Role::ALL {
                let wanted = match role {
                    Role::Line => 1.5,
                    Role::Prev => 3.0,
                    _ => 4.5,
                };
                let tone = palette.tone(role);
                let found = contrast(tone.rgb, background.rgb);
                assert!(found >= wanted, "{name:?} {role:?}: {found:.1} under {wanted}");
                let found = contrast(xterm(tone.index), xterm(background.index));
                assert!(
                    found >= wanted,
                    "{name:?} {role:?} in 256: {found:.1} under {wanted}"
                );
                if role != Role::Line && role != Role::Prev {
                    let found = contrast(tone.rgb, palette.surface.unwrap().rgb);
                    assert!(found >= 4.5, "{name:?} {role:?} on the surface: {found:.1}");
                }
            }
            for step in 0..5 {
                let ink = if step >= 3 {
                    palette.heat_ink
                } else {
                    palette.tone(Role::Text)
                };
                let found = contrast(ink.rgb, palette.heat[step].rgb);
                assert!(found >= 4.5, "{name:?} heat {step}: {found:.1}");
            }
        }
    }

    #[test]
    fn level_by_flag_and_environment() {
        let environment = |pairs: &'static [(&'static str, &'static str)]| {
            move |name: &str| {
                pairs
                    .iter()
                    .find(|(key, _)| *key == name)
                    .map(|(_, value)| (*value).to_owned())
            }
        };
        for (wanted, pairs, expected) in [
            ("auto", &[][..], Level::Indexed),
            (
                "auto",
                &[("NO_COLOR", "1"), ("COLORTERM", "truecolor")],
                Level::None,
            ),
            ("auto", &[("NO_COLOR", "")], Level::Indexed),
            ("auto", &[("COLORTERM", "truecolor")], Level::Rgb),
            ("auto", &[("TERM", "xterm-direct")], Level::Rgb),
            ("auto", &[("TERM", "linux")], Level::Ansi16),
            ("auto", &[("TERM", "dumb")], Level::None),
            ("rgb", &[("NO_COLOR", "1")], Level::Rgb),
            ("16", &[], Level::Ansi16),
            ("none", &[("COLORTERM", "truecolor")], Level::None),
        ] {
            assert_eq!(
                Level::choose(wanted, environment(pairs)),
                expected,
                "{wanted} {pairs:?}"
            );
        }
    }

    #[test]
    fn mono_sends_no_colour() {
        let theme = Theme::new(Name::Dark, Level::None, true);
        assert_eq!(theme.name, Name::Mono);
        for role in Role::ALL {
            for style in [theme.style(role), theme.ink(role)] {
                assert!(matches!(style.fg, None | Some(Color::Reset)), "{role:?}");
                assert_eq!(style.bg, None, "{role:?}");
            }
            assert!(!theme.ink(role).add_modifier.contains(Modifier::REVERSED));
        }
        assert_eq!(theme.base().bg, Some(Color::Reset));
    }
}
