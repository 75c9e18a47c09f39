//! Small windows: one list, and under 40 by 10 a notice.

use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::frame::View;
use super::header::{foot, headline};
use super::live::tiles::face;
use super::pen::{Pen, Piece};
use super::widgets::bars::bar;
use super::widgets::rule::{Rule, rule};
use super::widgets::tabs::tabs;
use crate::app::Tab;
use crate::format::clock;
use crate::metrics::Metric;
use crate::reading::Delta;
use crate::snapshot::pipeline::{Pipeline, Share};
use crate::snapshot::{Condition, Drift, StoreName};
use crate::theme::Role;

/// Draws label, value, change and age of each figure, and the drift below.
pub(super) fn list(view: &View<'_>, pen: &mut Pen<'_>, area: Rect) {
    let theme = &view.look.theme;
    let (muted, strong) = (theme.style(Role::Muted), theme.style(Role::Strong));
    title(view, pen, Rect { height: 1, ..area });
    tabs(
        pen,
        Rect::new(area.x, area.y + 1, area.width, 1),
        view.app.tab,
        view.data.firing(view.now),
    );
    let mut y = area.y + 2 + u16::from(area.height >= 14);
    let end = area.bottom().saturating_sub(2);
    let sales = view.app.tab == Tab::Sales;
    let condition = if sales {
        view.data.sales_condition(view.app.days(), view.now)
    } else {
        view.data.live_condition(view.now)
    };
    if crate::board::topic(view.app.tab).is_some() {
        board(view, pen, Rect::new(area.x, y, area.width, end.saturating_sub(y)));
    } else if view.app.tab == Tab::System {
        health(view, pen, Rect::new(area.x, y, area.width, end.saturating_sub(y)));
    } else {
        let tiles: &[Metric] = if sales {
            &Metric::SALES_TILES
        } else {
            &Metric::LIVE_TILES
        };
        for metric in tiles {
            if y >= end {
                break;
            }
            let face = face(view, *metric, condition, false);
            let value = if face.dim { muted } else { strong };
            let delta = theme.style(match face.delta {
                Some(Delta { good: Some(true), .. }) => Role::Good,
                Some(Delta {
                    good: Some(false), ..
                }) => Role::Bad,
                _ => Role::Muted,
            });
            pen.text(area.x + 1, y, 13, (view.texts.metric)(*metric).name, muted);
            pen.right(area.x + 14, y, 9, &face.value, value);
            pen.text(area.x + 24, y, 9, &face.delta_text, delta);
            let note = if face.note.is_empty() {
                age(view, sales)
            } else {
                face.note
            };
            pen.right(area.x + 33, y, area.width.saturating_sub(33), &note, muted);
            y += 1;
        }
        if !sales && y + 2 < end {
            top(view, pen, Rect::new(area.x, y, area.width, end - y));
        }
    }
    let (words, role) = match view.data.drift(view.now) {
        Drift::Unknown => (format!("{} ?", view.texts.drift), Role::Muted),
        Drift::Proven(proof) => (
            format!(
                "{} 0 · {} {}",
                view.texts.drift,
                view.texts.proven,
                clock(proof.at, view.look.zone)
            ),
            Role::Good,
        ),
        Drift::Broken(proof) => (format!("{} {} !", view.texts.drift, proof.drift), Role::Bad),
    };
    if area.height >= 12 {
        pen.text(
            area.x + 1,
            end,
            area.width.saturating_sub(1),
            &words,
            theme.style(role),
        );
    }
    foot(view, pen, Rect::new(area.x, area.bottom() - 1, area.width, 1));
}

/// The first panels of a tab over the marts: its figures, then its most important table.
fn board(view: &View<'_>, pen: &mut Pen<'_>, area: Rect) {
    let pieces: Vec<crate::board::Piece> = crate::board::Piece::ALL
        .iter()
        .copied()
        .filter(|piece| piece.tab() == view.app.tab)
        .collect();
    let mut top = area;
    for piece in pieces.into_iter().take(2) {
        let sheet = crate::board::sheet(view.app, piece);
        if let Some(crate::sheet::Content::Figures(figures)) = sheet.map(|sheet| sheet.content) {
            let condition = super::sheets::condition(view, piece);
            for figure in &figures {
                if top.height == 0 {
                    return;
                }
                let face = super::sheets::face(view, figure, condition, false);
                let (muted, value) = (
                    view.look.theme.style(Role::Muted),
                    view.look
                        .theme
                        .style(if face.dim { Role::Muted } else { Role::Strong }),
                );
                pen.text(top.x + 1, top.y, 15, &face.label, muted);
                pen.right(top.x + 16, top.y, 10, &face.value, value);
                let note = if face.delta_text.is_empty() {
                    &face.was
                } else {
                    &face.delta_text
                };
                pen.text(top.x + 27, top.y, top.width.saturating_sub(28), note, muted);
                top = Rect::new(top.x, top.y + 1, top.width, top.height - 1);
            }
        } else if top.height >= 3 {
            super::sheets::panel(view, pen, top, piece);
            return;
        }
    }
}

fn age(view: &View<'_>, sales: bool) -> String {
    let arrived = if sales {
        view.data.sales.arrived
    } else {
        view.data.live.arrived
    };
    arrived.map_or_else(String::new, |arrived| view.look.marks().age(view.now - arrived))
}

