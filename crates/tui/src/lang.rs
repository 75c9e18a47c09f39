//! The words of the screen: one file per language. A text is a field, so a language that lacks one does not compile.

mod en;
mod es;

use chrono::{DateTime, Datelike, NaiveDate, Offset, Utc, Weekday};
use chrono_tz::Tz;
use instashop_core::view::SealedDays;

use crate::app::Tab;
use crate::format::{Marks, hour_minute};
use crate::keys::Action;
use crate::metrics::Metric;
use crate::place::Wrong;

/// A language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Spanish.
    Spanish,
    /// English.
    English,
}

impl Language {
    /// All languages.
    pub const ALL: [Self; 2] = [Self::Spanish, Self::English];

    /// Chooses by flag or configuration, else by the locale; English when it says nothing.
    pub fn choose(wanted: &str, variable: impl Fn(&str) -> Option<String>) -> Self {
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .into_iter()
            .find_map(|name| variable(name).filter(|value| !value.is_empty()))
            .unwrap_or_default();
        match wanted {
            "es" => Self::Spanish,
            "en" => Self::English,
            _ if locale.starts_with("es") => Self::Spanish,
            _ => Self::English,
        }
    }

    /// Code of the language.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Spanish => "es",
            Self::English => "en",
        }
    }

    /// The next one.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Spanish => Self::English,
            Self::English => Self::Spanish,
        }
    }

    /// Its words.
    pub const fn texts(self) -> &'static Texts {
        match self {
            Self::Spanish => &es::TEXTS,
            Self::English => &en::TEXTS,
        }
    }
}

/// What is said about a metric.
#[derive(Debug, Clone, Copy)]
pub struct MetricTexts {
    /// In capitals, at most 14 columns, for tiles.
    pub label: &'static str,
    /// In a sentence or a list.
    pub name: &'static str,
    /// Definition.
    pub what: &'static str,
    /// Over which time.
    pub window: &'static str,
    /// Where from; empty for metrics that tell it with their value.
    pub source: &'static str,
    /// Way from the source to the screen.
    pub path: &'static str,
    /// What is special.
    pub edge: &'static str,
}

