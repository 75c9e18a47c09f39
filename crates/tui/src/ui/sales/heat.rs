//! When buyers buy: mean orders by hour and weekday.

use chrono::Weekday;
use ratatui::layout::Rect;

use super::super::frame::View;
use super::super::layout::Panel;
use super::super::pen::Pen;
use super::super::widgets::heat;
use super::head;
use crate::format::divide;
use crate::theme::Role;

/// Mean orders an hour, from thousandths.
fn mean(view: &View<'_>, thousandths: i64) -> String {
    if thousandths < 10_000 {
        view.look.marks().scaled(divide(i128::from(thousandths), 100), 1)
    } else {
        view.look
            .marks()
            .short(divide(i128::from(thousandths), 1000) as i64)
    }
}

const WEEK: [Weekday; 7] = [
    Weekday::Mon,
    Weekday::Tue,
    Weekday::Wed,
    Weekday::Thu,
    Weekday::Fri,
    Weekday::Sat,
    Weekday::Sun,
];

/// Draws mean orders by hour and weekday: quarters of the day where it is narrow, else every hour.
pub(in super::super) fn pattern(view: &View<'_>, pen: &mut Pen<'_>, area: Rect) {
    let legend = format!("░ {} ▒ ▓ █ {}", view.texts.few, view.texts.many);
    let title = if area.width >= 58 {
        view.texts.orders_by_hour_long
    } else {
        view.texts.orders_by_hour
    };
    let sales = view.data.sales.get();
    let head = head(view, Panel::Heat, title, vec![(legend, None)]);
    let (Some(inner), Some(sales)) = (view.frame(pen, area, head), sales) else {
        return;
    };
    if sales.heat.len() < 7 || sales.heat.iter().flatten().all(|value| *value == 0) {
        View::nothing(pen, inner, view.texts.no_full_week);
        return;
    }
    let (text, muted) = (pen.style(Role::Text), pen.style(Role::Muted));
    if inner.width < 54 || inner.height < 8 {
        let quarters: Vec<[i64; 4]> = sales
            .heat
            .iter()
            .map(|day| std::array::from_fn(|part| day[part * 6..part * 6 + 6].iter().sum()))
            .collect();
        let most = quarters.iter().flatten().copied().max().unwrap_or(0);
        for (index, weekday) in WEEK.into_iter().enumerate() {
            pen.text(
                inner.x + 8 + index as u16 * 3,
                inner.y,
                2,
                view.texts.weekday_two(weekday),
                muted,
            );
        }
        for part in 0..4_u16.min(inner.height.saturating_sub(1)) {
            let y = inner.y + 1 + part;
            pen.text(
                inner.x,
                y,
                6,
                &format!("{:02}–{:02}", part * 6, part * 6 + 6),
                muted,
            );
            for (index, day) in quarters.iter().enumerate().take(7) {
                heat::cell(
                    pen,
                    inner.x + 8 + index as u16 * 3,
                    y,
                    2,
                    day[usize::from(part)],
                    most,
                );
            }
        }
        return;
    }
    let cell = ((inner.width - 4) / 24).min(5);
    let most = sales.heat.iter().flatten().copied().max().unwrap_or(0);
    for hour in (0..24_u16).step_by(if cell > 2 { 2 } else { 3 }) {
        pen.text(
            inner.x + 4 + hour * cell,
            inner.y,
            2,
            &format!("{hour:02}"),
            muted,
        );
    }
    for (index, (weekday, day)) in WEEK.into_iter().zip(&sales.heat).enumerate() {
        let y = inner.y + 1 + index as u16;
        if y >= inner.bottom() {
            break;
        }
        pen.text(inner.x, y, 3, view.texts.weekday_two(weekday), text);
        for (hour, value) in day.iter().enumerate() {
            let x = inner.x + 4 + hour as u16 * cell;
            let whole = |value: i64| view.look.marks().short(divide(i128::from(value), 1000) as i64);
            let fits = crate::text::width(&whole(most)) < usize::from(cell);
            match pen.look.theme.heat(heat::step(*value, most)) {
                Some(style) if cell >= 3 && !pen.dim => {
                    pen.paint(Rect::new(x, y, cell, 1), style);
                    if fits && x + cell <= inner.right() {
                        pen.right(x, y, cell - 1, &whole(*value), style);
                    }
                }
                _ => heat::cell(pen, x, y, cell - u16::from(cell > 2), *value, most),
            }
        }
    }
    let flat = || {
        sales.heat.iter().take(7).enumerate().flat_map(|(day, hours)| {
            hours
                .iter()
                .enumerate()
                .map(move |(hour, value)| (day, hour, *value))
        })
    };
    let busiest = flat().max_by_key(|(day, hour, value)| (*value, std::cmp::Reverse((*day, *hour))));
    let quietest = flat().min_by_key(|(day, hour, value)| (*value, *day, *hour));
    if let (Some(busiest), Some(quietest), true) = (busiest, quietest, inner.height >= 9) {
        let words = |(day, hour, value): (usize, usize, i64)| {
            format!(
                "{} {hour:02}:00, {}",
                view.texts.weekday_short(WEEK[day]),
                mean(view, value)
            )
        };
        let quietest = format!("{} {}", view.texts.quietest, words(quietest));
        let busiest = format!("{} {}", view.texts.busiest, words(busiest));
        let long = format!("{busiest} {}   {quietest}", view.texts.orders_an_hour);
        let short = format!("{busiest}   {quietest}");
        let fits = crate::text::width(&long) <= usize::from(inner.width);
        let line = if fits { long } else { short };
        pen.text(inner.x, inner.y + 8, inner.width, &line, muted);
    }
}
