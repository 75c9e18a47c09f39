//! The tab bar in three forms; the longest that fits wins. Brackets take the place of the separating blanks, so the bar
//! does not shift when the tab changes.

use ratatui::layout::Rect;
use ratatui::style::Modifier;

use crate::app::Tab;
use crate::text;
use crate::theme::Role;
use crate::ui::pen::Pen;

/// How much of the names is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Full,
    Short,
    Keys,
}

fn label(pen: &Pen<'_>, tab: Tab, active: Tab, form: Form) -> String {
    let texts = pen.look.texts();
    match form {
        Form::Full => format!("{} {}", tab.key(), texts.tab(tab)),
        Form::Short => format!("{} {}", tab.key(), texts.short_tab(tab)),
        Form::Keys if tab == active => format!("{} {}", tab.key(), texts.tab(tab)),
        Form::Keys => tab.key().to_string(),
    }
}

/// Draws the bar into the first row of an area.
pub fn tabs(pen: &mut Pen<'_>, area: Rect, active: Tab) {
    let columns = |pen: &Pen<'_>, form| -> usize {
        Tab::ALL
            .into_iter()
            .map(|tab| text::width(&label(pen, tab, active, form)) + 1)
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
        let style = if tab == active { accent } else { muted };
        let label = label(pen, tab, active, form);
        x += pen.text(x, area.y, area.right().saturating_sub(x), &label, style);
        previous = Some(tab);
    }
    if previous == Some(active) {
        pen.text(x, area.y, area.right().saturating_sub(x), "]", accent);
    }
}
