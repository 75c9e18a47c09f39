//! What becomes of an order: paid, declined, called off, paid back, deleted.

use chrono::{DateTime, Utc};

use super::orders::{Checkout, Order};
use super::{FollowUp, Market, seconds};
use crate::simulate::action::{Action, CANCELLED, CHARGEBACK, COMPLETED, FAILED, PENDING, REFUNDED};
use crate::simulate::order::{Basket, Fate, Method};

/// Most attempts to pay one basket.
const MOST_ATTEMPTS: u32 = 4;

/// Share of the paid-back orders whose goods come back.
const GIVES_BACK: f64 = 0.7;

/// Share of the paid orders that are delivered; the others are services, vouchers and the like.
const SHIPPED: f64 = 0.94;

impl Market {
    /// Decides an unpaid order.
    pub(super) fn settle(&mut self, id: i64, now: DateTime<Utc>) {
        let Some(mut order) = self.account(id) else { return };
        if order.reserved {
            for line in &order.lines {
                self.shelf.release(line.product, i64::from(line.quantity));
            }
            order.reserved = false;
        }
        if let Some(kept) = self.orders.get_mut(&id) {
            kept.reserved = false;
        }
        let to = match order.fate {
            Fate::Paid => COMPLETED,
            Fate::Declined => FAILED,
            Fate::CalledOff | Fate::Abandoned => CANCELLED,
        };
        self.act(Action::Resolve {
            order: id,
            from: PENDING,
            to,
        });
        match order.fate {
            Fate::Paid => self.paid(order, now),
            Fate::Declined => self.declined(&order, now),
            Fate::CalledOff | Fate::Abandoned => {
                if self.dice.chance(0.1) {
                    let due = now + self.habits.contact.draw(&mut self.dice);
                    self.later(due, FollowUp::Contact(order.store, "inquiry"));
                }
            }
        }
    }

    fn paid(&mut self, mut order: Order, now: DateTime<Utc>) {
        let (id, store) = (order.id, order.store);
        for line in &order.lines {
            self.sell(line.product, i64::from(line.quantity), now);
        }
        if self.dice.chance(SHIPPED) {
            order.shipment = self.ship(order.id, order.buyer, now);
        }
        self.restore(order);
        let mut ends = true;
        if self.dice.chance(self.habits.refund_rate) {
            let due = now + self.habits.refund.draw(&mut self.dice);
            self.later_for(id, due, FollowUp::Reverse(id, REFUNDED));
            ends = false;
        } else if self.dice.chance(self.habits.chargeback_rate) {
            let due = now + self.habits.chargeback.draw(&mut self.dice);
            self.later_for(id, due, FollowUp::Reverse(id, CHARGEBACK));
            ends = false;
        } else if self.dice.chance(self.habits.delete_rate) {
            let due = now + self.habits.delete.draw(&mut self.dice);
            self.later_for(id, due, FollowUp::Delete(id));
            ends = false;
        }
        if ends && self.orders.get(&id).is_some_and(|order| order.open == 0) {
            self.orders.remove(&id);
        }
        for (rate, kind) in [
            (self.habits.complaint_rate, "complaint"),
            (self.habits.contact_rate, "inquiry"),
        ] {
            if self.dice.chance(rate) {
                let due = now + self.habits.contact.draw(&mut self.dice);
                self.later(due, FollowUp::Contact(store, kind));
            }
        }
    }

    fn declined(&mut self, order: &Order, now: DateTime<Utc>) {
        let again = order.attempts + 1 < MOST_ATTEMPTS && self.dice.chance(self.habits.retry_rate);
        if !again {
            if let Some(visit) = order.visit {
                self.visits.remove(&visit);
            }
            return;
        }
        let method = if self.dice.chance(0.35) {
            Method::draw(&mut self.dice)
        } else {
            order.method
        };
        let due = now + self.habits.retry.draw(&mut self.dice);
        self.checkouts.push(
            due,
            Checkout {
                buyer: order.buyer,
                store: order.store,
                basket: Basket {
                    items: order.items(),
                    discount: order.discount,
                },
                method: Some(method),
                attempts: order.attempts + 1,
                visit: order.visit,
            },
        );
    }

    /// A paid order is paid back: a sale on its own day and a reversal on this one.
    pub(super) fn reverse(&mut self, id: i64, status: &'static str, now: DateTime<Utc>) {
        let Some(order) = self.account(id) else { return };
        self.act(Action::Resolve {
            order: id,
            from: COMPLETED,
            to: status,
        });
        let store = order.store;
        if status == REFUNDED && self.dice.chance(GIVES_BACK) {
            self.restore(order);
            let due = now + self.habits.give_back.draw(&mut self.dice);
            self.later_for(id, due, FollowUp::GiveBack(id));
        }
        if self.dice.chance(0.35) {
            let due = now + self.habits.contact.draw(&mut self.dice);
            self.later(due, FollowUp::Contact(store, "complaint"));
        }
    }

    pub(super) fn give_back(&mut self, id: i64, now: DateTime<Utc>) {
        let Some(order) = self.account(id) else { return };
        for line in &order.lines {
            self.take_back(line.product, i64::from(line.quantity), now);
        }
    }

    pub(super) fn delete(&mut self, id: i64) {
        if let Some(order) = self.account(id) {
            self.act(Action::DeleteOrder(id));
            if let Some(shipment) = order.shipment {
                self.act(Action::Unship(id));
                self.unshipped.insert(shipment);
            }
        }
    }

    pub(super) fn settle_foreign(&mut self, order: i64, status: &'static str) {
        self.act(Action::Resolve {
            order,
            from: PENDING,
            to: status,
        });
    }

    /// Takes over orders that are open in the database and nobody here knows: of an earlier run, or of the history.
    pub(crate) fn adopt_pending(&mut self, orders: &[i64], now: DateTime<Utc>) {
        for id in orders {
            if self.orders.contains_key(id) {
                continue;
            }
            let status = if self.dice.chance(0.86) {
                COMPLETED
            } else {
                CANCELLED
            };
            let wait = seconds(self.dice.real(2.0, 90.0));
            self.later(now + wait, FollowUp::SettleForeign(*id, status));
        }
    }

    /// Forgets an order that could not be written, or that somebody deleted.
    pub(crate) fn lose_order(&mut self, id: i64) {
        if let Some(order) = self.orders.remove(&id).filter(|order| order.reserved) {
            for line in &order.lines {
                self.shelf.release(line.product, i64::from(line.quantity));
            }
        }
    }
}
