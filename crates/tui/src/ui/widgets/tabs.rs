//! The tab bar in three forms; the longest that fits wins. Brackets take the place of the separating blanks, so the bar
//! does not shift when the tab changes.

use ratatui::layout::Rect;
use ratatui::style::Modifier;

use crate::app::Tab;
use crate::text;
use crate::theme::Role;
use crate::ui::hit::Hit;
use crate::ui::pen::Pen;

/// How much of the names is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Full,
    Short,
    Keys,
}

/// Alerts that fire behind the last tab: `·3`, `·99+`, `·?` while they cannot be judged.
fn count(firing: Option<(usize, bool)>) -> String {
    match firing {
        None => "·?".into(),
        Some((0, _)) => String::new(),
        Some((count @ 1..100, _)) => format!("·{count}"),
        Some(_) => "·99+".into(),
    }
}

fn label(pen: &Pen<'_>, tab: Tab, active: Tab, form: Form, firing: Option<(usize, bool)>) -> String {
    let texts = pen.look.texts();
    if tab == Tab::Alerts {
        let name = match form {
            Form::Full => texts.tab(tab),
            Form::Keys if tab == active => texts.tab(tab),
            _ => texts.short_tab(tab),
        };
        let blank = if name.is_empty() { "" } else { " " };
        return format!("{}{blank}{name}{}", tab.key(), count(firing));
    }
    match form {
        Form::Full => format!("{} {}", tab.key(), texts.tab(tab)),
        Form::Short => format!("{} {}", tab.key(), texts.short_tab(tab)),
        Form::Keys if tab == active => format!("{} {}", tab.key(), texts.tab(tab)),
        Form::Keys => tab.key().to_string(),
    }
}

/// Draws the bar into the first row of an area.
pub fn tabs(pen: &mut Pen<'_>, area: Rect, active: Tab, firing: Option<(usize, bool)>) {
    let columns = |pen: &Pen<'_>, form| -> usize {
        Tab::ALL
            .into_iter()
            .map(|tab| text::width(&label(pen, tab, active, form, firing)) + 1)
            .sum::<usize>()
            + 1
    };
    let form = [Form::Full, Form::Short]
        .into_iter()
        .find(|form| columns(pen, *form) <= usize::from(area.width))
        .unwrap_or(Form::Keys);
    let muted = pen.look.theme.style(Role::Muted);
    let accent = pen.look.theme.style(Role::Accent).add_modifier(Modifier::BOLD);
    let mut x = area.x;
    let mut previous = None;
    for tab in Tab::ALL {
        let separator = match (previous == Some(active), tab == active) {
            (_, true) => "[",
            (true, false) => "]",
            (false, false) => " ",
        };
        x += pen.text(x, area.y, area.right().saturating_sub(x), separator, accent);
        let style = match firing {
            _ if tab == active => accent,
            Some((1.., critical)) if tab == Tab::Alerts => {
                pen.look
                    .theme
                    .style(if critical { Role::Bad } else { Role::Warn })
            }
            _ => muted,
        };
        let label = label(pen, tab, active, form, firing);
        let wide = pen.text(x, area.y, area.right().saturating_sub(x), &label, style);
        pen.note(Rect::new(x, area.y, wide, 1), Hit::Tab(tab));
        x += wide;
        previous = Some(tab);
    }
    if previous == Some(active) {
        pen.text(x, area.y, area.right().saturating_sub(x), "]", accent);
    }
}
