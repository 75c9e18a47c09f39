//! The life of the shop: decides what happens, and what follows from it, and says so as actions.
//!
//! Architecture invariant: pure. Everything here follows from the state, the seed and the `now` it is given; nothing
//! reads a clock or a database. The history drives it through simulated time, the live phase through real time.

mod edits;
mod goods;
mod orders;
mod outcomes;
#[cfg(test)]
mod tests;
mod visits;

use std::collections::{HashMap, HashSet, VecDeque};

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use instashop_core::table::Table;

use super::action::Action;
use super::agenda::Agenda;
use super::behaviour::Visit;
use super::dice::Dice;
use super::habits::{Edit, Habits};
use super::ids::Ids;
use super::programme::{Entry, Programme};
use super::shelf::Shelf;
use super::shop::{Buyer, Shop};
use orders::{Checkout, Order};

pub(crate) use edits::{PLANS, buyer_row, store_row};
pub(crate) use goods::{AdoptedShipment, Demand, UNITS_PER_ORDER};

/// Something that follows from what happened.
#[derive(Debug, Clone, Copy, PartialEq)]
enum FollowUp {
    /// The lines of an order that was placed without them.
    Lines(i64),
    /// An unpaid order gets another quantity, or loses a line.
    Rework(i64),
    /// An order is paid, declined or called off.
    Settle(i64),
    /// A paid order is paid back.
    Reverse(i64, &'static str),
    /// The goods of a paid-back order come back.
    GiveBack(i64),
    /// An order is deleted.
    Delete(i64),
    /// A parcel leaves and arrives so much later.
    Dispatch(i64, TimeDelta),
    /// A parcel gets another promise.
    Redate(i64, DateTime<Utc>),
    /// A parcel arrives.
    Deliver(i64),
    /// The supplier delivers to a stock row.
    Supply(i64, i64),
    /// Somebody contacts a store.
    Contact(i64, &'static str),
    /// A contact is taken up, or closed.
    Answer(i64, &'static str),
    /// An order that somebody else left open is settled.
    SettleForeign(i64, &'static str),
    /// One of the changes that come on their own.
    Edit(Edit, f64),
}

/// Who is a buyer when, in a history: some were there before, the others came little by little, and they leave.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tenure {
    /// First instant of the history.
    pub(crate) start: DateTime<Utc>,
    /// Last instant of the history.
    pub(crate) end: DateTime<Utc>,
    /// How many buyers there are at the end.
    pub(crate) buyers: usize,
}

/// Share of the buyers who were there before the history began.
const BUYERS_BEFORE: f64 = 0.4;

impl Tenure {
    /// How many buyers have come by then.
    pub(crate) fn known(&self, at: DateTime<Utc>) -> usize {
        let span = (self.end - self.start).num_seconds().max(1) as f64;
        let gone = ((at - self.start).num_seconds() as f64 / span).clamp(0.0, 1.0);
        ((BUYERS_BEFORE + (1.0 - BUYERS_BEFORE) * gone) * self.buyers as f64) as usize
    }

    /// When the nth buyer came; the start for those who were there before.
    fn joined(&self, nth: usize) -> DateTime<Utc> {
        let place = nth as f64 / self.buyers.max(1) as f64;
        let share = ((place - BUYERS_BEFORE) / (1.0 - BUYERS_BEFORE)).max(0.0);
        self.start + TimeDelta::seconds(((self.end - self.start).num_seconds() as f64 * share) as i64)
    }
}

/// A category of things the caller gates: so many orders and behaviour rows a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counts {
    /// Orders placed.
    pub(crate) orders: u64,
    /// Behaviour rows.
    pub(crate) behaviour: u64,
}

/// The shop with everything under way in it.
#[derive(Debug)]
pub(crate) struct Market {
    pub(crate) shop: Shop,
    pub(crate) shelf: Shelf,
    pub(crate) programme: Programme,
    pub(crate) ids: Ids,
    habits: Habits,
    dice: Dice,
    zone: Tz,
    currency: String,
    tenure: Option<Tenure>,
    demand: Demand,
    follow_ups: Agenda<FollowUp>,
    checkouts: Agenda<Checkout>,
    steps: Agenda<u64>,
    orders: HashMap<i64, Order>,
    visits: HashMap<u64, Visit>,
    next_visit: u64,
    last_visit: HashMap<(i64, i64), DateTime<Utc>>,
    last_order: HashMap<i64, DateTime<Utc>>,
    lurkers: VecDeque<i64>,
    /// People who never order: they are to be deleted, or were.
    aside: HashSet<i64>,
    /// Deliveries that were deleted with their orders.
    unshipped: HashSet<i64>,
    cart_rows: VecDeque<i64>,
    memberships: VecDeque<i64>,
    past_orders: Vec<i64>,
    incidents: Vec<Entry>,
    incident_turn: u64,
    counts: Counts,
    actions: Vec<Action>,
}

/// What a market is made of.
pub(crate) struct Setting {
    pub(crate) shop: Shop,
    pub(crate) habits: Habits,
    pub(crate) ids: Ids,
    pub(crate) dice: Dice,
    pub(crate) zone: Tz,
    pub(crate) currency: String,
    pub(crate) tenure: Option<Tenure>,
    pub(crate) demand: Demand,
}

impl Market {
    /// Opens the market at an instant; the first edits come some time after it.
    pub(crate) fn new(setting: Setting, now: DateTime<Utc>) -> Self {
        let mut market = Self {
            shop: setting.shop,
            shelf: Shelf::default(),
            programme: Programme::default(),
            ids: setting.ids,
            habits: setting.habits,
            dice: setting.dice,
            zone: setting.zone,
            currency: setting.currency,
            tenure: setting.tenure,
            demand: setting.demand,
            follow_ups: Agenda::default(),
            checkouts: Agenda::default(),
            steps: Agenda::default(),
            orders: HashMap::new(),
            visits: HashMap::new(),
            next_visit: 0,
            last_visit: HashMap::new(),
            last_order: HashMap::new(),
            lurkers: VecDeque::new(),
            aside: HashSet::new(),
            unshipped: HashSet::new(),
            cart_rows: VecDeque::new(),
            memberships: VecDeque::new(),
            past_orders: Vec::new(),
            incidents: Vec::new(),
            incident_turn: 0,
            counts: Counts::default(),
            actions: Vec::new(),
        };
        for (edit, mean) in market.habits.edits {
            // The first of a kind comes early, so that a short demonstration sees each.
            let wait = seconds(market.dice.real(0.15, 0.6) * mean);
            market.follow_ups.push(now + wait, FollowUp::Edit(*edit, *mean));
        }
        market
    }

    /// Takes what was decided since the last call.
    pub(crate) fn drain(&mut self) -> Vec<Action> {
        std::mem::take(&mut self.actions)
    }

    /// Takes the incidents that began since the last call.
    pub(crate) fn drain_incidents(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.incidents)
    }

    /// How many orders and behaviour rows were decided so far.
    pub(crate) const fn counts(&self) -> Counts {
        self.counts
    }

    /// How much is under way: orders and visits.
    pub(crate) fn under_way(&self) -> (usize, usize) {
        (self.orders.len(), self.visits.len())
    }

    /// Simulated time: everything due up to `until`, each at the instant it is due.
    pub(crate) fn live_through(&mut self, until: DateTime<Utc>) {
        loop {
            let dues = [
                self.follow_ups.next_due(),
                self.checkouts.next_due(),
                self.steps.next_due(),
            ];
            let Some(first) = dues.into_iter().flatten().min().filter(|first| *first <= until) else {
                return;
            };
            if let Some((at, follow_up)) = self.follow_ups.pop_due(first) {
                self.follow(follow_up, at);
            } else if let Some((at, checkout)) = self.checkouts.pop_due(first) {
                self.place(&checkout, at);
            } else if let Some((at, visit)) = self.steps.pop_due(first) {
                self.step(visit, at);
            }
        }
    }

    /// Real time: what follows from earlier events and is due, at `now`. Stops when keys run short.
    pub(crate) fn follow_up(&mut self, now: DateTime<Utc>) {
        while self.ids.suffice(&Table::ALL) {
            let Some((_, follow_up)) = self.follow_ups.pop_due(now) else {
                return;
            };
            self.follow(follow_up, now);
        }
    }

    /// Real time: up to `wanted` orders at `now`: checkouts and retries that are due, then new orders by chat. Gives
    /// how many were placed.
    pub(crate) fn take_orders(&mut self, wanted: u64, now: DateTime<Utc>) -> u64 {
        let before = self.counts.orders;
        for _ in 0..wanted {
            if !self
                .ids
                .suffice(&[Table::Transaction, Table::TransactionDetail, Table::Buyer])
            {
                break;
            }
            let placed_before = self.counts.orders;
            while self.counts.orders == placed_before {
                let Some((_, checkout)) = self.checkouts.pop_due(now) else {
                    break;
                };
                self.place(&checkout, now);
            }
            // An empty basket or a buyer nobody found is bad luck, not an order: a few more tries.
            for _ in 0..4 {
                if self.counts.orders != placed_before {
                    break;
                }
                self.order_by_chat(None, now);
            }
        }
        self.counts.orders - before
    }

    /// Real time: up to `wanted` behaviour rows at `now`: steps of visits that are due, then new visits. Gives how many
    /// rows there were.
    pub(crate) fn take_behaviour(&mut self, wanted: u64, now: DateTime<Utc>) -> u64 {
        let before = self.counts.behaviour;
        for _ in 0..wanted {
            if !self.ids.suffice(&[Table::UserBehavior]) {
                break;
            }
            let rows_before = self.counts.behaviour;
            while self.counts.behaviour == rows_before {
                let Some((_, visit)) = self.steps.pop_due(now) else {
                    break;
                };
                self.step(visit, now);
            }
            for _ in 0..4 {
                if self.counts.behaviour != rows_before {
                    break;
                }
                self.begin_visit(None, now);
            }
        }
        self.counts.behaviour - before
    }

    fn follow(&mut self, follow_up: FollowUp, now: DateTime<Utc>) {
        match follow_up {
            FollowUp::Lines(order) => self.add_lines(order),
            FollowUp::Rework(order) => self.rework(order),
            FollowUp::Settle(order) => self.settle(order, now),
            FollowUp::Reverse(order, status) => self.reverse(order, status, now),
            FollowUp::GiveBack(order) => self.give_back(order, now),
            FollowUp::Delete(order) => self.delete(order),
            FollowUp::Dispatch(shipment, travels) => self.dispatch(shipment, travels, now),
            FollowUp::Redate(shipment, promise) => self.redate(shipment, promise),
            FollowUp::Deliver(shipment) => self.deliver(shipment),
            FollowUp::Supply(stock, quantity) => self.supply(stock, quantity, now),
            FollowUp::Contact(store, kind) => self.contact(store, kind, now),
            FollowUp::Answer(interaction, status) => self.answer(interaction, status, now),
            FollowUp::SettleForeign(order, status) => self.settle_foreign(order, status),
            FollowUp::Edit(edit, mean) => {
                self.edit(edit, now);
                let wait = seconds(self.dice.exponential(mean).clamp(0.2 * mean, 3.0 * mean));
                self.follow_ups.push(now + wait, FollowUp::Edit(edit, mean));
            }
        }
    }

    fn act(&mut self, action: Action) {
        self.actions.push(action);
    }

    fn later(&mut self, due: DateTime<Utc>, follow_up: FollowUp) {
        self.follow_ups.push(due, follow_up);
    }

    /// How many of the buyers can be drawn now.
    fn known_buyers(&self, now: DateTime<Utc>) -> usize {
        self.tenure
            .map_or(self.shop.buyers().len(), |tenure| tenure.known(now))
    }

    /// Forgets who visited and ordered long ago.
    pub(crate) fn forget_the_past(&mut self, now: DateTime<Utc>) {
        self.last_visit.retain(|_, at| now - *at < VISIT_REST);
        let rest = self.habits.buyer_rest;
        self.last_order.retain(|_, at| now - *at < rest);
        self.programme.prune(now);
        self.shelf.forget_stock_outs();
    }
}

/// Shortest time between two visits of one buyer to one store: longer than the gap that ends a visit (D6).
const VISIT_REST: TimeDelta = TimeDelta::minutes(45);

fn seconds(seconds: f64) -> TimeDelta {
    TimeDelta::microseconds((seconds * 1e6) as i64)
}

/// True when the buyer was one at that time.
fn is_member(tenure: Option<Tenure>, shop: &Shop, nth: usize, buyer: &Buyer, now: DateTime<Utc>) -> bool {
    tenure.is_none_or(|tenure| {
        let stays = seconds(shop.nature().tenure_days(buyer.id) * 86_400.0);
        now < tenure.joined(nth) + stays
    })
}
