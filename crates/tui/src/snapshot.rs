//! Everything the screen shows, as plain data: each part with the time it arrived, each source with its state.
//!
//! - `alerts`: what the rules find in it
//! - `condition`: what a part may claim now: loading, live, lagging, late, stale, missing, rebuilding, unreachable
//! - `history`: lag and latency of the last minutes, from polls
//! - `pipeline`: the parts of the pipeline from their probes
//! - `sales`: the complete days of a range and the days before it
//! - `today`: today's figures from Redis, or from the warehouse while Redis cannot answer, and their base

mod alerts;
pub mod condition;
pub mod history;
pub mod pipeline;
pub mod sales;
pub mod today;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use instashop_core::config::Dashboard;
use instashop_core::view::{
    Ask, Board, DifferenceView, DriftProof, LiveBase, LiveSystem, LiveView, OrderList, OrdersOf, SalesView,
    TapeEntry, Topic, WarehouseSystem, WarehouseToday,
};

pub use condition::Condition;
use history::History;

/// The stores the dashboard reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreName {
    /// The live store.
    Redis,
    /// The warehouse.
    Warehouse,
}

/// Why a store could not answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failure {
    /// One sentence.
    pub text: String,
    /// What the operator can do.
    pub advice: Option<String>,
    /// Causes, outermost first.
    pub chain: Vec<String>,
}

/// A question of one tab that its store could not answer, while it answers others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PartName {
    /// Base of today.
    Base,
    /// Today from the warehouse.
    Today,
    /// Sales over a range.
    Sales,
    /// What a tab shows of the marts.
    Board(Topic),
    /// The orders behind a number.
    Orders,
    /// What lies between a range and its base.
    Difference,
}

/// Why a part is not answered, and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartFailure {
    /// When it was not answered first.
    pub since: DateTime<Utc>,
    /// Why the last time.
    pub failure: Failure,
}

/// A store that does not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Down {
    /// When it stopped answering.
    pub since: DateTime<Utc>,
    /// Number of the next attempt.
    pub attempt: u32,
    /// When it will be tried again.
    pub retry_at: DateTime<Utc>,
    /// Why.
    pub failure: Failure,
}

/// State of the way to one store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Link {
    /// Last answer.
    pub answered: Option<DateTime<Utc>>,
    /// Since when a question is open.
    pub asking: Option<DateTime<Utc>>,
    /// Set while it does not answer.
    pub down: Option<Down>,
}

/// One answer of a store, with the time it arrived.
#[derive(Debug, Clone, PartialEq)]
pub struct Part<T> {
    /// The answer; shared, so that a frozen board costs nothing.
    pub value: Option<Arc<T>>,
    /// When it arrived.
    pub arrived: Option<DateTime<Utc>>,
}

impl<T> Default for Part<T> {
    fn default() -> Self {
        Self {
            value: None,
            arrived: None,
        }
    }
}

impl<T> Part<T> {
    fn set(&mut self, value: T, at: DateTime<Utc>) {
        self.value = Some(Arc::new(value));
        self.arrived = Some(at);
    }

    /// The answer.
    pub fn get(&self) -> Option<&T> {
        self.value.as_deref()
    }
}

/// How often each kind of part is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rhythm {
    /// Redis on the Live tab.
    pub live: TimeDelta,
    /// Light questions.
    pub tab: TimeDelta,
    /// Heavy questions to the warehouse.
    pub warehouse: TimeDelta,
}

impl Rhythm {
    /// From the configuration.
    pub fn from_config(dashboard: &Dashboard) -> Self {
        let millis = |millis: u64| TimeDelta::milliseconds(i64::try_from(millis).unwrap_or(i64::MAX));
        Self {
            live: millis(dashboard.live_ms),
            tab: millis(dashboard.tab_ms),
            warehouse: millis(dashboard.warehouse_ms),
        }
    }
}

/// What a feed tells.
#[derive(Debug, Clone)]
pub struct Message {
    /// When it was told.
    pub at: DateTime<Utc>,
    /// Which store it is about.
    pub store: StoreName,
    /// What.
    pub body: Body,
}

