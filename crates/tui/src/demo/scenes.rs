//! The states a board can be in, staged with the generated shop.

use chrono::{DateTime, TimeDelta, Utc};
use instashop_core::view::{Ask, LiveView, Range, Rebuild, SalesView, Topic, Totals};

use super::Shop;
use crate::snapshot::history::{SPAN, STEP};
use crate::snapshot::{Body, Failure, Message, PartName, Rhythm, Snapshot, StoreName};

/// All boards of the marts.
const TOPICS: [Topic; 8] = [
    Topic::Payments,
    Topic::Buyers,
    Topic::Products,
    Topic::Inventory,
    Topic::Behaviour,
    Topic::Logistics,
    Topic::Stores,
    Topic::Alerts,
];

/// A state of the whole board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scene {
    /// Everything answers.
    Full,
    /// A shop without a single order.
    Empty,
    /// Nothing has answered yet.
    Loading,
    /// The workers are 45 seconds behind.
    Lagging,
    /// Redis is being filled again.
    Rebuilding,
    /// Both stores fell silent two minutes ago.
    Stale,
    /// Redis answers but holds no totals.
    Missing,
    /// Redis refuses connections; the warehouse answers.
    RedisDown,
    /// The warehouse refuses connections.
    WarehouseDown,
    /// Neither store answers, from the start.
    Unreachable,
    /// The last proof found a difference.
    Broken,
    /// The warehouse answers, but not what a tab asks.
    QueryFailed,
}

impl Scene {
    /// All scenes.
    pub const ALL: [Self; 12] = [
        Self::Full,
        Self::Empty,
        Self::Loading,
        Self::Lagging,
        Self::Rebuilding,
        Self::Stale,
        Self::Missing,
        Self::RedisDown,
        Self::WarehouseDown,
        Self::Unreachable,
        Self::Broken,
        Self::QueryFailed,
    ];

    /// Name in flags.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Empty => "empty",
            Self::Loading => "loading",
            Self::Lagging => "lagging",
            Self::Rebuilding => "rebuilding",
            Self::Stale => "stale",
            Self::Missing => "missing",
            Self::RedisDown => "redis-down",
            Self::WarehouseDown => "warehouse-down",
            Self::Unreachable => "unreachable",
            Self::Broken => "broken",
            Self::QueryFailed => "query-failed",
        }
    }

    /// Finds a scene by its name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scene| scene.name() == name)
    }
}

fn failure(store: StoreName) -> Failure {
    let (name, port) = match store {
        StoreName::Redis => ("Redis", 6379),
        StoreName::Warehouse => ("the warehouse", 5436),
    };
    Failure {
        text: "connection refused".into(),
        advice: Some(format!("is {name} running on 127.0.0.1:{port}?")),
        chain: vec![
            format!("connecting to {name} at 127.0.0.1:{port}"),
            "Connection refused (os error 111)".into(),
        ],
    }
}

fn slow() -> Failure {
    Failure {
        text: "cannot read the warehouse: canceling statement due to statement timeout".into(),
        advice: None,
        chain: vec!["db error: canceling statement due to statement timeout".into()],
    }
}

impl Shop {
    /// What both stores would answer at a moment, in the order in which it is asked.
    pub fn answers(&mut self, at: DateTime<Utc>, days: u32, ask: Ask, topics: &[Topic]) -> Vec<Message> {
        let mut live = self.live(at);
        // The figures of one scope are what the tabs over the marts take from Redis: today's alone.
        if ask.range == Range::Today {
            live.figures = self.figures_of(ask.store, at);
        }
        let redis = [
            Body::Live(Box::new(live)),
            Body::LiveSystem(Box::new(self.live_system(at))),
        ];
        let warehouse = [
            Body::Base(Box::new(self.base(at))),
            Body::Today(Box::new(self.warehouse_today(at))),
            Body::Sales(days, Box::new(self.sales(at, days))),
            Body::WarehouseSystem(Box::new(self.warehouse_system(at))),
        ];
        let boards: Vec<Body> = topics
            .iter()
            .map(|topic| {
                let ask = if *topic == Topic::Alerts {
                    ask.for_alerts()
                } else {
                    ask
                };
                Body::Board(ask, Box::new(self.board(*topic, ask, at)))
            })
            .collect();
        let tell = |store| move |body| Message { at, store, body };
        redis
            .into_iter()
            .map(tell(StoreName::Redis))
            .chain(
                warehouse
                    .into_iter()
                    .chain(boards)
                    .map(tell(StoreName::Warehouse)),
            )
            .collect()
    }

