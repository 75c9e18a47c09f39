//! The market and what is known of the sources: hears the clerks, opens the market, takes its turns.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use instashop_core::config::Config;
use instashop_core::table::{SourceDb, Table};
use tokio::sync::mpsc::UnboundedSender;

use super::Wishes;
use crate::simulate::action::Action;
use crate::simulate::census::Census;
use crate::simulate::clerk::{Report, Request};
use crate::simulate::dice::Dice;
use crate::simulate::habits::{Habits, Planting};
use crate::simulate::ids::Ids;
use crate::simulate::market::{AdoptedShipment, Demand, Market, Setting, UNITS_PER_ORDER};
use crate::simulate::nature::Nature;
use crate::simulate::pace::Pace;
use crate::simulate::programme::Entry;
use crate::simulate::shelf::Level;
use crate::simulate::shop::{Bundling, Contents, Shop};
use crate::simulate::truth::append_incidents;
use crate::simulate::writer::{Loss, Tally};

/// Shortest time between two looks out of turn.
const LOOK_AGAIN: TimeDelta = TimeDelta::seconds(2);

/// The market and what is known of the sources.
pub(super) struct Floor {
    market: Option<Market>,
    contents: Contents,
    pace: Pace,
    nature: Nature,
    bundling: Bundling,
    wishes: Wishes,
    config: Config,
    ids: Ids,
    ordered: HashSet<Table>,
    /// Tables whose sequence is known to stand above every key.
    trusted: HashSet<Table>,
    seen: HashSet<SourceDb>,
    levels: Vec<Level>,
    adopted: HashSet<(Table, i64)>,
    incidents: Vec<Entry>,
    forgot: Option<DateTime<Utc>>,
    waits_for_writers: bool,
    mistaken: bool,
    looked: Option<DateTime<Utc>>,
}

impl Floor {
    pub(super) fn new(config: &Config, wishes: &Wishes) -> Self {
        Self {
            market: None,
            contents: Contents::default(),
            pace: Pace::new(wishes.rate, wishes.orders_share),
            nature: Nature::new(wishes.seed),
            bundling: if wishes.flat {
                Bundling::None
            } else {
                Bundling::Pairs
            },
            wishes: wishes.clone(),
            config: config.clone(),
            ids: Ids::reserved(),
            ordered: HashSet::new(),
            trusted: HashSet::new(),
            seen: HashSet::new(),
            levels: Vec::new(),
            adopted: HashSet::new(),
            incidents: Vec::new(),
            forgot: None,
            waits_for_writers: false,
            mistaken: false,
            looked: None,
        }
    }

    fn ids(&mut self) -> &mut Ids {
        match &mut self.market {
            Some(market) => &mut market.ids,
            None => &mut self.ids,
        }
    }

    /// Takes in what a clerk reports.
    pub(super) fn hear(&mut self, report: Report, tally: &Tally, now: DateTime<Utc>) {
        match report {
            Report::Keys(table, keys) => {
                self.ordered.remove(&table);
                self.ids().add(table, keys);
                self.open(now);
            }
            Report::Trouble(source, text) => {
                // What was asked for is asked for again.
                self.ordered.retain(|table| table.source() != source);
                tally.note(source, Some(text));
            }
            Report::Census(census) => self.learn(census, tally, now),
        }
    }

