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
