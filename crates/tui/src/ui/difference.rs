//! What lies between the revenue of a range and of its base: both courses, and the parts that add up to the difference.

use instashop_core::view::{DifferenceView, Pair, PartsBy};
use ratatui::layout::Rect;

use super::frame::View;
use super::live::mix::spoken;
use super::pen::{Pen, Piece};
use super::widgets::curve::{Curve, Series, curve};
use super::widgets::grid::{Column, Grid, window};
use super::widgets::rule::{Rule, rule};
use crate::reading::{Higher, Value, delta};
use crate::sheet::Unit;
use crate::snapshot::PartName;
use crate::snapshot::sales::HOLES;
use crate::theme::Role;

/// Most rows of the chart.
const CHART: u16 = 14;

/// Draws the page; `at` is the first part that is shown.
pub(super) fn difference(view: &View<'_>, pen: &mut Pen<'_>, area: Rect, by: PartsBy, at: usize) {
    let texts = view.texts;
    let found = view.app.shown_difference();
    let spans = found.map_or_else(String::new, |found| spans(view, found));
    let title = format!("{} {spans}", texts.difference);
    let head = Rule {
        title: title.trim_end(),
        marks: "◆",
        notes: vec![(texts.esc_closes.into(), None), (texts.other_parts.into(), None)],
        focused: true,
        ..Rule::default()
    };
    let inner = rule(pen, area, &head);
    let inner = Rect {
        x: inner.x + 1,
        width: inner.width.saturating_sub(2),
        ..inner
    };
    let Some(found) = found else {
        let failed = view.data.failed.get(&PartName::Difference);
        let words = failed.map_or("···", |failed| failed.failure.text.as_str());
        View::nothing(pen, inner, words);
        return;
    };
    if !found.has_base() {
        View::nothing(pen, inner, texts.no_honest_base);
        return;
    }
    whole(view, pen, inner, found);
    let rows = (inner.height / 2).saturating_sub(1).min(CHART);
    let chart = Rect {
        y: inner.y + 1,
        height: rows,
        ..inner
    }
    .intersection(inner);
    course(view, pen, chart, found);
    let list = Rect {
        y: chart.bottom(),
        height: inner.bottom().saturating_sub(chart.bottom()),
        ..inner
    };
    parts(view, pen, list, found, by, at);
}

/// `17 Aug–19 Aug → 18 Aug–20 Aug`, made of the spans that the numbers were read for.
fn spans(view: &View<'_>, found: &DifferenceView) -> String {
    let window = found.window;
    let zone = view.look.zone;
    let day = |at: chrono::DateTime<chrono::Utc>| view.texts.day_month(at.with_timezone(&zone).date_naive());
    let span = |since, until: chrono::DateTime<chrono::Utc>| {
        let (first, last) = (day(since), day(until - chrono::TimeDelta::microseconds(1)));
        if first == last {
            first
        } else {
            format!("{first}–{last}")
        }
    };
    format!(
        "{} → {}",
        span(window.base_since, window.base_until),
        span(window.since, window.until)
    )
}

fn signed(view: &View<'_>, cents: i64) -> String {
    let plus = if cents > 0 { "+" } else { "" };
    format!("{plus}{}", view.look.amount(cents))
}

/// The difference of the whole, in words.
fn whole(view: &View<'_>, pen: &mut Pen<'_>, area: Rect, found: &DifferenceView) {
    let (texts, theme, marks) = (view.texts, &view.look.theme, view.look.marks());
    let (text, strong, muted) = (
        theme.style(Role::Text),
        theme.style(Role::Strong),
        theme.style(Role::Muted),
    );
    let change = |pair: Pair, value: fn(i64) -> Value| {
        let change = delta(
            Some(value(pair.now)),
            Some(value(pair.before)),
            Higher::Good,
            view.look.dead_band_per_mille,
        );
        change.text(marks, texts.new, texts.no_base)
    };
    let moved = found.revenue.now - found.revenue.before;
    let pieces: [Piece<'_>; 6] = [
        (signed(view, moved).into(), strong),
        (format!("   {}", view.look.amount(found.revenue.now)).into(), text),
        (
            format!(" {} {}", texts.was, view.look.amount(found.revenue.before)).into(),
            muted,
        ),
        (format!("  {}", change(found.revenue, Value::Money)).into(), text),
        (
            format!(
                "   {} {}",
                texts.col_orders.to_lowercase(),
                marks.count(found.orders.now)
            )
            .into(),
            muted,
        ),
        (format!("  {}", change(found.orders, Value::Count)).into(), text),
    ];
    pen.pieces(area.x, area.y, area.width, &pieces);
}

