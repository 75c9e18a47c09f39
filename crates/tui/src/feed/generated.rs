//! The generated shop as a feed: the same messages as from real stores.

use std::time::Duration;

use chrono::Utc;
use instashop_core::view::{Ask, Topic};
use tokio::sync::mpsc::Sender;
use tokio::time::{MissedTickBehavior, interval};

use super::Feed;
use crate::app::{Event, Wanted};
use crate::board;
use crate::demo::{Scene, Shop};
use crate::snapshot::{Body, Message, Rhythm, StoreName};

/// Starts the task of a generated shop. Scenes other than the full one are staged again every second, so that their
/// ages stand still while the clock goes on.
pub fn generate(
    mut shop: Shop,
    scene: Scene,
    rhythm: Rhythm,
    wanted: Wanted,
    events: &Sender<Event>,
) -> Feed {
    let (feed, mut wanted, mut now) = Feed::channels(wanted);
    let events = events.clone();
    tokio::spawn(async move {
        let mut beat = interval(rhythm.live.to_std().unwrap_or(Duration::from_secs(1)));
        beat.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut count = 0_u64;
        loop {
            tokio::select! {
                _ = beat.tick() => {}
                changed = now.changed() => if changed.is_err() { return },
                changed = wanted.changed() => if changed.is_err() { return } else { count = 0 },
            }
            let (days, ask, topic, orders, moment, difference) = {
                let wanted = wanted.borrow();
                (
                    wanted.days,
                    wanted.ask,
                    board::topic(wanted.tab),
                    wanted.orders.clone(),
                    wanted.at,
                    wanted.difference,
                )
            };
            let mut messages = next(&mut shop, scene, (days, ask, topic), count.is_multiple_of(10));
            if let Some(at) = moment.filter(|_| count.is_multiple_of(10) && scene == Scene::Full) {
                messages.extend(shop.past_answers((at, Utc::now()), days, ask, topic.as_slice()));
            }
            count += 1;
            let list = orders.filter(|_| scene == Scene::Full).map(|(of, ask)| {
                let list = shop.orders_of(&of, ask, Utc::now());
                Message {
                    at: Utc::now(),
                    store: StoreName::Warehouse,
                    body: Body::Orders(ask, of, Box::new(list)),
                }
            });
            let difference = difference
                .filter(|_| count % 10 == 1 && scene == Scene::Full)
                .map(|ask| {
                    let now = Utc::now();
                    let body = Body::Difference(ask, Box::new(shop.difference(ask, moment.unwrap_or(now))));
                    Message {
                        at: now,
                        store: StoreName::Warehouse,
                        body: match moment {
                            Some(at) => Body::Past(at, Box::new(body)),
                            None => body,
                        },
                    }
                });
            for message in messages.into_iter().chain(list).chain(difference) {
                if events.send(Event::Told(message)).await.is_err() {
                    return;
                }
            }
        }
    });
    feed
}

fn next(
    shop: &mut Shop,
    scene: Scene,
    (days, ask, topic): (u32, Ask, Option<Topic>),
    heavy: bool,
) -> Vec<Message> {
    // What the visible tab shows of the marts, and the alerts of every tab.
    let mut topics = vec![];
    if heavy {
        topics.extend(topic.filter(|topic| *topic != Topic::Alerts));
        topics.push(Topic::Alerts);
    }
    let at = Utc::now();
    let answers = match scene {
        Scene::Full => shop.answers(at, days, ask, &topics),
        _ => return vec![],
    };
    let wanted = |message: &Message| {
        heavy || message.store == StoreName::Redis || matches!(message.body, Body::WarehouseSystem(_))
    };
    answers.into_iter().filter(wanted).collect()
}
