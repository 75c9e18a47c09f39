//! The first row: product, mode, base, age of each source, drift. The last row: the keys that work here.

use chrono::TimeDelta;
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::frame::View;
use super::pen::{Pen, Piece};
use crate::app::Tab;
use crate::format::{clock, hour_minute, seconds};
use crate::keys::{self, Action, FOOT};
use crate::metrics::Metric;
use crate::snapshot::today::weekday;
use crate::snapshot::{Condition, Drift, StoreName, history};
use crate::text;
use crate::theme::Role;

/// A question open for longer than this is shown.
const SLOW: TimeDelta = TimeDelta::seconds(2);

/// How much of the header is written; each step is shorter than the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Form {
    /// Everything, with date and lag.
    Board,
    /// With marks, words and clock.
    Wide,
    /// Without marks and clock.
    Narrow,
    /// Without the clock time of the base.
    NoBaseTime,
    /// Without the product name.
    NoProduct,
    /// Without the words of the sources.
    NoWords,
    /// Without the base.
    NoBase,
    /// Without the scope.
    NoScope,
}

const FORMS: [Form; 8] = [
    Form::Board,
    Form::Wide,
    Form::Narrow,
    Form::NoBaseTime,
    Form::NoProduct,
    Form::NoWords,
    Form::NoBase,
    Form::NoScope,
];

fn columns(pieces: &[Piece<'_>]) -> usize {
    pieces.iter().map(|(text, _)| text::width(text)).sum()
}

/// Draws the header into its row.
pub(super) fn header(view: &View<'_>, pen: &mut Pen<'_>, area: Rect) {
    let widest = match area.width {
        160.. => Form::Board,
        100.. => Form::Wide,
        _ => Form::Narrow,
    };
    for form in FORMS.into_iter().filter(|form| *form >= widest) {
        let (left, right) = (left(view, form), right(view, form));
        let (wide_left, wide_right) = (columns(&left), columns(&right));
        if wide_left + wide_right + 3 <= usize::from(area.width) || form == Form::NoScope {
            let used = pen.pieces(area.x + 1, area.y, area.width.saturating_sub(1), &left);
            let start = area
                .right()
                .saturating_sub(wide_right as u16)
                .max(area.x + used + 2);
            pen.pieces(start, area.y, area.right().saturating_sub(start), &right);
            return;
        }
    }
}

/// Blanks between the parts.
const fn gap(form: Form) -> &'static str {
    match form {
        Form::Board => "   ",
        Form::Wide => "  ",
        _ => " ",
    }
}

