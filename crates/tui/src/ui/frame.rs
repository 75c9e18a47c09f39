//! What every panel has: its rule, its state in words, and the body that stands for "nothing to show yet".

use chrono::{DateTime, TimeDelta, Utc};
use ratatui::layout::Rect;

use super::layout::Panel;
use super::pen::Pen;
use super::widgets::rule::{Rule, rule};
use crate::app::App;
use crate::format::{clock, seconds};
use crate::lang::Texts;
use crate::look::Look;
use crate::snapshot::{Condition, Failure, Snapshot, StoreName};
use crate::theme::Role;

/// After this long a first load names what it waits for.
const NAME_THE_WAIT: TimeDelta = TimeDelta::seconds(3);

/// What drawing reads: the state, and the snapshot and time that are shown.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub(super) app: &'a App,
    pub(super) data: &'a Snapshot,
    pub(super) now: DateTime<Utc>,
    pub(super) look: &'a Look,
    pub(super) texts: &'static Texts,
}

/// Title and state of a panel.
pub(super) struct Head<'t> {
    pub(super) panel: Panel,
    pub(super) title: &'t str,
    pub(super) marks: &'t str,
    pub(super) notes: Vec<(String, Option<Role>)>,
    pub(super) condition: Condition,
    /// The store that has it, named while waiting.
    pub(super) store: StoreName,
}

impl<'a> View<'a> {
    pub(super) fn new(app: &'a App) -> Self {
        let (data, now) = app.shown();
        Self {
            app,
            data,
            now,
            look: &app.look,
            texts: app.look.texts(),
        }
    }

    /// The words of a state, and how loud they are; nothing for a live part.
    pub(super) fn state_words(&self, condition: Condition, store: StoreName) -> Option<(String, Role)> {
        let (texts, marks) = (self.texts, self.look.marks());
        Some(match condition {
            Condition::Live | Condition::Late(_) | Condition::NotKept => return None,
            Condition::Loading(since) => {
                let age = self.now - since;
                let word = if age < NAME_THE_WAIT {
                    texts.loading
                } else {
                    texts.waiting_for
                };
                let name = if age < NAME_THE_WAIT {
                    ""
                } else {
                    self.store_name(store)
                };
                let blank = if name.is_empty() { "" } else { " " };
                (format!("{word}{blank}{name} {}", marks.age(age)), Role::Muted)
            }
            Condition::Unreachable => (format!("× {}", self.store_name(store)), Role::Bad),
            Condition::Failed(since, age) => {
                let age = age.map_or_else(String::new, |age| {
                    format!(", {} {}", texts.stale, seconds(age.num_seconds()))
                });
                let since = clock(since, self.look.zone);
                (format!("{} {since}{age}", texts.query_failed), Role::Warn)
            }
            Condition::Lagging(as_of, _) => (
                format!("{} {}", texts.as_of, clock(as_of, self.look.zone)),
                Role::Warn,
            ),
            Condition::Stale(age) => (
                format!("{} {}", texts.stale, seconds(age.num_seconds())),
                Role::Warn,
            ),
            Condition::Missing(since) => (
                format!("{} {}", texts.missing_since, clock(since, self.look.zone)),
                Role::Warn,
            ),
            Condition::Rebuilding(rebuild) => {
                let left = rebuild.remaining_s.map_or_else(String::new, |left| {
                    format!(
                        ", {} {}",
                        texts.about,
                        seconds(i64::try_from(left).unwrap_or(i64::MAX))
                    )
                });
                (
                    format!("{} {}%{left}", texts.rebuilding, rebuild.percent),
                    Role::Warn,
                )
            }
        })
    }

    /// Name of a store as the header writes it.
    pub(super) const fn store_name(&self, store: StoreName) -> &'static str {
        match store {
            StoreName::Redis => self.texts.redis,
            StoreName::Warehouse => self.texts.warehouse_short,
        }
    }

    /// Draws the rule with the state and gives the body; `None` when there is nothing to draw in it because nothing was
    /// ever answered: the body then says so. The pen is dim while the values must not pass for the present.
    pub(super) fn frame(&self, pen: &mut Pen<'_>, area: Rect, head: Head<'_>) -> Option<Rect> {
        let mut notes = head.notes;
        if let Some((words, role)) = self.state_words(head.condition, head.store) {
            notes.insert(0, (words, Some(role)));
        }
        if let Some(words) = self.app.cursor_words(head.panel) {
            notes.insert(0, (format!("│ {words}"), Some(Role::Accent)));
        }
        let away = head.panel.home() != self.app.tab;
        let title = if self.app.zoom {
            let tab = head.panel.home();
            format!("{} {} › {}", tab.key(), self.texts.tab(tab), head.title)
        } else if away {
            format!("{} → {}", head.title, head.panel.home().key())
        } else {
            head.title.to_owned()
        };
        let inner = rule(
            pen,
            area,
            &Rule {
                title: &title,
                marks: head.marks,
                notes,
                focused: self.app.overlay.is_none() && self.app.focused() == Some(head.panel),
                frozen: self.app.frozen.is_some(),
            },
        );
        let inner = if inner.x == 0 {
            Rect {
                x: 1,
                width: inner.width.saturating_sub(1),
                ..inner
            }
        } else {
            inner
        };
        let muted = pen.look.theme.style(Role::Muted);
        match head.condition {
            Condition::Loading(_) => {
                pen.text(inner.x, inner.y, inner.width, "···", muted);
                return None;
            }
            Condition::Unreachable => {
                self.unreachable(pen, inner, head.store);
                return None;
            }
            Condition::NotKept => {
                Self::nothing(pen, inner, self.texts.only_present);
                return None;
            }
            Condition::Failed(_, None) => {
                if let Some(failed) = self.app.failed_part() {
                    self.why(pen, inner, &failed.failure, failed.since, head.store);
                }
                return None;
            }
            condition => pen.dim = condition.is_outdated(),
        }
        Some(inner)
    }

    /// Why there is nothing: the failure, since when, and that no other store has these numbers.
    pub(super) fn unreachable(&self, pen: &mut Pen<'_>, area: Rect, store: StoreName) {
        if let Some(down) = &self.data.link(store).down {
            self.why(pen, area, &down.failure, down.since, store);
        }
    }

    fn why(&self, pen: &mut Pen<'_>, area: Rect, failure: &Failure, since: DateTime<Utc>, store: StoreName) {
        let muted = pen.look.theme.style(Role::Muted);
        let bad = pen.look.theme.style(Role::Bad);
        let since = format!("{} {}", self.texts.since, clock(since, self.look.zone));
        let lines = [
            (
                format!("{}: {} {since}", self.store_name(store), failure.text),
                bad,
            ),
            (failure.advice.clone().unwrap_or_default(), muted),
        ];
        let lines = lines.iter().filter(|(line, _)| !line.is_empty());
        for (y, (line, style)) in (area.y..area.bottom()).zip(lines) {
            pen.text(area.x, y, area.width, line, *style);
        }
    }

    /// One muted line instead of content.
    pub(super) fn nothing(pen: &mut Pen<'_>, area: Rect, words: &str) {
        let muted = pen.look.theme.style(Role::Muted);
        if area.height > 0 {
            pen.text(area.x, area.y, area.width, words, muted);
        }
    }
}
