//! The course that each panel with a time axis shows: made once, for drawing, for the cursor and for words.

use chrono::DateTime;
use chrono::{NaiveDate, TimeDelta, Timelike, Utc};
use instashop_core::view::Totals;

use crate::app::App;
use crate::board;
use crate::format::hour_minute;
use crate::look::Look;
use crate::reading::Source;
use crate::sheet::{Bucket, Content, Course, Form, Line, Unit};
use crate::snapshot::history::{Figure, STEP};
use crate::snapshot::sales::Span;
use crate::snapshot::today::{midnight, weekday};
use crate::theme::Role;
use crate::ui::layout::Panel;

/// The course of a panel; `None` for a panel without a time axis, or while there is nothing to show.
pub fn of(app: &App, panel: Panel) -> Option<Course> {
    let switched = app.display(panel) == 1 && app.displays_of(panel) == 2;
    match panel {
        Panel::Minutes if switched => hours(app),
        Panel::Minutes => minutes(app),
        Panel::Hours => hours(app),
        Panel::Trend => trend(app, switched),
        Panel::Lag => lag(app),
        Panel::Latency | Panel::WarehouseLatency => {
            latency(app, panel == Panel::WarehouseLatency || switched)
        }
        Panel::Of(piece) => match board::sheet(app, piece)?.content {
            Content::Course(course) => Some(course),
            _ => None,
        },
        _ => None,
    }
}

/// A business day as a bucket.
pub(crate) fn day_bucket(look: &Look, day: NaiveDate) -> Bucket {
    let next = day.succ_opt().unwrap_or(day);
    Bucket {
        since: midnight(day, look.zone),
        until: midnight(next, look.zone),
        label: look.texts().day_month(day),
    }
}

/// Every `step`-th bucket up to the last one, counted from it.
fn from_last(count: usize, step: usize) -> Vec<usize> {
    let mut labels: Vec<usize> = (0..count).rev().step_by(step.max(1)).collect();
    labels.reverse();
    labels
}

const fn revenue(totals: Totals) -> f64 {
    totals.revenue_cents as f64
}

/// Revenue of the last 60 minutes. The axis ends now, not at the last answer: what was not asked is a gap.
fn minutes(app: &App) -> Option<Course> {
    let (data, now) = app.shown();
    let zone = app.look.zone;
    let today = data.today(now, zone)?;
    let newest = today.minutes.last()?;
    let late = (now - newest.start).num_minutes().clamp(0, 60);
    let running = newest.start + TimeDelta::minutes(late);
    let count = today.minutes.len() as i64;
    let starts = (1..=count).map(|back| running - TimeDelta::minutes(count - back));
    let known = |start: DateTime<Utc>| {
        let found = today.minutes.iter().find(|minute| minute.start == start);
        found.map(|minute| revenue(minute.totals))
    };
    let mut lines = Vec::new();
    if crate::snapshot::today::honest_base(&data.base, today.day).is_some() {
        // The minute that runs is not compared with a whole one.
        let base = starts.clone().map(|start| {
            let totals = data.base_minute(start, today.day, zone)?;
            (start != running).then_some(revenue(totals))
        });
        let name = app.look.texts().last_weekday(weekday(today.day));
        lines.push(Line::dotted(name, base.collect(), Role::Prev));
    }
    lines.push(Line::solid(
        app.look.texts().today,
        starts.clone().map(known).collect(),
        Role::Accent,
    ));
    let buckets = starts.map(|since| {
        let until = since + TimeDelta::minutes(1);
        Bucket {
            since,
            until,
            label: hour_minute(until, zone),
        }
    });
    let closed = (count - 1).max(0) as usize;
    Some(Course {
        buckets: buckets.collect(),
        lines,
        unit: Unit::Money,
        form: Form::Curve(0.0),
        labels: from_last(closed, 15),
        open: Some(closed),
    })
}

/// Revenue by the hour of the clock of today.
fn hours(app: &App) -> Option<Course> {
    let (data, now) = app.shown();
    let zone = app.look.zone;
    let today = data.today(now, zone)?;
    let running = today.hours.last().map(|hour| hour.start);
    let mut values = vec![None; 24];
    let mut open = None;
    for hour in today.hours {
        let local = hour.start.with_timezone(&zone);
        if local.date_naive() == today.day {
            let at = local.hour() as usize;
            // A day on which clocks are set back has the same hour twice.
            values[at] = Some(values[at].unwrap_or(0.0) + hour.totals.revenue_cents as f64);
            if Some(hour.start) == running {
                open = Some(at);
            }
        }
    }
    let start = |hour: u32| {
        let time = today.day.and_hms_opt(hour, 0, 0);
        time.map_or_else(
            || midnight(today.day, zone),
            |time| crate::snapshot::today::to_utc(time, zone),
        )
    };
    let buckets = (0..24).map(|hour| Bucket {
        since: start(hour),
        until: if hour == 23 {
            day_bucket(&app.look, today.day).until
        } else {
            start(hour + 1)
        },
        label: format!("{hour:02}"),
    });
    let mut lines = Vec::new();
    if let Some(base) = data.base_hours(today.day, zone) {
        let name = app.look.texts().last_weekday(weekday(today.day));
        lines.push(Line::dotted(
            name,
            base.into_iter().map(|totals| Some(revenue(totals))).collect(),
            Role::Prev,
        ));
    }
    lines.push(Line::solid(app.look.texts().today, values, Role::Accent));
    Some(Course {
        buckets: buckets.collect(),
        lines,
        unit: Unit::Money,
        form: Form::BarsApart,
        labels: (0..24).step_by(3).collect(),
        open,
    })
}

