//! The source tables in memory: the history's actions are carried out here, and the end of them is what is loaded.

use std::collections::BTreeMap;

use instashop_core::table::Table;

use super::action::Action;
use super::row::{
    BuyerRow, CarrierRow, CustomerRow, InteractionRow, LineRow, MembershipRow, OrderRow, ProductRow,
    SegmentRow, ShipmentRow, StockRow,
};

/// All thirteen tables. Rows that never change again are kept as COPY text at once.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    customers: BTreeMap<i64, CustomerRow>,
    buyers: BTreeMap<i64, BuyerRow>,
    products: BTreeMap<i64, ProductRow>,
    orders: BTreeMap<i64, OrderRow>,
    lines: BTreeMap<i64, LineRow>,
    behaviour: Vec<u8>,
    interactions: BTreeMap<i64, InteractionRow>,
    segments: Vec<SegmentRow>,
    memberships: BTreeMap<i64, MembershipRow>,
    stock: BTreeMap<i64, StockRow>,
    movements: Vec<u8>,
    carriers: Vec<CarrierRow>,
    shipments: BTreeMap<i64, ShipmentRow>,
    rows: BTreeMap<Table, u64>,
}

impl Ledger {
    /// Carries out an action. What names a row that is not there changes nothing.
    pub(crate) fn apply(&mut self, action: Action) {
        match action {
            Action::OpenStore(row) => {
                self.customers.insert(row.id, row);
            }
            Action::ChangePlan { store, plan } => {
                if let Some(row) = self.customers.get_mut(&store) {
                    row.plan = plan;
                }
            }
            Action::SignUp(row) => {
                self.buyers.insert(row.id, row);
            }
            Action::Move { buyer, address } => {
                if let Some(row) = self.buyers.get_mut(&buyer) {
                    row.address = address;
                }
            }
            Action::DeleteBuyer(buyer) => {
                self.buyers.remove(&buyer);
            }
            Action::OfferProduct(row) => {
                self.products.insert(row.id, row);
            }
            Action::Reprice { product, price } => {
                if let Some(row) = self.products.get_mut(&product) {
                    row.price = price;
                }
            }
            Action::Refile { product, category } => {
                if let Some(row) = self.products.get_mut(&product) {
                    category.clone_into(&mut row.category);
                }
            }
            Action::Relist { product, status } => {
                if let Some(row) = self.products.get_mut(&product) {
                    row.status = status;
                }
            }
            Action::PlaceOrder { order, lines } => {
                self.orders.insert(order.id, order);
                self.lines.extend(lines.into_iter().map(|line| (line.id, line)));
            }
            Action::AddLines(lines) => self.lines.extend(lines.into_iter().map(|line| (line.id, line))),
            Action::Resolve { order, from, to } => {
                if let Some(row) = self.orders.get_mut(&order).filter(|row| row.status == from) {
                    row.status = to;
                }
            }
            Action::ChangeLine {
                line,
                quantity,
                order,
                total,
            } => {
                if let (Some(line), Some(order)) = (self.lines.get_mut(&line), self.orders.get_mut(&order)) {
                    line.quantity = quantity;
                    order.total = total;
                }
            }
            Action::DropLine { line, order, total } => {
                if let Some(order) = self
                    .orders
                    .get_mut(&order)
                    .filter(|_| self.lines.remove(&line).is_some())
                {
                    order.total = total;
                }
            }
            Action::DeleteOrder(order) => {
                self.orders.remove(&order);
                self.lines.retain(|_, line| line.order != order);
            }
            Action::Behave(row) => {
                row.copy(&mut self.behaviour);
                *self.rows.entry(Table::UserBehavior).or_default() += 1;
            }
            // Behaviour and movements of the history are kept as text; nothing in a history deletes them.
            Action::Forget(_) => {}
            Action::Contact(row) => {
                self.interactions.insert(row.id, row);
            }
            Action::Answer { interaction, status } => {
                if let Some(row) = self.interactions.get_mut(&interaction) {
                    row.status = status;
                }
            }
            Action::Join(row) => {
                self.memberships.insert(row.id, row);
            }
            Action::Leave(membership) => {
                self.memberships.remove(&membership);
            }
            Action::Store(row) => {
                self.stock.insert(row.id, row);
            }
            Action::MoveGoods {
                stock,
                delta,
                movement,
            } => {
                if let Some(row) = self.stock.get_mut(&stock) {
                    row.available += delta;
                }
                movement.copy(&mut self.movements);
                *self.rows.entry(Table::InventoryMovement).or_default() += 1;
            }
            Action::Ship(row) => {
                self.shipments.insert(row.id, row);
            }
            Action::Track { shipment, status } => {
                if let Some(row) = self.shipments.get_mut(&shipment) {
                    row.status = status;
                }
            }
            Action::Promise { shipment, at } => {
                if let Some(row) = self.shipments.get_mut(&shipment) {
                    row.promised = at;
                }
            }
            Action::Unship(order) => self.shipments.retain(|_, row| row.order != order),
        }
    }