fn left(view: &View<'_>, form: Form) -> Vec<Piece<'static>> {
    let theme = &view.look.theme;
    let (text, muted) = (theme.style(Role::Text), theme.style(Role::Muted));
    let gap = gap(form);
    let mut pieces: Vec<Piece<'static>> = Vec::new();
    if view.app.demo {
        pieces.push((format!(" {} ", view.texts.demo).into(), theme.chip(Role::Info)));
        pieces.push((" ".into(), text));
    }
    if form < Form::NoProduct {
        pieces.push(("InstaShop".into(), theme.style(Role::Strong)));
        pieces.push((if form <= Form::Wide { "  " } else { " " }.into(), text));
    }
    if form < Form::NoScope {
        let scope = view
            .app
            .store_name()
            .filter(|_| crate::board::topic(view.app.tab).is_some());
        pieces.push((
            scope.map_or_else(|| view.texts.all_stores.into(), Into::into),
            text,
        ));
        pieces.push((gap.into(), text));
    }
    mode(view, &mut pieces);
    if form < Form::NoBase && view.app.frozen.is_none() {
        let base = base(view, form < Form::NoBaseTime);
        if !base.is_empty() {
            pieces.push((gap.into(), text));
            pieces.push((base.into(), muted));
        }
    }
    pieces
}

/// The chip of the mode.
fn mode(view: &View<'_>, pieces: &mut Vec<Piece<'static>>) {
    let (theme, texts) = (&view.look.theme, view.texts);
    if let Some(frozen) = &view.app.frozen {
        let (hidden, more) = view.app.hidden_changes();
        let more = if more { "+" } else { "" };
        let at = hour_minute(frozen.at, view.look.zone);
        let hidden = view.look.marks().count(i64::try_from(hidden).unwrap_or(i64::MAX));
        let chip = format!(" ‖ {} {at} +{hidden}{more} {} ", texts.frozen, texts.events_short);
        pieces.push((chip.into(), theme.chip(Role::Accent)));
        return;
    }
    if let Some(past) = view.app.past.as_ref().filter(|_| view.data.past) {
        let day = past.at.with_timezone(&view.look.zone).date_naive();
        let at = format!(
            "{} {}",
            texts.day_month(day),
            hour_minute(past.at, view.look.zone)
        );
        let range = match view.app.tab {
            Tab::Live => String::new(),
            Tab::Sales => format!("{}d ", view.app.days()),
            _ => format!("{} ", crate::board::range_short(view.look, view.app.ask().range)),
        };
        pieces.push((
            format!(" ◀ {} {at} ", texts.as_of_chip).into(),
            theme.chip(Role::Accent),
        ));
        if !range.is_empty() {
            pieces.push((format!(" {}", range.trim_end()).into(), theme.style(Role::Text)));
        }
        return;
    }
    let range = match view.app.tab {
        Tab::Live => texts.today.to_owned(),
        Tab::Sales => format!("{}d", view.app.days()),
        Tab::System => "15m".to_owned(),
        Tab::Inventory | Tab::Alerts => view.texts.now_word.to_owned(),
        Tab::Stores => "30d".to_owned(),
        _ => crate::board::range_short(view.look, view.app.ask().range),
    };
    let condition = view.data.live_condition(view.now);
    if view.data.redis.down.is_some() {
        pieces.push((
            format!("× {}", texts.redis_down).into(),
            theme.style(Role::Bad).add_modifier(Modifier::BOLD),
        ));
        return;
    }
    match condition {
        Condition::Rebuilding(rebuild) => {
            let chip = format!("▒ {} {}%", texts.rebuilding_chip, rebuild.percent);
            pieces.push((chip.into(), theme.style(Role::Warn).add_modifier(Modifier::BOLD)));
        }
        Condition::Missing(_) => {
            let style = theme.style(Role::Warn).add_modifier(Modifier::BOLD);
            pieces.push((format!("× {}", texts.no_totals_chip).into(), style));
        }
        Condition::Stale(_) | Condition::Unreachable | Condition::Failed(..) => {
            let style = theme.style(Role::Warn).add_modifier(Modifier::BOLD);
            pieces.push((format!("× {} {range}", texts.stale_chip).into(), style));
        }
        Condition::Loading(_) | Condition::NotKept => {
            pieces.push((format!("· {range}").into(), theme.style(Role::Muted)));
        }
        Condition::Live | Condition::Late(_) | Condition::Lagging(..) => {
            let dot = theme.style(Role::Good);
            let dot = if view.app.pulse {
                dot.add_modifier(Modifier::BOLD)
            } else {
                dot
            };
            pieces.push(("●".into(), dot));
            pieces.push((format!(" {} ", texts.live_chip).into(), theme.style(Role::Strong)));
            pieces.push((range.into(), theme.style(Role::Text)));
        }
    }
}

/// What the figures of the tab are compared with, in words.
fn base(view: &View<'_>, with_time: bool) -> String {
    let texts = view.texts;
    match view.app.tab {
        Tab::System | Tab::Inventory | Tab::Alerts => String::new(),
        Tab::Stores => format!("{} {}", texts.versus, texts.previous_days(30)),
        Tab::Sales => format!("{} {}", texts.versus, texts.previous_days(view.app.days())),
        Tab::Live => {
            let today = view.data.today(view.now, view.look.zone);
            match today
                .as_ref()
                .filter(|today| today.current)
                .and_then(|today| view.data.same_clock(today, view.look.zone))
            {
                Some(base) if with_time => {
                    format!(
                        "{} {}",
                        texts.versus,
                        texts.same_clock(weekday(base.day), base.cut, view.look.zone)
                    )
                }
                Some(base) => format!("{} {}", texts.versus, texts.last_weekday(weekday(base.day))),
                None => String::new(),
            }
        }
        tab => {
            let ask = view.app.ask();
            let board = crate::board::topic(tab)
                .and_then(|topic| view.data.boards.get(&topic))
                .filter(|board| board.ask == ask)
                .and_then(|board| board.part.get())
                .filter(|board| board.has_base());
            board.map_or_else(String::new, |board| {
                let words = crate::board::base_words(view.look, board, ask.range, ask.basis, with_time);
                format!("{} {words}", texts.versus)
            })
        }
    }
}

fn right(view: &View<'_>, form: Form) -> Vec<Piece<'static>> {
    let theme = &view.look.theme;
    let muted = theme.style(Role::Muted);
    let gap = gap(form);
    let mut pieces: Vec<Piece<'static>> = Vec::new();
    source(view, StoreName::Redis, form, &mut pieces);
    if let Condition::Lagging(_, behind) = view.data.live_condition(view.now) {
        pieces.push((gap.into(), muted));
        let style = theme.style(Role::Warn);
        pieces.push((
            format!("{} {}", view.texts.lag, seconds(behind.num_seconds())).into(),
            style,
        ));
    }
    pieces.push((gap.into(), muted));
    source(view, StoreName::Warehouse, form, &mut pieces);
    if form == Form::Board
        && let Some(lag) = view
            .app
            .pipeline()
            .0
            .live_system
            .get()
            .and_then(|system| history::lag(&system.flow))
    {
        pieces.push((gap.into(), muted));
        pieces.push((
            format!("kafka {} {}", view.texts.lag, view.look.marks().count(lag)).into(),
            muted,
        ));
    }
    pieces.push((gap.into(), muted));
    let (words, role) = drift(view, form);
    pieces.push((words.into(), theme.style(role)));
    if form <= Form::Wide {
        let now = view.app.now.with_timezone(&view.look.zone);
        let zone = view.texts.offset(view.app.now, view.look.zone);
        let date = if form == Form::Board {
            format!("{} ", view.texts.long_date(now.date_naive()))
        } else {
            String::new()
        };
        pieces.push((gap.into(), muted));
        pieces.push((
            format!("{date}{} {zone} ", clock(view.app.now, view.look.zone)).into(),
            muted,
        ));
    }
    pieces
}

/// Age and state of a source: always of the present, also while the board is frozen.
fn source(view: &View<'_>, store: StoreName, form: Form, pieces: &mut Vec<Piece<'static>>) {
    let (theme, now) = (&view.look.theme, view.app.now);
    let link = view.app.snapshot.link(store);
    let name = view.store_name(store);
    let mark = match store {
        StoreName::Redis => "●",
        StoreName::Warehouse => "◆",
    };
    if let Some(down) = &link.down {
        let left = seconds((down.retry_at - now).num_seconds());
        let words = format!(
            "{name} × {} {} {} {left}",
            view.texts.retry, down.attempt, view.texts.retry_in
        );
        pieces.push((words.into(), theme.style(Role::Bad).add_modifier(Modifier::BOLD)));
        return;
    }
    let prefix = match form {
        Form::Board | Form::Wide => format!("{name} {mark} "),
        Form::Narrow | Form::NoBaseTime | Form::NoProduct => format!("{name} "),
        _ => mark.to_owned(),
    };
    let asking = link.asking.map(|since| now - since).filter(|age| *age > SLOW);
    let age = link.answered.map(|answered| now - answered);
    let (words, role) = match (asking, age) {
        (Some(asking), _) => (format!("{} …", seconds(asking.num_seconds())), Role::Muted),
        (None, None) => ("…".into(), Role::Muted),
        (None, Some(age)) => {
            let rhythm = match store {
                StoreName::Redis => view.data.rhythm.live,
                StoreName::Warehouse => view.data.rhythm.tab * 3,
            };
            let role = if age > rhythm * 2 { Role::Warn } else { Role::Text };
            (view.look.marks().age(age), role)
        }
    };
    pieces.push((prefix.into(), theme.style(Role::Muted)));
    pieces.push((words.into(), theme.style(role)));
}

/// Words and colour of the drift chip.
fn drift(view: &View<'_>, form: Form) -> (String, Role) {
    let (texts, marks) = (view.texts, view.look.marks());
    let (data, now) = view.app.pipeline();
    match data.drift(now) {
        Drift::Unknown => (format!("{} ?", texts.drift), Role::Muted),
        Drift::Broken(proof) => (
            format!("{} {} !", texts.drift, marks.count(proof.drift)),
            Role::Bad,
        ),
        Drift::Proven(proof) => {
            let more = match form {
                Form::Board => format!(" {} {}", texts.proven, clock(proof.at, view.look.zone)),
                Form::Wide => format!(" {}", texts.proven),
                _ => String::new(),
            };
            (format!("{} 0{more}", texts.drift), Role::Good)
        }
    }
}

/// Draws the keys that work here, most useful first; help and quit are always there. What was done last is said once.
pub(super) fn foot(view: &View<'_>, pen: &mut Pen<'_>, area: Rect) {
    let theme = &view.look.theme;
    if let Some(told) = view.app.told.as_ref().filter(|_| view.app.overlay.is_none()) {
        pen.text(
            area.x + 1,
            area.y,
            area.width.saturating_sub(1),
            told,
            theme.style(Role::Info),
        );
        return;
    }
    let (strong, muted) = (theme.style(Role::Strong), theme.style(Role::Muted));
    let gap = if area.width >= 100 { 3 } else { 2 };
    let piece = |action: Action, word: &'static str| -> [Piece<'static>; 2] {
        [
            (keys::key_of(action).into(), strong),
            (format!(" {word}").into(), muted),
        ]
    };
    let quit = piece(Action::Quit, (view.texts.foot)(Action::Quit));
    let mut room = usize::from(area.width).saturating_sub(1 + columns(&quit));
    let mut x = area.x + 1;
    let open = view.app.overlay.is_some();
    let closing = open.then(|| piece(Action::Back, view.texts.close));
    let here = view.app.here();
    let usual = FOOT
        .iter()
        .filter(|action| !open && view.app.works_in(&here, **action));
    let usual = usual.map(|action| {
        let word = match (action, view.app.frozen.is_some(), view.app.zoom) {
            (Action::Freeze, true, _) => view.texts.unfreeze,
            (Action::Zoom, _, true) => view.texts.close,
            _ => (view.texts.foot)(*action),
        };
        piece(*action, word)
    });
    for pieces in closing.into_iter().chain(usual) {
        let wide = columns(&pieces);
        if wide + gap > room {
            continue;
        }
        pen.pieces(x, area.y, wide as u16, &pieces);
        x += (wide + gap) as u16;
        room -= wide + gap;
    }
    pen.pieces(x, area.y, area.right().saturating_sub(x), &quit);
}

/// The one figure of a notice: revenue and its change.
pub(super) fn headline(view: &View<'_>) -> String {
    let reading = Metric::RevenueToday.reading(view.data, view.look, view.now);
    let marks = view.look.marks();
    reading.value.map_or_else(String::new, |value| {
        let (number, letter) = value.tile(marks);
        let delta = crate::reading::delta(
            Some(value),
            reading.base.map(|base| base.value),
            Metric::RevenueToday.higher(),
            view.look.dead_band_per_mille,
        );
        let delta = delta.text(marks, view.texts.new, view.texts.no_base);
        format!("{}{number}{letter} {delta}", view.look.sign())
    })
}
