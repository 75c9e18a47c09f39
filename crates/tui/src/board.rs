//! The tabs that are tables and charts over the marts: what each of their panels holds, from the view of the tab.
//!
//! A panel is a function from the view to a [`Sheet`]; drawing, sorting, filtering and exporting know sheets alone. The words
//! of a panel stand where they are used, both languages side by side, as in the catalogue.

pub mod piece;

mod alerts;
mod behaviour;
mod buyers;
mod inventory;
mod logistics;
mod payments;
mod products;
mod source;
mod stores;

use chrono::{DateTime, NaiveDate, Utc};
use instashop_core::view::{Basis, Board, BoardView, LiveFigures, Pair, Range, Topic};

pub use piece::Piece;

use crate::app::App;
use crate::courses;
use crate::format::Marks;
use crate::lang::Language;
use crate::look::Look;
use crate::reading::{Higher, Value};
use crate::sheet::table::Target;
use crate::sheet::{Bucket, Content, Figure, Sheet, Table};
use crate::theme::Role;

/// What a panel is made from.
pub(crate) struct Context<'a> {
    pub(crate) app: &'a App,
    pub(crate) look: &'a Look,
    pub(crate) board: &'a Board,
    pub(crate) now: DateTime<Utc>,
}

/// Which view a tab is made from.
pub const fn topic(tab: crate::app::Tab) -> Option<Topic> {
    use crate::app::Tab;
    Some(match tab {
        Tab::Payments => Topic::Payments,
        Tab::Buyers => Topic::Buyers,
        Tab::Products => Topic::Products,
        Tab::Inventory => Topic::Inventory,
        Tab::Behaviour => Topic::Behaviour,
        Tab::Logistics => Topic::Logistics,
        Tab::Stores => Topic::Stores,
        Tab::Alerts => Topic::Alerts,
        Tab::Live | Tab::Sales | Tab::System => return None,
    })
}

/// What a panel holds now; `None` until its view has come.
pub fn sheet(app: &App, piece: Piece) -> Option<Sheet> {
    let (data, now) = app.shown();
    let board = data.boards.get(&topic(piece.tab())?)?.part.get()?;
    let context = Context {
        app,
        look: &app.look,
        board,
        now,
    };
    if data.past && piece.is_state() {
        let words = app.look.texts().only_present.to_owned();
        return Some(context.sheet(piece, vec![], Content::Nothing(words)));
    }
    let mut sheet = match &board.view {
        BoardView::Payments(view) => payments::sheet(&context, view, piece),
        BoardView::Buyers(view) => buyers::sheet(&context, view, piece),
        BoardView::Products(view) => products::sheet(&context, view, piece),
        BoardView::Inventory(view) => inventory::sheet(&context, view, piece),
        BoardView::Behaviour(view) => behaviour::sheet(&context, view, piece),
        BoardView::Logistics(view) => logistics::sheet(&context, view, piece),
        BoardView::Stores(view) => stores::sheet(&context, view, piece),
        BoardView::Alerts(facts) => alerts::sheet(&context, facts, piece),
    };
    if let (true, Content::Figures(figures)) = (data.past, &mut sheet.content) {
        figures.retain(|figure| !STATES.contains(&figure.kpi));
    }
    Some(sheet)
}

/// Metrics that say how things are, not what happened in a span: of an earlier moment nobody has them.
const STATES: [&str; 4] = ["pending", "clv_historic", "shipments", "retention_rate"];

/// Title of a panel before its view has come.
pub fn title(look: &Look, piece: Piece) -> &'static str {
    let (en, es) = piece.title();
    say(look.language, en, es)
}

const fn say(language: Language, en: &'static str, es: &'static str) -> &'static str {
    match language {
        Language::English => en,
        Language::Spanish => es,
    }
}

impl Context<'_> {
    /// The words of the language.
    pub(crate) const fn say(&self, en: &'static str, es: &'static str) -> &'static str {
        say(self.look.language, en, es)
    }

    pub(crate) const fn marks(&self) -> Marks {
        self.look.marks()
    }

    /// A value of the base, where there is an honest one.
    pub(crate) fn base(&self, value: Value) -> Option<Value> {
        self.board.has_base().then_some(value)
    }

    /// A figure of two sums.
    pub(crate) fn pair(
        &self,
        kpi: &'static str,
        label: &'static str,
        pair: Pair,
        of: fn(i64) -> Value,
        higher: Higher,
    ) -> Figure {
        Figure::new(kpi, label, Some(of(pair.now)), higher).against(self.base(of(pair.before)))
    }

    /// A figure of two ratios.
    pub(crate) fn ratio(
        &self,
        kpi: &'static str,
        label: &'static str,
        part: Pair,
        whole: Pair,
        higher: Higher,
    ) -> Figure {
        Figure::new(kpi, label, Some(Value::Share(part.now, whole.now)), higher)
            .against(self.base(Value::Share(part.before, whole.before)))
    }

    /// The figures of Redis that stand for a metric here and now; see [`source`].
    pub(crate) fn live(&self, kpi: &str) -> Option<&LiveFigures> {
        let (data, now) = self.app.shown();
        source::live(data, kpi, self.app.ask(), self.board.window.first, now)
    }

    /// `today`, `yesterday`, `30 full days`.
    pub(crate) fn range(&self) -> String {
        range_words(self.look, self.app.ask().range)
    }

    /// A sheet from the warehouse.
    pub(crate) fn sheet(&self, piece: Piece, notes: Vec<String>, content: Content) -> Sheet {
        let (en, es) = piece.title();
        Sheet {
            title: self.say(en, es).to_owned(),
            marks: "◆",
            notes: notes.into_iter().map(|note| (note, None)).collect(),
            content,
        }
    }

    /// A table from the warehouse.
    pub(crate) fn table(&self, piece: Piece, notes: Vec<String>, table: Table) -> Sheet {
        self.sheet(piece, notes, Content::Table(table))
    }

    /// Instead of a panel that is of the platform alone.
    pub(crate) fn platform_only(&self, piece: Piece) -> Sheet {
        let words = self.say("for all stores only", "solo para todas las tiendas");
        self.sheet(piece, vec![], Content::Nothing(words.to_owned()))
    }

    /// The buckets of business days.
    pub(crate) fn day_buckets(&self, days: impl Iterator<Item = NaiveDate>) -> Vec<Bucket> {
        days.map(|day| courses::day_bucket(self.look, day)).collect()
    }

    /// `21 Aug`.
    pub(crate) fn day(&self, day: NaiveDate) -> String {
        self.look.texts().day_month(day)
    }

    /// The name of a store, of a method: underlines are blanks.
    pub(crate) fn spoken(&self, name: &str) -> String {
        if name == "unknown" {
            return self.say("unknown", "desconocido").to_owned();
        }
        name.replace('_', " ")
    }
}

