//! The Sales tab: complete days of a range against the days before, from the warehouse.

pub(super) mod figures;
pub(super) mod heat;
pub(super) mod latest;
pub(super) mod ranking;
pub(super) mod regions;
pub(super) mod trend;

use super::frame::{Head, View};
use super::layout::Panel;
use crate::snapshot::StoreName;
use crate::theme::Role;

/// What the rows of a panel are found by, while there is something.
fn find_note(view: &View<'_>, panel: Panel) -> Option<(String, Option<Role>)> {
    let find = view.app.filter(panel);
    let is_typing = matches!(&view.app.overlay, Some(crate::app::Overlay::Filter(open)) if *open == panel);
    let cursor = if is_typing { "_" } else { "" };
    (is_typing || !find.is_empty()).then(|| (format!("/{find}{cursor}"), Some(Role::Accent)))
}

fn head<'t>(view: &View<'_>, panel: Panel, title: &'t str, notes: Vec<(String, Option<Role>)>) -> Head<'t> {
    Head {
        panel,
        title,
        marks: "◆",
        notes,
        condition: view.data.sales_condition(view.app.days(), view.now),
        store: StoreName::Warehouse,
    }
}