/// All words of one language.
#[expect(missing_docs, reason = "each field is named after what it says")]
pub struct Texts {
    pub marks: Marks,
    pub tabs: [&'static str; 11],
    /// At most six columns each.
    pub short_tabs: [&'static str; 11],
    /// Monday first.
    pub weekdays: [&'static str; 7],
    /// Two columns each, Monday first.
    pub weekdays_two: [&'static str; 7],
    pub months: [&'static str; 12],
    /// What to give instead of what could not be read.
    pub wrong: fn(Wrong) -> &'static str,
    pub action: fn(Action) -> &'static str,
    /// One word at the foot.
    pub foot: fn(Action) -> &'static str,
    pub metric: fn(Metric) -> MetricTexts,
    /// Word of the tape; a word that is not known stays as it is.
    pub tape_word: fn(&str) -> &str,
    /// Class of an order.
    pub class_word: fn(&str) -> &str,
    /// Status as a source writes it; one that is not known stays as it is.
    pub status_word: fn(&str) -> &str,
    pub last_weekday_form: fn(&str) -> String,
    pub previous_days_form: fn(u32) -> String,
    pub full_days_form: fn(u32) -> String,
    pub reconciled_form: fn(usize) -> String,
    pub redis: &'static str,
    pub warehouse_short: &'static str,
    pub all_stores: &'static str,
    pub demo: &'static str,
    pub today: &'static str,
    pub live_chip: &'static str,
    pub frozen: &'static str,
    pub events_short: &'static str,
    pub redis_down: &'static str,
    pub rebuilding_chip: &'static str,
    pub no_totals_chip: &'static str,
    pub stale_chip: &'static str,
    pub versus: &'static str,
    pub lag: &'static str,
    pub retry: &'static str,
    pub retry_in: &'static str,
    pub drift: &'static str,
    pub proven: &'static str,
    pub broken: &'static str,
    pub checked: &'static str,
    pub not_proven: &'static str,
    pub loading: &'static str,
    pub waiting_for: &'static str,
    pub as_of: &'static str,
    pub stale: &'static str,
    pub missing_since: &'static str,
    pub rebuilding: &'static str,
    pub query_failed: &'static str,
    pub other_tabs_answer: &'static str,
    pub about: &'static str,
    pub since: &'static str,
    pub stopped: &'static str,
    pub was: &'static str,
    pub new: &'static str,
    pub no_base: &'static str,
    pub other: &'static str,
    pub unclassified: &'static str,
    pub unattributed: &'static str,
    pub unknown: &'static str,
    pub ok: &'static str,
    pub up: &'static str,
    pub down: &'static str,
    pub off: &'static str,
    pub run: &'static str,
    pub age: &'static str,
    pub class_open: &'static str,
    pub class_failed: &'static str,
    pub class_cancelled: &'static str,
    pub class_reversed: &'static str,
    pub class_unmapped: &'static str,
    pub revenue_per_minute: &'static str,
    pub revenue_per_minute_short: &'static str,
    pub revenue_by_hour: &'static str,
    pub revenue_by_hour_short: &'static str,
    pub so_far: &'static str,
    pub no_chart: &'static str,
    pub newest: &'static str,
    pub highest: &'static str,
    pub lowest: &'static str,
    pub marked: &'static str,
    pub mark_needs_cursor: &'static str,
    pub unknown_action: &'static str,
    pub did_you_mean: &'static str,
    pub no_presets: &'static str,
    pub at_preset: &'static str,
    pub mouse_on: &'static str,
    pub mouse_off: &'static str,
    pub copied: &'static str,
    pub too_long: &'static str,
    pub as_of_chip: &'static str,
    pub only_present: &'static str,
    pub difference: &'static str,
    pub mark_again: &'static str,
    pub d_shows: &'static str,
    pub by_category: &'static str,
    pub by_store: &'static str,
    pub by_method: &'static str,
    pub col_before: &'static str,
    pub col_now: &'static str,
    pub col_difference: &'static str,
    pub whole: &'static str,
    pub other_parts: &'static str,
    pub no_orders: &'static str,
    pub no_orders_in: &'static str,
    pub last_orders_at: &'static str,
    pub payments_today: &'static str,
    pub success_note: &'static str,
    pub share_of_revenue: &'static str,
    pub no_attempts: &'static str,
    pub behaviour_today: &'static str,
    pub events: &'static str,
    pub events_and_sessions: &'static str,
    pub no_events: &'static str,
    pub doing_now: &'static str,
    pub doing_now_short: &'static str,
    pub visits: &'static str,
    /// Browsing, with a cart, checking out, buying; at most nine columns each.
    pub doing: [&'static str; 4],
    pub last_paid: &'static str,
    pub only_redis: &'static str,
    pub alerts: &'static str,
    pub no_alert: &'static str,
    pub rules_held: &'static str,
    pub all: &'static str,
    pub critical_short: &'static str,
    pub warning_short: &'static str,
    pub event_tape: &'static str,
    pub space_freezes: &'static str,
    pub no_changes: &'static str,
    pub categories_today: &'static str,
    pub top_products_today: &'static str,
    pub share: &'static str,
    pub share_and_delta: &'static str,
    pub units_and_revenue: &'static str,
    pub sorted_by: &'static str,
    pub top_today: &'static str,
    pub revenue_by_day: &'static str,
    pub orders_by_day: &'static str,
    pub today_so_far: &'static str,
    pub best: &'static str,
    pub categories: &'static str,
    pub regions: &'static str,
    pub known: &'static str,
    pub orders_by_hour: &'static str,
    pub orders_by_hour_long: &'static str,
    pub few: &'static str,
    pub many: &'static str,
    pub no_full_week: &'static str,
    pub busiest: &'static str,
    pub quietest: &'static str,
    pub orders_an_hour: &'static str,
    pub latest_orders: &'static str,
    pub flow: &'static str,
    pub flow_note: &'static str,
    pub flow_note_short: &'static str,
    pub pipeline: &'static str,
    pub box_sources: &'static str,
    pub box_workers: &'static str,
    pub box_warehouse: &'static str,
    pub slots: &'static str,
    pub slot: &'static str,
    pub asked: &'static str,
    pub beat: &'static str,
    pub brokers: &'static str,
    pub memory: &'static str,
    pub to_redis: &'static str,
    pub to_warehouse: &'static str,
    pub consumer_lag: &'static str,
    pub consumer_lag_short: &'static str,
    pub latency_to_redis: &'static str,
    pub latency_to_redis_short: &'static str,
    pub latency_to_warehouse: &'static str,
    pub latency_to_warehouse_short: &'static str,
    pub no_samples: &'static str,
    pub reconciliation: &'static str,
    pub reconciliation_short: &'static str,
    pub data_quality: &'static str,
    pub quality_note: &'static str,
    pub quality_unmapped: &'static str,
    pub quality_no_lines: &'static str,
    pub quality_dead_letters: &'static str,
    pub quality_rejected: &'static str,
    pub quality_conflicts: &'static str,
    pub quality_duplicates: &'static str,
    pub quality_unchanged: &'static str,
    pub quality_heartbeats: &'static str,
    pub records_read: &'static str,
    pub all_accounted: &'static str,
    pub unaccounted: &'static str,
    pub uptime: &'static str,
    pub screen: &'static str,
    pub sealed_before: &'static str,
    pub sealed_leaving: &'static str,
    pub sealed_unwritten: &'static str,
    pub sealed_late: &'static str,
    pub partitions: &'static str,
    pub of_behind: &'static str,
    pub no_partitions: &'static str,
    pub connectors: &'static str,
    pub no_probe: &'static str,
    pub workers: &'static str,
    pub no_worker: &'static str,
    pub col_time: &'static str,
    pub col_what: &'static str,
    pub col_op: &'static str,
    pub col_key: &'static str,
    pub col_amount: &'static str,
    pub col_by: &'static str,
    pub col_state: &'static str,
    pub col_age: &'static str,
    pub col_store: &'static str,
    pub col_order: &'static str,
    pub col_method: &'static str,
    pub col_lines: &'static str,
    pub col_category: &'static str,
    pub col_name: &'static str,
    pub col_share: &'static str,
    pub col_revenue: &'static str,
    pub col_units: &'static str,
    pub col_orders: &'static str,
    pub col_aov: &'static str,
    pub col_table: &'static str,
    pub col_source: &'static str,
    pub col_warehouse: &'static str,
    pub col_drift: &'static str,
    pub col_offset: &'static str,
    pub col_lag: &'static str,
    pub col_connector: &'static str,
    pub col_tasks: &'static str,
    pub col_slot: &'static str,
    pub col_heartbeat: &'static str,
    pub col_worker: &'static str,
    pub col_records: &'static str,
    pub col_seen: &'static str,
    pub help_title: &'static str,
    pub help_note: &'static str,
    pub help_find: &'static str,
    pub actions: &'static str,
    pub tab_word: &'static str,
    pub tabs_word: &'static str,
    pub not_here: &'static str,
    pub close: &'static str,
    pub unfreeze: &'static str,
    pub marks_title: &'static str,
    pub mark_live: &'static str,
    pub mark_warehouse: &'static str,
    pub mark_bad: &'static str,
    pub mark_open: &'static str,
    pub mark_unknown: &'static str,
    pub mark_none: &'static str,
    pub mark_same: &'static str,
    pub mark_small: &'static str,
    pub glyph_test: &'static str,
    pub glyph_switch: &'static str,
    pub explain: &'static str,
    pub esc_closes: &'static str,
    pub row_what: &'static str,
    pub row_formula: &'static str,
    pub row_window: &'static str,
    pub row_compare: &'static str,
    pub row_good: &'static str,
    pub row_small: &'static str,
    pub row_source: &'static str,
    pub row_check: &'static str,
    pub row_path: &'static str,
    pub row_ages: &'static str,
    pub row_edge: &'static str,
    pub row_failure: &'static str,
    pub row_advice: &'static str,
    pub row_next: &'static str,
    pub row_causes: &'static str,
    pub no_honest_base: &'static str,
    pub good_up: &'static str,
    pub good_down: &'static str,
    pub good_neither: &'static str,
    pub small_below: &'static str,
    pub source_live: &'static str,
    pub source_warehouse: &'static str,
    pub age_event: &'static str,
    pub age_arrival: &'static str,
    pub does_not_answer: &'static str,
    pub answers_again: &'static str,
    pub needs: &'static str,
    pub window_is: &'static str,
    pub quit: &'static str,
    pub now_word: &'static str,
    pub nothing_found: &'static str,
    pub stores_title: &'static str,
    pub exported: &'static str,
    pub not_exported: &'static str,
    pub row_unit: &'static str,
    pub no_data: &'static str,
    pub unchanged: &'static str,
    pub orders_title: &'static str,
    pub col_product: &'static str,
}

impl Texts {
    fn at<const N: usize>(words: &[&'static str; N], index: usize) -> &'static str {
        words[index.min(N - 1)]
    }

    /// Full name of a tab.
    pub fn tab(&self, tab: Tab) -> &'static str {
        Self::at(&self.tabs, tab as usize)
    }

    /// Short name of a tab.
    pub fn short_tab(&self, tab: Tab) -> &'static str {
        Self::at(&self.short_tabs, tab as usize)
    }

    /// `Fri`.
    pub fn weekday_short(&self, weekday: Weekday) -> &'static str {
        Self::at(&self.weekdays, weekday.num_days_from_monday() as usize)
    }

    /// `Fr`.
    pub fn weekday_two(&self, weekday: Weekday) -> &'static str {
        Self::at(&self.weekdays_two, weekday.num_days_from_monday() as usize)
    }

    /// `21 Aug`.
    pub fn day_month(&self, day: NaiveDate) -> String {
        format!("{} {}", day.day(), Self::at(&self.months, day.month0() as usize))
    }

    /// `Fri 21 Aug 2026`.
    pub fn long_date(&self, day: NaiveDate) -> String {
        format!(
            "{} {} {}",
            self.weekday_short(day.weekday()),
            self.day_month(day),
            day.year()
        )
    }

    /// `last Fri`.
    pub fn last_weekday(&self, weekday: Weekday) -> String {
        (self.last_weekday_form)(self.weekday_short(weekday))
    }

    /// `last Fri 14:05`.
    pub fn same_clock(&self, weekday: Weekday, cut: DateTime<Utc>, zone: Tz) -> String {
        format!("{} {}", self.last_weekday(weekday), hour_minute(cut, zone))
    }

    /// `prev 30d`.
    pub fn previous_days(&self, days: u32) -> String {
        (self.previous_days_form)(days)
    }

    /// `30 full days`.
    pub fn full_days(&self, days: u32) -> String {
        (self.full_days_form)(days)
    }

    /// `17 checks`.
    pub fn reconciled(&self, lines: usize) -> String {
        (self.reconciled_form)(lines)
    }

    /// `sealed before 12 Jul, late changes that wait 3`; nothing is said of what is in order.
    pub fn sealed(&self, sealed: &SealedDays) -> String {
        let mut words = vec![format!(
            "{} {}",
            self.sealed_before,
            self.day_month(sealed.boundary)
        )];
        if !sealed.has_left {
            words.push(self.sealed_leaving.to_owned());
        }
        match (sealed.written_at, sealed.late) {
            (None, _) => words.push(self.sealed_unwritten.to_owned()),
            (Some(_), 0) => {}
            (Some(_), late) => {
                let late = self.marks.count(i64::try_from(late).unwrap_or(i64::MAX));
                words.push(format!("{} {late}", self.sealed_late));
            }
        }
        words.join(", ")
    }

    /// `UTC-3`, `UTC+5:30`.
    pub fn offset(&self, at: DateTime<Utc>, zone: Tz) -> String {
        let seconds = at.with_timezone(&zone).offset().fix().local_minus_utc();
        let (sign, minutes) = (if seconds < 0 { '-' } else { '+' }, seconds.abs() / 60);
        match (minutes / 60, minutes % 60) {
            (0, 0) => "UTC".into(),
            (hours, 0) => format!("UTC{sign}{hours}"),
            (hours, rest) => format!("UTC{sign}{hours}:{rest:02}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::BINDINGS;
    use crate::text::width;

    #[test]
    fn words_fit_where_they_stand() {
        for language in Language::ALL {
            let texts = language.texts();
            let bar: usize = Tab::ALL.iter().map(|tab| width(texts.short_tab(*tab)) + 3).sum();
            assert!(bar < 80, "{language:?}");
            for tab in Tab::ALL {
                assert!(width(texts.short_tab(tab)) <= 6, "{language:?} {tab:?}");
            }
            for weekday in [Weekday::Mon, Weekday::Wed, Weekday::Sun] {
                assert_eq!(width(texts.weekday_two(weekday)), 2, "{language:?}");
            }
            for metric in Metric::ALL {
                assert!(
                    width((texts.metric)(metric).label) <= 14,
                    "{language:?} {metric:?}"
                );
            }
            for metric in Metric::LIVE_TILES {
                assert!(
                    width((texts.metric)(metric).label) <= 12,
                    "{language:?} {metric:?}"
                );
                assert!(
                    width((texts.metric)(metric).name) <= 14,
                    "{language:?} {metric:?}"
                );
            }
        }
    }

    #[test]
    fn every_action_is_named_and_texts_are_drawable() {
        for language in Language::ALL {
            let texts = language.texts();
            for binding in &BINDINGS {
                assert!(
                    !(texts.action)(binding.action).is_empty(),
                    "{language:?} {:?}",
                    binding.action
                );
            }
            for metric in Metric::ALL {
                let words = (texts.metric)(metric);
                for text in [
                    words.label,
                    words.name,
                    words.what,
                    words.window,
                    words.path,
                    words.edge,
                ] {
                    assert!(!text.is_empty(), "{language:?} {metric:?}");
                    let strange: String = text.chars().filter(|c| !crate::glyphs::has_twin(*c)).collect();
                    assert_eq!(strange, "", "{language:?} {metric:?} {text}");
                }
            }
        }
    }

    #[test]
    fn language_by_flag_and_locale() {
        for (wanted, lang, expected) in [
            ("auto", "es_CO.UTF-8", Language::Spanish),
            ("auto", "en_US.UTF-8", Language::English),
            ("auto", "", Language::English),
            ("en", "es_CO.UTF-8", Language::English),
            ("es", "", Language::Spanish),
        ] {
            let variable = |name: &str| (name == "LANG").then(|| lang.to_owned());
            assert_eq!(Language::choose(wanted, variable), expected, "{wanted} {lang}");
        }
    }

    #[test]
    fn sealed_days_say_what_waits() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let written = Some("2026-08-21T12:00:00Z".parse().unwrap());
        for (has_left, late, written_at, english, spanish) in [
            (
                true,
                0,
                written,
                "sealed before 12 Jul",
                "sellado antes del 12 jul",
            ),
            (
                false,
                0,
                written,
                "sealed before 12 Jul, rows are leaving",
                "sellado antes del 12 jul, salen sus filas",
            ),
            (
                true,
                1204,
                written,
                "sealed before 12 Jul, late changes waiting 1,204",
                "sellado antes del 12 jul, cambios tardíos en espera 1.204",
            ),
            (
                true,
                3,
                None,
                "sealed before 12 Jul, totals not written",
                "sellado antes del 12 jul, totales sin escribir",
            ),
        ] {
            let sealed = SealedDays {
                boundary: day("2026-07-12"),
                has_left,
                late,
                written_at,
            };
            assert_eq!(Language::English.texts().sealed(&sealed), english);
            assert_eq!(Language::Spanish.texts().sealed(&sealed), spanish);
        }
    }

    #[test]
    fn offsets() {
        let at: DateTime<Utc> = "2026-08-21T12:00:00Z".parse().unwrap();
        for (zone, expected) in [
            (chrono_tz::UTC, "UTC"),
            (chrono_tz::America::Argentina::Buenos_Aires, "UTC-3"),
            (chrono_tz::Asia::Kolkata, "UTC+5:30"),
        ] {
            assert_eq!(Language::English.texts().offset(at, zone), expected);
        }
    }
}
