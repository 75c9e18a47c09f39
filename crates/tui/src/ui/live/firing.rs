//! Alerts that fire, the worst first: one line at the foot of a small Live tab, a list where there is room.

use instashop_core::alerts::{Evaluation, Finding, Held, Severity, State};
use ratatui::layout::Rect;

use super::super::frame::{Head, View};
use super::super::layout::Panel;
use super::super::pen::{Pen, Piece};
use super::super::widgets::grid::{Column, Grid};
use super::mix::spoken;
use crate::app::Tab;
use crate::board::alert_tab;
use crate::format::coarse;
use crate::snapshot::{Condition, StoreName};
use crate::text::width;
use crate::theme::Role;

fn sign(view: &View<'_>, severity: Severity) -> (&'static str, &'static str, Role) {
    match severity {
        Severity::Critical => ("!!", view.texts.critical_short, Role::Bad),
        Severity::Warning => ("!", view.texts.warning_short, Role::Warn),
        Severity::Info => ("·", "INFO", Role::Info),
    }
}

fn firing(evaluation: &Evaluation) -> Vec<&Finding> {
    let findings = evaluation.findings.iter();
    findings
        .filter(|finding| finding.state == State::Firing)
        .collect()
}

/// Rules that cannot be judged although somebody measures what they look at.
fn held(evaluation: &Evaluation) -> usize {
    let held = evaluation.held.iter();
    held.filter(|(_, why)| matches!(why, Held::NoData | Held::Stale))
        .count()
}

/// Since when, as its age.
fn since(view: &View<'_>, finding: &Finding) -> String {
    finding
        .since
        .map_or_else(String::new, |since| coarse((view.now - since).num_seconds()))
}

/// What it is about, with how many more.
fn about(view: &View<'_>, finding: &Finding) -> String {
    match (finding.rule.is_grouped(), finding.count) {
        (true, count) if count > 1 => view.look.marks().count(count),
        _ => spoken(&finding.scope),
    }
}

/// Draws the alerts.
pub(in super::super) fn alerts(view: &View<'_>, pen: &mut Pen<'_>, area: Rect) {
    if view.data.past {
        View::nothing(
            pen,
            area,
            &format!("{}: {}", view.texts.alerts, view.texts.only_present),
        );
        return;
    }
    let evaluation = view.data.alerts(view.now);
    let found = firing(&evaluation);
    if area.height < 3 {
        strip(view, pen, area, &found, held(&evaluation));
        return;
    }
    let waits = view.data.boards.is_empty() && view.data.warehouse.down.is_none();
    let head = Head {
        panel: Panel::Firing,
        title: view.texts.alerts,
        marks: "◆",
        notes: vec![(found.len().to_string(), None)],
        condition: if waits {
            Condition::Loading(view.data.warehouse.asking.unwrap_or(view.data.started))
        } else {
            Condition::Live
        },
        store: StoreName::Warehouse,
    };
    let Some(inner) = view.frame(pen, area, head) else {
        return;
    };
    if found.is_empty() {
        View::nothing(pen, inner, &quiet(view, held(&evaluation)));
        return;
    }
    let columns = [
        Column::left("", 2),
        Column::left("", 5),
        Column::left("", 16),
        Column::left("", 8).grow(1),
        Column::right("", 4),
        Column::left("", 12).optional(1),
    ];
    let grid = Grid::fit(&columns, inner.x, inner.width);
    for (y, finding) in (inner.y..inner.bottom()).zip(found) {
        let (mark, word, role) = sign(view, finding.severity);
        let (loud, strong, text, muted) = (
            pen.style(role),
            pen.style(Role::Strong),
            pen.style(Role::Text),
            pen.style(Role::Muted),
        );
        grid.cell(pen, 0, y, mark, loud);
        grid.cell(pen, 1, y, word, loud);
        grid.cell(pen, 2, y, finding.rule.name(), strong);
        grid.cell(pen, 3, y, &about(view, finding), text);
        grid.cell(pen, 4, y, &since(view, finding), muted);
        let tab = alert_tab(&finding.fingerprint()).unwrap_or(Tab::Alerts);
        grid.cell(
            pen,
            5,
            y,
            &format!("{} {}", tab.key(), view.texts.tab(tab)),
            muted,
        );
    }
}

/// Nothing fires; but stale data never mean that all is well.
fn quiet(view: &View<'_>, held: usize) -> String {
    if held == 0 {
        view.texts.no_alert.to_owned()
    } else {
        format!("? {held} {}", view.texts.rules_held)
    }
}

/// One line: as many as fit, how many more, and the way to all.
fn strip(view: &View<'_>, pen: &mut Pen<'_>, area: Rect, found: &[&Finding], held: usize) {
    let muted = pen.look.theme.style(Role::Muted);
    let way = format!("! → {}", view.texts.all);
    let wide = width(&way) as u16;
    let end = area.right().saturating_sub(wide + 1);
    let mut x = area.x + 1;
    if found.is_empty() {
        let style = pen
            .look
            .theme
            .style(if held == 0 { Role::Muted } else { Role::Warn });
        pen.text(x, area.y, end.saturating_sub(x + 1), &quiet(view, held), style);
    }
    for (index, finding) in found.iter().enumerate() {
        let (mark, word, role) = sign(view, finding.severity);
        let rest = found.len() - index;
        let words = format!(
            " {} {} {}",
            finding.rule.name(),
            about(view, finding),
            since(view, finding)
        );
        let head = format!("{mark} {word}");
        let needed = (width(&head) + width(words.trim_end())) as u16;
        // The last that fits leaves room to say how many follow.
        let reserved = if rest > 1 { 4 } else { 0 };
        if x + needed + reserved > end {
            pen.text(x, area.y, end.saturating_sub(x), &format!("+{rest}"), muted);
            break;
        }
        let (loud, text) = (pen.look.theme.style(role), pen.look.theme.style(Role::Text));
        let pieces: [Piece<'_>; 2] = [(head.into(), loud), (words.trim_end().into(), text)];
        x += pen.pieces(x, area.y, needed, &pieces) + 2;
    }
    let unknown = format!("? {held}");
    if !found.is_empty() && held > 0 && x + (width(&unknown) as u16) < end {
        pen.right(
            x,
            area.y,
            end.saturating_sub(x + 1),
            &unknown,
            pen.look.theme.style(Role::Warn),
        );
    }
    pen.text(end + 1, area.y, wide, &way, muted);
}
