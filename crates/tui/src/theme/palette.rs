//! The colours of each theme: as RGB, as an index of the 256 palette, and as one of the 16 names.

use ratatui::style::Color;

use super::{Name, Role};

/// One colour at three depths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tone {
    /// 24 bits.
    pub rgb: (u8, u8, u8),
    /// Index of the 256 palette, 16 or more: the first sixteen belong to the user.
    pub index: u8,
    /// One of the 16 names.
    pub named: Color,
}

const fn tone(rgb: u32, index: u8, named: Color) -> Tone {
    Tone {
        rgb: ((rgb >> 16) as u8, (rgb >> 8) as u8, rgb as u8),
        index,
        named,
    }
}

/// The colours of one theme.
pub(super) struct Palette {
    /// Painted behind everything; `None` leaves the terminal's own.
    pub(super) background: Option<Tone>,
    /// Behind overlays and the selected row.
    pub(super) surface: Option<Tone>,
    text: Tone,
    muted: Tone,
    line: Tone,
    prev: Tone,
    accent: Tone,
    good: Tone,
    warn: Tone,
    bad: Tone,
    info: Tone,
    series: [Tone; 4],
    /// Backgrounds of a heat map, few to many.
    pub(super) heat: [Tone; 5],
    /// Text on the two strongest of them.
    pub(super) heat_ink: Tone,
}

impl Palette {
    /// The tone of a role.
    pub(super) const fn tone(&self, role: Role) -> Tone {
        match role {
            Role::Text | Role::Strong => self.text,
            Role::Muted => self.muted,
            Role::Line => self.line,
            Role::Prev => self.prev,
            Role::Accent => self.accent,
            Role::Good => self.good,
            Role::Warn => self.warn,
            Role::Bad => self.bad,
            Role::Info => self.info,
            Role::S2 => self.series[0],
            Role::S3 => self.series[1],
            Role::S4 => self.series[2],
            Role::S5 => self.series[3],
        }
    }
}

static DARK: Palette = Palette {
    background: Some(tone(0x0f_141a, 233, Color::Black)),
    surface: Some(tone(0x18_212b, 235, Color::Black)),
    text: tone(0xd7_dee6, 253, Color::White),
    muted: tone(0x86_96a7, 103, Color::DarkGray),
    line: tone(0x33_404d, 238, Color::DarkGray),
    prev: tone(0x6b_7c8d, 66, Color::DarkGray),
    accent: tone(0x5e_c4d6, 80, Color::Cyan),
    good: tone(0x6f_cf97, 78, Color::Green),
    warn: tone(0xf2_c14e, 221, Color::Yellow),
    bad: tone(0xf2_736b, 203, Color::Red),
    info: tone(0x8a_b4f8, 111, Color::Blue),
    series: [
        tone(0xc7_9bf2, 177, Color::Magenta),
        tone(0xf2_a65a, 209, Color::LightYellow),
        tone(0x9a_d06a, 113, Color::LightGreen),
        tone(0xf2_8cb1, 211, Color::LightMagenta),
    ],
    heat: [
        tone(0x15_1c24, 234, Color::Black),
        tone(0x17_303a, 236, Color::Black),
        tone(0x1b_4a57, 23, Color::Black),
        tone(0x3a_8fa0, 37, Color::Black),
        tone(0x5e_c4d6, 80, Color::Black),
    ],
    heat_ink: tone(0x06_0b10, 16, Color::Black),
};

static LIGHT: Palette = Palette {
    background: Some(tone(0xfb_faf7, 231, Color::White)),
    surface: Some(tone(0xf0_eee7, 255, Color::White)),
    text: tone(0x2a_2923, 235, Color::Black),
    muted: tone(0x6a_6658, 241, Color::DarkGray),
    line: tone(0xc9_c4b8, 249, Color::Gray),
    prev: tone(0x84_7f70, 244, Color::DarkGray),
    accent: tone(0x0b_6f85, 24, Color::Cyan),
    good: tone(0x1d_6f42, 22, Color::Green),
    warn: tone(0x8a_5a00, 94, Color::Yellow),
    bad: tone(0xb3_261e, 124, Color::Red),
    info: tone(0x27_57b0, 25, Color::Blue),
    series: [
        tone(0x7a_3fb0, 97, Color::Magenta),
        tone(0xa8_5200, 130, Color::Yellow),
        tone(0x4d_7300, 58, Color::Green),
        tone(0xa8_2a63, 125, Color::Magenta),
    ],
    heat: [
        tone(0xf4_f3ee, 255, Color::White),
        tone(0xda_e9ec, 253, Color::White),
        tone(0xa9_d0d9, 152, Color::White),
        tone(0x1f_7d92, 30, Color::White),
        tone(0x0b_5f73, 23, Color::White),
    ],
    heat_ink: tone(0xff_ffff, 231, Color::White),
};

/// Okabe-Ito colours: told apart by readers who do not see red and green as different.
static SAFE: Palette = Palette {
    background: Some(tone(0x10_1418, 233, Color::Black)),
    surface: Some(tone(0x1a_2128, 235, Color::Black)),
    text: tone(0xd7_dee6, 253, Color::White),
    muted: tone(0x8b_97a3, 103, Color::DarkGray),
    line: tone(0x36_4048, 238, Color::DarkGray),
    prev: tone(0x6f_7b86, 66, Color::DarkGray),
    accent: tone(0x56_b4e9, 74, Color::Cyan),
    good: tone(0x56_b4e9, 74, Color::Cyan),
    warn: tone(0xf0_e442, 227, Color::Yellow),
    bad: tone(0xe6_9f00, 214, Color::LightYellow),
    info: tone(0xcc_79a7, 175, Color::Magenta),
    series: [
        tone(0xe6_9f00, 214, Color::LightYellow),
        tone(0x00_9e73, 36, Color::Green),
        tone(0xf0_e442, 227, Color::Yellow),
        tone(0xcc_79a7, 175, Color::Magenta),
    ],
    heat: [
        tone(0x15_1b20, 234, Color::Black),
        tone(0x16_2f40, 236, Color::Black),
        tone(0x1c_4763, 23, Color::Black),
        tone(0x3a_8ab8, 67, Color::Black),
        tone(0x56_b4e9, 74, Color::Black),
    ],
    heat_ink: tone(0x06_0b10, 16, Color::Black),
};

/// The user's own scheme rules: the RGB and index columns are not used.
static TERMINAL: Palette = Palette {
    background: None,
    surface: None,
    text: tone(0, 16, Color::Reset),
    muted: tone(0, 16, Color::DarkGray),
    line: tone(0, 16, Color::DarkGray),
    prev: tone(0, 16, Color::DarkGray),
    accent: tone(0, 16, Color::Cyan),
    good: tone(0, 16, Color::Green),
    warn: tone(0, 16, Color::Yellow),
    bad: tone(0, 16, Color::Red),
    info: tone(0, 16, Color::Blue),
    series: [
        tone(0, 16, Color::Magenta),
        tone(0, 16, Color::LightYellow),
        tone(0, 16, Color::LightGreen),
        tone(0, 16, Color::LightMagenta),
    ],
    heat: [tone(0, 16, Color::Reset); 5],
    heat_ink: tone(0, 16, Color::Reset),
};

/// The colours of a theme; mono has none.
pub(super) const fn of(name: Name) -> Option<&'static Palette> {
    match name {
        Name::Dark => Some(&DARK),
        Name::Light => Some(&LIGHT),
        Name::Safe => Some(&SAFE),
        Name::Terminal => Some(&TERMINAL),
        Name::Mono => None,
    }
}