/// The running day as Redis has it, a second after it happened; the warehouse follows within a minute.
pub(crate) fn today_of_redis(app: &App) -> Option<Totals> {
    let (data, now) = app.shown();
    let sales = data.sales.get()?;
    data.today(now, app.look.zone)
        .filter(|today| today.current && today.source == Source::Live && sales.today == today.day)
        .map(|today| today.totals)
}

/// Revenue or orders of the complete days of the range, and of today so far.
fn trend(app: &App, by_orders: bool) -> Option<Course> {
    let (data, _) = app.shown();
    let sales = data.sales.get()?;
    let days = app.days();
    let span = Span::of(sales, days);
    if span.days.is_empty() {
        return None;
    }
    let value = |totals: &Totals| {
        Some(if by_orders {
            totals.orders
        } else {
            totals.revenue_cents
        } as f64)
    };
    let mut lines = Vec::new();
    if span.before.is_some() {
        // The period before is laid under the range day by day, both ending at their last day.
        let shift = span.days.len().saturating_sub(span.days_before.len());
        let skip = span.days_before.len().saturating_sub(span.days.len());
        let before = span
            .days_before
            .iter()
            .skip(skip)
            .map(|(_, totals)| value(totals));
        let base = std::iter::repeat_n(None, shift).chain(before).chain([None]);
        let name = app.look.texts().previous_days(days);
        lines.push(Line::dotted(name, base.collect(), Role::Prev));
    }
    let today = today_of_redis(app).unwrap_or(span.today);
    let values = span
        .days
        .iter()
        .map(|(_, totals)| value(totals))
        .chain([value(&today)]);
    let texts = app.look.texts();
    let name = if by_orders {
        texts.orders_by_day
    } else {
        texts.revenue_by_day
    };
    lines.push(Line::solid(name, values.collect(), Role::Accent));
    let dates = span.days.iter().map(|(day, _)| *day).chain([sales.today]);
    let step = match days {
        31.. => 14,
        8.. => 7,
        _ => 1,
    };
    Some(Course {
        buckets: dates.map(|day| day_bucket(&app.look, day)).collect(),
        lines,
        unit: if by_orders { Unit::Count } else { Unit::Money },
        form: Form::Bars,
        labels: from_last(span.days.len() + 1, step),
        open: Some(span.days.len()),
    })
}

/// What this dashboard saw in the last minutes, the newest step at the right.
fn seen(app: &App, [dotted, solid]: [(&str, Vec<Option<f64>>); 2], unit: Unit) -> Option<Course> {
    let (_, now) = app.shown();
    if solid.1.iter().chain(&dotted.1).all(Option::is_none) {
        return None;
    }
    let count = solid.1.len();
    let bucket = |index: usize| {
        let back = STEP * i32::try_from(count - 1 - index).unwrap_or(0);
        Bucket {
            since: now - back - STEP,
            until: now - back,
            label: hour_minute(now - back, app.look.zone),
        }
    };
    Some(Course {
        buckets: (0..count).map(bucket).collect(),
        lines: vec![
            Line::dotted(dotted.0, dotted.1, Role::S3),
            Line::solid(solid.0, solid.1, Role::Accent),
        ],
        unit,
        form: Form::Curve(0.0),
        labels: from_last(count, (count / 3).max(1)),
        open: None,
    })
}

fn lag(app: &App) -> Option<Course> {
    let ((data, now), texts) = (app.shown(), app.look.texts());
    let live = (texts.redis, data.history.live(Figure::Lag, now));
    let warehouse = (texts.warehouse_short, data.history.warehouse(Figure::Lag, now));
    seen(app, [warehouse, live], Unit::Count)
}

fn latency(app: &App, of_warehouse: bool) -> Option<Course> {
    let (data, now) = app.shown();
    let course = |figure| {
        if of_warehouse {
            data.history.warehouse(figure, now)
        } else {
            data.history.live(figure, now)
        }
    };
    let lines = [("p95", course(Figure::P95)), ("p50", course(Figure::P50))];
    seen(app, lines, Unit::Millis)
}
