//! Goods and contacts: stock that goes out and comes in, parcels on their way, letters to the stores.

use chrono::{DateTime, TimeDelta, Utc};
use instashop_core::table::Table;

use super::{FollowUp, Market, seconds};
use crate::simulate::action::Action;
use crate::simulate::fulfilment::{LATE, Shipping};
use crate::simulate::row::{InteractionRow, MovementRow, ShipmentRow};

/// How much is sold, for the size of the suppliers' deliveries.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Demand {
    /// Units a second over all products.
    pub(crate) units_per_second: f64,
}

/// Mean number of units of an order, measured.
pub(crate) const UNITS_PER_ORDER: f64 = 2.6;

/// At how many times the reorder point a delivery is ordered.
const ORDERS_EARLY: f64 = 1.4;

/// A delivery under way that this run did not begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AdoptedShipment {
    pub(crate) shipment: i64,
    pub(crate) dispatched: bool,
}

impl Market {
    /// Goods of a paid order leave the warehouse.
    pub(super) fn sell(&mut self, product: i64, quantity: i64, now: DateTime<Utc>) {
        for (stock, part) in self.shelf.take(product, quantity, now) {
            self.move_goods(stock, product, -part, "sale", now);
            self.reorder(stock, now);
        }
    }

    /// Goods come back from a buyer.
    pub(super) fn take_back(&mut self, product: i64, quantity: i64, now: DateTime<Utc>) {
        if let Some(stock) = self.shelf.first_row(product) {
            self.shelf.put(stock, quantity, now);
            self.move_goods(stock, product, quantity, "return", now);
        }
    }

    /// Goods are broken or lost.
    pub(super) fn shrink(&mut self, now: DateTime<Utc>) {
        let full: Vec<(i64, i64)> = self
            .shelf
            .levels()
            .filter(|level| level.available > 3)
            .map(|level| (level.stock, level.product))
            .collect();
        let Some((stock, product)) = self.dice.choose(&full) else {
            return;
        };
        let quantity = self.dice.between(1, 2);
        self.shelf.put(stock, -quantity, now);
        self.move_goods(stock, product, -quantity, "adjustment", now);
    }

    fn move_goods(&mut self, stock: i64, product: i64, delta: i64, reason: &'static str, now: DateTime<Utc>) {
        let Some(id) = self.ids.take(Table::InventoryMovement) else {
            return;
        };
        self.act(Action::MoveGoods {
            stock,
            delta,
            movement: MovementRow {
                id,
                product,
                at: now,
                direction: if delta < 0 { "out" } else { "in" },
                quantity: delta.abs(),
                reason,
            },
        });
    }

    /// Demand of a product in units a second.
    fn demand_of(&self, product: i64) -> f64 {
        self.demand.units_per_second * self.shop.product_share(product)
    }

    /// Where a row's reorder point and its first filling lie, for a new product: enough for the days the supplier
    /// takes, and for some more.
    pub(crate) fn stocking(&mut self, product: i64) -> (i64, i64) {
        let demand = self.demand_of(product);
        let reorder = (demand * self.habits.reorder_at).ceil().max(3.0) as i64;
        let lot = (demand * self.habits.cover).ceil().max(6.0);
        let filling = reorder + (lot * self.dice.real(0.3, 1.0)).ceil() as i64;
        (reorder, filling)
    }

    /// Orders from the supplier when a row has run low. Now and then the supplier is slow.
    fn reorder(&mut self, stock: i64, now: DateTime<Utc>) {
        let Some(level) = self.shelf.level(stock) else {
            return;
        };
        let (product, available, point, on_order) = (
            level.product,
            level.available,
            level.reorder_point,
            level.on_order,
        );
        let demand = self.demand_of(product);
        // Whoever waits for the reorder point itself is critical until the supplier comes.
        let limit =
            (point.max((demand * self.habits.reorder_at).ceil() as i64) as f64 * ORDERS_EARLY).ceil() as i64;
        if on_order || available > limit {
            return;
        }
        let lot = (demand * self.habits.cover).max(2.0 * point as f64).max(6.0);
        let quantity = (lot * self.dice.real(0.8, 1.3)).ceil() as i64 + (limit - available).max(0);
        let mut wait = self.habits.supply.draw(&mut self.dice);
        if self.dice.chance(self.habits.slow_supply_rate) {
            wait = wait * 3;
        }
        let ready = self
            .programme
            .supply_stops_until(product, now)
            .unwrap_or(now)
            .max(now);
        self.shelf.set_on_order(stock, true);
        self.later(ready + wait, FollowUp::Supply(stock, quantity));
    }

