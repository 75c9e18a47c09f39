//! The live phase: the market in real time, at a steady rate, until it is told to stop.
//!
//! One loop reads the clock once per turn, lets the market decide, and hands its actions to one writer for each source.
//! Clerks report what the sources hold and reserve keys. Nobody here believes that a row is still there.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use color_eyre::eyre::{Result, WrapErr};
use instashop_core::config::Config;
use instashop_core::table::{SourceDb, Table};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{self, Sender, UnboundedReceiver, UnboundedSender};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::action::Action;
use super::census::Census;
use super::clerk::{self, Report, Request};
use super::dice::Dice;
use super::habits::{Habits, Planting};
use super::ids::Ids;
use super::market::{AdoptedShipment, Demand, Market, Setting, UNITS_PER_ORDER};
use super::nature::Nature;
use super::pace::Pace;
use super::shop::{Bundling, Contents, Shop};
use super::truth::append_incidents;
use super::writer::{Loss, Tally, Writer};

/// Length of a turn.
const TURN: Duration = Duration::from_millis(100);

/// Batches a writer may be behind before the shop waits for it.
const QUEUE: usize = 100;

/// Shortest time between two looks out of turn.
const LOOK_AGAIN: chrono::TimeDelta = chrono::TimeDelta::seconds(2);

/// Longest wait for the writers when the shop closes.
const CLOSING: Duration = Duration::from_secs(15);

/// What the live phase is told.
#[derive(Debug, Clone)]
pub(crate) struct Wishes {
    pub(crate) seed: u64,
    pub(crate) rate: f64,
    pub(crate) orders_share: f64,
    pub(crate) duration: Option<Duration>,
    pub(crate) status_every: Duration,
    pub(crate) flat: bool,
    pub(crate) incidents: PathBuf,
}

/// Runs the shop until its time is up or a signal comes.
pub(crate) async fn run(config: Config, wishes: Wishes) -> Result<()> {
    let mut stop = Stop::new()?;
    let tally = Arc::new(Tally::default());
    let mut staff = Staff::hire(&config, &tally);
    let mut floor = Floor::new(&config, &wishes);
    println!(
        "live: {} events/s ({:.0} % orders), seed {}, incidents go to {}",
        wishes.rate,
        wishes.orders_share * 100.0,
        wishes.seed,
        wishes.incidents.display()
    );

    let mut turns = interval(TURN);
    turns.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut board = Board::new(wishes.status_every);
    let begin = Instant::now();
    let mut last = begin;
    let mut opened = None;
    loop {
        tokio::select! {
            biased;
            () = stop.wait() => break,
            report = staff.reports.recv() => {
                if let Some(report) = report {
                    floor.hear(report, &tally, Utc::now());
                }
            }
            loss = staff.losses.recv() => {
                if let Some(loss) = loss {
                    floor.lose(&loss);
                }
            }
            _ = turns.tick() => {
                let now = Instant::now();
                let passed = (now - last).as_secs_f64();
                last = now;
                floor.order_keys(&staff.requests);
                floor.order_looks(&staff.requests, Utc::now());
                // The clock of the rate starts when the shop can work for the first time.
                if opened.is_none() && floor.is_open() {
                    opened = Some(now);
                    println!("the shop is open: {}", floor.describe());
                }
                if opened.is_some() {
                    floor.turn(passed, staff.has_room(), Utc::now());
                    staff.hand_out(floor.drain());
                    floor.write_incidents()?;
                }
                board.show(&floor, &tally, opened, Utc::now());
                if wishes.duration.is_some_and(|wanted| opened.is_some_and(|opened| now - opened >= wanted)) {
                    break;
                }
            }
        }
    }
    println!("closing: waiting for what is under way to be written");
    staff.close(&mut stop).await;
    board.summarise(&floor, &tally, opened);
    Ok(())
}

/// SIGINT and SIGTERM.
struct Stop {
    interrupt: Signal,
    terminate: Signal,
}

impl Stop {
    fn new() -> Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt()).wrap_err("cannot listen for SIGINT")?,
            terminate: signal(SignalKind::terminate()).wrap_err("cannot listen for SIGTERM")?,
        })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Writers and clerks with the ways to reach them.
struct Staff {
    batches: BTreeMap<SourceDb, Sender<Vec<Action>>>,
    writers: Vec<JoinHandle<()>>,
    requests: BTreeMap<SourceDb, UnboundedSender<Request>>,
    reports: UnboundedReceiver<Report>,
    losses: UnboundedReceiver<Loss>,
}

