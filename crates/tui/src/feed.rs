//! One task per store: asks what the visible screen needs, in its rhythm, and tells what came. Drawing never waits for
//! it; a late question is skipped, never queued; a store that does not answer is tried again for ever.
//!
//! - `readers`: the calls to `instashop_store`, in one place
//! - `backoff`: how long to wait before the next attempt
//! - `crowd`: many at once, without a screen
//! - `generated`: the same for `--demo`

mod backoff;
mod crowd;
mod generated;
mod readers;

use std::time::Duration;

use chrono::{DateTime, Utc};
use instashop_core::config::Config;
use instashop_core::view::{Ask, LiveAsk, OrdersOf, Topic, When};
use tokio::sync::mpsc::Sender;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::app::{Event, Tab, Wanted};
use crate::board;
use crate::place::Place;
use crate::snapshot::{Body, Message, PartName, Rhythm, StoreName};
use backoff::Backoff;
pub use crowd::{Answers, crowd};
pub use generated::generate;
use readers::Reader;

/// Longest wait for a light answer.
const LIGHT: Duration = Duration::from_secs(3);

/// Longest wait for a heavy answer.
const HEAVY: Duration = Duration::from_secs(30);

/// A question to a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Question {
    /// Live totals, and what else the visible tab needs of them.
    Live(LiveAsk),
    /// Health of the live flow.
    LiveSystem,
    /// What today is compared with.
    Base,
    /// Today as the warehouse knows it.
    Today,
    /// Sales of a number of days.
    Sales(u32),
    /// Health of the warehouse flow.
    WarehouseSystem,
    /// What a tab shows of the marts.
    Board(Topic, Ask),
    /// The orders behind a number.
    Orders(OrdersOf, Ask),
    /// What lies between a range and its base.
    Difference(Ask),
}

impl Question {
    /// The part that fails alone when its store cannot answer this; `None` for the light questions that every screen asks:
    /// a store that cannot answer those does not answer.
    const fn part(&self) -> Option<PartName> {
        Some(match self {
            Self::Base => PartName::Base,
            Self::Today => PartName::Today,
            Self::Sales(_) => PartName::Sales,
            Self::Board(topic, _) => PartName::Board(*topic),
            Self::Orders(..) => PartName::Orders,
            Self::Difference(_) => PartName::Difference,
            Self::Live(_) | Self::LiveSystem | Self::WarehouseSystem => return None,
        })
    }

    /// The moment it is asked as of: health and alerts are always of the present.
    fn moment(&self, wanted: &Wanted) -> Option<DateTime<Utc>> {
        match self {
            Self::Base | Self::Today | Self::Sales(_) | Self::Orders(..) => wanted.at,
            Self::Difference(_) => wanted.at.filter(|_| wanted.tab.goes_back()),
            Self::Board(topic, _) => wanted
                .at
                .filter(|_| *topic != Topic::Alerts && wanted.tab.goes_back()),
            Self::Live(_) | Self::LiveSystem | Self::WarehouseSystem => None,
        }
    }

    const fn patience(&self) -> Duration {
        match self {
            Self::Live(_) | Self::LiveSystem | Self::WarehouseSystem => LIGHT,
            Self::Base
            | Self::Today
            | Self::Sales(_)
            | Self::Board(..)
            | Self::Orders(..)
            | Self::Difference(_) => HEAVY,
        }
    }
}