    fn learn(&mut self, census: Census, tally: &Tally, now: DateTime<Utc>) {
        let source = match census {
            Census::Sales {
                stores,
                products,
                buyers,
                pending,
                past,
            } => {
                self.contents.stores = stores;
                self.contents.products = products;
                self.contents.buyers = buyers;
                if let Some(market) = &self.market {
                    self.contents.buyers.retain(|buyer| !market.is_aside(buyer.id));
                }
                let pending = self.not_adopted(Table::Transaction, pending);
                if let Some(market) = &mut self.market {
                    market.adopt_pending(&pending, now);
                    market.know_past_orders(past);
                }
                SourceDb::Instashop
            }
            Census::Crm {
                segments,
                memberships,
            } => {
                self.contents.segments = segments;
                if let Some(market) = &mut self.market {
                    market.know_memberships(memberships);
                }
                SourceDb::CrmDb
            }
            Census::Erp { levels } => {
                match &mut self.market {
                    Some(market) => market.shelf.adopt(levels),
                    None => self.levels = levels,
                }
                SourceDb::ErpDb
            }
            Census::Logistics { carriers, open } => {
                self.contents.carriers = carriers;
                let fresh: HashSet<i64> = self
                    .not_adopted(
                        Table::Shipment,
                        open.iter().map(|adopted| adopted.shipment).collect(),
                    )
                    .into_iter()
                    .collect();
                let open: Vec<AdoptedShipment> = open
                    .into_iter()
                    .filter(|adopted| fresh.contains(&adopted.shipment))
                    .collect();
                if let Some(market) = &mut self.market {
                    market.adopt_shipments(&open, now);
                } else {
                    // Not open yet: the next report brings them again.
                    for adopted in open {
                        self.adopted.remove(&(Table::Shipment, adopted.shipment));
                    }
                }
                SourceDb::EcommerceDb
            }
        };
        tally.note(source, None);
        self.seen.insert(source);
        if let Some(market) = &mut self.market {
            market.shop = Shop::new(self.nature, self.bundling, self.contents.clone());
        }
        self.open(now);
    }

    /// Leaves out what was taken over already.
    fn not_adopted(&mut self, table: Table, ids: Vec<i64>) -> Vec<i64> {
        if self.market.is_none() {
            return ids;
        }
        ids.into_iter()
            .filter(|id| self.adopted.insert((table, *id)))
            .collect()
    }

    /// Opens the market once everything is known that it needs.
    fn open(&mut self, now: DateTime<Utc>) {
        if self.market.is_some() || self.seen.len() < SourceDb::ALL.len() || !self.ids.suffice(&Table::ALL) {
            return;
        }
        let shop = Shop::new(self.nature, self.bundling, self.contents.clone());
        if !shop.is_open() {
            return;
        }
        let planting = if self.wishes.flat {
            Planting::None
        } else {
            Planting::Planted
        };
        let mut market = Market::new(
            Setting {
                shop,
                habits: Habits::live(planting),
                ids: std::mem::replace(&mut self.ids, Ids::reserved()),
                dice: Dice::new(self.wishes.seed ^ now.timestamp_micros().unsigned_abs(), "live"),
                zone: self.config.meaning.tz(),
                currency: self.config.meaning.currency.clone(),
                tenure: None,
                demand: Demand {
                    units_per_second: self.wishes.rate * self.wishes.orders_share * UNITS_PER_ORDER,
                },
            },
            now,
        );
        market.shelf.adopt(std::mem::take(&mut self.levels));
        self.market = Some(market);
    }

    pub(super) fn is_open(&self) -> bool {
        self.market.is_some()
    }

    pub(super) fn describe(&self) -> String {
        format!(
            "{} stores, {} products, {} buyers, {} carriers",
            self.contents.stores.len(),
            self.contents.products.len(),
            self.contents.buyers.len(),
            self.contents.carriers.len()
        )
    }

    /// Orders keys where they run low.
    pub(super) fn order_keys(&mut self, requests: &BTreeMap<SourceDb, UnboundedSender<Request>>) {
        let rate = self.wishes.rate;
        for table in Table::ALL {
            let wanted = match table {
                Table::TransactionDetail | Table::InventoryMovement => 100 + (rate * 20.0) as usize,
                Table::Transaction | Table::UserBehavior | Table::Shipment => 100 + (rate * 10.0) as usize,
                Table::Interaction | Table::Buyer => 100 + (rate / 2.0) as usize,
                _ => 60,
            };
            if self.ordered.contains(&table) || self.ids().left(table) > wanted / 2 {
                continue;
            }
            let request = if self.trusted.insert(table) {
                Request::FreshKeys(table, wanted)
            } else {
                Request::Keys(table, wanted)
            };
            if let Some(clerk) = requests.get(&table.source())
                && clerk.send(request).is_ok()
            {
                self.ordered.insert(table);
            }
        }
    }