impl Staff {
    fn hire(config: &Config, tally: &Arc<Tally>) -> Self {
        let (report, reports) = mpsc::unbounded_channel();
        let (loss, losses) = mpsc::unbounded_channel();
        let mut staff = Self {
            batches: BTreeMap::new(),
            writers: Vec::new(),
            requests: BTreeMap::new(),
            reports,
            losses,
        };
        for source in SourceDb::ALL {
            let (batch, batches) = mpsc::channel(QUEUE);
            let writer = Writer::new(config.clone(), source, Arc::clone(tally), loss.clone());
            staff.writers.push(tokio::spawn(writer.work(batches)));
            staff.batches.insert(source, batch);
            let (request, requests) = mpsc::unbounded_channel();
            tokio::spawn(clerk::work(config.clone(), source, requests, report.clone()));
            staff.requests.insert(source, request);
        }
        staff
    }

    /// True when every writer can take another batch.
    fn has_room(&self) -> bool {
        self.batches.values().all(|batch| batch.capacity() > 1)
    }

    /// Batches that wait for the slowest writer.
    fn hand_out(&self, actions: Vec<Action>) {
        let mut by_source: BTreeMap<SourceDb, Vec<Action>> = BTreeMap::new();
        for action in actions {
            by_source.entry(action.source()).or_default().push(action);
        }
        for (source, batch) in by_source {
            if let Some(writer) = self.batches.get(&source) {
                // There is room: the market was not asked otherwise.
                if writer.try_send(batch).is_err() {
                    tracing::warn!(source = source.name(), "a batch found no room and is lost");
                }
            }
        }
    }

    /// Lets the writers finish; a second signal or too long a wait ends them as they are.
    async fn close(self, stop: &mut Stop) {
        drop(self.batches);
        drop(self.requests);
        let finish = async {
            for writer in self.writers {
                // A writer that panicked has said so itself.
                let _ = writer.await;
            }
        };
        tokio::select! {
            ended = timeout(CLOSING, finish) => {
                if ended.is_err() {
                    eprintln!("warning: a source did not answer within {} s; what was not written is lost", CLOSING.as_secs());
                }
            }
            () = stop.wait() => eprintln!("warning: stopped at once; what was not written is lost"),
        }
    }
}

/// The market and what is known of the sources.
struct Floor {
    market: Option<Market>,
    contents: Contents,
    pace: Pace,
    nature: Nature,
    bundling: Bundling,
    wishes: Wishes,
    config: Config,
    ids: Ids,
    ordered: HashSet<Table>,
    seen: HashSet<SourceDb>,
    levels: Vec<super::shelf::Level>,
    adopted: HashSet<(Table, i64)>,
    incidents: Vec<super::programme::Entry>,
    forgot: Option<DateTime<Utc>>,
    waits_for_writers: bool,
    mistaken: bool,
    looked: Option<DateTime<Utc>>,
}