/// What a store is asked for on this screen, and how often.
fn questions(store: StoreName, wanted: &Wanted, rhythm: Rhythm) -> Vec<(Question, Duration)> {
    let span = |span: chrono::TimeDelta| span.to_std().unwrap_or(Duration::from_secs(1));
    let (live, tab, heavy) = (span(rhythm.live), span(rhythm.tab), span(rhythm.warehouse));
    let system = wanted.tab == Tab::System;
    match store {
        StoreName::Redis => vec![
            // The header shows the state of Redis on every tab.
            (
                Question::Live(LiveAsk {
                    store: wanted.ask.store,
                    doing: wanted.tab == Tab::Live,
                }),
                if wanted.tab != Tab::Live && !system {
                    tab.min(live * 2)
                } else {
                    live
                },
            ),
            // The course of lag and latency goes on while another tab is shown.
            (Question::LiveSystem, if system { live } else { tab }),
        ],
        StoreName::Warehouse => {
            let mut questions = vec![(Question::WarehouseSystem, if system { tab } else { tab * 3 })];
            if wanted.tab == Tab::Live {
                questions.push((Question::Base, heavy));
                questions.push((Question::Today, if wanted.redis_is_out { tab } else { heavy }));
            }
            if wanted.tab == Tab::Sales || wanted.sales_on_live {
                questions.push((Question::Sales(wanted.days), heavy));
            }
            if let Some(topic) = board::topic(wanted.tab).filter(|topic| *topic != Topic::Alerts) {
                questions.push((Question::Board(topic, wanted.ask), heavy));
            }
            // Somebody waits for these: they go before what the panels ask for again.
            if let Some((of, ask)) = &wanted.orders {
                questions.insert(0, (Question::Orders(of.clone(), *ask), heavy));
            }
            if let Some(ask) = wanted.difference {
                questions.insert(0, (Question::Difference(ask), heavy));
            }
            // Every tab shows how many alerts fire; on their own tab they are asked for more often, but not
            // as often as light questions: the rules look at weeks of orders.
            let alerts = if wanted.tab == Tab::Alerts { tab * 3 } else { heavy };
            questions.push((Question::Board(Topic::Alerts, wanted.ask.for_alerts()), alerts));
            questions
        }
    }
}

/// Handles on the running tasks.
#[derive(Debug, Clone)]
pub struct Feed {
    wanted: watch::Sender<Wanted>,
    now: watch::Sender<u64>,
}

impl Feed {
    /// Asks for these parts from now on.
    pub fn want(&self, wanted: Wanted) {
        self.wanted.send_replace(wanted);
    }

    /// Asks at once, and tries stores that do not answer.
    pub fn poll(&self) {
        self.now.send_modify(|count| *count += 1);
    }

    fn channels(wanted: Wanted) -> (Self, watch::Receiver<Wanted>, watch::Receiver<u64>) {
        let (wanted_sender, wanted) = watch::channel(wanted);
        let (now_sender, now) = watch::channel(0);
        let feed = Self {
            wanted: wanted_sender,
            now: now_sender,
        };
        (feed, wanted, now)
    }

    /// Starts a task per store.
    pub fn start(config: &Config, wanted: Wanted, events: &Sender<Event>) -> Self {
        Self::start_of(&[StoreName::Redis, StoreName::Warehouse], config, wanted, events)
    }

    fn start_of(stores: &[StoreName], config: &Config, wanted: Wanted, events: &Sender<Event>) -> Self {
        let (feed, wanted, now) = Self::channels(wanted);
        for store in stores.iter().copied() {
            let task = Task {
                store,
                config: config.clone(),
                events: events.clone(),
                wanted: wanted.clone(),
                now: now.clone(),
                rhythm: Rhythm::from_config(&config.dashboard),
            };
            tokio::spawn(task.run());
        }
        feed
    }
}

struct Task {
    store: StoreName,
    config: Config,
    events: Sender<Event>,
    wanted: watch::Receiver<Wanted>,
    now: watch::Receiver<u64>,
    rhythm: Rhythm,
}

impl Task {
    async fn tell(&self, body: Body) -> bool {
        let message = Message {
            at: Utc::now(),
            store: self.store,
            body,
        };
        self.events.send(Event::Told(message)).await.is_ok()
    }