/// See [`Message`].
#[derive(Debug, Clone)]
pub enum Body {
    /// A question was sent.
    Asking,
    /// The store did not answer; it will be tried again.
    Down {
        /// Number of the next attempt.
        attempt: u32,
        /// When.
        retry_at: DateTime<Utc>,
        /// Why.
        failure: Failure,
    },
    /// The store answers, but not this question.
    Failed(PartName, Failure),
    /// Live totals.
    Live(Box<LiveView>),
    /// Health of the live flow.
    LiveSystem(Box<LiveSystem>),
    /// What today is compared with.
    Base(Box<LiveBase>),
    /// Today as the warehouse knows it.
    Today(Box<WarehouseToday>),
    /// The Sales tab for a range of days.
    Sales(u32, Box<SalesView>),
    /// Health of the warehouse flow.
    WarehouseSystem(Box<WarehouseSystem>),
    /// What a tab shows of the marts.
    Board(Ask, Box<Board>),
    /// The orders behind a number.
    Orders(Ask, OrdersOf, Box<OrderList>),
    /// What lies between a range and its base.
    Difference(Ask, Box<DifferenceView>),
    /// An answer as of an earlier moment.
    Past(DateTime<Utc>, Box<Body>),
}

impl Body {
    /// The part that an answer is about, where it can fail alone.
    pub fn part(&self) -> Option<PartName> {
        Some(match self {
            Self::Failed(name, _) => *name,
            Self::Base(_) => PartName::Base,
            Self::Today(_) => PartName::Today,
            Self::Sales(..) => PartName::Sales,
            Self::Board(_, board) => PartName::Board(board.view.topic()),
            Self::Orders(..) => PartName::Orders,
            Self::Difference(..) => PartName::Difference,
            Self::Asking
            | Self::Down { .. }
            | Self::Live(_)
            | Self::LiveSystem(_)
            | Self::WarehouseSystem(_)
            | Self::Past(..) => return None,
        })
    }
}

/// The orders behind a number, with what was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct OrdersPart {
    /// Range and store.
    pub ask: Ask,
    /// Which orders.
    pub of: OrdersOf,
    /// The answer.
    pub part: Part<OrderList>,
}

/// What lies between a range and its base, with what was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct DifferenceOf {
    /// Range, base and store.
    pub ask: Ask,
    /// The answer.
    pub part: Part<DifferenceView>,
}

/// What a tab shows of the marts, with what it was asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct BoardPart {
    /// What was asked.
    pub ask: Ask,
    /// The answer.
    pub part: Part<Board>,
}

/// All that is known.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// When the program started: age of a first load.
    pub started: DateTime<Utc>,
    /// How often parts are asked for.
    pub rhythm: Rhythm,
    /// The way to Redis.
    pub redis: Link,
    /// The way to the warehouse.
    pub warehouse: Link,
    /// Live totals. When Redis answers but holds none, the last ones stay and `missing_since` is set.
    pub live: Part<LiveView>,
    /// Since when Redis answers without totals.
    pub missing_since: Option<DateTime<Utc>>,
    /// Health of the live flow.
    pub live_system: Part<LiveSystem>,
    /// Base of today.
    pub base: Part<LiveBase>,
    /// Today from the warehouse.
    pub today: Part<WarehouseToday>,
    /// Sales over a range.
    pub sales: Part<SalesView>,
    /// Days of that range.
    pub sales_days: u32,
    /// Health of the warehouse flow.
    pub warehouse_system: Part<WarehouseSystem>,
    /// Lag and latency of the last minutes.
    pub history: History,
    /// What the tabs show of the marts.
    pub boards: BTreeMap<Topic, BoardPart>,
    /// The orders that were asked for last.
    pub orders: Option<OrdersPart>,
    /// The difference that was asked for last.
    pub difference: Option<DifferenceOf>,
    /// Parts that could not be answered the last time although their store answers.
    pub failed: BTreeMap<PartName, PartFailure>,
    /// Since when each alert has been found without a break, by fingerprint.
    pub alert_seen: BTreeMap<String, DateTime<Utc>>,
    /// Alerts that came (false) and went (true) since the start, oldest first.
    pub alert_log: Vec<(DateTime<Utc>, String, bool)>,
    /// True when it is as of an earlier moment: what Redis alone has, and what is only of the present, is not in it.
    pub past: bool,
    /// Changes seen on the tape since the start, and whether some may have been missed between two polls.
    pub taped: (u64, bool),
}

impl Snapshot {
    /// Nothing known yet.
    pub fn new(started: DateTime<Utc>, rhythm: Rhythm) -> Self {
        Self {
            started,
            rhythm,
            redis: Link::default(),
            warehouse: Link::default(),
            live: Part::default(),
            missing_since: None,
            live_system: Part::default(),
            base: Part::default(),
            today: Part::default(),
            sales: Part::default(),
            sales_days: 0,
            warehouse_system: Part::default(),
            history: History::default(),
            boards: BTreeMap::new(),
            orders: None,
            difference: None,
            failed: BTreeMap::new(),
            alert_seen: BTreeMap::new(),
            alert_log: Vec::new(),
            taped: (0, false),
            past: false,
        }
    }

