//! States that gather parts of others: a product its stock rows, a shopper the days of their sales, a timeline events and
//! orders.
//!
//! What a row put there is known from the row as it was, so a changed row first takes its old part out and then puts its
//! new one in. Both states are replaced in one commit, each under the comparison of its version, so that they cannot
//! part: the gathered state holds exactly the parts of the rows that are stored.

use std::collections::{BTreeMap, BTreeSet};

use super::chain::Chain;
use super::rows::{Behaviour, Shelf};
use super::shopper::Sale;
use super::state::{BrokenState, StateId, Stored};
use super::timeline::{Cut, Entry, StretchKey};
use super::window::Keep;
use super::work::{Work, open};
use crate::config::{Meaning, OrderClass};
use crate::contribution::{Bucket, Calendar, store_id};
use crate::order::{Header, Kept};
use crate::visits::{Stop, StopKind};

/// A part that is taken out of a state or put into one.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Shelf { id: i64, shelf: Shelf },
    Sale(Sale),
    Stop(Entry),
}

impl Part {
    fn holder(&self) -> Option<StateId> {
        match self {
            Self::Shelf { shelf, .. } => shelf.product.map(StateId::Product),
            Self::Sale(sale) => Some(StateId::Shopper(sale.buyer)),
            Self::Stop(entry) => Some(entry.key.holder()),
        }
    }
}

/// What the changed rows of a batch take out and put in.
#[derive(Debug)]
pub(super) struct Moves {
    taken: Vec<Part>,
    put: Vec<Part>,
    /// The stretches of timelines among them.
    chain: Chain,
}

impl Moves {
    /// Looks at every row that is not what it was. Stops of sealed days are on no timeline any more.
    pub(super) fn of(work: &Work, meaning: &Meaning, keep: Keep) -> Self {
        let calendar = Calendar::new(meaning.tz());
        let cut = Cut::of(meaning);
        let is_live = |entry: &Entry| !keep.is_past(Some(entry.stop.at));
        let mut moves = Self {
            taken: Vec::new(),
            put: Vec::new(),
            chain: Chain::of(std::iter::empty(), cut),
        };
        for (id, slot) in &work.stock {
            let part = |kept: &Option<Kept<Shelf>>| {
                let shelf = kept.as_ref()?.row.clone()?;
                shelf.product?;
                Some(Part::Shelf { id: *id, shelf })
            };
            moves.replace(part(&slot.old), part(&slot.new));
        }
        for (id, slot) in &work.orders {
            let [old, new] = [&slot.old, &slot.new].map(|order| order.live_header());
            if old == new {
                continue;
            }
            let sale =
                |header: Option<&Header>| header.and_then(|header| sale(header, calendar)).map(Part::Sale);
            moves.replace(sale(old), sale(new));
            let stop = |header: Option<&Header>| {
                let header = header?;
                let entry = order_stop(*id, header, calendar, meaning);
                entry.filter(is_live).map(Part::Stop)
            };
            moves.replace(stop(old), stop(new));
        }
        for (id, slot) in &work.behaviour {
            let stop = |kept: &Option<Kept<Behaviour>>| {
                let event = kept.as_ref()?.row.as_ref()?;
                let entry = event_stop(*id, event, calendar, cut);
                entry.filter(is_live).map(Part::Stop)
            };
            moves.replace(stop(&slot.old), stop(&slot.new));
        }
        let stops = moves
            .taken
            .iter()
            .chain(&moves.put)
            .filter_map(|part| match part {
                Part::Stop(entry) => Some(entry),
                _ => None,
            });
        moves.chain = Chain::of(stops, cut);
        moves
    }

    fn replace(&mut self, old: Option<Part>, new: Option<Part>) {
        if old != new {
            self.taken.extend(old);
            self.put.extend(new);
        }
    }

    /// The states that hold the parts, or will, and those that say how visits go on around them, as far as the states read
    /// so far tell.
    pub(super) fn wanted(
        &self,
        read: &BTreeMap<StateId, Stored>,
        keep: Keep,
    ) -> Result<BTreeSet<StateId>, BrokenState> {
        let mut ids = self.chain.wanted(read, keep)?;
        ids.extend(self.taken.iter().chain(&self.put).filter_map(Part::holder));
        Ok(ids)
    }

    /// Takes out and puts in. What lies so far before the boundary that it may have left is not missed.
    pub(super) fn carry_out(
        self,
        work: &mut Work,
        read: &BTreeMap<StateId, Stored>,
        keep: Keep,
    ) -> Result<(), BrokenState> {
        let unless_gone = |taken: Result<(), BrokenState>, is_gone: bool| match taken {
            Err(BrokenState::LostPart { .. }) if is_gone => Ok(()),
            taken => taken,
        };
        for part in self.taken {
            let Some(holder) = part.holder() else { continue };
            match part {
                Part::Shelf { id, .. } => {
                    let listing = &mut open(&mut work.products, read, holder)?.new;
                    listing.shelves.remove(&id).ok_or_else(|| BrokenState::LostPart {
                        what: format!("stock row {id}"),
                        holder,
                    })?;
                }
                Part::Sale(sale) => {
                    let taken = open(&mut work.shoppers, read, holder)?.new.remove(sale);
                    unless_gone(taken, keep.is_forgotten(sale.day))?;
                }
                Part::Stop(entry) => {
                    open(&mut work.timelines, read, holder)?.new.remove(&entry)?;
                }
            }
        }
        for part in self.put {
            let Some(holder) = part.holder() else { continue };
            match part {
                Part::Shelf { id, shelf } => {
                    let listing = &mut open(&mut work.products, read, holder)?.new;
                    listing.shelves.insert(
                        id,
                        Shelf {
                            product: None,
                            ..shelf
                        },
                    );
                }
                Part::Sale(sale) => open(&mut work.shoppers, read, holder)?.new.add(sale),
                Part::Stop(entry) => open(&mut work.timelines, read, holder)?.new.add(&entry),
            }
        }
        self.chain.settle(&mut work.timelines, read, keep)
    }
}

fn sale(header: &Header, calendar: Calendar) -> Option<Sale> {
    let [Bucket::Day(day), ..] = calendar.buckets(header.at?)? else {
        return None;
    };
    header.class.is_sale().then_some(Sale {
        buyer: header.buyer?,
        store: store_id(header.store),
        day,
    })
}

/// A placed order on its actor's timeline; failed and cancelled ones are no step of a visit.
fn order_stop(id: i64, header: &Header, calendar: Calendar, meaning: &Meaning) -> Option<Entry> {
    let at = header.at?;
    calendar.buckets(at)?;
    if !header.class.is_sale() && header.class != OrderClass::Open {
        return None;
    }
    let store = store_id(header.store);
    let actor = if meaning.buyer_identity {
        format!("b{}", header.buyer?)
    } else {
        format!("c{store}")
    };
    Some(Entry {
        key: StretchKey {
            actor,
            store,
            start: Cut::of(meaning).start(at),
        },
        stop: Stop {
            at,
            is_order: true,
            id,
            kind: StopKind::Order,
            product: None,
        },
    })
}

fn event_stop(id: i64, event: &Behaviour, calendar: Calendar, cut: Cut) -> Option<Entry> {
    let at = event.at?;
    calendar.buckets(at)?;
    let kind = StopKind::of_event(&event.kind);
    Some(Entry {
        key: StretchKey {
            actor: event.actor()?,
            store: store_id(event.store),
            start: cut.start(at),
        },
        stop: Stop {
            at,
            is_order: false,
            id,
            kind,
            product: event.product.filter(|_| kind == StopKind::ProductView),
        },
    })
}