    async fn run(mut self) {
        let mut backoff = Backoff::default();
        let mut dice = backoff::Dice::from_clock();
        loop {
            if !self.tell(Body::Asking).await {
                return;
            }
            let connected = readers::within(LIGHT, Reader::connect(self.store, &self.config)).await;
            let failure = match connected {
                Ok(reader) => match self.ask_on(reader, &mut backoff, &mut dice).await {
                    Some(failure) => failure,
                    None => return,
                },
                Err(failure) => failure,
            };
            tracing::warn!(store = ?self.store, reason = %failure.text, causes = ?failure.chain, "no answer");
            let (attempt, wait) = backoff.next(&mut dice);
            let retry_at = Utc::now() + wait;
            let body = Body::Down {
                attempt,
                retry_at,
                failure,
            };
            if !self.tell(body).await {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                changed = self.now.changed() => if changed.is_err() { return },
            }
        }
    }

    /// Asks in rhythm until something fails (the failure) or the screen is gone (`None`).
    async fn ask_on(
        &mut self,
        mut reader: Reader,
        backoff: &mut Backoff,
        dice: &mut backoff::Dice,
    ) -> Option<crate::snapshot::Failure> {
        // When each question was asked, and its rhythm this time in percent: a tenth more or less, so that several
        // dashboards do not ask in step. A slow answer delays the next question instead of queueing it.
        let mut asked: Vec<(Question, Instant, u32)> = Vec::new();
        let mut at = None;
        loop {
            let wanted = self.wanted.borrow_and_update().clone();
            // Another moment has other answers.
            if at != wanted.at {
                at = wanted.at;
                asked.clear();
            }
            let due = |(question, every): &(Question, Duration)| {
                let last = asked.iter().find(|(known, ..)| known == question);
                (
                    last.map(|(_, at, percent)| *at + *every * *percent / 100),
                    question.clone(),
                )
            };
            // The question that is due longest goes first; one that was never asked is due.
            let plan = questions(self.store, &wanted, self.rhythm);
            let (due, question) = plan.iter().map(due).min_by_key(|(due, _)| *due)?;
            if let Some(due) = due.filter(|due| *due > Instant::now()) {
                tokio::select! {
                    () = tokio::time::sleep_until(due) => {}
                    changed = self.wanted.changed() => if changed.is_err() { return None } else { continue },
                    changed = self.now.changed() => {
                        if changed.is_err() {
                            return None;
                        }
                        asked.clear();
                        continue;
                    }
                }
            }
            if !self.tell(Body::Asking).await {
                return None;
            }
            asked.retain(|(known, ..)| *known != question);
            asked.push((question.clone(), Instant::now(), 90 + dice.below(21)));
            let (patience, part) = (question.patience(), question.part());
            let moment = question.moment(&wanted);
            match readers::within(patience, reader.ask(question, when(moment))).await {
                Ok(body) => {
                    backoff.reset();
                    if !self.tell(of_moment(body, moment)).await {
                        return None;
                    }
                }
                Err(failure) => {
                    let Some(part) = part else { return Some(failure) };
                    // The question may still run there, so it goes with its connection. Whether the store answers is
                    // what a new one tells.
                    match readers::within(LIGHT, Reader::connect(self.store, &self.config)).await {
                        Ok(fresh) => reader = fresh,
                        Err(failure) => return Some(failure),
                    }
                    tracing::warn!(?part, reason = %failure.text, causes = ?failure.chain, "not answered");
                    if !self.tell(of_moment(Body::Failed(part, failure), moment)).await {
                        return None;
                    }
                }
            }
        }
    }
}

/// The moment of a question.
fn when(moment: Option<DateTime<Utc>>) -> When {
    moment.map_or_else(|| When::Present(Utc::now()), When::AsOf)
}

/// An answer with the moment it is as of.
fn of_moment(body: Body, moment: Option<DateTime<Utc>>) -> Body {
    match moment {
        None => body,
        Some(at) => Body::Past(at, Box::new(body)),
    }
}