    /// Nothing known yet of an earlier moment.
    pub fn as_of(moment: DateTime<Utc>, rhythm: Rhythm) -> Self {
        Self {
            past: true,
            ..Self::new(moment, rhythm)
        }
    }

    /// The way to a store.
    pub const fn link(&self, store: StoreName) -> &Link {
        match store {
            StoreName::Redis => &self.redis,
            StoreName::Warehouse => &self.warehouse,
        }
    }

    /// Takes in what a feed tells.
    pub fn apply(&mut self, message: Message) {
        let at = message.at;
        let link = match message.store {
            StoreName::Redis => &mut self.redis,
            StoreName::Warehouse => &mut self.warehouse,
        };
        match &message.body {
            Body::Asking => {
                link.asking.get_or_insert(at);
                return;
            }
            Body::Down {
                attempt,
                retry_at,
                failure,
            } => {
                let since = link.down.as_ref().map_or(at, |down| down.since);
                link.asking = None;
                link.down = Some(Down {
                    since,
                    attempt: *attempt,
                    retry_at: *retry_at,
                    failure: failure.clone(),
                });
                return;
            }
            Body::Failed(name, failure) => {
                // It was asked on a connection that works.
                link.asking = None;
                link.down = None;
                let since = self.failed.get(name).map_or(at, |failed| failed.since);
                let failure = failure.clone();
                self.failed.insert(*name, PartFailure { since, failure });
                return;
            }
            body => {
                link.asking = None;
                link.down = None;
                link.answered = Some(at);
                if let Some(name) = body.part() {
                    self.failed.remove(&name);
                }
            }
        }
        match message.body {
            Body::Live(view) => self.take_live(*view, at),
            Body::LiveSystem(view) => {
                self.history.add_live(&view.flow, at);
                self.live_system.set(*view, at);
            }
            Body::Base(view) => self.base.set(*view, at),
            Body::Today(view) => self.today.set(*view, at),
            Body::Sales(days, view) => {
                self.sales_days = days;
                self.sales.set(*view, at);
            }
            Body::WarehouseSystem(view) => {
                self.history.add_warehouse(&view.flow, at);
                self.warehouse_system.set(*view, at);
            }
            Body::Board(ask, view) => {
                let topic = view.view.topic();
                let mut part = Part::default();
                part.set(*view, at);
                self.boards.insert(topic, BoardPart { ask, part });
                if topic == Topic::Alerts {
                    self.remember_alerts(at);
                }
            }
            Body::Orders(ask, of, list) => {
                let mut part = Part::default();
                part.set(*list, at);
                self.orders = Some(OrdersPart { ask, of, part });
            }
            Body::Difference(ask, view) => {
                let mut part = Part::default();
                part.set(*view, at);
                self.difference = Some(DifferenceOf { ask, part });
            }
            // Who looks back keeps it; here it says that the store answers.
            Body::Asking | Body::Down { .. } | Body::Failed(..) | Body::Past(..) => {}
        }
    }

    fn take_live(&mut self, view: LiveView, at: DateTime<Utc>) {
        if view.generation.is_empty() {
            self.missing_since.get_or_insert(at);
            return;
        }
        self.missing_since = None;
        if let Some(before) = self.live.get() {
            let (count, all_new) = new_entries(&before.tape, &view.tape);
            self.taped = (self.taped.0 + count as u64, self.taped.1 || all_new);
        }
        self.live.set(view, at);
    }

    /// What the last proof of equality says.
    pub fn drift(&self, now: DateTime<Utc>) -> Drift<'_> {
        let stale = condition::part(
            &self.warehouse_system,
            self.rhythm.tab * 3,
            &self.warehouse,
            self.started,
            now,
        )
        .is_outdated();
        match self
            .warehouse_system
            .get()
            .and_then(|system| system.proof.as_ref())
        {
            Some(proof) if !stale && proof.drift == 0 => Drift::Proven(proof),
            Some(proof) if !stale => Drift::Broken(proof),
            _ => Drift::Unknown,
        }
    }
}

