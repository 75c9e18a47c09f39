//! Draws a course: the part of it that is seen, the cursor, and what each line says where there is room.

use ratatui::layout::Rect;

use super::frame::View;
use super::hit::Hit;
use super::layout::Panel;
use super::pen::{Pen, Piece};
use super::widgets::columns::{Bar, Columns, columns};
use super::widgets::curve::{Cursor, Curve, Series, curve};
use crate::sheet::{Course, Form, Line};
use crate::theme::Role;

/// Rows of a chart under which no legend is written.
const ROOM: u16 = 10;

/// Draws the course of a panel.
pub(super) fn course(view: &View<'_>, pen: &mut Pen<'_>, area: Rect, panel: Panel, whole: &Course) {
    let course = whole.part(view.app.seen(panel, whole.buckets.len()));
    let cursor = view.app.cursor_in(&course);
    let area = if view.app.zoom && area.height >= ROOM {
        legend(view, pen, area, &course, cursor)
    } else {
        area
    };
    let labels: Vec<(usize, String)> = course
        .labels
        .iter()
        .filter_map(|index| Some((*index, course.buckets.get(*index)?.label.clone())))
        .collect();
    let unit = |value: f64| course.unit.short(view.look, value);
    let cursor = cursor.map(|at| Cursor {
        at,
        label: course.buckets[at].words(view.look, view.now),
    });
    let point = |line: &Line, at: usize| line.points.get(at).copied().flatten();
    let places = match course.form {
        Form::Curve(floor) => {
            // The bucket that runs is the last one, and is hatched beside the curves.
            let closed = course.open.unwrap_or(course.buckets.len());
            let series = course.lines.iter().map(|line| Series {
                points: line.points.get(..closed).unwrap_or(&line.points),
                role: line.role,
                dotted: line.dotted,
            });
            let open = course.open.map(|open| {
                let value = course.lines.last().and_then(|line| point(line, open));
                value.unwrap_or(0.0)
            });
            let chart = Curve {
                series: series.collect(),
                labels: &labels,
                unit: &unit,
                open,
                floor,
                cursor,
            };
            curve(pen, area, &chart)
        }
        Form::Bars | Form::BarsApart => {
            let (base, values) = (course.lines.iter().find(|line| line.dotted), course.lines.last());
            let bars = (0..course.buckets.len()).map(|at| Bar {
                value: values.and_then(|line| point(line, at)),
                base: base.and_then(|line| point(line, at)),
                open: course.open == Some(at),
            });
            let bars: Vec<Bar> = bars.collect();
            let chart = Columns {
                bars: &bars,
                labels: &labels,
                unit: &unit,
                apart: course.form == Form::BarsApart,
                cursor,
            };
            columns(pen, area, &chart)
        }
    };
    let Some(places) = places else { return };
    for (x, index) in (places.area.x..).zip(places.buckets) {
        if let Some(bucket) = course.buckets.get(index) {
            let column = Rect::new(x, places.area.y, 1, places.area.height);
            pen.note(column, Hit::Moment(panel, bucket.since));
        }
    }
}

/// Writes a row per line: newest value, highest, lowest, and the one at the cursor; gives what is left of the area.
fn legend(view: &View<'_>, pen: &mut Pen<'_>, area: Rect, course: &Course, cursor: Option<usize>) -> Rect {
    let (texts, theme) = (view.texts, &view.look.theme);
    let (text, muted) = (theme.style(Role::Text), theme.style(Role::Muted));
    let say =
        |value: Option<f64>| value.map_or_else(|| "—".to_owned(), |value| course.unit.full(view.look, value));
    let mut y = area.y;
    for line in course.lines.iter().rev() {
        let closed = line.points.iter().enumerate();
        let closed = closed.filter(|(at, _)| Some(*at) != course.open);
        let known: Vec<f64> = closed.filter_map(|(_, point)| *point).collect();
        let mark = if line.dotted { "┄ " } else { "— " };
        let mut pieces: Vec<Piece<'_>> = vec![
            (mark.into(), pen.ink(line.role)),
            (line.name.clone().into(), text),
        ];
        let most = known.iter().copied().reduce(f64::max);
        let least = known.iter().copied().reduce(f64::min);
        for (word, value) in [
            (texts.newest, known.last().copied()),
            (texts.highest, most),
            (texts.lowest, least),
        ] {
            pieces.push((format!("   {word} ").into(), muted));
            pieces.push((say(value).into(), text));
        }
        if let Some(at) = cursor {
            let value = line.points.get(at).copied().flatten();
            pieces.push(("   │ ".into(), muted));
            pieces.push((say(value).into(), theme.style(Role::Accent)));
        }
        pen.pieces(area.x + 1, y, area.width.saturating_sub(1), &pieces);
        y += 1;
    }
    Rect {
        y,
        height: area.bottom().saturating_sub(y),
        ..area
    }
}