/// Asks both stores once, each question at most `wait` long.
pub async fn ask_once(
    config: &Config,
    tabs: &[Tab],
    days: u32,
    place: &Place,
    wait: Duration,
) -> Vec<Message> {
    let rhythm = Rhythm::from_config(&config.dashboard);
    let answers = async |store: StoreName| {
        let mut plan: Vec<(Question, Option<DateTime<Utc>>)> = Vec::new();
        for tab in tabs {
            let wanted = Wanted {
                tab: *tab,
                days,
                ask: place.ask,
                orders: None,
                difference: None,
                sales_on_live: true,
                at: place.at,
                redis_is_out: true,
            };
            for (question, _) in questions(store, &wanted, rhythm) {
                let question = (question.clone(), question.moment(&wanted));
                if !plan.contains(&question) {
                    plan.push(question);
                }
            }
        }
        let mut messages = Vec::new();
        let mut tell = |body| {
            messages.push(Message {
                at: Utc::now(),
                store,
                body,
            });
        };
        let down = |failure| Body::Down {
            attempt: 1,
            retry_at: Utc::now(),
            failure,
        };
        match readers::within(wait, Reader::connect(store, config)).await {
            Ok(mut reader) => {
                for (question, moment) in plan {
                    let part = question.part();
                    match readers::within(wait, reader.ask(question, when(moment))).await {
                        Ok(body) => tell(of_moment(body, moment)),
                        Err(failure) => {
                            let fresh = readers::within(wait, Reader::connect(store, config)).await;
                            let (Some(part), Ok(fresh)) = (part, fresh) else {
                                tell(down(failure));
                                break;
                            };
                            reader = fresh;
                            tell(of_moment(Body::Failed(part, failure), moment));
                        }
                    }
                }
            }
            Err(failure) => tell(down(failure)),
        }
        messages
    };
    let (mut redis, warehouse) = tokio::join!(answers(StoreName::Redis), answers(StoreName::Warehouse));
    redis.extend(warehouse);
    redis
}

#[cfg(test)]
mod tests {
    use super::Question::{Base, Board, Live, LiveSystem, Sales, Today, WarehouseSystem};
    use super::*;
    use instashop_core::config::Dashboard;

    const ASK: Ask = Ask {
        range: instashop_core::view::Range::Days(30),
        basis: instashop_core::view::Basis::Previous,
        store: Some(7),
    };

    fn wanted(tab: Tab) -> Wanted {
        Wanted {
            tab,
            days: 30,
            ask: ASK,
            orders: None,
            difference: None,
            sales_on_live: false,
            at: None,
            redis_is_out: false,
        }
    }

    #[test]
    fn only_what_is_visible_is_asked() {
        let rhythm = Rhythm::from_config(&Dashboard::default());
        let plan = |store, wanted: Wanted| -> Vec<Question> {
            questions(store, &wanted, rhythm)
                .into_iter()
                .map(|(question, _)| question)
                .collect()
        };
        let alerts = || Board(Topic::Alerts, ASK.for_alerts());
        let live = |doing| {
            Live(LiveAsk {
                store: ASK.store,
                doing,
            })
        };
        assert_eq!(
            plan(StoreName::Redis, wanted(Tab::Sales)),
            [live(false), LiveSystem]
        );
        assert_eq!(
            plan(StoreName::Redis, wanted(Tab::Live)),
            [live(true), LiveSystem]
        );
        assert_eq!(
            plan(StoreName::Warehouse, wanted(Tab::Live)),
            [WarehouseSystem, Base, Today, alerts()]
        );
        assert_eq!(
            plan(StoreName::Warehouse, wanted(Tab::Sales)),
            [WarehouseSystem, Sales(30), alerts()]
        );
        assert_eq!(
            plan(StoreName::Warehouse, wanted(Tab::System)),
            [WarehouseSystem, alerts()]
        );
        assert_eq!(
            plan(StoreName::Warehouse, wanted(Tab::Buyers)),
            [WarehouseSystem, Board(Topic::Buyers, ASK), alerts()]
        );
        let out = Wanted {
            redis_is_out: true,
            ..wanted(Tab::Live)
        };
        let every = |wanted: Wanted| {
            let plan = questions(StoreName::Warehouse, &wanted, rhythm);
            plan.into_iter()
                .find(|(question, _)| *question == Today)
                .unwrap()
                .1
        };
        assert!(
            every(out) < every(wanted(Tab::Live)),
            "the warehouse answers more often while Redis is out"
        );
    }
}
