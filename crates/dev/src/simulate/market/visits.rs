//! Visits under way: who comes, and one behaviour row after the other.

use chrono::{DateTime, Utc};
use instashop_core::table::Table;

use super::{Market, seconds};
use crate::simulate::action::Action;
use crate::simulate::behaviour::{Step, Visit};
use crate::simulate::geography::province_of;
use crate::simulate::row::BehaviourRow;
use crate::simulate::shop::Channel;

/// How many rows of carts are remembered for being deleted.
const CART_ROWS: usize = 500;

impl Market {
    /// Somebody comes to the given store or to one that is drawn, and sees its first page.
    pub(crate) fn begin_visit(&mut self, store: Option<i64>, now: DateTime<Utc>) {
        let Some(store) = store.or_else(|| self.draw_store(now)) else {
            return;
        };
        let Some(buyer) = self.draw_buyer(store, Channel::Web, now) else {
            return;
        };
        let region = self
            .shop
            .buyer(buyer)
            .map_or("unknown", |buyer| province_of(&buyer.address));
        let visit = Visit::plan(&self.shop, buyer, store, region, &mut self.dice);
        self.last_visit.insert((buyer, store), now);
        let id = self.next_visit;
        self.next_visit += 1;
        self.visits.insert(id, visit);
        self.step(id, now);
    }

    /// Takes the next step of a visit and enters the one after it.
    pub(super) fn step(&mut self, id: u64, now: DateTime<Utc>) {
        let Some(visit) = self.visits.get_mut(&id) else {
            return;
        };
        let Some((_, step)) = visit.steps.pop_front() else {
            self.visits.remove(&id);
            return;
        };
        visit.take(&step);
        self.last_visit.insert((visit.buyer, visit.store), now);
        if step == Step::Order {
            self.check_out(id, now);
            return;
        }
        let next = visit.steps.front().map(|(gap, _)| *gap);
        let row = step.event().map(|event| {
            let metadata = visit.metadata(&step);
            (
                event,
                step.product(),
                visit.store,
                visit.session.clone(),
                metadata,
            )
        });
        match next {
            Some(gap) => self.steps.push(now + seconds(gap), id),
            None => {
                self.visits.remove(&id);
            }
        }
        let Some((event, product, store, session, metadata)) = row else {
            return;
        };
        let Some(row) = self.ids.take(Table::UserBehavior) else {
            return;
        };
        if event == "add_to_cart" {
            self.cart_rows.push_back(row);
            if self.cart_rows.len() > CART_ROWS {
                self.cart_rows.pop_front();
            }
        }
        self.counts.behaviour += 1;
        self.act(Action::Behave(BehaviourRow {
            id: row,
            store,
            event,
            product,
            session,
            at: now,
            metadata,
        }));
    }
}
