//! The panel with the focus, and what it can do.

use super::{App, Here, Overlay, Subject, Tab};
use instashop_core::view::OrdersOf;

use crate::board::{self, Piece};
use crate::courses;
use crate::keys::Action;
use crate::metrics::Metric;
use crate::sheet::Content;
use crate::snapshot::sales::{latest, ranked};
use crate::snapshot::{PartFailure, PartName, StoreName};
use crate::ui::layout::{self, Kind, Panel};

impl App {
    /// Visible panels of the tab, in the order of the focus.
    pub fn panels(&self) -> Vec<Panel> {
        layout::panels(self.tab, self.size)
            .into_iter()
            .map(|(panel, _)| panel)
            .collect()
    }

    /// The panel with the focus: the chosen one, or the first that is visible.
    pub fn focused(&self) -> Option<Panel> {
        let panels = self.panels();
        let chosen = self.focus.get(&self.tab).copied();
        chosen
            .filter(|panel| panels.contains(panel))
            .or_else(|| panels.first().copied())
    }

    /// The metric that the focus is on.
    pub fn explained(&self) -> Option<Subject> {
        let panel = self.focused()?;
        let tiles: &[Metric] = match panel {
            Panel::Tiles => &Metric::LIVE_TILES,
            Panel::Figures => &Metric::SALES_TILES,
            Panel::Of(piece) => return Some(Subject::Catalogued(self.catalogued(piece))),
            Panel::Regions => return Some(Subject::Catalogued("sales_by_region")),
            Panel::Doing => return Some(Subject::Catalogued("live_carts")),
            Panel::Firing => return Some(Subject::Catalogued("service_state")),
            _ => return Some(Subject::Own(panel.metric())),
        };
        tiles
            .get(self.tile().min(tiles.len() - 1))
            .copied()
            .map(Subject::Own)
    }

    /// The metric of a panel over the marts: that of the selected figure, else its own.
    fn catalogued(&self, piece: Piece) -> &'static str {
        match board::sheet(self, piece).map(|sheet| sheet.content) {
            Some(Content::Figures(figures)) => figures
                .get(self.tile().min(figures.len().saturating_sub(1)))
                .map_or(piece.kpi(), |figure| figure.kpi),
            _ => piece.kpi(),
        }
    }

    /// What the focused panel can do: asked once for many actions, because the panel is made for it.
    pub fn here(&self) -> Here {
        let Some(panel) = self.focused() else {
            return Here::default();
        };
        let Panel::Of(piece) = panel else {
            return Here {
                figures: match panel {
                    Panel::Tiles => Metric::LIVE_TILES.len(),
                    Panel::Figures => Metric::SALES_TILES.len(),
                    _ => 0,
                },
                sorts: panel.sorts(),
                scrolls: panel.scrolls(),
                filters: panel.filters(),
                drills: self.selected_sale().is_some(),
                charts: courses::of(self, panel).is_some(),
            };
        };
        match board::sheet(self, piece).map(|sheet| sheet.content) {
            Some(Content::Figures(figures)) => Here {
                figures: figures.len(),
                ..Here::default()
            },
            Some(Content::Table(table)) => Here {
                sorts: table.sorts.len(),
                scrolls: table.selects,
                filters: table.selects,
                drills: table.rows.iter().any(|row| row.target.is_some()),
                ..Here::default()
            },
            Some(Content::Course(_)) => Here {
                charts: true,
                ..Here::default()
            },
            _ => Here::default(),
        }
    }

    /// The orders behind the selected row of the Sales tab: those of a category, or one with its lines.
    pub fn selected_sale(&self) -> Option<OrdersOf> {
        let panel = self.focused()?;
        let (data, _) = self.shown();
        let sales = data.sales.get()?;
        let (find, at) = (self.filter(panel), self.scrolled(panel));
        match panel {
            Panel::Latest => {
                let rows = latest(sales, find);
                let order = rows.get(at.min(rows.len().checked_sub(1)?))?;
                Some(OrdersOf::Order(order.order_id))
            }
            Panel::Ranking => {
                let rows = ranked(&sales.categories, find, self.order(panel));
                let row = rows.get(at.min(rows.len().checked_sub(1)?))?;
                Some(OrdersOf::Category(row.category.clone()))
            }
            _ => None,
        }
    }

    /// Whether an action does something here.
    pub fn works(&self, action: Action) -> bool {
        self.works_in(&self.here(), action)
    }

    /// Whether an action does something in a panel that can do this.
    pub fn works_in(&self, here: &Here, action: Action) -> bool {
        let full = layout::kind(self.size) == Kind::Full;
        let ranged = !matches!(
            self.tab,
            Tab::Live | Tab::System | Tab::Alerts | Tab::Inventory | Tab::Stores
        );
        match action {
            Action::Sort | Action::Reverse => here.sorts > 0 && full,
            Action::Filter => here.filters && full,
            Action::Display => self.focused().is_some_and(|panel| self.displays_of(panel) > 1) && full,
            Action::Range => ranged,
            Action::Compare => board::topic(self.tab).is_some() && ranged,
            Action::Scope => board::topic(self.tab).is_some(),
            Action::Acknowledge | Action::Silence => false,
            Action::Detail => self.failed_store().is_some() || here.drills,
            Action::Left | Action::Right => here.figures > 0 || (here.charts && self.cursor.is_some()),
            Action::Cursor | Action::Closer | Action::Wider => here.charts && full,
            Action::PanBack | Action::PanForward => (here.charts && full) || self.tab.goes_back(),
            Action::Earlier | Action::Travel => self.tab.goes_back(),
            Action::Later => self.past.is_some(),
            Action::Present => self.cursor.is_some() || !self.spans.is_empty() || self.past.is_some(),
            Action::Up | Action::Down | Action::First | Action::Last | Action::PageUp | Action::PageDown => {
                here.scrolls
                    || (here.charts && self.cursor.is_some())
                    || matches!(self.overlay, Some(Overlay::Help(_)))
            }
            Action::NextPanel | Action::PreviousPanel | Action::Zoom | Action::Explain => full,
            Action::Back => {
                self.cursor.is_some() || self.zoom || self.overlay.is_some() || self.frozen.is_some()
            }
            _ => true,
        }
    }

    /// How many displays a panel has at this size.
    pub fn displays_of(&self, panel: Panel) -> usize {
        let visible = |other: Panel| self.panels().contains(&other);
        match panel {
            Panel::Minutes if !visible(Panel::Hours) => 2,
            Panel::Latency if !visible(Panel::WarehouseLatency) => 2,
            Panel::Payments | Panel::Categories | Panel::Trend => 2,
            _ => 1,
        }
    }

    /// The store whose failure can be shown: one that does not answer, or that does not answer this tab.
    pub fn failed_store(&self) -> Option<StoreName> {
        let failed = |store: &StoreName| self.snapshot.link(*store).down.is_some();
        let away = [StoreName::Redis, StoreName::Warehouse].into_iter().find(failed);
        away.or_else(|| self.failed_part().map(|_| StoreName::Warehouse))
    }

    /// Why the warehouse does not answer the visible tab, while it answers others.
    pub fn failed_part(&self) -> Option<&PartFailure> {
        let name = match self.tab {
            Tab::Sales => PartName::Sales,
            tab => PartName::Board(board::topic(tab)?),
        };
        let (data, _) = self.shown();
        data.failed.get(&name).filter(|_| data.warehouse.down.is_none())
    }
}