/// `today`, `yesterday`, `30 full days`.
pub fn range_words(look: &Look, range: Range) -> String {
    match range {
        Range::Today => look.texts().today.to_owned(),
        Range::Yesterday => say(look.language, "yesterday", "ayer").to_owned(),
        Range::Days(days) => look.texts().full_days(u32::from(days)),
    }
}

/// `30d`, `today`.
pub fn range_short(look: &Look, range: Range) -> String {
    match range {
        Range::Days(days) => format!("{days}d"),
        range => range_words(look, range),
    }
}

/// What the figures of a tab are compared with, in words: `last Fri 14:05`, `prev 30d`, `a year before`.
pub fn base_words(look: &Look, board: &Board, range: Range, basis: Basis, with_time: bool) -> String {
    use chrono::Datelike;
    let texts = look.texts();
    let year = say(look.language, "a year ago", "hace un año");
    match (range, basis) {
        (_, Basis::Year) => year.to_owned(),
        (_, Basis::From(_)) => {
            let date = |at: DateTime<Utc>| texts.day_month(at.with_timezone(&look.zone).date_naive());
            let (first, last) = (
                date(board.window.base_since),
                date(board.window.base_until - chrono::TimeDelta::microseconds(1)),
            );
            match range {
                Range::Today if with_time => {
                    let time = crate::format::hour_minute(board.window.base_until, look.zone);
                    format!("{first} {time}")
                }
                _ if first == last => first,
                _ => format!("{first}–{last}"),
            }
        }
        (Range::Today | Range::Yesterday, basis) => {
            let name = match basis {
                Basis::Weekday => texts.last_weekday(board.window.base_first.weekday()),
                _ => say(look.language, "the day before", "el día anterior").to_owned(),
            };
            if range == Range::Today && with_time {
                format!(
                    "{name} {}",
                    crate::format::hour_minute(board.window.base_until, look.zone)
                )
            } else {
                name
            }
        }
        (Range::Days(days), Basis::Previous) => texts.previous_days(u32::from(days)),
        (Range::Days(_), Basis::Weekday) => say(
            look.language,
            "same weekdays before",
            "mismos días de semana antes",
        )
        .to_owned(),
    }
}

/// The table of a panel in its order and filter.
pub fn with_table<T>(
    app: &App,
    piece: Piece,
    read: impl FnOnce(&Table, &[&crate::sheet::Row]) -> T,
) -> Option<T> {
    let Content::Table(table) = sheet(app, piece)?.content else {
        return None;
    };
    let panel = crate::ui::layout::Panel::Of(piece);
    let rows = table.arranged(app.order(panel), app.filter(panel));
    Some(read(&table, &rows))
}

/// What the selected row of a panel stands for.
pub fn selected(app: &App, piece: Piece) -> Option<Target> {
    let at = app.scrolled(crate::ui::layout::Panel::Of(piece));
    with_table(app, piece, |_, rows| {
        rows.get(at.min(rows.len().saturating_sub(1)))
            .and_then(|row| row.target.clone())
    })?
}

/// The tab that shows what an alert is about, by its fingerprint.
pub fn alert_tab(fingerprint: &str) -> Option<crate::app::Tab> {
    let name = fingerprint.split(':').next()?;
    let rule = instashop_core::alerts::Rule::ALL
        .into_iter()
        .find(|rule| rule.name() == name)?;
    Some(alerts::tab_of(rule))
}

/// A share of one per bucket.
pub(crate) fn shares(buckets: impl Iterator<Item = (i64, i64)>) -> Vec<Option<f64>> {
    buckets
        .map(|(part, whole)| (whole > 0).then(|| part as f64 / whole as f64))
        .collect()
}

/// A role for the share of a limit that is good when high.
pub(crate) const fn role_if(bad: bool) -> Role {
    if bad { Role::Bad } else { Role::Accent }
}
