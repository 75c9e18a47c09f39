//! What visitors do right now, and how long ago each method was last paid with.

use instashop_core::alerts::{Rule, State};
use ratatui::layout::Rect;

use super::super::frame::{Head, View};
use super::super::layout::Panel;
use super::super::pen::{Pen, Piece};
use super::super::widgets::bars::bar;
use super::mix::spoken;
use crate::format::clock;
use crate::metrics::Metric;
use crate::reading::{Source, Value, delta};
use crate::snapshot::StoreName;
use crate::text::width;
use crate::theme::Role;

/// Narrowest item with a change behind its bar.
const WITH_CHANGE: u16 = 27;
/// Narrowest item with a bar.
const WITH_BAR: u16 = 17;

/// Minutes since a method was last paid with, as they are written: `<1m`, `16m`, `>60m`.
pub(in super::super) fn last_paid(view: &View<'_>, method: &str) -> Option<(i64, String)> {
    let live = view.data.live.get()?;
    let now = live.minutes.last()?.start.timestamp().div_euclid(60);
    let found = live.last_paid.iter().find(|paid| paid.method == method);
    Some(match found {
        Some(paid) => match now - paid.minute.timestamp().div_euclid(60) {
            ..1 => (0, "<1m".into()),
            minutes => (minutes, format!("{minutes}m")),
        },
        None => (live.minutes.len() as i64, format!(">{}m", live.minutes.len())),
    })
}

/// Methods that an alert says are down.
pub(in super::super) fn methods_down(view: &View<'_>) -> Vec<String> {
    let evaluation = view.data.alerts(view.now);
    let down = evaluation
        .findings
        .into_iter()
        .filter(|finding| finding.rule == Rule::MethodDown && finding.state == State::Firing);
    down.map(|finding| finding.scope).collect()
}

/// Draws the strip: one row of what they do, and below it the methods where there is room.
pub(in super::super) fn doing(view: &View<'_>, pen: &mut Pen<'_>, area: Rect) {
    let condition = view.data.live_condition(view.now);
    let head = Head {
        panel: Panel::Doing,
        title: if area.width < 50 {
            view.texts.doing_now_short
        } else {
            view.texts.doing_now
        },
        marks: Source::Live.mark(),
        notes: vec![(view.texts.visits.into(), None)],
        condition,
        store: StoreName::Redis,
    };
    let Some(inner) = view.frame(pen, area, head) else {
        return;
    };
    if let Some(down) = view.data.redis.down.as_ref().filter(|_| condition.is_outdated()) {
        let words = format!(
            "{}: {} {} {} · {}",
            view.texts.redis,
            down.failure.text,
            view.texts.since,
            clock(down.since, view.look.zone),
            view.texts.only_redis
        );
        View::nothing(pen, inner, &words);
        return;
    }
    let Some(now) = view.data.doing() else {
        View::nothing(pen, inner, "···");
        return;
    };
    let base = view
        .data
        .today(view.now, view.look.zone)
        .filter(|today| today.current)
        .and_then(|today| view.data.doing_base(today.day));
    let values = [now.browsing, now.carts, now.checkouts, now.purchases];
    let before = base.map(|base| [base.browsing, base.carts, base.checkouts, base.purchases]);
    let most = values.iter().copied().max().unwrap_or(0);
    let pitch = inner.width / 4;
    // All bars are as long at most, so that they compare.
    let label = view.texts.doing.iter().map(|name| width(name) as u16).max();
    let label = label.unwrap_or(0);
    for (index, (name, value)) in view.texts.doing.iter().zip(values).enumerate() {
        let gap = if pitch > WITH_BAR { 2 } else { 1 };
        let place = Rect::new(
            inner.x + index as u16 * pitch,
            inner.y,
            pitch.saturating_sub(gap),
            1,
        );
        let change = before.map(|before| Change {
            value,
            before: before[index],
        });
        item(view, pen, place, (label, name), value, most, change);
    }
    if inner.height > 1 {
        let below = Rect::new(inner.x, inner.y + 1, inner.width, 1);
        methods(view, pen, below);
    }
}

struct Change {
    value: i64,
    before: i64,
}

fn item(
    view: &View<'_>,
    pen: &mut Pen<'_>,
    area: Rect,
    label: (u16, &str),
    value: i64,
    most: i64,
    change: Option<Change>,
) {
    let marks = view.look.marks();
    let (muted, strong) = (pen.style(Role::Muted), pen.style(Role::Strong));
    let used = pen.text(area.x, area.y, area.width, label.1, muted);
    let mut x = area.x + 1 + if area.width >= WITH_BAR { label.0 } else { used };
    let number = marks.list_count(value);
    let room = area.right().saturating_sub(x);
    let wide = (width(&number) as u16).max(5).min(room);
    pen.right(x, area.y, wide, &number, strong);
    x += wide + 1;
    let mut end = area.right();
    if let Some(change) = change.filter(|_| area.width >= WITH_CHANGE) {
        let moved = delta(
            Some(Value::Count(change.value)),
            Some(Value::Count(change.before)),
            Metric::VisitorsNow.higher(),
            view.look.dead_band_per_mille,
        );
        let role = match moved.good {
            Some(true) => Role::Good,
            Some(false) => Role::Bad,
            None => Role::Muted,
        };
        end = end.saturating_sub(7);
        let style = pen.style(role);
        pen.text(end + 1, area.y, 6, &moved.brief(marks, view.texts.new), style);
    }
    if area.width >= WITH_BAR {
        bar(pen, x, area.y, end.saturating_sub(x), value, most, Role::S2);
    }
}

/// How long ago each method was last paid with, the longest first; those that do not fit are left out.
fn methods(view: &View<'_>, pen: &mut Pen<'_>, area: Rect) {
    let Some(live) = view.data.live.get() else { return };
    let down = methods_down(view);
    let mut found: Vec<(i64, String, &str)> = live
        .payments
        .iter()
        .filter(|method| method.paid > 0)
        .filter_map(|method| {
            let (minutes, words) = last_paid(view, &method.method)?;
            Some((minutes, words, method.method.as_str()))
        })
        .collect();
    found.sort_by(|a, b| {
        let (a_down, b_down) = (down.iter().any(|d| d == a.2), down.iter().any(|d| d == b.2));
        b_down.cmp(&a_down).then(b.0.cmp(&a.0)).then(a.2.cmp(b.2))
    });
    let (muted, text, bad) = (
        pen.style(Role::Muted),
        pen.style(Role::Text),
        pen.style(Role::Bad),
    );
    let mut x = area.x + pen.text(area.x, area.y, area.width, view.texts.last_paid, muted) + 2;
    for (_, words, method) in found {
        let is_down = down.iter().any(|down| down == method);
        let words = if is_down { format!("{words} !") } else { words };
        let name = spoken(method);
        let wide = (width(&name) + width(&words) + 1) as u16;
        if x + wide > area.right() {
            continue;
        }
        let value = if is_down { bad } else { text };
        let pieces: [Piece<'_>; 3] = [(name.into(), muted), (" ".into(), muted), (words.into(), value)];
        x += pen.pieces(x, area.y, wide, &pieces) + 2;
    }
}
