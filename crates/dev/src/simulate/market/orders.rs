//! Orders from the basket until they are decided: who buys what, how it is placed and changed.

use chrono::{DateTime, Utc};
use instashop_core::money::Cents;
use instashop_core::table::Table;

use super::{FollowUp, Market, is_member, seconds};
use crate::simulate::action::{Action, PENDING};
use crate::simulate::behaviour::Step;
use crate::simulate::order::{Basket, Fate, Item, Method, Moment, total};
use crate::simulate::row::{LineRow, OrderRow};
use crate::simulate::shop::Channel;

/// An order about to be placed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Checkout {
    pub(super) buyer: i64,
    pub(super) store: i64,
    pub(super) basket: Basket,
    /// How it is paid; nothing means the buyer still chooses.
    pub(super) method: Option<Method>,
    /// Attempts before this one.
    pub(super) attempts: u32,
    /// The visit it belongs to.
    pub(super) visit: Option<u64>,
}

/// An order to which something can still happen.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) id: i64,
    pub(super) buyer: i64,
    pub(super) store: i64,
    pub(super) lines: Vec<LineRow>,
    pub(super) discount: i64,
    pub(super) method: Method,
    pub(super) attempts: u32,
    pub(super) visit: Option<u64>,
    pub(super) fate: Fate,
    pub(super) reserved: bool,
    pub(super) shipment: Option<i64>,
    /// Follow-ups that name this order; it is forgotten with the last of them.
    pub(super) open: u32,
}

impl Order {
    pub(super) fn items(&self) -> Vec<Item> {
        self.lines
            .iter()
            .map(|line| Item {
                product: line.product,
                quantity: line.quantity,
                price: line.price,
            })
            .collect()
    }

    fn total(&self) -> Cents {
        total(&self.items(), self.discount)
    }
}

impl Market {
    /// A buyer orders by chat or telephone, in the given store or in one that is drawn. Nothing happens when nobody or
    /// nothing suitable is found.
    pub(crate) fn order_by_chat(&mut self, store: Option<i64>, now: DateTime<Utc>) {
        let Some(store) = store.or_else(|| self.draw_store(now)) else {
            return;
        };
        let Some(basket) = self.basket(store, now) else {
            return;
        };
        let new = self.dice.chance(self.habits.sign_up_rate);
        let buyer = if new {
            self.sign_up()
        } else {
            self.draw_buyer(store, Channel::Chat, now)
        };
        let Some(buyer) = buyer else { return };
        self.place(
            &Checkout {
                buyer,
                store,
                basket,
                method: None,
                attempts: 0,
                visit: None,
            },
            now,
        );
    }

    fn basket(&mut self, store: i64, now: DateTime<Utc>) -> Option<Basket> {
        let moment = Moment {
            shop: &self.shop,
            shelf: &self.shelf,
            programme: &self.programme,
            now,
        };
        moment.basket(store, &mut self.dice)
    }

    /// Makes an order of a visit's cart and puts it into the queue.
    pub(super) fn check_out(&mut self, id: u64, now: DateTime<Utc>) {
        let Some(visit) = self.visits.get(&id) else { return };
        let (buyer, store, cart) = (visit.buyer, visit.store, visit.cart.clone());
        let moment = Moment {
            shop: &self.shop,
            shelf: &self.shelf,
            programme: &self.programme,
            now,
        };
        let Some(basket) = moment.checkout(store, &cart, &mut self.dice) else {
            self.visits.remove(&id);
            return;
        };
        let checkout = Checkout {
            buyer,
            store,
            basket,
            method: None,
            attempts: 0,
            visit: Some(id),
        };
        self.checkouts.push(now, checkout);
    }

    /// A store for an order, weighted by what is planted at the moment.
    pub(super) fn draw_store(&mut self, now: DateTime<Utc>) -> Option<i64> {
        for _ in 0..6 {
            let store = self.shop.draw_store(&mut self.dice)?.id;
            if self.dice.chance(self.programme.demand(store, now) / 2.0) {
                return Some(store);
            }
        }
        self.shop.draw_store(&mut self.dice).map(|store| store.id)
    }

    pub(super) fn draw_buyer(&mut self, store: i64, channel: Channel, now: DateTime<Utc>) -> Option<i64> {
        let among = self.known_buyers(now);
        let rest = self.habits.buyer_rest;
        let (tenure, shop, last_order, last_visit) =
            (self.tenure, &self.shop, &self.last_order, &self.last_visit);
        let rested = shop.draw_buyer(store, channel, among, &mut self.dice, |nth, buyer| {
            let visited = channel == Channel::Web
                && last_visit
                    .get(&(buyer.id, store))
                    .is_some_and(|at| now - *at < super::VISIT_REST);
            !visited
                && last_order.get(&buyer.id).is_none_or(|at| now - *at >= rest)
                && is_member(tenure, shop, nth, buyer, now)
        });
        if let Some(buyer) = rested {
            return Some(buyer.id);
        }
        shop.draw_buyer(store, channel, among, &mut self.dice, |nth, buyer| {
            is_member(tenure, shop, nth, buyer, now)
        })
        .map(|buyer| buyer.id)
    }

