//! How everything looks: theme, glyphs, language, zone and currency. Fixed at start, except for the theme key.

use chrono_tz::Tz;
use instashop_core::config::{Dashboard, Meaning};

use crate::format::Marks;
use crate::glyphs::Glyphs;
use crate::lang::{Language, Texts};
use crate::theme::{Level, Name, Theme};

/// What drawing needs to know besides the data.
#[derive(Debug, Clone)]
pub struct Look {
    /// Colours.
    pub theme: Theme,
    /// False with `--no-bg`: the terminal's own background stays.
    pub own_background: bool,
    /// Characters.
    pub glyphs: Glyphs,
    /// Language.
    pub language: Language,
    /// Reporting zone.
    pub zone: Tz,
    /// Reporting currency, ISO 4217.
    pub currency: String,
    /// A relative change below this many per mille is shown as equal.
    pub dead_band_per_mille: u32,
}

/// What flags say about the look; `None` and `auto` leave it to configuration and environment.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// `--theme`.
    pub theme: Option<String>,
    /// `--colors`.
    pub colors: Option<String>,
    /// `--glyphs`.
    pub glyphs: Option<String>,
    /// `--lang`.
    pub language: Option<String>,
    /// `--no-bg`.
    pub no_background: bool,
}

impl Look {
    /// Resolves flags, then configuration, then the environment.
    pub fn resolve(
        wanted: &Wanted,
        dashboard: &Dashboard,
        meaning: &Meaning,
        variable: impl Fn(&str) -> Option<String> + Copy,
    ) -> Self {
        let pick = |flag: &Option<String>, setting: &str| flag.clone().unwrap_or_else(|| setting.to_owned());
        let level = Level::choose(&pick(&wanted.colors, &dashboard.colors), variable);
        let theme = Name::from_name(&pick(&wanted.theme, &dashboard.theme));
        Self {
            theme: Theme::new(theme, level, !wanted.no_background),
            own_background: !wanted.no_background,
            glyphs: Glyphs::choose(&pick(&wanted.glyphs, &dashboard.glyphs), variable),
            language: Language::choose(&pick(&wanted.language, &dashboard.language), variable),
            zone: meaning.tz(),
            currency: meaning.currency.clone(),
            dead_band_per_mille: dashboard.dead_band_per_mille,
        }
    }

    /// The words.
    pub const fn texts(&self) -> &'static Texts {
        self.language.texts()
    }

    /// Decimal and thousands marks.
    pub const fn marks(&self) -> Marks {
        self.language.texts().marks
    }

    /// Sign before an amount: `$`, `€`, else the code and a blank.
    pub fn sign(&self) -> String {
        match self.currency.as_str() {
            "USD" => "$".into(),
            "EUR" => "€".into(),
            code => format!("{code} "),
        }
    }

    /// An amount with its sign: `$128.40`, `-$61.20`.
    pub fn amount(&self, cents: i64) -> String {
        let minus = if cents < 0 { "-" } else { "" };
        let absolute = i64::try_from(cents.unsigned_abs()).unwrap_or(i64::MAX);
        format!("{minus}{}{}", self.sign(), self.marks().cents(absolute))
    }

    /// An amount shortened for an axis or a note: `$113.6k`, `$50k`.
    pub fn short_amount(&self, cents: i64) -> String {
        let minus = if cents < 0 { "-" } else { "" };
        let absolute = i64::try_from(cents.unsigned_abs()).unwrap_or(i64::MAX);
        let shortened = self.marks().list_money(absolute);
        let zero = format!("{}0", self.marks().decimal);
        format!(
            "{minus}{}{}",
            self.sign(),
            shortened
                .replace(&format!("{zero}k"), "k")
                .replace(&format!("{zero}M"), "M")
        )
    }
}