impl Floor {
    fn new(config: &Config, wishes: &Wishes) -> Self {
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
    fn hear(&mut self, report: Report, tally: &Tally, now: DateTime<Utc>) {
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
        if self.market.is_some() || self.seen.len() < SourceDb::ALL.len() || !self.ids.suffice() {
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

    fn is_open(&self) -> bool {
        self.market.is_some()
    }

    fn describe(&self) -> String {
        format!(
            "{} stores, {} products, {} buyers, {} carriers",
            self.contents.stores.len(),
            self.contents.products.len(),
            self.contents.buyers.len(),
            self.contents.carriers.len()
        )
    }

    /// Orders keys where they run low.
    fn order_keys(&mut self, requests: &BTreeMap<SourceDb, UnboundedSender<Request>>) {
        let rate = self.wishes.rate;
        for table in Table::ALL {
            let wanted = match table {
                Table::TransactionDetail | Table::InventoryMovement => 100 + (rate * 10.0) as usize,
                Table::Transaction | Table::UserBehavior | Table::Shipment => 100 + (rate * 5.0) as usize,
                Table::Interaction | Table::Buyer => 100 + (rate / 2.0) as usize,
                _ => 60,
            };
            if self.ordered.contains(&table) || self.ids().left(table) > wanted / 2 {
                continue;
            }
            if let Some(clerk) = requests.get(&table.source())
                && clerk.send(Request::Keys(table, wanted)).is_ok()
            {
                self.ordered.insert(table);
            }
        }
    }

    /// Asks for a look before its turn when the shop cannot open, or when what was known turned out to be wrong.
    fn order_looks(&mut self, requests: &BTreeMap<SourceDb, UnboundedSender<Request>>, now: DateTime<Utc>) {
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
    fn turn(&mut self, passed: f64, room: bool, now: DateTime<Utc>) {
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
        if self
            .forgot
            .is_none_or(|at| now - at > chrono::TimeDelta::seconds(60))
        {
            market.forget_the_past(now);
            self.forgot = Some(now);
        }
    }

    fn drain(&mut self) -> Vec<Action> {
        self.market.as_mut().map(Market::drain).unwrap_or_default()
    }

    /// Writes down the incidents that began, and says so.
    fn write_incidents(&mut self) -> Result<()> {
        let incidents = std::mem::take(&mut self.incidents);
        if incidents.is_empty() {
            return Ok(());
        }
        for entry in &incidents {
            let text = serde_json::to_string(entry)?;
            println!("{}  incident {text}", entry.from.format("%H:%M:%SZ"));
        }
        append_incidents(&self.wishes.incidents, self.wishes.seed, &incidents)
    }

    fn lose(&mut self, loss: &Loss) {
        let Some(market) = &mut self.market else { return };
        match loss {
            Loss::Order(order) => {
                market.lose_order(*order);
                self.mistaken = true;
            }
            Loss::Keys(table) => market.ids.discard(*table),
        }
    }
}

/// The line that says how it goes.
struct Board {
    every: Duration,
    shown: Instant,
    events: u64,
}

impl Board {
    fn new(every: Duration) -> Self {
        Self {
            every,
            shown: Instant::now(),
            events: 0,
        }
    }

    fn show(&mut self, floor: &Floor, tally: &Tally, opened: Option<Instant>, now: DateTime<Utc>) {
        let since = self.shown.elapsed();
        if since < self.every {
            return;
        }
        self.shown = Instant::now();
        let clock = now.format("%H:%M:%SZ");
        for (source, text) in tally.troubles() {
            println!("{clock}  {}: {text}", source.name());
        }
        if opened.is_none() {
            let missing: Vec<&str> = SourceDb::ALL
                .iter()
                .filter(|source| !floor.seen.contains(source))
                .map(|source| source.name())
                .collect();
            if missing.is_empty() {
                println!(
                    "{clock}  waiting for stores, active products with a price, and buyers to appear in the sources"
                );
            } else {
                println!("{clock}  waiting for {}", missing.join(", "));
            }
            return;
        }
        let (orders, behaviour) = (Tally::value(&tally.orders), Tally::value(&tally.behaviour));
        let rate = (orders + behaviour - self.events) as f64 / since.as_secs_f64();
        self.events = orders + behaviour;
        let (open, visits, _) = floor.market.as_ref().map_or((0, 0, 0), Market::under_way);
        println!(
            "{clock}  {} events ({orders} orders, {behaviour} behaviour)  {rate:.1}/s  changes {}  skipped {}  repeated {}  \
             behind {:.1} s{}{}  under way: {open} orders, {visits} visits",
            orders + behaviour,
            Tally::value(&tally.actions),
            Tally::value(&tally.skipped),
            Tally::value(&tally.repeated),
            floor.behind(tally),
            match floor.pace.forgiven() {
                0 => String::new(),
                given_up => format!(" (gave up {given_up})"),
            },
            if floor.waits_for_writers {
                " waiting for a source"
            } else {
                ""
            },
        );
    }

    #[expect(clippy::unused_self, reason = "the board is where things are shown")]
    fn summarise(&self, floor: &Floor, tally: &Tally, opened: Option<Instant>) {
        let (orders, behaviour) = (Tally::value(&tally.orders), Tally::value(&tally.behaviour));
        let seconds = opened.map_or(0.0, |opened| opened.elapsed().as_secs_f64());
        println!(
            "done: events={} orders={orders} behaviour={behaviour} changes={} skipped={} repeated={} given_up={} \
             seconds={seconds:.1} rate={:.2}",
            orders + behaviour,
            Tally::value(&tally.actions),
            Tally::value(&tally.skipped),
            Tally::value(&tally.repeated),
            floor.pace.forgiven(),
            if seconds > 0.0 {
                (orders + behaviour) as f64 / seconds
            } else {
                0.0
            },
        );
    }
}

impl Floor {
    /// Seconds between what is due and what is committed.
    fn behind(&self, tally: &Tally) -> f64 {
        let decided = self.market.as_ref().map(Market::counts).unwrap_or_default();
        let committed = Tally::value(&tally.orders) + Tally::value(&tally.behaviour);
        let unwritten = (decided.orders + decided.behaviour)
            .saturating_sub(committed)
            .saturating_sub(Tally::value(&tally.skipped));
        self.pace.behind_seconds() + unwritten as f64 / self.wishes.rate
    }
}