    /// What the warehouse would answer `now` as of an earlier moment.
    pub fn past_answers(
        &mut self,
        (at, now): (DateTime<Utc>, DateTime<Utc>),
        days: u32,
        ask: Ask,
        topics: &[Topic],
    ) -> Vec<Message> {
        let answers = self.answers(at, days, ask, topics).into_iter();
        let kept = answers.filter(|message| {
            matches!(
                message.body,
                Body::Base(_) | Body::Today(_) | Body::Sales(..) | Body::Board(..)
            )
        });
        kept.map(|message| Message {
            at: now,
            body: Body::Past(at, Box::new(message.body)),
            ..message
        })
        .collect()
    }

    /// Lag and latency of the minutes before a moment.
    fn past(&mut self, snapshot: &mut Snapshot, at: DateTime<Utc>) {
        let steps = i32::try_from(SPAN.num_seconds() / STEP.num_seconds()).unwrap_or(0);
        for step in (0..steps).rev() {
            let then = at - STEP * step - TimeDelta::seconds(1);
            let live = self.live_system(then).flow;
            snapshot.history.add_live(&live, then);
            let warehouse = self.warehouse_system(then).flow;
            snapshot.history.add_warehouse(&warehouse, then);
        }
    }

    /// The board in a state at a moment.
    pub fn snapshot(&mut self, rhythm: Rhythm, scene: Scene, at: DateTime<Utc>, ask: Ask) -> Snapshot {
        let days = match ask.range {
            Range::Days(days) => u32::from(days),
            _ => 7,
        };
        let mut snapshot = Snapshot::new(at - TimeDelta::minutes(20), rhythm);
        let fresh = at - TimeDelta::milliseconds(400);
        let tell = |snapshot: &mut Snapshot, messages: Vec<Message>| {
            for message in messages {
                snapshot.apply(message);
            }
        };
        let down = |snapshot: &mut Snapshot, store, since: DateTime<Utc>| {
            for (attempt, moment) in [(1, since), (4, at - TimeDelta::seconds(8))] {
                snapshot.apply(Message {
                    at: moment,
                    store,
                    body: Body::Down {
                        attempt,
                        retry_at: at + TimeDelta::seconds(8),
                        failure: failure(store),
                    },
                });
            }
        };
        let warehouse_only = |messages: Vec<Message>| -> Vec<Message> {
            messages
                .into_iter()
                .filter(|message| message.store == StoreName::Warehouse)
                .collect()
        };
        if !matches!(scene, Scene::Loading | Scene::Unreachable | Scene::Empty) {
            self.past(&mut snapshot, fresh);
        }
        match scene {
            Scene::Full => {
                let answers = self.answers(fresh, days, ask, &TOPICS);
                tell(&mut snapshot, answers);
            }
            Scene::Empty => {
                let answers = self
                    .answers(fresh, days, ask, &TOPICS)
                    .into_iter()
                    .map(emptied)
                    .collect();
                tell(&mut snapshot, answers);
            }
            Scene::Loading => {
                snapshot.started = at - TimeDelta::milliseconds(800);
                for store in [StoreName::Redis, StoreName::Warehouse] {
                    snapshot.apply(Message {
                        at: snapshot.started,
                        store,
                        body: Body::Asking,
                    });
                }
            }
            Scene::Lagging => {
                let behind = fresh - TimeDelta::seconds(45);
                let answers = self.answers(fresh, days, ask, &TOPICS);
                tell(&mut snapshot, answers);
                let mut live = self.live(behind);
                live.read_at = fresh;
                live.as_of = Some(behind);
                tell(&mut snapshot, vec![message(fresh, Body::Live(Box::new(live)))]);
            }
            Scene::Rebuilding => {
                let answers = self.answers(fresh, days, ask, &TOPICS);
                tell(&mut snapshot, answers);
                let mut live = self.live(fresh - TimeDelta::hours(5));
                live.read_at = fresh;
                live.day = self.today(fresh);
                live.rebuild = Some(Rebuild {
                    since: fresh - TimeDelta::minutes(5),
                    percent: 62,
                    remaining_s: Some(180),
                });
                tell(&mut snapshot, vec![message(fresh, Body::Live(Box::new(live)))]);
            }
            Scene::Stale => {
                let answers = self.answers(at - TimeDelta::seconds(254), days, ask, &TOPICS);
                tell(&mut snapshot, answers);
            }
            Scene::Missing => {
                let answers = self.answers(fresh, days, ask, &TOPICS);
                tell(&mut snapshot, answers);
                let nothing = Body::Live(Box::default());
                tell(
                    &mut snapshot,
                    vec![
                        message(at - TimeDelta::seconds(292), nothing.clone()),
                        message(fresh, nothing),
                    ],
                );
            }
            Scene::RedisDown => {
                let since = at - TimeDelta::seconds(134);
                let answers = self.answers(since, days, ask, &TOPICS);
                tell(&mut snapshot, answers);
                down(&mut snapshot, StoreName::Redis, since + TimeDelta::seconds(1));
                let answers = warehouse_only(self.answers(at - TimeDelta::seconds(12), days, ask, &TOPICS));
                tell(&mut snapshot, answers);
            }
            Scene::WarehouseDown => {
                let since = at - TimeDelta::seconds(254);
                let answers = self.answers(since, days, ask, &TOPICS);
                tell(&mut snapshot, answers);
                let answers = self.answers(fresh, days, ask, &TOPICS);
                let redis = answers
                    .into_iter()
                    .filter(|message| message.store == StoreName::Redis)
                    .collect();
                tell(&mut snapshot, redis);
                down(&mut snapshot, StoreName::Warehouse, since + TimeDelta::seconds(1));
            }
            Scene::Unreachable => {
                for store in [StoreName::Redis, StoreName::Warehouse] {
                    down(&mut snapshot, store, at - TimeDelta::seconds(20));
                }
            }
            Scene::QueryFailed => {
                let answers = self.answers(at - TimeDelta::seconds(134), days, ask, &TOPICS);
                tell(&mut snapshot, answers);
                let boards = TOPICS.into_iter().filter(|topic| *topic != Topic::Alerts);
                let parts = boards.map(PartName::Board).chain([PartName::Sales]);
                let failures = parts.map(|part| Message {
                    at: at - TimeDelta::seconds(74),
                    store: StoreName::Warehouse,
                    body: Body::Failed(part, slow()),
                });
                tell(&mut snapshot, failures.collect());
                let others = self.answers(fresh, days, ask, &[Topic::Alerts]);
                let others = others.into_iter();
                let others = others.filter(|message| !matches!(message.body, Body::Sales(..)));
                tell(&mut snapshot, others.collect());
            }
            Scene::Broken => {
                let answers = self
                    .answers(fresh, days, ask, &TOPICS)
                    .into_iter()
                    .map(broken)
                    .collect();
                tell(&mut snapshot, answers);
            }
        }
        snapshot
    }
}