    /// Places an order: header and lines, the goods reserved, and what is to follow.
    pub(super) fn place(&mut self, checkout: &Checkout, now: DateTime<Utc>) {
        let items = &checkout.basket.items;
        if items
            .iter()
            .any(|item| self.shelf.free(item.product) < i64::from(item.quantity))
        {
            if let Some(visit) = checkout.visit {
                self.visits.remove(&visit);
            }
            return;
        }
        let Some(id) = self.ids.take(Table::Transaction) else {
            return;
        };
        let mut lines = Vec::with_capacity(items.len());
        for item in items {
            let Some(line) = self.ids.take(Table::TransactionDetail) else {
                return;
            };
            lines.push(LineRow {
                id: line,
                order: id,
                product: item.product,
                quantity: item.quantity,
                price: item.price,
            });
        }
        for item in items {
            self.shelf.reserve(item.product, i64::from(item.quantity));
        }
        let method = checkout.method.unwrap_or_else(|| Method::draw(&mut self.dice));
        let row = OrderRow {
            id,
            buyer: checkout.buyer,
            store: checkout.store,
            placed: now,
            total: total(items, checkout.basket.discount),
            method: method.column(&mut self.dice),
            status: PENDING,
        };
        let fate = self.fate(method, checkout, now);
        let wait = match fate {
            Fate::Paid | Fate::Declined => self.habits.settle(method, &mut self.dice),
            Fate::CalledOff => self.habits.call_off(&mut self.dice),
            Fate::Abandoned => self.habits.abandon(&mut self.dice),
        };
        self.counts.orders += 1;
        self.last_order.insert(checkout.buyer, now);
        let split = self.dice.chance(self.habits.lines_later_rate);
        self.act(Action::PlaceOrder {
            order: row,
            lines: if split { Vec::new() } else { lines.clone() },
        });
        self.orders.insert(
            id,
            Order {
                id,
                buyer: checkout.buyer,
                store: checkout.store,
                lines,
                discount: checkout.basket.discount,
                method,
                attempts: checkout.attempts,
                visit: checkout.visit,
                fate,
                reserved: true,
                shipment: None,
                open: 0,
            },
        );
        if split {
            let gap = self.habits.lines_later.draw(&mut self.dice).min(wait / 2);
            self.later_for(id, now + gap, FollowUp::Lines(id));
        }
        if self.dice.chance(self.habits.line_change_rate) {
            self.later_for(id, now + wait * 3 / 4, FollowUp::Rework(id));
        }
        self.later_for(id, now + wait, FollowUp::Settle(id));
        if let Some(visit) = checkout.visit.filter(|_| fate != Fate::Declined) {
            self.thank(visit, id, now);
        }
    }

    fn fate(&mut self, method: Method, checkout: &Checkout, now: DateTime<Utc>) -> Fate {
        let mut failure = self.programme.failure_rate(method, checkout.store, now);
        if checkout.attempts > 0 && failure < 0.5 {
            // Whoever tries again has mostly found out why.
            failure *= 2.0;
        }
        if self.dice.chance(failure) {
            return Fate::Declined;
        }
        if self.dice.chance(self.habits.called_off_rate) {
            return Fate::CalledOff;
        }
        if self.dice.chance(self.habits.abandoned_rate) {
            return Fate::Abandoned;
        }
        Fate::Paid
    }

    fn thank(&mut self, visit: u64, order: i64, now: DateTime<Utc>) {
        if let Some(under_way) = self.visits.get_mut(&visit) {
            let pause = self.dice.real(1.5, 7.0);
            under_way.steps.push_back((0.0, Step::Purchase { order }));
            self.steps.push(now + seconds(pause), visit);
        }
    }

    pub(super) fn later_for(&mut self, order: i64, due: DateTime<Utc>, follow_up: FollowUp) {
        if let Some(order) = self.orders.get_mut(&order) {
            order.open += 1;
        }
        self.later(due, follow_up);
    }

    /// Takes one follow-up off an order's account and gives the order; forgets it with the last one.
    pub(super) fn account(&mut self, id: i64) -> Option<Order> {
        let order = self.orders.get_mut(&id)?;
        order.open = order.open.saturating_sub(1);
        if order.open == 0 {
            return self.orders.remove(&id);
        }
        Some(order.clone())
    }

    pub(super) fn restore(&mut self, order: Order) {
        self.orders.insert(order.id, order);
    }

    pub(super) fn add_lines(&mut self, id: i64) {
        if let Some(order) = self.account(id) {
            self.act(Action::AddLines(order.lines));
        }
    }

    /// Changes an unpaid order: another quantity on one line or, of several lines, one less.
    pub(super) fn rework(&mut self, id: i64) {
        let Some(mut order) = self.account(id) else { return };
        let at = self.dice.between(0, order.lines.len() as i64 - 1) as usize;
        if order.lines.len() > 1 && self.dice.chance(0.4) {
            let line = order.lines.remove(at);
            self.shelf.release(line.product, i64::from(line.quantity));
            self.act(Action::DropLine {
                line: line.id,
                order: id,
                total: order.total(),
            });
        } else {
            let line = &mut order.lines[at];
            if self.shelf.free(line.product) < 1 {
                return;
            }
            line.quantity += 1;
            let (line, product, quantity) = (line.id, line.product, line.quantity);
            self.shelf.reserve(product, 1);
            self.act(Action::ChangeLine {
                line,
                quantity,
                order: id,
                total: order.total(),
            });
        }
        if let Some(kept) = self.orders.get_mut(&id) {
            kept.lines = order.lines;
        }
    }
}