/// What is known about the equality of source, warehouse and Redis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Drift<'s> {
    /// No proof, or the place where it is kept does not answer.
    Unknown,
    /// Equal at the cut of the proof.
    Proven(&'s DriftProof),
    /// Not equal.
    Broken(&'s DriftProof),
}

/// How many entries of a tape were not on it before, and whether none of the old ones is left: then more may have
/// passed unseen.
pub fn new_entries(before: &[TapeEntry], after: &[TapeEntry]) -> (usize, bool) {
    let Some(newest) = before.first() else {
        return (after.len(), false);
    };
    match after.iter().position(|entry| entry == newest) {
        Some(position) => (position, false),
        None => (after.len(), !after.is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: i64) -> TapeEntry {
        TapeEntry {
            at: DateTime::UNIX_EPOCH,
            what: "order".into(),
            op: "c".into(),
            key,
            amount_cents: None,
            by: String::new(),
            state: String::new(),
            store_id: None,
        }
    }

    #[test]
    fn new_entries_on_the_tape() {
        let tape = |keys: std::ops::Range<i64>| keys.rev().map(entry).collect::<Vec<_>>();
        for (before, after, expected) in [
            (0..0, 0..5, (5, false)),
            (0..5, 0..5, (0, false)),
            (0..5, 2..8, (3, false)),
            (0..5, 50..100, (50, true)),
            (0..5, 0..0, (0, false)),
        ] {
            assert_eq!(
                new_entries(&tape(before.clone()), &tape(after.clone())),
                expected,
                "{before:?} {after:?}"
            );
        }
    }

    /// A query that was too slow once made the whole warehouse look away.
    #[test]
    fn a_question_that_fails_leaves_the_link_and_the_other_parts_alone() {
        let start = DateTime::UNIX_EPOCH;
        let at = |seconds| start + TimeDelta::seconds(seconds);
        let mut snapshot = Snapshot::new(start, Rhythm::from_config(&Dashboard::default()));
        let tell = |snapshot: &mut Snapshot, seconds, body| {
            snapshot.apply(Message {
                at: at(seconds),
                store: StoreName::Warehouse,
                body,
            });
        };
        let sales = || Body::Sales(30, Box::default());
        let failed = || Body::Failed(PartName::Sales, Failure::default());
        tell(&mut snapshot, 1, sales());
        tell(&mut snapshot, 2, Body::WarehouseSystem(Box::default()));
        for seconds in [61, 121] {
            tell(&mut snapshot, seconds, Body::Asking);
            tell(&mut snapshot, seconds, failed());
        }
        assert_eq!(
            (&snapshot.warehouse.down, snapshot.warehouse.asking),
            (&None, None)
        );
        let condition = snapshot.sales_condition(30, at(122));
        let age = Some(TimeDelta::seconds(121));
        assert_eq!(
            condition,
            Condition::Failed(at(61), age),
            "since the first failure, with the age of what is shown"
        );
        assert!(condition.is_outdated() && snapshot.sales.get().is_some());
        let system = snapshot.warehouse_system_condition(at(3));
        assert_eq!(system, Condition::Live);
        tell(&mut snapshot, 181, sales());
        assert_eq!(snapshot.sales_condition(30, at(182)), Condition::Live);
    }

    #[test]
    fn a_store_that_goes_and_comes() {
        let start = DateTime::UNIX_EPOCH;
        let at = |seconds| start + TimeDelta::seconds(seconds);
        let rhythm = Rhythm::from_config(&Dashboard::default());
        let mut snapshot = Snapshot::new(start, rhythm);
        let tell = |snapshot: &mut Snapshot, seconds, body| {
            snapshot.apply(Message {
                at: at(seconds),
                store: StoreName::Redis,
                body,
            });
        };
        let live = |generation: &str| {
            Body::Live(Box::new(LiveView {
                generation: generation.into(),
                ..LiveView::default()
            }))
        };
        tell(&mut snapshot, 1, live("g1"));
        assert_eq!(snapshot.redis.answered, Some(at(1)));
        for (attempt, seconds) in [(1, 2), (2, 4)] {
            tell(
                &mut snapshot,
                seconds,
                Body::Down {
                    attempt,
                    retry_at: at(9),
                    failure: Failure::default(),
                },
            );
        }
        let down = snapshot.redis.down.clone().unwrap();
        assert_eq!(
            (down.since, down.attempt),
            (at(2), 2),
            "the first failure starts the outage"
        );
        tell(&mut snapshot, 10, live(""));
        assert!(snapshot.redis.down.is_none());
        assert_eq!(snapshot.missing_since, Some(at(10)));
        assert_eq!(
            snapshot.live.get().unwrap().generation,
            "g1",
            "the last totals stay"
        );
        tell(&mut snapshot, 11, live("g2"));
        assert_eq!(snapshot.missing_since, None);
    }
}