fn course(view: &View<'_>, pen: &mut Pen<'_>, area: Rect, found: &DifferenceView) {
    let points = |of: fn(&Pair) -> i64| -> Vec<Option<f64>> {
        found.course.iter().map(|pair| Some(of(pair) as f64)).collect()
    };
    let mut now = points(|pair| pair.now);
    let before = points(|pair| pair.before);
    // What is still to come of a day that runs is no zero.
    let reached = (found.window.until - found.window.since).num_hours().max(0) as usize + 1;
    if now.len() == 24 && found.window.first == found.window.last && reached < 24 {
        now.iter_mut().skip(reached).for_each(|point| *point = None);
    }
    let unit = |value: f64| Unit::Money.short(view.look, value);
    let days = found.window.first.iter_days();
    let labels: Vec<(usize, String)> = if found.window.first == found.window.last {
        (0..found.course.len())
            .step_by(6)
            .map(|hour| (hour, format!("{hour:02}")))
            .collect()
    } else {
        let every = (found.course.len() / 5).max(1);
        let named = days.take(found.course.len()).enumerate().step_by(every);
        named.map(|(at, day)| (at, view.texts.day_month(day))).collect()
    };
    let series = vec![
        Series {
            points: &before,
            role: Role::Prev,
            dotted: true,
        },
        Series {
            points: &now,
            role: Role::Accent,
            dotted: false,
        },
    ];
    let chart = Curve {
        series,
        labels: &labels,
        unit: &unit,
        open: None,
        floor: 0.0,
        cursor: None,
    };
    curve(pen, area, &chart);
}

/// The parts by the size of their movement, with a bar to the side it goes, and the whole below.
fn parts(view: &View<'_>, pen: &mut Pen<'_>, area: Rect, found: &DifferenceView, by: PartsBy, at: usize) {
    let texts = view.texts;
    let ranked = found.ranked(by);
    let title = match by {
        PartsBy::Category => texts.by_category,
        PartsBy::Store => texts.by_store,
        PartsBy::Method => texts.by_method,
    }
    .to_uppercase();
    let columns = [
        Column::left(&title, 14).grow(1),
        Column::right(texts.col_difference, 16),
        Column::left("", 16),
        Column::right(texts.col_now, 16).optional(1),
        Column::right(texts.col_before, 16).optional(2),
    ];
    let grid = Grid::fit(&columns, area.x, area.width.min(110));
    grid.head(pen, area.y, &columns);
    let rows = area.height.saturating_sub(2);
    let (shown, hidden) = window(ranked.len(), rows, at);
    let most = ranked
        .iter()
        .map(|part| part.moved().unsigned_abs())
        .max()
        .unwrap_or(0)
        .max(1);
    let (text, strong, muted) = (
        pen.style(Role::Text),
        pen.style(Role::Strong),
        pen.style(Role::Muted),
    );
    let mut y = area.y + 1;
    for part in &ranked[shown] {
        let moved = part.moved();
        let name = match (part.name.as_str(), by) {
            (name, PartsBy::Category) if HOLES.contains(&name) => if name == HOLES[0] {
                texts.unclassified
            } else {
                texts.unattributed
            }
            .to_owned(),
            (name, PartsBy::Method) => spoken(name),
            (name, _) => name.to_owned(),
        };
        grid.cell(pen, 0, y, &name, text);
        grid.cell(pen, 1, y, &signed(view, moved), strong);
        if let Some((x, wide)) = grid.place(2) {
            // Losses go to the left of the middle, gains to the right.
            let half = wide / 2;
            let long =
                (u128::from(moved.unsigned_abs()) * u128::from(half)).div_ceil(u128::from(most)) as u16;
            let (from, role) = if moved < 0 {
                (x + half - long.min(half), Role::Bad)
            } else {
                (x + half, Role::Good)
            };
            let ink = pen.ink(role);
            pen.repeat(from, y, long.min(half), '█', ink);
        }
        grid.cell(pen, 3, y, &view.look.amount(part.cents.now), text);
        grid.cell(pen, 4, y, &view.look.amount(part.cents.before), muted);
        y += 1;
    }
    if y < area.bottom() {
        let moved = found.revenue.now - found.revenue.before;
        let name = if hidden > 0 {
            format!("{} · +{hidden} ↓", texts.whole)
        } else {
            texts.whole.to_owned()
        };
        grid.cell(pen, 0, y, &name, muted);
        grid.cell(pen, 1, y, &signed(view, moved), strong);
        grid.cell(pen, 3, y, &view.look.amount(found.revenue.now), text);
        grid.cell(pen, 4, y, &view.look.amount(found.revenue.before), muted);
    }
}