const fn message(at: DateTime<Utc>, body: Body) -> Message {
    Message {
        at,
        store: StoreName::Redis,
        body,
    }
}

/// The same answer of a shop that nobody has found yet.
fn emptied(mut message: Message) -> Message {
    match &mut message.body {
        Body::Live(view) => {
            let hollow = |points: &[instashop_core::view::TrendPoint]| {
                let mut points = points.to_vec();
                for point in &mut points {
                    point.totals = Totals::default();
                }
                points
            };
            **view = LiveView {
                read_at: view.read_at,
                generation: view.generation.clone(),
                as_of: view.as_of,
                published_at: view.published_at,
                day: view.day,
                minutes: hollow(&view.minutes),
                hours: hollow(&view.hours),
                half_minutes: hollow(&view.half_minutes),
                doing: Some(instashop_core::view::DoingNow {
                    course: vec![0; 20],
                    ..instashop_core::view::DoingNow::default()
                }),
                ..LiveView::default()
            };
        }
        Body::LiveSystem(view) => {
            view.flow.workers.clear();
            view.orders_without_lines = 0;
        }
        Body::Base(base) => base.complete = false,
        Body::Today(view) => {
            let kept = (view.read_at, view.as_of, view.day);
            **view = instashop_core::view::WarehouseToday {
                read_at: kept.0,
                as_of: kept.1,
                day: kept.2,
                ..instashop_core::view::WarehouseToday::default()
            };
        }
        Body::Sales(_, view) => {
            **view = SalesView {
                read_at: view.read_at,
                as_of: view.as_of,
                today: view.today,
                days: view
                    .days
                    .iter()
                    .map(|(day, _)| (*day, Totals::default()))
                    .collect(),
                heat: vec![[0; 24]; 7],
                ..SalesView::default()
            };
        }
        Body::WarehouseSystem(view) => {
            view.flow.workers.clear();
            view.flow.dead_letters = Some(0);
            view.proof = None;
        }
        Body::Orders(_, _, list) => **list = instashop_core::view::OrderList::default(),
        Body::Board(_, board) => super::boards::empty(board),
        Body::Asking | Body::Down { .. } | Body::Failed(..) | Body::Past(..) | Body::Difference(..) => {}
    }
    message
}

/// The same answer with one row missing in the warehouse.
fn broken(mut message: Message) -> Message {
    if let Body::WarehouseSystem(view) = &mut message.body
        && let Some(proof) = &mut view.proof
    {
        proof.drift = 1;
        if let Some(line) = proof.lines.iter_mut().find(|line| line.name == "transaction") {
            line.drift = 1;
            line.warehouse = format!(
                "{}0",
                line.warehouse.trim_end_matches(|c: char| c.is_ascii_digit())
            );
        }
    }
    message
}