fn title(view: &View<'_>, pen: &mut Pen<'_>, area: Rect) {
    let theme = &view.look.theme;
    let down = view.app.snapshot.redis.down.as_ref();
    let (chip, role) = match (
        down,
        view.app.frozen.is_some(),
        view.data.live_condition(view.now),
    ) {
        (_, true, _) => (format!("‖ {}", view.texts.frozen), Role::Accent),
        (Some(_), ..) => (format!("× {}", view.texts.redis_down), Role::Bad),
        (None, _, Condition::Live | Condition::Late(_) | Condition::Lagging(..)) => (
            format!("● {} {}", view.texts.live_chip, view.texts.today),
            Role::Good,
        ),
        (None, _, condition) => {
            let words = view.state_words(condition, StoreName::Redis);
            words.unwrap_or_else(|| (String::new(), Role::Muted))
        }
    };
    let mut pieces: Vec<Piece<'_>> = Vec::new();
    if view.app.demo {
        pieces.push((format!(" {} ", view.texts.demo).into(), theme.chip(Role::Info)));
        pieces.push((" ".into(), theme.style(Role::Text)));
    } else {
        pieces.push(("InstaShop ".into(), theme.style(Role::Strong)));
    }
    pieces.push((chip.into(), theme.style(role)));
    let used = pen.pieces(area.x + 1, area.y, area.width.saturating_sub(1), &pieces);
    let answered = view.app.snapshot.redis.answered;
    let age = answered.map_or_else(|| "…".into(), |at| view.look.marks().age(view.app.now - at));
    let words = format!("{} {age}", view.texts.redis);
    let room = area.width.saturating_sub(used + 2);
    if usize::from(room) >= words.len() {
        pen.right(area.x + used + 2, area.y, room, &words, theme.style(Role::Muted));
    }
}

fn top(view: &View<'_>, pen: &mut Pen<'_>, area: Rect) {
    let Some(today) = view.data.today(view.now, view.look.zone) else {
        return;
    };
    let head = Rule {
        title: view.texts.top_today,
        marks: today.source.mark(),
        ..Rule::default()
    };
    let inner = rule(pen, area, &head);
    let most = today
        .categories
        .iter()
        .map(|row| row.revenue_cents)
        .max()
        .unwrap_or(0);
    pen.dim = !today.current;
    for (y, row) in (inner.y..inner.bottom()).zip(today.categories) {
        let (text, strong) = (pen.style(Role::Text), pen.style(Role::Strong));
        pen.text(inner.x + 1, y, 12, &row.category, text);
        bar(
            pen,
            inner.x + 14,
            y,
            inner.width.saturating_sub(24),
            row.revenue_cents,
            most,
            Role::Accent,
        );
        let amount = view.look.marks().list_money(row.revenue_cents);
        pen.right(inner.x + 14, y, inner.width.saturating_sub(14), &amount, strong);
    }
    pen.dim = false;
}

fn health(view: &View<'_>, pen: &mut Pen<'_>, area: Rect) {
    let (texts, marks) = (view.texts, view.look.marks());
    let pipeline = Pipeline::of(view.data, view.now);
    let share = |share: Option<Share>| -> (String, Role) {
        match share {
            Some(share) if share.is_whole() => {
                (format!("{}/{} {}", share.up, share.known, texts.ok), Role::Good)
            }
            Some(share) => (format!("{}/{} !", share.up, share.known), Role::Bad),
            None => (texts.unknown.into(), Role::Muted),
        }
    };
    let lag = |lag: Option<i64>| -> (String, Role) {
        lag.map_or_else(
            || (texts.unknown.into(), Role::Muted),
            |lag| (marks.count(lag), Role::Text),
        )
    };
    let rows = [
        (texts.box_sources, share(pipeline.sources)),
        ("Debezium", share(pipeline.connectors)),
        ("Kafka", share(pipeline.brokers)),
        (texts.redis, share(pipeline.live.map(|flow| flow.workers))),
        (
            texts.box_warehouse,
            share(pipeline.warehouse.map(|flow| flow.workers)),
        ),
        (
            texts.consumer_lag_short,
            lag(pipeline.live.and_then(|flow| flow.lag)),
        ),
    ];
    for (y, (name, (words, role))) in (area.y..area.bottom()).zip(rows) {
        pen.text(area.x + 1, y, 16, name, view.look.theme.style(Role::Muted));
        pen.text(
            area.x + 18,
            y,
            area.width.saturating_sub(18),
            &words,
            view.look.theme.style(role),
        );
    }
}

/// Says how much room is needed, and the one figure.
pub(super) fn notice(view: &View<'_>, pen: &mut Pen<'_>, area: Rect) {
    let theme = &view.look.theme;
    let (text, muted) = (theme.style(Role::Text), theme.style(Role::Muted));
    let strong = theme.style(Role::Strong).add_modifier(Modifier::BOLD);
    let lines = [
        (String::new(), text),
        (format!("{} 40 x 10", view.texts.needs), text),
        (
            format!("{} {} x {}", view.texts.window_is, area.width, area.height),
            muted,
        ),
        (String::new(), text),
        (headline(view), strong),
        (String::new(), text),
        (
            format!("1 2 0 {}   q {}", view.texts.tabs_word, view.texts.quit),
            muted,
        ),
    ];
    // With few rows the figure is worth more than the blanks.
    let lines = lines
        .iter()
        .filter(|(line, _)| area.height >= 7 || !line.is_empty());
    for (y, (line, style)) in (area.y..area.bottom()).zip(lines) {
        pen.text(area.x + 1, y, area.width.saturating_sub(1), line, *style);
    }
}