    /// Adds what no action makes: segments and carriers are there from the beginning.
    pub(crate) fn found(&mut self, segments: Vec<SegmentRow>, carriers: Vec<CarrierRow>) {
        self.segments = segments;
        self.carriers = carriers;
    }

    /// Orders by id.
    pub(crate) fn orders(&self) -> impl Iterator<Item = &OrderRow> {
        self.orders.values()
    }

    /// Lines by id.
    #[cfg(test)]
    pub(crate) fn lines(&self) -> impl Iterator<Item = &LineRow> {
        self.lines.values()
    }

    /// Stock rows by id.
    #[cfg(test)]
    pub(crate) fn stock(&self) -> impl Iterator<Item = &StockRow> {
        self.stock.values()
    }

    /// Shipments by id.
    #[cfg(test)]
    pub(crate) fn shipments(&self) -> impl Iterator<Item = &ShipmentRow> {
        self.shipments.values()
    }

    /// Number of rows of a table.
    pub(crate) fn rows(&self, table: Table) -> u64 {
        match table {
            Table::Customer => self.customers.len() as u64,
            Table::Buyer => self.buyers.len() as u64,
            Table::Product => self.products.len() as u64,
            Table::Transaction => self.orders.len() as u64,
            Table::TransactionDetail => self.lines.len() as u64,
            Table::Interaction => self.interactions.len() as u64,
            Table::Segment => self.segments.len() as u64,
            Table::CustomerSegment => self.memberships.len() as u64,
            Table::Stock => self.stock.len() as u64,
            Table::Carrier => self.carriers.len() as u64,
            Table::Shipment => self.shipments.len() as u64,
            Table::UserBehavior | Table::InventoryMovement => self.rows.get(&table).copied().unwrap_or(0),
        }
    }

    /// The rows of a table as COPY text, in the order of their keys.
    pub(crate) fn copy_text(&self, table: Table) -> Vec<u8> {
        let mut out = Vec::new();
        match table {
            Table::Customer => self.customers.values().for_each(|row| row.copy(&mut out)),
            Table::Buyer => self.buyers.values().for_each(|row| row.copy(&mut out)),
            Table::Product => self.products.values().for_each(|row| row.copy(&mut out)),
            Table::Transaction => self.orders.values().for_each(|row| row.copy(&mut out)),
            Table::TransactionDetail => self.lines.values().for_each(|row| row.copy(&mut out)),
            Table::UserBehavior => out.clone_from(&self.behaviour),
            Table::Interaction => self.interactions.values().for_each(|row| row.copy(&mut out)),
            Table::Segment => self.segments.iter().for_each(|row| row.copy(&mut out)),
            Table::CustomerSegment => self.memberships.values().for_each(|row| row.copy(&mut out)),
            Table::Stock => self.stock.values().for_each(|row| row.copy(&mut out)),
            Table::InventoryMovement => out.clone_from(&self.movements),
            Table::Carrier => self.carriers.iter().for_each(|row| row.copy(&mut out)),
            Table::Shipment => self.shipments.values().for_each(|row| row.copy(&mut out)),
        }
        out
    }
}