    /// Asks for a look before its turn when the shop cannot open, or when what was known turned out to be wrong.
    pub(super) fn order_looks(
        &mut self,
        requests: &BTreeMap<SourceDb, UnboundedSender<Request>>,
        now: DateTime<Utc>,
    ) {
        let closed = self.market.as_ref().is_none_or(|market| !market.shop.is_open());
        if !(closed || self.mistaken) || self.looked.is_some_and(|at| now - at < LOOK_AGAIN) {
            return;
        }
        self.looked = Some(now);
        self.mistaken = false;
        for clerk in requests.values() {
            // A clerk that has left finds its sender gone and has said why.
            let _ = clerk.send(Request::Look);
        }
    }

    /// One turn of the market.
    pub(super) fn turn(&mut self, passed: f64, room: bool, now: DateTime<Utc>) {
        self.pace.pass(passed);
        self.waits_for_writers = !room;
        let Some(market) = self.market.as_mut().filter(|_| room) else {
            return;
        };
        market.follow_up(now);
        let orders = market.take_orders(self.pace.orders_due(), now);
        let behaviour = market.take_behaviour(self.pace.behaviour_due(), now);
        self.pace.done(orders, behaviour);
        self.incidents.extend(market.drain_incidents());
        if self.forgot.is_none_or(|at| now - at > TimeDelta::seconds(60)) {
            market.forget_the_past(now);
            self.forgot = Some(now);
        }
    }

    pub(super) fn drain(&mut self) -> Vec<Action> {
        self.market.as_mut().map(Market::drain).unwrap_or_default()
    }

    /// Says which incidents began, and writes them down. A file that cannot be written is no reason to close the shop:
    /// the lines on the screen remain.
    pub(super) fn tell_incidents(&mut self) {
        let incidents = std::mem::take(&mut self.incidents);
        if incidents.is_empty() {
            return;
        }
        for entry in &incidents {
            let text = serde_json::to_string(entry).unwrap_or_default();
            say!("{}  incident {text}", entry.from.format("%H:%M:%SZ"));
        }
        if let Err(error) = append_incidents(&self.wishes.incidents, self.wishes.seed, &incidents) {
            eprintln!("warning: the incident is not written down: {error:#}; name another file with --truth");
        }
    }

    pub(super) fn lose(&mut self, loss: &Loss) {
        let Some(market) = &mut self.market else { return };
        match loss {
            Loss::Order(order) => {
                market.lose_order(*order);
                self.mistaken = true;
            }
            Loss::Keys(table) => {
                market.ids.discard(*table);
                self.trusted.remove(table);
            }
        }
    }

    /// Seconds between what is due and what is committed.
    pub(super) fn behind(&self, tally: &Tally) -> f64 {
        let decided = self.market.as_ref().map(Market::counts).unwrap_or_default();
        let committed = Tally::value(&tally.orders) + Tally::value(&tally.behaviour);
        let unwritten = (decided.orders + decided.behaviour)
            .saturating_sub(committed)
            .saturating_sub(Tally::value(&tally.skipped));
        self.pace.behind_seconds() + unwritten as f64 / self.wishes.rate
    }

    /// Sources that have not reported yet.
    pub(super) fn unseen(&self) -> Vec<&'static str> {
        SourceDb::ALL
            .iter()
            .filter(|source| !self.seen.contains(source))
            .map(|source| source.name())
            .collect()
    }

    /// Orders and visits under way.
    pub(super) fn under_way(&self) -> (usize, usize) {
        self.market.as_ref().map_or((0, 0), Market::under_way)
    }

    /// Events that were given up because they were too late.
    pub(super) const fn given_up(&self) -> u64 {
        self.pace.forgiven()
    }

    /// True while a writer is too far behind for another turn.
    pub(super) const fn waits(&self) -> bool {
        self.waits_for_writers
    }
}