    /// The supplier delivers.
    pub(super) fn supply(&mut self, stock: i64, quantity: i64, now: DateTime<Utc>) {
        self.shelf.set_on_order(stock, false);
        let Some(product) = self.shelf.level(stock).map(|level| level.product) else {
            return;
        };
        if let Some(until) = self.programme.supply_stops_until(product, now) {
            // It was on its way when the supplier stopped.
            self.shelf.set_on_order(stock, true);
            self.later(until, FollowUp::Supply(stock, quantity));
            return;
        }
        self.shelf.put(stock, quantity, now);
        self.move_goods(stock, product, quantity, "restock", now);
    }

    /// A parcel is announced, and its way planned; gives its key.
    pub(super) fn ship(&mut self, order: i64, buyer: i64, now: DateTime<Utc>) -> Option<i64> {
        let id = self.ids.take(Table::Shipment)?;
        let address = self
            .shop
            .buyer(buyer)
            .map_or_else(String::new, |buyer| buyer.address.clone());
        let method = Shipping::draw(&address, &mut self.dice);
        let carrier = if method.has_carrier() {
            self.shop.draw_carrier(&mut self.dice)
        } else {
            None
        };
        let promised = method.promise(&address, now, self.zone);
        self.act(Action::Ship(ShipmentRow {
            id,
            order,
            buyer,
            address,
            method: method.column(),
            status: "pending",
            promised,
            carrier,
        }));
        let slow = carrier.is_some() && carrier == self.shop.slow_carrier();
        let late = self.dice.chance(if slow { LATE.1 } else { LATE.0 });
        let arrival = match self.habits.transit {
            None => Shipping::arrival(now, promised, late, &mut self.dice),
            Some(span) => now + span.draw(&mut self.dice) * if late { 3 } else { 1 },
        };
        let dispatch = (now + self.habits.dispatch.draw(&mut self.dice)).min(now + (arrival - now) / 2);
        let travels = (arrival - dispatch).max(TimeDelta::seconds(1));
        self.later(dispatch, FollowUp::Dispatch(id, travels));
        if self.dice.chance(self.habits.redate_rate) {
            self.later(
                dispatch + travels / 2,
                FollowUp::Redate(id, promised + TimeDelta::days(1)),
            );
        }
        Some(id)
    }

    /// A parcel leaves, and arrives so much later.
    pub(super) fn dispatch(&mut self, shipment: i64, travels: TimeDelta, now: DateTime<Utc>) {
        if self.unshipped.remove(&shipment) {
            return;
        }
        self.act(Action::Track {
            shipment,
            status: "in_transit",
        });
        self.later(now + travels, FollowUp::Deliver(shipment));
    }

    /// A parcel gets another promise.
    pub(super) fn redate(&mut self, shipment: i64, promise: DateTime<Utc>) {
        if !self.unshipped.contains(&shipment) {
            self.act(Action::Promise {
                shipment,
                at: promise,
            });
        }
    }

    /// A parcel arrives.
    pub(super) fn deliver(&mut self, shipment: i64) {
        if !self.unshipped.remove(&shipment) {
            self.act(Action::Track {
                shipment,
                status: "delivered",
            });
        }
    }

    /// Takes over deliveries of an earlier run or of the history, the given ones in the order they are due.
    pub(crate) fn adopt_shipments(&mut self, shipments: &[AdoptedShipment], now: DateTime<Utc>) {
        for (turn, adopted) in shipments.iter().enumerate() {
            let wait = seconds(self.dice.real(3.0, 20.0) + turn as f64 * 1.2);
            if adopted.dispatched {
                self.later(now + wait, FollowUp::Deliver(adopted.shipment));
            } else {
                let travels = seconds(self.dice.real(60.0, 400.0));
                self.later(now + wait, FollowUp::Dispatch(adopted.shipment, travels));
            }
        }
    }

    /// A store is contacted.
    pub(super) fn contact(&mut self, store: i64, kind: &'static str, now: DateTime<Utc>) {
        let Some(id) = self.ids.take(Table::Interaction) else {
            return;
        };
        let kind = if kind == "inquiry" {
            self.dice.pick(&[
                "inquiry",
                "support_ticket",
                "follow_up",
                "feedback",
                "onboarding_call",
            ])
        } else {
            kind
        };
        let channel = self
            .dice
            .pick(&["email", "whatsapp", "phone", "chat", "instagram"]);
        self.act(Action::Contact(InteractionRow {
            id,
            store,
            kind,
            channel,
            at: now,
            status: "open",
        }));
        let due = now + self.habits.answer.draw(&mut self.dice);
        self.later(due, FollowUp::Answer(id, "in_progress"));
    }

    /// A contact goes on: first it is taken up, then closed.
    pub(super) fn answer(&mut self, interaction: i64, status: &'static str, now: DateTime<Utc>) {
        self.act(Action::Answer { interaction, status });
        if status == "in_progress" {
            let due = now + self.habits.answer.draw(&mut self.dice);
            self.later(due, FollowUp::Answer(interaction, "closed"));
        }
    }
}
